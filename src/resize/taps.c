/* taps.c - Pillow's weights: the filter sampled at pixel centres in double precision,
 * normalised to sum 1, then rounded to 22 bits. The order of the operations is Pillow's, and
 * the file is compiled without contraction to fused multiply-adds: one different bit here
 * can change a pixel. */
#include "resize/taps.h"

#include "base/alloc.h"
#include "scry/error.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

typedef double filter_fn(double x);

static double bilinear(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys' cubic with a = -0.5, written as polynomials in Horner form. */
static double bicubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

/* A filter, widened by `shrink` where the picture gets smaller. */
typedef struct widened {
    filter_fn *filter;
    double support, shrink;
} widened;

/* The weights of output i, whose centre lies at `centre` of the input; `w` has room for the
 * widest window. */
static void weigh(scry_taps *t, int i, int in_size, double centre, const widened *f, double *w)
{
    int low = (int)(centre - f->support + 0.5);
    int high = (int)(centre + f->support + 0.5);
    if (low < 0)
        low = 0;
    if (high > in_size)
        high = in_size;
    t->start[i] = low;
    t->n[i] = high - low;
    assert(t->n[i] <= t->width);
    double sum = 0.0;
    double inverse = 1.0 / f->shrink;
    for (int j = 0; j < t->n[i]; j++) {
        w[j] = f->filter((j + low - centre + 0.5) * inverse);
        sum += w[j];
    }
    int32_t *k = t->k + (size_t)i * (size_t)t->width;
    for (int j = 0; j < t->n[i]; j++) {
        double v = (sum != 0.0 ? w[j] / sum : w[j]) * (1 << SCRY_WEIGHT_BITS);
        k[j] = (int32_t)(v < 0 ? v - 0.5 : v + 0.5);
    }
}

int scry_taps_init(scry_taps *t, const scry_taps_plan *p, scry_filter filter)
{
    assert(p->in_size >= 1 && p->extent > 0 && p->first >= 0 && p->count >= 1
           && p->first <= p->out_size - p->count);
    double scale = p->extent / p->out_size;
    double shrink = scale < 1.0 ? 1.0 : scale;
    bool cubic = filter == SCRY_FILTER_BICUBIC;
    widened f = { cubic ? bicubic : bilinear, (cubic ? 2.0 : 1.0) * shrink, shrink };
    size_t count = (size_t)p->count, cells;
    *t = (scry_taps){ .count = p->count, .width = (int)ceil(f.support) * 2 + 1 };
    if (!scry_mul_size(count, (size_t)t->width, &cells))
        return SCRY_ENOMEM;
    t->start = scry_try_alloc(count, sizeof *t->start);
    t->n = scry_try_alloc(count, sizeof *t->n);
    t->k = scry_try_alloc(cells, sizeof *t->k);
    double *w = scry_try_alloc((size_t)t->width, sizeof *w);
    int rc = t->start && t->n && t->k && w ? 0 : SCRY_ENOMEM;
    for (int i = 0; rc == 0 && i < p->count; i++)
        weigh(t, i, p->in_size, p->at + (p->first + i + 0.5) * scale, &f, w);
    free(w);
    return rc;
}

int scry_taps_split(scry_taps *t)
{
    int widest = 0;
    for (int i = 0; i < t->count; i++)
        widest = t->n[i] > widest ? t->n[i] : widest;
    t->blocks = (widest + SCRY_TAP_BLOCK - 1) / SCRY_TAP_BLOCK;
    size_t cells = (size_t)t->blocks * 2 * SCRY_TAP_BLOCK;
    t->split = scry_try_alloc((size_t)t->count, cells * sizeof *t->split);
    if (!t->split)
        return SCRY_ENOMEM;
    for (int i = 0; i < t->count; i++) {
        const int32_t *k = t->k + (size_t)i * (size_t)t->width;
        for (int j = 0; j < t->n[i]; j++) {
            int16_t *block = t->split + cells * (size_t)i
                             + (size_t)(j / SCRY_TAP_BLOCK) * 2 * SCRY_TAP_BLOCK;
            int at = j % SCRY_TAP_BLOCK;
            block[at] = (int16_t)(k[j] >> SCRY_WEIGHT_LOW_BITS);
            block[at + SCRY_TAP_BLOCK] = (int16_t)(k[j] & ((1 << SCRY_WEIGHT_LOW_BITS) - 1));
        }
    }
    return 0;
}

void scry_taps_dispose(scry_taps *t)
{
    free(t->start);
    free(t->n);
    free(t->k);
    free(t->split);
    *t = (scry_taps){ 0 };
}
