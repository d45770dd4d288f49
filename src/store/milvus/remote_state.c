/* remote_state.c - what an index run needs of each file: is it known, unchanged, is its content stored?
 *
 * A request for each of thousands of files would take milliseconds each (200 with strong
 * consistency); instead the state of a whole root is fetched in pages when the first of its files
 * is needed, and updated by what this process writes.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "base/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
    uint8_t id[SCRY_ID_BYTES];
    uint8_t content[SCRY_HASH_BYTES];
    int64_t size, mtime_ns, ctime_ns;
    bool gone;
} entry;

struct scry_remote_state {
    scry_table files;        /* of entries */
    scry_table contents;     /* first half of the hashes seen */
    char (*roots)[SCRY_REMOTE_HEX_ID];    /* whose files are here */
    size_t root_count;
};

static scry_remote_state *new_state(void)
{
    scry_remote_state *st = scry_alloc(sizeof *st);
    st->files = (scry_table)SCRY_TABLE_OF_BYTES(SCRY_ID_BYTES, sizeof(entry), SIZE_MAX);
    st->contents = (scry_table)SCRY_TABLE_OF_BYTES(SCRY_ID_BYTES, SCRY_ID_BYTES, SIZE_MAX);
    return st;
}

void scry_remote_state_free(scry_remote_state *st)
{
    if (!st)
        return;
    scry_table_dispose(&st->files);
    scry_table_dispose(&st->contents);
    free(st->roots);
    free(st);
}

static entry *find(const scry_remote_state *st, const uint8_t *id)
{
    int64_t n = scry_table_find(&st->files, id);
    return n < 0 ? NULL : scry_table_at(&st->files, (size_t)n);
}

static int insert(scry_remote_state *st, const entry *e, scry_error *err)
{
    int64_t content = scry_table_add(&st->contents, e->content, err);
    int64_t file = content < 0 ? content : scry_table_add(&st->files, e->id, err);
    if (file < 0)
        return (int)file;
    *(entry *)scry_table_at(&st->files, (size_t)file) = *e;
    return 0;
}

/* ---- fetching a root ---- */

static int take_page(void *arg, const scry_milvus_rows *page, scry_error *err)
{
    scry_remote_state *st = arg;
    const scry_milvus_column *id = scry_milvus_find_column(page, "id", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *content = scry_milvus_find_column(page, "content", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *size = scry_milvus_find_column(page, "size", SCRY_MILVUS_INT64);
    const scry_milvus_column *mtime = scry_milvus_find_column(page, "mtime_ns", SCRY_MILVUS_INT64);
    const scry_milvus_column *ctime = scry_milvus_find_column(page, "ctime_ns", SCRY_MILVUS_INT64);   /* not in format 1 */
    if (page->rows && (!id || !content || !size || !mtime))
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    for (size_t i = 0; i < page->rows; i++) {
        entry e = { .size = size->longs[i], .mtime_ns = mtime->longs[i], .ctime_ns = ctime ? ctime->longs[i] : 0 };
        if (scry_unhex(id->strings[i], e.id, SCRY_ID_BYTES) < 0 ||
            scry_unhex(content->strings[i], e.content, SCRY_HASH_BYTES) < 0)
            continue;   /* not scry's: ignored; scry verify reports it */
        int result = insert(st, &e, err);
        if (result < 0)
            return result;
    }
    return 0;
}

static bool is_fetched(const scry_remote_state *st, const char *root)
{
    for (size_t i = 0; i < st->root_count; i++)
        if (strcmp(st->roots[i], root) == 0)
            return true;
    return false;
}

static int fetch_root(scry_remote *s, const char *root, scry_error *err)
{
    static const char *const names[] = { "id", "content", "size", "mtime_ns", "ctime_ns" };
    const scry_remote_fields fields = { names, s->has_details ? 5 : 4, 170 };
    char filter[64];
    if (!s->state)
        s->state = new_state();
    scry_remote_state *st = s->state;
    if (is_fetched(st, root))
        return 0;
    snprintf(filter, sizeof filter, "root == \"%s\"", root);
    int result = scry_remote_scan(s, filter, &fields, take_page, st, err);
    if (result < 0)
        return result;
    st->roots = scry_realloc(st->roots, (st->root_count + 1) * sizeof *st->roots);
    memcpy(st->roots[st->root_count++], root, sizeof *st->roots);
    return 0;
}

/* ---- updates ---- */

void scry_remote_state_put(scry_remote *s, const uint8_t *id, const scry_put *put)
{
    const scry_file *file = &put->file;
    char root[SCRY_REMOTE_HEX_ID];
    scry_hex(file->root, SCRY_ID_BYTES, root);
    if (!s->state || !is_fetched(s->state, root))
        return;
    entry e = { .size = file->size, .mtime_ns = file->mtime_ns, .ctime_ns = s->has_details ? put->ctime_ns : 0 };
    memcpy(e.id, id, SCRY_ID_BYTES);
    memcpy(e.content, file->content, SCRY_HASH_BYTES);
    if (insert(s->state, &e, NULL) < 0) {   /* without memory: to be fetched again when it is asked for */
        scry_remote_state_free(s->state);
        s->state = NULL;
    }
}

void scry_remote_state_drop(scry_remote *s, const uint8_t *id)
{
    entry *e = s->state ? find(s->state, id) : NULL;
    if (e)
        e->gone = true;
}

/* ---- lookups ---- */

int scry_remote_file_state(scry_store *base, const uint8_t *root, const char *relative, scry_file_state *out,
                           scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    uint8_t id[SCRY_ID_BYTES];
    char hex[SCRY_REMOTE_HEX_ID];
    scry_file_id(root, relative, id);
    scry_hex(root, SCRY_ID_BYTES, hex);
    int result = fetch_root(s, hex, err);
    if (result < 0)
        return result;
    const entry *e = s->state ? find(s->state, id) : NULL;
    if (e && !e->gone) {
        out->known = true;
        out->size = e->size;
        out->mtime_ns = e->mtime_ns;
        out->ctime_ns = e->ctime_ns;
        memcpy(out->content, e->content, SCRY_HASH_BYTES);
        return 0;
    }
    return scry_remote_side_state(s, id, out, err);
}

int scry_remote_has_row(scry_remote *s, const uint8_t *root, const uint8_t *id, bool *out, scry_error *err)
{
    char hex[SCRY_REMOTE_HEX_ID], filter[64];
    scry_milvus *m;
    int64_t count = 0;
    scry_hex(root, SCRY_ID_BYTES, hex);
    if (s->state && is_fetched(s->state, hex)) {
        const entry *e = find(s->state, id);
        *out = e && !e->gone;
        return 0;
    }
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    scry_hex(id, SCRY_ID_BYTES, hex);
    snprintf(filter, sizeof filter, "id == \"%s\"", hex);
    result = scry_remote_count(s, m, filter, scry_remote_freshness(s), &count, err);
    *out = count > 0;
    scry_remote_give(s, m);
    return result;
}

bool scry_remote_state_lacks(scry_remote *s, const uint8_t *hash)
{
    if (!s->state || scry_table_find(&s->state->contents, hash) >= 0)
        return false;
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    bool all = true;
    for (size_t i = 0; i < roots->count; i++)
        all &= is_fetched(s->state, roots->ids[i]);
    scry_remote_roots_release(s, roots);
    return all;
}
