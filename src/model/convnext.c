/* convnext.c - ConvNeXt as image tower, with timm's names and open_clip's head.
 *
 *     pixels [S, S, 3] -> stem: 4x4 places, layer norm -> four stages -> mean -> layer norm -> head [D]
 *     a stage but the first begins with layer norm and a product of each 2x2 places
 *     a block: x + gamma * fc2(gelu(fc1(norm(depthwise 7x7 x))))
 *
 * Maps are channels last, as in fastvit.c. The convolutions of the stem and between stages do not overlap; rows and
 * columns that are left over are ignored, as in the reference.
 */
#include "model/fold.h"
#include "model/tower.h"
#include "model/transformer.h"

#include "base/alloc.h"
#include "nn/depthwise.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATCH = 4, PATCH_PIXELS = 3 * PATCH * PATCH, KERNEL = 7, RATIO = 4, STRIP = 512, NAME = 96 };

typedef struct {
    scry_depthwise_conv filter;
    scry_norm norm;
    scry_linear up, down;            /* [4 C, C], [C, 4 C] */
} block;

typedef struct {
    size_t width, layers;
    scry_norm norm;                  /* width 0: the first stage, which does not shrink */
    scry_linear shrink;              /* [C, 4 times the stage's before] */
    block *blocks;                   /* [layers]; owned */
} stage;

typedef struct {
    scry_image_tower tower;          /* first: the public part */
    const scry_convnext_config *config;
    float table[3][256];
    scry_linear stem;                /* [C, 48] */
    scry_norm stem_norm, last;
    stage stages[SCRY_CONVNEXT_STAGES];
    scry_linear hidden, head;        /* [2 D, C] or n 0; [D, 2 D] or [D, C] */
    size_t map_floats, mid_floats;   /* of a map between operations, of what is between them */
} convnext;

/* ---- building ---- */

static void bind_block(scry_binder *b, block *k, size_t w, float eps, const char *at)
{
    scry_fold f = scry_fold_begin(b, w, 1, KERNEL);
    scry_fold_plain(b, &f, "%s.conv_dw", at);
    float *packed = scry_bind_memory(b, scry_depthwise_floats(w, KERNEL));
    if (packed && f.weights)
        scry_depthwise_pack(f.weights, f.bias, 1, w, KERNEL, packed);
    k->filter = (scry_depthwise_conv){ KERNEL, 1, w, 1, packed };
    k->norm = scry_bind_norm(b, w, eps, "%s.norm", at);
    scry_linear_names names = { .prefix = at, .part = { ".mlp.fc1" }, .weight = ".weight", .bias = ".bias" };
    scry_bind_linear(b, &k->up, RATIO * w, w, &names);
    names.part[0] = ".mlp.fc2";
    names.gain = scry_bind_floats(b, w, "%s.gamma", at);
    scry_bind_linear(b, &k->down, w, RATIO * w, &names);
}

static void bind_stage(scry_binder *b, convnext *v, size_t i)
{
    stage *s = &v->stages[i];
    float eps = v->config->eps;
    char at[NAME];
    if (i > 0) {
        size_t before = v->config->width[i - 1];
        s->norm = scry_bind_norm(b, before, eps, "visual.trunk.stages.%zu.downsample.0", i);
        scry_fold f = scry_fold_begin(b, s->width, before, 2);
        scry_fold_plain(b, &f, "visual.trunk.stages.%zu.downsample.1", i);
        scry_bind_made_linear(b, &s->shrink, s->width, 4 * before, scry_fold_by_places(b, &f), f.bias);
    }
    for (size_t k = 0; k < s->layers; k++) {
        snprintf(at, sizeof at, "visual.trunk.stages.%zu.blocks.%zu", i, k);
        bind_block(b, &s->blocks[k], s->width, eps, at);
    }
}

static void bind(scry_binder *b, convnext *v)
{
    const scry_convnext_config *c = v->config;
    size_t first = c->width[0], last = c->width[SCRY_CONVNEXT_STAGES - 1], dim = v->tower.dim;
    scry_linear_names names = { .prefix = "visual.trunk.stem.0", .part = { "" }, .weight = ".weight", .bias = ".bias",
                                .rank = 4, .tail = { 3, PATCH, PATCH }, .precise = true };
    scry_bind_linear(b, &v->stem, first, PATCH_PIXELS, &names);
    v->stem_norm = scry_bind_norm(b, first, c->eps, "visual.trunk.stem.1");
    for (size_t i = 0; i < SCRY_CONVNEXT_STAGES; i++)
        bind_stage(b, v, i);
    v->last = scry_bind_norm(b, last, c->eps, "visual.trunk.head.norm");
    names = (scry_linear_names){ .prefix = "visual.head.", .part = { "mlp.fc1" }, .weight = ".weight", .bias = ".bias", .precise = true };
    if (c->head_hidden)
        scry_bind_linear(b, &v->hidden, c->head_hidden, last, &names);
    names.part[0] = c->head_hidden ? "mlp.fc2" : "proj";
    names.bias = c->head_biased ? ".bias" : NULL;
    scry_bind_linear(b, &v->head, dim, c->head_hidden ? c->head_hidden : last, &names);
}

static void grow(size_t *most, size_t n)
{
    *most = n > *most ? n : *most;
}

/* The memory of a pass. */
static void measure(convnext *v)
{
    size_t side = v->tower.size / PATCH;
    grow(&v->mid_floats, (size_t)STRIP * PATCH_PIXELS);
    for (size_t i = 0; i < SCRY_CONVNEXT_STAGES; i++) {
        side = i ? side / 2 : side;
        size_t places = side * side, w = v->stages[i].width;
        grow(&v->map_floats, places * w);
        grow(&v->map_floats, places * v->stages[i].shrink.k);
        grow(&v->mid_floats, (places < STRIP ? places : STRIP) * RATIO * w);
    }
}

/* ---- running ---- */

/* Two maps, which take turns; what is between two operations. */
typedef struct {
    float *x, *y, *mid;
    size_t side;
} maps;

/* Blocks [from, to) of 4x4 pixels as rows [48], channel, row, column. */
static void unfold(scry_nn *t, const convnext *v, const uint8_t *pixels, size_t from, size_t to, float *out)
{
    size_t size = v->tower.size, side = size / PATCH;
    scry_range mine = scry_share(t, to - from, 1);
    for (size_t r = mine.from; r < mine.to; r++) {
        const uint8_t *in = pixels + ((from + r) / side * PATCH * size + (from + r) % side * PATCH) * 3;
        for (size_t i = 0; i < PATCH_PIXELS; i++) {
            size_t c = i / (PATCH * PATCH), y = i / PATCH % PATCH, x = i % PATCH;
            out[r * PATCH_PIXELS + i] = v->table[c][in[(y * size + x) * 3 + c]];
        }
    }
    scry_nn_wait(t);
}

static void run_stem(scry_nn *t, const convnext *v, const uint8_t *pixels, maps *m)
{
    m->side = v->tower.size / PATCH;
    size_t places = m->side * m->side, w = v->config->width[0];
    for (size_t from = 0; from < places; from += STRIP) {
        size_t to = places - from < STRIP ? places : from + STRIP;
        unfold(t, v, pixels, from, to, m->mid);
        scry_linear_run(t, &v->stem, &(scry_product){ to - from, m->mid, PATCH_PIXELS, m->x + from * w, w, SCRY_ACT_NONE, false });
    }
    scry_norm_rows(t, &v->stem_norm, m->x, places, m->x);
}

/* The map m->x with half the side, in m->x: rows of 2x2 places are multiplied. */
static void shrink(scry_nn *t, const stage *s, maps *m)
{
    size_t side = m->side / 2, w = s->norm.width;
    scry_norm_rows(t, &s->norm, m->x, m->side * m->side, m->y);
    scry_range mine = scry_share(t, side * side, 1);
    for (size_t r = mine.from; r < mine.to; r++) {
        const float *in = m->y + (r / side * 2 * m->side + r % side * 2) * w;
        float *row = m->x + r * 4 * w;
        memcpy(row, in, 2 * w * sizeof *in);   /* two places of a row lie side by side */
        memcpy(row + 2 * w, in + m->side * w, 2 * w * sizeof *in);
    }
    scry_nn_wait(t);
    scry_linear_run(t, &s->shrink, &(scry_product){ side * side, m->x, 4 * w, m->y, s->width, SCRY_ACT_NONE, false });
    float *made = m->y;
    m->y = m->x;
    m->x = made;
    m->side = side;
}

/* The hidden layer is computed for a strip of places at a time, which stays in the cache. */
static void run_block(scry_nn *t, const block *k, size_t w, const maps *m)
{
    size_t places = m->side * m->side, hidden = k->up.n;
    scry_depthwise_run(t, &k->filter, &(scry_depthwise_map){ m->x, m->y, m->side, m->side, KERNEL / 2, SCRY_ACT_NONE });
    scry_norm_rows(t, &k->norm, m->y, places, m->y);
    for (size_t from = 0; from < places; from += STRIP) {
        size_t rows = places - from < STRIP ? places - from : STRIP;
        scry_linear_run(t, &k->up, &(scry_product){ rows, m->y + from * w, w, m->mid, hidden, SCRY_ACT_GELU, false });
        scry_linear_run(t, &k->down, &(scry_product){ rows, m->mid, hidden, m->x + from * w, w, SCRY_ACT_NONE, true });
    }
}

static void run_picture(scry_nn *t, const convnext *v, const uint8_t *pixels, maps m, const scry_tracer *tracer, float *features)
{
    run_stem(t, v, pixels, &m);
    scry_trace_state(tracer, t->index, "image.stem", m.x, m.side * m.side, v->config->width[0]);
    for (size_t i = 0, n = 0; i < SCRY_CONVNEXT_STAGES; i++) {
        const stage *s = &v->stages[i];
        if (s->norm.width)
            shrink(t, s, &m);
        for (size_t k = 0; k < s->layers; k++, n++) {
            run_block(t, &s->blocks[k], s->width, &m);
            char name[32];
            snprintf(name, sizeof name, "image.%zu", n);
            scry_trace_state(tracer, t->index, name, m.x, m.side * m.side, s->width);
        }
    }
    scry_mean_rows(t, m.x, m.side * m.side, v->last.width, features);
    scry_norm_rows(t, &v->last, features, 1, features);
}

static void run(scry_nn *t, const scry_image_tower *tower, const scry_image_job *job)
{
    const convnext *v = (const convnext *)tower;
    size_t w = v->last.width, bytes = tower->size * tower->size * 3, hidden = v->hidden.n;
    float *x = job->memory, *y = x + v->map_floats, *mid = y + v->map_floats, *features = mid + v->mid_floats;
    float *between = features + job->n * w;
    for (size_t i = 0; i < job->n; i++)
        run_picture(t, v, job->pixels + i * bytes, (maps){ x, y, mid, 0 }, job->tracer, features + i * w);
    scry_trace_state(job->tracer, t->index, "image.pooled", features, job->n, w);
    if (hidden)
        scry_linear_run(t, &v->hidden, &(scry_product){ job->n, features, w, between, hidden, SCRY_ACT_GELU, false });
    scry_linear_run(t, &v->head, &(scry_product){ job->n, hidden ? between : features, v->head.k, job->out, tower->dim,
                                                  SCRY_ACT_NONE, false });
}

static void convnext_free(scry_image_tower *tower)
{
    convnext *v = (convnext *)tower;
    for (size_t i = 0; i < SCRY_CONVNEXT_STAGES; i++)
        free(v->stages[i].blocks);
    scry_tower_dispose(&v->tower.base);
    free(v);
}

int scry_convnext_new(scry_image_tower **out, const scry_tower_source *src, scry_error *err)
{
    const scry_image_config *image = &src->config->image;
    const scry_convnext_config *c = &image->convnext;
    convnext *v = scry_alloc(sizeof *v);
    v->config = c;
    v->tower = (scry_image_tower){ .dim = src->config->dim, .size = image->size, .run = run, .free = convnext_free,
                                   .batch = 1 };   /* one picture fills the caches */
    for (size_t i = 0; i < SCRY_CONVNEXT_STAGES; i++) {
        v->stages[i] = (stage){ .width = c->width[i], .layers = c->layers[i], .blocks = scry_alloc(c->layers[i] * sizeof(block)) };
        v->stages[i].shrink.k = i ? 4 * c->width[i - 1] : 0;
    }
    scry_pixel_table(&src->config->preprocess, v->table);
    scry_binder b = scry_tower_begin(&v->tower.base, src, err);
    measure(v);
    bind(&b, v);
    scry_tower_end(&v->tower.base, &b);
    v->tower.need = b.need;
    v->tower.picture_floats = 2 * v->map_floats + v->mid_floats + c->width[SCRY_CONVNEXT_STAGES - 1] + c->head_hidden;
    if (b.result < 0)
        convnext_free(&v->tower);
    else {
        v->tower.base.summary = scry_asprintf("ConvNeXt, %zu x %zu pixels, %zu + %zu + %zu + %zu layers, width %zu to %zu",
                                              image->size, image->size, c->layers[0], c->layers[1], c->layers[2], c->layers[3],
                                              c->width[0], c->width[SCRY_CONVNEXT_STAGES - 1]);
        *out = &v->tower;
    }
    return b.result;
}
