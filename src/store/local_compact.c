/* local_compact.c - a new generation of the segment, without the dead slots.
 *
 * The new file is complete on disk before the transaction that moves the contents to
 * their new slots; a crash before its commit leaves the old generation as it was and an
 * orphan file that the next writer removes. Readers that have the old file mapped keep it. */
#include "store/local_internal.h"

#include "base/alloc.h"

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

static int copy_rows(scry_local *s, const scry_view *v, const uint32_t *to, int fd, scry_error *err)
{
    uint8_t *rows = scry_alloc(COPY_ROWS * s->row_bytes);
    int64_t generation = v->head.generation + 1, first = 0;
    size_t n = 0;
    int result = 0;
    for (int64_t slot = 0; slot < v->head.slots && result == 0; slot++) {
        if (to[slot] == UINT32_MAX)
            continue;
        memcpy(rows + n++ * s->row_bytes, scry_view_row(s, v, slot), s->row_bytes);
        if (n == COPY_ROWS) {
            result = scry_segment_append(s, fd, generation, first, rows, n, err);
            first += (int64_t)n;
            n = 0;
        }
    }
    if (result == 0 && n)
        result = scry_segment_append(s, fd, generation, first, rows, n, err);
    free(rows);
    return result;
}

/* New slots are never above old ones and keep their order, so that moving from the first
 * on never meets a slot still taken. */
static int move_contents(scry_local *s, const scry_view *v, const uint32_t *to, scry_error *err)
{
    int result = 0;
    for (int64_t slot = 0; slot < v->head.slots && result == 0; slot++) {
        if (to[slot] == UINT32_MAX || to[slot] == slot)
            continue;
        result = scry_db_run(&s->writer, SCRY_SQL_CONTENT_MOVE, err, "ii", (int64_t)to[slot], slot);
        if (result == 0)
            result = scry_db_run(&s->writer, SCRY_SQL_FILES_MOVE, err, "ii", (int64_t)to[slot], slot);
    }
    if (result == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_DEAD_CLEAR, err, "");
    if (result == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_GONE_CLEAR, err, "");
    return result;
}

static int commit_generation(scry_local *s, const scry_view *v, const uint32_t *to, int64_t count,
                             scry_error *err)
{
    int result = scry_local_begin(s, err);
    if (result < 0)
        return result;
    if (s->work.change != v->head.change)
        result = scry_fail(err, SCRY_EIO, "%s changed while it was being compacted: do it again", s->where);
    if (result == 0)
        result = move_contents(s, v, to, err);
    if (result < 0) {
        scry_local_abort(s);
        return result;
    }
    s->work.generation++;
    s->work.slots = count;
    s->work.columns_file = s->work.columns_last = 0;
    return scry_local_commit(s, err);
}

static int compact(scry_local *s, const scry_view *v, scry_error *err)
{
    int64_t count, generation = v->head.generation + 1;
    int fd = -1;
    uint32_t *to = plan(v, &count);
    if (!to)
        return scry_fail(err, SCRY_ENOMEM, "no memory to compact %s", s->where);
    int result = scry_segment_create(s, generation, err);
    if (result == 0)
        result = scry_segment_open(s, generation, 0, true, &fd, err);
    if (result == 0)
        result = copy_rows(s, v, to, fd, err);
    if (result == 0)
        result = commit_generation(s, v, to, count, err);
    char *old = scry_segment_path(s, result == 0 ? v->head.generation : generation);
    unlink(old);
    free(old);
    free(to);
    if (result == 0) {
        close(s->segment_fd);
        s->segment_fd = fd;
        s->first_free = 0;
        scry_codes_close(s);
        char *codes = scry_codes_path(s, v->head.generation);
        unlink(codes);
        free(codes);
        scry_codes_open(s);
    } else if (fd >= 0) {
        close(fd);
    }
    return result;
}

int scry_local_compact(scry_store *base, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_view *v = NULL;
    int result = scry_local_check_writable(s, err);
    if (result < 0 || (result = scry_reader_take(s, &r, err)) < 0)
        return result;
    result = scry_view_take(s, r, &v, err);
    scry_reader_give(s, r);
    if (result == 0 && v->head.contents < v->head.slots)
        result = compact(s, v, err);
    scry_view_give(s, v);
    return result;
}
