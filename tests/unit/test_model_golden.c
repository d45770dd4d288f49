/* The towers against PyTorch: hidden states layer by layer and final vectors of the tiny
 * checkpoints in tests/golden/models (made by make_models.py there), for the reference
 * and for every instruction set of this processor, in each precision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "model/model_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    scry_tensors *golden;
    int compared;
    double worst;          /* ||ours - theirs|| / ||theirs|| of the worst hidden state */
    char worst_name[64];
    struct {
        char name[64];
        size_t done;       /* numbers compared so far */
    } seen[64];            /* towers that work a view at a time show a state several times */
} comparison;

static float *golden_floats(const scry_tensors *ts, const char *name, size_t *count)
{
    scry_tensor t;
    for (int rank = 1; rank <= 4; rank++) {
        size_t any[4] = { 0, 0, 0, 0 };
        if (scry_tensors_get(ts, name, rank, any, &t, NULL) == 0) {
            *count = scry_tensor_count(&t);
            float *out = scry_alloc(*count * sizeof *out);
            scry_tensor_floats(&t, out);
            return out;
        }
    }
    return NULL;
}

static double distance(const float *x, const float *y, size_t n)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        difference += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
        size += (double)y[i] * y[i];
    }
    return sqrt(difference / (size > 0 ? size : 1));
}

/* Where in the golden state `name` the next `n` numbers belong. */
static size_t advance(comparison *c, const char *name, size_t n)
{
    size_t i = 0;
    while (c->seen[i].name[0] && strcmp(c->seen[i].name, name) != 0)
        i++;
    assert_true(i + 1 < sizeof c->seen / sizeof *c->seen);
    snprintf(c->seen[i].name, sizeof c->seen[i].name, "%s", name);
    size_t at = c->seen[i].done;
    c->seen[i].done += n;
    return at;
}

/* The golden states begin with those of the first picture; texts are traced all at once. */
static void compare_state(void *arg, const char *name, const float *x, size_t rows, size_t cols)
{
    comparison *c = arg;
    size_t count;
    float *want = golden_floats(c->golden, name, &count);
    if (!want)
        return;
    size_t at = advance(c, name, rows * cols);
    assert_true(at + rows * cols <= count);
    double d = distance(x, want + at, rows * cols);
    if (d > c->worst) {
        c->worst = d;
        snprintf(c->worst_name, sizeof c->worst_name, "%s", name);
    }
    c->compared++;
    free(want);
}

static double lowest_cosine(const float *x, const float *y, size_t n, size_t dim)
{
    double lowest = 2;
    for (size_t i = 0; i < n; i++) {
        double dot = 0;
        for (size_t k = 0; k < dim; k++)
            dot += (double)x[i * dim + k] * y[i * dim + k];
        lowest = fmin(lowest, dot);
    }
    return lowest;
}

static char *model_dir(const char *name)
{
    const char *top = getenv("SCRY_TOP");
    return scry_asprintf("%s/tests/golden/models/%s", top ? top : ".", name);
}

/* Pictures: the first one traced, then all of them compared. */
static double check_pictures(scry_session *s, const scry_model_info *info, comparison *c)
{
    size_t bytes, n, dim = (size_t)info->dim;
    float *floats = golden_floats(c->golden, "pixels", &bytes);
    float *want = golden_floats(c->golden, "images", &n);
    n /= dim;
    uint8_t *pixels = scry_alloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)floats[i];
    float *got = scry_alloc(n * dim * sizeof *got);
    scry_error err = SCRY_ERROR_INIT;
    scry_session_set_tracer(s, (scry_tracer){ compare_state, c });
    assert_int_equal(scry_embed_pixels(s, pixels, 1, got, &err), 0);
    scry_session_set_tracer(s, (scry_tracer){ NULL, NULL });
    assert_int_equal(scry_embed_pixels(s, pixels, n, got, &err), 0);
    double cosine = lowest_cosine(got, want, n, dim);
    free(got);
    free(pixels);
    free(floats);
    free(want);
    return cosine;
}

static double check_texts(scry_session *s, const scry_model_info *info, comparison *c)
{
    size_t tokens, n, dim = (size_t)info->dim, count;
    float *floats = golden_floats(c->golden, "ids", &tokens);
    float *begin = golden_floats(c->golden, "starts", &n);
    float *want = golden_floats(c->golden, "texts", &count);
    n--;
    int32_t *ids = scry_alloc(tokens * sizeof *ids);
    size_t *starts = scry_alloc((n + 1) * sizeof *starts);
    for (size_t i = 0; i < tokens; i++)
        ids[i] = (int32_t)floats[i];
    for (size_t i = 0; i <= n; i++)
        starts[i] = (size_t)begin[i];
    float *got = scry_alloc(n * dim * sizeof *got);
    scry_error err = SCRY_ERROR_INIT;
    scry_session_set_tracer(s, (scry_tracer){ compare_state, c });
    assert_int_equal(scry_session_embed_ids(s, ids, starts, n, got, &err), 0);
    scry_session_set_tracer(s, (scry_tracer){ NULL, NULL });
    double cosine = lowest_cosine(got, want, n, dim);
    /* Again and again: the tower packs its weights meanwhile, and nothing may change. */
    float *again = scry_alloc(n * dim * sizeof *again);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(scry_session_embed_ids(s, ids, starts, n, again, &err), 0);
        assert_memory_equal(again, got, n * dim * sizeof *got);
    }
    free(again);
    free(got);
    free(ids);
    free(starts);
    free(floats);
    free(begin);
    free(want);
    return cosine;
}

static void check(const char *name, const scry_model_options *o, int threads, double tolerance,
                  double cosine)
{
    char *dir = model_dir(name), *path = scry_path_join(dir, "golden.safetensors");
    scry_error err = SCRY_ERROR_INIT;
    scry_model *m = NULL;
    scry_session *s = NULL;
    comparison c = { .golden = NULL };
    if (scry_tensors_open(&c.golden, dir, "golden.safetensors", &err) < 0
        || scry_model_open(&m, dir, o, &err) < 0 || scry_session_new(&s, m, threads, &err) < 0)
        fail_msg("%s", err.message);
    const scry_model_info *info = scry_model_get_info(m);
    double pictures = check_pictures(s, info, &c), texts = check_texts(s, info, &c);
    print_message("# %-9s %-16s %d threads: states %.1e (%s), 1 - cosine %.1e pictures, %.1e texts\n",
                  name, m->kernels->name, threads, c.worst, c.worst_name, 1 - pictures, 1 - texts);
    assert_true(c.compared >= 2);
    assert_true(c.worst <= tolerance);
    assert_true(pictures >= cosine && texts >= cosine);
    scry_session_free(s);
    scry_model_free(m);
    scry_tensors_free(c.golden);
    free(path);
    free(dir);
}

static void check_everywhere(const char *name)
{
    static const struct { scry_precision p; double tolerance, cosine; } precisions[] = {
        { SCRY_PRECISION_FP32, 2e-5, 0.999999 },
        { SCRY_PRECISION_BF16, 2e-2, 0.999 },
        { SCRY_PRECISION_INT8, 6e-2, 0.99 }
    };
    scry_model_options o = { .portable = true };
    check(name, &o, 1, 1e-5, 0.999999);
    check(name, &o, 3, 1e-5, 0.999999);
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    o.portable = false;
    for (size_t i = 0; i < n; i++) {
        setenv("SCRY_CPU", all[i]->name, 1);
        for (size_t k = 0; k < sizeof precisions / sizeof *precisions; k++) {
            o.precision = precisions[k].p;
            for (int threads = 1; threads <= 3; threads += 2)
                check(name, &o, threads, precisions[k].tolerance, precisions[k].cosine);
        }
    }
    unsetenv("SCRY_CPU");
}

static void hugging_face_clip(void **state)
{
    check_everywhere("clip");
}

static void open_clip(void **state)
{
    check_everywhere("open_clip");
}

static void dual_encoder(void **state)
{
    check_everywhere("dual");
}

/* Tokens that all texts of a batch begin with are computed once: to the same bits. */
static void texts_that_begin_alike_stay_the_same(void **unused)
{
    static const char *const sets[][4] = {
        { "a photo of a cat", "a photo of a dog on a red sofa", "a photo of a", "a photo of a cat" },
        { "a", "a", "a", "a" }, { "", "a", "one two three", "cat" },
        { "two dogs run", "a dog runs on grass", "two dogs", "a dog runs on sand" }
    };
    for (int p = SCRY_PRECISION_FP32; p <= SCRY_PRECISION_INT8; p++) {
        scry_model_options o = SCRY_MODEL_OPTIONS_INIT;
        o.precision = (scry_precision)p;
        scry_model *m;
        scry_session *s;
        char *dir = model_dir("clip");
        assert_int_equal(scry_model_open(&m, dir, &o, NULL), 0);
        assert_int_equal(scry_session_new(&s, m, 2, NULL), 0);
        size_t dim = (size_t)scry_model_get_info(m)->dim;
        float *together = scry_alloc(4 * dim * sizeof(float)), *alone = scry_alloc(dim * sizeof(float));
        for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
            assert_int_equal(scry_embed_texts(s, sets[i], 4, together, NULL, NULL), 0);
            for (size_t k = 0; k < 4; k++) {
                assert_int_equal(scry_embed_texts(s, &sets[i][k], 1, alone, NULL, NULL), 0);
                assert_memory_equal(alone, together + k * dim, dim * sizeof *alone);
            }
        }
        scry_session_free(s);
        scry_model_free(m);
        free(together);
        free(alone);
        free(dir);
    }
}

/* One picture and one text of a model opened for raw vectors or for unit ones: [dim] each, owned. */
static void embed_both(const char *name, bool raw, float **picture, float **text, size_t *dim)
{
    static const char *const words[] = { "a red boat" };
    scry_model_options o = SCRY_MODEL_OPTIONS_INIT;
    o.raw = raw;
    o.precision = SCRY_PRECISION_FP32;
    scry_model *m;
    scry_session *s;
    char *dir = model_dir(name);
    assert_int_equal(scry_model_open(&m, dir, &o, NULL), 0);
    assert_int_equal(scry_session_new(&s, m, 1, NULL), 0);
    const scry_model_info *info = scry_model_get_info(m);
    *dim = (size_t)info->dim;
    size_t bytes = (size_t)info->image.size * (size_t)info->image.size * 3 * (size_t)info->image.views;
    uint8_t *pixels = scry_alloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)(i * i % 251);
    *picture = scry_alloc(*dim * sizeof **picture);
    *text = scry_alloc(*dim * sizeof **text);
    assert_int_equal(scry_embed_pixels(s, pixels, 1, *picture, NULL), 0);
    assert_int_equal(scry_embed_texts(s, words, 1, *text, NULL, NULL), 0);
    free(pixels);
    free(dir);
    scry_session_free(s);
    scry_model_free(m);
}

static double length(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] * v[i];
    return sqrt(sum);
}

/* A raw vector has a length of its own and, with one view, the direction of the unit one. */
static void raw_vectors_keep_their_length(void **unused)
{
    static const char *const names[] = { "clip", "dual" };
    for (size_t i = 0; i < 2; i++) {
        float *raw[2], *unit[2];
        size_t dim;
        embed_both(names[i], true, &raw[0], &raw[1], &dim);
        embed_both(names[i], false, &unit[0], &unit[1], &dim);
        for (int k = 0; k < 2; k++) {
            double size = length(raw[k], dim);
            assert_true(fabs(length(unit[k], dim) - 1) < 1e-5);
            assert_true(fabs(size - 1) > 1e-3);
            for (size_t j = 0; j < dim && (i == 0 || k == 1); j++)
                assert_true(fabs(raw[k][j] / size - unit[k][j]) < 1e-5);
            free(raw[k]);
            free(unit[k]);
        }
    }
}

int main(void)
{
    setenv("XDG_CACHE_HOME", "/dev/null/none", 1);   /* no digests are kept */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hugging_face_clip), cmocka_unit_test(open_clip),
        cmocka_unit_test(dual_encoder), cmocka_unit_test(texts_that_begin_alike_stay_the_same),
        cmocka_unit_test(raw_vectors_keep_their_length)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
