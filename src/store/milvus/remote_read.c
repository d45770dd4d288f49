/* remote_read.c - files looked up, walked and verified. */
#include "store/file_list.h"
#include "store/milvus/remote_pairs.h"

#include "base/alloc.h"
#include "base/sha256.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lookups ---- */

enum { FILTER_BYTES = 128 };

/* The filter on rows whose field is `n` bytes, a file's id or a content's hash, as hexadecimal digits. */
static void filter_on(char filter[FILTER_BYTES], const char *field, const uint8_t *bytes, size_t n)
{
    char hex[SCRY_REMOTE_HEX_HASH > SCRY_REMOTE_HEX_ID ? SCRY_REMOTE_HEX_HASH : SCRY_REMOTE_HEX_ID];
    scry_hex(bytes, n, hex);
    snprintf(filter, FILTER_BYTES, "%s == \"%s\"", field, hex);
}

/* A row that passes `filter`, if there is one, as `out` of at most one row. */
static int find_row(scry_remote *s, scry_milvus *m, const char *filter, const scry_remote_fields *fields, scry_milvus_rows **out,
                    scry_error *err)
{
    scry_milvus_query q = { filter, fields->names, fields->count, 1, scry_remote_freshness(s) };
    return scry_remote_query(s, m, &q, out, err);
}

int scry_remote_get(scry_store *base, const uint8_t *id, scry_results **out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    scry_milvus_rows *rows;
    scry_remote_row row = { .rows = NULL };
    const scry_remote_fields fields = scry_remote_row_fields(s, false);
    char filter[FILTER_BYTES];
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    filter_on(filter, "id", id, SCRY_ID_BYTES);
    result = find_row(s, m, filter, &fields, &rows, err);
    if (result == 0) {
        int64_t copies = 1;
        result = rows->rows ? scry_remote_row_read(s, &row, rows, 0, err)
                            : scry_fail(err, SCRY_ENOTFOUND, "no file of that id in %s", s->where);
        if (result == 0) {
            snprintf(filter, sizeof filter, "content == \"%s\"", row.columns[SCRY_REMOTE_CONTENT]->strings[0]);
            result = scry_remote_count(s, m, filter, scry_remote_freshness(s), &copies, err);
        }
        if (result == 0) {
            *out = scry_results_new();
            scry_results_add(*out, 0, &row.file, copies > 0 ? (uint64_t)copies - 1 : 0);
            result = scry_remote_name_raws(s, *out, err);
        }
        if (result < 0) {
            scry_results_free(*out);
            *out = NULL;
        }
        scry_remote_row_dispose(s, &row);
        scry_milvus_rows_free(rows);
    }
    scry_remote_give(s, m);
    return result;
}

/* The picture's fields; their strings are stored in `s` until the next call. */
static void lend_content(scry_remote *s, const scry_file *from, scry_file *out)
{
    *out = *from;
    out->relative = out->path = out->key = "";
    out->notes = NULL;
    out->labels = NULL;
    out->label_count = 0;
    void *text = scry_file_own_strings(out);
    free(s->lent);
    s->lent = text;
}

int scry_remote_has_content(scry_store *base, const uint8_t *hash, scry_file *out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    scry_milvus_rows *rows;
    scry_remote_row row = { .rows = NULL };
    const scry_remote_fields fields = scry_remote_row_fields(s, false);
    char filter[FILTER_BYTES];
    if (scry_remote_state_lacks(s, hash))
        return 0;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    filter_on(filter, "content", hash, SCRY_HASH_BYTES);
    result = find_row(s, m, filter, &fields, &rows, err);
    if (result == 0) {
        if (rows->rows && (result = scry_remote_row_read(s, &row, rows, 0, err)) == 0) {
            result = 1;
            if (out)
                lend_content(s, &row.file, out);
        }
        scry_remote_row_dispose(s, &row);
        scry_milvus_rows_free(rows);
    }
    scry_remote_give(s, m);
    return result;
}

int scry_remote_vector(scry_store *base, const uint8_t *hash, float *out, scry_error *err)
{
    static const char *const names[] = { "vector" };
    const scry_remote_fields fields = { names, 1, 0 };
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    scry_milvus_rows *rows;
    char filter[FILTER_BYTES];
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    filter_on(filter, "content", hash, SCRY_HASH_BYTES);
    result = find_row(s, m, filter, &fields, &rows, err);
    if (result == 0) {
        const scry_milvus_column *v = scry_milvus_find_column(rows, "vector", SCRY_MILVUS_FLOAT_VECTOR);
        if (!rows->rows)
            result = scry_fail(err, SCRY_ENOTFOUND, "no such content in %s", s->where);
        else if (!v || v->dim != base->dim)
            result = scry_fail(err, SCRY_EREMOTE, "Milvus answered without the vector that was asked for");
        else
            memcpy(out, v->floats, (size_t)base->dim * sizeof *out);
        scry_milvus_rows_free(rows);
    }
    scry_remote_give(s, m);
    return result;
}

/* ---- walking ----
 *
 * In order of root and path: first the ids and paths of all rows are fetched and sorted, then the rows
 * in that order, a thousand at a time. */

typedef struct walk {
    scry_remote *s;
    scry_milvus *m;
    const scry_filter_node *filter;
    int (*each)(void *arg, const scry_file *file);
    void *arg;
} walk;

typedef struct place {
    uint8_t id[SCRY_ID_BYTES], root[SCRY_ID_BYTES];
    char *path;              /* unescaped, owned */
} place;

typedef struct places {
    place *items;
    size_t count, capacity;
} places;

static int collect(void *arg, const scry_milvus_rows *page, scry_error *err)
{
    places *p = arg;
    const scry_milvus_column *id = scry_milvus_find_column(page, "id", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *root = scry_milvus_find_column(page, "root", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *path = scry_milvus_find_column(page, "path", SCRY_MILVUS_VARCHAR);
    if (page->rows && (!id || !root || !path))
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    for (size_t i = 0; i < page->rows; i++) {
        place one;
        if (scry_unhex(id->strings[i], one.id, SCRY_ID_BYTES) < 0 ||
            scry_unhex(root->strings[i], one.root, SCRY_ID_BYTES) < 0)
            continue;
        if (p->count == p->capacity) {
            p->capacity = p->capacity * 2 + 1024;
            p->items = scry_realloc(p->items, p->capacity * sizeof *p->items);
        }
        one.path = scry_strdup(path->strings[i]);
        scry_milvus_unescape(one.path);
        p->items[p->count++] = one;
    }
    return 0;
}

static int compare_places(const void *a, const void *b)
{
    const place *x = a, *y = b;
    int order = memcmp(x->root, y->root, SCRY_ID_BYTES);
    return order ? order : strcmp(x->path, y->path);
}

static void places_dispose(places *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->items[i].path);
    free(p->items);
}

/* The first position after the file `after`. */
static int find_start(scry_remote *s, const places *p, const uint8_t *after, size_t *out, scry_error *err)
{
    scry_results *r;
    *out = 0;
    int result = after ? scry_remote_get(&s->base, after, &r, err) : 0;
    if (result < 0 || !after)
        return result;
    place last = { .path = (char *)r->hits[0].file.relative };
    memcpy(last.root, r->hits[0].file.root, SCRY_ID_BYTES);
    while (*out < p->count && compare_places(&p->items[*out], &last) <= 0)
        ++*out;
    scry_results_free(r);
    return 0;
}

/* Fetch the rows of some places and call `each` in their order; 1 when it stopped. */
static int hand_out(const walk *w, const place *items, size_t n, scry_error *err)
{
    scry_remote *s = w->s;
    char (*hex)[SCRY_REMOTE_HEX_ID] = scry_alloc(n * sizeof *hex);
    const char **texts = scry_alloc(n * sizeof *texts);
    scry_buf expression = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_remote_row row = { .rows = NULL };
    scry_milvus_rows *rows = NULL;
    for (size_t i = 0; i < n; i++) {
        scry_hex(items[i].id, SCRY_ID_BYTES, hex[i]);
        texts[i] = hex[i];
    }
    scry_remote_in_list(&expression, "id", texts, n);
    const scry_remote_fields fields = scry_remote_row_fields(w->s, false);
    scry_milvus_query q = { scry_buf_str(&expression), fields.names, fields.count, 0,
                            scry_remote_freshness(s) };
    int result = scry_remote_query(s, w->m, &q, &rows, err);
    const scry_milvus_column *id = result == 0 ? scry_milvus_find_column(rows, "id", SCRY_MILVUS_VARCHAR) : NULL;
    size_t guess = 0;   /* the order of an answer is mostly the same: start after the last one found */
    for (size_t i = 0; i < n && result == 0 && id; i++)
        for (size_t k = 0; k < rows->rows; k++) {
            size_t at = (guess + k) % rows->rows;
            if (strcmp(id->strings[at], hex[i]) != 0)
                continue;
            result = scry_remote_row_read(s, &row, rows, at, err);
            if (result == 0 && scry_filter_match(w->filter, &row.file))
                result = w->each(w->arg, &row.file) != 0;
            guess = at + 1;
            break;
        }
    scry_remote_row_dispose(s, &row);
    scry_milvus_rows_free(rows);
    scry_buf_dispose(&expression);
    free(texts);
    free(hex);
    return result;
}

int scry_remote_each_file(scry_store *base, const scry_filter_node *filter, const uint8_t *after,
                          int (*each)(void *, const scry_file *), void *arg, scry_error *err)
{
    enum { ROWS = 1000 };
    static const char *const names[] = { "id", "root", "path" };
    static const scry_remote_fields fields = { names, 3, 256 };
    scry_remote *s = (scry_remote *)base;
    walk w = { s, NULL, filter, each, arg };
    scry_milvus_cover cover;
    places p = { .items = NULL };
    scry_buf expression = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    size_t at = 0;
    int result = scry_remote_take(s, &w.m, err);
    if (result == 0)
        result = scry_remote_filter(s, w.m, filter, &expression, &cover, err);
    if (result == 0 && cover != SCRY_MILVUS_NOTHING)
        result = scry_remote_scan(s, scry_buf_str(&expression), &fields, collect, &p, err);
    if (p.count)
        qsort(p.items, p.count, sizeof *p.items, compare_places);
    if (result == 0)
        result = find_start(s, &p, after, &at, err);
    for (; at < p.count && result == 0; at += ROWS)
        result = hand_out(&w, p.items + at, p.count - at < ROWS ? p.count - at : ROWS, err);
    places_dispose(&p);
    scry_buf_dispose(&expression);
    scry_remote_give(s, w.m);
    return result < 0 ? result : 0;
}

/* ---- verify ---- */

typedef struct check {
    scry_remote *s;
    scry_verify_report *report;
    void (*problem)(void *arg, const char *text);
    void *arg;
    scry_remote_row row;
} check;

static void report_problem(check *c, const char *what, const char *id)
{
    char text[512];
    c->report->problems++;
    snprintf(text, sizeof text, "row %.40s (%.300s): %s", id, c->row.file.path ? c->row.file.path : "?", what);
    if (c->problem)
        c->problem(c->arg, text);
}

static void check_row(check *c, const float *v, const char *id)
{
    const scry_file *f = &c->row.file;
    uint8_t want[SCRY_ID_BYTES];
    double sum = 0;
    for (int i = 0; i < c->s->base.dim; i++)
        sum += (double)v[i] * v[i];
    scry_file_id(f->root, f->relative, want);
    if (memcmp(want, f->id, SCRY_ID_BYTES) != 0)
        report_problem(c, "its key is not that of its root and path", id);
    if (!(fabs(sum - 1) < 1e-2))
        report_problem(c, "its vector is not of unit length", id);
}

static int check_page(void *arg, const scry_milvus_rows *page, scry_error *err)
{
    check *c = arg;
    const scry_milvus_column *id = scry_milvus_find_column(page, "id", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *v = scry_milvus_find_column(page, "vector", SCRY_MILVUS_FLOAT_VECTOR);
    if (page->rows && (!id || !v || v->dim != c->s->base.dim))
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    for (size_t i = 0; i < page->rows; i++) {
        scry_error why = SCRY_ERROR_INIT;
        c->report->files++;
        if (scry_remote_row_read(c->s, &c->row, page, i, &why) < 0)
            report_problem(c, why.message, id->strings[i]);
        else
            check_row(c, v->floats + i * (size_t)c->s->base.dim, id->strings[i]);
    }
    return 0;
}

/* One line for all files of a root. */
static int report_lost(void *arg, const scry_root *root)
{
    const check *c = arg;
    char hex[SCRY_REMOTE_HEX_ID], text[512];
    scry_hex(root->id, SCRY_ID_BYTES, hex);
    snprintf(text, sizeof text, "root %s: its path is not known any more (%llu files, such as %.200s): scry root move %s PATH", hex,
             (unsigned long long)root->files, root->path, hex);
    c->report->problems++;
    if (c->problem)
        c->problem(c->arg, text);
    return 0;
}

int scry_remote_verify(scry_store *base, scry_verify_report *out, void (*problem)(void *, const char *), void *arg,
                       scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    const scry_remote_fields fields = scry_remote_row_fields(s, true);
    check c = { .s = s, .report = out, .problem = problem, .arg = arg };
    scry_store_info info;
    int result = scry_remote_scan(s, "", &fields, check_page, &c, err);
    scry_remote_row_dispose(s, &c.row);
    if (result == 0)
        result = scry_remote_lost_roots(base, report_lost, &c, err);
    if (result < 0 || (result = base->kind->get_info(base, &info, err)) < 0)
        return result;
    out->contents = info.contents;
    if (info.files != out->files) {
        char text[128];
        snprintf(text, sizeof text, "Milvus counts %llu rows but returns %llu: two rows with one key?",
                 (unsigned long long)info.files, (unsigned long long)out->files);
        out->problems++;
        if (problem)
            problem(arg, text);
    }
    return 0;
}
