/* sums.h - the short sums of losses. */
#ifndef SCRY_TUNE_SUMS_H
#define SCRY_TUNE_SUMS_H

#include <stddef.h>

/* a . b */
static inline float dot(const float *a, const float *b, size_t n)
{
    float lanes[8] = { 0 }, sum = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            lanes[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (size_t k = 0; k < 8; k++)
        sum += lanes[k];
    return sum;
}

/* out += factor v */
static inline void add(float *out, float factor, const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] += factor * v[i];
}

#endif
