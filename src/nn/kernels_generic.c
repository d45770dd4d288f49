/* kernels_generic.c - every kernel in plain C: for entries that other tables lack, and for
 * processors without AVX2. The inner loops run over the 32 outputs of a panel, which
 * compilers vectorise for any platform. */
#include "nn/kernels.h"
#include "nn/kernels_internal.h"

#include <math.h>

/* Four floats: a vector register of any 64-bit platform. */
typedef float lanes __attribute__((vector_size(16), aligned(4)));

enum {
    LANES = 4,
    COLUMNS = 16,   /* half a panel: sums of BLOCK rows of it stay in registers */
#ifdef __aarch64__
    BLOCK = 4       /* of 32 registers */
#else
    BLOCK = 2       /* of 16 */
#endif
};

/* `rows` (at most BLOCK) rows of A against COLUMNS columns. */
static void block_f32(const scry_tile *t, int row, int rows, const float *b, float *out)
{
    const float *a[BLOCK];
    lanes sum[BLOCK][COLUMNS / LANES] = { 0 };
    for (int r = 0; r < BLOCK; r++)   /* missing rows are replaced by the first */
        a[r] = (const float *)(t->a + (size_t)(row + (r < rows ? r : 0)) * t->lda);
    for (size_t g = 0; g < t->groups; g++, b += SCRY_PANEL)
#pragma GCC unroll 4
        for (int r = 0; r < BLOCK; r++)
#pragma GCC unroll 4
            for (int n = 0; n < COLUMNS / LANES; n++)
                sum[r][n] += a[r][g] * ((const lanes *)b)[n];
    for (int r = 0; r < rows; r++)
        memcpy(out + (size_t)r * t->ld_acc, sum[r], sizeof sum[r]);
}

static void tile_f32(const scry_tile *t, int panels)
{
    for (int n = 0; n < panels * SCRY_PANEL; n += COLUMNS) {
        const uint8_t *b = t->b + (size_t)(n / SCRY_PANEL) * t->panel_stride;
        for (int r = 0; r < t->rows; r += BLOCK)
            block_f32(t, r, t->rows - r < BLOCK ? t->rows - r : BLOCK, (const float *)b + n % SCRY_PANEL,
                      (float *)t->acc + (size_t)r * t->ld_acc + n);
    }
}

static void tile_bf16(const scry_tile *t, int panels)
{
    for (int r = 0; r < t->rows; r++) {
        const uint16_t *a = (const uint16_t *)(t->a + (size_t)r * t->lda);
        for (int p = 0; p < panels; p++) {
            const uint32_t *b = (const uint32_t *)(t->b + (size_t)p * t->panel_stride);
            float sum[SCRY_PANEL] = { 0 };
            for (size_t g = 0; g < t->groups; g++) {
                float a0 = scry_from_bf16(a[2 * g]), a1 = scry_from_bf16(a[2 * g + 1]);
                for (int n = 0; n < SCRY_PANEL; n++) {
                    uint32_t pair = b[g * SCRY_PANEL + n];
                    sum[n] += a0 * scry_from_bf16((uint16_t)pair)
                            + a1 * scry_from_bf16((uint16_t)(pair >> 16));
                }
            }
            memcpy((float *)t->acc + (size_t)r * t->ld_acc + p * SCRY_PANEL, sum, sizeof sum);
        }
    }
}

static void tile_int8(const scry_tile *t, int panels)
{
    for (int r = 0; r < t->rows; r++) {
        const uint8_t *a = t->a + (size_t)r * t->lda;
        for (int p = 0; p < panels; p++) {
            const int8_t *b = (const int8_t *)(t->b + (size_t)p * t->panel_stride);
            int32_t sum[SCRY_PANEL] = { 0 };
            for (size_t g = 0; g < t->groups; g++)
                for (int n = 0; n < SCRY_PANEL; n++)
                    for (int k = 0; k < 4; k++)
                        sum[n] += a[4 * g + k] * b[(g * SCRY_PANEL + n) * 4 + k];
            memcpy((int32_t *)t->acc + (size_t)r * t->ld_acc + p * SCRY_PANEL, sum, sizeof sum);
        }
    }
}

void scry_generic_tile1_f32(const scry_tile *t) { tile_f32(t, 1); }
void scry_generic_tile2_f32(const scry_tile *t) { tile_f32(t, 2); }
void scry_generic_tile1_bf16(const scry_tile *t) { tile_bf16(t, 1); }
void scry_generic_tile2_bf16(const scry_tile *t) { tile_bf16(t, 2); }
void scry_generic_tile1_int8(const scry_tile *t) { tile_int8(t, 1); }
void scry_generic_tile2_int8(const scry_tile *t) { tile_int8(t, 2); }

float scry_activate(scry_act act, float x)
{
    switch (act) {
    case SCRY_ACT_QUICK_GELU:
        return x / (1 + expf(-1.702f * x));
    case SCRY_ACT_GELU_NEAR:
    case SCRY_ACT_GELU:
        return 0.5f * x * (1 + erff(x * 0.70710678f));
    case SCRY_ACT_GELU_TANH_NEAR:
    case SCRY_ACT_GELU_TANH:
        return 0.5f * x * (1 + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
    case SCRY_ACT_RELU6:
        return x < 0 ? 0 : x > 6 ? 6 : x;
    case SCRY_ACT_RELU:
        return x < 0 ? 0 : x;
    case SCRY_ACT_SILU:
        return x / (1 + expf(-x));
    case SCRY_ACT_NONE:
        break;
    }
    return x;
}

static void finish_row(const scry_finish *f, int r, float *sum)
{
    float *c = f->c + (size_t)r * f->ldc;
    for (int n = 0; n < f->cols; n++) {
        float v = sum[n] * (f->col_scale ? f->col_scale[n] : 1) + (f->bias ? f->bias[n] : 0);
        v = scry_activate(f->act, v);
        c[n] = f->add ? c[n] + v : v;
    }
}

void scry_generic_finish_float(const scry_finish *f)
{
    for (int r = 0; r < f->rows; r++) {
        float sum[2 * SCRY_PANEL];
        memcpy(sum, (const float *)f->acc + (size_t)r * f->ld_acc, (size_t)f->cols * sizeof *sum);
        finish_row(f, r, sum);
    }
}

void scry_generic_finish_int(const scry_finish *f)
{
    for (int r = 0; r < f->rows; r++) {
        const int32_t *acc = (const int32_t *)f->acc + (size_t)r * f->ld_acc;
        float sum[2 * SCRY_PANEL];
        for (int n = 0; n < f->cols; n++)
            sum[n] = (float)(acc[n] - f->row_zero[r] * f->col_sum[n]) * f->row_scale[r];
        finish_row(f, r, sum);
    }
}

void scry_generic_transpose(const uint32_t *const *rows, size_t groups, uint32_t *out)
{
    for (int i = 0; i < SCRY_PANEL; i++)
        for (size_t g = 0; g < groups; g++)
            out[g * SCRY_PANEL + (size_t)i] = rows[i] ? rows[i][g] : 0;
}

void scry_generic_to_bf16(const float *src, size_t n, uint16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = scry_to_bf16(src[i]);
}

void scry_generic_pair_bf16(const float *even, const float *odd, size_t n, uint32_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = scry_to_bf16(even[i]) | (uint32_t)(odd ? scry_to_bf16(odd[i]) : 0) << 16;
}

void scry_generic_interleave(const uint16_t *even, const uint16_t *odd, size_t n, uint32_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = even[i] | (uint32_t)(odd ? odd[i] : 0) << 16;
}

void scry_generic_quantise(const float *src, size_t n, uint8_t *out, float *scale, int32_t *zero)
{
    float low = 0, high = 0;
    for (size_t i = 0; i < n; i++) {
        low = src[i] < low ? src[i] : low;
        high = src[i] > high ? src[i] : high;
    }
    scry_quantise_range(low, high, scale, zero);
    float inverse = 1 / *scale, shift = (float)*zero;
    for (size_t i = 0; i < n; i++) {
        float q = rintf(src[i] * inverse + shift);
        out[i] = (uint8_t)(q < 0 ? 0 : q > 255 ? 255 : q);
    }
}

void scry_generic_layer_norm(const float *x, size_t n, const float *gain, const float *bias,
                             float eps, float *out)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    float mean = (float)(sum / (double)n);
    for (size_t i = 0; i < n; i++)
        squares += (double)(x[i] - mean) * (x[i] - mean);
    float factor = 1 / sqrtf((float)(squares / (double)n) + eps);
    for (size_t i = 0; i < n; i++)
        out[i] = (x[i] - mean) * factor * gain[i] + bias[i];
}

void scry_generic_softmax(float *x, size_t n, float factor)
{
    float high = x[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        high = x[i] > high ? x[i] : high;
    for (size_t i = 0; i < n; i++) {
        x[i] = expf((x[i] - high) * factor);
        sum += x[i];
    }
    for (size_t i = 0; i < n; i++)
        x[i] /= sum;
}

/* Place `ox` of an output row whose first input row is d->rows[first], for `n` channels from c on. */
static void depthwise_place(const scry_depthwise *d, int first, int ox, size_t c, size_t n, float *out)
{
    const float *w = d->weights + c * (size_t)(1 + d->kernel * d->kernel);
    memcpy(out, w, n * sizeof *out);
    for (int ky = 0; ky < d->kernel; ky++) {
        for (int kx = 0; kx < d->kernel; kx++) {
            w += SCRY_DEPTHWISE_BLOCK;
            int ix = ox * d->stride + kx - d->pad_left;
            if (!d->rows[first + ky] || ix < 0 || ix >= d->width)
                continue;
            const float *in = d->rows[first + ky] + (size_t)ix * d->channels + c;
            for (size_t i = 0; i < n; i++)
                out[i] += in[i] * w[i];
        }
    }
    for (size_t i = 0; d->act != SCRY_ACT_NONE && i < n; i++)
        out[i] = scry_activate(d->act, out[i]);
}

void scry_generic_depthwise(const scry_depthwise *d)
{
    for (int row = 0; row < 2 && d->out[row]; row++)
        for (int ox = 0; ox < d->out_width; ox++)
            for (size_t c = 0; c < d->channels; c += SCRY_DEPTHWISE_BLOCK) {
                size_t left = d->channels - c, n = left < SCRY_DEPTHWISE_BLOCK ? left : SCRY_DEPTHWISE_BLOCK;
                depthwise_place(d, row * d->stride, ox, c, n, d->out[row] + (size_t)ox * d->out_stride + c);
            }
}

#define GENERIC_TABLE(table_name, is_reference)                                             \
    {                                                                                       \
        .name = table_name, .reference = is_reference,                                      \
        .tile1 = { scry_generic_tile1_f32, scry_generic_tile1_bf16, scry_generic_tile1_int8 }, \
        .tile2 = { scry_generic_tile2_f32, scry_generic_tile2_bf16, scry_generic_tile2_int8 }, \
        .finish_float = scry_generic_finish_float, .finish_int = scry_generic_finish_int,   \
        .transpose = scry_generic_transpose, .to_floats = scry_to_floats,                   \
        .to_bf16 = scry_generic_to_bf16, .pair_bf16 = scry_generic_pair_bf16,               \
        .interleave = scry_generic_interleave, .quantise = scry_generic_quantise,           \
        .layer_norm = scry_generic_layer_norm, .softmax = scry_generic_softmax,             \
        .depthwise = scry_generic_depthwise                                                 \
    }

static const scry_kernels generic = GENERIC_TABLE("generic", false);
static const scry_kernels reference = GENERIC_TABLE("reference", true);

const scry_kernels *scry_kernels_generic(void)
{
    return &generic;
}

const scry_kernels *scry_kernels_reference(void)
{
    return &reference;
}
