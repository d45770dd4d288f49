#include "store/remote_foreign.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct mapped {
    int64_t number;
    char *path;
} mapped;

struct scry_remote_foreign {
    char *key;               /* name of the primary field */
    bool numbers;            /* it is an INT64 */
    char *why_not;           /* why nothing can be added; NULL: it can */
    mapped *map;             /* [map_count], by number */
    size_t map_count;
};

void scry_remote_foreign_free(scry_remote_foreign *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->map_count; i++)
        free(f->map[i].path);
    free(f->map);
    free(f->key);
    free(f->why_not);
    free(f);
}

/* ---- recognising ---- */

static const scry_milvus_field *find_vector(const scry_remote *s, const scry_milvus_schema *schema, const char *name,
                                            scry_error *err)
{
    const scry_milvus_field *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        const scry_milvus_field *f = &schema->fields[i];
        if (f->type != SCRY_MILVUS_FLOAT_VECTOR || (name && strcmp(f->name, name) != 0))
            continue;
        found = f;
        count++;
    }
    if (count == 1)
        return found;
    if (name)
        scry_fail(err, SCRY_EINVALID, "the collection %s at %s has no field %s of float vectors", s->name, s->where, name);
    else
        scry_fail(err, SCRY_EINVALID, "the collection %s at %s has %zu fields of float vectors: name one with --milvus-field",
                  s->name, s->where, count);
    return NULL;
}

static const scry_milvus_field *find_key(const scry_remote *s, const scry_milvus_schema *schema, const char *name,
                                         scry_error *err)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const scry_milvus_field *f = &schema->fields[i];
        if (!f->primary)
            continue;
        if (name && strcmp(f->name, name) != 0)
            scry_fail(err, SCRY_EINVALID, "the key of the collection %s at %s is %s, not %s", s->name, s->where, f->name, name);
        else if (f->type != SCRY_MILVUS_INT64 && f->type != SCRY_MILVUS_VARCHAR)
            scry_fail(err, SCRY_EINVALID, "the key of the collection %s at %s has a type (%d) that scry does not know", s->name,
                      s->where, f->type);
        else
            return f;
        return NULL;
    }
    scry_fail(err, SCRY_EINVALID, "the collection %s at %s has no key", s->name, s->where);
    return NULL;
}

/* Owned; NULL when pictures can be added. */
static char *why_not_writable(const scry_milvus_schema *schema, const scry_milvus_field *key, const scry_milvus_field *vector)
{
    if (key->type != SCRY_MILVUS_INT64)
        return scry_strdup("its key is text, whose meaning only its maker knows");
    if (key->auto_id)
        return scry_strdup("its keys are made by the server, so that indexing again would double everything");
    for (size_t i = 0; i < schema->field_count; i++) {
        const scry_milvus_field *f = &schema->fields[i];
        if (f != key && f != vector && !f->optional)
            return scry_asprintf("its field %s must be filled in", f->name);
    }
    return NULL;
}

static int compare_mapped(const void *a, const void *b)
{
    const mapped *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

int scry_remote_foreign_take(scry_remote *s, const scry_milvus_schema *schema, const scry_store_options *o, scry_error *err)
{
    const scry_milvus_choice *choice = &o->milvus;
    const scry_milvus_field *vector = find_vector(s, schema, choice->vector_field, err);
    const scry_milvus_field *key = vector ? find_key(s, schema, choice->id_field, err) : NULL;
    if (!key)
        return SCRY_EINVALID;
    if (o->dim && o->dim != vector->dim)
        return scry_fail(err, SCRY_EINVALID, "the collection %s at %s holds vectors of %lld numbers, the model makes %d: it "
                         "was built with another one", s->name, s->where, (long long)vector->dim, o->dim);
    scry_remote_foreign *f = s->foreign = scry_alloc(sizeof *f);
    f->key = scry_strdup(key->name);
    f->numbers = key->type == SCRY_MILVUS_INT64;
    f->why_not = why_not_writable(schema, key, vector);
    if (f->why_not && o->mode != SCRY_STORE_READ)
        return scry_fail(err, SCRY_EINVALID, "nothing can be added to the collection %s at %s: %s", s->name, s->where,
                         f->why_not);
    f->map = scry_alloc((choice->map_count + 1) * sizeof *f->map);
    for (size_t i = 0; i < choice->map_count; i++)
        f->map[f->map_count++] = (mapped){ choice->map_ids[i], scry_strdup(choice->map_paths[i]) };
    if (f->map_count)
        qsort(f->map, f->map_count, sizeof *f->map, compare_mapped);
    s->base.dim = (int)vector->dim;
    s->vector_field = scry_strdup(vector->name);
    s->identity = scry_strdup("");
    s->model_name = scry_strdup("");
    s->precision = scry_strdup("");
    return 0;
}

/* ---- keys ---- */

static void id_of_number(int64_t number, uint8_t id[SCRY_ID_BYTES])
{
    memset(id, 0, SCRY_ID_BYTES);
    for (int i = 0; i < 8; i++)
        id[SCRY_ID_BYTES - 1 - i] = (uint8_t)((uint64_t)number >> (8 * i));
}

static int64_t number_of_id(const uint8_t id[SCRY_ID_BYTES])
{
    uint64_t n = 0;
    for (int i = SCRY_ID_BYTES - 8; i < SCRY_ID_BYTES; i++)
        n = n << 8 | id[i];
    return (int64_t)n;
}

/* The key of a picture that scry adds. */
static int64_t number_of_path(const char *path)
{
    uint8_t digest[SCRY_SHA256_BYTES];
    scry_sha256_of(path, strlen(path), digest);
    return number_of_id(digest) & INT64_MAX;
}

/* ---- roots: of this process only ---- */

int scry_remote_foreign_root(scry_remote *s, const char *path, scry_root *out, scry_error *err)
{
    uint8_t digest[SCRY_SHA256_BYTES];
    char hex[SCRY_REMOTE_HEX_ID];
    scry_sha256_of(path, strlen(path), digest);
    scry_hex(digest, SCRY_ID_BYTES, hex);
    memcpy(out->id, digest, SCRY_ID_BYTES);
    char *copy = scry_strdup(path);
    free(s->lent_root);
    out->path = s->lent_root = copy;
    scry_remote_roots *old = scry_remote_roots_hold(s), *now = scry_alloc(sizeof *now);
    now->users = 1;
    now->ids = scry_alloc((old->count + 1) * sizeof *now->ids);
    now->paths = scry_alloc((old->count + 1) * sizeof *now->paths);
    for (size_t i = 0; i < old->count; i++) {
        if (strcmp(old->ids[i], hex) == 0)
            continue;
        now->ids[now->count] = scry_strdup(old->ids[i]);
        now->paths[now->count++] = scry_strdup(old->paths[i]);
    }
    now->ids[now->count] = scry_strdup(hex);
    now->paths[now->count++] = scry_strdup(path);
    scry_remote_roots_release(s, old);
    pthread_mutex_lock(&s->lock);
    scry_remote_roots *before = s->roots;
    s->roots = now;
    pthread_mutex_unlock(&s->lock);
    scry_remote_roots_release(s, before);
    return 0;
}

/* Owned. */
static char *path_of(scry_remote *s, const uint8_t *root, const char *relative)
{
    char hex[SCRY_REMOTE_HEX_ID];
    const char *at = "?";
    scry_hex(root, SCRY_ID_BYTES, hex);
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    for (size_t i = 0; i < roots->count; i++)
        if (strcmp(roots->ids[i], hex) == 0)
            at = roots->paths[i];
    char *path = scry_store_join(at, relative);
    scry_remote_roots_release(s, roots);
    return path;
}

/* ---- reading ---- */

int scry_remote_foreign_state(scry_remote *s, const uint8_t *root, const char *relative, scry_file_state *out,
                              scry_error *err)
{
    sqlite3_stmt *st = NULL;
    int result = scry_remote_side_open(s, false, err);
    if (result <= 0)
        return result;
    char *path = path_of(s, root, relative);
    result = scry_remote_side_start(s, "SELECT size, mtime_ns, content FROM files WHERE number = ?", &st, err, "i",
                                    number_of_path(path));
    if (result == 0)
        result = scry_remote_side_step(s, st, err);
    if (result == 1) {
        out->known = true;
        out->size = sqlite3_column_int64(st, 0);
        out->mtime_ns = sqlite3_column_int64(st, 1);
        if (sqlite3_column_bytes(st, 2) == SCRY_HASH_BYTES)
            memcpy(out->content, sqlite3_column_blob(st, 2), SCRY_HASH_BYTES);
    }
    sqlite3_finalize(st);
    free(path);
    return result < 0 ? result : 0;
}

/* What a key stands for: by the map, else by the sidecar, else "NAME:NUMBER". Owned. */
static int name_number(scry_remote *s, int64_t number, char **out, scry_error *err)
{
    const scry_remote_foreign *f = s->foreign;
    mapped key = { .number = number };
    const mapped *m = f->map_count ? bsearch(&key, f->map, f->map_count, sizeof *f->map, compare_mapped) : NULL;
    sqlite3_stmt *st = NULL;
    *out = m ? scry_strdup(m->path) : NULL;
    int result = m ? 0 : scry_remote_side_open(s, false, err);
    if (result == 1) {
        result = scry_remote_side_start(s, "SELECT path FROM files WHERE number = ?", &st, err, "i", number);
        if (result == 0 && (result = scry_remote_side_step(s, st, err)) == 1)
            *out = scry_remote_side_text(st, 0);
        sqlite3_finalize(st);
    }
    if (result >= 0 && !*out)
        *out = scry_asprintf("%s:%lld", f->key, (long long)number);
    return result < 0 ? result : 0;
}

/* A file with nothing but a path; each row is a content of its own. */
static void set_file(scry_file *file, const uint8_t id[SCRY_ID_BYTES], const char *path)
{
    *file = (scry_file){ .relative = path, .path = path, .format = "", .camera = "", .key = "" };
    memcpy(file->id, id, SCRY_ID_BYTES);
    memcpy(file->content, id, SCRY_ID_BYTES);
}

int scry_remote_foreign_row(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, size_t i, scry_error *err)
{
    uint8_t id[SCRY_SHA256_BYTES];
    free(row->text);
    row->text = NULL;
    if (rows->int_ids) {
        int result = name_number(s, rows->int_ids[i], &row->text, err);
        if (result < 0)
            return result;
        id_of_number(rows->int_ids[i], id);
    } else {
        row->text = scry_strdup(rows->str_ids[i]);
        scry_sha256_of(row->text, strlen(row->text), id);
    }
    set_file(&row->file, id, row->text);
    return 0;
}

int scry_remote_foreign_get(scry_remote *s, const uint8_t *id, scry_results **out, scry_error *err)
{
    static const uint8_t zero[SCRY_ID_BYTES - 8];
    char *path;
    scry_file file;
    if (!s->foreign->numbers || memcmp(id, zero, sizeof zero) != 0)
        return scry_fail(err, SCRY_ENOTFOUND, "no file of that id in %s", s->where);
    int result = name_number(s, number_of_id(id), &path, err);
    if (result < 0)
        return result;
    set_file(&file, id, path);
    *out = scry_results_new();
    scry_results_add(*out, 0, &file, 0);
    free(path);
    return 0;
}

int scry_remote_foreign_each(scry_remote *s, const scry_filter_node *filter, const uint8_t *after,
                             int (*each)(void *, const scry_file *), void *arg, scry_error *err)
{
    static const char sql[] = "SELECT number, path, size, mtime_ns FROM files WHERE path > ? ORDER BY path LIMIT 1";
    char *last = scry_strdup("");
    int result = scry_remote_side_open(s, false, err);
    if (result == 1 && after) {
        free(last);
        last = NULL;
        int named = name_number(s, number_of_id(after), &last, err);
        result = named < 0 ? named : 1;
    }
    for (bool stop = false; result == 1 && !stop;) {
        sqlite3_stmt *st = NULL;
        scry_file file;
        uint8_t id[SCRY_ID_BYTES];
        result = scry_remote_side_start(s, sql, &st, err, "t", last);
        if (result == 0 && (result = scry_remote_side_step(s, st, err)) == 1) {
            free(last);
            last = scry_remote_side_text(st, 1);
            id_of_number(sqlite3_column_int64(st, 0), id);
            set_file(&file, id, last);
            file.size = sqlite3_column_int64(st, 2);
            file.mtime_ns = sqlite3_column_int64(st, 3);
        }
        sqlite3_finalize(st);
        if (result == 1 && scry_filter_match(filter, &file))
            stop = each(arg, &file) != 0;
    }
    free(last);
    return result < 0 ? result : 0;
}

/* ---- writing ---- */

static int remember(scry_remote *s, int64_t number, const char *path, const scry_file *file, scry_error *err)
{
    sqlite3_stmt *st = NULL;
    int result = scry_remote_side_start(s, "INSERT OR REPLACE INTO files VALUES(?, ?, ?, ?, ?, ?)", &st, err, "ibtiib", number,
                                        file->root, SCRY_ID_BYTES, path, file->size, file->mtime_ns, file->content,
                                        SCRY_HASH_BYTES);
    if (result == 0)
        result = scry_remote_side_step(s, st, err);
    sqlite3_finalize(st);
    if (result == 0) {
        int dropped = scry_remote_side_drop(s, file->id, err);
        result = dropped < 0 ? dropped : 0;
    }
    return result;
}

static int send_rows(scry_remote *s, int64_t *numbers, float *vectors, size_t n, scry_error *err)
{
    const scry_milvus_column columns[] = {
        { .name = s->foreign->key, .type = SCRY_MILVUS_INT64, .longs = numbers },
        { .name = s->vector_field, .type = SCRY_MILVUS_FLOAT_VECTOR, .floats = vectors, .dim = s->base.dim },
    };
    scry_milvus *m;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    double deadline = scry_now_ms() + s->options.patience_ms;
    do
        result = scry_milvus_upsert(m, s->name, columns, 2, n, NULL, err);
    while (result < 0 && scry_remote_revived(s, m, deadline));
    scry_remote_give(s, m);
    return result;
}

int scry_remote_foreign_put(scry_remote *s, const scry_put *items, size_t n, scry_error *err)
{
    size_t dim = (size_t)s->base.dim, count = 0;
    int64_t *numbers = scry_alloc((n + 1) * sizeof *numbers);
    char **paths = scry_alloc((n + 1) * sizeof *paths);
    float *vectors = scry_try_alloc(n * dim + 1, sizeof *vectors);
    int result = vectors ? scry_remote_side_open(s, true, err) : scry_fail(err, SCRY_ENOMEM, "no memory for %zu vectors", n);
    for (size_t i = 0; i < n && result >= 0; i++) {
        paths[i] = path_of(s, items[i].file.root, items[i].file.relative);
        int64_t number = number_of_path(paths[i]);
        size_t at = 0;
        while (at < count && numbers[at] != number)
            at++;
        count += at == count;
        numbers[at] = number;
        if (!items[i].vector)
            result = scry_fail(err, SCRY_EINVALID, "the picture of %s has no vector in %s yet", paths[i], s->where);
        else
            memcpy(vectors + at * dim, items[i].vector, dim * sizeof *vectors);
    }
    if (result >= 0)
        result = send_rows(s, numbers, vectors, count, err);
    for (size_t i = 0; i < n && result == 0; i++) {
        scry_file file = items[i].file;
        scry_file_id(file.root, file.relative, file.id);
        result = remember(s, number_of_path(paths[i]), paths[i], &file, err);
    }
    s->unflushed += result == 0 ? count : 0;
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(vectors);
    free(paths);
    free(numbers);
    return result;
}

/* Only what scry added: its files are known by number. Others are not scry's to remove. */
int scry_remote_foreign_remove(scry_remote *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed,
                               scry_error *err)
{
    scry_milvus *m;
    int result = scry_remote_side_open(s, false, err);
    if (result <= 0)
        return result;
    if ((result = scry_remote_take(s, &m, err)) < 0)
        return result;
    for (size_t i = 0; i < n && result == 0; i++) {
        sqlite3_stmt *st = NULL;
        char filter[400];
        int64_t number = number_of_id(ids[i]);
        snprintf(filter, sizeof filter, "%.300s in [%lld]", s->foreign->key, (long long)number);
        result = scry_remote_side_start(s, "SELECT 1 FROM files WHERE number = ?", &st, err, "i", number);
        int known = result == 0 ? scry_remote_side_step(s, st, err) : result;
        sqlite3_finalize(st);
        if (known != 1) {
            result = known < 0 ? known : 0;
            continue;
        }
        result = scry_milvus_delete(m, s->name, filter, NULL, err);
        if (result == 0)
            result = scry_remote_side_start(s, "DELETE FROM files WHERE number = ?", &st, err, "i", number);
        if (result == 0) {
            result = scry_remote_side_step(s, st, err);
            sqlite3_finalize(st);
            ++*removed;
        }
    }
    scry_remote_give(s, m);
    return result;
}
