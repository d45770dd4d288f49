/* root_table.c - the folders that were indexed.
 *
 * Roots never contain each other. A root's id is made from its path when it is made and
 * stays when the folder moves, so that the ids of its files stay too. */
#include "store/local/local.h"

#include "base/alloc.h"
#include "store/local/db_reader.h"
#include "store/local/file_row.h"
#include "store/local/transaction.h"
#include "store/local/writer.h"
#include "store/predicates.h"
#include "store/results.h"

#include <stdlib.h>
#include <string.h>

/* SHA-256 of the path, cut to 128 bits. When a root that has moved away since has that id,
 * a counter appended to the path makes another. */
static void make_root_id(const scry_root_list *roots, const char *path, uint8_t *id)
{
    for (unsigned n = 0;; n++) {
        char *text = n ? scry_asprintf("%s%c%u", path, 1, n) : scry_strdup(path);
        scry_id_of_text(text, id);
        free(text);
        if (!scry_root_by_id(roots, id))
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
    int64_t number;
    uint8_t id[SCRY_ID_BYTES];
} new_root;

/* The part of `path` below `folder`. */
static const char *below(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    return path + n + (folder[n - 1] == '/' ? 0 : 1);
}

static int move_file(scry_local *s, const new_root *to, const scry_root_entry *from, const char *prefix,
                     sqlite3_stmt *st, scry_error *err)
{
    scry_root_list only = { (scry_root_entry *)from, 1 };
    scry_row row = { 0 };
    size_t labels_bytes = (size_t)sqlite3_column_bytes(st, 8);
    uint8_t old_id[SCRY_ID_BYTES];
    int result = scry_row_read_raw(&row, st, &only, s->db_path, err);
    if (result == 0)
        result = scry_row_check(&row, s->db_path, err);   /* its new checksum would make the damage right */
    if (result == 0)
        result = scry_local_record_gone(s, row.number, from->number, row.file.relative, err);
    if (result == 0) {
        char *relative = scry_store_join(prefix, row.file.relative);
        row.file.relative = relative;
        memcpy(old_id, row.file.id, sizeof old_id);
        scry_file_id(to->id, relative, row.file.id);
        bool noted = row.file.notes;
        uint32_t notes_crc = noted ? scry_notes_crc(row.file.id, row.file.notes) : 0;
        uint32_t crc = scry_file_crc(&row.file, sqlite3_column_blob(st, 8), labels_bytes);
        int64_t number = row.number;
        scry_db_end(st);   /* before the table changes that it reads */
        result = scry_db_run(&s->writer, SCRY_SQL_FILE_MOVE_ROOT, err, "ibitii", s->work.next_file++,
                             row.file.id, (int)SCRY_ID_BYTES, to->number, relative, (int64_t)crc, number);
        if (result == 0 && noted)
            result = scry_db_run(&s->writer, SCRY_SQL_NOTES_MOVE, err, "bib", row.file.id, (int)SCRY_ID_BYTES,
                                 (int64_t)notes_crc, old_id, (int)SCRY_ID_BYTES);
        if (result == 0)
            result = scry_db_run(&s->writer, SCRY_SQL_SEEN_MOVE, err, "bb", row.file.id, (int)SCRY_ID_BYTES, old_id,
                                 (int)SCRY_ID_BYTES);
        free(relative);
    }
    scry_row_dispose(&row);
    return result;
}

static int move_bad(scry_local *s, const new_root *to, const char *prefix, sqlite3_stmt *st,
                    scry_error *err)
{
    uint8_t old_id[SCRY_ID_BYTES] = { 0 };
    (void)scry_db_bytes(st, 0, old_id, SCRY_ID_BYTES);
    char *relative = scry_store_join(prefix, scry_db_text(st, 1)), *reason = scry_strdup(scry_db_text(st, 4));
    scry_bad_file bad = { .relative = relative, .reason = reason, .size = sqlite3_column_int64(st, 2),
                          .mtime_ns = sqlite3_column_int64(st, 3) };
    scry_db_end(st);
    memcpy(bad.root, to->id, SCRY_ID_BYTES);
    scry_file_id(to->id, relative, bad.id);
    int result = scry_db_run(&s->writer, SCRY_SQL_BAD_DELETE, err, "b", old_id, (int)SCRY_ID_BYTES);
    if (result == 0 && scry_db_changes(&s->writer) == 0)
        result = scry_fail(err, SCRY_EDAMAGED, "a bad file's row in %s is damaged: run scry verify", s->db_path);
    if (result == 0)
        result = scry_local_add_bad(s, &bad, to->number, err);
    if (result == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_SEEN_MOVE, err, "bb", bad.id, (int)SCRY_ID_BYTES, old_id, (int)SCRY_ID_BYTES);
    free(relative);
    free(reason);
    return result;
}

/* Move the first file, or the first bad one, that root `from` still has to the new root; 0 when none is left. */
static int move_next(scry_local *s, scry_sql which, const new_root *to, const scry_root_entry *from,
                     const char *prefix, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&s->writer, which, &st, err, "i", from->number);
    if (result == 0)
        result = scry_db_step(&s->writer, st, err);
    if (result == 1) {
        int moved = which == SCRY_SQL_FILE_OF_ROOT ? move_file(s, to, from, prefix, st, err)
                                                   : move_bad(s, to, prefix, st, err);
        result = moved < 0 ? moved : 1;
    }
    scry_db_end(st);
    return result;
}

static int absorb_root(scry_local *s, const new_root *to, const char *path, const scry_root_entry *from,
                   scry_error *err)
{
    const char *prefix = below(path, from->path);
    int result;
    while ((result = move_next(s, SCRY_SQL_FILE_OF_ROOT, to, from, prefix, err)) == 1)
        ;
    if (result == 0)
        while ((result = move_next(s, SCRY_SQL_BAD_OF_ROOT, to, from, prefix, err)) == 1)
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
            result = absorb_root(s, &to, path, &roots->items[i], err);
    if (result == 0 && (result = count_files(&s->writer, to.number, &out->files, err)) == 0)
        memcpy(out->id, to.id, SCRY_ID_BYTES);
    return result;
}

/* `out->path` is valid until the next call on roots. */
static void return_path(scry_local *s, scry_root *out, const char *path)
{
    char *copy = scry_strdup(path);
    free(s->root_path);
    out->path = s->root_path = copy;
    out->name = NULL;
}

/* The root that contains `path`, or NULL. */
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
        return_path(s, out, around->path);
        result = count_files(&s->writer, around->number, &out->files, err);
    } else if ((result = scry_local_begin(s, err)) == 0) {
        result = add_new_root(s, &roots, path, out, err);
        return_path(s, out, path);
        result = scry_local_end(s, result, err);
    }
    scry_root_list_dispose(&roots);
    return result;
}

/* 1 when the root is there already. */
static int check_put(const scry_local *s, const scry_root_list *roots, const scry_root *root, scry_error *err)
{
    if (scry_root_by_id(roots, root->id))
        return 1;
    int result = 0;
    for (size_t i = 0; i < roots->count && result == 0; i++)
        result = scry_store_check_overlap(s->where, roots->items[i].path, root->path, err);
    return result;
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
        result = scry_local_end(s, result, err);
    }
    scry_root_list_dispose(&roots);
    return result < 0 ? result : 0;
}

static int check_move(const scry_local *s, const scry_root_list *roots, const char *old_path,
                      const char *new_path, const scry_root_entry **out, scry_error *err)
{
    int result = 0;
    *out = NULL;
    for (size_t i = 0; i < roots->count && result == 0; i++) {
        const scry_root_entry *r = &roots->items[i];
        if (strcmp(r->path, old_path) == 0)
            *out = r;
        else
            result = scry_store_check_overlap(s->where, r->path, new_path, err);
    }
    if (result == 0 && !*out)
        result = scry_fail(err, SCRY_ENOTFOUND, "%s is not a root of %s: scry root list shows them", old_path, s->where);
    return result;
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
        result = scry_local_end(s, result, err);
    }
    scry_root_list_dispose(&roots);
    return result;
}

int scry_local_roots(scry_store *base, int (*each)(void *, const scry_root *), void *arg, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_root_list roots = { 0 };
    int result = scry_reader_acquire(s, &r, err);
    if (result < 0)
        return result;
    result = scry_root_list_load(&r->db, &roots, err);
    uint64_t *files = scry_alloc(roots.count * sizeof *files);
    for (size_t i = 0; i < roots.count && result == 0; i++)
        result = count_files(&r->db, roots.items[i].number, &files[i], err);
    scry_reader_release(s, r);
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
