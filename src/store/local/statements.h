/* statements.h - the SQL of the embedded store's database, by name; docs/store-format.md has its tables. */
#ifndef SCRY_STORE_LOCAL_STATEMENTS_H
#define SCRY_STORE_LOCAL_STATEMENTS_H

#include "store/db.h"

/* The columns that scry_row_read expects, in its order. A database of an earlier scry lacks some of the tables details,
 * notes, texts and marks: db_reader.c makes empty ones in the connection's memory. */
#define SCRY_SQL_FILE_FIELDS                                                                    \
    "f.number, f.id, f.root, f.relative, f.size, f.mtime_ns, f.slot, f.key, f.labels, c.hash, " \
    "c.width, c.height, c.format, c.taken_at, c.latitude, c.longitude, c.camera, "              \
    "d.taken_source, d.taken_offset, d.rating, d.damaged, d.lens, d.title, d.description, "     \
    "d.keywords, n.taken_source, n.taken_at, n.taken_offset, n.latitude, n.longitude, "         \
    "n.rating, n.title, n.description, n.keywords, n.companion, "                               \
    "f.row_crc, c.row_crc, c.vector_crc, d.row_crc, n.row_crc, "                                \
    "t.reader, t.lines, t.row_crc, "                                                            \
    "EXISTS(SELECT 1 FROM marks m WHERE m.kind = 1 AND m.key = c.hash)"
#define SCRY_SQL_FILE_TABLES                                                                    \
    " FROM files f JOIN contents c ON c.slot = f.slot LEFT JOIN details d ON d.slot = f.slot "  \
    "LEFT JOIN notes n ON n.id = f.id LEFT JOIN texts t ON t.slot = f.slot "
#define SCRY_SQL_FILE_COLUMNS SCRY_SQL_FILE_FIELDS SCRY_SQL_FILE_TABLES

/* The column of FILES_OF_SLOT that follows them: whether the content has other files. */
enum { SCRY_COLUMN_HAS_COPIES = 44 };

/* name, text */
#define SCRY_SQL_LIST(X)                                                                        \
    X(BEGIN_READ, "BEGIN")                                                                      \
    X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                           \
    X(COMMIT, "COMMIT")                                                                         \
    X(ROLLBACK, "ROLLBACK")                                                                     \
    X(INTEGRITY, "PRAGMA integrity_check(20)")                                                  \
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
    X(CONTENT_WIDTHS, "SELECT slot FROM contents WHERE width >= ?")                             \
    X(CONTENT_UNDATED, "SELECT slot FROM contents WHERE taken_at IS NULL AND slot >= ?")        \
    X(CONTENT_CRCS, "SELECT slot, vector_crc FROM contents WHERE slot >= ? ORDER BY slot")      \
    X(CONTENT_MOVE, "UPDATE contents SET slot = ? WHERE slot = ?")                              \
    X(FILES_MOVE, "UPDATE files SET slot = ? WHERE slot = ?")                                   \
    X(DEAD_ADD, "INSERT INTO dead(slot) VALUES(?)")                                             \
    X(DEAD_FROM, "SELECT number, slot FROM dead WHERE number > ? ORDER BY number")              \
    X(DEAD_CLEAR, "DELETE FROM dead")                                                           \
    X(FILE_STATE, "SELECT f.size, f.mtime_ns, c.hash, s.ctime_ns FROM files f "                 \
                  "JOIN contents c ON c.slot = f.slot LEFT JOIN seen s ON s.id = f.id "         \
                  "WHERE f.id = ?")                                                             \
    X(SEEN_PUT, "INSERT OR REPLACE INTO seen VALUES(?, ?)")                                     \
    X(SEEN_MOVE, "UPDATE OR REPLACE seen SET id = ? WHERE id = ?")                              \
    X(SEEN_DROP, "DELETE FROM seen WHERE id = ?")                                               \
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
    X(FILE_AT, "SELECT " SCRY_SQL_FILE_COLUMNS "WHERE f.root = ? AND f.relative = ?")           \
    X(FILES_SIZES, "SELECT slot, size FROM files")                                              \
    X(FILES_OF_SLOT, "SELECT " SCRY_SQL_FILE_FIELDS ", EXISTS(SELECT 1 FROM files o "           \
                     "WHERE o.slot = f.slot AND o.number <> f.number)"                          \
                     SCRY_SQL_FILE_TABLES "WHERE f.slot = ?")                                   \
    X(FILES_OF_ROOT, "SELECT " SCRY_SQL_FILE_COLUMNS                                            \
                     "WHERE f.root = ? AND f.relative > ? ORDER BY f.relative LIMIT ?")         \
    X(FILES_BETWEEN, "SELECT " SCRY_SQL_FILE_COLUMNS                                            \
                     "WHERE f.id > ? AND f.id < ? ORDER BY f.id LIMIT ?")                       \
    X(FILES_SINCE, "SELECT " SCRY_SQL_FILE_COLUMNS "WHERE f.number > ? ORDER BY f.number")      \
    X(NUMBERS_BETWEEN, "SELECT number FROM files WHERE number > ? AND number <= ? ORDER BY number") \
    X(FILES_BESIDE, "SELECT " SCRY_SQL_FILE_COLUMNS                                             \
                    "WHERE f.root = ? AND f.relative > ? AND f.relative < ? ORDER BY f.relative") \
    X(NAMES_SINCE, "SELECT relative FROM files WHERE number > ?")                               \
    X(FILES_ORDERED, "SELECT " SCRY_SQL_FILE_COLUMNS "ORDER BY f.root, f.relative")             \
    X(FILES_CHECK, "SELECT " SCRY_SQL_FILE_COLUMNS "ORDER BY f.number")                         \
    X(DETAILS_PUT, "INSERT OR REPLACE INTO details VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")       \
    X(DETAILS_FIND, "SELECT taken_source, taken_offset, rating, damaged, lens, title, "         \
                    "description, keywords, row_crc FROM details WHERE slot = ?")               \
    X(DETAILS_MOVE, "UPDATE details SET slot = ? WHERE slot = ?")                               \
    X(DETAILS_DROP, "DELETE FROM details WHERE slot = ?")                                       \
    X(NOTES_PUT, "INSERT OR REPLACE INTO notes VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")     \
    X(NOTES_MOVE, "UPDATE notes SET id = ?, row_crc = ? WHERE id = ?")                          \
    X(NOTES_DROP, "DELETE FROM notes WHERE id = ?")                                             \
    X(MARK_PUT, "INSERT OR REPLACE INTO marks VALUES(?, ?, ?, ?, ?)")                           \
    X(MARK_DROP, "DELETE FROM marks WHERE kind = ? AND key = ?")                                \
    X(MARKS_OF_KIND, "SELECT kind, key, value, set_at, row_crc FROM marks WHERE kind = ? "      \
                     "ORDER BY key")                                                            \
    X(MARKS_CHECK, "SELECT kind, key, value, set_at, row_crc FROM marks ORDER BY kind, key")    \
    X(MARKED_CONTENTS, "SELECT c.slot FROM marks m JOIN contents c ON c.hash = m.key "          \
                       "WHERE m.kind = ?")                                                      \
    X(TEXT_PUT, "INSERT OR REPLACE INTO texts VALUES(?, ?, ?, ?, ?)")                           \
    X(TEXT_GET, "SELECT t.reader, t.reason, t.lines, t.row_crc FROM contents c "                \
                "JOIN texts t ON t.slot = c.slot WHERE c.hash = ?")                             \
    X(TEXT_MOVE, "UPDATE OR REPLACE texts SET slot = ? WHERE slot = ?")                         \
    X(TEXT_DROP, "DELETE FROM texts WHERE slot = ?")                                            \
    X(TEXTS_UNREAD, "SELECT c.slot FROM contents c LEFT JOIN texts t ON t.slot = c.slot "       \
                    "WHERE c.slot > ?1 AND (t.slot IS NULL OR t.reader <> ?2 OR "               \
                    "(?3 AND t.reason <> '')) ORDER BY c.slot LIMIT ?4")                        \
    X(TEXTS_COUNT, "SELECT (SELECT count(*) FROM contents), count(*), "                         \
                   "coalesce(sum(length(lines) > 0), 0), coalesce(sum(reason <> ''), 0) FROM texts " \
                   "WHERE ?1 IS NULL OR reader = ?1")                                            \
    X(TEXTS_AFTER, "SELECT t.reader, t.reason, t.lines, t.row_crc, c.hash, t.slot FROM texts t " \
                   "JOIN contents c ON c.slot = t.slot WHERE t.slot > ? ORDER BY t.slot LIMIT ?") \
    X(GONE_ADD, "INSERT INTO gone(file, root, relative) VALUES(?, ?, ?)")                       \
    X(GONE_FROM, "SELECT number, file, root, relative FROM gone WHERE number > ? "              \
                 "ORDER BY number")                                                             \
    X(GONE_CLEAR, "DELETE FROM gone")                                                           \
    X(GONE_COUNT, "SELECT count(*) FROM gone")                                                  \
    X(BAD_STATE, "SELECT b.size, b.mtime_ns, s.ctime_ns FROM bad b LEFT JOIN seen s ON s.id = b.id WHERE b.id = ?") \
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

extern const scry_db_statements scry_local_statements;   /* their texts, for scry_db_open */

#endif
