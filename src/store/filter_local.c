/* filter_local.c - filters over the embedded store, as bitmaps.
 *
 * A filter speaks of files, a search of contents. So the tree is worked out over the rows
 * of the column cache, a bit a file; what is left sets the bit of its content. The files
 * that the cache lacks, a few thousand at most, are asked one by one.
 */
#include "store/local_internal.h"

#include "base/alloc.h"
#include "store/filter_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const scry_columns *c;
    const scry_root_list *roots;
    size_t words;
    bool failed;   /* a bitmap could not be had */
} evaluation;

static void set_range(uint64_t *bits, uint64_t first, uint64_t end)
{
    for (; first < end && first % 64; first++)
        bits[first / 64] |= 1ull << (first % 64);
    for (; first + 64 <= end; first += 64)
        bits[first / 64] = ~0ull;
    for (; first < end; first++)
        bits[first / 64] |= 1ull << (first % 64);
}

static void set_list(const evaluation *e, uint64_t *bits, uint64_t term)
{
    size_t n;
    const uint32_t *rows = scry_columns_list(e->c, term, &n);
    for (size_t i = 0; i < n; i++)
        if (rows[i] < e->c->rows)
            bits[rows[i] / 64] |= 1ull << (rows[i] % 64);
}

static bool name_is(const scry_columns *c, uint64_t row, const char *name, size_t size)
{
    size_t n;
    const char *other = scry_columns_name(c, row, &n);
    return n == size && memcmp(other, name, n) == 0;
}

/* ---- leaves ---- */

/* Rows of one root that lie in `folder` below it (a relative path), or are it. */
static void set_below(const evaluation *e, uint64_t *bits, uint64_t first, uint64_t end, const char *folder)
{
    size_t n = strlen(folder);
    uint64_t exact = scry_columns_find(e->c, first, end, folder, n);
    if (exact < end && name_is(e->c, exact, folder, n))
        set_range(bits, exact, exact + 1);
    char *edge = scry_asprintf("%s/", folder);
    uint64_t from = scry_columns_find(e->c, first, end, edge, n + 1);
    edge[n] = '/' + 1;   /* the first name behind everything that begins with the folder and a slash */
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

static void by_time(const evaluation *e, uint64_t *bits, int64_t limit, bool before)
{
    const int64_t *times = e->c->times;
    for (size_t w = 0; w < e->words; w++) {
        uint64_t rows = e->c->rows - w * 64, word = 0;
        for (uint64_t i = 0; i < (rows < 64 ? rows : 64); i++)
            word |= (uint64_t)((times[w * 64 + i] < limit) == before) << i;
        bits[w] = word;
    }
}

/* A degree of latitude is 111.195 km on this sphere: rows further north or south than the
 * distance need no trigonometry. */
static void near_place(const evaluation *e, uint64_t *bits, const scry_filter_node *f)
{
    double reach = f->km / 111.19 + 1e-9;
    for (uint64_t i = 0; i < e->c->rows; i++)
        if (fabs(e->c->latitudes[i] - f->latitude) <= reach &&
            scry_distance_km(f->latitude, f->longitude, e->c->latitudes[i], e->c->longitudes[i]) <= f->km)
            bits[i / 64] |= 1ull << (i % 64);
}

/* The first term not below kind and text. */
static uint64_t find_term(const scry_columns *c, char kind, const char *text)
{
    uint64_t first = 0, end = c->term_count;
    size_t size = strlen(text) + 1;
    while (first < end) {
        uint64_t middle = first + (end - first) / 2;
        size_t n;
        const char *term = scry_columns_term(c, middle, &n);
        int order = n == 0 ? -1 : term[0] - kind;
        if (order == 0)
            order = memcmp(term + 1, text, (n < size ? n : size) - 1);
        if (order < 0 || (order == 0 && n < size))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static void by_term(const evaluation *e, uint64_t *bits, char kind, const char *text)
{
    uint64_t i = find_term(e->c, kind, text);
    size_t n, size = strlen(text) + 1;
    if (i == e->c->term_count)
        return;
    const char *term = scry_columns_term(e->c, i, &n);
    if (n == size && term[0] == kind && memcmp(term + 1, text, size - 1) == 0)
        set_list(e, bits, i);
}

static void by_camera(const evaluation *e, uint64_t *bits, const char *part)
{
    for (uint64_t i = find_term(e->c, SCRY_TERM_CAMERA, ""); i < e->c->term_count; i++) {
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

static void leaf(const evaluation *e, const scry_filter_node *f, uint64_t *bits)
{
    switch (f->kind) {
    case SCRY_FILTER_IN:
        in_folder(e, bits, f->text);
        break;
    case SCRY_FILTER_AFTER:
    case SCRY_FILTER_BEFORE:
        by_time(e, bits, f->time_s, f->kind == SCRY_FILTER_BEFORE);
        break;
    case SCRY_FILTER_CAMERA:
        by_camera(e, bits, f->text);
        break;
    case SCRY_FILTER_NEAR:
        near_place(e, bits, f);
        break;
    case SCRY_FILTER_FORMAT:
        by_term(e, bits, SCRY_TERM_FORMAT, f->text);
        break;
    case SCRY_FILTER_LABEL:
        by_term(e, bits, SCRY_TERM_LABEL, f->text);
        break;
    case SCRY_FILTER_KEY:
        by_term(e, bits, SCRY_TERM_KEY, f->text);
        break;
    default:
        set_range(bits, 0, e->c->rows);
    }
}

/* ---- the tree ---- */

/* The rows that pass, as a new bitmap; bits behind the last row are of no meaning. */
static uint64_t *evaluate(evaluation *e, const scry_filter_node *f)
{
    if (f->kind == SCRY_FILTER_AND || f->kind == SCRY_FILTER_OR || f->kind == SCRY_FILTER_NOT) {
        uint64_t *a = evaluate(e, f->left), *b = f->kind == SCRY_FILTER_NOT ? NULL : evaluate(e, f->right);
        for (size_t w = 0; w < e->words && !e->failed; w++)
            a[w] = f->kind == SCRY_FILTER_AND ? a[w] & b[w] : f->kind == SCRY_FILTER_OR ? a[w] | b[w] : ~a[w];
        free(b);
        return a;
    }
    uint64_t *bits = scry_try_alloc(e->words + 1, sizeof *bits);
    if (bits)
        leaf(e, f, bits);
    else
        e->failed = true;
    return bits;
}

/* ---- the state of a view ---- */

void scry_filter_state_dispose(scry_filter_state *f)
{
    scry_columns_put(f->columns);
    scry_results_free(f->fresh);
    free(f->fresh_slots);
    free(f->valid);
    memset(f, 0, sizeof *f);
}

static int load_fresh(scry_local *s, scry_reader *r, const scry_view *v, scry_filter_state *f, scry_error *err)
{
    sqlite3_stmt *st;
    scry_row row = { 0 };
    size_t capacity = 0;
    int64_t since = f->columns ? v->head.columns_last : 0;
    f->fresh = scry_results_new();
    int result = scry_db_start(&r->db, SCRY_SQL_FILES_SINCE, &st, err, "i", since);
    while (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = scry_row_read(&row, st, &v->roots, s->db_path, err);
        if (result < 0)
            break;
        if (f->fresh->count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            f->fresh_slots = scry_realloc(f->fresh_slots, capacity * sizeof *f->fresh_slots);
        }
        f->fresh_slots[f->fresh->count] = (uint32_t)row.slot;
        scry_results_add(f->fresh, 0, &row.file, 0);
    }
    scry_db_end(st);
    scry_row_dispose(&row);
    return result;
}

static void drop_row(const scry_columns *c, uint64_t *valid, int64_t root, const char *name)
{
    size_t n = strlen(name);
    for (uint64_t i = 0; i < c->root_count; i++) {
        const scry_column_root *r = &c->roots[i];
        if (r->number != root || r->first > r->end || r->end > c->rows)
            continue;
        uint64_t row = scry_columns_find(c, r->first, r->end, name, n);
        if (row < r->end && name_is(c, row, name, n))
            valid[row / 64] &= ~(1ull << (row % 64));
    }
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
            drop_row(c, f->valid, sqlite3_column_int64(st, 2), scry_db_text(st, 3));
    }
    scry_db_end(st);
    return result;
}

/* Under the view_lock. */
static int make_state(scry_local *s, scry_reader *r, scry_view *v, scry_error *err)
{
    scry_filter_state f = { 0 };
    int result = 0;
    if (v->head.columns_file)
        f.columns = scry_columns_open(s, v->head.columns_file, v->head.generation);
    if (f.columns)
        result = load_valid(r, v, &f, err);
    if (result == 0)
        result = load_fresh(s, r, v, &f, err);
    if (result < 0) {
        scry_filter_state_dispose(&f);
        return result;
    }
    v->filter = f;
    v->filter_ready = true;
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

int scry_filter_bits(scry_local *s, scry_reader *r, scry_view *v, const scry_filter_node *filter,
                     uint64_t *bits, scry_error *err)
{
    int result = 0;
    pthread_mutex_lock(&s->view_lock);
    if (!v->filter_ready)
        result = make_state(s, r, v, err);
    pthread_mutex_unlock(&s->view_lock);
    if (result < 0)
        return result;
    const scry_filter_state *f = &v->filter;
    if (f->columns) {
        evaluation e = { f->columns, &v->roots, ((size_t)f->columns->rows + 63) / 64, false };
        uint64_t *rows = evaluate(&e, filter);
        if (!e.failed)
            rows_to_slots(f, rows, v->head.slots, bits);
        free(rows);
        if (e.failed)
            return scry_fail(err, SCRY_ENOMEM, "no memory for a filter");
    }
    for (size_t i = 0; i < f->fresh->count; i++)
        if (f->fresh_slots[i] < v->head.slots && scry_filter_match(filter, &f->fresh->hits[i].file))
            bits[f->fresh_slots[i] / 64] |= 1ull << (f->fresh_slots[i] % 64);
    return 0;
}
