/* texts.c - what was read in pictures: a row of table texts for each content that was looked at. */
#include "store/local/local.h"

#include "base/alloc.h"
#include "store/file_list.h"
#include "store/local/columns.h"
#include "store/local/db_reader.h"
#include "store/local/file_row.h"
#include "store/local/transaction.h"
#include "store/local/writer.h"
#include "store/text_lines.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_CONTENTS = 64, BATCH_TEXTS = 256 };   /* that a walk reads in one transaction */

/* ---- writing ---- */

/* The slot of a content, -1 when there is none. */
static int find_slot(scry_local *s, const uint8_t *hash, int64_t *slot, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&s->writer, SCRY_SQL_CONTENT_FIND, &st, err, "b", hash, (int)SCRY_HASH_BYTES);
    *slot = -1;
    if (result == 0 && (result = scry_db_step(&s->writer, st, err)) == 1)
        *slot = sqlite3_column_int64(st, 0);
    scry_db_end(st);
    return result < 0 ? result : 0;
}

/* Whether the content has other lines now than those in `lines`. */
static int has_changed(scry_local *s, const uint8_t *hash, const scry_buf *lines, bool *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&s->writer, SCRY_SQL_TEXT_GET, &st, err, "b", hash, (int)SCRY_HASH_BYTES);
    *out = lines->size > 0;
    if (result == 0 && (result = scry_db_step(&s->writer, st, err)) == 1) {
        size_t n = (size_t)sqlite3_column_bytes(st, 2);
        *out = n != lines->size || (n && memcmp(sqlite3_column_blob(st, 2), lines->data, n) != 0);
    }
    scry_db_end(st);
    return result < 0 ? result : 0;
}

static int put_text(scry_local *s, const scry_picture_text *t, scry_buf *lines, scry_error *err)
{
    const char *reason = t->reason ? t->reason : "";
    bool changed;
    int64_t slot;
    int result = find_slot(s, t->content, &slot, err);
    if (result < 0 || slot < 0)
        return result;
    scry_text_pack(lines, t->lines, reason[0] ? 0 : t->line_count);
    if (lines->failed)
        return scry_fail(err, SCRY_ENOMEM, "no memory for %zu lines of text", t->line_count);
    if ((result = has_changed(s, t->content, lines, &changed, err)) < 0)
        return result;
    result = scry_db_run(&s->writer, SCRY_SQL_TEXT_PUT, err, "ittbi", slot, t->reader, reason, lines->data, (int)lines->size,
                         (int64_t)scry_text_crc(t->content, t->reader, reason, lines->data, lines->size));
    return result < 0 || !changed ? result : scry_local_renumber_files(s, slot, err);
}

int scry_local_put_texts(scry_store *base, const scry_picture_text *texts, size_t n, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_buf lines = SCRY_BUF_INIT(SCRY_TEXT_PACKED);
    int result = scry_local_check_writable(s, err);
    if (result < 0 || n == 0 || (result = scry_local_begin(s, err)) < 0)
        return result;
    for (size_t i = 0; i < n && result == 0; i++)
        result = put_text(s, &texts[i], &lines, err);
    scry_buf_dispose(&lines);
    result = scry_local_end(s, result, err);
    if (result == 0)
        scry_columns_update(s, 4096 + s->head.files / 4);   /* seldom, as when files are put */
    return result;
}

/* ---- reading ---- */

static int text_of_row(sqlite3_stmt *st, const uint8_t *hash, scry_picture_text **out, const char *db_path, scry_error *err)
{
    const char *who = scry_db_text(st, 0), *why = scry_db_text(st, 1);
    const void *lines = sqlite3_column_blob(st, 2);
    size_t n = (size_t)sqlite3_column_bytes(st, 2);
    if (scry_text_crc(hash, who, why, lines, n) == (uint32_t)sqlite3_column_int64(st, 3))
        *out = scry_text_unpack(lines, n, who, why);
    if (!*out)
        return scry_fail(err, SCRY_EDAMAGED, "a picture's text in %s is damaged: run scry verify", db_path);
    memcpy((*out)->content, hash, SCRY_HASH_BYTES);
    return 0;
}

int scry_local_get_text(scry_store *base, const uint8_t *hash, scry_picture_text **out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    sqlite3_stmt *st;
    int result = scry_reader_acquire(s, &r, err);
    if (result < 0)
        return result;
    result = scry_db_start(&r->db, SCRY_SQL_TEXT_GET, &st, err, "b", hash, (int)SCRY_HASH_BYTES);
    if (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1)
        result = text_of_row(st, hash, out, s->db_path, err);
    scry_db_end(st);
    scry_reader_release(s, r);
    return result;
}

/* Up to BATCH_TEXTS of the texts after the slot, which moves on. */
static int read_texts(scry_reader *r, int64_t *after, scry_picture_text **out, size_t *count, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&r->db, SCRY_SQL_TEXTS_AFTER, &st, err, "ii", *after, (int64_t)BATCH_TEXTS);
    *count = 0;
    while (result == 0 && *count < BATCH_TEXTS && (result = scry_db_step(&r->db, st, err)) == 1) {
        uint8_t hash[SCRY_HASH_BYTES] = { 0 };
        int64_t slot = sqlite3_column_int64(st, 5);
        (void)scry_db_bytes(st, 4, hash, sizeof hash);
        out[*count] = NULL;
        result = slot > *after ? 0 : scry_reader_out_of_order(r, err);
        if (result == 0)
            *count += text_of_row(st, hash, &out[*count], r->db.path, NULL) == 0;   /* a damaged one is as if it were not there */
        *after = slot;
    }
    scry_db_end(st);
    return result;
}

int scry_local_each_text(scry_store *base, int (*each)(void *, const scry_picture_text *, size_t), void *arg, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_picture_text *texts[BATCH_TEXTS], flat[BATCH_TEXTS];
    int64_t after = -1;
    int result = 0;
    for (bool done = false; result == 0 && !done;) {
        scry_reader *r;
        size_t count;
        if ((result = scry_reader_acquire(s, &r, err)) < 0)
            break;
        int64_t before = after;
        result = read_texts(r, &after, texts, &count, err);
        scry_reader_release(s, r);
        done = after == before;
        for (size_t i = 0; i < count; i++)
            flat[i] = *texts[i];
        if (result == 0 && count)
            done = each(arg, flat, count) != 0;
        for (size_t i = 0; i < count; i++)
            scry_picture_text_free(texts[i]);
    }
    return result;
}

int scry_local_count_texts(scry_store *base, const char *reader, scry_text_counts *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    sqlite3_stmt *st;
    int result = scry_reader_acquire(s, &r, err);
    if (result < 0)
        return result;
    result = scry_db_start(&r->db, SCRY_SQL_TEXTS_COUNT, &st, err, "t", reader);
    if (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        uint64_t contents = (uint64_t)sqlite3_column_int64(st, 0), rows = (uint64_t)sqlite3_column_int64(st, 1);
        out->with_text = (uint64_t)sqlite3_column_int64(st, 2);
        out->failed = (uint64_t)sqlite3_column_int64(st, 3);
        out->read = rows - out->failed;
        out->unread = contents > rows ? contents - rows : 0;
    }
    scry_db_end(st);
    scry_reader_release(s, r);
    return result < 0 ? result : 0;
}

/* ---- what is to be read ---- */

typedef struct {
    const scry_unread *which;
    int64_t after;            /* the last slot that was read */
    int64_t slots[BATCH_CONTENTS];
    size_t count;
    scry_file_list files;     /* of all slots, in their order */
    size_t ends[BATCH_CONTENTS];   /* in `files` */
} unread_walk;

static int read_slots(unread_walk *w, scry_reader *r, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&r->db, SCRY_SQL_TEXTS_UNREAD, &st, err, "itii", w->after, w->which->reader, (int64_t)w->which->retry,
                               (int64_t)BATCH_CONTENTS);
    w->count = 0;
    while (result == 0 && w->count < BATCH_CONTENTS && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = 0;
        w->slots[w->count++] = sqlite3_column_int64(st, 0);
    }
    scry_db_end(st);
    if (result == 0 && w->count && w->slots[0] <= w->after)
        result = scry_reader_out_of_order(r, err);
    if (result == 0 && w->count)
        w->after = w->slots[w->count - 1];
    return result;
}

static int read_files(unread_walk *w, scry_reader *r, scry_error *err)
{
    scry_root_list roots;
    scry_row row = { 0 };
    int result = scry_root_list_load(&r->db, &roots, err);
    if (result < 0)
        return result;
    for (size_t i = 0; i < w->count && result == 0; i++) {
        sqlite3_stmt *st;
        result = scry_db_start(&r->db, SCRY_SQL_FILES_OF_SLOT, &st, err, "i", w->slots[i]);
        while (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1)
            if ((result = scry_row_read(&row, st, &roots, r->db.path, err)) == 0)
                scry_file_list_add(&w->files, &row.file);
        scry_db_end(st);
        w->ends[i] = w->files.count;
    }
    scry_row_dispose(&row);
    scry_root_list_dispose(&roots);
    return result;
}

int scry_local_each_unread(scry_store *base, const scry_unread *which, int (*each)(void *, const scry_file *, size_t), void *arg,
                           scry_error *err)
{
    scry_local *s = (scry_local *)base;
    unread_walk w = { .which = which, .after = which->after - 1 };   /* added is slot + 1 */
    int result = 0;
    for (bool done = false; result == 0 && !done;) {
        scry_reader *r;
        if ((result = scry_reader_acquire(s, &r, err)) < 0)
            break;
        result = read_slots(&w, r, err);
        if (result == 0)
            result = read_files(&w, r, err);
        scry_reader_release(s, r);
        done = w.count == 0;
        for (size_t i = 0, from = 0; i < w.count && result == 0 && !done; from = w.ends[i++])
            if (w.ends[i] > from)
                done = each(arg, w.files.items + from, w.ends[i] - from) != 0;
        scry_file_list_dispose(&w.files);
    }
    return result;
}
