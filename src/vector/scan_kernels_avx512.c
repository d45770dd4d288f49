/* scan_kernels_avx512.c - VNNI: 64 products of bytes an instruction.
 *
 * A wide query is two bytes, so a code byte is loaded once and multiplied twice; one
 * thread still waits for memory. A narrow query is multiplied once; with four rows by
 * four queries in registers a batch runs at the multiplier's rate.
 */
#include "vector/scan_kernels.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define TARGET_COUNT __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vpopcntdq")))
enum { LANES = 16 };

TARGET static inline __m512i load(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* The sums of four registers, in order. */
TARGET static inline __m128i reduce4(__m512i a, __m512i b, __m512i c, __m512i d)
{
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    __m512i abcd = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

TARGET static inline __m512i join(__m512i high, __m512i low)
{
    return _mm512_add_epi32(_mm512_slli_epi32(high, 7), low);
}

TARGET static inline __m512i row_wide(const uint8_t *row, const scry_code_query *q)
{
    __m512i high = _mm512_setzero_si512(), low = high;
#pragma GCC unroll 8
    for (size_t i = 0; i < q->stride; i += 64) {
        __m512i code = load(row + i);
        high = _mm512_dpbusd_epi32(high, code, load(q->high + i));
        low = _mm512_dpbusd_epi32(low, code, load(q->low + i));
    }
    return join(high, low);
}

TARGET static inline __m512i row_narrow(const uint8_t *row, const scry_code_query *q)
{
    __m512i sum = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (size_t i = 0; i < q->stride; i += 64)
        sum = _mm512_dpbusd_epi32(sum, load(row + i), load(q->high + i));
    return sum;
}

TARGET static inline __m128i dot4(const uint8_t *const row[4], const scry_code_query *q)
{
    __m512i sum[4];
    for (int k = 0; k < 4; k++)
        sum[k] = q->wide ? row_wide(row[k], q) : row_narrow(row[k], q);
    return reduce4(sum[0], sum[1], sum[2], sum[3]);
}

TARGET static inline unsigned select_mask(const int32_t *dot_of, const float *scale, const float *error, float step,
                                          float gain, float threshold)
{
    __m512 dot = _mm512_cvtepi32_ps(load(dot_of));
    __m512 score = _mm512_mul_ps(_mm512_mul_ps(_mm512_loadu_ps(scale), _mm512_set1_ps(step)), dot);
    __m512 upper = _mm512_add_ps(score, _mm512_mul_ps(_mm512_loadu_ps(error), _mm512_set1_ps(gain)));
    return _mm512_cmp_ps_mask(upper, _mm512_set1_ps(threshold), _CMP_GE_OQ);
}

#include "vector/scan_kernels_loops.inc"

enum { TILE = 4 };   /* rows and queries in registers */

/* Four rows by four narrow queries: sixteen sums; out[k * SCRY_BLOCK_ROWS + row]. Half a
 * row's bytes are fetched from `ahead` meanwhile: four rows are read alternately here, which
 * the hardware prefetchers handle badly. */
TARGET static void dot4x4(int32_t *out, const uint8_t *row, const scry_code_query *q, const uint8_t *ahead)
{
    __m512i s[TILE][TILE];
    size_t stride = q->stride;
    for (int k = 0; k < TILE; k++)
        for (int r = 0; r < TILE; r++)
            s[k][r] = _mm512_setzero_si512();
    for (size_t i = 0; i < stride; i += 64) {
        _mm_prefetch((const char *)ahead + i / 2, _MM_HINT_T0);
        __m512i c0 = load(row + i), c1 = load(row + stride + i);
        __m512i c2 = load(row + 2 * stride + i), c3 = load(row + 3 * stride + i);
#pragma GCC unroll 4
        for (int k = 0; k < TILE; k++) {
            __m512i value = load(q[k].high + i);
            s[k][0] = _mm512_dpbusd_epi32(s[k][0], c0, value);
            s[k][1] = _mm512_dpbusd_epi32(s[k][1], c1, value);
            s[k][2] = _mm512_dpbusd_epi32(s[k][2], c2, value);
            s[k][3] = _mm512_dpbusd_epi32(s[k][3], c3, value);
        }
    }
#pragma GCC unroll 4
    for (int k = 0; k < TILE; k++) {
        __m128i sums = reduce4(s[k][0], s[k][1], s[k][2], s[k][3]);
        _mm_storeu_si128((__m128i *)(void *)(out + k * SCRY_BLOCK_ROWS),
                         _mm_sub_epi32(sums, _mm_set1_epi32(q[k].bias)));
    }
}

TARGET static void dots_many(int32_t *out, const uint8_t *codes, size_t rows, const scry_code_query *q,
                             size_t n)
{
    /* 32 queries fetch the next four rows, half a row by each four: 4.5 -> 3.1 ns a row and query. */
    size_t whole = rows / TILE * TILE, quads = n / TILE * TILE, stride = q->stride;
    for (size_t i = 0; i < whole; i += TILE)
        for (size_t k = 0; k < quads; k += TILE)
            dot4x4(out + k * SCRY_BLOCK_ROWS + i, codes + i * stride, q + k,
                   codes + (i + TILE) * stride + k * stride / 8);
    for (size_t k = 0; k < n; k++) {
        size_t from = k < quads ? whole : 0;
        dots(out + k * SCRY_BLOCK_ROWS + from, codes + from * stride, NULL, rows - from, &q[k]);
    }
}

/* Sums over the 64-bit lanes of pairs of numbers, those of the low halves first. */
TARGET static inline __m256i reduce_pairs(__m512i a, __m512i b, __m512i c, __m512i d)
{
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi64(c, d), _mm512_unpackhi_epi64(c, d));
    __m512i half = _mm512_add_epi32(_mm512_shuffle_i64x2(ab, cd, 0x88), _mm512_shuffle_i64x2(ab, cd, 0xdd));
    __m512i whole = _mm512_add_epi32(_mm512_shuffle_i64x2(half, half, 0x88), _mm512_shuffle_i64x2(half, half, 0xdd));
    return _mm256_permutevar8x32_epi32(_mm512_castsi512_si256(whole), _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
}

/* Eight rows at a time, in order; their 64 sums are added up as a tree. */
TARGET_COUNT static void signs(int32_t *out, const uint8_t *rows, size_t n, const uint64_t *planes, size_t words)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m512i s[8];
#pragma GCC unroll 8
        for (size_t k = 0; k < 8; k++)
            s[k] = _mm512_setzero_si512();
        for (size_t w = 0; w < words; w += 8) {
            __mmask8 there = (__mmask8)(words - w < 8 ? (1u << (words - w)) - 1 : 255);
            __m512i p0 = _mm512_maskz_loadu_epi64(there, planes + w);
            __m512i p1 = _mm512_maskz_loadu_epi64(there, planes + words + w);
            __m512i p2 = _mm512_maskz_loadu_epi64(there, planes + 2 * words + w);
            __m512i p3 = _mm512_maskz_loadu_epi64(there, planes + 3 * words + w);
#pragma GCC unroll 8
            for (size_t k = 0; k < 8; k++) {
                __m512i bits = _mm512_maskz_loadu_epi64(there, rows + ((i + k) * words + w) * 8);
                __m512i c0 = _mm512_popcnt_epi64(_mm512_and_si512(bits, p0));
                __m512i c1 = _mm512_popcnt_epi64(_mm512_and_si512(bits, p1));
                __m512i c2 = _mm512_popcnt_epi64(_mm512_and_si512(bits, p2));
                __m512i c3 = _mm512_popcnt_epi64(_mm512_and_si512(bits, p3));
                __m512i even = _mm512_sub_epi64(c0, _mm512_slli_epi64(c3, 3));
                __m512i odd = _mm512_add_epi64(c1, _mm512_add_epi64(c2, c2));
                s[k] = _mm512_add_epi64(s[k], _mm512_add_epi64(even, _mm512_add_epi64(odd, odd)));
            }
        }
#pragma GCC unroll 4
        for (size_t k = 0; k < 4; k++)   /* sums fit 32 bits: rows k and k + 4 share a register */
            s[k] = _mm512_mask_mov_epi32(s[k], 0xaaaa, _mm512_slli_epi64(s[k + 4], 32));
        _mm256_storeu_si256((__m256i *)(void *)(out + i), reduce_pairs(s[0], s[1], s[2], s[3]));
    }
    for (; i < n; i++)
        out[i] = scry_signs_rest(rows + i * 8 * words, planes, 0, words);
}

const scry_scan_kernels scry_scan_kernels_avx512 = { "avx512-vnni", dots, dots_many, select_rows, scry_signs_avx2, false };
const scry_scan_kernels scry_scan_kernels_avx512_count = { "avx512-vnni-vpopcnt", dots, dots_many, select_rows, signs, false };
#endif
