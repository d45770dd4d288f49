#include "model/transformer.h"

#include "base/alloc.h"
#include "nn/attention.h"

#include <stdio.h>
#include <stdlib.h>

const scry_layer_names scry_names_clip = {
    "encoder.layers.%zu.", "layer_norm1", "layer_norm2",
    { "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj" }, ".weight", ".bias",
    "self_attn.out_proj", "mlp.fc1", "mlp.fc2"
};

const scry_layer_names scry_names_open_clip = {
    "transformer.resblocks.%zu.", "ln_1", "ln_2", { "attn.in_proj" }, "_weight", "_bias",
    "attn.out_proj", "mlp.c_fc", "mlp.c_proj"
};

const scry_layer_names scry_names_bert = {
    "encoder.layer.%zu.", "attention.output.LayerNorm", "output.LayerNorm",
    { "attention.self.query", "attention.self.key", "attention.self.value" }, ".weight", ".bias",
    "attention.output.dense", "intermediate.dense", "output.dense"
};

static void bind_layer(scry_layer *l, scry_binder *b, const scry_stack_config *c, const char *at,
                       const scry_layer_names *names)
{
    l->norm1_gain = scry_bind_floats(b, c->width, "%s%s.weight", at, names->norm1);
    l->norm1_bias = scry_bind_floats(b, c->width, "%s%s.bias", at, names->norm1);
    l->norm2_gain = scry_bind_floats(b, c->width, "%s%s.weight", at, names->norm2);
    l->norm2_bias = scry_bind_floats(b, c->width, "%s%s.bias", at, names->norm2);
    scry_linear_names qkv = { at, { names->qkv[0], names->qkv[1], names->qkv[2] },
                              names->qkv_weight, names->qkv_bias, false, 2, { 0 } };
    scry_bind_linear(b, &l->qkv, 3 * c->width, c->width, &qkv);
    scry_linear_names out = { at, { names->out }, ".weight", ".bias", false, 2, { 0 } };
    scry_bind_linear(b, &l->out, c->width, c->width, &out);
    scry_linear_names up = { at, { names->up }, ".weight", ".bias", false, 2, { 0 } };
    scry_bind_linear(b, &l->up, c->ffn, c->width, &up);
    scry_linear_names down = { at, { names->down }, ".weight", ".bias", false, 2, { 0 } };
    scry_bind_linear(b, &l->down, c->width, c->ffn, &down);
}

void scry_stack_bind(scry_stack *s, scry_binder *b, const char *prefix,
                     const scry_layer_names *names, size_t max_tokens)
{
    const scry_stack_config *c = &s->config;
    if (!s->layers)
        s->layers = scry_alloc(c->layers * sizeof *s->layers);
    char layer[64], at[128];
    for (size_t i = 0; i < c->layers; i++) {
        snprintf(layer, sizeof layer, names->layer, i);
        snprintf(at, sizeof at, "%s%s", prefix, layer);
        bind_layer(&s->layers[i], b, c, at, names);
    }
    size_t head = c->width / c->heads;
    b->need.max_tokens = max_tokens > b->need.max_tokens ? max_tokens : b->need.max_tokens;
    b->need.max_head = head > b->need.max_head ? head : b->need.max_head;
}

void scry_stack_dispose(scry_stack *s)
{
    free(s->layers);
    s->layers = NULL;
}

size_t scry_stack_row_floats(const scry_stack *s)
{
    /* x, its norm or the attention's result, q k v, the wide middle */
    return 2 * s->config.width + 3 * s->config.width + s->config.ffn;
}

void scry_norm_rows(scry_nn *t, const float *x, size_t rows, size_t width, const float *gain,
                    const float *bias, float eps, float *out)
{
    scry_range mine = scry_share(t, rows, 1);
    for (size_t r = mine.from; r < mine.to; r++)
        t->k->layer_norm(x + r * width, width, gain, bias, eps, out + r * width);
    scry_nn_wait(t);
}

/* Row starts[s] + only[s] of x to row s, from the front: sources never lie before their
 * destinations, so one thread can do it in place. */
static void gather(scry_nn *t, const scry_stack_run_args *run, size_t width, float *x)
{
    if (t->index == 0)
        for (size_t s = 0; s < run->sequences; s++)
            memmove(x + s * width, x + (run->starts[s] + run->only[s]) * width,
                    width * sizeof *x);
    scry_nn_wait(t);
}

/* One layer over `rows` rows; the last one with `only` leaves one row a sequence. */
static void run_layer(scry_nn *t, const scry_stack *s, const scry_layer *l,
                      const scry_stack_run_args *run, size_t rows, const size_t *only)
{
    const scry_stack_config *c = &s->config;
    size_t w = c->width;
    float *x = run->memory, *h = x + rows * w, *qkv = h + rows * w, *mid = qkv + rows * 3 * w;
    if (!s->post_norm)
        scry_norm_rows(t, x, rows, w, l->norm1_gain, l->norm1_bias, c->eps, h);
    scry_linear_run(t, &l->qkv, &(scry_product){ rows, s->post_norm ? x : h, w, qkv, 3 * w,
                                                 SCRY_ACT_NONE, false });
    scry_attention_run(t, &(scry_attention){ qkv, run->starts, run->sequences, w, c->heads,
                                             s->causal, only, h });
    if (only) {
        gather(t, run, w, x);
        rows = run->sequences;
    }
    scry_linear_run(t, &l->out, &(scry_product){ rows, h, w, x, w, SCRY_ACT_NONE, true });
    if (s->post_norm)
        scry_norm_rows(t, x, rows, w, l->norm1_gain, l->norm1_bias, c->eps, x);
    else
        scry_norm_rows(t, x, rows, w, l->norm2_gain, l->norm2_bias, c->eps, h);
    scry_linear_run(t, &l->up, &(scry_product){ rows, s->post_norm ? x : h, w, mid, c->ffn,
                                                c->act, false });
    scry_linear_run(t, &l->down, &(scry_product){ rows, mid, c->ffn, x, w, SCRY_ACT_NONE, true });
    if (s->post_norm)
        scry_norm_rows(t, x, rows, w, l->norm2_gain, l->norm2_bias, c->eps, x);
}

void scry_stack_run(scry_nn *t, const scry_stack *s, const scry_stack_run_args *run)
{
    size_t rows = run->starts[run->sequences];
    for (size_t i = 0; i < s->config.layers; i++) {
        bool last = i + 1 == s->config.layers && run->only;
        run_layer(t, s, &s->layers[i], run, rows, last ? run->only : NULL);
        if (run->tracer && run->tracer->fn) {
            char name[64];
            snprintf(name, sizeof name, "%s.%zu", run->name, i);
            scry_trace_state(run->tracer, t->index, name, run->memory,
                             last ? run->sequences : rows, s->config.width);
            scry_nn_wait(t);
        }
    }
}
