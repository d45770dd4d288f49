#include "store/local/file_row.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "store/predicates.h"
#include "store/results.h"
#include "store/text_lines.h"

#include <stdlib.h>
#include <string.h>

/* Labels are stored in one blob, each with its final zero. */
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

void scry_row_read_picture(scry_file *f, sqlite3_stmt *st, int column)
{
    f->width = sqlite3_column_int(st, column);
    f->height = sqlite3_column_int(st, column + 1);
    f->format = scry_db_text(st, column + 2);
    f->has_time = sqlite3_column_type(st, column + 3) != SQLITE_NULL;
    f->taken_at = sqlite3_column_int64(st, column + 3);
    f->has_position = sqlite3_column_type(st, column + 4) != SQLITE_NULL;
    f->latitude = sqlite3_column_double(st, column + 4);
    f->longitude = sqlite3_column_double(st, column + 5);
    f->camera = scry_db_text(st, column + 6);
}

static bool read_number(sqlite3_stmt *st, int column, int *out)
{
    *out = sqlite3_column_int(st, column);
    return sqlite3_column_type(st, column) != SQLITE_NULL;
}

bool scry_row_read_details(scry_file *f, sqlite3_stmt *st, int column)
{
    int source;
    bool any = read_number(st, column, &source);
    f->taken_source = (scry_taken_source)source;
    f->has_taken_offset = read_number(st, column + 1, &f->taken_offset_min);
    f->has_rating = read_number(st, column + 2, &f->rating);
    f->damaged = sqlite3_column_int(st, column + 3) != 0;
    f->lens = scry_db_text(st, column + 4);
    f->title = scry_db_text(st, column + 5);
    f->description = scry_db_text(st, column + 6);
    f->keywords = scry_db_text(st, column + 7);
    return any;
}

/* The columns of table details from 17 on, of table notes from 25 on. */
static void read_details(scry_row *row, sqlite3_stmt *st)
{
    scry_file *f = &row->file;
    int source;
    row->has_details = scry_row_read_details(f, st, 17);
    f->lacks_details = !row->has_details;
    if (!read_number(st, 25, &source))
        return;
    scry_file_notes *n = &row->notes;
    n->taken_source = (scry_taken_source)source;
    n->taken_at = sqlite3_column_int64(st, 26);
    n->has_taken_offset = read_number(st, 27, &n->taken_offset_min);
    n->has_position = sqlite3_column_type(st, 28) != SQLITE_NULL;
    n->latitude = sqlite3_column_double(st, 28);
    n->longitude = sqlite3_column_double(st, 29);
    n->has_rating = read_number(st, 30, &n->rating);
    n->title = scry_db_text(st, 31);
    n->description = scry_db_text(st, 32);
    n->keywords = scry_db_text(st, 33);
    n->companion = scry_db_text(st, 34);
    f->notes = n;
}

/* The columns of table texts from 40 on. A row that is not as it was written is as if it were not there. */
static void read_text(scry_row *row, sqlite3_stmt *st)
{
    scry_file *f = &row->file;
    const void *lines = row->wants_text ? sqlite3_column_blob(st, 41) : NULL;
    size_t n = row->wants_text ? (size_t)sqlite3_column_bytes(st, 41) : 0;
    f->text = row->wants_text ? "" : NULL;
    if (n == 0 || scry_text_crc(f->content, scry_db_text(st, 40), "", lines, n) != (uint32_t)sqlite3_column_int64(st, 42))
        return;
    row->text.limit = SCRY_TEXT_PACKED * 4;
    if (scry_text_unpack_words(&row->text, lines, n))
        f->text = scry_buf_str(&row->text);
}

static bool read_fields(scry_row *row, sqlite3_stmt *st)
{
    scry_file *f = &row->file;
    memset(f, 0, sizeof *f);
    if (!scry_db_bytes(st, 1, f->id, SCRY_ID_BYTES) || !scry_db_bytes(st, 9, f->content, SCRY_HASH_BYTES))
        return false;
    row->number = sqlite3_column_int64(st, 0);
    row->root_number = sqlite3_column_int64(st, 2);
    f->relative = scry_db_text(st, 3);
    f->size = sqlite3_column_int64(st, 4);
    f->mtime_ns = sqlite3_column_int64(st, 5);
    row->slot = sqlite3_column_int64(st, 6);
    f->added = row->slot + 1;   /* segments only grow */
    f->key = scry_db_text(st, 7);
    scry_row_read_picture(f, st, 10);
    read_details(row, st);
    read_text(row, st);
    f->favourite = sqlite3_column_int(st, 43) != 0;
    row->vector_crc = (uint32_t)sqlite3_column_int64(st, 37);
    size_t labels_bytes = (size_t)sqlite3_column_bytes(st, 8);
    return read_labels(row, sqlite3_column_blob(st, 8), labels_bytes);
}

/* Whether the rows that were joined are as they were written. */
static bool is_whole(const scry_row *row, sqlite3_stmt *st)
{
    enum { LABELS = 8, FILE_CRC = 35, CONTENT_CRC, VECTOR_CRC, DETAILS_CRC, NOTES_CRC };
    const scry_file *f = &row->file;
    size_t labels_bytes = (size_t)sqlite3_column_bytes(st, LABELS);
    return scry_file_crc(f, sqlite3_column_blob(st, LABELS), labels_bytes) == (uint32_t)sqlite3_column_int64(st, FILE_CRC)
           && scry_content_crc(f, row->vector_crc) == (uint32_t)sqlite3_column_int64(st, CONTENT_CRC)
           && (!row->has_details || scry_details_crc(f) == (uint32_t)sqlite3_column_int64(st, DETAILS_CRC))
           && (!f->notes || scry_notes_crc(f->id, f->notes) == (uint32_t)sqlite3_column_int64(st, NOTES_CRC));
}

int scry_row_read(scry_row *row, sqlite3_stmt *st, const scry_root_list *roots, const char *db_path,
                  scry_error *err)
{
    int result = scry_row_read_raw(row, st, roots, db_path, err);
    if (result == 0)
        scry_file_merge_notes(&row->file);
    return result;
}

int scry_row_read_raw(scry_row *row, sqlite3_stmt *st, const scry_root_list *roots, const char *db_path,
                      scry_error *err)
{
    bool good = read_fields(row, st);
    const scry_root_entry *root = good ? scry_root_by_number(roots, row->root_number) : NULL;
    if (!root)
        return scry_fail(err, SCRY_EDAMAGED, "file row %lld of %s is damaged: run scry verify",
                         (long long)sqlite3_column_int64(st, 0), db_path);
    memcpy(row->file.root, root->id, SCRY_ID_BYTES);
    free(row->path);
    row->path = scry_store_join(root->path, row->file.relative);
    row->file.path = row->path;
    row->is_whole = is_whole(row, st);
    return 0;
}

int scry_row_check(const scry_row *row, const char *db_path, scry_error *err)
{
    return row->is_whole ? 0 : scry_fail(err, SCRY_EDAMAGED, "the row of %s in %s is damaged: run scry verify", row->path, db_path);
}

void scry_row_dispose(scry_row *row)
{
    free(row->path);
    free(row->labels);
    scry_buf_dispose(&row->text);
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

uint32_t scry_details_crc(const scry_file *f)
{
    const int64_t numbers[] = { f->taken_source, f->has_taken_offset, f->has_taken_offset ? f->taken_offset_min : 0,
                                f->has_rating, f->has_rating ? f->rating : 0, f->damaged };
    uint32_t crc = scry_crc32c(0, f->content, SCRY_HASH_BYTES);
    crc = scry_crc32c(crc, numbers, sizeof numbers);
    crc = add_text(add_text(crc, f->lens), f->title);
    return add_text(add_text(crc, f->description), f->keywords);
}

uint32_t scry_notes_crc(const uint8_t *id, const scry_file_notes *n)
{
    bool time = n->taken_source != SCRY_TAKEN_UNKNOWN;
    const int64_t numbers[] = { n->taken_source, time ? n->taken_at : 0, n->has_taken_offset,
                                n->has_taken_offset ? n->taken_offset_min : 0, n->has_position, n->has_rating,
                                n->has_rating ? n->rating : 0 };
    const double place[] = { n->has_position ? n->latitude : 0, n->has_position ? n->longitude : 0 };
    uint32_t crc = scry_crc32c(scry_crc32c(0, id, SCRY_ID_BYTES), numbers, sizeof numbers);
    crc = scry_crc32c(crc, place, sizeof place);
    crc = add_text(add_text(crc, n->title), n->description);
    return add_text(add_text(crc, n->keywords), n->companion);
}

uint32_t scry_root_crc(const uint8_t *id, const char *path)
{
    return add_text(scry_crc32c(0, id, SCRY_ID_BYTES), path);
}

uint32_t scry_text_crc(const uint8_t *hash, const char *reader, const char *reason, const void *lines, size_t lines_bytes)
{
    uint32_t crc = add_text(add_text(scry_crc32c(0, hash, SCRY_HASH_BYTES), reader), reason);
    return scry_crc32c(crc, lines ? lines : "", lines_bytes);
}

uint32_t scry_bad_crc(const uint8_t *id, int64_t size, int64_t mtime_ns, const char *reason)
{
    const int64_t numbers[] = { size, mtime_ns };
    uint32_t crc = scry_crc32c(0, id, SCRY_ID_BYTES);
    return add_text(scry_crc32c(crc, numbers, sizeof numbers), reason);
}
