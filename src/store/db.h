/* db.h - SQLite, wrapped: statements by name, errors as scry_error.
 *
 * Each database of scry has a table of its statements, whose numbers an enum names. They are
 * prepared when first used and stay prepared until the connection closes. A connection belongs
 * to one thread at a time. Texts are bytes without zero and need not be UTF-8; SQLite compares
 * them with memcmp and returns them unchanged.
 *
 *     sqlite3_stmt *st;
 *     int result = scry_db_start(&db, FILE_BY_ID, &st, err, "b", id, (int)SCRY_ID_BYTES);
 *     while (result == 0 && (result = scry_db_step(&db, st, err)) == 1)
 *         result = read_row(st);
 *     scry_db_end(st);
 */
#ifndef SCRY_STORE_DB_H
#define SCRY_STORE_DB_H

#include "scry/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a database is asked. */
typedef struct scry_db_statements {
    const char *const *texts;   /* [count] SQL */
    size_t count;
    const char *remedy;         /* what to do with a damaged file: ends an error's sentence */
} scry_db_statements;

typedef struct scry_db {
    sqlite3 *handle;
    char *path;
    const scry_db_statements *statements;
    sqlite3_stmt **ready;       /* [statements->count] prepared, NULL before the first use */
} scry_db;

/* `flags` are SQLite's open flags, `parameter` a parameter of its URIs, or "". `statements` must outlive
 * the connection. */
int scry_db_open(scry_db *db, const scry_db_statements *statements, const char *path, int flags, const char *parameter,
                 scry_error *err) SCRY_NODISCARD;
int scry_db_close(scry_db *db, scry_error *err);   /* legal on a closed or zeroed one */

/* SQLite's last error on this connection as a scry_error, with what to do. Returns its code. */
int scry_db_fail(scry_db *db, scry_error *err);

/* Any SQL without results. */
int scry_db_exec(scry_db *db, const char *sql, scry_error *err) SCRY_NODISCARD;

/* The number that `sql`, a query that runs once, returns; *out stays when it returns no row. */
int scry_db_number(scry_db *db, const char *sql, int64_t *out, scry_error *err) SCRY_NODISCARD;

/* Start statement number `which`, bound as `types` says, one letter for each parameter:
 *     i int64_t, d double     I, D the same after a bool: false binds NULL
 *     t const char * as TEXT (NULL binds NULL)    x const char * as a BLOB, without its zero
 *     b const void * and int: a BLOB of that many bytes
 * Pointers must stay valid until scry_db_end. On failure *out is NULL. */
int scry_db_start(scry_db *db, int which, sqlite3_stmt **out, scry_error *err, const char *types, ...) SCRY_NODISCARD;

/* 1 with a row, 0 at the end, negative on failure. */
int scry_db_step(scry_db *db, sqlite3_stmt *st, scry_error *err) SCRY_NODISCARD;
void scry_db_end(sqlite3_stmt *st);   /* resets it, which releases its locks; NULL is legal */

/* A column of the current row: its text, "" where a damaged database has NULL, valid until the next
 * step; and its bytes, copied to `out` and true where it has exactly `n` of them. */
const char *scry_db_text(sqlite3_stmt *st, int column);
bool scry_db_bytes(sqlite3_stmt *st, int column, void *out, size_t n);

/* Start, run to the end, end. */
int scry_db_run(scry_db *db, int which, scry_error *err, const char *types, ...) SCRY_NODISCARD;

/* The database file itself, without its log, through SQLite's descriptor: to close another one would drop SQLite's locks.
 * False when it cannot be read or has not `n` bytes at `at`. */
bool scry_db_file_size(scry_db *db, uint64_t *out) SCRY_NODISCARD;
bool scry_db_read_file(scry_db *db, void *out, size_t n, uint64_t at) SCRY_NODISCARD;

/* Rows that the last statement changed. */
int64_t scry_db_changes(scry_db *db);

#endif
