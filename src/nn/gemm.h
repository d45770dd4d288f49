/* gemm.h - C = A B for any two matrices of floats, with the tiles of linear.c: what training needs beside the forward
 * products. Nothing is packed ahead, as both operands change from step to step: the panels of B are packed in the product, once for
 * all rows of A. bench/tune_products compares that with inference.
 */
#ifndef SCRY_NN_GEMM_H
#define SCRY_NN_GEMM_H

#include "nn/nn.h"

/* Least scry_scratch_need.max_k of a team that runs these products. */
enum { SCRY_GEMM_K = 768 };

typedef struct scry_gemm {
    size_t m, n, k;
    const float *a;       /* [M, K], lda floats from row to row */
    size_t lda;
    const float *b;       /* [K, N], or [N, K] with `b_transposed` */
    size_t ldb;
    bool b_transposed;
    const float *bias;    /* [N]; NULL: none */
    float *c;             /* [M, N]; may not overlap a and b */
    size_t ldc;
    bool add;             /* c += */
    scry_mode mode;       /* F32, or BF16: the operands are rounded, sums are floats */
} scry_gemm;

/* Ends with a barrier of the team. The same numbers for every number of threads. */
void scry_gemm_run(scry_nn *t, const scry_gemm *g);

/* out [columns, rows] of x [rows, ld]: A for the product A^T B. Ends with a barrier. */
void scry_transpose_run(scry_nn *t, const float *x, size_t rows, size_t columns, size_t ld, float *out);

#endif
