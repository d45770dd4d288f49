#include "store/local/fresh_files.h"

#include "base/alloc.h"
#include "store/local/db_reader.h"
#include "store/local/file_row.h"
#include "store/local/filter_bitmap.h"
#include "store/local/view.h"

#include <stdlib.h>
#include <string.h>

void scry_fresh_dispose(scry_fresh_files *f)
{
    for (size_t i = 0; f->words && i < f->files.count; i++)
        free(f->words[i]);
    free(f->words);
    scry_file_list_dispose(&f->files);
    free(f->numbers);
    free(f->slots);
    *f = (scry_fresh_files){ .words = NULL };
}

static scry_fresh_files take(scry_fresh_files *from)
{
    scry_fresh_files f = *from;
    *from = (scry_fresh_files){ .words = NULL };
    return f;
}

/* ---- what is known ---- */

static bool same_roots(const scry_root_list *a, const scry_root_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = a->items[i].number == b->items[i].number && memcmp(a->items[i].id, b->items[i].id, SCRY_ID_BYTES) == 0 &&
               strcmp(a->items[i].path, b->items[i].path) == 0;
    return same;
}

void scry_fresh_keep(scry_view *old, scry_view *v)
{
    if (old->head.generation == v->head.generation && same_roots(&old->roots, &v->roots))
        v->known = take(old->filter ? &old->filter->fresh : &old->known);
}

/* The numbers above `since`, up to `to`, rising. */
static int read_numbers(scry_reader *r, int64_t since, int64_t to, int64_t **out, size_t *count, scry_error *err)
{
    sqlite3_stmt *st;
    size_t capacity = 0;
    int result = scry_db_start(&r->db, SCRY_SQL_NUMBERS_BETWEEN, &st, err, "ii", since, to);
    while (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        if (*count == capacity) {
            capacity = capacity ? 2 * capacity : 1024;
            *out = scry_realloc(*out, capacity * sizeof **out);
        }
        (*out)[(*count)++] = sqlite3_column_int64(st, 0);
        result = 0;
    }
    scry_db_end(st);
    return result;
}

/* Whether each of the rising numbers is known. */
static bool knows(const scry_fresh_files *known, const int64_t *numbers, size_t count)
{
    size_t at = 0, found = 0;
    for (; found < count && at < known->files.count; at++)
        found += known->numbers[at] == numbers[found];
    return found == count;
}

/* Leave only the files with these numbers. */
static void keep_numbers(scry_fresh_files *k, const int64_t *numbers, size_t count)
{
    size_t kept = 0;
    for (size_t at = 0; at < k->files.count; at++) {
        if (kept == count || k->numbers[at] != numbers[kept]) {
            free(k->files.blocks[at]);
            if (k->words)
                free(k->words[at]);
            continue;
        }
        k->files.items[kept] = k->files.items[at];
        k->files.blocks[kept] = k->files.blocks[at];
        k->numbers[kept] = k->numbers[at];
        k->slots[kept] = k->slots[at];
        if (k->words)
            k->words[kept] = k->words[at];
        kept++;
    }
    k->files.count = kept;
}

/* A favourite is marked without a new row. */
static int read_favourites(scry_reader *r, scry_fresh_files *f, int64_t slots, scry_error *err)
{
    sqlite3_stmt *st;
    uint64_t *marked = scry_try_alloc((size_t)slots / 64 + 1, sizeof *marked);
    if (!marked)
        return scry_fail(err, SCRY_ENOMEM, "no memory for a filter");
    int result = scry_db_start(&r->db, SCRY_SQL_MARKED_CONTENTS, &st, err, "i", (int64_t)SCRY_MARK_FAVOURITE);
    while (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        int64_t slot = sqlite3_column_int64(st, 0);
        if (slot >= 0 && slot < slots)
            marked[slot / 64] |= 1ull << (slot % 64);
        result = 0;
    }
    scry_db_end(st);
    for (size_t i = 0; i < f->files.count; i++) {
        uint32_t slot = f->slots[i];
        f->files.items[i].favourite = slot < slots && marked[slot / 64] >> (slot % 64) & 1;
    }
    free(marked);
    return result;
}

/* Move what is still there of what is known above f->since to `f`. */
static int take_known(scry_reader *r, scry_view *v, scry_fresh_files *f, scry_error *err)
{
    scry_fresh_files *known = &v->known;
    int64_t *numbers = NULL, since = f->since;
    size_t count = 0;
    if (known->since > since || known->to < since)
        return 0;
    int result = read_numbers(r, since, known->to, &numbers, &count, err);
    if (result == 0 && knows(known, numbers, count)) {
        keep_numbers(known, numbers, count);
        *f = take(known);
        f->since = since;
        result = read_favourites(r, f, v->head.slots, err);
    }
    free(numbers);
    return result;
}

/* ---- what is new ---- */

static void add_row(scry_fresh_files *f, const scry_row *row)
{
    size_t n = f->files.count;
    scry_file_list_add(&f->files, &row->file);
    if (f->files.capacity > f->room) {
        f->room = f->files.capacity;
        f->numbers = scry_realloc(f->numbers, f->room * sizeof *f->numbers);
        f->slots = scry_realloc(f->slots, f->room * sizeof *f->slots);
    }
    f->numbers[n] = row->number;
    f->slots[n] = (uint32_t)row->slot;
}

int scry_fresh_load(scry_local *s, scry_reader *r, scry_view *v, int64_t since, scry_fresh_files *f, scry_error *err)
{
    sqlite3_stmt *st;
    scry_row row = { .wants_text = true };
    f->since = f->to = since;
    int result = take_known(r, v, f, err);
    scry_fresh_dispose(&v->known);
    size_t known_count = f->files.count;
    if (result < 0)
        return result;
    result = scry_db_start(&r->db, SCRY_SQL_FILES_SINCE, &st, err, "i", f->to);
    while (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = scry_row_read(&row, st, &v->roots, s->db_path, err);
        if (result == 0)
            add_row(f, &row);
    }
    scry_db_end(st);
    scry_row_dispose(&row);
    if (f->words) {
        f->words = scry_realloc(f->words, (f->files.count + 1) * sizeof *f->words);
        memset(f->words + known_count, 0, (f->files.count + 1 - known_count) * sizeof *f->words);
    }
    int64_t last = f->files.count ? f->numbers[f->files.count - 1] : 0;
    f->to = last > v->head.next_file - 1 ? last : v->head.next_file - 1;
    return result;
}
