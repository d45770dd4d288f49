/* kernels_neon_tiles.c - matrix products on aarch64: NEON alone, and with dot products, I8MM and BF16.
 *
 * A product takes one of four numbers of a register of A for all lanes, so that rows of A are loaded as they lie, four groups
 * at once. Thirty-two registers hold tiles of 3 x 32 sums, one register of A for each row and four of the panel, which one
 * instruction loads; 4 x 16 where the products need spare ones. As with AVX2, NEON alone widens bf16 to float and bytes to 16
 * bits.
 */
#include "nn/kernels_neon.h"

#include "base/cpu.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))
#define DOT __attribute__((target("arch=armv8.2-a+dotprod")))
#define I8MM __attribute__((target("arch=armv8.2-a+dotprod+i8mm")))
#define BF16 __attribute__((target("arch=armv8.2-a+bf16")))

enum { GROUPS = 4 };

/* Up to four groups of a row: the rest reads as zero. */
INLINE uint32x4_t groups_of(const uint8_t *a, size_t n)
{
    uint32_t words[GROUPS] = { 0 };
    if (n >= GROUPS)
        return vld1q_u32((const uint32_t *)a);
    memcpy(words, a, n * sizeof *words);
    return vld1q_u32(words);
}

/* Sums of `rows` rows and 4 * COLS columns. TAKE makes x[r] of the words of a row, and STEP adds the products of group `q` of all
 * rows with the 16 * COLS bytes at `b`, behind which it leaves `b`; both find more registers in `extra`, which END may use. */
#define TILE(NAME, TARGET, ROWS, COLS, VECTOR, ZERO, OPERAND, EXTRA, TAKE, STEP, END)             \
    TARGET INLINE void part_##NAME(const uint8_t *a, size_t lda, const uint8_t *b, size_t groups, const int rows, \
                                   int32_t *acc, size_t ld)                                 \
    {                                                                                       \
        VECTOR s[ROWS][COLS];                                                                \
        EXTRA                                                                               \
        _Pragma("GCC unroll 4") for (int r = 0; r < rows; r++)                              \
            _Pragma("GCC unroll 8") for (int c = 0; c < COLS; c++)                          \
                s[r][c] = ZERO;                                                             \
        size_t g = 0;                                                                       \
        for (; g + GROUPS <= groups; g += GROUPS) {                                         \
            OPERAND x[ROWS];                                                                \
            _Pragma("GCC unroll 4") for (int r = 0; r < rows; r++) {                        \
                const uint32x4_t words = vld1q_u32((const uint32_t *)(a + (size_t)r * lda + g * 4)); \
                TAKE                                                                        \
            }                                                                               \
            _Pragma("GCC unroll 4") for (int q = 0; q < GROUPS; q++, b += SCRY_PANEL_GROUP_BYTES - 16 * COLS) { \
                STEP                                                                        \
            }                                                                               \
        }                                                                                   \
        if (g < groups) {                                                                   \
            OPERAND x[ROWS];                                                                \
            _Pragma("GCC unroll 4") for (int r = 0; r < rows; r++) {                        \
                const uint32x4_t words = groups_of(a + (size_t)r * lda + g * 4, groups - g); \
                TAKE                                                                        \
            }                                                                               \
            _Pragma("GCC unroll 4") for (int q = 0; q < GROUPS; q++, b += SCRY_PANEL_GROUP_BYTES - 16 * COLS) { \
                if (g + (size_t)q >= groups)                                                \
                    break;                                                                  \
                STEP                                                                        \
            }                                                                               \
        }                                                                                   \
        END                                                                                 \
        _Pragma("GCC unroll 4") for (int r = 0; r < rows; r++)                              \
            _Pragma("GCC unroll 8") for (int c = 0; c < COLS; c++)                          \
                vst1q_s32(acc + (size_t)r * ld + 4 * c, (int32x4_t)s[r][c]);                \
    }                                                                                       \
    TARGET static void tile_##NAME(const scry_tile *t, int panels)                          \
    {                                                                                       \
        int blocks = (t->rows + ROWS - 1) / ROWS;                                           \
        for (int n = 0; n < panels * SCRY_PANEL; n += 4 * COLS) {                           \
            const uint8_t *b = t->b + (size_t)(n / SCRY_PANEL) * t->panel_stride + n % SCRY_PANEL * 4; \
            for (int i = 0; i < blocks; i++) {                                              \
                int r0 = t->rows * i / blocks, rows = t->rows * (i + 1) / blocks - r0;      \
                int32_t *acc = (int32_t *)t->acc + (size_t)r0 * t->ld_acc + n;              \
                const uint8_t *a = t->a + (size_t)r0 * t->lda;                              \
                switch (rows) {                                                             \
                case 1: part_##NAME(a, t->lda, b, t->groups, 1, acc, t->ld_acc); break;     \
                case 2: part_##NAME(a, t->lda, b, t->groups, 2, acc, t->ld_acc); break;     \
                case 3: part_##NAME(a, t->lda, b, t->groups, 3, acc, t->ld_acc); break;     \
                default: part_##NAME(a, t->lda, b, t->groups, ROWS, acc, t->ld_acc); break; \
                }                                                                           \
            }                                                                               \
        }                                                                                   \
    }                                                                                       \
    TARGET void scry_neon_tile1_##NAME(const scry_tile *t) { tile_##NAME(t, 1); }           \
    TARGET void scry_neon_tile2_##NAME(const scry_tile *t) { tile_##NAME(t, 2); }

/* PRODUCT for s[r][c] of all rows and each register w of the panel's group, which LOAD makes of four that lie at `b`. LANE calls f
 * for lane q, which must be a constant. */
#define EACH(COLS, FOUR, LOAD, PRODUCT)                                                     \
    _Pragma("GCC unroll 2") for (int c0 = 0; c0 < COLS; c0 += 4) {                          \
        const FOUR four = LOAD;                                                             \
        b += 64;                                                                            \
        __asm__("" : "+r"(b));   /* or gcc adds to the address before each load, which can do it itself */ \
        _Pragma("GCC unroll 4") for (int c = c0; c < c0 + 4; c++)                           \
            _Pragma("GCC unroll 4") for (int r = 0; r < rows; r++)                          \
                PRODUCT                                                                     \
    }
#define W four.val[c - c0]
#define LANE(f, sum, w, x) \
    (q == 0 ? f(sum, w, x, 0) : q == 1 ? f(sum, w, x, 1) : q == 2 ? f(sum, w, x, 2) : f(sum, w, x, 3))

TILE(f32, , 3, 8, float32x4_t, vdupq_n_f32(0), float32x4_t, ,
     x[r] = vreinterpretq_f32_u32(words);,
     EACH(8, float32x4x4_t, vld1q_f32_x4((const float *)b), s[r][c] = LANE(vfmaq_laneq_f32, s[r][c], W, x[r]);), )

/* A word holds two bf16: shifted up, the lower one is a float; masked, the upper one. */
#define LOWER(v) vreinterpretq_f32_u32(vshlq_n_u32(v, 16))
#define UPPER(v) vreinterpretq_f32_u32(vandq_u32(v, vdupq_n_u32(0xFFFF0000)))
TILE(bf16, , 4, 4, float32x4_t, vdupq_n_f32(0), float32x4x2_t, ,
     x[r].val[0] = LOWER(words); x[r].val[1] = UPPER(words);,
     EACH(4, uint32x4x4_t, vld1q_u32_x4((const uint32_t *)b),
          { s[r][c] = LANE(vfmaq_laneq_f32, s[r][c], LOWER(W), x[r].val[0]);
            s[r][c] = LANE(vfmaq_laneq_f32, s[r][c], UPPER(W), x[r].val[1]); }), )

/* Byte k of a row's group as 16 bits, times byte k of the group of 16 outputs: `v.val[k]` has those of all outputs. */
#define WIDE_LANE(f, sum, w, x, lane)                                                       \
    (q % 2 == 0 ? f(sum, w, x, lane) : f(sum, w, x, (lane) + 4))
#define BYTE_PRODUCTS(lane)                                                                 \
    {                                                                                       \
        const int16x8_t low = vmovl_s8(vget_low_s8(v.val[lane])), high = vmovl_high_s8(v.val[lane]); \
        _Pragma("GCC unroll 4") for (int r = 0; r < rows; r++) {                            \
            const int16x8_t own = x[r].val[q / 2];                                          \
            s[r][0] = WIDE_LANE(vmlal_laneq_s16, s[r][0], vget_low_s16(low), own, lane);    \
            s[r][1] = WIDE_LANE(vmlal_high_laneq_s16, s[r][1], low, own, lane);             \
            s[r][2] = WIDE_LANE(vmlal_laneq_s16, s[r][2], vget_low_s16(high), own, lane);   \
            s[r][3] = WIDE_LANE(vmlal_high_laneq_s16, s[r][3], high, own, lane);            \
        }                                                                                   \
    }
TILE(int8, , 4, 4, int32x4_t, vdupq_n_s32(0), int16x8x2_t, ,
     x[r].val[0] = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(vreinterpretq_u8_u32(words))));
     x[r].val[1] = vreinterpretq_s16_u16(vmovl_high_u8(vreinterpretq_u8_u32(words)));,
     const int8x16x4_t v = vld4q_s8((const int8_t *)b);
     b += 64;
     BYTE_PRODUCTS(0) BYTE_PRODUCTS(1) BYTE_PRODUCTS(2) BYTE_PRODUCTS(3), )

#ifdef SCRY_CPU_ARM_EXTENSIONS
TILE(bf16_dot, BF16, 3, 8, float32x4_t, vdupq_n_f32(0), bfloat16x8_t, ,
     x[r] = vreinterpretq_bf16_u32(words);,
     EACH(8, bfloat16x8x4_t, vld1q_bf16_x4((const bfloat16_t *)b), s[r][c] = LANE(vbfdotq_laneq_f32, s[r][c], W, x[r]);), )

/* Signed bytes only: A less 128, and 128 times the sums of the panel's bytes at the end. */
TILE(int8_dot, DOT, 4, 4, int32x4_t, vdupq_n_s32(0), int8x16_t,
     int32x4_t sums[4] = { vdupq_n_s32(0) };,
     x[r] = vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(words), vdupq_n_u8(128)));,
     EACH(4, int8x16x4_t, vld1q_s8_x4((const int8_t *)b),
          { if (r == 0)
                sums[c] = vdotq_s32(sums[c], W, vdupq_n_s8(1));
            s[r][c] = LANE(vdotq_laneq_s32, s[r][c], W, x[r]); }),
     for (int r = 0; r < rows; r++)
         for (int c = 0; c < 4; c++)
             s[r][c] = vaddq_s32(s[r][c], vshlq_n_s32(sums[c], 7));)

TILE(int8_i8mm, I8MM, 3, 8, int32x4_t, vdupq_n_s32(0), uint8x16_t, ,
     x[r] = vreinterpretq_u8_u32(words);,
     EACH(8, int8x16x4_t, vld1q_s8_x4((const int8_t *)b), s[r][c] = LANE(vsudotq_laneq_s32, s[r][c], W, x[r]);), )

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
