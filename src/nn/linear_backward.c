/* linear_backward.c - dX = dY W and dW = dY^T X, with the tiles of the forward products. */
#include "nn/backward.h"

/* db [N] += the sums of the columns of dY. */
static void add_columns(scry_nn *t, const scry_linear_backward *b)
{
    scry_range mine = scry_share(t, b->n, 16);
    for (size_t r = 0; r < b->m; r++)
        for (size_t i = mine.from; i < mine.to; i++)
            b->db[i] += b->dy[r * b->n + i];
    scry_nn_wait(t);
}

void scry_linear_backward_run(scry_nn *t, const scry_linear_backward *b)
{
    if (b->db)
        add_columns(t, b);
    if (b->dw && b->transposed) {   /* dW [K, N] = X^T dY */
        scry_transpose_run(t, b->x, b->m, b->k, b->ldx, b->memory);
        scry_gemm_run(t, &(scry_gemm){ .m = b->k, .n = b->n, .k = b->m, .a = b->memory, .lda = b->m, .b = b->dy, .ldb = b->n,
                                       .c = b->dw, .ldc = b->n, .add = true, .mode = b->mode });
    } else if (b->dw) {
        scry_transpose_run(t, b->dy, b->m, b->n, b->n, b->memory);
        scry_gemm_run(t, &(scry_gemm){ .m = b->n, .n = b->k, .k = b->m, .a = b->memory, .lda = b->m, .b = b->x, .ldb = b->ldx,
                                       .c = b->dw, .ldc = b->k, .add = true, .mode = b->mode });
    }
    if (b->dx)
        scry_gemm_run(t, &(scry_gemm){ .m = b->m, .n = b->k, .k = b->n, .a = b->dy, .lda = b->n, .b = b->w,
                                       .ldb = b->transposed ? b->n : b->k, .b_transposed = b->transposed, .c = b->dx,
                                       .ldc = b->k, .mode = b->mode });
}
