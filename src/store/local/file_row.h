/* file_row.h - rows of the database as structures, and their checksums. */
#ifndef SCRY_STORE_LOCAL_FILE_ROW_H
#define SCRY_STORE_LOCAL_FILE_ROW_H

#include "base/buf.h"
#include "store/local/root_list.h"

/* A file as read from the database, and its numbers there. Strings belong to the
 * statement and are valid until its next step; `path` and labels are owned. */
typedef struct scry_row {
    scry_file file;
    int64_t number, slot, root_number;
    char *path;
    const char **labels;
    size_t label_capacity;
    scry_file_notes notes;     /* file.notes points here when the file has any */
    bool has_details;          /* the content's headers were read by a scry that stores details */
    bool wants_text;           /* set by the caller: read what was read in the picture, which is inflated for that */
    scry_buf text;             /* file.text points here when it is wanted and the picture has any */
    uint32_t vector_crc;       /* of the content's stored vector */
    bool is_whole;             /* it is as its checksums say */
} scry_row;

/* From a statement over SCRY_SQL_FILE_COLUMNS; notes are not merged. SCRY_EDAMAGED for a row that names no root. Whoever
 * shows or copies the row looks whether it is whole. */
int scry_row_read_raw(scry_row *row, sqlite3_stmt *st, const scry_root_list *roots, const char *db_path,
                      scry_error *err) SCRY_NODISCARD;

/* The same, with the notes merged into the fields of the file. */
int scry_row_read(scry_row *row, sqlite3_stmt *st, const scry_root_list *roots, const char *db_path,
                  scry_error *err) SCRY_NODISCARD;
void scry_row_dispose(scry_row *row);

/* SCRY_EDAMAGED unless it is whole. */
int scry_row_check(const scry_row *row, const char *db_path, scry_error *err) SCRY_NODISCARD;

/* Read the fields of a picture, which are side by side from `column` on: width, height, format,
 * taken_at, latitude, longitude, camera. */
void scry_row_read_picture(scry_file *f, sqlite3_stmt *st, int column);

/* The same of table details: taken_source, taken_offset, rating, damaged, lens, title, description, keywords. False where there
 * are none. */
bool scry_row_read_details(scry_file *f, sqlite3_stmt *st, int column);

/* Checksums of rows, stored in their last column. */
uint32_t scry_file_crc(const scry_file *f, const char *labels, size_t labels_bytes);
uint32_t scry_content_crc(const scry_file *f, uint32_t vector_crc);
uint32_t scry_details_crc(const scry_file *f);
uint32_t scry_notes_crc(const uint8_t *id, const scry_file_notes *n);
uint32_t scry_root_crc(const uint8_t *id, const char *path);
uint32_t scry_text_crc(const uint8_t *hash, const char *reader, const char *reason, const void *lines, size_t lines_bytes);
uint32_t scry_bad_crc(const uint8_t *id, int64_t size, int64_t mtime_ns, const char *reason);

#endif
