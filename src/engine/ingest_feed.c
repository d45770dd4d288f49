/* ingest_feed.c - the feeder: finds the files, and queues those that are new or changed. */
#include "engine/ingest.h"

#include "base/alloc.h"
#include "base/descriptor.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/utf8.h"
#include "engine/csv.h"
#include "engine/picture_table.h"
#include "image/image.h"
#include "store/predicates.h"
#include "store/side_by_side.h"
#include "store/store_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    ingest *in;
    const ingest_root *root;    /* that contains the files being walked */
    scry_row_choice choice;     /* of the rows of all tables */
    uint64_t row;               /* the number of the current one */
    const scry_walk_item *extra;   /* its key and labels; NULL elsewhere */
    ingest_job **batch;         /* [MOST_BATCH] files to compare next: looked up together in a store on a server */
    size_t batch_count;
} feeder;

enum { MOST_BATCH = 512, SNIFFED_BYTES = 4096 };

static void skip(feeder *f, const char *path, const char *reason)
{
    ingest_result *r = scry_alloc(sizeof *r);
    r->job = scry_alloc(sizeof *r->job);
    r->job->path = scry_strdup(path);
    r->outcome = INGEST_SKIPPED;
    snprintf(r->reason, sizeof r->reason, "%s", reason);
    ingest_push_result(f->in, r);
}

static void count(feeder *f, uint64_t *counter)
{
    pthread_mutex_lock(&f->in->lock);
    (*counter)++;
    pthread_mutex_unlock(&f->in->lock);
}

/* With store_lock held: the run's entry for a root. A new one replaces the roots below it. */
static const ingest_root *track_root(ingest *in, const scry_root *root)
{
    for (const ingest_root *known = in->roots; known; known = known->next)
        if (memcmp(known->id, root->id, sizeof known->id) == 0)
            return known;
    ingest_root *new = scry_alloc(sizeof *new);
    memcpy(new->id, root->id, sizeof new->id);
    new->path = scry_strdup(root->path);
    for (ingest_root *old = in->roots; old; old = old->next)
        if (!old->merged_into && scry_path_within(new->path, old->path))
            old->merged_into = new;
    new->next = in->roots;
    in->roots = new;
    return new;
}

int ingest_enter_root(ingest *in, const char *folder, const ingest_root **out, scry_error *err)
{
    scry_root root;
    int r = scry_store_add_root(in->store, folder, &root, err);
    if (r < 0)
        return r;
    const ingest_root *entry = track_root(in, &root);
    if (out)
        *out = entry;
    return 0;
}

/* Make `folder` the root of the files that follow, unless the current root contains it. */
static int enter_root(feeder *f, const char *folder)
{
    ingest *in = f->in;
    if (f->root && scry_path_within(f->root->path, folder))
        return 0;
    scry_error err = SCRY_ERROR_INIT;
    pthread_mutex_lock(&in->store_lock);
    int r = ingest_enter_root(in, folder, &f->root, &err);
    pthread_mutex_unlock(&in->store_lock);
    if (r < 0)
        ingest_fail(in, &err);
    return r;
}

static ingest_job *job_new(const feeder *f, const scry_walk_item *item)
{
    ingest_job *job = scry_alloc(sizeof *job);
    job->path = scry_strdup(item->path);
    job->root = f->root;
    job->size = item->st->st_size;
    job->mtime_ns = scry_time_ns(item->st->st_mtim);
    job->ctime_ns = scry_sidecar_stamp(item->path, scry_time_ns(item->st->st_ctim), item->beside);
    const scry_walk_item *x = f->extra;
    if (x) {
        job->key = scry_strdup(x->key);
        job->labels = scry_alloc((x->label_count + 1) * sizeof *job->labels);
        job->label_count = x->label_count;
        for (size_t i = 0; i < x->label_count; i++)
            job->labels[i] = scry_strdup(x->labels[i]);
    }
    return job;
}

/* Whether the store has the job's key and labels already. */
static bool same_labels(ingest *in, const ingest_job *job, const scry_file *at)
{
    uint8_t id[SCRY_ID_BYTES];
    scry_results *found;
    scry_file_id(at->root, at->relative, id);
    if (scry_store_get(in->store, id, &found, NULL) < 0)
        return false;
    const scry_file *f = &found->hits[0].file;
    bool same = strcmp(f->key, job->key) == 0 && f->label_count == job->label_count;
    for (size_t i = 0; same && i < f->label_count; i++)
        same = strcmp(f->labels[i], job->labels[i]) == 0;
    scry_results_free(found);
    return same;
}

/* Whether the store is up to date for this file: nothing to do. */
static bool is_current(feeder *f, ingest_job *job)
{
    ingest *in = f->in;
    scry_error err = SCRY_ERROR_INIT;
    scry_file at = { 0 };
    pthread_mutex_lock(&in->store_lock);
    int r = ingest_look_up(in, job, &at, &err);
    const scry_file_state *s = &job->state;
    bool same = r == 0 && s->known && s->size == job->size && s->mtime_ns == job->mtime_ns &&
                (!s->ctime_ns || s->ctime_ns == job->ctime_ns);
    if (same && !s->bad && job->key)
        same = same_labels(in, job, &at);
    pthread_mutex_unlock(&in->store_lock);
    if (r < 0) {
        ingest_fail(in, &err);
        return true;
    }
    if (!same || in->options->recheck || (s->bad ? in->options->retry : in->options->rebuild_metadata))
        return false;
    count(f, s->bad ? &in->progress.skipped : &in->progress.unchanged);
    return true;
}

/* Ask the kernel to read a file that will be decoded soon. */
static void read_ahead(const char *path)
{
    int fd = scry_open_input(path, O_RDONLY | O_NONBLOCK);
    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
        close(fd);
    }
}

/* A folder with one of the names that are passed over by default: the store lists it as skipped, or no longer. */
static int feed_excluded(feeder *f, const scry_walk_item *item)
{
    ingest *in = f->in;
    scry_error err = SCRY_ERROR_INIT;
    scry_file at = { 0 };
    ingest_job *job = job_new(f, item);
    pthread_mutex_lock(&in->store_lock);
    int r = ingest_look_up(in, job, &at, &err);
    bool recorded = r == 0 && job->state.known, enter = item->kind == SCRY_WALK_ENTERED;
    if (recorded && enter) {
        uint8_t id[1][SCRY_ID_BYTES];
        scry_file_id(at.root, at.relative, id[0]);
        r = scry_store_remove(in->store, id, 1, NULL, &err);
    }
    pthread_mutex_unlock(&in->store_lock);
    if (r < 0)
        ingest_fail(in, &err);
    if (r < 0 || recorded || enter) {
        ingest_job_free(job);
        return r < 0 ? 1 : 0;
    }
    ingest_result *passed = scry_alloc(sizeof *passed);
    passed->job = job;
    passed->outcome = INGEST_PASSED_OVER;
    snprintf(passed->reason, sizeof passed->reason, "passed over because of its name (--no-default-excludes)");
    ingest_push_result(in, passed);
    return 0;
}

static int feed_job(feeder *f, ingest_job *job)
{
    if (is_current(f, job)) {
        ingest_job_free(job);
        return 0;
    }
    read_ahead(job->path);
    return ingest_push_job(f->in, job) ? 0 : 1;
}

static int look_ahead(feeder *f, scry_error *err)
{
    uint8_t (*ids)[SCRY_ID_BYTES] = scry_alloc(f->batch_count * sizeof *ids);
    pthread_mutex_lock(&f->in->store_lock);
    for (size_t i = 0; i < f->batch_count; i++) {
        scry_file at = { 0 };
        ingest_locate(f->batch[i], &at);
        scry_file_id(at.root, at.relative, ids[i]);
    }
    int r = scry_store_look_ahead(f->in->store, (const uint8_t (*)[SCRY_ID_BYTES])ids, f->batch_count, err);
    pthread_mutex_unlock(&f->in->store_lock);
    free(ids);
    return r;
}

/* Compare the files of the batch, and queue those that are new or changed. */
static int feed_batch(feeder *f)
{
    scry_error err = SCRY_ERROR_INIT;
    int r = f->batch_count ? look_ahead(f, &err) : 0;
    if (r < 0)
        ingest_fail(f->in, &err);
    for (size_t i = 0; i < f->batch_count; i++) {
        if (r == 0 && !ingest_stopped(f->in))
            r = feed_job(f, f->batch[i]);
        else
            ingest_job_free(f->batch[i]);
    }
    f->batch_count = 0;
    return r;
}

static int feed_file(feeder *f, const scry_walk_item *item)
{
    ingest_job *job = job_new(f, item);
    if (!scry_store_looks_ahead(f->in->store))
        return feed_job(f, job);
    f->batch[f->batch_count++] = job;
    return f->batch_count == MOST_BATCH ? feed_batch(f) : 0;
}

/* Whether another row of a table than the current one is for this file. */
static bool another_counts(const feeder *f, const char *path)
{
    uint64_t row = scry_row_choice_of(&f->choice, path);
    return row && row != f->row;
}

static int feed_item(void *arg, const scry_walk_item *item)
{
    feeder *f = arg;
    if (ingest_stopped(f->in))
        return 1;
    if (item->kind != SCRY_WALK_FILE)
        return feed_excluded(f, item);
    if (f->extra && another_counts(f, item->path))
        return 0;
    count(f, &f->in->progress.found);
    if (item->problem) {
        skip(f, item->path, item->problem);
        return 0;
    }
    return feed_file(f, item);
}

typedef struct {
    const char *folder;
    bool found;
} root_search;

static int look_for_root(void *arg, const scry_root *root)
{
    root_search *s = arg;
    s->found |= scry_path_within(root->path, s->folder);
    return s->found;
}

/* Whether a regular file can be read and does not have the bytes of a known format. */
static bool is_no_picture(const char *path)
{
    uint8_t head[SNIFFED_BYTES];
    int fd = scry_open_input(path, O_RDONLY | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0)
        close(fd);
    return n > 0 && scry_sniff_format(head, (size_t)n) == SCRY_FORMAT_NONE;
}

/* Whether a file that the user named is no picture, and its folder none of the collection: it does not become one for that, which
 * `scry index` would propose and `scry watch` would index. */
static bool is_stray(feeder *f, const char *path, const char *folder)
{
    root_search s = { .folder = folder, .found = f->root && scry_path_within(f->root->path, folder) };
    if (s.found || !is_no_picture(path))
        return false;
    pthread_mutex_lock(&f->in->store_lock);
    bool known = scry_store_roots(f->in->store, look_for_root, &s, NULL) < 0 || s.found;
    pthread_mutex_unlock(&f->in->store_lock);
    return !known;
}

/* One path given by the user: a folder becomes a root; for a picture, its folder does. */
static int feed_path(feeder *f, const char *given)
{
    char *path = scry_absolute(given);
    if (!path) {
        count(f, &f->in->progress.found);
        skip(f, given, strerror(errno));
        return 0;
    }
    struct stat st = { 0 };
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    char *slash = strrchr(path, '/');
    char *root = folder ? scry_strdup(path) : slash == path ? scry_strdup("/") : scry_strndup(path, (size_t)(slash - path));
    bool stray = S_ISREG(st.st_mode) && is_stray(f, path, root);
    int r = stray ? 0 : enter_root(f, root);
    if (stray) {
        count(f, &f->in->progress.found);
        skip(f, path, "not a picture of a known format");
    } else if (r == 0) {
        r = scry_walk(path, f->in->options, feed_item, f);
    }
    free(root);
    free(path);
    return r;
}

/* One row of a table, for which another one may count. */
static int feed_row(void *arg, const scry_picture_row *row)
{
    feeder *f = arg;
    f->row++;
    if (!row->path) {
        count(f, &f->in->progress.found);
        skip(f, row->first, "this row of the CSV has no path");
        return 0;
    }
    char *path = scry_absolute(row->path);
    bool another = path && another_counts(f, path);
    free(path);
    if (another)
        return 0;
    f->extra = &(scry_walk_item){ .key = row->key, .labels = row->labels, .label_count = row->label_count };
    int r = feed_path(f, row->path);
    f->extra = NULL;
    return r;
}

static int feed_table(feeder *f, FILE *table, const char *path)
{
    scry_error err = SCRY_ERROR_INIT;
    int r = scry_picture_table_read(table, path, feed_row, f, &err);
    if (r < 0)
        ingest_fail(f->in, &err);
    return r;
}

/* ---- which row counts ---- */

typedef struct {
    feeder *f;
    const char *table;
    scry_error *err;
} choosing;

static int note_row(void *arg, const scry_picture_row *row)
{
    choosing *c = arg;
    char *path = row->path ? scry_absolute(row->path) : NULL;
    c->f->row++;
    int r = path ? scry_row_choice_note(&c->f->choice, path, c->f->row, c->table, row, c->err) : 0;
    free(path);
    return r < 0 ? r : ingest_stopped(c->f->in);
}

/* Open the table at `path`, and note its rows; what is wrong in it is said when it is fed. */
static int open_table(feeder *f, FILE **out, const char *path)
{
    scry_error err = SCRY_ERROR_INIT, wrong = SCRY_ERROR_INIT;
    choosing c = { f, path, &err };
    int r = scry_is_csv(path) ? scry_picture_table_open(out, path, &err) : 0;
    if (r == 0 && *out)
        (void)!scry_picture_table_read(*out, path, note_row, &c, &wrong);
    if (err.code < 0)
        ingest_fail(f->in, &err);
    return err.code;
}

/* [path_count + 1]: of the paths, and of the list of them; NULL for what is no table. The caller closes them. */
static int open_tables(feeder *f, FILE **tables)
{
    const scry_index_options *o = f->in->options;
    int r = 0;
    for (size_t i = 0; i < o->path_count && r == 0; i++)
        r = open_table(f, &tables[i], o->paths[i]);
    if (r == 0 && o->from_file)
        r = open_table(f, &tables[o->path_count], o->from_file);
    f->row = 0;
    if (f->choice.overruled == 1)
        scry_log(SCRY_LOG_WARN, "%s: the last row counts", f->choice.example);
    else if (f->choice.overruled)
        scry_log(SCRY_LOG_WARN, "%s, and so it is with %llu more rows: the last row of each file counts", f->choice.example,
                 (unsigned long long)f->choice.overruled - 1);
    return r;
}

static int feed_list(feeder *f, const char *path)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_lines list;
    char *line;
    int r = scry_lines_open(&list, path, &err);
    list.zero_ended = f->in->options->zero_ended;
    while (r == 0 && (r = scry_lines_next(&list, &line, &err)) > 0)
        r = line[0] ? feed_path(f, line) : 0;
    if (err.code == SCRY_EINVALID && !scry_is_utf16(list.line, list.capacity))
        scry_fail(&err, err.code, "line %zu of %s contains a zero byte: give -0 if its paths end with zero bytes", list.number, path);
    if (err.code)
        ingest_fail(f->in, &err);
    scry_lines_close(&list);
    return r;
}

/* ---- the files of another store ---- */

static int track(void *arg, const scry_root *root)
{
    ingest *in = arg;
    pthread_mutex_lock(&in->store_lock);
    track_root(in, root);
    pthread_mutex_unlock(&in->store_lock);
    return 0;
}

static int feed_stored(void *arg, const scry_file *file)
{
    feeder *f = arg;
    struct stat st;
    scry_walk_item item = { .path = file->path, .st = &st };
    scry_walk_item extra = { .key = file->key, .labels = file->labels, .label_count = file->label_count };
    if (ingest_stopped(f->in))
        return 1;
    bool there = stat(file->path, &st) == 0;
    if (!there || !S_ISREG(st.st_mode)) {
        skip(f, file->path, there ? "it is not a file any more" : errno == ENOENT ? "it no longer exists" : strerror(errno));
        return 0;
    }
    for (f->root = f->in->roots; memcmp(f->root->id, file->root, sizeof file->root) != 0;)
        f->root = f->root->next;
    f->extra = &extra;
    return feed_file(f, &item);
}

static void feed_store(feeder *f)
{
    scry_error err = SCRY_ERROR_INIT;
    uint64_t files = 0;
    int r = scry_count_files(f->in->from, &files, &err);
    pthread_mutex_lock(&f->in->lock);
    f->in->progress.found = files;
    pthread_mutex_unlock(&f->in->lock);
    if (r == 0)
        r = scry_store_roots(f->in->from, track, f->in, &err);
    if (r == 0)
        r = scry_store_each_stored(f->in->from, NULL, feed_stored, f, &err);
    if (r < 0)
        ingest_fail(f->in, &err);
}

/* ---- counting ahead ---- */

typedef struct {
    ingest *in;
    uint64_t files;
} expectation;

static int expect_item(void *arg, const scry_walk_item *item)
{
    expectation *e = arg;
    e->files += item->kind == SCRY_WALK_FILE;
    return ingest_stopped(e->in) || atomic_load(&e->in->fed);
}

/* The feeder waits for the workers, so it knows the total only near the end; this walk does not. */
void ingest_expect(ingest *in)
{
    const scry_index_options *o = in->options;
    expectation e = { .in = in };
    bool known = !in->from && !o->from_file;
    for (size_t i = 0; known && i < o->path_count; i++) {
        char *path = scry_absolute(o->paths[i]);
        known = path && !scry_is_csv(o->paths[i]) && scry_walk(path, o, expect_item, &e) == 0;
        free(path);
    }
    known = known && !atomic_load(&in->fed);
    pthread_mutex_lock(&in->lock);
    in->progress.expected = known ? e.files : 0;
    pthread_mutex_unlock(&in->lock);
}

void ingest_feed(ingest *in)
{
    const scry_index_options *o = in->options;
    ingest_job *batch[MOST_BATCH];
    feeder f = { .in = in, .choice = SCRY_ROW_CHOICE_INIT, .batch = batch };
    FILE **tables = scry_alloc((o->path_count + 1) * sizeof *tables);
    int r = in->from ? 0 : open_tables(&f, tables);
    if (in->from)
        feed_store(&f);
    for (size_t i = 0; r == 0 && !in->from && i < o->path_count; i++)
        r = tables[i] ? feed_table(&f, tables[i], o->paths[i]) : feed_path(&f, o->paths[i]);
    if (r == 0 && !in->from && o->from_file)
        r = tables[o->path_count] ? feed_table(&f, tables[o->path_count], o->from_file) : feed_list(&f, o->from_file);
    (void)feed_batch(&f);   /* its errors are those of the run */
    for (size_t i = 0; i <= o->path_count; i++)
        if (tables[i])
            fclose(tables[i]);
    free(tables);
    scry_row_choice_dispose(&f.choice);
}
