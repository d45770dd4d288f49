/* remote_read.c - files looked up, counted and verified. */
#include "store/file_list.h"
#include "store/side_by_side.h"
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
    scry_remote_row row = { .answer = 0 };
    const scry_remote_fields fields = scry_remote_text_fields(s, false);
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

/* Those of at most MOST_AT_ONCE files that are there, added to `to`. */
static int get_some(scry_remote *s, scry_milvus *m, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_results *to,
                    scry_error *err)
{
    const scry_remote_fields fields = scry_remote_row_fields(s, false);
    char (*hex)[SCRY_REMOTE_HEX_ID] = scry_alloc((n + 1) * sizeof *hex);
    const char **list = scry_alloc((n + 1) * sizeof *list);
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_remote_row row = { .answer = 0 };
    scry_milvus_rows *rows;
    for (size_t i = 0; i < n; i++) {
        scry_hex(ids[i], SCRY_ID_BYTES, hex[i]);
        list[i] = hex[i];
    }
    scry_remote_in_list(&filter, "id", list, n);
    scry_milvus_query q = { scry_buf_str(&filter), fields.names, fields.count, (int64_t)n, scry_remote_freshness(s) };
    int result = scry_remote_query(s, m, &q, &rows, err);
    if (result == 0) {
        for (size_t i = 0; i < rows->rows && result == 0; i++)
            if ((result = scry_remote_row_read(s, &row, rows, i, err)) == 0)
                scry_results_add(to, 0, &row.file, 0);
        scry_remote_row_dispose(s, &row);
        scry_milvus_rows_free(rows);
    }
    scry_buf_dispose(&filter);
    free(list);
    free(hex);
    return result;
}

int scry_remote_get_many(scry_store *base, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_results **out, scry_error *err)
{
    enum { MOST_AT_ONCE = 4096 };
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    *out = scry_results_new();
    for (size_t i = 0; i < n && result == 0; i += MOST_AT_ONCE)
        result = get_some(s, m, ids + i, n - i < MOST_AT_ONCE ? n - i : MOST_AT_ONCE, *out, err);
    if (result == 0)
        result = scry_remote_name_raws(s, *out, err);
    if (result < 0) {
        scry_results_free(*out);
        *out = NULL;
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
    scry_remote_row row = { .answer = 0 };
    const scry_remote_fields fields = scry_remote_row_fields(s, false);
    char filter[FILTER_BYTES];
    if (scry_remote_state_lacks(s, hash))
        return 0;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    filter_on(filter, "content", hash, SCRY_HASH_BYTES);
    /* A read that sees this process's last write may wait for the server's next tick: only where it can matter. */
    scry_milvus_query q = { filter, fields.names, fields.count, 1, SCRY_MILVUS_BOUNDED };
    if (scry_remote_state_wrote(s, hash))
        q.consistency = scry_remote_freshness(s);
    result = scry_remote_query(s, m, &q, &rows, err);
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

/* The vector of a row that passes `filter`; `what`: how it was asked for. */
static int read_vector(scry_remote *s, const char *filter, const char *what, float *out, scry_error *err)
{
    static const char *const names[] = { "vector" };
    const scry_remote_fields fields = { names, 1, 0, SCRY_MILVUS_STRONG };
    scry_milvus *m;
    scry_milvus_rows *rows;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    result = find_row(s, m, filter, &fields, &rows, err);
    if (result == 0) {
        const scry_milvus_column *v = scry_milvus_find_column(rows, "vector", SCRY_MILVUS_FLOAT_VECTOR);
        if (!rows->rows)
            result = scry_fail(err, SCRY_ENOTFOUND, "no %s in %s", what, s->where);
        else if (!v || v->dim != s->base.dim)
            result = scry_fail(err, SCRY_EREMOTE, "Milvus answered without the vector that was asked for");
        else
            memcpy(out, v->floats, (size_t)s->base.dim * sizeof *out);
        scry_milvus_rows_free(rows);
    }
    scry_remote_give(s, m);
    return result;
}

int scry_remote_vector(scry_store *base, const uint8_t *hash, float *out, scry_error *err)
{
    char filter[FILTER_BYTES];
    filter_on(filter, "content", hash, SCRY_HASH_BYTES);
    return read_vector((scry_remote *)base, filter, "such content", out, err);
}

int scry_remote_vector_of(scry_store *base, const uint8_t *id, float *out, scry_error *err)
{
    char filter[FILTER_BYTES];
    filter_on(filter, "id", id, SCRY_ID_BYTES);
    return read_vector((scry_remote *)base, filter, "file of that id", out, err);
}

/* ---- places ---- */

int scry_remote_count_below(scry_store *base, const scry_filter_node *filter, uint64_t *out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    scry_milvus_cover cover;
    scry_buf expression = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    int64_t count = 0;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    result = scry_remote_filter(s, m, filter, &expression, &cover, err);
    if (result == 0 && cover == SCRY_MILVUS_EXACT)
        result = scry_remote_count(s, m, scry_buf_str(&expression), SCRY_MILVUS_STRONG, &count, err);
    *out = (uint64_t)count;
    scry_buf_dispose(&expression);
    scry_remote_give(s, m);
    return result == 0 && cover == SCRY_MILVUS_WIDER ? 1 : result;
}

typedef struct place_walk {
    int (*each)(void *, const uint8_t *, const char *);
    void *arg;
    scry_remote_roots *roots;
} place_walk;

static int walk_places(void *arg, const scry_milvus_rows *page, scry_error *err)
{
    const place_walk *w = arg;
    const scry_milvus_column *id = scry_milvus_find_column(page, "id", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *root = scry_milvus_find_column(page, "root", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *path = scry_milvus_find_column(page, "path", SCRY_MILVUS_VARCHAR);
    int stop = 0;
    if (page->rows && (!id || !root || !path))
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    for (size_t i = 0; i < page->rows && stop == 0; i++) {
        uint8_t bytes[SCRY_ID_BYTES];
        if (scry_unhex(id->strings[i], bytes, sizeof bytes) < 0)
            continue;
        char *relative = scry_strdup(path->strings[i]);
        scry_milvus_unescape(relative);
        char *whole = scry_store_join(scry_remote_roots_path(w->roots, root->strings[i]), relative);
        stop = w->each(w->arg, bytes, whole) != 0;
        free(whole);
        free(relative);
    }
    return stop;
}

int scry_remote_each_place(scry_store *base, const scry_filter_node *filter, int (*each)(void *, const uint8_t *, const char *),
                           void *arg, scry_error *err)
{
    static const char *const names[] = { "id", "root", "path" };
    static const scry_remote_fields fields = { names, 3, 256, SCRY_MILVUS_STRONG };
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    scry_milvus_cover cover;
    scry_buf expression = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    result = scry_remote_filter(s, m, filter, &expression, &cover, err);
    scry_remote_give(s, m);
    if (result == 0 && cover == SCRY_MILVUS_WIDER)
        result = scry_fail(err, SCRY_EINVALID, "Milvus has no expression for this filter");
    place_walk w = { each, arg, scry_remote_roots_hold(s) };
    if (result == 0 && cover == SCRY_MILVUS_EXACT)
        result = scry_remote_scan(s, scry_buf_str(&expression), &fields, walk_places, &w, err);
    scry_remote_roots_release(s, w.roots);
    scry_buf_dispose(&expression);
    return result < 0 ? result : 0;
}

/* ---- verify ---- */

typedef struct check {
    scry_remote *s;
    scry_verify_report *report;
    const scry_verify_options *options;
    scry_remote_row row;
    uint64_t total;       /* files to check, about */
} check;

enum { SHOWN = 1000 };    /* files between two reports of progress */

static void report_problem(check *c, const char *what, const char *id)
{
    char text[512];
    c->report->problems++;
    snprintf(text, sizeof text, "row %.40s (%.300s): %s", id, c->row.file.path ? c->row.file.path : "?", what);
    if (c->options->problem)
        c->options->problem(c->options->arg, text);
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

/* Non-zero: it is to stop. */
static int show_checked(const check *c)
{
    const scry_milvus_wait *w = &c->s->wait;
    const scry_verify_options *o = c->options;
    if (o->cancel && atomic_load(o->cancel))
        return 1;
    if (o->progress) {
        o->progress(o->arg, c->report->files < c->total ? c->report->files : c->total, c->total);
        return 0;
    }
    return w->progress ? w->progress(w->arg, "returning what is checked", (int)(c->report->files * 100 / c->total)) : 0;
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
        if ((i == 0 || c->report->files % SHOWN == 0) && show_checked(c) != 0)
            return scry_fail(err, SCRY_ECANCELLED, "stopped");
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
    if (c->options->problem)
        c->options->problem(c->options->arg, text);
    return 0;
}

/* Whether Milvus counts as many rows as it returned. */
static int compare_counts(check *c, scry_error *err)
{
    scry_store_info info;
    scry_store *base = &c->s->base;
    int result = base->kind->get_info(base, &info, err);
    if (result < 0)
        return result;
    c->report->contents = info.contents;
    if (info.files != c->report->files) {
        char text[128];
        snprintf(text, sizeof text, "Milvus counts %llu rows but returns %llu: two rows with one key?",
                 (unsigned long long)info.files, (unsigned long long)c->report->files);
        c->report->problems++;
        if (c->options->problem)
            c->options->problem(c->options->arg, text);
    }
    return 0;
}

int scry_remote_verify(scry_store *base, const scry_verify_options *options, scry_verify_report *out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    const scry_remote_fields fields = scry_remote_row_fields(s, true);
    check c = { .s = s, .report = out, .options = options };
    scry_store_info info;
    int result = scry_remote_count_files(base, &info, err);
    c.total = (options->sample ? options->sample : info.files) + 1;
    const scry_id_range range = scry_random_range(info.files, options->sample);
    if (result == 0)
        result = options->sample ? scry_remote_scan_range(s, range, &fields, check_page, &c, err)
                                 : scry_remote_scan(s, "", &fields, check_page, &c, err);
    scry_remote_row_dispose(s, &c.row);
    if (result == 0)
        result = scry_remote_lost_roots(base, report_lost, &c, err);
    return result < 0 || options->sample ? result : compare_counts(&c, err);
}
