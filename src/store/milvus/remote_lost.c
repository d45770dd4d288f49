/* remote_lost.c - roots without a path: rows name them, and no property of the collection does.
 *
 * Milvus 2.3 loses the last change of properties when it restarts (milvus#30144): scry makes each change twice, and 0.1.0
 * did not.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A collection has a few roots; one with more unknown ones than this was not made by scry. */
enum { MOST_LOST = 1000 };

typedef struct lost {
    const char **ids;          /* [MOST_LOST + known]: the known ones, then those found */
    size_t known, count;
    scry_root roots[MOST_LOST];   /* paths are owned */
} lost;

/* A root that is not in the list: 1 when there is one. */
static int find_one(scry_remote *s, scry_milvus *m, lost *l, scry_error *err)
{
    static const char *const fields[] = { "root", "path" };
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_milvus_rows *rows;
    scry_buf_puts(&filter, "root != \"\"");
    if (l->known + l->count) {
        scry_buf_puts(&filter, " and not (");
        scry_remote_in_list(&filter, "root", l->ids, l->known + l->count);
        scry_buf_putc(&filter, ')');
    }
    scry_milvus_query q = { scry_buf_str(&filter), fields, 2, 1, SCRY_MILVUS_STRONG };
    int result = scry_remote_query(s, m, &q, &rows, err);
    scry_buf_dispose(&filter);
    if (result < 0)
        return result;
    const scry_milvus_column *id = scry_milvus_find_column(rows, "root", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *path = scry_milvus_find_column(rows, "path", SCRY_MILVUS_VARCHAR);
    if (rows->rows && id && path) {
        scry_root *root = &l->roots[l->count];
        result = scry_unhex(id->strings[0], root->id, SCRY_ID_BYTES) == 0;   /* else not scry's: scry verify reports it */
        if (result == 1) {
            char *text = scry_strdup(path->strings[0]);
            scry_milvus_unescape(text);
            root->path = text;
            l->ids[l->known + l->count++] = scry_strdup(id->strings[0]);
        }
    }
    scry_milvus_rows_free(rows);
    return result;
}

static int count_lost(scry_remote *s, scry_milvus *m, lost *l, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < l->count && result == 0; i++) {
        char filter[64];
        int64_t count = 0;
        snprintf(filter, sizeof filter, "root == \"%s\"", l->ids[l->known + i]);
        result = scry_remote_count(s, m, filter, SCRY_MILVUS_STRONG, &count, err);
        l->roots[i].files = (uint64_t)count;
    }
    return result;
}

int scry_remote_lost_roots(scry_store *base, int (*each)(void *, const scry_root *), void *arg, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    lost *l = scry_alloc(sizeof *l);
    l->ids = scry_alloc((roots->count + MOST_LOST) * sizeof *l->ids);
    for (; l->known < roots->count; l->known++)
        l->ids[l->known] = roots->ids[l->known];
    do
        result = find_one(s, m, l, err);
    while (result == 1 && l->count < MOST_LOST);
    if (result >= 0)
        result = count_lost(s, m, l, err);
    scry_remote_give(s, m);
    for (size_t i = 0; i < l->count && result == 0; i++)
        result = each(arg, &l->roots[i]) != 0;
    for (size_t i = 0; i < l->count; i++) {
        free((char *)l->roots[i].path);
        free((char *)l->ids[l->known + i]);
    }
    free(l->ids);
    free(l);
    scry_remote_roots_release(s, roots);
    return result < 0 ? result : 0;
}
