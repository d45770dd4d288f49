/* remote_side.c - an SQLite file on this machine for what Milvus has no place for.
 *
 * It holds bad files, so that not every run tries them again, and, for an external collection that
 * scry added pictures to, the path of each key; of both the change times, too (`seen`); and of one whose keys are texts those that
 * were shown, by their ids (`keys`). If it is lost, bad files are tried again, added pictures lose their paths, and ids have to be
 * searched for again. It is created with its first row.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAD_ROWS "SELECT b.id, b.root, b.relative, b.size, b.mtime_ns, b.reason, s.ctime_ns FROM bad b LEFT JOIN seen s " \
                 "ON s.id = b.id"

static const char *const sql[] = {
    [SCRY_SIDE_BAD_PUT] = "INSERT OR REPLACE INTO bad VALUES(?, ?, ?, ?, ?, ?)",
    [SCRY_SIDE_BAD_STATE] = "SELECT b.size, b.mtime_ns, s.ctime_ns FROM bad b LEFT JOIN seen s ON s.id = b.id WHERE b.id = ?",
    [SCRY_SIDE_BAD_DROP] = "DELETE FROM bad WHERE id = ?",
    [SCRY_SIDE_BAD_COUNT] = "SELECT count(*) FROM bad",
    [SCRY_SIDE_BAD_NEXT] = BAD_ROWS " WHERE (root, relative) > (?, ?) ORDER BY root, relative LIMIT 1",
    [SCRY_SIDE_BAD_NEXT_OF_ROOT] = BAD_ROWS " WHERE root = ? AND relative > ? ORDER BY relative LIMIT 1",
    [SCRY_SIDE_FILE_STATE] = "SELECT f.size, f.mtime_ns, f.content, s.ctime_ns FROM files f LEFT JOIN seen s ON s.id = ? WHERE f.number = ?",
    [SCRY_SIDE_FILE_PATH] = "SELECT path FROM files WHERE number = ?",
    [SCRY_SIDE_FILE_NEXT] = "SELECT number, path, size, mtime_ns FROM files WHERE path > ? ORDER BY path LIMIT 1",
    [SCRY_SIDE_FILE_COUNT] = "SELECT count(*) FROM files WHERE root = ?",
    [SCRY_SIDE_FILE_PUT] = "INSERT OR REPLACE INTO files VALUES(?, ?, ?, ?, ?, ?)",
    [SCRY_SIDE_FILE_DROP] = "DELETE FROM files WHERE number = ?",
    [SCRY_SIDE_SEEN_PUT] = "INSERT OR REPLACE INTO seen VALUES(?, ?)",
    [SCRY_SIDE_SEEN_DROP] = "DELETE FROM seen WHERE id = ?",
    [SCRY_SIDE_KEY_PUT] = "INSERT OR IGNORE INTO keys VALUES(?, ?)",
    [SCRY_SIDE_KEY_FIND] = "SELECT key FROM keys WHERE id = ?",
};

static const scry_db_statements statements = { sql, sizeof sql / sizeof *sql, "remove it to start with an empty one" };

/* Host, port, database and collection name the file. */
static char *make_path(const scry_remote *s)
{
    uint8_t id[SCRY_ID_BYTES];
    char hex[2 * SCRY_ID_BYTES + 1];
    char *key = scry_asprintf("%s:%d/%s %s", s->options.host, s->options.port, s->options.database, s->shown);
    scry_id_of_text(key, id);
    scry_hex(id, SCRY_ID_BYTES, hex);
    char *data = scry_data_dir(), *path = scry_asprintf("%s/milvus/%s.sqlite", data, hex);
    free(data);
    free(key);
    return path;
}

static int open_at(scry_remote *s, const char *path, scry_error *err)
{
    static const char schema[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "CREATE TABLE IF NOT EXISTS bad(id BLOB PRIMARY KEY, root BLOB NOT NULL, relative BLOB NOT NULL,"
        " size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS files(number INTEGER PRIMARY KEY, root BLOB NOT NULL, path BLOB NOT NULL,"
        " size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, content BLOB NOT NULL);"
        "CREATE TABLE IF NOT EXISTS seen(id BLOB PRIMARY KEY, ctime_ns INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS keys(id BLOB PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;";
    int result = scry_db_open(&s->side, &statements, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "", err);
    if (result == 0 && (result = scry_db_exec(&s->side, schema, err)) < 0)
        scry_db_close(&s->side, NULL);
    return result;
}

static int open_file(scry_remote *s, scry_error *err)
{
    char *copy = scry_strdup(s->side_path);
    int result = scry_make_dirs(dirname(copy), err);
    free(copy);
    return result == 0 ? open_at(s, s->side_path, err) : result;
}

int scry_remote_side_begin(scry_remote *s, bool create, scry_error *err)
{
    int result = 1;
    pthread_mutex_lock(&s->side_lock);
    if (!s->side_path)
        s->side_path = make_path(s);
    if (!s->side.handle) {
        result = create || access(s->side_path, F_OK) == 0 ? open_file(s, err) : 0;
        result = result < 0 ? result : s->side.handle != NULL;
    }
    if (result != 1)
        pthread_mutex_unlock(&s->side_lock);
    return result;
}

int scry_remote_side_begin_anywhere(scry_remote *s, scry_error *err)
{
    int result = scry_remote_side_begin(s, true, NULL);
    if (result == 1)
        return 1;
    pthread_mutex_lock(&s->side_lock);
    result = s->side.handle ? 0 : open_at(s, ":memory:", err);
    if (result == 0)
        return 1;
    pthread_mutex_unlock(&s->side_lock);
    return result;
}

void scry_remote_side_end(scry_remote *s, sqlite3_stmt *st)
{
    scry_db_end(st);
    pthread_mutex_unlock(&s->side_lock);
}

/* ---- bad files ---- */

int scry_remote_side_put(scry_remote *s, const scry_bad_file *b, scry_error *err)
{
    int result = scry_remote_side_begin(s, true, err);
    if (result < 0)
        return result;
    result = scry_db_run(&s->side, SCRY_SIDE_BAD_PUT, err, "bbxiix", b->id, SCRY_ID_BYTES, b->root, SCRY_ID_BYTES, b->relative,
                         b->size, b->mtime_ns, b->reason);
    if (result == 0)
        result = scry_db_run(&s->side, SCRY_SIDE_SEEN_PUT, err, "bi", b->id, SCRY_ID_BYTES, b->ctime_ns);
    scry_remote_side_end(s, NULL);
    return result;
}

int scry_remote_side_state(scry_remote *s, const uint8_t *id, scry_file_state *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_remote_side_begin(s, false, err);
    if (result != 1)
        return result;
    result = scry_db_start(&s->side, SCRY_SIDE_BAD_STATE, &st, err, "b", id, SCRY_ID_BYTES);
    if (result == 0 && (result = scry_db_step(&s->side, st, err)) == 1) {
        out->known = out->bad = true;
        out->size = sqlite3_column_int64(st, 0);
        out->mtime_ns = sqlite3_column_int64(st, 1);
        out->ctime_ns = sqlite3_column_int64(st, 2);
    }
    scry_remote_side_end(s, st);
    return result < 0 ? result : 0;
}

int scry_remote_side_drop(scry_remote *s, const uint8_t *id, scry_error *err)
{
    int result = scry_remote_side_begin(s, false, err);
    if (result != 1)
        return result;
    result = scry_db_run(&s->side, SCRY_SIDE_BAD_DROP, err, "b", id, SCRY_ID_BYTES);
    int found = scry_db_changes(&s->side) > 0;
    if (result == 0 && found)
        result = scry_db_run(&s->side, SCRY_SIDE_SEEN_DROP, err, "b", id, SCRY_ID_BYTES);
    scry_remote_side_end(s, NULL);
    return result < 0 ? result : found;
}

int scry_remote_side_count(scry_remote *s, uint64_t *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_remote_side_begin(s, false, err);
    if (result != 1)
        return result;
    result = scry_db_start(&s->side, SCRY_SIDE_BAD_COUNT, &st, err, "");
    if (result == 0 && (result = scry_db_step(&s->side, st, err)) == 1)
        *out = (uint64_t)sqlite3_column_int64(st, 0);
    scry_remote_side_end(s, st);
    return result < 0 ? result : 0;
}

/* The first bad file after a position, of one root or of all; 1 when there is one. */
static int next_bad(scry_remote *s, int which, const uint8_t *root, const char *after, scry_bad_file *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_remote_side_begin(s, false, err);
    if (result != 1)
        return result;
    result = scry_db_start(&s->side, which, &st, err, "bx", root, SCRY_ID_BYTES, after);
    if (result == 0 && (result = scry_db_step(&s->side, st, err)) == 1) {
        scry_db_bytes(st, 0, out->id, SCRY_ID_BYTES);
        scry_db_bytes(st, 1, out->root, SCRY_ID_BYTES);
        out->relative = scry_strdup(scry_db_text(st, 2));
        out->size = sqlite3_column_int64(st, 3);
        out->mtime_ns = sqlite3_column_int64(st, 4);
        out->reason = scry_strdup(scry_db_text(st, 5));
        out->ctime_ns = sqlite3_column_int64(st, 6);
    }
    scry_remote_side_end(s, st);
    return result;
}

/* Of those that next_bad filled. */
static void bad_dispose(scry_bad_file *b)
{
    free((void *)b->relative);
    free((void *)b->reason);
}

int scry_remote_each_bad(scry_store *base, int (*each)(void *, const char *, int64_t, int64_t, const char *), void *arg,
                         scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_bad_file last = { .relative = scry_strdup("") };
    int result = 1;
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    for (bool stop = false; result == 1 && !stop;) {
        scry_bad_file b = { .relative = NULL };
        result = next_bad(s, SCRY_SIDE_BAD_NEXT, last.root, last.relative, &b, err);
        if (result != 1)
            break;
        char hex[SCRY_REMOTE_HEX_ID];
        scry_hex(b.root, SCRY_ID_BYTES, hex);
        char *path = scry_store_join(scry_remote_roots_path(roots, hex), b.relative);
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
    uint8_t root[SCRY_ID_BYTES];
    if (scry_unhex(from, root, sizeof root) < 0)
        return 0;
    for (;;) {
        scry_bad_file b = { .relative = NULL };
        int result = next_bad(s, SCRY_SIDE_BAD_NEXT_OF_ROOT, root, "", &b, err);
        if (result != 1)
            return result;
        char *relative = scry_store_join(prefix, b.relative);
        scry_bad_file moved = b;
        moved.relative = relative;
        memcpy(moved.root, to, SCRY_ID_BYTES);
        scry_file_id(to, relative, moved.id);
        result = scry_remote_side_put(s, &moved, err);
        if (result == 0)
            result = scry_remote_side_drop(s, b.id, err);
        free(relative);
        bad_dispose(&b);
        if (result < 0)
            return result;
    }
}

int scry_remote_side_move_all(scry_remote *from, scry_remote *to, scry_error *err)
{
    scry_bad_file last = { .relative = scry_strdup("") };
    int result;
    for (;;) {
        scry_bad_file b = { .relative = NULL };
        result = next_bad(from, SCRY_SIDE_BAD_NEXT, last.root, last.relative, &b, err);
        bad_dispose(&last);
        if (result != 1)
            break;
        last = b;
        result = scry_remote_side_put(to, &b, err);
        if (result < 0) {
            bad_dispose(&last);
            break;
        }
    }
    if (result == 0) {
        scry_db_close(&from->side, NULL);   /* which removes the files of its journal */
        unlink(from->side_path);            /* next_bad has set it */
    }
    return result;
}
