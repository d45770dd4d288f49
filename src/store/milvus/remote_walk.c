/* remote_walk.c - files in order of root and path, a piece at a time, from any place on: what pages of a list read.
 *
 * Milvus returns rows in no order, but it counts rows and compares strings. Of the paths that remain in a root a piece is cut
 * off that should hold some hundred or thousand rows: it ends at a path of a sample. The sample is fair, since keys are hashes:
 * all rows whose keys are low enough. The piece is fetched whole and sorted here; one that turns out too large for an answer is
 * cut again. So a page costs three requests, wherever it is in the list.
 *
 * Paths are compared as they are stored, escaped: names with a quote, a backslash or bytes that are not UTF-8 come before others
 * that begin like them.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_PIECE = 256, LARGEST_PIECE = 4096, SAMPLE = 400 };

typedef struct walk {
    scry_remote *s;
    scry_milvus *m;
    const scry_filter_node *filter;
    const char *expression;  /* of the filter */
    int (*each)(void *arg, const scry_file *file);
    void *arg;
    char *root;              /* expression for the root being walked, owned */
    char *after;             /* path that was walked last, as it is stored, owned; NULL: none */
    int64_t left;            /* about so many rows follow it */
    size_t piece;            /* rows that the next piece should have */
} walk;

/* The rows that remain in the root, up to the path `end` (NULL: all), and with keys below `share` (1: all) of all. */
static void set_filter(const walk *w, const char *end, double share, scry_buf *out)
{
    scry_buf_puts(out, w->root);
    if (w->expression[0])
        scry_buf_printf(out, " and (%s)", w->expression);
    if (w->after)
        scry_buf_printf(out, " and path > \"%s\"", w->after);
    if (end)
        scry_buf_printf(out, " and path <= \"%s\"", end);
    if (share < 1)
        scry_buf_printf(out, " and id < \"%08x\"", (unsigned)(share * 0x1p32));
}

static int fetch(const walk *w, const char *end, double share, const scry_remote_fields *fields, scry_milvus_rows **out,
                 scry_error *err)
{
    scry_buf filter = SCRY_BUF_INIT(2 * SCRY_REMOTE_FILTER_BYTES);
    set_filter(w, end, share, &filter);
    scry_milvus_query q = { scry_buf_str(&filter), fields->names, fields->count, SCRY_MILVUS_MAX_TOPK,
                            scry_remote_freshness(w->s) };
    int result = scry_remote_query(w->s, w->m, &q, out, err);
    scry_buf_dispose(&filter);
    return result;
}

static int count_left(walk *w, scry_error *err)
{
    scry_buf filter = SCRY_BUF_INIT(2 * SCRY_REMOTE_FILTER_BYTES);
    set_filter(w, NULL, 1, &filter);
    int result = scry_remote_count(w->s, w->m, scry_buf_str(&filter), scry_remote_freshness(w->s), &w->left, err);
    scry_buf_dispose(&filter);
    return result;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A path that about w->piece rows do not exceed. *end is owned; NULL: the sample has no path. */
static int choose_end(const walk *w, char **end, scry_error *err)
{
    static const char *const names[] = { "path" };
    static const scry_remote_fields fields = { names, 1, 0 };
    scry_milvus_rows *rows;
    *end = NULL;
    int result = fetch(w, NULL, (double)SAMPLE / (double)w->left, &fields, &rows, err);
    if (result < 0)
        return result;
    const scry_milvus_column *path = scry_milvus_find_column(rows, "path", SCRY_MILVUS_VARCHAR);
    if (rows->rows && path) {
        const char **sorted = scry_alloc(rows->rows * sizeof *sorted);
        memcpy(sorted, path->strings, rows->rows * sizeof *sorted);
        qsort(sorted, rows->rows, sizeof *sorted, compare_texts);
        size_t at = (size_t)((double)rows->rows * (double)w->piece / (double)w->left);
        *end = scry_strdup(sorted[at < rows->rows ? at : rows->rows - 1]);
        free(sorted);
    }
    scry_milvus_rows_free(rows);
    return 0;
}

typedef struct placed {
    const char *path;
    size_t row;
} placed;

static int compare_placed(const void *a, const void *b)
{
    return strcmp(((const placed *)a)->path, ((const placed *)b)->path);
}

/* Call `each` with the rows in order of their paths; 1 when it stopped. */
static int hand_out(const walk *w, const scry_milvus_rows *rows, scry_error *err)
{
    const scry_milvus_column *path = scry_milvus_find_column(rows, "path", SCRY_MILVUS_VARCHAR);
    if (!path)
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    placed *order = scry_alloc((rows->rows + 1) * sizeof *order);
    scry_remote_row row = { .rows = NULL };
    int result = 0;
    for (size_t i = 0; i < rows->rows; i++)
        order[i] = (placed){ path->strings[i], i };
    if (rows->rows)
        qsort(order, rows->rows, sizeof *order, compare_placed);
    for (size_t i = 0; i < rows->rows && result == 0; i++) {
        result = scry_remote_row_read(w->s, &row, rows, order[i].row, err);
        if (result == 0 && scry_filter_match(w->filter, &row.file))
            result = w->each(w->arg, &row.file) != 0;
    }
    scry_remote_row_dispose(w->s, &row);
    free(order);
    return result;
}

/* The next piece of the root; 2 when there is none. */
static int walk_piece(walk *w, scry_error *err)
{
    const scry_remote_fields fields = scry_remote_row_fields(w->s, false);
    scry_milvus_rows *rows = NULL;
    char *end = NULL;
    int result = w->left > (int64_t)w->piece ? choose_end(w, &end, err) : 0;
    if (result == 0)
        result = fetch(w, end, 1, &fields, &rows, err);
    if (result < 0) {
        free(end);
        return result;
    }
    bool too_many = rows->rows >= SCRY_MILVUS_MAX_TOPK;
    if (too_many) {                      /* the sample misled, or rows were added */
        w->piece = w->piece > 16 ? w->piece / 4 : w->piece;
        result = count_left(w, err);
        if (result == 0 && w->left <= (int64_t)w->piece)
            result = scry_fail(err, SCRY_EINVALID, "the collection %s changes faster than it can be listed", w->s->name);
    } else {
        result = hand_out(w, rows, err);
        w->left -= (int64_t)rows->rows;
        w->piece = w->piece < LARGEST_PIECE ? 4 * w->piece : w->piece;
        if (result == 0 && !end)
            result = 2;
    }
    if (!too_many && end) {
        free(w->after);
        w->after = end;
        end = NULL;
    }
    free(end);
    scry_milvus_rows_free(rows);
    return result;
}

/* What remains of the root. */
static int walk_root(walk *w, scry_error *err)
{
    int result = count_left(w, err);
    if (result == 0 && w->left == 0)
        result = 2;
    while (result == 0)
        result = walk_piece(w, err);
    free(w->after);
    w->after = NULL;
    return result == 2 ? 0 : result;
}

/* ---- all roots ---- */

/* Root and path, as they are stored, of the file `after`; owned. */
static int find_start(walk *w, const uint8_t *after, char **root, scry_error *err)
{
    static const char *const names[] = { "root", "path" };
    char hex[SCRY_REMOTE_HEX_ID], filter[64];
    scry_milvus_rows *rows;
    scry_hex(after, SCRY_ID_BYTES, hex);
    snprintf(filter, sizeof filter, "id == \"%s\"", hex);
    scry_milvus_query q = { filter, names, 2, 1, scry_remote_freshness(w->s) };
    int result = scry_remote_query(w->s, w->m, &q, &rows, err);
    if (result < 0)
        return result;
    const scry_milvus_column *r = scry_milvus_find_column(rows, "root", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *p = scry_milvus_find_column(rows, "path", SCRY_MILVUS_VARCHAR);
    if (rows->rows && r && p) {
        *root = scry_strdup(r->strings[0]);
        w->after = scry_strdup(p->strings[0]);
    } else {
        result = scry_fail(err, SCRY_ENOTFOUND, "no file of that id in %s", w->s->where);
    }
    scry_milvus_rows_free(rows);
    return result;
}

int scry_remote_each_sampled(scry_store *base, uint64_t most, int (*each)(void *, const scry_file *), void *arg, double *share,
                             scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    walk w = { .s = s, .expression = "", .each = each, .arg = arg, .root = "id != \"\"" };
    const scry_remote_fields fields = scry_remote_row_fields(s, false);
    scry_milvus_rows *rows;
    int result = scry_remote_take(s, &w.m, err);
    if (result < 0)
        return result;
    result = count_left(&w, err);
    if (result == 0 && w.left > (int64_t)most)
        *share = (double)most / (double)w.left;
    if (result == 0 && (result = fetch(&w, NULL, *share, &fields, &rows, err)) == 0) {
        result = hand_out(&w, rows, err);
        scry_milvus_rows_free(rows);
    }
    scry_remote_give(s, w.m);
    return result < 0 ? result : 0;
}

static void drop_after(walk *w)
{
    free(w->after);
    w->after = NULL;
}

/* Roots that can have files which pass, from `first` (NULL: all) on, in order of their ids; then rows of roots that are not
 * known. */
static int walk_roots(walk *w, const scry_remote_roots *roots, const char *first, scry_error *err)
{
    bool *may = scry_alloc((roots->count + 1) * sizeof *may), known = false;
    const char **ids = scry_alloc((roots->count + 1) * sizeof *ids);
    size_t n = 0;
    int result = 0;
    scry_remote_filter_roots(roots, w->filter, may);
    for (size_t i = 0; i < roots->count; i++) {
        known |= first && strcmp(roots->ids[i], first) == 0;
        if (may[i])
            ids[n++] = roots->ids[i];
    }
    qsort(ids, n, sizeof *ids, compare_texts);
    for (size_t i = 0; i < n && result == 0; i++) {
        if (first && (!known || strcmp(ids[i], first) < 0))
            continue;
        if (first && strcmp(ids[i], first) != 0)
            drop_after(w);
        w->root = scry_asprintf("root == \"%s\"", ids[i]);
        w->piece = FIRST_PIECE;
        result = walk_root(w, err);
        free(w->root);
    }
    if (known)
        drop_after(w);
    if (result == 0) {
        scry_buf other = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
        scry_buf_puts(&other, roots->count ? "not (" : "root != \"\"");
        if (roots->count) {
            scry_remote_in_list(&other, "root", (const char *const *)roots->ids, roots->count);
            scry_buf_putc(&other, ')');
        }
        w->root = scry_buf_take(&other);
        w->piece = FIRST_PIECE;
        result = walk_root(w, err);
        free(w->root);
    }
    free(ids);
    free(may);
    return result;
}

int scry_remote_each_file(scry_store *base, const scry_filter_node *filter, const uint8_t *after,
                          int (*each)(void *, const scry_file *), void *arg, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    walk w = { .s = s, .filter = filter, .each = each, .arg = arg };
    scry_milvus_cover cover;
    scry_buf expression = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    char *first = NULL;
    int result = scry_remote_take(s, &w.m, err);
    if (result == 0)
        result = scry_remote_filter(s, w.m, filter, &expression, &cover, err);
    if (result == 0 && after)
        result = find_start(&w, after, &first, err);
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    w.expression = scry_buf_str(&expression);
    if (result == 0 && cover != SCRY_MILVUS_NOTHING)
        result = walk_roots(&w, roots, first, err);
    scry_remote_roots_release(s, roots);
    free(w.after);
    free(first);
    scry_buf_dispose(&expression);
    scry_remote_give(s, w.m);
    return result < 0 ? result : 0;
}
