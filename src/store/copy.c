/* copy.c - copying the files of one collection to another. */
#include "scry/copy.h"

#include "base/alloc.h"
#include "store/predicates.h"
#include "store/side_by_side.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 2048, BATCH_BYTES = 8 << 20 };

typedef struct copy {
    scry_store *from, *to;
    const scry_copy_options *options;
    scry_copy_progress *progress;
    double reported_ms;
    scry_held known;         /* what `to` has in the range */
    uint64_t seen, lacking;  /* files of a range, and those that `to` lacks or has with other fields */
    scry_file_list batch;    /* files to put */
    float *vectors;          /* [BATCH_ROWS, dim] */
    size_t batch_bytes;
    struct { uint8_t id[SCRY_ID_BYTES]; char *path; } *roots;   /* of `from` */
    size_t root_count;
    scry_error *err;         /* of the call in progress */
    int result;
} copy;

static int check_cancelled(const copy *c, scry_error *err)
{
    return scry_check_cancelled(c->options, "stopped: the same command continues the copy", err);
}

/* ---- roots ---- */

static int add_root(void *arg, const scry_root *root)
{
    copy *c = arg;
    c->roots = scry_realloc(c->roots, (c->root_count + 1) * sizeof *c->roots);
    memcpy(c->roots[c->root_count].id, root->id, SCRY_ID_BYTES);
    c->roots[c->root_count++].path = scry_strdup(root->path);
    c->progress->total += root->files;
    return 0;
}

static int copy_roots(copy *c, scry_error *err)
{
    int result = scry_store_roots(c->from, add_root, c, err);
    for (size_t i = 0; i < c->root_count && result == 0; i++) {
        scry_root root = { .path = c->roots[i].path };
        memcpy(root.id, c->roots[i].id, SCRY_ID_BYTES);
        result = scry_store_put_root(c->to, &root, err);
    }
    return result;
}

static void free_roots(copy *c)
{
    for (size_t i = 0; i < c->root_count; i++)
        free(c->roots[i].path);
    free(c->roots);
}

/* ---- files ---- */

static int flush(copy *c, scry_error *err)
{
    size_t n = c->batch.count, dim = (size_t)c->from->dim;
    scry_put *puts = scry_alloc((n + 1) * sizeof *puts);
    for (size_t i = 0; i < n; i++)
        puts[i] = (scry_put){ .file = c->batch.items[i], .vector = c->vectors + i * dim };
    int result = scry_store_put(c->to, puts, n, err);
    free(puts);
    scry_file_list_dispose(&c->batch);
    c->batch_bytes = 0;
    c->progress->copied += result == 0 ? n : 0;
    scry_report_progress(c->options, c->progress, &c->reported_ms, false);
    return result < 0 ? result : check_cancelled(c, err);
}

static bool is_known(copy *c, const scry_file *file)
{
    const scry_file *there = scry_held_find(&c->known, file->id, NULL, NULL);
    return there && !scry_file_difference(file, there);
}

static int count_lacking(void *arg, const scry_file *file, const float *vector)
{
    copy *c = arg;
    c->seen++;
    c->lacking += !is_known(c, file);
    return 0;
}

static int copy_file(void *arg, const scry_file *file, const float *vector)
{
    copy *c = arg;
    size_t dim = (size_t)c->from->dim;
    c->progress->done++;
    if (is_known(c, file))
        return 0;
    memcpy(c->vectors + c->batch.count * dim, vector, dim * sizeof *vector);
    scry_file_list_add(&c->batch, file);
    c->batch_bytes += strlen(file->path) + dim * sizeof *vector;
    for (size_t i = 0; i < file->label_count; i++)
        c->batch_bytes += strlen(file->labels[i]);
    if (c->batch.count == BATCH_ROWS || c->batch_bytes > BATCH_BYTES)
        c->result = flush(c, c->err);
    return c->result != 0;
}

/* Whether `to` has the whole range already. Reads no vectors, which are most of the bytes. */
static int range_is_known(copy *c, scry_id_range range, bool *out, scry_error *err)
{
    *out = false;
    c->seen = c->lacking = 0;
    if (!c->known.files.count)
        return 0;
    int result = scry_store_each_in_range(c->from, range, false, count_lacking, c, err);
    c->known.at = 0;
    *out = c->lacking == 0;
    c->progress->done += *out ? c->seen : 0;
    return result;
}

static int copy_range(void *arg, scry_id_range range, scry_error *err)
{
    copy *c = arg;
    bool known = false;
    int result = check_cancelled(c, err);
    if (result < 0)
        return result;
    result = scry_held_load(&c->known, c->to, range, false, err);
    if (result == 0 && c->known.full)
        result = 1;
    if (result == 0)
        result = range_is_known(c, range, &known, err);
    if (result == 0 && !known) {
        c->err = err;
        c->result = 0;
        result = scry_store_each_in_range(c->from, range, true, copy_file, c, err);
        result = result < 0 ? result : c->result;
        if (result == 0)
            result = flush(c, err);
    }
    scry_held_dispose(&c->known);
    scry_report_progress(c->options, c->progress, &c->reported_ms, false);
    return result;
}

/* ---- remembered bad files ---- */

static int put_bad(void *arg, const char *path, int64_t size, int64_t mtime_ns, const char *reason)
{
    copy *c = arg;
    for (size_t i = 0; i < c->root_count && c->result == 0; i++) {
        const char *root = c->roots[i].path;
        size_t n = strlen(root);
        if (!scry_path_within(root, path) || !path[n])
            continue;
        c->result = scry_store_put_bad(c->to, c->roots[i].id, path + n + (root[n - 1] == '/' ? 0 : 1), size, mtime_ns, reason,
                                       c->err);
        c->progress->skipped += c->result == 0;
    }
    if (c->result == 0)
        c->result = check_cancelled(c, c->err);
    return c->result != 0;
}

static int copy_bad(copy *c, scry_error *err)
{
    c->err = err;
    c->result = 0;
    int result = scry_store_each_bad(c->from, put_bad, c, err);
    return result < 0 ? result : c->result;
}

int scry_copy_frame(scry_store *from, scry_store *to, scry_error *err)
{
    static const scry_copy_options silent = { NULL, NULL, NULL };
    scry_copy_progress progress = { 0 };
    copy c = { .from = from, .to = to, .options = &silent, .progress = &progress };
    int result = copy_roots(&c, err);
    if (result == 0)
        result = copy_bad(&c, err);
    free_roots(&c);
    return result;
}

int scry_store_copy(scry_store *from, scry_store *to, const scry_copy_options *options, scry_copy_progress *out,
                    scry_error *err)
{
    static const scry_copy_options silent = { NULL, NULL, NULL };
    copy c = { .from = from, .to = to, .options = options ? options : &silent, .progress = out };
    *out = (scry_copy_progress){ 0 };
    int result = scry_check_models(from, to, "their vectors cannot be in one collection", err);
    if (result < 0)
        return result;
    c.vectors = scry_alloc((size_t)BATCH_ROWS * (size_t)from->dim * sizeof *c.vectors);
    result = copy_roots(&c, err);
    if (result == 0)
        result = scry_each_piece(out->total, from->dim, copy_range, &c, err);
    if (result == 0)
        result = copy_bad(&c, err);
    scry_report_progress(c.options, c.progress, &c.reported_ms, true);
    if (result == 0)
        result = scry_store_sync(to, err);
    scry_file_list_dispose(&c.batch);
    free(c.vectors);
    free_roots(&c);
    return result;
}
