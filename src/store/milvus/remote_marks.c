/* remote_marks.c - marks: rows of NAME__marks, a collection without pictures.
 *
 *     id       VARCHAR, key      the kind, a digit, and the key's bytes in hex: in order of kind and key
 *     value    VARCHAR           as it was given
 *     set_at   INT64
 *     vector   FLOAT_VECTOR(2)   Milvus wants one; nobody searches it
 *
 * NAME is what users call the collection: an alias keeps its marks when it is set to other vectors. Where a user may read the
 * pictures but not the marks, nothing is shown as marked, and what asks for marks says so.
 */
#include "store/milvus/remote_marks.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "store/milvus/remote_replace.h"

#include <stdlib.h>
#include <string.h>

static const char SUFFIX[] = "__marks", FORMAT[] = "marks 1";

enum { BATCH = 1000, VECTOR = 2, HEX_KEY = 1 + 2 * SCRY_MARK_KEY_BYTES + 1, PAGE = SCRY_MILVUS_MAX_TOPK };

/* ---- the collection ---- */

static bool is_ours(const scry_milvus_schema *schema)
{
    const char *format = scry_milvus_find_property(schema, "scry.format");
    return format && strcmp(format, FORMAT) == 0;
}

bool scry_remote_is_marks(scry_milvus *m, const char *name)
{
    size_t n = strlen(name), k = sizeof SUFFIX - 1;
    scry_milvus_schema *schema;
    if (n <= k || strcmp(name + n - k, SUFFIX) != 0 || scry_milvus_describe(m, name, &schema, NULL) < 0)
        return false;
    bool ours = is_ours(schema);
    scry_milvus_schema_free(schema);
    return ours;
}

/* Owned. Opened as NAME__a instead of by its alias NAME, a collection has the alias's marks. */
static char *marks_name(const scry_remote *s, scry_milvus *m)
{
    char *alias = strcmp(s->shown, s->name) == 0 ? scry_remote_listed_name(m, s->name) : NULL;
    char *name = scry_asprintf("%s%s", alias ? alias : s->shown, SUFFIX);
    free(alias);
    return name;
}

int scry_remote_drop_marks(scry_milvus *m, const char *name, scry_error *err)
{
    char *marks = scry_asprintf("%s%s", name, SUFFIX);
    int result = scry_remote_is_marks(m, marks) ? scry_milvus_drop(m, marks, err) : 0;
    free(marks);
    return result;
}

static int create(scry_remote *s, scry_milvus *m, const char *name, scry_error *err)
{
    static const scry_milvus_field fields[] = {
        { .name = "id", .type = SCRY_MILVUS_VARCHAR, .primary = true, .max_length = HEX_KEY },
        { .name = "value", .type = SCRY_MILVUS_VARCHAR, .max_length = SCRY_MILVUS_MAX_VARCHAR },
        { .name = "set_at", .type = SCRY_MILVUS_INT64 },
        { .name = "vector", .type = SCRY_MILVUS_FLOAT_VECTOR, .dim = VECTOR },
    };
    static const scry_milvus_property properties[] = { { "scry.format", FORMAT } };
    static const scry_milvus_schema schema = { .description = "favourites and saved searches of scry", .fields = fields,
                                               .field_count = sizeof fields / sizeof *fields, .properties = properties,
                                               .property_count = 1, .shards = 1 };
    int result = scry_milvus_create_collection(m, name, &schema, err);
    if (result < 0 && scry_milvus_code(m) == SCRY_MILVUS_NOT_ALLOWED)
        result = scry_fail(err, SCRY_EINVALID, "marks are kept in the collection %s at %s, which this user may not make: let a user make it "
                           "who may, by marking a picture", name, s->where);
    return result;
}

/* Make the collection where it is absent, which another process may be doing now, and load it. */
static int prepare(scry_remote *s, scry_milvus *m, const char *name, scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    scry_milvus_schema *schema;
    int result = scry_milvus_describe(m, name, &schema, &why);
    if (result < 0 && scry_milvus_code(m) == SCRY_MILVUS_NO_COLLECTION) {
        int created = create(s, m, name, err);
        result = scry_milvus_describe(m, name, &schema, &why);
        if (created < 0 && result < 0)
            return created;
    }
    if (result < 0)
        return scry_fail(err, result, "the marks of %s: %s", s->shown, why.message);
    if (!is_ours(schema))
        result = scry_fail(err, SCRY_EINVALID, "the collection %s at %s has the name of the marks of %s, and other contents: rename it",
                           name, s->where, s->shown);
    scry_milvus_schema_free(schema);
    scry_milvus_index index;
    if (result == 0)
        result = scry_milvus_describe_index(m, name, "vector", &index, err);
    if (result == 0 && !index.type[0])
        result = scry_milvus_create_index(m, name, "vector", "FLAT", "L2", "{}", err);
    return result < 0 ? result : scry_milvus_load(m, name, &s->wait, err);
}

/* ---- rows ---- */

static char *row_id(scry_mark_kind kind, const void *key, size_t size)
{
    char *id = scry_alloc(HEX_KEY);
    id[0] = (char)('0' + kind);
    scry_hex(key, size, id + 1);
    return id;
}

typedef struct marks {
    scry_mark *items;        /* keys and values are owned */
    size_t count, capacity;
} marks;

static void marks_dispose(marks *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free((void *)l->items[i].key);
        free((char *)l->items[i].value);
    }
    free(l->items);
}

/* A row that is not as scry writes them is left out. */
static void add_row(marks *l, scry_mark_kind kind, const char *id, const char *value, int64_t set_at)
{
    size_t size = strlen(id) / 2;
    bool content = kind != SCRY_MARK_SEARCH;
    if (!size || size > SCRY_MARK_KEY_BYTES || (content && size != SCRY_HASH_BYTES))
        return;
    uint8_t *key = scry_alloc(size + 1);
    if (scry_unhex(id + 1, key, size) < 0) {
        free(key);
        return;
    }
    if (l->count == l->capacity) {
        l->capacity = 2 * l->capacity + 64;
        l->items = scry_realloc(l->items, l->capacity * sizeof *l->items);
    }
    l->items[l->count++] = (scry_mark){ .kind = kind, .key = key, .key_size = size, .value = scry_strdup(value), .set_at = set_at };
}

static int add_rows(marks *l, scry_mark_kind kind, const scry_milvus_rows *rows, scry_error *err)
{
    const scry_milvus_column *id = scry_milvus_find_column(rows, "id", SCRY_MILVUS_VARCHAR),
                             *value = scry_milvus_find_column(rows, "value", SCRY_MILVUS_VARCHAR),
                             *set_at = scry_milvus_find_column(rows, "set_at", SCRY_MILVUS_INT64);
    if (rows->rows && (!id || !value || !set_at))
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    for (size_t i = 0; i < rows->rows; i++)
        add_row(l, kind, id->strings[i], value->strings[i], set_at->longs[i]);
    return 0;
}

typedef struct reading {
    scry_remote *s;
    scry_milvus *m;
    const char *name;
    scry_mark_kind kind;
    marks *to;
} reading;

/* The rows from the id `from` to the last one that begins with `prefix`. An answer has no order, and at most PAGE rows: where there
 * are more, they are read by longer prefixes. */
static int read_rows(const reading *r, const char *from, const char *prefix, scry_error *err)
{
    static const char *const fields[] = { "id", "value", "set_at" };
    char *filter = scry_asprintf("id >= \"%s\" and id < \"%sg\"", from, prefix);   /* g is after all that is hexadecimal */
    scry_milvus_query q = { filter, fields, sizeof fields / sizeof *fields, PAGE, scry_remote_freshness(r->s) };
    scry_milvus_rows *rows = NULL;
    int result = scry_remote_query_as(r->s, r->m, r->name, &q, &rows, err);
    free(filter);
    if (result < 0)
        return result;
    bool more = rows->rows >= PAGE && strlen(prefix) < HEX_KEY;
    if (!more)
        result = add_rows(r->to, r->kind, rows, err);
    scry_milvus_rows_free(rows);
    for (const char *digit = "0123456789abcdef"; more && *digit && result == 0; digit++) {
        char *longer = scry_asprintf("%s%c", prefix, *digit);
        result = read_rows(r, *digit == '0' ? from : longer, longer, err);
        free(longer);
    }
    return result;
}

static int by_key(const void *a, const void *b)
{
    const scry_mark *x = a, *y = b;
    int order = memcmp(x->key, y->key, x->key_size < y->key_size ? x->key_size : y->key_size);
    return order ? order : (x->key_size > y->key_size) - (x->key_size < y->key_size);
}

/* Whether there are marks; a collection of that name that another program made has none. */
static int look_for_marks(scry_remote *s, scry_milvus *m, const char *name, bool *has, scry_error *err)
{
    scry_milvus_schema *schema;
    pthread_mutex_lock(&s->lock);
    *has = s->has_marks;
    pthread_mutex_unlock(&s->lock);
    if (*has)
        return 0;
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_milvus_describe(m, name, &schema, &why);
    if (result < 0)
        return scry_milvus_code(m) == SCRY_MILVUS_NO_COLLECTION ? 0 : scry_fail(err, result, "%s", why.message);
    *has = is_ours(schema);
    scry_milvus_schema_free(schema);
    pthread_mutex_lock(&s->lock);
    s->has_marks = *has;
    pthread_mutex_unlock(&s->lock);
    return 0;
}

/* All marks of a kind, in order. 1: this user may not read them. */
static int read_marks(scry_remote *s, scry_milvus *m, scry_mark_kind kind, marks *out, scry_error *err)
{
    char prefix[] = { (char)('0' + kind), '\0' }, *name = marks_name(s, m);
    reading r = { s, m, name, kind, out };
    scry_error why = SCRY_ERROR_INIT;
    bool has;
    int result = look_for_marks(s, m, name, &has, &why);
    if (result == 0 && has)
        result = read_rows(&r, prefix, prefix, &why);
    int code = scry_milvus_code(m);
    if (result < 0 && code == SCRY_MILVUS_NO_COLLECTION)
        result = 0;
    else if (result < 0 && code == SCRY_MILVUS_NOT_ALLOWED)
        result = 1;
    else if (result < 0)
        result = scry_fail(err, why.code, "the marks of %s: %s", s->shown, why.message);
    free(name);
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_key);
    return result;
}

int scry_remote_marks_denied(const scry_remote *s, scry_error *err)
{
    return scry_fail(err, SCRY_EINVALID, "favourites and saved searches of %s are in the collection %s%s at %s, which this user may not read: "
                     "it takes Query and DescribeCollection", s->shown, s->shown, SUFFIX, s->where);
}

int scry_remote_each_mark(scry_store *base, scry_mark_kind kind, int (*each)(void *, const scry_mark *), void *arg, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    marks l = { NULL, 0, 0 };
    scry_milvus *m;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    result = read_marks(s, m, kind, &l, err);
    scry_remote_give(s, m);
    if (result > 0 && kind == SCRY_MARK_KEPT)   /* of which near duplicates are not shown again: without, all are */
        scry_remote_notice(s, "what is to be kept beside each other is in the collection %s%s, which this user may not read", s->shown, SUFFIX);
    else if (result > 0)
        result = scry_remote_marks_denied(s, err);
    for (size_t i = 0; i < l.count && result == 0; i++)
        if (each(arg, &l.items[i]) != 0)
            break;
    marks_dispose(&l);
    return result < 0 ? result : 0;
}

/* ---- writing ---- */

/* Rows to write, each key once: of the rows with the same key in one upsert Milvus would keep all. */
typedef struct columns {
    char **ids;
    const char **values;
    int64_t *set_at;
    float *vectors;
    size_t count;
} columns;

typedef struct numbered {
    char *id;                /* owned */
    size_t at;
} numbered;

static int by_id(const void *a, const void *b)
{
    const numbered *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void columns_init(columns *c, const scry_mark *list, size_t n)
{
    numbered *order = scry_alloc(n * sizeof *order);
    *c = (columns){ .ids = scry_alloc(n * sizeof *c->ids), .values = scry_alloc(n * sizeof *c->values),
                    .set_at = scry_alloc(n * sizeof *c->set_at), .vectors = scry_alloc(n * VECTOR * sizeof *c->vectors) };
    for (size_t i = 0; i < n; i++)
        order[i] = (numbered){ row_id(list[i].kind, list[i].key, list[i].key_size), i };
    qsort(order, n, sizeof *order, by_id);
    for (size_t i = 0; i < n; i++) {
        const scry_mark *mark = &list[order[i].at];
        if (i + 1 < n && strcmp(order[i].id, order[i + 1].id) == 0) {   /* the last one counts */
            free(order[i].id);
            continue;
        }
        c->ids[c->count] = order[i].id;
        c->values[c->count] = mark->value ? mark->value : "";
        c->vectors[c->count * VECTOR] = 1;
        c->set_at[c->count++] = mark->set_at;
    }
    free(order);
}

static void columns_dispose(columns *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->ids[i]);
    free(c->ids);
    free(c->values);
    free(c->set_at);
    free(c->vectors);
}

/* A Milvus text is UTF-8, and one byte shorter than a mark's may be. */
static int check_values(const scry_mark *list, size_t n, scry_error *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t size = list[i].value ? strlen(list[i].value) : 0;
        if (size > SCRY_MILVUS_MAX_VARCHAR)
            return scry_fail(err, SCRY_ELIMIT, "a value of %zu bytes: on Milvus at most %d", size, SCRY_MILVUS_MAX_VARCHAR);
        if (size && !scry_utf8_valid(list[i].value, size))
            return scry_fail(err, SCRY_EINVALID, "a value that is not UTF-8 cannot be kept on Milvus");
    }
    return 0;
}

static int send_columns(scry_remote *s, scry_milvus *m, const char *name, const columns *c, scry_error *err)
{
    const scry_milvus_column list[] = {
        { .name = "id", .type = SCRY_MILVUS_VARCHAR, .strings = (const char *const *)c->ids },
        { .name = "value", .type = SCRY_MILVUS_VARCHAR, .strings = c->values },
        { .name = "set_at", .type = SCRY_MILVUS_INT64, .longs = c->set_at },
        { .name = "vector", .type = SCRY_MILVUS_FLOAT_VECTOR, .floats = c->vectors, .dim = VECTOR },
    };
    const scry_milvus_table table = { list, sizeof list / sizeof *list, c->count, NULL };
    return scry_remote_upsert(s, m, name, &table, err);
}

/* After a strong read, every reader sees what was written. */
static int finish_write(scry_remote *s, scry_milvus *m, const char *name, scry_error *err)
{
    int64_t count;
    int result = scry_remote_count_as(s, m, name, "", &count, err);
    pthread_mutex_lock(&s->lock);
    bool clean = s->last_write == s->seen_write;   /* the pictures' rows need no strong read of their own */
    if (scry_milvus_last_write(m) > s->last_write)
        s->last_write = scry_milvus_last_write(m);
    if (clean)
        s->seen_write = s->last_write;
    pthread_mutex_unlock(&s->lock);
    scry_remote_favourites_forget(s);
    return result;
}

/* The failure of a call that this user may not make. */
static int explain(const scry_remote *s, const scry_milvus *m, const char *name, const scry_error *why, scry_error *err)
{
    if (scry_milvus_code(m) != SCRY_MILVUS_NOT_ALLOWED)
        return scry_fail(err, why->code, "%s", why->message);
    return scry_fail(err, SCRY_EINVALID, "this user may not mark pictures of %s: it takes Upsert, Insert, Delete, Query, GetLoadState, Load and "
                     "DescribeCollection on the collection %s at %s (%s)", s->shown, name, s->where, why->message);
}

int scry_remote_put_marks(scry_store *base, const scry_mark *list, size_t n, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m = NULL;
    columns c;
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_remote_check_writable(s, err);
    if (result == 0)
        result = check_values(list, n, err);
    if (result < 0 || (result = scry_remote_take(s, &m, err)) < 0)
        return result;
    char *name = marks_name(s, m);
    columns_init(&c, list, n);
    result = prepare(s, m, name, &why);
    if (result == 0)
        result = send_columns(s, m, name, &c, &why);
    if (result == 0)
        result = finish_write(s, m, name, &why);
    if (result < 0)
        result = explain(s, m, name, &why, err);
    columns_dispose(&c);
    free(name);
    scry_remote_give(s, m);
    return result;
}

/* Delete the rows from `from` on, at most BATCH; *removed grows by how many there were. */
static int remove_some(const reading *r, const columns *c, size_t from, uint64_t *removed, scry_error *err)
{
    size_t n = c->count - from < BATCH ? c->count - from : BATCH;
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    int64_t count = 0;
    scry_remote_in_list(&filter, "id", (const char *const *)c->ids + from, n);
    int result = scry_remote_count_as(r->s, r->m, r->name, scry_buf_str(&filter), &count, err);
    if (result == 0 && count)
        result = scry_milvus_delete(r->m, r->name, scry_buf_str(&filter), NULL, err);
    scry_buf_dispose(&filter);
    *removed += result == 0 ? (uint64_t)count : 0;
    return result;
}

int scry_remote_remove_marks(scry_store *base, const scry_mark *list, size_t n, uint64_t *removed, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    reading r = { .s = s };
    columns c;
    bool has = false;
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_remote_check_writable(s, err);
    if (result < 0 || (result = scry_remote_take(s, &r.m, err)) < 0)
        return result;
    char *name = marks_name(s, r.m);
    r.name = name;
    result = look_for_marks(s, r.m, name, &has, &why);
    if (result == 0 && has) {
        columns_init(&c, list, n);
        for (size_t i = 0; i < c.count && result == 0; i += BATCH)
            result = remove_some(&r, &c, i, removed, &why);
        if (result == 0 && *removed)
            result = finish_write(s, r.m, name, &why);
        columns_dispose(&c);
    }
    if (result < 0)
        result = explain(s, r.m, name, &why, err);
    free(name);
    scry_remote_give(s, r.m);
    return result;
}

/* ---- favourites ---- */

static void favourites_free(scry_remote_favourites *f)
{
    free(f->hashes);
    free(f);
}

void scry_remote_favourites_release(scry_remote *s, scry_remote_favourites *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&s->lock);
    bool last = --f->users == 0;
    pthread_mutex_unlock(&s->lock);
    if (last)
        favourites_free(f);
}

void scry_remote_favourites_forget(scry_remote *s)
{
    pthread_mutex_lock(&s->lock);
    scry_remote_favourites *old = s->favourites;
    s->favourites = NULL;
    s->favourites_forgotten++;
    pthread_mutex_unlock(&s->lock);
    scry_remote_favourites_release(s, old);
}

/* Keep a list for later calls, unless another thread has done so, or they were to be forgotten since it was asked for. */
static void keep(scry_remote *s, scry_remote_favourites *f, unsigned forgotten)
{
    pthread_mutex_lock(&s->lock);
    if (!s->favourites && s->favourites_forgotten == forgotten) {
        s->favourites = f;
        f->users++;
    }
    pthread_mutex_unlock(&s->lock);
}

static int read_favourites(scry_remote *s, scry_remote_favourites *f, scry_error *err)
{
    marks l = { NULL, 0, 0 };
    scry_milvus *m;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    result = read_marks(s, m, SCRY_MARK_FAVOURITE, &l, err);
    scry_remote_give(s, m);
    f->denied = result > 0;
    if (f->denied)
        scry_log(SCRY_LOG_DEBUG, "this user may not read the favourites of %s", s->shown);
    f->hashes = scry_alloc((l.count + 1) * sizeof *f->hashes);
    for (size_t i = 0; i < l.count; i++)
        memcpy(f->hashes[f->count++], l.items[i].key, SCRY_HASH_BYTES);
    marks_dispose(&l);
    return result < 0 ? result : 0;
}

int scry_remote_favourites_hold(scry_remote *s, scry_remote_favourites **out, scry_error *err)
{
    pthread_mutex_lock(&s->lock);
    scry_remote_favourites *f = s->favourites;
    unsigned forgotten = s->favourites_forgotten;
    if (f)
        f->users++;
    pthread_mutex_unlock(&s->lock);
    if (!f) {
        f = scry_alloc(sizeof *f);
        f->users = 1;
        int result = s->is_replacement ? 0 : read_favourites(s, f, err);
        if (result < 0) {
            favourites_free(f);
            return result;
        }
        keep(s, f, forgotten);
    }
    *out = f;
    return 0;
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, SCRY_HASH_BYTES);
}

bool scry_remote_is_favourite(const scry_remote_favourites *f, const uint8_t hash[SCRY_HASH_BYTES])
{
    return f->count && bsearch(hash, f->hashes, f->count, SCRY_HASH_BYTES, compare_hashes);
}
