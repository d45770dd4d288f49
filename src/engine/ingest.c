/* ingest.c - scry_index_run: the queues, the writer and the rounds. */
#include "engine/ingest.h"

#include "base/alloc.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/required.h"
#include "store/store_kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { COMMIT_ROWS = 256, COMMIT_MS = 1000, TICK_MS = 100 };

/* ---- queues ---- */

typedef struct link { struct link *next; } link;

static void append(ingest_queue *q, void *item)
{
    ((link *)item)->next = NULL;
    if (q->tail)
        ((link *)q->tail)->next = item;
    else
        q->head = item;
    q->tail = item;
    q->count++;
}

static void *pop(ingest_queue *q)
{
    link *item = q->head;
    if (item) {
        q->head = item->next;
        if (!q->head)
            q->tail = NULL;
        q->count--;
    }
    return item;
}

/* With in->lock held. */
static bool stopped(ingest *in)
{
    if (in->options->cancel && atomic_load(in->options->cancel))
        in->stop = true;
    return in->stop;
}

bool ingest_stopped(ingest *in)
{
    pthread_mutex_lock(&in->lock);
    bool s = stopped(in);
    pthread_mutex_unlock(&in->lock);
    return s;
}

void ingest_fail(ingest *in, const scry_error *err)
{
    pthread_mutex_lock(&in->lock);
    if (in->fatal.code == 0)
        in->fatal = *err;
    in->stop = true;
    pthread_mutex_unlock(&in->lock);
}

static bool failed(ingest *in)
{
    pthread_mutex_lock(&in->lock);
    bool f = in->fatal.code != 0;
    pthread_mutex_unlock(&in->lock);
    return f;
}

bool ingest_push_job(ingest *in, ingest_job *job)
{
    pthread_mutex_lock(&in->lock);
    while (in->jobs.count >= in->jobs.limit && !stopped(in))
        scry_cond_wait_ms(&in->job_taken, &in->lock, TICK_MS);
    bool ok = !stopped(in);
    if (ok)
        append(&in->jobs, job);
    pthread_cond_signal(&in->job_added);
    pthread_mutex_unlock(&in->lock);
    if (!ok)
        ingest_job_free(job);
    return ok;
}

ingest_job *ingest_pop_job(ingest *in, bool *done)
{
    pthread_mutex_lock(&in->lock);
    for (int ticks = 0; in->jobs.count == 0 && in->feeding && !stopped(in) && ticks < 10; ticks++)
        scry_cond_wait_ms(&in->job_added, &in->lock, TICK_MS);
    ingest_job *job = stopped(in) ? NULL : pop(&in->jobs);
    *done = !job && (in->stop || !in->feeding);
    pthread_cond_signal(&in->job_taken);
    pthread_mutex_unlock(&in->lock);
    return job;
}

void ingest_push_result(ingest *in, ingest_result *r)
{
    pthread_mutex_lock(&in->lock);
    while (in->results.count >= in->results.limit)
        pthread_cond_wait(&in->result_taken, &in->lock);
    append(&in->results, r);
    pthread_cond_signal(&in->result_added);
    pthread_mutex_unlock(&in->lock);
}

void ingest_job_free(ingest_job *job)
{
    if (!job)
        return;
    for (size_t i = 0; i < job->label_count; i++)
        free(job->labels[i]);
    free(job->labels);
    free(job->key);
    free(job->path);
    free(job);
}

void ingest_result_free(ingest_result *r)
{
    if (!r)
        return;
    ingest_job_free(r->job);
    scry_results_free(r->old);
    free(r->vector);
    free(r->metadata);
    free(r->beside);
    free(r->companion);
    free(r);
}

/* ---- contents in flight ---- */

static size_t find_mark(const ingest *in, const uint8_t *hash)
{
    size_t i = 0;
    while (i < in->in_flight_count && memcmp(in->in_flight[i], hash, SCRY_HASH_BYTES) != 0)
        i++;
    return i;
}

bool ingest_mark(ingest *in, const uint8_t hash[SCRY_HASH_BYTES])
{
    pthread_mutex_lock(&in->lock);
    bool unmarked = find_mark(in, hash) == in->in_flight_count;
    if (unmarked) {
        if (in->in_flight_count == in->in_flight_capacity) {
            in->in_flight_capacity = in->in_flight_capacity * 2 + 64;
            in->in_flight = scry_realloc(in->in_flight, in->in_flight_capacity * SCRY_HASH_BYTES);
        }
        memcpy(in->in_flight[in->in_flight_count++], hash, SCRY_HASH_BYTES);
    }
    pthread_mutex_unlock(&in->lock);
    return unmarked;
}

void ingest_unmark(ingest *in, const uint8_t hash[SCRY_HASH_BYTES])
{
    pthread_mutex_lock(&in->lock);
    size_t i = find_mark(in, hash);
    if (i < in->in_flight_count)
        memcpy(in->in_flight[i], in->in_flight[--in->in_flight_count], SCRY_HASH_BYTES);
    pthread_mutex_unlock(&in->lock);
}

/* ---- the writer ---- */

typedef struct {
    ingest *in;
    ingest_queue pending;     /* results for the next commit */
    ingest_queue deferred;    /* for another round */
    double last_commit_ms, last_tick_ms;
} writer;

static void report_skipped(const ingest *in, const ingest_result *r)
{
    if (in->options->skipped)
        in->options->skipped(in->options->arg, r->job->path, r->reason);
}

static void count_put(ingest *in, const ingest_result *r)
{
    const scry_file_state *was = &r->job->state;
    bool had_one = was->known && !was->bad;
    bool same = had_one && memcmp(was->content, r->file.content, SCRY_HASH_BYTES) == 0;
    in->contents_changed |= had_one && !same;
    pthread_mutex_lock(&in->lock);
    if (!had_one)
        in->progress.added++;
    else if (same && !r->job->key)
        in->progress.unchanged++;
    else
        in->progress.updated++;
    in->progress.embedded += r->vector != NULL;
    in->progress.headers += r->new_headers;
    in->progress.damaged += r->file.damaged;
    pthread_mutex_unlock(&in->lock);
}

/* Another program may have made roots of this run parts of one around them. */
static int follow_roots(ingest *in, scry_error *err)
{
    int result = 0;
    for (const ingest_root *root = in->roots; root && result == 0; root = root->next)
        if (!root->merged_into && !scry_store_has_root(in->store, root->id))
            result = ingest_enter_root(in, root->path, NULL, err);
    return result;
}

/* Put the pending results in one transaction; those whose files must be decoded again are deferred. */
static int put_pending(writer *w, scry_error *err)
{
    ingest *in = w->in;
    ingest_queue ready = { 0 };
    int result = 0;
    pthread_mutex_lock(&in->store_lock);
    for (ingest_result *r; (r = pop(&w->pending));) {
        int valid = result < 0 ? 1 : ingest_revalidate(in, r, err);
        result = valid < 0 ? valid : result;
        append(valid == 0 ? &w->deferred : &ready, r);
    }
    w->pending = ready;
    scry_put *batch = scry_alloc((ready.count + 1) * sizeof *batch);
    size_t n = 0;
    for (ingest_result *r = ready.head; r; r = r->next)
        batch[n++] = (scry_put){ .file = r->file, .vector = r->vector, .ctime_ns = r->job->ctime_ns,
                                 .new_headers = r->new_headers };
    if (result == 0 && n)
        result = scry_store_put(in->store, batch, n, err);
    if (result == 0 && n)
        result = follow_roots(in, err);
    free(batch);
    pthread_mutex_unlock(&in->store_lock);
    return result;
}

/* After a failure the store is not called again: with a remote one every call may take minutes to time out. */
static void commit(writer *w)
{
    ingest *in = w->in;
    scry_error err = SCRY_ERROR_INIT;
    w->last_commit_ms = scry_now_ms();
    bool put = !failed(in);
    if (put && put_pending(w, &err) < 0) {
        ingest_fail(in, &err);
        put = false;
    }
    for (ingest_result *r; (r = pop(&w->pending));) {
        if (put)
            count_put(in, r);
        if (r->vector)
            ingest_unmark(in, r->file.content);
        ingest_result_free(r);
    }
}

/* Record a bad file; its row as a picture, if it had one, is removed. */
static int put_bad(ingest *in, ingest_result *r, scry_error *err)
{
    ingest_job *job = r->job;
    scry_file *f = &r->file;
    pthread_mutex_lock(&in->store_lock);
    int result = ingest_look_up(in, job, f, err);
    if (result == 0) {
        scry_bad bad = { .relative = f->relative, .size = job->size, .mtime_ns = job->mtime_ns, .ctime_ns = job->ctime_ns,
                         .reason = r->reason };
        memcpy(bad.root, f->root, sizeof bad.root);
        result = scry_store_remember_bad(in->store, &bad, err);
    }
    in->contents_changed |= job->state.known && !job->state.bad;
    pthread_mutex_unlock(&in->store_lock);
    return result;
}

static void skip(writer *w, ingest_result *r)
{
    ingest *in = w->in;
    scry_error err = SCRY_ERROR_INIT;
    if (r->outcome != INGEST_SKIPPED && !failed(in) && put_bad(in, r, &err) < 0)
        ingest_fail(in, &err);
    if (r->outcome == INGEST_PASSED_OVER) {
        ingest_result_free(r);
        return;
    }
    pthread_mutex_lock(&in->lock);
    in->progress.skipped++;
    pthread_mutex_unlock(&in->lock);
    report_skipped(in, r);
    ingest_result_free(r);
}

/* Whether a result for the same file is pending: its path was given twice. */
static bool is_pending(const writer *w, const ingest_result *r)
{
    const ingest_result *p = w->pending.head;
    while (p && strcmp(p->job->path, r->job->path) != 0)
        p = p->next;
    return p != NULL;
}

static void handle(writer *w, ingest_result *r)
{
    if (is_pending(w, r))
        commit(w);   /* so that this one is compared with the state after it */
    if (r->outcome == INGEST_PUT)
        append(&w->pending, r);
    else if (r->outcome == INGEST_DEFERRED)
        append(&w->deferred, r);
    else
        skip(w, r);
    if (w->pending.count >= COMMIT_ROWS)
        commit(w);
}

static void tick(writer *w, double start_ms)
{
    ingest *in = w->in;
    double now = scry_now_ms();
    if (now - w->last_commit_ms > COMMIT_MS)
        commit(w);
    if (!in->options->progress || now - w->last_tick_ms < TICK_MS)
        return;
    w->last_tick_ms = now;
    pthread_mutex_lock(&in->lock);
    in->progress.elapsed_ms = now - start_ms;
    scry_index_progress p = in->progress;
    pthread_mutex_unlock(&in->lock);
    in->options->progress(in->options->arg, &p);
}

static void write_results(writer *w, double start_ms)
{
    ingest *in = w->in;
    for (;;) {
        pthread_mutex_lock(&in->lock);
        if (in->results.count == 0 && (in->workers_running || in->feeding))
            scry_cond_wait_ms(&in->result_added, &in->lock, TICK_MS);
        ingest_result *r = pop(&in->results);
        bool over = !r && in->workers_running == 0 && !in->feeding;
        stopped(in);
        pthread_cond_signal(&in->result_taken);
        pthread_mutex_unlock(&in->lock);
        if (r)
            handle(w, r);
        tick(w, start_ms);
        if (over)
            break;
    }
    commit(w);
}

/* ---- rounds ---- */

typedef struct {
    writer *writer;
    ingest_queue *again;   /* deferred results of the last round; NULL: the options' paths */
    double start_ms;
} round_arg;

/* Process the files of deferred results again: their contents are in the store now. */
static void feed_again(ingest *in, ingest_queue *again)
{
    for (ingest_result *r; (r = pop(again));) {
        ingest_job *job = r->job;
        r->job = NULL;
        ingest_result_free(r);
        ingest_push_job(in, job);
    }
}

/* Thread 0 writes, thread 1 feeds, the rest work. */
static void round_thread(void *p, int index, int count)
{
    round_arg *a = p;
    ingest *in = a->writer->in;
    if (index == 0) {
        write_results(a->writer, a->start_ms);
        return;
    }
    if (index == 1) {
        if (a->again)
            feed_again(in, a->again);
        else
            ingest_feed(in);
        atomic_store(&in->fed, true);
    } else {
        ingest_work(in);
    }
    pthread_mutex_lock(&in->lock);
    if (index == 1)
        in->feeding = false;
    else
        in->workers_running--;
    in->progress.walking = in->feeding && !a->again && !in->from;
    pthread_cond_broadcast(&in->job_added);
    pthread_cond_signal(&in->result_added);
    pthread_mutex_unlock(&in->lock);
}

static void run_round(writer *w, ingest_queue *again, double start_ms, scry_pool *pool)
{
    ingest *in = w->in;
    in->feeding = true;
    in->progress.walking = !again && !in->from;
    in->workers_running = scry_pool_threads(pool) - 2;
    round_arg a = { w, again, start_ms };
    scry_pool_run(pool, round_thread, &a);
    for (ingest_job *job; (job = pop(&in->jobs));)   /* left in the queue by a stop */
        ingest_job_free(job);
}

static void run_rounds(ingest *in, double start_ms)
{
    int workers = scry_worker_count(in->options->workers);
    in->jobs.limit = (size_t)workers * INGEST_JOBS_PER_WORKER;
    in->results.limit = INGEST_MAX_RESULTS;
    scry_pool *pool = scry_pool_new(workers + 2);
    if (scry_pool_threads(pool) < 3) {
        scry_error err = SCRY_ERROR_INIT;
        scry_fail(&err, SCRY_ENOMEM, "cannot start the threads of an index run");
        ingest_fail(in, &err);
    }
    writer w = { .in = in, .last_commit_ms = start_ms };
    if (!in->stop)
        run_round(&w, NULL, start_ms, pool);
    while (w.deferred.count && !in->stop) {
        ingest_queue again = w.deferred;
        w.deferred = (ingest_queue){ 0 };
        run_round(&w, &again, start_ms, pool);
    }
    for (ingest_result *r; (r = pop(&w.deferred));)
        ingest_result_free(r);
    scry_pool_free(pool);
}

static void free_roots(ingest_root *root)
{
    while (root) {
        ingest_root *next = root->next;
        free(root->path);
        free(root);
        root = next;
    }
}

static void *count_ahead(void *arg)
{
    ingest_expect(arg);
    return NULL;
}

/* Run all rounds while another thread counts the files, for the progress. */
static void run_counted(ingest *in, double start_ms)
{
    pthread_t counter;
    bool counting = in->options->progress && pthread_create(&counter, NULL, count_ahead, in) == 0;
    run_rounds(in, start_ms);
    if (counting)
        pthread_join(counter, NULL);
    in->progress.expected = in->progress.found;
}

/* SCRY_EINVALID where one of the texts of the options is NULL. */
static int check_options(const scry_index_options *o, scry_error *err)
{
    int r = scry_required_texts(o->paths, o->path_count, "a path", err);
    if (r == 0)
        r = scry_required_texts(o->include, o->include_count, "a pattern", err);
    return r < 0 ? r : scry_required_texts(o->exclude, o->exclude_count, "a pattern", err);
}

int scry_index_run(scry_store *store, const scry_model *model, const scry_index_options *options,
                   scry_index_progress *total, scry_error *err)
{
    int r = options ? check_options(options, err) : 0;
    return r < 0 ? r : ingest_run(store, NULL, model, options, total, err);
}

int ingest_run(scry_store *store, scry_store *from, const scry_model *model, const scry_index_options *options,
               scry_index_progress *total, scry_error *err)
{
    static const scry_index_options defaults = SCRY_INDEX_OPTIONS_INIT;
    double start_ms = scry_now_ms();
    options = options ? options : &defaults;
    ingest in = { .store = store, .from = from, .model = model, .options = options,
                  .dim = model ? (size_t)scry_model_get_info(model)->dim : 0 };
    pthread_mutex_init(&in.store_lock, NULL);
    pthread_mutex_init(&in.lock, NULL);
    pthread_cond_t *conds[] = { &in.job_added, &in.job_taken, &in.result_added, &in.result_taken };
    for (size_t i = 0; i < 4; i++)
        scry_cond_init(conds[i]);
    run_counted(&in, start_ms);
    int r = 0;
    if (in.fatal.code == 0 && !in.stop)
        r = options->prune ? ingest_prune(&in, err) : ingest_count_missing(&in, err);
    if (r == 0 && in.fatal.code == 0)
        r = scry_store_sync(store, err);
    if (in.fatal.code)
        r = scry_fail(err, in.fatal.code, "%s", in.fatal.message);
    else if (r == 0 && in.stop)
        r = scry_fail(err, SCRY_ECANCELLED, "stopped before the end: run the same command again to go on");
    in.progress.elapsed_ms = scry_now_ms() - start_ms;
    if (options->progress)
        options->progress(options->arg, &in.progress);
    if (total)
        *total = in.progress;
    free_roots(in.roots);
    free(in.in_flight);
    for (size_t i = 0; i < 4; i++)
        pthread_cond_destroy(conds[i]);
    pthread_mutex_destroy(&in.lock);
    pthread_mutex_destroy(&in.store_lock);
    return r;
}
