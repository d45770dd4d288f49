/* scan_kernels_avx2.c - 16-bit multiplications: code bytes are widened, the query is 16 bits
 * as it is, so that wide and narrow queries cost the same. */
#include "vector/scan_kernels.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma")))
enum { LANES = 8 };

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

TARGET static inline __m256i dot_row(const uint8_t *row, const scry_code_query *q)
{
    __m256i sum = _mm256_setzero_si256();
#pragma GCC unroll 4
    for (size_t i = 0; i < q->stride; i += 16) {
        __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(row + i)));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(wide, load(q->value + i)));
    }
    return sum;
}

TARGET static inline __m128i dot4(const uint8_t *const row[4], const scry_code_query *q)
{
    __m256i sum[4];
    for (int k = 0; k < 4; k++)
        sum[k] = dot_row(row[k], q);
    return reduce4(sum[0], sum[1], sum[2], sum[3]);
}

TARGET static inline unsigned select_mask(const int32_t *dot_of, const float *scale, const float *error, float step,
                                          float gain, float threshold)
{
    __m256 dot = _mm256_cvtepi32_ps(load(dot_of));
    __m256 score = _mm256_mul_ps(_mm256_mul_ps(_mm256_loadu_ps(scale), _mm256_set1_ps(step)), dot);
    __m256 upper = _mm256_add_ps(score, _mm256_mul_ps(_mm256_loadu_ps(error), _mm256_set1_ps(gain)));
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(upper, _mm256_set1_ps(threshold), _CMP_GE_OQ));
}

#include "vector/scan_kernels_loops.inc"

const scry_scan_kernels scry_scan_kernels_avx2 = { "avx2", dots, NULL, select_rows };
#endif
