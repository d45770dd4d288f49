/* clip_text.c - CLIP's text tower.
 *
 *     ids [T] -> token + position vectors [T, W] -> causal layers (transformer.c)
 *     -> the end token's row [W] -> layer norm -> projection [D]
 *
 * Attention being causal, tokens behind the end token change nothing: they are not given.
 * Nor does what follows change a beginning that texts share: it is given once.
 */
#include "model/tower.h"
#include "model/transformer.h"

#include "base/alloc.h"

#include <stdlib.h>

typedef struct {
    scry_text_tower tower;       /* first: the public part */
    scry_stack stack;
    scry_tensor tokens;          /* [vocab, W] */
    scry_tensor positions;       /* [context, W] */
    const float *final_gain, *final_bias;   /* [W] */
    scry_linear projection;      /* [D, W] */
} clip_text;

typedef struct {
    const char *prefix, *stack, *tokens, *positions, *final, *projection;
    bool transposed;
    const scry_layer_names *layer;
} text_names;

static const text_names hf_names = {
    "", "text_model.", "text_model.embeddings.token_embedding.weight",
    "text_model.embeddings.position_embedding.weight", "text_model.final_layer_norm",
    "text_projection.weight", false, &scry_names_clip
};

static const text_names open_clip_names = {
    "", "", "token_embedding.weight", "positional_embedding", "ln_final", "text_projection", true,
    &scry_names_open_clip
};

static const text_names custom_names = {
    "text.", "text.", "token_embedding.weight", "positional_embedding", "ln_final",
    "text_projection", true, &scry_names_open_clip
};

static void bind(clip_text *c, scry_binder *b, const text_names *n)
{
    size_t w = c->stack.config.width;
    c->tokens = scry_bind_tensor(b, 2, (size_t[]){ c->tower.vocab, w }, "%s%s", n->prefix, n->tokens);
    c->positions = scry_bind_tensor(b, 2, (size_t[]){ c->tower.context, w }, "%s%s", n->prefix,
                                    n->positions);
    scry_stack_bind(&c->stack, b, n->stack, n->layer, c->tower.context);
    c->final_gain = scry_bind_floats(b, w, "%s%s.weight", n->prefix, n->final);
    c->final_bias = scry_bind_floats(b, w, "%s%s.bias", n->prefix, n->final);
    scry_linear_names projection = { .prefix = n->prefix, .part = { n->projection }, .weight = "",
                                     .transposed = n->transposed, .precise = true };
    scry_bind_linear(b, &c->projection, c->tower.dim, w, &projection);
}

/* `spare` is scratch, one row for each token like x. */
static void embed(scry_nn *t, const clip_text *c, const scry_text_job *job, float *x, float *spare)
{
    size_t w = c->stack.config.width;
    for (size_t s = (size_t)t->index; s < job->n; s += (size_t)t->count) {
        size_t position = job->shared ? job->shared[s] : 0;
        for (size_t i = job->starts[s]; i < job->starts[s + 1]; i++, position++) {
            float *row = x + i * w, *add = spare + i * w;
            scry_tensor_row(&c->tokens, (size_t)job->ids[i], row);
            scry_tensor_row(&c->positions, position, add);
            for (size_t k = 0; k < w; k++)
                row[k] += add[k];
        }
    }
    scry_nn_wait(t);
}

static void run(scry_nn *t, const scry_text_tower *tower, const scry_text_job *job)
{
    const clip_text *c = (const clip_text *)tower;
    size_t w = c->stack.config.width, rows = job->starts[job->n];
    float *x = job->memory;
    embed(t, c, job, x, x + rows * w);
    scry_trace_state(job->tracer, t->index, "text.embeddings", x, rows, w);
    scry_stack_run(t, &c->stack, &(scry_stack_run_args){ x, job->starts, job->shared, job->n,
                                                         job->pool, job->tracer, "text" });
    float *pooled = x + job->n * w;
    scry_norm_rows(t, x, job->n, w, c->final_gain, c->final_bias, c->stack.config.eps, pooled);
    scry_trace_state(job->tracer, t->index, "text.pooled", pooled, job->n, w);
    scry_linear_run(t, &c->projection, &(scry_product){ job->n, pooled, w, job->out, tower->dim,
                                                        SCRY_ACT_NONE, false });
}

static void clip_text_free(scry_text_tower *tower)
{
    clip_text *c = (clip_text *)tower;
    scry_stack_dispose(&c->stack);
    scry_tower_dispose(&c->tower.base);
    free(c);
}

int scry_clip_text_new(scry_text_tower **out, const scry_tower_source *src, scry_error *err)
{
    const scry_clip_config *config = &src->config->clip;
    clip_text *c = scry_alloc(sizeof *c);
    c->stack = (scry_stack){ .config = config->text, .causal = true };
    c->tower = (scry_text_tower){
        .dim = config->dim, .context = config->context, .vocab = config->vocab,
        .pools_token = true, .eos_id = config->eos_id, .run = run, .free = clip_text_free,
        .token_floats = scry_stack_row_floats(&c->stack)
    };
    scry_binder b = scry_tower_begin(&c->tower.base, src, err);
    bind(c, &b, src->config->family == SCRY_FAMILY_CLIP ? &hf_names
              : config->custom_text ? &custom_names : &open_clip_names);
    scry_tower_end(&c->tower.base, &b);
    c->tower.need = b.need;
    if (b.result < 0)
        clip_text_free(&c->tower);
    else {
        c->tower.base.summary = scry_stack_summary("causal transformer", &config->text);
        *out = &c->tower;
    }
    return b.result;
}
