/* local_files.c - looking files and contents up, and walking them. */
#include "store/local_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { WALK_ROWS = 256 };   /* rows read in one transaction of a walk */

static int state_of_file(scry_reader *r, const uint8_t *id, scry_file_state *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&r->db, SCRY_SQL_FILE_STATE, &st, err, "b", id, (int)SCRY_ID_BYTES);
    if (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        out->known = true;
        out->size = sqlite3_column_int64(st, 0);
        out->mtime_ns = sqlite3_column_int64(st, 1);
        if (sqlite3_column_bytes(st, 2) == SCRY_HASH_BYTES)
            memcpy(out->content, sqlite3_column_blob(st, 2), SCRY_HASH_BYTES);
    }
    scry_db_end(st);
    return result;
}

static int state_of_bad(scry_reader *r, const uint8_t *id, scry_file_state *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&r->db, SCRY_SQL_BAD_STATE, &st, err, "b", id, (int)SCRY_ID_BYTES);
    if (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        out->known = out->bad = true;
        out->size = sqlite3_column_int64(st, 0);
        out->mtime_ns = sqlite3_column_int64(st, 1);
    }
    scry_db_end(st);
    return result;
}

int scry_local_file_state(scry_store *base, const uint8_t *root, const char *relative,
                          scry_file_state *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    uint8_t id[SCRY_ID_BYTES];
    int result = 0;
    scry_file_id(root, relative, id);
    pthread_mutex_lock(&s->state_lock);
    scry_reader *r = s->state_reader;
    s->state_reader = NULL;
    if (!r)
        result = scry_reader_take(s, &r, err);
    if (result == 0 && (result = state_of_file(r, id, out, err)) == 0)
        result = state_of_bad(r, id, out, err);
    if (s->writable && !s->network && result >= 0)
        s->state_reader = r;
    else
        scry_reader_give(s, r);
    pthread_mutex_unlock(&s->state_lock);
    return result < 0 ? result : 0;
}

/* The picture's fields of a CONTENT_FIND row; the two strings are kept in the store. */
static void lend_content(scry_local *s, sqlite3_stmt *st, const uint8_t *hash, scry_file *out)
{
    const char *format = scry_db_text(st, 3);
    const char *camera = scry_db_text(st, 7);
    size_t n = strlen(format) + 1, m = strlen(camera) + 1;
    free(s->content_text);
    s->content_text = scry_alloc(n + m);
    out->format = memcpy(s->content_text, format, n);
    out->camera = memcpy(s->content_text + n, camera, m);
    out->relative = out->path = out->key = "";
    memcpy(out->content, hash, SCRY_HASH_BYTES);
    out->width = sqlite3_column_int(st, 1);
    out->height = sqlite3_column_int(st, 2);
    out->has_time = sqlite3_column_type(st, 4) != SQLITE_NULL;
    out->taken_at = sqlite3_column_int64(st, 4);
    out->has_position = sqlite3_column_type(st, 5) != SQLITE_NULL;
    out->latitude = sqlite3_column_double(st, 5);
    out->longitude = sqlite3_column_double(st, 6);
}

int scry_local_has_content(scry_store *base, const uint8_t *hash, scry_file *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    sqlite3_stmt *st;
    int result = scry_reader_take(s, &r, err);
    if (result < 0)
        return result;
    result = scry_db_start(&r->db, SCRY_SQL_CONTENT_FIND, &st, err, "b", hash, (int)SCRY_HASH_BYTES);
    if (result == 0)
        result = scry_db_step(&r->db, st, err);
    if (result == 1 && out)
        lend_content(s, st, hash, out);
    scry_db_end(st);
    scry_reader_give(s, r);
    return result;
}

int scry_local_vector(scry_store *base, const uint8_t *hash, float *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_view *v = NULL;
    sqlite3_stmt *st = NULL;
    int result = scry_reader_view_take(s, &r, &v, err);
    if (result < 0)
        return result;
    if ((result = scry_db_start(&r->db, SCRY_SQL_CONTENT_FIND, &st, err, "b", hash, (int)SCRY_HASH_BYTES)) == 0)
        result = scry_db_step(&r->db, st, err);
    int64_t slot = result == 1 ? sqlite3_column_int64(st, 0) : -1;
    if (result == 0)
        result = scry_fail(err, SCRY_ENOTFOUND, "no such content in %s", s->where);
    else if (result == 1 && (slot < 0 || slot >= v->head.slots))
        result = scry_fail(err, SCRY_EINVALID, "a content row of %s is damaged: run scry verify", s->where);
    else if (result == 1) {
        scry_half_to_float(out, (const uint16_t *)(const void *)scry_view_row(s, v, slot), (size_t)s->base.dim);
        result = 0;
    }
    scry_db_end(st);
    scry_view_give(s, v);
    scry_reader_give(s, r);
    return result;
}

/* Read the first row of a started statement; SCRY_ENOTFOUND without one. */
static int first_row(scry_local *s, scry_reader *r, sqlite3_stmt *st, const scry_root_list *roots,
                     scry_row *row, scry_error *err)
{
    int result = scry_db_step(&r->db, st, err);
    if (result == 0)
        return scry_fail(err, SCRY_ENOTFOUND, "no file of that id in %s", s->where);
    return result < 0 ? result : scry_row_read(row, st, roots, s->db_path, err);
}

static int count_copies(scry_reader *r, int64_t slot, uint64_t *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&r->db, SCRY_SQL_COPIES_COUNT, &st, err, "i", slot);
    if (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1)
        *out = (uint64_t)sqlite3_column_int64(st, 0);
    scry_db_end(st);
    return result < 0 ? result : 0;
}

int scry_local_get(scry_store *base, const uint8_t *id, scry_results **out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_root_list roots = { 0 };
    scry_row row = { 0 };
    sqlite3_stmt *st = NULL;
    uint64_t files = 1;
    int result = scry_reader_take(s, &r, err);
    if (result < 0)
        return result;
    if ((result = scry_root_list_load(&r->db, &roots, err)) == 0 &&
        (result = scry_db_start(&r->db, SCRY_SQL_FILE_BY_ID, &st, err, "b", id, (int)SCRY_ID_BYTES)) == 0 &&
        (result = first_row(s, r, st, &roots, &row, err)) == 0 &&
        (result = count_copies(r, row.slot, &files, err)) == 0) {
        *out = scry_results_new();
        scry_results_add(*out, 0, &row.file, files - 1);
    }
    scry_db_end(st);
    scry_row_dispose(&row);
    scry_root_list_dispose(&roots);
    scry_reader_give(s, r);
    return result;
}

/* ---- walking ----
 *
 * A walk reads some rows in one short transaction, ends it, and hands them out, so that
 * its callback may write to the store and a long walk keeps no log from being cleared. */

typedef struct {
    uint8_t root[SCRY_ID_BYTES];
    bool started;            /* root is the one to go on in, behind `relative` */
    char *relative;
} walk_place;

static void set_place(walk_place *p, const uint8_t *root, const char *relative)
{
    char *copy = scry_strdup(relative);
    free(p->relative);
    memcpy(p->root, root, SCRY_ID_BYTES);
    p->relative = copy;
    p->started = true;
}

/* The first root at or behind the place; *relative gets where to go on in it. */
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

int scry_reader_out_of_order(const scry_reader *r, scry_error *err)
{
    return scry_fail(err, SCRY_EINVALID, "the rows of %s are out of order, it is damaged: run scry verify", r->db.path);
}

/* Put up to WALK_ROWS files behind the place into `batch` and move the place; *done at the end. */
static int read_files(scry_reader *r, walk_place *p, scry_results *batch, bool *done, scry_error *err)
{
    scry_root_list roots;
    scry_row row = { 0 };
    sqlite3_stmt *st = NULL;
    const char *relative;
    int result = scry_root_list_load(&r->db, &roots, err);
    if (result < 0)
        return result;
    const scry_root_entry *root = root_to_walk(&roots, p, &relative);
    *done = !root;
    if (root)
        result = scry_db_start(&r->db, SCRY_SQL_FILES_OF_ROOT, &st, err, "iti", root->number, relative,
                               (int64_t)WALK_ROWS);
    while (root && result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = scry_row_read(&row, st, &roots, r->db.path, err);
        if (result == 0)
            scry_results_add(batch, 0, &row.file, 0);
    }
    scry_db_end(st);
    if (result == 0 && batch->count) {
        const scry_file *last = &batch->hits[batch->count - 1].file;
        if (memcmp(last->root, root->id, SCRY_ID_BYTES) == 0 && strcmp(last->relative, relative) > 0)
            set_place(p, last->root, last->relative);
        else
            result = scry_reader_out_of_order(r, err);
    } else if (result == 0 && root) {
        const scry_root_entry *next = root + 1;
        *done = next == roots.items + roots.count;
        if (!*done && memcmp(next->id, root->id, SCRY_ID_BYTES) > 0)
            set_place(p, next->id, "");
        else if (!*done)
            result = scry_reader_out_of_order(r, err);
    }
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

int scry_local_each_file(scry_store *base, const scry_filter_node *filter, const uint8_t *after,
                         int (*each)(void *, const scry_file *), void *arg, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    walk_place place = { 0 };
    bool done = false, stop = false;
    int result = after ? place_after(s, after, &place, err) : 0;
    while (result == 0 && !done && !stop) {
        scry_reader *r;
        if ((result = scry_reader_take(s, &r, err)) < 0)
            break;
        scry_results *batch = scry_results_new();
        result = read_files(r, &place, batch, &done, err);
        scry_reader_give(s, r);
        for (size_t i = 0; i < batch->count && result == 0 && !stop; i++)
            if (scry_filter_match(filter, &batch->hits[i].file))
                stop = each(arg, &batch->hits[i].file) != 0;
        scry_results_free(batch);
    }
    free(place.relative);
    return result;
}

/* Bad files as hits: the reason stands in `key`. */
static int read_bad(scry_reader *r, int64_t *root_number, char **relative, scry_results *batch,
                    scry_error *err)
{
    scry_root_list roots;
    sqlite3_stmt *st = NULL;
    int64_t last_number = *root_number;
    int result = scry_root_list_load(&r->db, &roots, err);
    if (result == 0)
        result = scry_db_start(&r->db, SCRY_SQL_BAD_ALL, &st, err, "iti", *root_number, *relative,
                               (int64_t)WALK_ROWS);
    while (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = 0;
        int64_t number = sqlite3_column_int64(st, 1);
        const scry_root_entry *root = scry_root_by_number(&roots, number);
        scry_file f = { .relative = scry_db_text(st, 2),
                        .size = sqlite3_column_int64(st, 3), .mtime_ns = sqlite3_column_int64(st, 4),
                        .key = scry_db_text(st, 5) };
        char *path = scry_store_join(root ? root->path : "?", f.relative);
        f.path = path;
        scry_results_add(batch, 0, &f, 0);
        free(path);
        last_number = number;
    }
    scry_db_end(st);
    if (result == 0 && batch->count) {
        const char *last = batch->hits[batch->count - 1].file.relative;
        if (last_number < *root_number || (last_number == *root_number && strcmp(last, *relative) <= 0))
            result = scry_reader_out_of_order(r, err);
        free(*relative);
        *relative = scry_strdup(last);
        *root_number = last_number;
    }
    scry_root_list_dispose(&roots);
    return result;
}

int scry_local_each_bad(scry_store *base,
                        int (*each)(void *, const char *, int64_t, int64_t, const char *), void *arg,
                        scry_error *err)
{
    scry_local *s = (scry_local *)base;
    int64_t root_number = -1;
    char *relative = scry_strdup("");
    bool done = false;
    int result = 0;
    while (result == 0 && !done) {
        scry_reader *r;
        if ((result = scry_reader_take(s, &r, err)) < 0)
            break;
        scry_results *batch = scry_results_new();
        result = read_bad(r, &root_number, &relative, batch, err);
        scry_reader_give(s, r);
        done = batch->count == 0;
        for (size_t i = 0; i < batch->count && result == 0 && !done; i++) {
            const scry_file *f = &batch->hits[i].file;
            done = each(arg, f->path, f->size, f->mtime_ns, f->key) != 0;
        }
        scry_results_free(batch);
    }
    free(relative);
    return result;
}
