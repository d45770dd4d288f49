/* brief.c - what lists are made of, for each file, without reading its row: 0.1 us a file instead of 5.
 *
 * The columns have it, in the order of the walk. The terms of their lists are turned round: for each row its camera, format, labels
 * and rating. Sizes alone are in the database only: files of one content have one.
 */
#include "store/local/local.h"

#include "base/alloc.h"
#include "store/local/db_reader.h"
#include "store/local/file_order.h"
#include "store/local/view.h"
#include "store/predicates.h"
#include "store/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char kind;
    const char *text;
} row_term;

/* The terms of each row, of the kinds that are wanted. */
typedef struct {
    char **texts;           /* [count] owned */
    size_t count;
    row_term *terms;        /* [first[rows]], by row */
    uint64_t *first;        /* [rows + 1] */
} term_lists;

typedef struct {
    scry_local *s;
    scry_reader *r;
    scry_view *v;
    const scry_brief_walk *walk;
    int (*each)(void *, const scry_file *);
    void *arg;
    scry_passing_files p;
    scry_file_order order;
    term_lists t;
    uint64_t *seen;         /* of unique: contents, by slot */
    int64_t *sizes;         /* of each slot, if they are wanted */
    scry_buf path;
    const char **labels;
    size_t label_capacity;
} brief_state;

/* ---- terms ---- */

static void terms_dispose(term_lists *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->texts[i]);
    free(t->texts);
    free(t->terms);
    free(t->first);
}

static bool wants_kind(unsigned wanted, char kind)
{
    if (kind == SCRY_TERM_CAMERA || kind == SCRY_TERM_FORMAT || kind == SCRY_TERM_LABEL)
        return wanted & SCRY_BRIEF_NAMES;
    return kind == SCRY_TERM_RATING && wanted & SCRY_BRIEF_RATING;
}

/* The next term of a wanted kind from `i` on; term_count: none. Terms are sorted by kind. */
static uint64_t next_term(const scry_columns *c, unsigned wanted, uint64_t i, const char **text, size_t *size)
{
    for (; i < c->term_count; i++) {
        *text = scry_columns_term(c, i, size);
        if (*size && wants_kind(wanted, **text))
            return i;
        uint64_t next_kind = *size ? scry_columns_find_term(c, (char)(**text + 1), "") : 0;
        i = next_kind > i ? next_kind - 1 : i;
    }
    return i;
}

static int load_terms(term_lists *t, const scry_columns *c, unsigned wanted, scry_error *err)
{
    uint64_t total = 0;
    const char *text;
    size_t n, size, capacity = 0;
    t->first = scry_try_alloc(c->rows + 2, sizeof *t->first);
    if (!t->first)
        return scry_fail(err, SCRY_ENOMEM, "no memory for a list");
    for (uint64_t i = next_term(c, wanted, 0, &text, &size); i < c->term_count; i = next_term(c, wanted, i + 1, &text, &size)) {
        const uint32_t *rows = scry_columns_list(c, i, &n);
        for (size_t k = 0; k < n; k++)
            t->first[(rows[k] < c->rows ? rows[k] : c->rows) + 1]++;
        if (t->count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            t->texts = scry_realloc(t->texts, capacity * sizeof *t->texts);
        }
        t->texts[t->count++] = scry_strndup(text + 1, size - 1);
    }
    for (uint64_t row = 0; row <= c->rows; row++)
        t->first[row + 1] += t->first[row];
    total = t->first[c->rows + 1];
    t->terms = scry_try_alloc(total + 1, sizeof *t->terms);
    if (!t->terms)
        return scry_fail(err, SCRY_ENOMEM, "no memory for a list");
    size_t number = 0;
    for (uint64_t i = next_term(c, wanted, 0, &text, &size); i < c->term_count; i = next_term(c, wanted, i + 1, &text, &size)) {
        const uint32_t *rows = scry_columns_list(c, i, &n);
        for (size_t k = 0; k < n; k++)
            t->terms[t->first[rows[k] < c->rows ? rows[k] : c->rows]++] = (row_term){ text[0], t->texts[number] };
        number++;
    }
    for (uint64_t row = c->rows; row > 0; row--)   /* each was moved on to the next one's */
        t->first[row] = t->first[row - 1];
    t->first[0] = 0;
    return 0;
}

static void add_label(brief_state *b, scry_file *f, const char *text)
{
    if (f->label_count == b->label_capacity) {
        b->label_capacity = b->label_capacity ? 2 * b->label_capacity : 8;
        b->labels = scry_realloc(b->labels, b->label_capacity * sizeof *b->labels);
    }
    b->labels[f->label_count++] = text;
    f->labels = b->labels;
}

static void put_terms(brief_state *b, scry_file *f, uint64_t row)
{
    const term_lists *t = &b->t;
    for (uint64_t i = t->first ? t->first[row] : 0; t->first && i < t->first[row + 1]; i++) {
        const char *text = t->terms[i].text;
        if (t->terms[i].kind == SCRY_TERM_CAMERA) {
            f->camera = text;
        } else if (t->terms[i].kind == SCRY_TERM_FORMAT) {
            f->format = text;
        } else if (t->terms[i].kind == SCRY_TERM_LABEL) {
            add_label(b, f, text);
        } else {
            f->has_rating = true;
            f->rating = (int)strtol(text, NULL, 10);
        }
    }
}

/* ---- files ---- */

static int load_sizes(brief_state *b, scry_error *err)
{
    int64_t slots = b->v->head.slots;
    sqlite3_stmt *st = NULL;
    b->sizes = scry_try_alloc((size_t)slots + 1, sizeof *b->sizes);
    if (!b->sizes)
        return scry_fail(err, SCRY_ENOMEM, "no memory for a list");
    int result = scry_db_start(&b->r->db, SCRY_SQL_FILES_SIZES, &st, err, "");
    while (result == 0 && (result = scry_db_step(&b->r->db, st, err)) == 1) {
        int64_t slot = sqlite3_column_int64(st, 0);
        if (slot >= 0 && slot < slots)
            b->sizes[slot] = sqlite3_column_int64(st, 1);
        result = 0;
    }
    scry_db_end(st);
    return result;
}

static void put_row(brief_state *b, scry_file *f, uint64_t row)
{
    const scry_columns *c = b->p.f->columns;
    const scry_root_entry *root = &b->v->roots.items[b->order.root];
    size_t n = strlen(root->path), size;
    const char *name = scry_columns_name(c, row, &size);
    memset(f, 0, sizeof *f);
    f->format = f->camera = f->key = f->lens = f->title = f->description = f->keywords = "";
    memcpy(f->root, root->id, SCRY_ID_BYTES);
    scry_buf_clear(&b->path);
    scry_buf_append(&b->path, root->path, n);
    if (n && root->path[n - 1] != '/')
        scry_buf_putc(&b->path, '/');
    size_t at = b->path.size;
    scry_buf_append(&b->path, name, size);
    f->path = scry_buf_str(&b->path);
    f->relative = b->path.failed ? "" : f->path + at;
    f->has_time = !(b->p.undated[row / 64] >> (row % 64) & 1);
    f->taken_at = f->has_time ? c->times[row] : 0;
    if (!f->has_time && __builtin_mul_overflow(c->times[row], (int64_t)1000000000, &f->mtime_ns))
        f->mtime_ns = 0;
    f->has_position = !isnan(c->latitudes[row]);
    f->latitude = f->has_position ? c->latitudes[row] : 0;
    f->longitude = f->has_position ? c->longitudes[row] : 0;
    f->added = (int64_t)c->slots[row] + 1;
    f->size = b->sizes && c->slots[row] < b->v->head.slots ? b->sizes[c->slots[row]] : 0;
    put_terms(b, f, row);
}

/* Whether the content of the file was seen before. */
static bool is_copy(brief_state *b, uint64_t slot)
{
    if (!b->seen || slot >= (uint64_t)b->v->head.slots)
        return false;
    uint64_t bit = 1ull << (slot % 64);
    bool seen = b->seen[slot / 64] & bit;
    b->seen[slot / 64] |= bit;
    return seen;
}

static void pass_all(brief_state *b)
{
    const scry_filter_state *f = b->p.f;
    uint64_t at, rows = f->columns ? f->columns->rows : 0;
    scry_file file;
    scry_file_order_start(&b->order, &b->p, &b->v->roots, NULL, "");
    while (scry_file_order_next(&b->order, &at)) {
        if (is_copy(b, at < rows ? f->columns->slots[at] : f->fresh.slots[at - rows]))
            continue;
        if (at < rows)
            put_row(b, &file, at);
        if (b->each(b->arg, at < rows ? &file : &f->fresh.files.items[at - rows]) != 0)
            break;
    }
}

static int walk(brief_state *b, scry_error *err)
{
    unsigned sections = SCRY_COLUMNS_FOR_NAMES | SCRY_COLUMNS_FOR_TIMES | SCRY_COLUMNS_FOR_PLACES | SCRY_COLUMNS_FOR_LISTS;
    const scry_file_filter which = { b->walk->filter, !b->walk->unique, true, sections };
    int result = scry_filter_files(b->s, b->r, b->v, &which, &b->p, err);
    if (result == 0 && b->p.f->columns && b->walk->wanted & (SCRY_BRIEF_NAMES | SCRY_BRIEF_RATING))
        result = load_terms(&b->t, b->p.f->columns, b->walk->wanted, err);
    if (result == 0 && b->walk->unique && !(b->seen = scry_try_alloc((size_t)b->v->head.slots / 64 + 1, sizeof *b->seen)))
        result = scry_fail(err, SCRY_ENOMEM, "no memory for a list");
    if (result == 0 && b->walk->wanted & SCRY_BRIEF_SIZE)
        result = load_sizes(b, err);
    if (result == 0)
        pass_all(b);
    return result;
}

int scry_local_each_brief(scry_store *base, const scry_brief_walk *how, int (*each)(void *, const scry_file *), void *arg,
                          scry_error *err)
{
    scry_local *s = (scry_local *)base;
    brief_state b = { .s = s, .walk = how, .each = each, .arg = arg, .path = SCRY_BUF_INIT(1 << 20) };
    if (scry_local_known_damage(base, NULL) < 0)
        return 1;   /* rows that are not as they were written are left out by those who read them */
    int result = scry_reader_view_acquire(s, &b.r, &b.v, err);
    if (result < 0)
        return result;
    result = scry_view_lists(b.v) ? walk(&b, err) : 1;
    result = scry_reader_view_release(s, b.r, b.v, result, err);
    scry_passing_dispose(&b.p);
    terms_dispose(&b.t);
    scry_buf_dispose(&b.path);
    free(b.labels);
    free(b.sizes);
    free(b.seen);
    return result;
}

/* ---- words ---- */

static int words_of_columns(const scry_columns *c, int (*each)(void *, const char *, size_t), void *arg)
{
    int result = 0;
    for (uint64_t i = scry_columns_find_term(c, SCRY_TERM_WORD, ""); i < c->term_count && result == 0; i++) {
        size_t n;
        const char *term = scry_columns_term(c, i, &n);
        if (n == 0 || term[0] != SCRY_TERM_WORD)
            break;
        result = n > 1 && term[1] != '\n' ? each(arg, term + 1, n - 1) : 0;   /* not the version */
    }
    return result;
}

static int words_of_fresh(const scry_fresh_files *fresh, int (*each)(void *, const char *, size_t), void *arg)
{
    int result = 0;
    for (size_t i = 0; i < fresh->files.count && result == 0; i++) {
        const char *at = fresh->words ? fresh->words[i] : "", *word;
        for (size_t n; result == 0 && (word = scry_words_next(&at, &n));)
            result = each(arg, word, n);
    }
    return result;
}

int scry_local_each_word(scry_store *base, int (*each)(void *, const char *, size_t), void *arg, scry_error *err)
{
    static const scry_filter_node any_word = { .kind = SCRY_FILTER_WORDS, .text = "\n\n" };   /* the words of fresh files are wanted */
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_view *v;
    scry_passing_files p = { .f = NULL };
    int result = scry_reader_view_acquire(s, &r, &v, err);
    if (result < 0)
        return result;
    result = scry_filter_files(s, r, v, &(scry_file_filter){ &any_word, true, false, 0 }, &p, err);
    if (result == 0 && (!p.f->columns || words_of_columns(p.f->columns, each, arg) == 0))
        (void)words_of_fresh(&p.f->fresh, each, arg);
    scry_passing_dispose(&p);
    return scry_reader_view_release(s, r, v, result, err);
}
