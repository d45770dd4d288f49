/* kernels_neon.c - aarch64: what is not a matrix product, and the tables. Four lanes and no masks: the ends of rows are
 * copied through a register's worth of memory. */
#include "nn/kernels_neon.h"

#include "base/cpu.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <math.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 4 };

/* Up to four numbers; the others are zero, and not read. */
INLINE float32x4_t load(const float *p, size_t n)
{
    float some[LANES] = { 0 };
    if (n >= LANES)
        return vld1q_f32(p);
    memcpy(some, p, n * sizeof *some);
    return vld1q_f32(some);
}

INLINE void store(float *p, size_t n, float32x4_t v)
{
    float all[LANES];
    if (n >= LANES) {
        vst1q_f32(p, v);
        return;
    }
    vst1q_f32(all, v);
    memcpy(p, all, n * sizeof *all);
}

/* v in the first n lanes, zero in the others. */
INLINE float32x4_t first(float32x4_t v, size_t n)
{
    static const uint32_t index[LANES] = { 0, 1, 2, 3 };
    if (n >= LANES)
        return v;
    uint32x4_t mask = vcltq_u32(vld1q_u32(index), vdupq_n_u32((uint32_t)n));
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v), mask));
}

/* ---- elementwise ---- */

INLINE float32x4_t number(float x)
{
    return vdupq_n_f32(x);
}

INLINE float32x4_t exp4(float32x4_t x)   /* as exp16 of kernels_avx512.c */
{
    x = vminq_f32(vmaxq_f32(x, number(-87.3f)), number(88.0f));
    float32x4_t n = vrndnq_f32(vmulq_f32(x, number(1.44269504f)));
    float32x4_t r = vfmsq_f32(x, n, number(0.693359375f));
    r = vfmsq_f32(r, n, number(-2.12194440e-4f));
    float32x4_t p = number(1.9875691500e-4f);
    p = vfmaq_f32(number(1.3981999507e-3f), p, r);
    p = vfmaq_f32(number(8.3334519073e-3f), p, r);
    p = vfmaq_f32(number(4.1665795894e-2f), p, r);
    p = vfmaq_f32(number(1.6666665459e-1f), p, r);
    p = vfmaq_f32(number(5.0000001201e-1f), p, r);
    p = vfmaq_f32(vaddq_f32(r, number(1)), p, vmulq_f32(r, r));
    int32x4_t power = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    return vmulq_f32(p, vreinterpretq_f32_s32(power));
}

INLINE float32x4_t sigmoid4(float32x4_t x)
{
    return vdivq_f32(number(1), vaddq_f32(number(1), exp4(vnegq_f32(x))));
}

INLINE float32x4_t erf4(float32x4_t x)   /* as erf16 */
{
    float32x4_t z = vabsq_f32(x);
    float32x4_t t = vdivq_f32(number(1), vfmaq_f32(number(1), z, number(0.3275911f)));
    float32x4_t p = number(1.061405429f);
    p = vfmaq_f32(number(-1.453152027f), p, t);
    p = vfmaq_f32(number(1.421413741f), p, t);
    p = vfmaq_f32(number(-0.284496736f), p, t);
    p = vfmaq_f32(number(0.254829592f), p, t);
    float32x4_t y = vfmsq_f32(number(1), vmulq_f32(p, t), exp4(vmulq_f32(vnegq_f32(z), z)));
    return vbslq_f32(vdupq_n_u32(0x80000000), x, y);
}

INLINE float32x4_t activate4(scry_act act, float32x4_t x)
{
    float32x4_t half = vmulq_f32(x, number(0.5f)), u;
    switch (act) {
    case SCRY_ACT_QUICK_GELU:
        return vmulq_f32(x, sigmoid4(vmulq_f32(x, number(1.702f))));
    case SCRY_ACT_GELU_NEAR:
    case SCRY_ACT_GELU:
        return vfmaq_f32(half, half, erf4(vmulq_f32(x, number(0.70710678f))));
    case SCRY_ACT_GELU_TANH_NEAR:
    case SCRY_ACT_GELU_TANH:
        u = vmulq_f32(vmulq_f32(x, x), number(0.044715f));
        u = vmulq_f32(vfmaq_f32(x, u, x), number(2 * 0.79788456f));
        return vmulq_f32(x, sigmoid4(u));
    case SCRY_ACT_RELU6:
        return vminq_f32(vmaxq_f32(x, number(0)), number(6));
    case SCRY_ACT_RELU:
        return vmaxq_f32(x, number(0));
    case SCRY_ACT_SILU:
        return vmulq_f32(x, sigmoid4(x));
    case SCRY_ACT_NONE:
        break;
    }
    return x;
}

/* Columns n .. n + 3 of row r, before they are added; sums and factors are padded. */
INLINE float32x4_t finish4(const scry_finish *f, const int32_t *acc, int r, int n, bool ints)
{
    const int32x4_t raw = vld1q_s32(acc + n);
    if (!ints)
        return vreinterpretq_f32_s32(raw);
    int32x4_t shift = vmulq_n_s32(vld1q_s32(f->col_sum + n), f->row_zero[r]);
    return vmulq_n_f32(vcvtq_f32_s32(vsubq_s32(raw, shift)), f->row_scale[r]);
}

/* Most products have a bias and no factors: the columns of these without further questions. */
INLINE int finish_plainly(const scry_finish *f, const int32_t *acc, float *c, scry_act act)
{
    const float *bias = f->bias;
    int n = 0, cols = f->cols;
    for (; n + 4 * LANES <= cols; n += 4 * LANES) {
        const float32x4x4_t sums = vld1q_f32_x4((const float *)acc + n), add = vld1q_f32_x4(bias + n);
        float32x4x4_t x;
        _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++)
            x.val[i] = activate4(act, vaddq_f32(sums.val[i], add.val[i]));
        vst1q_f32_x4(c + n, x);
    }
    return n;
}

INLINE void finish_row(const scry_finish *f, int r, bool ints, scry_act act)
{
    float *c = f->c + (size_t)r * f->ldc;
    const int32_t *acc = (const int32_t *)f->acc + (size_t)r * f->ld_acc;
    int n = !ints && f->bias && !f->col_scale && !f->add ? finish_plainly(f, acc, c, act) : 0;
    for (; n < f->cols; n += LANES) {
        size_t left = (size_t)(f->cols - n);
        float32x4_t x = finish4(f, acc, r, n, ints);
        if (f->col_scale)
            x = vmulq_f32(x, vld1q_f32(f->col_scale + n));
        if (f->bias)
            x = vaddq_f32(x, vld1q_f32(f->bias + n));
        x = activate4(act, x);
        if (f->add)
            x = vaddq_f32(x, load(c + n, left));
        store(c + n, left, x);
    }
}

SCRY_FINISH(, finish_float, finish_row, false)
SCRY_FINISH(, finish_int, finish_row, true)

/* ---- conversions ---- */

/* 4 x 4 words of rows [0, 4) at group g. */
INLINE void transpose4(const uint32_t *const *rows, size_t g, uint32_t *out)
{
    uint32x4_t r[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        r[i] = rows[i] ? vld1q_u32(rows[i] + g) : vdupq_n_u32(0);
    uint64x2_t a = vreinterpretq_u64_u32(vtrn1q_u32(r[0], r[1])), b = vreinterpretq_u64_u32(vtrn2q_u32(r[0], r[1]));
    uint64x2_t c = vreinterpretq_u64_u32(vtrn1q_u32(r[2], r[3])), d = vreinterpretq_u64_u32(vtrn2q_u32(r[2], r[3]));
    vst1q_u32(out, vreinterpretq_u32_u64(vtrn1q_u64(a, c)));
    vst1q_u32(out + SCRY_PANEL, vreinterpretq_u32_u64(vtrn1q_u64(b, d)));
    vst1q_u32(out + 2 * SCRY_PANEL, vreinterpretq_u32_u64(vtrn2q_u64(a, c)));
    vst1q_u32(out + 3 * SCRY_PANEL, vreinterpretq_u32_u64(vtrn2q_u64(b, d)));
}

static void transpose(const uint32_t *const *rows, size_t groups, uint32_t *out)
{
    size_t g = 0;
    for (; g + 4 <= groups; g += 4)
        for (int i = 0; i < SCRY_PANEL; i += 4)
            transpose4(rows + i, g, out + g * SCRY_PANEL + (size_t)i);
    for (; g < groups; g++)
        for (int i = 0; i < SCRY_PANEL; i++)
            out[g * SCRY_PANEL + (size_t)i] = rows[i] ? rows[i][g] : 0;
}

static void to_floats(scry_dtype from, const void *src, size_t n, float *out)
{
    size_t i = 0;
    for (; i + 8 <= n && from == SCRY_DTYPE_I8; i += 8) {
        int16x8_t v = vmovl_s8(vld1_s8((const int8_t *)src + i));
        vst1q_f32(out + i, vcvtq_f32_s32(vmovl_s16(vget_low_s16(v))));
        vst1q_f32(out + i + 4, vcvtq_f32_s32(vmovl_high_s16(v)));
    }
    for (; i + 8 <= n && (from == SCRY_DTYPE_F16 || from == SCRY_DTYPE_BF16); i += 8) {
        uint16x8_t v = vld1q_u16((const uint16_t *)src + i);
        if (from == SCRY_DTYPE_F16) {
            vst1q_f32(out + i, vcvt_f32_f16(vget_low_f16(vreinterpretq_f16_u16(v))));
            vst1q_f32(out + i + 4, vcvt_high_f32_f16(vreinterpretq_f16_u16(v)));
        } else {
            vst1q_u32((uint32_t *)out + i, vshll_n_u16(vget_low_u16(v), 16));
            vst1q_u32((uint32_t *)out + i + 4, vshll_high_n_u16(v, 16));
        }
    }
    scry_to_floats(from, (const uint8_t *)src + i * scry_dtype_size(from), n - i, out + i);
}

static void quantise(const float *src, size_t n, uint8_t *out, float *scale, int32_t *zero)
{
    float32x4_t low = number(0), high = low;
    for (size_t i = 0; i < n; i += LANES) {
        float32x4_t x = load(src + i, n - i);
        low = vminnmq_f32(low, x);
        high = vmaxnmq_f32(high, x);
    }
    scry_quantise_range(vminvq_f32(low), vmaxvq_f32(high), scale, zero);
    float32x4_t inverse = number(1 / *scale), shift = number((float)*zero);
    for (size_t i = 0; i < n; i += 8) {
        int32x4_t q0 = vcvtnq_s32_f32(vfmaq_f32(shift, load(src + i, n - i), inverse)), q1 = q0;
        if (n - i > LANES)
            q1 = vcvtnq_s32_f32(vfmaq_f32(shift, load(src + i + 4, n - i - 4), inverse));
        uint8x8_t bytes = vqmovun_s16(vcombine_s16(vqmovn_s32(q0), vqmovn_s32(q1)));
        if (n - i >= 8)
            vst1_u8(out + i, bytes);
        else
            memcpy(out + i, &bytes, n - i);
    }
}

/* ---- rows ---- */

static void layer_norm(const float *x, size_t n, const float *gain, const float *bias, float eps, float *out)
{
    float32x4_t sum = number(0), squares = sum;
    for (size_t i = 0; i < n; i += LANES)
        sum = vaddq_f32(sum, load(x + i, n - i));
    float32x4_t mean = number(vaddvq_f32(sum) / (float)n);
    for (size_t i = 0; i < n; i += LANES) {
        float32x4_t d = first(vsubq_f32(load(x + i, n - i), mean), n - i);
        squares = vfmaq_f32(squares, d, d);
    }
    float32x4_t factor = number(1 / sqrtf(vaddvq_f32(squares) / (float)n + eps));
    for (size_t i = 0; i < n; i += LANES) {
        float32x4_t d = vmulq_f32(vsubq_f32(load(x + i, n - i), mean), factor);
        store(out + i, n - i, vfmaq_f32(load(bias + i, n - i), d, load(gain + i, n - i)));
    }
}

static void softmax(float *x, size_t n, float factor)
{
    float high = x[0];
    size_t whole = n / LANES * LANES;
    float32x4_t top = number(high), scale = number(factor), sum = number(0);
    for (size_t i = 0; i < whole; i += LANES)
        top = vmaxq_f32(top, vld1q_f32(x + i));
    high = vmaxvq_f32(top);
    for (size_t i = whole; i < n; i++)
        high = x[i] > high ? x[i] : high;
    top = number(high);
    for (size_t i = 0; i < n; i += LANES) {
        float32x4_t e = first(exp4(vmulq_f32(vsubq_f32(load(x + i, n - i), top), scale)), n - i);
        sum = vaddq_f32(sum, e);
        store(x + i, n - i, e);
    }
    float32x4_t inverse = number(1 / vaddvq_f32(sum));
    for (size_t i = 0; i < n; i += LANES)
        store(x + i, n - i, vmulq_f32(load(x + i, n - i), inverse));
}

/* ---- depthwise convolutions ---- */

/* Output rows that an input row is added to; and that it is `whole`, known when compiling. */
enum { FIRST_ROW = 1, SECOND_ROW = 2, WHOLE = 4 };

/* Where the input begins in a row: column `left`, which may be outside of it. */
typedef struct {
    const scry_depthwise *d;
    const float *at;
    int left;
    size_t channels;   /* from here on */
    bool whole;        /* all columns are inside, and all lanes have a channel */
} input_row;

/* Eight places of two rows and four channels: sixteen sums, and the weights of one input row for both. Column i of the input
 * is multiplied with weight i - o * stride for each place o that it reaches. */
INLINE void add_some(float32x4_t sum[2][8], const input_row *row, const float *w, const int rows, const int k, const int stride)
{
    const bool whole = rows & WHOLE;
    const int columns = 7 * stride + k, left = row->left;
    const scry_depthwise *d = row->d;
    const float *in = row->at;
    const size_t step = d->channels;
    const size_t row_floats = (size_t)k * SCRY_DEPTHWISE_BLOCK;
    float32x4_t weight[2][7];
    _Pragma("GCC unroll 7") for (int kx = 0; kx < k; kx++) {
        if (rows & FIRST_ROW)
            weight[0][kx] = vld1q_f32(w + kx * SCRY_DEPTHWISE_BLOCK);
        if (rows & SECOND_ROW)
            weight[1][kx] = vld1q_f32(w - (size_t)stride * row_floats + kx * SCRY_DEPTHWISE_BLOCK);
    }
    _Pragma("GCC unroll 21") for (int i = 0; i < columns; i++, in += step) {
        if (!whole && (left + i < 0 || left + i >= d->width))
            continue;
        const float32x4_t x = whole ? vld1q_f32(in) : load(in, row->channels);
        _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++) {
            const int kx = i - o * stride;
            if (kx < 0 || kx >= k)
                continue;
            if (rows & FIRST_ROW)
                sum[0][o] = vfmaq_f32(sum[0][o], x, weight[0][kx]);
            if (rows & SECOND_ROW)
                sum[1][o] = vfmaq_f32(sum[1][o], x, weight[1][kx]);
        }
    }
}

INLINE void add_row(float32x4_t sum[2][8], const input_row *row, const float *w, const int rows, const int k, const int stride)
{
    if (row->whole)
        add_some(sum, row, w, rows | WHOLE, k, stride);
    else
        add_some(sum, row, w, rows, k, stride);
}

INLINE void store_as(const scry_depthwise *d, size_t c, int ox, const float32x4_t sum[2][8], scry_act act)
{
    const int n = d->out_width - ox < 8 ? d->out_width - ox : 8;
    const size_t left = d->channels - c, step = d->out_stride;
    for (int row = 0; row < 2 && d->out[row]; row++) {
        float *out = d->out[row] + (size_t)ox * step + c;
        if (left >= LANES)
            for (int o = 0; o < n; o++, out += step)
                vst1q_f32(out, activate4(act, sum[row][o]));
        else
            for (int o = 0; o < n; o++, out += step)
                store(out, left, activate4(act, sum[row][o]));
    }
}

/* Apart, so that the activations are not repeated in the code of every size. */
static __attribute__((noinline)) void store_places(const scry_depthwise *d, size_t c, int ox, const float32x4_t sum[2][8])
{
    if (d->act == SCRY_ACT_RELU6)
        store_as(d, c, ox, sum, SCRY_ACT_RELU6);
    else
        store_as(d, c, ox, sum, d->act);
}

INLINE void store_whole(const scry_depthwise *d, size_t c, int ox, const float32x4_t sum[2][8], scry_act act)
{
    const size_t step = d->out_stride;
    float *out = d->out[0] + (size_t)ox * step + c, *below = d->out[1] + (size_t)ox * step + c;
    _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++, out += step, below += step) {
        vst1q_f32(out, activate4(act, sum[0][o]));
        vst1q_f32(below, activate4(act, sum[1][o]));
    }
}

/* A whole block with the activations that most have: from the registers. Whether it was one. */
INLINE bool store_plainly(const scry_depthwise *d, size_t c, int ox, const float32x4_t sum[2][8])
{
    if (!d->out[1] || d->out_width - ox < 8 || d->channels - c < LANES)
        return false;
    if (d->act == SCRY_ACT_NONE)
        store_whole(d, c, ox, sum, SCRY_ACT_NONE);
    else if (d->act == SCRY_ACT_RELU6)
        store_whole(d, c, ox, sum, SCRY_ACT_RELU6);
    else
        return false;
    return true;
}

INLINE void places(const scry_depthwise *d, size_t c, int ox, const int k, const int stride)
{
    const int left = ox * stride - d->pad_left;
    const float *block = d->weights + c / SCRY_DEPTHWISE_BLOCK * (size_t)(1 + k * k) * SCRY_DEPTHWISE_BLOCK
                       + c % SCRY_DEPTHWISE_BLOCK;
    const size_t row_floats = (size_t)k * SCRY_DEPTHWISE_BLOCK;
    const bool whole = left >= 0 && left + 7 * stride + k <= d->width && d->channels - c >= LANES;
    float32x4_t sum[2][8], done[2][8];
    _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++)
        sum[0][o] = sum[1][o] = vld1q_f32(block);
    const float *w = block + SCRY_DEPTHWISE_BLOCK;
    for (int y = 0; y < k + stride; y++, w += row_floats) {
        if (!d->rows[y])
            continue;
        const input_row row = { d, d->rows[y] + (ptrdiff_t)left * (ptrdiff_t)d->channels + c, left, d->channels - c, whole };
        if (y < stride)
            add_row(sum, &row, w, FIRST_ROW, k, stride);
        else if (y < k)
            add_row(sum, &row, w, FIRST_ROW | SECOND_ROW, k, stride);
        else
            add_row(sum, &row, w, SECOND_ROW, k, stride);
    }
    if (store_plainly(d, c, ox, sum))
        return;
    _Pragma("GCC unroll 8") for (int o = 0; o < 8; o++) {
        done[0][o] = sum[0][o];
        done[1][o] = sum[1][o];
    }
    store_places(d, c, ox, done);
}

SCRY_DEPTHWISE()

/* ---- tables ---- */

#define NEON_TABLE(table_name, has_bf16, has_int8, BF16, INT8, TO_BF16)                     \
    {                                                                                       \
        .name = table_name, .fast_bf16 = has_bf16, .fast_int8 = has_int8,                   \
        .tile1 = { scry_neon_tile1_f32, scry_neon_tile1_##BF16, scry_neon_tile1_##INT8 },   \
        .tile2 = { scry_neon_tile2_f32, scry_neon_tile2_##BF16, scry_neon_tile2_##INT8 },   \
        .finish_float = finish_float, .finish_int = finish_int, .transpose = transpose,     \
        .to_floats = to_floats, .to_bf16 = TO_BF16, .pair_bf16 = scry_generic_pair_bf16,    \
        .interleave = scry_generic_interleave, .quantise = quantise,                        \
        .layer_norm = layer_norm, .softmax = softmax, .depthwise = depthwise                \
    }

static const scry_kernels tables[] = {
    NEON_TABLE("neon", false, false, bf16, int8, scry_generic_to_bf16),
#ifdef SCRY_CPU_ARM_EXTENSIONS
    NEON_TABLE("neon+dot", false, true, bf16, int8_dot, scry_generic_to_bf16),
    NEON_TABLE("neon+i8mm", false, true, bf16, int8_i8mm, scry_generic_to_bf16),
    NEON_TABLE("neon+i8mm+bf16", true, true, bf16_dot, int8_i8mm, scry_neon_to_bf16)
#endif
};

const scry_kernels *scry_kernels_neon(size_t i)
{
    return i < sizeof tables / sizeof *tables ? &tables[i] : NULL;
}

#else

const scry_kernels *scry_kernels_neon(size_t i)
{
    return NULL;
}

#endif
