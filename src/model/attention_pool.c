#include "model/attention_pool.h"

#include "model/transformer.h"
#include "nn/gemm.h"

#include <math.h>
#include <string.h>

/* q = Wq probe + bq, then of each head Wk^T q: the weights [heads, W] of the scores. */
static const float *bind_query(scry_binder *b, const scry_attention_pool_names *names, size_t w, size_t heads)
{
    bool stacked = strcmp(names->q, names->kv) == 0;
    const float *probe = scry_bind_shaped_floats(b, 3, (size_t[]){ 1, 1, w }, "%s", names->probe);
    scry_tensor q = scry_bind_tensor(b, 2, (size_t[]){ stacked ? 3 * w : w, w }, "%s%s", names->q, names->weight);
    scry_tensor kv = scry_bind_tensor(b, 2, (size_t[]){ stacked ? 3 * w : 2 * w, w }, "%s%s", names->kv, names->weight);
    const float *bias = scry_bind_floats(b, stacked ? 3 * w : w, "%s%s", names->q, names->bias);
    float *row = scry_bind_memory(b, w), *weights = scry_bind_memory(b, heads * w);
    for (size_t r = 0; weights && r < w; r++) {
        float *head = weights + r / (w / heads) * w;
        double query = bias[r];
        scry_tensor_row(&q, r, row);
        for (size_t i = 0; i < w; i++)
            query += (double)row[i] * probe[i];
        scry_tensor_row(&kv, stacked ? w + r : r, row);
        for (size_t i = 0; i < w; i++)
            head[i] = (r % (w / heads) ? head[i] : 0) + (float)query * row[i];
    }
    return weights;
}

void scry_attention_pool_bind(scry_attention_pool *p, scry_binder *b, const scry_attention_pool_names *names,
                              const scry_stack_config *stack)
{
    size_t w = stack->width;
    bool stacked = strcmp(names->q, names->kv) == 0;
    p->heads = stack->heads;
    p->act = stack->act;
    b->need.max_k = b->need.max_k > SCRY_GEMM_K ? b->need.max_k : SCRY_GEMM_K;
    scry_bind_made_linear(b, &p->scores, p->heads, w, bind_query(b, names, w, p->heads), NULL);
    scry_linear_names v = { .prefix = names->kv, .part = { "" }, .weight = names->weight, .bias = names->bias, .precise = true,
                            .skip = stacked ? 2 * w : w, .of = stacked ? 3 * w : 2 * w };
    scry_bind_linear(b, &p->v, w, w, &v);
    scry_linear_names rest = { .prefix = names->out, .part = { "" }, .weight = ".weight", .bias = ".bias",
                               .precise = true };
    scry_bind_linear(b, &p->out, w, w, &rest);
    p->norm = scry_bind_norm(b, w, stack->eps, "%s", names->norm);
    rest.prefix = names->up;
    scry_bind_linear(b, &p->up, stack->ffn, w, &rest);
    rest.prefix = names->down;
    scry_bind_linear(b, &p->down, w, stack->ffn, &rest);
}

size_t scry_attention_pool_floats(const scry_stack_config *stack, size_t tokens)
{
    /* scores and parts; the heads' means and their values; the attention's output, its norm, the hidden layer */
    return 2 * stack->heads * tokens + 2 * stack->heads * stack->width + 2 * stack->width + stack->ffn;
}

/* The softmax over each sequence's rows of each column of scores [starts[n], heads]; parts [heads, tokens] of each sequence. */
static void weigh(scry_nn *t, const scry_attention_pool *p, size_t n, const size_t *starts, const float *scores, float *parts)
{
    scry_range mine = scry_share(t, n * p->heads, 1);
    for (size_t i = mine.from; i < mine.to; i++) {
        size_t from = starts[i / p->heads], tokens = starts[i / p->heads + 1] - from, head = i % p->heads;
        float *row = parts + from * p->heads + head * tokens;
        for (size_t k = 0; k < tokens; k++)
            row[k] = scores[(from + k) * p->heads + head];
        t->k->softmax(row, tokens, 1 / sqrtf((float)(p->v.n / p->heads)));
    }
    scry_nn_wait(t);
}

/* Of values [n heads, W] the numbers of each row's own head, side by side: out [n, W]. */
static void join_heads(scry_nn *t, const scry_attention_pool *p, size_t n, const float *values, float *out)
{
    size_t w = p->v.n, head = w / p->heads;
    scry_range mine = scry_share(t, n * p->heads, 1);
    for (size_t i = mine.from; i < mine.to; i++)
        memcpy(out + i * head, values + i * w + i % p->heads * head, head * sizeof *out);
    scry_nn_wait(t);
}

void scry_attention_pool_run(scry_nn *t, const scry_attention_pool *p, size_t n, const size_t *starts,
                             const float *x, float *memory, float *out)
{
    size_t w = p->v.n, ffn = p->up.n, heads = p->heads, rows = starts[n];
    float *scores = memory, *parts = scores + rows * heads, *means = parts + rows * heads, *values = means + n * heads * w;
    float *o = values + n * heads * w, *h = o + n * w, *mid = h + n * w;
    scry_linear_run(t, &p->scores, &(scry_product){ rows, x, w, scores, heads, SCRY_ACT_NONE, false });
    weigh(t, p, n, starts, scores, parts);
    for (size_t i = 0; i < n; i++)
        scry_gemm_run(t, &(scry_gemm){ .m = heads, .n = w, .k = starts[i + 1] - starts[i], .a = parts + starts[i] * heads,
                                       .lda = starts[i + 1] - starts[i], .b = x + starts[i] * w, .ldb = w,
                                       .c = means + i * heads * w, .ldc = w });
    scry_linear_run(t, &p->v, &(scry_product){ n * heads, means, w, values, w, SCRY_ACT_NONE, false });
    join_heads(t, p, n, values, o);
    scry_linear_run(t, &p->out, &(scry_product){ n, o, w, out, w, SCRY_ACT_NONE, false });
    scry_norm_rows(t, &p->norm, out, n, h);
    scry_linear_run(t, &p->up, &(scry_product){ n, h, w, mid, ffn, p->act, false });
    scry_linear_run(t, &p->down, &(scry_product){ n, mid, ffn, out, w, SCRY_ACT_NONE, true });
}
