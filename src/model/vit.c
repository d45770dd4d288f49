/* vit.c - a vision transformer as image tower: CLIP's, read at its class token, CLIPA's, read at the mean
 * of its patches, or SigLIP's, read by a head that attends to all patches.
 *
 *     pixels [S, S, 3] -> patches [grid^2, 3 P P] -> conv as product, or patch_stem.c [grid^2, W]
 *     class token before them (or none), positions added, layer norm (or none) -> x [T, W]
 *     layers (transformer.c) -> class token [W] -> layer norm -> projection [D]
 *                            -> mean of the patches [W], layer norm before or after it -> projection [D]
 *                            -> layer norm -> attention_pool.c [W] (-> projection [D])
 *
 * The convolution's weights are ordered channel, row, column, and so are the patches'
 * numbers. Rows and columns of pixels beyond the last whole patch are ignored, as in the references.
 */
#include "model/attention_pool.h"
#include "model/patch_stem.h"
#include "model/tower.h"
#include "model/transformer.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

enum { PASS_ROWS = SCRY_MAX_PICTURES_A_PASS };   /* tokens in a pass: many enough to reuse weights, few enough for the caches */

typedef struct {
    scry_image_tower tower;      /* first: the public part */
    scry_stack stack;
    size_t patch, grid;          /* P; S / P */
    size_t tokens;               /* T: grid^2, and the class token */
    bool has_pool, has_projection, averages, norm_after_mean, has_stem, bare_class_token;
    float table[3][256];
    const float *class_token;                          /* [W] or NULL */
    scry_norm pre, post;
    const float *positions;                            /* [T, W]; [grid^2, W] where the class token has none */
    scry_linear patches;                               /* [W, 3 P P]; or */
    scry_patch_stem stem;
    scry_attention_pool pool;
    scry_linear projection;                            /* [D, W] */
} vit;

/* The table of scry_stack.rotary: half of a head turns by the column, half by the row (or the other way round), each pair of
 * numbers more slowly than the one before; a class token stands still. Coordinates are scaled to the grid that the model was
 * made for. */
static const float *rotary_table(vit *v, const scry_vit_config *c, scry_binder *b)
{
    size_t head = c->stack.width / c->stack.heads, bands = head / 4, before = v->tokens - v->grid * v->grid;
    float *table = scry_weights_take(b->weights, v->tokens * head * sizeof *table);
    if (!table) {
        b->result = scry_fail(b->err, SCRY_ENOMEM, "not enough memory for the model's weights");
        return NULL;
    }
    for (size_t t = 0; t < v->tokens; t++)
        for (size_t i = 0; i < head / 2; i++) {
            bool by_row = (i < bands) == c->rotary_rows_first;
            size_t patch = t - before, at = (by_row ? patch / v->grid : patch % v->grid) + c->rotary_first;
            double place = (double)at * (double)c->rotary_grid / (double)v->grid;
            double angle = t < before ? 0 : place * pow(10000, -(double)(i % bands) / (double)bands);
            table[t * head + 2 * i] = (float)cos(angle);
            table[t * head + 2 * i + 1] = (float)sin(angle);
        }
    return table;
}

static scry_stack_config pool_config(const scry_vit_config *c)
{
    scry_stack_config s = c->stack;
    s.heads = c->pool_heads ? c->pool_heads : s.heads;
    s.ffn = c->pool_ffn ? c->pool_ffn : s.ffn;
    return s;
}

static void bind_patches(vit *v, scry_binder *b, const scry_vit_names *n)
{
    size_t w = v->stack.config.width, p = v->patch;
    scry_linear_names names = { .prefix = n->patches, .part = { "" }, .weight = ".weight",
                                .bias = n->patch_bias ? ".bias" : NULL, .rank = 4, .tail = { 3, p, p } };
    if (v->has_stem)
        scry_patch_stem_bind(&v->stem, b, w, n->stem);
    else
        scry_bind_linear(b, &v->patches, w, 3 * p * p, &names);
}

static void bind(vit *v, scry_binder *b, const scry_vit_config *c)
{
    const scry_vit_names *n = c->names;
    const scry_stack_config pool = pool_config(c);
    size_t w = v->stack.config.width;
    int rank = n->batched ? 3 : 2;
    size_t table[3] = { 1, 1, w }, *rows = n->batched ? table : table + 1;
    if (n->class_token)
        v->class_token = scry_bind_shaped_floats(b, n->batched ? 3 : 1, n->batched ? table : table + 2, "%s", n->class_token);
    bind_patches(v, b, n);
    table[1] = v->tokens - (v->bare_class_token ? 1 : 0);
    v->positions = scry_bind_shaped_floats(b, rank, rows, "%s", n->positions);
    if (n->pre_norm)
        v->pre = scry_bind_norm(b, w, v->stack.config.eps, "%s", n->pre_norm);
    if (c->rotary_grid && b->weights && b->result == 0)
        v->stack.rotary = rotary_table(v, c, b);
    scry_stack_bind(&v->stack, b, n->stack, n->layer, v->tokens);
    v->post = scry_bind_norm(b, w, v->stack.config.eps, "%s", n->post_norm);
    if (v->has_pool)
        scry_attention_pool_bind(&v->pool, b, n->pool, &pool);
    if (!v->has_projection)
        return;
    scry_linear_names projection = { .prefix = "", .part = { "" }, .weight = n->projection,
                                     .bias = n->projection_bias, .transposed = n->transposed, .precise = true };
    scry_bind_linear(b, &v->projection, v->tower.dim, w, &projection);
}

/* Patches of the pictures as rows [n * grid^2, 3 P P]. */
static void unfold(scry_nn *t, const vit *v, const scry_image_job *job, float *out)
{
    size_t p = v->patch, side = v->tower.size, per_picture = v->grid * v->grid;
    scry_range mine = scry_share(t, job->n * per_picture, 1);
    for (size_t i = mine.from; i < mine.to; i++) {
        size_t at = i % per_picture, top = at / v->grid * p, left = at % v->grid * p;
        const uint8_t *picture = job->pixels + i / per_picture * side * side * 3;
        float *row = out + i * 3 * p * p;
        for (size_t y = 0; y < p; y++) {
            const uint8_t *in = picture + ((top + y) * side + left) * 3;
            for (size_t c = 0; c < 3; c++)
                for (size_t x = 0; x < p; x++)
                    row[v->has_stem ? scry_patch_stem_place(c, y, x) : (c * p + y) * p + x] = v->table[c][in[3 * x + c]];
        }
    }
    scry_nn_wait(t);
}

/* Class token and patches with their positions: x [n * T, W]. */
static void embed(scry_nn *t, const vit *v, size_t n, const float *patches, float *x)
{
    size_t w = v->stack.config.width, tokens = v->tokens;
    scry_range mine = scry_share(t, n * tokens, 1);
    for (size_t r = mine.from; r < mine.to; r++) {
        size_t picture = r / tokens, token = r % tokens, before = v->class_token ? 1 : 0;
        const float *in = token < before ? v->class_token
                                         : patches + (picture * (tokens - before) + token - before) * w;
        float *row = x + r * w;
        if (token < before && v->bare_class_token) {
            memcpy(row, in, w * sizeof *row);
        } else {
            const float *position = v->positions + (v->bare_class_token ? token - before : token) * w;
            for (size_t i = 0; i < w; i++)
                row[i] = in[i] + position[i];
        }
        if (v->pre.gain)
            t->k->layer_norm(row, w, v->pre.gain, v->pre.bias, v->pre.eps, row);
    }
    scry_nn_wait(t);
}

/* x [n * T, W] to the mean of each picture's patches, [n, W]. */
static void average_patches(scry_nn *t, const vit *v, size_t n, const float *x, float *out)
{
    size_t w = v->stack.config.width, patches = v->grid * v->grid;
    for (size_t i = 0; i < n; i++)
        scry_mean_rows(t, x + ((i + 1) * v->tokens - patches) * w, patches, w, out + i * w);
}

/* The rows x that the layers left to one of each picture, [n, W], normed: in `h`, or where that is returned. */
static float *pool_rows(scry_nn *t, const vit *v, const scry_image_job *job, const size_t *starts, float *x)
{
    size_t w = v->stack.config.width, left = v->stack.reads_all_rows ? starts[job->n] : job->n;
    float *h = x + left * w, *more = h + left * w;
    if (v->averages && v->norm_after_mean) {
        average_patches(t, v, job->n, x, h);
        scry_norm_rows(t, &v->post, h, job->n, h);
        return h;
    }
    scry_norm_rows(t, &v->post, x, left, h);
    if (v->averages) {
        average_patches(t, v, job->n, h, x);
        return x;
    }
    if (!v->has_pool)
        return h;
    float *pooled = v->has_projection ? x : job->out;
    scry_attention_pool_run(t, &v->pool, job->n, starts, h, more, pooled);
    return pooled;
}

static void run(scry_nn *t, const scry_image_tower *tower, const scry_image_job *job)
{
    const vit *v = (const vit *)tower;
    size_t w = v->stack.config.width, rows = job->n * v->tokens, k = 3 * v->patch * v->patch;
    size_t patches = job->n * v->grid * v->grid;
    float *x = job->memory, *unfolded = x + rows * w, *embedded = unfolded + patches * k;
    unfold(t, v, job, unfolded);
    if (v->has_stem)
        scry_patch_stem_run(t, &v->stem, patches, unfolded, embedded + patches * w, embedded);
    else
        scry_linear_run(t, &v->patches, &(scry_product){ patches, unfolded, k, embedded, w, SCRY_ACT_NONE, false });
    embed(t, v, job->n, embedded, x);
    scry_trace_state(job->tracer, t->index, "image.embeddings", x, rows, w);
    size_t starts[SCRY_MAX_PICTURES_A_PASS + 1], only[SCRY_MAX_PICTURES_A_PASS + 1];
    for (size_t i = 0; i <= job->n; i++) {
        starts[i] = i * v->tokens;
        only[i] = 0;
    }
    scry_stack_run(t, &v->stack, &(scry_stack_run_args){ job->memory, starts, NULL, job->n,
                                                         v->stack.reads_all_rows ? NULL : only, job->tracer, "image" });
    float *pooled = pool_rows(t, v, job, starts, x);
    scry_trace_state(job->tracer, t->index, "image.pooled", pooled, job->n, w);
    if (!v->has_projection)
        return;
    scry_linear_run(t, &v->projection, &(scry_product){ job->n, pooled, w, job->out, tower->dim,
                                                        SCRY_ACT_NONE, false });
}

static void vit_free(scry_image_tower *tower)
{
    vit *v = (vit *)tower;
    scry_stack_dispose(&v->stack);
    scry_tower_dispose(&v->tower.base);
    free(v);
}

int scry_vit_new(scry_image_tower **out, const scry_tower_source *src, scry_error *err)
{
    const scry_image_config *image = &src->config->image;
    const scry_vit_config *c = &image->vit;
    vit *v = scry_alloc(sizeof *v);
    v->stack = (scry_stack){ .config = c->stack, .reads_all_rows = c->names->pool || c->averages, .gated = c->names->layer->gate };
    v->has_pool = c->names->pool;
    v->has_stem = c->names->stem;
    v->bare_class_token = c->names->bare_class_token;
    v->averages = c->averages;
    v->norm_after_mean = c->norm_after_mean;
    v->has_projection = c->names->projection;
    v->patch = c->patch;
    v->grid = image->size / c->patch;
    v->tokens = v->grid * v->grid + (c->names->class_token ? 1 : 0);
    v->stack.rotary_tokens = v->tokens;
    scry_pixel_table(&src->config->preprocess, v->table);
    size_t stack_floats = scry_stack_row_floats(&v->stack);
    size_t stem_floats = v->has_stem ? scry_patch_stem_floats(c->stack.width) : 0;
    size_t embed_floats = 2 * c->stack.width + 3 * c->patch * c->patch + stem_floats;
    const scry_stack_config pool = pool_config(c);
    size_t pool_floats = v->has_pool ? 2 * c->stack.width * v->tokens + scry_attention_pool_floats(&pool, v->tokens) : 0;
    size_t most_floats = v->tokens * (stack_floats > embed_floats ? stack_floats : embed_floats);
    v->tower = (scry_image_tower){
        .dim = src->config->dim, .size = image->size, .run = run, .free = vit_free,
        .batch = v->tokens < PASS_ROWS ? PASS_ROWS / v->tokens : 1,   /* at most SCRY_MAX_PICTURES_A_PASS */
        .picture_floats = most_floats > pool_floats ? most_floats : pool_floats
    };
    scry_binder b = scry_tower_begin(&v->tower.base, src, err);
    bind(v, &b, c);
    scry_tower_end(&v->tower.base, &b);
    v->tower.need = b.need;
    if (b.result < 0)
        vit_free(&v->tower);
    else {
        char *kind = scry_asprintf("ViT, %zu x %zu pixels in patches of %zu", image->size, image->size,
                                   c->patch);
        v->tower.base.summary = scry_stack_summary(kind, &c->stack);
        free(kind);
        *out = &v->tower;
    }
    return b.result;
}
