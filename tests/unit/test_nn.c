/* nn/: every instruction set of this processor against the reference, over shapes that
 * do not fit its registers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/cpu.h"
#include "nn/attention.h"
#include "nn/depthwise.h"
#include "nn/kernels_internal.h"
#include "nn/linear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t state = 1;

/* Uniform numbers in [-1, 1), the same on every run. */
static float random_float(void)
{
    state = state * 1664525 + 1013904223;
    return (float)(int32_t)state / 2147483648.0f;
}

static float *random_floats(size_t n)
{
    float *x = scry_try_alloc_aligned(n + 1, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = random_float();
    return x;
}

static double distance(const float *x, const float *y, size_t n)
{
    double difference = 0, size = 1e-30;
    for (size_t i = 0; i < n; i++) {
        difference += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
        size += (double)y[i] * y[i];
    }
    return sqrt(difference / size);
}

/* ---- matrix products ---- */

typedef struct {
    size_t m, n, k;
    int parts;
    bool transposed, add, bias;
    scry_act act;
    scry_dtype dtype;
} shape;

typedef struct {
    scry_linear linear;
    scry_product product;
    uint8_t *packed;
} linear_run;

static void pack(scry_nn *t, void *arg)
{
    linear_run *r = arg;
    scry_linear_pack(t, &r->linear, r->packed);
}

static void multiply(scry_nn *t, void *arg)
{
    linear_run *r = arg;
    scry_linear_run(t, &r->linear, &r->product);
}

/* `n` weights stored as dtype; `scale` receives factors where they are int8. */
static void *store(const float *w, size_t rows, size_t k, scry_dtype dtype, float *scale)
{
    uint8_t *out = scry_try_alloc_aligned(rows * k + 16, 4);
    for (size_t i = 0; i < rows * k; i++) {
        if (dtype == SCRY_DTYPE_F32)
            ((float *)out)[i] = w[i];
        else if (dtype == SCRY_DTYPE_BF16)
            ((uint16_t *)out)[i] = scry_to_bf16(w[i]);
        else if (dtype == SCRY_DTYPE_F16)   /* powers of two and 1.5 times them: exact */
            ((uint16_t *)out)[i] = (uint16_t)(0x3000 + (i % 7) * 0x200 + (w[i] < 0 ? 0x8000 : 0));
        else
            ((int8_t *)out)[i] = (int8_t)lrintf(w[i] * 127);
    }
    for (size_t r = 0; r < rows; r++)
        scale[r] = 0.01f + 0.001f * (float)(r % 13);
    return out;
}

typedef struct {
    float *a, *c0, *scale;
    void *weights;
    scry_tensor bias;
    size_t lda, ldc;
} operands;

/* The product on one table; `out` is [m, ldc]. */
static void run_once(const scry_kernels *k, const shape *s, const operands *o, scry_mode mode,
                     bool packed, int threads, float *out)
{
    scry_team *team;
    scry_scratch_need need = { s->k, 1, 1 };
    assert_int_equal(scry_team_new(&team, k, threads, &need, NULL), 0);
    scry_weights *memory = scry_weights_new();
    linear_run r = { .product = { s->m, o->a, o->lda, out, o->ldc, s->act, s->add } };
    scry_linear_spec spec = { .parts = s->parts, .transposed = s->transposed, .mode = mode };
    size_t rows = s->n / (size_t)s->parts;
    scry_tensor bias[3];
    for (int i = 0; i < s->parts; i++) {
        size_t at = (size_t)i * rows;
        spec.weight[i] = (scry_tensor){
            (const uint8_t *)o->weights + at * s->k * scry_dtype_size(s->dtype), s->dtype, 2,
            { s->transposed ? s->k : rows, s->transposed ? s->n : s->k, 1, 1 },
            s->dtype == SCRY_DTYPE_I8 ? o->scale + at : NULL
        };
        bias[i] = (scry_tensor){ (const float *)o->bias.data + at, SCRY_DTYPE_F32, 1,
                                 { rows, 1, 1, 1 }, NULL };
        spec.bias[i] = s->bias ? &bias[i] : NULL;
    }
    assert_int_equal(scry_linear_init(&r.linear, &spec, memory, NULL), 0);
    if (packed) {
        r.packed = scry_weights_take(memory, scry_linear_packed_bytes(&r.linear));
        scry_team_run(team, pack, &r);
        scry_linear_publish(&r.linear, r.packed);
    }
    memcpy(out, o->c0, s->m * o->ldc * sizeof *out);
    scry_team_run(team, multiply, &r);
    scry_weights_free(memory);
    scry_team_free(team);
}

static void compare_shape(const shape *s)
{
    static const double tolerance[] = { 2e-6, 1e-2, 2.5e-2 };
    operands o = { .lda = s->k + 3, .ldc = s->n + 5 };
    o.a = random_floats(s->m * o.lda);
    o.c0 = random_floats(s->m * o.ldc);
    o.scale = random_floats(s->n);
    float *w = random_floats(s->n * s->k), *bias = random_floats(s->n);
    o.weights = store(w, s->n, s->k, s->dtype, o.scale);
    o.bias.data = bias;
    float *want = random_floats(s->m * o.ldc), *got = random_floats(s->m * o.ldc);
    run_once(scry_kernels_reference(), s, &o, SCRY_MODE_F32, false, 1, want);
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (size_t i = 0; i < n * 3 * 2 * 2; i++) {
        scry_mode mode = (scry_mode)(i / 4 % 3);
        bool packed = i % 2;
        if (!packed && mode == SCRY_MODE_INT8)
            continue;
        run_once(all[i / 12], s, &o, mode, packed, i / 2 % 2 ? 3 : 1, got);
        double d = distance(got, want, s->m * o.ldc);
        if (d > tolerance[mode])
            fail_msg("%s, mode %d: m %zu n %zu k %zu dtype %d act %d packed %d: %g",
                     all[i / 12]->name, mode, s->m, s->n, s->k, s->dtype, s->act, packed, d);
        for (size_t r = 0; r < s->m; r++)   /* nothing outside the result was written */
            assert_memory_equal(got + r * o.ldc + s->n, o.c0 + r * o.ldc + s->n, 5 * sizeof *got);
    }
    free(o.a);
    free(o.c0);
    free(o.scale);
    free(o.weights);
    free(w);
    free(bias);
    free(want);
    free(got);
}

static void products_match(void **unused)
{
    static const size_t sizes[][3] = {   /* m, n, k */
        { 1, 1, 1 }, { 1, 33, 5 }, { 2, 31, 64 }, { 7, 96, 3 }, { 8, 64, 257 }, { 9, 65, 100 },
        { 13, 128, 31 }, { 50, 40, 147 }, { 600, 37, 18 }, { 6, 300, 259 }
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int d = 0; d < 4; d++) {
            shape s = { sizes[i][0], sizes[i][1], sizes[i][2], 1, false, i % 2, i % 3 != 0,
                        (scry_act)((i + (size_t)d) % (SCRY_ACT_SILU + 1)), (scry_dtype)d };
            compare_shape(&s);
        }
}

static void stacked_and_transposed_weights_match(void **unused)
{
    compare_shape(&(shape){ 11, 3 * 35, 40, 3, false, false, true, SCRY_ACT_NONE, SCRY_DTYPE_F32 });
    compare_shape(&(shape){ 5, 3 * 32, 66, 3, false, true, true, SCRY_ACT_NONE, SCRY_DTYPE_BF16 });
    compare_shape(&(shape){ 9, 3 * 20, 37, 3, false, true, true, SCRY_ACT_GELU, SCRY_DTYPE_I8 });
    compare_shape(&(shape){ 5, 70, 61, 1, true, false, false, SCRY_ACT_NONE, SCRY_DTYPE_F32 });
    compare_shape(&(shape){ 3, 33, 300, 1, true, false, true, SCRY_ACT_NONE, SCRY_DTYPE_F16 });
}

/* Inputs divided by `spread` and weights multiplied by it: the same product. */
static void spread_weights_match(void **unused)
{
    enum { M = 5, N = 70, K = 61 };
    static const double tolerance[] = { 2e-6, 1e-2, 2.5e-2 };
    float *a = random_floats(M * K), *w = random_floats(N * K), *s = random_floats(K);
    float *even = random_floats(M * K), want[M * N], got[M * N];
    for (size_t k = 0; k < K; k++)
        s[k] = k % 20 == 3 ? 30 : 1.5f + s[k];
    for (size_t i = 0; i < M * K; i++) {
        even[i] = a[i];
        a[i] *= s[i % K];   /* outlying channels, and small weights behind them */
    }
    for (size_t i = 0; i < N * K; i++)
        w[i] /= s[i % K];
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (size_t i = 0; i <= n * SCRY_MODE_COUNT; i++) {
        scry_team *team;
        scry_weights *memory = scry_weights_new();
        bool first = i == 0;
        scry_mode mode = first ? SCRY_MODE_F32 : (scry_mode)((i - 1) % SCRY_MODE_COUNT);
        const scry_kernels *k = first ? scry_kernels_reference() : all[(i - 1) / SCRY_MODE_COUNT];
        assert_int_equal(scry_team_new(&team, k, 1, &(scry_scratch_need){ K, 1, 1 }, NULL), 0);
        linear_run r = { .product = { M, first ? a : even, K, first ? want : got, N, SCRY_ACT_NONE, false } };
        scry_linear_spec spec = { .weight = { { w, SCRY_DTYPE_F32, 2, { N, K, 1, 1 }, NULL } }, .parts = 1,
                                  .mode = mode, .spread = first ? NULL : s };
        assert_int_equal(scry_linear_init(&r.linear, &spec, memory, NULL), 0);
        if (!first) {
            r.packed = scry_weights_take(memory, scry_linear_packed_bytes(&r.linear));
            scry_team_run(team, pack, &r);
            scry_linear_publish(&r.linear, r.packed);
        }
        scry_team_run(team, multiply, &r);
        assert_true(first || distance(got, want, M * N) < tolerance[mode]);
        scry_weights_free(memory);
        scry_team_free(team);
    }
    free(a);
    free(w);
    free(s);
    free(even);
}

/* ---- attention ---- */

static void attend(scry_nn *t, void *arg)
{
    scry_attention_run(t, arg);
}

/* Sequences that share rows give what they give with rows of their own for every token. */
static void shared_rows_change_nothing(const scry_attention *a, const float *want)
{
    size_t starts[4] = { 0 }, rows[3][128], width = a->width;
    for (size_t s = 0; s < 3; s++)
        starts[s + 1] = starts[s] + scry_attention_rows(a, s, rows[s]);
    float *qkv = random_floats(starts[3] * 3 * width), *got = random_floats(starts[3] * width);
    for (size_t s = 0; s < 3; s++)
        for (size_t i = 0; i < starts[s + 1] - starts[s]; i++)
            memcpy(qkv + (starts[s] + i) * 3 * width, a->qkv + rows[s][i] * 3 * width, 3 * width * sizeof *qkv);
    scry_team *team;
    assert_int_equal(scry_team_new(&team, scry_kernels_reference(), 1, &(scry_scratch_need){ 1, 128, 80 }, NULL), 0);
    scry_team_run(team, attend, &(scry_attention){ qkv, starts, NULL, 3, width, a->heads, true, NULL, .out = got });
    scry_team_free(team);
    for (size_t s = 0; s < 3; s++)
        for (size_t i = 0; i < starts[s + 1] - starts[s]; i++)
            assert_memory_equal(got + (starts[s] + i) * width, want + rows[s][i] * width, width * sizeof *got);
    free(qkv);
    free(got);
}

static void attention_matches(void **unused)
{
    static const struct { size_t heads, head, tokens[3]; bool causal; } cases[] = {
        { 1, 1, { 1, 2, 3 }, false }, { 3, 7, { 5, 33, 1 }, true }, { 2, 64, { 50, 8, 77 }, false },
        { 2, 32, { 100, 31, 32 }, true }, { 1, 80, { 64, 65, 20 }, false }
    };
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t width = cases[i].heads * cases[i].head, only[3];
        size_t starts[4] = { 0 };
        static const size_t begun[3] = { 0, 4, 20 };   /* tokens that are the sequence's before */
        const size_t *shared = cases[i].causal ? begun : NULL;
        for (size_t s = 0; s < 3; s++) {
            starts[s + 1] = starts[s] + cases[i].tokens[s];
            only[s] = cases[i].tokens[s] / 2;
        }
        float *qkv = random_floats(starts[3] * 3 * width);
        float *want = random_floats(starts[3] * width), *got = random_floats(starts[3] * width);
        for (size_t k = 0; k < 3 * width * starts[3]; k++)
            qkv[k] *= 2;
        for (size_t run = 0; run < (n + 1) * 8; run++) {
            bool first = run < 8;
            scry_mode mode = run / 4 % 2 ? SCRY_MODE_BF16 : SCRY_MODE_F32;
            scry_team *team;
            scry_scratch_need need = { 1, 103, 80 };
            const scry_kernels *k = first ? scry_kernels_reference() : all[run / 8 - 1];
            double most = mode == SCRY_MODE_BF16 && k->fast_bf16 ? 1e-2 : 3e-6;
            assert_int_equal(scry_team_new(&team, k, run % 2 ? 3 : 1, &need, NULL), 0);
            bool some = run / 2 % 2;
            scry_attention a = { qkv, starts, shared, 3, width, cases[i].heads, cases[i].causal,
                                 some ? only : NULL, .out = got, .mode = mode };
            scry_team_run(team, attend, &a);
            scry_team_free(team);
            if (run == 0)
                memcpy(want, got, starts[3] * width * sizeof *got);
            if (run == 0 && shared)
                shared_rows_change_nothing(&a, want);
            for (size_t s = 0; s < 3 && some; s++)
                assert_true(distance(got + s * width, want + (starts[s] + only[s]) * width, width) < most);
            assert_true(some || distance(got, want, starts[3] * width) < most);
        }
        free(qkv);
        free(want);
        free(got);
    }
}

/* ---- rows of bf16 numbers between operations ---- */

typedef struct {
    scry_linear linear;
    scry_product product;
    int rows;
    uint8_t *packed;
} bf16_run;

static void pack_bf16(scry_nn *t, void *arg)
{
    scry_linear_pack(t, &((bf16_run *)arg)->linear, ((bf16_run *)arg)->packed);
}

static void multiply_bf16(scry_nn *t, void *arg)
{
    const bf16_run *r = arg;
    assert_true(scry_linear_takes_bf16(t, &r->linear));
    scry_linear_run_bf16(t, &r->linear, &r->product, r->rows);
}

/* x [n] as bf16 numbers. */
static uint16_t *rounded(const float *x, size_t n)
{
    uint16_t *out = scry_try_alloc_aligned(n, sizeof *out);
    scry_generic_to_bf16(x, n, out);
    return out;
}

/* The product of float rows to float rows, and then with either or both in bf16: the same numbers. */
static void check_bf16_rows(const scry_kernels *k, int threads)
{
    enum { M = 21, N = 101, K = 70 };
    float *a = random_floats(M * K), *w = random_floats(N * K), *c = random_floats(M * N), *got = random_floats(M * N);
    uint16_t *a_bf16 = rounded(a, M * K);
    scry_team *team;
    assert_int_equal(scry_team_new(&team, k, threads, &(scry_scratch_need){ K, 1, 1 }, NULL), 0);
    scry_weights *memory = scry_weights_new();
    bf16_run r = { .product = { M, a, K, c, N, SCRY_ACT_GELU_TANH, false } };
    scry_linear_spec spec = { .weight = { { w, SCRY_DTYPE_F32, 2, { N, K, 1, 1 }, NULL } }, .parts = 1, .mode = SCRY_MODE_BF16 };
    assert_int_equal(scry_linear_init(&r.linear, &spec, memory, NULL), 0);
    r.packed = scry_weights_take(memory, scry_linear_packed_bytes(&r.linear));
    scry_team_run(team, pack_bf16, &r);
    scry_linear_publish(&r.linear, r.packed);
    scry_team_run(team, multiply_bf16, &r);
    uint16_t *want = rounded(c, M * N);
    for (r.rows = 1; r.rows < 4; r.rows++) {
        r.product.a = r.rows & SCRY_ROWS_A ? (float *)a_bf16 : a;
        r.product.c = got;
        scry_team_run(team, multiply_bf16, &r);
        if (r.rows & SCRY_ROWS_C)
            assert_memory_equal(got, want, M * N * sizeof *want);
        else
            assert_memory_equal(got, c, M * N * sizeof *got);
    }
    scry_weights_free(memory);
    scry_team_free(team);
    free(a);
    free(w);
    free(c);
    free(got);
    free(a_bf16);
    free(want);
}

static void multiply_to_bf16(scry_nn *t, void *arg)
{
    const bf16_run *r = arg;
    scry_linear_run_bf16(t, &r->linear, &r->product, r->rows);
}

/* An int8 product whose C is bf16: what its floats are rounded to. */
static void check_int8_to_bf16(const scry_kernels *k, scry_act act)
{
    enum { M = 21, N = 101, K = 150 };
    float *a = random_floats(M * K), *w = random_floats(N * K), *c = random_floats(M * N), *got = random_floats(M * N);
    scry_team *team;
    assert_int_equal(scry_team_new(&team, k, 1, &(scry_scratch_need){ K, 1, 1 }, NULL), 0);
    scry_weights *memory = scry_weights_new();
    bf16_run r = { .product = { M, a, K, c, N, act, false } };
    scry_linear_spec spec = { .weight = { { w, SCRY_DTYPE_F32, 2, { N, K, 1, 1 }, NULL } }, .parts = 1, .mode = SCRY_MODE_INT8 };
    assert_int_equal(scry_linear_init(&r.linear, &spec, memory, NULL), 0);
    r.packed = scry_weights_take(memory, scry_linear_packed_bytes(&r.linear));
    scry_team_run(team, pack_bf16, &r);
    scry_linear_publish(&r.linear, r.packed);
    scry_team_run(team, multiply_to_bf16, &r);
    uint16_t *want = rounded(c, M * N);
    r.rows = SCRY_ROWS_C;
    r.product.c = got;
    scry_team_run(team, multiply_to_bf16, &r);
    assert_memory_equal(got, want, M * N * sizeof *want);
    scry_weights_free(memory);
    scry_team_free(team);
    free(a);
    free(w);
    free(c);
    free(got);
    free(want);
}

/* Both forms of GELU after products of rounded numbers: within 3e-4, and what is not a number stays that. */
static void check_gelu(const scry_kernels *k, scry_act act, scry_act exact)
{
    enum { N = 64, POINTS = 4000 };
    for (int from = 0; from < POINTS; from += N) {
        float x[N], y[N];
        for (int i = 0; i < N; i++)
            x[i] = (float)(from + i) * 24 / POINTS - 12;
        x[7] = from == 0 ? NAN : x[7];
        k->finish_float(&(scry_finish){ .acc = x, .ld_acc = N, .rows = 1, .cols = N, .act = act, .c = y, .ldc = N });
        for (int i = 0; i < N; i++)
            assert_true(isnan(x[i]) ? isnan(y[i]) : fabsf(y[i] - scry_activate(exact, x[i])) <= 3e-4f * fmaxf(1, fabsf(x[i]) / 4));
    }
}

static void gelu_after_rounding_is_near(void **unused)
{
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (size_t i = 0; i < n; i++) {
        check_gelu(all[i], SCRY_ACT_GELU_NEAR, SCRY_ACT_GELU);
        check_gelu(all[i], SCRY_ACT_GELU_TANH_NEAR, SCRY_ACT_GELU_TANH);
    }
    assert_int_equal(scry_act_after(SCRY_MODE_F32, SCRY_ACT_GELU), SCRY_ACT_GELU);
    assert_int_equal(scry_act_after(SCRY_MODE_INT8, SCRY_ACT_GELU), SCRY_ACT_GELU_NEAR);
    assert_int_equal(scry_act_after(SCRY_MODE_BF16, SCRY_ACT_RELU), SCRY_ACT_RELU);
}

static void check_bf16_attention(const scry_kernels *k, size_t head)
{
    enum { TOKENS = 61, HEADS = 2 };
    size_t width = HEADS * head, starts[] = { 0, TOKENS };
    float *qkv = random_floats(TOKENS * 3 * width), *out = random_floats(TOKENS * width), *got = random_floats(TOKENS * width);
    scry_team *team;
    assert_int_equal(scry_team_new(&team, k, 1, &(scry_scratch_need){ 1, TOKENS, head }, NULL), 0);
    scry_attention a = { qkv, starts, NULL, 1, width, HEADS, false, .out = out, .mode = SCRY_MODE_BF16 };
    scry_team_run(team, attend, &a);
    uint16_t *want = rounded(out, TOKENS * width), *qkv_bf16 = rounded(qkv, TOKENS * 3 * width);
    a.out = got;
    for (int i = 1; i < 4; i++) {
        a.bf16_in = i & 1;
        a.bf16_out = i & 2;
        a.qkv = a.bf16_in ? (float *)qkv_bf16 : qkv;
        scry_team_run(team, attend, &a);
        if (a.bf16_out)
            assert_memory_equal(got, want, TOKENS * width * sizeof *want);
        else
            assert_memory_equal(got, out, TOKENS * width * sizeof *out);
    }
    scry_team_free(team);
    free(qkv);
    free(qkv_bf16);
    free(out);
    free(got);
    free(want);
}

static void rows_in_bf16_match(void **unused)
{
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!all[i]->fast_bf16)
            continue;
        check_bf16_rows(all[i], 1);
        check_bf16_rows(all[i], 3);
        check_int8_to_bf16(all[i], SCRY_ACT_NONE);
        check_int8_to_bf16(all[i], SCRY_ACT_GELU);
        check_bf16_attention(all[i], 64);
        check_bf16_attention(all[i], 18);
    }
}

/* ---- rows ---- */

/* As near to the softmax as rounded numbers are. */
static void check_exponentials(const scry_kernels *k, const float *x, size_t n)
{
    float want[160], got[160], sum = 0;
    memcpy(want, x, n * sizeof *x);
    memcpy(got, x, n * sizeof *x);
    k->softmax(want, n, 3.5f);
    float inverse = k->exponentials_bf16(got, n, 3.5f);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)((const uint16_t *)got)[i] << 16;
        float e;
        memcpy(&e, &bits, sizeof e);
        sum += e;
        assert_true(e >= 0 && e <= 1 && fabsf(e * inverse - want[i]) <= want[i] * (1 / 256.0f));
    }
    assert_true(fabsf(sum * inverse - 1) <= 1 / 256.0f);
}

/* The same numbers as rounding what the norm gives, to their last bit. */
static void check_norm_bf16(const scry_kernels *k, const float *x, const float *gain, const float *bias, size_t n)
{
    float want[160];
    uint16_t got[160];
    k->layer_norm(x, n, gain, bias, 1e-5f, want);
    k->layer_norm_bf16(x, n, gain, bias, 1e-5f, got);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(got[i], scry_to_bf16(want[i]));
}

static void rows_match(void **unused)
{
    enum { MOST = 150 };
    const scry_kernels *all[SCRY_KERNELS_MAX], *base = scry_kernels_generic();
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (size_t size = 1; size < MOST; size += size < 20 ? 1 : 13) {
        float *x = random_floats(size), *gain = random_floats(size), *bias = random_floats(size);
        float want[MOST], got[MOST];
        for (size_t i = 0; i < n; i++) {
            base->layer_norm(x, size, gain, bias, 1e-5f, want);
            all[i]->layer_norm(x, size, gain, bias, 1e-5f, got);
            assert_true(distance(got, want, size) < 2e-5);
            memcpy(want, x, size * sizeof *x);
            memcpy(got, x, size * sizeof *x);
            base->softmax(want, size, 3.5f);
            all[i]->softmax(got, size, 3.5f);
            assert_true(distance(got, want, size) < 1e-6);
            if (all[i]->exponentials_bf16)
                check_exponentials(all[i], x, size);
            if (all[i]->layer_norm_bf16)
                check_norm_bf16(all[i], x, gain, bias, size);
            uint16_t half[MOST], half_want[MOST];
            base->to_bf16(x, size, half_want);
            all[i]->to_bf16(x, size, half);
            assert_memory_equal(half, half_want, size * sizeof *half);
            uint16_t odd[MOST];
            uint32_t pairs[MOST], same[MOST];
            all[i]->to_bf16(gain, size, odd);
            for (size_t both = 0; both < 2; both++) {
                all[i]->pair_bf16(x, both ? gain : NULL, size, pairs);
                all[i]->interleave(half, both ? odd : NULL, size, same);
                for (size_t k = 0; k < size; k++)
                    assert_int_equal(pairs[k], half_want[k] | (both ? (uint32_t)scry_to_bf16(gain[k]) << 16 : 0));
                assert_memory_equal(same, pairs, size * sizeof *same);
            }
            uint8_t bytes[MOST];
            float scale;
            int32_t zero;
            all[i]->quantise(x, size, bytes, &scale, &zero);
            for (size_t k = 0; k < size; k++)
                assert_true(fabsf((float)(bytes[k] - zero) * scale - x[k]) <= 0.51f * scale);
        }
        free(x);
        free(gain);
        free(bias);
    }
}

/* Against the formula itself: a map of side `width` with `channels` channels, `times` outputs each. */
static void formula(const float *in, const float *w, const float *bias, const scry_depthwise_conv *c,
                    const scry_depthwise_map *m, float *out)
{
    size_t n = c->channels, kernel = c->kernel;
    for (size_t i = 0; i < m->out_side * m->out_side * n * c->times; i++) {
        size_t o = i % (n * c->times), output = o % n * c->times + o / n;   /* as checkpoints order them */
        size_t place = i / (n * c->times), oy = place / m->out_side, ox = place % m->out_side;
        double sum = bias[output];
        for (size_t k = 0; k < kernel * kernel; k++) {
            size_t y = oy * c->stride + k / kernel - m->pad, x = ox * c->stride + k % kernel - m->pad;
            if (y < m->side && x < m->side)
                sum += (double)in[(y * m->side + x) * n + o % n] * w[output * kernel * kernel + k];
        }
        out[i] = scry_activate(m->act, (float)sum);
    }
}

static void run_depthwise(scry_nn *t, void *arg)
{
    const struct { const scry_depthwise_conv *c; const scry_depthwise_map *m; } *job = arg;
    scry_depthwise_run(t, job->c, job->m);
}

static void check_depthwise(size_t kernel, size_t stride, size_t width, size_t channels)
{
    static const scry_act acts[] = { SCRY_ACT_NONE, SCRY_ACT_RELU6, SCRY_ACT_GELU };
    const scry_kernels *all[SCRY_KERNELS_MAX];
    const scry_scratch_need need = { 1, 1, 1 };
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX), times = 1 + width % 2, side = (width + stride - 1) / stride;
    size_t one = scry_depthwise_floats(channels, kernel), most = side * side * times * channels;
    float *in = random_floats(width * width * channels), *want = random_floats(most), *got = random_floats(most);
    float *bias = random_floats(times * channels), *w = random_floats(times * channels * kernel * kernel);
    float *packed = random_floats(times * one);
    for (size_t i = 0; i < times; i++)
        scry_depthwise_pack(w + i * kernel * kernel, bias + i, times, channels, kernel, packed + i * one);
    scry_depthwise_conv c = { kernel, stride, channels, times, packed };
    scry_depthwise_map m = { in, got, width, side, kernel / 2, acts[(width + stride) % 3] };
    formula(in, w, bias, &c, &m, want);
    for (size_t i = 0; i < n; i++) {
        scry_team *team;
        struct { const scry_depthwise_conv *c; const scry_depthwise_map *m; } job = { &c, &m };
        assert_int_equal(scry_team_new(&team, all[i], 1 + (int)(width % 3), &need, NULL), 0);
        memset(got, 0xFF, most * sizeof *got);   /* NaN, where nothing is stored */
        scry_team_run(team, run_depthwise, &job);
        for (size_t k = 0; k < most; k++)
            assert_true(fabsf(got[k] - want[k]) < 2e-5f);
        scry_team_free(team);
    }
    free(in);
    free(want);
    free(got);
    free(bias);
    free(w);
    free(packed);
}

static void depthwise_matches(void **unused)
{
    for (size_t kernel = 1; kernel <= 9; kernel += 2)
        for (size_t stride = 1; stride <= 2; stride++)
            for (size_t width = 1; width <= 19; width++)
                for (size_t channels = 1; channels < 60; channels += 19)
                    check_depthwise(kernel, stride, width, channels);
}

static void halves_are_exact(void **unused)
{
    assert_true(scry_from_f16(0x3C00) == 1.0f && scry_from_f16(0xC000) == -2.0f);
    assert_true(scry_from_f16(0x0001) == ldexpf(1, -24) && scry_from_f16(0x7BFF) == 65504.0f);
    assert_true(isinf(scry_from_f16(0x7C00)) && isnan(scry_from_f16(0x7E00)));
    assert_int_equal(scry_to_bf16(1.0f), 0x3F80);
    assert_int_equal(scry_to_bf16(1.00390625f), 0x3F80);    /* a tie goes to the even one */
    assert_int_equal(scry_to_bf16(1.01171875f), 0x3F82);
    uint16_t stored[40];
    float got[40];
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (int i = 0; i < 40; i++)
        stored[i] = (uint16_t)(i * 797);
    for (size_t k = 0; k < n; k++) {
        all[k]->to_floats(SCRY_DTYPE_F16, stored, 40, got);
        for (int i = 0; i < 40; i++)
            assert_true(got[i] == scry_from_f16(stored[i]) || isnan(got[i]));
        all[k]->to_floats(SCRY_DTYPE_BF16, stored, 40, got);
        for (int i = 0; i < 40; i++)
            assert_true(got[i] == scry_from_bf16(stored[i]));
    }
}

/* For every value of SCRY_CPU, the table of that name is chosen, or the best below it that the processor supports. */
static void kernels_can_be_capped(void **unused)
{
    static const char *const caps[] = { "generic", "avx2", "avx512", "avx512+vnni", "avx512+bf16",
                                        "avx512+bf16+vnni", "neon", "neon+dot", "neon+i8mm", "neon+i8mm+bf16" };
    const scry_kernels *all[SCRY_KERNELS_MAX];
    unsetenv("SCRY_CPU");
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (size_t c = 0; c < sizeof caps / sizeof *caps; c++) {   /* a name of another architecture allows plain C only */
        setenv("SCRY_CPU", caps[c], 1);
        const char *name = scry_kernels_best()->name;
        bool has = false;
        for (size_t i = 0; i < n; i++)
            has |= strcmp(all[i]->name, caps[c]) == 0;
        if (has)
            assert_string_equal(name, caps[c]);
        else
            assert_int_not_equal(strcmp(name, caps[c]), 0);
        assert_true((scry_cpu_has(SCRY_CPU_AVX2) || scry_cpu_has(SCRY_CPU_NEON)) == (strcmp(name, "generic") != 0));
    }
    setenv("SCRY_CPU", "of no meaning", 1);
    assert_ptr_equal(scry_kernels_best(), all[n - 1]);
    unsetenv("SCRY_CPU");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_match), cmocka_unit_test(stacked_and_transposed_weights_match),
        cmocka_unit_test(spread_weights_match),
        cmocka_unit_test(attention_matches), cmocka_unit_test(rows_in_bf16_match),
        cmocka_unit_test(rows_match), cmocka_unit_test(gelu_after_rounding_is_near),
        cmocka_unit_test(depthwise_matches), cmocka_unit_test(halves_are_exact),
        cmocka_unit_test(kernels_can_be_capped)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
