/* csv.h - tables separated by commas (RFC 4180), tabs, or semicolons, as spreadsheets write
 * them where the comma is the decimal sign: quoted fields, doubled quotes. Lines end with LF, CRLF or CR; a byte
 * order mark at the start is skipped, a zero byte is an error. */
#ifndef SCRY_ENGINE_CSV_H
#define SCRY_ENGINE_CSV_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Whether a path given as a picture is read as a table of pictures: its name ends in .csv or .tsv and it is not a folder. */
bool scry_is_csv(const char *path);

/* One row: `fields` and their text are borrowed for the call; a non-zero return value stops the
 * reading and is returned. `line` counts from 1. */
typedef int scry_csv_row(void *arg, size_t line, char **fields, size_t count);

/* Read the whole table in `path` ("-": standard input). `separator` is ',', '\t' or ';', or 0 for
 * the one in the first line: a tab, else a comma, else a semicolon. A field without its closing quote is SCRY_EINVALID. */
int scry_csv_read(const char *path, char separator, scry_csv_row *row, void *arg, scry_error *err) SCRY_NODISCARD;

/* The same from where an open stream is; `path` is its name in messages. */
int scry_csv_read_stream(FILE *f, const char *path, char separator, scry_csv_row *row, void *arg, scry_error *err) SCRY_NODISCARD;

#endif
