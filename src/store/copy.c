/* copy.c - copying the files of one collection to another. */
#include "scry/copy.h"
#include "scry/marks.h"

#include "base/alloc.h"
#include "base/sha256.h"
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
    uint8_t (*worse)[SCRY_ID_BYTES];   /* [worse_count] files of `to` with another vector of the same content */
    size_t worse_count;
    scry_file_list batch;    /* files to put */
    float *vectors;          /* [BATCH_ROWS, dim] */
    size_t batch_bytes;
    struct { uint8_t id[SCRY_ID_BYTES]; char *path, *name; } *roots;   /* of `from` */
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
    c->roots[c->root_count].name = root->name ? scry_strdup(root->name) : NULL;
    c->roots[c->root_count++].path = scry_strdup(root->path);
    c->progress->total += root->files;
    return 0;
}

static int refuse_lost(void *arg, const scry_root *root)
{
    copy *c = arg;
    scry_store_info info;
    char id[2 * SCRY_ID_BYTES + 1];
    scry_store_describe(c->from, &info);
    scry_hex(root->id, SCRY_ID_BYTES, id);
    c->result = scry_fail(c->err, SCRY_EINVALID, "%s does not know the path of its root %s any more (%llu files, such as %s): "
                          "scry root move %s PATH, then copy", info.where, id, (unsigned long long)root->files, root->path, id);
    return 1;
}

static int copy_roots(copy *c, scry_error *err)
{
    int result = scry_store_roots(c->from, add_root, c, err);
    if (result == 0) {
        c->err = err;
        c->result = 0;
        result = scry_store_lost_roots(c->from, refuse_lost, c, err);
        result = result < 0 ? result : c->result;
    }
    for (size_t i = 0; i < c->root_count && result == 0; i++) {
        scry_root root = { .path = c->roots[i].path, .name = c->roots[i].name };
        memcpy(root.id, c->roots[i].id, SCRY_ID_BYTES);
        result = scry_store_put_root(c->to, &root, err);
    }
    return result;
}

static void free_roots(copy *c)
{
    for (size_t i = 0; i < c->root_count; i++) {
        free(c->roots[i].path);
        free(c->roots[i].name);
    }
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

/* Whether `to` has the vector of a file that is there otherwise. */
static bool same_vector(const copy *c, const scry_file *there, const float *vector)
{
    return memcmp(scry_held_vector(&c->known, there), vector, (size_t)c->from->dim * sizeof *vector) == 0;
}

static void note_worse(copy *c, const uint8_t *id)
{
    if ((c->worse_count & (c->worse_count - 1)) == 0)   /* room for the next power of two */
        c->worse = scry_realloc(c->worse, (c->worse_count ? 2 * c->worse_count : 1) * sizeof *c->worse);
    memcpy(c->worse[c->worse_count++], id, SCRY_ID_BYTES);
}

static int copy_file(void *arg, const scry_file *file, const float *vector)
{
    copy *c = arg;
    size_t dim = (size_t)c->from->dim;
    const scry_file *there = scry_held_find(&c->known, file->id, NULL, NULL);
    bool same = there && same_vector(c, there, vector);
    c->progress->done++;
    if (there && !same && memcmp(there->content, file->content, SCRY_HASH_BYTES) == 0 && !c->to->kind->put_replaces_vectors) {
        note_worse(c, file->id);
        return 0;
    }
    if (same && !scry_file_difference(file, there)) {
        c->progress->there++;
        return 0;
    }
    memcpy(c->vectors + c->batch.count * dim, vector, dim * sizeof *vector);
    scry_file_list_add(&c->batch, file);
    c->batch_bytes += strlen(file->path) + dim * sizeof *vector;
    for (size_t i = 0; i < file->label_count; i++)
        c->batch_bytes += strlen(file->labels[i]);
    if (c->batch.count == BATCH_ROWS || c->batch_bytes > BATCH_BYTES)
        c->result = flush(c, c->err);
    return c->result != 0;
}

static int copy_range(void *arg, scry_id_range range, scry_error *err)
{
    copy *c = arg;
    int result = check_cancelled(c, err);
    if (result < 0)
        return result;
    result = scry_held_load(&c->known, c->to, range, true, err);
    if (result == 0 && c->known.full)
        result = 1;
    if (result == 0) {
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

/* The files of `to` whose contents have another vector there: where a content keeps the vector that it has, they are removed
 * together, with their contents, and sent like any that are missing. */
static int repair(copy *c, scry_error *err)
{
    scry_copy_progress before = *c->progress;
    int result = scry_store_remove(c->to, (const uint8_t (*)[SCRY_ID_BYTES])c->worse, c->worse_count, NULL, err);
    c->worse_count = 0;
    if (result == 0)
        result = scry_each_piece(before.total, c->from->dim, copy_range, c, err);
    c->progress->done = before.done;
    c->progress->there = before.there;
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

/* ---- marks ---- */

typedef struct mark_batch {
    scry_mark *marks;        /* keys and values are owned */
    size_t count, capacity;
} mark_batch;

static int add_mark(void *arg, const scry_mark *m)
{
    mark_batch *b = arg;
    if (b->count == b->capacity) {
        b->capacity = b->capacity ? 2 * b->capacity : 64;
        b->marks = scry_realloc(b->marks, b->capacity * sizeof *b->marks);
    }
    scry_mark *own = &b->marks[b->count++];
    *own = *m;
    own->key = memcpy(scry_alloc(m->key_size + 1), m->key, m->key_size);
    own->value = scry_strdup(m->value);
    return 0;
}

static int read_marks(mark_batch *b, scry_store *s, scry_error *err)
{
    static const scry_mark_kind kinds[] = { SCRY_MARK_FAVOURITE, SCRY_MARK_KEPT, SCRY_MARK_SEARCH };
    int result = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && result == 0; i++)
        result = scry_store_each_mark(s, kinds[i], add_mark, b, err);
    return result;
}

static void free_marks(mark_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        free((void *)b->marks[i].key);
        free((char *)b->marks[i].value);
    }
    free(b->marks);
}

int scry_copy_marks(scry_store *from, scry_store *to, bool exactly, scry_error *err)
{
    scry_store_info here = { 0 }, there = { 0 };
    mark_batch old = { NULL, 0, 0 }, new = { NULL, 0, 0 };
    scry_store_describe(from, &here);
    scry_store_describe(to, &there);
    if (!here.keeps_marks || !there.keeps_marks)
        return 0;
    int result = exactly ? read_marks(&old, to, err) : 0;
    if (result == 0)
        result = read_marks(&new, from, err);
    if (result == 0)
        result = scry_store_remove_marks(to, old.marks, old.count, NULL, err);
    if (result == 0)
        result = scry_store_put_marks(to, new.marks, new.count, err);
    free_marks(&old);
    free_marks(&new);
    return result;
}

/* ---- texts in pictures ---- */

bool scry_same_text(const scry_picture_text *a, const scry_picture_text *b)
{
    bool same = a->line_count == b->line_count && strcmp(a->reader, b->reader) == 0 && strcmp(a->reason, b->reason) == 0;
    for (size_t i = 0; same && i < a->line_count; i++)
        same = strcmp(a->lines[i].text, b->lines[i].text) == 0 && a->lines[i].confidence == b->lines[i].confidence &&
               memcmp(a->lines[i].corner, b->lines[i].corner, sizeof a->lines[i].corner) == 0;
    return same;
}

/* Those that `to` lacks; a content that it does not have needs none. */
static int copy_some_texts(void *arg, const scry_picture_text *texts, size_t n)
{
    copy *c = arg;
    scry_picture_text *lacking = scry_alloc(n * sizeof *lacking), **there = scry_alloc(n * sizeof *there);
    bool *has = scry_alloc(n * sizeof *has);
    size_t count = 0;
    c->result = check_cancelled(c, c->err);
    if (c->result == 0)
        c->result = scry_texts_there(c->to, texts, n, there, has, c->err);
    for (size_t i = 0; i < n; i++) {
        if (has[i] && (!there[i] || !scry_same_text(there[i], &texts[i])))
            lacking[count++] = texts[i];
        scry_picture_text_free(there[i]);
    }
    free(there);
    free(has);
    if (c->result == 0)
        c->result = scry_store_put_texts(c->to, lacking, count, c->err);
    free(lacking);
    return c->result != 0;
}

int scry_copy_texts(scry_store *from, scry_store *to, const scry_copy_options *options, scry_error *err)
{
    static const scry_copy_options silent = SCRY_COPY_OPTIONS_INIT;
    copy c = { .from = from, .to = to, .options = options ? options : &silent, .err = err };
    if (!to->kind->put_texts)
        return 0;
    int result = scry_store_each_text(from, copy_some_texts, &c, err);
    return result < 0 ? result : c.result;
}

int scry_copy_frame(scry_store *from, scry_store *to, scry_error *err)
{
    static const scry_copy_options silent = SCRY_COPY_OPTIONS_INIT;
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
    static const scry_copy_options silent = SCRY_COPY_OPTIONS_INIT;
    scry_copy_progress unwanted;
    out = out ? out : &unwanted;
    copy c = { .from = from, .to = to, .options = options ? options : &silent, .progress = out };
    *out = (scry_copy_progress){ 0 };
    int result = scry_check_models(from, to, "their vectors cannot be in one collection", err);
    if (result < 0)
        return result;
    c.vectors = scry_alloc((size_t)BATCH_ROWS * (size_t)from->dim * sizeof *c.vectors);
    result = copy_roots(&c, err);
    if (result == 0)
        result = scry_each_piece(out->total, from->dim, copy_range, &c, err);
    if (result == 0 && c.worse_count)
        result = repair(&c, err);
    if (result == 0)
        result = copy_bad(&c, err);
    if (result == 0)
        result = scry_copy_marks(from, to, false, err);
    if (result == 0)
        result = scry_copy_texts(from, to, options, err);
    scry_report_progress(c.options, c.progress, &c.reported_ms, true);
    if (result == 0)
        result = scry_store_sync(to, err);
    scry_file_list_dispose(&c.batch);
    free(c.vectors);
    free(c.worse);
    free_roots(&c);
    return result;
}

int scry_store_export(scry_store *from, scry_store *to, const char *folder, const scry_copy_options *options,
                      scry_copy_progress *out, scry_error *err)
{
    if (out)
        *out = (scry_copy_progress){ 0 };
    if (!folder || !folder[0])
        return scry_fail(err, SCRY_EINVALID, "the folder for the rows of a bulk import has no name");
    if (!to->kind->put_into_files)
        return scry_fail(err, SCRY_EINVALID, "a bulk import is for collections on Milvus that scry made: give milvus://HOST, or use "
                         "`scry store copy`");
    int result = to->kind->put_into_files(to, folder, err);
    return result < 0 ? result : scry_store_copy(from, to, options, out, err);
}
