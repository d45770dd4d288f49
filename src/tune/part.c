#include "tune/part.h"

#include "base/alloc.h"
#include "model/tower.h"
#include "model/transformer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list of tensors ---- */

__attribute__((format(printf, 5, 6)))
static size_t add(tune_part *p, size_t base, size_t count, bool matrix, const char *fmt, ...)
{
    va_list ap;
    p->tensors = scry_realloc(p->tensors, (p->tensor_count + 1) * sizeof *p->tensors);
    tune_tensor *t = &p->tensors[p->tensor_count++];
    *t = (tune_tensor){ .at = base + p->count, .count = count, .matrix = matrix };
    va_start(ap, fmt);
    vsnprintf(t->name, sizeof t->name, fmt, ap);
    va_end(ap);
    p->count += count;
    return t->at;
}

static tune_norm add_norm(tune_part *p, size_t base, const char *prefix, const char *name)
{
    return (tune_norm){ add(p, base, p->width, false, "%s%s.weight", prefix, name),
                        add(p, base, p->width, false, "%s%s.bias", prefix, name) };
}

static tune_linear add_linear(tune_part *p, size_t base, size_t n, size_t k, const char *prefix, const char *name)
{
    return (tune_linear){ .n = n, .k = k, .w = add(p, base, n * k, true, "%s%s.weight", prefix, name),
                          .b = (int64_t)add(p, base, n, false, "%s%s.bias", prefix, name) };
}

/* Queries, keys and values, stored as one tensor or as three. */
static tune_linear add_qkv(tune_part *p, size_t base, const char *prefix, const scry_layer_names *names)
{
    size_t w = p->width, parts = names->qkv[1] ? 3 : 1, rows = 3 * w / parts;
    tune_linear l = { .n = 3 * w, .k = w, .w = base + p->count };
    for (size_t i = 0; i < parts; i++)
        add(p, base, rows * w, true, "%s%s%s", prefix, names->qkv[i], names->qkv_weight);
    l.b = (int64_t)(base + p->count);
    for (size_t i = 0; i < parts; i++)
        add(p, base, rows, false, "%s%s%s", prefix, names->qkv[i], names->qkv_bias);
    return l;
}

static void add_block(tune_part *p, size_t base, tune_block *b, const char *stack, const scry_layer_names *names, size_t i)
{
    char layer[64], prefix[TUNE_NAME_BYTES / 2];
    snprintf(layer, sizeof layer, names->layer, i);
    snprintf(prefix, sizeof prefix, "%s%s", stack, layer);
    b->norm = add_norm(p, base, prefix, names->norm1);
    b->qkv = add_qkv(p, base, prefix, names);
    b->out = add_linear(p, base, p->width, p->width, prefix, names->out);
    b->mlp.norm = add_norm(p, base, prefix, names->norm2);
    b->mlp.up = add_linear(p, base, p->ffn, p->width, prefix, names->up);
    b->mlp.down = add_linear(p, base, p->width, p->ffn, prefix, names->down);
}

static void add_blocks(tune_part *p, size_t base, const char *stack, const scry_layer_names *names)
{
    p->blocks = scry_alloc((p->layers - p->first + 1) * sizeof *p->blocks);
    for (size_t i = p->first; i < p->layers; i++)
        add_block(p, base, &p->blocks[i - p->first], stack, names, i);
}

static void add_projection(tune_part *p, size_t base, const char *name, const char *bias, bool transposed)
{
    p->projected = name;
    if (!name)
        return;
    p->projection = (tune_linear){ .n = p->dim, .k = p->width, .b = TUNE_NONE, .transposed = transposed,
                                   .w = add(p, base, p->dim * p->width, true, "%s", name) };
    if (bias)
        p->projection.b = (int64_t)add(p, base, p->dim, false, "%s", bias);
}

/* Queries and keys with values are stored as one tensor [3 W, W] or as two: side by side in the array either way. */
static void add_pool(tune_part *p, size_t base, const scry_attention_pool_names *n, size_t heads, size_t ffn)
{
    size_t w = p->width;
    bool stacked = strcmp(n->q, n->kv) == 0;
    p->pool.heads = heads;
    p->pool.probe = add(p, base, w, true, "%s", n->probe);
    p->pool.q = (tune_linear){ .n = w, .k = w, .w = add(p, base, (stacked ? 3 : 1) * w * w, true, "%s%s", n->q, n->weight) };
    if (!stacked)
        add(p, base, 2 * w * w, true, "%s%s", n->kv, n->weight);
    p->pool.q.b = (int64_t)add(p, base, (stacked ? 3 : 1) * w, false, "%s%s", n->q, n->bias);
    if (!stacked)
        add(p, base, 2 * w, false, "%s%s", n->kv, n->bias);
    p->pool.kv = (tune_linear){ .n = 2 * w, .k = w, .w = p->pool.q.w + w * w, .b = p->pool.q.b + (int64_t)w };
    p->pool.out = add_linear(p, base, w, w, "", n->out);
    p->pool.mlp.norm = add_norm(p, base, "", n->norm);
    p->pool.mlp.up = add_linear(p, base, ffn, w, "", n->up);
    p->pool.mlp.down = add_linear(p, base, w, ffn, "", n->down);
}

/* ---- towers ---- */

static bool plain(const scry_layer_names *n)
{
    return n->qkv_bias && !n->q_bias && !n->gate && !n->out_norm && !n->down_norm;
}

static int refuse(const scry_checkpoint *c, bool pictures, scry_error *err)
{
    return scry_fail(err, SCRY_EINVALID, "%s: the blocks of its tower of %s cannot be trained, only those of plain transformers (CLIP, SigLIP, "
                     "MetaCLIP 2); --depth heads trains the texts' last matrix of any model", c->dir, pictures ? "pictures" : "texts");
}

static void sizes(tune_part *p, const scry_stack_config *s, size_t depth, size_t dim)
{
    *p = (tune_part){ .layers = s->layers, .first = depth < s->layers ? s->layers - depth : 0, .width = s->width,
                      .heads = s->heads, .ffn = s->ffn, .dim = dim, .act = s->act, .eps = s->eps };
}

static int bind_pictures(tune_part *p, const scry_checkpoint *c, size_t depth, size_t base, scry_error *err)
{
    const scry_image_config *image = &c->config.image;
    const scry_vit_config *v = &image->vit;
    if (image->new_tower != scry_vit_new || !plain(v->names->layer) || v->rotary_grid || v->averages
        || c->config.preprocess.spec.views != 1)
        return refuse(c, true, err);
    const scry_vit_names *n = v->names;
    sizes(p, &v->stack, depth, c->config.dim);
    p->pooled = n->pool;
    add_blocks(p, base, n->stack, n->layer);
    p->final = add_norm(p, base, "", n->post_norm);
    if (n->pool)
        add_pool(p, base, n->pool, v->pool_heads ? v->pool_heads : v->stack.heads, v->pool_ffn ? v->pool_ffn : v->stack.ffn);
    add_projection(p, base, n->projection, n->projection_bias, n->transposed);
    return 0;
}

static int bind_texts(tune_part *p, const scry_checkpoint *c, size_t depth, size_t base, scry_error *err)
{
    const scry_text_config *t = &c->config.text;
    if (t->new_tower != scry_clip_text_new || !plain(t->clip_names->layer) || t->pool == SCRY_POOL_MEAN)
        return refuse(c, false, err);
    const scry_clip_text_names *n = t->clip_names;
    sizes(p, &t->stack, depth, c->config.dim);
    p->causal = t->causal;
    add_blocks(p, base, n->stack, n->layer);
    p->final = add_norm(p, base, "", n->final_norm);
    add_projection(p, base, n->projection, n->projection_bias, n->transposed);
    return 0;
}

int tune_part_bind(tune_part *out, const scry_checkpoint *c, bool pictures, size_t depth, size_t base, scry_error *err)
{
    *out = (tune_part){ 0 };
    return (pictures ? bind_pictures : bind_texts)(out, c, depth, base, err);
}

void tune_part_dispose(tune_part *p)
{
    free(p->blocks);
    free(p->tensors);
    *p = (tune_part){ 0 };
}

int tune_part_tensor(const scry_checkpoint *c, const tune_tensor *want, scry_tensor *out, scry_error *err)
{
    int r = SCRY_ENOTFOUND;
    for (int rank = 1; rank <= SCRY_TENSOR_MAX_RANK && r < 0; rank++)
        r = scry_tensors_get(c->tensors, want->name, rank, (size_t[SCRY_TENSOR_MAX_RANK]){ 0 }, out, NULL);
    return r == 0 && scry_tensor_count(out) == want->count ? 0 : scry_fail(err, SCRY_EINVALID, "%s: the tensor %s is missing or has another "
                                                                           "size", c->dir, want->name);
}

int tune_part_read(const tune_part *p, const scry_checkpoint *c, float *parameters, scry_error *err)
{
    int r = 0;
    for (size_t i = 0; i < p->tensor_count && r == 0; i++) {
        scry_tensor t;
        r = tune_part_tensor(c, &p->tensors[i], &t, err);
        if (r == 0)
            scry_tensor_floats(&t, parameters + p->tensors[i].at);
    }
    return r;
}
