/* vit.c - CLIP's image tower: a vision transformer read at its class token.
 *
 *     pixels [S, S, 3] -> patches [T - 1, 3 P P] -> conv as product [T - 1, W]
 *     class token before them, positions added, layer norm -> x [T, W]
 *     layers (transformer.c) -> class token [W] -> layer norm -> projection [D]
 *
 * The convolution has no bias. Its weights are ordered channel, row, column, and so are
 * the patches' numbers.
 */
#include "model/tower.h"
#include "model/transformer.h"

#include "base/alloc.h"

#include <stdlib.h>

enum { PASS_ROWS = 400 };   /* tokens a pass: enough to reuse weights, few enough for the caches */

typedef struct {
    scry_image_tower tower;      /* first: the public part */
    scry_stack stack;
    size_t patch, grid, tokens;  /* P; S / P; grid^2 + 1 */
    float table[3][256];
    const float *class_token;                          /* [W] */
    const float *pre_gain, *pre_bias, *post_gain, *post_bias;   /* [W] */
    scry_tensor positions;                             /* [T, W] */
    const float *position_floats;                      /* the same as floats */
    scry_linear patches;                               /* [W, 3 P P] */
    scry_linear projection;                            /* [D, W] */
} vit;

/* Names of the tensors outside the layers. */
typedef struct {
    const char *stack, *class_token, *patches, *positions, *pre, *post, *projection;
    bool transposed;
    const scry_layer_names *layer;
} vit_names;

static const vit_names hf_names = {
    "vision_model.", "vision_model.embeddings.class_embedding",
    "vision_model.embeddings.patch_embedding", "vision_model.embeddings.position_embedding.weight",
    "vision_model.pre_layrnorm", "vision_model.post_layernorm", "visual_projection.weight", false,
    &scry_names_clip
};

static const vit_names open_clip_names = {
    "visual.", "visual.class_embedding", "visual.conv1", "visual.positional_embedding",
    "visual.ln_pre", "visual.ln_post", "visual.proj", true, &scry_names_open_clip
};

static void bind(vit *v, scry_binder *b, const vit_names *n)
{
    size_t w = v->stack.config.width, p = v->patch;
    v->class_token = scry_bind_floats(b, w, "%s", n->class_token);
    scry_linear_names patches = { .prefix = n->patches, .part = { "" }, .weight = ".weight",
                                  .rank = 4, .tail = { 3, p, p } };
    scry_bind_linear(b, &v->patches, w, 3 * p * p, &patches);
    v->positions = scry_bind_tensor(b, 2, (size_t[]){ v->tokens, w }, "%s", n->positions);
    if (b->result == 0 && b->weights) {
        float *floats = scry_weights_take(b->weights, v->tokens * w * sizeof *floats);
        if (floats)
            scry_tensor_floats(&v->positions, floats);
        else
            b->result = scry_fail(b->err, SCRY_ENOMEM, "not enough memory for the positions");
        v->position_floats = floats;
    }
    v->pre_gain = scry_bind_floats(b, w, "%s.weight", n->pre);
    v->pre_bias = scry_bind_floats(b, w, "%s.bias", n->pre);
    scry_stack_bind(&v->stack, b, n->stack, n->layer, v->tokens);
    v->post_gain = scry_bind_floats(b, w, "%s.weight", n->post);
    v->post_bias = scry_bind_floats(b, w, "%s.bias", n->post);
    scry_linear_names projection = { .prefix = n->projection, .part = { "" }, .weight = "",
                                     .transposed = n->transposed, .precise = true };
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
                    row[(c * p + y) * p + x] = v->table[c][in[3 * x + c]];
        }
    }
    scry_nn_wait(t);
}

/* Class token and patches with their positions, normalised: x [n * T, W]. */
static void embed(scry_nn *t, const vit *v, size_t n, const float *patches, float *x)
{
    size_t w = v->stack.config.width, tokens = v->tokens;
    scry_range mine = scry_share(t, n * tokens, 1);
    for (size_t r = mine.from; r < mine.to; r++) {
        size_t picture = r / tokens, token = r % tokens;
        const float *in = token ? patches + (picture * (tokens - 1) + token - 1) * w : v->class_token;
        const float *position = v->position_floats + token * w;
        float *row = x + r * w;
        for (size_t i = 0; i < w; i++)
            row[i] = in[i] + position[i];
        t->k->layer_norm(row, w, v->pre_gain, v->pre_bias, v->stack.config.eps, row);
    }
    scry_nn_wait(t);
}

static void run(scry_nn *t, const scry_image_tower *tower, const scry_image_job *job)
{
    const vit *v = (const vit *)tower;
    size_t w = v->stack.config.width, rows = job->n * v->tokens, k = 3 * v->patch * v->patch;
    size_t patches = job->n * (v->tokens - 1);
    float *x = job->memory, *unfolded = x + rows * w, *embedded = unfolded + patches * k;
    unfold(t, v, job, unfolded);
    scry_linear_run(t, &v->patches, &(scry_product){ patches, unfolded, k, embedded, w,
                                                     SCRY_ACT_NONE, false });
    embed(t, v, job->n, embedded, x);
    scry_trace_state(job->tracer, t->index, "image.embeddings", x, rows, w);
    size_t starts[PASS_ROWS + 2], only[PASS_ROWS + 1];
    for (size_t i = 0; i <= job->n; i++) {
        starts[i] = i * v->tokens;
        only[i] = 0;
    }
    scry_stack_run(t, &v->stack, &(scry_stack_run_args){ job->memory, starts, NULL, job->n, only,
                                                         job->tracer, "image" });
    float *pooled = x + job->n * w;
    scry_norm_rows(t, x, job->n, w, v->post_gain, v->post_bias, v->stack.config.eps, pooled);
    scry_trace_state(job->tracer, t->index, "image.pooled", pooled, job->n, w);
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
    const scry_clip_config *c = &src->config->clip;
    vit *v = scry_alloc(sizeof *v);
    v->stack = (scry_stack){ .config = c->image };
    v->patch = c->patch;
    v->grid = c->image_size / c->patch;
    v->tokens = v->grid * v->grid + 1;
    scry_pixel_table(&src->config->preprocess, v->table);
    size_t stack_floats = scry_stack_row_floats(&v->stack);
    size_t embed_floats = 2 * c->image.width + 3 * c->patch * c->patch;
    v->tower = (scry_image_tower){
        .dim = c->dim, .size = c->image_size, .run = run, .free = vit_free,
        .batch = v->tokens < PASS_ROWS ? PASS_ROWS / v->tokens : 1,
        .picture_floats = v->tokens * (stack_floats > embed_floats ? stack_floats : embed_floats)
    };
    scry_binder b = scry_tower_begin(&v->tower.base, src, err);
    bind(v, &b, src->config->family == SCRY_FAMILY_OPEN_CLIP ? &open_clip_names : &hf_names);
    scry_tower_end(&v->tower.base, &b);
    v->tower.need = b.need;
    if (b.result < 0)
        vit_free(&v->tower);
    else {
        char *kind = scry_asprintf("ViT, %zu x %zu pixels in patches of %zu", c->image_size,
                                   c->image_size, c->patch);
        v->tower.base.summary = scry_stack_summary(kind, &c->image);
        free(kind);
        *out = &v->tower;
    }
    return b.result;
}
