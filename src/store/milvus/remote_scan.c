/* remote_scan.c - all rows of a filter, page by page, and expressions.
 *
 * An answer of Milvus has at most 16,384 rows, in no defined order. But ids are hashes, uniformly
 * distributed: a range of their first eight digits holds a known share of the rows. The range is
 * split into pieces that should fit a page; one that does not is split in half.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "store/milvus/remote_marks.h"
#include "store/predicates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 32 << 20 };
static const uint64_t RANGE_END = (uint64_t)1 << 32;

typedef struct scan {
    scry_remote *s;
    scry_milvus *m;
    const char *filter;
    const scry_remote_fields *fields;
    int64_t page_rows;
    scry_remote_page_fn *each;
    void *arg;
} scan;

static void range_filter(scry_buf *out, const char *filter, uint64_t from, uint64_t to)
{
    if (filter[0])
        scry_buf_printf(out, "(%s) and ", filter);
    scry_buf_printf(out, "id >= \"%08llx\"", (unsigned long long)from);
    if (to < RANGE_END)
        scry_buf_printf(out, " and id < \"%08llx\"", (unsigned long long)to);
}

static int scan_range(const scan *c, uint64_t from, uint64_t to, scry_error *err)
{
    scry_buf filter = SCRY_BUF_INIT(2 * SCRY_REMOTE_FILTER_BYTES);
    range_filter(&filter, c->filter, from, to);
    scry_milvus_query q = { scry_buf_str(&filter), c->fields->names, c->fields->count, c->page_rows, c->fields->consistency };
    scry_milvus_rows *rows;
    int result = scry_remote_query(c->s, c->m, &q, &rows, err);
    scry_buf_dispose(&filter);
    if (result < 0)
        return result;
    if ((int64_t)rows->rows >= c->page_rows && to - from > 1) {
        scry_milvus_rows_free(rows);
        result = scan_range(c, from, from + (to - from) / 2, err);   /* at most 32 deep */
        return result ? result : scan_range(c, from + (to - from) / 2, to, err);
    }
    result = c->each(c->arg, rows, err);
    scry_milvus_rows_free(rows);
    return result;
}

static int64_t rows_of_page(size_t row_bytes)
{
    return row_bytes * (size_t)SCRY_MILVUS_MAX_TOPK > PAGE_BYTES ? (int64_t)(PAGE_BYTES / row_bytes) + 2 : SCRY_MILVUS_MAX_TOPK;
}

int scry_remote_scan(scry_remote *s, const char *filter, const scry_remote_fields *fields, scry_remote_page_fn *each, void *arg,
                     scry_error *err)
{
    scan c = { s, NULL, filter, fields, rows_of_page(fields->row_bytes), each, arg };
    int64_t count = 0;
    int result = scry_remote_take(s, &c.m, err);
    if (result < 0)
        return result;
    result = scry_remote_count(s, c.m, filter, fields->consistency, &count, err);
    /* Four fifths of a page each, so that a piece of uniformly distributed ids almost never exceeds a page. */
    uint64_t pieces = count > 0 ? 1 + (uint64_t)count * 5 / 4 / (uint64_t)c.page_rows : 0;
    for (uint64_t i = 0; i < pieces && result == 0; i++)
        result = scan_range(&c, RANGE_END / pieces * i, i + 1 == pieces ? RANGE_END : RANGE_END / pieces * (i + 1), err);
    scry_remote_give(s, c.m);
    return result;
}

int scry_remote_scan_range(scry_remote *s, scry_id_range range, const scry_remote_fields *fields, scry_remote_page_fn *each,
                           void *arg, scry_error *err)
{
    scan c = { s, NULL, "", fields, rows_of_page(fields->row_bytes), each, arg };
    int result = scry_remote_take(s, &c.m, err);
    if (result == 0)
        result = scan_range(&c, range.first, range.end, err);
    scry_remote_give(s, c.m);
    return result;
}

void scry_remote_in_list(scry_buf *out, const char *field, const char *const *texts, size_t n)
{
    scry_buf_printf(out, "%s in [", field);
    for (size_t i = 0; i < n; i++)
        scry_buf_printf(out, "%s\"%s\"", i ? ", " : "", texts[i]);
    scry_buf_putc(out, ']');
}

/* ---- filters ---- */

enum { MOST_CAMERAS = 1000 };

typedef struct cameras {
    char *names[MOST_CAMERAS];
    size_t count;
    bool too_many;
} cameras;

/* How many are new. */
static size_t add_cameras(cameras *c, const scry_milvus_rows *rows)
{
    size_t before = c->count;
    const scry_milvus_column *names = scry_milvus_find_column(rows, "camera", SCRY_MILVUS_VARCHAR);
    for (size_t i = 0; names && i < rows->rows; i++) {
        bool known = false;
        for (size_t k = 0; k < c->count && !known; k++)
            known = strcmp(c->names[k], names->strings[i]) == 0;
        if (!known && c->count < MOST_CAMERAS)
            c->names[c->count++] = scry_strdup(names->strings[i]);
        c->too_many |= c->count == MOST_CAMERAS;
    }
    return c->count - before;
}

/* The distinct cameras: requests rows of cameras not seen yet until there are none. `names` holds them as they are
 * stored, escaped. */
static int find_cameras(scry_remote *s, scry_milvus *m, cameras *c, scry_error *err)
{
    static const char *const fields[] = { "camera" };
    enum { ROWS = 2000 };
    for (size_t found = 1; found && !c->too_many;) {
        scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
        scry_milvus_rows *rows;
        scry_buf_puts(&filter, "camera != \"\"");
        if (c->count) {
            scry_buf_puts(&filter, " and not (");
            scry_remote_in_list(&filter, "camera", (const char *const *)c->names, c->count);
            scry_buf_putc(&filter, ')');
        }
        scry_milvus_query q = { scry_buf_str(&filter), fields, 1, ROWS, scry_remote_freshness(s) };
        int result = scry_remote_query(s, m, &q, &rows, err);
        scry_buf_dispose(&filter);
        if (result < 0)
            return result;
        found = add_cameras(c, rows);
        scry_milvus_rows_free(rows);
    }
    return 0;
}

/* The favourites as hex texts, owned, [*count]. */
static int list_favourites(scry_remote *s, char ***out, size_t *count, scry_error *err)
{
    scry_remote_favourites *f;
    int result = scry_remote_favourites_hold(s, &f, err);
    if (result < 0)
        return result;
    if (f->denied)
        result = scry_remote_marks_denied(s, err);
    *out = scry_alloc((f->count + 1) * sizeof **out);
    for (; result == 0 && *count < f->count; ++*count) {
        (*out)[*count] = scry_alloc(SCRY_REMOTE_HEX_HASH);
        scry_hex(f->hashes[*count], SCRY_HASH_BYTES, (*out)[*count]);
    }
    scry_remote_favourites_release(s, f);
    return result;
}

static scry_milvus_words whose_words(const scry_remote *s)
{
    return !s->has_words ? SCRY_MILVUS_NO_WORDS : s->words_mixed ? SCRY_MILVUS_WORDS_MIXED : SCRY_MILVUS_ALL_WORDS;
}

int scry_remote_filter(scry_remote *s, scry_milvus *m, const scry_filter_node *f, scry_buf *out, scry_milvus_cover *cover,
                       scry_error *err)
{
    cameras c = { .count = 0 };
    char **favourites = NULL;
    size_t favourite_count = 0;
    int result = scry_filter_asks(f, SCRY_FILTER_CAMERA) ? find_cameras(s, m, &c, err) : 0;
    for (size_t i = 0; i < c.count; i++)
        scry_milvus_unescape(c.names[i]);
    if (result == 0 && scry_filter_asks(f, SCRY_FILTER_FAVOURITE))
        result = list_favourites(s, &favourites, &favourite_count, err);
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    scry_milvus_roots known = { (const char *const *)roots->ids, (const char *const *)roots->paths, roots->count,
                                c.too_many ? NULL : (const char *const *)c.names, c.count, s->has_details,
                                (const char *const *)favourites, favourite_count,
                                whose_words(s) };
    if (result == 0)
        result = scry_filter_to_milvus(f, &known, out, cover, err);
    scry_remote_roots_release(s, roots);
    for (size_t i = 0; i < c.count; i++)
        free(c.names[i]);
    for (size_t i = 0; i < favourite_count; i++)
        free(favourites[i]);
    free(favourites);
    return result;
}

size_t scry_remote_filter_roots(const scry_remote_roots *roots, const scry_filter_node *f, bool *may)
{
    const scry_milvus_roots known = { .ids = (const char *const *)roots->ids, .paths = (const char *const *)roots->paths,
                                      .count = roots->count };
    size_t n = 0;
    scry_filter_may_pass(f, &known, may);
    for (size_t i = 0; i < roots->count; i++)
        n += may[i];
    return n;
}
