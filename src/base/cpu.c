#include "base/cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

/* The features (1 << scry_cpu_feature) that SCRY_CPU allows; all when it is unset or unknown. */
static unsigned allowed(void)
{
    static const struct { const char *cap; unsigned features; } caps[] = {
        { "generic", 0 },
        { "avx2", 1u << SCRY_CPU_AVX2 },
        { "avx512", 1u << SCRY_CPU_AVX2 | 1u << SCRY_CPU_AVX512 },
        { "avx512+bf16", 1u << SCRY_CPU_AVX2 | 1u << SCRY_CPU_AVX512 | 1u << SCRY_CPU_AVX512_BF16 },
        { "avx512+vnni", 1u << SCRY_CPU_AVX2 | 1u << SCRY_CPU_AVX512 | 1u << SCRY_CPU_AVX512_VNNI }
    };
    const char *cap = getenv("SCRY_CPU");
    for (size_t i = 0; cap && i < sizeof caps / sizeof *caps; i++)
        if (strcmp(caps[i].cap, cap) == 0)
            return caps[i].features;
    return ~0u;
}

/* __builtin_cpu_supports of clang 14 does not know it: leaf 7, sub-leaf 1, EAX bit 5. */
static bool has_bf16(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 5);
}

bool scry_cpu_has(scry_cpu_feature f)
{
    /* __builtin_cpu_supports also asks whether the system saves the wide registers. */
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
               && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (!(allowed() >> f & 1))
        return false;
    switch (f) {
    case SCRY_CPU_AVX2: return avx2;
    case SCRY_CPU_AVX512: return avx512;
    case SCRY_CPU_AVX512_BF16: return avx512 && has_bf16();
    case SCRY_CPU_AVX512_VNNI: return avx512 && __builtin_cpu_supports("avx512vnni");
    case SCRY_CPU_AVX512_COUNT: return avx512 && __builtin_cpu_supports("avx512vpopcntdq");
    }
    return false;
}

#else

bool scry_cpu_has(scry_cpu_feature f)
{
    return false;
}

#endif
