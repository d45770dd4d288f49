/* local_row.c - rows of the database as structures, and their checksums. */
#include "store/local_internal.h"

#include "base/alloc.h"

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
        if (sqlite3_column_bytes(st, 1) != SCRY_ID_BYTES) {
            result = scry_fail(err, SCRY_EINVALID, "a root in %s is damaged: run scry verify", db->path);
            break;
        }
        l->items = scry_realloc(l->items, (l->count + 1) * sizeof *l->items);
        scry_root_entry *r = &l->items[l->count++];
        r->number = sqlite3_column_int64(st, 0);
        memcpy(r->id, sqlite3_column_blob(st, 1), SCRY_ID_BYTES);
        r->path = scry_strdup(scry_db_text(st, 2));
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

/* Labels lie in one blob, each with its final zero. */
static bool read_labels(scry_row *row, const char *blob, size_t size)
{
    row->file.label_count = 0;
    if (size && blob[size - 1] != '\0')
        return false;
    for (size_t at = 0; at < size; at += strlen(blob + at) + 1) {
        if (row->file.label_count == row->label_capacity) {
            row->label_capacity = row->label_capacity ? 2 * row->label_capacity : 8;
            row->labels = scry_realloc(row->labels, row->label_capacity * sizeof *row->labels);
        }
        row->labels[row->file.label_count++] = blob + at;
    }
    row->file.labels = row->labels;
    return true;
}

static bool read_fields(scry_row *row, sqlite3_stmt *st)
{
    scry_file *f = &row->file;
    memset(f, 0, sizeof *f);
    if (sqlite3_column_bytes(st, 1) != SCRY_ID_BYTES || sqlite3_column_bytes(st, 9) != SCRY_HASH_BYTES)
        return false;
    row->number = sqlite3_column_int64(st, 0);
    memcpy(f->id, sqlite3_column_blob(st, 1), SCRY_ID_BYTES);
    row->root_number = sqlite3_column_int64(st, 2);
    f->relative = scry_db_text(st, 3);
    f->size = sqlite3_column_int64(st, 4);
    f->mtime_ns = sqlite3_column_int64(st, 5);
    row->slot = sqlite3_column_int64(st, 6);
    f->key = scry_db_text(st, 7);
    memcpy(f->content, sqlite3_column_blob(st, 9), SCRY_HASH_BYTES);
    f->width = sqlite3_column_int(st, 10);
    f->height = sqlite3_column_int(st, 11);
    f->format = scry_db_text(st, 12);
    f->has_time = sqlite3_column_type(st, 13) != SQLITE_NULL;
    f->taken_at = sqlite3_column_int64(st, 13);
    f->has_position = sqlite3_column_type(st, 14) != SQLITE_NULL;
    f->latitude = sqlite3_column_double(st, 14);
    f->longitude = sqlite3_column_double(st, 15);
    f->camera = scry_db_text(st, 16);
    size_t labels_bytes = (size_t)sqlite3_column_bytes(st, 8);
    return read_labels(row, sqlite3_column_blob(st, 8), labels_bytes);
}

int scry_row_read(scry_row *row, sqlite3_stmt *st, const scry_root_list *roots, const char *db_path,
                  scry_error *err)
{
    bool good = read_fields(row, st);
    const scry_root_entry *root = good ? scry_root_by_number(roots, row->root_number) : NULL;
    if (!root)
        return scry_fail(err, SCRY_EINVALID, "file row %lld of %s is damaged: run scry verify",
                         (long long)sqlite3_column_int64(st, 0), db_path);
    memcpy(row->file.root, root->id, SCRY_ID_BYTES);
    free(row->path);
    row->path = scry_store_join(root->path, row->file.relative);
    row->file.path = row->path;
    return 0;
}

void scry_row_dispose(scry_row *row)
{
    free(row->path);
    free(row->labels);
    memset(row, 0, sizeof *row);
}

static uint32_t add_text(uint32_t crc, const char *text)
{
    return scry_crc32c(crc, text ? text : "", strlen(text ? text : "") + 1);
}

uint32_t scry_file_crc(const scry_file *f, const char *labels, size_t labels_bytes)
{
    const int64_t numbers[] = { f->size, f->mtime_ns };
    uint32_t crc = scry_crc32c(0, f->id, SCRY_ID_BYTES);
    crc = scry_crc32c(crc, f->content, SCRY_HASH_BYTES);
    crc = scry_crc32c(crc, numbers, sizeof numbers);
    crc = add_text(crc, f->relative);
    crc = add_text(crc, f->key);
    return scry_crc32c(crc, labels, labels_bytes);
}

uint32_t scry_content_crc(const scry_file *f, uint32_t vector_crc)
{
    const int64_t numbers[] = { f->width, f->height, f->has_time, f->has_time ? f->taken_at : 0,
                                f->has_position, vector_crc };
    const double place[] = { f->has_position ? f->latitude : 0, f->has_position ? f->longitude : 0 };
    uint32_t crc = scry_crc32c(0, f->content, SCRY_HASH_BYTES);
    crc = scry_crc32c(crc, numbers, sizeof numbers);
    crc = scry_crc32c(crc, place, sizeof place);
    crc = add_text(crc, f->format);
    return add_text(crc, f->camera);
}

uint32_t scry_root_crc(const uint8_t *id, const char *path)
{
    return add_text(scry_crc32c(0, id, SCRY_ID_BYTES), path);
}

uint32_t scry_bad_crc(const uint8_t *id, int64_t size, int64_t mtime_ns, const char *reason)
{
    const int64_t numbers[] = { size, mtime_ns };
    uint32_t crc = scry_crc32c(0, id, SCRY_ID_BYTES);
    return add_text(scry_crc32c(crc, numbers, sizeof numbers), reason);
}
