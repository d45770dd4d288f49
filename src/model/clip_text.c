/* clip_text.c - the text tower of CLIP and SigLIP.
 *
 *     ids [T] -> token + position vectors [T, W] -> layers (transformer.c)
 *     -> one token's row [W] -> layer norm (-> projection [D])
 *
 * With causal attention, tokens after the pooled one do not affect the result and are left out.
 * A prefix that several texts share is computed once, since later tokens do not affect it.
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
    scry_norm final;
    scry_linear projection;      /* [D, W] */
    bool has_projection;
} clip_text;

static void bind(clip_text *c, scry_binder *b, const scry_text_config *config)
{
    const scry_clip_text_names *n = config->clip_names;
    size_t w = c->stack.config.width;
    c->tokens = scry_bind_tensor(b, 2, (size_t[]){ config->vocab, w }, "%s", n->tokens);
    c->positions = scry_bind_tensor(b, 2, (size_t[]){ config->context, w }, "%s", n->positions);
    scry_stack_bind(&c->stack, b, n->stack, n->layer, config->context);
    c->final = scry_bind_norm(b, w, config->stack.eps, "%s", n->final_norm);
    if (!c->has_projection)
        return;
    scry_linear_names projection = { .prefix = "", .part = { "" }, .weight = n->projection,
                                     .bias = n->projection_bias, .transposed = n->transposed, .precise = true };
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
    float *pooled = c->has_projection ? x + job->n * w : job->out;
    scry_norm_rows(t, &c->final, x, job->n, pooled);
    scry_trace_state(job->tracer, t->index, "text.pooled", pooled, job->n, w);
    if (c->has_projection)
        scry_linear_run(t, &c->projection, &(scry_product){ job->n, pooled, w, job->out, tower->dim, SCRY_ACT_NONE, false });
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
    const scry_text_config *config = &src->config->text;
    clip_text *c = scry_alloc(sizeof *c);
    c->stack = (scry_stack){ .config = config->stack, .causal = config->causal };
    c->has_projection = config->clip_names->projection;
    c->tower = (scry_text_tower){
        .dim = src->config->dim, .run = run, .free = clip_text_free,
        .token_floats = scry_stack_row_floats(&c->stack)
    };
    scry_binder b = scry_tower_begin(&c->tower.base, src, err);
    bind(c, &b, config);
    scry_tower_end(&c->tower.base, &b);
    c->tower.need = b.need;
    if (b.result < 0)
        clip_text_free(&c->tower);
    else {
        c->tower.base.summary = scry_stack_summary(config->causal ? "causal transformer" : "transformer", &config->stack);
        *out = &c->tower;
    }
    return b.result;
}
