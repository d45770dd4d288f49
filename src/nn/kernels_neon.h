/* kernels_neon.h - the matrix products of aarch64, for its table of kernels. Call one only if the processor has the
 * instructions. */
#ifndef SCRY_NN_KERNELS_NEON_H
#define SCRY_NN_KERNELS_NEON_H

#include "nn/kernels.h"
#include "nn/kernels_internal.h"

scry_tile_fn scry_neon_tile1_f32, scry_neon_tile2_f32;
scry_tile_fn scry_neon_tile1_bf16, scry_neon_tile2_bf16;             /* widened to float */
scry_tile_fn scry_neon_tile1_int8, scry_neon_tile2_int8;             /* widened to 16 bits */
scry_tile_fn scry_neon_tile1_int8_dot, scry_neon_tile2_int8_dot;
scry_tile_fn scry_neon_tile1_int8_i8mm, scry_neon_tile2_int8_i8mm;
scry_tile_fn scry_neon_tile1_bf16_dot, scry_neon_tile2_bf16_dot;
void scry_neon_to_bf16(const float *src, size_t n, uint16_t *out);   /* of those with BF16 */

#endif
