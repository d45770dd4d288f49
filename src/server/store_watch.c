#include "server/store_watch.h"

#include "base/alloc.h"
#include "base/cond.h"
#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 300 };

struct store_watch {
    server *server;
    pthread_mutex_t lock;        /* guards all below */
    pthread_cond_t stop_signal;
    pthread_t thread;
    bool stopping, running, gone;
    scry_error why;              /* when gone */
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
    if (err->code != SCRY_ENOTFOUND)
        return;
    pthread_mutex_lock(&w->lock);
    if (!w->gone)
        scry_log(SCRY_LOG_WARN, "%s", err->message);
    w->gone = true;
    w->why = *err;
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

/* Where a request holds the store, the next tick or the next search looks. */
static void look(struct store_watch *w)
{
    server *s = w->server;
    scry_error err = SCRY_ERROR_INIT;
    if (pthread_rwlock_trywrlock(&s->store_lock) != 0)
        return;
    if (scry_store_refresh(s->store, &err) < 0)
        store_watch_failed(w, &err);
    pthread_rwlock_unlock(&s->store_lock);
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
    atomic_store(&s->rebuild_due, false);
    pthread_mutex_lock(&w->lock);
    w->gone = false;
    pthread_mutex_unlock(&w->lock);
    scry_log(SCRY_LOG_WARN, "the collection was opened again");
    scry_store_close(old, NULL);
    scry_threshold_free(old_threshold);
}

static void *watch(void *arg)
{
    struct store_watch *w = arg;
    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        scry_cond_wait_ms(&w->stop_signal, &w->lock, TICK_MS);
        bool gone = w->gone, stopping = w->stopping;
        pthread_mutex_unlock(&w->lock);
        if (!stopping && !gone)
            look(w);
        if (!stopping && store_watch_problem(w, NULL))
            store_watch_reopen(w);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct store_watch *store_watch_new(server *s)
{
    struct store_watch *w = scry_alloc(sizeof *w);
    w->server = s;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->stop_signal, NULL);
    w->running = pthread_create(&w->thread, NULL, watch, w) == 0;
    if (!w->running)
        scry_log(SCRY_LOG_WARN, "no thread to watch the collection with: a replaced one is noticed by the next search only");
    return w;
}

void store_watch_free(struct store_watch *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->stop_signal);
    pthread_mutex_unlock(&w->lock);
    if (w->running)
        pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->stop_signal);
    free(w);
}
