#include "server/store_watch.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/periodic.h"
#include "scry/teach.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 300, PROBE_MS = 1000, PROBE_SHARE = 20 };   /* a search of its own at most so often, and for 1/20 of the time */

struct store_watch {
    server *server;
    scry_periodic periodic;
    double probe_due_ms;         /* the thread's own */
    pthread_mutex_t lock;        /* guards all below */
    bool gone;
    scry_error why;              /* when gone */
    bool doubtful;               /* something failed since the last search of the thread */
    scry_error failure;          /* why the collection cannot be searched; code 0: it can */
};

int store_open(const server *s, scry_store **out, scry_error *err)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.collection = s->collection;
    o.model_identity = s->info->identity;
    o.milvus = s->options.milvus;
    o.dim = s->info->dim;
    return scry_store_open(out, s->where, &o, err);
}

void store_watch_failed(struct store_watch *w, const scry_error *err)
{
    if (err->code != SCRY_ENOTFOUND && err->code != SCRY_EDAMAGED && err->code != SCRY_EIO)
        return;
    pthread_mutex_lock(&w->lock);
    if (err->code != SCRY_ENOTFOUND) {
        w->doubtful = true;
    } else {
        if (!w->gone)
            scry_log(SCRY_LOG_WARN, "%s", err->message);
        w->gone = true;
        w->why = *err;
    }
    pthread_mutex_unlock(&w->lock);
}

bool store_watch_problem(struct store_watch *w, char *reason)
{
    pthread_mutex_lock(&w->lock);
    bool gone = w->gone;
    if (gone && reason)
        memcpy(reason, w->why.message, sizeof w->why.message);
    pthread_mutex_unlock(&w->lock);
    return gone;
}

bool store_watch_unready(struct store_watch *w, char *reason)
{
    if (store_watch_problem(w, reason))
        return true;
    pthread_mutex_lock(&w->lock);
    bool fails = w->failure.code < 0;
    if (fails && reason)
        memcpy(reason, w->failure.message, sizeof w->failure.message);
    pthread_mutex_unlock(&w->lock);
    return fails;
}

/* Whether the collection can be searched; NULL: it can. */
static void set_failure(struct store_watch *w, const scry_error *err)
{
    pthread_mutex_lock(&w->lock);
    if (err && !w->failure.code)
        scry_log(SCRY_LOG_WARN, "not ready: %s", err->message);
    else if (!err && w->failure.code)
        scry_log(SCRY_LOG_WARN, "ready again: the collection can be searched");
    w->failure = err ? *err : (scry_error)SCRY_ERROR_INIT;
    pthread_mutex_unlock(&w->lock);
}

/* Whether it is time to find out by a search. */
static bool wants_probe(struct store_watch *w)
{
    pthread_mutex_lock(&w->lock);
    bool wants = (w->doubtful || w->failure.code) && scry_now_ms() >= w->probe_due_ms;
    if (wants)
        w->doubtful = false;
    pthread_mutex_unlock(&w->lock);
    return wants;
}

/* A search as requests make them: it reads the codes, the best vectors and the rows of their files. */
static void probe(struct store_watch *w)
{
    server *s = w->server;
    double start = scry_now_ms();
    scry_error err = SCRY_ERROR_INIT;
    scry_search search = SCRY_SEARCH_INIT;
    scry_results *found = NULL;
    float *query = scry_alloc((size_t)s->info->dim * sizeof *query);
    query[0] = 1;
    pthread_rwlock_rdlock(&s->store_lock);
    int r = scry_store_search(s->store, query, &search, &found, &err);
    pthread_rwlock_unlock(&s->store_lock);
    scry_results_free(found);
    free(query);
    double took = scry_now_ms() - start;
    w->probe_due_ms = scry_now_ms() + (took * PROBE_SHARE > PROBE_MS ? took * PROBE_SHARE : PROBE_MS);
    if (r != SCRY_ENOMEM && r != SCRY_EBUSY)
        set_failure(w, r < 0 ? &err : NULL);
}

/* Where a request holds the store, the next tick or the next search looks. */
static void look(struct store_watch *w)
{
    server *s = w->server;
    scry_error err = SCRY_ERROR_INIT;
    if (pthread_rwlock_trywrlock(&s->store_lock) != 0)
        return;
    int r = scry_store_refresh(s->store, &err);
    pthread_rwlock_unlock(&s->store_lock);
    if (r == SCRY_ENOTFOUND)
        store_watch_failed(w, &err);
    else if (r < 0 && r != SCRY_ENOMEM && r != SCRY_EBUSY)
        set_failure(w, &err);
    else if (r == 0 && wants_probe(w) && !atomic_load(&s->rebuild_due))   /* else there are no searches */
        probe(w);
    else if (r == 0 && atomic_load(&s->rebuild_due))
        set_failure(w, NULL);
}

void store_watch_reopen(struct store_watch *w)
{
    server *s = w->server;
    scry_error err = SCRY_ERROR_INIT;
    scry_store *fresh = NULL, *old;
    scry_threshold *threshold = NULL, *old_threshold;
    int r = store_open(s, &fresh, &err);
    if (r == 0)
        r = scry_threshold_known(&threshold, fresh, s->model, &err);
    if (r < 0) {
        if (fresh)
            scry_store_close(fresh, NULL);
        pthread_mutex_lock(&w->lock);
        w->why = err;
        pthread_mutex_unlock(&w->lock);
        return;
    }
    pthread_rwlock_wrlock(&s->store_lock);   /* no new requests come: those that hold it end */
    old = s->store;
    old_threshold = s->threshold;
    s->store = fresh;
    s->threshold = threshold;
    pthread_rwlock_unlock(&s->store_lock);
    atomic_fetch_add(&s->changes, 1);
    atomic_fetch_add(&s->file_changes, 1);
    atomic_store(&s->rebuild_due, false);
    pthread_mutex_lock(&w->lock);
    w->gone = false;
    w->doubtful = true;
    pthread_mutex_unlock(&w->lock);
    scry_log(SCRY_LOG_WARN, "the collection was opened again");
    scry_store_close(old, NULL);
    scry_threshold_free(old_threshold);
}

/* A name that was taught is known from the next tick on. */
static void read_names(struct store_watch *w)
{
    scry_error err = SCRY_ERROR_INIT;
    if (scry_model_read_names(w->server->model, NULL, &err) < 0)
        scry_log(SCRY_LOG_WARN, "taught names stay as they were: %s", err.message);
}

static int64_t watch(void *arg)
{
    struct store_watch *w = arg;
    read_names(w);
    if (!store_watch_problem(w, NULL))
        look(w);
    if (store_watch_problem(w, NULL))
        store_watch_reopen(w);
    return TICK_MS;
}

struct store_watch *store_watch_new(server *s)
{
    struct store_watch *w = scry_alloc(sizeof *w);
    w->server = s;
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

void store_watch_start(struct store_watch *w)
{
    int64_t next_ms = watch(w);
    if (!scry_periodic_start(&w->periodic, watch, w, next_ms))
        scry_log(SCRY_LOG_WARN, "no thread to watch the collection with: a replaced one is noticed by the next search only");
}

void store_watch_free(struct store_watch *w)
{
    if (!w)
        return;
    scry_periodic_stop(&w->periodic);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
