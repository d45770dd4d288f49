#include "engine/text_pass.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/sha256.h"
#include "image/image.h"
#include "store/text_lines.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORKERS = 4, PER_WORKER = 8 };

/* A content that is to be read. */
typedef struct {
    uint8_t hash[SCRY_HASH_BYTES];
    char **paths;               /* [path_count] of its files; owned */
    size_t path_count;
    scry_picture_text *text;    /* owned: what was read; NULL: nothing, yet */
} job;

typedef struct {
    scry_decoder *decoder;
    void *reader;               /* state of the reader; NULL until there is a picture */
} worker;

struct scry_text_pass {
    const scry_text_reader *reader;
    const scry_text_options *options;
    scry_pool *pool;            /* one thread for each worker */
    worker *workers;
    int threads;                /* of each reader */
    int64_t after;              /* scry_file.added of the last content */
    bool done;
    job *jobs;                  /* [capacity] */
    size_t count, most, capacity;
    scry_picture_text *texts;   /* [capacity] those of the jobs that are to be put */
    atomic_size_t next;         /* job to be taken */
    pthread_mutex_t lock;       /* the rest */
    scry_text_progress progress;
    scry_error fatal;
    double start_ms;
};

/* ---- a picture ---- */

static bool is_cancelled(const scry_text_pass *p)
{
    return p->options->cancel && atomic_load(p->options->cancel);
}

static void fail(scry_text_pass *p, const scry_error *why)
{
    pthread_mutex_lock(&p->lock);
    if (p->fatal.code == 0)
        p->fatal = *why;
    pthread_mutex_unlock(&p->lock);
    atomic_store(&p->next, p->count);
}

/* Load the first of its files that has the content. */
static bool load(worker *w, const job *j)
{
    for (size_t i = 0; i < j->path_count; i++) {
        const uint8_t *bytes;
        size_t size;
        struct stat st;
        uint8_t hash[SCRY_HASH_BYTES];
        if (scry_decoder_load(w->decoder, j->paths[i], &bytes, &size, &st, NULL) < 0)
            continue;
        scry_sha256_of(bytes, size, hash);
        if (memcmp(hash, j->hash, sizeof hash) == 0)
            return true;
    }
    return false;
}

/* The lines as they will be stored, in one block of memory. */
static int keep_lines(scry_text_pass *p, job *j, const scry_text_line *lines, size_t n, const char *reason, scry_error *err)
{
    scry_buf packed = SCRY_BUF_INIT(SCRY_TEXT_PACKED);
    scry_text_pack(&packed, lines, n);
    if (!packed.failed)
        j->text = scry_text_unpack(packed.data, packed.size, p->reader->identity, reason);
    scry_buf_dispose(&packed);
    if (!j->text)
        return scry_fail(err, SCRY_ENOMEM, "no memory for %zu lines of text", n);
    memcpy(j->text->content, j->hash, SCRY_HASH_BYTES);
    return 0;
}

static int read_text(scry_text_pass *p, worker *w, job *j, scry_error *err)
{
    scry_decode_request request = { .kind = SCRY_DECODE_RGB, .max_side = p->reader->max_side };
    scry_decode_result d;
    const scry_text_line *lines = NULL;
    size_t n = 0;
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_decoder_run(w->decoder, &request, &d, &why);
    if (r == 0) {
        scry_rgb picture = { .data = d.pixels, .width = d.rgb_width, .height = d.rgb_height };
        r = p->reader->read(w->reader, &picture, &lines, &n, &why);
    }
    if (r == 0)
        return keep_lines(p, j, lines, n, "", err);
    if (r == SCRY_EINVALID || r == SCRY_ELIMIT)
        return keep_lines(p, j, NULL, 0, why.message, err);
    return scry_fail(err, why.code, "%s", why.message);
}

static int open_worker(scry_text_pass *p, worker *w, scry_error *err)
{
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    d.formats = scry_formats_all();   /* each file was accepted when it was indexed */
    d.memory_bytes = p->options->decoder_memory_bytes;
    d.time_limit_ms = p->options->time_limit_ms;
    int r = w->decoder ? 0 : scry_decoder_new(&w->decoder, &d, err);
    return r < 0 || w->reader ? r : p->reader->open(p->reader->arg, p->threads, &w->reader, err);
}

static void count_job(scry_text_pass *p, const job *j)
{
    pthread_mutex_lock(&p->lock);
    scry_text_progress *t = &p->progress;
    if (!j->text)
        t->missing++;
    else if (j->text->reason[0])
        t->failed++;
    else
        t->read++;
    t->with_text += j->text && j->text->line_count;
    pthread_mutex_unlock(&p->lock);
}

/* On the caller's thread. */
static void report(scry_text_pass *p)
{
    if (!p->options->progress)
        return;
    pthread_mutex_lock(&p->lock);
    p->progress.elapsed_ms = scry_now_ms() - p->start_ms;
    scry_text_progress now = p->progress;
    pthread_mutex_unlock(&p->lock);
    p->options->progress(p->options->arg, &now);
}

static void work(void *arg, int index, int threads)
{
    scry_text_pass *p = arg;
    worker *w = &p->workers[index];
    scry_error err = SCRY_ERROR_INIT;
    for (size_t at; !is_cancelled(p) && (at = atomic_fetch_add(&p->next, 1)) < p->count;) {
        job *j = &p->jobs[at];
        int r = open_worker(p, w, &err);
        if (r == 0 && load(w, j))
            r = read_text(p, w, j, &err);
        if (r < 0) {
            fail(p, &err);
            return;
        }
        count_job(p, j);
        if (index == 0)
            report(p);
    }
}

/* ---- the pass ---- */

static void clear_jobs(scry_text_pass *p)
{
    for (size_t i = 0; i < p->count; i++) {
        for (size_t k = 0; k < p->jobs[i].path_count; k++)
            free(p->jobs[i].paths[k]);
        free(p->jobs[i].paths);
        scry_picture_text_free(p->jobs[i].text);
    }
    p->count = 0;
}

scry_text_pass *scry_text_pass_new(const scry_text_reader *reader, const scry_text_options *options)
{
    static const scry_text_options defaults = SCRY_TEXT_OPTIONS_INIT;
    scry_text_pass *p = scry_alloc(sizeof *p);
    p->reader = reader;
    p->options = options ? options : &defaults;
    int threads = scry_worker_count(p->options->workers);
    int workers = threads < MAX_WORKERS ? threads : MAX_WORKERS;
    p->pool = scry_pool_new(workers);
    p->threads = threads / workers;
    p->workers = scry_alloc((size_t)scry_pool_threads(p->pool) * sizeof *p->workers);
    pthread_mutex_init(&p->lock, NULL);
    p->start_ms = scry_now_ms();
    return p;
}

void scry_text_pass_free(scry_text_pass *p)
{
    if (!p)
        return;
    clear_jobs(p);
    for (int i = 0; i < scry_pool_threads(p->pool); i++) {
        scry_decoder_free(p->workers[i].decoder);
        if (p->workers[i].reader)
            p->reader->close(p->workers[i].reader);
    }
    scry_pool_free(p->pool);
    pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p->jobs);
    free(p->texts);
    free(p);
}

static int add_job(void *arg, const scry_file *files, size_t n)
{
    scry_text_pass *p = arg;
    if (p->count == p->most)
        return 1;
    job *j = &p->jobs[p->count++];
    *j = (job){ .paths = scry_alloc(n * sizeof *j->paths), .path_count = n };
    memcpy(j->hash, files[0].content, sizeof j->hash);
    for (size_t i = 0; i < n; i++)
        j->paths[i] = scry_strdup(files[i].path);
    p->after = files[0].added;
    return 0;
}

int scry_text_pass_read(scry_text_pass *p, scry_store *store, size_t most, const scry_picture_text **texts, size_t *n,
                        scry_error *err)
{
    scry_unread which = { p->reader->identity, p->options->retry, p->after };
    *n = 0;
    *texts = p->texts;
    clear_jobs(p);
    if (most > p->capacity) {
        p->jobs = scry_realloc(p->jobs, most * sizeof *p->jobs);
        p->texts = scry_realloc(p->texts, most * sizeof *p->texts);
        p->capacity = most;
    }
    p->most = most;
    int r = scry_store_each_unread(store, &which, add_job, p, err);
    if (r < 0)
        return r;
    atomic_store(&p->next, 0);
    if (p->count)
        scry_pool_run(p->pool, work, p);
    p->done = p->count < most || is_cancelled(p);
    for (size_t i = 0; i < p->count; i++)
        if (p->jobs[i].text)
            p->texts[(*n)++] = *p->jobs[i].text;
    *texts = p->texts;
    return p->fatal.code ? scry_fail(err, p->fatal.code, "%s", p->fatal.message) : 0;
}

bool scry_text_pass_done(const scry_text_pass *p)
{
    return p->done;
}

void scry_text_pass_again(scry_text_pass *p)
{
    p->after = 0;
    p->done = false;
    p->progress = (scry_text_progress){ 0 };
    p->start_ms = scry_now_ms();
}

/* How many there are to be read. */
static int count_unread(scry_text_pass *p, scry_store *store, scry_error *err)
{
    scry_text_counts counts;
    int r = scry_store_count_texts(store, p->reader->identity, &counts, err);
    p->progress.pictures = counts.unread + (p->options->retry ? counts.failed : 0);
    return r;
}

/* What was read is put also after a failure. */
static int read_some(scry_text_pass *p, scry_store *store, scry_error *err)
{
    const scry_picture_text *texts;
    size_t n;
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_text_pass_read(p, store, (size_t)scry_pool_threads(p->pool) * PER_WORKER, &texts, &n, &why);
    int put = n ? scry_store_put_texts(store, texts, n, err) : 0;
    report(p);
    return put < 0 ? put : r < 0 ? scry_fail(err, why.code, "%s", why.message) : 0;
}

int scry_text_pass_run(scry_store *store, const scry_text_reader *reader, const scry_text_options *options,
                       scry_text_progress *total, scry_error *err)
{
    scry_text_pass *p = scry_text_pass_new(reader, options);
    int r = scry_store_put_texts(store, NULL, 0, err);   /* whether it keeps any */
    if (r == 0)
        r = count_unread(p, store, err);
    while (r == 0 && !p->done)
        r = read_some(p, store, err);
    if (r == 0 && is_cancelled(p))
        r = scry_fail(err, SCRY_ECANCELLED, "stopped before all pictures were read: run the same command again to go on");
    p->progress.elapsed_ms = scry_now_ms() - p->start_ms;
    if (total)
        *total = p->progress;
    scry_text_pass_free(p);
    return r;
}
