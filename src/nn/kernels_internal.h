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

#endif
