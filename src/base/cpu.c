#include "base/cpu.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The values of SCRY_CPU and the features (1 << scry_cpu_feature) that each allows. */
static const struct {
    const char *name;
    unsigned features;
} caps[] = {
    { "generic", 0 },
#define BIT(f) (1u << SCRY_CPU_##f)
#define AVX512 (BIT(AVX2) | BIT(AVX512))
    { "avx2", BIT(AVX2) },
    { "avx512", AVX512 },
    { "avx512+bf16", AVX512 | BIT(AVX512_BF16) },
    { "avx512+vnni", AVX512 | BIT(AVX512_VNNI) },
    { "neon", BIT(NEON) },
    { "neon+dot", BIT(NEON) | BIT(NEON_DOT) },
    { "neon+i8mm", BIT(NEON) | BIT(NEON_DOT) | BIT(NEON_I8MM) }
};

/* What SCRY_CPU allows: all when it is unset or unknown. */
static bool is_allowed(scry_cpu_feature f)
{
    const char *cap = getenv("SCRY_CPU");
    for (size_t i = 0; cap && i < sizeof caps / sizeof *caps; i++)
        if (strcmp(caps[i].name, cap) == 0)
            return caps[i].features >> f & 1;
    return true;
}

#if defined(__x86_64__)

#include <cpuid.h>

/* __builtin_cpu_supports of clang 14 does not know it: leaf 7, sub-leaf 1, EAX bit 5. */
static bool has_bf16(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 5);
}

static bool processor_has(scry_cpu_feature f)
{
    /* __builtin_cpu_supports also asks whether the system saves the wide registers. */
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
               && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    switch (f) {
    case SCRY_CPU_AVX2: return avx2;
    case SCRY_CPU_AVX512: return avx512;
    case SCRY_CPU_AVX512_BF16: return avx512 && has_bf16();
    case SCRY_CPU_AVX512_VNNI: return avx512 && __builtin_cpu_supports("avx512vnni");
    case SCRY_CPU_AVX512_COUNT: return avx512 && __builtin_cpu_supports("avx512vpopcntdq");
    case SCRY_CPU_NEON: case SCRY_CPU_NEON_DOT: case SCRY_CPU_NEON_I8MM: case SCRY_CPU_NEON_BF16: break;
    }
    return false;
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

/* The kernel's bits of AT_HWCAP and AT_HWCAP2, which headers of older systems lack. */
enum { HAS_DOT = 1 << 20, HAS_I8MM = 1 << 13, HAS_BF16 = 1 << 14 };

static bool processor_has(scry_cpu_feature f)
{
    bool dot = getauxval(AT_HWCAP) & HAS_DOT, i8mm = dot && (getauxval(AT_HWCAP2) & HAS_I8MM);
    switch (f) {
    case SCRY_CPU_NEON: return true;
    case SCRY_CPU_NEON_DOT: return dot;
    case SCRY_CPU_NEON_I8MM: return i8mm;
    case SCRY_CPU_NEON_BF16: return i8mm && (getauxval(AT_HWCAP2) & HAS_BF16);
    case SCRY_CPU_AVX2: case SCRY_CPU_AVX512: case SCRY_CPU_AVX512_BF16: case SCRY_CPU_AVX512_VNNI:
    case SCRY_CPU_AVX512_COUNT: break;
    }
    return false;
}

#else

static bool processor_has(scry_cpu_feature f)
{
    return false;
}

#endif

bool scry_cpu_has(scry_cpu_feature f)
{
    return is_allowed(f) && processor_has(f);
}
