/* list_files.c - all files, or all that could not be used, in order of root and path.
 *
 * A batch of rows is read in one short transaction, which ends before the callback gets them, so
 * that the callback may write to the store and a long walk does not stop SQLite's log from being reset.
 *
 * With a filter only the rows of the files that pass are read: the columns, as they were when the walk began, say which. */
#include "store/local/local.h"

#include "base/alloc.h"
#include "store/file_list.h"
#include "store/local/damage_mark.h"
#include "store/local/db_reader.h"
#include "store/local/file_order.h"
#include "store/local/file_row.h"
#include "store/local/view.h"
#include "store/predicates.h"
#include "store/results.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 256 };   /* rows read in one transaction */

typedef struct {
    uint8_t root[SCRY_ID_BYTES];
    bool started;            /* continue in `root`, after `relative` */
    char *relative;
    bool wants_text;         /* of scry_row */
} walk_place;

static void set_place(walk_place *p, const uint8_t *root, const char *relative)
{
    char *copy = scry_strdup(relative);
    free(p->relative);
    memcpy(p->root, root, SCRY_ID_BYTES);
    p->relative = copy;
    p->started = true;
}

/* The first root at or after the position; *relative gets where to continue in it. */
static const scry_root_entry *root_to_walk(const scry_root_list *roots, const walk_place *p,
                                           const char **relative)
{
    *relative = "";
    for (size_t i = 0; i < roots->count; i++) {
        int order = p->started ? memcmp(roots->items[i].id, p->root, SCRY_ID_BYTES) : 1;
        if (order == 0)
            *relative = p->relative;
        if (order >= 0)
            return &roots->items[i];
    }
    return NULL;
}

/* Move the position after the last file read of `root`, or to the next root if none was read; *done
 * after the last root. False if that would not be forward. */
static bool advance(walk_place *p, const scry_root_list *roots, const scry_root_entry *root,
                    const scry_file_list *batch, bool *done)
{
    const scry_root_entry *next = root + 1;
    const scry_file *last = batch->count ? &batch->items[batch->count - 1] : NULL;
    if (last && memcmp(last->root, root->id, SCRY_ID_BYTES) == 0 &&
        (!p->started || memcmp(p->root, root->id, SCRY_ID_BYTES) != 0 || strcmp(last->relative, p->relative) > 0))
        set_place(p, last->root, last->relative);
    else if (!last && next == roots->items + roots->count)
        *done = true;
    else if (!last && memcmp(next->id, root->id, SCRY_ID_BYTES) > 0)
        set_place(p, next->id, "");
    else
        return false;
    return true;
}

/* Files that were read in one transaction, and which of their rows are as they were written. */
typedef struct {
    scry_file_list files;
    bool whole[BATCH_ROWS];
    scry_error damage;       /* of the first that is not */
} file_batch;

static void add_file(file_batch *b, const scry_row *row, const char *db_path)
{
    b->whole[b->files.count] = row->is_whole;
    if (!b->damage.code)
        (void)!scry_row_check(row, db_path, &b->damage);
    scry_file_list_add(&b->files, &row->file);
}

/* Read up to BATCH_ROWS files after the position into `batch` and move the position. */
static int read_files(scry_reader *r, walk_place *p, file_batch *batch, bool *done, scry_error *err)
{
    scry_root_list roots;
    scry_row row = { .wants_text = p->wants_text };
    sqlite3_stmt *st = NULL;
    const char *relative;
    int result = scry_root_list_load(&r->db, &roots, err);
    if (result < 0)
        return result;
    const scry_root_entry *root = root_to_walk(&roots, p, &relative);
    *done = !root;
    if (root)
        result = scry_db_start(&r->db, SCRY_SQL_FILES_OF_ROOT, &st, err, "iti", root->number, relative, (int64_t)BATCH_ROWS);
    while (root && result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = scry_row_read(&row, st, &roots, r->db.path, err);
        if (result == 0)
            add_file(batch, &row, r->db.path);
    }
    scry_db_end(st);
    if (root && result == 0 && !advance(p, &roots, root, &batch->files, done))
        result = scry_reader_out_of_order(r, err);
    scry_row_dispose(&row);
    scry_root_list_dispose(&roots);
    return result;
}

static int place_after(scry_local *s, const uint8_t *id, walk_place *p, scry_error *err)
{
    scry_results *r;
    int result = scry_local_get(&s->base, id, &r, err);
    if (result < 0)
        return result;
    set_place(p, r->hits[0].file.root, r->hits[0].file.relative);
    scry_results_free(r);
    return 0;
}

typedef struct {
    const scry_filter_node *filter;
    bool damaged;            /* also files whose row is not as it was written; else the collection is marked */
    int (*each)(void *, const scry_file *);
    void *arg;
} file_walk;

/* Pass on the files of a batch; true when no more are wanted. */
static bool pass_files(scry_local *s, const file_walk *w, const file_batch *batch)
{
    bool stop = false;
    if (!w->damaged && batch->damage.code)
        scry_damage_found(s, batch->damage.message);
    for (size_t i = 0; i < batch->files.count && !stop; i++)
        if ((w->damaged || batch->whole[i]) && scry_filter_match(w->filter, &batch->files.items[i]))
            stop = w->each(w->arg, &batch->files.items[i]) != 0;
    return stop;
}

static int walk_files(scry_local *s, const file_walk *w, const uint8_t *after, scry_error *err)
{
    walk_place place = { .wants_text = scry_filter_asks_words(w->filter) };
    bool done = false, stop = false;
    int result = after ? place_after(s, after, &place, err) : 0;
    while (result == 0 && !done && !stop) {
        scry_reader *r;
        if ((result = scry_reader_acquire(s, &r, err)) < 0)
            break;
        file_batch batch = { .damage = SCRY_ERROR_INIT };
        result = read_files(r, &place, &batch, &done, err);
        scry_reader_release(s, r);
        stop = result == 0 && pass_files(s, w, &batch);
        scry_file_list_dispose(&batch.files);
    }
    free(place.relative);
    return result;
}

/* ---- with a filter ---- */

/* Read the rows of up to BATCH_ROWS files that pass; those that were removed since the order was made are left out. */
static int read_passing(scry_reader *r, scry_file_order *o, bool wants_text, file_batch *batch, bool *done, scry_error *err)
{
    scry_root_list roots;   /* as they are called now */
    scry_row row = { .wants_text = wants_text };
    scry_buf name = SCRY_BUF_INIT(1 << 20);
    sqlite3_stmt *st = NULL;
    uint64_t at;
    int result = scry_root_list_load(&r->db, &roots, err);
    *done = false;
    for (size_t i = 0; i < BATCH_ROWS && result == 0 && !(*done = !scry_file_order_next(o, &at)); i++) {
        size_t size;
        const char *bytes = scry_file_order_name(o, at, &size);
        scry_buf_clear(&name);
        scry_buf_append(&name, bytes, size);
        result = scry_db_start(&r->db, SCRY_SQL_FILE_AT, &st, err, "it", o->roots->items[o->root].number, scry_buf_str(&name));
        if (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
            result = scry_row_read(&row, st, &roots, r->db.path, err);
            if (result == 0)
                add_file(batch, &row, r->db.path);
        }
        scry_db_end(st);
    }
    scry_root_list_dispose(&roots);
    scry_buf_dispose(&name);
    scry_row_dispose(&row);
    return result;
}

static int walk_passing(scry_local *s, const file_walk *w, scry_file_order *o, scry_error *err)
{
    bool done = false, stop = false;
    int result = 0;
    while (result == 0 && !done && !stop) {
        scry_reader *r;
        if ((result = scry_reader_acquire(s, &r, err)) < 0)
            break;
        file_batch batch = { .damage = SCRY_ERROR_INIT };
        result = read_passing(r, o, scry_filter_asks_words(w->filter), &batch, &done, err);
        scry_reader_release(s, r);
        stop = result == 0 && pass_files(s, w, &batch);
        scry_file_list_dispose(&batch.files);
    }
    return result;
}

/* 1 where there are no columns: then every row is to be looked at. */
static int walk_filtered(scry_local *s, const file_walk *w, const uint8_t *after, scry_error *err)
{
    scry_file_order o;
    scry_passing_files p = { .f = NULL };
    scry_reader *r;
    scry_view *v = NULL;
    walk_place place = { .relative = NULL };
    int result = after ? place_after(s, after, &place, err) : 0;
    if (result == 0)
        result = scry_reader_view_acquire(s, &r, &v, err);
    if (result == 0) {
        if (scry_view_lists(v))
            result = scry_filter_files(s, r, v, &(scry_file_filter){ w->filter, true, false, SCRY_COLUMNS_FOR_NAMES }, &p, err);
        else
            result = 1;
        scry_reader_release(s, r);
    }
    if (result == 0) {
        scry_file_order_start(&o, &p, &v->roots, after ? place.root : NULL, place.relative);
        result = walk_passing(s, w, &o, err);
        if (result == 0)
            result = scry_view_check(s, v, err);
    }
    scry_passing_dispose(&p);
    scry_view_release(s, v);
    free(place.relative);
    return result;
}

int scry_local_each_file(scry_store *base, const scry_filter_node *filter, const uint8_t *after,
                         int (*each)(void *, const scry_file *), void *arg, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    const file_walk w = { filter, false, each, arg };
    int result = filter ? walk_filtered(s, &w, after, err) : 1;
    return result == 1 ? walk_files(s, &w, after, err) : result;
}

int scry_local_each_stored(scry_store *base, const scry_filter_node *filter, int (*each)(void *, const scry_file *), void *arg,
                           scry_error *err)
{
    return walk_files((scry_local *)base, &(file_walk){ filter, true, each, arg }, NULL, err);
}

/* ---- files that could not be used ---- */

typedef struct {
    char *path, *reason;
    const char *relative;   /* the end of path */
    int64_t root_number, size, mtime_ns;
    bool whole;             /* the row is as it was written */
} bad_file;

typedef struct {
    bad_file items[BATCH_ROWS];
    size_t count;
} bad_batch;

static void bad_batch_clear(bad_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        free(b->items[i].path);
        free(b->items[i].reason);
    }
    b->count = 0;
}

static bool is_whole_bad(const bad_file *b, const scry_root_entry *root, sqlite3_stmt *st)
{
    uint8_t id[SCRY_ID_BYTES], expected[SCRY_ID_BYTES];
    if (!root || !scry_db_bytes(st, 0, id, sizeof id))
        return false;
    scry_file_id(root->id, b->relative, expected);
    return memcmp(id, expected, sizeof id) == 0 &&
           scry_bad_crc(id, b->size, b->mtime_ns, b->reason) == (uint32_t)sqlite3_column_int64(st, 6);
}

/* Pass on one file; non-zero when no more are wanted. One whose row is not as it was written is
 * left out, as by scry_local_each_file. */
static int pass_bad(scry_local *s, const bad_file *b, int (*each)(void *, const char *, int64_t, int64_t, const char *), void *arg)
{
    scry_error damage = SCRY_ERROR_INIT;
    if (b->whole)
        return each(arg, b->path, b->size, b->mtime_ns, b->reason);
    scry_fail(&damage, SCRY_EDAMAGED, "the row of the bad file %s in %s is damaged: run scry verify", b->path, s->db_path);
    scry_damage_found(s, damage.message);
    return 0;
}

/* Read up to BATCH_ROWS after root and relative path. */
static int read_bad(scry_reader *r, int64_t root_number, const char *relative, bad_batch *batch, scry_error *err)
{
    scry_root_list roots;
    sqlite3_stmt *st = NULL;
    int result = scry_root_list_load(&r->db, &roots, err);
    if (result == 0)
        result = scry_db_start(&r->db, SCRY_SQL_BAD_ALL, &st, err, "iti", root_number, relative, (int64_t)BATCH_ROWS);
    while (result == 0 && batch->count < BATCH_ROWS && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = 0;
        bad_file *b = &batch->items[batch->count++];
        const char *name = scry_db_text(st, 2);
        b->root_number = sqlite3_column_int64(st, 1);
        const scry_root_entry *root = scry_root_by_number(&roots, b->root_number);
        b->path = scry_store_join(root ? root->path : "?", name);
        b->relative = b->path + strlen(b->path) - strlen(name);
        b->size = sqlite3_column_int64(st, 3);
        b->mtime_ns = sqlite3_column_int64(st, 4);
        b->reason = scry_strdup(scry_db_text(st, 5));
        b->whole = is_whole_bad(b, root, st);
    }
    scry_db_end(st);
    scry_root_list_dispose(&roots);
    const bad_file *last = batch->count ? &batch->items[batch->count - 1] : NULL;
    if (result == 0 && last && (last->root_number < root_number ||
                                (last->root_number == root_number && strcmp(last->relative, relative) <= 0)))
        result = scry_reader_out_of_order(r, err);
    return result;
}

int scry_local_each_bad(scry_store *base,
                        int (*each)(void *, const char *, int64_t, int64_t, const char *), void *arg,
                        scry_error *err)
{
    scry_local *s = (scry_local *)base;
    int64_t root_number = -1;
    char *relative = scry_strdup("");
    bad_batch *batch = scry_alloc(sizeof *batch);
    bool done = false;
    int result = 0;
    while (result == 0 && !done) {
        scry_reader *r;
        if ((result = scry_reader_acquire(s, &r, err)) < 0)
            break;
        result = read_bad(r, root_number, relative, batch, err);
        scry_reader_release(s, r);
        done = batch->count == 0;
        if (result == 0 && !done) {
            const bad_file *last = &batch->items[batch->count - 1];
            free(relative);
            relative = scry_strdup(last->relative);
            root_number = last->root_number;
        }
        for (size_t i = 0; i < batch->count && result == 0 && !done; i++)
            done = pass_bad(s, &batch->items[i], each, arg) != 0;
        bad_batch_clear(batch);
    }
    free(batch);
    free(relative);
    return result;
}
