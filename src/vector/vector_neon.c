/* vector_neon.c - half precision by the conversions that every aarch64 has. */
#include "vector/vector_internal.h"

#ifdef __aarch64__
#include <arm_neon.h>

static inline float16x8_t load_half(const uint16_t *p)
{
    return vreinterpretq_f16_u16(vld1q_u16(p));
}

void scry_half_to_float_neon(float *out, const uint16_t *in, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        float16x8_t v = load_half(in + i);
        vst1q_f32(out + i, vcvt_f32_f16(vget_low_f16(v)));
        vst1q_f32(out + i + 4, vcvt_high_f32_f16(v));
    }
    scry_half_to_float_portable(out + i, in + i, n - i);
}

void scry_half_from_float_neon(uint16_t *out, const float *in, size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        vst1_u16(out + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(in + i))));
    scry_half_from_float_portable(out + i, in + i, n - i);
}

/* Sums of the components 2 i and 2 i + 1 of each eight: ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)). Fused products are the
 * same as others here, since they are exact in double. */
static inline double add_up(const float64x2_t s[4])
{
    return vaddvq_f64(vaddq_f64(vaddq_f64(s[0], s[2]), vaddq_f64(s[1], s[3])));
}

scry_half_sums scry_half_sums_neon(const float *query, const uint16_t *row, size_t dim)
{
    float64x2_t dot[4], square[4];
    for (int k = 0; k < 4; k++)
        dot[k] = square[k] = vdupq_n_f64(0);
    for (size_t i = 0; i < dim; i += 8) {
        float rest[8] = { 0 };   /* zeros change no sum */
        uint16_t rest_row[8] = { 0 };
        const float *q = query + i;
        const uint16_t *r = row + i;
        if (i + 8 > dim) {
            for (size_t k = i; k < dim; k++) {
                rest[k - i] = query[k];
                rest_row[k - i] = row[k];
            }
            q = rest;
            r = rest_row;
        }
        float16x8_t halves = load_half(r);
        float32x4_t v[2] = { vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves) };
#pragma GCC unroll 2
        for (int k = 0; k < 2; k++) {
            float32x4_t own = vld1q_f32(q + 4 * k);
            float64x2_t low = vcvt_f64_f32(vget_low_f32(v[k])), high = vcvt_high_f64_f32(v[k]);
            dot[2 * k] = vfmaq_f64(dot[2 * k], low, vcvt_f64_f32(vget_low_f32(own)));
            dot[2 * k + 1] = vfmaq_f64(dot[2 * k + 1], high, vcvt_high_f64_f32(own));
            square[2 * k] = vfmaq_f64(square[2 * k], low, low);
            square[2 * k + 1] = vfmaq_f64(square[2 * k + 1], high, high);
        }
    }
    return (scry_half_sums){ add_up(dot), add_up(square) };
}
#endif
