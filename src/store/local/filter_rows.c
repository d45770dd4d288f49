/* filter_rows.c - a filter over the rows of a columns file: the leaves, then the tree. */
#include "store/local/filter_rows.h"

#include "base/alloc.h"
#include "base/bits.h"
#include "store/local/db_reader.h"
#include "store/local/file_row.h"
#include "store/keyword.h"
#include "store/predicates.h"
#include "store/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t *scry_new_bits(scry_row_filter *e, size_t words)
{
    uint64_t *bits = scry_try_alloc(words + 1, sizeof *bits);
    if (!bits)
        e->result = scry_fail(e->err, SCRY_ENOMEM, "no memory for a filter");
    return bits;
}

void scry_bits_set_range(uint64_t *bits, uint64_t first, uint64_t end)
{
    for (; first < end && first % 64; first++)
        bits[first / 64] |= 1ull << (first % 64);
    for (; first + 64 <= end; first += 64)
        bits[first / 64] = ~0ull;
    for (; first < end; first++)
        bits[first / 64] |= 1ull << (first % 64);
}

static void set_rows(const scry_row_filter *e, uint64_t *bits, const uint32_t *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i] < e->c->rows)
            bits[rows[i] / 64] |= 1ull << (rows[i] % 64);
}

static void set_list(const scry_row_filter *e, uint64_t *bits, uint64_t term)
{
    size_t n;
    const uint32_t *rows = scry_columns_list(e->c, term, &n);
    set_rows(e, bits, rows, n);
}

static void by_term(const scry_row_filter *e, uint64_t *bits, char kind, const char *text)
{
    size_t n;
    const uint32_t *rows = scry_columns_list_of(e->c, kind, text, &n);
    set_rows(e, bits, rows, n);
}

/* ---- leaves ---- */

/* Rows of one root that are in `folder` (a relative path) or below it, or are it. */
static void set_below(const scry_row_filter *e, uint64_t *bits, uint64_t first, uint64_t end, const char *folder)
{
    size_t n = strlen(folder);
    uint64_t exact = scry_columns_find(e->c, first, end, folder, n);
    if (exact < end && scry_columns_has_name(e->c, exact, folder, n))
        scry_bits_set_range(bits, exact, exact + 1);
    char *edge = scry_asprintf("%s/", folder);
    uint64_t from = scry_columns_find(e->c, first, end, edge, n + 1);
    edge[n] = '/' + 1;   /* the least name above all that start with the folder and a slash */
    scry_bits_set_range(bits, from, scry_columns_find(e->c, from, end, edge, n + 1));
    free(edge);
}

static void in_folder(const scry_row_filter *e, uint64_t *bits, const char *folder)
{
    for (uint64_t i = 0; i < e->c->root_count; i++) {
        const scry_column_root *r = &e->c->roots[i];
        const scry_root_entry *root = scry_root_by_number(e->roots, r->number);
        if (!root || r->first > r->end || r->end > e->c->rows)
            continue;
        size_t n = strlen(root->path);
        if (scry_path_within(folder, root->path))
            scry_bits_set_range(bits, r->first, r->end);
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

static void by_time(const scry_row_filter *e, uint64_t *bits, int64_t limit, bool before)
{
    for (size_t w = 0; w < e->words; w++) {
        uint64_t rows = e->c->rows - w * 64, word = earlier(e->c->times + w * 64, rows < 64 ? rows : 64, limit);
        bits[w] = before ? word : ~word;
    }
}

/* In a circle or a box. A degree of latitude is 111.195 km on this sphere: rows further north or south than the
 * distance need no trigonometry. */
static void by_place(const scry_row_filter *e, uint64_t *bits, const scry_filter_node *f)
{
    double reach = f->km / 111.19 + 1e-9;
    const double *lat = e->c->latitudes, *lon = e->c->longitudes;
    for (uint64_t i = 0; i < e->c->rows; i++)
        if (f->kind == SCRY_FILTER_BOX ? scry_box_has(f, lat[i], lon[i])
            : fabs(lat[i] - f->latitude) <= reach && scry_distance_km(f->latitude, f->longitude, lat[i], lon[i]) <= f->km)
            bits[i / 64] |= 1ull << (i % 64);
}

static void by_camera(const scry_row_filter *e, uint64_t *bits, const char *part)
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

void scry_rows_of_contents(scry_row_filter *e, uint64_t *bits, scry_sql which, int64_t number)
{
    sqlite3_stmt *st = NULL;
    uint64_t *wanted = scry_new_bits(e, (size_t)e->slots / 64);
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
static bool by_number(scry_row_filter *e, uint64_t *bits, char kind, int64_t least)
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

static void by_keyword(const scry_row_filter *e, uint64_t *bits, const char *keyword)
{
    char *form = scry_keyword_form(keyword, strlen(keyword));
    for (uint64_t i = scry_columns_find_term(e->c, SCRY_TERM_KEYWORD, ""); i < e->c->term_count; i++) {
        size_t n;
        const char *term = scry_columns_term(e->c, i, &n);
        if (n == 0 || term[0] != SCRY_TERM_KEYWORD)
            break;
        if (scry_keyword_is(term + 1, n - 1, form))
            set_list(e, bits, i);
    }
    free(form);
}

/* Rows whose words hold this one inside. */
static void by_part(const scry_row_filter *e, uint64_t *bits, const char *word, size_t size)
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
static void by_files(scry_row_filter *e, uint64_t *bits, const scry_filter_node *f)
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
            scry_bits_set_range(bits, at, at + 1);
    }
    scry_db_end(st);
    scry_row_dispose(&row);
    e->result = result < 0 ? result : e->result;
}

/* ---- words ---- */

/* A word that is wanted, with its alternatives. */
typedef struct {
    const char *word;
    size_t size;
    size_t alternatives;
    uint64_t rows;     /* in their lists; UINT64_MAX: to be found by parts of words */
    bool everywhere;   /* a list has every row */
} wanted_word;

static wanted_word wanted_of(const scry_row_filter *e, const char *word, size_t size, scry_words_mode mode)
{
    wanted_word w = { .word = word, .size = size };
    char one[SCRY_WORD_BYTES];
    while (scry_words_alternative(&word, &size, one)) {
        size_t n;
        (void)scry_columns_list_of(e->c, SCRY_TERM_WORD, one, &n);
        w.alternatives++;
        w.everywhere |= n == e->c->rows;
        w.rows = w.rows == UINT64_MAX || scry_word_is_part(one, strlen(one), mode) ? UINT64_MAX : w.rows + n;
    }
    return w;
}

static int compare_wanted(const void *a, const void *b)
{
    const wanted_word *x = a, *y = b;
    return x->rows < y->rows ? -1 : x->rows > y->rows;
}

static bool has_row(const uint32_t *rows, size_t n, uint32_t row)
{
    size_t from = 0;
    while (n > 1) {
        size_t half = n / 2;
        from += rows[from + half] <= row ? half : 0;
        n -= half;
    }
    return n && rows[from] == row;
}

static bool is_listed(const scry_row_filter *e, const wanted_word *w, uint32_t row)
{
    const char *at = w->word;
    size_t size = w->size, n;
    char one[SCRY_WORD_BYTES];
    while (scry_words_alternative(&at, &size, one)) {
        const uint32_t *rows = scry_columns_list_of(e->c, SCRY_TERM_WORD, one, &n);
        if (has_row(rows, n, row))
            return true;
    }
    return false;
}

/* Clear the rows that are in none of the word's lists. */
static void keep_listed(const scry_row_filter *e, uint64_t *bits, const wanted_word *w)
{
    for (size_t i = 0; i < e->words; i++)
        for (uint64_t word = bits[i]; word; word &= word - 1)
            if (!is_listed(e, w, (uint32_t)(i * 64 + (size_t)__builtin_ctzll(word))))
                bits[i] &= ~(word & -word);
}

static void set_word(const scry_row_filter *e, uint64_t *bits, const wanted_word *w, scry_words_mode mode)
{
    const char *at = w->word;
    size_t size = w->size;
    char one[SCRY_WORD_BYTES];
    while (scry_words_alternative(&at, &size, one)) {
        size_t length = strlen(one);
        if (scry_word_is_part(one, length, mode))
            by_part(e, bits, one, length);
        else
            by_term(e, bits, SCRY_TERM_WORD, one);
    }
}

static bool is_small(const scry_row_filter *e, const uint64_t *bits, const wanted_word *w)
{
    enum { LOOKED_UP = 256 };   /* rows that are set in the time that one takes to be looked up */
    return w->rows != UINT64_MAX && scry_bits_count(bits, e->words) * w->alternatives * LOOKED_UP < w->rows;
}

static void keep_word(scry_row_filter *e, uint64_t *bits, const wanted_word *w, scry_words_mode mode)
{
    uint64_t *any = w->everywhere || is_small(e, bits, w) ? NULL : scry_new_bits(e, e->words);
    if (any)
        set_word(e, any, w, mode);
    else if (!w->everywhere && e->result == 0)
        keep_listed(e, bits, w);
    for (size_t i = 0; any && i < e->words; i++)
        bits[i] &= any[i];
    free(any);
}

/* Rows that have every word, or one of its alternatives. The rarest word comes first, so that the lists of the others, which may
 * be of every row, need not be read where few rows are left. */
static void by_words(scry_row_filter *e, uint64_t *bits, const scry_filter_node *f)
{
    const char *at = f->text, *word;
    scry_words_mode mode = (scry_words_mode)f->number;
    wanted_word *wanted = scry_alloc((strlen(f->text) / 2 + 1) * sizeof *wanted);   /* a word and the newline behind it */
    size_t count = 0;
    for (size_t n; (word = scry_words_next(&at, &n));)
        wanted[count++] = wanted_of(e, word, n, mode);
    qsort(wanted, count, sizeof *wanted, compare_wanted);
    scry_bits_set_range(bits, 0, e->c->rows);
    for (size_t i = 0; i < count && e->result == 0; i++)
        keep_word(e, bits, &wanted[i], mode);
    free(wanted);
}

/* ---- the tree's leaves ---- */

/* Set the bits of the rows that a leaf lets pass; false for other kinds of nodes. */
static bool leaf(scry_row_filter *e, const scry_filter_node *f, uint64_t *bits)
{
    switch (f->kind) {
    case SCRY_FILTER_ALL:
        scry_bits_set_range(bits, 0, e->c->rows);
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
            scry_rows_of_contents(e, bits, SCRY_SQL_CONTENT_WIDTHS, f->number);
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
            scry_rows_of_contents(e, bits, SCRY_SQL_MARKED_CONTENTS, SCRY_MARK_FAVOURITE);
        return true;
    case SCRY_FILTER_AND: case SCRY_FILTER_OR: case SCRY_FILTER_NOT: case SCRY_FILTER_KINDS:
        return false;
    }
    return false;
}

/* ---- the tree ---- */

/* Negations are pushed to the leaves, so that a leaf that is not known lets no row pass, negated or not. */
static uint64_t *evaluate(scry_row_filter *e, const scry_filter_node *f, bool negate)
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
    uint64_t *bits = scry_new_bits(e, e->words);
    if (bits && leaf(e, f, bits) && negate)
        for (size_t w = 0; w < e->words; w++)
            bits[w] = ~bits[w];
    return bits;
}

uint64_t *scry_filter_rows(scry_row_filter *e, const scry_filter_node *f)
{
    return evaluate(e, f, false);
}
