/* test_gemm.c - products of any two matrices, larger than what is converted and packed at once, against plain sums in double, for
 * every instruction set of this processor and for one thread and three. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "nn/gemm.h"
#include "nn/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of bf16 some 300 rows are converted at once; the inner dimension is cut in three. */
enum { M = 700, N = 100, K = 2 * SCRY_GEMM_K + 37 };

typedef struct {
    scry_gemm g;
    float *out, *want;
} product;

static float *numbers(size_t n, uint32_t state)
{
    float *x = scry_try_alloc_aligned(n + 64, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(int32_t)(state = state * 1664525 + 1013904223) / 2147483648.0f;
    return x;
}

static void run(scry_nn *t, void *arg)
{
    const product *p = arg;
    scry_gemm_run(t, &p->g);
}

/* want = c0 + A B + bias in double. */
static void make_want(product *p, const float *c0)
{
    const scry_gemm *g = &p->g;
    for (size_t i = 0; i < M; i++)
        for (size_t n = 0; n < N; n++) {
            double sum = (g->add ? (double)c0[i * N + n] : 0) + (g->bias ? (double)g->bias[n] : 0);
            for (size_t k = 0; k < K; k++)
                sum += (double)g->a[i * K + k] * (double)(g->b_transposed ? g->b[n * K + k] : g->b[k * N + n]);
            p->want[i * N + n] = (float)sum;
        }
}

/* The relative error of all numbers; `first` [M N] are those of one thread. */
static void check(const product *p, const scry_kernels *k, int threads, const float *c0, float *first)
{
    scry_team *team;
    const scry_scratch_need need = { SCRY_GEMM_K, 1, 1 };
    double difference = 0, size = 0;
    assert_int_equal(scry_team_new(&team, k, threads, &need, NULL), 0);
    memcpy(p->out, c0, M * N * sizeof *c0);
    scry_team_run(team, run, (void *)p);
    scry_team_free(team);
    for (size_t i = 0; i < M * N; i++) {
        difference += ((double)p->out[i] - (double)p->want[i]) * ((double)p->out[i] - (double)p->want[i]);
        size += (double)p->want[i] * (double)p->want[i];
    }
    double limit = p->g.mode == SCRY_MODE_F32 ? 1e-6 : 5e-3;
    if (!(difference <= limit * limit * size))
        fail_msg("%s: mode %d, %d threads: differs by %.2g", k->name, (int)p->g.mode, threads, sqrt(difference / size));
    if (threads == 1)
        memcpy(first, p->out, M * N * sizeof *first);
    assert_memory_equal(first, p->out, M * N * sizeof *first);
}

static void test_large_products(void **unused)
{
    float *a = numbers(M * K, 1), *b = numbers(N * K, 2), *bias = numbers(N, 3), *c0 = numbers(M * N, 4);
    float *first = numbers(M * N, 5);
    product p = { .out = numbers(M * N, 6), .want = numbers(M * N, 7) };
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    for (int form = 0; form < 3; form++) {   /* A B^T + bias, A B, C + A B */
        p.g = (scry_gemm){ M, N, K, a, K, b, form == 0 ? K : N, form == 0, form == 0 ? bias : NULL, p.out, N,
                           form == 2, SCRY_MODE_F32 };
        make_want(&p, c0);
        for (size_t i = 0; i < 2 * n; i++) {
            p.g.mode = i % 2 ? SCRY_MODE_BF16 : SCRY_MODE_F32;
            check(&p, all[i / 2], 1, c0, first);
            check(&p, all[i / 2], 3, c0, first);
        }
    }
    float *const used[] = { a, b, bias, c0, first, p.out, p.want };
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        free(used[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_large_products) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
