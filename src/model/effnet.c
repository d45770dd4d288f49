/* effnet.c - an EfficientNet-Lite image tower with a head (docs/model-format.md).
 *
 * Maps are channels last, [H, W, C]: a 1x1 convolution is then a product over H * W rows,
 * and a depthwise one runs along the channels. Batch norm is folded into the weights.
 */
#include "model/head.h"
#include "model/tower.h"

#include "base/alloc.h"
#include "nn/depthwise.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEM_KERNEL = 3, STEM_STRIDE = 2 };

typedef struct {
    scry_linear expand, project;     /* [in * expand, in], [out, in * expand] */
    scry_depthwise_conv filter;      /* of the `mid` channels between them */
} conv_block;

typedef struct {
    scry_image_tower tower;      /* first: the public part */
    const scry_conv_config *config;
    float table[3][256];
    scry_linear stem, top;       /* [stem, 3 * 3 * 3], [top, last out] */
    conv_block *blocks;          /* [config->blocks]; owned */
    scry_head head;
    size_t map_floats;           /* largest map between blocks; and inside a block */
    size_t wide_floats;
} effnet;

/* TensorFlow's SAME padding: ceil(n / stride) places; the odd pixel of padding comes last. */
typedef struct {
    size_t out;
    int before;
} same_padding;

static same_padding same(size_t n, size_t kernel, size_t stride)
{
    size_t out = (n + stride - 1) / stride, covered = (out - 1) * stride + kernel;
    return (same_padding){ out, covered > n ? (int)((covered - n) / 2) : 0 };
}

/* ---- building ---- */

static void bind_depthwise(scry_binder *b, conv_block *block, const scry_conv_block *k, const char *at)
{
    size_t mid = k->in * k->expand, places = k->kernel * k->kernel;
    scry_tensor w = scry_bind_tensor(b, 4, (size_t[]){ mid, 1, k->kernel, k->kernel }, "%s.depthwise.weight", at);
    const float *bias = scry_bind_floats(b, mid, "%s.depthwise.bias", at);
    if (b->result < 0 || !b->weights)
        return;
    float *packed = scry_weights_take(b->weights, scry_depthwise_floats(mid, k->kernel) * sizeof *packed);
    float *floats = scry_try_alloc_aligned(mid * places, sizeof *floats);
    if (packed && floats) {
        scry_tensor_floats(&w, floats);
        scry_depthwise_pack(floats, bias, 1, mid, k->kernel, packed);
        block->filter = (scry_depthwise_conv){ k->kernel, k->stride, mid, 1, packed };
    } else {
        b->result = scry_fail(b->err, SCRY_ENOMEM, "not enough memory for the model's weights");
    }
    free(floats);
}

static void bind_1x1(scry_binder *b, scry_linear *l, size_t out, size_t in, const char *name)
{
    scry_linear_names names = { .prefix = name, .part = { "" }, .weight = ".weight", .bias = ".bias",
                                .rank = 4, .tail = { in, 1, 1 } };
    scry_bind_linear(b, l, out, in, &names);
}

static void bind(effnet *e, scry_binder *b)
{
    const scry_conv_config *c = e->config;
    scry_linear_names stem = { .prefix = "vision_model.stem", .part = { "" }, .weight = ".weight",
                               .bias = ".bias", .rank = 4,
                               .tail = { 3, STEM_KERNEL, STEM_KERNEL } };
    scry_bind_linear(b, &e->stem, c->stem, 3 * STEM_KERNEL * STEM_KERNEL, &stem);
    for (size_t i = 0; i < c->blocks; i++) {
        const scry_conv_block *k = &c->block[i];
        size_t mid = k->in * k->expand;
        char at[64], name[96];
        snprintf(at, sizeof at, "vision_model.blocks.%zu", i);
        snprintf(name, sizeof name, "%s.expand", at);
        if (k->expand != 1)
            bind_1x1(b, &e->blocks[i].expand, mid, k->in, name);
        bind_depthwise(b, &e->blocks[i], k, at);
        snprintf(name, sizeof name, "%s.project", at);
        bind_1x1(b, &e->blocks[i].project, k->out, mid, name);
    }
    bind_1x1(b, &e->top, c->top, c->block[c->blocks - 1].out, "vision_model.head");
    scry_head_bind(&e->head, &c->head, c->top, e->tower.dim, b, "vision_head");
}

static void grow(size_t *most, size_t n)
{
    *most = n > *most ? n : *most;
}

/* The sizes of the largest maps, which determine the memory of a pass. */
static void measure(effnet *e)
{
    const scry_conv_config *c = e->config;
    size_t side = same(e->tower.size, STEM_KERNEL, STEM_STRIDE).out;
    grow(&e->map_floats, side * side * c->stem);
    grow(&e->wide_floats, side * side * 3 * STEM_KERNEL * STEM_KERNEL);
    for (size_t i = 0; i < c->blocks; i++) {
        const scry_conv_block *k = &c->block[i];
        grow(&e->wide_floats, side * side * k->in * k->expand);
        side = same(side, k->kernel, k->stride).out;
        grow(&e->wide_floats, side * side * k->in * k->expand);
        grow(&e->map_floats, side * side * k->out);
    }
    grow(&e->wide_floats, side * side * c->top);
}

/* ---- running ---- */

/* Windows of the stem as rows [side^2, 27], channel, row, column; zeros outside. */
static void unfold(scry_nn *t, const effnet *e, const uint8_t *pixels, same_padding p, float *out)
{
    int size = (int)e->tower.size;
    scry_range mine = scry_share(t, p.out, 1);
    for (size_t oy = mine.from; oy < mine.to; oy++) {
        for (size_t ox = 0; ox < p.out; ox++) {
            float *row = out + (oy * p.out + ox) * 3 * STEM_KERNEL * STEM_KERNEL;
            for (int i = 0; i < STEM_KERNEL * STEM_KERNEL; i++) {
                int y = (int)oy * STEM_STRIDE + i / STEM_KERNEL - p.before;
                int x = (int)ox * STEM_STRIDE + i % STEM_KERNEL - p.before;
                bool inside = y >= 0 && y < size && x >= 0 && x < size;
                for (int c = 0; c < 3; c++)
                    row[c * STEM_KERNEL * STEM_KERNEL + i] =
                        inside ? e->table[c][pixels[(y * size + x) * 3 + c]] : 0;
            }
        }
    }
    scry_nn_wait(t);
}

/* One block on the map x [side, side, in]; returns the side of its result, which is in x.
 * `wide` holds two maps of the block's inner width. */
static size_t run_block(scry_nn *t, const scry_conv_block *k, const conv_block *b, size_t side,
                        float *x, float *wide, size_t wide_floats)
{
    size_t mid = k->in * k->expand;
    same_padding p = same(side, k->kernel, k->stride);
    const float *expanded = x;
    if (k->expand != 1) {
        scry_linear_run(t, &b->expand, &(scry_product){ side * side, x, k->in, wide, mid,
                                                        SCRY_ACT_RELU6, false });
        expanded = wide;
    }
    float *filtered = wide + wide_floats;
    scry_depthwise_run(t, &b->filter, &(scry_depthwise_map){ expanded, filtered, side, p.out, (size_t)p.before,
                                                             SCRY_ACT_RELU6 });
    bool residual = k->stride == 1 && k->in == k->out;
    scry_linear_run(t, &b->project, &(scry_product){ p.out * p.out, filtered, mid, x, k->out,
                                                     SCRY_ACT_NONE, residual });
    return p.out;
}

/* Mean over the places of a map [places, channels]. */
static void global_mean(scry_nn *t, const float *map, size_t places, size_t channels, float *out)
{
    scry_range mine = scry_share(t, channels, SCRY_PANEL);
    for (size_t c = mine.from; c < mine.to; c++)
        out[c] = 0;
    for (size_t i = 0; i < places; i++)
        for (size_t c = mine.from; c < mine.to; c++)
            out[c] += map[i * channels + c];
    for (size_t c = mine.from; c < mine.to; c++)
        out[c] /= (float)places;
    scry_nn_wait(t);
}

static void run_picture(scry_nn *t, const effnet *e, const uint8_t *pixels, float *memory,
                        const scry_tracer *tracer, float *features)
{
    const scry_conv_config *c = e->config;
    float *x = memory, *wide = memory + e->map_floats;
    same_padding p = same(e->tower.size, STEM_KERNEL, STEM_STRIDE);
    size_t side = p.out;
    unfold(t, e, pixels, p, wide);
    scry_linear_run(t, &e->stem, &(scry_product){ side * side, wide, 3 * STEM_KERNEL * STEM_KERNEL,
                                                  x, c->stem, SCRY_ACT_RELU6, false });
    scry_trace_state(tracer, t->index, "image.stem", x, side * side, c->stem);
    for (size_t i = 0; i < c->blocks; i++) {
        side = run_block(t, &c->block[i], &e->blocks[i], side, x, wide, e->wide_floats);
        char name[32];
        snprintf(name, sizeof name, "image.%zu", i);
        scry_trace_state(tracer, t->index, name, x, side * side, c->block[i].out);
    }
    scry_linear_run(t, &e->top, &(scry_product){ side * side, x, c->block[c->blocks - 1].out, wide,
                                                 c->top, SCRY_ACT_RELU6, false });
    global_mean(t, wide, side * side, c->top, features);
    scry_trace_state(tracer, t->index, "image.features", features, 1, c->top);
}

static void run(scry_nn *t, const scry_image_tower *tower, const scry_image_job *job)
{
    const effnet *e = (const effnet *)tower;
    size_t channels = e->config->top, bytes = tower->size * tower->size * 3;
    float *features = job->memory + e->map_floats + 2 * e->wide_floats;
    for (size_t i = 0; i < job->n; i++)
        run_picture(t, e, job->pixels + i * bytes, job->memory, job->tracer, features + i * channels);
    scry_head_run(t, &e->head, job->n, features, channels, features + job->n * channels, job->out);
}

static void effnet_free(scry_image_tower *tower)
{
    effnet *e = (effnet *)tower;
    free(e->blocks);
    scry_tower_dispose(&e->tower.base);
    free(e);
}

int scry_effnet_new(scry_image_tower **out, const scry_tower_source *src, scry_error *err)
{
    const scry_image_config *image = &src->config->image;
    effnet *e = scry_alloc(sizeof *e);
    e->config = &image->conv;
    e->tower.dim = src->config->dim;
    e->tower.size = image->size;
    e->blocks = scry_alloc(image->conv.blocks * sizeof *e->blocks);
    scry_pixel_table(&src->config->preprocess, e->table);
    measure(e);
    scry_binder b = scry_tower_begin(&e->tower.base, src, err);
    bind(e, &b);
    scry_tower_end(&e->tower.base, &b);
    e->tower.need = b.need;
    e->tower.batch = 1;   /* one picture fills the caches */
    e->tower.picture_floats = e->map_floats + 2 * e->wide_floats + image->conv.top
                            + scry_head_row_floats(&e->head);
    e->tower.run = run;
    e->tower.free = effnet_free;
    if (b.result < 0)
        effnet_free(&e->tower);
    else {
        e->tower.base.summary = scry_asprintf("EfficientNet-Lite, %zu x %zu pixels, %zu blocks",
                                              e->tower.size, e->tower.size, e->config->blocks);
        *out = &e->tower;
    }
    return b.result;
}
