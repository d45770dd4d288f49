#include "vector/fold.h"

#include "base/alloc.h"
#include "vector/vector.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Squared distance of unit vectors = 2 - 2 cosine. It only grows with the dimensions, so for
 * most pairs the first of these steps decides. */
enum { STEP = 64, LANES = 16 };

static bool within(const float *a, const float *b, size_t dim, float limit)
{
    float lane[LANES] = { 0 };
    for (size_t d = 0; d < dim;) {
        size_t end = dim - d < STEP ? dim : d + STEP;
        float sum = 0;
        for (; d + LANES <= end; d += LANES)
            for (size_t k = 0; k < LANES; k++) {
                float x = a[d + k] - b[d + k];
                lane[k] += x * x;
            }
        for (; d < end; d++)
            lane[0] += (a[d] - b[d]) * (a[d] - b[d]);
        for (size_t k = 0; k < LANES; k++)
            sum += lane[k];
        if (sum > limit)
            return false;
    }
    return true;
}

static void make_unit(float *v, size_t dim)
{
    double norm = scry_float_norm(v, dim);
    for (size_t d = 0; norm > 0 && d < dim; d++)
        v[d] = (float)(v[d] / norm);
}

int scry_fold(size_t *leader, size_t n, size_t dim, double cosine, void (*row)(void *arg, size_t i, float *out), void *arg)
{
    size_t shown[SCRY_FOLD_WINDOW], count = 0;   /* entry of each place of the window, a ring */
    float *window = scry_try_alloc((SCRY_FOLD_WINDOW + 1) * dim, sizeof *window);   /* [WINDOW + 1, dim] */
    if (!window)
        return -1;
    float *own = window + SCRY_FOLD_WINDOW * dim, limit = (float)(2 - 2 * cosine);
    for (size_t i = 0; i < n; i++) {
        row(arg, i, own);
        make_unit(own, dim);
        leader[i] = i;
        size_t first = count < SCRY_FOLD_WINDOW ? 0 : count - SCRY_FOLD_WINDOW;
        for (size_t c = first; c < count && leader[i] == i; c++)
            if (within(window + c % SCRY_FOLD_WINDOW * dim, own, dim, limit))
                leader[i] = shown[c % SCRY_FOLD_WINDOW];
        if (leader[i] != i)
            continue;
        memcpy(window + count % SCRY_FOLD_WINDOW * dim, own, dim * sizeof *own);
        shown[count++ % SCRY_FOLD_WINDOW] = i;
    }
    free(window);
    return 0;
}
