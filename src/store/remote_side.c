/* remote_side.c - what Milvus has no place for: an SQLite file of this machine.
 *
 * Bad files are remembered here, so that they are not tried again by every run; and, for a
 * collection without paths that scry added to, what its keys stand for. Losing the file
 * costs time, never pictures. It is made when the first thing goes into it.
 */
#include "store/remote_internal.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "store/remote_foreign.h"

#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail_sql(scry_remote *s, scry_error *err)
{
    return scry_fail(err, SCRY_EIO, "cannot use the sidecar file %s: %s; remove it to start it anew", s->side_path,
                     s->side ? sqlite3_errmsg(s->side) : "out of memory");
}

/* Host, port, database and collection name the file. */
static char *make_path(const scry_remote *s)
{
    uint8_t digest[SCRY_SHA256_BYTES];
    char hex[2 * SCRY_ID_BYTES + 1];
    char *key = scry_asprintf("%s:%d/%s %s", s->options.host, s->options.port, s->options.database, s->name);
    scry_sha256_of(key, strlen(key), digest);
    scry_hex(digest, SCRY_ID_BYTES, hex);
    char *data = scry_data_dir(), *path = scry_asprintf("%s/milvus/%s.sqlite", data, hex);
    free(data);
    free(key);
    return path;
}

static int open_file(scry_remote *s, scry_error *err)
{
    static const char schema[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "CREATE TABLE IF NOT EXISTS bad(id BLOB PRIMARY KEY, root BLOB NOT NULL, relative BLOB NOT NULL,"
        " size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS files(number INTEGER PRIMARY KEY, root BLOB NOT NULL, path BLOB NOT NULL,"
        " size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, content BLOB NOT NULL);";
    if (sqlite3_open_v2(s->side_path, &s->side, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL) !=
            SQLITE_OK ||
        sqlite3_busy_timeout(s->side, 10000) != SQLITE_OK || sqlite3_exec(s->side, schema, NULL, NULL, NULL) != SQLITE_OK) {
        int result = fail_sql(s, err);
        sqlite3_close(s->side);
        s->side = NULL;
        return result;
    }
    return 0;
}

/* 1 when the sidecar is open now, 0 when there is none and none shall be made. */
int scry_remote_side_open(scry_remote *s, bool create, scry_error *err)
{
    int result = 0;
    pthread_mutex_lock(&s->lock);
    if (!s->side_path)
        s->side_path = make_path(s);
    if (!s->side && (create || access(s->side_path, F_OK) == 0)) {
        char *copy = scry_strdup(s->side_path);
        result = scry_make_dirs(dirname(copy), err);
        free(copy);
        if (result == 0)
            result = open_file(s, err);
    }
    pthread_mutex_unlock(&s->lock);
    return result < 0 ? result : s->side != NULL;
}

int scry_remote_side_start(scry_remote *s, const char *sql, sqlite3_stmt **out, scry_error *err, const char *types, ...)
{
    va_list ap;
    if (sqlite3_prepare_v2(s->side, sql, -1, out, NULL) != SQLITE_OK)
        return fail_sql(s, err);
    va_start(ap, types);
    for (int i = 1; types[i - 1]; i++) {
        if (types[i - 1] == 'i') {
            sqlite3_bind_int64(*out, i, va_arg(ap, int64_t));
        } else if (types[i - 1] == 't') {
            const char *text = va_arg(ap, const char *);
            sqlite3_bind_blob(*out, i, text, (int)strlen(text), SQLITE_TRANSIENT);
        } else {
            const void *bytes = va_arg(ap, const void *);
            sqlite3_bind_blob(*out, i, bytes, va_arg(ap, int), SQLITE_TRANSIENT);
        }
    }
    va_end(ap);
    return 0;
}

int scry_remote_side_step(scry_remote *s, sqlite3_stmt *st, scry_error *err)
{
    int r = sqlite3_step(st);
    return r == SQLITE_ROW ? 1 : r == SQLITE_DONE ? 0 : fail_sql(s, err);
}

/* A BLOB that holds text, as an owned string. */
char *scry_remote_side_text(sqlite3_stmt *st, int column)
{
    const void *bytes = sqlite3_column_blob(st, column);
    return scry_strndup(bytes ? bytes : "", (size_t)sqlite3_column_bytes(st, column));
}

/* ---- bad files ---- */

int scry_remote_side_put(scry_remote *s, const uint8_t *id, const uint8_t *root, const char *relative, int64_t size,
                         int64_t mtime_ns, const char *reason, scry_error *err)
{
    sqlite3_stmt *st = NULL;
    int result = scry_remote_side_open(s, true, err);
    if (result >= 0)
        result = scry_remote_side_start(s, "INSERT OR REPLACE INTO bad VALUES(?, ?, ?, ?, ?, ?)", &st, err, "bbtiit", id,
                                        SCRY_ID_BYTES, root, SCRY_ID_BYTES, relative, size, mtime_ns, reason);
    if (result >= 0)
        result = scry_remote_side_step(s, st, err);
    sqlite3_finalize(st);
    return result < 0 ? result : 0;
}

int scry_remote_side_get(scry_remote *s, const uint8_t *id, int64_t *size, int64_t *mtime_ns, scry_error *err)
{
    sqlite3_stmt *st = NULL;
    int result = scry_remote_side_open(s, false, err);
    if (result <= 0)
        return result;
    result = scry_remote_side_start(s, "SELECT size, mtime_ns FROM bad WHERE id = ?", &st, err, "b", id, SCRY_ID_BYTES);
    if (result == 0)
        result = scry_remote_side_step(s, st, err);
    if (result == 1) {
        *size = sqlite3_column_int64(st, 0);
        *mtime_ns = sqlite3_column_int64(st, 1);
    }
    sqlite3_finalize(st);
    return result;
}

int scry_remote_side_drop(scry_remote *s, const uint8_t *id, scry_error *err)
{
    sqlite3_stmt *st = NULL;
    int result = scry_remote_side_open(s, false, err);
    if (result <= 0)
        return result;
    result = scry_remote_side_start(s, "DELETE FROM bad WHERE id = ? RETURNING 1", &st, err, "b", id, SCRY_ID_BYTES);
    int found = 0;
    while (result == 0 && (result = scry_remote_side_step(s, st, err)) == 1) {
        found = 1;
        result = 0;
        if (sqlite3_stmt_busy(st) == 0)
            break;
    }
    sqlite3_finalize(st);
    return result < 0 ? result : found;
}

int scry_remote_side_count(scry_remote *s, uint64_t *out, scry_error *err)
{
    sqlite3_stmt *st = NULL;
    int result = scry_remote_side_open(s, false, err);
    if (result <= 0)
        return result;
    result = scry_remote_side_start(s, "SELECT count(*) FROM bad", &st, err, "");
    if (result == 0 && (result = scry_remote_side_step(s, st, err)) == 1)
        *out = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return result < 0 ? result : 0;
}

typedef struct bad_file {
    uint8_t id[SCRY_ID_BYTES], root[SCRY_ID_BYTES];
    char *relative, *reason;
    int64_t size, mtime_ns;
} bad_file;

/* The first bad file behind a place, of one root or of all; 1 when there is one. */
static int next_bad(scry_remote *s, const char *sql, const uint8_t *root, const char *after, bad_file *out, scry_error *err)
{
    sqlite3_stmt *st = NULL;
    int result = scry_remote_side_start(s, sql, &st, err, "bt", root, SCRY_ID_BYTES, after);
    if (result == 0)
        result = scry_remote_side_step(s, st, err);
    if (result == 1) {
        if (sqlite3_column_bytes(st, 0) == SCRY_ID_BYTES)
            memcpy(out->id, sqlite3_column_blob(st, 0), SCRY_ID_BYTES);
        if (sqlite3_column_bytes(st, 1) == SCRY_ID_BYTES)
            memcpy(out->root, sqlite3_column_blob(st, 1), SCRY_ID_BYTES);
        out->relative = scry_remote_side_text(st, 2);
        out->size = sqlite3_column_int64(st, 3);
        out->mtime_ns = sqlite3_column_int64(st, 4);
        out->reason = scry_remote_side_text(st, 5);
    }
    sqlite3_finalize(st);
    return result;
}

static void bad_dispose(bad_file *b)
{
    free(b->relative);
    free(b->reason);
}

int scry_remote_each_bad(scry_store *base, int (*each)(void *, const char *, int64_t, int64_t, const char *), void *arg,
                         scry_error *err)
{
    static const char sql[] = "SELECT id, root, relative, size, mtime_ns, reason FROM bad WHERE (root, relative) > (?, ?) "
                              "ORDER BY root, relative LIMIT 1";
    scry_remote *s = (scry_remote *)base;
    bad_file last = { .relative = scry_strdup("") };
    int result = scry_remote_side_open(s, false, err);
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    for (bool stop = false; result == 1 && !stop;) {
        bad_file b = { .relative = NULL };
        result = next_bad(s, sql, last.root, last.relative, &b, err);
        if (result != 1)
            break;
        char hex[SCRY_REMOTE_HEX_ID];
        const char *root = "?";
        scry_hex(b.root, SCRY_ID_BYTES, hex);
        for (size_t i = 0; i < roots->count; i++)
            if (strcmp(roots->ids[i], hex) == 0)
                root = roots->paths[i];
        char *path = scry_store_join(root, b.relative);
        stop = each(arg, path, b.size, b.mtime_ns, b.reason) != 0;
        free(path);
        bad_dispose(&last);
        last = b;
    }
    scry_remote_roots_release(s, roots);
    bad_dispose(&last);
    return result < 0 ? result : 0;
}

int scry_remote_side_move(scry_remote *s, const char *from, const uint8_t *to, const char *prefix, scry_error *err)
{
    static const char sql[] = "SELECT id, root, relative, size, mtime_ns, reason FROM bad WHERE root = ? AND relative > ? "
                              "ORDER BY relative LIMIT 1";
    uint8_t root[SCRY_ID_BYTES], id[SCRY_ID_BYTES];
    int result = scry_remote_side_open(s, false, err);
    if (result <= 0 || scry_unhex(from, root, sizeof root) < 0)
        return result < 0 ? result : 0;
    for (;;) {
        bad_file b = { .relative = NULL };
        result = next_bad(s, sql, root, "", &b, err);
        if (result != 1)
            return result;
        char *relative = scry_store_join(prefix, b.relative);
        scry_file_id(to, relative, id);
        result = scry_remote_side_put(s, id, to, relative, b.size, b.mtime_ns, b.reason, err);
        if (result == 0)
            result = scry_remote_side_drop(s, b.id, err);
        free(relative);
        bad_dispose(&b);
        if (result < 0)
            return result;
    }
}
