/* kernels.h - the two inner loops of the resampling, one table an instruction set.
 *
 * A weight is a 23-bit signed integer k, so that pixel * k needs 32 bits. AVX2's
 * kernels split k = high * 2^15 + low, with `high` and `low` in 16 bits, and add pairs
 * of products (pmaddwd): twice as many products an instruction as 32-bit multiplying,
 * and exact, because every sum is taken modulo 2^32 and the true one fits.
 */
#ifndef SCRY_RESIZE_KERNELS_H
#define SCRY_RESIZE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum {
    SCRY_WEIGHT_BITS = 22,    /* 1.0 is 1 << 22 (Pillow's PRECISION_BITS) */
    SCRY_WEIGHT_LOW_BITS = 15,
    SCRY_TAP_BLOCK = 4,       /* the vector kernels take this many source pixels at once */
    SCRY_ROWS_AT_ONCE = 4
};

/* Weights of the outputs [0, count): output i is the sum over j < n[i] of
 * k[i * width + j] * source[start[i] + j]. */
typedef struct scry_taps {
    int count;
    int width;          /* the most taps of any output */
    int *start;         /* [count] */
    int *n;             /* [count] */
    int32_t *k;         /* [count, width], zero past n */
    int blocks;         /* of SCRY_TAP_BLOCK taps, enough for any output */
    int16_t *split;     /* [count, blocks, 2 (high, low), SCRY_TAP_BLOCK]; for vector kernels */
} scry_taps;

typedef struct scry_resize_kernels {
    const char *name;
    /* One output row for each of `rows` (1..SCRY_ROWS_AT_ONCE) source rows: in[r] is
     * [source width, 3] followed by SCRY_ROW_SLACK readable bytes, out[r] is [count, 3]
     * with room for 4 bytes more. */
    void (*horizontal)(const scry_taps *t, int rows, const uint8_t *const *in, uint8_t *const *out);
    /* out[i] = sum over j < n of k[j] * in[j * stride + i] for i < bytes. The rows have
     * room to read, and `out` to write, up to the next multiple of 64. */
    void (*vertical)(const int32_t *k, int n, const uint8_t *in, size_t stride, size_t bytes,
                     uint8_t *out);
} scry_resize_kernels;

/* The reference that the others are tested against. */
const scry_resize_kernels *scry_resize_kernels_scalar(void);
/* Each NULL if the processor lacks the instructions. */
const scry_resize_kernels *scry_resize_kernels_avx2(void);
const scry_resize_kernels *scry_resize_kernels_neon(void);
/* The fastest of them here. */
const scry_resize_kernels *scry_resize_kernels_best(void);

/* Rounds half up and clips to 0..255. */
static inline uint8_t scry_weight_round(int32_t sum)
{
    int32_t v = (sum + (1 << (SCRY_WEIGHT_BITS - 1))) >> SCRY_WEIGHT_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

#endif
