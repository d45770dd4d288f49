/* range_walk.c - files in order of id, with their vectors, for copying and comparing.
 *
 * A batch of rows is read in one short transaction, which ends before the callback gets them, so that
 * a copy of hours does not stop SQLite's log from being reset. */
#include "store/local/local.h"

#include "base/alloc.h"
#include "store/file_list.h"
#include "store/local/db_reader.h"
#include "store/local/file_row.h"
#include "store/local/view.h"
#include "vector/vector.h"

#include <stdlib.h>
#include <string.h>

enum { WALK_ROWS = 256 };

typedef struct {
    scry_local *s;
    uint8_t after[SCRY_ID_BYTES], end[SCRY_ID_BYTES + 1];   /* continue after, stop before */
    int after_bytes, end_bytes;
    bool vectors, done;
    scry_file_list batch;
    float *rows;             /* [WALK_ROWS, dim] */
} walk;

/* Four bytes compare below every id that begins with them. */
static void set_bounds(walk *w, scry_id_range range)
{
    for (int i = 0; i < 4; i++) {
        w->after[i] = (uint8_t)(range.first >> (24 - 8 * i));
        w->end[i] = (uint8_t)(range.end >> (24 - 8 * i));
    }
    w->after_bytes = w->end_bytes = 4;
    if (range.end >> 32) {
        memset(w->end, 0xff, sizeof w->end);
        w->end_bytes = sizeof w->end;
    }
}

static int add_row(walk *w, const scry_view *v, const scry_row *row, scry_error *err)
{
    scry_local *s = w->s;
    size_t dim = (size_t)s->base.dim;
    if (row->slot < 0 || row->slot >= v->head.slots)
        return scry_fail(err, SCRY_EDAMAGED, "the row of %s in %s is damaged: run scry verify", row->path, s->db_path);
    int result = w->vectors ? scry_view_check_vector(s, v, row->slot, row->vector_crc, err) : 0;
    if (result < 0)
        return result;
    if (w->vectors)
        scry_half_to_float(w->rows + w->batch.count * dim, scry_view_vector(s, v, row->slot), dim);
    scry_file_list_add(&w->batch, &row->file);
    return 0;
}

/* Up to WALK_ROWS files after the position, into an empty batch. */
static int read_rows(walk *w, scry_reader *r, const scry_view *v, scry_error *err)
{
    scry_row row = { 0 };
    sqlite3_stmt *st;
    int result = scry_db_start(&r->db, SCRY_SQL_FILES_BETWEEN, &st, err, "bbi", w->after, w->after_bytes, w->end,
                               w->end_bytes, (int64_t)WALK_ROWS);
    while (result == 0 && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = scry_row_read(&row, st, &v->roots, w->s->db_path, err);
        if (result == 0)
            result = scry_row_check(&row, w->s->db_path, err);
        if (result == 0)
            result = add_row(w, v, &row, err);
    }
    scry_db_end(st);
    scry_row_dispose(&row);
    w->done = w->batch.count < WALK_ROWS;
    if (result == 0 && w->batch.count) {
        const uint8_t *last = w->batch.items[w->batch.count - 1].id;
        if (memcmp(last, w->after, SCRY_ID_BYTES) < (w->after_bytes == SCRY_ID_BYTES))
            result = scry_reader_out_of_order(r, err);
        memcpy(w->after, last, SCRY_ID_BYTES);
        w->after_bytes = SCRY_ID_BYTES;
    }
    return result;
}

int scry_local_each_in_range(scry_store *base, scry_id_range range, bool vectors,
                             int (*each)(void *, const scry_file *, const float *), void *arg, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    walk w = { .s = s, .vectors = vectors };
    size_t dim = (size_t)base->dim;
    set_bounds(&w, range);
    w.rows = scry_alloc(vectors ? WALK_ROWS * dim * sizeof *w.rows : 1);
    int result = 0;
    for (bool stop = false; result == 0 && !w.done && !stop;) {
        scry_reader *r;
        scry_view *v;
        if ((result = scry_reader_view_acquire(s, &r, &v, err)) < 0)
            break;
        result = scry_reader_view_release(s, r, v, read_rows(&w, r, v, err), err);
        for (size_t i = 0; i < w.batch.count && result == 0 && !stop; i++)
            stop = each(arg, &w.batch.items[i], vectors ? w.rows + i * dim : NULL) != 0;
        scry_file_list_dispose(&w.batch);
    }
    free(w.rows);
    return result;
}
