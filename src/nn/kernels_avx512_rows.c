/* kernels_avx512_rows.c - AVX-512: norms and softmax of rows, as floats or, where a bf16 product alone reads them, as bf16. */
#include "nn/kernels_avx512.h"

#if defined(__x86_64__)

/* ---- layer norm ---- */

typedef struct {
    __m512 mean, factor;
} moments;

/* Of a row's numbers. Four sums at a time, as each addition waits for the one before. */
AVX512 INLINE moments moments_of(const float *x, size_t n, float eps)
{
    __m512 sum[4], squares[4];
    size_t whole = n / 64 * 64;
    _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++)
        sum[k] = squares[k] = _mm512_setzero_ps();
    for (size_t i = 0; i < whole; i += 64)
        _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++)
            sum[k] = _mm512_add_ps(sum[k], _mm512_loadu_ps(x + i + 16 * k));
    for (size_t i = whole; i < n; i += 16)
        sum[0] = _mm512_add_ps(sum[0], _mm512_maskz_loadu_ps(lanes(n - i), x + i));
    sum[0] = _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
    __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum[0]) / (float)n);
    for (size_t i = 0; i < whole; i += 64)
        _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) {
            __m512 d = _mm512_sub_ps(_mm512_loadu_ps(x + i + 16 * k), mean);
            squares[k] = _mm512_fmadd_ps(d, d, squares[k]);
        }
    for (size_t i = whole; i < n; i += 16) {
        __mmask16 m = lanes(n - i);
        __m512 d = _mm512_maskz_sub_ps(m, _mm512_maskz_loadu_ps(m, x + i), mean);
        squares[0] = _mm512_fmadd_ps(d, d, squares[0]);
    }
    squares[0] = _mm512_add_ps(_mm512_add_ps(squares[0], squares[1]), _mm512_add_ps(squares[2], squares[3]));
    float variance = _mm512_reduce_add_ps(squares[0]) / (float)n;
    return (moments){ mean, _mm512_set1_ps(1 / sqrtf(variance + eps)) };
}

AVX512 INLINE __m512 normed16(moments of, __m512 x, __m512 gain, __m512 bias)
{
    return _mm512_fmadd_ps(_mm512_mul_ps(_mm512_sub_ps(x, of.mean), of.factor), gain, bias);
}

AVX512 void scry_avx512_layer_norm(const float *x, size_t n, const float *gain, const float *bias, float eps, float *out)
{
    moments of = moments_of(x, n, eps);
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 m = lanes(n - i);
        _mm512_mask_storeu_ps(out + i, m, normed16(of, _mm512_maskz_loadu_ps(m, x + i), _mm512_maskz_loadu_ps(m, gain + i),
                                                   _mm512_maskz_loadu_ps(m, bias + i)));
    }
}

AVX512_BF16 void scry_avx512_layer_norm_bf16(const float *x, size_t n, const float *gain, const float *bias, float eps,
                                             uint16_t *out)
{
    moments of = moments_of(x, n, eps);
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m512 even = normed16(of, _mm512_loadu_ps(x + i), _mm512_loadu_ps(gain + i), _mm512_loadu_ps(bias + i));
        __m512 odd = normed16(of, _mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(gain + i + 16), _mm512_loadu_ps(bias + i + 16));
        _mm512_storeu_si512(out + i, (__m512i)_mm512_cvtne2ps_pbh(odd, even));
    }
    for (; i < n; i += 16) {
        __mmask16 m = lanes(n - i);
        __m512 y = normed16(of, _mm512_maskz_loadu_ps(m, x + i), _mm512_maskz_loadu_ps(m, gain + i),
                            _mm512_maskz_loadu_ps(m, bias + i));
        _mm256_mask_storeu_epi16(out + i, m, (__m256i)_mm512_cvtneps_pbh(y));
    }
}

/* ---- softmax ---- */

/* exp2_16 with a relative error below 8e-5, for what is rounded to 8 bits afterwards. */
AVX512 INLINE __m512 exp2_near16(__m512 t)
{
    __m512 n = _mm512_roundscale_ps(t, 0), f = _mm512_sub_ps(t, n), p = _mm512_set1_ps(5.51716685e-2f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.42611125e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.93260968e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.99928057e-1f));
    return _mm512_scalef_ps(p, n);
}

AVX512 INLINE __m512 highest16(const float *x, size_t n)
{
    const __m512 least = _mm512_set1_ps(-INFINITY);
    __m512 high = least, high2 = least;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        high = _mm512_max_ps(high, _mm512_loadu_ps(x + i));
        high2 = _mm512_max_ps(high2, _mm512_loadu_ps(x + i + 16));
    }
    for (; i < n; i += 16)
        high = _mm512_max_ps(high, _mm512_mask_loadu_ps(least, lanes(n - i), x + i));
    return _mm512_set1_ps(_mm512_reduce_max_ps(_mm512_max_ps(high, high2)));
}

AVX512 void scry_avx512_softmax(float *x, size_t n, float factor)
{
    __m512 scale = _mm512_set1_ps(factor * LOG2_E), top = _mm512_mul_ps(highest16(x, n), scale), sum = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 m = lanes(n - i);
        __m512 e = _mm512_maskz_mov_ps(m, exp2_16(_mm512_fmsub_ps(_mm512_maskz_loadu_ps(m, x + i), scale, top)));
        sum = _mm512_add_ps(sum, e);
        _mm512_mask_storeu_ps(x + i, m, e);
    }
    __m512 inverse = _mm512_set1_ps(1 / _mm512_reduce_add_ps(sum));
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 m = lanes(n - i);
        _mm512_mask_storeu_ps(x + i, m, _mm512_mul_ps(_mm512_maskz_loadu_ps(m, x + i), inverse));
    }
}

/* A number is written behind what is read. */
AVX512_BF16 float scry_avx512_exponentials_bf16(float *x, size_t n, float factor)
{
    __m512 scale = _mm512_set1_ps(factor * LOG2_E), top = _mm512_mul_ps(highest16(x, n), scale), sum[2];
    uint16_t *out = (uint16_t *)x;
    size_t i = 0;
    sum[0] = sum[1] = _mm512_setzero_ps();
    for (; i + 32 <= n; i += 32) {
        __m512 even = exp2_near16(_mm512_fmsub_ps(_mm512_loadu_ps(x + i), scale, top));
        __m512 odd = exp2_near16(_mm512_fmsub_ps(_mm512_loadu_ps(x + i + 16), scale, top));
        sum[0] = _mm512_add_ps(sum[0], even);
        sum[1] = _mm512_add_ps(sum[1], odd);
        _mm512_storeu_si512(out + i, (__m512i)_mm512_cvtne2ps_pbh(odd, even));
    }
    for (; i < n; i += 16) {
        __mmask16 m = lanes(n - i);
        __m512 e = _mm512_maskz_mov_ps(m, exp2_near16(_mm512_fmsub_ps(_mm512_maskz_loadu_ps(m, x + i), scale, top)));
        sum[0] = _mm512_add_ps(sum[0], e);
        _mm256_mask_storeu_epi16(out + i, m, (__m256i)_mm512_cvtneps_pbh(e));
    }
    return 1 / _mm512_reduce_add_ps(_mm512_add_ps(sum[0], sum[1]));
}

#endif
