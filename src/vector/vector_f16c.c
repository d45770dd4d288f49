/* vector_f16c.c - half precision by the processor's own conversions (AVX2 with F16C). */
#include "vector/vector_internal.h"

#ifdef __x86_64__
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,f16c")))

TARGET static inline __m256 load_half(const uint16_t *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
}

TARGET void scry_half_to_float_f16c(float *out, const uint16_t *in, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, load_half(in + i));
    scry_half_to_float_portable(out + i, in + i, n - i);
}

TARGET void scry_half_from_float_f16c(uint16_t *out, const float *in, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(void *)(out + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT));
    scry_half_from_float_portable(out + i, in + i, n - i);
}

TARGET static inline __m256d low(__m256 v)
{
    return _mm256_cvtps_pd(_mm256_castps256_ps128(v));
}

TARGET static inline __m256d high(__m256 v)
{
    return _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
}

/* ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)) */
TARGET static inline double add_up(__m256d even, __m256d odd)
{
    double s[4];
    _mm256_storeu_pd(s, _mm256_add_pd(even, odd));
    return (s[0] + s[2]) + (s[1] + s[3]);
}

TARGET scry_half_sums scry_half_sums_f16c(const float *query, const uint16_t *row, size_t dim)
{
    __m256d d0 = _mm256_setzero_pd(), d1 = d0, q0 = d0, q1 = d0;
    size_t i = 0;
    for (; i < dim; i += 8) {
        float rest[8] = { 0 }, rest_query[8] = { 0 };
        __m256 v, q;
        if (i + 8 <= dim) {
            v = load_half(row + i);
            q = _mm256_loadu_ps(query + i);
        } else {   /* zeros change no sum */
            scry_half_to_float_portable(rest, row + i, dim - i);
            for (size_t k = i; k < dim; k++)
                rest_query[k - i] = query[k];
            v = _mm256_loadu_ps(rest);
            q = _mm256_loadu_ps(rest_query);
        }
        d0 = _mm256_add_pd(d0, _mm256_mul_pd(low(v), low(q)));
        d1 = _mm256_add_pd(d1, _mm256_mul_pd(high(v), high(q)));
        q0 = _mm256_add_pd(q0, _mm256_mul_pd(low(v), low(v)));
        q1 = _mm256_add_pd(q1, _mm256_mul_pd(high(v), high(v)));
    }
    return (scry_half_sums){ add_up(d0, d1), add_up(q0, q1) };
}
#endif
