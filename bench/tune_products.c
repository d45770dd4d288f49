/* tune_products.c - the products of a block's linears in training beside the same products in inference.
 *
 *     build/release/bench/tune_products [fp32|bf16 [ROUNDS]]
 *
 * The linears of a block of ViT-B/32, over 64 pictures of 50 tokens. Inference has its weights packed ahead; training cannot, as
 * they change with each step. Prints tab-separated GFLOP/s of one thread by its processor time, of the best of the rounds taken in
 * turn: inference, forward, backward (inputs and weights, with the transpositions and the sums of the bias), and the rate of
 * training's three products to inference's.
 */
#include "nn/backward.h"
#include "nn/gemm.h"
#include "nn/linear.h"

#include "base/alloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 64 * 50, WIDEST = 3072, WAYS = 3 };

/* Outputs and inputs: queries, keys and values; what attention gives; the hidden layer. */
static const size_t shapes[][2] = { { 2304, 768 }, { 768, 768 }, { 3072, 768 }, { 768, 3072 } };

typedef struct {
    scry_linear linear;
    uint8_t *packed;
    scry_mode mode;
    size_t n, k;
    float *x, *w, *y, *dw, *db, *dx, *memory;
} work;

static void pack(scry_nn *t, void *arg)
{
    work *w = arg;
    scry_linear_pack(t, &w->linear, w->packed);
}

static void infer(scry_nn *t, void *arg)
{
    const work *w = arg;
    scry_linear_run(t, &w->linear, &(scry_product){ ROWS, w->x, w->k, w->y, w->n, SCRY_ACT_NONE, false });
}

static void forward(scry_nn *t, void *arg)
{
    const work *w = arg;
    scry_gemm_run(t, &(scry_gemm){ .m = ROWS, .n = w->n, .k = w->k, .a = w->x, .lda = w->k, .b = w->w, .ldb = w->k,
                                   .b_transposed = true, .c = w->y, .ldc = w->n, .mode = w->mode });
}

static void backward(scry_nn *t, void *arg)
{
    const work *w = arg;
    scry_linear_backward_run(t, &(scry_linear_backward){ ROWS, w->n, w->k, w->x, w->k, w->y, w->w, false, w->dw, w->db, w->dx,
                                                         w->memory, w->mode });
}

static float *numbers(size_t n)
{
    float *x = scry_alloc(n * sizeof *x);
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(int32_t)(state = state * 1664525 + 1013904223) / 2147483648.0f;
    return x;
}

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Add the best milliseconds of each way with a linear [n, k] to `ms`. */
static int measure(scry_team *team, work *w, int rounds, double ms[WAYS], scry_error *err)
{
    static void (*const ways[WAYS])(scry_nn *, void *) = { infer, forward, backward };
    double best[WAYS] = { INFINITY, INFINITY, INFINITY };
    scry_linear_spec spec = { .parts = 1, .mode = w->mode, .weight = { { w->w, SCRY_DTYPE_F32, 2, { w->n, w->k, 1, 1 }, NULL } } };
    scry_weights *memory = scry_weights_new();
    int r = scry_linear_init(&w->linear, &spec, memory, err);
    if (r == 0) {
        w->packed = scry_weights_take(memory, scry_linear_packed_bytes(&w->linear));
        scry_team_run(team, pack, w);
        scry_linear_publish(&w->linear, w->packed);
    }
    for (int i = 0; i < rounds && r == 0; i++)
        for (int k = 0; k < WAYS; k++) {
            double start = cpu_ms();
            scry_team_run(team, ways[k], w);
            best[k] = fmin(best[k], cpu_ms() - start);
        }
    for (int k = 0; k < WAYS; k++)
        ms[k] += best[k];
    scry_weights_free(memory);
    return r;
}

int main(int argc, char **argv)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_team *team;
    const scry_scratch_need need = { WIDEST, 1, 1 };
    const size_t rows = (size_t)ROWS * WIDEST, weights = (size_t)WIDEST * 768;
    work w = { .mode = argc > 1 && strcmp(argv[1], "fp32") == 0 ? SCRY_MODE_F32 : SCRY_MODE_BF16, .x = numbers(rows), .w = numbers(weights),
               .y = numbers(rows), .dw = numbers(weights), .db = numbers(WIDEST), .dx = numbers(rows), .memory = numbers(rows) };
    double ms[WAYS] = { 0 }, products = 0;
    int r = scry_team_new(&team, scry_kernels_best(), 1, &need, &err);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes && r == 0; i++) {
        w.n = shapes[i][0];
        w.k = shapes[i][1];
        products += 2e-6 * (double)(ROWS * w.n * w.k);
        r = measure(team, &w, argc > 2 ? atoi(argv[2]) : 5, ms, &err);
    }
    if (r < 0)
        fprintf(stderr, "tune_products: %s\n", err.message);
    else
        printf("inference %.1f\tforward %.1f\tbackward %.1f\trate %.3f\n", products / ms[0], products / ms[1], 2 * products / ms[2],
               3 * ms[0] / (ms[1] + ms[2]));
    scry_team_free(team);
    float *const all[] = { w.x, w.w, w.y, w.dw, w.db, w.dx, w.memory };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    return r < 0;
}
