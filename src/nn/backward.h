/* backward.h - what training needs of the forward operations: from the gradient of an operation's output to those of its input
 * and of its parameters.
 *
 * dX is the gradient of X and has its shape. Gradients of parameters are added to what is there, gradients of inputs are
 * written, except where said otherwise. Every operation ends with a barrier of the team, whose scratch has
 * scry_scratch_need.max_k of at least SCRY_GEMM_K, and the same numbers come out for every number of threads.
 *
 *     linear      y = x W^T + b           linear_backward.c
 *     layer norm  y = norm(x) g + b       layer_norm_backward.c
 *     activation  y = act(x)              activation_backward.c
 *     attention   o = softmax(q k^T) v    attention_backward.c
 */
#ifndef SCRY_NN_BACKWARD_H
#define SCRY_NN_BACKWARD_H

#include "nn/attention.h"
#include "nn/gemm.h"

typedef struct scry_linear_backward {
    size_t m, n, k;          /* rows, outputs, inputs */
    const float *x;          /* [M, K], ldx floats from row to row; for dw */
    size_t ldx;
    const float *dy;         /* [M, N], without gaps */
    const float *w;          /* [N, K], or [K, N] with `transposed`; for dx */
    bool transposed;
    float *dw, *db;          /* as w, and [N]; NULL: not wanted */
    float *dx;               /* [M, K], without gaps; NULL: not wanted */
    float *memory;           /* [M N], or [M K] with `transposed`; for dw */
    scry_mode mode;          /* of the products */
} scry_linear_backward;

void scry_linear_backward_run(scry_nn *t, const scry_linear_backward *b);

typedef struct scry_layer_norm_backward {
    size_t rows, width;
    const float *x, *dy;     /* [rows, width] */
    const float *gain;       /* [width] */
    float eps;
    float *dgain, *dbias;    /* [width] */
    float *dx;               /* [rows, width]; may be dy. NULL: not wanted */
    bool add;                /* dx += */
    float *memory;           /* [2 rows] */
} scry_layer_norm_backward;

void scry_layer_norm_backward_run(scry_nn *t, const scry_layer_norm_backward *b);

/* y = act(x) of [rows, width] numbers without gaps; y may be x. */
void scry_activation_run(scry_nn *t, scry_act act, const float *x, size_t rows, size_t width, float *y);

/* dy [rows, width] times act'(x), in place. QUICK_GELU, GELU, GELU_TANH, RELU, SILU or NONE. */
void scry_activation_backward_run(scry_nn *t, scry_act act, const float *x, size_t rows, size_t width, float *dy);

/* Of the attention `a`, whose `shared` is NULL and whose `out` is not read: dqkv [rows, 3 width] of dout, which has the rows of
 * a->out. With a->only, queries of other tokens have gradients of 0. `memory` is [threads, scry_attention_backward_floats]. */
size_t scry_attention_backward_floats(size_t most_tokens, size_t head);
void scry_attention_backward_run(scry_nn *t, const scry_attention *a, const float *dout, float *dqkv, float *memory);

#endif
