#include "store/db.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 10000 };

/* A path as a file: URI; everything that a URI could take for syntax is escaped. */
static char *file_uri(const char *path, const char *parameter)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    char *uri = scry_alloc(3 * strlen(path) + strlen(parameter) + 16), *at = uri;
    at = stpcpy(at, path[0] == '/' ? "file://" : "file:");
    for (const unsigned char *c = (const unsigned char *)path; *c; c++) {
        if (strchr(plain, *c))
            *at++ = (char)*c;
        else
            at += snprintf(at, 4, "%%%02X", *c);
    }
    if (parameter[0])
        stpcpy(stpcpy(at, "?"), parameter);
    return uri;
}

int scry_db_open(scry_db *db, const scry_db_statements *statements, const char *path, int flags, const char *parameter,
                 scry_error *err)
{
    *db = (scry_db){ .path = scry_strdup(path), .statements = statements,
                     .ready = scry_alloc(statements->count * sizeof *db->ready) };
    char *uri = file_uri(path, parameter);
    int rc = sqlite3_open_v2(uri, &db->handle, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    free(uri);
    if (rc != SQLITE_OK) {
        int result = scry_db_fail(db, err);
        scry_db_close(db, NULL);
        return result;
    }
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    return 0;
}

int scry_db_close(scry_db *db, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; db->ready && i < db->statements->count; i++)
        sqlite3_finalize(db->ready[i]);
    free(db->ready);
    if (db->handle && sqlite3_close(db->handle) != SQLITE_OK) {
        result = scry_db_fail(db, err);
        sqlite3_close_v2(db->handle);
    }
    free(db->path);
    memset(db, 0, sizeof *db);
    return result;
}

int scry_db_fail(scry_db *db, scry_error *err)
{
    int rc = db->handle ? sqlite3_errcode(db->handle) : SQLITE_NOMEM;
    const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
    int why = db->handle && rc != SQLITE_OK ? sqlite3_system_errno(db->handle) : 0;
    if (why == ENOSPC || why == EDQUOT)
        rc = SQLITE_FULL;
    switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return scry_fail(err, SCRY_EDAMAGED, "the database %s is damaged (%s): %s", db->path, text,
                         db->statements->remedy);
    case SQLITE_FULL:
        return scry_fail(err, SCRY_EIO, "the disk is full: cannot write %s; what was committed before is "
                         "safe, make room and run the command again", db->path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return scry_fail(err, SCRY_EIO, "cannot write %s: %s; use a store that can be written", db->path,
                         text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return scry_fail(err, SCRY_EBUSY, "%s is locked by another program; try again when it has ended",
                         db->path);
    case SQLITE_NOMEM:
        return scry_fail(err, SCRY_ENOMEM, "no memory for %s", db->path);
    default:
        if (db->handle && sqlite3_system_errno(db->handle))
            return scry_fail_errno(err, sqlite3_system_errno(db->handle), "cannot read or write %s (%s)", db->path, text);
        return scry_fail(err, SCRY_EIO, "cannot read or write %s: %s", db->path, text);
    }
}

int scry_db_exec(scry_db *db, const char *sql, scry_error *err)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : scry_db_fail(db, err);
}

int scry_db_number(scry_db *db, const char *sql, int64_t *out, scry_error *err)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) != SQLITE_OK)
        return scry_db_fail(db, err);
    int result = scry_db_step(db, st, err);
    if (result == 1)
        *out = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return result < 0 ? result : 0;
}

static int bind_one(sqlite3_stmt *st, int i, char type, va_list *ap)
{
    bool present = type == 'I' || type == 'D' ? va_arg(*ap, int) : true;
    if (type == 'i' || type == 'I') {
        int64_t value = va_arg(*ap, int64_t);
        return present ? sqlite3_bind_int64(st, i, value) : sqlite3_bind_null(st, i);
    }
    if (type == 'd' || type == 'D') {
        double value = va_arg(*ap, double);
        return present ? sqlite3_bind_double(st, i, value) : sqlite3_bind_null(st, i);
    }
    if (type == 't')
        return sqlite3_bind_text(st, i, va_arg(*ap, const char *), -1, SQLITE_STATIC);
    const void *bytes = va_arg(*ap, const void *);
    int n = type == 'x' ? (int)strlen(bytes) : va_arg(*ap, int);
    return sqlite3_bind_blob(st, i, n ? bytes : "", n, SQLITE_STATIC);
}

static int bind_all(sqlite3_stmt *st, const char *types, va_list *ap)
{
    int rc = SQLITE_OK;
    for (int i = 1; *types && rc == SQLITE_OK; types++, i++)
        rc = bind_one(st, i, *types, ap);
    return rc;
}

static int start(scry_db *db, int which, sqlite3_stmt **out, scry_error *err, const char *types, va_list *ap)
{
    sqlite3_stmt *st = db->ready[which];
    *out = NULL;
    if (!st) {
        if (sqlite3_prepare_v3(db->handle, db->statements->texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                               &db->ready[which], NULL) != SQLITE_OK)
            return scry_db_fail(db, err);
        st = db->ready[which];
    }
    if (bind_all(st, types, ap) != SQLITE_OK)
        return scry_db_fail(db, err);
    *out = st;
    return 0;
}

int scry_db_start(scry_db *db, int which, sqlite3_stmt **out, scry_error *err, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    int result = start(db, which, out, err, types, &ap);
    va_end(ap);
    return result;
}

int scry_db_step(scry_db *db, sqlite3_stmt *st, scry_error *err)
{
    int rc = sqlite3_step(st);
    return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : scry_db_fail(db, err);
}

void scry_db_end(sqlite3_stmt *st)
{
    if (st)
        sqlite3_reset(st);
}

const char *scry_db_text(sqlite3_stmt *st, int column)
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    return text ? text : "";
}

bool scry_db_bytes(sqlite3_stmt *st, int column, void *out, size_t n)
{
    const void *bytes = sqlite3_column_blob(st, column);
    bool good = bytes && (size_t)sqlite3_column_bytes(st, column) == n;
    if (good)
        memcpy(out, bytes, n);
    return good;
}

int scry_db_run(scry_db *db, int which, scry_error *err, const char *types, ...)
{
    sqlite3_stmt *st;
    va_list ap;
    va_start(ap, types);
    int result = start(db, which, &st, err, types, &ap);
    va_end(ap);
    while (result == 0 && (result = scry_db_step(db, st, err)) == 1)
        result = 0;
    scry_db_end(st);
    return result;
}

static sqlite3_file *file_of(scry_db *db)
{
    sqlite3_file *f = NULL;
    return sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &f) == SQLITE_OK && f && f->pMethods ? f : NULL;
}

bool scry_db_file_size(scry_db *db, uint64_t *out)
{
    sqlite3_file *f = file_of(db);
    sqlite3_int64 size;
    if (!f || f->pMethods->xFileSize(f, &size) != SQLITE_OK)
        return false;
    *out = (uint64_t)size;
    return true;
}

bool scry_db_read_file(scry_db *db, void *out, size_t n, uint64_t at)
{
    sqlite3_file *f = file_of(db);
    return f && f->pMethods->xRead(f, out, (int)n, (sqlite3_int64)at) == SQLITE_OK;
}

int64_t scry_db_changes(scry_db *db)
{
    return sqlite3_changes64(db->handle);
}
