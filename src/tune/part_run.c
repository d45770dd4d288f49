/* part_run.c - a batch through the trained part of a tower, and back.
 *
 * What a block keeps for its way back is x, qkv, what attention gives, x after it, and the hidden layer before its
 * activation; norms and activations are computed again.
 */
#include "tune/part.h"

#include "base/alloc.h"
#include "model/transformer.h"
#include "nn/backward.h"

#include <stdlib.h>
#include <string.h>

/* What is kept of a block, or of the pooling head. R rows enter; Q come out, which attention reads. */
typedef struct {
    float *x;        /* [R, W] */
    float *qkv;      /* [R, 3 W] */
    float *attended; /* [Q, W] */
    float *middle;   /* [Q, W] */
    float *hidden;   /* [Q, F] */
} kept;

struct tune_run {
    const tune_part *p;
    scry_team *team;
    scry_mode mode;
    float *memory;
    size_t capacity;
    tune_sequences s;
    size_t rows, blocks;     /* R of the batch */
    kept *kept;              /* [blocks] */
    kept pool;
    float *last;             /* what the blocks give: [n, W], or [R, W] for the pooling head */
    float *normed, *pooled;  /* the same normed; the head's [n, W] */
    float *z;                /* [n, D] */
    float *h, *act, *d, *wide, *turned, *dx, *dmiddle, *moments, *scores;   /* scratch */
    const float *parameters, *dz;
    float *gradient;
};

tune_run *tune_run_new(const tune_part *p, scry_team *team, scry_mode mode)
{
    tune_run *r = scry_alloc(sizeof *r);
    r->p = p;
    r->team = team;
    r->mode = mode;
    r->blocks = p->layers - p->first;
    r->kept = scry_alloc((r->blocks + 1) * sizeof *r->kept);
    return r;
}

void tune_run_free(tune_run *r)
{
    if (!r)
        return;
    free(r->memory);
    free(r->kept);
    free(r);
}

/* ---- memory ---- */

static size_t hidden_of(const tune_part *p)
{
    return p->pooled && p->pool.mlp.up.n > p->ffn ? p->pool.mlp.up.n : p->ffn;
}

/* Of scratch for a hidden layer, or for keys and values. */
static size_t inner(const tune_part *p)
{
    return hidden_of(p) > 2 * p->width ? hidden_of(p) : 2 * p->width;
}

static size_t widest(const tune_part *p)
{
    return hidden_of(p) > 3 * p->width ? hidden_of(p) : 3 * p->width;
}

size_t tune_run_row_floats(const tune_part *p)
{
    size_t block = 6 * p->width + hidden_of(p);
    return (p->layers - p->first + (p->pooled ? 1 : 0)) * block + 6 * p->width + 2 * inner(p) + 2 * widest(p) + p->dim + 2;
}

/* Pieces of the memory; with `at` NULL only their sum. */
static float *piece(float **at, size_t *total, size_t n)
{
    float *out = *at;
    n = (n + 15) / 16 * 16;
    *total += n;
    *at = out ? out + n : NULL;
    return out;
}

static void lay_out_kept(const tune_part *p, kept *k, size_t rows, size_t out, float **at, size_t *total)
{
    k->x = piece(at, total, rows * p->width);
    k->qkv = piece(at, total, rows * 3 * p->width);
    k->attended = piece(at, total, out * p->width);
    k->middle = piece(at, total, out * p->width);
    k->hidden = piece(at, total, out * hidden_of(p));
}

static size_t longest(const tune_sequences *s)
{
    size_t most = 0;
    for (size_t i = 0; i < s->n; i++)
        most = s->starts[i + 1] - s->starts[i] > most ? s->starts[i + 1] - s->starts[i] : most;
    return most;
}

static bool is_last(const tune_run *r, size_t block)
{
    return block + 1 == r->blocks && !r->p->pooled;
}

static size_t lay_out(tune_run *r, float *at)
{
    const tune_part *p = r->p;
    size_t total = 0, n = r->s.n, w = p->width, rows = r->rows, left = p->pooled || r->blocks == 0 ? rows : n;
    for (size_t i = 0; i < r->blocks; i++)
        lay_out_kept(p, &r->kept[i], rows, is_last(r, i) ? n : rows, &at, &total);
    if (p->pooled)
        lay_out_kept(p, &r->pool, rows, n, &at, &total);
    r->last = piece(&at, &total, left * w);
    r->normed = piece(&at, &total, left * w);
    r->pooled = piece(&at, &total, n * w);
    r->z = piece(&at, &total, n * p->dim);
    r->h = piece(&at, &total, rows * w);
    r->act = piece(&at, &total, rows * inner(p));
    r->d = piece(&at, &total, rows * inner(p));
    r->wide = piece(&at, &total, rows * widest(p));
    r->turned = piece(&at, &total, rows * (widest(p) > p->dim ? widest(p) : p->dim));
    r->dx = piece(&at, &total, rows * w);
    r->dmiddle = piece(&at, &total, rows * w);
    r->moments = piece(&at, &total, 2 * rows);
    r->scores = piece(&at, &total, (size_t)scry_team_threads(r->team) * scry_attention_backward_floats(longest(&r->s), 0));
    return total;
}

float *tune_run_begin(tune_run *r, const tune_sequences *s)
{
    r->s = *s;
    r->rows = s->starts[s->n];
    size_t need = lay_out(r, NULL);
    if (need > r->capacity) {
        free(r->memory);
        r->capacity = 0;
        r->memory = scry_try_alloc_aligned(need, sizeof(float));
        if (!r->memory)
            return NULL;
        r->capacity = need;
    }
    lay_out(r, r->memory);
    return r->blocks ? r->kept[0].x : r->last;
}

/* ---- forward ---- */

static scry_norm norm_of(const tune_run *r, const tune_norm *n)
{
    return (scry_norm){ r->p->width, r->p->eps, r->parameters + n->gain, r->parameters + n->bias };
}

static void copy(scry_nn *t, float *out, const float *from, size_t n)
{
    scry_range mine = scry_share(t, n, 1);
    memcpy(out + mine.from, from + mine.from, (mine.to - mine.from) * sizeof *out);
    scry_nn_wait(t);
}

/* x [rows, K] of a linear to y [rows, ldy]. */
typedef struct {
    size_t rows;
    const float *x;
    float *y;
    size_t ldy;
    bool add;                /* y += */
} passage;

static void forward(scry_nn *t, const tune_run *r, const tune_linear *l, passage p)
{
    scry_gemm_run(t, &(scry_gemm){ .m = p.rows, .n = l->n, .k = l->k, .a = p.x, .lda = l->k, .b = r->parameters + l->w,
                                   .ldb = l->transposed ? l->n : l->k, .b_transposed = !l->transposed,
                                   .bias = l->b < 0 ? NULL : r->parameters + l->b, .c = p.y, .ldc = p.ldy, .add = p.add,
                                   .mode = r->mode });
}

/* Rows of x [R, W] that are read, or all of them, to `out`. */
static void take_rows(scry_nn *t, const tune_run *r, const size_t *read, const float *x, float *out)
{
    size_t w = r->p->width, rows = read ? r->s.n : r->rows;
    scry_range mine = scry_share(t, rows, 1);
    for (size_t i = mine.from; i < mine.to; i++)
        memcpy(out + i * w, x + (read ? r->s.starts[i] + read[i] : i) * w, w * sizeof *out);
    scry_nn_wait(t);
}

/* out [rows, W] = k->middle + mlp(k->middle). */
static void mlp_forward(scry_nn *t, const tune_run *r, const kept *k, const tune_mlp *mlp, size_t rows, float *out)
{
    const scry_norm n = norm_of(r, &mlp->norm);
    size_t hidden = mlp->up.n, w = mlp->down.n;
    scry_norm_rows(t, &n, k->middle, rows, r->h);
    forward(t, r, &mlp->up, (passage){ rows, r->h, k->hidden, hidden, false });
    scry_activation_run(t, r->p->act, k->hidden, rows, hidden, r->act);
    copy(t, out, k->middle, rows * w);
    forward(t, r, &mlp->down, (passage){ rows, r->act, out, w, true });
}

/* What follows queries, keys and values, in a block and in the pooling head alike:
 * middle (+)= out(attention(qkv)), then the result of mlp_forward. */
typedef struct {
    size_t heads, rows;      /* rows: Q */
    const size_t *only;      /* [n] the token that attention reads; NULL: all */
    const tune_linear *out;
    const tune_mlp *mlp;
    bool add;                /* to what is in k->middle */
} upper;

static upper upper_of(const tune_run *r, size_t i)
{
    const size_t *read = is_last(r, i) ? r->s.read : NULL;
    return (upper){ r->p->heads, read ? r->s.n : r->rows, read, &r->p->blocks[i].out, &r->p->blocks[i].mlp, true };
}

static upper upper_of_pool(const tune_run *r, const size_t *first)
{
    return (upper){ r->p->pool.heads, r->s.n, first, &r->p->pool.out, &r->p->pool.mlp, false };
}

static scry_attention attention_of(const tune_run *r, const kept *k, const upper *u)
{
    return (scry_attention){ k->qkv, r->s.starts, NULL, r->s.n, r->p->width, u->heads, r->p->causal, u->only, .out = k->attended };
}

static void upper_forward(scry_nn *t, const tune_run *r, const kept *k, upper u, float *result)
{
    const scry_attention a = attention_of(r, k, &u);
    scry_attention_run(t, &a);
    forward(t, r, u.out, (passage){ u.rows, k->attended, k->middle, r->p->width, u.add });
    mlp_forward(t, r, k, u.mlp, u.rows, result);
}

static void block_forward(scry_nn *t, const tune_run *r, size_t i)
{
    const tune_block *b = &r->p->blocks[i];
    const kept *k = &r->kept[i];
    const scry_norm norm = norm_of(r, &b->norm);
    const upper u = upper_of(r, i);
    scry_norm_rows(t, &norm, k->x, r->rows, r->h);
    forward(t, r, &b->qkv, (passage){ r->rows, r->h, k->qkv, 3 * r->p->width, false });
    take_rows(t, r, u.only, k->x, k->middle);
    upper_forward(t, r, k, u, i + 1 < r->blocks ? r->kept[i + 1].x : r->last);
}

/* The probe's query is written into the first row of each sequence: attention is computed for that row only. */
static void pool_forward(scry_nn *t, const tune_run *r, const size_t *first)
{
    const tune_part *p = r->p;
    size_t w = p->width;
    forward(t, r, &p->pool.kv, (passage){ r->rows, r->normed, r->pool.qkv + w, 3 * w, false });
    forward(t, r, &p->pool.q, (passage){ 1, r->parameters + p->pool.probe, r->pool.x, w, false });
    scry_range mine = scry_share(t, r->s.n, 1);
    for (size_t i = mine.from; i < mine.to; i++)
        memcpy(r->pool.qkv + r->s.starts[i] * 3 * w, r->pool.x, w * sizeof(float));
    scry_nn_wait(t);
    upper_forward(t, r, &r->pool, upper_of_pool(r, first), r->pooled);
}

static size_t *first_tokens(const tune_run *r)
{
    return scry_alloc((r->s.n + 1) * sizeof(size_t));
}

typedef struct {
    tune_run *r;
    const size_t *first;   /* [n] zeros */
} job;

static void run_forward(scry_nn *t, void *arg)
{
    const job *j = arg;
    const tune_run *r = j->r;
    const tune_part *p = r->p;
    const scry_norm final = norm_of(r, &p->final);
    for (size_t i = 0; i < r->blocks; i++)
        block_forward(t, r, i);
    scry_norm_rows(t, &final, r->last, p->pooled ? r->rows : r->s.n, r->normed);
    if (p->pooled)
        pool_forward(t, r, j->first);
    const float *out = p->pooled ? r->pooled : r->normed;
    if (p->projected)
        forward(t, r, &p->projection, (passage){ r->s.n, out, r->z, p->dim, false });
    else
        copy(t, r->z, out, r->s.n * p->dim);
}

const float *tune_run_forward(tune_run *r, const float *parameters)
{
    job j = { r, first_tokens(r) };
    r->parameters = parameters;
    scry_team_run(r->team, run_forward, &j);
    free((void *)j.first);
    return r->z;
}

/* ---- backward ---- */

/* The gradient dy of what an operation gave for x [rows], to dx. */
typedef struct {
    size_t rows;
    const float *x, *dy;
    float *dx;               /* NULL: not wanted, only those of the parameters */
    bool add;                /* of a norm: dx += */
} way_back;

static void backward(scry_nn *t, const tune_run *r, const tune_linear *l, way_back b)
{
    scry_linear_backward_run(t, &(scry_linear_backward){
        b.rows, l->n, l->k, b.x, l->k, b.dy, r->parameters + l->w, l->transposed, r->gradient + l->w,
        l->b < 0 ? NULL : r->gradient + l->b, b.dx, r->turned, r->mode });
}

static void norm_backward(scry_nn *t, const tune_run *r, const tune_norm *n, way_back b)
{
    scry_layer_norm_backward_run(t, &(scry_layer_norm_backward){
        b.rows, r->p->width, b.x, b.dy, r->parameters + n->gain, r->p->eps, r->gradient + n->gain, r->gradient + n->bias, b.dx,
        b.add, r->moments });
}

/* From d [rows, W] of what mlp_forward gave to that of k->middle, in place. */
static void mlp_backward(scry_nn *t, const tune_run *r, const kept *k, const tune_mlp *mlp, size_t rows, float *d)
{
    const scry_norm n = norm_of(r, &mlp->norm);
    scry_activation_run(t, r->p->act, k->hidden, rows, mlp->up.n, r->act);
    backward(t, r, &mlp->down, (way_back){ rows, r->act, d, r->d, false });
    scry_activation_backward_run(t, r->p->act, k->hidden, rows, mlp->up.n, r->d);
    scry_norm_rows(t, &n, k->middle, rows, r->h);
    backward(t, r, &mlp->up, (way_back){ rows, r->h, r->d, r->wide, false });
    norm_backward(t, r, &mlp->norm, (way_back){ rows, k->middle, r->wide, d, true });
}

/* From d [Q, W] of what upper_forward gave to that of its qkv, in r->wide; d is that of middle then. */
static void upper_backward(scry_nn *t, const tune_run *r, const kept *k, upper u, float *d)
{
    const scry_attention a = attention_of(r, k, &u);
    mlp_backward(t, r, k, u.mlp, u.rows, d);
    backward(t, r, u.out, (way_back){ u.rows, k->attended, d, r->h, false });
    scry_attention_backward_run(t, &a, r->h, r->wide, r->scores);
}

/* dx [R, W] of a block's input: 0 but in the rows that were read. */
static void put_rows(scry_nn *t, const tune_run *r, const size_t *read, const float *d, float *dx)
{
    size_t w = r->p->width;
    scry_range mine = scry_share(t, r->s.n, 1);
    for (size_t i = mine.from; i < mine.to; i++) {
        memset(dx + r->s.starts[i] * w, 0, (r->s.starts[i + 1] - r->s.starts[i]) * w * sizeof *dx);
        memcpy(dx + (r->s.starts[i] + read[i]) * w, d + i * w, w * sizeof *dx);
    }
    scry_nn_wait(t);
}

/* r->dmiddle [Q, W], the gradient of what the block gives, to that of its input in the same place; of the first block only
 * the parameters' gradients. */
static void block_backward(scry_nn *t, const tune_run *r, size_t i)
{
    const tune_block *b = &r->p->blocks[i];
    const kept *k = &r->kept[i];
    const scry_norm norm = norm_of(r, &b->norm);
    const upper u = upper_of(r, i);
    const size_t *read = u.only;
    float *d = r->dmiddle, *dx = read ? r->dx : d;
    upper_backward(t, r, k, u, d);
    scry_norm_rows(t, &norm, k->x, r->rows, r->h);
    backward(t, r, &b->qkv, (way_back){ r->rows, r->h, r->wide, r->d, false });
    if (read && i > 0)
        put_rows(t, r, read, d, dx);
    norm_backward(t, r, &b->norm, (way_back){ r->rows, k->x, r->d, i > 0 ? dx : NULL, true });
    if (read && i > 0)
        copy(t, d, dx, r->rows * r->p->width);
}

/* The sum of the queries' gradients, which are in the first rows of the sequences of dqkv, to `out` [W]. */
static void sum_queries(scry_nn *t, const tune_run *r, const float *dqkv, float *out)
{
    size_t w = r->p->width;
    scry_range mine = scry_share(t, w, 16);
    memset(out + mine.from, 0, (mine.to - mine.from) * sizeof *out);
    for (size_t i = 0; i < r->s.n; i++)
        for (size_t c = mine.from; c < mine.to; c++)
            out[c] += dqkv[r->s.starts[i] * 3 * w + c];
    scry_nn_wait(t);
}

/* Columns [W, 3 W) of dqkv without gaps. */
static void take_keys(scry_nn *t, const tune_run *r, const float *dqkv, float *out)
{
    size_t w = r->p->width;
    scry_range mine = scry_share(t, r->rows, 1);
    for (size_t i = mine.from; i < mine.to; i++)
        memcpy(out + i * 2 * w, dqkv + i * 3 * w + w, 2 * w * sizeof *out);
    scry_nn_wait(t);
}

/* From d [n, W] of what the head gives to r->dx [R, W], that of the normed rows. */
static void pool_backward(scry_nn *t, const tune_run *r, float *d, const size_t *first)
{
    const tune_part *p = r->p;
    const float *probe = r->parameters + p->pool.probe;
    size_t w = p->width;
    upper_backward(t, r, &r->pool, upper_of_pool(r, first), d);
    sum_queries(t, r, r->wide, r->h);
    backward(t, r, &p->pool.q, (way_back){ 1, probe, r->h, r->act, false });
    scry_range mine = scry_share(t, w, 16);
    for (size_t c = mine.from; c < mine.to; c++)
        r->gradient[p->pool.probe + c] += r->act[c];
    scry_nn_wait(t);
    take_keys(t, r, r->wide, r->d);
    backward(t, r, &p->pool.kv, (way_back){ r->rows, r->normed, r->d, r->dx, false });
}

static void run_backward(scry_nn *t, void *arg)
{
    const job *j = arg;
    const tune_run *r = j->r;
    const tune_part *p = r->p;
    size_t n = r->s.n;
    float *d = r->dmiddle;
    if (p->projected)
        backward(t, r, &p->projection, (way_back){ n, p->pooled ? r->pooled : r->normed, r->dz, d, false });
    else
        copy(t, d, r->dz, n * p->dim);
    if (p->pooled)
        pool_backward(t, r, d, j->first);
    norm_backward(t, r, &p->final, (way_back){ p->pooled ? r->rows : n, r->last, p->pooled ? r->dx : d, d, false });
    for (size_t i = r->blocks; i-- > 0;)
        block_backward(t, r, i);
}

void tune_run_backward(tune_run *r, const float *parameters, const float *dz, float *gradient)
{
    job j = { r, first_tokens(r) };
    r->parameters = parameters;
    r->dz = dz;
    r->gradient = gradient;
    scry_team_run(r->team, run_backward, &j);
    free((void *)j.first);
}
