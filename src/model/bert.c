/* bert.c - a BERT text tower, read as the mean of its tokens, with a head.
 *
 *     ids [T] -> word + position + type 0 -> layer norm -> x [T, W]
 *     layers, post-norm, every token seeing every other (transformer.c)
 *     -> mean over the text's tokens [W] -> head [D]
 */
#include "model/head.h"
#include "model/tower.h"
#include "model/transformer.h"

#include "base/alloc.h"

#include <stdlib.h>

typedef struct {
    scry_text_tower tower;               /* first: the public part */
    scry_stack stack;
    scry_tensor words, positions, types; /* [vocab, W], [context, W], [types, W] */
    const float *gain, *bias;            /* [W] of the embeddings' norm */
    scry_head head;
} bert;

static void bind(bert *m, scry_binder *b, const scry_dual_config *c)
{
    static const char prefix[] = "text_model.embeddings";
    size_t w = c->text.width;
    m->words = scry_bind_tensor(b, 2, (size_t[]){ c->vocab, w }, "%s.word_embeddings.weight", prefix);
    m->positions = scry_bind_tensor(b, 2, (size_t[]){ c->context, w },
                                    "%s.position_embeddings.weight", prefix);
    m->types = scry_bind_tensor(b, 2, (size_t[]){ c->types, w }, "%s.token_type_embeddings.weight",
                                prefix);
    m->gain = scry_bind_floats(b, w, "%s.LayerNorm.weight", prefix);
    m->bias = scry_bind_floats(b, w, "%s.LayerNorm.bias", prefix);
    scry_stack_bind(&m->stack, b, "text_model.", &scry_names_bert, c->context);
    scry_head_bind(&m->head, &c->text_head, w, c->dim, b, "text_head");
}

/* `spare` is scratch, one row for each token like x. */
static void embed(scry_nn *t, const bert *m, const scry_text_job *job, float *x, float *spare)
{
    size_t w = m->stack.config.width;
    for (size_t s = (size_t)t->index; s < job->n; s += (size_t)t->count) {
        for (size_t i = job->starts[s]; i < job->starts[s + 1]; i++) {
            float *row = x + i * w, *add = spare + i * w;
            scry_tensor_row(&m->words, (size_t)job->ids[i], row);
            scry_tensor_row(&m->positions, i - job->starts[s], add);
            for (size_t k = 0; k < w; k++)
                row[k] += add[k];
            scry_tensor_row(&m->types, 0, add);
            for (size_t k = 0; k < w; k++)
                row[k] += add[k];
            t->k->layer_norm(row, w, m->gain, m->bias, m->stack.config.eps, row);
        }
    }
    scry_nn_wait(t);
}

/* x [rows, W] to the mean of each text's rows, [n, W]. */
static void pool(scry_nn *t, const scry_text_job *job, size_t w, const float *x, float *out)
{
    for (size_t s = (size_t)t->index; s < job->n; s += (size_t)t->count) {
        size_t from = job->starts[s], to = job->starts[s + 1];
        float *mean = out + s * w;
        memset(mean, 0, w * sizeof *mean);
        for (size_t i = from; i < to; i++)
            for (size_t k = 0; k < w; k++)
                mean[k] += x[i * w + k];
        for (size_t k = 0; k < w; k++)
            mean[k] /= (float)(to - from);
    }
    scry_nn_wait(t);
}

static void run(scry_nn *t, const scry_text_tower *tower, const scry_text_job *job)
{
    const bert *m = (const bert *)tower;
    size_t w = m->stack.config.width, rows = job->starts[job->n];
    float *x = job->memory;
    embed(t, m, job, x, x + rows * w);
    scry_trace_state(job->tracer, t->index, "text.embeddings", x, rows, w);
    scry_stack_run(t, &m->stack, &(scry_stack_run_args){ x, job->starts, NULL, job->n, NULL,
                                                         job->tracer, "text" });
    float *pooled = x + rows * w;
    pool(t, job, w, x, pooled);
    scry_trace_state(job->tracer, t->index, "text.pooled", pooled, job->n, w);
    scry_head_run(t, &m->head, job->n, pooled, w, pooled + job->n * w, job->out);
}

static void bert_free(scry_text_tower *tower)
{
    bert *m = (bert *)tower;
    scry_stack_dispose(&m->stack);
    scry_tower_dispose(&m->tower.base);
    free(m);
}

int scry_bert_new(scry_text_tower **out, const scry_tower_source *src, scry_error *err)
{
    const scry_dual_config *config = &src->config->dual;
    bert *m = scry_alloc(sizeof *m);
    m->stack = (scry_stack){ .config = config->text, .post_norm = true };
    scry_binder b = scry_tower_begin(&m->tower.base, src, err);
    bind(m, &b, config);
    scry_tower_end(&m->tower.base, &b);
    m->tower.need = b.need;
    m->tower.dim = config->dim;
    m->tower.context = config->context;
    m->tower.vocab = config->vocab;
    m->tower.token_floats = scry_stack_row_floats(&m->stack) + config->text.width
                          + scry_head_row_floats(&m->head);
    m->tower.run = run;
    m->tower.free = bert_free;
    if (b.result < 0)
        bert_free(&m->tower);
    else {
        m->tower.base.summary = scry_stack_summary("BERT, mean of tokens", &config->text);
        *out = &m->tower;
    }
    return b.result;
}
