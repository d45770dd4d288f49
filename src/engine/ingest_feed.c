/* ingest_feed.c - the feeder: which files there are, and which of them need work. */
#include "engine/ingest.h"

#include "base/alloc.h"
#include "engine/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    ingest *in;
    const ingest_root *root;    /* of the files being walked */
    const char *csv_folder;     /* what a CSV's relative paths start from */
    const scry_walk_item *extra;   /* key and labels of the CSV row at hand */
} feeder;

static void skip_now(feeder *f, const char *path, const char *reason)
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

/* `folder` is, or lies below, the folder `above`. */
static bool lies_in(const char *folder, const char *above)
{
    size_t n = strlen(above);
    return strncmp(folder, above, n) == 0 && (folder[n] == '\0' || folder[n] == '/' || n == 1);
}

/* With store_lock held: the root as jobs see it. One that is new took in those below it. */
static const ingest_root *note_root(ingest *in, const scry_root *root)
{
    for (const ingest_root *known = in->roots; known; known = known->next)
        if (memcmp(known->id, root->id, sizeof known->id) == 0)
            return known;
    ingest_root *new = scry_alloc(sizeof *new);
    memcpy(new->id, root->id, sizeof new->id);
    new->path = scry_strdup(root->path);
    for (ingest_root *old = in->roots; old; old = old->next)
        if (!old->taken_by && lies_in(old->path, new->path))
            old->taken_by = new;
    new->next = in->roots;
    in->roots = new;
    return new;
}

/* Make `folder` the root of what follows, unless it is already. */
static int enter_root(feeder *f, const char *folder)
{
    ingest *in = f->in;
    if (f->root && lies_in(folder, f->root->path))
        return 0;
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    pthread_mutex_lock(&in->store_lock);
    int r = scry_store_add_root(in->store, folder, &root, &err);
    if (r == 0)
        f->root = note_root(in, &root);
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
    job->mtime_ns = item->st->st_mtim.tv_sec * 1000000000LL + item->st->st_mtim.tv_nsec;
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

/* Key and labels in the store are already those of the job. */
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

/* Compare a file with what the store knows of it. true: nothing to do. */
static bool settled(feeder *f, ingest_job *job)
{
    ingest *in = f->in;
    scry_error err = SCRY_ERROR_INIT;
    scry_file at = { 0 };
    pthread_mutex_lock(&in->store_lock);
    int r = ingest_look_up(in, job, &at, &err);
    const scry_file_state *s = &job->state;
    bool same = r == 0 && s->known && s->size == job->size && s->mtime_ns == job->mtime_ns;
    if (same && !s->bad && job->key)
        same = same_labels(in, job, &at);
    pthread_mutex_unlock(&in->store_lock);
    if (r < 0) {
        ingest_fail(in, &err);
        return true;
    }
    if (!same || (s->bad && in->options->retry))
        return false;
    count(f, s->bad ? &in->progress.skipped : &in->progress.unchanged);
    return true;
}

/* Ask the kernel to read a file that will be wanted soon. */
static void read_ahead(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
        close(fd);
    }
}

static int feed_item(void *arg, const scry_walk_item *item)
{
    feeder *f = arg;
    if (ingest_stopped(f->in))
        return 1;
    count(f, &f->in->progress.found);
    if (item->problem) {
        skip_now(f, item->path, item->problem);
        return 0;
    }
    ingest_job *job = job_new(f, item);
    if (settled(f, job)) {
        ingest_job_free(job);
        return 0;
    }
    read_ahead(job->path);
    return ingest_push_job(f->in, job) ? 0 : 1;
}

/* One path of the user's: a folder becomes a root, a file's folder does. */
static int feed_path(feeder *f, const char *given)
{
    char *path = scry_absolute(given);
    if (!path) {
        count(f, &f->in->progress.found);
        skip_now(f, given, strerror(errno));
        return 0;
    }
    struct stat st;
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    char *slash = strrchr(path, '/');
    char *root = folder ? scry_strdup(path) : slash == path ? scry_strdup("/") : scry_strndup(path, (size_t)(slash - path));
    int r = enter_root(f, root);
    if (r == 0)
        r = scry_walk(path, f->in->options, feed_item, f);
    free(root);
    free(path);
    return r;
}

/* "id,path[,label...]"; a first row whose second field is "path" is a header. */
static int feed_row(void *arg, size_t line, char **fields, size_t n)
{
    feeder *f = arg;
    if (line == 1 && n >= 2 && strcasecmp(fields[1], "path") == 0)
        return 0;
    if (n < 2 || !fields[1][0]) {
        count(f, &f->in->progress.found);
        skip_now(f, fields[0], "this row of the CSV has no path");
        return 0;
    }
    size_t labels = n - 2;
    while (labels && !fields[1 + labels][0])
        labels--;
    scry_walk_item extra = { .key = fields[0], .labels = (const char *const *)fields + 2, .label_count = labels };
    char *path = fields[1][0] == '/' ? scry_strdup(fields[1]) : scry_asprintf("%s/%s", f->csv_folder, fields[1]);
    f->extra = &extra;
    int r = feed_path(f, path);
    f->extra = NULL;
    free(path);
    return r;
}

static int feed_csv(feeder *f, const char *path)
{
    scry_error err = SCRY_ERROR_INIT;
    const char *slash = strrchr(path, '/');
    char *folder = slash ? scry_strndup(path, (size_t)(slash - path) + 1) : scry_strdup(".");
    f->csv_folder = folder;
    int r = scry_csv_read(path, 0, feed_row, f, &err);
    if (r < 0)
        ingest_fail(f->in, &err);
    free(folder);
    return r;
}

static int feed_list(feeder *f, const char *path)
{
    scry_error err = SCRY_ERROR_INIT;
    bool standard_input = strcmp(path, "-") == 0;
    FILE *list = standard_input ? stdin : fopen(path, "re");
    if (!list) {
        scry_fail_errno(&err, errno, "cannot open the list %s", path);
        ingest_fail(f->in, &err);
        return -1;
    }
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    int r = 0;
    while (r == 0 && (n = getline(&line, &capacity, list)) > 0) {
        while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            line[--n] = '\0';
        if (n)
            r = feed_path(f, line);
    }
    free(line);
    if (!standard_input)
        fclose(list);
    return r;
}

void ingest_feed(ingest *in)
{
    const scry_index_options *o = in->options;
    feeder f = { .in = in };
    int r = 0;
    for (size_t i = 0; r == 0 && i < o->path_count; i++)
        r = scry_is_csv(o->paths[i]) ? feed_csv(&f, o->paths[i]) : feed_path(&f, o->paths[i]);
    if (r == 0 && o->from_file)
        r = scry_is_csv(o->from_file) ? feed_csv(&f, o->from_file) : feed_list(&f, o->from_file);
}
