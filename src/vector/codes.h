/* codes.h - eight-bit codes of vectors, with a bound on their error.
 *
 * Vectors are made unit length and rotated (a fixed Walsh-Hadamard transform, which preserves
 * products and spreads outlying components). A unit vector v is then stored as
 * integers c in -127..127 and a scale s: v = s c + r. With the query quantised
 * too, q = t d + e, the cosine is
 *
 *     q.v = s t (c.d) + s (e.c) + q.r
 *
 * and differs from s t (c.d), an integer product, by at most |e| (1 + |r|) + |r|. Each
 * row stores |r|, rounded up, so that a scan over the codes can exclude the rows that
 * cannot be among the nearest, and the result is provably exact.
 *
 * Codes are stored in blocks of SCRY_BLOCK_ROWS rows; one scan step reads a block:
 *
 *     | float scale[1024] | float error[1024] | uint8_t code[1024][stride] | uint8_t sign[1024][stride / 8] |
 *
 * A code byte is c + 128 (AVX-512 multiplies unsigned by signed bytes); stride is dim
 * rounded up to 64: the rotation fills the rest. Bit i % 8 of sign byte i / 8 is set when component i of
 * the rotated vector is above 0; approximate scans (coarse.h) read these.
 */
#ifndef SCRY_VECTOR_CODES_H
#define SCRY_VECTOR_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRY_BLOCK_ROWS = 1024, SCRY_CODE_DIM_MAX = 8192 };

size_t scry_code_stride(size_t dim);
size_t scry_block_bytes(size_t dim);

static inline float *scry_block_scales(void *block)
{
    return block;
}

static inline float *scry_block_errors(void *block)
{
    return (float *)block + SCRY_BLOCK_ROWS;
}

static inline uint8_t *scry_block_codes(void *block)
{
    return (uint8_t *)((float *)block + 2 * SCRY_BLOCK_ROWS);
}

static inline uint8_t *scry_block_signs(void *block, size_t dim)
{
    return scry_block_codes(block) + SCRY_BLOCK_ROWS * scry_code_stride(dim);
}

/* Encode the stored vector `row` [dim] as row `i` of the block. */
void scry_block_encode(void *block, size_t i, const uint16_t *row, size_t dim);

/* The same into buffers of the caller: `code` is [stride], `signs` [stride / 8]. */
void scry_code_encode(uint8_t *code, uint8_t *signs, float *scale, float *error, const uint16_t *row, size_t dim);

/* A query as integers. The wide form has about 15 bits and costs a second multiplication
 * for each byte; the narrow form has 7 and a larger error, for scans limited by computation and not
 * by memory. */
typedef struct scry_code_query {
    size_t stride;
    bool wide;
    int16_t *value;      /* [stride]; owned */
    int8_t *high, *low;  /* value = 128 high + low; high = value where narrow */
    int32_t bias;        /* what the codes' +128 adds to a product, modulo 2^32 */
    float step;          /* t */
    float error;         /* |e|, rounded up */
} scry_code_query;

/* 0, or -1 without memory. `query` is [dim]; its length does not matter, `step` and
 * `error` are for the unit vector. */
int scry_code_query_init(scry_code_query *q, const float *query, size_t dim, bool wide);
void scry_code_query_dispose(scry_code_query *q);

/* The bounds: cosine in [scale step dot - slack, scale step dot + slack] where
 * slack = error_of_row * scry_query_gain(q) + scry_query_slack(q). */
static inline float scry_query_gain(const scry_code_query *q)
{
    return 1.000001f + q->error;
}

/* The last term covers the rounding of this arithmetic in float: a few ulps of 1. */
static inline float scry_query_slack(const scry_code_query *q)
{
    return q->error + 2e-6f;
}

#endif
