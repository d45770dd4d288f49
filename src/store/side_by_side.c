#include "store/side_by_side.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Rows that a piece should hold: vectors of 16 MiB, or as many short rows. */
enum { PIECE_BYTES = 16 << 20, PIECE_ROWS = 8192 };

static size_t piece_rows(int dim)
{
    size_t rows = PIECE_BYTES / (4 * (size_t)(dim > 0 ? dim : 1)) + 1;
    return rows < PIECE_ROWS ? rows : PIECE_ROWS;
}

/* ---- held rows ---- */

static int hold(void *arg, const scry_file *file, const float *vector)
{
    scry_held *h = arg;
    size_t n = h->files.count, dim = (size_t)h->of->dim;
    if (n == 4 * piece_rows(h->of->dim)) {
        h->full = true;
        return 1;
    }
    if (vector) {
        if ((n & (n - 1)) == 0)   /* room for the next power of two */
            h->vectors = scry_realloc(h->vectors, (n ? 2 * n : 1) * dim * sizeof *h->vectors);
        memcpy(h->vectors + n * dim, vector, dim * sizeof *h->vectors);
    }
    scry_file_list_add(&h->files, file);
    return 0;
}

int scry_held_load(scry_held *h, scry_store *store, scry_id_range range, bool vectors, scry_error *err)
{
    *h = (scry_held){ .of = store, .with_vectors = vectors };
    return scry_store_each_in_range(store, range, vectors, hold, h, err);
}

void scry_held_dispose(scry_held *h)
{
    scry_file_list_dispose(&h->files);
    free(h->vectors);
    *h = (scry_held){ .of = NULL };
}

const scry_file *scry_held_find(scry_held *h, const uint8_t *id, void (*missed)(void *arg, const scry_file *file), void *arg)
{
    for (; h->at < h->files.count; h->at++) {
        const scry_file *f = &h->files.items[h->at];
        int order = id ? memcmp(f->id, id, SCRY_ID_BYTES) : -1;
        if (order >= 0) {
            h->at += order == 0;
            return order == 0 ? f : NULL;
        }
        if (missed)
            missed(arg, f);
    }
    return NULL;
}

const float *scry_held_vector(const scry_held *h, const scry_file *file)
{
    return h->vectors + (size_t)(file - h->files.items) * (size_t)h->of->dim;
}

/* ---- pieces ---- */

typedef struct {
    int (*piece)(void *arg, scry_id_range range, scry_error *err);
    void *arg;
} walker;

static int walk_piece(const walker *w, scry_id_range r, scry_error *err)
{
    int result = w->piece(w->arg, r, err);
    if (result != 1)
        return result;
    if (r.end - r.first < 2)
        return scry_fail(err, SCRY_EINVALID, "too many ids begin with %08llx: scry did not make them",
                         (unsigned long long)r.first);
    uint64_t middle = r.first + (r.end - r.first) / 2;
    result = walk_piece(w, (scry_id_range){ r.first, middle }, err);   /* at most 32 deep */
    return result ? result : walk_piece(w, (scry_id_range){ middle, r.end }, err);
}

static const uint64_t ALL_IDS = (uint64_t)1 << 32;

int scry_each_piece_of(scry_id_range range, uint64_t files, int dim,
                       int (*piece)(void *arg, scry_id_range range, scry_error *err), void *arg, scry_error *err)
{
    uint64_t pieces = 1 + files / piece_rows(dim), all = range.end - range.first;
    walker w = { piece, arg };
    int result = 0;
    if (pieces > all)
        pieces = all;
    for (uint64_t i = 0; i < pieces && result == 0; i++) {
        uint64_t first = range.first + all / pieces * i;
        result = walk_piece(&w, (scry_id_range){ first, i + 1 == pieces ? range.end : first + all / pieces }, err);
    }
    return result;
}

int scry_each_piece(uint64_t files, int dim, int (*piece)(void *arg, scry_id_range range, scry_error *err), void *arg,
                    scry_error *err)
{
    return scry_each_piece_of((scry_id_range){ 0, ALL_IDS }, files, dim, piece, arg, err);
}

scry_id_range scry_random_range(uint64_t files, uint64_t most)
{
    uint32_t random = 0;
    if (most == 0 || files <= most)
        return (scry_id_range){ 0, ALL_IDS };
    uint64_t width = (uint64_t)((double)ALL_IDS * ((double)most / (double)files)) + 1;
    if (getrandom(&random, sizeof random, 0) < 0)
        random = 0;
    uint64_t first = (uint64_t)((double)random / (double)ALL_IDS * (double)(ALL_IDS - width));
    return (scry_id_range){ first, first + width };
}

/* ---- files ---- */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_labels(const scry_file *a, const scry_file *b)
{
    if (a->label_count != b->label_count)
        return false;
    for (size_t i = 0; i < a->label_count; i++)
        if (strcmp(a->labels[i], b->labels[i]) != 0)
            return false;
    return true;
}

/* What an old store does not know of a file is no difference. */
static bool same_details(const scry_file *a, const scry_file *b)
{
    if (a->lacks_details || b->lacks_details)
        return true;
    return a->taken_source == b->taken_source && a->has_taken_offset == b->has_taken_offset &&
           (!a->has_taken_offset || a->taken_offset_min == b->taken_offset_min) && a->has_rating == b->has_rating &&
           (!a->has_rating || a->rating == b->rating) && a->damaged == b->damaged && same_text(a->lens, b->lens) &&
           same_text(a->title, b->title) && same_text(a->description, b->description) && same_text(a->keywords, b->keywords);
}

const char *scry_file_difference(const scry_file *a, const scry_file *b)
{
    const struct { const char *what; bool same; } checks[] = {
        { "content", memcmp(a->content, b->content, SCRY_HASH_BYTES) == 0 },
        { "size", a->size == b->size },
        { "modification time", a->mtime_ns == b->mtime_ns },
        { "width or height", a->width == b->width && a->height == b->height },
        { "format", same_text(a->format, b->format) },
        { "time", a->has_time == b->has_time && (!a->has_time || a->taken_at == b->taken_at) },
        { "position", a->has_position == b->has_position &&
          (!a->has_position || (a->latitude == b->latitude && a->longitude == b->longitude)) },
        { "camera", same_text(a->camera, b->camera) },
        { "details (lens, title, description, keywords, rating, source of the time)", same_details(a, b) },
        { "key", same_text(a->key, b->key) },
        { "labels", same_labels(a, b) },
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (!checks[i].same)
            return checks[i].what;
    return NULL;
}

static int add_files(void *arg, const scry_root *root)
{
    *(uint64_t *)arg += root->files;
    return 0;
}

int scry_count_files(scry_store *s, uint64_t *out, scry_error *err)
{
    *out = 0;
    return scry_store_roots(s, add_files, out, err);
}

/* ---- models, progress, cancelling ---- */

int scry_check_models(scry_store *a, scry_store *b, const char *consequence, scry_error *err)
{
    scry_store_info x, y;
    scry_store_describe(a, &x);
    scry_store_describe(b, &y);
    if (x.dim == y.dim && strcmp(x.model_identity, y.model_identity) == 0)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "%s was built with model %s (%.12s), %s with %s (%.12s): %s", x.where, x.model_name,
                     x.model_identity, y.where, y.model_name, y.model_identity, consequence);
}

void scry_report_progress(const scry_copy_options *o, const scry_copy_progress *p, double *last_ms, bool always)
{
    enum { EVERY_MS = 100 };
    if (!o->progress || (!always && scry_now_ms() - *last_ms < EVERY_MS))
        return;
    *last_ms = scry_now_ms();
    o->progress(o->arg, p);
}

int scry_check_cancelled(const scry_copy_options *o, const char *text, scry_error *err)
{
    return o->cancel && atomic_load(o->cancel) ? scry_fail(err, SCRY_ECANCELLED, "%s", text) : 0;
}

/* ---- texts ---- */

int scry_texts_there(scry_store *s, const scry_picture_text *texts, size_t n, scry_picture_text **out, bool *has, scry_error *err)
{
    int result = 0;
    if (s->kind->get_texts)
        return s->kind->get_texts(s, texts, n, out, has, err);
    for (size_t i = 0; i < n && result >= 0; i++) {
        result = scry_store_has_content(s, texts[i].content, NULL, err);
        has[i] = result > 0;
        if (has[i])
            result = scry_store_get_text(s, texts[i].content, &out[i], err);
    }
    return result < 0 ? result : 0;
}
