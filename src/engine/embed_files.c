/* embed_files.c - scry_embed_files and scry_embed_lines: workers that each claim the
 * next items of the list until none are left. */
#include "scry/embed.h"

#include "base/alloc.h"
#include "base/pool.h"
#include "engine/picture_batch.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BATCH = 16, MAX_WORKERS = 256 };

typedef struct {
    const scry_model *model;
    const scry_embed_options *options;
    const char *const *items;   /* paths or texts */
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
} picture_worker;

static void skip_picture(team *t, size_t i, const char *reason)
{
    float *row = t->out + i * t->dim;
    for (size_t d = 0; d < t->dim; d++)
        row[d] = NAN;
    pthread_mutex_lock(&t->lock);
    t->failures++;
    if (t->options->failed)
        t->options->failed(t->options->arg, i, t->items[i], reason);
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
    if (picture_batch_embed(b, &err) < 0)
        fail(t, &err);
    else
        for (size_t k = 0; k < b->count; k++)
            memcpy(t->out + w->row[k] * t->dim, b->vectors + k * t->dim, t->dim * sizeof *t->out);
    finished(t, b->count);
    b->count = 0;
}

static void decode_picture(picture_worker *w, size_t i)
{
    picture_batch *b = &w->batch;
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_decode_result picture;
    scry_error why = SCRY_ERROR_INIT;
    int loaded = scry_decoder_load(b->decoder, w->t->items[i], &bytes, &size, &st, &why);
    int r = loaded < 0 ? loaded : scry_decoder_run(b->decoder, &b->request, &picture, &why);
    if (loaded == 0 && r == SCRY_EIO)   /* no decoder starts */
        fail(w->t, &why);
    if (r < 0) {
        skip_picture(w->t, i, why.message);
        return;
    }
    w->row[picture_batch_add(b, &picture)] = i;
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
    if (picture_batch_init(&w.batch, t->model, &d, &err) < 0)
        fail(t, &err);
    w.batch.request.keep_orientation = t->options->keep_orientation;
    w.batch.request.exact = t->options->exact;
    while (claim(t, 1, &from, &to))
        decode_picture(&w, from);
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
    int workers = t->options->workers > 0 ? t->options->workers : scry_cpu_count();
    size_t useful = (t->count + share - 1) / share;
    if ((size_t)workers > useful)
        workers = (int)useful;
    if (t->count == 0)
        return 0;
    pthread_mutex_init(&t->lock, NULL);
    scry_pool *pool = scry_pool_new(workers < MAX_WORKERS ? workers : MAX_WORKERS);
    scry_pool_run(pool, work, t);
    scry_pool_free(pool);
    pthread_mutex_destroy(&t->lock);
    return t->fatal.code ? scry_fail(err, t->fatal.code, "%s", t->fatal.message) : 0;
}

int scry_embed_files(const scry_model *model, const char *const *paths, size_t n,
                     const scry_embed_options *options, float *out, size_t *failures, scry_error *err)
{
    team t = { .model = model, .options = options ? options : &defaults, .items = paths, .count = n, .out = out,
               .dim = (size_t)scry_model_get_info(model)->dim };
    int r = run_team(&t, embed_pictures, 1, err);
    if (failures)
        *failures = t.failures;
    return r;
}

int scry_embed_lines(const scry_model *model, const char *const *texts, size_t n,
                     const scry_embed_options *options, float *out, size_t *cuts, scry_error *err)
{
    team t = { .model = model, .options = options ? options : &defaults, .items = texts, .count = n, .out = out,
               .dim = (size_t)scry_model_get_info(model)->dim };
    int r = run_team(&t, embed_texts, TEXT_BATCH, err);
    if (cuts)
        *cuts = t.cuts;
    if (t.options->texts_cut)
        *t.options->texts_cut += t.cuts;
    return r;
}
