/* writer.c - adding, replacing and removing files. One call, one transaction. */
#include "store/local/writer.h"

#include "base/alloc.h"
#include "store/local/columns.h"
#include "base/crc32c.h"
#include "store/local/file_row.h"
#include "store/local/transaction.h"
#include "vector/vector.h"

#include <stdlib.h>
#include <string.h>

int scry_local_record_gone(scry_local *s, int64_t number, int64_t root, const char *relative,
                           scry_error *err)
{
    s->gone++;
    return scry_db_run(&s->writer, SCRY_SQL_GONE_ADD, err, "iit", number, root, relative);
}

/* Drop a content that no file names any more; its slot is dead. */
static int drop_orphan(scry_local *s, int64_t slot, scry_error *err)
{
    int result = scry_db_run(&s->writer, SCRY_SQL_CONTENT_DROP, err, "i", slot);
    if (result < 0 || scry_db_changes(&s->writer) == 0)
        return result;
    s->work.contents--;
    result = scry_db_run(&s->writer, SCRY_SQL_DETAILS_DROP, err, "i", slot);
    if (result == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_TEXT_DROP, err, "i", slot);
    return result < 0 ? result : scry_db_run(&s->writer, SCRY_SQL_DEAD_ADD, err, "i", slot);
}

/* The number of a root. */
static int find_root(const scry_local *s, const scry_root_list *roots, const uint8_t *id, int64_t *out,
                     scry_error *err)
{
    const scry_root_entry *r = scry_root_by_id(roots, id);
    if (!r)
        return scry_fail(err, SCRY_EINVALID, "%s has no root of that id: add the folder as a root first", s->where);
    *out = r->number;
    return 0;
}

/* Delete the file of this id; *slot gets the slot of its content, -1 when there was none. */
static int delete_file(scry_local *s, const uint8_t *id, int64_t *slot, scry_error *err)
{
    sqlite3_stmt *st;
    *slot = -1;
    int result = scry_db_start(&s->writer, SCRY_SQL_FILE_FIND, &st, err, "b", id, (int)SCRY_ID_BYTES);
    if (result == 0)
        result = scry_db_step(&s->writer, st, err);
    if (result == 1) {
        int64_t number = sqlite3_column_int64(st, 0);
        *slot = sqlite3_column_int64(st, 1);
        result = scry_local_record_gone(s, number, sqlite3_column_int64(st, 2),
                                        scry_db_text(st, 3), err);
        scry_db_end(st);
        if (result == 0)
            result = scry_db_run(&s->writer, SCRY_SQL_FILE_DELETE, err, "i", number);
        if (result == 0)
            result = scry_db_run(&s->writer, SCRY_SQL_NOTES_DROP, err, "b", id, (int)SCRY_ID_BYTES);
        if (result == 0)
            result = scry_db_run(&s->writer, SCRY_SQL_SEEN_DROP, err, "b", id, (int)SCRY_ID_BYTES);
        s->work.files--;
        return result;
    }
    scry_db_end(st);
    return result;
}

static int delete_bad(scry_local *s, const uint8_t *id, scry_error *err)
{
    int result = scry_db_run(&s->writer, SCRY_SQL_BAD_DELETE, err, "b", id, (int)SCRY_ID_BYTES);
    if (result < 0 || scry_db_changes(&s->writer) == 0)
        return result;
    s->work.bad--;
    return scry_db_run(&s->writer, SCRY_SQL_SEEN_DROP, err, "b", id, (int)SCRY_ID_BYTES);
}

/* Note the change time of a file's row, or of a remembered bad one's. */
static int put_seen(scry_local *s, const uint8_t *id, int64_t ctime_ns, scry_error *err)
{
    return ctime_ns ? scry_db_run(&s->writer, SCRY_SQL_SEEN_PUT, err, "bi", id, (int)SCRY_ID_BYTES, ctime_ns) : 0;
}

/* Append to the pending vectors; returns the checksum, *slot gets its slot. */
static uint32_t append_vector(scry_local *s, const float *vector, int64_t *slot)
{
    if (s->pending_rows == s->pending_capacity) {
        s->pending_capacity = s->pending_capacity ? 2 * s->pending_capacity : 64;
        s->pending = scry_realloc(s->pending, s->pending_capacity * s->row_bytes);
    }
    uint8_t *row = s->pending + s->pending_rows * s->row_bytes;
    memset(row, 0, s->row_bytes);
    scry_half_from_float((uint16_t *)(void *)row, vector, (size_t)s->base.dim);
    *slot = s->work.slots + (int64_t)s->pending_rows++;
    return scry_crc32c(0, row, s->row_bytes);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static int put_details(scry_local *s, const scry_file *f, int64_t slot, scry_error *err)
{
    return scry_db_run(&s->writer, SCRY_SQL_DETAILS_PUT, err, "iiIIitttti", slot, (int64_t)f->taken_source, f->has_taken_offset,
                       (int64_t)f->taken_offset_min, f->has_rating, (int64_t)f->rating, (int64_t)f->damaged, or_empty(f->lens),
                       or_empty(f->title), or_empty(f->description), or_empty(f->keywords), (int64_t)scry_details_crc(f));
}

static int add_content(scry_local *s, const scry_put *p, int64_t *slot, scry_error *err)
{
    const scry_file *f = &p->file;
    if (!p->vector)
        return scry_fail(err, SCRY_EINVALID, "the content of %s is not in the store and came without its "
                         "vector", f->relative);
    if (s->work.slots + (int64_t)s->pending_rows >= UINT32_MAX)
        return scry_fail(err, SCRY_ELIMIT, "%s has used all its 2^32 slots: compact it", s->where);
    uint32_t crc = append_vector(s, p->vector, slot);
    int result = scry_db_run(&s->writer, SCRY_SQL_CONTENT_ADD, err, "ibiiitIDDti", *slot, f->content,
                             (int)SCRY_HASH_BYTES, (int64_t)crc, (int64_t)f->width, (int64_t)f->height,
                             or_empty(f->format), f->has_time, f->taken_at, f->has_position, f->latitude,
                             f->has_position, f->longitude, or_empty(f->camera),
                             (int64_t)scry_content_crc(f, crc));
    s->work.contents += result == 0;
    return result < 0 ? result : put_details(s, f, *slot, err);
}

int scry_local_renumber_files(scry_local *s, int64_t slot, scry_error *err)
{
    sqlite3_stmt *st;
    for (int64_t end = s->work.next_file;;) {
        int result = scry_db_start(&s->writer, SCRY_SQL_FILES_NUMBERS, &st, err, "ii", slot, end);
        if (result == 0)
            result = scry_db_step(&s->writer, st, err);
        if (result != 1) {
            scry_db_end(st);
            return result;
        }
        int64_t number = sqlite3_column_int64(st, 0);
        result = scry_local_record_gone(s, number, sqlite3_column_int64(st, 1),
                                        scry_db_text(st, 2), err);
        scry_db_end(st);
        if (result == 0)
            result = scry_db_run(&s->writer, SCRY_SQL_FILE_RENUMBER, err, "ii", s->work.next_file++, number);
        if (result < 0)
            return result;
    }
}

/* Whether the content has these details, and they are stored as they were written. */
static int has_details(scry_local *s, const scry_file *f, int64_t slot, bool *out, scry_error *err)
{
    sqlite3_stmt *st;
    scry_file stored = { 0 };
    int result = scry_db_start(&s->writer, SCRY_SQL_DETAILS_FIND, &st, err, "i", slot);
    *out = false;
    if (result == 0 && (result = scry_db_step(&s->writer, st, err)) == 1) {
        memcpy(stored.content, f->content, SCRY_HASH_BYTES);
        (void)scry_row_read_details(&stored, st, 0);
        uint32_t crc = scry_details_crc(&stored);
        *out = crc == (uint32_t)sqlite3_column_int64(st, 8) && crc == scry_details_crc(f);
    }
    scry_db_end(st);
    return result < 0 ? result : 0;
}

/* A content that was decoded again keeps its vector and gets the fields of its headers as read now. */
static int update_content(scry_local *s, const scry_put *p, int64_t slot, uint32_t vector_crc,
                          uint32_t old_crc, scry_error *err)
{
    const scry_file *f = &p->file;
    uint32_t crc = scry_content_crc(f, vector_crc);
    bool same_details;
    if (!p->vector && !p->new_headers)
        return 0;
    int result = has_details(s, f, slot, &same_details, err);
    if (result < 0 || (crc == old_crc && same_details))
        return result;
    if ((result = put_details(s, f, slot, err)) < 0)
        return result;
    result = scry_db_run(&s->writer, SCRY_SQL_CONTENT_UPDATE, err, "iitIDDtii", (int64_t)f->width,
                             (int64_t)f->height, or_empty(f->format), f->has_time, f->taken_at,
                             f->has_position, f->latitude, f->has_position, f->longitude,
                             or_empty(f->camera), (int64_t)crc, slot);
    return result < 0 ? result : scry_local_renumber_files(s, slot, err);   /* other files have the content's fields, too */
}

static int find_or_add_content(scry_local *s, const scry_put *p, int64_t *slot, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&s->writer, SCRY_SQL_CONTENT_FIND, &st, err, "b", p->file.content,
                               (int)SCRY_HASH_BYTES);
    if (result == 0)
        result = scry_db_step(&s->writer, st, err);
    if (result == 1) {
        *slot = sqlite3_column_int64(st, 0);
        uint32_t vector_crc = (uint32_t)sqlite3_column_int64(st, 8);
        scry_file stored = { 0 };   /* a row that is not as its checksum says is written again */
        memcpy(stored.content, p->file.content, SCRY_HASH_BYTES);
        scry_row_read_picture(&stored, st, 1);
        uint32_t row_crc = scry_content_crc(&stored, vector_crc);
        bool whole = row_crc == (uint32_t)sqlite3_column_int64(st, 9);
        scry_db_end(st);
        return update_content(s, p, *slot, vector_crc, whole ? row_crc : ~row_crc, err);
    }
    scry_db_end(st);
    return result < 0 ? result : add_content(s, p, slot, err);
}

/* Labels as they are stored: each with its final zero. Owned by the caller. */
static char *pack_labels(const scry_file *f, size_t *size)
{
    *size = 0;
    for (size_t i = 0; i < f->label_count; i++)
        *size += strlen(f->labels[i]) + 1;
    char *packed = scry_alloc(*size), *at = packed;
    for (size_t i = 0; i < f->label_count; i++)
        at = stpcpy(at, f->labels[i]) + 1;
    return packed;
}

static int put_notes(scry_local *s, const uint8_t *id, const scry_file_notes *n, scry_error *err)
{
    return scry_db_run(&s->writer, SCRY_SQL_NOTES_PUT, err, "biIIDDItttti", id, (int)SCRY_ID_BYTES, (int64_t)n->taken_source,
                       n->taken_source != SCRY_TAKEN_UNKNOWN, n->taken_at, n->has_taken_offset, (int64_t)n->taken_offset_min,
                       n->has_position, n->latitude, n->has_position, n->longitude, n->has_rating, (int64_t)n->rating,
                       or_empty(n->title), or_empty(n->description), or_empty(n->keywords), or_empty(n->companion),
                       (int64_t)scry_notes_crc(id, n));
}

static int add_file(scry_local *s, const scry_file *f, int64_t root, int64_t slot, scry_error *err)
{
    size_t size;
    char *labels = pack_labels(f, &size);
    int result;
    if (size > 1 << 20)
        result = scry_fail(err, SCRY_ELIMIT, "the labels of %s take more than a megabyte", f->relative);
    else
        result = scry_db_run(&s->writer, SCRY_SQL_FILE_ADD, err, "ibitiiitbi", s->work.next_file++, f->id,
                             (int)SCRY_ID_BYTES, root, f->relative, f->size, f->mtime_ns, slot,
                             or_empty(f->key), labels, (int)size, (int64_t)scry_file_crc(f, labels, size));
    s->work.files += result == 0;
    free(labels);
    return result < 0 || !f->notes ? result : put_notes(s, f->id, f->notes, err);
}

/* *old_slot gets the slot of the content that the file had before, -1 when there was none. */
static int put_one(scry_local *s, const scry_put *p, const scry_root_list *roots, int64_t *old_slot,
                   scry_error *err)
{
    scry_put put = *p;
    int64_t root = 0, slot = 0;
    int result = find_root(s, roots, put.file.root, &root, err);
    if (result < 0)
        return result;
    scry_file_id(put.file.root, put.file.relative, put.file.id);
    if ((result = find_or_add_content(s, &put, &slot, err)) < 0 ||
        (result = delete_file(s, put.file.id, old_slot, err)) < 0 ||
        (result = delete_bad(s, put.file.id, err)) < 0)
        return result;
    result = add_file(s, &put.file, root, slot, err);
    return result < 0 ? result : put_seen(s, put.file.id, put.ctime_ns, err);
}

/* Orphans are dropped after the last file: while files exchange their contents, a content may be without
 * one for a moment. */
static int put_all(scry_local *s, const scry_put *batch, size_t n, const scry_root_list *roots,
                   scry_error *err)
{
    int64_t *left = scry_alloc((n + 1) * sizeof *left);   /* [n] slots of contents that files of the batch no longer have */
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++)
        result = put_one(s, &batch[i], roots, &left[i], err);
    for (size_t i = 0; i < n && result == 0; i++)
        if (left[i] >= 0)
            result = drop_orphan(s, left[i], err);
    free(left);
    return result;
}

int scry_local_put(scry_store *base, const scry_put *batch, size_t n, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_root_list roots = { 0 };
    int result = scry_local_check_writable(s, err);
    if (result < 0 || (result = scry_local_begin(s, err)) < 0)
        return result;
    result = scry_root_list_load(&s->writer, &roots, err);
    if (result == 0)
        result = put_all(s, batch, n, &roots, err);
    scry_root_list_dispose(&roots);
    result = scry_local_end(s, result, err);
    if (result == 0)
        scry_columns_update(s, 4096 + s->head.files / 4);   /* seldom: it reads all rows */
    return result;
}

int scry_local_add_bad(scry_local *s, const scry_bad_file *bad, int64_t root, scry_error *err)
{
    return scry_db_run(&s->writer, SCRY_SQL_BAD_PUT, err, "bitiiti", bad->id, (int)SCRY_ID_BYTES, root,
                       bad->relative, bad->size, bad->mtime_ns, bad->reason,
                       (int64_t)scry_bad_crc(bad->id, bad->size, bad->mtime_ns, bad->reason));
}

static int put_bad(scry_local *s, const scry_bad_file *bad, scry_error *err)
{
    scry_root_list roots;
    int64_t slot, root = 0;
    int result = scry_root_list_load(&s->writer, &roots, err);
    if (result < 0)
        return result;
    result = find_root(s, &roots, bad->root, &root, err);
    scry_root_list_dispose(&roots);
    if (result < 0 || (result = delete_file(s, bad->id, &slot, err)) < 0 ||
        (result = delete_bad(s, bad->id, err)) < 0)
        return result;
    if (slot >= 0 && (result = drop_orphan(s, slot, err)) < 0)
        return result;
    s->work.bad++;
    result = scry_local_add_bad(s, bad, root, err);
    return result < 0 ? result : put_seen(s, bad->id, bad->ctime_ns, err);
}

int scry_local_put_bad(scry_store *base, const scry_bad_file *bad, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    int result = scry_local_check_writable(s, err);
    if (result < 0 || (result = scry_local_begin(s, err)) < 0)
        return result;
    result = put_bad(s, bad, err);
    return scry_local_end(s, result, err);
}

static int remove_one(scry_local *s, const uint8_t *id, uint64_t *removed, scry_error *err)
{
    int64_t slot, bad = s->work.bad;
    int result = delete_file(s, id, &slot, err);
    if (result == 0 && slot >= 0)
        result = drop_orphan(s, slot, err);
    if (result == 0)
        result = delete_bad(s, id, err);
    *removed += slot >= 0 || bad != s->work.bad;
    return result;
}

int scry_local_remove(scry_store *base, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n,
                      uint64_t *removed, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    uint64_t count = 0;
    int result = scry_local_check_writable(s, err);
    if (result < 0 || (result = scry_local_begin(s, err)) < 0)
        return result;
    for (size_t i = 0; i < n && result == 0; i++)
        result = remove_one(s, ids[i], &count, err);
    result = scry_local_end(s, result, err);
    if (result == 0)
        *removed = count;
    return result;
}
