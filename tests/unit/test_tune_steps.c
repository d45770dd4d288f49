/* Training the last two blocks of the tiny checkpoints against PyTorch: the gradient of every tensor at the start, and the losses
 * of 50 steps of AdamW (tests/golden/steps, made by tools/tune/steps.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "tune/deep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 2, STEPS = 50, PICTURES = 6 };

#define RATE 1e-3

typedef struct {
    scry_checkpoint checkpoint;
    scry_tensors *golden;
    tune_deep *deep;
    tune_inputs *pictures, *texts;
    size_t text_count;
    tune_pair pairs[PICTURES];
    uint32_t text_number[PICTURES];
    double scale;
    float *parameters, *gradient, *moments;
} training;

static char *golden_path(const char *what, const char *name)
{
    const char *top = getenv("SCRY_TOP");
    return scry_asprintf("%s/tests/golden/%s%s", top ? top : ".", what, name);
}

/* Numbers of a golden tensor of any rank; owned. NULL when there is none. */
static float *golden_floats(const training *t, const char *name, size_t shape[4])
{
    scry_tensor x;
    for (int rank = 1; rank <= 4; rank++)
        if (scry_tensors_get(t->golden, name, rank, (size_t[4]){ 0 }, &x, NULL) == 0) {
            float *out = scry_alloc(scry_tensor_count(&x) * sizeof *out);
            scry_tensor_floats(&x, out);
            memcpy(shape, x.shape, sizeof x.shape);
            return out;
        }
    return NULL;
}

static void put_pictures(training *t)
{
    size_t shape[4];
    float *x = golden_floats(t, "image.in", shape);
    assert_non_null(x);
    assert_int_equal(shape[0], PICTURES);
    assert_int_equal(tune_inputs_new(&t->pictures, "/tmp", PICTURES, shape[1], shape[2], NULL), 0);
    for (size_t i = 0; i < PICTURES; i++)
        tune_inputs_put(t->pictures, i, x + i * shape[1] * shape[2], shape[1], 0);
    assert_int_equal(tune_inputs_finish(t->pictures, NULL), 0);
    tune_deep_give(t->deep, true, t->pictures, PICTURES, shape[1]);
    free(x);
}

static void put_texts(training *t)
{
    size_t shape[4], count[4], at = 0, most = 0;
    float *x = golden_floats(t, "text.in", shape), *rows = golden_floats(t, "text.rows", count);
    assert_true(x && rows && count[0] <= PICTURES);
    t->text_count = count[0];
    for (size_t i = 0; i < count[0]; i++)
        most = (size_t)rows[i] > most ? (size_t)rows[i] : most;
    assert_int_equal(tune_inputs_new(&t->texts, "/tmp", count[0], most, shape[1], NULL), 0);
    for (size_t i = 0; i < count[0]; at += (size_t)rows[i], i++)
        tune_inputs_put(t->texts, i, x + at * shape[1], (size_t)rows[i], (size_t)rows[i] - 1);
    assert_int_equal(tune_inputs_finish(t->texts, NULL), 0);
    tune_deep_give(t->deep, false, t->texts, count[0], most);
    free(x);
    free(rows);
}

static void begin(training *t, const char *name, int threads, scry_mode mode)
{
    scry_error err = SCRY_ERROR_INIT;
    char *dir = golden_path("models/", name), *steps = golden_path("steps", ""), *file = scry_asprintf("%s.safetensors", name);
    size_t shape[4];
    *t = (training){ .scale = 0 };
    if (scry_checkpoint_open(&t->checkpoint, dir, &err) < 0 || scry_tensors_open(&t->golden, steps, file, &err) < 0
        || tune_deep_new(&t->deep, &t->checkpoint, &(tune_deep_options){ SCRY_TUNE_BOTH, DEPTH, threads, mode }, &err) < 0)
        fail_msg("%s", err.message);
    put_pictures(t);
    put_texts(t);
    float *texts_of = golden_floats(t, "texts_of", shape), *scale = golden_floats(t, "scale", shape);
    for (uint32_t i = 0; i < PICTURES; i++) {
        t->pairs[i] = (tune_pair){ (uint32_t)texts_of[i], i };
        t->text_number[i] = i;
    }
    t->scale = (double)scale[0];
    size_t n = tune_deep_count(t->deep);
    t->parameters = scry_try_alloc_aligned(n, sizeof(float));
    t->gradient = scry_try_alloc_aligned(n, sizeof(float));
    t->moments = scry_try_alloc_aligned(2 * n, sizeof(float));
    memcpy(t->parameters, tune_deep_origin(t->deep), n * sizeof(float));
    free(texts_of);
    free(scale);
    free(file);
    free(steps);
    free(dir);
}

static void end(training *t)
{
    tune_deep_free(t->deep);
    tune_inputs_free(t->pictures);
    tune_inputs_free(t->texts);
    scry_checkpoint_close(&t->checkpoint);
    scry_tensors_free(t->golden);
    free(t->parameters);
    free(t->gradient);
    free(t->moments);
}

static double loss(training *t)
{
    return tune_deep_loss(t->deep, &(tune_step){ t->pairs, PICTURES, t->text_number, t->scale }, t->parameters, t->gradient);
}

/* One tensor's gradient: its norm, and its first numbers by that norm. Keys' biases have none, as attention is the same with
 * any. */
static void compare_gradient(const training *t, const tune_tensor *x, const char *family, double largest, double limit)
{
    char name[TUNE_NAME_BYTES + 8];
    size_t shape[4], count[4];
    double norm = 0, worst = 0;
    snprintf(name, sizeof name, "norm.%s", x->name);
    float *want_norm = golden_floats(t, name, shape);
    snprintf(name, sizeof name, "head.%s", x->name);
    float *want = golden_floats(t, name, count);
    if (!want || !want_norm)
        fail_msg("%s: PyTorch has no gradient of %s", family, x->name);
    for (size_t i = 0; i < x->count; i++)
        norm += (double)t->gradient[x->at + i] * (double)t->gradient[x->at + i];
    for (size_t i = 0; i < count[0]; i++)
        worst = fmax(worst, fabs((double)t->gradient[x->at + i] - (double)want[i]));
    double size = (double)want_norm[0] > 1e-5 * largest ? (double)want_norm[0] : 1e-3 * largest;
    if (!(fabs(sqrt(norm) - (double)want_norm[0]) <= limit * size) || !(worst <= limit * size))
        fail_msg("%s: gradient of %s: norm %.8g, PyTorch's %.8g; its numbers differ by %.2g", family, x->name, sqrt(norm),
                 (double)want_norm[0], worst);
    free(want_norm);
    free(want);
}

/* The largest norm of a tensor's gradient, and how many tensors PyTorch trained. */
static double largest_norm(const training *t, size_t *tensors)
{
    double largest = 0;
    *tensors = 0;
    for (size_t i = 0; i < scry_tensors_count(t->golden); i++) {
        const char *name = scry_tensors_name(t->golden, i);
        size_t shape[4];
        if (strncmp(name, "norm.", 5) != 0)
            continue;
        float *norm = golden_floats(t, name, shape);
        largest = fmax(largest, (double)norm[0]);
        free(norm);
        ++*tensors;
    }
    return largest;
}

static void check_gradients(const training *t, const char *family, double limit)
{
    size_t tensors, ours = 0;
    double largest = largest_norm(t, &tensors);
    for (int side = 0; side < 2; side++) {
        const tune_part *p = tune_deep_part(t->deep, side == 1);
        for (size_t i = 0; i < p->tensor_count; i++, ours++)
            compare_gradient(t, &p->tensors[i], family, largest, limit);
    }
    assert_int_equal(ours, tensors);
}

static void check_family(const char *family, int threads)
{
    training t;
    size_t shape[4];
    begin(&t, family, threads, SCRY_MODE_F32);
    float *losses = golden_floats(&t, "losses", shape);
    assert_int_equal(shape[0], STEPS);
    for (int step = 0; step < STEPS; step++) {
        double now = loss(&t);
        if (!(fabs(now - (double)losses[step]) <= 0.01 * (double)losses[step]))
            fail_msg("%s: loss of step %d is %.6f, PyTorch's %.6f", family, step + 1, now, (double)losses[step]);
        if (step == 0) {
            assert_true(fabs(now - (double)losses[0]) < 1e-5 * now);
            check_gradients(&t, family, 1e-4);
        }
        tune_deep_update(t.deep, t.parameters, t.gradient, t.moments, step + 1, RATE);
    }
    free(losses);
    end(&t);
}

static void test_clip(void **unused) { check_family("clip", 1); }
static void test_metaclip(void **unused) { check_family("metaclip", 1); }
static void test_siglip(void **unused) { check_family("siglip", 1); }
static void test_open_clip(void **unused) { check_family("open_clip", 1); }
static void test_open_clip_siglip(void **unused) { check_family("open_clip_siglip", 1); }
static void test_three_threads(void **unused) { check_family("siglip", 3); }

/* Every 53rd number by (f(x + h) - f(x - h)) / 2 h. */
static void test_finite_differences(void **unused)
{
    training t;
    begin(&t, "siglip", 1, SCRY_MODE_F32);
    size_t n = tune_deep_count(t.deep);
    float *gradient = scry_alloc(n * sizeof *gradient);
    double worst = 0, largest = 0;
    loss(&t);
    memcpy(gradient, t.gradient, n * sizeof *gradient);
    for (size_t i = 0; i < n; i += 53) {
        const float h = 0x1p-7f, was = t.parameters[i];
        t.parameters[i] = was + h;
        double up = loss(&t);
        t.parameters[i] = was - h;
        double down = loss(&t);
        t.parameters[i] = was;
        worst = fmax(worst, fabs((up - down) / (2 * (double)h) - (double)gradient[i]));
        largest = fmax(largest, fabs((double)gradient[i]));
    }
    if (!(largest > 1e-3) || !(worst < 0.02 * largest))   /* a loss in floats moves by 1e-7 of itself */
        fail_msg("differences from the gradient up to %.2g, which is up to %.2g", worst, largest);
    free(gradient);
    end(&t);
}

/* Rounded products are near the exact ones. */
static void test_bf16(void **unused)
{
    training t;
    begin(&t, "clip", 1, SCRY_MODE_BF16);
    loss(&t);
    check_gradients(&t, "clip in bf16", 0.1);
    end(&t);
}

/* What is embedded apart is what a step sees: the loss of two pairs by hand. */
static void test_embedding(void **unused)
{
    training t;
    begin(&t, "clip", 1, SCRY_MODE_F32);
    size_t dim = t.checkpoint.config.dim;
    float *texts = scry_alloc(PICTURES * dim * sizeof *texts), *pictures = scry_alloc(PICTURES * dim * sizeof *pictures);
    const bool wanted[PICTURES] = { true, true };
    assert_int_equal(tune_deep_embed(t.deep, false, wanted, t.parameters, texts, NULL), 0);
    assert_int_equal(tune_deep_embed(t.deep, true, wanted, t.parameters, pictures, NULL), 0);
    double l[2][2] = { { 0 } }, want = 0;
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < dim; k++)
            l[i / 2][i % 2] += t.scale * (double)texts[i / 2 * dim + k] * (double)pictures[i % 2 * dim + k];
    for (int i = 0; i < 2; i++)
        want += (log(exp(l[i][0]) + exp(l[i][1])) - l[i][i] + log(exp(l[0][i]) + exp(l[1][i])) - l[i][i]) / 4;
    double got = tune_deep_loss(t.deep, &(tune_step){ t.pairs, 2, t.text_number, t.scale }, t.parameters, t.gradient);
    assert_true(fabs(got - want) < 1e-4 * want);
    for (size_t k = 2 * dim; k < PICTURES * dim; k++)
        assert_true(texts[k] == 0 && pictures[k] == 0);   /* the others were not wanted */
    free(texts);
    free(pictures);
    end(&t);
}

/* Towers that are no plain transformers are refused. */
static void test_refused(void **unused)
{
    static const char *const names[] = { "dual", "chinese_clip", "naflex", "open_clip_eva02", "open_clip_pe", "open_clip_clipa" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        scry_error err = SCRY_ERROR_INIT;
        scry_checkpoint c;
        tune_deep *deep = NULL;
        char *dir = golden_path("models/", names[i]);
        assert_int_equal(scry_checkpoint_open(&c, dir, &err), 0);
        const tune_deep_options o = { SCRY_TUNE_BOTH, 1, 1, SCRY_MODE_F32 };
        assert_int_equal(tune_deep_new(&deep, &c, &o, &err), SCRY_EINVALID);
        assert_non_null(strstr(err.message, "--depth heads"));
        scry_checkpoint_close(&c);
        free(dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clip), cmocka_unit_test(test_metaclip), cmocka_unit_test(test_siglip),
        cmocka_unit_test(test_open_clip), cmocka_unit_test(test_open_clip_siglip),
        cmocka_unit_test(test_three_threads), cmocka_unit_test(test_finite_differences),
        cmocka_unit_test(test_bf16), cmocka_unit_test(test_embedding), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
