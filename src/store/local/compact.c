/* compact.c - a new generation of the segment, without the dead slots.
 *
 * One transaction, so that no other program writes meanwhile: the new file is complete on disk
 * before it commits the contents' new slots; a crash before the commit leaves the old generation as it was and an
 * orphan file that the next writer removes. Readers that have the old file mapped keep their mapping. */
#include "store/local/transaction.h"

#include "base/alloc.h"
#include "store/local/codes_file.h"
#include "store/local/db_reader.h"
#include "store/local/watched_db.h"
#include "store/local/segment.h"
#include "store/local/sums.h"
#include "store/local/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COPY_ROWS = 256 };

/* Where each slot goes: to[old] = new, UINT32_MAX for the dead. */
static uint32_t *plan(const scry_view *v, int64_t *count)
{
    uint32_t *to = scry_try_alloc((size_t)v->head.slots + 1, sizeof *to);
    *count = 0;
    for (int64_t slot = 0; to && slot < v->head.slots; slot++)
        to[slot] = v->live[slot / 64] >> (slot % 64) & 1 ? (uint32_t)(*count)++ : UINT32_MAX;
    return to;
}

static int copy_rows(scry_local *s, const scry_view *v, const uint32_t *to, int fd, scry_long_work *work, scry_error *err)
{
    uint8_t *bytes = scry_alloc(COPY_ROWS * s->row_bytes);
    scry_segment_rows rows = { 0, bytes, 0 };
    int64_t generation = v->head.generation + 1;
    int result = 0;
    for (int64_t slot = 0; slot < v->head.slots && result == 0; slot++) {
        if (to[slot] == UINT32_MAX)
            continue;
        memcpy(bytes + rows.count++ * s->row_bytes, scry_view_vector(s, v, slot), s->row_bytes);
        if (rows.count == COPY_ROWS) {
            result = scry_work_reach(work, (uint64_t)slot, err);
            if (result == 0)
                result = scry_segment_append(s, fd, generation, rows, err);
            rows.slot += COPY_ROWS;
            rows.count = 0;
        }
    }
    if (result == 0 && rows.count)
        result = scry_segment_append(s, fd, generation, rows, err);
    free(bytes);
    return result;
}

/* New slots are never above old ones and keep their order, so that, moved in order, a content never
 * gets a slot that is still in use. */
static int move_contents(scry_local *s, const scry_view *v, const uint32_t *to, scry_long_work *work, scry_error *err)
{
    int result = 0;
    for (int64_t slot = 0; slot < v->head.slots && result == 0; slot++) {
        if (to[slot] == UINT32_MAX || to[slot] == slot)
            continue;
        result = scry_work_reach(work, (uint64_t)(v->head.slots + slot), err);
        if (result == 0)
            result = scry_db_run(&s->writer, SCRY_SQL_CONTENT_MOVE, err, "ii", (int64_t)to[slot], slot);
        if (result == 0)
            result = scry_db_run(&s->writer, SCRY_SQL_FILES_MOVE, err, "ii", (int64_t)to[slot], slot);
        if (result == 0)
            result = scry_db_run(&s->writer, SCRY_SQL_DETAILS_MOVE, err, "ii", (int64_t)to[slot], slot);
        if (result == 0)
            result = scry_db_run(&s->writer, SCRY_SQL_TEXT_MOVE, err, "ii", (int64_t)to[slot], slot);
    }
    if (result == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_DEAD_CLEAR, err, "");
    if (result == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_GONE_CLEAR, err, "");
    return result;
}

/* The files of the old generation are removed after the commit, by names that are never used again. */
static void switch_generation(scry_local *s, int64_t old, int fd)
{
    char *segment = scry_segment_path(s, old), *codes = scry_codes_path(s, old);
    unlink(segment);
    free(segment);
    close(s->segment_fd);
    s->segment_fd = fd;
    s->first_free = 0;
    scry_codes_close(s);
    unlink(codes);
    free(codes);
    if (scry_db_run(&s->writer, SCRY_SQL_BEGIN_WRITE, NULL, "") == 0) {   /* else another program writes: no cache */
        scry_codes_open(s);
        (void)!scry_db_run(&s->writer, SCRY_SQL_ROLLBACK, NULL, "");
    }
}

/* In a transaction: the segment of the next generation, and the rows that point into it. */
static int write_generation(scry_local *s, const scry_view *v, int *fd, scry_long_work *work, scry_error *err)
{
    int64_t count, generation = v->head.generation + 1;
    uint32_t *to = plan(v, &count);
    if (!to)
        return scry_fail(err, SCRY_ENOMEM, "no memory to compact %s", s->where);
    int result = scry_segment_create(s, generation, err);
    if (result == 0)
        result = scry_segment_open(s, generation, 0, true, fd, err);
    if (result == 0)
        result = copy_rows(s, v, to, *fd, work, err);
    if (result == 0)
        result = scry_view_check(s, v, err);
    if (result == 0)
        result = move_contents(s, v, to, work, err);
    if (result < 0) {   /* before the lock is released; after a failed commit the file stays, an orphan */
        char *path = scry_segment_path(s, generation);
        unlink(path);
        free(path);
    }
    s->work.generation = generation;
    s->work.slots = count;
    s->work.columns_file = s->work.columns_last = 0;
    free(to);
    return result;
}

static int compact(scry_local *s, const scry_view *v, scry_long_work *work, scry_error *err)
{
    int fd = -1, result = scry_local_begin(s, err);
    if (result < 0)
        return result;
    if (s->work.change != v->head.change)
        result = scry_fail(err, SCRY_EBUSY, "%s changed while it was being compacted: do it again", s->where);
    if (result == 0)
        result = write_generation(s, v, &fd, work, err);
    result = scry_local_end(s, result, err);
    if (result == 0)
        switch_generation(s, v->head.generation, fd);
    else if (fd >= 0)
        close(fd);
    return result;
}

/* The rows that moved leave free pages in the database. A full disk, or a stop, leaves it as it is. */
static void shrink(scry_local *s, scry_long_work *work)
{
    scry_work_watch(work, &s->writer);
    (void)!scry_db_exec(&s->writer, "VACUUM", NULL);
    scry_work_unwatch(&s->writer);
}

int scry_local_compact(scry_store *base, const scry_compact_options *o, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_long_work work = { .progress = o->progress, .arg = o->arg, .cancel = o->cancel };
    scry_reader *r;
    scry_view *v = NULL;
    int result = scry_local_check_writable(s, err);
    if (result < 0 || (result = scry_reader_acquire(s, &r, err)) < 0)
        return result;
    result = scry_view_acquire(s, r, &v, err);
    scry_reader_release(s, r);
    work.total = v ? 3 * (uint64_t)v->head.slots : 0;   /* copied, moved, and the database */
    if (result == 0)
        result = scry_work_reach(&work, 0, err);
    if (result == 0 && (v->head.contents < v->head.slots || scry_local_known_damage(base, NULL) < 0))   /* which this may mend */
        result = compact(s, v, &work, err);
    scry_view_release(s, v);
    if (result == 0 && (result = scry_sums_discard(s, err)) == 0) {
        work.done = work.total / 3 * 2;
        shrink(s, &work);
        result = scry_sums_discard(s, err);   /* that was no transaction: another writer may have closed meanwhile */
        if (result == 0)
            scry_work_finish(&work);
    }
    return result;
}
