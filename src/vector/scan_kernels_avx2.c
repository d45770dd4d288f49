/* scan_kernels_avx2.c - 16-bit multiplications: code bytes are widened, the query is 16 bits
 * as it is, so that wide and narrow queries cost the same. */
#include "vector/scan_kernels.h"

#ifdef __x86_64__
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))

TARGET static inline __m256i step_dot(__m256i sum, const uint8_t *code, __m256i value)
{
    __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)code));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(wide, value));
}

TARGET static inline __m256i load(const void *p)
{
    return _mm256_loadu_si256(p);
}

/* The sums of four registers, in order. */
TARGET static inline __m128i reduce4(__m256i a, __m256i b, __m256i c, __m256i d)
{
    __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    return _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
}

TARGET static __m128i dot4(const uint8_t *const row[4], const scry_code_query *q)
{
    __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
    for (size_t i = 0; i < q->stride; i += 16) {
        __m256i value = load(q->value + i);
        s0 = step_dot(s0, row[0] + i, value);
        s1 = step_dot(s1, row[1] + i, value);
        s2 = step_dot(s2, row[2] + i, value);
        s3 = step_dot(s3, row[3] + i, value);
    }
    return _mm_sub_epi32(reduce4(s0, s1, s2, s3), _mm_set1_epi32(q->bias));
}

TARGET static void dots(int32_t *out, const uint8_t *codes, const uint16_t *index, size_t rows,
                        const scry_code_query *q)
{
    for (size_t i = 0; i < rows; i += 4) {
        const uint8_t *row[4];
        size_t left = rows - i < 4 ? rows - i : 4;
        for (size_t k = 0; k < 4; k++) {
            size_t at = i + (k < left ? k : 0);
            row[k] = codes + (index ? index[at] : at) * q->stride;
        }
        __m128i sums = dot4(row, q);
        if (left == 4) {
            _mm_storeu_si128((__m128i *)(void *)(out + i), sums);
        } else {
            int32_t some[4];
            _mm_storeu_si128((__m128i *)(void *)some, sums);
            for (size_t k = 0; k < left; k++)
                out[i + k] = some[k];
        }
    }
}

/* Sixty-four rows of codes stay in the cache while all queries pass over them. */
TARGET static void dots_many(int32_t *out, const uint8_t *codes, size_t rows, const scry_code_query *q,
                             size_t n)
{
    enum { TILE = 64 };
    for (size_t at = 0; at < rows; at += TILE)
        for (size_t k = 0; k < n; k++)
            dots(out + k * SCRY_BLOCK_ROWS + at, codes + at * q->stride, NULL,
                 rows - at < TILE ? rows - at : TILE, &q[k]);
}

TARGET static size_t select_rows(uint16_t *out, const int32_t *dot_of, const float *scale,
                                 const float *error, const uint16_t *index, size_t rows, float step,
                                 float gain, float threshold)
{
    __m256 vstep = _mm256_set1_ps(step), vgain = _mm256_set1_ps(gain), limit = _mm256_set1_ps(threshold);
    size_t n = 0, i = 0;
    for (; !index && i + 8 <= rows; i += 8) {
        __m256 dot = _mm256_cvtepi32_ps(load(dot_of + i));
        __m256 score = _mm256_mul_ps(_mm256_mul_ps(_mm256_loadu_ps(scale + i), vstep), dot);
        __m256 upper = _mm256_add_ps(score, _mm256_mul_ps(_mm256_loadu_ps(error + i), vgain));
        unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(upper, limit, _CMP_GE_OQ));
        for (; mask; mask &= mask - 1)
            out[n++] = (uint16_t)(i + (unsigned)__builtin_ctz(mask));
    }
    for (; i < rows; i++) {
        size_t row = index ? index[i] : i;
        float upper = scale[row] * step * (float)dot_of[i] + error[row] * gain;
        out[n] = (uint16_t)i;
        n += upper >= threshold;
    }
    return n;
}

const scry_scan_kernels scry_scan_kernels_avx2 = { "avx2", false, dots, dots_many, select_rows };
#endif
