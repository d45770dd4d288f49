#include "server/store_writer.h"

#include "server/server.h"

#include <pthread.h>

bool store_writer_claim(server *s, writer_claim claim)
{
    pthread_mutex_lock(&s->writer_lock);
    while (s->writer == WRITER_CHANGE || (s->writer == WRITER_RUN && claim == WRITER_RUN))
        pthread_cond_wait(&s->writer_released, &s->writer_lock);
    bool free = s->writer == WRITER_FREE;
    if (free)
        s->writer = claim;
    pthread_mutex_unlock(&s->writer_lock);
    return free;
}

void store_writer_release(server *s)
{
    pthread_mutex_lock(&s->writer_lock);
    s->writer = WRITER_FREE;
    pthread_cond_broadcast(&s->writer_released);
    pthread_mutex_unlock(&s->writer_lock);
}

bool store_writer_is_run(server *s)
{
    pthread_mutex_lock(&s->writer_lock);
    bool run = s->writer == WRITER_RUN;
    pthread_mutex_unlock(&s->writer_lock);
    return run;
}

bool store_change_begin(request *r)
{
    bool ok = store_writer_claim(r->server, WRITER_CHANGE);
    if (!ok)
        respond_named_problem(r, 409, "index_running", "an index run is in progress: wait for it or cancel it, then try again");
    return ok;
}

void store_change_end(request *r)
{
    store_writer_release(r->server);
}

void store_change_failed(request *r, const scry_error *err)
{
    if (err->code == SCRY_EBUSY)
        respond_problem(r, 409, "%s", err->message);
    else
        respond_error(r, err);
}

int store_writer_open(server *s, scry_store **out, scry_error *err)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.collection = s->collection;
    o.mode = SCRY_STORE_WRITE;
    o.model_identity = s->info->identity;
    o.milvus = s->options.milvus;
    return scry_store_open(out, s->where, &o, err);
}

int store_writer_close(server *s, scry_store *writer, writer_change what, scry_error *err)
{
    int r = scry_store_close(writer, err);
    pthread_rwlock_wrlock(&s->store_lock);
    int refreshed = scry_store_refresh(s->store, r < 0 ? NULL : err);
    pthread_rwlock_unlock(&s->store_lock);
    atomic_fetch_add(&s->changes, 1);
    if (what == CHANGED_FILES)
        atomic_fetch_add(&s->file_changes, 1);
    return r < 0 ? r : refreshed;
}
