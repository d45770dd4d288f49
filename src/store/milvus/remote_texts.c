/* remote_texts.c - what was read in pictures: three fields of each row of a content.
 *
 * Milvus 2.3 replaces whole rows only: to store a text, the rows of its content are read with their vectors and sent again, with
 * the words of the text among theirs. What another machine writes to such a row in the milliseconds between is lost; the next index
 * run sees it by the file's times.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "base/table.h"
#include "store/file_list.h"
#include "store/text_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_AT_ONCE = 64, ROWS_AT_ONCE = 2048, READ_AT_ONCE = 256 };

/* ---- storing ---- */

/* Texts as cells, and their contents as the rows have them. */
typedef struct {
    scry_remote *s;
    scry_milvus *m;
    size_t n;
    char hex[TEXTS_AT_ONCE][SCRY_REMOTE_HEX_HASH];
    scry_remote_text_cells cells[TEXTS_AT_ONCE];   /* owned */
} packed_texts;

static char *escaped(const char *text)
{
    enum { MOST = 1000 };   /* of a reader's name or reason */
    scry_buf b = SCRY_BUF_INIT(4 * MOST);
    char *cut = scry_strndup(text, strnlen(text, MOST));
    scry_milvus_escape(&b, cut);
    free(cut);
    return scry_buf_take(&b);
}

static int pack_texts(packed_texts *p, const scry_picture_text *texts, size_t n, scry_error *err)
{
    for (; p->n < n; p->n++) {
        const scry_picture_text *t = &texts[p->n];
        char *lines = scry_remote_pack_text(t, err);
        if (!lines)
            return SCRY_ENOMEM;
        scry_hex(t->content, SCRY_HASH_BYTES, p->hex[p->n]);
        p->cells[p->n] = (scry_remote_text_cells){ escaped(t->reader), escaped(t->reason ? t->reason : ""), lines };
    }
    return 0;
}

static void packed_dispose(packed_texts *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free((void *)p->cells[i].reader);
        free((void *)p->cells[i].reason);
        free((void *)p->cells[i].lines);
    }
}

static const scry_remote_text_cells *cells_of(const packed_texts *p, const char *content)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->hex[i], content) == 0)
            return &p->cells[i];
    return NULL;
}

/* Send rows of an answer again, from `first` to `end`, with their texts. */
static int send_rows(const packed_texts *p, const scry_milvus_rows *rows, size_t first, size_t end, scry_error *err)
{
    scry_remote *s = p->s;
    const scry_milvus_column *vectors = scry_milvus_find_column(rows, "vector", SCRY_MILVUS_FLOAT_VECTOR);
    const scry_milvus_column *ctime = scry_milvus_find_column(rows, "ctime_ns", SCRY_MILVUS_INT64);
    const scry_milvus_column *content = scry_milvus_find_column(rows, "content", SCRY_MILVUS_VARCHAR);
    scry_remote_row row = { .answer = 0 };
    scry_results *files = scry_results_new();
    scry_put *puts = scry_alloc((end - first + 1) * sizeof *puts);
    scry_remote_text_cells *cells = scry_alloc((end - first + 1) * sizeof *cells);
    size_t n = 0, *at = scry_alloc((end - first + 1) * sizeof *at);
    int result = vectors && vectors->dim == s->base.dim && ctime && content
                     ? 0 : scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    for (size_t i = first; i < end && result == 0; i++) {
        const scry_remote_text_cells *c = cells_of(p, content->strings[i]);
        if (!c || (result = scry_remote_row_read(s, &row, rows, i, err)) < 0)
            continue;
        scry_results_add(files, 0, &row.file, 0);
        cells[n] = *c;
        at[n++] = i;
    }
    for (size_t k = 0; k < n && result == 0; k++)
        puts[k] = (scry_put){ .file = files->hits[k].file, .vector = vectors->floats + at[k] * (size_t)s->base.dim,
                              .ctime_ns = ctime->longs[at[k]] };
    if (result == 0 && n)
        result = scry_remote_put_with_texts(s, p->m, puts, cells, n, err);
    free(at);
    free(cells);
    free(puts);
    scry_results_free(files);
    scry_remote_row_dispose(s, &row);
    return result;
}

static int put_some(scry_remote *s, scry_milvus *m, const scry_picture_text *texts, size_t n, scry_error *err)
{
    const scry_remote_fields fields = scry_remote_row_fields(s, true);
    packed_texts *p = scry_alloc(sizeof *p);
    p->s = s;
    p->m = m;
    const char *contents[TEXTS_AT_ONCE];
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_milvus_rows *rows = NULL;
    int result = pack_texts(p, texts, n, err);
    for (size_t i = 0; i < p->n; i++)
        contents[i] = p->hex[i];
    scry_remote_in_list(&filter, "content", contents, p->n);
    /* Strong, or a row that another machine has just removed would be sent again. */
    scry_milvus_query q = { scry_buf_str(&filter), fields.names, fields.count, 0, SCRY_MILVUS_STRONG };
    if (result == 0)
        result = scry_remote_query(s, m, &q, &rows, err);
    for (size_t at = 0; result == 0 && at < rows->rows; at += ROWS_AT_ONCE)
        result = send_rows(p, rows, at, at + ROWS_AT_ONCE < rows->rows ? at + ROWS_AT_ONCE : rows->rows, err);
    scry_milvus_rows_free(rows);
    scry_buf_dispose(&filter);
    packed_dispose(p);
    free(p);
    return result;
}

int scry_remote_put_texts(scry_store *base, const scry_picture_text *texts, size_t n, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = scry_remote_check_writable(s, err);
    if (result < 0 || n == 0 || s->files)   /* a later copy brings the texts of rows that were imported */
        return result;
    if ((result = scry_remote_take(s, &m, err)) < 0)
        return result;
    for (size_t at = 0; at < n && result == 0; at += TEXTS_AT_ONCE)
        result = put_some(s, m, texts + at, n - at < TEXTS_AT_ONCE ? n - at : TEXTS_AT_ONCE, err);
    scry_remote_give(s, m);
    return result;
}

/* ---- reading ---- */

static const char *const text_names[] = { "content", "text_reader", "text_reason", "text_lines" };
enum { TEXT_NAMES = 4, TEXT_ROW_BYTES = 2048 };

/* The text of a row that has one; NULL where it is damaged. */
static scry_picture_text *text_of_row(const scry_milvus_rows *rows, size_t i)
{
    const scry_milvus_column *c[TEXT_NAMES];
    scry_picture_text *out = NULL;
    uint8_t hash[SCRY_HASH_BYTES];
    for (int k = 0; k < TEXT_NAMES; k++)
        if (!(c[k] = scry_milvus_find_column(rows, text_names[k], SCRY_MILVUS_VARCHAR)))
            return NULL;
    char *reader = scry_strdup(c[1]->strings[i]), *reason = scry_strdup(c[2]->strings[i]);
    scry_milvus_unescape(reader);
    scry_milvus_unescape(reason);
    if (scry_unhex(c[0]->strings[i], hash, sizeof hash) == 0)
        out = scry_remote_unpack_text(c[3]->strings[i], reader, reason);
    if (out)
        memcpy(out->content, hash, sizeof hash);
    free(reader);
    free(reason);
    return out;
}

int scry_remote_get_text(scry_store *base, const uint8_t *hash, scry_picture_text **out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    scry_milvus_rows *rows;
    char hex[SCRY_REMOTE_HEX_HASH], filter[128];
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    scry_hex(hash, SCRY_HASH_BYTES, hex);
    snprintf(filter, sizeof filter, "content == \"%s\" and text_reader != \"\"", hex);
    scry_milvus_query q = { filter, text_names, TEXT_NAMES, 1, scry_remote_freshness(s) };
    result = scry_remote_query(s, m, &q, &rows, err);
    if (result == 0) {
        *out = rows->rows ? text_of_row(rows, 0) : NULL;
        if (rows->rows && !*out)
            result = scry_fail(err, SCRY_EDAMAGED, "the text of the picture %s in the collection %s at %s is damaged: "
                               "scry index --words only reads it again", hex, s->shown, s->where);
        scry_milvus_rows_free(rows);
    }
    scry_remote_give(s, m);
    return result;
}

/* The rows of an answer to the contents that they are of. */
static void sort_out(const scry_milvus_rows *rows, const char *const *contents, size_t n, scry_picture_text **out, bool *has)
{
    const scry_milvus_column *content = scry_milvus_find_column(rows, "content", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *reader = scry_milvus_find_column(rows, "text_reader", SCRY_MILVUS_VARCHAR);
    for (size_t i = 0; i < rows->rows && content && reader; i++)
        for (size_t k = 0; k < n; k++)
            if (strcmp(content->strings[i], contents[k]) == 0) {
                has[k] = true;
                if (!out[k] && reader->strings[i][0])
                    out[k] = text_of_row(rows, i);
            }
}

int scry_remote_get_texts(scry_store *base, const scry_picture_text *texts, size_t n, scry_picture_text **out, bool *has,
                          scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    scry_milvus_rows *rows;
    char (*hex)[SCRY_REMOTE_HEX_HASH] = scry_alloc((n + 1) * sizeof *hex);
    const char **contents = scry_alloc((n + 1) * sizeof *contents);
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    for (size_t i = 0; i < n; i++) {
        scry_hex(texts[i].content, SCRY_HASH_BYTES, hex[i]);
        contents[i] = hex[i];
    }
    scry_remote_in_list(&filter, "content", contents, n);
    scry_milvus_query q = { scry_buf_str(&filter), text_names, TEXT_NAMES, 0, scry_remote_freshness(s) };
    int result = n ? scry_remote_take(s, &m, err) : 1;
    if (result == 0) {
        result = scry_remote_query(s, m, &q, &rows, err);
        scry_remote_give(s, m);
    }
    if (result == 0) {
        sort_out(rows, contents, n, out, has);
        scry_milvus_rows_free(rows);
    }
    scry_buf_dispose(&filter);
    free(contents);
    free(hex);
    return result < 0 ? result : 0;
}

typedef struct {
    int (*each)(void *, const scry_picture_text *, size_t);
    void *arg;
    scry_table seen;          /* contents that were passed on */
} text_walk;

/* The text of row `i`, if its content was not passed on before: 1, and *out is the caller's. */
static int next_text(text_walk *w, const scry_milvus_rows *page, size_t i, scry_picture_text **out, scry_error *err)
{
    const scry_milvus_column *content = scry_milvus_find_column(page, "content", SCRY_MILVUS_VARCHAR);
    uint8_t hash[SCRY_HASH_BYTES];
    size_t before = w->seen.count;
    if (!content)
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    int64_t number = scry_unhex(content->strings[i], hash, sizeof hash) < 0 ? 0 : scry_table_add(&w->seen, hash, err);
    *out = number >= 0 && w->seen.count > before ? text_of_row(page, i) : NULL;
    return number < 0 ? (int)number : *out != NULL;
}

static int walk_page(void *arg, const scry_milvus_rows *page, scry_error *err)
{
    text_walk *w = arg;
    scry_picture_text *texts[READ_AT_ONCE], flat[READ_AT_ONCE];
    int result = 0;
    for (size_t i = 0; i < page->rows && result == 0;) {
        size_t n = 0;
        for (; i < page->rows && n < READ_AT_ONCE && result >= 0; i++)
            if ((result = next_text(w, page, i, &texts[n], err)) > 0) {
                flat[n] = *texts[n];
                n++;
            }
        result = result < 0 ? result : 0;
        if (result == 0 && n)
            result = w->each(w->arg, flat, n) != 0;
        while (n)
            scry_picture_text_free(texts[--n]);
    }
    return result;
}

int scry_remote_each_text(scry_store *base, int (*each)(void *, const scry_picture_text *, size_t), void *arg, scry_error *err)
{
    static const scry_remote_fields fields = { text_names, TEXT_NAMES, TEXT_ROW_BYTES, SCRY_MILVUS_STRONG };
    text_walk w = { each, arg, SCRY_TABLE_OF_BYTES(SCRY_HASH_BYTES, SCRY_HASH_BYTES, UINT32_MAX) };
    int result = scry_remote_scan((scry_remote *)base, "text_reader != \"\"", &fields, walk_page, &w, err);
    scry_table_dispose(&w.seen);
    return result < 0 ? result : 0;
}

/* "text_reader ... " of what a reader has read, or has not. */
static void reader_filter(scry_buf *out, const char *operator, const char *reader)
{
    scry_buf_printf(out, "text_reader %s \"", operator);
    scry_milvus_escape(out, reader);
    scry_buf_putc(out, '"');
}

int scry_remote_count_texts(scry_store *base, const char *reader, scry_text_counts *out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    scry_buf by = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    int64_t files = 0;
    scry_remote_contents n[4] = { { 0 } };
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    result = scry_remote_count(s, m, "", SCRY_MILVUS_STRONG, &files, err);   /* after which other reads see all writes */
    scry_remote_give(s, m);
    reader_filter(&by, reader ? "==" : "!=", reader ? reader : "");
    char *filters[] = { scry_strdup(""), scry_strdup(scry_buf_str(&by)), scry_asprintf("%s and text_reason != \"\"", scry_buf_str(&by)),
                        scry_asprintf("%s and text_lines != \"\"", scry_buf_str(&by)) };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if (result == 0 && (i < 2 || n[1].count))
            result = scry_remote_count_contents(s, filters[i], (uint64_t)files, SCRY_MILVUS_BOUNDED, &n[i], err);
        free(filters[i]);
    }
    out->failed = n[2].count;
    out->with_text = n[3].count;
    out->read = n[1].count > n[2].count ? n[1].count - n[2].count : 0;
    out->unread = n[0].count > n[1].count ? n[0].count - n[1].count : 0;
    scry_buf_dispose(&by);
    return result;
}

/* ---- what is to be read ---- */

/* Contents in order of their hashes, some hundred at a time: the first 62 bits of a hash, and one, are what scry_file.added says
 * of a content that was embedded into a folder. */
typedef struct {
    scry_remote *s;
    scry_milvus *m;
    const char *filter;
    int64_t after;
    scry_milvus_consistency consistency;   /* what this process has put meanwhile comes before `after` */
    int (*each)(void *, const scry_file *, size_t);
    void *arg;
    scry_file_list files;     /* of a piece, in order */
} unread_walk;

static int64_t number_of(const uint8_t *hash)
{
    uint64_t n = 0;
    for (int i = 0; i < 8; i++)
        n = n << 8 | hash[i];
    return (int64_t)(n >> 2) + 1;
}

static int compare_files(const void *a, const void *b)
{
    const scry_file *x = a, *y = b;
    int order = memcmp(x->content, y->content, SCRY_HASH_BYTES);
    return order ? order : strcmp(x->path, y->path);
}

/* The unread rows whose hashes, as numbers of 32 bits, are from `first` on and before `end`, without those up to w->after. */
static int read_piece(unread_walk *w, uint64_t first, uint64_t end, bool *too_many, scry_error *err)
{
    const scry_remote_fields fields = scry_remote_row_fields(w->s, false);
    scry_remote_row row = { .answer = 0 };
    scry_milvus_rows *rows;
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_buf_printf(&filter, "%s and content >= \"%08llx\"", w->filter, (unsigned long long)first);
    if (end < (uint64_t)1 << 32)
        scry_buf_printf(&filter, " and content < \"%08llx\"", (unsigned long long)end);
    scry_milvus_query q = { scry_buf_str(&filter), fields.names, fields.count, SCRY_MILVUS_MAX_TOPK, w->consistency };
    int result = scry_remote_query(w->s, w->m, &q, &rows, err);
    scry_buf_dispose(&filter);
    if (result < 0)
        return result;
    *too_many = rows->rows >= SCRY_MILVUS_MAX_TOPK && end - first > 1;
    for (size_t i = 0; i < rows->rows && result == 0 && !*too_many; i++) {
        if ((result = scry_remote_row_read(w->s, &row, rows, i, err)) < 0 || number_of(row.file.content) <= w->after)
            continue;
        row.file.added = number_of(row.file.content);
        scry_file_list_add(&w->files, &row.file);
    }
    if (w->files.count)
        qsort(w->files.items, w->files.count, sizeof *w->files.items, compare_files);
    scry_remote_row_dispose(w->s, &row);
    scry_milvus_rows_free(rows);
    return result;
}

/* Content after content; 1 when `each` stopped. */
static int hand_out(const unread_walk *w)
{
    const scry_file_list *l = &w->files;
    int stop = 0;
    for (size_t from = 0, to; from < l->count && !stop; from = to) {
        for (to = from + 1; to < l->count && memcmp(l->items[from].content, l->items[to].content, SCRY_HASH_BYTES) == 0; to++)
            continue;
        stop = w->each(w->arg, l->items + from, to - from) != 0;
    }
    return stop;
}

static int walk_unread(unread_walk *w, scry_error *err)
{
    const uint64_t all = (uint64_t)1 << 32;
    uint64_t first = w->after > 0 ? (uint64_t)(w->after - 1) >> 30 : 0, width;
    int64_t count = 0;
    char filter[SCRY_REMOTE_FILTER_BYTES / 1024];
    snprintf(filter, sizeof filter, "%s and content >= \"%08llx\"", w->filter, (unsigned long long)first);
    int result = scry_remote_count(w->s, w->m, filter, w->consistency, &count, err);
    width = count > READ_AT_ONCE ? (all - first) / ((uint64_t)count / READ_AT_ONCE) : all;
    for (uint64_t end; result == 0 && count && first < all;) {
        bool too_many = false;
        end = width < all - first ? first + width : all;
        result = read_piece(w, first, end, &too_many, err);
        if (result == 0 && too_many)
            width = (end - first) / 2;
        else if (result == 0)
            result = hand_out(w);
        first = too_many ? first : end;
        scry_file_list_dispose(&w->files);
    }
    return result < 0 ? result : 0;
}

int scry_remote_each_unread(scry_store *base, const scry_unread *which, int (*each)(void *, const scry_file *, size_t), void *arg,
                            scry_error *err)
{
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES / 2048);
    unread_walk w = { .s = (scry_remote *)base, .after = which->after, .each = each, .arg = arg };
    w.consistency = w.after > 0 ? SCRY_MILVUS_BOUNDED : scry_remote_freshness(w.s);
    scry_buf_putc(&filter, '(');
    reader_filter(&filter, "!=", which->reader);
    scry_buf_puts(&filter, which->retry ? " or text_reason != \"\")" : ")");
    w.filter = scry_buf_str(&filter);
    int result = scry_remote_take(w.s, &w.m, err);
    if (result == 0)
        result = walk_unread(&w, err);
    scry_remote_give(w.s, w.m);
    scry_buf_dispose(&filter);
    return result;
}
