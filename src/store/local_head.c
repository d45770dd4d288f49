/* local_head.c - the head row, the writer's transactions, and connections for reading. */
#include "store/local_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { CHECKPOINT_PAGES = 1000 };

void scry_head_dispose(scry_head *h)
{
    free(h->model_identity);
    free(h->model_name);
    free(h->precision);
    memset(h, 0, sizeof *h);
}

void scry_head_copy(scry_head *to, const scry_head *from)
{
    scry_head_dispose(to);
    *to = *from;
    to->model_identity = scry_strdup(from->model_identity);
    to->model_name = scry_strdup(from->model_name);
    to->precision = scry_strdup(from->precision);
}

static uint32_t head_crc(const scry_head *h)
{
    const int64_t numbers[] = { h->dim, h->generation, h->slots, h->change, h->files, h->contents,
                                h->bad, h->next_file, h->columns_file, h->columns_last };
    uint32_t crc = scry_crc32c(0, h->collection, sizeof h->collection);
    crc = scry_crc32c(crc, h->model_identity, strlen(h->model_identity) + 1);
    crc = scry_crc32c(crc, h->model_name, strlen(h->model_name) + 1);
    crc = scry_crc32c(crc, h->precision, strlen(h->precision) + 1);
    return scry_crc32c(crc, numbers, sizeof numbers);
}

static bool plausible(const scry_head *h)
{
    const int64_t counts[] = { h->slots, h->change, h->files, h->contents, h->bad, h->next_file,
                               h->columns_file, h->columns_last };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] < 0)
            return false;
    return h->dim >= 1 && h->dim <= SCRY_DIM_MAX && h->generation >= 1 && h->slots <= UINT32_MAX;
}

int scry_head_load(scry_db *db, scry_head *h, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(db, SCRY_SQL_HEAD_GET, &st, err, "");
    if (result < 0 || (result = scry_db_step(db, st, err)) < 0)
        goto out;
    scry_head_dispose(h);
    if (result == 1 && sqlite3_column_bytes(st, 0) == SCRY_COLLECTION_BYTES) {
        memcpy(h->collection, sqlite3_column_blob(st, 0), SCRY_COLLECTION_BYTES);
        h->model_identity = scry_strdup(scry_db_text(st, 1));
        h->model_name = scry_strdup(scry_db_text(st, 2));
        h->precision = scry_strdup(scry_db_text(st, 3));
        int64_t *numbers[] = { &h->dim, &h->generation, &h->slots, &h->change, &h->files, &h->contents,
                               &h->bad, &h->next_file, &h->columns_file, &h->columns_last };
        for (int i = 0; i < 10; i++)
            *numbers[i] = sqlite3_column_int64(st, 4 + i);
    }
    result = 0;
    if (!h->model_identity || !plausible(h) || head_crc(h) != (uint32_t)sqlite3_column_int64(st, 14))
        result = scry_fail(err, SCRY_EINVALID, "the head row of %s is damaged: restore the file from a "
                           "backup, or remove the collection's folder and index again", db->path);
out:
    scry_db_end(st);
    return result;
}

int scry_head_save(scry_db *db, const scry_head *h, scry_error *err)
{
    return scry_db_run(db, SCRY_SQL_HEAD_PUT, err, "btttiiiiiiiiiii", h->collection,
                       SCRY_COLLECTION_BYTES, h->model_identity, h->model_name, h->precision, h->dim,
                       h->generation, h->slots, h->change, h->files, h->contents, h->bad, h->next_file,
                       h->columns_file, h->columns_last, (int64_t)head_crc(h));
}

/* Slots that a failed commit may have named in the log are never used again: after a
 * crash the log could bring that transaction back, with what was written there then. */
static int skip_doubtful_slots(scry_local *s, scry_error *err)
{
    int result = 0;
    for (; s->work.slots < s->first_free && result == 0; s->work.slots++)
        result = scry_db_run(&s->writer, SCRY_SQL_DEAD_ADD, err, "i", s->work.slots);
    return result;
}

int scry_local_begin(scry_local *s, scry_error *err)
{
    int result = scry_db_run(&s->writer, SCRY_SQL_BEGIN_WRITE, err, "");
    if (result < 0)
        return result;
    scry_head_copy(&s->work, &s->head);
    s->pending_rows = 0;
    result = skip_doubtful_slots(s, err);
    if (result < 0)
        scry_local_abort(s);
    return result;
}

int scry_local_commit(scry_local *s, scry_error *err)
{
    int64_t first = s->work.slots;
    int result = 0;
    if (s->pending_rows) {
        result = scry_segment_append(s, s->segment_fd, s->work.generation, first, s->pending,
                                     s->pending_rows, err);
        s->work.slots += (int64_t)s->pending_rows;
    }
    s->work.change++;
    if (result == 0)
        result = scry_head_save(&s->writer, &s->work, err);
    if (result == 0) {
        result = scry_db_run(&s->writer, SCRY_SQL_COMMIT, err, "");
        if (result < 0)
            s->first_free = s->work.slots;
    }
    if (result < 0) {
        scry_local_abort(s);
        return result;
    }
    scry_state_reader_release(s, s->wal_pages >= CHECKPOINT_PAGES);
    if (s->pending_rows)
        scry_codes_append(s, first, s->pending, s->pending_rows);
    scry_head_copy(&s->head, &s->work);
    return 0;
}

void scry_local_abort(scry_local *s)
{
    s->pending_rows = 0;
    if (!sqlite3_get_autocommit(s->writer.handle))
        (void)!scry_db_run(&s->writer, SCRY_SQL_ROLLBACK, NULL, "");
}

static int open_reader(scry_local *s, scry_reader **out, scry_error *err)
{
    scry_reader *r = scry_alloc(sizeof *r);
    int result = scry_db_open(&r->db, s->db_path, s->db_flags, s->db_parameter, err);
    if (result == 0)
        result = scry_db_exec(&r->db, "PRAGMA query_only = 1; PRAGMA cache_size = -8192", err);
    if (result < 0) {
        scry_db_close(&r->db, NULL);
        free(r);
        return result;
    }
    *out = r;
    return 0;
}

int scry_reader_take(scry_local *s, scry_reader **out, scry_error *err)
{
    pthread_mutex_lock(&s->readers_lock);
    scry_reader *r = s->readers;
    if (r)
        s->readers = r->next;
    pthread_mutex_unlock(&s->readers_lock);
    *out = NULL;
    if (!r) {
        int result = open_reader(s, &r, err);
        if (result < 0)
            return result;
    }
    int result = scry_db_run(&r->db, SCRY_SQL_BEGIN_READ, err, "");
    if (result < 0)
        scry_reader_give(s, r);
    else
        *out = r;
    return result;
}

void scry_reader_give(scry_local *s, scry_reader *r)
{
    if (!r)
        return;
    if (!sqlite3_get_autocommit(r->db.handle))
        (void)!scry_db_run(&r->db, SCRY_SQL_COMMIT, NULL, "");
    pthread_mutex_lock(&s->readers_lock);
    r->next = s->readers;
    s->readers = r;
    pthread_mutex_unlock(&s->readers_lock);
}

void scry_state_reader_release(scry_local *s, bool checkpoint)
{
    pthread_mutex_lock(&s->state_lock);
    scry_reader_give(s, s->state_reader);
    s->state_reader = NULL;
    if (checkpoint)   /* as far as it gets: a failure shows at the next write */
        (void)!sqlite3_wal_checkpoint_v2(s->writer.handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    pthread_mutex_unlock(&s->state_lock);
}

void scry_readers_close(scry_local *s)
{
    scry_state_reader_release(s, false);
    for (scry_reader *r = s->readers, *next; r; r = next) {
        next = r->next;
        scry_db_close(&r->db, NULL);
        free(r);
    }
    s->readers = NULL;
}
