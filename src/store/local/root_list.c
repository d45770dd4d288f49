#include "store/local/root_list.h"

#include "base/alloc.h"
#include "store/local/file_row.h"

#include <stdlib.h>
#include <string.h>

static int compare_roots(const void *a, const void *b)
{
    return memcmp(((const scry_root_entry *)a)->id, ((const scry_root_entry *)b)->id, SCRY_ID_BYTES);
}

int scry_root_list_load(scry_db *db, scry_root_list *l, scry_error *err)
{
    sqlite3_stmt *st;
    memset(l, 0, sizeof *l);
    int result = scry_db_start(db, SCRY_SQL_ROOTS_ALL, &st, err, "");
    while (result == 0 && (result = scry_db_step(db, st, err)) == 1) {
        result = 0;
        scry_root_entry r = { .number = sqlite3_column_int64(st, 0) };
        if (!scry_db_bytes(st, 1, r.id, SCRY_ID_BYTES) ||
            scry_root_crc(r.id, scry_db_text(st, 2)) != (uint32_t)sqlite3_column_int64(st, 3)) {
            result = scry_fail(err, SCRY_EDAMAGED, "the row of the root %s in %s is damaged: restore it from a backup, or remove the "
                               "collection's folder and index again", scry_db_text(st, 2), db->path);
            break;
        }
        l->items = scry_realloc(l->items, (l->count + 1) * sizeof *l->items);
        r.path = scry_strdup(scry_db_text(st, 2));
        l->items[l->count++] = r;
    }
    scry_db_end(st);
    if (result < 0)
        scry_root_list_dispose(l);
    else if (l->count)
        qsort(l->items, l->count, sizeof *l->items, compare_roots);
    return result;
}

void scry_root_list_dispose(scry_root_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i].path);
    free(l->items);
    memset(l, 0, sizeof *l);
}

const scry_root_entry *scry_root_by_number(const scry_root_list *l, int64_t number)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].number == number)
            return &l->items[i];
    return NULL;
}

const scry_root_entry *scry_root_by_id(const scry_root_list *l, const uint8_t *id)
{
    for (size_t i = 0; i < l->count; i++)
        if (memcmp(l->items[i].id, id, SCRY_ID_BYTES) == 0)
            return &l->items[i];
    return NULL;
}
