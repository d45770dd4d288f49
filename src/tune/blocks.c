#include "tune/blocks.h"

#include "base/alloc.h"
#include "base/dot.h"
#include "engine/embed_states.h"
#include "model/model_internal.h"
#include "model/text_map.h"
#include "tune/publish.h"
#include "tune/sums.h"
#include "tune/train.h"

#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* AdamW's highest rate; docs/tune.md. */
#define RATE 2e-5

/* Texts that are not padded rarely have more tokens than TEXT_TOKENS: for the room that is asked for. */
enum { TEXTS_A_PASS = 32, TEXT_TOKENS = 24, NAME_BYTES = 64 };

/* "image.9", what enters the first trained block. */
static void name_state(char out[NAME_BYTES], const char *tower, const tune_part *p)
{
    if (p->first > 0)
        snprintf(out, NAME_BYTES, "%s.%zu", tower, p->first - 1);
    else
        snprintf(out, NAME_BYTES, "%s.embeddings", tower);
}

/* ---- pictures ---- */

typedef struct {
    tune_inputs *in;
    size_t rows;
} picture_states;

static void put_picture(void *arg, size_t item, const float *x, size_t width)
{
    const picture_states *s = arg;
    tune_inputs_put(s->in, item, x, s->rows, 0);
}

static size_t tokens_of(const scry_checkpoint *c)
{
    size_t grid = c->config.image.size / c->config.image.vit.patch;
    return grid * grid + (c->config.image.vit.names->class_token ? 1 : 0);
}

static int embed_pictures(tune_blocks *b, const char *dir, scry_error *err)
{
    tune_data *d = b->data;
    const tune_part *p = tune_deep_part(b->deep, true);
    const char *const *paths = (const char *const *)d->set->paths;
    size_t n = d->picture_count, failures = 0;
    int r;
    if (!p) {
        r = scry_embed_files(d->model, paths, n, &d->o->embed, d->pictures, &failures, err);
    } else {
        picture_states s = { .rows = tokens_of(&d->checkpoint) };
        char name[NAME_BYTES];
        name_state(name, "image", p);
        embed_states states = { name, s.rows, put_picture, &s, d->pictures, 0 };
        r = tune_inputs_new(&b->pictures, dir, n, s.rows, p->width, err);
        s.in = b->pictures;
        if (r == 0)
            r = scry_embed_files_states(d->model, paths, n, &d->o->embed, &states, err);
        failures = states.failures;
        if (r == 0)
            r = tune_inputs_finish(b->pictures, err);
        if (r == 0)
            tune_deep_give(b->deep, true, b->pictures, n, s.rows);
    }
    if (r == 0 && !p)
        tune_deep_give_fixed(b->deep, true, d->pictures, n);
    return r < 0 ? r : tune_data_check_pictures(d, failures, err);
}

/* ---- texts ---- */

/* Some texts of a pass. */
typedef struct {
    tune_inputs *in;
    char name[NAME_BYTES];
    size_t first, n, starts[TEXTS_A_PASS + 1], read[TEXTS_A_PASS];
    int32_t *ids;
} text_states;

static void put_texts(void *arg, const char *name, const float *x, size_t rows, size_t cols)
{
    const text_states *s = arg;
    for (size_t i = 0; i < s->n && strcmp(name, s->name) == 0; i++)
        tune_inputs_put(s->in, s->first + i, x + s->starts[i] * cols, s->starts[i + 1] - s->starts[i], s->read[i]);
}

static int run_texts(tune_blocks *b, scry_session *session, text_states *s, float *vectors, scry_error *err)
{
    const tune_data *d = b->data;
    for (size_t i = 0; i < s->n; i++) {
        int count = scry_model_encode(d->raw, d->texts[s->first + i], s->ids + s->starts[i], &s->read[i], err);
        if (count < 0)
            return count;
        s->starts[i + 1] = s->starts[i] + (size_t)count;
    }
    return scry_session_embed_ids(session, s->ids, s->starts, s->n, vectors, err);
}

static int embed_text_states(tune_blocks *b, const char *dir, scry_error *err)
{
    tune_data *d = b->data;
    const tune_part *p = tune_deep_part(b->deep, false);
    size_t context = d->checkpoint.config.text.context;
    text_states s = { .ids = scry_alloc(TEXTS_A_PASS * context * sizeof(int32_t)) };
    float *vectors = scry_alloc(TEXTS_A_PASS * d->dim * sizeof *vectors);   /* of no use */
    scry_session *session = NULL;
    name_state(s.name, "text", p);
    size_t tokens = d->checkpoint.config.text.padded || context < TEXT_TOKENS ? context : TEXT_TOKENS;
    int r = tune_inputs_new(&b->texts, dir, d->text_count, tokens, p->width, err);
    s.in = b->texts;
    if (r == 0)
        r = scry_session_new(&session, d->raw, d->o->embed.workers, err);
    if (r == 0)
        scry_session_set_tracer(session, (scry_tracer){ put_texts, &s });
    for (; s.first < d->text_count && r == 0; s.first += s.n) {
        s.n = d->text_count - s.first < TEXTS_A_PASS ? d->text_count - s.first : TEXTS_A_PASS;
        r = run_texts(b, session, &s, vectors, err);
        if (r == 0 && d->o->embed.cancel && atomic_load(d->o->embed.cancel))
            r = scry_fail(err, SCRY_ECANCELLED, "interrupted");
    }
    if (r == 0)
        r = tune_inputs_finish(b->texts, err);
    if (r == 0)
        tune_deep_give(b->deep, false, b->texts, d->text_count, context);
    scry_session_free(session);
    free(vectors);
    free(s.ids);
    return r;
}

static int embed_texts(tune_blocks *b, const char *dir, scry_error *err)
{
    tune_data *d = b->data;
    if (tune_deep_part(b->deep, false))
        return embed_text_states(b, dir, err);
    scry_embed_options quiet = d->o->embed;
    quiet.progress = NULL;
    b->fixed_texts = scry_try_alloc(d->text_count * d->dim + 1, sizeof(float));
    int r = b->fixed_texts ? scry_embed_lines(d->raw, d->texts, d->text_count, &quiet, b->fixed_texts, NULL, err)
                           : scry_fail(err, SCRY_ENOMEM, "not enough memory for %zu texts", d->text_count);
    for (size_t i = 0; i < d->text_count && r == 0; i++) {
        float *v = b->fixed_texts + i * d->dim, length = sqrtf(scry_dot(v, v, d->dim));
        for (size_t k = 0; k < d->dim; k++)
            v[k] /= length;
    }
    if (r == 0)
        tune_deep_give_fixed(b->deep, false, b->fixed_texts, d->text_count);
    return r;
}

/* ---- the method ---- */

static double loss(void *self, const tune_pair *pairs, size_t n, const float *parameters, float *gradient)
{
    tune_blocks *b = self;
    const tune_step s = { pairs, n, b->data->text_number, scry_model_get_info(b->data->model)->logit_scale };
    return tune_deep_loss(b->deep, &s, parameters, gradient);
}

static void update(void *self, float *parameters, float *gradient, float *moments, int step, double rate)
{
    tune_deep_update(((tune_blocks *)self)->deep, parameters, gradient, moments, step, rate);
}

/* Without memory for a batch, which training had, nothing is found. */
static double recall(void *self, const float *parameters)
{
    tune_blocks *b = self;
    if (tune_deep_embed(b->deep, false, b->dev_texts, parameters, b->text_units, NULL) < 0
        || tune_deep_embed(b->deep, true, b->dev_pictures, parameters, b->picture_units, NULL) < 0)
        return 0;
    return tune_data_recall(b->data, b->text_units, b->picture_units);
}

/* Which texts and pictures recall looks at. */
static int prepare_recall(tune_blocks *b, scry_error *err)
{
    const tune_data *d = b->data;
    b->dev_texts = scry_alloc(d->text_count + 1);
    b->dev_pictures = scry_alloc(d->picture_count + 1);
    b->text_units = scry_try_alloc(d->text_count * d->dim + 1, sizeof(float));
    b->picture_units = scry_try_alloc(d->picture_count * d->dim + 1, sizeof(float));
    for (size_t i = 0; i < d->text_count; i++)
        b->dev_texts[i] = d->set->labelled;
    for (size_t i = 0; i < d->dev_count; i++)
        b->dev_texts[d->dev[i].text] = true;
    for (size_t i = 0; i < d->picture_count; i++)
        b->dev_pictures[i] = d->held[i] && !isnan(d->pictures[i * d->dim]);
    return b->text_units && b->picture_units ? 0
                                             : scry_fail(err, SCRY_ENOMEM, "not enough memory for %zu pictures", d->picture_count);
}

/* A map of text vectors was made for the towers as they are. */
static int check_map(const tune_data *d, scry_error *err)
{
    scry_text_map *map;
    int r = scry_text_map_open(&map, d->checkpoint.dir, d->dim, err);
    if (r < 0 || !map)
        return r;
    scry_text_map_free(map);
    return scry_fail(err, SCRY_EINVALID, "%s has a text map, which was made for its blocks as they are: --depth heads trains the map",
                     d->checkpoint.dir);
}

int tune_blocks_train(tune_blocks *b, tune_data *d, scry_error *err)
{
    *b = (tune_blocks){ .data = d };
    char *out = scry_strdup(d->o->out), *dir = dirname(out);   /* where --out will be */
    bool bf16 = scry_model_get_info(d->model)->precision == SCRY_PRECISION_BF16;
    int r = check_map(d, err);
    if (r == 0)
        r = tune_deep_new(&b->deep, &d->checkpoint, &(tune_deep_options){ d->o->side, (size_t)d->o->depth, d->o->embed.workers,
                                                                          bf16 ? SCRY_MODE_BF16 : SCRY_MODE_F32 }, err);
    if (r == 0)
        r = embed_pictures(b, dir, err);
    if (r == 0)
        r = tune_data_pair(d, err);
    if (r == 0)
        r = embed_texts(b, dir, err);
    if (r == 0)
        r = prepare_recall(b, err);
    if (r == 0)
        r = tune_check_out(d->o->out, &d->checkpoint, tune_deep_count(b->deep), err);
    if (r == 0) {
        const tune_method m = { tune_deep_count(b->deep), tune_deep_origin(b->deep), tune_deep_batch(b->deep),
                                isnan(d->o->rate) ? RATE : d->o->rate, b, loss, update, recall };
        r = tune_train(&b->parameters, d, &m, err);
    }
    free(out);
    return r;
}

void tune_blocks_dispose(tune_blocks *b)
{
    tune_deep_free(b->deep);
    tune_inputs_free(b->pictures);
    tune_inputs_free(b->texts);
    free(b->parameters);
    free(b->fixed_texts);
    free(b->text_units);
    free(b->picture_units);
    free(b->dev_texts);
    free(b->dev_pictures);
}

/* ---- the weights ---- */

static int write_part(const tune_part *p, const float *parameters, const scry_checkpoint *c, const char *folder, scry_error *err)
{
    int r = 0;
    for (size_t i = 0; i < p->tensor_count && r == 0; i++) {
        scry_tensor t;
        r = tune_part_tensor(c, &p->tensors[i], &t, err);
        if (r == 0)
            r = tune_write_values(c, folder, p->tensors[i].name, &t, parameters + p->tensors[i].at, err);
    }
    return r;
}

int tune_blocks_write(const void *blocks, const scry_checkpoint *c, const char *folder, scry_error *err)
{
    const tune_blocks *b = blocks;
    int r = 0;
    for (int i = 0; i < 2 && r == 0; i++) {
        const tune_part *p = tune_deep_part(b->deep, i == 1);
        r = p ? write_part(p, b->parameters, c, folder, err) : 0;
    }
    return r;
}
