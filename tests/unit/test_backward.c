/* The backward operations of nn/ against PyTorch's autograd (tests/golden/backward.safetensors, made by tools/tune/golden.py),
 * for every instruction set of this processor and for one thread and three. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "model/safetensors.h"
#include "nn/backward.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 16, MOST_TOKENS = 64 };

static scry_tensors *golden;
static const scry_kernels *kernels;   /* under test */
static scry_team *team;

/* The golden tensor PREFIX.NAME as floats, owned by the test's list; NULL when there is none. */
static float *owned[256];
static size_t owned_count;

static float *find(const char *prefix, const char *name, size_t *shape)
{
    char whole[128];
    scry_tensor t;
    snprintf(whole, sizeof whole, "%s.%s", prefix, name);
    for (int rank = 1; rank <= 2; rank++)
        if (scry_tensors_get(golden, whole, rank, (size_t[]){ 0, 0 }, &t, NULL) == 0) {
            float *out = owned[owned_count++] = scry_try_alloc_aligned(scry_tensor_count(&t) + 64, sizeof *out);
            assert_true(owned_count < 250);
            scry_tensor_floats(&t, out);
            if (shape)
                memcpy(shape, t.shape, 2 * sizeof *shape);
            return out;
        }
    return NULL;
}

static float *zeros(size_t n)
{
    assert_true(owned_count < 250);
    return owned[owned_count++] = memset(scry_try_alloc_aligned(n + 64, sizeof(float)), 0, (n + 64) * sizeof(float));
}

/* Within 1e-4 of PyTorch's, by the tensor's norm. */
static void compare(const char *prefix, const char *name, const float *got, double limit)
{
    size_t shape[2];
    const float *want = find(prefix, name, shape);
    double difference = 0, size = 0;
    for (size_t i = 0; i < shape[0] * shape[1]; i++) {
        difference += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
        size += (double)want[i] * (double)want[i];
    }
    if (!(difference <= limit * limit * size))
        fail_msg("%s: %s.%s differs by %.2g", kernels->name, prefix, name, sqrt(difference / size));
}

static void begin(int threads)
{
    scry_scratch_need need = { SCRY_GEMM_K, MOST_TOKENS, MOST_TOKENS };
    assert_int_equal(scry_team_new(&team, kernels, threads, &need, NULL), 0);
}

static void end(void)
{
    scry_team_free(team);
    while (owned_count)
        free(owned[--owned_count]);
}

/* ---- operations ---- */

static void run_linear(scry_nn *t, void *arg)
{
    scry_linear_backward_run(t, arg);
}

static void run_gemm(scry_nn *t, void *arg)
{
    scry_gemm_run(t, arg);
}

static void check_linear(const char *prefix, bool transposed, scry_mode mode, double limit)
{
    size_t x[2], y[2];
    const float *in = find(prefix, "x", x), *w = find(prefix, "w", NULL), *b = find(prefix, "b", NULL);
    const float *dy = find(prefix, "dy", y);
    size_t m = y[0], n = y[1], k = x[1];
    float *out = zeros(m * n), *dx = zeros(m * k), *dw = zeros(n * k), *db = zeros(n);
    scry_gemm forward = { .m = m, .n = n, .k = k, .a = in, .lda = k, .b = w, .ldb = transposed ? n : k,
                          .b_transposed = !transposed, .bias = b, .c = out, .ldc = n, .mode = mode };
    scry_team_run(team, run_gemm, &forward);
    compare(prefix, "y", out, limit);
    scry_linear_backward job = { m, n, k, in, k, dy, w, transposed, dw, db, dx, zeros(m * (n > k ? n : k)), mode };
    scry_team_run(team, run_linear, &job);
    compare(prefix, "dx", dx, limit);
    compare(prefix, "dw", dw, limit);
    compare(prefix, "db", db, 1e-4);
    scry_team_run(team, run_linear, &job);   /* added to what is there */
    for (size_t i = 0; i < n * k; i++)
        dw[i] /= 2;
    compare(prefix, "dw", dw, limit);
}

static void run_norm(scry_nn *t, void *arg)
{
    scry_layer_norm_backward_run(t, arg);
}

static void check_layer_norm(void)
{
    size_t shape[2];
    const float *x = find("layer_norm", "x", shape), *gain = find("layer_norm", "gain", NULL);
    size_t rows = shape[0], w = shape[1];
    float *dy = find("layer_norm", "dy", NULL), *dx = zeros(rows * w), *dgain = zeros(w), *dbias = zeros(w);
    scry_layer_norm_backward job = { rows, w, x, dy, gain, 1e-5f, dgain, dbias, dx, true, zeros(2 * rows) };
    scry_team_run(team, run_norm, &job);
    compare("layer_norm", "dx", dx, 1e-4);
    compare("layer_norm", "dgain", dgain, 1e-4);
    compare("layer_norm", "dbias", dbias, 1e-4);
    job.add = false;
    job.dx = dy;
    scry_team_run(team, run_norm, &job);
    compare("layer_norm", "dx", dy, 1e-4);
}

typedef struct {
    scry_act act;
    const float *x;
    size_t rows, width;
    float *y, *dy;
} act_job;

static void run_act(scry_nn *t, void *arg)
{
    act_job *j = arg;
    scry_activation_run(t, j->act, j->x, j->rows, j->width, j->y);
    scry_activation_backward_run(t, j->act, j->x, j->rows, j->width, j->dy);
}

static void check_activation(const char *prefix, scry_act act)
{
    size_t shape[2];
    const float *x = find(prefix, "x", shape);
    act_job j = { act, x, shape[0], shape[1], zeros(shape[0] * shape[1]), find(prefix, "dy", NULL) };
    scry_team_run(team, run_act, &j);
    compare(prefix, "y", j.y, 1e-5);
    compare(prefix, "dx", j.dy, 1e-5);
}

typedef struct {
    scry_attention a;
    const float *dout;
    float *dqkv, *memory;
} attention_job;

static void run_attention(scry_nn *t, void *arg)
{
    attention_job *j = arg;
    scry_attention_run(t, &j->a);
    scry_attention_backward_run(t, &j->a, j->dout, j->dqkv, j->memory);
}

static void check_attention(const char *prefix, size_t heads, bool causal)
{
    size_t shape[2], out[2], count[2], starts[8] = { 0 }, only[8];
    const float *qkv = find(prefix, "qkv", shape), *dy = find(prefix, "dy", out), *lengths = find(prefix, "lengths", count);
    const float *chosen = find(prefix, "only", NULL);
    for (size_t i = 0; i < count[0]; i++) {
        starts[i + 1] = starts[i] + (size_t)lengths[i];
        only[i] = chosen ? (size_t)chosen[i] : 0;
    }
    float *y = zeros(out[0] * out[1]), *dqkv = zeros(shape[0] * shape[1]);
    for (size_t i = 0; i < shape[0] * shape[1]; i++)
        dqkv[i] = NAN;   /* everything is written */
    attention_job j = { { qkv, starts, NULL, count[0], shape[1] / 3, heads, causal, chosen ? only : NULL, .out = y }, dy, dqkv,
                        zeros(3 * scry_attention_backward_floats(MOST_TOKENS, shape[1] / 3 / heads)) };
    scry_team_run(team, run_attention, &j);
    compare(prefix, "y", y, 1e-5);
    compare(prefix, "dqkv", dqkv, 1e-4);
}

static void check_all(int threads)
{
    begin(threads);
    check_linear("linear", false, SCRY_MODE_F32, 1e-5);
    check_linear("linear_transposed", true, SCRY_MODE_F32, 1e-5);
    check_linear("linear_long", false, SCRY_MODE_F32, 1e-5);
    check_linear("linear", false, SCRY_MODE_BF16, 1e-2);
    check_linear("linear_transposed", true, SCRY_MODE_BF16, 1e-2);
    check_linear("linear_long", false, SCRY_MODE_BF16, 1e-2);
    check_layer_norm();
    check_activation("quick_gelu", SCRY_ACT_QUICK_GELU);
    check_activation("gelu", SCRY_ACT_GELU);
    check_activation("gelu_tanh", SCRY_ACT_GELU_TANH);
    check_activation("relu", SCRY_ACT_RELU);
    check_activation("silu", SCRY_ACT_SILU);
    end();
    begin(threads);
    check_attention("attention", 4, false);
    check_attention("attention_causal", 2, true);
    check_attention("attention_only", 2, false);
    check_attention("attention_causal_only", 2, true);
    end();
}

static void test_every_table(void **unused)
{
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (size_t i = 0; i < n; i++) {
        kernels = all[i];
        check_all(1);
        check_all(3);
    }
}

/* f(x + h) - f(x - h) of a sum of attention's outputs, for some of its inputs. */
static void test_finite_differences(void **unused)
{
    enum { TOKENS = 5, WIDTH = 6, COUNT = TOKENS * 3 * WIDTH };
    float qkv[COUNT + 32], out[TOKENS * WIDTH + 32], dout[TOKENS * WIDTH], dqkv[COUNT];
    size_t starts[] = { 0, TOKENS };
    uint32_t state = 3;
    kernels = scry_kernels_best();
    begin(1);
    for (size_t i = 0; i < COUNT; i++)
        qkv[i] = (float)(int32_t)(state = state * 1664525 + 1013904223) / 2147483648.0f;
    for (size_t i = 0; i < TOKENS * WIDTH; i++)
        dout[i] = i % 3 ? 0.5f : -1;
    attention_job j = { { qkv, starts, NULL, 1, WIDTH, 2, true, NULL, .out = out }, dout, dqkv,
                        zeros(scry_attention_backward_floats(TOKENS, WIDTH / 2)) };
    scry_team_run(team, run_attention, &j);
    float gradient[COUNT];
    memcpy(gradient, dqkv, sizeof gradient);
    for (size_t i = 0; i < COUNT; i += 7) {
        const float h = 0x1p-6f, was = qkv[i];
        double sum[2] = { 0 };
        for (int side = 0; side < 2; side++) {
            qkv[i] = side ? was - h : was + h;
            scry_team_run(team, run_attention, &j);
            for (size_t k = 0; k < TOKENS * WIDTH; k++)
                sum[side] += (double)(out[k] * dout[k]);
        }
        qkv[i] = was;
        assert_true(fabs((sum[0] - sum[1]) / (2 * (double)h) - (double)gradient[i]) < 2e-3);
    }
    end();
}

static int open_golden(void **unused)
{
    const char *top = getenv("SCRY_TOP");
    char *dir = scry_asprintf("%s/tests/golden", top ? top : ".");
    int r = scry_tensors_open(&golden, dir, "backward.safetensors", NULL);
    free(dir);
    return r;
}

static int close_golden(void **unused)
{
    scry_tensors_free(golden);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_table), cmocka_unit_test(test_finite_differences) };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
