/* remote_state.c - what an index run needs of each file: is it known, unchanged, is its content stored?
 *
 * A request for each of thousands of files would take milliseconds each: the run says which files it is going to ask for,
 * some hundred at a time, and these are fetched together by their ids. What was fetched or written is kept in two generations of
 * entries, of which the older is forgotten when the younger is full, so that memory does not grow with the collection.
 *
 * Of contents, those are remembered that this process wrote or replaced: of others a read of bounded staleness knows. In a
 * collection that was empty at first, nothing else is stored.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum { GENERATION = 1 << 15, MOST_CONTENTS = 1 << 20, AT_ONCE = 1000 };

typedef struct entry {
    uint8_t id[SCRY_ID_BYTES];
    uint8_t content[SCRY_HASH_BYTES];
    int64_t size, mtime_ns, ctime_ns;
    bool known;              /* false: there is no row of this id */
} entry;

struct scry_remote_state {
    scry_table young, old;   /* of entries */
    scry_table contents;     /* first half of the hashes that this process wrote or replaced */
    bool was_empty;          /* the collection had no row when this process began, and `contents` has all since then */
};

static scry_table new_table(size_t entry_bytes)
{
    return (scry_table)SCRY_TABLE_OF_BYTES(SCRY_ID_BYTES, entry_bytes, SIZE_MAX);
}

static scry_remote_state *get_state(scry_remote *s)
{
    if (!s->state) {
        s->state = scry_alloc(sizeof *s->state);
        s->state->young = new_table(sizeof(entry));
        s->state->old = new_table(sizeof(entry));
        s->state->contents = new_table(SCRY_ID_BYTES);
    }
    return s->state;
}

void scry_remote_state_free(scry_remote_state *st)
{
    if (!st)
        return;
    scry_table_dispose(&st->young);
    scry_table_dispose(&st->old);
    scry_table_dispose(&st->contents);
    free(st);
}

static void forget_all(scry_remote *s)
{
    scry_remote_state_free(s->state);
    s->state = NULL;
}

static entry *find_in(const scry_table *t, const uint8_t *id)
{
    int64_t n = scry_table_find(t, id);
    return n < 0 ? NULL : scry_table_at(t, (size_t)n);
}

static const entry *find(const scry_remote_state *st, const uint8_t *id)
{
    const entry *e = find_in(&st->young, id);
    return e ? e : find_in(&st->old, id);
}

static int insert(scry_remote_state *st, const entry *e, scry_error *err)
{
    if (st->young.count >= GENERATION) {
        scry_table_dispose(&st->old);
        st->old = st->young;
        st->young = new_table(sizeof(entry));
    }
    int64_t n = scry_table_add(&st->young, e->id, err);
    if (n < 0)
        return (int)n;
    *(entry *)scry_table_at(&st->young, (size_t)n) = *e;
    return 0;
}

/* ---- fetching ---- */

static int take_rows(scry_remote_state *st, const scry_milvus_rows *rows, scry_error *err)
{
    const scry_milvus_column *id = scry_milvus_find_column(rows, "id", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *content = scry_milvus_find_column(rows, "content", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *size = scry_milvus_find_column(rows, "size", SCRY_MILVUS_INT64);
    const scry_milvus_column *mtime = scry_milvus_find_column(rows, "mtime_ns", SCRY_MILVUS_INT64);
    const scry_milvus_column *ctime = scry_milvus_find_column(rows, "ctime_ns", SCRY_MILVUS_INT64);   /* not in format 1 */
    int result = 0;
    if (rows->rows && (!id || !content || !size || !mtime))
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    for (size_t i = 0; i < rows->rows && result == 0; i++) {
        entry e = { .size = size->longs[i], .mtime_ns = mtime->longs[i], .ctime_ns = ctime ? ctime->longs[i] : 0, .known = true };
        if (scry_unhex(id->strings[i], e.id, SCRY_ID_BYTES) == 0 &&
            scry_unhex(content->strings[i], e.content, SCRY_HASH_BYTES) == 0)
            result = insert(st, &e, err);   /* else it is not scry's: ignored; scry verify reports it */
    }
    return result;
}

/* Fetch the rows of `n` ids, at most AT_ONCE, and note which have none. */
static int fetch(scry_remote *s, scry_milvus *m, const uint8_t *const *ids, size_t n, scry_error *err)
{
    static const char *const names[] = { "id", "content", "size", "mtime_ns", "ctime_ns" };
    scry_remote_state *st = get_state(s);
    char (*hex)[SCRY_REMOTE_HEX_ID] = scry_alloc(n * sizeof *hex);
    const char **texts = scry_alloc(n * sizeof *texts);
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_milvus_rows *rows = NULL;
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++) {
        entry e = { .known = false };
        memcpy(e.id, ids[i], SCRY_ID_BYTES);
        result = insert(st, &e, err);
        scry_hex(ids[i], SCRY_ID_BYTES, hex[i]);
        texts[i] = hex[i];
    }
    scry_remote_in_list(&filter, "id", texts, n);
    scry_milvus_query q = { scry_buf_str(&filter), names, s->has_details ? 5 : 4, 0, scry_remote_freshness(s) };
    if (result == 0)
        result = scry_remote_query(s, m, &q, &rows, err);
    if (result == 0)
        result = take_rows(st, rows, err);
    if (result < 0)
        forget_all(s);   /* or files whose rows did not arrive would count as new */
    scry_milvus_rows_free(rows);
    scry_buf_dispose(&filter);
    free(texts);
    free(hex);
    return result;
}

int scry_remote_look_ahead(scry_store *base, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    const uint8_t *wanted[AT_ONCE];
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    for (size_t at = 0; at < n && result == 0;) {
        size_t count = 0;
        for (; at < n && count < AT_ONCE; at++)
            if (!find(get_state(s), ids[at]))
                wanted[count++] = ids[at];
        if (count)
            result = fetch(s, m, wanted, count, err);
    }
    scry_remote_give(s, m);
    return result;
}

/* The entry of a file, fetched if need be; valid until the next call. */
static int get_entry(scry_remote *s, const uint8_t *id, const entry **out, scry_error *err)
{
    int result = scry_remote_look_ahead(&s->base, (const uint8_t (*)[SCRY_ID_BYTES])id, 1, err);
    if (result == 0)
        *out = find(s->state, id);
    return result;
}

/* ---- updates ---- */

void scry_remote_state_begin(scry_remote *s)
{
    get_state(s)->was_empty = true;
}

/* A content that this process wrote, or took from a file. When they are too many, a strong read makes readers see them all. */
static int note_content(scry_remote *s, scry_milvus *m, const uint8_t *hash, scry_error *err)
{
    scry_remote_state *st = get_state(s);
    if (st->contents.count >= MOST_CONTENTS) {
        int result = scry_remote_catch_up(s, m, err);
        if (result < 0)
            return result;
        scry_table_dispose(&st->contents);
        st->contents = new_table(SCRY_ID_BYTES);
        st->was_empty = false;
    }
    int64_t n = scry_table_add(&st->contents, hash, err);
    return n < 0 ? (int)n : 0;
}

int scry_remote_state_put(scry_remote *s, scry_milvus *m, const uint8_t *id, const scry_put *put, scry_error *err)
{
    const scry_file *file = &put->file;
    scry_remote_state *st = get_state(s);
    const entry *before = find(st, id);
    int result = before && before->known ? note_content(s, m, before->content, err) : 0;
    if (result == 0)
        result = note_content(s, m, file->content, err);
    if (result < 0)
        return result;
    entry e = { .size = file->size, .mtime_ns = file->mtime_ns, .ctime_ns = s->has_details ? put->ctime_ns : 0, .known = true };
    memcpy(e.id, id, SCRY_ID_BYTES);
    memcpy(e.content, file->content, SCRY_HASH_BYTES);
    return insert(st, &e, err);
}

int scry_remote_state_drop(scry_remote *s, scry_milvus *m, const uint8_t *id, scry_error *err)
{
    entry e = { .known = false };
    scry_remote_state *st = get_state(s);
    const entry *before = find(st, id);
    int result = before && before->known ? note_content(s, m, before->content, err) : 0;
    memcpy(e.id, id, SCRY_ID_BYTES);
    return result < 0 ? result : insert(st, &e, err);
}

/* ---- lookups ---- */

int scry_remote_file_state(scry_store *base, const uint8_t *root, const char *relative, scry_file_state *out,
                           scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    uint8_t id[SCRY_ID_BYTES];
    const entry *e = NULL;
    scry_file_id(root, relative, id);
    int result = get_entry(s, id, &e, err);
    if (result < 0)
        return result;
    if (e->known) {
        out->known = true;
        out->size = e->size;
        out->mtime_ns = e->mtime_ns;
        out->ctime_ns = e->ctime_ns;
        memcpy(out->content, e->content, SCRY_HASH_BYTES);
        return 0;
    }
    return scry_remote_side_state(s, id, out, err);
}

int scry_remote_has_row(scry_remote *s, const uint8_t *id, bool *out, scry_error *err)
{
    const entry *e = NULL;
    int result = get_entry(s, id, &e, err);
    *out = result == 0 && e->known;
    return result;
}

bool scry_remote_state_lacks(scry_remote *s, const uint8_t *hash)
{
    return s->state && s->state->was_empty && scry_table_find(&s->state->contents, hash) < 0;
}

bool scry_remote_state_wrote(scry_remote *s, const uint8_t *hash)
{
    return s->state && scry_table_find(&s->state->contents, hash) >= 0;
}
