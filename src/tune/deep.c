#include "tune/deep.h"

#include "base/alloc.h"
#include "base/dot.h"
#include "model/tower.h"
#include "nn/gemm.h"
#include "tune/loss.h"
#include "tune/sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BETA1 0.9f
#define BETA2 0.98f
#define EPSILON 1e-8f
#define DECAY 0.1

enum { MOST_PAIRS = 64, LEAST_PAIRS = 4, ACTIVATION_BYTES = 1 << 30 };

/* One tower. */
typedef struct {
    bool trained;
    tune_part part;
    tune_run *run;
    const tune_inputs *in;
    const float *fixed;        /* [n, dim] */
    size_t n, rows;
    uint32_t *place;           /* [n] in the batch, + 1; 0: is not in it */
    uint32_t *items;           /* [count] of the batch, each once */
    size_t count, *starts, *read;
    float *units, *lengths, *d;   /* [count, dim], [count], [count, dim] */
} side;

struct tune_deep {
    side texts, pictures;
    scry_team *team;
    size_t dim, count;
    float *origin;
};

static side *side_of(const tune_deep *d, bool pictures)
{
    return (side *)(pictures ? &d->pictures : &d->texts);
}

/* ---- life ---- */

static int bind(tune_deep *d, const scry_checkpoint *c, bool pictures, size_t depth, scry_error *err)
{
    side *s = side_of(d, pictures);
    int r = tune_part_bind(&s->part, c, pictures, depth, d->count, err);
    s->trained = true;
    d->count += s->part.count;
    return r;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The most of a step's products: their inner dimension is cut to pieces, so only attention needs more. */
static scry_scratch_need need_of(const scry_checkpoint *c, const tune_deep *d)
{
    const tune_part *p = &d->pictures.part, *t = &d->texts.part;
    const scry_image_config *image = &c->config.image;
    scry_scratch_need need = { SCRY_GEMM_K, 1, 1 };
    if (d->pictures.trained) {
        size_t grid = image->size / image->vit.patch, heads = p->pooled && p->pool.heads < p->heads ? p->pool.heads : p->heads;
        need.max_tokens = grid * grid + 1;
        need.max_head = p->width / heads;
    }
    if (d->texts.trained) {
        need.max_tokens = larger(need.max_tokens, c->config.text.context);
        need.max_head = larger(need.max_head, t->width / t->heads);
    }
    return need;
}

int tune_deep_new(tune_deep **out, const scry_checkpoint *c, const tune_deep_options *o, scry_error *err)
{
    tune_deep *d = scry_alloc(sizeof *d);
    d->dim = c->config.dim;
    int r = o->side != SCRY_TUNE_PICTURES ? bind(d, c, false, o->depth, err) : 0;
    if (r == 0 && o->side != SCRY_TUNE_TEXTS)
        r = bind(d, c, true, o->depth, err);
    if (r == 0 && !(d->origin = scry_try_alloc_aligned(d->count, sizeof(float))))
        r = scry_fail(err, SCRY_ENOMEM, "not enough memory to train %zu numbers", d->count);
    const scry_scratch_need need = r == 0 ? need_of(c, d) : (scry_scratch_need){ 0 };
    if (r == 0)
        r = scry_team_new(&d->team, scry_kernels_best(), o->threads, &need, err);
    for (int i = 0; i < 2 && r == 0; i++) {
        side *s = side_of(d, i == 1);
        if (s->trained)
            r = tune_part_read(&s->part, c, d->origin, err);
        if (s->trained && r == 0)
            s->run = tune_run_new(&s->part, d->team, o->mode);
    }
    if (r < 0)
        tune_deep_free(d);
    else
        *out = d;
    return r;
}

static void dispose(side *s)
{
    tune_run_free(s->run);
    tune_part_dispose(&s->part);
    free(s->place);
    free(s->items);
    free(s->starts);
    free(s->read);
    free(s->units);
    free(s->lengths);
    free(s->d);
}

void tune_deep_free(tune_deep *d)
{
    if (!d)
        return;
    dispose(&d->texts);
    dispose(&d->pictures);
    scry_team_free(d->team);
    free(d->origin);
    free(d);
}

const tune_part *tune_deep_part(const tune_deep *d, bool pictures)
{
    const side *s = side_of(d, pictures);
    return s->trained ? &s->part : NULL;
}

size_t tune_deep_count(const tune_deep *d)
{
    return d->count;
}

const float *tune_deep_origin(const tune_deep *d)
{
    return d->origin;
}

static void give(tune_deep *d, bool pictures, size_t n)
{
    side *s = side_of(d, pictures);
    s->n = n;
    s->place = scry_alloc((n + 1) * sizeof *s->place);
    s->items = scry_alloc((n + MOST_PAIRS) * sizeof *s->items);
    s->starts = scry_alloc((MOST_PAIRS + 1) * sizeof *s->starts);
    s->read = scry_alloc(MOST_PAIRS * sizeof *s->read);
    s->units = scry_alloc(MOST_PAIRS * d->dim * sizeof(float));
    s->d = scry_alloc(MOST_PAIRS * d->dim * sizeof(float));
    s->lengths = scry_alloc(MOST_PAIRS * sizeof(float));
}

void tune_deep_give(tune_deep *d, bool pictures, const tune_inputs *in, size_t n, size_t rows)
{
    give(d, pictures, n);
    side_of(d, pictures)->in = in;
    side_of(d, pictures)->rows = rows;
}

void tune_deep_give_fixed(tune_deep *d, bool pictures, const float *units, size_t n)
{
    give(d, pictures, n);
    side_of(d, pictures)->fixed = units;
}

size_t tune_deep_batch(const tune_deep *d)
{
    size_t floats = 1;
    for (int i = 0; i < 2; i++) {
        const side *s = side_of(d, i == 1);
        floats += s->trained ? s->rows * tune_run_row_floats(&s->part) : 0;
    }
    size_t n = ACTIVATION_BYTES / sizeof(float) / floats;
    return n > MOST_PAIRS ? MOST_PAIRS : larger(n, LEAST_PAIRS);
}

/* ---- a batch of a side ---- */

/* Its items [count], at most MOST_PAIRS, to unit vectors. */
static int run_items(tune_deep *d, side *s, const float *parameters)
{
    size_t dim = d->dim;
    for (size_t i = 0; i < s->count && !s->trained; i++)
        memcpy(s->units + i * dim, s->fixed + s->items[i] * dim, dim * sizeof(float));
    if (!s->trained)
        return 0;
    for (size_t i = 0; i < s->count; i++) {
        s->starts[i + 1] = s->starts[i] + tune_inputs_rows(s->in, s->items[i]);
        s->read[i] = tune_inputs_read(s->in, s->items[i]);
    }
    float *x = tune_run_begin(s->run, &(tune_sequences){ s->count, s->starts, s->read });
    if (!x)
        return SCRY_ENOMEM;
    for (size_t i = 0; i < s->count; i++)
        tune_inputs_get(s->in, s->items[i], x + s->starts[i] * s->part.width);
    const float *z = tune_run_forward(s->run, parameters);
    for (size_t i = 0; i < s->count; i++) {
        s->lengths[i] = sqrtf(scry_dot(z + i * dim, z + i * dim, dim));
        for (size_t k = 0; k < dim; k++)
            s->units[i * dim + k] = z[i * dim + k] / s->lengths[i];
    }
    return 0;
}

/* s->d [count, dim], the gradient of the unit vectors, to that of the parameters. */
static void backward(tune_deep *d, side *s, const float *parameters, float *gradient)
{
    size_t dim = d->dim;
    for (size_t i = 0; i < s->count; i++) {
        float *v = s->d + i * dim;
        const float *u = s->units + i * dim;
        float along = scry_dot(u, v, dim);
        for (size_t k = 0; k < dim; k++)
            v[k] = (v[k] - along * u[k]) / s->lengths[i];
    }
    tune_run_backward(s->run, parameters, s->d, gradient);
}

/* The place in the batch of an item, which is added when it is not there. */
static size_t place_of(side *s, uint32_t item)
{
    if (!s->place[item]) {
        s->items[s->count++] = item;
        s->place[item] = (uint32_t)s->count;
    }
    return s->place[item] - 1;
}

static void clear(side *s)
{
    for (size_t i = 0; i < s->count; i++)
        s->place[s->items[i]] = 0;
    s->count = 0;
}

/* ---- a step ---- */

/* The loss of pairs whose texts and pictures have been run, and the gradients of both sides' unit vectors. */
static double contrast(const tune_deep *d, const tune_step *s)
{
    const tune_pair *pairs = s->pairs;
    size_t n = s->n, dim = d->dim, bytes = n * dim * sizeof(float);
    float *u = scry_alloc(4 * bytes), *v = u + n * dim, *du = v + n * dim, *dv = du + n * dim;
    uint32_t text_of[MOST_PAIRS], picture_of[MOST_PAIRS];
    for (size_t i = 0; i < n; i++) {
        memcpy(u + i * dim, d->texts.units + (d->texts.place[pairs[i].text] - 1) * dim, dim * sizeof *u);
        memcpy(v + i * dim, d->pictures.units + (d->pictures.place[pairs[i].picture] - 1) * dim, dim * sizeof *v);
        text_of[i] = s->text_number[pairs[i].text];
        picture_of[i] = pairs[i].picture;
    }
    double loss = tune_contrast(&(tune_pairs){ n, dim, u, v, text_of, picture_of, s->scale }, du, dv);
    memset(d->texts.d, 0, d->texts.count * dim * sizeof(float));
    memset(d->pictures.d, 0, d->pictures.count * dim * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        add(d->texts.d + (d->texts.place[pairs[i].text] - 1) * dim, 1, du + i * dim, dim);
        add(d->pictures.d + (d->pictures.place[pairs[i].picture] - 1) * dim, 1, dv + i * dim, dim);
    }
    free(u);
    return loss;
}

double tune_deep_loss(tune_deep *d, const tune_step *s, const float *parameters, float *gradient)
{
    double loss = NAN;
    for (size_t i = 0; i < s->n; i++) {
        place_of(&d->texts, s->pairs[i].text);
        place_of(&d->pictures, s->pairs[i].picture);
    }
    if (run_items(d, &d->texts, parameters) == 0 && run_items(d, &d->pictures, parameters) == 0) {
        loss = contrast(d, s);
        memset(gradient, 0, d->count * sizeof *gradient);
        if (d->texts.trained)
            backward(d, &d->texts, parameters, gradient);
        if (d->pictures.trained)
            backward(d, &d->pictures, parameters, gradient);
    }
    clear(&d->texts);
    clear(&d->pictures);
    return loss;
}

/* ---- AdamW ---- */

typedef struct {
    const tune_deep *d;
    float *b, *moments, clip, rate, c1, c2;
    const float *gradient;
} update;

/* Numbers [from, to), of which matrices decay. */
static void move(const update *u, size_t from, size_t to, bool matrix)
{
    float *restrict b = u->b, *restrict first = u->moments, *restrict second = first + u->d->count;
    const float *restrict g = u->gradient;
    float kept = matrix ? 1 - u->rate * (float)DECAY : 1;
    for (size_t i = from; i < to; i++) {
        float x = g[i] * u->clip;
        first[i] = BETA1 * first[i] + (1 - BETA1) * x;
        second[i] = BETA2 * second[i] + (1 - BETA2) * x * x;
        b[i] = kept * b[i] - u->rate * (first[i] / u->c1) / (sqrtf(second[i] / u->c2) + EPSILON);
    }
}

static void move_all(scry_nn *t, void *arg)
{
    const update *u = arg;
    for (int i = 0; i < 2; i++) {
        const side *s = side_of(u->d, i == 1);
        for (size_t k = 0; k < s->part.tensor_count; k++) {
            const tune_tensor *x = &s->part.tensors[k];
            scry_range mine = scry_share(t, x->count, 16);
            move(u, x->at + mine.from, x->at + mine.to, x->matrix);
        }
    }
}

void tune_deep_update(tune_deep *d, float *b, float *gradient, float *moments, int step, double rate)
{
    double norm = 0;
    for (size_t i = 0; i < d->count; i += 4096)
        norm += (double)scry_dot(gradient + i, gradient + i, d->count - i < 4096 ? d->count - i : 4096);
    update u = { d, b, moments, norm > 1 ? (float)(1 / sqrt(norm)) : 1, (float)rate, (float)(1 - pow((double)BETA1, step)),
                 (float)(1 - pow((double)BETA2, step)), gradient };
    scry_team_run(d->team, move_all, &u);
}

/* ---- embedding ---- */

int tune_deep_embed(tune_deep *d, bool pictures, const bool *wanted, const float *parameters, float *out, scry_error *err)
{
    side *s = side_of(d, pictures);
    size_t batch = tune_deep_batch(d);
    int r = 0;
    for (size_t i = 0; i < s->n && r == 0;) {
        for (; i < s->n && s->count < batch; i++)
            if (wanted[i] && (!s->trained || tune_inputs_rows(s->in, i)))
                place_of(s, (uint32_t)i);
        r = run_items(d, s, parameters);
        for (size_t k = 0; k < s->count && r == 0; k++)
            memcpy(out + s->items[k] * d->dim, s->units + k * d->dim, d->dim * sizeof *out);
        clear(s);
    }
    return r < 0 ? scry_fail(err, SCRY_ENOMEM, "not enough memory for the activations of %zu pictures or texts", batch) : 0;
}
