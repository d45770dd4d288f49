#include "model/attention_pool.h"

#include "model/tower.h"
#include "model/transformer.h"
#include "nn/attention.h"

#include <string.h>

void scry_attention_pool_bind(scry_attention_pool *p, scry_binder *b, const scry_attention_pool_names *names,
                              const scry_stack_config *stack)
{
    size_t w = stack->width;
    bool stacked = strcmp(names->q, names->kv) == 0;
    p->heads = stack->heads;
    p->act = stack->act;
    b->need.max_head = w / p->heads > b->need.max_head ? w / p->heads : b->need.max_head;
    p->probe = scry_bind_shaped_floats(b, 3, (size_t[]){ 1, 1, w }, "%s", names->probe);
    scry_linear_names q = { .prefix = names->q, .part = { "" }, .weight = names->weight, .bias = names->bias,
                            .precise = true, .of = stacked ? 3 * w : 0 };
    scry_bind_linear(b, &p->q, w, w, &q);
    scry_linear_names kv = q;
    kv.prefix = names->kv;
    kv.skip = stacked ? w : 0;
    scry_bind_linear(b, &p->kv, 2 * w, w, &kv);
    scry_linear_names rest = { .prefix = names->out, .part = { "" }, .weight = ".weight", .bias = ".bias",
                               .precise = true };
    scry_bind_linear(b, &p->out, w, w, &rest);
    p->norm = scry_bind_norm(b, w, stack->eps, "%s", names->norm);
    rest.prefix = names->up;
    scry_bind_linear(b, &p->up, stack->ffn, w, &rest);
    rest.prefix = names->down;
    scry_bind_linear(b, &p->down, w, stack->ffn, &rest);
}

size_t scry_attention_pool_row_floats(const scry_stack_config *stack)
{
    /* q, k, v for each token; for each picture the query, the attention's output, its norm,
     * the hidden layer */
    return 3 * stack->width + 3 * stack->width + stack->ffn;
}

/* Write the query into the first row of each sequence of qkv [rows, 3 W]: attention is
 * computed for that row only. */
static void place_query(scry_nn *t, size_t n, const size_t *starts, const float *q, size_t w, float *qkv)
{
    scry_range mine = scry_share(t, n, 1);
    for (size_t i = mine.from; i < mine.to; i++)
        memcpy(qkv + starts[i] * 3 * w, q, w * sizeof *q);
    scry_nn_wait(t);
}

void scry_attention_pool_run(scry_nn *t, const scry_attention_pool *p, size_t n, const size_t *starts,
                             const float *x, float *memory, float *out)
{
    size_t w = p->q.n, ffn = p->up.n, rows = starts[n];
    float *qkv = memory, *q = qkv + rows * 3 * w, *o = q + w, *h = o + n * w, *mid = h + n * w;
    size_t first[SCRY_MAX_PICTURES_A_PASS] = { 0 };
    scry_linear_run(t, &p->kv, &(scry_product){ rows, x, w, qkv + w, 3 * w, SCRY_ACT_NONE, false });
    scry_linear_run(t, &p->q, &(scry_product){ 1, p->probe, w, q, w, SCRY_ACT_NONE, false });
    place_query(t, n, starts, q, w, qkv);
    scry_attention_run(t, &(scry_attention){ qkv, starts, NULL, n, w, p->heads, false, first, o });
    scry_linear_run(t, &p->out, &(scry_product){ n, o, w, out, w, SCRY_ACT_NONE, false });
    scry_norm_rows(t, &p->norm, out, n, h);
    scry_linear_run(t, &p->up, &(scry_product){ n, h, w, mid, ffn, p->act, false });
    scry_linear_run(t, &p->down, &(scry_product){ n, mid, ffn, out, w, SCRY_ACT_NONE, true });
}
