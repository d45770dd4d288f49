/* sums.h - the short sums of losses. */
#ifndef SCRY_TUNE_SUMS_H
#define SCRY_TUNE_SUMS_H

#include <stddef.h>

/* out += factor v */
static inline void add(float *out, float factor, const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] += factor * v[i];
}

#endif
