#include "store/local/raw_pairs.h"

#include "base/alloc.h"
#include "store/local/db_reader.h"
#include "store/pairs.h"
#include "store/predicates.h"

#include <stdlib.h>
#include <string.h>

int scry_may_have_raws(scry_reader *r, const scry_columns *c, int64_t columns_last, scry_error *err)
{
    size_t n = 0;
    sqlite3_stmt *st;
    if (c)
        (void)scry_columns_list_of(c, SCRY_TERM_FORMAT, "raw", &n);
    if (n)
        return 1;
    int found = 0, result = scry_db_start(&r->db, SCRY_SQL_NAMES_SINCE, &st, err, "i", c ? columns_last : (int64_t)0);
    while (result == 0 && !found && (result = scry_db_step(&r->db, st, err)) == 1) {
        const char *name = scry_db_text(st, 0);
        found = scry_pair_part_of(name, strlen(name), &n) == SCRY_PAIR_RAW;
        result = 0;
    }
    scry_db_end(st);
    return result < 0 ? result : found;
}

/* ---- the pairs of a view ----
 *
 * Names are in order in the columns and in f->fresh_order, so that those with one stem are side by side. */

typedef struct {
    scry_filter_state *f;
    const scry_root_list *roots;
    size_t capacity;
    uint64_t raw;               /* the RAW whose leads are looked for */
    const char *stem;           /* of its name, borrowed */
    size_t size;
} finder;

/* Whether `name` begins with the stem; its pair is noted where it leads. */
static bool look_at(finder *s, const char *name, size_t size, uint64_t at, bool valid)
{
    size_t stem;
    scry_filter_state *f = s->f;
    if (size < s->size || memcmp(name, s->stem, s->size) != 0)
        return false;
    if (!valid || scry_pair_part_of(name, size, &stem) != SCRY_PAIR_LEAD || stem != s->size)
        return true;
    if (f->pair_count == s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 64;
        f->pairs = scry_realloc(f->pairs, s->capacity * sizeof *f->pairs);
    }
    f->pairs[f->pair_count++] = (scry_raw_pair){ s->raw, at };
    return true;
}

static bool look_at_row(finder *s, uint64_t row)
{
    size_t size;
    const char *name = scry_columns_name(s->f->columns, row, &size);
    return look_at(s, name, size, row, s->f->valid[row / 64] >> (row % 64) & 1);
}

/* Both ways from `row`, which is in [first, end] and need not have the stem. */
static void look_in_columns(finder *s, uint64_t first, uint64_t row, uint64_t end)
{
    for (uint64_t i = row; i < end && look_at_row(s, i); i++)
        continue;
    for (uint64_t i = row; i > first && look_at_row(s, i - 1); i--)
        continue;
}

static void look_in_fresh(finder *s, const uint8_t *root)
{
    size_t first = 0, end = s->f->fresh.files.count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        const scry_file *f = s->f->fresh_order[middle];
        int order = memcmp(f->root, root, SCRY_ID_BYTES);
        if (order == 0)
            order = strncmp(f->relative, s->stem, s->size);
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    uint64_t rows = s->f->columns ? s->f->columns->rows : 0;
    for (; first < s->f->fresh.files.count && memcmp(s->f->fresh_order[first]->root, root, SCRY_ID_BYTES) == 0; first++) {
        const scry_file *f = s->f->fresh_order[first];
        if (!look_at(s, f->relative, strlen(f->relative), rows + (uint64_t)(f - s->f->fresh.files.items), true))
            break;
    }
}

/* The root of a row, and its rows; NULL for a row of none. */
static const scry_root_entry *root_of_row(const finder *s, uint64_t row, uint64_t *first, uint64_t *end)
{
    for (size_t i = 0; i < s->roots->count; i++)
        if (scry_columns_root(s->f->columns, s->roots->items[i].number, first, end) && row >= *first && row < *end)
            return &s->roots->items[i];
    return NULL;
}

static void pair_rows(finder *s)
{
    const scry_columns *c = s->f->columns;
    size_t n;
    const uint32_t *raws = scry_columns_list_of(c, SCRY_TERM_FORMAT, "raw", &n);
    for (size_t i = 0; i < n; i++) {
        uint64_t row = raws[i], first, end;
        size_t size;
        if (row >= c->rows || !(s->f->valid[row / 64] >> (row % 64) & 1))
            continue;
        s->raw = row;
        s->stem = scry_columns_name(c, row, &size);
        const scry_root_entry *root = root_of_row(s, row, &first, &end);
        if (!root || scry_pair_part_of(s->stem, size, &s->size) != SCRY_PAIR_RAW)
            continue;
        look_in_columns(s, first, row, end);
        look_in_fresh(s, root->id);
    }
}

static void pair_fresh(finder *s)
{
    const scry_filter_state *f = s->f;
    for (size_t i = 0; i < f->fresh.files.count; i++) {
        const scry_file *file = &f->fresh.files.items[i];
        uint64_t first, end;
        if (!scry_is_raw(file))
            continue;
        s->raw = (f->columns ? f->columns->rows : 0) + i;
        s->stem = file->relative;
        (void)scry_pair_part_of(s->stem, strlen(s->stem), &s->size);
        look_in_fresh(s, file->root);
        const scry_root_entry *root = scry_root_by_id(s->roots, file->root);
        if (f->columns && root && scry_columns_root(f->columns, root->number, &first, &end))
            look_in_columns(s, first, scry_columns_find(f->columns, first, end, s->stem, s->size), end);
    }
}

void scry_raw_pairs_find(scry_filter_state *f, const scry_root_list *roots)
{
    finder s = { .f = f, .roots = roots };
    if (f->columns)
        pair_rows(&s);
    pair_fresh(&s);
}

/* ---- one file ---- */

/* Whether `other` is the RAW or the lead, whichever is `wanted`, of a pair with this stem. */
static bool is_other(const scry_file *other, scry_pair_part wanted, size_t stem)
{
    size_t own_stem;
    return scry_pair_part_of(other->relative, strlen(other->relative), &own_stem) == wanted && own_stem == stem &&
           (wanted == SCRY_PAIR_LEAD || scry_is_raw(other));
}

int scry_raw_pair_of(const scry_beside *b, const scry_row *row, char **name, scry_error *err)
{
    const char *own = row->file.relative;
    size_t stem;
    scry_pair_part part = scry_pair_part_of(own, strlen(own), &stem);
    if (part == SCRY_PAIR_NONE || (part == SCRY_PAIR_RAW && !scry_is_raw(&row->file)))
        return 0;
    scry_pair_part wanted = part == SCRY_PAIR_RAW ? SCRY_PAIR_LEAD : SCRY_PAIR_RAW;
    char *from = scry_strndup(own, stem), *to = scry_strndup(own, stem);
    scry_row other = { .wants_text = scry_filter_asks_words(b->filter) };
    sqlite3_stmt *st;
    bool found = false;
    to[stem - 1] = '.' + 1;   /* the least name above all that begin with the stem */
    int result = scry_db_start(&b->r->db, SCRY_SQL_FILES_BESIDE, &st, err, "itt", row->root_number, from, to);
    while (result == 0 && !found && (result = scry_db_step(&b->r->db, st, err)) == 1) {
        result = scry_row_read(&other, st, b->roots, b->s->db_path, err);
        found = result == 0 && is_other(&other.file, wanted, stem) && scry_filter_match(b->filter, &other.file);
    }
    if (found && name) {
        const char *slash = strrchr(other.file.relative, '/');
        *name = scry_strdup(slash ? slash + 1 : other.file.relative);
    }
    scry_db_end(st);
    scry_row_dispose(&other);
    free(from);
    free(to);
    return result < 0 ? result : found;
}
