/* kernel_neon.c - the loops with 128-bit vectors.
 *
 * NEON has no sum of neighbouring 16-bit products, but a product of 32 bits by one lane of another register:
 * bytes are spread to 32 bits by one table look-up for four, and multiplied with the whole weights.
 */
#include "resize/kernels.h"

#include "base/cpu.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Bytes `from` .. `from` + 3 as 32-bit numbers; 255 is outside of the table and gives 0. */
#define SPREAD(from) { from, 255, 255, 255, from + 1, 255, 255, 255, from + 2, 255, 255, 255, from + 3, 255, 255, 255 }

INLINE int32x4_t spread(uint8x16_t bytes, uint8x16_t by)
{
    return vreinterpretq_s32_u8(vqtbl1q_u8(bytes, by));
}

/* Rounds half up and clips to 0..255, in 16 bits. */
INLINE uint16x4_t rounded(int32x4_t sum)
{
    return vqmovun_s32(vrshrq_n_s32(sum, SCRY_WEIGHT_BITS));
}

/* One output pixel of `rows` rows. A load of 16 bytes holds five RGB pixels, of which four are used; the fourth byte of
 * each is the next one's red, and its sum is dropped. */
INLINE void pixel(const scry_taps *t, int i, const int rows, const uint8_t *const *in, uint8_t *const *out)
{
    static const uint8_t tables[SCRY_TAP_BLOCK][16] = { SPREAD(0), SPREAD(3), SPREAD(6), SPREAD(9) };
    const uint8x16_t by0 = vld1q_u8(tables[0]), by1 = vld1q_u8(tables[1]);
    const uint8x16_t by2 = vld1q_u8(tables[2]), by3 = vld1q_u8(tables[3]);
    const int32_t *weights = t->k + (size_t)i * (size_t)t->width;
    size_t at = 3 * (size_t)t->start[i];
    int n = t->n[i], j = 0;
    int32x4_t sum[SCRY_ROWS_AT_ONCE];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
        sum[r] = vdupq_n_s32(0);
    for (; j + SCRY_TAP_BLOCK <= n; j += SCRY_TAP_BLOCK, at += 3 * SCRY_TAP_BLOCK) {
        const int32x4_t k = vld1q_s32(weights + j);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            const uint8x16_t bytes = vld1q_u8(in[r] + at);
            sum[r] = vmlaq_laneq_s32(sum[r], spread(bytes, by0), k, 0);
            sum[r] = vmlaq_laneq_s32(sum[r], spread(bytes, by1), k, 1);
            sum[r] = vmlaq_laneq_s32(sum[r], spread(bytes, by2), k, 2);
            sum[r] = vmlaq_laneq_s32(sum[r], spread(bytes, by3), k, 3);
        }
    }
    for (; j < n; j++, at += 3)
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
            sum[r] = vmlaq_n_s32(sum[r], spread(vld1q_u8(in[r] + at), by0), weights[j]);
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
        uint16x4_t v = rounded(sum[r]);
        uint32_t rgb = vget_lane_u32(vreinterpret_u32_u8(vqmovn_u16(vcombine_u16(v, v))), 0);
        memcpy(out[r] + 3 * i, &rgb, sizeof rgb);   /* the fourth byte is overwritten next */
    }
}

static void horizontal(const scry_taps *t, int rows, const uint8_t *const *in, uint8_t *const *out)
{
    if (rows == SCRY_ROWS_AT_ONCE) {
        const uint8_t *const source[SCRY_ROWS_AT_ONCE] = { in[0], in[1], in[2], in[3] };   /* in registers */
        uint8_t *const target[SCRY_ROWS_AT_ONCE] = { out[0], out[1], out[2], out[3] };
        for (int i = 0; i < t->count; i++)
            pixel(t, i, SCRY_ROWS_AT_ONCE, source, target);
        return;
    }
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < t->count; i++)
            pixel(t, i, 1, in + r, out + r);
}

/* 64 output bytes: sums of sixteen registers. */
INLINE void column(const int32_t *k, int n, const uint8_t *in, size_t stride, uint8_t *out)
{
    static const uint8_t tables[4][16] = { SPREAD(0), SPREAD(4), SPREAD(8), SPREAD(12) };
    const uint8x16_t by0 = vld1q_u8(tables[0]), by1 = vld1q_u8(tables[1]);
    const uint8x16_t by2 = vld1q_u8(tables[2]), by3 = vld1q_u8(tables[3]);
    int32x4_t sum[4][4];
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++)
        sum[q][0] = sum[q][1] = sum[q][2] = sum[q][3] = vdupq_n_s32(0);
    for (int j = 0; j < n; j++, in += stride) {
        const int32x4_t weight = vdupq_n_s32(k[j]);
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++) {
            const uint8x16_t bytes = vld1q_u8(in + 16 * q);
            sum[q][0] = vmlaq_s32(sum[q][0], spread(bytes, by0), weight);
            sum[q][1] = vmlaq_s32(sum[q][1], spread(bytes, by1), weight);
            sum[q][2] = vmlaq_s32(sum[q][2], spread(bytes, by2), weight);
            sum[q][3] = vmlaq_s32(sum[q][3], spread(bytes, by3), weight);
        }
    }
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++) {
        uint16x8_t low = vcombine_u16(rounded(sum[q][0]), rounded(sum[q][1]));
        uint16x8_t high = vcombine_u16(rounded(sum[q][2]), rounded(sum[q][3]));
        vst1q_u8(out + 16 * q, vcombine_u8(vqmovn_u16(low), vqmovn_u16(high)));
    }
}

static void vertical(const int32_t *k, int n, const uint8_t *in, size_t stride, size_t bytes, uint8_t *out)
{
    for (size_t at = 0; at < bytes; at += 64)
        column(k, n, in + at, stride, out + at);
}

const scry_resize_kernels *scry_resize_kernels_neon(void)
{
    static const scry_resize_kernels table = { "neon", horizontal, vertical };
    return scry_cpu_has(SCRY_CPU_NEON) ? &table : NULL;
}

#else

const scry_resize_kernels *scry_resize_kernels_neon(void)
{
    return NULL;
}

#endif
