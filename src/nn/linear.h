/* linear.h - y = act(x W^T + b), the operation that takes nearly all of the time.
 *
 * A linear is shared by all threads. Its weights stay where the checkpoint is mapped until
 * scry_linear_pack lays them out for the kernels; before that, a product packs one pair of
 * panels at a time in the thread's scratch, which costs about as much as a product of 8 rows,
 * but no memory: right for a program that answers one query and exits. Both give the same
 * numbers.
 */
#ifndef SCRY_NN_LINEAR_H
#define SCRY_NN_LINEAR_H

#include "nn/nn.h"
#include "nn/weights.h"

enum { SCRY_LINEAR_MAX_PARTS = 3 };

typedef struct scry_linear_spec {
    scry_tensor weight[SCRY_LINEAR_MAX_PARTS];      /* [N / parts, K] each; stacked */
    const scry_tensor *bias[SCRY_LINEAR_MAX_PARTS]; /* [N / parts] or NULL */
    int parts;
    bool transposed;      /* the single weight is stored as [K, N] */
    scry_mode mode;
    const float *spread;  /* may be NULL: [K], must outlive the linear. The inputs are divided by it and the weights
                           * multiplied, which balances the range of outlying channels between both */
    const float *gain;    /* may be NULL: [N], must outlive the linear. Weights and bias of an output are multiplied */
} scry_linear_spec;

typedef struct scry_linear {
    scry_tensor weight[SCRY_LINEAR_MAX_PARTS];
    int parts;
    bool transposed;
    scry_mode mode;
    size_t n, k;
    const float *spread, *gain;   /* see the specification */
    float *bias;          /* [N padded to 32], NULL when there is none */
    float *col_scale;     /* [N padded]: of int8 weights; NULL = 1 */
    int32_t *col_sum;     /* [N padded]: int8 products only */
    uint8_t *packed;      /* NULL until packed */
} scry_linear;

typedef struct scry_product {
    size_t m;
    const float *a;       /* [M, K], lda floats from row to row */
    size_t lda;
    float *c;             /* [M, N], ldc floats from row to row */
    size_t ldc;
    scry_act act;
    bool add;             /* c += act(...): a residual connection */
} scry_product;

/* Fill `l`; small arrays come from `w`. Shapes were checked by the caller. */
int scry_linear_init(scry_linear *l, const scry_linear_spec *spec, scry_weights *w,
                     scry_error *err) SCRY_NODISCARD;

/* Bytes of the packed form, and packing this thread's share of it into `memory`. The
 * caller publishes it when the whole team is done, while others may be running products.
 * INT8 linears must be packed before they are run. */
size_t scry_linear_packed_bytes(const scry_linear *l);
void scry_linear_pack(scry_nn *t, scry_linear *l, uint8_t *memory);
void scry_linear_publish(scry_linear *l, uint8_t *memory);

void scry_linear_run(scry_nn *t, const scry_linear *l, const scry_product *p);

/* The same numbers with rows of A or C, or both, of bf16 numbers instead of floats (`a` and `c` point to them, lda and ldc count
 * them): between products that round their rows anyway this saves the conversion and half of the memory traffic. Only for
 * products that take it; C without `add`. */
typedef enum { SCRY_ROWS_A = 1, SCRY_ROWS_C = 2 } scry_rows;
void scry_linear_run_bf16(scry_nn *t, const scry_linear *l, const scry_product *p, int rows);

/* Whether A may be bf16. C may be wherever the processor has bf16 (scry_kernels.fast_bf16). */
static inline bool scry_linear_takes_bf16(const scry_nn *t, const scry_linear *l)
{
    return l->mode == SCRY_MODE_BF16 && t->k->fast_bf16 && l->k % 2 == 0;
}

#endif
