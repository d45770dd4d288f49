#include "server/jobs.h"

#include "base/alloc.h"
#include "scry/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JOBS = 64, MAX_KEPT_SKIPS = 200, MAX_PATHS = 64 };

typedef struct job {
    struct job *next;
    unsigned id;
    server *server;
    char *paths[MAX_PATHS];
    scry_index_options options;
    atomic_int cancel;
    pthread_t thread;
    /* under the list's lock: */
    bool over;
    unsigned version;              /* counts changes from 1: watchers wait for one they have not seen */
    scry_index_progress progress;
    scry_error result;
    char *skips[MAX_KEPT_SKIPS];   /* JSON objects, owned */
    size_t skip_count;
} job;

/* A connection that is told a job's events. */
typedef struct watcher {
    struct watcher *next, **link;
    struct MHD_Connection *connection;
    server *server;
    unsigned id, seen;
    size_t skips_sent;
    bool ended, asleep;            /* asleep: suspended until there is news */
    scry_buf pending;
    size_t sent;
} watcher;

struct job_list {
    pthread_mutex_t lock;
    job *first;
    watcher *watchers;
    unsigned last_id;
    bool closing;
};

/* There is news: with the list's lock held. */
static void wake_watchers(struct job_list *l)
{
    for (watcher *w = l->watchers; w; w = w->next)
        if (w->asleep) {
            w->asleep = false;
            MHD_resume_connection(w->connection);
        }
}

struct job_list *jobs_new(void)
{
    struct job_list *l = scry_alloc(sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void jobs_cancel_all(struct job_list *l)
{
    pthread_mutex_lock(&l->lock);
    for (job *j = l->first; j; j = j->next)
        atomic_store(&j->cancel, 1);
    pthread_mutex_unlock(&l->lock);
}

void jobs_end_events(struct job_list *l)
{
    pthread_mutex_lock(&l->lock);
    l->closing = true;
    wake_watchers(l);
    pthread_mutex_unlock(&l->lock);
}

static void job_free(job *j)
{
    pthread_join(j->thread, NULL);
    for (size_t i = 0; i < j->options.path_count; i++)
        free(j->paths[i]);
    for (size_t i = 0; i < j->skip_count; i++)
        free(j->skips[i]);
    free(j);
}

void jobs_free(struct job_list *l)
{
    if (!l)
        return;
    jobs_cancel_all(l);
    while (l->first) {
        job *j = l->first;
        l->first = j->next;
        job_free(j);
    }
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- writing ---- */

/* A change waits for others to end, a run for them too; false: a change that came upon a run. */
static bool claim_writer(server *s, writer_claim claim)
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

static void release_writer(server *s)
{
    pthread_mutex_lock(&s->writer_lock);
    s->writer = WRITER_FREE;
    pthread_cond_broadcast(&s->writer_released);
    pthread_mutex_unlock(&s->writer_lock);
}

bool server_change_begin(request *r)
{
    bool ok = claim_writer(r->server, WRITER_CHANGE);
    if (!ok)
        respond_problem(r, 409, "an index run is under way: wait for it or cancel it, then try again");
    return ok;
}

void server_change_end(request *r)
{
    release_writer(r->server);
}

int server_writer_open(server *s, scry_store **out, scry_error *err)
{
    scry_store_info info;
    scry_store_describe(s->store, &info);
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.collection = info.collection;
    o.mode = SCRY_STORE_WRITE;
    o.model_identity = s->info->identity;
    o.milvus = s->options.milvus;
    return scry_store_open(out, info.where, &o, err);
}

int server_writer_close(server *s, scry_store *writer, scry_error *err)
{
    int r = scry_store_close(writer, err);
    pthread_rwlock_wrlock(&s->store_lock);
    int refreshed = scry_store_refresh(s->store, r < 0 ? NULL : err);
    pthread_rwlock_unlock(&s->store_lock);
    atomic_fetch_add(&s->changes, 1);
    return r < 0 ? r : refreshed;
}

/* ---- a run ---- */

static void on_progress(void *arg, const scry_index_progress *p)
{
    job *j = arg;
    pthread_mutex_lock(&j->server->jobs->lock);
    j->progress = *p;
    j->version++;
    wake_watchers(j->server->jobs);
    pthread_mutex_unlock(&j->server->jobs->lock);
}

static void on_skip(void *arg, const char *path, const char *reason)
{
    job *j = arg;
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "path");
    scry_json_put_str(&w, path);
    scry_json_key(&w, "reason");
    scry_json_put_str(&w, reason);
    scry_json_end(&w, '}');
    pthread_mutex_lock(&j->server->jobs->lock);
    if (j->skip_count < MAX_KEPT_SKIPS)
        j->skips[j->skip_count++] = scry_buf_take(&b);
    j->version++;
    wake_watchers(j->server->jobs);
    pthread_mutex_unlock(&j->server->jobs->lock);
    scry_buf_dispose(&b);
}

static void *run_job(void *arg)
{
    job *j = arg;
    server *s = j->server;
    scry_store *writer;
    scry_error err = SCRY_ERROR_INIT;
    claim_writer(s, WRITER_RUN);
    int r = server_writer_open(s, &writer, &err);
    if (r == 0) {
        r = scry_index_run(writer, s->model, &j->options, NULL, &err);
        int closed = server_writer_close(s, writer, r < 0 ? NULL : &err);
        r = r < 0 ? r : closed;
    }
    release_writer(s);
    pthread_mutex_lock(&s->jobs->lock);
    j->result = err;
    j->over = true;
    j->version++;
    wake_watchers(s->jobs);
    pthread_mutex_unlock(&s->jobs->lock);
    return NULL;
}

static job *find_job(struct job_list *l, const char *id)
{
    char *end;
    unsigned long n = strtoul(id, &end, 10);
    for (job *j = l->first; j; j = j->next)
        if (*id && !*end && j->id == n)
            return j;
    return NULL;
}

/* Forget the oldest finished jobs; true when there is room and none runs. */
static bool make_room(struct job_list *l, bool *busy)
{
    size_t n = 0;
    job *oldest = NULL, **link = &l->first, **oldest_link = NULL;
    *busy = false;
    for (; *link; link = &(*link)->next, n++) {
        *busy |= !(*link)->over;
        if ((*link)->over) {
            oldest = *link;
            oldest_link = link;
        }
    }
    if (!*busy && n >= MAX_JOBS && oldest) {
        *oldest_link = oldest->next;
        job_free(oldest);
    }
    return !*busy;
}

/* ---- as JSON ---- */

static void put_progress(scry_json_writer *w, const scry_index_progress *p)
{
    const struct { const char *key; uint64_t n; } counts[] = {
        { "found", p->found }, { "added", p->added }, { "updated", p->updated }, { "unchanged", p->unchanged },
        { "skipped", p->skipped }, { "pruned", p->pruned }, { "embedded", p->embedded },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        scry_json_key(w, counts[i].key);
        scry_json_put_int(w, (int64_t)counts[i].n);
    }
    scry_json_key(w, "walking");
    scry_json_put_bool(w, p->walking);
    scry_json_key(w, "elapsed_ms");
    scry_json_put_num(w, p->elapsed_ms, 7);
}

/* With the list's lock held. */
static void put_job(scry_json_writer *w, const job *j)
{
    scry_json_begin(w, '{');
    scry_json_key(w, "job");
    scry_json_put_int(w, j->id);
    scry_json_key(w, "state");
    scry_json_put_str(w, !j->over ? "running" : j->result.code == 0 ? "done"
                         : j->result.code == SCRY_ECANCELLED ? "cancelled" : "failed");
    scry_json_key(w, "error");
    scry_json_put_str(w, j->over && j->result.code ? j->result.message : NULL);
    put_progress(w, &j->progress);
    scry_json_end(w, '}');
}

/* ---- routes ---- */

static bool read_paths(request *r, job *j)
{
    scry_json *root = NULL;
    if (!request_json(r, &root))
        return false;
    const scry_json *paths = scry_json_get(root, "paths");
    size_t n = scry_json_size(paths), i = 0;
    for (; i < n && i < MAX_PATHS; i++) {
        const char *path = scry_json_str(scry_json_at(paths, i), NULL);
        if (!path || path[0] != '/')
            break;
        j->paths[i] = scry_strdup(path);
    }
    j->options.path_count = i;
    j->options.paths = (const char *const *)j->paths;
    j->options.prune = scry_json_bool(scry_json_get(root, "prune"), false);
    j->options.retry = scry_json_bool(scry_json_get(root, "retry"), false);
    scry_json_free(root);
    if (n && i == n)
        return true;
    respond_problem(r, 400, "paths must be a list of 1 to %d absolute paths", MAX_PATHS);
    return false;
}

static void index_post(request *r, worker_tools *tools)
{
    server *s = r->server;
    if (!s->options.allow_index) {
        respond_problem(r, 403, "indexing is off here: start the server with --allow-index");
        return;
    }
    job *j = scry_alloc(sizeof *j);
    j->server = s;
    j->version = 1;
    bool ok = read_paths(r, j), busy = false;
    j->options.time_limit_ms = s->options.time_limit_s * 1000;
    j->options.progress = on_progress;
    j->options.skipped = on_skip;
    j->options.arg = j;
    j->options.cancel = &j->cancel;
    pthread_mutex_lock(&s->jobs->lock);
    if (ok && make_room(s->jobs, &busy)) {
        j->id = ++s->jobs->last_id;
        ok = pthread_create(&j->thread, NULL, run_job, j) == 0;
        if (ok) {
            j->next = s->jobs->first;
            s->jobs->first = j;
            scry_buf b = SCRY_BUF_INIT(1 << 16);
            scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
            put_job(&w, j);
            respond_json(r, 202, &b);
            respond_header(r, "Location", "/api/v1/index/%u", j->id);
        } else {
            respond_problem(r, 503, "cannot start a thread for the run");
        }
    } else if (ok) {
        ok = false;
        respond_problem(r, 409, "an index run is under way: wait for it or cancel it");
    }
    pthread_mutex_unlock(&s->jobs->lock);
    if (!ok) {
        for (size_t i = 0; i < MAX_PATHS; i++)
            free(j->paths[i]);
        free(j);
    }
}

static void index_list(request *r, worker_tools *tools)
{
    struct job_list *l = r->server->jobs;
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "jobs");
    scry_json_begin(&w, '[');
    pthread_mutex_lock(&l->lock);
    for (job *j = l->first; j; j = j->next)
        put_job(&w, j);
    pthread_mutex_unlock(&l->lock);
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    respond_json(r, 200, &b);
}

static void index_one(request *r, bool cancel)
{
    struct job_list *l = r->server->jobs;
    pthread_mutex_lock(&l->lock);
    job *j = find_job(l, r->param[0]);
    if (!j) {
        respond_problem(r, 404, "there is no index run %.32s", r->param[0]);
    } else {
        if (cancel)
            atomic_store(&j->cancel, 1);
        scry_buf b = SCRY_BUF_INIT(1 << 16);
        scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
        put_job(&w, j);
        respond_json(r, cancel ? 202 : 200, &b);
    }
    pthread_mutex_unlock(&l->lock);
}

static void index_get(request *r, worker_tools *tools)
{
    index_one(r, false);
}

static void index_delete(request *r, worker_tools *tools)
{
    index_one(r, true);
}

/* ---- events ---- */

static void write_events(watcher *w, const job *j)
{
    for (; w->skips_sent < j->skip_count; w->skips_sent++)
        scry_buf_printf(&w->pending, "event: skipped\ndata: %s\n\n", j->skips[w->skips_sent]);
    scry_buf_printf(&w->pending, "event: %s\ndata: ", j->over ? "done" : "progress");
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&w->pending);
    put_job(&json, j);
    scry_buf_puts(&w->pending, "\n\n");
    w->ended = j->over;
    w->seen = j->version;
}

/* libmicrohttpd asks for bytes. With none at hand the connection sleeps until there is news: else
 * the loop would ask again and again. */
static ssize_t read_events(void *cls, uint64_t position, char *out, size_t max)
{
    watcher *w = cls;
    if (w->sent == w->pending.size) {
        scry_buf_clear(&w->pending);
        w->sent = 0;
        if (w->ended)
            return MHD_CONTENT_READER_END_OF_STREAM;
        struct job_list *l = w->server->jobs;
        char id[16];
        snprintf(id, sizeof id, "%u", w->id);
        pthread_mutex_lock(&l->lock);
        const job *j = find_job(l, id);
        if (j && j->version != w->seen)
            write_events(w, j);
        else if (!j || l->closing)
            w->ended = true;
        if (!w->pending.size && !w->ended) {
            w->asleep = true;
            MHD_suspend_connection(w->connection);
        }
        pthread_mutex_unlock(&l->lock);
    }
    size_t n = w->pending.size - w->sent;
    if (n == 0)
        return w->ended ? MHD_CONTENT_READER_END_OF_STREAM : 0;
    n = n < max ? n : max;
    memcpy(out, w->pending.data + w->sent, n);
    w->sent += n;
    return (ssize_t)n;
}

static void free_watcher(void *cls)
{
    watcher *w = cls;
    struct job_list *l = w->server->jobs;
    pthread_mutex_lock(&l->lock);
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    pthread_mutex_unlock(&l->lock);
    scry_buf_dispose(&w->pending);
    free(w);
}

static void index_events(request *r, worker_tools *tools)
{
    struct job_list *l = r->server->jobs;
    pthread_mutex_lock(&l->lock);
    job *j = find_job(l, r->param[0]);
    unsigned id = j ? j->id : 0;
    pthread_mutex_unlock(&l->lock);
    if (!id) {
        respond_problem(r, 404, "there is no index run %.32s", r->param[0]);
        return;
    }
    watcher *w = scry_alloc(sizeof *w);
    w->server = r->server;
    w->connection = r->connection;
    w->id = id;
    pthread_mutex_lock(&l->lock);
    w->next = l->watchers;
    w->link = &l->watchers;
    if (l->watchers)
        l->watchers->link = &w->next;
    l->watchers = w;
    pthread_mutex_unlock(&l->lock);
    w->pending = (scry_buf)SCRY_BUF_INIT(4 << 20);
    r->stream = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_events, w, free_watcher);
    r->status = 200;
    r->content_type = "text/event-stream";
}


const route routes_index[] = {
    { "POST", "/api/v1/index", RUN_ON_WORKER, index_post, 1 << 16, false },
    { "GET", "/api/v1/index", RUN_ON_LOOP, index_list, 0, false },
    { "GET", "/api/v1/index/{job}", RUN_ON_LOOP, index_get, 0, false },
    { "DELETE", "/api/v1/index/{job}", RUN_ON_LOOP, index_delete, 0, false },
    { "GET", "/api/v1/index/{job}/events", RUN_ON_LOOP, index_events, 0, false },
    { 0 },
};
