/* The networks of src/ocr against ONNX Runtime: their states layer by layer, in tests/golden/words.safetensors (made by
 * make_words.py there), for every instruction set of this processor and each precision; and that a team computes what one
 * thread does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ocr/networks.h"
#include "words_golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int compared;
    double worst;          /* ||ours - theirs|| / ||theirs|| */
    char name[32];
} comparison;

static void compare(comparison *c, const char *name, const float *x, size_t n)
{
    scry_tensor t = golden_tensor(name);
    assert_non_null(t.data);
    size_t count = scry_tensor_count(&t);
    assert_true(n >= count);   /* of logits, the first rows */
    float *want = scry_alloc(count * sizeof *want);
    scry_tensor_floats(&t, want);
    double difference = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        difference += ((double)x[i] - want[i]) * ((double)x[i] - want[i]);
        size += (double)want[i] * want[i];
    }
    double d = sqrt(difference / size);
    if (!(d <= c->worst)) {
        c->worst = d;
        snprintf(c->name, sizeof c->name, "%s", name);
    }
    c->compared++;
    free(want);
}

static void traced(void *arg, const char *name, const float *x, size_t rows, size_t cols)
{
    compare(arg, name, x, rows * cols);
}

typedef struct {
    scry_ocr_networks networks;
    scry_team *team;
} fixture;

static fixture open_networks(const scry_kernels *k, scry_mode mode, int threads)
{
    fixture f;
    scry_error err = SCRY_ERROR_INIT;
    char *folder = top_path("models/words");
    if (scry_ocr_networks_open(&f.networks, folder, mode, &err) < 0
        || scry_team_new(&f.team, k, threads, &f.networks.need, &err) < 0
        || scry_ocr_networks_pack(&f.networks, f.team, &err) < 0)
        fail_msg("%s", err.message);
    free(folder);
    return f;
}

static void close_networks(fixture *f)
{
    scry_ocr_networks_close(&f->networks);
    scry_team_free(f->team);
}

static uint8_t *golden_pixels(const char *name, size_t *height, size_t *width)
{
    scry_tensor t = golden_tensor(name);
    assert_non_null(t.data);
    *height = t.shape[0];
    *width = t.shape[1];
    size_t n = scry_tensor_count(&t);
    float *floats = scry_alloc(n * sizeof *floats);
    uint8_t *bytes = scry_alloc(n);
    scry_tensor_floats(&t, floats);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)floats[i];
    free(floats);
    return bytes;
}

typedef struct {
    const scry_ocr_networks *networks;
    scry_ocr_detection detection;
    scry_ocr_recognition recognition;
    const uint8_t *line;
    size_t line_width;
    float *memory, upside_down;
    const scry_tracer *tracer;
} work;

static void run_detection(scry_nn *n, void *arg)
{
    work *w = arg;
    scry_ocr_detect(n, &w->networks->detector, &w->detection);
}

static void run_recognition(scry_nn *n, void *arg)
{
    work *w = arg;
    scry_ocr_recognise(n, &w->networks->recogniser, &w->recognition);
}

static void run_classification(scry_nn *n, void *arg)
{
    work *w = arg;
    w->upside_down = scry_ocr_classify(n, &w->networks->classifier, w->line, w->line_width, w->memory, w->tracer);
}

/* The three networks, each state compared. */
static void run_all(const fixture *f, comparison *c)
{
    const scry_tracer tracer = { traced, c };
    work w = { .networks = &f->networks, .tracer = &tracer };
    scry_ocr_pixels p;
    size_t threads = (size_t)scry_team_threads(f->team);
    p.rgb = golden_pixels("det.pixels", &p.height, &p.width);
    p.padded = p.width;
    float *memory = scry_alloc(scry_ocr_detect_floats(&f->networks.detector, p.height, p.width, threads) * sizeof *memory);
    float *map = scry_alloc(p.height * p.width * sizeof *map);
    w.detection = (scry_ocr_detection){ p, memory, &tracer, map, NULL };
    scry_team_run(f->team, run_detection, &w);
    free((void *)p.rgb);
    free(memory);
    free(map);
    if (threads > 1)
        return;
    p.rgb = golden_pixels("rec.pixels", &p.height, &p.width);
    p.padded = 56;
    memory = scry_alloc(scry_ocr_recognise_floats(&f->networks.recogniser, p.padded) * sizeof *memory);
    uint32_t best[7];
    float probability[7];
    assert_int_equal(scry_ocr_line_places(p.padded), 7);
    w.recognition = (scry_ocr_recognition){ p, memory, &tracer, best, probability };
    scry_team_run(f->team, run_recognition, &w);
    free((void *)p.rgb);
    free(memory);
    w.line = golden_pixels("cls.pixels", &p.height, &w.line_width);
    w.memory = scry_alloc(scry_ocr_classify_floats() * sizeof *w.memory);
    scry_team_run(f->team, run_classification, &w);
    float both[2] = { 1 - w.upside_down, w.upside_down };
    compare(c, "cls.probability", both, 2);
    free((void *)w.line);
    free(w.memory);
}

static void networks_equal_onnx_runtime(void **state)
{
    static const double tolerance[] = { 4e-3, 4e-2 };   /* the golden numbers and the weights are half floats */
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t count = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (size_t i = 0; i < count; i++) {
        for (scry_mode mode = SCRY_MODE_F32; mode <= SCRY_MODE_BF16; mode++) {
            comparison c = { .compared = 0 };
            fixture f = open_networks(all[i], mode, 1);
            run_all(&f, &c);
            print_message("%s, mode %d: worst %.2e in %s\n", all[i]->name, (int)mode, c.worst, c.name);
            assert_int_equal(c.compared, 10 + 7 + 2);
            assert_true(c.worst < tolerance[mode]);
            close_networks(&f);
        }
    }
}

static void a_team_computes_the_same(void **state)
{
    for (int threads = 2; threads <= 5; threads += 3) {
        comparison c = { .compared = 0 };
        fixture f = open_networks(scry_kernels_best(), SCRY_MODE_F32, threads);
        run_all(&f, &c);
        assert_int_equal(c.compared, 10);
        assert_true(c.worst < 4e-3);
        close_networks(&f);
    }
}

static void unseen(void *arg, const char *name, const float *x, size_t rows, size_t cols)
{
}

/* Of a line's padding, the columns that are all alike are computed once, but for a tracer. A picture of letters as loud as noise:
 * what is in the padding depends on them, too, by the means of whole maps. */
static void what_is_alike_in_the_padding_is_computed_once(void **state)
{
    enum { WIDTH = 200, WIDEST = 1203, PLACES = WIDEST / 8 + 1 };
    static const size_t padded[] = { WIDTH, 320, 325, 334, 336, 338, 343, 480, 639, 640, WIDEST };
    fixture f = open_networks(scry_kernels_best(), SCRY_MODE_F32, 1);
    static const scry_tracer tracer = { unseen, NULL };
    uint8_t *rgb = scry_alloc(SCRY_OCR_LINE_HEIGHT * WIDTH * 3);
    float *memory = scry_alloc(scry_ocr_recognise_floats(&f.networks.recogniser, WIDEST) * sizeof *memory);
    float probability[2][PLACES];
    uint32_t best[2][PLACES], number = 1;
    size_t said = 0;
    for (size_t i = 0; i < SCRY_OCR_LINE_HEIGHT * WIDTH * 3; i += 3) {
        bool bar = i / 3 % WIDTH / 4 % 5 < 2 && i / 3 / WIDTH > 6;   /* like letters */
        for (size_t c = 0; c < 3; c++)
            rgb[i + c] = (uint8_t)((bar ? 20 : 200) + (int)((number = number * 1664525 + 1013904223) >> 27));
    }
    for (size_t i = 0; i < sizeof padded / sizeof *padded; i++) {
        work w = { .networks = &f.networks };
        size_t places = scry_ocr_line_places(padded[i]);
        for (int k = 0; k < 2; k++) {
            const scry_ocr_pixels p = { rgb, SCRY_OCR_LINE_HEIGHT, WIDTH, padded[i] };
            w.recognition = (scry_ocr_recognition){ p, memory, k == 0 ? &tracer : NULL, best[k], probability[k] };
            scry_team_run(f.team, run_recognition, &w);
        }
        assert_memory_equal(best[0], best[1], places * sizeof *best[0]);
        for (size_t k = 0; k < places; k++) {
            assert_true(fabsf(probability[0][k] - probability[1][k]) < 1e-4f);
            said += best[0][k] != 0;
        }
    }
    assert_true(said > 0);
    print_message("%zu characters\n", said);
    free(rgb);
    free(memory);
    close_networks(&f);
}

static void a_folder_without_weights(void **state)
{
    scry_ocr_networks n;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_ocr_networks_open(&n, "/nonexistent", SCRY_MODE_F32, &err), SCRY_ENOTFOUND);
    char *other = top_path("tests/golden/models/clip");
    assert_true(scry_ocr_networks_open(&n, other, SCRY_MODE_F32, &err) < 0);
    assert_true(err.message[0]);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_equal_onnx_runtime),
        cmocka_unit_test(a_team_computes_the_same),
        cmocka_unit_test(what_is_alike_in_the_padding_is_computed_once),
        cmocka_unit_test(a_folder_without_weights),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
