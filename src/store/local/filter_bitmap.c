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
#include "store/local/raw_pairs.h"
#include "store/local/view.h"
#include "store/predicates.h"
#include "store/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const scry_columns *c;
    const scry_root_list *roots;
    scry_reader *reader;
    int64_t slots;
    size_t words;
    int result;    /* of what failed */
    scry_error *err;
} evaluation;

/* A zeroed bitmap; NULL, with the evaluation failed, when it cannot be allocated. */
static uint64_t *new_bits(evaluation *e, size_t words)
{
    uint64_t *bits = scry_try_alloc(words + 1, sizeof *bits);
    if (!bits)
        e->result = scry_fail(e->err, SCRY_ENOMEM, "no memory for a filter");
    return bits;
}

static void set_range(uint64_t *bits, uint64_t first, uint64_t end)
{
    for (; first < end && first % 64; first++)
        bits[first / 64] |= 1ull << (first % 64);
    for (; first + 64 <= end; first += 64)
        bits[first / 64] = ~0ull;
    for (; first < end; first++)
        bits[first / 64] |= 1ull << (first % 64);
}

static void set_rows(const evaluation *e, uint64_t *bits, const uint32_t *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i] < e->c->rows)
            bits[rows[i] / 64] |= 1ull << (rows[i] % 64);
}

static void set_list(const evaluation *e, uint64_t *bits, uint64_t term)
{
    size_t n;
    const uint32_t *rows = scry_columns_list(e->c, term, &n);
    set_rows(e, bits, rows, n);
}

static void by_term(const evaluation *e, uint64_t *bits, char kind, const char *text)
{
    size_t n;
    const uint32_t *rows = scry_columns_list_of(e->c, kind, text, &n);
    set_rows(e, bits, rows, n);
}

/* ---- leaves ---- */

/* Rows of one root that are in `folder` (a relative path) or below it, or are it. */
static void set_below(const evaluation *e, uint64_t *bits, uint64_t first, uint64_t end, const char *folder)
{
    size_t n = strlen(folder);
    uint64_t exact = scry_columns_find(e->c, first, end, folder, n);
    if (exact < end && scry_columns_has_name(e->c, exact, folder, n))
        set_range(bits, exact, exact + 1);
    char *edge = scry_asprintf("%s/", folder);
    uint64_t from = scry_columns_find(e->c, first, end, edge, n + 1);
    edge[n] = '/' + 1;   /* the least name above all that start with the folder and a slash */
    set_range(bits, from, scry_columns_find(e->c, from, end, edge, n + 1));
    free(edge);
}

static void in_folder(const evaluation *e, uint64_t *bits, const char *folder)
{
    for (uint64_t i = 0; i < e->c->root_count; i++) {
        const scry_column_root *r = &e->c->roots[i];
        const scry_root_entry *root = scry_root_by_number(e->roots, r->number);
        if (!root || r->first > r->end || r->end > e->c->rows)
            continue;
        size_t n = strlen(root->path);
        if (scry_path_within(folder, root->path))
            set_range(bits, r->first, r->end);
        else if (scry_path_within(root->path, folder))
            set_below(e, bits, r->first, r->end, folder + n + (root->path[n - 1] != '/'));
    }
}

/* The bits of `n` <= 64 times that are before the limit. Eight at once, which do not wait for each other. */
static uint64_t earlier(const int64_t *times, uint64_t n, int64_t limit)
{
    uint64_t word = 0, i = 0;
    for (; i + 8 <= n; i += 8) {
        const int64_t *t = times + i;
        uint64_t low = (uint64_t)(t[0] < limit) | (uint64_t)(t[1] < limit) << 1 | (uint64_t)(t[2] < limit) << 2 |
                       (uint64_t)(t[3] < limit) << 3;
        uint64_t high = (uint64_t)(t[4] < limit) | (uint64_t)(t[5] < limit) << 1 | (uint64_t)(t[6] < limit) << 2 |
                        (uint64_t)(t[7] < limit) << 3;
        word |= (low | high << 4) << i;
    }
    for (; i < n; i++)
        word |= (uint64_t)(times[i] < limit) << i;
    return word;
}

static void by_time(const evaluation *e, uint64_t *bits, int64_t limit, bool before)
{
    for (size_t w = 0; w < e->words; w++) {
        uint64_t rows = e->c->rows - w * 64, word = earlier(e->c->times + w * 64, rows < 64 ? rows : 64, limit);
        bits[w] = before ? word : ~word;
    }
}

/* In a circle or a box. A degree of latitude is 111.195 km on this sphere: rows further north or south than the
 * distance need no trigonometry. */
static void by_place(const evaluation *e, uint64_t *bits, const scry_filter_node *f)
{
    double reach = f->km / 111.19 + 1e-9;
    const double *lat = e->c->latitudes, *lon = e->c->longitudes;
    for (uint64_t i = 0; i < e->c->rows; i++)
        if (f->kind == SCRY_FILTER_BOX ? scry_box_has(f, lat[i], lon[i])
            : fabs(lat[i] - f->latitude) <= reach && scry_distance_km(f->latitude, f->longitude, lat[i], lon[i]) <= f->km)
            bits[i / 64] |= 1ull << (i % 64);
}

static void by_camera(const evaluation *e, uint64_t *bits, const char *part)
{
    for (uint64_t i = scry_columns_find_term(e->c, SCRY_TERM_CAMERA, ""); i < e->c->term_count; i++) {
        size_t n;
        const char *term = scry_columns_term(e->c, i, &n);
        if (n == 0 || term[0] != SCRY_TERM_CAMERA)
            break;
        char *name = scry_strndup(term + 1, n - 1);
        if (scry_text_contains(name, part))
            set_list(e, bits, i);
        free(name);
    }
}

/* By the contents in the database, half a second for a million: favourites, and what a columns file without the terms lacks. */
static void by_contents(evaluation *e, uint64_t *bits, scry_sql which, int64_t number)
{
    sqlite3_stmt *st = NULL;
    uint64_t *wanted = new_bits(e, (size_t)e->slots / 64);
    if (!wanted)
        return;
    int result = scry_db_start(&e->reader->db, which, &st, e->err, "i", number);
    while (result == 0 && (result = scry_db_step(&e->reader->db, st, e->err)) == 1) {
        int64_t slot = sqlite3_column_int64(st, 0);
        if (slot >= 0 && slot < e->slots)
            wanted[slot / 64] |= 1ull << (slot % 64);
        result = 0;
    }
    scry_db_end(st);
    e->result = result < 0 ? result : e->result;
    for (uint64_t i = 0; i < e->c->rows; i++) {
        uint32_t slot = e->c->slots[i];
        if (slot < e->slots && wanted[slot / 64] >> (slot % 64) & 1)
            bits[i / 64] |= 1ull << (i % 64);
    }
    free(wanted);
}

/* Rows whose terms of this kind, decimal numbers, are at least `least`. Whether there are any terms of the kind. */
static bool by_number(evaluation *e, uint64_t *bits, char kind, int64_t least)
{
    bool any = false;
    for (uint64_t i = scry_columns_find_term(e->c, kind, ""); i < e->c->term_count; i++) {
        size_t n;
        const char *term = scry_columns_term(e->c, i, &n);
        if (n == 0 || term[0] != kind)
            break;
        char digits[16] = "";
        memcpy(digits, term + 1, n - 1 < sizeof digits ? n - 1 : sizeof digits - 1);
        any = true;
        if (strtoll(digits, NULL, 10) >= least)
            set_list(e, bits, i);
    }
    return any;
}

/* Keywords are in lower case here. */
static void by_keyword(const evaluation *e, uint64_t *bits, const char *keyword)
{
    char *lower = scry_ascii_lower(keyword);
    by_term(e, bits, SCRY_TERM_KEYWORD, lower);
    free(lower);
}

/* Rows whose words hold this one inside. */
static void by_part(const evaluation *e, uint64_t *bits, const char *word, size_t size)
{
    for (uint64_t i = scry_columns_find_term(e->c, SCRY_TERM_WORD, ""); i < e->c->term_count; i++) {
        size_t n;
        const char *term = scry_columns_term(e->c, i, &n);
        if (n == 0 || term[0] != SCRY_TERM_WORD)
            break;
        if (memmem(term + 1, n - 1, word, size))
            set_list(e, bits, i);
    }
}

/* Of a columns file without words: by the files in the database, a few seconds for a million. */
static void by_files(evaluation *e, uint64_t *bits, const scry_filter_node *f)
{
    sqlite3_stmt *st = NULL;
    scry_row row = { .wants_text = true };
    int result = scry_db_start(&e->reader->db, SCRY_SQL_FILES_SINCE, &st, e->err, "i", (int64_t)0);
    while (result == 0 && (result = scry_db_step(&e->reader->db, st, e->err)) == 1) {
        uint64_t at, end;
        result = scry_row_read(&row, st, e->roots, e->reader->db.path, e->err);
        if (result < 0 || !scry_filter_match(f, &row.file) || !scry_columns_root(e->c, row.root_number, &at, &end))
            continue;
        at = scry_columns_find(e->c, at, end, row.file.relative, strlen(row.file.relative));
        if (at < end && scry_columns_has_name(e->c, at, row.file.relative, strlen(row.file.relative)))
            set_range(bits, at, at + 1);
    }
    scry_db_end(st);
    scry_row_dispose(&row);
    e->result = result < 0 ? result : e->result;
}

/* Rows that have every word, or one of its alternatives. */
static void by_words(evaluation *e, uint64_t *bits, const scry_filter_node *f)
{
    const char *at = f->text, *word;
    char one[SCRY_WORD_BYTES];
    set_range(bits, 0, e->c->rows);
    for (size_t n; e->result == 0 && (word = scry_words_next(&at, &n));) {
        uint64_t *any = new_bits(e, e->words);
        while (any && scry_words_alternative(&word, &n, one)) {
            size_t length = strlen(one);
            if (scry_word_is_part(one, length, (scry_words_mode)f->number))
                by_part(e, any, one, length);
            else
                by_term(e, any, SCRY_TERM_WORD, one);
        }
        for (size_t w = 0; any && w < e->words; w++)
            bits[w] &= any[w];
        free(any);
    }
}

/* Set the bits of the rows that a leaf lets pass; false for other kinds of nodes. */
static bool leaf(evaluation *e, const scry_filter_node *f, uint64_t *bits)
{
    switch (f->kind) {
    case SCRY_FILTER_ALL:
        set_range(bits, 0, e->c->rows);
        return true;
    case SCRY_FILTER_IN:
        in_folder(e, bits, f->text);
        return true;
    case SCRY_FILTER_AFTER: case SCRY_FILTER_BEFORE:
        by_time(e, bits, f->time_s, f->kind == SCRY_FILTER_BEFORE);
        return true;
    case SCRY_FILTER_CAMERA:
        by_camera(e, bits, f->text);
        return true;
    case SCRY_FILTER_NEAR: case SCRY_FILTER_BOX:
        by_place(e, bits, f);
        return true;
    case SCRY_FILTER_FORMAT:
        by_term(e, bits, SCRY_TERM_FORMAT, f->text);
        return true;
    case SCRY_FILTER_LABEL:
        by_term(e, bits, SCRY_TERM_LABEL, f->text);
        return true;
    case SCRY_FILTER_KEY:
        by_term(e, bits, SCRY_TERM_KEY, f->text);
        return true;
    case SCRY_FILTER_MIN_WIDTH:
        if (!by_number(e, bits, SCRY_TERM_WIDTH, f->number) && e->c->rows)
            by_contents(e, bits, SCRY_SQL_CONTENT_WIDTHS, f->number);
        return true;
    case SCRY_FILTER_MIN_RATING:
        (void)by_number(e, bits, SCRY_TERM_RATING, f->number);
        return true;
    case SCRY_FILTER_KEYWORD:
        by_keyword(e, bits, f->text);
        return true;
    case SCRY_FILTER_WORDS:
        if (scry_columns_has_words(e->c))
            by_words(e, bits, f);
        else if (e->c->rows)
            by_files(e, bits, f);
        return true;
    case SCRY_FILTER_FAVOURITE:
        if (e->c->rows)
            by_contents(e, bits, SCRY_SQL_MARKED_CONTENTS, SCRY_MARK_FAVOURITE);
        return true;
    case SCRY_FILTER_AND: case SCRY_FILTER_OR: case SCRY_FILTER_NOT: case SCRY_FILTER_KINDS:
        return false;
    }
    return false;
}

/* ---- the tree ---- */

/* The rows that pass, as a new bitmap; bits after the last row have no meaning. Negations are
 * pushed to the leaves, so that a leaf that is not known lets no row pass, negated or not. */
static uint64_t *evaluate(evaluation *e, const scry_filter_node *f, bool negate)
{
    if (f->kind == SCRY_FILTER_NOT)
        return evaluate(e, f->left, !negate);
    if (f->kind == SCRY_FILTER_AND || f->kind == SCRY_FILTER_OR) {
        uint64_t *a = evaluate(e, f->left, negate), *b = evaluate(e, f->right, negate);
        bool both = (f->kind == SCRY_FILTER_AND) != negate;
        for (size_t w = 0; w < e->words && e->result == 0; w++)
            a[w] = both ? a[w] & b[w] : a[w] | b[w];
        free(b);
        return a;
    }
    uint64_t *bits = new_bits(e, e->words);
    if (bits && leaf(e, f, bits) && negate)
        for (size_t w = 0; w < e->words; w++)
            bits[w] = ~bits[w];
    return bits;
}

/* ---- the state of a view ---- */

void scry_filter_state_free(scry_filter_state *f)
{
    while (f) {
        scry_filter_state *older = f->older;
        scry_columns_release(f->columns);
        for (size_t i = 0; f->fresh_words && i < f->fresh.count; i++)
            free(f->fresh_words[i]);
        free(f->fresh_words);
        scry_file_list_dispose(&f->fresh);
        free(f->fresh_slots);
        free(f->valid);
        free(f->pairs);
        free(f);
        f = older;
    }
}

static int load_fresh(scry_local *s, scry_reader *r, const scry_view *v, scry_filter_state *f, scry_error *err)
{
    sqlite3_stmt *st;
    scry_row row = { .wants_text = true };
    size_t capacity = 0;
    int64_t since = f->columns ? v->head.columns_last : 0;
    int result = scry_db_start(&r->db, SCRY_SQL_FILES_SINCE, &st, err, "i", since);
    while (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = scry_row_read(&row, st, &v->roots, s->db_path, err);
        if (result < 0)
            break;
        if (f->fresh.count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            f->fresh_slots = scry_realloc(f->fresh_slots, capacity * sizeof *f->fresh_slots);
        }
        f->fresh_slots[f->fresh.count] = (uint32_t)row.slot;
        scry_file_list_add(&f->fresh, &row.file);
    }
    scry_db_end(st);
    scry_row_dispose(&row);
    return result;
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
    set_range(f->valid, 0, c->rows);
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
static scry_columns *trusted_columns(scry_local *s, scry_view *v, const scry_filter_node *filter)
{
    unsigned sections = SCRY_COLUMNS_FOR_ROWS | SCRY_COLUMNS_FOR_TERMS | sections_of(filter);
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
        result = load_fresh(s, r, v, f, err);
    if (result < 0) {
        scry_filter_state_free(f);
        return result;
    }
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

/* What passes: a bit for each row of the columns (NULL without columns), then one for each fresh file. */
typedef struct {
    const scry_filter_state *f;
    uint64_t *rows;
    bool *fresh;
} passing;

static bool passes(const passing *p, uint64_t at)
{
    uint64_t rows = p->f->columns ? p->f->columns->rows : 0;
    return at >= rows ? p->fresh[at - rows] : p->rows[at / 64] & p->f->valid[at / 64] & 1ull << (at % 64);
}

/* RAWs of pairs whose lead passes. */
static void hide_raws(passing *p)
{
    uint64_t rows = p->f->columns ? p->f->columns->rows : 0;
    for (size_t i = 0; i < p->f->pair_count; i++) {
        uint64_t raw = p->f->pairs[i].raw;
        if (!passes(p, p->f->pairs[i].lead))
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
    f->fresh_words = scry_alloc((f->fresh.count + 1) * sizeof *f->fresh_words);
    for (size_t i = 0; i < f->fresh.count; i++) {
        scry_words_of_file(&words, &f->fresh.items[i], SCRY_FIELDS_ALL);
        f->fresh_words[i] = scry_strdup(scry_buf_str(&words));
    }
    scry_buf_dispose(&words);
}

/* The view's state, for this filter. */
static int prepare(const scry_filter_state **out, scry_local *s, scry_reader *r, scry_view *v, const scry_filter_node *filter,
                   scry_error *err)
{
    int result = 0;
    pthread_mutex_lock(&s->view_lock);
    scry_columns *columns = trusted_columns(s, v, filter);
    if (!v->filter || v->filter->columns != columns)
        result = make_state(s, r, v, columns, err);
    if (result == 0 && scry_filter_asks_words(filter) && !v->filter->fresh_words)
        note_words(v->filter);
    *out = v->filter;
    pthread_mutex_unlock(&s->view_lock);
    return result;
}

/* The contents of the rows that pass and have only their file's time. */
static int undated_to_slots(evaluation *e, const passing *p, uint64_t *bits)
{
    const scry_columns *c = p->f->columns;
    uint64_t first = scry_columns_find_term(c, SCRY_TERM_DATED, "");
    size_t n = 0;
    const char *term = first < c->term_count ? scry_columns_term(c, first, &n) : NULL;
    if (n > 0 && term[0] == SCRY_TERM_DATED) {
        const uint32_t *rows = scry_columns_list_of(c, SCRY_TERM_DATED, "0", &n);
        for (size_t i = 0; i < n; i++)
            if (rows[i] < c->rows && passes(p, rows[i]) && c->slots[rows[i]] < e->slots)
                bits[c->slots[rows[i]] / 64] |= 1ull << (c->slots[rows[i]] % 64);
        return 0;
    }
    uint64_t *without = c->rows ? new_bits(e, e->words) : NULL;
    if (without)
        by_contents(e, without, SCRY_SQL_CONTENT_UNDATED, 0);
    for (size_t w = 0; without && w < e->words; w++)
        without[w] &= p->rows[w];
    if (without && e->result == 0)
        rows_to_slots(p->f, without, e->slots, bits);
    free(without);
    return e->result;
}

/* Contents of the fresh files that pass: all, or those without a time. */
static void fresh_to_slots(const passing *p, int64_t slots, bool only_undated, uint64_t *bits)
{
    const scry_filter_state *f = p->f;
    for (size_t i = 0; i < f->fresh.count; i++)
        if (p->fresh[i] && f->fresh_slots[i] < slots && !(only_undated && f->fresh.items[i].has_time))
            bits[f->fresh_slots[i] / 64] |= 1ull << (f->fresh_slots[i] % 64);
}

/* Which of the fresh files pass. */
static void match_fresh(const scry_filter_state *f, const scry_filter_node *filter, bool *pass)
{
    for (size_t i = 0; i < f->fresh.count; i++)
        pass[i] = scry_filter_match_words(filter, &f->fresh.items[i], f->fresh_words ? f->fresh_words[i] : NULL);
}

int scry_filter_bits(scry_local *s, scry_reader *r, scry_view *v, const scry_search *search, const scry_passing_contents *out,
                     scry_error *err)
{
    static const scry_filter_node everything = { .kind = SCRY_FILTER_ALL };
    const scry_filter_node *filter = search->filter ? search->filter : &everything;
    int64_t slots = v->head.slots;
    const scry_filter_state *f;
    int result = prepare(&f, s, r, v, filter, err);
    if (result < 0)
        return result;
    passing p = { .f = f, .fresh = scry_alloc(f->fresh.count + 1) };
    evaluation e = { .c = f->columns, .roots = &v->roots, .reader = r, .slots = slots,
                     .words = f->columns ? ((size_t)f->columns->rows + 63) / 64 : 0, .err = err };
    if (f->columns)
        p.rows = evaluate(&e, filter, false);
    match_fresh(f, filter, p.fresh);
    if (e.result == 0 && !search->all_copies)
        hide_raws(&p);
    if (e.result == 0 && f->columns)
        rows_to_slots(f, p.rows, slots, out->all);
    fresh_to_slots(&p, slots, false, out->all);
    if (e.result == 0 && out->undated && f->columns)
        e.result = undated_to_slots(&e, &p, out->undated);
    if (out->undated)
        fresh_to_slots(&p, slots, true, out->undated);
    free(p.fresh);
    free(p.rows);
    return e.result;
}
