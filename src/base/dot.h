/* dot.h - the product of two float vectors, for code that has no kernels at hand. */
#ifndef SCRY_BASE_DOT_H
#define SCRY_BASE_DOT_H

#include <stddef.h>

/* Of a and b [n]. Sixteen partial sums, which the compiler keeps in vector registers. */
static inline float scry_dot(const float *a, const float *b, size_t n)
{
    enum { LANES = 16 };
    float lane[LANES] = { 0 }, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (size_t k = 0; k < LANES; k++)
        sum += lane[k];
    return sum;
}

#endif
