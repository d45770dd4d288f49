#include "server/duplicate_runs.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/system.h"
#include "engine/duplicates_json.h"
#include "engine/user_marks.h"
#include "server/away.h"
#include "server/request.h"
#include "server/router.h"
#include "server/search.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 4, MAX_JSON_BYTES = 64 << 20, LOW_PRIORITY = 10, PAGE = 20, MAX_PAGE = 100, SHOWN_OTHERS = 100 };

/* One computation, or its result. */
typedef struct run {
    char *key;                 /* the parameters that it depends on */
    uint64_t files_change;     /* of the store when it was asked for; 0: not known, `until_ms` decides */
    search_job *job;           /* its filters */
    double cosine, until_ms;
    uint64_t done, total;      /* contents, while it runs */
    scry_duplicates *groups;   /* NULL: not yet */
    scry_error failure;        /* code 0: none */
    unsigned long used;
} run;

struct duplicate_runs {
    pthread_mutex_t lock;      /* guards all below, and `groups` while an answer is made of them */
    run *runs[KEPT];
    run *running;              /* one of them, or NULL */
    unsigned long requests;
    pthread_t thread;
    bool started;              /* the thread is to be joined */
    scry_cancel stopping;
    server *server;
};

struct duplicate_runs *duplicate_runs_new(server *s)
{
    struct duplicate_runs *d = scry_alloc(sizeof *d);
    d->server = s;
    pthread_mutex_init(&d->lock, NULL);
    return d;
}

static void run_free(run *r)
{
    if (!r)
        return;
    scry_duplicates_free(r->groups);
    search_job_free(r->job);
    free(r->key);
    free(r);
}

void duplicate_runs_free(struct duplicate_runs *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    atomic_store(&d->stopping, 1);
    pthread_mutex_unlock(&d->lock);
    if (d->started)
        pthread_join(d->thread, NULL);
    for (size_t i = 0; i < KEPT; i++)
        run_free(d->runs[i]);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

/* ---- the computation ---- */

static void note_progress(void *arg, uint64_t done, uint64_t total)
{
    struct duplicate_runs *d = arg;
    pthread_mutex_lock(&d->lock);
    d->running->done = done;
    d->running->total = total;
    pthread_mutex_unlock(&d->lock);
}

static int compute(struct duplicate_runs *d, const run *r, scry_duplicates **out, scry_error *err)
{
    scry_store *store;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_duplicates_options how = { .filter = r->job->request.search.filter, .cosine = r->cosine, .progress = note_progress,
                                    .arg = d, .cancel = &d->stopping };
    o.collection = d->server->collection;
    o.milvus = d->server->options.milvus;
    int result = scry_store_open(&store, d->server->where, &o, err);
    if (result < 0)
        return result;
    result = scry_duplicates_find(out, store, &how, err);
    scry_store_close(store, NULL);
    return result;
}

static void *run_loop(void *arg)
{
    struct duplicate_runs *d = arg;
    run *r = d->running;
    scry_duplicates *groups = NULL;
    scry_error err = SCRY_ERROR_INIT;
    double start = scry_now_ms();
    scry_lower_thread(LOW_PRIORITY);   /* the threads of its scan inherit it */
    int result = compute(d, r, &groups, &err);
    pthread_mutex_lock(&d->lock);
    r->groups = groups;
    if (result < 0)
        r->failure = err;
    r->until_ms = scry_now_ms() + 20 * (scry_now_ms() - start);
    d->running = NULL;
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* With the lock, and no run running: the thread of the last one has ended, or is about to. */
static bool start(struct duplicate_runs *d, run *r)
{
    if (d->started)
        pthread_join(d->thread, NULL);
    d->running = r;
    d->started = pthread_create(&d->thread, NULL, run_loop, d) == 0;
    if (!d->started)
        d->running = NULL;
    return d->started;
}

/* ---- requests ---- */

typedef struct {
    search_job *job;
    scry_buf key;
    double cosine;
    bool exact, kept;
    int result;
    scry_error err;
} parameters;

static int set_parameter(parameters *p, const char *name, const char *value)
{
    scry_value v = scry_text(value);
    if (strcmp(name, "exact") == 0 || strcmp(name, "kept") == 0) {
        if (!scry_value_flag(v, strcmp(name, "exact") == 0 ? &p->exact : &p->kept))
            return scry_fail(&p->err, SCRY_EINVALID, "%s takes true or false (or 1 or 0)", name);
        return 0;
    }
    if (strcmp(name, "similarity") == 0) {
        if (!scry_value_number(v, &p->cosine) || !(p->cosine > 0 && p->cosine <= 1))
            return scry_fail(&p->err, SCRY_EINVALID, "similarity takes a number above 0 and up to 1");
        return 0;
    }
    if (strcmp(name, "sort") == 0 || strcmp(name, "reverse") == 0 || strcmp(name, "unique") == 0 || strcmp(name, "cursor") == 0)
        return scry_fail(&p->err, SCRY_EINVALID, "%s is not for duplicates, which have an order of their own", name);
    return scry_request_set(&p->job->request, name, v, &p->err);
}

/* What the page of the answer is does not belong to the key. */
static void read_arg(void *arg, const char *name, const char *value, size_t size)
{
    parameters *p = arg;
    char *text = scry_strndup(value ? value : "", size);
    if (p->result == 0 && strlen(text) != size)
        p->result = scry_fail(&p->err, SCRY_EINVALID, "%.40s holds a zero byte", name);
    if (p->result == 0)
        p->result = set_parameter(p, name, text);
    if (strcmp(name, "limit") != 0 && strcmp(name, "offset") != 0 && strcmp(name, "kept") != 0)
        scry_buf_printf(&p->key, "%s=%zu:%s&", name, size, text);
    free(text);
}

/* false: a 4xx was made. */
static bool read_parameters(request *r, parameters *p)
{
    p->job->request.search.limit = PAGE;
    request_each_arg(r, read_arg, p);
    if (p->result == 0)
        p->result = scry_request_finish(&p->job->request, &p->err);
    if (p->result == 0 && p->job->request.search.limit > MAX_PAGE)
        p->result = scry_fail(&p->err, SCRY_EINVALID, "limit takes a whole number from 1 to %d", MAX_PAGE);
    if (p->result == 0 && p->key.failed)
        p->result = scry_fail(&p->err, SCRY_ELIMIT, "the filters are too long");
    if (p->result < 0)
        respond_error(r, &p->err);
    return p->result == 0;
}

static bool is_current(const run *r, uint64_t files_change)
{
    return r->files_change == files_change && (files_change || r->until_ms == 0 || scry_now_ms() < r->until_ms);
}

static bool has_key(const run *r, const parameters *p)
{
    return strcmp(r->key, scry_buf_str(&p->key)) == 0;
}

/* With the lock: the run of these parameters, begun if there is none that is current; NULL: another one runs, whose end is to be
 * waited for, or none can be started. */
static run *find_run(struct duplicate_runs *d, parameters *p, uint64_t files_change)
{
    run **place = NULL;   /* empty, else the one that was used least recently */
    for (run **r = d->runs; r < d->runs + KEPT; r++) {
        if (*r && has_key(*r, p) && (*r == d->running || is_current(*r, files_change)))
            return *r;
        if ((!*r || *r != d->running) && (!place || (*place && (!*r || (*r)->used < (*place)->used))))
            place = r;
    }
    if (d->running)
        return NULL;
    run_free(*place);
    run *made = *place = scry_alloc(sizeof *made);
    *made = (run){ .key = scry_strdup(scry_buf_str(&p->key)), .files_change = files_change, .job = p->job,
                   .cosine = p->exact ? 0 : p->cosine };
    p->job = NULL;   /* the run has it now */
    if (!start(d, made)) {
        run_free(made);
        *place = NULL;
    }
    return *place;
}

static int put_groups(scry_json_writer *w, server *s, run *r, scry_duplicates_page page, bool kept, scry_error *err)
{
    uint64_t bytes;
    if (kept)
        scry_duplicates_show_kept(r->groups);
    int result = kept ? 0 : scry_duplicates_hide_kept(r->groups, s->store, err);
    if (result < 0)
        return result;
    size_t count = scry_duplicates_count(r->groups);
    page.from = page.from < count ? page.from : count;
    page.count = count - page.from < page.count ? count - page.from : page.count;
    scry_json_add_int(w, "total", (int64_t)count);
    scry_json_add_int(w, "others", (int64_t)scry_duplicates_rest(r->groups, &bytes));
    scry_json_add_int(w, "bytes", (int64_t)bytes);
    scry_json_key(w, "groups");
    result = scry_duplicates_put_json(w, s->store, r->groups, &page, err);
    scry_json_key(w, "next_offset");
    if (page.from + page.count < count)
        scry_json_put_int(w, (int64_t)(page.from + page.count));
    else
        scry_json_put_null(w);
    return result;
}

/* A failure is told once; the next request tries again. */
static int take_failure(run *r, scry_error *err)
{
    if (!r || !r->failure.code)
        return 0;
    r->key[0] = '\0';
    return scry_fail(err, r->failure.code, "%s", r->failure.message);
}

static bool is_file_away(void *watch, const scry_file *f)
{
    return is_away(watch, f->path);
}

/* With the store's lock for reading. */
static int put_answer(scry_json_writer *w, server *s, parameters *p, uint64_t files_change, scry_error *err)
{
    struct duplicate_runs *d = s->duplicate_runs;
    const scry_search *asked = &p->job->request.search;
    scry_duplicates_page page = { .from = asked->offset, .count = asked->limit, .others = SHOWN_OTHERS,
                                  .is_away = is_file_away, .arg = s->away };
    pthread_mutex_lock(&d->lock);
    run *r = find_run(d, p, files_change);
    if (r)
        r->used = ++d->requests;
    int result = take_failure(r, err);
    scry_json_begin(w, '{');
    scry_json_add_str(w, "state", !r ? "waiting" : r->groups ? "done" : "running");
    if (result == 0 && r && r->groups) {
        result = put_groups(w, s, r, page, p->kept, err);
    } else {
        scry_json_add_int(w, "done", r ? (int64_t)r->done : 0);
        scry_json_add_int(w, "of", r ? (int64_t)r->total : 0);
    }
    scry_json_end(w, '}');
    pthread_mutex_unlock(&d->lock);
    return result;
}

/* GET /api/v1/duplicates */
static void duplicates_get(request *r, worker_tools *tools)
{
    parameters p = { .job = search_job_new(SCRY_VIA_LIST_URL), .key = SCRY_BUF_INIT(1 << 20), .cosine = SCRY_FOLD_AUTO };
    if (read_parameters(r, &p)) {
        scry_error err = SCRY_ERROR_INIT;
        scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
        scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
        scry_store_info info = { 0 };
        pthread_rwlock_rdlock(&r->server->store_lock);
        int result = server_has_folder(r->server) ? scry_store_get_info(r->server->store, &info, &err) : 0;
        if (result == 0)
            result = put_answer(&w, r->server, &p, info.files_change, &err);
        pthread_rwlock_unlock(&r->server->store_lock);
        respond_result(r, result, &err, &b);
    }
    search_job_free(p.job);
    scry_buf_dispose(&p.key);
}

const route routes_duplicates[] = {
    { "GET", "/api/v1/duplicates", RUN_ON_WORKER, duplicates_get, 0, false, ANY_QUERY },
    { 0 },
};
