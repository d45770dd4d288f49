/* remote_state.c - what an index run asks for each file: known, unchanged, content there?
 *
 * A question to the server for each of thousands of files would cost milliseconds each
 * (200 with strong consistency); instead the state of a root is fetched whole when the first
 * of its files is asked for, in pages, and kept up with what this process writes.
 */
#include "store/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "store/remote_foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
    uint8_t id[SCRY_ID_BYTES];
    uint8_t content[SCRY_HASH_BYTES];
    int64_t size, mtime_ns;
    uint8_t used, gone;
} entry;

/* Ids are hashes already: open addressing by their first bytes. */
struct scry_remote_state {
    entry *files;            /* [capacity], a power of two, at most half full */
    size_t count, capacity;
    uint8_t (*contents)[SCRY_ID_BYTES];   /* first half of the hashes seen; all zero: free */
    size_t content_count, content_capacity;
    char (*roots)[SCRY_REMOTE_HEX_ID];    /* whose files are here */
    size_t root_count;
};

void scry_remote_state_free(scry_remote_state *st)
{
    if (!st)
        return;
    free(st->files);
    free(st->contents);
    free(st->roots);
    free(st);
}

static size_t place_of(const uint8_t *id)
{
    uint64_t h;
    memcpy(&h, id, sizeof h);
    return (size_t)h;
}

/* ---- files ---- */

static entry *find(const scry_remote_state *st, const uint8_t *id)
{
    size_t mask = st->capacity - 1;
    for (size_t i = place_of(id) & mask; st->capacity && st->files[i].used; i = (i + 1) & mask)
        if (memcmp(st->files[i].id, id, SCRY_ID_BYTES) == 0)
            return &st->files[i];
    return NULL;
}

static void insert(scry_remote_state *st, const entry *e)
{
    entry *old = find(st, e->id);
    if (old) {
        *old = *e;
        return;
    }
    if (2 * (st->count + 1) > st->capacity) {
        entry *before = st->files;
        size_t n = st->capacity;
        st->capacity = n ? 2 * n : 1024;
        st->files = scry_alloc(st->capacity * sizeof *st->files);
        st->count = 0;
        for (size_t i = 0; i < n; i++)
            if (before[i].used && !before[i].gone)
                insert(st, &before[i]);
        free(before);
    }
    size_t mask = st->capacity - 1, i = place_of(e->id) & mask;
    while (st->files[i].used)
        i = (i + 1) & mask;
    st->files[i] = *e;
    st->count++;
}

/* ---- contents ---- */

static bool has_hash(const scry_remote_state *st, const uint8_t *hash)
{
    static const uint8_t none[SCRY_ID_BYTES];
    size_t mask = st->content_capacity - 1;
    for (size_t i = place_of(hash) & mask; st->content_capacity && memcmp(st->contents[i], none, sizeof none) != 0;
         i = (i + 1) & mask)
        if (memcmp(st->contents[i], hash, SCRY_ID_BYTES) == 0)
            return true;
    return false;
}

static void add_hash(scry_remote_state *st, const uint8_t *hash)
{
    static const uint8_t none[SCRY_ID_BYTES];
    if (has_hash(st, hash) || memcmp(hash, none, sizeof none) == 0)
        return;
    if (2 * (st->content_count + 1) > st->content_capacity) {
        uint8_t (*before)[SCRY_ID_BYTES] = st->contents;
        size_t n = st->content_capacity;
        st->content_capacity = n ? 2 * n : 1024;
        st->contents = scry_alloc(st->content_capacity * sizeof *st->contents);
        st->content_count = 0;
        for (size_t i = 0; i < n; i++)
            add_hash(st, before[i]);
        free(before);
    }
    size_t mask = st->content_capacity - 1, i = place_of(hash) & mask;
    while (memcmp(st->contents[i], none, sizeof none) != 0)
        i = (i + 1) & mask;
    memcpy(st->contents[i], hash, SCRY_ID_BYTES);
    st->content_count++;
}

/* ---- fetching a root ---- */

static int take_page(void *arg, const scry_milvus_rows *page, scry_error *err)
{
    scry_remote_state *st = arg;
    const scry_milvus_column *id = scry_milvus_find_column(page, "id", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *content = scry_milvus_find_column(page, "content", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *size = scry_milvus_find_column(page, "size", SCRY_MILVUS_INT64);
    const scry_milvus_column *mtime = scry_milvus_find_column(page, "mtime_ns", SCRY_MILVUS_INT64);
    if (page->rows && (!id || !content || !size || !mtime))
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    for (size_t i = 0; i < page->rows; i++) {
        entry e = { .size = size->longs[i], .mtime_ns = mtime->longs[i], .used = 1 };
        if (scry_unhex(id->strings[i], e.id, SCRY_ID_BYTES) < 0 ||
            scry_unhex(content->strings[i], e.content, SCRY_HASH_BYTES) < 0)
            continue;   /* not scry's: as if it were not there; scry verify tells */
        insert(st, &e);
        add_hash(st, e.content);
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
    static const char *const fields[] = { "id", "content", "size", "mtime_ns" };
    char filter[64];
    if (!s->state)
        s->state = scry_alloc(sizeof *s->state);
    scry_remote_state *st = s->state;
    if (is_fetched(st, root))
        return 0;
    snprintf(filter, sizeof filter, "root == \"%s\"", root);
    int result = scry_remote_scan(s, filter, fields, 4, 160, take_page, st, err);
    if (result < 0)
        return result;
    st->roots = scry_realloc(st->roots, (st->root_count + 1) * sizeof *st->roots);
    memcpy(st->roots[st->root_count++], root, sizeof *st->roots);
    return 0;
}

/* ---- keeping up ---- */

void scry_remote_state_put(scry_remote *s, const uint8_t *id, const scry_file *file)
{
    char root[SCRY_REMOTE_HEX_ID];
    scry_hex(file->root, SCRY_ID_BYTES, root);
    if (!s->state || !is_fetched(s->state, root))
        return;
    entry e = { .size = file->size, .mtime_ns = file->mtime_ns, .used = 1 };
    memcpy(e.id, id, SCRY_ID_BYTES);
    memcpy(e.content, file->content, SCRY_HASH_BYTES);
    insert(s->state, &e);
    add_hash(s->state, e.content);
}

void scry_remote_state_drop(scry_remote *s, const uint8_t *id)
{
    entry *e = s->state ? find(s->state, id) : NULL;
    if (e)
        e->gone = 1;
}

/* ---- questions ---- */

int scry_remote_file_state(scry_store *base, const uint8_t *root, const char *relative, scry_file_state *out,
                           scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    uint8_t id[SCRY_ID_BYTES];
    char hex[SCRY_REMOTE_HEX_ID];
    scry_file_id(root, relative, id);
    scry_hex(root, SCRY_ID_BYTES, hex);
    int result = s->foreign ? scry_remote_foreign_state(s, root, relative, out, err) : fetch_root(s, hex, err);
    if (result < 0 || out->known)
        return result;
    const entry *e = s->state ? find(s->state, id) : NULL;
    if (e && !e->gone) {
        out->known = true;
        out->size = e->size;
        out->mtime_ns = e->mtime_ns;
        memcpy(out->content, e->content, SCRY_HASH_BYTES);
        return 0;
    }
    result = scry_remote_side_get(s, id, &out->size, &out->mtime_ns, err);
    out->known = out->bad = result == 1;
    return result < 0 ? result : 0;
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
    if (!s->state || has_hash(s->state, hash))
        return false;
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    bool all = true;
    for (size_t i = 0; i < roots->count; i++)
        all &= is_fetched(s->state, roots->ids[i]);
    scry_remote_roots_release(s, roots);
    return all;
}
