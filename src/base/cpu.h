/* cpu.h - which instruction sets the kernels of this process may use.
 *
 * Every table of kernels is chosen at run time by scry_cpu_has alone:
 *
 *     x86-64    plain C  <  AVX2  <  AVX-512  (with or without its BF16 and VNNI products)
 *     aarch64   plain C  <  NEON  <  with dot products  <  with I8MM  <  with BF16
 *
 * SCRY_CPU in the environment caps the answer, so that the kernels of older processors
 * can be tested on a newer one: "generic", "avx2", "avx512", "avx512+bf16", "avx512+vnni", "avx512+bf16+vnni",
 * "neon", "neon+dot", "neon+i8mm", "neon+i8mm+bf16".
 * It never enables what the processor lacks; other values are ignored.
 */
#ifndef SCRY_BASE_CPU_H
#define SCRY_BASE_CPU_H

#include <stdbool.h>

/* Whether the compiler can be asked for single extensions of aarch64: clang cannot before 17, and has plain NEON. */
#if defined(__aarch64__) && (!defined(__clang__) || __clang_major__ >= 17)
#define SCRY_CPU_ARM_EXTENSIONS 1
#endif

typedef enum {
    SCRY_CPU_AVX2,           /* with FMA and F16C, as every processor that has it */
    SCRY_CPU_AVX512,         /* F, BW, DQ and VL */
    SCRY_CPU_AVX512_BF16,    /* products of pairs of bfloat16 */
    SCRY_CPU_AVX512_VNNI,    /* products of four bytes */
    SCRY_CPU_AVX512_COUNT,   /* set bits of 64-bit lanes (VPOPCNTDQ); off under every value of SCRY_CPU */
    SCRY_CPU_NEON,           /* every aarch64 */
    SCRY_CPU_NEON_DOT,       /* products of four bytes of the same sign: Cortex-A76, Neoverse N1, Apple M1 */
    SCRY_CPU_NEON_I8MM,      /* and of different signs: Neoverse V1, Cortex-A710, Apple M2 */
    SCRY_CPU_NEON_BF16       /* products of pairs of bfloat16; never without the two before it */
} scry_cpu_feature;

/* Whether processor, operating system and SCRY_CPU allow it. False for those of other architectures.
 * Any thread; asks the processor, so ask once and keep a table. */
bool scry_cpu_has(scry_cpu_feature f);

#endif
