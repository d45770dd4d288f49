#include "vector/scan_kernels.h"

#include "base/cpu.h"

const scry_scan_kernels *scry_scan_kernels_at(size_t i)
{
    const scry_scan_kernels *sets[] = { &scry_scan_kernels_scalar, NULL, NULL, NULL };
    size_t n = 1;
#ifdef __x86_64__
    if (scry_cpu_has(SCRY_CPU_AVX2))
        sets[n++] = &scry_scan_kernels_avx2;
    if (scry_cpu_has(SCRY_CPU_AVX512_VNNI))
        sets[n++] = &scry_scan_kernels_avx512;
    if (scry_cpu_has(SCRY_CPU_AVX512_VNNI) && scry_cpu_has(SCRY_CPU_AVX512_COUNT))
        sets[n++] = &scry_scan_kernels_avx512_count;
#endif
#ifdef __aarch64__
    if (scry_cpu_has(SCRY_CPU_NEON))
        sets[n++] = &scry_scan_kernels_neon;
#endif
#ifdef SCRY_CPU_ARM_EXTENSIONS
    if (scry_cpu_has(SCRY_CPU_NEON_DOT))
        sets[n++] = &scry_scan_kernels_neon_dot;
    if (scry_cpu_has(SCRY_CPU_NEON_I8MM))
        sets[n++] = &scry_scan_kernels_neon_i8mm;
#endif
    return i < n ? sets[i] : NULL;
}

const scry_scan_kernels *scry_scan_kernels_best(void)
{
    const scry_scan_kernels *best = &scry_scan_kernels_scalar;
    for (size_t i = 0; scry_scan_kernels_at(i); i++)
        best = scry_scan_kernels_at(i);
    return best;
}
