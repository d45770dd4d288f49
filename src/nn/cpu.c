/* cpu.c - which kernels this processor runs. */
#include "nn/kernels.h"

#include "base/cpu.h"

size_t scry_kernels_all(const scry_kernels **out, size_t capacity)
{
    const scry_kernels *all[SCRY_KERNELS_MAX] = { scry_kernels_generic() };
    size_t n = 1;
    bool bf16 = scry_cpu_has(SCRY_CPU_AVX512_BF16), vnni = scry_cpu_has(SCRY_CPU_AVX512_VNNI);
    if (scry_cpu_has(SCRY_CPU_AVX2))
        all[n++] = scry_kernels_avx2();
    for (int i = 0; i < 4 && scry_cpu_has(SCRY_CPU_AVX512); i++)
        if ((bf16 || !(i & 2)) && (vnni || !(i & 1)))
            all[n++] = scry_kernels_avx512(i & 2, i & 1);
    static const scry_cpu_feature neon[] = { SCRY_CPU_NEON, SCRY_CPU_NEON_DOT, SCRY_CPU_NEON_I8MM, SCRY_CPU_NEON_BF16 };
    for (size_t i = 0; scry_kernels_neon(i) && scry_cpu_has(neon[i]); i++)
        all[n++] = scry_kernels_neon(i);
    for (size_t i = 0; i < n && i < capacity; i++)
        out[i] = all[i];
    return n < capacity ? n : capacity;
}

const scry_kernels *scry_kernels_best(void)
{
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    return all[n - 1];
}
