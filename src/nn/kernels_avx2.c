/* kernels_avx2.c - AVX2, FMA and F16C: what nearly every x86-64 of the last ten years has.
 *
 * Sixteen registers hold tiles of 6 x 16 sums (4 x 16 where the products need spare ones),
 * so a panel is worked through in two halves. There is no bf16 or u8 x s8 product: bf16 is
 * widened to float, bytes to 16 bits (the 8-bit product of AVX2 saturates).
 */
#include "nn/kernels.h"
#include "nn/kernels_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>

#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define INLINE static inline __attribute__((always_inline))

enum { HALF = SCRY_PANEL / 2 };

AVX2 INLINE __m256i word_of(const uint8_t *a)
{
    int32_t word;
    memcpy(&word, a, 4);
    return _mm256_set1_epi32(word);
}

/* Sums of `rows` rows and 16 columns. PREPARE makes w[] of the two loaded registers, STEP
 * adds one row's products to s[0], s[1]. */
#define TILE(NAME, ROWS, VECTOR, ZERO, PREPARE, STEP)                                       \
    AVX2 INLINE void half_##NAME(const uint8_t *a, size_t lda, const uint8_t *b,            \
                                 size_t groups, const int rows, int32_t *acc, size_t ld)    \
    {                                                                                       \
        VECTOR s[6][2];                                                                     \
        _Pragma("GCC unroll 6") for (int r = 0; r < rows; r++)                              \
            s[r][0] = s[r][1] = ZERO;                                                       \
        for (size_t g = 0; g < groups; g++, b += SCRY_PANEL_GROUP_BYTES) {                  \
            const __m256i b0 = _mm256_loadu_si256((const __m256i *)b);                      \
            const __m256i b1 = _mm256_loadu_si256((const __m256i *)(b + 32));               \
            PREPARE                                                                         \
            _Pragma("GCC unroll 6") for (int r = 0; r < rows; r++) {                        \
                const __m256i x = word_of(a + (size_t)r * lda + g * 4);                     \
                STEP                                                                        \
            }                                                                               \
        }                                                                                   \
        _Pragma("GCC unroll 6") for (int r = 0; r < rows; r++) {                            \
            _mm256_storeu_si256((__m256i *)(acc + (size_t)r * ld), (__m256i)s[r][0]);       \
            _mm256_storeu_si256((__m256i *)(acc + (size_t)r * ld + 8), (__m256i)s[r][1]);   \
        }                                                                                   \
    }                                                                                       \
    AVX2 static void tile_##NAME(const scry_tile *t, int panels)                            \
    {                                                                                       \
        for (int h = 0; h < 2 * panels; h++) {                                              \
            const uint8_t *b = t->b + (size_t)(h / 2) * t->panel_stride + (h & 1) * HALF * 4; \
            for (int r0 = 0; r0 < t->rows; r0 += ROWS) {                                    \
                int32_t *acc = (int32_t *)t->acc + (size_t)r0 * t->ld_acc + h * HALF;       \
                const uint8_t *a = t->a + (size_t)r0 * t->lda;                              \
                switch (t->rows - r0 < ROWS ? t->rows - r0 : ROWS) {                        \
                case 1: half_##NAME(a, t->lda, b, t->groups, 1, acc, t->ld_acc); break;     \
                case 2: half_##NAME(a, t->lda, b, t->groups, 2, acc, t->ld_acc); break;     \
                case 3: half_##NAME(a, t->lda, b, t->groups, 3, acc, t->ld_acc); break;     \
                case 4: half_##NAME(a, t->lda, b, t->groups, 4, acc, t->ld_acc); break;     \
                case 5: half_##NAME(a, t->lda, b, t->groups, 5, acc, t->ld_acc); break;     \
                default: half_##NAME(a, t->lda, b, t->groups, 6, acc, t->ld_acc); break;    \
                }                                                                           \
            }                                                                               \
        }                                                                                   \
    }                                                                                       \
    AVX2 void scry_avx2_tile1_##NAME(const scry_tile *t) { tile_##NAME(t, 1); }             \
    AVX2 void scry_avx2_tile2_##NAME(const scry_tile *t) { tile_##NAME(t, 2); }

#define PREPARE_F32
#define STEP_F32                                                                            \
    s[r][0] = _mm256_fmadd_ps((__m256)x, (__m256)b0, s[r][0]);                              \
    s[r][1] = _mm256_fmadd_ps((__m256)x, (__m256)b1, s[r][1]);

/* A word holds two bf16: shifted up, the lower one is a float; masked, the upper one. */
#define LOWER(v) ((__m256)_mm256_slli_epi32(v, 16))
#define UPPER(v) ((__m256)_mm256_and_si256(v, _mm256_set1_epi32((int)0xFFFF0000)))
#define PREPARE_BF16                                                                        \
    const __m256 l0 = LOWER(b0), u0 = UPPER(b0), l1 = LOWER(b1), u1 = UPPER(b1);
#define STEP_BF16                                                                           \
    const __m256 xl = LOWER(x), xu = UPPER(x);                                              \
    s[r][0] = _mm256_fmadd_ps(xu, u0, _mm256_fmadd_ps(xl, l0, s[r][0]));                    \
    s[r][1] = _mm256_fmadd_ps(xu, u1, _mm256_fmadd_ps(xl, l1, s[r][1]));

/* Bytes 0 and 2 of each word as 16-bit numbers, and bytes 1 and 3: two exact products. */
#define EVEN(v) _mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8)
#define ODD(v) _mm256_srai_epi16(v, 8)
#define PREPARE_INT8                                                                        \
    const __m256i e0 = EVEN(b0), o0 = ODD(b0), e1 = EVEN(b1), o1 = ODD(b1);
#define STEP_INT8                                                                           \
    const __m256i xe = _mm256_and_si256(x, _mm256_set1_epi16(255)), xo = _mm256_srli_epi16(x, 8); \
    s[r][0] = _mm256_add_epi32(s[r][0], _mm256_add_epi32(_mm256_madd_epi16(xe, e0),         \
                                                         _mm256_madd_epi16(xo, o0)));       \
    s[r][1] = _mm256_add_epi32(s[r][1], _mm256_add_epi32(_mm256_madd_epi16(xe, e1),         \
                                                         _mm256_madd_epi16(xo, o1)));

TILE(f32, 6, __m256, _mm256_setzero_ps(), PREPARE_F32, STEP_F32)
TILE(bf16, 4, __m256, _mm256_setzero_ps(), PREPARE_BF16, STEP_BF16)
TILE(int8, 4, __m256i, _mm256_setzero_si256(), PREPARE_INT8, STEP_INT8)

/* ---- elementwise ---- */

AVX2 INLINE __m256 exp8(__m256 x)   /* as exp16 of kernels_avx512.c */
{
    x = _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(-87.3f)), _mm256_set1_ps(88.0f));
    __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)),
                               _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
    __m256 p = _mm256_set1_ps(1.9875691500e-4f);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.3981999507e-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.3334519073e-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.1665795894e-2f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.6666665459e-1f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(5.0000001201e-1f));
    p = _mm256_fmadd_ps(p, _mm256_mul_ps(r, r), _mm256_add_ps(r, _mm256_set1_ps(1)));
    __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n),
                                                       _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(p, (__m256)power);
}

AVX2 INLINE __m256 sigmoid8(__m256 x)
{
    __m256 e = exp8(_mm256_sub_ps(_mm256_setzero_ps(), x));
    return _mm256_div_ps(_mm256_set1_ps(1), _mm256_add_ps(_mm256_set1_ps(1), e));
}

AVX2 INLINE __m256 erf8(__m256 x)   /* as erf16 */
{
    const __m256 one = _mm256_set1_ps(1), sign = _mm256_set1_ps(-0.0f);
    __m256 z = _mm256_andnot_ps(sign, x);
    __m256 t = _mm256_div_ps(one, _mm256_fmadd_ps(z, _mm256_set1_ps(0.3275911f), one));
    __m256 p = _mm256_set1_ps(1.061405429f);
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-1.453152027f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(1.421413741f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-0.284496736f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(0.254829592f));
    __m256 e = exp8(_mm256_mul_ps(_mm256_xor_ps(z, sign), z));
    __m256 y = _mm256_fnmadd_ps(_mm256_mul_ps(p, t), e, one);
    return _mm256_or_ps(y, _mm256_and_ps(x, sign));
}

AVX2 INLINE __m256 activate8(scry_act act, __m256 x)
{
    __m256 half = _mm256_mul_ps(x, _mm256_set1_ps(0.5f)), u;
    switch (act) {
    case SCRY_ACT_QUICK_GELU:
        return _mm256_mul_ps(x, sigmoid8(_mm256_mul_ps(x, _mm256_set1_ps(1.702f))));
    case SCRY_ACT_GELU_NEAR:
    case SCRY_ACT_GELU:
        return _mm256_fmadd_ps(half, erf8(_mm256_mul_ps(x, _mm256_set1_ps(0.70710678f))), half);
    case SCRY_ACT_GELU_TANH_NEAR:
    case SCRY_ACT_GELU_TANH:
        u = _mm256_mul_ps(_mm256_mul_ps(x, x), _mm256_set1_ps(0.044715f));
        u = _mm256_mul_ps(_mm256_fmadd_ps(u, x, x), _mm256_set1_ps(2 * 0.79788456f));
        return _mm256_mul_ps(x, sigmoid8(u));
    case SCRY_ACT_RELU6:
        return _mm256_min_ps(_mm256_max_ps(x, _mm256_setzero_ps()), _mm256_set1_ps(6));
    case SCRY_ACT_RELU:
        return _mm256_max_ps(x, _mm256_setzero_ps());
    case SCRY_ACT_SILU:
        return _mm256_mul_ps(x, sigmoid8(x));
    case SCRY_ACT_NONE:
        break;
    }
    return x;
}

/* All ones in the first n of 8 lanes. */
AVX2 INLINE __m256i lanes(size_t n)
{
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < 8 ? (int)n : 8), index);
}

AVX2 INLINE void finish_row(const scry_finish *f, int r, bool ints, scry_act act)
{
    float *c = f->c + (size_t)r * f->ldc;
    const int32_t *acc = (const int32_t *)f->acc + (size_t)r * f->ld_acc;
    for (int n = 0; n < f->cols; n += 8) {
        __m256i m = lanes((size_t)(f->cols - n));
        __m256i raw = _mm256_loadu_si256((const __m256i *)(acc + n));
        __m256 x = (__m256)raw;
        if (ints) {
            __m256i sums = _mm256_loadu_si256((const __m256i *)(f->col_sum + n));
            __m256i shift = _mm256_mullo_epi32(_mm256_set1_epi32(f->row_zero[r]), sums);
            x = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(raw, shift)),
                              _mm256_set1_ps(f->row_scale[r]));
        }
        if (f->col_scale)
            x = _mm256_mul_ps(x, _mm256_loadu_ps(f->col_scale + n));
        if (f->bias)
            x = _mm256_add_ps(x, _mm256_loadu_ps(f->bias + n));
        x = activate8(act, x);
        if (f->add)
            x = _mm256_add_ps(x, _mm256_maskload_ps(c + n, m));
        _mm256_maskstore_ps(c + n, m, x);
    }
}

SCRY_FINISH(AVX2, finish_float, finish_row, false)
SCRY_FINISH(AVX2, finish_int, finish_row, true)

/* ---- conversions ---- */

/* 8 x 8 words of rows [i, i + 8) at group g, which all have 8 groups left. */
AVX2 INLINE void transpose8(const uint32_t *const *rows, size_t g, uint32_t *out)
{
    __m256i r[8], t[8];
    for (int i = 0; i < 8; i++)
        r[i] = rows[i] ? _mm256_loadu_si256((const __m256i *)(rows[i] + g)) : _mm256_setzero_si256();
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        r[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        __m256i *low = (__m256i *)(out + (size_t)i * SCRY_PANEL);
        __m256i *high = (__m256i *)(out + (size_t)(i + 4) * SCRY_PANEL);
        _mm256_storeu_si256(low, _mm256_permute2x128_si256(r[i], r[i + 4], 0x20));
        _mm256_storeu_si256(high, _mm256_permute2x128_si256(r[i], r[i + 4], 0x31));
    }
}

AVX2 static void transpose(const uint32_t *const *rows, size_t groups, uint32_t *out)
{
    size_t g = 0;
    for (; g + 8 <= groups; g += 8)
        for (int i = 0; i < SCRY_PANEL; i += 8)
            transpose8(rows + i, g, out + g * SCRY_PANEL + (size_t)i);
    for (; g < groups; g++)
        for (int i = 0; i < SCRY_PANEL; i++)
            out[g * SCRY_PANEL + (size_t)i] = rows[i] ? rows[i][g] : 0;
}

AVX2 static void to_floats(scry_dtype from, const void *src, size_t n, float *out)
{
    size_t i = 0;
    for (; i + 8 <= n && from != SCRY_DTYPE_F32; i += 8) {
        __m256 x;
        if (from == SCRY_DTYPE_F16)
            x = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)((const uint16_t *)src + i)));
        else if (from == SCRY_DTYPE_BF16)
            x = (__m256)_mm256_slli_epi32(_mm256_cvtepu16_epi32(
                _mm_loadu_si128((const __m128i *)((const uint16_t *)src + i))), 16);
        else
            x = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(
                _mm_loadl_epi64((const __m128i *)((const int8_t *)src + i))));
        _mm256_storeu_ps(out + i, x);
    }
    scry_to_floats(from, (const uint8_t *)src + i * scry_dtype_size(from), n - i, out + i);
}

AVX2 INLINE float lowest8(__m256 v)
{
    __m128 x = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    x = _mm_min_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_min_ss(x, _mm_shuffle_ps(x, x, 1)));
}

AVX2 INLINE float sum8(__m256 v)
{
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_shuffle_ps(x, x, 1)));
}

AVX2 static void quantise(const float *src, size_t n, uint8_t *out, float *scale, int32_t *zero)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 low = _mm256_setzero_ps(), minus_high = low;
    for (size_t i = 0; i < n; i += 8) {
        __m256 x = _mm256_maskload_ps(src + i, lanes(n - i));
        low = _mm256_min_ps(low, x);
        minus_high = _mm256_min_ps(minus_high, _mm256_xor_ps(x, sign));
    }
    scry_quantise_range(lowest8(low), -lowest8(minus_high), scale, zero);
    __m256 inverse = _mm256_set1_ps(1 / *scale), shift = _mm256_set1_ps((float)*zero);
    for (size_t i = 0; i < n; i += 8) {
        __m256 x = _mm256_fmadd_ps(_mm256_maskload_ps(src + i, lanes(n - i)), inverse, shift);
        __m256i q = _mm256_cvtps_epi32(x);
        __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
        uint8_t bytes[8];
        _mm_storel_epi64((__m128i *)bytes, _mm_packus_epi16(words, words));
        memcpy(out + i, bytes, n - i < 8 ? n - i : 8);
    }
}

/* ---- rows ---- */

AVX2 static void layer_norm(const float *x, size_t n, const float *gain, const float *bias,
                            float eps, float *out)
{
    __m256 sum = _mm256_setzero_ps(), squares = sum;
    for (size_t i = 0; i < n; i += 8)
        sum = _mm256_add_ps(sum, _mm256_maskload_ps(x + i, lanes(n - i)));
    __m256 mean = _mm256_set1_ps(sum8(sum) / (float)n);
    for (size_t i = 0; i < n; i += 8) {
        __m256i m = lanes(n - i);
        __m256 d = _mm256_and_ps(_mm256_sub_ps(_mm256_maskload_ps(x + i, m), mean), (__m256)m);
        squares = _mm256_fmadd_ps(d, d, squares);
    }
    __m256 factor = _mm256_set1_ps(1 / sqrtf(sum8(squares) / (float)n + eps));
    for (size_t i = 0; i < n; i += 8) {
        __m256i m = lanes(n - i);
        __m256 d = _mm256_mul_ps(_mm256_sub_ps(_mm256_maskload_ps(x + i, m), mean), factor);
        _mm256_maskstore_ps(out + i, m, _mm256_fmadd_ps(d, _mm256_maskload_ps(gain + i, m),
                                                        _mm256_maskload_ps(bias + i, m)));
    }
}

AVX2 static void softmax(float *x, size_t n, float factor)
{
    float high = x[0];
    for (size_t i = 1; i < n; i++)
        high = x[i] > high ? x[i] : high;
    __m256 top = _mm256_set1_ps(high), scale = _mm256_set1_ps(factor), sum = _mm256_setzero_ps();
    for (size_t i = 0; i < n; i += 8) {
        __m256i m = lanes(n - i);
        __m256 d = _mm256_mul_ps(_mm256_sub_ps(_mm256_maskload_ps(x + i, m), top), scale);
        __m256 e = _mm256_and_ps(exp8(d), (__m256)m);
        sum = _mm256_add_ps(sum, e);
        _mm256_maskstore_ps(x + i, m, e);
    }
    __m256 inverse = _mm256_set1_ps(1 / sum8(sum));
    for (size_t i = 0; i < n; i += 8) {
        __m256i m = lanes(n - i);
        _mm256_maskstore_ps(x + i, m, _mm256_mul_ps(_mm256_maskload_ps(x + i, m), inverse));
    }
}

/* ---- depthwise convolutions ---- */

enum { LANES = 8 };

/* The products of eight columns of one input row, for output row `row` with the weights `w`. */
AVX2 INLINE void add_row(__m256 sum[2][8], const __m256 *x, const float *w, const int row, const int k, const int stride)
{
    _Pragma("GCC unroll 7") for (int kx = 0; kx < k; kx++) {
        const __m256 weight = _mm256_loadu_ps(w + kx * SCRY_DEPTHWISE_BLOCK);
        _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++)
            sum[row][o] = _mm256_fmadd_ps(x[o * stride + kx], weight, sum[row][o]);
    }
}

/* A whole block without an activation, as most are: from the registers. Whether it was one. */
AVX2 INLINE bool store_plainly(const scry_depthwise *d, size_t c, int ox, const __m256 sum[2][8])
{
    if (d->act != SCRY_ACT_NONE || !d->out[1] || d->out_width - ox < 8 || d->channels - c < LANES)
        return false;
    float *out = d->out[0] + (size_t)ox * d->out_stride + c, *below = d->out[1] + (size_t)ox * d->out_stride + c;
    _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++, out += d->out_stride, below += d->out_stride) {
        _mm256_storeu_ps(out, sum[0][o]);
        _mm256_storeu_ps(below, sum[1][o]);
    }
    return true;
}

/* Apart, so that the activations are not repeated in the code of every size. */
AVX2 static __attribute__((noinline)) void store_places(const scry_depthwise *d, size_t c, int ox, const __m256 sum[2][8])
{
    const __m256i m = lanes(d->channels - c);
    const int n = d->out_width - ox < 8 ? d->out_width - ox : 8;
    for (int row = 0; row < 2 && d->out[row]; row++) {
        float *out = d->out[row] + (size_t)ox * d->out_stride + c;
        for (int o = 0; o < n; o++, out += d->out_stride)
            _mm256_maskstore_ps(out, m, activate8(d->act, sum[row][o]));
    }
}

/* Two rows of eight places: more sums than registers, but inputs come from the cache once for both. */
AVX2 INLINE void places(const scry_depthwise *d, size_t c, int ox, const int k, const int stride)
{
    const __m256i m = lanes(d->channels - c);
    const int columns = 7 * stride + k, left = ox * stride - d->pad_left;
    const bool inside = left >= 0 && left + columns <= d->width;
    const float *block = d->weights + c / SCRY_DEPTHWISE_BLOCK * (size_t)(1 + k * k) * SCRY_DEPTHWISE_BLOCK
                       + c % SCRY_DEPTHWISE_BLOCK;
    const size_t row_floats = (size_t)k * SCRY_DEPTHWISE_BLOCK;
    __m256 sum[2][8], x[21], done[2][8];
    _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++)
        sum[0][o] = sum[1][o] = _mm256_loadu_ps(block);
    const float *w = block + SCRY_DEPTHWISE_BLOCK;
    for (int y = 0; y < k + stride; y++, w += row_floats) {
        if (!d->rows[y])
            continue;
        const float *in = d->rows[y] + (ptrdiff_t)left * (ptrdiff_t)d->channels + c;
        _Pragma("GCC unroll 21") for (int i = 0; i < columns; i++, in += d->channels)
            x[i] = inside || (left + i >= 0 && left + i < d->width) ? _mm256_maskload_ps(in, m) : _mm256_setzero_ps();
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

SCRY_DEPTHWISE(AVX2)

static const scry_kernels table = {
    .name = "avx2",
    .tile1 = { scry_avx2_tile1_f32, scry_avx2_tile1_bf16, scry_avx2_tile1_int8 },
    .tile2 = { scry_avx2_tile2_f32, scry_avx2_tile2_bf16, scry_avx2_tile2_int8 },
    .finish_float = finish_float, .finish_int = finish_int, .transpose = transpose,
    .to_floats = to_floats, .to_bf16 = scry_generic_to_bf16, .pair_bf16 = scry_generic_pair_bf16,
    .interleave = scry_generic_interleave, .quantise = quantise,
    .layer_norm = layer_norm, .softmax = softmax, .depthwise = depthwise
};

const scry_kernels *scry_kernels_avx2(void)
{
    return &table;
}

#else

const scry_kernels *scry_kernels_avx2(void)
{
    return NULL;
}

#endif
