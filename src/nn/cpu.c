/* cpu.c - which kernels this processor runs, asked of the processor and of the operating
 * system (whether it saves the wide registers): __builtin_cpu_supports does both.
 * SCRY_CPU=generic|avx2|avx512 in the environment caps the choice, for tests. */
#include "nn/kernels.h"

#include <stdlib.h>

#if defined(__x86_64__)

#include <cpuid.h>

/* clang 14 cannot be asked for it by name: leaf 7, sub-leaf 1, EAX bit 5. */
static bool has_bf16(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 5);
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("fma");   /* F16C came before AVX2 */
}

size_t scry_kernels_all(const scry_kernels **out, size_t capacity)
{
    size_t n = 0;
    out[n++] = scry_kernels_generic();
    if (n < capacity && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        out[n++] = scry_kernels_avx2();
    if (n < capacity && has_avx512())
        out[n++] = scry_kernels_avx512(has_bf16(), __builtin_cpu_supports("avx512vnni"));
    return n;
}

#else

size_t scry_kernels_all(const scry_kernels **out, size_t capacity)
{
    out[0] = scry_kernels_generic();
    return 1;
}

#endif

const scry_kernels *scry_kernels_best(void)
{
    const scry_kernels *all[4];
    size_t n = scry_kernels_all(all, 4);
    const char *cap = getenv("SCRY_CPU");
    if (cap) {
        for (size_t i = n; i-- > 0;)
            if (strncmp(all[i]->name, cap, strlen(cap)) == 0)
                return all[i];
    }
    return all[n - 1];
}
