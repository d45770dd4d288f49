/* lookup.c - one file or content, by its key. */
#include "store/local/local.h"

#include "base/alloc.h"
#include "store/local/damage_mark.h"
#include "store/local/db_reader.h"
#include "store/local/raw_pairs.h"
#include "store/local/view.h"
#include "store/pairs.h"
#include "store/results.h"
#include "vector/vector.h"

#include <stdlib.h>
#include <string.h>

static int state_of_file(scry_reader *r, const uint8_t *id, scry_file_state *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&r->db, SCRY_SQL_FILE_STATE, &st, err, "b", id, (int)SCRY_ID_BYTES);
    if (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        out->known = true;
        out->size = sqlite3_column_int64(st, 0);
        out->mtime_ns = sqlite3_column_int64(st, 1);
        (void)scry_db_bytes(st, 2, out->content, SCRY_HASH_BYTES);
        out->ctime_ns = sqlite3_column_int64(st, 3);
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
        out->ctime_ns = sqlite3_column_int64(st, 2);
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
        result = scry_reader_acquire(s, &r, err);
    if (result == 0 && (result = state_of_file(r, id, out, err)) == 0)
        result = state_of_bad(r, id, out, err);
    if (s->writable && !s->network && result >= 0)
        s->state_reader = r;
    else
        scry_reader_release(s, r);
    pthread_mutex_unlock(&s->state_lock);
    return result < 0 ? result : 0;
}

/* The picture's fields of a CONTENT_FIND row. Its two strings are copied into the store. */
static void copy_content(scry_local *s, sqlite3_stmt *st, const uint8_t *hash, scry_file *out)
{
    out->relative = out->path = out->key = "";
    memcpy(out->content, hash, SCRY_HASH_BYTES);
    scry_row_read_picture(out, st, 1);
    size_t n = strlen(out->format) + 1, m = strlen(out->camera) + 1;
    free(s->content_text);
    s->content_text = scry_alloc(n + m);
    out->format = memcpy(s->content_text, out->format, n);
    out->camera = memcpy(s->content_text + n, out->camera, m);
}

int scry_local_has_content(scry_store *base, const uint8_t *hash, scry_file *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    sqlite3_stmt *st;
    int result = scry_reader_acquire(s, &r, err);
    if (result < 0)
        return result;
    result = scry_db_start(&r->db, SCRY_SQL_CONTENT_FIND, &st, err, "b", hash, (int)SCRY_HASH_BYTES);
    if (result == 0)
        result = scry_db_step(&r->db, st, err);
    if (result == 1 && out)
        copy_content(s, st, hash, out);
    scry_db_end(st);
    scry_reader_release(s, r);
    return result;
}

int scry_local_vector(scry_store *base, const uint8_t *hash, float *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_view *v = NULL;
    sqlite3_stmt *st = NULL;
    int result = scry_reader_view_acquire(s, &r, &v, err);
    if (result < 0)
        return result;
    if ((result = scry_db_start(&r->db, SCRY_SQL_CONTENT_FIND, &st, err, "b", hash, (int)SCRY_HASH_BYTES)) == 0)
        result = scry_db_step(&r->db, st, err);
    int64_t slot = result == 1 ? sqlite3_column_int64(st, 0) : -1;
    if (result == 0)
        result = scry_fail(err, SCRY_ENOTFOUND, "no such content in %s", s->where);
    else if (result == 1 && (slot < 0 || slot >= v->head.slots))
        result = scry_fail(err, SCRY_EDAMAGED, "a content row of %s is damaged: run scry verify", s->where);
    else if (result == 1 && (result = scry_view_check_vector(s, v, slot, (uint32_t)sqlite3_column_int64(st, 8), err)) == 0) {
        scry_half_to_float(out, scry_view_vector(s, v, slot), (size_t)s->base.dim);
    }
    scry_db_end(st);
    return scry_reader_view_release(s, r, v, result, err);
}

/* Read the first row of a started statement; SCRY_ENOTFOUND without one. */
static int first_row(scry_local *s, scry_reader *r, sqlite3_stmt *st, const scry_root_list *roots,
                     scry_row *row, scry_error *err)
{
    int result = scry_db_step(&r->db, st, err);
    if (result == 0)
        return scry_fail(err, SCRY_ENOTFOUND, "no file of that id in %s", s->where);
    if (result < 0 || (result = scry_row_read(row, st, roots, s->db_path, err)) < 0)
        return result;
    scry_error damage = SCRY_ERROR_INIT;
    if ((result = scry_row_check(row, s->db_path, &damage)) < 0) {
        scry_damage_found(s, damage.message);
        result = scry_fail(err, result, "%s", damage.message);
    }
    return result;
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

static int find_raw(scry_local *s, scry_reader *r, const scry_root_list *roots, const scry_row *row, char **raw, scry_error *err)
{
    scry_beside b = { s, r, roots, NULL };
    int result = scry_is_raw(&row->file) ? 0 : scry_raw_pair_of(&b, row, raw, err);
    return result < 0 ? result : 0;
}

int scry_local_get(scry_store *base, const uint8_t *id, scry_results **out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_root_list roots = { 0 };
    scry_row row = { .wants_text = true };
    sqlite3_stmt *st = NULL;
    uint64_t files = 1;
    char *raw = NULL;
    int result = scry_reader_acquire(s, &r, err);
    if (result < 0)
        return result;
    if ((result = scry_root_list_load(&r->db, &roots, err)) == 0 &&
        (result = scry_db_start(&r->db, SCRY_SQL_FILE_BY_ID, &st, err, "b", id, (int)SCRY_ID_BYTES)) == 0 &&
        (result = first_row(s, r, st, &roots, &row, err)) == 0 &&
        (result = count_copies(r, row.slot, &files, err)) == 0 && (result = find_raw(s, r, &roots, &row, &raw, err)) == 0) {
        row.file.raw = raw;
        *out = scry_results_new();
        scry_results_add(*out, 0, &row.file, files - 1);
    }
    scry_db_end(st);
    free(raw);
    scry_row_dispose(&row);
    scry_root_list_dispose(&roots);
    scry_reader_release(s, r);
    return result;
}
