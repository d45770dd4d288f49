#include "vector/vector.h"

#include "vector/vector_internal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static uint32_t float_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static float bits_float(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* Shift right, rounding to nearest and ties to even. */
static uint32_t shift_round(uint32_t m, unsigned shift)
{
    uint32_t half = 1u << (shift - 1), rest = m & ((1u << shift) - 1);
    m >>= shift;
    return m + (rest > half || (rest == half && (m & 1)));
}

static uint16_t half_of(float f)
{
    uint32_t u = float_bits(f), sign = u >> 16 & 0x8000, magnitude = u & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);                    /* NaN */
    if (magnitude >= 0x477ff000)
        return (uint16_t)(sign | 0x7c00);                    /* rounds past 65504 */
    if (magnitude >= 0x38800000)                             /* normal: rebias from 127 to 15 */
        return (uint16_t)(sign | shift_round(magnitude - 0x38000000, 13));
    if (magnitude < 0x33000000)
        return (uint16_t)sign;                               /* below half the least subnormal */
    unsigned shift = 126 - (magnitude >> 23);                /* subnormal: 2^-24 is the unit */
    return (uint16_t)(sign | shift_round((magnitude & 0x7fffff) | 0x800000, shift));
}

static float float_of(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ff;
    if (exponent == 31)
        return bits_float(sign | 0x7f800000 | fraction << 13);
    if (exponent)
        return bits_float(sign | (exponent + 112) << 23 | fraction << 13);
    float f = (float)fraction * 0x1p-24f;
    return sign ? -f : f;
}

void scry_half_from_float_portable(uint16_t *out, const float *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = half_of(in[i]);
}

void scry_half_to_float_portable(float *out, const uint16_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = float_of(in[i]);
}

scry_half_sums scry_half_sums_portable(const float *query, const uint16_t *row, size_t dim)
{
    double dot[8] = { 0 }, square[8] = { 0 };
    for (size_t i = 0; i < dim; i++) {
        double v = (double)float_of(row[i]);
        dot[i % 8] += v * (double)query[i];
        square[i % 8] += v * v;
    }
    for (int half = 4; half; half /= 2)
        for (int i = 0; i < half; i++) {
            dot[i] += dot[i + half];
            square[i] += square[i + half];
        }
    return (scry_half_sums){ dot[0], square[0] };
}

/* ---- by what the processor has ---- */

#ifdef __x86_64__
/* Every processor with AVX2 has F16C, which clang 14 cannot ask for by name; CPUID itself
 * would cost a microsecond a call on a virtual machine. */
static bool has_f16c(void)
{
    return __builtin_cpu_supports("avx2");
}
#define PICK(name) (has_f16c() ? name##_f16c : name##_portable)
#elif defined(__aarch64__)
#define PICK(name) name##_neon
#else
#define PICK(name) name##_portable
#endif

void scry_half_from_float(uint16_t *out, const float *in, size_t n)
{
    PICK(scry_half_from_float)(out, in, n);
}

void scry_half_to_float(float *out, const uint16_t *in, size_t n)
{
    PICK(scry_half_to_float)(out, in, n);
}

double scry_half_cosine(const float *query, double query_norm, const uint16_t *row, size_t dim)
{
    scry_half_sums s = PICK(scry_half_sums)(query, row, dim);
    double norm = query_norm * sqrt(s.square);
    return norm > 0 ? s.dot / norm : 0;
}

double scry_float_norm(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] * v[i];
    return sqrt(sum);
}
