/* kernels_avx512.h - what the two files of AVX-512 kernels share. */
#ifndef SCRY_NN_KERNELS_AVX512_H
#define SCRY_NN_KERNELS_AVX512_H

#include "nn/kernels.h"
#include "nn/kernels_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>

#define TARGET_BASE "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"
#define AVX512 __attribute__((target(TARGET_BASE)))
#define AVX512_BF16 __attribute__((target(TARGET_BASE ",avx512bf16")))
#define AVX512_VNNI __attribute__((target(TARGET_BASE ",avx512vnni")))
#define INLINE static inline __attribute__((always_inline))
#define LOG2_E 1.44269504f

AVX512 INLINE __mmask16 lanes(size_t n)
{
    return n >= 16 ? 0xFFFF : (__mmask16)((1u << n) - 1);
}

/* 2^t, relative error below 2e-7: 2^n, n whole, times a polynomial on [-1/2, 1/2]. Infinite from 2^128 on, and 0 below
 * what a float holds. */
AVX512 INLINE __m512 exp2_16(__m512 t)
{
    __m512 n = _mm512_roundscale_ps(t, 0), f = _mm512_sub_ps(t, n), p = _mm512_set1_ps(1.32646575e-3f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.67151113e-3f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.55073395e-2f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.40222424e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.93147004e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1));
    return _mm512_scalef_ps(p, n);
}

/* kernels_avx512_rows.c, for the table of kernels. */
void scry_avx512_layer_norm(const float *x, size_t n, const float *gain, const float *bias, float eps, float *out);
void scry_avx512_layer_norm_bf16(const float *x, size_t n, const float *gain, const float *bias, float eps, uint16_t *out);
void scry_avx512_softmax(float *x, size_t n, float factor);
float scry_avx512_exponentials_bf16(float *x, size_t n, float factor);

#endif

#endif
