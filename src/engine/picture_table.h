/* picture_table.h - tables of pictures (csv.h): a path, an id and labels in each row, with or without a header.
 *
 *     id,path,label         path,label_1,label_2         serial,path,animal,colour
 *
 * The column of the paths may also have another of the names in scry_path_columns, such as "filename".
 *
 * Several rows, of one table or of several, may name one file: the last of them counts. A row of a folder is for the files in it
 * that have no row of their own, nor one of a folder nearer to them.
 */
#ifndef SCRY_ENGINE_PICTURE_TABLE_H
#define SCRY_ENGINE_PICTURE_TABLE_H

#include "base/table.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What the columns of paths are called, in lower case, in any table of pictures; ends with NULL. */
extern const char *const scry_path_columns[];

/* A table that can be read from its beginning several times: a pipe is copied to a temporary file. The caller closes *out. */
int scry_picture_table_open(FILE **out, const char *path, scry_error *err) SCRY_NODISCARD;

typedef struct scry_picture_row {
    size_t line;
    const char *path;                /* joined to the folder of the table; NULL: the row has none */
    const char *first;               /* its first field */
    const char *key;                 /* "": it has no id */
    const char *const *labels;
    size_t label_count;
} scry_picture_row;

/* All is borrowed for the call; another result than 0 ends the reading and is returned. */
typedef int scry_picture_row_fn(void *arg, const scry_picture_row *row);

/* Each row but the header, from the beginning of the stream; `path` is the table's name. SCRY_EINVALID for a column that is neither
 * path, id nor label, and for what scry_csv_read refuses. */
int scry_picture_table_read(FILE *f, const char *path, scry_picture_row_fn *each, void *arg, scry_error *err) SCRY_NODISCARD;

/* Which row counts for each path. Rows are numbered from 1 on over all tables, in the order in which they are read. */
typedef struct scry_row_choice {
    scry_table rows;
    uint64_t overruled;              /* rows whose path has a later one with another id or other labels */
    char example[256];               /* the first of them, as a part of a sentence; "": none */
} scry_row_choice;

#define SCRY_ROW_CHOICE_INIT { SCRY_TABLE_OF_BYTES(16, 40, 1u << 28), 0, "" }

/* Note a row: `path` is the absolute path of its file or folder, `table` the name of its table. */
int scry_row_choice_note(scry_row_choice *c, const char *path, uint64_t number, const char *table, const scry_picture_row *row,
                         scry_error *err) SCRY_NODISCARD;

/* The number of the row that counts for this file: of its path, else of the nearest folder above that has one; 0: none. */
uint64_t scry_row_choice_of(const scry_row_choice *c, const char *path);

void scry_row_choice_dispose(scry_row_choice *c);

#endif
