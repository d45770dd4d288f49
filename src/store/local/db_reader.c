#include "store/local/db_reader.h"

#include "base/alloc.h"

#include <stdlib.h>

/* The tables that the first scry did not make, each with an empty one that stands for it in a connection that only reads. */
static const char *const added[][2] = {
    { "details", "CREATE TEMP TABLE details(slot INTEGER PRIMARY KEY, taken_source, taken_offset, rating, damaged, lens, title,"
                 " description, keywords, row_crc)" },
    { "notes", "CREATE TEMP TABLE notes(id PRIMARY KEY, taken_source, taken_at, taken_offset, latitude, longitude, rating, title,"
               " description, keywords, companion, row_crc)" },
    { "seen", "CREATE TEMP TABLE seen(id PRIMARY KEY, ctime_ns)" },
    { "marks", "CREATE TEMP TABLE marks(kind, key, value, set_at, row_crc, PRIMARY KEY(kind, key))" },
    { "texts", "CREATE TEMP TABLE texts(slot INTEGER PRIMARY KEY, reader, reason, lines, row_crc)" },
};

int scry_reader_lacks_tables(scry_db *db, scry_error *err)
{
    int64_t found = 0;
    int result = scry_db_number(db, "SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' AND name IN"
                                " ('details', 'notes', 'seen', 'marks', 'texts')", &found, err);
    return result < 0 ? result : found < (int64_t)(sizeof added / sizeof *added);
}

/* A table of the connection would hide one that the database has: only those that it lacks get one. */
static int complete_tables(scry_db *db, scry_error *err)
{
    int result = scry_db_exec(db, "PRAGMA temp_store = MEMORY", err);
    for (size_t i = 0; i < sizeof added / sizeof *added && result == 0; i++) {
        int64_t found = 0;
        char *count = scry_asprintf("SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' AND name = '%s'", added[i][0]);
        result = scry_db_number(db, count, &found, err);
        if (result == 0 && !found)
            result = scry_db_exec(db, added[i][1], err);
        free(count);
    }
    return result;
}

static void close_reader(scry_reader *r)
{
    scry_db_close(&r->db, NULL);
    free(r);
}

static int open_reader(scry_local *s, scry_reader **out, scry_error *err)
{
    scry_reader *r = scry_alloc(sizeof *r);
    int result = scry_db_open(&r->db, &scry_local_statements, s->db_path, s->db_flags, s->db_parameter, err);
    if (result == 0 && (result = scry_reader_lacks_tables(&r->db, err)) == 1) {
        r->completed = true;
        result = complete_tables(&r->db, err);
    }
    if (result == 0)
        result = scry_db_exec(&r->db, "PRAGMA query_only = 1; PRAGMA cache_size = -8192", err);
    if (result < 0) {
        close_reader(r);
        return result;
    }
    *out = r;
    return 0;
}

static scry_reader *take_idle(scry_local *s)
{
    pthread_mutex_lock(&s->readers_lock);
    scry_reader *r = s->readers;
    if (r)
        s->readers = r->next;
    pthread_mutex_unlock(&s->readers_lock);
    return r;
}

/* Begin a read transaction. 1: a writer has added the tables for which this connection has empty ones of its own, which hide
 * them: it is of no use any more. */
static int begin_reading(scry_reader *r, scry_error *err)
{
    int result = scry_db_run(&r->db, SCRY_SQL_BEGIN_READ, err, "");
    if (result < 0 || !r->completed)
        return result;
    result = scry_reader_lacks_tables(&r->db, err);
    return result < 0 ? result : !result;
}

int scry_reader_acquire(scry_local *s, scry_reader **out, scry_error *err)
{
    int result = 1;
    *out = NULL;
    while (result == 1) {
        scry_reader *r = take_idle(s);
        result = r ? 0 : open_reader(s, &r, err);
        if (result < 0)
            return result;
        result = begin_reading(r, err);
        if (result < 0)
            scry_reader_release(s, r);
        else if (result == 1)
            close_reader(r);
        else
            *out = r;
    }
    return result;
}

void scry_reader_release(scry_local *s, scry_reader *r)
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
    scry_reader_release(s, s->state_reader);
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
        close_reader(r);
    }
    s->readers = NULL;
}

int scry_reader_out_of_order(const scry_reader *r, scry_error *err)
{
    return scry_fail(err, SCRY_EDAMAGED, "the rows of %s are out of order, it is damaged: run scry verify", r->db.path);
}
