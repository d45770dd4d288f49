/* remote_walk.c - files in order of root and path, a piece at a time, from any place on: what pages of a list read.
 *
 * Milvus returns rows in no order, but it counts rows and compares strings. Of the paths that remain in a root a piece is cut
 * off that should hold some hundred or thousand rows: it ends at a path of a sample. The sample is fair, since keys are hashes:
 * all rows whose keys are low enough. Where the paths of a sample of all that remains are too far apart, another one is taken
 * of what comes before its first. The piece is fetched whole and sorted here; one that turns out too large for an answer is
 * cut again. So a page costs three requests, wherever it is in the list, and a whole list one request for 12,000 rows.
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

/* Of 200,000 rows, a piece of the largest size is cut at about the 96th path of a sample: 12,000 rows within a tenth. */
enum { FIRST_PIECE = 256, LARGEST_PIECE = 12000, SAMPLE = 1600 };

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
    char **sample;           /* [sample_count] paths of a sample of what remains, in order, owned; those from sample_at on follow */
    size_t sample_count, sample_at;
    double spacing;          /* rows from one to the next */
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

/* How many rows remain up to the path `end`. */
static int count_up_to(const walk *w, const char *end, int64_t *out, scry_error *err)
{
    scry_buf filter = SCRY_BUF_INIT(2 * SCRY_REMOTE_FILTER_BYTES);
    set_filter(w, end, 1, &filter);
    int result = scry_remote_count(w->s, w->m, scry_buf_str(&filter), scry_remote_freshness(w->s), out, err);
    scry_buf_dispose(&filter);
    return result;
}

static int count_left(walk *w, scry_error *err)
{
    return count_up_to(w, NULL, &w->left, err);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void drop_sample(walk *w)
{
    for (size_t i = 0; i < w->sample_count; i++)
        free(w->sample[i]);
    free(w->sample);
    w->sample = NULL;
    w->sample_count = w->sample_at = 0;
}

/* The paths of a sample of the `rows` rows that remain up to the path `end`. */
static int take_sample(walk *w, const char *end, int64_t rows, scry_error *err)
{
    static const char *const names[] = { "path" };
    static const scry_remote_fields fields = { names, 1, 0, SCRY_MILVUS_STRONG };
    scry_milvus_rows *found;
    int result = fetch(w, end, (double)SAMPLE / (double)(rows ? rows : 1), &fields, &found, err);
    if (result < 0)
        return result;
    const scry_milvus_column *path = scry_milvus_find_column(found, "path", SCRY_MILVUS_VARCHAR);
    drop_sample(w);
    w->sample = scry_alloc((found->rows + 1) * sizeof *w->sample);
    for (size_t i = 0; path && i < found->rows; i++)
        w->sample[w->sample_count++] = scry_strdup(path->strings[i]);
    if (w->sample_count)
        qsort(w->sample, w->sample_count, sizeof *w->sample, compare_texts);
    w->spacing = (double)rows / (double)(w->sample_count ? w->sample_count : 1);
    scry_milvus_rows_free(found);
    return 0;
}

/* Sample what remains, so that pieces can be cut off: what comes before the first path of a sample is sampled until it is. */
static int sample_pieces(walk *w, scry_error *err)
{
    enum { MOST = 8 };
    int64_t rows = w->left;
    int result = take_sample(w, NULL, rows, err);
    for (int i = 0; i < MOST && result == 0 && w->sample_count && w->spacing > (double)w->piece; i++) {
        char *end = scry_strdup(w->sample[0]);
        result = count_up_to(w, end, &rows, err);
        if (result == 0)
            result = take_sample(w, end, rows, err);
        free(end);
    }
    return result;
}

/* A path that about w->piece rows do not exceed. *end is owned; NULL: the sample has no path. */
static int choose_end(walk *w, char **end, scry_error *err)
{
    *end = NULL;
    int result = w->sample_at == w->sample_count ? sample_pieces(w, err) : 0;
    if (result < 0 || !w->sample_count)
        return result;
    size_t step = (size_t)((double)w->piece / w->spacing), left = w->sample_count - w->sample_at;
    w->sample_at += step < 1 ? 1 : step < left ? step : left;
    *end = scry_strdup(w->sample[w->sample_at - 1]);
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
    scry_remote_row row = { .answer = 0 };
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
    const scry_remote_fields fields = scry_remote_filter_fields(w->s, w->filter);
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
        drop_sample(w);
        result = count_left(w, err);
        if (result == 0 && w->left <= (int64_t)w->piece)
            result = scry_fail(err, SCRY_EINVALID, "the collection %s changes faster than it can be listed", w->s->name);
    } else {
        result = hand_out(w, rows, err);
        w->left -= (int64_t)rows->rows;
        w->piece = w->piece < LARGEST_PIECE / 4 ? 4 * w->piece : LARGEST_PIECE;
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
    drop_sample(w);
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
