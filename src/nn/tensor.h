/* tensor.h - stored weights of a checkpoint: a view, never a copy.
 *
 * A view borrows the mapped file. All computation is in float; callers
 * convert the rows that they need. Quantised tensors (I8) have one factor for each row, a row
 * being everything after the first dimension.
 */
#ifndef SCRY_NN_TENSOR_H
#define SCRY_NN_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum { SCRY_DTYPE_F32, SCRY_DTYPE_F16, SCRY_DTYPE_BF16, SCRY_DTYPE_I8 } scry_dtype;

enum { SCRY_TENSOR_MAX_RANK = 4 };

typedef struct scry_tensor {
    const void *data;                     /* borrowed */
    scry_dtype dtype;
    int rank;                             /* 0 (a single number) to 4 */
    size_t shape[SCRY_TENSOR_MAX_RANK];   /* row-major; unused ones are 1 */
    const float *scale;                   /* I8: [shape[0]], borrowed; else NULL */
} scry_tensor;

size_t scry_dtype_size(scry_dtype t);        /* bytes an element */

size_t scry_tensor_count(const scry_tensor *t);       /* elements */
size_t scry_tensor_row_size(const scry_tensor *t);    /* elements of one row */

/* Row `row` as floats to `out` [row size]. */
void scry_tensor_row(const scry_tensor *t, size_t row, float *out);

/* `n` elements of dtype `from` at `src` as floats to `out`, without any scale. */
void scry_to_floats(scry_dtype from, const void *src, size_t n, float *out);

/* Everything as floats to `out` [count]. */
void scry_tensor_floats(const scry_tensor *t, float *out);

/* True when no element (and no scale) is NaN or infinite. */
bool scry_tensor_finite(const scry_tensor *t);

/* bfloat16 is the upper half of a float; rounding is to nearest, ties to even. */
static inline float scry_from_bf16(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint16_t scry_to_bf16(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return (uint16_t)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

float scry_from_f16(uint16_t h);

#endif
