/* kernels.h - the inner loops, one table for each instruction set.
 *
 * A table is chosen once at run time (scry_kernels_best). The generic one is plain C
 * and runs everywhere; entries that an instruction set does not improve point to it.
 *
 * Matrix products work on panels: the weights [N, K] of 32 outputs laid side by side,
 *
 *     panel p:  group 0: n=0 n=1 ... n=31 | group 1: n=0 ... n=31 | ...
 *
 * where a group is 4 bytes of one output's K: one float, two bf16 or four int8. One
 * group of a panel is 128 bytes, two AVX-512 registers, in all three modes, so that the
 * loops differ in a single instruction. Rows of A are read in the same groups.
 */
#ifndef SCRY_NN_KERNELS_H
#define SCRY_NN_KERNELS_H

#include "nn/tensor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Arithmetic of a matrix product: sums are float in the first two, int32 in the third. */
typedef enum { SCRY_MODE_F32, SCRY_MODE_BF16, SCRY_MODE_INT8, SCRY_MODE_COUNT } scry_mode;

typedef enum {
    SCRY_ACT_NONE, SCRY_ACT_QUICK_GELU, SCRY_ACT_GELU, SCRY_ACT_GELU_TANH, SCRY_ACT_RELU6,
    SCRY_ACT_RELU, SCRY_ACT_SILU,
    SCRY_ACT_GELU_NEAR, SCRY_ACT_GELU_TANH_NEAR   /* within 3e-4: of sums of rounded numbers (scry_act_after) */
} scry_act;

enum {
    SCRY_PANEL = 32,          /* outputs a panel */
    SCRY_GROUP_BYTES = 4,
    SCRY_PANEL_GROUP_BYTES = SCRY_PANEL * SCRY_GROUP_BYTES,
    SCRY_TILE1_ROWS = 8,      /* rows of A at once against one panel */
    SCRY_TILE2_ROWS = 6       /* ... against two panels: fewer loads for each product */
};

/* K elements of one group. */
static inline size_t scry_mode_group(scry_mode m)
{
    return m == SCRY_MODE_F32 ? 1 : m == SCRY_MODE_BF16 ? 2 : 4;
}

/* The activation after a product: where its operands were rounded, it need not be as exact as floats. */
static inline scry_act scry_act_after(scry_mode m, scry_act act)
{
    if (m == SCRY_MODE_F32)
        return act;
    return act == SCRY_ACT_GELU ? SCRY_ACT_GELU_NEAR : act == SCRY_ACT_GELU_TANH ? SCRY_ACT_GELU_TANH_NEAR : act;
}

/* acc[r][n] = sum over groups of A[r] . panel[n], for `rows` rows and 32 or 64 columns. */
typedef struct scry_tile {
    const uint8_t *a;     /* [rows, groups * 4 bytes], `lda` bytes from row to row */
    const uint8_t *b;     /* one panel, or two with `panel_stride` bytes between */
    size_t groups, lda, panel_stride;
    int rows;
    void *acc;            /* float or int32 [rows, ld_acc] */
    size_t ld_acc;        /* elements */
    const uint8_t *soon;  /* operands of the next product, to prefetch: a line of 64 bytes for each group, 128 bytes
                           * apart; NULL: none */
} scry_tile;

typedef void scry_tile_fn(const scry_tile *t);

/* What follows a product: c = act(acc * factors + bias) (+ c). */
typedef struct scry_finish {
    const void *acc;           /* [rows, ld_acc] */
    size_t ld_acc;
    int rows, cols;            /* cols <= 64, not padded */
    const float *col_scale;    /* [cols padded to 32]; NULL = 1 */
    const float *bias;         /* the same; NULL = 0 */
    const float *row_scale;    /* finish_scaled: the factors of the rows; int8 sums: A's scale, */
    const int32_t *row_zero;   /* zero point, and the sums of B's columns */
    const int32_t *col_sum;
    scry_act act;
    bool add;                  /* add to what c holds, after the activation */
    float *c;                  /* [rows, ldc] */
    size_t ldc;
} scry_finish;

enum { SCRY_DEPTHWISE_BLOCK = 16 };   /* channels whose weights lie together */

/* Depthwise convolution of two output rows: channels last, padding already in `rows`. */
typedef struct scry_depthwise {
    const float *const *rows;  /* [kernel + stride] input rows, each [width, channels]; NULL = all zero */
    int kernel, stride;        /* 3, 5 or 7 in practice; 1 or 2 */
    int width, pad_left;       /* of the input; columns outside are zero */
    size_t channels;
    const float *weights;      /* scry_depthwise_pack: for each block of channels the bias, then kernel^2 weights of each */
    float *out[2];             /* [out_width, channels], `out_stride` floats from place to place; the second may be NULL */
    size_t out_stride;
    int out_width;
    scry_act act;
} scry_depthwise;

typedef struct scry_kernels {
    const char *name;
    bool reference;            /* the reference: reference.c computes whole products instead */
    bool fast_bf16, fast_int8; /* whether the processor has instructions for the mode */
    scry_tile_fn *tile1[SCRY_MODE_COUNT];
    scry_tile_fn *tile2[SCRY_MODE_COUNT];
    void (*finish_float)(const scry_finish *f);
    void (*finish_int)(const scry_finish *f);
    /* The same with bf16 numbers in `c`, whose ldc counts them, and without `add`. NULL: scry_kernels.to_bf16 after them. */
    void (*finish_float_bf16)(const scry_finish *f);
    void (*finish_int_bf16)(const scry_finish *f);
    /* c = acc * row_scale, floats or bf16 numbers, after exponentials_bf16. NULL where that is. */
    void (*finish_scaled)(const scry_finish *f);
    void (*finish_scaled_bf16)(const scry_finish *f);
    /* out[g * 32 + i] = rows[i][g] for 32 rows; a row that is NULL reads as zero. */
    void (*transpose)(const uint32_t *const *rows, size_t groups, uint32_t *out);
    void (*to_floats)(scry_dtype from, const void *src, size_t n, float *out);
    void (*to_bf16)(const float *src, size_t n, uint16_t *out);
    /* out[i] = even[i] in the low half, odd[i] in the high one, both as bf16: a group of a panel, from two rows of B [K, N].
     * `odd` may be NULL: zeros. */
    void (*pair_bf16)(const float *even, const float *odd, size_t n, uint32_t *out);
    void (*interleave)(const uint16_t *even, const uint16_t *odd, size_t n, uint32_t *out);   /* the same of bf16 numbers */
    /* out = round(src / *scale) + *zero in 0..255, with a scale and zero point of its own
     * for these `n` numbers; the range always holds 0. */
    void (*quantise)(const float *src, size_t n, uint8_t *out, float *scale, int32_t *zero);
    /* out = (x - mean) / sqrt(variance + eps) * gain + bias; out may be x. */
    void (*layer_norm)(const float *x, size_t n, const float *gain, const float *bias,
                       float eps, float *out);
    /* The same as bf16 numbers. NULL: to_bf16 after it. */
    void (*layer_norm_bf16)(const float *x, size_t n, const float *gain, const float *bias,
                            float eps, uint16_t *out);
    void (*softmax)(float *x, size_t n, float factor);   /* in place, of factor * x */
    /* A softmax whose sum is not yet 1: e^(factor * (x - the largest)), rounded, as bf16 numbers from x on. Returns 1 / the sum, by
     * which what is made of them is multiplied. NULL: softmax, then to_bf16. */
    float (*exponentials_bf16)(float *x, size_t n, float factor);
    void (*depthwise)(const scry_depthwise *d);
} scry_kernels;

const scry_kernels *scry_kernels_best(void);        /* for this processor */
const scry_kernels *scry_kernels_generic(void);
const scry_kernels *scry_kernels_reference(void);
/* Every table that this processor can run (base/cpu.h), the generic one first and the best
 * one last. */
enum { SCRY_KERNELS_MAX = 6 };
size_t scry_kernels_all(const scry_kernels **out, size_t capacity);

/* NULL where not compiled in. Without bf16 or VNNI instructions those modes use AVX2's
 * functions. Call only if the processor has the instructions. */
const scry_kernels *scry_kernels_avx2(void);
const scry_kernels *scry_kernels_avx512(bool bf16, bool vnni);
/* From the least to the best: every aarch64, with dot products, with I8MM, with BF16; NULL behind the last. Modes without
 * instructions of their own widen their numbers. */
const scry_kernels *scry_kernels_neon(size_t i);

#endif
