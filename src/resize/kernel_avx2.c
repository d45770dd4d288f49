/* kernel_avx2.c - the loops with 256-bit integer vectors.
 *
 * Loops over rows and quarters are unrolled by request: gcc -O2 keeps the sums in memory
 * otherwise (500 x 375 to 224: 0.36 ms, unrolled 0.26; scalar 1.48). 512-bit vectors with
 * VNNI were tried: 0.23 ms, 2 % of what decoding such a picture takes, not kept.
 */
#include "resize/kernels.h"

#include "base/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE __attribute__((target("avx2"), always_inline)) static inline

/* (high << 15) + low, per 32-bit sum. */
AVX2_INLINE __m256i join(__m256i high, __m256i low)
{
    return _mm256_add_epi32(_mm256_slli_epi32(high, SCRY_WEIGHT_LOW_BITS), low);
}

/* One output pixel of `rows` rows. A load of 16 bytes holds five RGB pixels, of which
 * four are used: the first two go to the lower half as (R0,R1) (G0,G1) (B0,B1) in 16
 * bits each, the others to the upper half. */
AVX2_INLINE void pixel(const scry_taps *t, int i, const int rows, const uint8_t *const *in,
                       uint8_t *const *out)
{
    const __m256i spread = _mm256_setr_epi8(
        0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,
        6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    /* (k0,k1) to the lower half, (k2,k3) to the upper; the fourth byte of each pixel is
     * multiplied by zero. */
    const __m256i pairs = _mm256_setr_epi8(
        0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
        4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
    const int16_t *split = t->split + (size_t)i * (size_t)t->blocks * 2 * SCRY_TAP_BLOCK;
    size_t at = 3 * (size_t)t->start[i];
    int blocks = (t->n[i] + SCRY_TAP_BLOCK - 1) / SCRY_TAP_BLOCK;
    __m256i high[SCRY_ROWS_AT_ONCE], low[SCRY_ROWS_AT_ONCE];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
        high[r] = low[r] = _mm256_setzero_si256();
    for (int b = 0; b < blocks; b++, at += 3 * SCRY_TAP_BLOCK, split += 2 * SCRY_TAP_BLOCK) {
        __m256i both = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)split));
        __m256i k_high = _mm256_shuffle_epi8(both, pairs);
        __m256i k_low = _mm256_shuffle_epi8(_mm256_srli_si256(both, 8), pairs);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)(in[r] + at));
            __m256i p = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), spread);
            high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(p, k_high));
            low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(p, k_low));
        }
    }
    const __m128i half = _mm_set1_epi32(1 << (SCRY_WEIGHT_BITS - 1));
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
        __m256i sum = join(high[r], low[r]);
        __m128i v = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        v = _mm_srai_epi32(_mm_add_epi32(v, half), SCRY_WEIGHT_BITS);
        v = _mm_packs_epi32(v, v);
        int32_t rgb = _mm_cvtsi128_si32(_mm_packus_epi16(v, v));
        memcpy(out[r] + 3 * i, &rgb, sizeof rgb);   /* the fourth byte is overwritten next */
    }
}

AVX2 static void horizontal(const scry_taps *t, int rows, const uint8_t *const *in,
                            uint8_t *const *out)
{
    if (rows == SCRY_ROWS_AT_ONCE) {
        for (int i = 0; i < t->count; i++)
            pixel(t, i, SCRY_ROWS_AT_ONCE, in, out);
        return;
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < t->count; i++)
            pixel(t, i, 1, in + r, out + r);
}

/* 32 output bytes: `in` holds a column of 32 bytes in each row, taken in pairs. */
AVX2_INLINE void column(const int32_t *k, int n, const uint8_t *in, size_t stride, uint8_t *out)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i high[4], low[4];
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++)
        high[q] = low[q] = zero;
    for (int j = 0; j < n; j += 2) {
        int32_t k0 = k[j], k1 = j + 1 < n ? k[j + 1] : 0;
        const uint8_t *p = in + (size_t)j * stride;
        __m256i a = _mm256_loadu_si256((const __m256i *)p);
        __m256i b = _mm256_loadu_si256((const __m256i *)(j + 1 < n ? p + stride : p));
        int32_t mask = (1 << SCRY_WEIGHT_LOW_BITS) - 1;
        uint32_t h0 = (uint32_t)(k0 >> SCRY_WEIGHT_LOW_BITS) & 0xffff;
        uint32_t h1 = (uint32_t)(k1 >> SCRY_WEIGHT_LOW_BITS) & 0xffff;
        __m256i k_high = _mm256_set1_epi32((int)(h0 | h1 << 16));
        __m256i k_low = _mm256_set1_epi32((k0 & mask) | (k1 & mask) << 16);
        /* Interleave bytes of a and b and widen to 16 bits; the packing below restores the
         * order. */
        __m256i ab0 = _mm256_unpacklo_epi8(a, b), ab1 = _mm256_unpackhi_epi8(a, b);
        __m256i p4[4] = { _mm256_unpacklo_epi8(ab0, zero), _mm256_unpackhi_epi8(ab0, zero),
                          _mm256_unpacklo_epi8(ab1, zero), _mm256_unpackhi_epi8(ab1, zero) };
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++) {
            high[q] = _mm256_add_epi32(high[q], _mm256_madd_epi16(p4[q], k_high));
            low[q] = _mm256_add_epi32(low[q], _mm256_madd_epi16(p4[q], k_low));
        }
    }
    const __m256i half = _mm256_set1_epi32(1 << (SCRY_WEIGHT_BITS - 1));
    __m256i v[4];
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++)
        v[q] = _mm256_srai_epi32(_mm256_add_epi32(join(high[q], low[q]), half), SCRY_WEIGHT_BITS);
    __m256i packed = _mm256_packus_epi16(_mm256_packs_epi32(v[0], v[1]),
                                         _mm256_packs_epi32(v[2], v[3]));
    _mm256_storeu_si256((__m256i *)out, packed);
}

AVX2 static void vertical(const int32_t *k, int n, const uint8_t *in, size_t stride, size_t bytes,
                          uint8_t *out)
{
    for (size_t at = 0; at < bytes; at += 32)
        column(k, n, in + at, stride, out + at);
}

const scry_resize_kernels *scry_resize_kernels_avx2(void)
{
    static const scry_resize_kernels table = { "avx2", horizontal, vertical };
    return scry_cpu_has(SCRY_CPU_AVX2) ? &table : NULL;
}

#else

const scry_resize_kernels *scry_resize_kernels_avx2(void)
{
    return NULL;
}

#endif
