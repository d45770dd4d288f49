/* filter_bitmap.c - filters over the embedded store, as bitmaps.
 *
 * A filter is about files, a search about contents. So the tree is evaluated over the rows
 * of the column cache, one bit for each file; the files that pass set the bits of their contents.
 * The files that the cache lacks, a few thousand at most, are matched one by one.
 */
#include "store/local/filter_bitmap.h"

#include "base/alloc.h"
#include "store/local/db_reader.h"
#include "store/local/file_row.h"
#include "store/local/filter_rows.h"
#include "store/local/fresh_files.h"
#include "store/local/raw_pairs.h"
#include "store/local/view.h"
#include "store/predicates.h"
#include "store/words.h"

#include <stdlib.h>
#include <string.h>

/* ---- the state of a view ---- */

void scry_filter_state_free(scry_filter_state *f)
{
    while (f) {
        scry_filter_state *older = f->older;
        scry_columns_release(f->columns);
        scry_fresh_dispose(&f->fresh);
        free(f->fresh_order);
        free(f->valid);
        free(f->pairs);
        free(f);
        f = older;
    }
}

static int compare_files(const void *a, const void *b)
{
    const scry_file *x = *(const scry_file *const *)a, *y = *(const scry_file *const *)b;
    int order = memcmp(x->root, y->root, SCRY_ID_BYTES);
    return order ? order : strcmp(x->relative, y->relative);
}

static void order_fresh(scry_filter_state *f)
{
    f->fresh_order = scry_alloc((f->fresh.files.count + 1) * sizeof *f->fresh_order);
    for (size_t i = 0; i < f->fresh.files.count; i++)
        f->fresh_order[i] = &f->fresh.files.items[i];
    if (f->fresh.files.count)
        qsort(f->fresh_order, f->fresh.files.count, sizeof *f->fresh_order, compare_files);
}

static void clear_row(const scry_columns *c, uint64_t *valid, int64_t root, const char *name)
{
    size_t n = strlen(name);
    uint64_t first, end;
    if (!scry_columns_root(c, root, &first, &end))
        return;
    uint64_t row = scry_columns_find(c, first, end, name, n);
    if (row < end && scry_columns_has_name(c, row, name, n))
        valid[row / 64] &= ~(1ull << (row % 64));
}

static int load_valid(scry_reader *r, const scry_view *v, scry_filter_state *f, scry_error *err)
{
    const scry_columns *c = f->columns;
    sqlite3_stmt *st;
    f->valid = scry_try_alloc((size_t)c->rows / 64 + 1, sizeof *f->valid);
    if (!f->valid)
        return scry_fail(err, SCRY_ENOMEM, "no memory for a filter");
    scry_bits_set_range(f->valid, 0, c->rows);
    int result = scry_db_start(&r->db, SCRY_SQL_GONE_FROM, &st, err, "i", (int64_t)0);
    while (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = 0;
        if (sqlite3_column_int64(st, 1) <= v->head.columns_last)
            clear_row(c, f->valid, sqlite3_column_int64(st, 2), scry_db_text(st, 3));
    }
    scry_db_end(st);
    return result;
}

/* The sections that evaluate() reads. */
static unsigned sections_of(const scry_filter_node *f)
{
    switch (f->kind) {
    case SCRY_FILTER_AND: case SCRY_FILTER_OR:
        return sections_of(f->left) | sections_of(f->right);
    case SCRY_FILTER_NOT:
        return sections_of(f->left);
    case SCRY_FILTER_IN:
        return SCRY_COLUMNS_FOR_NAMES;
    case SCRY_FILTER_AFTER: case SCRY_FILTER_BEFORE:
        return SCRY_COLUMNS_FOR_TIMES | SCRY_COLUMNS_FOR_LISTS;
    case SCRY_FILTER_NEAR: case SCRY_FILTER_BOX:
        return SCRY_COLUMNS_FOR_PLACES;
    case SCRY_FILTER_CAMERA: case SCRY_FILTER_FORMAT: case SCRY_FILTER_LABEL: case SCRY_FILTER_KEY:
    case SCRY_FILTER_MIN_WIDTH: case SCRY_FILTER_MIN_RATING: case SCRY_FILTER_KEYWORD: case SCRY_FILTER_WORDS:
        return SCRY_COLUMNS_FOR_LISTS;
    case SCRY_FILTER_ALL: case SCRY_FILTER_FAVOURITE: case SCRY_FILTER_KINDS:
        return 0;
    }
    return 0;
}

/* The columns, what this filter and the state's making read of them intact. The names of all files, tens of megabytes in a
 * large store, are read only where there are rows to be found by name, as of words that a file of an earlier scry lacks. */
static scry_columns *trusted_columns(scry_local *s, scry_view *v, const scry_filter_node *filter, unsigned sections)
{
    sections |= SCRY_COLUMNS_FOR_ROWS | SCRY_COLUMNS_FOR_TERMS | sections_of(filter);
    scry_columns *c = scry_view_columns(s, v, sections | (v->has_gone ? SCRY_COLUMNS_FOR_NAMES : 0));
    size_t raws = 0;
    if (c)
        (void)scry_columns_list_of(c, SCRY_TERM_FORMAT, "raw", &raws);
    bool by_name = raws || (c && scry_filter_asks_words(filter) && !scry_columns_has_words(c));
    return by_name ? scry_view_columns(s, v, SCRY_COLUMNS_FOR_NAMES | SCRY_COLUMNS_FOR_LISTS) : c;
}

/* Under the view_lock. `columns` is the view's. */
static int make_state(scry_local *s, scry_reader *r, scry_view *v, scry_columns *columns, scry_error *err)
{
    scry_filter_state *f = scry_alloc(sizeof *f);
    int result = 0;
    f->columns = columns;
    if (columns) {
        columns->refs++;
        result = load_valid(r, v, f, err);
    }
    if (result == 0)
        result = scry_fresh_load(s, r, v, columns ? v->head.columns_last : 0, &f->fresh, err);
    if (result < 0) {
        scry_filter_state_free(f);
        return result;
    }
    order_fresh(f);
    scry_raw_pairs_find(f, &v->roots);
    f->older = v->filter;
    v->filter = f;
    return 0;
}

/* The contents of the rows that are set and still so. */
static void rows_to_slots(const scry_filter_state *f, const uint64_t *rows, int64_t slots, uint64_t *bits)
{
    const scry_columns *c = f->columns;
    for (size_t w = 0; w * 64 < c->rows; w++)
        for (uint64_t word = rows[w] & f->valid[w]; word; word &= word - 1) {
            uint32_t slot = c->slots[w * 64 + (size_t)__builtin_ctzll(word)];
            if (slot < slots)
                bits[slot / 64] |= 1ull << (slot % 64);
        }
}

bool scry_passing_has(const scry_passing_files *p, uint64_t at)
{
    uint64_t rows = p->f->columns ? p->f->columns->rows : 0;
    return at >= rows ? p->fresh[at - rows] : p->rows[at / 64] & p->f->valid[at / 64] & 1ull << (at % 64);
}

/* RAWs of pairs whose lead passes. */
static void hide_raws(scry_passing_files *p)
{
    uint64_t rows = p->f->columns ? p->f->columns->rows : 0;
    for (size_t i = 0; i < p->f->pair_count; i++) {
        uint64_t raw = p->f->pairs[i].raw;
        if (!scry_passing_has(p, p->f->pairs[i].lead))
            continue;
        if (raw >= rows)
            p->fresh[raw - rows] = false;
        else
            p->rows[raw / 64] &= ~(1ull << (raw % 64));
    }
}

/* The words of the fresh files, once for all searches of the view. Under the view_lock. */
static void note_words(scry_filter_state *f)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    if (!f->fresh.words)
        f->fresh.words = scry_alloc((f->fresh.files.count + 1) * sizeof *f->fresh.words);
    for (size_t i = 0; i < f->fresh.files.count; i++) {
        if (f->fresh.words[i])
            continue;
        scry_words_of_file(&words, &f->fresh.files.items[i], SCRY_FIELDS_ALL);
        f->fresh.words[i] = scry_strdup(scry_buf_str(&words));
    }
    scry_buf_dispose(&words);
}

/* The view's state, for this filter. */
static int prepare(const scry_filter_state **out, scry_local *s, scry_reader *r, scry_view *v, const scry_file_filter *which,
                   scry_error *err)
{
    const scry_filter_node *filter = which->filter;
    int result = 0;
    pthread_mutex_lock(&s->view_lock);
    scry_columns *columns = trusted_columns(s, v, filter, which->sections);
    if (!v->filter || v->filter->columns != columns)
        result = make_state(s, r, v, columns, err);
    if (result == 0 && scry_filter_asks_words(filter))
        note_words(v->filter);
    *out = v->filter;
    pthread_mutex_unlock(&s->view_lock);
    return result;
}

/* The rows that have only their file's time. */
static uint64_t *undated_rows(scry_row_filter *e)
{
    uint64_t first = scry_columns_find_term(e->c, SCRY_TERM_DATED, ""), *bits = scry_new_bits(e, e->words);
    size_t n = 0;
    const char *term = first < e->c->term_count ? scry_columns_term(e->c, first, &n) : NULL;
    if (!bits || !e->c->rows)
        return bits;
    if (n > 0 && term[0] == SCRY_TERM_DATED) {
        const uint32_t *rows = scry_columns_list_of(e->c, SCRY_TERM_DATED, "0", &n);
        for (size_t i = 0; i < n; i++)
            if (rows[i] < e->c->rows)
                bits[rows[i] / 64] |= 1ull << (rows[i] % 64);
    } else {
        scry_rows_of_contents(e, bits, SCRY_SQL_CONTENT_UNDATED, 0);
    }
    return bits;
}

/* The contents of the rows that pass and have only their file's time. */
static int undated_to_slots(scry_row_filter *e, const scry_passing_files *p, uint64_t *bits)
{
    uint64_t *undated = undated_rows(e);
    for (size_t w = 0; undated && w < e->words; w++)
        undated[w] &= p->rows[w];
    if (undated && e->result == 0)
        rows_to_slots(p->f, undated, e->slots, bits);
    free(undated);
    return e->result;
}

/* Contents of the fresh files that pass: all, or those without a time. */
static void fresh_to_slots(const scry_passing_files *p, int64_t slots, bool only_undated, uint64_t *bits)
{
    const scry_filter_state *f = p->f;
    for (size_t i = 0; i < f->fresh.files.count; i++)
        if (p->fresh[i] && f->fresh.slots[i] < slots && !(only_undated && f->fresh.files.items[i].has_time))
            bits[f->fresh.slots[i] / 64] |= 1ull << (f->fresh.slots[i] % 64);
}

/* Which of the fresh files pass. */
static void match_fresh(const scry_filter_state *f, const scry_filter_node *filter, bool *pass)
{
    for (size_t i = 0; i < f->fresh.files.count; i++)
        pass[i] = scry_filter_match_words(filter, &f->fresh.files.items[i], f->fresh.words ? f->fresh.words[i] : NULL);
}

void scry_passing_dispose(scry_passing_files *p)
{
    free(p->fresh);
    free(p->rows);
    free(p->undated);
}

static scry_row_filter row_filter(const scry_filter_state *f, scry_reader *r, const scry_view *v, scry_error *err)
{
    return (scry_row_filter){ .c = f->columns, .roots = &v->roots, .reader = r, .slots = v->head.slots,
                              .words = f->columns ? ((size_t)f->columns->rows + 63) / 64 : 0, .err = err };
}

int scry_filter_files(scry_local *s, scry_reader *r, scry_view *v, const scry_file_filter *which, scry_passing_files *out,
                      scry_error *err)
{
    static const scry_filter_node everything = { .kind = SCRY_FILTER_ALL };
    const scry_filter_state *f;
    scry_file_filter own = *which;
    const scry_filter_node *filter = own.filter = which->filter ? which->filter : &everything;
    *out = (scry_passing_files){ .f = NULL };
    int result = prepare(&f, s, r, v, &own, err);
    if (result < 0)
        return result;
    *out = (scry_passing_files){ .f = f, .fresh = scry_alloc(f->fresh.files.count + 1) };
    scry_row_filter e = row_filter(f, r, v, err);
    if (f->columns)
        out->rows = scry_filter_rows(&e, filter);
    match_fresh(f, filter, out->fresh);
    if (e.result == 0 && !which->all_copies)
        hide_raws(out);
    if (e.result == 0 && which->undated && f->columns)
        out->undated = undated_rows(&e);
    return e.result;
}

int scry_filter_bits(scry_local *s, scry_reader *r, scry_view *v, const scry_search *search, const scry_passing_contents *out,
                     scry_error *err)
{
    scry_passing_files p;
    int64_t slots = v->head.slots;
    int result = scry_filter_files(s, r, v, &(scry_file_filter){ search->filter, search->all_copies, false, 0 }, &p, err);
    if (result == 0 && p.f->columns)
        rows_to_slots(p.f, p.rows, slots, out->all);
    if (result == 0 && out->undated && p.f->columns) {
        scry_row_filter e = row_filter(p.f, r, v, err);
        result = undated_to_slots(&e, &p, out->undated);
    }
    if (result == 0)
        fresh_to_slots(&p, slots, false, out->all);
    if (result == 0 && out->undated)
        fresh_to_slots(&p, slots, true, out->undated);
    scry_passing_dispose(&p);
    return result;
}
