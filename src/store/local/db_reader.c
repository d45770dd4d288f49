#include "store/local/db_reader.h"

#include "base/alloc.h"
#include "store/local/mark_table.h"

#include <stdlib.h>

/* Whether the database has all tables of today: 1, 0, or an error. */
static int is_complete(scry_db *db, int64_t *version, scry_error *err)
{
    int result = scry_db_number(db, "PRAGMA user_version", version, err);
    if (result == 0)
        result = scry_mark_table_exists(db, err);
    return result < 0 ? result : result && *version != 1;
}

/* A database of an earlier scry, which only a writer changes: empty tables of this connection stand for those it lacks. */
static int complete_tables(scry_reader *r, scry_error *err)
{
    scry_db *db = &r->db;
    int64_t version = 0;
    int result = is_complete(db, &version, err);
    if (result != 0)
        return result < 0 ? result : 0;
    r->stands_in = true;
    result = scry_db_exec(db, "PRAGMA temp_store = MEMORY; CREATE TEMP TABLE marks(kind, key, value, set_at, row_crc,"
                          " PRIMARY KEY(kind, key))", err);
    if (result < 0 || version != 1)
        return result;
    return scry_db_exec(db, "CREATE TEMP TABLE details(slot INTEGER PRIMARY KEY, taken_source, taken_offset, rating, damaged, lens,"
                        " title, description, keywords, row_crc);"
                        "CREATE TEMP TABLE notes(id PRIMARY KEY, taken_source, taken_at, taken_offset, latitude, longitude,"
                        " rating, title, description, keywords, companion, row_crc);"
                        "CREATE TEMP TABLE seen(id PRIMARY KEY, ctime_ns)", err);
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
    if (result == 0)
        result = complete_tables(r, err);
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
    int64_t version = 0;
    int result = scry_db_run(&r->db, SCRY_SQL_BEGIN_READ, err, "");
    return result == 0 && r->stands_in ? is_complete(&r->db, &version, err) : result;
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
