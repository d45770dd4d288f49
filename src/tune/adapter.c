#include "tune/adapter.h"

#include "base/alloc.h"
#include "base/dot.h"
#include "tune/loss.h"
#include "tune/sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* AdamW as in PyTorch; the decay is 0.1 of the rate. */
#define BETA1 0.9
#define BETA2 0.98
#define EPSILON 1e-8
#define DECAY 0.1

size_t tune_parameters(const tune_shape *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->branches; i++)
        n += s->width[i] * s->width[i];
    return n;
}

void tune_identity(const tune_shape *s, float *b)
{
    memset(b, 0, tune_parameters(s) * sizeof *b);
    for (size_t i = 0; i < s->branches; b += s->width[i] * s->width[i], i++)
        for (size_t k = 0; k < s->width[i]; k++)
            b[k * s->width[i] + k] = 1;
}

/* ---- one text ---- */

typedef struct {
    float length[TUNE_MAX_BRANCHES], total;   /* |B_b t_b|, |concat| */
} lengths;

/* u [dim] of t [dim]. */
static void forward(const tune_shape *s, const float *b, const float *t, float *u, lengths *l)
{
    size_t at = 0;
    for (size_t i = 0; i < s->branches; at += s->width[i], i++) {
        size_t w = s->width[i];
        for (size_t r = 0; r < w; r++, b += w)
            u[at + r] = scry_dot(b, t + at, w);
        l->length[i] = sqrtf(scry_dot(u + at, u + at, w));
        for (size_t r = 0; s->weight[i] > 0 && r < w; r++)
            u[at + r] *= (float)s->weight[i] / l->length[i];
    }
    l->total = sqrtf(scry_dot(u, u, s->dim));
    for (size_t k = 0; k < s->dim; k++)
        u[k] /= l->total;
}

/* Add to `gradient` what the gradient `du` [dim] of u gives; `du` is overwritten. */
static void backward(const tune_shape *s, const float *t, const float *u, const lengths *l, float *du, float *gradient)
{
    float along = scry_dot(u, du, s->dim);
    for (size_t k = 0; k < s->dim; k++)
        du[k] = (du[k] - along * u[k]) / l->total;
    size_t at = 0;
    for (size_t i = 0; i < s->branches; at += s->width[i], i++) {
        size_t w = s->width[i];
        float weight = (float)s->weight[i], *d = du + at;
        if (weight > 0) {   /* the branch's unit vector is u * total / weight */
            float unit = l->total / weight;
            along = scry_dot(u + at, d, w) * unit * unit;
            for (size_t k = 0; k < w; k++)
                d[k] = (d[k] - along * u[at + k]) * weight / l->length[i];
        }
        for (size_t r = 0; r < w; r++, gradient += w)
            add(gradient, d[r], t + at, w);
    }
}

void tune_apply(const tune_shape *s, const float *b, const float *texts, size_t n, float *out)
{
    lengths l;
    for (size_t i = 0; i < n; i++)
        forward(s, b, texts + i * s->dim, out + i * s->dim, &l);
}

/* ---- the loss ---- */

double tune_loss(const tune_shape *s, const float *b, const tune_batch *x, float *gradient)
{
    size_t n = x->n, dim = s->dim;
    float *u = scry_alloc((n + 1) * dim * sizeof *u), *du = scry_alloc((n + 1) * dim * sizeof *du);
    lengths *l = scry_alloc((n + 1) * sizeof *l);
    if (gradient)
        memset(gradient, 0, tune_parameters(s) * sizeof *gradient);
    for (size_t i = 0; i < n; i++)
        forward(s, b, x->texts + i * dim, u + i * dim, &l[i]);
    double loss = tune_contrast(&(tune_pairs){ n, dim, u, x->pictures, x->text_of, x->picture_of, x->scale }, du, NULL);
    for (size_t i = 0; i < n && gradient; i++)
        backward(s, x->texts + i * dim, u + i * dim, &l[i], du + i * dim, gradient);
    for (size_t k = 0; k < x->anchors; k++) {
        const float *t = x->anchor_texts + k * dim, *still = x->anchor_units + k * dim;
        float share = (float)(x->anchor / (double)x->anchors);
        forward(s, b, t, u, &l[0]);
        loss += (double)(share * (1 - scry_dot(u, still, dim)));
        memset(du, 0, dim * sizeof *du);
        add(du, -share, still, dim);
        if (gradient)
            backward(s, t, u, &l[0], du, gradient);
    }
    free(l);
    free(du);
    free(u);
    return loss;
}

/* ---- AdamW ---- */

void tune_adamw(const tune_shape *s, float *b, float *gradient, float *moments, int step, double rate)
{
    size_t n = tune_parameters(s);
    float *first = moments, *second = moments + n;
    double norm = 0, c1 = 1 - pow(BETA1, step), c2 = 1 - pow(BETA2, step);
    for (size_t i = 0; i < n; i++)
        norm += (double)gradient[i] * (double)gradient[i];
    double clip = norm > 1 ? 1 / sqrt(norm) : 1;
    for (size_t i = 0; i < n; i++) {
        float g = gradient[i] * (float)clip;
        first[i] = (float)BETA1 * first[i] + (float)(1 - BETA1) * g;
        second[i] = (float)BETA2 * second[i] + (float)(1 - BETA2) * g * g;
        b[i] *= 1 - (float)(rate * DECAY);
        b[i] -= (float)rate * (first[i] / (float)c1) / (sqrtf(second[i] / (float)c2) + (float)EPSILON);
    }
    for (size_t i = 0; i < s->branches; b += s->width[i] * s->width[i], i++)
        for (size_t k = 0; k < s->width[i]; k++)
            b[k * s->width[i] + k] += (float)(rate * DECAY);
}
