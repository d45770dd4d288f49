#include "model/head.h"

#include <math.h>
#include <stdio.h>

void scry_head_bind(scry_head *h, const scry_head_config *config, size_t features, size_t dim,
                    scry_binder *b, const char *prefix)
{
    h->config = config;
    h->dim = dim;
    h->widest = features;
    for (size_t i = 0; i < config->branches; i++) {
        for (size_t k = 0; k < config->branch[i].layers; k++) {
            const scry_head_layer *l = &config->branch[i].layer[k];
            h->widest = l->out > h->widest ? l->out : h->widest;
            if (l->kind != SCRY_HEAD_LINEAR)
                continue;
            char name[64];
            snprintf(name, sizeof name, "%s.branches.%zu.%zu", prefix, i, k);
            scry_linear_names names = { .prefix = l->name ? l->name : name, .part = { "" }, .weight = ".weight",
                                        .bias = l->bias ? ".bias" : NULL, .precise = l->name };
            scry_bind_linear(b, &h->linear[i][k], l->out, l->in, &names);
        }
    }
}

size_t scry_head_row_floats(const scry_head *h)
{
    return 2 * h->widest;
}

/* One layer from `in` to `out`, both [n, ...] without gaps. Ends with a barrier of the team. */
static void run_layer(scry_nn *t, const scry_head_layer *l, const scry_linear *linear, size_t n,
                      const float *in, float *out)
{
    if (l->kind == SCRY_HEAD_LINEAR) {
        scry_linear_run(t, linear, &(scry_product){ n, in, l->in, out, l->out, SCRY_ACT_NONE, false });
        return;
    }
    scry_range mine = scry_share(t, n, 1);
    for (size_t r = mine.from; r < mine.to; r++) {
        const float *x = in + r * l->in;
        float *y = out + r * l->in;
        if (l->kind == SCRY_HEAD_SOFTMAX) {
            memcpy(y, x, l->in * sizeof *y);
            t->k->softmax(y, l->in, 1 / l->temperature);
        } else {
            for (size_t i = 0; i < l->in; i++)
                y[i] = 0.5f * x[i] * (1 + erff(x[i] * 0.70710678f));
        }
    }
    scry_nn_wait(t);
}

/* Row `x` [n] at unit length times `weight` to `out`, or as it is; zeros stay zeros. */
static void place(const float *x, size_t n, float weight, float *out)
{
    if (weight == 0) {
        memcpy(out, x, n * sizeof *out);
        return;
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    float factor = sum > 0 ? weight / (float)sqrt(sum) : 0;
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] * factor;
}

void scry_head_run(scry_nn *t, const scry_head *h, size_t n, const float *features,
                   size_t feature_width, float *memory, float *out)
{
    size_t column = 0;
    for (size_t i = 0; i < h->config->branches; i++) {
        const scry_head_branch *b = &h->config->branch[i];
        const float *x = features;
        size_t width = feature_width;
        for (size_t k = 0; k < b->layers; k++) {
            float *y = memory + (k % 2) * n * h->widest;
            run_layer(t, &b->layer[k], &h->linear[i][k], n, x, y);
            x = y;
            width = b->layer[k].out;
        }
        scry_range mine = scry_share(t, n, 1);
        for (size_t r = mine.from; r < mine.to; r++)
            place(x + r * width, width, b->weight, out + r * h->dim + column);
        column += width;
        scry_nn_wait(t);
    }
}
