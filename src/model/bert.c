/* bert.c - the text models of transformers: BERT, XLM-RoBERTa, DistilBERT, the encoder of M2M100.
 *
 *     ids [T] -> words + positions + type 0 -> layer norm -> x [T, W]
 *     layers, every token seeing every other (transformer.c)
 *     -> the first token's row or the mean over the text's tokens [W] -> layer norm -> head [D]
 *
 * They differ in which of the tables and norms they have (scry_bert_names) and in the order of a layer's
 * norms. M2M100 has no table of positions: half of a row are sines, half cosines.
 */
#include "model/head.h"
#include "model/tower.h"
#include "model/transformer.h"

#include "base/alloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    scry_text_tower tower;               /* first: the public part */
    const scry_bert_config *config;
    scry_stack stack;
    scry_tensor words, positions, types; /* [vocab, W], [positions, W], [types, W] */
    scry_norm norm, final;               /* of the embeddings, of what is pooled */
    scry_head head;
} bert;

static void bind(bert *m, scry_binder *b, const scry_text_config *c)
{
    const scry_bert_names *n = c->bert.names;
    const char *prefix = c->bert.prefix;
    size_t w = c->stack.width;
    m->words = scry_bind_tensor(b, 2, (size_t[]){ c->vocab, w }, "%s%s", prefix, n->words);
    if (n->positions)
        m->positions = scry_bind_tensor(b, 2, (size_t[]){ c->bert.positions, w }, "%s%s", prefix, n->positions);
    if (n->types)
        m->types = scry_bind_tensor(b, 2, (size_t[]){ c->bert.types, w }, "%s%s", prefix, n->types);
    if (n->norm)
        m->norm = scry_bind_norm(b, w, c->stack.eps, "%s%s", prefix, n->norm);
    char stack[64];
    snprintf(stack, sizeof stack, "%s%s", prefix, n->stack);
    scry_stack_bind(&m->stack, b, stack, n->layer, c->context);
    if (n->final_norm)
        m->final = scry_bind_norm(b, w, c->stack.eps, "%s%s", prefix, n->final_norm);
    scry_head_bind(&m->head, &c->bert.head, w, m->tower.dim, b, "text_head");
}

/* Half of the W numbers are sines of `position`, half cosines, their wavelengths from 2 pi to 10000 times that. */
static void sinusoids(size_t position, size_t w, float *out)
{
    size_t half = w / 2;
    for (size_t k = 0; k < half; k++) {
        double angle = (double)position * exp(-log(10000.0) * (double)k / (double)(half - 1));
        out[k] = (float)sin(angle);
        out[half + k] = (float)cos(angle);
    }
    if (w % 2)
        out[w - 1] = 0;
}

static void add_row(float *row, const float *add, size_t w)
{
    for (size_t k = 0; k < w; k++)
        row[k] += add[k];
}

/* The row of token `id` at `place` of its text; `spare` is [W]. */
static void embed_token(const scry_nn *t, const bert *m, int32_t id, size_t place, float *row, float *spare)
{
    size_t w = m->stack.config.width, position = m->config->first_position + place;
    scry_tensor_row(&m->words, (size_t)id, row);
    for (size_t k = 0; m->config->scale != 1 && k < w; k++)
        row[k] *= m->config->scale;
    if (m->positions.data)
        scry_tensor_row(&m->positions, position, spare);
    else
        sinusoids(position, w, spare);
    add_row(row, spare, w);
    if (m->types.data) {
        scry_tensor_row(&m->types, 0, spare);
        add_row(row, spare, w);
    }
    if (m->norm.gain)
        t->k->layer_norm(row, w, m->norm.gain, m->norm.bias, m->norm.eps, row);
}

/* `spare` is scratch, one row for each token like x. */
static void embed(scry_nn *t, const bert *m, const scry_text_job *job, float *x, float *spare)
{
    size_t w = m->stack.config.width;
    for (size_t s = (size_t)t->index; s < job->n; s += (size_t)t->count)
        for (size_t i = job->starts[s]; i < job->starts[s + 1]; i++)
            embed_token(t, m, job->ids[i], i - job->starts[s], x + i * w, spare + i * w);
    scry_nn_wait(t);
}

/* x [rows, W] to the mean of each text's rows, [n, W]. */
static void mean(scry_nn *t, const scry_text_job *job, size_t w, const float *x, float *out)
{
    for (size_t s = (size_t)t->index; s < job->n; s += (size_t)t->count) {
        size_t from = job->starts[s], to = job->starts[s + 1];
        float *sum = out + s * w;
        memset(sum, 0, w * sizeof *sum);
        for (size_t i = from; i < to; i++)
            add_row(sum, x + i * w, w);
        for (size_t k = 0; k < w; k++)
            sum[k] /= (float)(to - from);
    }
    scry_nn_wait(t);
}

static void run(scry_nn *t, const scry_text_tower *tower, const scry_text_job *job)
{
    const bert *m = (const bert *)tower;
    size_t w = m->stack.config.width, rows = job->starts[job->n];
    float *x = job->memory, *spare = x + rows * w, *pooled = x;   /* one row a text: [n, W] after the layers */
    embed(t, m, job, x, spare);
    scry_trace_state(job->tracer, t->index, "text.embeddings", x, rows, w);
    scry_stack_run(t, &m->stack, &(scry_stack_run_args){ x, job->starts, NULL, job->n, job->pool,
                                                         job->tracer, "text" });
    if (!job->pool) {
        mean(t, job, w, x, spare);
        pooled = spare;
    }
    if (m->final.gain)
        scry_norm_rows(t, &m->final, pooled, job->n, pooled);
    scry_trace_state(job->tracer, t->index, "text.pooled", pooled, job->n, w);
    scry_head_run(t, &m->head, job->n, pooled, w, spare + job->n * w, job->out);
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
    const scry_text_config *config = &src->config->text;
    bool whole = config->pool == SCRY_POOL_MEAN;
    bert *m = scry_alloc(sizeof *m);
    m->config = &config->bert;
    m->stack = (scry_stack){ .config = config->stack, .post_norm = !config->bert.pre_norm, .reads_all_rows = whole };
    m->tower.dim = src->config->dim;
    scry_binder b = scry_tower_begin(&m->tower.base, src, err);
    bind(m, &b, config);
    scry_tower_end(&m->tower.base, &b);
    m->tower.need = b.need;
    m->tower.token_floats = scry_stack_row_floats(&m->stack) + config->stack.width
                          + scry_head_row_floats(&m->head);
    m->tower.run = run;
    m->tower.free = bert_free;
    if (b.result < 0)
        bert_free(&m->tower);
    else {
        m->tower.base.summary = scry_stack_summary(whole ? "encoder, mean of tokens" : "encoder, first token",
                                                   &config->stack);
        *out = &m->tower;
    }
    return b.result;
}
