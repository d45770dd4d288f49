/* embed_files.c - scry_embed_files, _memory, _rgb and _lines, and scry_embed_files_states: workers that each claim the
 * next items of the list until none are left. */
#include "scry/embed.h"

#include "base/alloc.h"
#include "base/pool.h"
#include "base/required.h"
#include "engine/embed_states.h"
#include "engine/picture_batch.h"
#include "image/rgb_views.h"
#include "model/model_internal.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BATCH = 16 };

typedef struct {
    const scry_model *model;
    const scry_embed_options *options;
    const embed_states *states; /* NULL: nobody asks for them */
    const char *const *items;   /* paths or texts; else one of: */
    const scry_encoded *memory;
    const scry_rgb *rgb;
    size_t count, dim;
    float *out;                 /* [count, dim] */
    atomic_size_t next;
    pthread_mutex_t lock;       /* everything below */
    size_t done, failures, cuts;
    scry_error fatal;
} team;

static void fail(team *t, const scry_error *why)
{
    pthread_mutex_lock(&t->lock);
    if (t->fatal.code == 0)
        t->fatal = *why;
    pthread_mutex_unlock(&t->lock);
    atomic_store(&t->next, t->count);
}

static void finished(team *t, size_t n)
{
    pthread_mutex_lock(&t->lock);
    t->done += n;
    if (t->options->progress)
        t->options->progress(t->options->arg, t->done, t->count);
    pthread_mutex_unlock(&t->lock);
}

/* The next `n` items as [*from, *to); false when there are none left or the run is over. */
static bool claim(team *t, size_t n, size_t *from, size_t *to)
{
    if (t->options->cancel && atomic_load(t->options->cancel)) {
        scry_error why = SCRY_ERROR_INIT;
        scry_fail(&why, SCRY_ECANCELLED, "interrupted");
        fail(t, &why);
        return false;
    }
    if (atomic_load(&t->next) >= t->count)
        return false;
    *from = atomic_fetch_add(&t->next, n);
    *to = *from + n < t->count ? *from + n : t->count;
    return *from < t->count;
}

/* ---- pictures ---- */

typedef struct {
    team *t;
    picture_batch batch;
    size_t row[PICTURE_BATCH];   /* which rows the pictures of the batch belong to */
    size_t reported;             /* pictures of the batch whose states were */
} picture_worker;

/* States of some of the batch's pictures, in order. */
static void report_states(void *arg, const char *name, const float *x, size_t rows, size_t cols)
{
    picture_worker *w = arg;
    const embed_states *s = w->t->states;
    if (strcmp(name, s->name) != 0)
        return;
    for (size_t r = 0; r + s->rows <= rows; r += s->rows)
        s->fn(s->arg, w->row[w->reported++], x + r * cols, cols);
}

static void skip_picture(team *t, size_t i, const scry_error *why)
{
    if (!t->items && !t->options->failed) {
        scry_error named = SCRY_ERROR_INIT;
        scry_fail(&named, why->code, "picture %zu: %s", i, why->message);
        fail(t, &named);
        return;
    }
    float *row = t->out + i * t->dim;
    for (size_t d = 0; d < t->dim; d++)
        row[d] = NAN;
    pthread_mutex_lock(&t->lock);
    t->failures++;
    if (t->options->failed)
        t->options->failed(t->options->arg, i, t->items ? t->items[i] : NULL, why->message);
    pthread_mutex_unlock(&t->lock);
    finished(t, 1);
}

static void embed_batch(picture_worker *w)
{
    team *t = w->t;
    picture_batch *b = &w->batch;
    scry_error err = SCRY_ERROR_INIT;
    if (b->count == 0)
        return;
    w->reported = 0;
    if (picture_batch_embed(b, &err) < 0)
        fail(t, &err);
    else
        for (size_t k = 0; k < b->count; k++)
            memcpy(t->out + w->row[k] * t->dim, b->vectors + k * t->dim, t->dim * sizeof *t->out);
    finished(t, b->count);
    b->count = 0;
}

static int load_picture(picture_worker *w, size_t i, scry_error *err)
{
    scry_decoder *d = w->batch.decoder;
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    if (w->t->items)
        return scry_decoder_load(d, w->t->items[i], &bytes, &size, &st, err);
    const scry_encoded *given = &w->t->memory[i];
    return scry_decoder_load_bytes(d, given->data, given->data ? given->size : 0, err);
}

/* The views of picture `i` to their place in the batch. */
static int decode_picture(picture_worker *w, size_t i, scry_error *err)
{
    picture_batch *b = &w->batch;
    scry_decode_result picture;
    if (w->t->rgb)
        return scry_rgb_views(picture_batch_next(b), &w->t->rgb[i], &b->request.spec, err);
    int r = load_picture(w, i, err);
    if (r < 0)
        return r;
    r = scry_decoder_run(b->decoder, &b->request, &picture, err);
    if (r == SCRY_EIO)   /* no decoder starts */
        fail(w->t, err);
    if (r == 0)
        memcpy(picture_batch_next(b), picture.pixels, b->picture_bytes);
    return r;
}

static void add_picture(picture_worker *w, size_t i)
{
    picture_batch *b = &w->batch;
    scry_error why = SCRY_ERROR_INIT;
    if (decode_picture(w, i, &why) < 0) {
        skip_picture(w->t, i, &why);
        return;
    }
    w->row[b->count++] = i;
    if (b->count == PICTURE_BATCH)
        embed_batch(w);
}

static void embed_pictures(void *arg, int index, int count)
{
    team *t = arg;
    picture_worker w = { .t = t };
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    size_t from, to;
    d.formats = t->options->formats ? t->options->formats : scry_formats_all();
    if (picture_batch_init(&w.batch, t->model, t->rgb ? NULL : &d, &err) < 0)
        fail(t, &err);
    if (t->states && w.batch.session)
        scry_session_set_tracer(w.batch.session, (scry_tracer){ report_states, &w });
    w.batch.request.keep_orientation = t->options->keep_orientation;
    w.batch.request.exact = t->options->exact;
    while (claim(t, 1, &from, &to))
        add_picture(&w, from);
    embed_batch(&w);
    picture_batch_dispose(&w.batch);
}

/* ---- texts ---- */

static void embed_texts(void *arg, int index, int count)
{
    team *t = arg;
    scry_session *session = NULL;
    scry_error err = SCRY_ERROR_INIT;
    size_t from, to;
    bool cut[TEXT_BATCH];
    if (scry_session_new(&session, t->model, count == 1 ? 0 : 1, &err) < 0)
        fail(t, &err);
    while (claim(t, TEXT_BATCH, &from, &to)) {
        if (scry_embed_texts(session, t->items + from, to - from, t->out + from * t->dim, cut, &err) < 0) {
            fail(t, &err);
            break;
        }
        pthread_mutex_lock(&t->lock);
        for (size_t i = 0; i < to - from; i++)
            t->cuts += cut[i];
        pthread_mutex_unlock(&t->lock);
        finished(t, to - from);
    }
    scry_session_free(session);
}

static const scry_embed_options defaults = SCRY_EMBED_OPTIONS_INIT;

/* Run `work` on as many threads as there is work for, at least `share` items each. */
static int run_team(team *t, scry_pool_fn *work, size_t share, scry_error *err)
{
    int workers = scry_worker_count(t->options->workers);
    size_t useful = (t->count + share - 1) / share;
    if ((size_t)workers > useful)
        workers = (int)useful;
    if (t->count == 0)
        return 0;
    int r = scry_required(t->out, "a place for the vectors", err);
    if (r < 0)
        return r;
    pthread_mutex_init(&t->lock, NULL);
    scry_pool *pool = scry_pool_new(workers);
    scry_pool_run(pool, work, t);
    scry_pool_free(pool);
    pthread_mutex_destroy(&t->lock);
    return t->fatal.code ? scry_fail(err, t->fatal.code, "%s", t->fatal.message) : 0;
}

static team team_for(const scry_model *model, size_t n, const scry_embed_options *options, float *out)
{
    return (team){ .model = model, .options = options ? options : &defaults, .count = n, .out = out,
                   .dim = (size_t)scry_model_get_info(model)->dim };
}

int scry_embed_files(const scry_model *model, const char *const *paths, size_t n,
                     const scry_embed_options *options, float *out, size_t *failures, scry_error *err)
{
    team t = team_for(model, n, options, out);
    t.items = paths;
    int r = scry_required_texts(paths, n, "a path", err);
    if (r == 0)
        r = run_team(&t, embed_pictures, 1, err);
    if (failures)
        *failures = t.failures;
    return r;
}

int scry_embed_files_states(const scry_model *model, const char *const *paths, size_t n, const scry_embed_options *options,
                            embed_states *states, scry_error *err)
{
    team t = team_for(model, n, options, states->vectors);
    t.items = paths;
    t.states = states;
    int r = run_team(&t, embed_pictures, 1, err);
    states->failures = t.failures;
    return r;
}

int scry_embed_memory(const scry_model *model, const scry_encoded *pictures, size_t n,
                      const scry_embed_options *options, float *out, scry_error *err)
{
    team t = team_for(model, n, options, out);
    t.memory = pictures;
    int r = scry_required_array(pictures, n, "an array of pictures", err);
    return r < 0 ? r : run_team(&t, embed_pictures, 1, err);
}

int scry_embed_rgb(const scry_model *model, const scry_rgb *pictures, size_t n,
                   const scry_embed_options *options, float *out, scry_error *err)
{
    team t = team_for(model, n, options, out);
    t.rgb = pictures;
    int r = scry_required_array(pictures, n, "an array of pictures", err);
    return r < 0 ? r : run_team(&t, embed_pictures, 1, err);
}

int scry_embed_lines(const scry_model *model, const char *const *texts, size_t n,
                     const scry_embed_options *options, float *out, size_t *cuts, scry_error *err)
{
    team t = team_for(model, n, options, out);
    t.items = texts;
    int r = scry_required_texts(texts, n, "a text", err);
    if (r == 0)
        r = run_team(&t, embed_texts, TEXT_BATCH, err);
    if (cuts)
        *cuts = t.cuts;
    if (t.options->texts_cut)
        *t.options->texts_cut += t.cuts;
    return r;
}
