#include "tune/heads.h"

#include "base/alloc.h"
#include "engine/score_threshold.h"
#include "tune/publish.h"
#include "tune/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* AdamW's highest rate, and the weight of the texts that are to stay where they are; docs/tune.md. */
#define RATE 1e-3
#define ANCHOR 3.0

enum { BATCH = 256 };

typedef struct {
    const tune_shape *s;
    const tune_data *d;
    float *texts;                       /* [texts, dim] what the original's side of texts outputs */
    size_t anchors;
    float *anchor_texts, *anchor_units; /* [anchors, dim] */
    float *identity, *units;            /* [texts, dim]: scratch of recall */
    float *batch_texts, *batch_pictures;   /* [BATCH, dim] */
} heads;

static int embed_pictures(tune_data *d, scry_error *err)
{
    size_t failures = 0;
    int r = scry_embed_files(d->model, (const char *const *)d->set->paths, d->picture_count, &d->o->embed, d->pictures, &failures,
                             err);
    return r < 0 ? r : tune_data_check_pictures(d, failures, err);
}

static int embed_texts(heads *h, scry_error *err)
{
    scry_embed_options quiet = h->d->o->embed;
    quiet.progress = NULL;
    return scry_embed_lines(h->d->raw, h->d->texts, h->d->text_count, &quiet, h->texts, NULL, err);
}

static int make_anchors(heads *h, scry_error *err)
{
    int r = scry_score_text_vectors(&h->anchor_texts, &h->anchors, h->d->model, NULL, err);
    if (r < 0) {
        h->anchor_texts = NULL;
        return r;
    }
    h->anchor_units = scry_alloc((h->anchors + 1) * h->s->dim * sizeof *h->anchor_units);
    tune_apply(h->s, h->identity, h->anchor_texts, h->anchors, h->anchor_units);
    return 0;
}

static double loss(void *self, const tune_pair *pairs, size_t n, const float *b, float *gradient)
{
    const heads *h = self;
    size_t dim = h->s->dim;
    uint32_t text_of[BATCH], picture_of[BATCH];
    for (size_t i = 0; i < n; i++) {
        memcpy(h->batch_texts + i * dim, h->texts + pairs[i].text * dim, dim * sizeof(float));
        memcpy(h->batch_pictures + i * dim, h->d->pictures + pairs[i].picture * dim, dim * sizeof(float));
        text_of[i] = h->d->text_number[pairs[i].text];
        picture_of[i] = pairs[i].picture;
    }
    const tune_batch batch = { n, h->batch_texts, h->batch_pictures, text_of, picture_of,
                               scry_model_get_info(h->d->model)->logit_scale, h->anchors, h->anchor_texts, h->anchor_units,
                               ANCHOR };
    return tune_loss(h->s, b, &batch, gradient);
}

static void update(void *self, float *b, float *gradient, float *moments, int step, double rate)
{
    tune_adamw(((const heads *)self)->s, b, gradient, moments, step, rate);
}

static double recall(void *self, const float *b)
{
    const heads *h = self;
    tune_apply(h->s, b, h->texts, h->d->text_count, h->units);
    return tune_data_recall(h->d, h->units, h->d->pictures);
}

int tune_heads(float **b, const tune_shape *s, tune_data *d, scry_error *err)
{
    size_t dim = s->dim, n = d->text_count + 1;
    heads h = { .s = s, .d = d, .texts = scry_try_alloc(n * dim, sizeof(float)), .units = scry_try_alloc(n * dim, sizeof(float)),
                .identity = scry_alloc(tune_parameters(s) * sizeof(float)), .batch_texts = scry_alloc(BATCH * dim * sizeof(float)),
                .batch_pictures = scry_alloc(BATCH * dim * sizeof(float)) };
    tune_method m = { tune_parameters(s), h.identity, BATCH, isnan(d->o->rate) ? RATE : d->o->rate, &h, loss, update, recall };
    int r = h.texts && h.units ? 0 : scry_fail(err, SCRY_ENOMEM, "not enough memory for %zu texts", d->text_count);
    *b = NULL;
    tune_identity(s, h.identity);
    if (r == 0)
        r = embed_pictures(d, err);
    if (r == 0)
        r = tune_data_pair(d, err);
    if (r == 0)
        r = embed_texts(&h, err);
    if (r == 0)
        r = make_anchors(&h, err);
    if (r == 0)
        r = tune_check_out(d->o->out, &d->checkpoint, m.count, err);
    if (r == 0)
        r = tune_train(b, d, &m, err);
    free(h.texts);
    free(h.units);
    free(h.identity);
    free(h.anchor_texts);
    free(h.anchor_units);
    free(h.batch_texts);
    free(h.batch_pictures);
    return r;
}
