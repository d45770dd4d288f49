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

/* Set bits of each byte, looked up by half bytes. */
TARGET static inline __m256i count_bytes(__m256i v)
{
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
                                           0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
                           _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
}

/* A byte gathers pc0 + 2 pc1 + 4 pc2 (56 at most) and pc3 (8). */
TARGET void scry_signs_avx2(int32_t *out, const uint8_t *rows, size_t n, const uint64_t *planes, size_t words)
{
    const __m256i zero = _mm256_setzero_si256();
    size_t whole = words / 4 * 4;
    for (size_t i = 0; i < n; i++, rows += 8 * words) {
        __m256i sum = zero;
        for (size_t w = 0; w < whole; w += 4) {
            __m256i bits = load(rows + 8 * w);
            __m256i c0 = count_bytes(_mm256_and_si256(bits, load(planes + w)));
            __m256i c1 = count_bytes(_mm256_and_si256(bits, load(planes + words + w)));
            __m256i c2 = count_bytes(_mm256_and_si256(bits, load(planes + 2 * words + w)));
            __m256i c3 = count_bytes(_mm256_and_si256(bits, load(planes + 3 * words + w)));
            c1 = _mm256_add_epi8(c1, _mm256_add_epi8(c2, c2));
            c0 = _mm256_add_epi8(c0, _mm256_add_epi8(c1, c1));
            sum = _mm256_add_epi64(sum, _mm256_sad_epu8(c0, zero));
            sum = _mm256_sub_epi64(sum, _mm256_slli_epi64(_mm256_sad_epu8(c3, zero), 3));
        }
        __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        out[i] = (int32_t)(_mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1));
        if (whole < words)
            out[i] += scry_signs_rest(rows, planes, whole, words);
    }
}

const scry_scan_kernels scry_scan_kernels_avx2 = { "avx2", dots, NULL, select_rows, scry_signs_avx2, false };
#endif
