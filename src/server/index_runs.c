#include "server/index_runs.h"

#include "base/alloc.h"
#include "base/file.h"
#include "engine/file_json.h"
#include "engine/skip_code.h"
#include "scry/rebuild.h"
#include "server/request.h"
#include "server/router.h"
#include "server/server.h"
#include "server/store_watch.h"
#include "server/store_writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RUNS = 64, MAX_KEPT_SKIPS = 200, MAX_PATHS = 64 };

typedef struct index_run {
    struct index_run *next;
    unsigned id;
    server *server;
    char *paths[MAX_PATHS];
    scry_index_options options;
    bool rebuild;                  /* embed the collection again; no paths */
    atomic_int cancel;
    pthread_t thread;
    /* under the list's lock: */
    bool over;
    unsigned version;              /* incremented at each change: watchers wait for a version they have not sent */
    scry_index_progress progress;
    scry_error result;
    char *skips[MAX_KEPT_SKIPS];   /* JSON objects, owned */
    size_t skip_count;
} index_run;

/* A connection that receives the events of a run. */
typedef struct watcher {
    struct watcher *next, **link;
    struct MHD_Connection *connection;
    server *server;
    unsigned id, seen;
    size_t skips_sent;
    bool ended, asleep;            /* asleep: suspended until the version changes */
    scry_buf pending;
    size_t sent;
} watcher;

struct index_runs {
    pthread_mutex_t lock;
    index_run *first;
    watcher *watchers;
    unsigned last_id;
    bool closing;
};

/* Resume the watchers' connections after a change; with the list's lock held. */
static void wake_watchers(struct index_runs *l)
{
    for (watcher *w = l->watchers; w; w = w->next)
        if (w->asleep) {
            w->asleep = false;
            MHD_resume_connection(w->connection);
        }
}

struct index_runs *index_runs_new(void)
{
    struct index_runs *l = scry_alloc(sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void index_runs_cancel_all(struct index_runs *l)
{
    pthread_mutex_lock(&l->lock);
    for (index_run *run = l->first; run; run = run->next)
        atomic_store(&run->cancel, 1);
    pthread_mutex_unlock(&l->lock);
}

void index_runs_end_events(struct index_runs *l)
{
    pthread_mutex_lock(&l->lock);
    l->closing = true;
    wake_watchers(l);
    pthread_mutex_unlock(&l->lock);
}

static void run_free(index_run *run)
{
    pthread_join(run->thread, NULL);
    for (size_t i = 0; i < run->options.path_count; i++)
        free(run->paths[i]);
    for (size_t i = 0; i < run->skip_count; i++)
        free(run->skips[i]);
    free(run);
}

void index_runs_free(struct index_runs *l)
{
    if (!l)
        return;
    index_runs_cancel_all(l);
    while (l->first) {
        index_run *run = l->first;
        l->first = run->next;
        run_free(run);
    }
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- a run ---- */

static void on_progress(void *arg, const scry_index_progress *p)
{
    index_run *run = arg;
    pthread_mutex_lock(&run->server->index_runs->lock);
    run->progress = *p;
    run->version++;
    wake_watchers(run->server->index_runs);
    pthread_mutex_unlock(&run->server->index_runs->lock);
}

static void on_skip(void *arg, const char *path, const char *reason)
{
    index_run *run = arg;
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "path", path);
    scry_json_add_str(&w, "reason", reason);
    scry_json_add_str(&w, "code", scry_skip_code(reason));
    scry_json_end(&w, '}');
    pthread_mutex_lock(&run->server->index_runs->lock);
    if (run->skip_count < MAX_KEPT_SKIPS)
        run->skips[run->skip_count++] = scry_buf_take(&b);
    run->version++;
    wake_watchers(run->server->index_runs);
    pthread_mutex_unlock(&run->server->index_runs->lock);
    scry_buf_dispose(&b);
}

static int run_rebuild(index_run *run, scry_error *err)
{
    server *s = run->server;
    scry_store *old;
    scry_store_info info;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.collection = s->collection;
    o.mode = SCRY_STORE_WRITE;
    o.milvus = s->options.milvus;
    int r = scry_store_open(&old, s->where, &o, err);
    if (r < 0)
        return r;
    scry_rebuild_estimate e;
    r = scry_rebuild_get_estimate(old, s->model, &e, err);
    if (r < 0 || e.current) {   /* current: nothing to do */
        int closed = scry_store_close(old, r < 0 ? NULL : err);
        return r < 0 ? r : closed;
    }
    scry_store_describe(old, &info);
    char *name = scry_strdup(info.model_name);
    scry_store_options as = SCRY_STORE_OPTIONS_INIT;
    as.model_identity = s->info->identity;
    as.model_name = name;
    as.precision = scry_precision_name(s->info->precision);
    as.dim = s->info->dim;
    r = scry_rebuild_run(old, s->model, &as, &run->options, NULL, err);
    free(name);
    if (r == 0)
        store_watch_reopen(s->store_watch);
    return r;
}

static int run_paths(index_run *run, scry_error *err)
{
    server *s = run->server;
    scry_store *writer;
    int r = store_writer_open(s, &writer, err);
    if (r < 0)
        return r;
    r = scry_index_run(writer, s->model, &run->options, NULL, err);
    int closed = store_writer_close(s, writer, CHANGED_FILES, r < 0 ? NULL : err);
    return r < 0 ? r : closed;
}

static void *run_thread(void *arg)
{
    index_run *run = arg;
    server *s = run->server;
    scry_error err = SCRY_ERROR_INIT;
    store_writer_claim(s, WRITER_RUN);
    (void)!(run->rebuild ? run_rebuild : run_paths)(run, &err);
    store_writer_release(s);
    pthread_mutex_lock(&s->index_runs->lock);
    run->result = err;
    run->over = true;
    run->version++;
    wake_watchers(s->index_runs);
    pthread_mutex_unlock(&s->index_runs->lock);
    return NULL;
}

static index_run *find_run(struct index_runs *l, const char *id)
{
    char *end;
    unsigned long n = strtoul(id, &end, 10);
    for (index_run *run = l->first; run; run = run->next)
        if (*id && !*end && run->id == n)
            return run;
    return NULL;
}

/* Remove the oldest finished run where there are too many; false, *busy set: one is not over. */
static bool make_room(struct index_runs *l, bool *busy)
{
    size_t n = 0;
    index_run *oldest = NULL, **link = &l->first, **oldest_link = NULL;
    *busy = false;
    for (; *link; link = &(*link)->next, n++) {
        *busy |= !(*link)->over;
        if ((*link)->over) {
            oldest = *link;
            oldest_link = link;
        }
    }
    if (!*busy && n >= MAX_RUNS && oldest) {
        *oldest_link = oldest->next;
        run_free(oldest);
    }
    return !*busy;
}

/* ---- as JSON ---- */

/* With the list's lock held. */
static void put_run(scry_json_writer *w, const index_run *run)
{
    scry_json_begin(w, '{');
    scry_json_add_int(w, "job", run->id);
    scry_json_add_str(w, "state", !run->over ? "running" : run->result.code == 0 ? "done"
                                  : run->result.code == SCRY_ECANCELLED ? "cancelled" : "failed");
    scry_json_add_str(w, "error", run->over && run->result.code ? run->result.message : NULL);
    scry_json_put_progress(w, &run->progress);
    scry_json_end(w, '}');
}

/* ---- routes ---- */

static bool read_flags(request *r, const scry_json *body, index_run *run)
{
    const struct { const char *name; bool *to; } flags[] = {
        { "prune", &run->options.prune }, { "retry", &run->options.retry }, { "recheck", &run->options.recheck },
        { "rebuild_metadata", &run->options.rebuild_metadata }, { "rebuild", &run->rebuild },
    };
    bool good = request_members(r, body, "paths prune retry recheck rebuild rebuild_metadata");
    for (size_t i = 0; good && i < sizeof flags / sizeof *flags; i++)
        good = request_flag(r, body, flags[i].name, flags[i].to);
    return good;
}

/* "~/Pictures" is in the home folder of the user who runs the server; owned; NULL: not absolute. */
static char *absolute_path(const char *path)
{
    char *full = scry_expand_home(path);
    if (full[0] == '/')
        return full;
    free(full);
    return NULL;
}

static bool read_list(request *r, const scry_json *paths, index_run *run)
{
    size_t n = scry_json_size(paths), i = 0;
    for (; i < n && i < MAX_PATHS; i++) {
        const char *path = scry_json_str(scry_json_at(paths, i), NULL);
        if (!path)
            break;
        if (!(run->paths[i] = absolute_path(path))) {
            respond_named_problem(r, 400, "not_absolute", "paths takes absolute paths, or what begins with ~/, not \"%s\"", path);
            return false;
        }
    }
    run->options.path_count = i;
    run->options.paths = (const char *const *)run->paths;
    if (n && i == n)
        return true;
    respond_problem(r, 400, "paths must be a list of 1 to %d absolute paths", MAX_PATHS);
    return false;
}

static bool read_paths(request *r, index_run *run)
{
    scry_json *root = NULL;
    if (!request_json(r, &root))
        return false;
    bool good = read_flags(r, root, run);
    const scry_json *paths = scry_json_get(root, "paths");
    if (good && !run->rebuild) {
        good = read_list(r, paths, run);
    } else if (good && paths) {
        respond_problem(r, 400, "a rebuild is of the whole collection: give no paths");
        good = false;
    }
    scry_json_free(root);
    return good;
}

static void index_post(request *r, worker_tools *tools)
{
    server *s = r->server;
    if (!s->options.allow_index) {
        respond_named_problem(r, 403, "not_enabled", "indexing is not enabled: start the server with --allow-index");
        return;
    }
    index_run *run = scry_alloc(sizeof *run);
    run->server = s;
    run->version = 1;
    bool ok = read_paths(r, run), busy = false;
    run->options.time_limit_ms = s->options.time_limit_s * 1000;
    run->options.progress = on_progress;
    run->options.skipped = on_skip;
    run->options.arg = run;
    run->options.cancel = &run->cancel;
    pthread_mutex_lock(&s->index_runs->lock);
    if (ok && make_room(s->index_runs, &busy)) {
        run->id = ++s->index_runs->last_id;
        ok = pthread_create(&run->thread, NULL, run_thread, run) == 0;
        if (ok) {
            run->next = s->index_runs->first;
            s->index_runs->first = run;
            scry_buf b = SCRY_BUF_INIT(1 << 16);
            scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
            put_run(&w, run);
            respond_json(r, 202, &b);
            respond_header(r, "Location", "%s/api/v1/index/%u", s->public_path ? s->public_path : "", run->id);
        } else {
            respond_problem(r, 503, "cannot start a thread for the run");
        }
    } else if (ok) {
        ok = false;
        respond_named_problem(r, 409, "index_running", "an index run is in progress: wait for it or cancel it");
    }
    pthread_mutex_unlock(&s->index_runs->lock);
    if (!ok) {
        for (size_t i = 0; i < MAX_PATHS; i++)
            free(run->paths[i]);
        free(run);
    }
}

static void index_list(request *r, worker_tools *tools)
{
    struct index_runs *l = r->server->index_runs;
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "jobs");
    scry_json_begin(&w, '[');
    pthread_mutex_lock(&l->lock);
    for (index_run *run = l->first; run; run = run->next)
        put_run(&w, run);
    pthread_mutex_unlock(&l->lock);
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    respond_json(r, 200, &b);
}

static void index_one(request *r, bool cancel)
{
    struct index_runs *l = r->server->index_runs;
    pthread_mutex_lock(&l->lock);
    index_run *run = find_run(l, r->param[0]);
    if (!run) {
        respond_problem(r, 404, "there is no index run %.32s", r->param[0]);
    } else {
        if (cancel)
            atomic_store(&run->cancel, 1);
        scry_buf b = SCRY_BUF_INIT(1 << 16);
        scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
        put_run(&w, run);
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

static void write_events(watcher *w, const index_run *run)
{
    for (; w->skips_sent < run->skip_count; w->skips_sent++)
        scry_buf_printf(&w->pending, "event: skipped\ndata: %s\n\n", run->skips[w->skips_sent]);
    scry_buf_printf(&w->pending, "event: %s\ndata: ", run->over ? "done" : "progress");
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&w->pending);
    put_run(&json, run);
    scry_buf_puts(&w->pending, "\n\n");
    w->ended = run->over;
    w->seen = run->version;
}

/* libmicrohttpd asks for bytes. If there are none the connection is suspended until the run changes: otherwise
 * the loop would call this again and again. */
static ssize_t read_events(void *cls, uint64_t position, char *out, size_t max)
{
    watcher *w = cls;
    if (w->sent == w->pending.size) {
        scry_buf_clear(&w->pending);
        w->sent = 0;
        if (w->ended)
            return MHD_CONTENT_READER_END_OF_STREAM;
        struct index_runs *l = w->server->index_runs;
        char id[16];
        snprintf(id, sizeof id, "%u", w->id);
        pthread_mutex_lock(&l->lock);
        const index_run *run = find_run(l, id);
        if (run && run->version != w->seen)
            write_events(w, run);
        else if (!run || l->closing)
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
    struct index_runs *l = w->server->index_runs;
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
    struct index_runs *l = r->server->index_runs;
    pthread_mutex_lock(&l->lock);
    index_run *run = find_run(l, r->param[0]);
    unsigned id = run ? run->id : 0;
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
    respond_header(r, "X-Accel-Buffering", "no");   /* nginx passes events on at once */
}

const route routes_index[] = {
    { "POST", "/api/v1/index", RUN_ON_WORKER, index_post, 1 << 16, false, "" },
    { "GET", "/api/v1/index", RUN_ON_LOOP, index_list, 0, false, "" },
    { "GET", "/api/v1/index/{job}", RUN_ON_LOOP, index_get, 0, false, "" },
    { "DELETE", "/api/v1/index/{job}", RUN_ON_LOOP, index_delete, 0, false, "" },
    { "GET", "/api/v1/index/{job}/events", RUN_ON_LOOP, index_events, 0, false, "" },
    { 0 },
};
