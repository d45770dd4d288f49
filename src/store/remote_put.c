/* remote_put.c - files sent as rows, and removed. */
#include "store/remote_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sha256.h"
#include "store/filter_internal.h"
#include "store/remote_foreign.h"
#include "vector/vector.h"

#include <stdlib.h>
#include <string.h>

/* ---- a batch as columns ---- */

enum { COLUMNS = 18 };

typedef struct batch {
    size_t n;
    char (*id)[SCRY_REMOTE_HEX_ID], (*root)[SCRY_REMOTE_HEX_ID], (*content)[SCRY_REMOTE_HEX_HASH];
    const char **ids, **roots, **contents, **paths, **cameras, **formats, **keys;
    scry_milvus_strings *labels;
    int64_t *size, *mtime_ns, *time, *width, *height;
    int *has_time, *has_position;
    double *latitude, *longitude;
    float *vectors;                 /* [n, dim] */
    bool *has_vector;
    void *owned[24];
    size_t owned_count;
} batch;

static void *own(batch *b, size_t size)
{
    return b->owned[b->owned_count++] = scry_alloc(b->n * size + 1);
}

static void batch_init(batch *b, size_t n, size_t dim)
{
    *b = (batch){ .n = n };
    b->id = own(b, sizeof *b->id);
    b->root = own(b, sizeof *b->root);
    b->content = own(b, sizeof *b->content);
    const char ***lists[] = { &b->ids, &b->roots, &b->contents, &b->paths, &b->cameras, &b->formats, &b->keys };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        *lists[i] = own(b, sizeof **lists[i]);
    int64_t **numbers[] = { &b->size, &b->mtime_ns, &b->time, &b->width, &b->height };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = own(b, sizeof **numbers[i]);
    b->has_time = own(b, sizeof *b->has_time);
    b->has_position = own(b, sizeof *b->has_position);
    b->latitude = own(b, sizeof *b->latitude);
    b->longitude = own(b, sizeof *b->longitude);
    b->labels = own(b, sizeof *b->labels);
    b->vectors = own(b, dim * sizeof *b->vectors);
    b->has_vector = own(b, sizeof *b->has_vector);
}

static void batch_dispose(batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const char *const texts[] = { b->paths[i], b->cameras[i], b->formats[i], b->keys[i] };
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            free((void *)texts[k]);
        for (size_t k = 0; k < b->labels[i].count; k++)
            free((void *)b->labels[i].items[k]);
        free((void *)b->labels[i].items);
    }
    for (size_t i = 0; i < b->owned_count; i++)
        free(b->owned[i]);
}

/* Escaped copy; what does not fit a VARCHAR is an error, never cut. */
static const char *escaped(const char *text, const char *what, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(SCRY_MILVUS_MAX_VARCHAR);
    scry_milvus_escape(&b, text ? text : "");
    if (b.failed)
        scry_fail(err, SCRY_ELIMIT, "%s \"%.60s...\" is longer than the %d bytes a field of Milvus holds", what, text,
                  SCRY_MILVUS_MAX_VARCHAR);
    char *out = b.failed ? NULL : scry_buf_take(&b);
    scry_buf_dispose(&b);
    return out;
}

static int set_labels(batch *b, size_t i, const scry_file *f, scry_error *err)
{
    enum { MOST_LABELS = 4096 };
    if (f->label_count > MOST_LABELS)
        return scry_fail(err, SCRY_ELIMIT, "%s has %zu labels: Milvus holds %d", f->relative, f->label_count, MOST_LABELS);
    const char **items = scry_alloc((f->label_count + 1) * sizeof *items);
    b->labels[i].items = items;
    for (size_t k = 0; k < f->label_count; k++) {
        if (!(items[k] = escaped(f->labels[k], "the label", err)))
            return SCRY_ELIMIT;
        b->labels[i].count = k + 1;
    }
    return 0;
}

/* Vectors are rounded to halves, as the embedded store keeps them, so that both give the same scores. */
static void set_vector(batch *b, size_t i, const float *v, size_t dim)
{
    uint16_t half[256];
    float *to = b->vectors + i * dim;
    for (size_t at = 0; at < dim; at += sizeof half / sizeof *half) {
        size_t n = dim - at < sizeof half / sizeof *half ? dim - at : sizeof half / sizeof *half;
        scry_half_from_float(half, v + at, n);
        scry_half_to_float(to + at, half, n);
    }
    b->has_vector[i] = true;
}

static int set_row(batch *b, size_t i, const scry_put *p, size_t dim, scry_error *err)
{
    const scry_file *f = &p->file;
    uint8_t id[SCRY_ID_BYTES];
    scry_file_id(f->root, f->relative, id);
    scry_hex(id, sizeof id, b->id[i]);
    scry_hex(f->root, SCRY_ID_BYTES, b->root[i]);
    scry_hex(f->content, SCRY_HASH_BYTES, b->content[i]);
    b->ids[i] = b->id[i];
    b->roots[i] = b->root[i];
    b->contents[i] = b->content[i];
    b->size[i] = f->size;
    b->mtime_ns[i] = f->mtime_ns;
    b->time[i] = scry_file_time(f);
    b->has_time[i] = f->has_time;
    b->has_position[i] = f->has_position;
    b->latitude[i] = f->has_position ? f->latitude : 0;
    b->longitude[i] = f->has_position ? f->longitude : 0;
    b->width[i] = f->width;
    b->height[i] = f->height;
    if (p->vector)
        set_vector(b, i, p->vector, dim);
    if (!(b->paths[i] = escaped(f->relative, "the path", err)) || !(b->cameras[i] = escaped(f->camera, "the camera", err)) ||
        !(b->formats[i] = escaped(f->format, "the format", err)) || !(b->keys[i] = escaped(f->key, "the key", err)))
        return SCRY_ELIMIT;
    return set_labels(b, i, f, err);
}

/* ---- vectors of contents that are known already ---- */

static int fetch_vectors(scry_remote *s, scry_milvus *m, const char *const *contents, size_t n, scry_milvus_rows **out,
                         scry_error *err)
{
    static const char *const fields[] = { "content", "vector" };
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_remote_in_list(&filter, "content", contents, n);
    scry_milvus_query q = { scry_buf_str(&filter), fields, 2, 0, scry_remote_freshness(s) };
    int result = scry_remote_query(s, m, &q, out, err);
    scry_buf_dispose(&filter);
    return result;
}

/* Fill in the vectors that rows of the answer, or other rows of the batch, have. */
static void copy_vectors(batch *b, const scry_milvus_rows *rows, size_t dim)
{
    const scry_milvus_column *c = scry_milvus_find_column(rows, "content", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *v = scry_milvus_find_column(rows, "vector", SCRY_MILVUS_FLOAT_VECTOR);
    for (size_t i = 0; i < b->n; i++) {
        for (size_t k = 0; k < b->n && !b->has_vector[i]; k++)
            if (b->has_vector[k] && strcmp(b->content[k], b->content[i]) == 0) {
                memcpy(b->vectors + i * dim, b->vectors + k * dim, dim * sizeof(float));
                b->has_vector[i] = true;
            }
        for (size_t k = 0; c && v && v->dim == (int64_t)dim && k < rows->rows && !b->has_vector[i]; k++)
            if (strcmp(c->strings[k], b->content[i]) == 0) {
                memcpy(b->vectors + i * dim, v->floats + k * dim, dim * sizeof(float));
                b->has_vector[i] = true;
            }
    }
}

static int complete_vectors(scry_remote *s, scry_milvus *m, batch *b, scry_error *err)
{
    const char **wanted = scry_alloc((b->n + 1) * sizeof *wanted);
    size_t n = 0, dim = (size_t)s->base.dim;
    for (size_t i = 0; i < b->n; i++)
        if (!b->has_vector[i])
            wanted[n++] = b->content[i];
    scry_milvus_rows *rows = NULL;
    int result = n ? fetch_vectors(s, m, wanted, n, &rows, err) : 0;
    if (result == 0 && n)
        copy_vectors(b, rows, dim);
    scry_milvus_rows_free(rows);
    free(wanted);
    for (size_t i = 0; i < b->n && result == 0; i++)
        if (!b->has_vector[i])
            result = scry_fail(err, SCRY_EINVALID, "the picture of %s has no vector in %s yet", b->paths[i], s->where);
    return result;
}

/* ---- put ---- */

/* Rows of one root: `first` of the columns and those behind it. */
static int send_slice(scry_remote *s, scry_milvus *m, const scry_milvus_column *all, size_t first, size_t n, const char *root,
                      scry_error *err)
{
    scry_milvus_column columns[COLUMNS];
    char partition[SCRY_REMOTE_PARTITION];
    memcpy(columns, all, sizeof columns);
    for (size_t i = 0; i < COLUMNS; i++) {
        scry_milvus_column *c = &columns[i];
        c->bools = c->bools ? c->bools + first : NULL;
        c->longs = c->longs ? c->longs + first : NULL;
        c->doubles = c->doubles ? c->doubles + first : NULL;
        c->strings = c->strings ? c->strings + first : NULL;
        c->lists = c->lists ? c->lists + first : NULL;
        c->floats = c->floats ? c->floats + first * (size_t)c->dim : NULL;
    }
    const char *where = s->partitions ? scry_remote_partition(root, partition) : NULL;
    double deadline = scry_now_ms() + s->options.patience_ms;
    int result;
    do
        result = scry_milvus_upsert(m, s->name, columns, COLUMNS, n, where, err);
    while (result < 0 && scry_remote_revived(s, m, deadline));
    return result;
}

static int send_rows(scry_remote *s, scry_milvus *m, const batch *b, scry_error *err)
{
    const scry_milvus_column columns[COLUMNS] = {
        { .name = "id", .type = SCRY_MILVUS_VARCHAR, .strings = b->ids },
        { .name = "content", .type = SCRY_MILVUS_VARCHAR, .strings = b->contents },
        { .name = "root", .type = SCRY_MILVUS_VARCHAR, .strings = b->roots },
        { .name = "path", .type = SCRY_MILVUS_VARCHAR, .strings = b->paths },
        { .name = "size", .type = SCRY_MILVUS_INT64, .longs = b->size },
        { .name = "mtime_ns", .type = SCRY_MILVUS_INT64, .longs = b->mtime_ns },
        { .name = "time", .type = SCRY_MILVUS_INT64, .longs = b->time },
        { .name = "has_time", .type = SCRY_MILVUS_BOOL, .bools = b->has_time },
        { .name = "camera", .type = SCRY_MILVUS_VARCHAR, .strings = b->cameras },
        { .name = "has_position", .type = SCRY_MILVUS_BOOL, .bools = b->has_position },
        { .name = "latitude", .type = SCRY_MILVUS_DOUBLE, .doubles = b->latitude },
        { .name = "longitude", .type = SCRY_MILVUS_DOUBLE, .doubles = b->longitude },
        { .name = "format", .type = SCRY_MILVUS_VARCHAR, .strings = b->formats },
        { .name = "width", .type = SCRY_MILVUS_INT64, .longs = b->width },
        { .name = "height", .type = SCRY_MILVUS_INT64, .longs = b->height },
        { .name = "key", .type = SCRY_MILVUS_VARCHAR, .strings = b->keys },
        { .name = "labels", .type = SCRY_MILVUS_ARRAY, .lists = b->labels },
        { .name = "vector", .type = SCRY_MILVUS_FLOAT_VECTOR, .floats = b->vectors, .dim = s->base.dim },
    };
    int result = 0;
    for (size_t from = 0, to; from < b->n && result == 0; from = to) {
        for (to = s->partitions ? from + 1 : b->n; to < b->n && strcmp(b->root[from], b->root[to]) == 0; to++)
            continue;
        result = send_slice(s, m, columns, from, to - from, b->root[from], err);
    }
    return result;
}

/* Whether a later item of the batch is the same file: the last one counts, and Milvus would
 * keep both rows of one upsert. */
static bool is_repeated(const scry_put *items, size_t n, size_t i)
{
    for (size_t k = i + 1; k < n; k++)
        if (memcmp(items[k].file.root, items[i].file.root, SCRY_ID_BYTES) == 0 &&
            strcmp(items[k].file.relative, items[i].file.relative) == 0)
            return true;
    return false;
}

/* What was put is known from now on, and bad no more. */
static int remember(scry_remote *s, const batch *b, const scry_put *const *items, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < b->n && result >= 0; i++) {
        uint8_t id[SCRY_ID_BYTES];
        if (scry_unhex(b->id[i], id, sizeof id) < 0)
            continue;
        scry_remote_state_put(s, id, &items[i]->file);
        result = scry_remote_side_drop(s, id, err);
    }
    return result < 0 ? result : 0;
}

static int compare_roots(const void *a, const void *b)
{
    const scry_put *x = *(const scry_put *const *)a, *y = *(const scry_put *const *)b;
    return memcmp(x->file.root, y->file.root, SCRY_ID_BYTES);
}

static int put_some(scry_remote *s, scry_milvus *m, const scry_put *items, size_t n, scry_error *err)
{
    const scry_put **kept = scry_alloc((n + 1) * sizeof *kept);
    batch b;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_repeated(items, n, i))
            kept[count++] = &items[i];
    if (s->partitions && count)
        qsort(kept, count, sizeof *kept, compare_roots);
    batch_init(&b, count, (size_t)s->base.dim);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = set_row(&b, i, kept[i], (size_t)s->base.dim, err);
    if (result == 0)
        result = complete_vectors(s, m, &b, err);
    if (result == 0)
        result = send_rows(s, m, &b, err);
    if (result == 0) {
        s->unflushed += count;
        result = remember(s, &b, kept, err);
    }
    batch_dispose(&b);
    free(kept);
    return result;
}

int scry_remote_put(scry_store *base, const scry_put *items, size_t n, scry_error *err)
{
    enum { MOST_ROWS = 2048 };   /* bounds the memory beside the caller's and the search for repetitions */
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = scry_remote_check_writable(s, err);
    if (result < 0)
        return result;
    if (s->foreign)
        return scry_remote_foreign_put(s, items, n, err);
    if ((result = scry_remote_take(s, &m, err)) < 0)
        return result;
    for (size_t at = 0; at < n && result == 0; at += MOST_ROWS)
        result = put_some(s, m, items + at, n - at < MOST_ROWS ? n - at : MOST_ROWS, err);
    scry_remote_give(s, m);
    return result;
}

/* ---- remove ---- */

/* How many of these rows exist: Milvus itself counts what it was asked to delete. */
static int count_rows(scry_remote *s, scry_milvus *m, const char *filter, uint64_t *out, scry_error *err)
{
    static const char *const fields[] = { "id" };
    scry_milvus_query q = { filter, fields, 1, 0, SCRY_MILVUS_STRONG };
    scry_milvus_rows *rows;
    int result = scry_remote_query(s, m, &q, &rows, err);
    if (result < 0)
        return result;
    *out = rows->rows;
    scry_milvus_rows_free(rows);
    return 0;
}

static int remove_some(scry_remote *s, scry_milvus *m, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed,
                       scry_error *err)
{
    char (*hex)[SCRY_REMOTE_HEX_ID] = scry_alloc(n * sizeof *hex);
    const char **texts = scry_alloc(n * sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        scry_hex(ids[i], SCRY_ID_BYTES, hex[i]);
        texts[i] = hex[i];
    }
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_remote_in_list(&filter, "id", texts, n);
    uint64_t rows = 0;
    int result = count_rows(s, m, scry_buf_str(&filter), &rows, err);
    double deadline = scry_now_ms() + s->options.patience_ms;
    if (result == 0 && rows)
        do
            result = scry_milvus_delete(m, s->name, scry_buf_str(&filter), NULL, err);
        while (result < 0 && scry_remote_revived(s, m, deadline));
    for (size_t i = 0; i < n && result == 0; i++) {
        int bad = scry_remote_side_drop(s, ids[i], err);
        result = bad < 0 ? bad : 0;
        rows += bad > 0;
        scry_remote_state_drop(s, ids[i]);
    }
    *removed += rows;
    scry_buf_dispose(&filter);
    free(texts);
    free(hex);
    return result;
}

int scry_remote_remove(scry_store *base, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed, scry_error *err)
{
    enum { MOST_IDS = 1000 };
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = scry_remote_check_writable(s, err);
    *removed = 0;
    if (result < 0 || s->foreign)
        return result < 0 ? result : scry_remote_foreign_remove(s, ids, n, removed, err);
    if ((result = scry_remote_take(s, &m, err)) < 0)
        return result;
    for (size_t at = 0; at < n && result == 0; at += MOST_IDS)
        result = remove_some(s, m, ids + at, n - at < MOST_IDS ? n - at : MOST_IDS, removed, err);
    /* Milvus 2.3 does not say when a deletion was: later reads could not ask to see it. */
    if (result == 0 && *removed)
        result = scry_remote_catch_up(s, m, err);
    scry_remote_give(s, m);
    return result;
}

int scry_remote_put_bad(scry_store *base, const uint8_t *root, const char *relative, int64_t size, int64_t mtime_ns,
                        const char *reason, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    uint8_t id[1][SCRY_ID_BYTES];
    uint64_t removed;
    bool known = false;
    int result = scry_remote_check_writable(s, err);
    if (result < 0)
        return result;
    scry_file_id(root, relative, id[0]);
    /* A new bad file, the common case, has no row: no need to ask the server to delete it. */
    if (!s->foreign)
        result = scry_remote_has_row(s, root, id[0], &known, err);
    if (result == 0 && known)
        result = scry_remote_remove(base, (const uint8_t (*)[SCRY_ID_BYTES])id, 1, &removed, err);
    return result < 0 ? result : scry_remote_side_put(s, id[0], root, relative, size, mtime_ns, reason, err);
}
