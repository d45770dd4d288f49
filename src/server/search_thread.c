/* search_thread.c - the thread that answers searches in batches.
 *
 * It takes every search that waits, embeds all texts as one batch of the text tower, and scans
 * once for all requests that want the same kind of answer. A single request is a batch of one
 * and does not wait; with 32 connections the weights and the codes are read once for many.
 */
#include "server/search.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/fusion.h"
#include "server/cache.h"
#include "server/queue.h"
#include "server/request.h"
#include "server/server.h"
#include "server/store_watch.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BATCH = 64 };

/* On a worker: embed the whole query, with its pictures. */
static void embed_on_worker(request *r, worker_tools *tools)
{
    search_job *j = r->search;
    server *s = r->server;
    scry_error err = SCRY_ERROR_INIT;
    scry_query_tools t = { .session = tools->session, .model = s->model, .decoder = tools->decoder,
                           .uploaded_path = upload_path };
    j->vector = scry_alloc((size_t)s->info->dim * sizeof *j->vector);
    pthread_rwlock_rdlock(&s->store_lock);
    t.store = s->store;
    int result = scry_query_embed(j->request.query, &t, j->vector, &j->cut, &err);
    pthread_rwlock_unlock(&s->store_lock);
    if (result < 0)
        respond_error(r, &err);
}

void search_submit(request *r, search_job *j)
{
    r->search = j;
    if (scry_query_needs_decoder(j->request.query))
        r->later = embed_on_worker;
}

typedef struct search_batch {
    server *server;
    scry_session *session;
    request *requests[MAX_BATCH];
    float *vectors;             /* [MAX_BATCH, dim] */
    scry_error errors[MAX_BATCH];
    bool done[MAX_BATCH];
    sem_t started;              /* posted when `ready` is known */
    int ready;                  /* 0, or the error code of errors[0]: the thread has ended */
} batch;

static void embed_batch(batch *b, size_t n)
{
    server *s = b->server;
    size_t dim = (size_t)s->info->dim, count = 0;
    const scry_query *queries[MAX_BATCH];
    size_t where[MAX_BATCH];
    bool cut[MAX_BATCH];
    scry_error errors[MAX_BATCH];
    for (size_t i = 0; i < n; i++) {
        const search_job *j = b->requests[i]->search;
        b->errors[i] = (scry_error)SCRY_ERROR_INIT;
        if (j->vector) {
            memcpy(b->vectors + i * dim, j->vector, dim * sizeof(float));
        } else {
            queries[count] = j->request.query;
            where[count++] = i;
        }
    }
    float *rows = scry_alloc((count + 1) * dim * sizeof *rows);   /* [count, dim] */
    scry_query_tools tools = { .session = b->session, .model = s->model, .store = s->store };
    if (count)
        scry_query_embed_many(queries, count, &tools, rows, cut, errors);
    for (size_t i = 0; i < count; i++) {
        memcpy(b->vectors + where[i] * dim, rows + i * dim, dim * sizeof *rows);
        b->errors[where[i]] = errors[i];
        b->requests[where[i]]->search->cut = errors[i].code == 0 && cut[i];
    }
    free(rows);
}

static bool alike(const scry_search *a, const scry_search *b)
{
    return !a->filter && !b->filter && a->limit == b->limit && a->offset == b->offset && a->min_score == b->min_score &&
           a->all_copies == b->all_copies && a->fold == b->fold && a->approximate == b->approximate;
}

static void answer_with(batch *b, request *q, scry_results *found)
{
    search_job *j = q->search;
    scry_groups_settle(&j->groups, b->server->threshold, j->request.query, b->server->store, found);
    search_answer(q, j, found);
}

/* Answer request `first` and all with equal options in one pass over the vectors. */
static void scan_group(batch *b, size_t n, size_t first)
{
    size_t dim = (size_t)b->server->info->dim, count = 0, member[MAX_BATCH];
    const scry_search *want = &b->requests[first]->search->request.search;
    float *queries = scry_alloc(n * dim * sizeof *queries);   /* [count, dim] */
    scry_results *results[MAX_BATCH] = { 0 };
    for (size_t i = first; i < n; i++)
        if (!b->done[i] && (i == first || alike(want, &b->requests[i]->search->request.search))) {
            memcpy(queries + count * dim, b->vectors + i * dim, dim * sizeof *queries);
            member[count++] = i;
        }
    scry_error err = SCRY_ERROR_INIT;
    int r = scry_store_search_many(b->server->store, queries, count, want, results, &err);
    for (size_t k = 0; k < count; k++) {
        request *q = b->requests[member[k]];
        if (r < 0)
            respond_error(q, &err);
        else
            answer_with(b, q, results[k]);
        b->done[member[k]] = true;
        search_finish(q, r < 0 ? NULL : results[k]);
        scry_results_free(results[k]);
    }
    free(queries);
}

/* Answer a request by itself where words have a part in it; false: they have none, or it failed. */
static bool answer_by_words(batch *b, size_t i)
{
    request *q = b->requests[i];
    search_job *j = q->search;
    scry_store *store = b->server->store;
    const float *vector = b->vectors + i * (size_t)b->server->info->dim;
    scry_results *results;
    scry_error err = SCRY_ERROR_INIT;
    scry_search_plan plan = scry_plan_of(&j->request, j->groups, b->server->threshold);
    int r = scry_search_words(store, vector, &plan, &results, &err);
    if (r == 0 && !results)
        return false;
    if (r < 0)
        respond_error(q, &err);
    else
        answer_with(b, q, results);
    b->done[i] = true;
    search_finish(q, r < 0 ? NULL : results);
    scry_results_free(results);
    return true;
}

static void report_refresh(batch *b, const scry_error *err)
{
    store_watch_failed(b->server->store_watch, err);
    if (err->code != SCRY_ENOTFOUND)
        scry_log(SCRY_LOG_WARN, "the store cannot be refreshed: searching what was read before: %s", err->message);
}

/* A request that was queued while the collection was there. */
static bool refuse_batch(batch *b, size_t n)
{
    char reason[512];
    bool due = atomic_load(&b->server->rebuild_due);
    if (!due && !store_watch_problem(b->server->store_watch, reason))
        return false;
    if (due)
        memcpy(reason, b->server->due.message, sizeof b->server->due.message);
    for (size_t i = 0; i < n; i++) {
        respond_problem(b->requests[i], due ? 409 : 503, "%s", reason);
        request_finish(b->requests[i]);
    }
    return true;
}

static void answer_batch(batch *b, size_t n)
{
    /* A worker may hold the lock while it decodes a picture: then this batch searches the store as it was read last. */
    if (pthread_rwlock_trywrlock(&b->server->store_lock) == 0) {
        scry_error err = SCRY_ERROR_INIT;
        if (scry_store_refresh(b->server->store, &err) < 0)
            report_refresh(b, &err);
        pthread_rwlock_unlock(&b->server->store_lock);
    }
    if (refuse_batch(b, n))
        return;
    pthread_rwlock_rdlock(&b->server->store_lock);
    embed_batch(b, n);
    for (size_t i = 0; i < n; i++) {
        search_job *j = b->requests[i]->search;
        if (j->request.auto_min_score && !b->server->threshold && b->errors[i].code == 0)
            b->errors[i].code = scry_threshold_find(&b->server->threshold, b->server->store, b->server->model, &b->errors[i]);
        j->groups = scry_groups_of(b->server->threshold, b->server->model, j->request.query,
                                 b->vectors + i * (size_t)b->server->info->dim);
        b->done[i] = b->errors[i].code < 0;
        if (b->done[i]) {
            respond_error(b->requests[i], &b->errors[i]);
            request_finish(b->requests[i]);
        }
    }
    for (size_t i = 0; i < n; i++)
        if (!b->done[i])
            (void)answer_by_words(b, i);
    for (size_t i = 0; i < n; i++)
        if (!b->done[i])
            scan_group(b, n, i);
    pthread_rwlock_unlock(&b->server->store_lock);
}

/* Warm up before the server listens, on the thread that makes all searches, so that the first search is not
 * slower: a batch of different texts, with enough tokens for the tower to pack its weights (PACK_FROM_TOKENS in
 * model.c), then searches, because the store caches what it scans only from the second on. An error of the store
 * does not keep the server from starting: it is told to the watch, and each search reports it. */
static int warm_up(batch *b, scry_error *err)
{
    enum { N = MAX_BATCH / 2 };
    char words[N][40];
    const char *texts[N];
    scry_search search = SCRY_SEARCH_INIT;
    for (size_t i = 0; i < N; i++) {
        snprintf(words[i], sizeof words[i], "%zu photographs of something", i);
        texts[i] = words[i];
    }
    int r = scry_embed_texts(b->session, texts, N, b->vectors, NULL, err);
    for (int i = 0; i < 3 && r == 0; i++) {
        scry_results *results = NULL;
        scry_error damage = SCRY_ERROR_INIT;
        r = scry_embed_texts(b->session, texts, 1, b->vectors, NULL, err);
        if (r == 0 && scry_store_search(b->server->store, b->vectors, &search, &results, &damage) < 0)
            store_watch_failed(b->server->store_watch, &damage);
        scry_results_free(results);
    }
    return r;
}

static void *search_loop(void *arg)
{
    batch *b = arg;
    size_t n;
    b->ready = warm_up(b, &b->errors[0]);
    sem_post(&b->started);
    while (b->ready == 0 && (n = queue_take(b->server->search_queue, b->requests, MAX_BATCH)) > 0)
        answer_batch(b, n);
    return NULL;
}

static void batch_free(batch *b)
{
    scry_session_free(b->session);
    sem_destroy(&b->started);
    free(b->vectors);
    free(b);
}

int search_thread_start(server *s, scry_error *err)
{
    batch *b = scry_alloc(sizeof *b);
    b->server = s;
    b->vectors = scry_alloc(MAX_BATCH * (size_t)s->info->dim * sizeof *b->vectors);
    sem_init(&b->started, 0, 0);
    int r = scry_session_new(&b->session, s->model, 0, err);
    if (r == 0 && pthread_create(&s->search_thread, NULL, search_loop, b) != 0)
        r = scry_fail(err, SCRY_ENOMEM, "cannot start the search thread");
    if (r < 0) {
        s->search_thread = 0;
        batch_free(b);
        return r;
    }
    s->search_batch = b;
    while (sem_wait(&b->started) < 0)
        continue;
    if (b->ready < 0)
        scry_fail(err, b->ready, "%s", b->errors[0].message);
    return b->ready;
}

void search_thread_stop(server *s)
{
    queue_close(s->search_queue);
    if (!s->search_batch)
        return;
    pthread_join(s->search_thread, NULL);
    batch_free(s->search_batch);
    s->search_batch = NULL;
}
