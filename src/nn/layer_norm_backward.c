/* layer_norm_backward.c - with h = (x - mean) r, r = 1 / sqrt(variance + eps) and d = dy gain:
 *
 *     dx = r (d - mean(d) - h mean(d h))        dgain = sum over rows of dy h        dbias = sum over rows of dy
 *
 * Rows are shared for dx, columns for the sums, so that every sum has one order.
 */
#include "nn/backward.h"

#include <math.h>

/* Mean and r of a row. */
static void moments(const float *x, size_t n, float eps, float *mean, float *r)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    for (size_t i = 0; i < n; i++)
        squares += ((double)x[i] - sum / (double)n) * ((double)x[i] - sum / (double)n);
    *mean = (float)(sum / (double)n);
    *r = (float)(1 / sqrt(squares / (double)n + (double)eps));
}

static void row_backward(const scry_layer_norm_backward *b, const float *x, const float *dy, float mean, float r, float *dx)
{
    double sum = 0, along = 0;
    for (size_t i = 0; i < b->width; i++) {
        float d = dy[i] * b->gain[i];
        sum += (double)d;
        along += (double)(d * (x[i] - mean) * r);
    }
    float m = (float)(sum / (double)b->width), a = (float)(along / (double)b->width);
    for (size_t i = 0; i < b->width; i++) {
        float d = r * (dy[i] * b->gain[i] - m - (x[i] - mean) * r * a);
        dx[i] = b->add ? dx[i] + d : d;
    }
}

void scry_layer_norm_backward_run(scry_nn *t, const scry_layer_norm_backward *b)
{
    size_t w = b->width;
    scry_range rows = scry_share(t, b->rows, 1), columns = scry_share(t, w, 16);
    float *mean = b->memory, *r = mean + b->rows;
    for (size_t i = rows.from; i < rows.to; i++)
        moments(b->x + i * w, w, b->eps, &mean[i], &r[i]);
    scry_nn_wait(t);
    for (size_t i = 0; i < b->rows; i++)
        for (size_t k = columns.from; k < columns.to; k++) {
            float d = b->dy[i * w + k];
            b->dgain[k] += d * (b->x[i * w + k] - mean[i]) * r[i];
            b->dbias[k] += d;
        }
    scry_nn_wait(t);   /* dx may be dy */
    for (size_t i = rows.from; i < rows.to && b->dx; i++)
        row_backward(b, b->x + i * w, b->dy + i * w, mean[i], r[i], b->dx + i * w);
    scry_nn_wait(t);
}
