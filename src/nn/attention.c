/* attention.c - attention as two small matrix products for each head, with the kernels
 * of linear.c: the keys of a head are packed as weights [tokens, head], the values as
 * weights [head, tokens]; blocks of query rows then run against both. In bf16 both products
 * take half of the time, and blocks of probabilities are rounded where they stand. */
#include "nn/attention.h"

#include "nn/reference.h"

#include <math.h>

/* One head of one sequence. */
typedef struct {
    const uint8_t *qkv;     /* the head's column of all rows */
    const size_t *rows;     /* [tokens] */
    size_t ld, width;       /* 3 * width; from q to k to v */
    size_t size;            /* bytes of a number: floats or bf16 */
    size_t tokens, head;
    scry_mode mode;
} head_view;

enum { QUERY, KEY, VALUE };

static const void *row_of(const head_view *h, size_t token, size_t what)
{
    return h->qkv + (h->rows[token] * h->ld + what * h->width) * h->size;
}

static size_t panels(size_t n)
{
    return (n + SCRY_PANEL - 1) / SCRY_PANEL;
}

/* Groups of `n` numbers. */
static size_t groups_of(const head_view *h, size_t n)
{
    size_t group = scry_mode_group(h->mode);
    return (n + group - 1) / group;
}

static bool is_rounded(const head_view *h)
{
    return h->mode == SCRY_MODE_BF16 && h->size == sizeof(float);
}

/* Keys [tokens, head] to panels of 32 tokens. */
static void pack_keys(const scry_nn *t, const head_view *h)
{
    size_t groups = groups_of(h, h->head);
    for (size_t p = 0; p < panels(h->tokens); p++) {
        const uint32_t *rows[SCRY_PANEL];
        for (size_t i = 0; i < SCRY_PANEL; i++) {
            size_t token = p * SCRY_PANEL + i;
            rows[i] = token < h->tokens ? row_of(h, token, KEY) : NULL;
            if (!rows[i] || !is_rounded(h))
                continue;
            uint16_t *staged = (uint16_t *)(t->scratch->staging + i * SCRY_STAGING_ROW);
            t->k->to_bf16((const float *)rows[i], h->head, staged);
            rows[i] = (const uint32_t *)staged;
        }
        t->k->transpose(rows, groups, (uint32_t *)(t->scratch->keys + p * groups * SCRY_PANEL_GROUP_BYTES));
    }
}

/* A group of a panel of values from one token's row, or from two, of which the second may be missing. */
static void pack_group(const scry_nn *t, const head_view *h, const void *even, const void *odd, size_t n, uint32_t *out)
{
    if (h->mode == SCRY_MODE_F32)
        memcpy(out, even, n * sizeof *out);
    else if (is_rounded(h))
        t->k->pair_bf16(even, odd, n, out);
    else
        t->k->interleave(even, odd, n, out);
}

/* Values to panels of 32 of the head's columns: a panel's group is one token, or two, 32 values side by side. */
static void pack_values(const scry_nn *t, const head_view *h)
{
    size_t groups = groups_of(h, h->tokens), group = scry_mode_group(h->mode);
    for (size_t token = 0; token < h->tokens; token += group) {
        const uint8_t *even = row_of(h, token, VALUE), *odd = token + 1 < h->tokens ? row_of(h, token + 1, VALUE) : NULL;
        for (size_t p = 0; p < panels(h->head); p++) {
            size_t column = p * SCRY_PANEL, n = h->head - column < SCRY_PANEL ? h->head - column : SCRY_PANEL;
            uint32_t *out = (uint32_t *)(t->scratch->values + (p * groups + token / group) * SCRY_PANEL_GROUP_BYTES);
            pack_group(t, h, even + column * h->size, odd ? odd + column * h->size : NULL, n, out);
            memset(out + n, 0, (SCRY_PANEL - n) * sizeof *out);
        }
    }
}

/* out[rows, n] = a[rows, groups] . b; b in panels. */
typedef struct {
    const uint8_t *a;
    size_t lda, rows, groups;   /* lda: bytes from row to row */
    const uint8_t *b;
    size_t panel_stride, n;
    float *out;
    size_t ld_out;
    const float *factors;   /* of the rows, or NULL */
    bool bf16;              /* with factors: out is bf16 numbers */
} product;

/* A tile's sums times the factors of its rows, to their place in `out`. */
static void finish(const scry_nn *t, const product *m, size_t r, size_t count, size_t n0, size_t cols)
{
    size_t at = r * m->ld_out + n0;
    scry_finish f = { .acc = t->scratch->acc, .ld_acc = 2 * SCRY_PANEL, .rows = (int)count, .cols = (int)cols,
                      .row_scale = m->factors + r, .ldc = m->ld_out,
                      .c = m->bf16 ? (float *)((uint16_t *)m->out + at) : m->out + at };
    (m->bf16 ? t->k->finish_scaled_bf16 : t->k->finish_scaled)(&f);
}

/* Columns [n0, n0 + cols), of one panel or of two. Sums of whole panels go straight to `out`. */
static void multiply_panels(const scry_nn *t, scry_mode mode, const product *m, size_t n0, size_t cols)
{
    bool two = cols > SCRY_PANEL, whole = cols % SCRY_PANEL == 0 && !m->factors;
    size_t most = two ? SCRY_TILE2_ROWS : SCRY_TILE1_ROWS, tiles = (m->rows + most - 1) / most;
    for (size_t i = 0; i < tiles; i++) {
        size_t r = m->rows * i / tiles, count = m->rows * (i + 1) / tiles - r;
        float *c = m->factors ? NULL : m->out + r * m->ld_out + n0;
        scry_tile tile = {
            .a = m->a + r * m->lda, .b = m->b + n0 / SCRY_PANEL * m->panel_stride, .groups = m->groups, .lda = m->lda,
            .panel_stride = m->panel_stride, .rows = (int)count, .acc = whole ? c : t->scratch->acc,
            .ld_acc = whole ? m->ld_out : 2 * SCRY_PANEL
        };
        (two ? t->k->tile2 : t->k->tile1)[mode](&tile);
        if (m->factors) {
            finish(t, m, r, count, n0, cols);
            continue;
        }
        for (size_t j = 0; j < count && !whole; j++)
            memcpy(c + j * m->ld_out, t->scratch->acc + j * 2 * SCRY_PANEL, cols * sizeof *c);
    }
}

static void multiply(const scry_nn *t, scry_mode mode, product m)
{
    for (size_t n0 = 0; n0 < m.n; n0 += 2 * SCRY_PANEL)
        multiply_panels(t, mode, &m, n0, m.n - n0 < 2 * SCRY_PANEL ? m.n - n0 : 2 * SCRY_PANEL);
}

/* Queries that are computed together: the tokens [from, from + rows), of which the first `seen` of the sequence are read. Their
 * scores lie `ld` floats apart. */
typedef struct {
    size_t from, rows, seen, ld;
    float factors[SCRY_SCORE_ROWS];   /* which their probabilities still lack, if `scaled` */
    bool scaled;
} query_block;

static void score(const scry_nn *t, const head_view *h, const query_block *q)
{
    size_t groups = groups_of(h, h->head), ld_bytes = h->ld * h->size;
    const uint8_t *queries = row_of(h, q->from, QUERY);
    if (is_rounded(h)) {
        ld_bytes = groups * SCRY_GROUP_BYTES;
        for (size_t i = 0; i < q->rows; i++)
            t->k->to_bf16(row_of(h, q->from + i, QUERY), h->head, (uint16_t *)(t->scratch->a + i * ld_bytes));
        queries = t->scratch->a;
    }
    multiply(t, h->mode, (product){ queries, ld_bytes, q->rows, groups, t->scratch->keys, groups * SCRY_PANEL_GROUP_BYTES,
                                    panels(q->seen) * SCRY_PANEL, t->scratch->scores, q->ld, NULL, false });
}

/* Scores of the `visible` tokens of query i to probabilities in the products' mode; up to `seen` the others are 0. */
static void to_probabilities(const scry_nn *t, const head_view *h, query_block *q, size_t i, size_t visible)
{
    size_t n = groups_of(h, q->seen) * scry_mode_group(h->mode);
    float factor = 1 / sqrtf((float)h->head), *scores = t->scratch->scores + i * q->ld;
    if (q->scaled) {
        q->factors[i] = t->k->exponentials_bf16(scores, visible, factor);
        memset((uint16_t *)scores + visible, 0, (n - visible) * sizeof(uint16_t));
        return;
    }
    t->k->softmax(scores, visible, factor);
    memset(scores + visible, 0, (n - visible) * sizeof *scores);
    if (h->mode == SCRY_MODE_BF16)   /* in place: a number is written behind what is read */
        t->k->to_bf16(scores, n, (uint16_t *)scores);
}

/* Where a head's output goes: floats, or bf16 numbers. */
typedef struct {
    float *at;
    size_t ld;
    uint16_t *bf16;   /* NULL: floats */
} head_output;

/* The probabilities times the values, to the rows r and following of the output. */
static void mix(const scry_nn *t, const head_view *h, const query_block *q, size_t r, head_output o)
{
    bool later = o.bf16 && !q->scaled;   /* rounded after the product */
    product m = { (const uint8_t *)t->scratch->scores, q->ld * sizeof(float), q->rows, groups_of(h, q->seen),
                  t->scratch->values, groups_of(h, h->tokens) * SCRY_PANEL_GROUP_BYTES, h->head, o.at + r * o.ld, o.ld,
                  q->scaled ? q->factors : NULL, o.bf16 };
    if (later) {
        m.out = (float *)t->scratch->a;
        m.ld_out = h->head;
    } else if (o.bf16) {
        m.out = (float *)(o.bf16 + r * o.ld);
    }
    /* The panels of values are longer: products read the first `seen` tokens. */
    multiply(t, h->mode, m);
    for (size_t i = 0; later && i < q->rows; i++)
        t->k->to_bf16(m.out + i * h->head, h->head, o.bf16 + (r + i) * o.ld);
}

/* Tokens [from, to) of one head, whose rows follow each other, to the first rows of `o`. */
static void attend(const scry_nn *t, const head_view *h, bool causal, size_t from, size_t to, head_output o)
{
    for (size_t r0 = from; r0 < to; r0 += SCRY_SCORE_ROWS) {
        size_t rows = to - r0 < SCRY_SCORE_ROWS ? to - r0 : SCRY_SCORE_ROWS;
        query_block q = { .from = r0, .rows = rows, .seen = causal ? r0 + rows : h->tokens, .ld = panels(h->tokens) * SCRY_PANEL,
                          .scaled = h->mode == SCRY_MODE_BF16 && t->k->exponentials_bf16 };
        score(t, h, &q);
        for (size_t i = 0; i < rows; i++)
            to_probabilities(t, h, &q, i, causal ? r0 + i + 1 : h->tokens);
        mix(t, h, &q, r0 - from, o);
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
    bool bf16 = a->mode == SCRY_MODE_BF16 && scry_attention_takes_bf16(t, head);
    size_t size = a->bf16_in ? sizeof(uint16_t) : sizeof(float);
    scry_range mine = scry_share(t, a->sequences * a->heads, 1);
    for (size_t i = mine.from; i < mine.to; i++) {
        size_t s = i / a->heads, column = i % a->heads * head;
        if (i == mine.from || column == 0)
            tokens = scry_attention_rows(a, s, t->scratch->rows);
        head_view h = { (const uint8_t *)a->qkv + column * size, t->scratch->rows, 3 * a->width, a->width, size, tokens, head,
                        bf16 ? SCRY_MODE_BF16 : SCRY_MODE_F32 };
        pack_keys(t, &h);
        pack_values(t, &h);
        size_t from = tokens - (a->starts[s + 1] - a->starts[s]) + (a->only ? a->only[s] : 0);
        size_t at = (a->only ? s : a->starts[s]) * a->width + column;
        attend(t, &h, a->causal, from, a->only ? from + 1 : tokens,
               (head_output){ a->out + at, a->width, a->bf16_out ? (uint16_t *)a->out + at : NULL });
    }
    scry_nn_wait(t);
}
