#include "vector/scan_kernels.h"

#ifdef __x86_64__
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
}
#endif

const scry_scan_kernels *scry_scan_kernels_at(size_t i)
{
    const scry_scan_kernels *sets[4] = { &scry_scan_kernels_scalar };
    size_t n = 1;
#ifdef __x86_64__
    if (has_avx2())
        sets[n++] = &scry_scan_kernels_avx2;
    if (has_avx512())
        sets[n++] = &scry_scan_kernels_avx512;
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
