#include "store/local/fresh_files.h"

#include "base/alloc.h"
#include "store/local/db_reader.h"
#include "store/local/file_row.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is known ---- */

static bool same_roots(const scry_root_list *a, const scry_root_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = a->items[i].number == b->items[i].number && memcmp(a->items[i].id, b->items[i].id, SCRY_ID_BYTES) == 0 &&
               strcmp(a->items[i].path, b->items[i].path) == 0;
    return same;
}

scry_filter_state *scry_fresh_keep(scry_view *old, const scry_view *v)
{
    scry_filter_state **from = old->filter ? &old->filter : &old->known, *f = *from;
    if (!f || old->head.generation != v->head.generation || !same_roots(&old->roots, &v->roots))
        return NULL;
    *from = NULL;
    scry_filter_state *kept = scry_alloc(sizeof *kept);
    *kept = (scry_filter_state){ .fresh = f->fresh, .fresh_numbers = f->fresh_numbers, .fresh_slots = f->fresh_slots,
                                 .fresh_room = f->fresh_room, .fresh_words = f->fresh_words,
                                 .fresh_since = f->fresh_since, .fresh_to = f->fresh_to };
    f->fresh = (scry_file_list){ .items = NULL };
    f->fresh_numbers = NULL;
    f->fresh_slots = NULL;
    f->fresh_words = NULL;
    scry_filter_state_free(f);
    return kept;
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
static bool knows(const scry_filter_state *known, const int64_t *numbers, size_t count)
{
    size_t at = 0, found = 0;
    for (; found < count && at < known->fresh.count; at++)
        found += known->fresh_numbers[at] == numbers[found];
    return found == count;
}

/* Leave only the files with these numbers. */
static void keep_numbers(scry_filter_state *k, const int64_t *numbers, size_t count)
{
    size_t kept = 0;
    for (size_t at = 0; at < k->fresh.count; at++) {
        if (kept == count || k->fresh_numbers[at] != numbers[kept]) {
            free(k->fresh.blocks[at]);
            if (k->fresh_words)
                free(k->fresh_words[at]);
            continue;
        }
        k->fresh.items[kept] = k->fresh.items[at];
        k->fresh.blocks[kept] = k->fresh.blocks[at];
        k->fresh_numbers[kept] = k->fresh_numbers[at];
        k->fresh_slots[kept] = k->fresh_slots[at];
        if (k->fresh_words)
            k->fresh_words[kept] = k->fresh_words[at];
        kept++;
    }
    k->fresh.count = kept;
}

/* A favourite is marked without a new row. */
static int read_favourites(scry_reader *r, scry_filter_state *f, int64_t slots, scry_error *err)
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
    for (size_t i = 0; i < f->fresh.count; i++) {
        uint32_t slot = f->fresh_slots[i];
        f->fresh.items[i].favourite = slot < slots && marked[slot / 64] >> (slot % 64) & 1;
    }
    free(marked);
    return result;
}

/* Move what is still there of what is known above `since` to `f`. */
static int take_known(scry_reader *r, const scry_view *v, int64_t since, scry_filter_state *f, scry_filter_state *known,
                      scry_error *err)
{
    int64_t *numbers = NULL;
    size_t count = 0;
    if (!known || known->fresh_since > since || known->fresh_to < since)
        return 0;
    int result = read_numbers(r, since, known->fresh_to, &numbers, &count, err);
    if (result == 0 && knows(known, numbers, count)) {
        keep_numbers(known, numbers, count);
        f->fresh = known->fresh;
        f->fresh_numbers = known->fresh_numbers;
        f->fresh_slots = known->fresh_slots;
        f->fresh_room = known->fresh_room;
        f->fresh_words = known->fresh_words;
        f->fresh_to = known->fresh_to;
        known->fresh = (scry_file_list){ .items = NULL };
        known->fresh_numbers = NULL;
        known->fresh_slots = NULL;
        known->fresh_words = NULL;
        result = read_favourites(r, f, v->head.slots, err);
    }
    free(numbers);
    return result;
}

/* ---- what is new ---- */

static void add_row(scry_filter_state *f, const scry_row *row)
{
    size_t n = f->fresh.count;
    scry_file_list_add(&f->fresh, &row->file);
    if (f->fresh.capacity > f->fresh_room) {
        f->fresh_room = f->fresh.capacity;
        f->fresh_numbers = scry_realloc(f->fresh_numbers, f->fresh_room * sizeof *f->fresh_numbers);
        f->fresh_slots = scry_realloc(f->fresh_slots, f->fresh_room * sizeof *f->fresh_slots);
    }
    f->fresh_numbers[n] = row->number;
    f->fresh_slots[n] = (uint32_t)row->slot;
}

int scry_fresh_load(scry_local *s, scry_reader *r, const scry_view *v, scry_filter_state *f, scry_filter_state *known,
                    scry_error *err)
{
    sqlite3_stmt *st;
    scry_row row = { .wants_text = true };
    f->fresh_since = f->fresh_to = f->columns ? v->head.columns_last : 0;
    int result = take_known(r, v, f->fresh_since, f, known, err);
    size_t known_count = f->fresh.count;
    if (result < 0)
        return result;
    result = scry_db_start(&r->db, SCRY_SQL_FILES_SINCE, &st, err, "i", f->fresh_to);
    while (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = scry_row_read(&row, st, &v->roots, s->db_path, err);
        if (result == 0)
            add_row(f, &row);
    }
    scry_db_end(st);
    scry_row_dispose(&row);
    if (f->fresh_words) {
        f->fresh_words = scry_realloc(f->fresh_words, (f->fresh.count + 1) * sizeof *f->fresh_words);
        memset(f->fresh_words + known_count, 0, (f->fresh.count + 1 - known_count) * sizeof *f->fresh_words);
    }
    int64_t last = f->fresh.count ? f->fresh_numbers[f->fresh.count - 1] : 0;
    f->fresh_to = last > v->head.next_file - 1 ? last : v->head.next_file - 1;
    return result;
}
