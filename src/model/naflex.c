/* naflex.c - SigLIP 2's image tower for pictures of any shape, or for squares of a size of their own.
 *
 *     pixels [16 H, 16 V, 3] -> patches [H V, 768], numbers in the order row, column, channel -> product [H V, W]
 *     positions [grid, grid, W], resampled to [H, V, W], added -> x [H V, W]
 *     layers (transformer.c) -> layer norm -> attention_pool.c [W]
 *
 * The references pad every picture to as many patches as the largest and mask these in attention; here each has only
 * its own, one picture a pass. Sources: transformers' modeling_siglip2.py, timm's naflexvit.py.
 */
#include "model/attention_pool.h"
#include "model/tower.h"
#include "model/transformer.h"

#include "base/alloc.h"
#include "base/view_shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { P = SCRY_VIEW_PATCH, PATCH_FLOATS = P * P * 3 };

typedef struct {
    scry_image_tower tower;      /* first: the public part */
    scry_stack stack;
    size_t grid, side;           /* of the table of positions; patches in a side of every picture, or 0: they differ */
    float table[3][256];
    scry_linear patches;         /* [W, P P 3] */
    const float *positions;      /* [grid^2, W] */
    scry_norm post;
    scry_attention_pool pool;
} naflex;

static size_t max_patches(const naflex *v)
{
    return v->side ? v->side * v->side : scry_view_max_patches(v->tower.size);
}

static void bind(naflex *v, scry_binder *b, const scry_naflex_config *c)
{
    const scry_vit_names *n = c->names;
    size_t w = c->stack.width;
    scry_linear_names names = { .prefix = n->patches, .part = { "" }, .weight = ".weight", .bias = ".bias" };
    scry_bind_linear(b, &v->patches, w, PATCH_FLOATS, &names);
    if (n->batched)
        v->positions = scry_bind_shaped_floats(b, 4, (size_t[]){ 1, c->grid, c->grid, w }, "%s", n->positions);
    else
        v->positions = scry_bind_shaped_floats(b, 2, (size_t[]){ c->grid * c->grid, w }, "%s", n->positions);
    scry_stack_bind(&v->stack, b, n->stack, n->layer, max_patches(v));
    v->post = scry_bind_norm(b, w, c->stack.eps, "%s", n->post_norm);
    scry_attention_pool_bind(&v->pool, b, n->pool, &c->stack);
}

/* Patches of a picture as rows [H V, P P 3]. */
static void unfold(scry_nn *t, const naflex *v, const uint8_t *pixels, scry_view_shape shape, float *out)
{
    scry_range mine = scry_share(t, shape.rows * shape.columns, 1);
    for (size_t i = mine.from; i < mine.to; i++) {
        const uint8_t *in = pixels + (i / shape.columns * P * shape.columns + i % shape.columns) * P * 3;
        float *row = out + i * PATCH_FLOATS;
        for (size_t y = 0; y < P; y++, in += shape.columns * P * 3)
            for (size_t k = 0; k < P * 3; k++)
                *row++ = v->table[k % 3][in[k]];
    }
    scry_nn_wait(t);
}

/* How much each row (or column) of the table has in position `at` of `n`: bilinear, over all that it covers when the table
 * is shrunk (PyTorch's antialias). Returns the first and one past the last that has any. */
static scry_range weights_of(size_t at, size_t n, size_t grid, float *weights)
{
    float scale = (float)grid / (float)n, support = scale > 1 ? scale : 1, sum = 0;
    float centre = ((float)at + 0.5f) * scale - 0.5f;
    scry_range some = { grid, 0 };
    for (size_t i = 0; i < grid; i++) {
        weights[i] = 1 - fabsf((float)i - centre) / support;
        if (weights[i] <= 0)
            continue;
        sum += weights[i];
        some.from = i < some.from ? i : some.from;
        some.to = i + 1;
    }
    for (size_t i = some.from; i < some.to; i++)
        weights[i] /= sum;
    return some;
}

/* Add the positions to x [H V, W]. */
static void add_positions(scry_nn *t, const naflex *v, scry_view_shape shape, float *x)
{
    size_t w = v->stack.config.width, grid = v->grid;
    float down[SCRY_MAX_NAFLEX_GRID], across[SCRY_MAX_NAFLEX_GRID];
    scry_range mine = scry_share(t, shape.rows * shape.columns, 1);
    for (size_t i = mine.from; i < mine.to; i++) {
        scry_range rows = weights_of(i / shape.columns, shape.rows, grid, down);
        scry_range columns = weights_of(i % shape.columns, shape.columns, grid, across);
        float *row = x + i * w;
        for (size_t r = rows.from; r < rows.to; r++)
            for (size_t c = columns.from; c < columns.to; c++) {
                const float *position = v->positions + (r * grid + c) * w;
                float part = down[r] * across[c];
                for (size_t k = 0; k < w; k++)
                    row[k] += part * position[k];
            }
    }
    scry_nn_wait(t);
}

/* One picture. */
static void run(scry_nn *t, const scry_image_tower *tower, const scry_image_job *job)
{
    const naflex *v = (const naflex *)tower;
    scry_view_shape shape = { v->side, v->side };
    if (!v->side && !scry_view_get_shape(job->pixels, tower->size, &shape))   /* checked by the session */
        shape = (scry_view_shape){ 1, 1 };
    size_t w = v->stack.config.width, rows = shape.rows * shape.columns, starts[2] = { 0, rows };
    float *x = job->memory, *more = x + rows * w;
    unfold(t, v, job->pixels, shape, more);
    scry_linear_run(t, &v->patches, &(scry_product){ rows, more, PATCH_FLOATS, x, w, SCRY_ACT_NONE, false });
    add_positions(t, v, shape, x);
    scry_trace_state(job->tracer, t->index, "image.embeddings", x, rows, w);
    scry_stack_run(t, &v->stack, &(scry_stack_run_args){ job->memory, starts, NULL, 1, NULL, job->tracer, "image" });
    scry_norm_rows(t, &v->post, x, rows, more);
    scry_attention_pool_run(t, &v->pool, 1, starts, more, more + rows * w, job->out);
    scry_trace_state(job->tracer, t->index, "image.pooled", job->out, 1, w);
}

static void naflex_free(scry_image_tower *tower)
{
    naflex *v = (naflex *)tower;
    scry_stack_dispose(&v->stack);
    scry_tower_dispose(&v->tower.base);
    free(v);
}

int scry_naflex_new(scry_image_tower **out, const scry_tower_source *src, scry_error *err)
{
    const scry_image_config *image = &src->config->image;
    const scry_naflex_config *c = &image->naflex;
    naflex *v = scry_alloc(sizeof *v);
    v->stack = (scry_stack){ .config = c->stack, .reads_all_rows = true };
    v->grid = c->grid;
    v->side = image->any_shape ? 0 : image->size / P;
    v->tower.size = image->size;
    scry_pixel_table(&src->config->preprocess, v->table);
    size_t most = max_patches(v), w = c->stack.width, stack_floats = scry_stack_row_floats(&v->stack);
    size_t pool_floats = 2 * w * most + scry_attention_pool_floats(&c->stack, most);
    size_t floats = most * (stack_floats > w + PATCH_FLOATS ? stack_floats : w + PATCH_FLOATS);
    v->tower = (scry_image_tower){ .dim = src->config->dim, .size = image->size, .run = run, .free = naflex_free, .batch = 1,
                                   .picture_floats = floats > pool_floats ? floats : pool_floats };
    scry_binder b = scry_tower_begin(&v->tower.base, src, err);
    bind(v, &b, c);
    scry_tower_end(&v->tower.base, &b);
    v->tower.need = b.need;
    if (b.result < 0) {
        naflex_free(&v->tower);
        return b.result;
    }
    char *kind = scry_asprintf("ViT, %s%zu patches of %d x %d pixels", v->side ? "" : "at most ", most, P, P);
    v->tower.base.summary = scry_stack_summary(kind, &c->stack);
    free(kind);
    *out = &v->tower;
    return 0;
}
