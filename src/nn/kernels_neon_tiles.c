/* kernels_neon_tiles.c - matrix products on aarch64: NEON alone, and with dot products, I8MM and BF16.
 *
 * A product takes one of four numbers of a register of A for all lanes, so that rows of A are loaded as they lie,
 * four groups at once. Thirty-two registers hold tiles of 6 x 16 sums, one register of A for each row and the panel's;
 * 4 x 16 where the products need spare ones. As with AVX2, NEON alone widens bf16 to float and bytes to 16 bits.
 */
#include "nn/kernels_neon.h"

#include "base/cpu.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))
#define DOT __attribute__((target("arch=armv8.2-a+dotprod")))
#define I8MM __attribute__((target("arch=armv8.2-a+dotprod+i8mm")))
#define BF16 __attribute__((target("arch=armv8.2-a+bf16")))

enum { HALF = SCRY_PANEL / 2, REGISTERS = HALF / 4, GROUPS = 4 };

/* Up to four groups of a row: the rest reads as zero. */
INLINE uint32x4_t groups_of(const uint8_t *a, size_t n)
{
    uint32_t words[GROUPS] = { 0 };
    if (n >= GROUPS)
        return vld1q_u32((const uint32_t *)a);
    memcpy(words, a, n * sizeof *words);
    return vld1q_u32(words);
}

/* Sums of `rows` rows and 16 columns. TAKE makes x[r] of the words of a row, and STEP adds the products of group `q` of all
 * rows with the 64 bytes at `b`; both find more registers in `extra`, which END may use. */
#define TILE(NAME, TARGET, ROWS, VECTOR, ZERO, OPERAND, EXTRA, TAKE, STEP, END)             \
    TARGET INLINE void half_##NAME(const uint8_t *a, size_t lda, const uint8_t *b, size_t groups, const int rows, \
                                   int32_t *acc, size_t ld)                                 \
    {                                                                                       \
        VECTOR s[ROWS][REGISTERS];                                                          \
        EXTRA                                                                               \
        _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                              \
            _Pragma("GCC unroll 4") for (int c = 0; c < REGISTERS; c++)                     \
                s[r][c] = ZERO;                                                             \
        size_t g = 0;                                                                       \
        for (; g + GROUPS <= groups; g += GROUPS) {                                         \
            OPERAND x[ROWS];                                                                \
            _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++) {                        \
                const uint32x4_t words = vld1q_u32((const uint32_t *)(a + (size_t)r * lda + g * 4)); \
                TAKE                                                                        \
            }                                                                               \
            _Pragma("GCC unroll 4") for (int q = 0; q < GROUPS; q++, b += SCRY_PANEL_GROUP_BYTES) { \
                STEP                                                                        \
            }                                                                               \
        }                                                                                   \
        if (g < groups) {                                                                   \
            OPERAND x[ROWS];                                                                \
            _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++) {                        \
                const uint32x4_t words = groups_of(a + (size_t)r * lda + g * 4, groups - g); \
                TAKE                                                                        \
            }                                                                               \
            _Pragma("GCC unroll 4") for (int q = 0; q < GROUPS; q++, b += SCRY_PANEL_GROUP_BYTES) { \
                if (g + (size_t)q >= groups)                                                \
                    break;                                                                  \
                STEP                                                                        \
            }                                                                               \
        }                                                                                   \
        END                                                                                 \
        _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                              \
            _Pragma("GCC unroll 4") for (int c = 0; c < REGISTERS; c++)                     \
                vst1q_s32(acc + (size_t)r * ld + 4 * c, (int32x4_t)s[r][c]);                \
    }                                                                                       \
    TARGET static void tile_##NAME(const scry_tile *t, int panels)                          \
    {                                                                                       \
        int blocks = (t->rows + ROWS - 1) / ROWS;                                           \
        for (int h = 0; h < 2 * panels; h++) {                                              \
            const uint8_t *b = t->b + (size_t)(h / 2) * t->panel_stride + (h & 1) * HALF * 4; \
            for (int i = 0; i < blocks; i++) {                                              \
                int r0 = t->rows * i / blocks, rows = t->rows * (i + 1) / blocks - r0;      \
                int32_t *acc = (int32_t *)t->acc + (size_t)r0 * t->ld_acc + h * HALF;       \
                const uint8_t *a = t->a + (size_t)r0 * t->lda;                              \
                switch (rows) {                                                             \
                case 1: half_##NAME(a, t->lda, b, t->groups, 1, acc, t->ld_acc); break;     \
                case 2: half_##NAME(a, t->lda, b, t->groups, 2, acc, t->ld_acc); break;     \
                case 3: half_##NAME(a, t->lda, b, t->groups, 3, acc, t->ld_acc); break;     \
                case 4: half_##NAME(a, t->lda, b, t->groups, 4, acc, t->ld_acc); break;     \
                case 5: half_##NAME(a, t->lda, b, t->groups, ROWS < 5 ? ROWS : 5, acc, t->ld_acc); break; \
                default: half_##NAME(a, t->lda, b, t->groups, ROWS < 6 ? ROWS : 6, acc, t->ld_acc); break; \
                }                                                                           \
            }                                                                               \
        }                                                                                   \
    }                                                                                       \
    TARGET void scry_neon_tile1_##NAME(const scry_tile *t) { tile_##NAME(t, 1); }           \
    TARGET void scry_neon_tile2_##NAME(const scry_tile *t) { tile_##NAME(t, 2); }

/* s[r][c] of all rows for each register w of the panel's group. LANE(f, ...) calls f for lane q, which must be a constant. */
#define EACH(LOAD, PRODUCT)                                                                 \
    _Pragma("GCC unroll 4") for (int c = 0; c < REGISTERS; c++) {                           \
        LOAD                                                                                \
        _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                              \
            PRODUCT                                                                         \
    }
#define LANE(f, sum, w, x) \
    (q == 0 ? f(sum, w, x, 0) : q == 1 ? f(sum, w, x, 1) : q == 2 ? f(sum, w, x, 2) : f(sum, w, x, 3))

TILE(f32, , 6, float32x4_t, vdupq_n_f32(0), float32x4_t, ,
     x[r] = vreinterpretq_f32_u32(words);,
     EACH(const float32x4_t w = vld1q_f32((const float *)b + 4 * c);,
          s[r][c] = LANE(vfmaq_laneq_f32, s[r][c], w, x[r]);), )

/* A word holds two bf16: shifted up, the lower one is a float; masked, the upper one. */
#define LOWER(v) vreinterpretq_f32_u32(vshlq_n_u32(v, 16))
#define UPPER(v) vreinterpretq_f32_u32(vandq_u32(v, vdupq_n_u32(0xFFFF0000)))
TILE(bf16, , 4, float32x4_t, vdupq_n_f32(0), float32x4x2_t, ,
     x[r].val[0] = LOWER(words); x[r].val[1] = UPPER(words);,
     EACH(const uint32x4_t both = vld1q_u32((const uint32_t *)b + 4 * c);
          const float32x4_t low = LOWER(both); const float32x4_t high = UPPER(both);,
          { s[r][c] = LANE(vfmaq_laneq_f32, s[r][c], low, x[r].val[0]);
            s[r][c] = LANE(vfmaq_laneq_f32, s[r][c], high, x[r].val[1]); }), )

/* Byte k of a row's group as 16 bits, times byte k of the group of 16 outputs: `v.val[k]` has those of all outputs. */
#define WIDE_LANE(f, sum, w, x, lane)                                                       \
    (q % 2 == 0 ? f(sum, w, x, lane) : f(sum, w, x, (lane) + 4))
#define BYTE_PRODUCTS(lane)                                                                 \
    {                                                                                       \
        const int16x8_t low = vmovl_s8(vget_low_s8(v.val[lane])), high = vmovl_high_s8(v.val[lane]); \
        _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++) {                            \
            const int16x8_t own = x[r].val[q / 2];                                          \
            s[r][0] = WIDE_LANE(vmlal_laneq_s16, s[r][0], vget_low_s16(low), own, lane);    \
            s[r][1] = WIDE_LANE(vmlal_high_laneq_s16, s[r][1], low, own, lane);             \
            s[r][2] = WIDE_LANE(vmlal_laneq_s16, s[r][2], vget_low_s16(high), own, lane);   \
            s[r][3] = WIDE_LANE(vmlal_high_laneq_s16, s[r][3], high, own, lane);            \
        }                                                                                   \
    }
TILE(int8, , 4, int32x4_t, vdupq_n_s32(0), int16x8x2_t, ,
     x[r].val[0] = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(vreinterpretq_u8_u32(words))));
     x[r].val[1] = vreinterpretq_s16_u16(vmovl_high_u8(vreinterpretq_u8_u32(words)));,
     const int8x16x4_t v = vld4q_s8((const int8_t *)b);
     BYTE_PRODUCTS(0) BYTE_PRODUCTS(1) BYTE_PRODUCTS(2) BYTE_PRODUCTS(3), )

#ifdef SCRY_CPU_ARM_EXTENSIONS
TILE(bf16_dot, BF16, 6, float32x4_t, vdupq_n_f32(0), bfloat16x8_t, ,
     x[r] = vreinterpretq_bf16_u32(words);,
     EACH(const bfloat16x8_t w = vld1q_bf16((const bfloat16_t *)b + 8 * c);,
          s[r][c] = LANE(vbfdotq_laneq_f32, s[r][c], w, x[r]);), )

/* Signed bytes only: A less 128, and 128 times the sums of the panel's bytes at the end. */
TILE(int8_dot, DOT, 4, int32x4_t, vdupq_n_s32(0), int8x16_t,
     int32x4_t sums[REGISTERS] = { vdupq_n_s32(0) };,
     x[r] = vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(words), vdupq_n_u8(128)));,
     EACH(const int8x16_t w = vld1q_s8((const int8_t *)b + 16 * c);
          sums[c] = vdotq_s32(sums[c], w, vdupq_n_s8(1));,
          s[r][c] = LANE(vdotq_laneq_s32, s[r][c], w, x[r]);),
     EACH(, s[r][c] = vaddq_s32(s[r][c], vshlq_n_s32(sums[c], 7));))

TILE(int8_i8mm, I8MM, 6, int32x4_t, vdupq_n_s32(0), uint8x16_t, ,
     x[r] = vreinterpretq_u8_u32(words);,
     EACH(const int8x16_t w = vld1q_s8((const int8_t *)b + 16 * c);,
          s[r][c] = LANE(vsudotq_laneq_s32, s[r][c], w, x[r]);), )

/* Rounds to nearest, ties to even, as scry_to_bf16. */
BF16 void scry_neon_to_bf16(const float *src, size_t n, uint16_t *out)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        bfloat16x8_t v = vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(vld1q_f32(src + i)), vld1q_f32(src + i + 4));
        vst1q_u16(out + i, vreinterpretq_u16_bf16(v));
    }
    scry_generic_to_bf16(src + i, n - i, out + i);
}
#endif

#endif
