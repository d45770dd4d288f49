/* local_roots.c - the folders that were indexed.
 *
 * Roots never contain each other. A root's id is made from its path when it is made and
 * stays when the folder moves, so that the ids of its files stay too. */
#include "store/local_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "store/filter_internal.h"

#include <stdlib.h>
#include <string.h>

/* SHA-256 of the path, cut to 128 bits. Where a root that moved away since holds that id,
 * a counter behind the path makes another. */
static void make_root_id(const scry_root_list *roots, const char *path, uint8_t *id)
{
    for (unsigned n = 0;; n++) {
        uint8_t digest[SCRY_SHA256_BYTES];
        char *text = n ? scry_asprintf("%s%c%u", path, 1, n) : scry_strdup(path);
        scry_sha256_of(text, strlen(text), digest);
        free(text);
        memcpy(id, digest, SCRY_ID_BYTES);
        bool taken = false;
        for (size_t i = 0; i < roots->count; i++)
            taken |= memcmp(roots->items[i].id, id, SCRY_ID_BYTES) == 0;
        if (!taken)
            return;
    }
}

static int count_files(scry_db *db, int64_t root, uint64_t *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(db, SCRY_SQL_ROOT_COUNT, &st, err, "i", root);
    if (result == 0 && (result = scry_db_step(db, st, err)) == 1)
        *out = (uint64_t)sqlite3_column_int64(st, 0);
    scry_db_end(st);
    return result < 0 ? result : 0;
}

typedef struct {
    int64_t number;                 /* of the new root */
    uint8_t id[SCRY_ID_BYTES];
} new_root;

/* The part of `path` below `folder`. */
static const char *below(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    return path + n + (folder[n - 1] == '/' ? 0 : 1);
}

static int take_file(scry_local *s, const new_root *to, const scry_root_entry *from, const char *prefix,
                     sqlite3_stmt *st, scry_error *err)
{
    scry_root_list only = { (scry_root_entry *)from, 1 };
    scry_row row = { 0 };
    size_t labels_bytes = (size_t)sqlite3_column_bytes(st, 8);
    int result = scry_row_read(&row, st, &only, s->db_path, err);
    if (result == 0)
        result = scry_local_forget_file(s, row.number, from->number, row.file.relative, err);
    if (result == 0) {
        char *relative = scry_store_join(prefix, row.file.relative);
        row.file.relative = relative;
        scry_file_id(to->id, relative, row.file.id);
        uint32_t crc = scry_file_crc(&row.file, sqlite3_column_blob(st, 8), labels_bytes);
        int64_t number = row.number;
        scry_db_end(st);   /* before the table changes under it */
        result = scry_db_run(&s->writer, SCRY_SQL_FILE_MOVE_ROOT, err, "ibitii", s->work.next_file++,
                             row.file.id, (int)SCRY_ID_BYTES, to->number, relative, (int64_t)crc, number);
        free(relative);
    }
    scry_row_dispose(&row);
    return result;
}

static int take_bad(scry_local *s, const new_root *to, const char *prefix, sqlite3_stmt *st,
                    scry_error *err)
{
    uint8_t old_id[SCRY_ID_BYTES] = { 0 }, id[SCRY_ID_BYTES];
    if (sqlite3_column_bytes(st, 0) == SCRY_ID_BYTES)
        memcpy(old_id, sqlite3_column_blob(st, 0), SCRY_ID_BYTES);
    char *relative = scry_store_join(prefix, scry_db_text(st, 1));
    char *reason = scry_strdup(scry_db_text(st, 4));
    int64_t size = sqlite3_column_int64(st, 2), mtime_ns = sqlite3_column_int64(st, 3);
    scry_db_end(st);
    scry_file_id(to->id, relative, id);
    int result = scry_db_run(&s->writer, SCRY_SQL_BAD_DELETE, err, "b", old_id, (int)SCRY_ID_BYTES);
    if (result == 0 && scry_db_changes(&s->writer) == 0)
        result = scry_fail(err, SCRY_EINVALID, "a bad file's row in %s is damaged: run scry verify", s->db_path);
    if (result == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_BAD_PUT, err, "bitiiti", id, (int)SCRY_ID_BYTES,
                             to->number, relative, size, mtime_ns, reason,
                             (int64_t)scry_bad_crc(id, size, mtime_ns, reason));
    free(relative);
    free(reason);
    return result;
}

/* Take the first file, or the first bad one, that root `from` still has; 0 when none is left. */
static int take_next(scry_local *s, scry_sql which, const new_root *to, const scry_root_entry *from,
                     const char *prefix, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&s->writer, which, &st, err, "i", from->number);
    if (result == 0)
        result = scry_db_step(&s->writer, st, err);
    if (result == 1) {
        int taken = which == SCRY_SQL_FILE_OF_ROOT ? take_file(s, to, from, prefix, st, err)
                                                   : take_bad(s, to, prefix, st, err);
        result = taken < 0 ? taken : 1;
    }
    scry_db_end(st);
    return result;
}

static int take_in(scry_local *s, const new_root *to, const char *path, const scry_root_entry *from,
                   scry_error *err)
{
    const char *prefix = below(path, from->path);
    int result;
    while ((result = take_next(s, SCRY_SQL_FILE_OF_ROOT, to, from, prefix, err)) == 1)
        ;
    if (result == 0)
        while ((result = take_next(s, SCRY_SQL_BAD_OF_ROOT, to, from, prefix, err)) == 1)
            ;
    return result < 0 ? result : scry_db_run(&s->writer, SCRY_SQL_ROOT_DELETE, err, "i", from->number);
}

static int add_new_root(scry_local *s, const scry_root_list *roots, const char *path, scry_root *out,
                        scry_error *err)
{
    new_root to;
    make_root_id(roots, path, to.id);
    int result = scry_db_run(&s->writer, SCRY_SQL_ROOT_ADD, err, "bti", to.id, (int)SCRY_ID_BYTES, path,
                             (int64_t)scry_root_crc(to.id, path));
    to.number = sqlite3_last_insert_rowid(s->writer.handle);
    for (size_t i = 0; i < roots->count && result == 0; i++)
        if (scry_path_within(path, roots->items[i].path))
            result = take_in(s, &to, path, &roots->items[i], err);
    if (result == 0 && (result = count_files(&s->writer, to.number, &out->files, err)) == 0)
        memcpy(out->id, to.id, SCRY_ID_BYTES);
    return result;
}

/* `out->path` lives until the next call on roots. */
static void lend_path(scry_local *s, scry_root *out, const char *path)
{
    char *copy = scry_strdup(path);
    free(s->root_path);
    out->path = s->root_path = copy;
}

/* The root that `path` lies in; NULL without. */
static const scry_root_entry *root_around(const scry_root_list *roots, const char *path)
{
    for (size_t i = 0; i < roots->count; i++)
        if (scry_path_within(roots->items[i].path, path))
            return &roots->items[i];
    return NULL;
}

int scry_local_add_root(scry_store *base, const char *path, scry_root *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_root_list roots = { 0 };
    int result = scry_local_check_writable(s, err);
    if (result < 0 || (result = scry_root_list_load(&s->writer, &roots, err)) < 0)
        return result;
    const scry_root_entry *around = root_around(&roots, path);
    if (around) {
        memcpy(out->id, around->id, SCRY_ID_BYTES);
        lend_path(s, out, around->path);
        result = count_files(&s->writer, around->number, &out->files, err);
    } else if ((result = scry_local_begin(s, err)) == 0) {
        result = add_new_root(s, &roots, path, out, err);
        lend_path(s, out, path);
        if (result == 0)
            result = scry_local_commit(s, err);
        else
            scry_local_abort(s);
    }
    scry_root_list_dispose(&roots);
    return result;
}

/* 1 when the root is there already. */
static int check_put(const scry_local *s, const scry_root_list *roots, const scry_root *root, scry_error *err)
{
    for (size_t i = 0; i < roots->count; i++)
        if (memcmp(roots->items[i].id, root->id, SCRY_ID_BYTES) == 0)
            return 1;
    for (size_t i = 0; i < roots->count; i++) {
        const char *other = roots->items[i].path;
        if (scry_path_within(other, root->path) || scry_path_within(root->path, other))
            return scry_fail(err, SCRY_EINVALID, "%s cannot become a root of %s: it overlaps the root %s there",
                             root->path, s->where, other);
    }
    return 0;
}

int scry_local_put_root(scry_store *base, const scry_root *root, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_root_list roots = { 0 };
    int result = scry_local_check_writable(s, err);
    if (result < 0 || (result = scry_root_list_load(&s->writer, &roots, err)) < 0)
        return result;
    result = check_put(s, &roots, root, err);
    if (result == 0 && (result = scry_local_begin(s, err)) == 0) {
        result = scry_db_run(&s->writer, SCRY_SQL_ROOT_ADD, err, "bti", root->id, (int)SCRY_ID_BYTES, root->path,
                             (int64_t)scry_root_crc(root->id, root->path));
        if (result == 0)
            result = scry_local_commit(s, err);
        else
            scry_local_abort(s);
    }
    scry_root_list_dispose(&roots);
    return result < 0 ? result : 0;
}

static int check_move(const scry_local *s, const scry_root_list *roots, const char *old_path,
                      const char *new_path, const scry_root_entry **out, scry_error *err)
{
    *out = NULL;
    for (size_t i = 0; i < roots->count; i++) {
        const scry_root_entry *r = &roots->items[i];
        if (strcmp(r->path, old_path) == 0)
            *out = r;
        else if (scry_path_within(r->path, new_path) || scry_path_within(new_path, r->path))
            return scry_fail(err, SCRY_EINVALID, "%s cannot become a root: it overlaps the root %s",
                             new_path, r->path);
    }
    if (!*out)
        return scry_fail(err, SCRY_ENOTFOUND, "%s is no root of %s: scry root list shows them", old_path,
                         s->where);
    return 0;
}

int scry_local_move_root(scry_store *base, const char *old_path, const char *new_path, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_root_list roots = { 0 };
    const scry_root_entry *r;
    int result = scry_local_check_writable(s, err);
    if (result < 0 || (result = scry_root_list_load(&s->writer, &roots, err)) < 0)
        return result;
    if ((result = check_move(s, &roots, old_path, new_path, &r, err)) == 0 &&
        (result = scry_local_begin(s, err)) == 0) {
        result = scry_db_run(&s->writer, SCRY_SQL_ROOT_MOVE, err, "tii", new_path,
                             (int64_t)scry_root_crc(r->id, new_path), r->number);
        if (result == 0)
            result = scry_local_commit(s, err);
        else
            scry_local_abort(s);
    }
    scry_root_list_dispose(&roots);
    return result;
}

int scry_local_roots(scry_store *base, int (*each)(void *, const scry_root *), void *arg, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_root_list roots = { 0 };
    int result = scry_reader_take(s, &r, err);
    if (result < 0)
        return result;
    result = scry_root_list_load(&r->db, &roots, err);
    uint64_t *files = scry_alloc(roots.count * sizeof *files);
    for (size_t i = 0; i < roots.count && result == 0; i++)
        result = count_files(&r->db, roots.items[i].number, &files[i], err);
    scry_reader_give(s, r);
    bool stop = false;
    for (size_t i = 0; i < roots.count && result == 0 && !stop; i++) {
        scry_root root = { .path = roots.items[i].path, .files = files[i] };
        memcpy(root.id, roots.items[i].id, SCRY_ID_BYTES);
        stop = each(arg, &root) != 0;
    }
    free(files);
    scry_root_list_dispose(&roots);
    return result;
}
