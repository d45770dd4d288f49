/* scan_kernels_neon.c - aarch64: three sets, by what multiplies bytes.
 *
 * A register holds four 32-bit sums, so the products of four rows with the same part of the query are
 * taken together: its registers are loaded once for all. Without dot products code bytes are widened for a
 * query of 16 bits; a query of bytes takes 0.6 of the instructions, so that a scan begins with that and only what it
 * leaves is multiplied by the wide one. With them a query is two bytes, as for AVX-512; a code byte is unsigned and
 * the query's is signed, which only I8MM multiplies: without it the codes are made signed first, and
 * the products need no correction for the codes' + 128.
 */
#include "vector/scan_kernels.h"

#include "base/cpu.h"

#ifdef __aarch64__
#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))
#define TARGET_DOT __attribute__((target("arch=armv8.2-a+dotprod")))
#define TARGET_I8MM __attribute__((target("arch=armv8.2-a+dotprod+i8mm")))
enum { ROWS = 4 };

/* The sums of four registers, in order. */
INLINE int32x4_t reduce4(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d)
{
    return vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
}

/* A query of bytes: two products of numbers from -127 to 127 add up in 16 bits. */
INLINE int32x4_t dot4_narrow(const uint8_t *const row[ROWS], const scry_code_query *q)
{
    int32x4_t sum[ROWS];
    const uint8_t *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];
#pragma GCC unroll 4
    for (int k = 0; k < ROWS; k++)
        sum[k] = vdupq_n_s32(0);
    for (size_t i = 0; i < q->stride; i += 32) {
        const int8x16_t v0 = vld1q_s8(q->high + i), v1 = vld1q_s8(q->high + i + 16);
#pragma GCC unroll 4
        for (int k = 0; k < ROWS; k++) {
            const uint8_t *r = (k == 0 ? r0 : k == 1 ? r1 : k == 2 ? r2 : r3) + i;
            const int8x16_t a = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(r), vdupq_n_u8(128)));
            const int8x16_t b = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(r + 16), vdupq_n_u8(128)));
            const int16x8_t low = vmlal_s8(vmull_s8(vget_low_s8(a), vget_low_s8(v0)), vget_low_s8(b), vget_low_s8(v1));
            const int16x8_t high = vmlal_high_s8(vmull_high_s8(a, v0), b, v1);
            sum[k] = vpadalq_s16(vpadalq_s16(sum[k], low), high);
        }
    }
    return reduce4(sum[0], sum[1], sum[2], sum[3]);
}

INLINE int32x4_t dot4_wide(const uint8_t *const row[ROWS], const scry_code_query *q)
{
    int32x4_t sum[ROWS][2];
    const uint8_t *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];
#pragma GCC unroll 4
    for (int k = 0; k < ROWS; k++)
        sum[k][0] = sum[k][1] = vdupq_n_s32(0);
    for (size_t i = 0; i < q->stride; i += 32) {
        const int16x8_t v0 = vld1q_s16(q->value + i), v1 = vld1q_s16(q->value + i + 8);
        const int16x8_t v2 = vld1q_s16(q->value + i + 16), v3 = vld1q_s16(q->value + i + 24);
#pragma GCC unroll 4
        for (int k = 0; k < ROWS; k++) {
            const uint8_t *r = (k == 0 ? r0 : k == 1 ? r1 : k == 2 ? r2 : r3) + i;
            const uint8x16_t a = vld1q_u8(r), b = vld1q_u8(r + 16);
            const int16x8_t a0 = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(a)));
            const int16x8_t a1 = vreinterpretq_s16_u16(vmovl_high_u8(a));
            const int16x8_t b0 = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(b)));
            const int16x8_t b1 = vreinterpretq_s16_u16(vmovl_high_u8(b));
            sum[k][0] = vmlal_s16(sum[k][0], vget_low_s16(a0), vget_low_s16(v0));
            sum[k][1] = vmlal_high_s16(sum[k][1], a0, v0);
            sum[k][0] = vmlal_s16(sum[k][0], vget_low_s16(a1), vget_low_s16(v1));
            sum[k][1] = vmlal_high_s16(sum[k][1], a1, v1);
            sum[k][0] = vmlal_s16(sum[k][0], vget_low_s16(b0), vget_low_s16(v2));
            sum[k][1] = vmlal_high_s16(sum[k][1], b0, v2);
            sum[k][0] = vmlal_s16(sum[k][0], vget_low_s16(b1), vget_low_s16(v3));
            sum[k][1] = vmlal_high_s16(sum[k][1], b1, v3);
        }
    }
    int32x4_t sums = reduce4(vaddq_s32(sum[0][0], sum[0][1]), vaddq_s32(sum[1][0], sum[1][1]),
                             vaddq_s32(sum[2][0], sum[2][1]), vaddq_s32(sum[3][0], sum[3][1]));
    return vsubq_s32(sums, vdupq_n_s32(q->bias));
}

INLINE int32x4_t dot4_base(const uint8_t *const row[ROWS], const scry_code_query *q)
{
    return q->wide ? dot4_wide(row, q) : dot4_narrow(row, q);
}

#ifdef SCRY_CPU_ARM_EXTENSIONS
#define CODE(r, i) vreinterpretq_s8_u8(veorq_u8(vld1q_u8((r) + (i)), vdupq_n_u8(128)))
#define MULTIPLY_DOT(sum, code, value) sum = vdotq_s32(sum, code, value)
#define RAW_CODE(r, i) vld1q_u8((r) + (i))
#define MULTIPLY_I8MM(sum, code, value) sum = vusdotq_s32(sum, code, value)

/* NAME(row, q): [4] products of four rows, with a wide query or a narrow one; BIAS is what the + 128 of the codes added. */
#define DOT4(NAME, TARGET, TYPE, LOAD, MULTIPLY, BIAS)                                      \
    TARGET INLINE int32x4_t NAME##_some(const uint8_t *const row[ROWS], const scry_code_query *q, const bool wide) \
    {                                                                                       \
        int32x4_t high[ROWS], low[ROWS];                                                    \
        _Pragma("GCC unroll 4") for (int k = 0; k < ROWS; k++)                              \
            high[k] = low[k] = vdupq_n_s32(0);                                              \
        const uint8_t *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];               \
        for (size_t i = 0; i < q->stride; i += 32) {                                        \
            const int8x16_t h0 = vld1q_s8(q->high + i), h1 = vld1q_s8(q->high + i + 16);    \
            const int8x16_t l0 = wide ? vld1q_s8(q->low + i) : h0, l1 = wide ? vld1q_s8(q->low + i + 16) : h1; \
            _Pragma("GCC unroll 4") for (int k = 0; k < ROWS; k++) {                        \
                const uint8_t *r = (k == 0 ? r0 : k == 1 ? r1 : k == 2 ? r2 : r3) + i;      \
                const TYPE c0 = LOAD(r, 0), c1 = LOAD(r, 16);                               \
                MULTIPLY(high[k], c0, h0);                                                  \
                MULTIPLY(high[k], c1, h1);                                                  \
                if (wide) {                                                                 \
                    MULTIPLY(low[k], c0, l0);                                               \
                    MULTIPLY(low[k], c1, l1);                                               \
                }                                                                           \
            }                                                                               \
        }                                                                                   \
        int32x4_t sums = reduce4(high[0], high[1], high[2], high[3]);                       \
        if (wide)                                                                           \
            sums = vaddq_s32(vshlq_n_s32(sums, 7), reduce4(low[0], low[1], low[2], low[3])); \
        return vsubq_s32(sums, vdupq_n_s32(BIAS));                                          \
    }                                                                                       \
    TARGET INLINE int32x4_t NAME(const uint8_t *const row[ROWS], const scry_code_query *q)  \
    {                                                                                       \
        return q->wide ? NAME##_some(row, q, true) : NAME##_some(row, q, false);            \
    }

DOT4(dot4_dot, TARGET_DOT, int8x16_t, CODE, MULTIPLY_DOT, 0)
DOT4(dot4_i8mm, TARGET_I8MM, uint8x16_t, RAW_CODE, MULTIPLY_I8MM, q->bias)
#endif

#define DOTS(NAME, TARGET, DOT4_OF)                                                         \
    TARGET static void NAME(int32_t *out, const uint8_t *codes, const uint16_t *index, size_t rows, const scry_code_query *q) \
    {                                                                                       \
        for (size_t i = 0; i < rows; i += ROWS) {                                           \
            const uint8_t *row[ROWS];                                                       \
            size_t left = rows - i < ROWS ? rows - i : ROWS;                                \
            for (size_t k = 0; k < ROWS; k++) {                                             \
                size_t at = i + (k < left ? k : 0);                                         \
                row[k] = codes + (index ? index[at] : at) * q->stride;                      \
            }                                                                               \
            int32x4_t sums = DOT4_OF(row, q);                                               \
            if (left == ROWS)                                                               \
                vst1q_s32(out + i, sums);                                                   \
            else                                                                            \
                memcpy(out + i, &sums, left * sizeof *out);                                 \
        }                                                                                   \
    }

DOTS(dots_base, , dot4_base)
#ifdef SCRY_CPU_ARM_EXTENSIONS
DOTS(dots_dot, TARGET_DOT, dot4_dot)
DOTS(dots_i8mm, TARGET_I8MM, dot4_i8mm)
#endif

/* All ones where rows i .. i + 3 reach the threshold. */
INLINE uint32x4_t reaches(const int32_t *dot_of, size_t i, const scry_bounds *b)
{
    float32x4_t dot = vcvtq_f32_s32(vld1q_s32(dot_of + i));
    float32x4_t score = vmulq_f32(vmulq_n_f32(vld1q_f32(b->scale + i), b->step), dot);
    float32x4_t upper = vaddq_f32(score, vmulq_n_f32(vld1q_f32(b->error + i), b->gain));
    return vcgeq_f32(upper, vdupq_n_f32(b->threshold));
}

/* Sixteen rows at a time; a mask has four bits for each, of which one is kept. */
static size_t select_rows(uint16_t *out, const int32_t *dot_of, const uint16_t *index, size_t rows, const scry_bounds *b)
{
    const scry_bounds own = *b;   /* `out` cannot alias it: its numbers stay in registers */
    size_t n = 0, i = 0;
    for (; !index && i + 16 <= rows; i += 16) {
        uint16x8_t low = vuzp1q_u16(vreinterpretq_u16_u32(reaches(dot_of, i, &own)),
                                    vreinterpretq_u16_u32(reaches(dot_of, i + 4, &own)));
        uint16x8_t high = vuzp1q_u16(vreinterpretq_u16_u32(reaches(dot_of, i + 8, &own)),
                                     vreinterpretq_u16_u32(reaches(dot_of, i + 12, &own)));
        uint8x16_t rows16 = vuzp1q_u8(vreinterpretq_u8_u16(low), vreinterpretq_u8_u16(high));
        uint8x8_t halves = vshrn_n_u16(vreinterpretq_u16_u8(rows16), 4);
        uint64_t mask = vget_lane_u64(vreinterpret_u64_u8(halves), 0) & 0x1111111111111111u;
        for (; mask; mask &= mask - 1)
            out[n++] = (uint16_t)(i + (unsigned)__builtin_ctzll(mask) / 4);
    }
    return scry_select_from(out, n, i, dot_of, index, rows, &own);
}

/* A byte gathers pc0 + 2 pc1 + 4 pc2 - 8 pc3, -64..56; 16-bit sums hold those of the longest codes. */
static void signs(int32_t *out, const uint8_t *rows, size_t n, const uint64_t *planes, size_t words)
{
    const uint8_t *plane = (const uint8_t *)planes;
    const uint8x16_t two = vdupq_n_u8(2), eight = vdupq_n_u8(8);
    size_t whole = words / 2 * 2, bytes = 8 * words;
    for (size_t i = 0; i < n; i++, rows += bytes) {
        int16x8_t sum = vdupq_n_s16(0);
        for (size_t at = 0; at < 8 * whole; at += 16) {
            const uint8x16_t bits = vld1q_u8(rows + at);
            uint8x16_t c0 = vcntq_u8(vandq_u8(bits, vld1q_u8(plane + at)));
            uint8x16_t c1 = vcntq_u8(vandq_u8(bits, vld1q_u8(plane + bytes + at)));
            uint8x16_t c2 = vcntq_u8(vandq_u8(bits, vld1q_u8(plane + 2 * bytes + at)));
            uint8x16_t c3 = vcntq_u8(vandq_u8(bits, vld1q_u8(plane + 3 * bytes + at)));
            c0 = vmlaq_u8(c0, two, vmlaq_u8(c1, two, c2));
            sum = vpadalq_s8(sum, vreinterpretq_s8_u8(vmlsq_u8(c0, eight, c3)));
        }
        out[i] = vaddlvq_s16(sum);
        if (whole < words)
            out[i] += scry_signs_rest(rows, planes, whole, words);
    }
}

const scry_scan_kernels scry_scan_kernels_neon = { "neon", dots_base, NULL, select_rows, signs, true };
#ifdef SCRY_CPU_ARM_EXTENSIONS
const scry_scan_kernels scry_scan_kernels_neon_dot = { "neon+dot", dots_dot, NULL, select_rows, signs, false };
const scry_scan_kernels scry_scan_kernels_neon_i8mm = { "neon+i8mm", dots_i8mm, NULL, select_rows, signs, false };
#endif
#endif
