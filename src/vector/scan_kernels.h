/* scan_kernels.h - the inner loops of a scan, one set for each instruction set.
 *
 * The scalar set is the oracle: every other gives the same integers and the same
 * selection (tests/unit/test_vector.c). scry_scan_kernels_best chooses by the features of
 * the processor; each set is in a file of its own, compiled for its instructions.
 */
#ifndef SCRY_VECTOR_SCAN_KERNELS_H
#define SCRY_VECTOR_SCAN_KERNELS_H

#include "vector/codes.h"

#include <string.h>

/* What makes a row's product an upper bound: scale step dot + error gain; and what it must reach. */
typedef struct scry_bounds {
    const float *scale, *error;   /* of the block's rows */
    float step, gain, threshold;
} scry_bounds;

typedef struct scry_scan_kernels {
    const char *name;

    /* out[i] = sum over dims of (code - 128) * value, for row index[i] of `codes`, or row i
     * where `index` is NULL. */
    void (*dots)(int32_t *out, const uint8_t *codes, const uint16_t *index, size_t rows,
                 const scry_code_query *q);

    /* The same for the first `rows` rows and `n` narrow queries: out[k * SCRY_BLOCK_ROWS + i].
     * NULL where a narrow query costs as much as a wide one. */
    void (*dots_many)(int32_t *out, const uint8_t *codes, size_t rows, const scry_code_query *q, size_t n);

    /* The positions of the first `rows` rows, or of those in `index`, whose upper bound reaches the threshold:
     * ascending, and how many. `dots` is by position. */
    size_t (*select)(uint16_t *out, const int32_t *dots, const uint16_t *index, size_t rows, const scry_bounds *b);

    /* For rows of `words` 64-bit words of signs: out[i] = the sum of the four-bit numbers, -8..7, whose
     * bits are set in row i; `planes` is [4][words], the lowest bits of all numbers first. */
    void (*signs)(int32_t *out, const uint8_t *rows, size_t n, const uint64_t *planes, size_t words);

    /* `dots` takes so much less time for a narrow query than for a wide one that a scan begins with it. */
    bool narrow_first;
} scry_scan_kernels;

/* Continue `select` at position `i`, after `n` were found. */
static inline size_t scry_select_from(uint16_t *out, size_t n, size_t i, const int32_t *dots, const uint16_t *index,
                                      size_t rows, const scry_bounds *b)
{
    for (; i < rows; i++) {
        size_t row = index ? index[i] : i;
        float upper = b->scale[row] * b->step * (float)dots[i] + b->error[row] * b->gain;
        out[n] = (uint16_t)i;
        n += upper >= b->threshold;
    }
    return n;
}

/* `signs` for one row's words from `w` on. */
static inline int32_t scry_signs_rest(const uint8_t *row, const uint64_t *planes, size_t w, size_t words)
{
    int32_t sum = 0;
    for (; w < words; w++) {
        uint64_t bits;
        memcpy(&bits, row + w * sizeof bits, sizeof bits);
        sum += __builtin_popcountll(bits & planes[w]) + 2 * __builtin_popcountll(bits & planes[words + w]) +
               4 * __builtin_popcountll(bits & planes[2 * words + w]) -
               8 * __builtin_popcountll(bits & planes[3 * words + w]);
    }
    return sum;
}

extern const scry_scan_kernels scry_scan_kernels_scalar;
#ifdef __x86_64__
extern const scry_scan_kernels scry_scan_kernels_avx2;
extern const scry_scan_kernels scry_scan_kernels_avx512;         /* Cascade Lake and its like */
extern const scry_scan_kernels scry_scan_kernels_avx512_count;   /* with a count of bits: Ice Lake, Zen 4 */
void scry_signs_avx2(int32_t *out, const uint8_t *rows, size_t n, const uint64_t *planes, size_t words);
#endif
#ifdef __aarch64__
extern const scry_scan_kernels scry_scan_kernels_neon;
extern const scry_scan_kernels scry_scan_kernels_neon_dot, scry_scan_kernels_neon_i8mm;   /* SCRY_CPU_ARM_EXTENSIONS */
#endif

const scry_scan_kernels *scry_scan_kernels_best(void);

/* The i-th set that this processor can run, NULL behind the last; the scalar one first. */
const scry_scan_kernels *scry_scan_kernels_at(size_t i);

#endif
