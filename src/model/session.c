/* session.c - running a model: batches of pictures and texts through its towers.
 *
 * With several pictures, each thread runs whole pictures through the tower without waiting for
 * the others; a single picture, and texts, are computed by all threads together. Each pass
 * reads all weights from memory, so it takes as many pictures or tokens as fit the caches.
 */
#include "model/model_internal.h"
#include "model/text_batch.h"

#include "base/alloc.h"
#include "base/required.h"
#include "base/view_shape.h"
#include "base/log.h"

#include <math.h>
#include <stdlib.h>

enum { PASS_TOKENS = 512 };   /* texts are collected up to this many tokens */

struct scry_session {
    const scry_model *model;
    scry_team *team;
    float **memory;         /* [threads] activations of each thread's own pictures */
    size_t *memory_floats;  /* [threads] */
    scry_tracer tracer;
};

int scry_session_new(scry_session **out, const scry_model *m, int threads, scry_error *err)
{
    scry_session *s = scry_alloc(sizeof *s);
    s->model = m;
    int r = scry_team_new(&s->team, m->kernels, threads, &m->need, err);
    if (r < 0) {
        free(s);
        return r;
    }
    size_t count = (size_t)scry_team_threads(s->team);
    s->memory = scry_alloc(count * sizeof *s->memory);
    s->memory_floats = scry_alloc(count * sizeof *s->memory_floats);
    *out = s;
    return 0;
}

void scry_session_free(scry_session *s)
{
    if (!s)
        return;
    for (int i = 0; i < scry_team_threads(s->team); i++)
        free(s->memory[i]);
    free(s->memory);
    free(s->memory_floats);
    scry_team_free(s->team);
    free(s);
}

void scry_session_set_tracer(scry_session *s, scry_tracer tracer)
{
    s->tracer = tracer;
}

/* At least `floats` of activations for thread i; earlier contents are lost. */
static int reserve(scry_session *s, int i, size_t floats, scry_error *err)
{
    if (floats <= s->memory_floats[i])
        return 0;
    free(s->memory[i]);
    s->memory_floats[i] = 0;
    s->memory[i] = scry_try_alloc_aligned(floats, sizeof(float));
    if (!s->memory[i])
        return scry_fail(err, SCRY_ENOMEM, "not enough memory: a pass needs %zu MB",
                         floats * sizeof(float) >> 20);
    s->memory_floats[i] = floats;
    return 0;
}

/* Normalise v [D]. */
static int normalise(float *v, size_t dim, scry_error *err)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (double)v[i] * v[i];
    if (!(sum > 0) || !isfinite(sum))
        return scry_fail(err, SCRY_EINVALID, "the model produced a zero or non-finite vector (length %g): "
                         "its weights are damaged, or too large for this precision", sqrt(sum));
    float factor = (float)(1 / sqrt(sum));
    for (size_t i = 0; i < dim; i++)
        v[i] *= factor;
    return 0;
}

/* Normalise a result, unless the model was opened for raw vectors. */
static int finish(const scry_session *s, float *v, size_t dim, scry_error *err)
{
    return s->model->raw ? 0 : normalise(v, dim, err);
}

/* ---- pictures ---- */

typedef struct {
    const scry_image_tower *tower;
    const uint8_t *pixels;   /* [n, size, size, 3] */
    size_t n;
    float *memory, *out;     /* [n, D] */
    const scry_tracer *tracer;
} image_share;

static void run_images(scry_nn *t, void *arg)
{
    const image_share *share = arg;
    const scry_image_tower *w = share->tower;
    size_t bytes = w->size * w->size * 3, passes = (share->n + w->batch - 1) / w->batch;
    for (size_t i = 0; i < passes; i++) {
        size_t from = share->n * i / passes, to = share->n * (i + 1) / passes;
        scry_image_job job = { share->pixels + from * bytes, to - from, share->memory,
                               share->out + from * w->dim, share->tracer };
        w->run(t, w, &job);
    }
}

/* `n` views through the tower to out [n, D], not normalised. */
static int embed_views(scry_session *s, const scry_image_tower *w, const uint8_t *pixels, size_t n,
                       float *out, scry_error *err)
{
    size_t threads = (size_t)scry_team_threads(s->team), bytes = w->size * w->size * 3;
    size_t sharers = n < threads ? 1 : threads;   /* few pictures: all threads on each */
    image_share *shares = scry_alloc(threads * sizeof *shares);
    void **args = scry_alloc(threads * sizeof *args);
    int r = 0;
    for (size_t i = 0; i < sharers && r == 0; i++) {
        size_t from = n * i / sharers, count = n * (i + 1) / sharers - from;
        r = reserve(s, (int)i, w->picture_floats * (count < w->batch ? count : w->batch), err);
        shares[i] = (image_share){ w, pixels + from * bytes, count, s->memory[i],
                                   out + from * w->dim, &s->tracer };
        args[i] = &shares[i];
    }
    if (r == 0 && sharers == 1)
        scry_team_run(s->team, run_images, &shares[0]);
    else if (r == 0)
        scry_team_run_apart(s->team, run_images, args);
    free(args);
    free(shares);
    return r;
}

/* From normalised rows [count * views, D] to the normalised mean of each picture's rows, [count, D]. */
static int average_views(const scry_session *s, const float *rows, size_t count, size_t views, size_t dim,
                         float *out, scry_error *err)
{
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++, out += dim, rows += views * dim) {
        memcpy(out, rows, dim * sizeof *out);
        for (size_t k = dim; k < views * dim; k++)
            out[k % dim] += rows[k];
        for (size_t k = 0; views > 1 && k < dim; k++)
            out[k] /= (float)views;
        if (views > 1)
            r = finish(s, out, dim, err);
    }
    return r;
}

/* What is read and written must be there; views of any shape must say which they have. */
static int check_pixels(const scry_image_spec *spec, const uint8_t *pixels, size_t n, const float *out, scry_error *err)
{
    size_t size = (size_t)spec->size;
    scry_view_shape shape;
    int r = scry_required_array(pixels, n, "an array of pixels", err);
    if (r == 0)
        r = scry_required_array(out, n, "a place for the vectors", err);
    if (r < 0)
        return r;
    for (size_t i = 0; spec->fit[0] == SCRY_FIT_PATCHES && i < n; i++, pixels += 3 * size * size)
        if (!scry_view_get_shape(pixels, size, &shape))
            return scry_fail(err, SCRY_EINVALID, "view %zu has %zu x %zu patches: the model takes 1 to %zu of them", i, shape.rows,
                             shape.columns, scry_view_max_patches(size));
    return 0;
}

int scry_embed_pixels(scry_session *s, const uint8_t *pixels, size_t n, float *out, scry_error *err)
{
    enum { PICTURES = 64 };   /* views are averaged from a buffer of this many pictures */
    const scry_image_tower *w;
    size_t views = (size_t)s->model->info.image.views;
    int r = check_pixels(&s->model->info.image, pixels, n, out, err);
    if (r == 0 && n)
        r = scry_model_image_tower(s->model, s->team, &w, err);
    if (r < 0 || n == 0)
        return r;
    size_t dim = w->dim, bytes = w->size * w->size * 3 * views;
    float *rows = scry_try_alloc(PICTURES * views * dim, sizeof *rows);
    if (!rows)
        return scry_fail(err, SCRY_ENOMEM, "not enough memory for vectors");
    for (size_t at = 0; at < n && r == 0; at += PICTURES) {
        size_t count = n - at < PICTURES ? n - at : PICTURES;
        r = embed_views(s, w, pixels + at * bytes, count * views, rows, err);
        for (size_t i = 0; i < count * views && r == 0; i++)
            r = finish(s, rows + i * dim, dim, err);
        if (r == 0)
            r = average_views(s, rows, count, views, dim, out + at * dim, err);
    }
    free(rows);
    return r;
}

/* ---- texts ---- */

typedef struct {
    const scry_text_tower *tower;
    scry_text_job job;
} text_work;

static void run_texts(scry_nn *t, void *arg)
{
    const text_work *work = arg;
    work->tower->run(t, work->tower, &work->job);
}

/* The pooled token of ids [n]; the first where end_id does not occur, as in the references. */
static size_t pool_position(const scry_text_config *c, const int32_t *ids, size_t n)
{
    size_t at = 0;
    if (c->pool != SCRY_POOL_END)
        return c->pool == SCRY_POOL_FIRST ? 0 : n - 1;
    for (size_t i = 0; i < n; i++) {
        if (c->end_id >= 0 && ids[i] == c->end_id)
            return i;
        if (c->end_id < 0 && ids[i] > ids[at])
            at = i;
    }
    return at;
}

/* Whether tokens after the pooled one do not affect the result, so that they are left out
 * and shared prefixes are computed once. */
static bool reads_forward(const scry_text_config *c)
{
    return c->causal && c->pool == SCRY_POOL_END;
}

/* Add the `count` ids after the batch's last text as its next one: each must have a row in the tower's tables. */
static int add_text(scry_text_batch *b, const scry_text_config *c, size_t count, scry_error *err)
{
    const int32_t *ids = b->added + b->tokens;
    if (count == 0 || count > c->context)
        return scry_fail(err, SCRY_EINVALID, "a text of %zu tokens: the text tower reads 1 to %zu", count, c->context);
    for (size_t i = 0; i < count; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= c->vocab)
            return scry_fail(err, SCRY_EINVALID, "token %zu of a text has id %d, the text tower has %zu ids", i, (int)ids[i], c->vocab);
    size_t pool = pool_position(c, ids, count);
    scry_text_batch_add(b, reads_forward(c) ? pool + 1 : count, pool);
    return 0;
}

/* Run one batch; `out` is [n, D] in the order in which the texts were added. */
static int run_batch(scry_session *s, scry_text_batch *b, float *out, scry_error *err)
{
    const scry_text_tower *w;
    const scry_text_config *c = &s->model->texts->config.text;
    scry_text_batch_lay_out(b, reads_forward(c) && !s->tracer.fn);   /* traced: every row */
    size_t tokens = b->starts[b->n];
    int r = scry_model_text_tower(s->model, s->team, tokens, &w, err);
    if (r == 0)
        r = reserve(s, 0, tokens * w->token_floats + 2 * b->n * w->dim, err);
    if (r < 0)
        return r;
    float *rows = s->memory[0] + tokens * w->token_floats, *mapped = rows + b->n * w->dim;
    text_work work = { w, { b->ids, b->starts, b->shared, b->n, s->memory[0], rows,
                            c->pool == SCRY_POOL_MEAN ? NULL : b->pool, &s->tracer } };
    double start = scry_now_ms();
    scry_team_run(s->team, run_texts, &work);
    scry_trace("text tower", start);
    if (s->model->map)
        scry_text_map_apply(s->model->map, rows, b->n, mapped);
    for (size_t i = 0; i < b->n && r == 0; i++) {
        float *v = out + b->texts[i].place * w->dim;
        memcpy(v, (s->model->map ? mapped : rows) + i * w->dim, w->dim * sizeof *v);
        r = finish(s, v, w->dim, err);
    }
    return r;
}

/* Ids of a text with the prefix before and the padding after it; returns their number. */
static int encode(const scry_model *m, const char *text, int32_t *ids, bool *cut, scry_error *err)
{
    const scry_text_config *c = &m->texts->config.text;
    char *whole = c->prefix[0] ? scry_asprintf("%s%s", c->prefix, text) : NULL;
    const char *given = whole ? whole : text;
    int r = scry_tokenizer_encode(m->tokenizer, given, strlen(given), ids, c->context, cut, err);
    free(whole);
    while (c->padded && r >= 0 && (size_t)r < c->context)
        ids[r++] = scry_tokenizer_pad_id(m->tokenizer);
    return r;
}

int scry_model_encode(const scry_model *m, const char *text, int32_t *ids, size_t *pool, scry_error *err)
{
    const scry_text_config *c = &m->texts->config.text;
    bool cut;
    int r = encode(m, text, ids, &cut, err);
    if (r <= 0)
        return r < 0 ? r : scry_fail(err, SCRY_EINVALID, "a text without tokens");
    *pool = pool_position(c, ids, (size_t)r);
    return reads_forward(c) ? (int)*pool + 1 : r;
}

static int embed_plain(scry_session *s, const char *const *texts, size_t n, float *out, bool *cut,
                     scry_error *err)
{
    const scry_model *m = s->model;
    size_t context = (size_t)m->info.context, dim = (size_t)m->info.dim, done = 0;
    double tokenizing_ms = 0;
    scry_text_batch b;
    int r = scry_text_batch_new(&b, PASS_TOKENS + context, PASS_TOKENS, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        bool was_cut = false;
        double start = scry_now_ms();
        int count = encode(m, texts[i], b.added + b.tokens, &was_cut, err);
        tokenizing_ms += scry_now_ms() - start;
        if (count < 0) {
            r = count;
            break;
        }
        if (cut)
            cut[i] = was_cut;
        r = add_text(&b, &m->texts->config.text, (size_t)count, err);
        if (r < 0)
            break;
        if (i + 1 == n || b.tokens >= PASS_TOKENS || b.n == PASS_TOKENS) {
            r = run_batch(s, &b, out + done * dim, err);
            done += b.n;
            scry_text_batch_clear(&b);
        }
    }
    scry_trace("tokenize", scry_now_ms() - tokenizing_ms);
    scry_text_batch_dispose(&b);
    return r;
}

/* Texts in which names may stand: names.h. */
static int embed_with_names(scry_session *s, const char *const *texts, size_t n, float *out, bool *cut, scry_error *err)
{
    scry_names *names = scry_model_names(s->model);
    if (!names)
        return embed_plain(s, texts, n, out, cut, err);
    size_t dim = (size_t)s->model->info.dim;
    const char **plain = scry_alloc((n + 1) * sizeof *plain);
    char **rest = scry_alloc((n + 1) * sizeof *rest);   /* NULL: the text has no name */
    bool *alone = scry_alloc(n + 1);
    float *directions = scry_try_alloc(n * dim + 1, sizeof *directions);
    int r = directions ? 0 : scry_fail(err, SCRY_ENOMEM, "not enough memory for %zu vectors", n);
    for (size_t i = 0; i < n && r == 0; i++) {
        rest[i] = scry_names_take(names, texts[i], directions + i * dim, &alone[i]);
        plain[i] = rest[i] && !alone[i] ? rest[i] : texts[i];
    }
    if (r == 0)
        r = embed_plain(s, plain, n, out, cut, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        float *v = out + i * dim;
        for (size_t k = 0; k < dim && rest[i]; k++)
            v[k] = directions[i * dim + k] + (alone[i] ? 0 : v[k]);
        if (rest[i])
            r = finish(s, v, dim, err);
    }
    for (size_t i = 0; i < n; i++)
        free(rest[i]);
    free(directions);
    free(alone);
    free(rest);
    free(plain);
    scry_names_free(names);
    return r;
}

int scry_embed_texts(scry_session *s, const char *const *texts, size_t n, float *out, bool *cut,
                     scry_error *err)
{
    int r = scry_required_texts(texts, n, "a text", err);
    if (r == 0)
        r = scry_required_array(out, n, "a place for the vectors", err);
    return r < 0 ? r : embed_with_names(s, texts, n, out, cut, err);
}

int scry_session_embed_ids(scry_session *s, const int32_t *ids, const size_t *starts, size_t n,
                           float *out, scry_error *err)
{
    scry_text_batch b;
    int r = scry_text_batch_new(&b, starts[n] + 1, n, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        size_t count = starts[i + 1] - starts[i];
        memcpy(b.added + b.tokens, ids + starts[i], count * sizeof *ids);
        r = add_text(&b, &s->model->texts->config.text, count, err);
    }
    if (r == 0)
        r = run_batch(s, &b, out, err);
    scry_text_batch_dispose(&b);
    return r;
}
