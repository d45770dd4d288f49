#include "store/milvus/remote_external.h"

#include "base/alloc.h"
#include "base/byte_order.h"
#include "base/log.h"
#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scry_remote_external_free(scry_remote_external *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->map_count; i++)
        free(f->map[i].path);
    free(f->map);
    free(f->key);
    free(f->why_not);
    for (size_t i = 0; i < f->absent_count; i++)
        free(f->absent[i].name);
    free(f->path_given);
    free(f->path_field);
    free(f->path_keys);
    free(f->summary);
    free(f);
}

/* ---- opening ---- */

static const char *kind_of_vector(int type)
{
    static const char *const kinds[] = { "BINARY_VECTOR", "FLOAT_VECTOR", "FLOAT16_VECTOR", "BFLOAT16_VECTOR", "SPARSE_FLOAT_VECTOR",
                                         "INT8_VECTOR" };
    enum { FIRST = 100, COUNT = sizeof kinds / sizeof *kinds };
    return type < FIRST ? NULL : type < FIRST + COUNT ? kinds[type - FIRST] : "another kind of vector";
}

static int no_vector(const scry_remote *s, const char *name, size_t count, const char *usable, const char *others, scry_error *err)
{
    if (count > 1)
        return scry_fail(err, SCRY_EINVALID, "the collection %s at %s has %zu fields of vectors (%s): name one with --milvus-field", s->shown,
                         s->where, count, usable);
    if (others[0])
        return scry_fail(err, SCRY_EINVALID, "the collection %s at %s cannot be searched: %s, and scry searches FLOAT_VECTOR and "
                         "FLOAT16_VECTOR", s->shown, s->where, others);
    return scry_fail(err, SCRY_EINVALID, "the collection %s at %s has no field %s%sof vectors", s->shown, s->where, name ? name : "",
                     name ? " " : "");
}

/* The one field of float vectors, or of that name. */
static const scry_milvus_field *find_vector(const scry_remote *s, const scry_milvus_schema *schema, const char *name,
                                            scry_error *err)
{
    const scry_milvus_field *found = NULL;
    scry_buf usable = SCRY_BUF_INIT(1 << 16), others = SCRY_BUF_INIT(1 << 16);
    size_t count = 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        const scry_milvus_field *f = &schema->fields[i];
        const char *kind = name && strcmp(f->name, name) != 0 ? NULL : kind_of_vector(f->type);
        if (f->type == SCRY_MILVUS_FLOAT_VECTOR && kind) {
            scry_buf_printf(&usable, "%s%s", count++ ? ", " : "", f->name);
            found = f;
        } else if (kind) {
            scry_buf_printf(&others, "%s%s is of the type %s", others.size ? ", " : "", f->name, kind);
        }
    }
    if (count != 1)
        (void)no_vector(s, name, count, scry_buf_str(&usable), scry_buf_str(&others), err);
    scry_buf_dispose(&usable);
    scry_buf_dispose(&others);
    return count == 1 ? found : NULL;
}

static const scry_milvus_field *find_key(const scry_remote *s, const scry_milvus_schema *schema, const char *name,
                                         scry_error *err)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const scry_milvus_field *f = &schema->fields[i];
        if (!f->primary)
            continue;
        if (name && strcmp(f->name, name) != 0)
            scry_fail(err, SCRY_EINVALID, "the key of the collection %s at %s is %s, not %s", s->shown, s->where, f->name, name);
        else if (f->type != SCRY_MILVUS_INT64 && f->type != SCRY_MILVUS_VARCHAR)
            scry_fail(err, SCRY_EINVALID, "the key of the collection %s at %s has a type (%d) that scry does not know", s->name,
                      s->where, f->type);
        else
            return f;
        return NULL;
    }
    scry_fail(err, SCRY_EINVALID, "the collection %s at %s has no key", s->shown, s->where);
    return NULL;
}

/* Owned; NULL when pictures can be added. */
static char *why_not_writable(const scry_milvus *m, const scry_milvus_schema *schema, const scry_milvus_field *key,
                              const scry_milvus_field *vector, const char *path_field)
{
    bool old = strncmp(scry_milvus_version(m), "v2.3", 4) == 0;
    if (key->type != SCRY_MILVUS_INT64)
        return scry_strdup("its key is text, whose meaning scry does not know");
    if (key->auto_id)
        return scry_strdup("the server makes its keys, so that indexing again would store every picture twice");
    for (size_t i = 0; i < schema->field_count; i++) {
        const scry_milvus_field *f = &schema->fields[i];
        bool given = f == key || f == vector || (path_field && strcmp(f->name, path_field) == 0);
        if (!given && !f->optional)
            return scry_asprintf("its field %s is required", f->name);
        if (f->partition_key && old)     /* pymilvus loses them there, too */
            return scry_asprintf("its field %s is a partition key, by which Milvus 2.3 stores rows that are replaced in wrong partitions", f->name);
    }
    return NULL;
}

/* The fields that rows of scry have no value of, and which have to be named all the same: those with a default and those that may
 * be null, not the dynamic ones. Those of types that this client does not know are left out. */
static void note_absent(scry_remote_external *e, const scry_milvus_schema *schema, const scry_milvus_field *vector)
{
    for (size_t i = 0; i < schema->field_count && e->absent_count < SCRY_REMOTE_MOST_ABSENT; i++) {
        const scry_milvus_field *f = &schema->fields[i];
        bool scalar = f->type >= SCRY_MILVUS_BOOL && f->type <= SCRY_MILVUS_JSON;
        if (f->may_be_absent && scalar && f != vector && !(e->path_field && strcmp(f->name, e->path_field) == 0))
            e->absent[e->absent_count++] = (scry_remote_absent){ scry_strdup(f->name), (scry_milvus_type)f->type };
    }
}

static int check_addable(const scry_remote *s, scry_error *err)
{
    const char *why_not = s->external->why_not;
    return why_not ? scry_fail(err, SCRY_EINVALID, "nothing can be added to the collection %s at %s: %s", s->shown, s->where, why_not)
                   : scry_remote_check_writable(s, err);
}

int scry_remote_external_open(scry_remote *s, const scry_milvus *m, const scry_milvus_schema *schema, const scry_store_options *o,
                              scry_error *err)
{
    const scry_milvus_choice *choice = &o->milvus;
    const scry_milvus_field *vector = find_vector(s, schema, choice->vector_field, err);
    const scry_milvus_field *key = vector ? find_key(s, schema, choice->id_field, err) : NULL;
    if (!key)
        return SCRY_EINVALID;
    if (o->dim && o->dim != vector->dim)
        return scry_fail(err, SCRY_EINVALID, "the collection %s at %s holds vectors of %lld numbers, the model makes %d: it "
                         "was built with another one", s->shown, s->where, (long long)vector->dim, o->dim);
    scry_remote_external *f = s->external = scry_alloc(sizeof *f);
    f->key = scry_strdup(key->name);
    f->numbers = key->type == SCRY_MILVUS_INT64;
    s->half = vector->half;
    int result = choice->path_field ? scry_remote_set_path_field(s, schema, choice->path_field, err) : 0;
    if (result < 0)
        return result;
    note_absent(f, schema, vector);
    f->why_not = why_not_writable(m, schema, key, vector, f->path_field);
    if (o->mode == SCRY_STORE_CREATE && (result = check_addable(s, err)) < 0)
        return result;
    f->map = scry_alloc((choice->map_count + 1) * sizeof *f->map);
    for (size_t i = 0; i < choice->map_count; i++)
        f->map[f->map_count++] = (scry_remote_mapped){ choice->map_ids[i], scry_strdup(choice->map_paths[i]) };
    if (f->map_count)
        scry_remote_sort_map(f);
    s->base.kind = &scry_remote_external_kind;
    s->fields = f->path_field ? (const char *const *)&f->path_field : NULL;   /* it has none of scry's */
    s->field_count = f->path_field != NULL;
    s->read_row = scry_remote_external_read_row;
    s->base.dim = (int)vector->dim;
    s->vector_field = scry_strdup(vector->name);
    s->identity = scry_strdup("");
    s->model_name = scry_strdup("");
    s->precision = scry_strdup("");
    return 0;
}

/* ---- keys ---- */

/* The key of a picture that scry adds. */
static int64_t number_of_path(const char *path)
{
    uint8_t id[SCRY_ID_BYTES];
    scry_id_of_text(path, id);
    return scry_remote_number_of_id(id) & INT64_MAX;
}

/* ---- roots: of this process only ---- */

static int add_root(scry_store *base, const char *path, scry_root *out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    uint8_t id[SCRY_ID_BYTES];
    char hex[SCRY_REMOTE_HEX_ID];
    int result = check_addable(s, err);
    if (result < 0)
        return result;
    scry_id_of_text(path, id);
    scry_hex(id, SCRY_ID_BYTES, hex);
    scry_remote_roots *old = scry_remote_roots_hold(s), *now = scry_remote_roots_new(old->count + 1);
    for (size_t i = 0; i < old->count; i++) {
        if (strcmp(old->ids[i], hex) == 0)
            continue;
        now->ids[now->count] = scry_strdup(old->ids[i]);
        now->paths[now->count++] = scry_strdup(old->paths[i]);
    }
    now->ids[now->count] = scry_strdup(hex);
    now->paths[now->count++] = scry_strdup(path);
    scry_remote_roots_release(s, old);
    scry_remote_roots_replace(s, now);
    scry_remote_lend_root(s, out, hex, path);
    return 0;
}

static int count_added(scry_remote *s, const uint8_t *root, uint64_t *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_remote_side_begin(s, false, err);
    if (result != 1)
        return result;
    result = scry_db_start(&s->side, SCRY_SIDE_FILE_COUNT, &st, err, "b", root, SCRY_ID_BYTES);
    if (result == 0 && (result = scry_db_step(&s->side, st, err)) == 1)
        *out = (uint64_t)sqlite3_column_int64(st, 0);
    scry_remote_side_end(s, st);
    return result < 0 ? result : 0;
}

static int each_root(scry_store *base, int (*each)(void *, const scry_root *), void *arg, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    int result = 0;
    for (size_t i = 0; i < roots->count && result == 0; i++) {
        scry_root root = { .path = roots->paths[i] };
        if (scry_unhex(roots->ids[i], root.id, SCRY_ID_BYTES) == 0 && (result = count_added(s, root.id, &root.files, err)) == 0)
            result = each(arg, &root) != 0;
    }
    scry_remote_roots_release(s, roots);
    return result < 0 ? result : 0;
}

/* Owned. */
static char *path_of(scry_remote *s, const uint8_t *root, const char *relative)
{
    char hex[SCRY_REMOTE_HEX_ID];
    scry_hex(root, SCRY_ID_BYTES, hex);
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    char *path = scry_store_join(scry_remote_roots_path(roots, hex), relative);
    scry_remote_roots_release(s, roots);
    return path;
}

/* ---- reading ---- */

static int file_state(scry_store *base, const uint8_t *root, const char *relative, scry_file_state *out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    uint8_t id[SCRY_ID_BYTES];
    sqlite3_stmt *st;
    char *path = path_of(s, root, relative);
    int64_t number = number_of_path(path);
    free(path);
    int result = scry_remote_side_begin(s, false, err);
    if (result != 1)
        return result;
    scry_file_id(root, relative, id);
    result = scry_db_start(&s->side, SCRY_SIDE_FILE_STATE, &st, err, "bi", id, SCRY_ID_BYTES, number);
    if (result == 0 && (result = scry_db_step(&s->side, st, err)) == 1) {
        out->known = true;
        out->size = sqlite3_column_int64(st, 0);
        out->mtime_ns = sqlite3_column_int64(st, 1);
        scry_db_bytes(st, 2, out->content, SCRY_HASH_BYTES);
        out->ctime_ns = sqlite3_column_int64(st, 3);
    }
    scry_remote_side_end(s, st);
    if (result != 0)
        return result < 0 ? result : 0;
    return scry_remote_side_state(s, id, out, err);
}

/* ---- writing ---- */

static int remember(scry_remote *s, const char *path, const scry_file *file, int64_t ctime_ns, scry_error *err)
{
    int result = scry_remote_side_begin(s, true, err);
    if (result < 0)
        return result;
    result = scry_db_run(&s->side, SCRY_SIDE_FILE_PUT, err, "ibxiib", number_of_path(path), file->root, SCRY_ID_BYTES, path, file->size,
                         file->mtime_ns, file->content, SCRY_HASH_BYTES);
    if (result == 0)
        result = scry_db_run(&s->side, SCRY_SIDE_BAD_DROP, err, "b", file->id, SCRY_ID_BYTES);
    if (result == 0)
        result = scry_db_run(&s->side, SCRY_SIDE_SEEN_PUT, err, "bi", file->id, SCRY_ID_BYTES, ctime_ns);
    scry_remote_side_end(s, NULL);
    return result;
}

static int send_rows(scry_remote *s, int64_t *numbers, char *const *paths, float *vectors, size_t n, scry_error *err)
{
    const scry_remote_external *e = s->external;
    scry_milvus_column columns[3 + SCRY_REMOTE_MOST_ABSENT] = {
        { .name = e->key, .type = SCRY_MILVUS_INT64, .longs = numbers },
        { .name = s->vector_field, .type = SCRY_MILVUS_FLOAT_VECTOR, .floats = vectors, .dim = s->base.dim,
          .half = s->half },
    };
    size_t count = 2;
    for (size_t i = 0; i < e->absent_count; i++)
        columns[count++] = (scry_milvus_column){ .name = e->absent[i].name, .type = e->absent[i].type, .absent = true };
    scry_milvus *m;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    bool with_paths = e->path_field;
    if (with_paths)
        columns[count] = scry_remote_path_column(s, paths, n);
    result = scry_remote_upsert(s, m, s->name, &(scry_milvus_table){ columns, count + with_paths, n, NULL }, err);
    if (with_paths)
        scry_remote_path_column_free(s, &columns[count], n);
    scry_remote_give(s, m);
    return result;
}

static int put(scry_store *base, const scry_put *items, size_t n, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    size_t dim = (size_t)base->dim, count = 0;
    int result = check_addable(s, err);
    if (result < 0)
        return result;
    int64_t *numbers = scry_alloc((n + 1) * sizeof *numbers);
    char **paths = scry_alloc((n + 1) * sizeof *paths), **sent = scry_alloc((n + 1) * sizeof *sent);
    float *vectors = scry_try_alloc(n * dim + 1, sizeof *vectors);
    if (!vectors)
        result = scry_fail(err, SCRY_ENOMEM, "no memory for %zu vectors", n);
    else if ((result = scry_remote_side_begin(s, true, err)) == 1) {   /* or it fails before rows are sent */
        scry_remote_side_end(s, NULL);
        result = 0;
    }
    for (size_t i = 0; i < n && result == 0; i++) {
        paths[i] = path_of(s, items[i].file.root, items[i].file.relative);
        int64_t number = number_of_path(paths[i]);
        size_t at = 0;
        while (at < count && numbers[at] != number)
            at++;
        count += at == count;
        numbers[at] = number;
        sent[at] = paths[i];
        if (!items[i].vector)
            result = scry_fail(err, SCRY_EINVALID, "the picture of %s has no vector in %s yet", paths[i], s->where);
        else
            memcpy(vectors + at * dim, items[i].vector, dim * sizeof *vectors);
    }
    if (result == 0)
        result = send_rows(s, numbers, sent, vectors, count, err);
    for (size_t i = 0; i < n && result == 0; i++) {
        scry_file file = items[i].file;
        scry_file_id(file.root, file.relative, file.id);
        result = remember(s, paths[i], &file, items[i].ctime_ns, err);
    }
    s->unflushed += result == 0 ? count : 0;
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(vectors);
    free(sent);
    free(paths);
    free(numbers);
    return result;
}

/* Whether the sidecar has the key: 1 or 0. */
static int is_added(scry_remote *s, int64_t number, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_remote_side_begin(s, false, err);
    if (result != 1)
        return result;
    result = scry_db_start(&s->side, SCRY_SIDE_FILE_PATH, &st, err, "i", number);
    if (result == 0)
        result = scry_db_step(&s->side, st, err);
    scry_remote_side_end(s, st);
    return result;
}

static int remove_file(scry_remote *s, scry_milvus *m, int64_t number, scry_error *err)
{
    char filter[400];
    snprintf(filter, sizeof filter, "%.300s in [%lld]", s->external->key, (long long)number);
    int result = scry_milvus_delete(m, s->name, filter, NULL, err);
    if (result < 0 || (result = scry_remote_side_begin(s, true, err)) < 0)
        return result;
    result = scry_db_run(&s->side, SCRY_SIDE_FILE_DROP, err, "i", number);
    scry_remote_side_end(s, NULL);
    return result;
}

/* Only rows that scry added. */
static int remove_files(scry_store *base, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = check_addable(s, err);
    *removed = 0;
    if (result < 0 || (result = scry_remote_take(s, &m, err)) < 0)
        return result;
    for (size_t i = 0; i < n && result >= 0; i++) {
        int64_t number = scry_remote_number_of_id(ids[i]);
        result = is_added(s, number, err);
        if (result == 1 && (result = remove_file(s, m, number, err)) == 0)
            ++*removed;
    }
    scry_remote_give(s, m);
    return result < 0 ? result : 0;
}

static int put_bad(scry_store *base, const scry_bad_file *bad, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    int result = check_addable(s, err);
    return result < 0 ? result : scry_remote_side_put(s, bad, err);
}

/* ---- what such a collection has no fields for ---- */

static int not_possible(const scry_store *base, const char *what, scry_error *err)
{
    const scry_remote *s = (const scry_remote *)base;
    return scry_fail(err, SCRY_EINVALID, "the collection %s of %s was not made by scry: %s is not possible there", s->name,
                     s->where, what);
}

static int search_many(scry_store *base, const float *queries, size_t n, const scry_search *search, scry_results **out,
                       scry_error *err)
{
    return search->filter ? not_possible(base, "a filter", err) : scry_remote_search_many(base, queries, n, search, out, err);
}

static int has_content(scry_store *base, const uint8_t *hash, scry_file *out, scry_error *err)
{
    return 0;
}

static int count_below(scry_store *base, const scry_filter_node *filter, uint64_t *out, scry_error *err)
{
    scry_store_info info;
    int result = filter ? 1 : scry_remote_count_files(base, &info, err);
    if (result == 0)
        *out = info.files;
    return result;
}

/* Roots are those of this process: there is nothing to read again. */
static int refresh(scry_store *base, scry_error *err)
{
    return 0;
}

static int put_root(scry_store *base, const scry_root *root, scry_error *err)
{
    return not_possible(base, "copying to it", err);
}

static int move_root(scry_store *base, const char *old_path, const char *new_path, scry_error *err)
{
    return not_possible(base, "moving a root", err);
}

static int each_in_range(scry_store *base, scry_id_range range, bool vectors,
                         int (*each)(void *, const scry_file *, const float *), void *arg, scry_error *err)
{
    return not_possible(base, "reading it in parts, as copying, comparing and --min-score auto do,", err);
}

static int verify(scry_store *base, const scry_verify_options *options, scry_verify_report *out, scry_error *err)
{
    return not_possible(base, "verifying", err);
}

static void describe(scry_store *base, scry_store_info *out)
{
    scry_remote_describe(base, out);
    out->external = scry_remote_external_summary((scry_remote *)base);
}

static int get_info(scry_store *base, scry_store_info *out, scry_error *err)
{
    int result = scry_remote_count_files(base, out, err);
    out->external = scry_remote_external_summary((scry_remote *)base);
    return result;
}

const scry_store_kind scry_remote_external_kind = {
    .close = scry_remote_close, .sync = scry_remote_sync, .refresh = refresh, .get_info = get_info,
    .describe = describe, .add_root = add_root, .move_root = move_root, .roots = each_root, .put_root = put_root,
    .file_state = file_state, .has_content = has_content, .put = put, .put_bad = put_bad, .remove = remove_files,
    .get = scry_remote_external_get,
    .vector = scry_remote_external_vector_of,   /* the content of a row is its id */
    .vector_of = scry_remote_external_vector_of,
    .each_file = scry_remote_external_each_file, .count_below = count_below, .each_sampled = scry_remote_external_each_sampled,
    .each_in_range = each_in_range, .each_bad = scry_remote_each_bad,
    .search_many = search_many, .verify = verify, .compact = scry_remote_compact,
};
