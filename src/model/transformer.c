#include "model/transformer.h"

#include "base/alloc.h"
#include "nn/attention.h"

#include <stdio.h>
#include <stdlib.h>

const scry_layer_names scry_names_clip = {
    .layer = "encoder.layers.%zu.", .norm1 = "layer_norm1", .norm2 = "layer_norm2",
    .qkv = { "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj" }, .qkv_weight = ".weight",
    .qkv_bias = ".bias", .out = "self_attn.out_proj", .up = "mlp.fc1", .down = "mlp.fc2"
};

const scry_layer_names scry_names_open_clip = {
    .layer = "transformer.resblocks.%zu.", .norm1 = "ln_1", .norm2 = "ln_2", .qkv = { "attn.in_proj" },
    .qkv_weight = "_weight", .qkv_bias = "_bias", .out = "attn.out_proj", .up = "mlp.c_fc",
    .down = "mlp.c_proj"
};

const scry_layer_names scry_names_bert = {
    .layer = "encoder.layer.%zu.", .norm1 = "attention.output.LayerNorm", .norm2 = "output.LayerNorm",
    .qkv = { "attention.self.query", "attention.self.key", "attention.self.value" }, .qkv_weight = ".weight",
    .qkv_bias = ".bias", .out = "attention.output.dense", .up = "intermediate.dense", .down = "output.dense"
};

const scry_layer_names scry_names_distilbert = {
    .layer = "layer.%zu.", .norm1 = "sa_layer_norm", .norm2 = "output_layer_norm",
    .qkv = { "attention.q_lin", "attention.k_lin", "attention.v_lin" }, .qkv_weight = ".weight",
    .qkv_bias = ".bias", .out = "attention.out_lin", .up = "ffn.lin1", .down = "ffn.lin2"
};

const scry_layer_names scry_names_m2m = {
    .layer = "layers.%zu.", .norm1 = "self_attn_layer_norm", .norm2 = "final_layer_norm",
    .qkv = { "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj" }, .qkv_weight = ".weight",
    .qkv_bias = ".bias", .out = "self_attn.out_proj", .up = "fc1", .down = "fc2"
};

const scry_bert_names scry_names_bert_model = {
    .words = "embeddings.word_embeddings.weight", .positions = "embeddings.position_embeddings.weight",
    .types = "embeddings.token_type_embeddings.weight", .norm = "embeddings.LayerNorm", .stack = "",
    .layer = &scry_names_bert
};

/* Balance the ranges of a norm and of the weights of the product after it where that helps
 * (outliers.h): changes the norm's copies in place. Returns the factors for the weights, or
 * NULL. */
static const float *spread_outliers(scry_binder *b, const scry_norm *norm, const scry_stacked *weights)
{
    if (b->result < 0)
        return NULL;
    float *s = scry_weights_take(b->weights, weights->k * sizeof *s);
    if (!s) {
        b->result = scry_fail(b->err, SCRY_ENOMEM, "not enough memory for the model's weights");
        return NULL;
    }
    scry_outliers_spread(norm->gain, norm->bias, weights, s);
    for (size_t i = 0; i < weights->k; i++) {
        ((float *)norm->gain)[i] /= s[i];   /* the tower's own copies, not yet used by other threads */
        ((float *)norm->bias)[i] /= s[i];
    }
    return s;
}

/* Biases of queries, keys and values [3 W] where only queries and values have some; else NULL. */
static const float *query_and_value_biases(scry_binder *b, size_t w, const char *at, const scry_layer_names *names)
{
    if (!names->q_bias)
        return NULL;
    const float *q = scry_bind_floats(b, w, "%s%s", at, names->q_bias), *v = scry_bind_floats(b, w, "%s%s", at, names->v_bias);
    float *all = scry_bind_memory(b, 3 * w);
    for (size_t i = 0; all && i < w; i++) {
        all[i] = q[i];
        all[w + i] = 0;
        all[2 * w + i] = v[i];
    }
    return all;
}

/* Queries, keys and values: one product, or in int8, where attention is sharp, two. Returns
 * whether there are two. */
static bool bind_qkv(scry_layer *l, scry_binder *b, const scry_stack *stack, bool careful,
                     scry_linear_names *names)
{
    size_t w = stack->config.width;
    bool sharp = false;
    if (careful) {
        scry_stacked stacked;
        scry_bind_stacked(b, &stacked, 3 * w, w, names);
        sharp = b->result == 0 && scry_outliers_sharp(l->norm1.gain, &stacked, stack->config.heads);
        names->spread = spread_outliers(b, &l->norm1, &stacked);
    }
    if (!sharp) {
        scry_bind_linear(b, &l->qkv, 3 * w, w, names);
        return false;
    }
    scry_linear_names qk = *names, v = *names;
    qk.of = v.of = 3 * w;
    qk.precise = true;
    v.skip = 2 * w;
    scry_bind_linear(b, &l->qk, 2 * w, w, &qk);
    scry_bind_linear(b, &l->qkv, w, w, &v);
    return true;
}

/* The products from the second norm to the hidden layer; of `up` the second part is the gate, if there is one. */
static void bind_up(scry_layer *l, scry_binder *b, const scry_stack_config *c, bool careful, scry_linear_names up)
{
    const char *gate = up.part[1];
    if (careful) {
        scry_stacked stacked;
        scry_bind_stacked(b, &stacked, gate ? 2 * c->ffn : c->ffn, c->width, &up);
        up.spread = spread_outliers(b, &l->norm2, &stacked);
    }
    up.part[1] = NULL;
    scry_bind_linear(b, &l->up, c->ffn, c->width, &up);
    up.part[0] = gate;
    if (gate)
        scry_bind_linear(b, &l->gate, c->ffn, c->width, &up);
}

/* `few_rows`: the products after attention run for the pooled tokens only, so higher precision
 * there costs little. */
static void bind_layer(scry_layer *l, scry_binder *b, const scry_stack *stack, const char *at,
                       const scry_layer_names *names, bool few_rows)
{
    const scry_stack_config *c = &stack->config;
    size_t w = c->width;
    l->norm1 = scry_bind_norm(b, w, c->eps, "%s%s", at, names->norm1);
    l->norm2 = scry_bind_norm(b, w, c->eps, "%s%s", at, names->norm2);
    /* Before the products the norms feed nothing else; after them, the residual stream. */
    bool careful = b->mode == SCRY_MODE_INT8 && b->weights && !stack->post_norm;
    scry_linear_names qkv = { .prefix = at, .part = { names->qkv[0], names->qkv[1], names->qkv[2] },
                              .weight = names->qkv_weight, .bias = names->qkv_bias,
                              .made_bias = query_and_value_biases(b, w, at, names) };
    bool sharp = bind_qkv(l, b, stack, careful, &qkv);
    if (names->out_norm)
        l->out_norm = scry_bind_norm(b, w, c->eps, "%s%s", at, names->out_norm);
    scry_linear_names out = { .prefix = at, .part = { names->out }, .weight = ".weight",
                              .bias = ".bias", .precise = few_rows || sharp };
    scry_bind_linear(b, &l->out, w, w, &out);
    bind_up(l, b, c, careful, (scry_linear_names){ .prefix = at, .part = { names->up, names->gate }, .weight = ".weight",
                                                   .bias = ".bias", .precise = few_rows });
    if (names->down_norm)
        l->down_norm = scry_bind_norm(b, c->ffn, c->eps, "%s%s", at, names->down_norm);
    scry_linear_names down = { .prefix = at, .part = { names->down }, .weight = ".weight",
                               .bias = ".bias", .precise = few_rows };
    scry_bind_linear(b, &l->down, w, c->ffn, &down);
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
        bind_layer(&s->layers[i], b, s, at, names, i + 1 == c->layers && !s->post_norm && !s->reads_all_rows);
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
    /* x; its norm or the attention's output; q, k, v; the hidden layer and its gate */
    return 2 * s->config.width + 3 * s->config.width + (s->gated ? 2 : 1) * s->config.ffn;
}

void scry_norm_rows(scry_nn *t, const scry_norm *norm, const float *x, size_t rows, float *out)
{
    size_t w = norm->width;
    scry_range mine = scry_share(t, rows, 1);
    for (size_t r = mine.from; r < mine.to; r++)
        t->k->layer_norm(x + r * w, w, norm->gain, norm->bias, norm->eps, out + r * w);
    scry_nn_wait(t);
}

/* The same, as rows of bf16 numbers for products that take them. */
static void norm_rows_bf16(scry_nn *t, const scry_norm *norm, const float *x, size_t rows, uint16_t *out)
{
    size_t w = norm->width;
    float *row = (float *)t->scratch->a;   /* at least eight rows of a product */
    scry_range mine = scry_share(t, rows, 1);
    for (size_t r = mine.from; r < mine.to; r++) {
        if (t->k->layer_norm_bf16) {
            t->k->layer_norm_bf16(x + r * w, w, norm->gain, norm->bias, norm->eps, out + r * w);
            continue;
        }
        t->k->layer_norm(x + r * w, w, norm->gain, norm->bias, norm->eps, row);
        t->k->to_bf16(row, w, out + r * w);
    }
    scry_nn_wait(t);
}

void scry_mean_rows(scry_nn *t, const float *x, size_t rows, size_t width, float *out)
{
    scry_range mine = scry_share(t, width, SCRY_PANEL);
    for (size_t c = mine.from; c < mine.to; c++)
        out[c] = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t c = mine.from; c < mine.to; c++)
            out[c] += x[i * width + c];
    for (size_t c = mine.from; c < mine.to; c++)
        out[c] /= (float)rows;
    scry_nn_wait(t);
}

/* Row starts[s] + only[s] of x to row s, in ascending order: a source is never before its
 * destination, so it works in place. One thread. */
static void gather(scry_nn *t, const scry_stack_run_args *run, size_t width, float *x)
{
    if (t->index == 0)
        for (size_t s = 0; s < run->sequences; s++)
            memmove(x + s * width, x + (run->starts[s] + run->only[s]) * width,
                    width * sizeof *x);
    scry_nn_wait(t);
}

/* Queries and keys of qkv [rows, 3 W] by their rotary positions: pairs of neighbours are rotated. */
static void rotate(scry_nn *t, const scry_stack *s, size_t rows, float *qkv)
{
    size_t w = s->config.width, head = w / s->config.heads;
    scry_range mine = scry_share(t, rows, 1);
    for (size_t r = mine.from; r < mine.to; r++) {
        const float *turn = s->rotary + r % s->rotary_tokens * head;
        float *row = qkv + r * 3 * w;
        for (size_t i = 0; i < 2 * w; i += 2) {
            float a = row[i], b = row[i + 1], c = turn[i % head], d = turn[i % head + 1];
            row[i] = a * c - b * d;
            row[i + 1] = b * c + a * d;
        }
    }
    scry_nn_wait(t);
}

/* mid [rows, F] times gate [rows, F], normed if the layer does that, in mid. */
static void apply_gate(scry_nn *t, const scry_layer *l, size_t rows, const float *gate, float *mid)
{
    size_t n = l->gate.n;
    scry_range mine = scry_share(t, rows, 1);
    for (size_t r = mine.from; r < mine.to; r++) {
        float *row = mid + r * n;
        for (size_t i = 0; i < n; i++)
            row[i] *= gate[r * n + i];
        if (l->down_norm.gain)
            t->k->layer_norm(row, n, l->down_norm.gain, l->down_norm.bias, l->down_norm.eps, row);
    }
    scry_nn_wait(t);
}

/* Rows between two operations: floats, or bf16 numbers where the product that reads them takes those. */
typedef struct {
    float *at;
    size_t rows, ld;   /* ld: numbers from row to row */
    bool bf16;
} passed;

static void norm_to(scry_nn *t, const scry_norm *norm, const float *x, passed out)
{
    if (out.bf16)
        norm_rows_bf16(t, norm, x, out.rows, (uint16_t *)out.at);
    else
        scry_norm_rows(t, norm, x, out.rows, out.at);
}

static void multiply(scry_nn *t, const scry_linear *l, passed in, passed out, scry_act act)
{
    scry_linear_run_bf16(t, l, &(scry_product){ in.rows, in.at, in.ld, out.at, out.ld, act, false },
                         (in.bf16 ? SCRY_ROWS_A : 0) | (out.bf16 ? SCRY_ROWS_C : 0));
}

/* x [rows, N] += in times the weights. */
static void multiply_add(scry_nn *t, const scry_linear *l, passed in, float *x)
{
    scry_linear_run_bf16(t, l, &(scry_product){ in.rows, in.at, in.ld, x, l->n, SCRY_ACT_NONE, true }, in.bf16 ? SCRY_ROWS_A : 0);
}

/* One layer over `rows` rows, of which `left` remain: of the last layer with `only`, one of each sequence. */
typedef struct {
    const scry_stack *s;
    const scry_layer *l;
    const scry_stack_run_args *run;
    const size_t *only;
    size_t rows, left;
    float *x, *h;   /* [rows, W], [rows, W] */
    float *more;    /* [rows, 3 W], and the hidden layer */
} layer_run;

/* in [rows, W] to queries, keys and values. */
static void run_qkv(scry_nn *t, const layer_run *r, passed in, passed qkv)
{
    passed out = { qkv.at + r->l->qk.n, qkv.rows, qkv.ld, qkv.bf16 };   /* floats where qk.n > 0 */
    if (r->l->qk.n)
        multiply(t, &r->l->qk, in, qkv, SCRY_ACT_NONE);
    multiply(t, &r->l->qkv, in, out, SCRY_ACT_NONE);
    if (r->s->rotary)
        rotate(t, r->s, in.rows, qkv.at);
}

/* x += out(attention(in)) of the rows that are left; `in` may be x or h. */
static void run_attention(scry_nn *t, const layer_run *r, passed in)
{
    const scry_layer *l = r->l;
    size_t w = r->s->config.width, heads = r->s->config.heads;
    /* Where int8 is careful with sharp scores, they stay as exact as their products. */
    bool exact = l->qkv.mode == SCRY_MODE_F32 || l->qk.n, bf16 = !exact && scry_attention_takes_bf16(t, w / heads);
    passed qkv = { r->more, r->rows, 3 * w, bf16 && !r->s->rotary };
    passed mixed = { r->h, r->left, w, bf16 && !l->out_norm.gain && scry_linear_takes_bf16(t, &l->out) };
    run_qkv(t, r, in, qkv);
    scry_attention_run(t, &(scry_attention){ qkv.at, r->run->starts, r->run->shared, r->run->sequences, w, heads, r->s->causal,
                                             r->only, r->h, bf16 ? SCRY_MODE_BF16 : SCRY_MODE_F32, qkv.bf16, mixed.bf16 });
    if (r->only)
        gather(t, r->run, w, r->x);
    if (l->out_norm.gain)
        scry_norm_rows(t, &l->out_norm, r->h, r->left, r->h);
    multiply_add(t, &l->out, mixed, r->x);
}

/* x += down(the hidden layer of in). */
static void run_mlp(scry_nn *t, const layer_run *r, passed in)
{
    const scry_stack_config *c = &r->s->config;
    const scry_layer *l = r->l;
    bool gated = r->s->gated;
    passed hidden = { r->more + r->rows * 3 * c->width, in.rows, c->ffn, !gated && scry_linear_takes_bf16(t, &l->down) };
    multiply(t, &l->up, in, hidden, gated ? SCRY_ACT_NONE : c->act);
    if (gated) {
        passed gate = { hidden.at + in.rows * c->ffn, in.rows, c->ffn, false };
        multiply(t, &l->gate, in, gate, c->act);
        apply_gate(t, l, in.rows, gate.at, hidden.at);
    }
    multiply_add(t, &l->down, hidden, r->x);
}

static void run_layer(scry_nn *t, const layer_run *r)
{
    const scry_layer *l = r->l;
    size_t w = r->s->config.width;
    if (r->s->post_norm) {
        run_attention(t, r, (passed){ r->x, r->rows, w, false });
        scry_norm_rows(t, &l->norm1, r->x, r->left, r->x);
        run_mlp(t, r, (passed){ r->x, r->left, w, false });
        scry_norm_rows(t, &l->norm2, r->x, r->left, r->x);
        return;
    }
    passed normed = { r->h, r->rows, w, !l->qk.n && scry_linear_takes_bf16(t, &l->qkv) };
    norm_to(t, &l->norm1, r->x, normed);
    run_attention(t, r, normed);
    normed = (passed){ r->h, r->left, w, scry_linear_takes_bf16(t, &l->up) };   /* up and gate have the same mode */
    norm_to(t, &l->norm2, r->x, normed);
    run_mlp(t, r, normed);
}

void scry_stack_run(scry_nn *t, const scry_stack *s, const scry_stack_run_args *run)
{
    size_t rows = run->starts[run->sequences], w = s->config.width;
    float *h = run->memory + rows * w;
    for (size_t i = 0; i < s->config.layers; i++) {
        bool last = i + 1 == s->config.layers && run->only;
        size_t left = last ? run->sequences : rows;
        run_layer(t, &(layer_run){ s, &s->layers[i], run, last ? run->only : NULL, rows, left, run->memory, h, h + rows * w });
        if (run->tracer && run->tracer->fn) {
            char name[64];
            snprintf(name, sizeof name, "%s.%zu", run->name, i);
            scry_trace_state(run->tracer, t->index, name, run->memory, left, w);
            scry_nn_wait(t);
        }
    }
}
