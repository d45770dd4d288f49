/* attention.c - attention as two small matrix products for each head, with the kernels
 * of linear.c: the keys of a head are packed as weights [tokens, head], the values as
 * weights [head, tokens]; blocks of query rows then run against both. */
#include "nn/attention.h"

#include "nn/reference.h"

#include <math.h>

/* One head of one sequence. */
typedef struct {
    const float *qkv;       /* the head's column of all rows */
    const size_t *rows;     /* [tokens] */
    size_t ld, width;       /* 3 * width; from q to k to v */
    size_t tokens, head;
} head_view;

static const float *row_of(const head_view *h, size_t token)
{
    return h->qkv + h->rows[token] * h->ld;
}

static size_t panels(size_t n)
{
    return (n + SCRY_PANEL - 1) / SCRY_PANEL;
}

/* Keys [tokens, head] to panels of 32 tokens, values to panels of 32 of the head's
 * columns: a panel's group is then one token, 32 values side by side. */
static void pack_head(const scry_nn *t, const head_view *h)
{
    for (size_t p = 0; p < panels(h->tokens); p++) {
        const uint32_t *rows[SCRY_PANEL];
        for (size_t i = 0; i < SCRY_PANEL; i++) {
            size_t token = p * SCRY_PANEL + i;
            rows[i] = token < h->tokens ? (const uint32_t *)(row_of(h, token) + h->width) : NULL;
        }
        t->k->transpose(rows, h->head,
                        (uint32_t *)(t->scratch->keys + p * h->head * SCRY_PANEL_GROUP_BYTES));
    }
    for (size_t p = 0; p < panels(h->head); p++) {
        size_t n = h->head - p * SCRY_PANEL < SCRY_PANEL ? h->head - p * SCRY_PANEL : SCRY_PANEL;
        float *out = (float *)(t->scratch->values + p * h->tokens * SCRY_PANEL_GROUP_BYTES);
        for (size_t token = 0; token < h->tokens; token++, out += SCRY_PANEL) {
            memcpy(out, row_of(h, token) + 2 * h->width + p * SCRY_PANEL, n * sizeof *out);
            memset(out + n, 0, (SCRY_PANEL - n) * sizeof *out);
        }
    }
}

/* out[rows, n] = a[rows, groups] . b, all in float; b in panels. */
typedef struct {
    const float *a;
    size_t lda, rows, groups;
    const uint8_t *b;
    size_t n;
    float *out;
    size_t ld_out;
} product;

static void multiply(const scry_nn *t, product m)
{
    for (size_t p = 0; p < panels(m.n); p++) {
        size_t cols = m.n - p * SCRY_PANEL < SCRY_PANEL ? m.n - p * SCRY_PANEL : SCRY_PANEL;
        for (size_t r = 0; r < m.rows; r += SCRY_TILE1_ROWS) {
            size_t count = m.rows - r < SCRY_TILE1_ROWS ? m.rows - r : SCRY_TILE1_ROWS;
            float *c = m.out + r * m.ld_out + p * SCRY_PANEL;
            bool whole = cols == SCRY_PANEL;
            scry_tile tile = {
                .a = (const uint8_t *)(m.a + r * m.lda), .b = m.b + p * m.groups * SCRY_PANEL_GROUP_BYTES,
                .groups = m.groups, .lda = m.lda * sizeof(float), .rows = (int)count,
                .acc = whole ? c : t->scratch->acc, .ld_acc = whole ? m.ld_out : SCRY_PANEL
            };
            t->k->tile1[SCRY_MODE_F32](&tile);
            for (size_t i = 0; i < count && !whole; i++)
                memcpy(c + i * m.ld_out, t->scratch->acc + i * SCRY_PANEL, cols * sizeof *c);
        }
    }
}

/* Tokens [from, to) of one head, whose rows follow each other. `out` is [to - from, ld_out]. */
static void attend(const scry_nn *t, const head_view *h, bool causal, size_t from, size_t to,
                   float *out, size_t ld_out)
{
    float factor = 1 / sqrtf((float)h->head);
    size_t ld = panels(h->tokens) * SCRY_PANEL;
    for (size_t r0 = from; r0 < to; r0 += SCRY_SCORE_ROWS) {
        size_t rows = to - r0 < SCRY_SCORE_ROWS ? to - r0 : SCRY_SCORE_ROWS;
        size_t seen = causal ? r0 + rows : h->tokens;
        float *scores = t->scratch->scores;
        multiply(t, (product){ row_of(h, r0), h->ld, rows, h->head, t->scratch->keys,
                               panels(seen) * SCRY_PANEL, scores, ld });
        for (size_t i = 0; i < rows; i++) {
            size_t visible = causal ? r0 + i + 1 : h->tokens;
            t->k->softmax(scores + i * ld, visible, factor);
            memset(scores + i * ld + visible, 0, (seen - visible) * sizeof *scores);
        }
        /* The panels of values are h->tokens groups long: products read the first `seen`. */
        for (size_t p = 0; p < panels(h->head); p++) {
            size_t cols = h->head - p * SCRY_PANEL;
            multiply(t, (product){ scores, ld, rows, seen,
                                   t->scratch->values + p * h->tokens * SCRY_PANEL_GROUP_BYTES,
                                   cols < SCRY_PANEL ? cols : SCRY_PANEL,
                                   out + (r0 - from) * ld_out + p * SCRY_PANEL, ld_out });
        }
    }
}

size_t scry_attention_rows(const scry_attention *a, size_t s, size_t *rows)
{
    size_t shared = a->shared ? a->shared[s] : 0, tokens = shared + a->starts[s + 1] - a->starts[s];
    for (size_t at = tokens; at > 0;) {
        for (; at > shared; at--)
            rows[at - 1] = a->starts[s] + at - 1 - shared;
        if (at > 0)
            shared = a->shared[--s];
    }
    return tokens;
}

void scry_attention_run(scry_nn *t, const scry_attention *a)
{
    if (t->k->reference) {
        scry_reference_attention(t, a);
        scry_nn_wait(t);
        return;
    }
    size_t head = a->width / a->heads, tokens = 0;
    scry_range mine = scry_share(t, a->sequences * a->heads, 1);
    for (size_t i = mine.from; i < mine.to; i++) {
        size_t s = i / a->heads, column = i % a->heads * head;
        if (i == mine.from || column == 0)
            tokens = scry_attention_rows(a, s, t->scratch->rows);
        head_view h = { a->qkv + column, t->scratch->rows, 3 * a->width, a->width, tokens, head };
        pack_head(t, &h);
        size_t from = tokens - (a->starts[s + 1] - a->starts[s]) + (a->only ? a->only[s] : 0);
        attend(t, &h, a->causal, from, a->only ? from + 1 : tokens,
               a->out + (a->only ? s : a->starts[s]) * a->width + column, a->width);
    }
    scry_nn_wait(t);
}
