#include "store/local/transaction.h"

#include "store/local/codes_file.h"
#include "store/local/db_reader.h"
#include "store/local/segment.h"
#include "store/local/sums.h"

#include <string.h>
#include <sys/stat.h>

enum { CHECKPOINT_PAGES = 1000 };

int scry_local_check_writable(const scry_local *s, scry_error *err)
{
    if (s->writable)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "%s was opened for reading", s->where);
}

static void roll_back(scry_local *s)
{
    s->pending_rows = 0;
    if (!sqlite3_get_autocommit(s->writer.handle))
        (void)!scry_db_run(&s->writer, SCRY_SQL_ROLLBACK, NULL, "");
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

int scry_local_check_place(const scry_local *s, scry_error *err)
{
    struct stat st;
    if (stat(s->db_path, &st) == 0 && st.st_dev == s->db_device && st.st_ino == s->db_inode)
        return 0;
    return scry_fail(err, SCRY_EBUSY, "the store %s was deleted or replaced while this command wrote to it: run the "
                     "command again", s->where);
}

/* The lock file may be deleted, and some file systems do not lock at all: only what the database says under its
 * own lock counts. */
static int check_unchanged(scry_local *s, scry_error *err)
{
    int result = scry_local_check_place(s, err);
    if (result < 0 || (result = scry_head_load(&s->writer, &s->work, err)) < 0)
        return result;
    if (memcmp(s->work.collection, s->head.collection, SCRY_COLLECTION_BYTES) == 0 &&
        s->work.generation == s->head.generation && s->work.change == s->head.change)
        return 0;
    return scry_fail(err, SCRY_EBUSY, "another program changed the store %s while this command wrote to it: what both "
                     "committed is safe; run the command again", s->where);
}

int scry_local_begin(scry_local *s, scry_error *err)
{
    int result = scry_db_run(&s->writer, SCRY_SQL_BEGIN_WRITE, err, "");
    if (result < 0)
        return result;
    s->pending_rows = 0;
    result = check_unchanged(s, err);
    if (result == 0)
        result = scry_sums_discard(s, err);
    if (result == 0)
        result = skip_doubtful_slots(s, err);
    if (result < 0)
        roll_back(s);
    return result;
}

static int commit(scry_local *s, scry_error *err)
{
    int64_t first = s->work.slots;
    int result = 0;
    if (s->pending_rows) {
        scry_segment_rows rows = { first, s->pending, s->pending_rows };
        result = scry_segment_append(s, s->segment_fd, s->work.generation, rows, err);
        s->work.slots += (int64_t)s->pending_rows;
        if (result == 0)
            scry_codes_append(s, first, s->pending, s->pending_rows);   /* under the lock, as every write to a shared file */
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
        scry_codes_roll_back(s);
        return result;
    }
    scry_state_reader_release(s, s->wal_pages >= CHECKPOINT_PAGES);
    scry_head_copy(&s->head, &s->work);
    scry_codes_committed(s);
    return 0;
}

int scry_local_end(scry_local *s, int result, scry_error *err)
{
    if (result == 0)
        result = commit(s, err);
    if (result < 0)
        roll_back(s);
    return result;
}
