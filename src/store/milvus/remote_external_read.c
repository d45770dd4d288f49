/* remote_external_read.c - collections of other programs: keys and ids, rows as files, lists in the order of the keys.
 *
 * The id of a file is made of its key: eight zero bytes and an INT64; of a VARCHAR the first half of its SHA-256, for which the
 * sidecar remembers the keys that were shown, so that `@id:` and the page can look them up again. */
#include "store/milvus/remote_external.h"

#include "base/alloc.h"
#include "base/byte_order.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys and ids ---- */

static void id_of_number(int64_t number, uint8_t id[SCRY_ID_BYTES])
{
    memset(id, 0, SCRY_ID_BYTES);
    scry_write_big_endian(id + SCRY_ID_BYTES - 8, 8, (uint64_t)number);
}

int64_t scry_remote_number_of_id(const uint8_t id[SCRY_ID_BYTES])
{
    return (int64_t)scry_read_big_endian(id + SCRY_ID_BYTES - 8, 8);
}

void scry_remote_key_dispose(scry_remote_key *key)
{
    free(key->text);
    key->text = NULL;
}

static int not_found(const scry_remote *s, scry_error *err)
{
    return scry_fail(err, SCRY_ENOTFOUND, s->external->numbers ? "no file of that id in %s"
                                                               : "no file of that id in %s that this machine has seen: search for it first",
                     s->where);
}

int scry_remote_key_of_id(scry_remote *s, const uint8_t *id, scry_remote_key *out, scry_error *err)
{
    static const uint8_t zero[SCRY_ID_BYTES - 8];
    sqlite3_stmt *st = NULL;
    *out = (scry_remote_key){ .text = NULL };
    if (s->external->numbers) {
        out->number = scry_remote_number_of_id(id);
        return memcmp(id, zero, sizeof zero) == 0 ? 0 : not_found(s, err);
    }
    int result = scry_remote_side_begin(s, false, err);
    if (result == 1) {
        result = scry_db_start(&s->side, SCRY_SIDE_KEY_FIND, &st, err, "b", id, SCRY_ID_BYTES);
        if (result == 0 && (result = scry_db_step(&s->side, st, err)) == 1)
            out->text = scry_strdup(scry_db_text(st, 0));
        scry_remote_side_end(s, st);
    }
    return result < 0 ? result : out->text ? 0 : not_found(s, err);
}

/* In one transaction. */
static int put_keys(scry_remote *s, const char *const *keys, size_t n, scry_error *err)
{
    int result = scry_db_exec(&s->side, "BEGIN", err);
    for (size_t i = 0; i < n && result == 0; i++) {
        uint8_t id[SCRY_ID_BYTES];
        scry_id_of_text(keys[i], id);
        result = scry_db_run(&s->side, SCRY_SIDE_KEY_PUT, err, "bx", id, SCRY_ID_BYTES, keys[i]);
    }
    int ended = scry_db_exec(&s->side, result == 0 ? "COMMIT" : "ROLLBACK", result == 0 ? err : NULL);
    return result < 0 ? result : ended;
}

void scry_remote_remember_keys(scry_remote *s, const char *const *keys, size_t n)
{
    scry_error why = SCRY_ERROR_INIT;
    int result = n ? scry_remote_side_begin_anywhere(s, &why) : 0;
    if (result == 1) {
        result = put_keys(s, keys, n, &why);
        scry_remote_side_end(s, NULL);
    }
    if (result < 0)
        scry_log(SCRY_LOG_WARN, "the ids of these pictures cannot be looked up later: %s", why.message);
}

/* A string of an expression. Only these escapes are known to 2.3.5 and to milvus-lite; all other bytes may stand for themselves. */
static void put_quoted(scry_buf *out, const char *text)
{
    scry_buf_putc(out, '"');
    for (const char *c = text; *c; c++) {
        if (strchr("\"\\\n\r", *c))
            scry_buf_putc(out, '\\');
        scry_buf_putc(out, *c == '\n' ? 'n' : *c == '\r' ? 'r' : *c);
    }
    scry_buf_putc(out, '"');
}

/* The value of a key in an expression. */
static void put_key(const scry_remote *s, const scry_remote_key *key, scry_buf *out)
{
    if (s->external->numbers)
        scry_buf_printf(out, "%lld", (long long)key->number);
    else
        put_quoted(out, key->text);
}

int scry_remote_find_key(scry_remote *s, const scry_remote_key *key, const char *field, scry_milvus_rows **out, scry_error *err)
{
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_milvus *m;
    scry_buf_printf(&filter, "%s in [", s->external->key);
    put_key(s, key, &filter);
    scry_buf_putc(&filter, ']');
    scry_milvus_query q = { scry_buf_str(&filter), &field, 1, 1, scry_remote_freshness(s) };
    int result = scry_remote_take(s, &m, err);
    if (result == 0) {
        result = scry_remote_query(s, m, &q, out, err);
        scry_remote_give(s, m);
    }
    scry_buf_dispose(&filter);
    return result;
}

/* ---- names ---- */

static int compare_mapped(const void *a, const void *b)
{
    const scry_remote_mapped *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

void scry_remote_sort_map(scry_remote_external *e)
{
    if (e->map_count)
        qsort(e->map, e->map_count, sizeof *e->map, compare_mapped);
}

/* The path of a key: from the map, else from its row (`stored`), else from the sidecar, else "NAME:NUMBER", or the text
 * itself. Owned; takes `stored`. */
static int name_key(scry_remote *s, const scry_remote_key *key, char *stored, char **out, scry_error *err)
{
    const scry_remote_external *f = s->external;
    scry_remote_mapped wanted = { .number = key->number };
    const scry_remote_mapped *m = NULL;
    if (f->numbers && f->map_count)
        m = bsearch(&wanted, f->map, f->map_count, sizeof *f->map, compare_mapped);
    sqlite3_stmt *st = NULL;
    *out = m ? scry_strdup(m->path) : stored;
    if (m)
        free(stored);
    if (!*out && !f->numbers)
        *out = scry_strdup(key->text);
    int result = *out ? 0 : scry_remote_side_begin(s, false, err);
    if (result == 1) {
        result = scry_db_start(&s->side, SCRY_SIDE_FILE_PATH, &st, err, "i", key->number);
        if (result == 0 && (result = scry_db_step(&s->side, st, err)) == 1)
            *out = scry_strdup(scry_db_text(st, 0));
        scry_remote_side_end(s, st);
    }
    if (result >= 0 && !*out)
        *out = scry_asprintf("%s:%lld", f->key, (long long)key->number);
    return result < 0 ? result : 0;
}

/* A file with nothing but a path; each row is a content of its own. */
static void set_file(const scry_remote *s, scry_file *file, const scry_remote_key *key, const char *path)
{
    *file = (scry_file){ .relative = path[0] == '/' ? path + 1 : path, .path = path, .format = "", .camera = "", .key = "" };
    if (s->external->numbers)
        id_of_number(key->number, file->id);
    else
        scry_id_of_text(key->text, file->id);
    memcpy(file->content, file->id, SCRY_ID_BYTES);
}

/* ---- rows ---- */

static int read_at(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, size_t i, const scry_remote_key *key,
                   scry_error *err)
{
    free(row->text);
    row->text = NULL;
    int result = name_key(s, key, scry_remote_path_in(s, rows, i), &row->text, err);
    if (result == 0)
        set_file(s, &row->file, key, row->text);
    return result;
}

int scry_remote_external_read_row(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, size_t i, scry_error *err)
{
    bool numbers = s->external->numbers;
    if (numbers ? !rows->int_ids : !rows->str_ids)
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered with keys of another type than that of %s", s->external->key);
    const scry_remote_key key = { numbers ? rows->int_ids[i] : 0, numbers ? NULL : (char *)rows->str_ids[i] };
    return read_at(s, row, rows, i, &key, err);
}

int scry_remote_external_get(scry_store *base, const uint8_t *id, scry_results **out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_remote_row row = { .answer = 0 };
    scry_remote_key key;
    scry_milvus_rows *rows = NULL;
    int result = scry_remote_key_of_id(s, id, &key, err);
    if (result == 0)
        result = scry_remote_find_key(s, &key, s->external->path_field ? s->external->path_field : s->external->key, &rows, err);
    if (result == 0 && rows->rows == 0)
        result = not_found(s, err);
    if (result == 0)
        result = read_at(s, &row, rows, 0, &key, err);
    if (result == 0) {
        *out = scry_results_new();
        scry_results_add(*out, 0, &row.file, 0);
    }
    scry_milvus_rows_free(rows);
    scry_remote_row_dispose(s, &row);
    scry_remote_key_dispose(&key);
    return result;
}

/* ---- all rows, by key ---- */

enum { FIRST_PAGE = 512, PAGE = 8192 };

typedef struct walk {
    scry_remote *s;
    const scry_filter_node *filter;
    scry_remote_key last;        /* owned; of the row that was walked last */
    bool begun;                  /* there is one */
    int (*each)(void *, const scry_file *);
    void *arg;
} walk;

/* Size and time of a file that scry added. */
static int read_state(scry_remote *s, const scry_remote_key *key, scry_file *file, scry_error *err)
{
    sqlite3_stmt *st;
    int result = s->external->numbers ? scry_remote_side_begin(s, false, err) : 0;
    if (result != 1)
        return result;
    result = scry_db_start(&s->side, SCRY_SIDE_FILE_STATE, &st, err, "bi", file->id, SCRY_ID_BYTES, key->number);
    if (result == 0 && (result = scry_db_step(&s->side, st, err)) == 1) {
        file->size = sqlite3_column_int64(st, 0);
        file->mtime_ns = sqlite3_column_int64(st, 1);
    }
    scry_remote_side_end(s, st);
    return result < 0 ? result : 0;
}

static int fetch_page(const walk *w, int64_t limit, scry_milvus_rows **out, scry_error *err)
{
    const scry_remote_external *e = w->s->external;
    const char *fields[] = { e->key, e->path_field };
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_milvus *m;
    if (w->begun) {
        scry_buf_printf(&filter, "%s > ", e->key);
        put_key(w->s, &w->last, &filter);
    }
    scry_milvus_query q = { scry_buf_str(&filter), fields, e->path_field ? 2 : 1, limit, scry_remote_freshness(w->s) };
    double deadline = scry_remote_deadline(w->s);
    int result = scry_remote_take(w->s, &m, err);
    if (result == 0) {
        do
            result = scry_milvus_query_by_key(m, w->s->name, &q, out, err);
        while (result < 0 && scry_remote_revived(w->s, m, deadline, err));
        scry_remote_give(w->s, m);
    }
    scry_buf_dispose(&filter);
    return result;
}

/* Whether the key is the next one: a server that answers in another order cannot be asked for what follows. */
static int step(walk *w, scry_remote_key key, scry_error *err)
{
    bool numbers = w->s->external->numbers;
    if (w->begun && (numbers ? key.number <= w->last.number : strcmp(key.text, w->last.text) <= 0))
        return scry_fail(err, SCRY_EREMOTE, "Milvus at %s does not answer in the order of keys: the collection %s can be searched, not listed",
                         w->s->where, w->s->shown);
    scry_remote_key_dispose(&w->last);
    w->last = (scry_remote_key){ key.number, key.text ? scry_strdup(key.text) : NULL };
    w->begun = true;
    return 0;
}

/* 1: the caller wants no more. */
static int walk_page(walk *w, const scry_milvus_rows *rows, scry_error *err)
{
    const scry_remote_external *e = w->s->external;
    const scry_milvus_column *keys = scry_milvus_find_column(rows, e->key, e->numbers ? SCRY_MILVUS_INT64 : SCRY_MILVUS_VARCHAR);
    scry_remote_row row = { .answer = 0 };
    int result = 0;
    if (rows->rows && !keys)
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the keys that were asked for");
    if (rows->rows && !e->numbers)
        scry_remote_remember_keys(w->s, keys->strings, rows->rows);
    for (size_t i = 0; i < rows->rows && result == 0; i++) {
        const scry_remote_key key = { e->numbers ? keys->longs[i] : 0, e->numbers ? NULL : (char *)keys->strings[i] };
        result = step(w, key, err);
        if (result == 0)
            result = read_at(w->s, &row, rows, i, &key, err);
        if (result == 0)
            result = read_state(w->s, &key, &row.file, err);
        if (result == 0 && scry_filter_match(w->filter, &row.file))
            result = w->each(w->arg, &row.file) != 0;
    }
    scry_remote_row_dispose(w->s, &row);
    return result;
}

static int walk_rows(walk *w, int64_t first_page, int64_t most, scry_error *err)
{
    int result = 0;
    int64_t limit = first_page;
    for (bool more = true; more && result == 0 && most > 0; most -= limit, limit = limit * 4 < PAGE ? limit * 4 : PAGE) {
        scry_milvus_rows *rows;
        limit = limit < most ? limit : most;
        result = fetch_page(w, limit, &rows, err);
        if (result < 0)
            break;
        more = (int64_t)rows->rows == limit;
        result = walk_page(w, rows, err);
        scry_milvus_rows_free(rows);
    }
    scry_remote_key_dispose(&w->last);
    return result < 0 ? result : 0;
}

int scry_remote_external_each_file(scry_store *base, const scry_filter_node *filter, const uint8_t *after,
                                   int (*each)(void *, const scry_file *), void *arg, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    walk w = { .s = s, .filter = filter, .each = each, .arg = arg };
    int result = after ? scry_remote_key_of_id(s, after, &w.last, err) : 0;
    w.begun = after;
    return result < 0 ? result : walk_rows(&w, FIRST_PAGE, INT64_MAX, err);
}

int scry_remote_external_each_sampled(scry_store *base, uint64_t most, int (*each)(void *, const scry_file *), void *arg,
                                      double *share, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    walk w = { .s = s, .each = each, .arg = arg };
    scry_store_info info;
    int result = scry_remote_count_files(base, &info, err);
    if (result < 0)
        return result;
    *share = info.files > most ? (double)most / (double)info.files : 1;
    return walk_rows(&w, PAGE, most < INT64_MAX ? (int64_t)most : INT64_MAX, err);
}
