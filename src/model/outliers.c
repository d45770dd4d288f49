#include "model/outliers.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLE = 8 };   /* every eighth row gives a column's size to within a few percent */

/* Row `n` of the stack to out [K]. */
static void row_of(const scry_stacked *w, size_t n, float *out)
{
    size_t rows = w->part[0].shape[0];
    scry_tensor_row(&w->part[n / rows], n % rows, out);
}

/* Root mean squares of the columns to out [K], each at least a twentieth of their mean. */
static void column_sizes(const scry_stacked *w, float *out)
{
    float *row = scry_alloc(w->k * sizeof *row), mean = 0;
    memset(out, 0, w->k * sizeof *out);
    for (size_t n = 0; n < w->n; n += SAMPLE) {
        row_of(w, n, row);
        for (size_t k = 0; k < w->k; k++)
            out[k] += row[k] * row[k];
    }
    for (size_t k = 0; k < w->k; k++)
        mean += (out[k] = sqrtf(out[k])) / (float)w->k;
    for (size_t k = 0; k < w->k; k++)
        out[k] = fmaxf(out[k], mean / 20);
    free(row);
}

void scry_outliers_spread(const float *gain, const float *bias, const scry_stacked *w, float *s)
{
    const float reach = 3;   /* standard deviations that a normalised channel gets from 0 */
    float *size = scry_alloc(w->k * sizeof *size), mean = 0;
    column_sizes(w, size);
    for (size_t k = 0; k < w->k; k++) {
        s[k] = size[k] > 0 ? (reach * fabsf(gain[k]) + fabsf(bias[k])) / size[k] : 0;
        mean += s[k] / (float)w->k;
    }
    for (size_t k = 0; k < w->k; k++)
        s[k] = mean > 0 && mean < 1e30f ? fminf(fmaxf(sqrtf(s[k] / mean), 0.1f), 32) : 1;
    free(size);
}

/* Mean variance of the outputs of the head's `n` rows from `first`, over a sample of the rows. */
static float variance_of(const float *gain, const scry_stacked *w, size_t first, size_t n, float *row)
{
    double sum = 0;
    size_t step = n < SAMPLE ? 1 : n / SAMPLE, taken = 0;
    for (size_t r = 0; r < n; r += step, taken++) {
        row_of(w, first + r, row);
        for (size_t k = 0; k < w->k; k++)
            sum += (double)(gain[k] * row[k]) * (gain[k] * row[k]);
    }
    return (float)(sum / (double)taken);
}

/* The score of two tokens is a sum of `head` products over sqrt(head), so its variance is that
 * of a query's number times that of a key's. int8 is about 1.5 % off: with scores of 3 that is
 * 5 % of an attention weight. Random ViT-B/32: 2.6. */
bool scry_outliers_sharp(const float *gain, const scry_stacked *qkv, size_t heads)
{
    const float most = 3;
    size_t head = qkv->k / heads;
    float *row = scry_alloc(qkv->k * sizeof *row), mean = 0;
    for (size_t h = 0; h < heads; h++) {
        float q = variance_of(gain, qkv, h * head, head, row);
        float k = variance_of(gain, qkv, qkv->k + h * head, head, row);
        mean += sqrtf(q * k) / (float)heads;
    }
    free(row);
    return mean > most;
}
