/* remote_marks.h - favourites, bursts to keep and saved searches of a collection on Milvus: rows of a collection NAME__marks beside
 * it, so that all machines see the same ones. It is made with the first mark. */
#ifndef SCRY_STORE_MILVUS_REMOTE_MARKS_H
#define SCRY_STORE_MILVUS_REMOTE_MARKS_H

#include "store/milvus/remote_internal.h"

/* Of scry_store_kind. */
int scry_remote_put_marks(scry_store *base, const scry_mark *marks, size_t n, scry_error *err) SCRY_NODISCARD;
int scry_remote_remove_marks(scry_store *base, const scry_mark *marks, size_t n, uint64_t *removed, scry_error *err) SCRY_NODISCARD;
int scry_remote_each_mark(scry_store *base, scry_mark_kind kind, int (*each)(void *, const scry_mark *), void *arg, scry_error *err)
    SCRY_NODISCARD;

/* The contents that are favourites, in order: an immutable list, read with its first use and again after a refresh. */
struct scry_remote_favourites {
    uint8_t (*hashes)[SCRY_HASH_BYTES];
    size_t count, users;
    bool denied;         /* this user may not read them: there are none */
};

/* The present list, to be released. */
int scry_remote_favourites_hold(scry_remote *s, scry_remote_favourites **out, scry_error *err) SCRY_NODISCARD;
void scry_remote_favourites_release(scry_remote *s, scry_remote_favourites *f);   /* NULL is legal */
/* The next use reads them again. */
void scry_remote_favourites_forget(scry_remote *s);
bool scry_remote_is_favourite(const scry_remote_favourites *f, const uint8_t hash[SCRY_HASH_BYTES]);

/* The error of a user who may not read the marks. */
int scry_remote_marks_denied(const scry_remote *s, scry_error *err);

/* Whether a collection holds the marks of another one, and is not listed. */
bool scry_remote_is_marks(scry_milvus *m, const char *name);

/* Drop the marks of a collection that was dropped; `name` is that, or its alias. */
int scry_remote_drop_marks(scry_milvus *m, const char *name, scry_error *err) SCRY_NODISCARD;

#endif
