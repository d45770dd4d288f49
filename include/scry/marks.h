/* marks.h - what the user has said about pictures and searches: favourites, bursts to keep, saved searches.
 *
 * A mark belongs to a collection, not to a file: those of a picture are kept by its content, so that they stay when it is moved
 * or copied, and when it is removed and comes back. On Milvus they are in a collection NAME__marks beside it, for all machines; a
 * collection that another program made has none: every function here is SCRY_EINVALID, and scry_store_info.keeps_marks is false.
 *
 *     scry_mark m = { .kind = SCRY_MARK_FAVOURITE, .key = file->content, .key_size = SCRY_HASH_BYTES, .set_at = time(NULL) };
 *     scry_store_put_marks(store, &m, 1, &err);
 */
#ifndef SCRY_MARKS_H
#define SCRY_MARKS_H

#include "scry/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SCRY_MARK_FAVOURITE = 1,   /* key: SHA-256 of a content; value: "" */
    SCRY_MARK_KEPT = 2,        /* key: SHA-256 of a content; value: the same for all that are to be kept beside each other */
    SCRY_MARK_SEARCH = 3       /* key: its name; value: what POST /api/v1/search takes */
} scry_mark_kind;

enum { SCRY_MARK_KEY_BYTES = 256, SCRY_MARK_VALUE_BYTES = 64 << 10 };

typedef struct scry_mark {
    scry_mark_kind kind;
    const void *key;
    size_t key_size;           /* 1 to SCRY_MARK_KEY_BYTES; of a content SCRY_HASH_BYTES */
    const char *value;         /* at most SCRY_MARK_VALUE_BYTES; NULL is legal, and read as "" */
    int64_t set_at;            /* seconds since 1970 */
} scry_mark;

/* Add marks, or replace those of the same kind and key: one transaction, durable when it returns 0. On Milvus one for each some
 * hundred thousand, and values are UTF-8 of one byte less at most. */
int scry_store_put_marks(scry_store *s, const scry_mark *marks, size_t n, scry_error *err) SCRY_NODISCARD;

/* Remove marks by kind and key, one transaction; `removed` (may be NULL) gets how many there were. */
int scry_store_remove_marks(scry_store *s, const scry_mark *marks, size_t n, uint64_t *removed, scry_error *err) SCRY_NODISCARD;

/* All marks of a kind in order of their keys' bytes. Borrowed for the call, which may not write to the store; a non-zero
 * return stops. */
int scry_store_each_mark(scry_store *s, scry_mark_kind kind, int (*each)(void *arg, const scry_mark *mark), void *arg,
                         scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
