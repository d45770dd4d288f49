#include "tune/loss.h"

#include "base/alloc.h"
#include "base/dot.h"
#include "tune/sums.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static bool same(const tune_pairs *x, size_t i, size_t j)
{
    return x->text_of[i] == x->text_of[j] || x->picture_of[i] == x->picture_of[j];
}

/* Cross-entropy of n logits, `step` apart, for target i; adds (softmax - y) * share to `d`, likewise apart. */
static double cross_entropy(const tune_pairs *x, size_t i, const float *logits, size_t step, float share, float *d)
{
    size_t right = 0;
    float most = -INFINITY;
    double sum = 0, loss = 0;
    for (size_t j = 0; j < x->n; j++) {
        most = fmaxf(most, logits[j * step]);
        right += same(x, i, j);
    }
    for (size_t j = 0; j < x->n; j++)
        sum += exp((double)(logits[j * step] - most));
    for (size_t j = 0; j < x->n; j++) {
        double z = (double)(logits[j * step] - most), y = same(x, i, j) ? 1 / (double)right : 0;
        loss -= y * (z - log(sum));
        d[j * step] += share * (float)(exp(z) / sum - y);
    }
    return loss;
}

double tune_contrast(const tune_pairs *x, float *du, float *dv)
{
    size_t n = x->n, dim = x->dim;
    float *logits = scry_alloc(n * n * sizeof *logits), *d = scry_alloc(n * n * sizeof *d);
    double loss = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            logits[i * n + j] = (float)x->scale * scry_dot(x->u + i * dim, x->v + j * dim, dim);
    for (size_t i = 0; i < n; i++) {
        loss += cross_entropy(x, i, logits + i * n, 1, 0.5f / (float)n, d + i * n);
        loss += cross_entropy(x, i, logits + i, n, 0.5f / (float)n, d + i);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            if (du)
                add(du + i * dim, (float)x->scale * d[i * n + j], x->v + j * dim, dim);
            if (dv)
                add(dv + j * dim, (float)x->scale * d[i * n + j], x->u + i * dim, dim);
        }
    free(d);
    free(logits);
    return loss / 2 / (double)n;
}
