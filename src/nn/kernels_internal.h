/* kernels_internal.h - what the kernel files share: the generic versions, for entries
 * that an instruction set does not improve and for the ends of rows. */
#ifndef SCRY_NN_KERNELS_INTERNAL_H
#define SCRY_NN_KERNELS_INTERNAL_H

#include "nn/kernels.h"

scry_tile_fn scry_generic_tile1_f32, scry_generic_tile2_f32;
scry_tile_fn scry_generic_tile1_bf16, scry_generic_tile2_bf16;
scry_tile_fn scry_generic_tile1_int8, scry_generic_tile2_int8;
void scry_generic_finish_float(const scry_finish *f);
void scry_generic_finish_int(const scry_finish *f);
void scry_generic_transpose(const uint32_t *const *rows, size_t groups, uint32_t *out);
void scry_generic_to_bf16(const float *src, size_t n, uint16_t *out);
void scry_generic_pair_bf16(const float *even, const float *odd, size_t n, uint32_t *out);
void scry_generic_interleave(const uint16_t *even, const uint16_t *odd, size_t n, uint32_t *out);
void scry_generic_quantise(const float *src, size_t n, uint8_t *out, float *scale, int32_t *zero);
void scry_generic_layer_norm(const float *x, size_t n, const float *gain, const float *bias,
                             float eps, float *out);
void scry_generic_softmax(float *x, size_t n, float factor);
void scry_generic_depthwise(const scry_depthwise *d);

/* AVX2's, x86-64 only: also for AVX-512 without products of its own in the last two modes. */
scry_tile_fn scry_avx2_tile1_f32, scry_avx2_tile2_f32;
scry_tile_fn scry_avx2_tile1_bf16, scry_avx2_tile2_bf16;
scry_tile_fn scry_avx2_tile1_int8, scry_avx2_tile2_int8;

float scry_activate(scry_act act, float x);

/* Scale and zero point that map [low, high] (low <= 0 <= high) onto 0..255. */
static inline void scry_quantise_range(float low, float high, float *scale, int32_t *zero)
{
    float range = high - low;
    *scale = range > 1e-30f && range < 1e38f ? range / 255 : 1;
    *zero = range < 1e38f ? (int32_t)(0.5f - low / *scale) : 0;
}

/* A kernel `finish` made of the file's ROW(f, r, ints, act), which it calls with a constant activation: one
 * loop without branches for each. */
#define SCRY_FINISH(TARGET, NAME, ROW, INTS)                                                \
    TARGET static void NAME(const scry_finish *f)                                           \
    {                                                                                       \
        for (int r = 0; r < f->rows; r++) {                                                 \
            switch (f->act) {                                                               \
            case SCRY_ACT_NONE: ROW(f, r, INTS, SCRY_ACT_NONE); break;                      \
            case SCRY_ACT_QUICK_GELU: ROW(f, r, INTS, SCRY_ACT_QUICK_GELU); break;          \
            case SCRY_ACT_GELU: ROW(f, r, INTS, SCRY_ACT_GELU); break;                      \
            case SCRY_ACT_GELU_TANH: ROW(f, r, INTS, SCRY_ACT_GELU_TANH); break;            \
            case SCRY_ACT_RELU6: ROW(f, r, INTS, SCRY_ACT_RELU6); break;                    \
            case SCRY_ACT_RELU: ROW(f, r, INTS, SCRY_ACT_RELU); break;                      \
            case SCRY_ACT_SILU: ROW(f, r, INTS, SCRY_ACT_SILU); break;                      \
            case SCRY_ACT_GELU_NEAR: ROW(f, r, INTS, SCRY_ACT_GELU_NEAR); break;            \
            case SCRY_ACT_GELU_TANH_NEAR: ROW(f, r, INTS, SCRY_ACT_GELU_TANH_NEAR); break;  \
            }                                                                               \
        }                                                                                   \
    }

/* A kernel `depthwise` made of the file's places(d, c, ox, kernel, stride), which computes 8 places of both rows and of
 * the LANES channels from c on: one function for each size, so that sums stay in registers. The last group of 8 may
 * overlap its predecessor: the same numbers are stored twice. */
#define SCRY_DEPTHWISE_SIZE(TARGET, K, STRIDE)                                              \
    TARGET static void depthwise_##K##_##STRIDE(const scry_depthwise *d)                    \
    {                                                                                       \
        const int n = d->out_width;                                                         \
        for (size_t c = 0; c < d->channels; c += LANES)                                     \
            for (int ox = 0; ox < n; ox += 8)                                               \
                places(d, c, ox + 8 > n && n >= 8 ? n - 8 : ox, K, STRIDE);                 \
    }

#define SCRY_DEPTHWISE(TARGET)                                                              \
    SCRY_DEPTHWISE_SIZE(TARGET, 3, 1)                                                       \
    SCRY_DEPTHWISE_SIZE(TARGET, 3, 2)                                                       \
    SCRY_DEPTHWISE_SIZE(TARGET, 5, 1)                                                       \
    SCRY_DEPTHWISE_SIZE(TARGET, 5, 2)                                                       \
    SCRY_DEPTHWISE_SIZE(TARGET, 7, 1)                                                       \
    SCRY_DEPTHWISE_SIZE(TARGET, 7, 2)                                                       \
    TARGET static void depthwise(const scry_depthwise *d)                                   \
    {                                                                                       \
        static void (*const sizes[3][2])(const scry_depthwise *) = {                        \
            { depthwise_3_1, depthwise_3_2 }, { depthwise_5_1, depthwise_5_2 }, { depthwise_7_1, depthwise_7_2 } \
        };                                                                                  \
        if (d->kernel % 2 == 1 && d->kernel >= 3 && d->kernel <= 7 && d->stride <= 2)       \
            sizes[d->kernel / 2 - 1][d->stride - 1](d);                                     \
        else                                                                                \
            scry_generic_depthwise(d);                                                      \
    }

#endif
