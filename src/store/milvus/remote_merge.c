/* remote_merge.c - a root that becomes a part of one around it, while other machines may be writing to either.
 *
 * A file's id depends on its root, so the rows of the inner root are put under the outer one, and then removed. Nothing locks a
 * collection, so two orders make sure that none is left behind:
 *
 *     who merges   the outer root is there; move the rows; retire the inner root; move those that came before that was seen
 *     who writes   send rows; ask whether their root is retired by now (scry_remote_settle_rows): then move them oneself
 *
 * Whatever is sent before the inner root is retired is found by the one, and what is sent later by the other. After an
 * interruption the inner root still exists, and adding the outer one again continues.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "store/predicates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct moving {
    scry_remote *s;
    uint8_t to[SCRY_ID_BYTES];
    const char *prefix;      /* of the old root below the new one */
} moving;

static int move_page(void *arg, const scry_milvus_rows *page, scry_error *err)
{
    moving *t = arg;
    scry_remote *s = t->s;
    const scry_milvus_column *vectors = scry_milvus_find_column(page, "vector", SCRY_MILVUS_FLOAT_VECTOR);
    scry_remote_row row = { .answer = 0 };
    scry_results *files = scry_results_new();
    scry_put *puts = scry_alloc((page->rows + 1) * sizeof *puts);
    uint8_t (*old)[SCRY_ID_BYTES] = scry_alloc((page->rows + 1) * sizeof *old);
    int result = vectors && vectors->dim == s->base.dim ? 0 : scry_fail(err, SCRY_EREMOTE, "Milvus sent no vectors");
    for (size_t i = 0; i < page->rows && result == 0; i++) {
        if ((result = scry_remote_row_read(s, &row, page, i, err)) < 0)
            break;
        memcpy(old[i], row.file.id, SCRY_ID_BYTES);
        char *relative = scry_store_join(t->prefix, row.file.relative);
        row.file.relative = relative;
        memcpy(row.file.root, t->to, SCRY_ID_BYTES);
        scry_results_add(files, 0, &row.file, 0);
        free(relative);
    }
    for (size_t i = 0; i < page->rows && result == 0; i++)
        puts[i] = (scry_put){ .file = files->hits[i].file, .vector = vectors->floats + i * (size_t)s->base.dim };
    uint64_t removed;
    if (result == 0 && page->rows)
        result = scry_remote_put(&s->base, puts, page->rows, err);
    if (result == 0 && page->rows)
        result = scry_remote_remove(&s->base, (const uint8_t (*)[SCRY_ID_BYTES])old, page->rows, &removed, err);
    free(old);
    free(puts);
    scry_results_free(files);
    scry_remote_row_dispose(s, &row);
    return result;
}

int scry_remote_move_rows(scry_remote *s, const scry_remote_move *move, scry_error *err)
{
    const scry_remote_fields fields = scry_remote_row_fields(s, true);
    char filter[64];
    size_t n = strlen(move->to_path);
    moving t = { .s = s, .prefix = move->from_path + n + (move->to_path[n - 1] == '/' ? 0 : 1) };
    if (scry_unhex(move->to, t.to, SCRY_ID_BYTES) < 0)
        return scry_fail(err, SCRY_EINVALID, "\"%s\" is not the id of a root", move->to);
    snprintf(filter, sizeof filter, "root == \"%s\"", move->from);
    int result = scry_remote_scan(s, filter, &fields, move_page, &t, err);
    return result < 0 ? result : scry_remote_side_move(s, move->from, t.to, t.prefix, err);
}

static int merge(scry_remote *s, scry_milvus *m, const scry_remote_move *move, scry_error *err)
{
    int result = scry_remote_move_rows(s, move, err);
    if (result == 0)
        result = scry_remote_retire_root(s, m, move->from, move->from_path, err);
    return result < 0 ? result : scry_remote_move_rows(s, move, err);
}

int scry_remote_merge_roots(scry_remote *s, scry_milvus *m, const char *id, const char *path, scry_error *err)
{
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    int result = 0;
    for (size_t i = 0; i < roots->count && result == 0; i++)
        if (strcmp(roots->ids[i], id) != 0 && scry_path_within(path, roots->paths[i]))
            result = merge(s, m, &(scry_remote_move){ id, path, roots->ids[i], roots->paths[i] }, err);
    scry_remote_roots_release(s, roots);
    return result;
}
