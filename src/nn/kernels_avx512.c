/* kernels_avx512.c - AVX-512 (F, BW, DQ, VL), with bf16 and VNNI where there are.
 *
 * The product keeps a tile of sums in registers: 6 rows x 64 columns (24 registers of
 * sums, 4 of B, one of A: 10 loads for 24 products) or, for the last panel and for short
 * texts, 8 x 32. A stays row-major: six row pointers fit the general registers, so no
 * rearranged copy of A is needed.
 */
#include "nn/kernels_avx512.h"

#include "nn/gelu_pieces.h"

#if defined(__x86_64__)

/* One function a row count, so that the sums' indices are constants and live in
 * registers. VECTOR is the type of the sums, STEP adds one product. */
#define TILE(NAME, TARGET, VECTOR, ZERO, STEP, COLS)                                        \
    TARGET INLINE void NAME##_rows(const scry_tile *t, const int rows)                      \
    {                                                                                       \
        VECTOR sum[8][COLS];                                                                \
        const uint8_t *a = t->a, *b = t->b, *soon = t->soon ? t->soon : b;                  \
        const size_t lda = t->lda, stride = t->panel_stride, bytes = t->groups * 4;         \
        _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                              \
            _Pragma("GCC unroll 4") for (int c = 0; c < COLS; c++)                          \
                sum[r][c] = ZERO;                                                           \
        for (size_t g = 0; g < bytes; g += 4, b += SCRY_PANEL_GROUP_BYTES) {                \
            __m512i w[COLS];                                                                \
            _mm_prefetch((const char *)soon + g / 4 * SCRY_PANEL_GROUP_BYTES, _MM_HINT_T1); \
            _Pragma("GCC unroll 4") for (int c = 0; c < COLS; c++)                          \
                w[c] = _mm512_loadu_si512(b + (c >> 1) * stride + (c & 1) * 64);            \
            _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++) {                        \
                int32_t word;                                                               \
                memcpy(&word, a + (size_t)r * lda + g, 4);                                  \
                __m512i x = _mm512_set1_epi32(word);                                        \
                _Pragma("GCC unroll 4") for (int c = 0; c < COLS; c++)                      \
                    sum[r][c] = STEP(sum[r][c], x, w[c]);                                   \
            }                                                                               \
        }                                                                                   \
        _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                              \
            _Pragma("GCC unroll 4") for (int c = 0; c < COLS; c++)                          \
                _mm512_storeu_si512((int32_t *)t->acc + (size_t)r * t->ld_acc + c * 16,     \
                                    (__m512i)sum[r][c]);                                    \
    }

#define TILE1(NAME, TARGET, VECTOR, ZERO, STEP)                                             \
    TILE(NAME, TARGET, VECTOR, ZERO, STEP, 2)                                               \
    TARGET static void NAME(const scry_tile *t)                                             \
    {                                                                                       \
        switch (t->rows) {                                                                  \
        case 1: NAME##_rows(t, 1); break;                                                   \
        case 2: NAME##_rows(t, 2); break;                                                   \
        case 3: NAME##_rows(t, 3); break;                                                   \
        case 4: NAME##_rows(t, 4); break;                                                   \
        case 5: NAME##_rows(t, 5); break;                                                   \
        case 6: NAME##_rows(t, 6); break;                                                   \
        case 7: NAME##_rows(t, 7); break;                                                   \
        default: NAME##_rows(t, 8); break;                                                  \
        }                                                                                   \
    }

#define TILE2(NAME, TARGET, VECTOR, ZERO, STEP)                                             \
    TILE(NAME, TARGET, VECTOR, ZERO, STEP, 4)                                               \
    TARGET static void NAME(const scry_tile *t)                                             \
    {                                                                                       \
        switch (t->rows) {                                                                  \
        case 1: NAME##_rows(t, 1); break;                                                   \
        case 2: NAME##_rows(t, 2); break;                                                   \
        case 3: NAME##_rows(t, 3); break;                                                   \
        case 4: NAME##_rows(t, 4); break;                                                   \
        case 5: NAME##_rows(t, 5); break;                                                   \
        default: NAME##_rows(t, 6); break;                                                  \
        }                                                                                   \
    }

#define STEP_F32(s, x, w) _mm512_fmadd_ps((__m512)(x), (__m512)(w), s)
#define STEP_BF16(s, x, w) _mm512_dpbf16_ps(s, (__m512bh)(x), (__m512bh)(w))
#define STEP_INT8(s, x, w) _mm512_dpbusd_epi32(s, x, w)

TILE1(tile1_f32, AVX512, __m512, _mm512_setzero_ps(), STEP_F32)
TILE2(tile2_f32, AVX512, __m512, _mm512_setzero_ps(), STEP_F32)
TILE1(tile1_bf16, AVX512_BF16, __m512, _mm512_setzero_ps(), STEP_BF16)
TILE2(tile2_bf16, AVX512_BF16, __m512, _mm512_setzero_ps(), STEP_BF16)
TILE1(tile1_int8, AVX512_VNNI, __m512i, _mm512_setzero_si512(), STEP_INT8)
TILE2(tile2_int8, AVX512_VNNI, __m512i, _mm512_setzero_si512(), STEP_INT8)

/* ---- elementwise ---- */

/* 1 / x for |x| in [1, 2^127]: a table's 14 bits and a step of Newton's. A third of the time of a division. */
AVX512 INLINE __m512 inverse16(__m512 x)
{
    __m512 y = _mm512_rcp14_ps(x);
    return _mm512_mul_ps(y, _mm512_fnmadd_ps(x, y, _mm512_set1_ps(2)));
}

/* x / (1 + 2^t), for x times a sigmoid; a NaN in t stays. */
AVX512 INLINE __m512 gated16(__m512 x, __m512 t)
{
    t = _mm512_max_ps(_mm512_set1_ps(-126), _mm512_min_ps(_mm512_set1_ps(126), t));
    return _mm512_mul_ps(x, inverse16(_mm512_add_ps(_mm512_set1_ps(1), exp2_16(t))));
}

/* erf by Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7. */
AVX512 INLINE __m512 erf16(__m512 x)
{
    const __m512 one = _mm512_set1_ps(1);
    __m512 z = _mm512_abs_ps(x);
    __m512 t = inverse16(_mm512_fmadd_ps(z, _mm512_set1_ps(0.3275911f), one));
    __m512 p = _mm512_set1_ps(1.061405429f);
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-1.453152027f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(1.421413741f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.284496736f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.254829592f));
    __m512 e = exp2_16(_mm512_max_ps(_mm512_set1_ps(-126), _mm512_mul_ps(_mm512_mul_ps(z, _mm512_set1_ps(-LOG2_E)), z)));
    __m512 y = _mm512_fnmadd_ps(_mm512_mul_ps(p, t), e, one);
    __m512i sign = _mm512_and_si512((__m512i)x, _mm512_set1_epi32((int)0x80000000));
    return (__m512)_mm512_or_si512((__m512i)y, sign);
}

/* x S(x) with S of one of scry_gelu_pieces: 7 operations of the multipliers instead of 18. */
AVX512 INLINE __m512 gelu_by_pieces(const float (*pieces)[SCRY_GELU_PIECES], __m512 x)
{
    __m512 z = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(SCRY_GELU_LEAST)), _mm512_set1_ps(SCRY_GELU_MOST));
    __m512i i = (__m512i)_mm512_fmadd_ps(z, _mm512_set1_ps(4), _mm512_set1_ps(0x1.8p23f + 16));   /* its low bits are the piece */
    __m512 c[3];
    _Pragma("GCC unroll 3") for (int k = 0; k < 3; k++)
        c[k] = _mm512_permutex2var_ps(_mm512_loadu_ps(pieces[k]), i, _mm512_loadu_ps(pieces[k] + 16));
    return _mm512_mul_ps(x, _mm512_fmadd_ps(z, _mm512_fmadd_ps(z, c[2], c[1]), c[0]));
}

AVX512 INLINE __m512 activate16(scry_act act, __m512 x)
{
    switch (act) {
    case SCRY_ACT_QUICK_GELU:
        return gated16(x, _mm512_mul_ps(x, _mm512_set1_ps(-1.702f * LOG2_E)));
    case SCRY_ACT_GELU: {
        __m512 e = erf16(_mm512_mul_ps(x, _mm512_set1_ps(0.70710678f)));
        __m512 half = _mm512_mul_ps(x, _mm512_set1_ps(0.5f));
        return _mm512_fmadd_ps(half, e, half);
    }
    case SCRY_ACT_GELU_TANH: {   /* 0.5 (1 + tanh u) is the sigmoid of 2 u; u = 0.79788456 (x + 0.044715 x^3) */
        const float factor = -2 * 0.79788456f * LOG2_E;
        __m512 t = _mm512_fmadd_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(0.044715f * factor), _mm512_set1_ps(factor));
        return gated16(x, _mm512_mul_ps(t, x));
    }
    case SCRY_ACT_RELU6:
        return _mm512_min_ps(_mm512_max_ps(x, _mm512_setzero_ps()), _mm512_set1_ps(6));
    case SCRY_ACT_RELU:
        return _mm512_max_ps(x, _mm512_setzero_ps());
    case SCRY_ACT_SILU:
        return gated16(x, _mm512_mul_ps(x, _mm512_set1_ps(-LOG2_E)));
    case SCRY_ACT_GELU_NEAR:
        return gelu_by_pieces(scry_gelu_pieces, x);
    case SCRY_ACT_GELU_TANH_NEAR:
        return gelu_by_pieces(scry_gelu_tanh_pieces, x);
    case SCRY_ACT_NONE:
        break;
    }
    return x;
}

/* What sums are: floats, integers, or floats of rows with a factor and nothing else. */
typedef enum { FLOATS, INTS, SCALED } sum_kind;

/* act(sum * scale + bias) of row r, columns [n, n + 16). */
AVX512 INLINE __m512 finish16(const scry_finish *f, const int r, const int n, const sum_kind kind, const scry_act act)
{
    __m512i raw = _mm512_loadu_si512((const char *)f->acc + ((size_t)r * f->ld_acc + (size_t)n) * 4);
    __m512 x = (__m512)raw;
    if (kind == SCALED)
        return _mm512_mul_ps(x, _mm512_set1_ps(f->row_scale[r]));
    if (kind == INTS) {
        __m512i shift = _mm512_mullo_epi32(_mm512_set1_epi32(f->row_zero[r]), _mm512_loadu_si512(f->col_sum + n));
        x = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(raw, shift)), _mm512_set1_ps(f->row_scale[r]));
    }
    if (f->col_scale)
        x = _mm512_mul_ps(x, _mm512_loadu_ps(f->col_scale + n));
    if (f->bias)
        x = _mm512_add_ps(x, _mm512_loadu_ps(f->bias + n));
    return activate16(act, x);
}

AVX512 INLINE void finish_row(const scry_finish *f, const int r, const sum_kind kind, const scry_act act)
{
    float *c = f->c + (size_t)r * f->ldc;
    for (int n = 0; n < f->cols; n += 16) {
        __mmask16 m = lanes((size_t)(f->cols - n));
        __m512 x = finish16(f, r, n, kind, act);
        if (f->add)
            x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(m, c + n));
        _mm512_mask_storeu_ps(c + n, m, x);
    }
}

/* The numbers are rounded two registers at a time, of which the second may be behind the columns, in what is padded. */
AVX512_BF16 INLINE void finish_row_bf16(const scry_finish *f, const int r, const sum_kind kind, const scry_act act)
{
    uint16_t *c = (uint16_t *)f->c + (size_t)r * f->ldc;
    for (int n = 0; n < f->cols; n += 32) {
        int left = f->cols - n;
        __m512 even = finish16(f, r, n, kind, act), odd = finish16(f, r, n + 16, kind, act);
        _mm512_mask_storeu_epi16(c + n, left >= 32 ? 0xFFFFFFFF : (1u << left) - 1, (__m512i)_mm512_cvtne2ps_pbh(odd, even));
    }
}

SCRY_FINISH(AVX512, finish_float, finish_row, FLOATS)
SCRY_FINISH(AVX512, finish_int, finish_row, INTS)
SCRY_FINISH(AVX512_BF16, finish_float_bf16, finish_row_bf16, FLOATS)
SCRY_FINISH(AVX512_BF16, finish_int_bf16, finish_row_bf16, INTS)

AVX512 static void finish_scaled(const scry_finish *f)
{
    for (int r = 0; r < f->rows; r++)
        finish_row(f, r, SCALED, SCRY_ACT_NONE);
}

AVX512_BF16 static void finish_scaled_bf16(const scry_finish *f)
{
    for (int r = 0; r < f->rows; r++)
        finish_row_bf16(f, r, SCALED, SCRY_ACT_NONE);
}

/* ---- conversions ---- */

/* 16 x 16 words: four rounds of interleaving, each doubling the run of one row. */
AVX512 INLINE void transpose16(__m512i r[16])
{
    __m512i t[16];
    _Pragma("GCC unroll 8") for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    _Pragma("GCC unroll 4") for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xDD);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xDD);
    }
    _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xDD);
        r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xDD);
    }
}

AVX512 static void transpose(const uint32_t *const *rows, size_t groups, uint32_t *out)
{
    for (size_t g = 0; g < groups; g += 16) {
        __mmask16 m = lanes(groups - g);
        size_t n = groups - g < 16 ? groups - g : 16;
        for (int half = 0; half < 2; half++) {
            __m512i r[16];
            _Pragma("GCC unroll 16") for (int i = 0; i < 16; i++) {
                const uint32_t *row = rows[half * 16 + i];
                r[i] = row ? _mm512_maskz_loadu_epi32(m, row + g) : _mm512_setzero_si512();
            }
            transpose16(r);
            _Pragma("GCC unroll 16") for (size_t i = 0; i < 16; i++)
                if (i < n)
                    _mm512_storeu_si512(out + (g + i) * SCRY_PANEL + half * 16, r[i]);
        }
    }
}

/* Sixteen stored numbers at element i, those of the mask. */
AVX512 INLINE __m512 load16(scry_dtype from, const void *src, size_t i, __mmask16 m)
{
    if (from == SCRY_DTYPE_F16)
        return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(m, (const uint16_t *)src + i));
    if (from == SCRY_DTYPE_I8)
        return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(
            _mm_maskz_loadu_epi8(m, (const int8_t *)src + i)));
    __m256i half = _mm256_maskz_loadu_epi16(m, (const uint16_t *)src + i);
    return (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16);
}

AVX512 INLINE void widen(const scry_dtype from, const void *src, size_t n, float *out)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(out + i, load16(from, src, i, 0xFFFF));
    if (i < n)
        _mm512_mask_storeu_ps(out + i, lanes(n - i), load16(from, src, i, lanes(n - i)));
}

AVX512 static void to_floats(scry_dtype from, const void *src, size_t n, float *out)
{
    switch (from) {
    case SCRY_DTYPE_F32: memcpy(out, src, n * sizeof *out); break;
    case SCRY_DTYPE_F16: widen(SCRY_DTYPE_F16, src, n, out); break;
    case SCRY_DTYPE_BF16: widen(SCRY_DTYPE_BF16, src, n, out); break;
    case SCRY_DTYPE_I8: widen(SCRY_DTYPE_I8, src, n, out); break;
    }
}

AVX512_BF16 static void to_bf16(const float *src, size_t n, uint16_t *out)
{
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        _mm512_storeu_si512(out + i, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(src + i + 16),
                                                                  _mm512_loadu_ps(src + i)));
    for (; i < n; i += 16) {
        __mmask16 m = lanes(n - i);
        _mm256_mask_storeu_epi16(out + i, m,
                                 (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, src + i)));
    }
}

/* The two registers of a conversion hold 32 numbers one after the other: interleaved they are pairs. */
AVX512_BF16 static void pair_bf16(const float *even, const float *odd, size_t n, uint32_t *out)
{
    static const uint16_t order[32] = { 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
                                        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31 };
    const __m512i places = _mm512_loadu_si512(order);
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 m = lanes(n - i);
        __m512bh both = _mm512_cvtne2ps_pbh(odd ? _mm512_maskz_loadu_ps(m, odd + i) : _mm512_setzero_ps(),
                                            _mm512_maskz_loadu_ps(m, even + i));
        _mm512_mask_storeu_epi32(out + i, m, _mm512_permutexvar_epi16(places, (__m512i)both));
    }
}

AVX512 static void interleave(const uint16_t *even, const uint16_t *odd, size_t n, uint32_t *out)
{
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 m = lanes(n - i);
        __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, even + i));
        __m512i high = odd ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, odd + i)) : _mm512_setzero_si512();
        _mm512_mask_storeu_epi32(out + i, m, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
}

AVX512 static void quantise(const float *src, size_t n, uint8_t *out, float *scale, int32_t *zero)
{
    const __m512i in_order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512 low = _mm512_setzero_ps(), high = low, low2 = low, high2 = low;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m512 x = _mm512_loadu_ps(src + i), y = _mm512_loadu_ps(src + i + 16);
        low = _mm512_min_ps(low, x);
        high = _mm512_max_ps(high, x);
        low2 = _mm512_min_ps(low2, y);
        high2 = _mm512_max_ps(high2, y);
    }
    for (; i < n; i += 16) {
        __m512 x = _mm512_maskz_loadu_ps(lanes(n - i), src + i);
        low = _mm512_min_ps(low, x);
        high = _mm512_max_ps(high, x);
    }
    low = _mm512_min_ps(low, low2);
    high = _mm512_max_ps(high, high2);
    scry_quantise_range(_mm512_reduce_min_ps(low), _mm512_reduce_max_ps(high), scale, zero);
    __m512 inverse = _mm512_set1_ps(1 / *scale), shift = _mm512_set1_ps((float)*zero);
    for (i = 0; i + 64 <= n; i += 64) {
        __m512i q[4];
        _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++)
            q[k] = _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_loadu_ps(src + i + 16 * k), inverse, shift));
        __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(q[0], q[1]), _mm512_packs_epi32(q[2], q[3]));
        _mm512_storeu_si512(out + i, _mm512_permutexvar_epi32(in_order, bytes));
    }
    for (; i < n; i += 16) {
        __mmask16 m = lanes(n - i);
        __m512 x = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(m, src + i), inverse, shift);
        __m512i q = _mm512_max_epi32(_mm512_cvtps_epi32(x), _mm512_setzero_si512());
        _mm_mask_storeu_epi8(out + i, m, _mm512_cvtusepi32_epi8(q));
    }
}

/* ---- depthwise convolutions ---- */

enum { LANES = 16 };

/* The products of eight columns of one input row, for output row `row` with the weights `w`. */
AVX512 INLINE void add_row(__m512 sum[2][8], const __m512 *x, const float *w, const int row, const int k, const int stride)
{
    _Pragma("GCC unroll 7") for (int kx = 0; kx < k; kx++) {
        const __m512 weight = _mm512_loadu_ps(w + kx * SCRY_DEPTHWISE_BLOCK);
        _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++)
            sum[row][o] = _mm512_fmadd_ps(x[o * stride + kx], weight, sum[row][o]);
    }
}

/* A whole block without an activation, as most are: from the registers. Whether it was one. */
AVX512 INLINE bool store_plainly(const scry_depthwise *d, size_t c, int ox, const __m512 sum[2][8])
{
    if (d->act != SCRY_ACT_NONE || !d->out[1] || d->out_width - ox < 8)
        return false;
    const __mmask16 m = lanes(d->channels - c);
    float *out = d->out[0] + (size_t)ox * d->out_stride + c, *below = d->out[1] + (size_t)ox * d->out_stride + c;
    _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++, out += d->out_stride, below += d->out_stride) {
        _mm512_mask_storeu_ps(out, m, sum[0][o]);
        _mm512_mask_storeu_ps(below, m, sum[1][o]);
    }
    return true;
}

/* Apart, so that the activations are not repeated in the code of every size. */
AVX512 static __attribute__((noinline)) void store_places(const scry_depthwise *d, size_t c, int ox, const __m512 sum[2][8])
{
    const __mmask16 m = lanes(d->channels - c);
    const int n = d->out_width - ox < 8 ? d->out_width - ox : 8;
    for (int row = 0; row < 2 && d->out[row]; row++) {
        float *out = d->out[row] + (size_t)ox * d->out_stride + c;
        for (int o = 0; o < n; o++, out += d->out_stride)
            _mm512_mask_storeu_ps(out, m, activate16(d->act, sum[row][o]));
    }
}

/* Sixteen sums, two rows of eight places: each is used again only after the others, which hides the latency of the
 * products, and an input row of 14 numbers serves 112 of them. */
AVX512 INLINE void places(const scry_depthwise *d, size_t c, int ox, const int k, const int stride)
{
    const __mmask16 m = lanes(d->channels - c);
    const int columns = 7 * stride + k, left = ox * stride - d->pad_left;
    const bool inside = left >= 0 && left + columns <= d->width;
    const float *block = d->weights + c / SCRY_DEPTHWISE_BLOCK * (size_t)(1 + k * k) * SCRY_DEPTHWISE_BLOCK
                       + c % SCRY_DEPTHWISE_BLOCK;
    const size_t row_floats = (size_t)k * SCRY_DEPTHWISE_BLOCK;
    __m512 sum[2][8], x[21], done[2][8];
    _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++)
        sum[0][o] = sum[1][o] = _mm512_loadu_ps(block);
    const float *w = block + SCRY_DEPTHWISE_BLOCK;
    for (int y = 0; y < k + stride; y++, w += row_floats) {
        if (!d->rows[y])
            continue;
        const float *in = d->rows[y] + (ptrdiff_t)left * (ptrdiff_t)d->channels + c;
        _Pragma("GCC unroll 21") for (int i = 0; i < columns; i++, in += d->channels)
            x[i] = inside || (left + i >= 0 && left + i < d->width) ? _mm512_maskz_loadu_ps(m, in) : _mm512_setzero_ps();
        if (y < k)
            add_row(sum, x, w, 0, k, stride);
        if (y >= stride)
            add_row(sum, x, w - (size_t)stride * row_floats, 1, k, stride);
    }
    if (store_plainly(d, c, ox, sum))
        return;
    _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++) {
        done[0][o] = sum[0][o];
        done[1][o] = sum[1][o];
    }
    store_places(d, c, ox, done);
}

SCRY_DEPTHWISE(AVX512)

#define AVX512_TABLE(table_name, has_bf16, has_vnni)                                        \
    {                                                                                       \
        .name = table_name, .fast_bf16 = has_bf16, .fast_int8 = has_vnni,                   \
        .tile1 = { tile1_f32, has_bf16 ? tile1_bf16 : scry_avx2_tile1_bf16,                 \
                   has_vnni ? tile1_int8 : scry_avx2_tile1_int8 },                          \
        .tile2 = { tile2_f32, has_bf16 ? tile2_bf16 : scry_avx2_tile2_bf16,                 \
                   has_vnni ? tile2_int8 : scry_avx2_tile2_int8 },                          \
        .finish_float = finish_float, .finish_int = finish_int, .transpose = transpose,     \
        .finish_float_bf16 = has_bf16 ? finish_float_bf16 : NULL,                           \
        .finish_int_bf16 = has_bf16 ? finish_int_bf16 : NULL,                               \
        .to_floats = to_floats, .to_bf16 = has_bf16 ? to_bf16 : scry_generic_to_bf16,       \
        .pair_bf16 = has_bf16 ? pair_bf16 : scry_generic_pair_bf16,                         \
        .interleave = interleave,                                                           \
        .quantise = quantise, .layer_norm = scry_avx512_layer_norm, .softmax = scry_avx512_softmax, \
        .exponentials_bf16 = has_bf16 ? scry_avx512_exponentials_bf16 : NULL,               \
        .finish_scaled = finish_scaled,                                                     \
        .finish_scaled_bf16 = has_bf16 ? finish_scaled_bf16 : NULL,                         \
        .layer_norm_bf16 = has_bf16 ? scry_avx512_layer_norm_bf16 : NULL,                   \
        .depthwise = depthwise                                                              \
    }

static const scry_kernels tables[2][2] = {   /* [bf16][VNNI] */
    { AVX512_TABLE("avx512", false, false), AVX512_TABLE("avx512+vnni", false, true) },
    { AVX512_TABLE("avx512+bf16", true, false), AVX512_TABLE("avx512+bf16+vnni", true, true) }
};

const scry_kernels *scry_kernels_avx512(bool bf16, bool vnni)
{
    return &tables[bf16][vnni];
}

#else

const scry_kernels *scry_kernels_avx512(bool bf16, bool vnni)
{
    return NULL;
}

#endif
