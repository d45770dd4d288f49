/* db.h - SQLite, wrapped: statements by name, errors as scry_error.
 *
 * A connection belongs to one thread at a time. Its statements are prepared when first
 * used and kept. Texts are bytes without zero and need not be UTF-8; SQLite compares
 * them with memcmp and hands them back untouched.
 */
#ifndef SCRY_STORE_DB_H
#define SCRY_STORE_DB_H

#include "scry/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* The columns that scry_row_read expects, in its order. */
#define SCRY_SQL_FILE_COLUMNS                                                                   \
    "f.number, f.id, f.root, f.relative, f.size, f.mtime_ns, f.slot, f.key, f.labels, c.hash, " \
    "c.width, c.height, c.format, c.taken_at, c.latitude, c.longitude, c.camera "               \
    "FROM files f JOIN contents c ON c.slot = f.slot "

/* name, text */
#define SCRY_SQL_LIST(X)                                                                        \
    X(BEGIN_READ, "BEGIN")                                                                      \
    X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                           \
    X(COMMIT, "COMMIT")                                                                         \
    X(ROLLBACK, "ROLLBACK")                                                                     \
    X(HEAD_GET, "SELECT collection, model_identity, model_name, precision, dim, generation, "   \
                "slots, change, files, contents, bad, next_file, columns_file, columns_last, "  \
                "row_crc FROM head WHERE one = 1")                                              \
    X(HEAD_PUT, "INSERT OR REPLACE INTO head VALUES(1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " \
                "?, ?)")                                                                        \
    X(ROOTS_ALL, "SELECT number, id, path, row_crc FROM roots ORDER BY id")                     \
    X(ROOT_ADD, "INSERT INTO roots(id, path, row_crc) VALUES(?, ?, ?)")                         \
    X(ROOT_MOVE, "UPDATE roots SET path = ?, row_crc = ? WHERE number = ?")                     \
    X(ROOT_DELETE, "DELETE FROM roots WHERE number = ?")                                        \
    X(ROOT_COUNT, "SELECT count(*) FROM files WHERE root = ?")                                  \
    X(CONTENT_FIND, "SELECT slot, width, height, format, taken_at, latitude, longitude, "       \
                    "camera, vector_crc, row_crc FROM contents WHERE hash = ?")                          \
    X(CONTENT_ADD, "INSERT INTO contents VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")              \
    X(CONTENT_UPDATE, "UPDATE contents SET width = ?, height = ?, format = ?, taken_at = ?, "   \
                      "latitude = ?, longitude = ?, camera = ?, row_crc = ? WHERE slot = ?")    \
    X(CONTENT_DROP, "DELETE FROM contents WHERE slot = ?1 AND NOT EXISTS "                      \
                    "(SELECT 1 FROM files WHERE slot = ?1)")                                    \
    X(CONTENTS_ALL, "SELECT slot, hash, vector_crc, width, height, format, taken_at, "          \
                    "latitude, longitude, camera, row_crc FROM contents ORDER BY slot")         \
    X(CONTENT_CRCS, "SELECT slot, vector_crc FROM contents WHERE slot >= ? ORDER BY slot")      \
    X(CONTENT_MOVE, "UPDATE contents SET slot = ? WHERE slot = ?")                              \
    X(FILES_MOVE, "UPDATE files SET slot = ? WHERE slot = ?")                                   \
    X(DEAD_ADD, "INSERT INTO dead(slot) VALUES(?)")                                             \
    X(DEAD_FROM, "SELECT number, slot FROM dead WHERE number > ? ORDER BY number")              \
    X(DEAD_CLEAR, "DELETE FROM dead")                                                           \
    X(FILE_STATE, "SELECT f.size, f.mtime_ns, c.hash FROM files f "                             \
                  "JOIN contents c ON c.slot = f.slot WHERE f.id = ?")                          \
    X(FILE_FIND, "SELECT number, slot, root, relative FROM files WHERE id = ?")                 \
    X(FILE_ADD, "INSERT INTO files VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                       \
    X(FILE_MOVE_ROOT, "UPDATE files SET number = ?, id = ?, root = ?, relative = ?, "           \
                      "row_crc = ? WHERE number = ?")                                           \
    X(FILE_OF_ROOT, "SELECT " SCRY_SQL_FILE_COLUMNS "WHERE f.root = ? LIMIT 1")                 \
    X(FILE_DELETE, "DELETE FROM files WHERE number = ?")                                        \
    X(FILE_RENUMBER, "UPDATE files SET number = ? WHERE number = ?")                            \
    X(FILES_NUMBERS, "SELECT number, root, relative FROM files "                            \
                     "WHERE slot = ? AND number < ? LIMIT 1")                 \
    X(COPIES_COUNT, "SELECT count(*) FROM files WHERE slot = ?")                                \
    X(FILE_BY_ID, "SELECT " SCRY_SQL_FILE_COLUMNS "WHERE f.id = ?")                             \
    X(FILES_OF_SLOT, "SELECT " SCRY_SQL_FILE_COLUMNS "WHERE f.slot = ?")                        \
    X(FILES_OF_ROOT, "SELECT " SCRY_SQL_FILE_COLUMNS                                            \
                     "WHERE f.root = ? AND f.relative > ? ORDER BY f.relative LIMIT ?")         \
    X(FILES_BETWEEN, "SELECT " SCRY_SQL_FILE_COLUMNS                                            \
                     "WHERE f.id > ? AND f.id < ? ORDER BY f.id LIMIT ?")                       \
    X(FILES_SINCE, "SELECT " SCRY_SQL_FILE_COLUMNS "WHERE f.number > ? ORDER BY f.number")      \
    X(FILES_ORDERED, "SELECT " SCRY_SQL_FILE_COLUMNS "ORDER BY f.root, f.relative")             \
    X(FILES_CHECK, "SELECT f.number, f.id, f.root, f.relative, f.size, f.mtime_ns, f.slot, "    \
                   "f.key, f.labels, c.hash, c.width, c.height, c.format, c.taken_at, "         \
                   "c.latitude, c.longitude, c.camera, f.row_crc FROM files f "                 \
                   "JOIN contents c ON c.slot = f.slot ORDER BY f.number")                      \
    X(GONE_ADD, "INSERT INTO gone(file, root, relative) VALUES(?, ?, ?)")                       \
    X(GONE_FROM, "SELECT number, file, root, relative FROM gone WHERE number > ? "              \
                 "ORDER BY number")                                                             \
    X(GONE_CLEAR, "DELETE FROM gone")                                                           \
    X(GONE_COUNT, "SELECT count(*) FROM gone")                                                  \
    X(BAD_STATE, "SELECT size, mtime_ns FROM bad WHERE id = ?")                                 \
    X(BAD_PUT, "INSERT OR REPLACE INTO bad VALUES(?, ?, ?, ?, ?, ?, ?)")                        \
    X(BAD_OF_ROOT, "SELECT id, relative, size, mtime_ns, reason FROM bad WHERE root = ? LIMIT 1") \
    X(BAD_DELETE, "DELETE FROM bad WHERE id = ?")                                               \
    X(BAD_CHECK, "SELECT id, root, relative, size, mtime_ns, reason, row_crc FROM bad")         \
    X(BAD_ALL, "SELECT b.id, b.root, b.relative, b.size, b.mtime_ns, b.reason, b.row_crc "      \
               "FROM bad b JOIN roots r ON r.number = b.root "                                  \
               "WHERE (b.root, b.relative) > (?, ?) ORDER BY b.root, b.relative LIMIT ?")

typedef enum {
#define X(name, text) SCRY_SQL_##name,
    SCRY_SQL_LIST(X)
#undef X
    SCRY_SQL_COUNT
} scry_sql;

typedef struct scry_db {
    sqlite3 *handle;
    char *path;
    sqlite3_stmt *ready[SCRY_SQL_COUNT];
} scry_db;

/* `flags` are SQLite's open flags, `parameter` one of its URI's, or "". */
int scry_db_open(scry_db *db, const char *path, int flags, const char *parameter, scry_error *err)
    SCRY_NODISCARD;
int scry_db_close(scry_db *db, scry_error *err);   /* a closed one again is no error */

/* Say what SQLite last complained about as a scry_error, with what to do. */
int scry_db_fail(scry_db *db, scry_error *err);

/* Any SQL without results. */
int scry_db_exec(scry_db *db, const char *sql, scry_error *err) SCRY_NODISCARD;

/* Start a statement: reset, then bound as `types` says, a letter an argument:
 * i int64_t, d double, t const char * (NULL is NULL), b const void * and int of bytes; I and D
 * take a bool first: without it the value is NULL.
 * What it is given must live until scry_db_end. */
int scry_db_start(scry_db *db, scry_sql which, sqlite3_stmt **out, scry_error *err,
                  const char *types, ...) SCRY_NODISCARD;

/* 1 with a row, 0 at the end, negative on failure. */
int scry_db_step(scry_db *db, sqlite3_stmt *st, scry_error *err) SCRY_NODISCARD;
void scry_db_end(sqlite3_stmt *st);   /* releases its locks; NULL is legal */

/* A text of the row, "" where a damaged database has none. Lives until the next step. */
const char *scry_db_text(sqlite3_stmt *st, int column);

/* Start, run to the end, end. */
int scry_db_run(scry_db *db, scry_sql which, scry_error *err, const char *types, ...) SCRY_NODISCARD;

/* Rows that the last statement changed. */
int64_t scry_db_changes(scry_db *db);

#endif
