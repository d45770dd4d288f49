/* fastvit.c - the image towers of MobileCLIP: FastViT's stages as timm names them (fastvit_mci0 to 4).
 *
 *     pixels [S, S, 3] -> stem: three convolutions, by 4 in each direction -> stages -> last convolution -> mean -> head
 *     a stage: downsampling by 2 (depthwise 7x7 with two outputs a channel, then 1x1), positions (depthwise 7x7), blocks
 *     a block: mix, either a depthwise 3x3 or norm and attention with residual, then x + fc2(gelu(fc1(depthwise 7x7)))
 *
 * Maps are channels last, as in effnet.c. The parallel branches and batch norms that a checkpoint has are folded when the
 * tower is built (fold.h). Where a depthwise convolution has two outputs a channel, the first outputs of all channels
 * come before the second ones, unlike in the checkpoint: what reads them has its weights reordered.
 */
#include "model/fold.h"
#include "model/tower.h"
#include "model/transformer.h"

#include "base/alloc.h"
#include "nn/attention.h"
#include "nn/depthwise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEAD = 32, STEM_INPUTS = 3 * 3 * 3, STRIP = 512, NAME = 128 };

/* Weights for channels from their means over the map: sigmoid(expand relu(reduce mean)). */
typedef struct {
    size_t narrow;                             /* 0: none */
    const float *reduce, *reduce_bias;         /* [narrow, channels], [narrow] */
    const float *expand, *expand_bias;         /* [channels, narrow], [channels] */
} squeeze;

typedef struct {
    scry_depthwise_conv mix;                   /* kernel 0: attention */
    scry_norm norm;                            /* before attention; or */
    scry_affine affine;
    scry_linear qkv, out;                      /* [3 C, C], [C, C] */
    scry_depthwise_conv filter;
    scry_linear up, down;                      /* [ratio C, C], [C, ratio C] */
} block;

typedef struct {
    size_t width, layers;
    bool shrinks;
    scry_depthwise_conv shrink;
    squeeze squeeze;
    scry_linear point;                         /* [C, C] */
    scry_depthwise_conv positions;             /* kernel 0: none */
    block *blocks;                             /* [layers]; owned */
} stage;

typedef struct {
    scry_image_tower tower;      /* first: the public part */
    const scry_fastvit_config *config;
    float table[3][256];
    scry_linear stem, stem_point;              /* [C, 27], [C, C] */
    scry_depthwise_conv stem_filter;
    stage stages[SCRY_MAX_STAGES];
    scry_depthwise_conv last;
    squeeze squeeze;
    scry_linear head;                          /* [D, 2 C] */
    size_t map_floats, mid_floats, row_floats; /* of a map between operations, of what is between them, of one place */
} fastvit;

/* ---- building ---- */

static scry_depthwise_conv pack(scry_binder *b, const scry_fold *f, size_t stride, size_t times)
{
    size_t channels = f->out / times, one = scry_depthwise_floats(channels, f->kernel);
    float *packed = scry_bind_memory(b, times * one);
    for (size_t i = 0; packed && f->weights && i < times; i++)
        scry_depthwise_pack(f->weights + i * f->kernel * f->kernel, f->bias + i, times, channels, f->kernel, packed + i * one);
    return (scry_depthwise_conv){ f->kernel, stride, channels, times, packed };
}

/* Whether NAME was folded before it was published; then it is added. */
static bool folded_already(scry_binder *b, scry_fold *f, const char *name)
{
    char weight[NAME + 32];
    snprintf(weight, sizeof weight, "%s.reparam_conv.weight", name);
    if (!scry_tensors_has(b->tensors, weight))
        return false;
    scry_fold_plain(b, f, "%s.reparam_conv", name);
    return true;
}

/* The branches of one of MobileOne's blocks. */
static void add_branches(scry_binder *b, scry_fold *f, const char *name, bool scale, bool identity)
{
    if (folded_already(b, f, name))
        return;
    scry_fold_conv(b, f, f->kernel, "%s.conv_kxk.0", name);
    if (scale && f->kernel > 1)
        scry_fold_conv(b, f, 1, "%s.conv_scale", name);
    if (identity)
        scry_fold_norm(b, f, 1, "%s.identity", name);
}

/* Of the outputs of a depthwise convolution with two outputs a channel: what the checkpoint counts as output `i`. */
static size_t order(size_t i, size_t n)
{
    return i % (n / 2) * 2 + i / (n / 2);
}

/* Columns of w [rows, n] in that order; NULL stays NULL. */
static const float *reorder(scry_binder *b, const float *w, size_t rows, size_t n)
{
    float *out = w ? scry_bind_memory(b, rows * n) : NULL;
    for (size_t r = 0; out && r < rows; r++)
        for (size_t i = 0; i < n; i++)
            out[r * n + i] = w[r * n + order(i, n)];
    return out;
}

static void bind_squeeze(scry_binder *b, squeeze *s, size_t channels, size_t narrow, const char *name)
{
    s->narrow = narrow;
    const float *w = scry_bind_shaped_floats(b, 4, (size_t[]){ narrow, channels, 1, 1 }, "%s.se.fc1.weight", name);
    s->reduce = reorder(b, w, narrow, channels);
    s->reduce_bias = scry_bind_floats(b, narrow, "%s.se.fc1.bias", name);
    w = scry_bind_shaped_floats(b, 4, (size_t[]){ channels, narrow, 1, 1 }, "%s.se.fc2.weight", name);
    const float *bias = scry_bind_floats(b, channels, "%s.se.fc2.bias", name);
    float *expand = scry_bind_memory(b, channels * narrow);
    for (size_t i = 0; expand && i < channels; i++)
        memcpy(expand + i * narrow, w + order(i, channels) * narrow, narrow * sizeof *w);
    s->expand = expand;
    s->expand_bias = reorder(b, bias, 1, channels);
}

static void bind_mlp(scry_binder *b, block *k, size_t w, size_t ratio, const char *at, const char *scale)
{
    scry_fold f = scry_fold_begin(b, w, 1, 7);
    scry_fold_conv(b, &f, 7, "%s.mlp.conv", at);
    k->filter = pack(b, &f, 1, 1);
    scry_linear_names names = { .prefix = at, .part = { ".mlp.fc1" }, .weight = ".weight", .bias = ".bias",
                                .rank = 4, .tail = { w, 1, 1 } };
    scry_bind_linear(b, &k->up, ratio * w, w, &names);
    names.part[0] = ".mlp.fc2";
    names.tail[0] = ratio * w;
    names.gain = scry_bind_shaped_floats(b, 3, (size_t[]){ w, 1, 1 }, "%s.%s.gamma", at, scale);
    scry_bind_linear(b, &k->down, w, ratio * w, &names);
}

static void bind_mixing_block(scry_binder *b, block *k, size_t w, size_t ratio, const char *at)
{
    char name[NAME], mixer[NAME];
    snprintf(name, sizeof name, "%s.token_mixer", at);
    snprintf(mixer, sizeof mixer, "%s.token_mixer.mixer", at);
    scry_fold f = scry_fold_begin(b, w, 1, 3);
    if (!folded_already(b, &f, name)) {
        const float *gain = scry_bind_shaped_floats(b, 3, (size_t[]){ w, 1, 1 }, "%s.layer_scale.gamma", name);
        add_branches(b, &f, mixer, true, true);
        scry_fold_norm(b, &f, -1, "%s.norm.identity", name);
        scry_fold_residual(&f, gain);
    }
    k->mix = pack(b, &f, 1, 1);
    bind_mlp(b, k, w, ratio, at, "layer_scale");
}

static void bind_attentive_block(scry_binder *b, block *k, const fastvit *v, size_t w, const char *at)
{
    if (v->config->layer_norm)
        k->norm = scry_bind_norm(b, w, 1e-5f, "%s.norm", at);
    else
        k->affine = scry_fold_affine(b, w, "%s.norm", at);
    scry_linear_names names = { .prefix = at, .part = { ".token_mixer.qkv" }, .weight = ".weight", .precise = true };
    scry_bind_linear(b, &k->qkv, 3 * w, w, &names);
    names = (scry_linear_names){ .prefix = at, .part = { ".token_mixer.proj" }, .weight = ".weight", .bias = ".bias",
                                 .precise = true };
    names.gain = scry_bind_shaped_floats(b, 3, (size_t[]){ w, 1, 1 }, "%s.layer_scale_1.gamma", at);
    scry_bind_linear(b, &k->out, w, w, &names);
    bind_mlp(b, k, w, v->config->ratio, at, "layer_scale_2");
}

/* A 1x1 convolution of MobileOne's; its inputs are in the order of two outputs a channel, or as stored. */
static void bind_point(scry_binder *b, scry_linear *l, size_t w, bool reordered, const char *name)
{
    scry_fold f = scry_fold_begin(b, w, w, 1);
    add_branches(b, &f, name, false, true);
    scry_bind_made_linear(b, l, w, w, reordered ? reorder(b, f.weights, w, w) : f.weights, f.bias);
}

static void bind_shrink(scry_binder *b, stage *s, bool squeezed, const char *at)
{
    char name[NAME];
    snprintf(name, sizeof name, "%s.downsample.proj.0", at);
    scry_fold f = scry_fold_begin(b, s->width, 1, 7);
    if (!folded_already(b, &f, name)) {
        scry_fold_conv(b, &f, 7, "%s.large_conv", name);
        scry_fold_conv(b, &f, 3, "%s.small_conv", name);
    }
    s->shrink = pack(b, &f, 2, 2);
    if (squeezed) {   /* a quarter, to the nearest multiple of 8 */
        size_t narrow = (s->width / 4 + 4) / 8 * 8;
        bind_squeeze(b, &s->squeeze, s->width, narrow < 8 ? 8 : narrow, name);
    }
    snprintf(name, sizeof name, "%s.downsample.proj.1", at);
    bind_point(b, &s->point, s->width, true, name);
}

static void bind_stage(scry_binder *b, fastvit *v, size_t i)
{
    const scry_fastvit_config *c = v->config;
    stage *s = &v->stages[i];
    char at[NAME / 4], name[NAME / 2];
    snprintf(at, sizeof at, "visual.trunk.stages.%u", (unsigned)i);
    if (s->shrinks)
        bind_shrink(b, s, i + c->squeezed >= c->stages, at);
    bool attentive = i + c->attentive >= c->stages;
    if (attentive) {
        scry_fold f = scry_fold_begin(b, s->width, 1, 7);
        snprintf(name, sizeof name, "%s.pos_emb", at);
        if (!folded_already(b, &f, name)) {
            scry_fold_plain(b, &f, "%s.pos_enc", name);
            scry_fold_residual(&f, NULL);
        }
        s->positions = pack(b, &f, 1, 1);
    }
    for (size_t k = 0; k < s->layers; k++) {
        snprintf(name, sizeof name, "%s.blocks.%zu", at, k);
        if (attentive)
            bind_attentive_block(b, &s->blocks[k], v, s->width, name);
        else
            bind_mixing_block(b, &s->blocks[k], s->width, c->ratio, name);
    }
}

static void bind(fastvit *v, scry_binder *b)
{
    const scry_fastvit_config *c = v->config;
    size_t first = c->width[0], last = 2 * c->width[c->stages - 1], dim = v->tower.dim;
    scry_fold f = scry_fold_begin(b, first, 3, 3);
    add_branches(b, &f, "visual.trunk.stem.0", c->stem_scale, false);
    scry_bind_made_linear(b, &v->stem, first, STEM_INPUTS, f.weights, f.bias);
    f = scry_fold_begin(b, first, 1, 3);
    add_branches(b, &f, "visual.trunk.stem.1", c->stem_scale, false);
    v->stem_filter = pack(b, &f, 2, 1);
    bind_point(b, &v->stem_point, first, false, "visual.trunk.stem.2");
    for (size_t i = 0; i < c->stages; i++)
        bind_stage(b, v, i);
    f = scry_fold_begin(b, last, 1, 3);
    add_branches(b, &f, "visual.trunk.final_conv", true, false);
    v->last = pack(b, &f, 1, 2);
    bind_squeeze(b, &v->squeeze, last, last / 16 > 0 ? last / 16 : 1, "visual.trunk.final_conv");
    const float *w = scry_bind_shaped_floats(b, 2, (size_t[]){ dim, last }, "visual.trunk.head.fc.weight");
    const float *bias = scry_bind_floats(b, dim, "visual.trunk.head.fc.bias");
    scry_bind_made_linear(b, &v->head, dim, last, reorder(b, w, dim, last), bias);
}

static void grow(size_t *most, size_t n)
{
    *most = n > *most ? n : *most;
}

static size_t half(size_t side)
{
    return (side + 1) / 2;
}

/* The memory of a pass, and of a thread. */
static void measure(fastvit *v, scry_scratch_need *need)
{
    const scry_fastvit_config *c = v->config;
    size_t side = half(v->tower.size);
    grow(&v->map_floats, side * side * c->width[0]);
    grow(&v->mid_floats, (size_t)STRIP * STEM_INPUTS);
    side = half(side);
    for (size_t i = 0; i < c->stages; i++) {
        side = v->stages[i].shrinks ? half(side) : side;
        size_t places = side * side, w = c->width[i];
        grow(&v->map_floats, places * w);
        grow(&v->mid_floats, (places < STRIP ? places : STRIP) * c->ratio * w);
        if (i + c->attentive < c->stages)
            continue;
        grow(&v->mid_floats, places * 3 * w);
        grow(&need->max_tokens, places);
        need->max_head = HEAD;
    }
    v->row_floats = 2 * c->width[c->stages - 1];
    grow(&v->map_floats, side * side * v->row_floats);
}

/* ---- running ---- */

/* A map as rows, one for each place. */
typedef struct {
    const float *x;   /* [places, width] */
    size_t places, width;
} rows_of_map;

/* The rows times a.gain, plus a.shift, activated. Both may be NULL. */
static void affine(scry_nn *t, rows_of_map rows, scry_affine a, scry_act act, float *out)
{
    const float *x = rows.x;
    size_t width = rows.width;
    scry_range mine = scry_share(t, rows.places, 1);
    for (size_t c = 0; c < width; c += 2 * SCRY_PANEL) {
        scry_finish f = {
            .acc = x + mine.from * width + c, .ld_acc = width, .rows = (int)(mine.to - mine.from),
            .cols = (int)(width - c < 2 * SCRY_PANEL ? width - c : 2 * SCRY_PANEL),
            .col_scale = a.gain ? a.gain + c : NULL, .bias = a.shift ? a.shift + c : NULL, .act = act,
            .c = out + mine.from * width + c, .ldc = width
        };
        t->k->finish_float(&f);
    }
    scry_nn_wait(t);
}

static float dot(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The weights of the channels of the map [width], in `memory`, which holds three such rows. */
static const float *run_squeeze(scry_nn *t, const squeeze *s, rows_of_map map, float *memory)
{
    size_t width = map.width;
    float *mean = memory, *hidden = memory + width, *out = hidden + width;
    scry_mean_rows(t, map.x, map.places, width, mean);
    scry_range mine = scry_share(t, s->narrow, 1);
    for (size_t i = mine.from; i < mine.to; i++)
        hidden[i] = fmaxf(0, dot(s->reduce + i * width, mean, width) + s->reduce_bias[i]);
    scry_nn_wait(t);
    mine = scry_share(t, width, 1);
    for (size_t i = mine.from; i < mine.to; i++)
        out[i] = 1 / (1 + expf(-dot(s->expand + i * s->narrow, hidden, s->narrow) - s->expand_bias[i]));
    scry_nn_wait(t);
    return out;
}

/* Two maps, which take turns; what is between two operations; rows for run_squeeze. */
typedef struct {
    float *x, *y, *mid, *rows;
    size_t side;
} maps;

static void swap(maps *m)
{
    float *x = m->x;
    m->x = m->y;
    m->y = x;
}

/* m->x filtered, in m->x. */
static void filter(scry_nn *t, const scry_depthwise_conv *c, maps *m, scry_act act)
{
    size_t out = c->stride == 2 ? half(m->side) : m->side;
    scry_depthwise_run(t, c, &(scry_depthwise_map){ m->x, m->y, m->side, out, c->kernel / 2, act });
    m->side = out;
    swap(m);
}

/* A product over all places from m->x to m->x. */
static void point(scry_nn *t, const scry_linear *l, maps *m)
{
    scry_linear_run(t, l, &(scry_product){ m->side * m->side, m->x, l->k, m->y, l->n, SCRY_ACT_GELU, false });
    swap(m);
}

/* Windows [from, to) of the stem as rows [27], channel, row, column; zeros outside. */
static void unfold(scry_nn *t, const fastvit *v, const uint8_t *pixels, size_t from, size_t to, float *out)
{
    size_t size = v->tower.size, side = half(size);
    scry_range mine = scry_share(t, to - from, 1);
    for (size_t r = mine.from; r < mine.to; r++) {
        size_t top = (from + r) / side * 2, left = (from + r) % side * 2;   /* of the window, plus 1 */
        for (size_t i = 0; i < 9; i++) {
            size_t y = top + i / 3 - 1, x = left + i % 3 - 1;   /* before the first: wraps, and is outside */
            bool inside = y < size && x < size;
            for (size_t c = 0; c < 3; c++)
                out[r * STEM_INPUTS + c * 9 + i] = inside ? v->table[c][pixels[(y * size + x) * 3 + c]] : 0;
        }
    }
    scry_nn_wait(t);
}

static void run_stem(scry_nn *t, const fastvit *v, const uint8_t *pixels, maps *m)
{
    m->side = half(v->tower.size);
    size_t places = m->side * m->side, w = v->config->width[0];
    for (size_t from = 0; from < places; from += STRIP) {
        size_t to = places - from < STRIP ? places : from + STRIP;
        unfold(t, v, pixels, from, to, m->mid);
        scry_linear_run(t, &v->stem, &(scry_product){ to - from, m->mid, STEM_INPUTS, m->x + from * w, w, SCRY_ACT_GELU, false });
    }
    filter(t, &v->stem_filter, m, SCRY_ACT_GELU);
    point(t, &v->stem_point, m);
}

/* x + attention(norm(x)), in m->x. */
static void attend(scry_nn *t, const block *k, size_t w, maps *m)
{
    size_t places = m->side * m->side;
    const size_t starts[2] = { 0, places };
    if (k->norm.width)
        scry_norm_rows(t, &k->norm, m->x, places, m->y);
    else
        affine(t, (rows_of_map){ m->x, places, w }, k->affine, SCRY_ACT_NONE, m->y);
    scry_linear_run(t, &k->qkv, &(scry_product){ places, m->y, w, m->mid, 3 * w, SCRY_ACT_NONE, false });
    scry_attention_run(t, &(scry_attention){ m->mid, starts, NULL, 1, w, w / HEAD, false, NULL, .out = m->y });
    scry_linear_run(t, &k->out, &(scry_product){ places, m->y, w, m->x, w, SCRY_ACT_NONE, true });
}

/* One block, from m->x to m->x. The hidden layer is computed for a strip of places at a time, which stays in the cache. */
static void run_block(scry_nn *t, const block *k, size_t w, maps *m)
{
    size_t places = m->side * m->side, hidden = k->up.n;
    if (k->mix.kernel)
        filter(t, &k->mix, m, SCRY_ACT_NONE);
    else
        attend(t, k, w, m);
    scry_depthwise_run(t, &k->filter, &(scry_depthwise_map){ m->x, m->y, m->side, m->side, k->filter.kernel / 2, SCRY_ACT_NONE });
    for (size_t from = 0; from < places; from += STRIP) {
        size_t rows = places - from < STRIP ? places - from : STRIP;
        scry_linear_run(t, &k->up, &(scry_product){ rows, m->y + from * w, w, m->mid, hidden, SCRY_ACT_GELU, false });
        scry_linear_run(t, &k->down, &(scry_product){ rows, m->mid, hidden, m->x + from * w, w, SCRY_ACT_NONE, true });
    }
}

/* Channels of m->x weighted by what `s` finds, and GELU. */
static void excite(scry_nn *t, const squeeze *s, size_t w, maps *m)
{
    size_t places = m->side * m->side;
    const rows_of_map map = { m->x, places, w };
    const float *factors = s->narrow ? run_squeeze(t, s, map, m->rows) : NULL;
    affine(t, map, (scry_affine){ factors, NULL }, SCRY_ACT_GELU, m->x);
}

static void run_picture(scry_nn *t, const fastvit *v, const uint8_t *pixels, maps m, const scry_tracer *tracer, float *features)
{
    run_stem(t, v, pixels, &m);
    scry_trace_state(tracer, t->index, "image.stem", m.x, m.side * m.side, v->config->width[0]);
    for (size_t i = 0, n = 0; i < v->config->stages; i++) {
        const stage *s = &v->stages[i];
        if (s->shrinks) {
            filter(t, &s->shrink, &m, SCRY_ACT_NONE);
            excite(t, &s->squeeze, s->width, &m);
            point(t, &s->point, &m);
        }
        if (s->positions.kernel)
            filter(t, &s->positions, &m, SCRY_ACT_NONE);
        for (size_t k = 0; k < s->layers; k++, n++) {
            run_block(t, &s->blocks[k], s->width, &m);
            char name[32];
            snprintf(name, sizeof name, "image.%zu", n);
            scry_trace_state(tracer, t->index, name, m.x, m.side * m.side, s->width);
        }
    }
    filter(t, &v->last, &m, SCRY_ACT_NONE);
    excite(t, &v->squeeze, v->head.k, &m);
    scry_mean_rows(t, m.x, m.side * m.side, v->head.k, features);
}

static void run(scry_nn *t, const scry_image_tower *tower, const scry_image_job *job)
{
    const fastvit *v = (const fastvit *)tower;
    size_t w = v->head.k, bytes = tower->size * tower->size * 3;
    float *x = job->memory, *y = x + v->map_floats, *mid = y + v->map_floats, *rows = mid + v->mid_floats;
    float *features = rows + 3 * w + SCRY_PANEL;
    for (size_t i = 0; i < job->n; i++)
        run_picture(t, v, job->pixels + i * bytes, (maps){ x, y, mid, rows, 0 }, job->tracer, features + i * w);
    scry_linear_run(t, &v->head, &(scry_product){ job->n, features, w, job->out, tower->dim, SCRY_ACT_NONE, false });
}

static void fastvit_free(scry_image_tower *tower)
{
    fastvit *v = (fastvit *)tower;
    for (size_t i = 0; i < v->config->stages; i++)
        free(v->stages[i].blocks);
    scry_tower_dispose(&v->tower.base);
    free(v);
}

int scry_fastvit_new(scry_image_tower **out, const scry_tower_source *src, scry_error *err)
{
    const scry_image_config *image = &src->config->image;
    const scry_fastvit_config *c = &image->fastvit;
    fastvit *v = scry_alloc(sizeof *v);
    v->config = c;
    v->tower = (scry_image_tower){ .dim = src->config->dim, .size = image->size, .run = run, .free = fastvit_free,
                                   .batch = 1 };   /* one picture fills the caches */
    for (size_t i = 0; i < c->stages; i++)
        v->stages[i] = (stage){ .width = c->width[i], .layers = c->layers[i], .shrinks = i > 0,
                                .blocks = scry_alloc(c->layers[i] * sizeof(block)) };
    scry_pixel_table(&src->config->preprocess, v->table);
    scry_binder b = scry_tower_begin(&v->tower.base, src, err);
    measure(v, &b.need);
    bind(v, &b);
    scry_tower_end(&v->tower.base, &b);
    v->tower.need = b.need;
    v->tower.picture_floats = 2 * v->map_floats + v->mid_floats + 4 * v->row_floats + SCRY_PANEL;
    if (b.result < 0)
        fastvit_free(&v->tower);
    else {
        v->tower.base.summary = scry_asprintf("FastViT, %zu x %zu pixels, %zu stages, width %zu to %zu", image->size,
                                              image->size, c->stages, c->width[0], c->width[c->stages - 1]);
        *out = &v->tower;
    }
    return b.result;
}
