/* search.c - searches: their parameters, the thread that answers them in batches, the answer.
 *
 * The search thread takes everything that waits, embeds all texts as one batch of the text
 * tower, and scans once for all requests that want the same kind of answer. Alone, a request
 * is a batch of one and waits for nobody; at 32 connections the weights and the codes are read
 * once for many.
 */
#include "server/server.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/file_json.h"
#include "scry/query.h"
#include "server/cache.h"

#include <math.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BATCH = 64, MAX_LIMIT = 1000, DEFAULT_LIMIT = 50 };

search_job *search_job_new(void)
{
    search_job *j = scry_alloc(sizeof *j);
    j->search = (scry_search)SCRY_SEARCH_INIT;
    j->search.limit = DEFAULT_LIMIT;
    j->filters = scry_filter_pool_new();
    return j;
}

void search_job_free(search_job *j)
{
    if (!j)
        return;
    scry_query_free(j->query);
    scry_filter_pool_free(j->filters);
    free(j->shown);
    free(j->vector);
    free(j);
}

/* ---- parameters ---- */

typedef struct {
    search_job *job;
    scry_filter_kind kind;
    const scry_filter_node *any;   /* "any of them" kinds */
} collector;

static void collect_any(void *arg, const char *value)
{
    collector *c = arg;
    const scry_filter_node *f = scry_filter_text(c->job->filters, c->kind, value);
    c->any = c->any ? scry_filter_or(c->job->filters, c->any, f) : f;
}

static void collect_all(void *arg, const char *value)
{
    collector *c = arg;
    search_job *j = c->job;
    j->search.filter = scry_filter_and(j->filters, j->search.filter, scry_filter_text(j->filters, c->kind, value));
}

static void read_any(request *r, search_job *j, const char *name, scry_filter_kind kind)
{
    collector c = { j, kind, NULL };
    request_each_arg(r, name, collect_any, &c);
    if (c.any)
        j->search.filter = scry_filter_and(j->filters, j->search.filter, c.any);
}

static bool read_time(request *r, search_job *j, const char *name, scry_filter_kind kind)
{
    const char *text = request_arg(r, name);
    int64_t s;
    scry_error err = SCRY_ERROR_INIT;
    if (!text || !text[0])
        return true;
    if (scry_parse_time(text, &s, &err) < 0) {
        respond_problem(r, 400, "%s: %s", name, err.message);
        return false;
    }
    j->search.filter = scry_filter_and(j->filters, j->search.filter, scry_filter_time(j->filters, kind, s));
    return true;
}

static bool read_near(request *r, search_job *j)
{
    const char *text = request_arg(r, "near");
    double lat, lon, km;
    scry_error err = SCRY_ERROR_INIT;
    if (!text || !text[0])
        return true;
    if (scry_parse_near(text, &lat, &lon, &km, &err) < 0) {
        respond_problem(r, 400, "near: %s", err.message);
        return false;
    }
    j->search.filter = scry_filter_and(j->filters, j->search.filter, scry_filter_near(j->filters, lat, lon, km));
    return true;
}

/* The parameter `name`: a number from `low` to 1, or "auto". Without it *out and *is_auto stay as they
 * are; false: a 400 was made. */
static bool read_number_or_auto(request *r, const char *name, double low, double *out, bool *is_auto)
{
    const char *text = request_arg(r, name);
    if (!text || !text[0])
        return true;
    *is_auto = strcmp(text, "auto") == 0;
    if (*is_auto)
        return true;
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end || !(x >= low && x <= 1)) {
        respond_problem(r, 400, "%s must be a number from %g to 1, or auto", name, low);
        return false;
    }
    *out = x;
    return true;
}

static bool read_scores(request *r, search_job *j)
{
    bool auto_fold = false;
    if (!read_number_or_auto(r, "min_score", -1, &j->search.min_score, &j->auto_min_score) ||
        !read_number_or_auto(r, "fold", 0, &j->search.fold, &auto_fold))
        return false;
    if (auto_fold)
        j->search.fold = SCRY_FOLD_AUTO;
    return true;
}

bool search_read_filters(request *r, search_job *j)
{
    static const struct { const char *name; scry_filter_kind kind; bool all; } texts[] = {
        { "in", SCRY_FILTER_IN, false }, { "format", SCRY_FILTER_FORMAT, false }, { "key", SCRY_FILTER_KEY, false },
        { "camera", SCRY_FILTER_CAMERA, false }, { "label", SCRY_FILTER_LABEL, true },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].all) {
            collector c = { j, texts[i].kind, NULL };
            request_each_arg(r, texts[i].name, collect_all, &c);
        } else {
            read_any(r, j, texts[i].name, texts[i].kind);
        }
    }
    return read_time(r, j, "after", SCRY_FILTER_AFTER) && read_time(r, j, "before", SCRY_FILTER_BEFORE) && read_near(r, j);
}

bool search_read_args(request *r, search_job *j)
{
    long long limit, offset, copies;
    bool ok = search_read_filters(r, j) && read_scores(r, j) && request_int(r, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT, &limit) &&
              request_int(r, "cursor", 0, 0, 1LL << 40, &offset) && request_int(r, "all_copies", 0, 0, 1, &copies);
    if (!ok)
        return false;
    j->search.limit = (size_t)limit;
    j->search.offset = (size_t)offset;
    j->search.all_copies = copies != 0;
    return true;
}

/* ---- pictures in the query ---- */

/* On a worker: the whole query, its pictures decoded here. */
static void embed_on_worker(request *r, worker_tools *tools)
{
    search_job *j = r->search;
    server *s = r->server;
    scry_error err = SCRY_ERROR_INIT;
    scry_query_tools t = { .session = tools->session, .model = s->model, .decoder = tools->decoder, .store = s->store,
                           .uploaded_path = upload_path };
    j->vector = scry_alloc((size_t)s->info->dim * sizeof *j->vector);
    pthread_rwlock_rdlock(&s->store_lock);
    int result = scry_query_embed(j->query, &t, j->vector, NULL, &err);
    pthread_rwlock_unlock(&s->store_lock);
    if (result < 0)
        respond_error(r, &err);
}

void search_submit(request *r, search_job *j)
{
    r->search = j;
    if (scry_query_needs_decoder(j->query))
        r->later = embed_on_worker;
}

/* ---- the answer ---- */

/* How many of the results are shown: with min_score=auto those above this query's line. */
static size_t count_shown(const search_job *j, const scry_results *results)
{
    size_t n = results->count;
    while (j->auto_min_score && n && results->hits[n - 1].score < j->line)
        n--;
    return n;
}

static void answer_search(request *r, const search_job *j, const scry_results *results)
{
    size_t shown = count_shown(j, results);
    scry_buf b = SCRY_BUF_INIT(64 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_store_info info = { 0 };
    scry_store_describe(r->server->store, &info);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "query");
    scry_json_put_str(&w, j->shown);
    scry_json_key(&w, "model");
    scry_json_put_str(&w, r->server->info->name);
    scry_json_key(&w, "collection");
    scry_json_put_str(&w, info.collection);
    scry_json_key(&w, "took_ms");
    scry_json_put_num(&w, scry_now_ms() - r->start_ms, 4);
    scry_json_key(&w, "min_score");
    scry_json_put_num(&w, j->line, 6);
    scry_json_key(&w, "scanned");
    scry_json_put_int(&w, (int64_t)results->scanned);
    scry_json_key(&w, "results");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < shown; i++)
        scry_json_put_hit(&w, &results->hits[i], j->search.offset + i + 1, &j->search);
    scry_json_end(&w, ']');
    scry_json_key(&w, "cursor");
    if (results->has_more && shown == results->count) {
        char next[32];
        snprintf(next, sizeof next, "%zu", j->search.offset + shown);
        scry_json_put_str(&w, next);
    } else {
        scry_json_put_null(&w);
    }
    scry_json_end(&w, '}');
    respond_json(r, 200, &b);
}

/* ---- the thread ---- */

typedef struct search_batch {
    server *server;
    scry_session *session;
    request *requests[MAX_BATCH];
    float *vectors;             /* [MAX_BATCH, dim] */
    scry_error errors[MAX_BATCH];
    bool done[MAX_BATCH];
    sem_t started;              /* posted when `ready` is known */
    int ready;                  /* 0, or why there are no searches: errors[0] */
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
            queries[count] = j->query;
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
    }
    free(rows);
}

static bool alike(const scry_search *a, const scry_search *b)
{
    return !a->filter && !b->filter && a->limit == b->limit && a->offset == b->offset && a->min_score == b->min_score &&
           a->all_copies == b->all_copies && a->fold == b->fold;
}

/* All requests that want the same as request `first`: one pass over the vectors. */
static void scan_group(batch *b, size_t n, size_t first)
{
    size_t dim = (size_t)b->server->info->dim, count = 0, member[MAX_BATCH];
    const scry_search *want = &b->requests[first]->search->search;
    float *queries = scry_alloc(n * dim * sizeof *queries);   /* [count, dim] */
    scry_results *results[MAX_BATCH] = { 0 };
    for (size_t i = first; i < n; i++)
        if (!b->done[i] && (i == first || alike(want, &b->requests[i]->search->search))) {
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
            answer_search(q, q->search, results[k]);
        scry_results_free(results[k]);
        b->done[member[k]] = true;
        request_finish(q);
    }
    free(queries);
}

static void answer_batch(batch *b, size_t n)
{
    /* A worker may hold the lock for as long as a picture takes: searches go on without the news. */
    if (pthread_rwlock_trywrlock(&b->server->store_lock) == 0) {
        if (scry_store_refresh(b->server->store, NULL) < 0)
            scry_log(SCRY_LOG_WARN, "the store cannot be refreshed: searching what was read before");
        pthread_rwlock_unlock(&b->server->store_lock);
    }
    pthread_rwlock_rdlock(&b->server->store_lock);
    embed_batch(b, n);
    for (size_t i = 0; i < n; i++) {
        b->requests[i]->search->line = scry_line_at(b->server->line, b->vectors + i * (size_t)b->server->info->dim);
        b->done[i] = b->errors[i].code < 0;
        if (b->done[i]) {
            respond_error(b->requests[i], &b->errors[i]);
            request_finish(b->requests[i]);
        }
    }
    for (size_t i = 0; i < n; i++)
        if (!b->done[i])
            scan_group(b, n, i);
    pthread_rwlock_unlock(&b->server->store_lock);
}

/* The first search must not be the slow one: before we listen some are made, on the thread that
 * makes all others. A batch of texts that share little, so that they have the tokens for which the
 * tower packs its weights (PACK_FROM_TOKENS in model.c); then searches, for the store keeps what it
 * scans only from the second on. What goes wrong with the store is told to the one who
 * searches. */
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
        r = scry_embed_texts(b->session, texts, 1, b->vectors, NULL, err);
        if (r == 0 && scry_store_search(b->server->store, b->vectors, &search, &results, NULL) == 0)
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
