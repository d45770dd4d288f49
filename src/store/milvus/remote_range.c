/* remote_range.c - rows of a range of ids, in order of id: what copying and comparing walk.
 *
 * An answer of Milvus has no defined order, but pages are in order of their ranges: each is sorted
 * here. */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    scry_remote *s;
    bool vectors;
    int (*each)(void *, const scry_file *, const float *);
    void *arg;
    scry_remote_row row;
} walk;

typedef struct numbered {
    const char *id;
    size_t row;
} numbered;

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const numbered *)a)->id, ((const numbered *)b)->id);
}

static int walk_page(void *arg, const scry_milvus_rows *page, scry_error *err)
{
    walk *w = arg;
    size_t dim = (size_t)w->s->base.dim;
    const scry_milvus_column *id = scry_milvus_find_column(page, "id", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *v = scry_milvus_find_column(page, "vector", SCRY_MILVUS_FLOAT_VECTOR);
    if (page->rows && (!id || (w->vectors && (!v || v->dim != w->s->base.dim))))
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    numbered *order = scry_alloc((page->rows + 1) * sizeof *order);
    for (size_t i = 0; i < page->rows; i++)
        order[i] = (numbered){ id->strings[i], i };
    if (page->rows)
        qsort(order, page->rows, sizeof *order, compare_ids);
    int result = 0;
    for (size_t i = 0; i < page->rows && result == 0; i++) {
        size_t at = order[i].row;
        result = scry_remote_row_read(w->s, &w->row, page, at, err);
        if (result == 0)
            result = w->each(w->arg, &w->row.file, w->vectors ? v->floats + at * dim : NULL) != 0;
    }
    free(order);
    return result;
}

int scry_remote_each_in_range(scry_store *base, scry_id_range range, bool vectors,
                              int (*each)(void *, const scry_file *, const float *), void *arg, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    const scry_remote_fields fields = scry_remote_row_fields(s, vectors);
    walk w = { s, vectors, each, arg, { .answer = 0 } };
    int result = scry_remote_scan_range(s, range, &fields, walk_page, &w, err);
    scry_remote_row_dispose(s, &w.row);
    return result < 0 ? result : 0;
}
