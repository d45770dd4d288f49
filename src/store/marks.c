/* marks.c - favourites, saved searches and other marks of pictures: checks arguments and dispatches to the kind of the store. */
#include "store/store_kind.h"

#include "base/required.h"
#include "base/sha256.h"

#include <string.h>

static int check_keeps_marks(const scry_store *s, scry_error *err)
{
    return s->kind->put_marks ? 0 : scry_fail(err, SCRY_EINVALID, "favourites, saved searches and the like belong to collections that scry "
                                              "made: this one is of another program, or is not complete yet");
}

static int check_marks(const scry_store *s, const scry_mark *marks, size_t n, scry_error *err)
{
    int result = check_keeps_marks(s, err);
    if (result == 0)
        result = scry_required_array(marks, n, "an array of marks", err);
    for (size_t i = 0; i < n && result == 0; i++) {
        const scry_mark *m = &marks[i];
        bool content = m->kind == SCRY_MARK_FAVOURITE || m->kind == SCRY_MARK_KEPT;
        if (!content && m->kind != SCRY_MARK_SEARCH)
            result = scry_fail(err, SCRY_EINVALID, "there is no kind %d of marks", (int)m->kind);
        else if (!m->key)
            result = scry_required(m->key, "the key of a mark", err);
        else if (!m->key_size || m->key_size > SCRY_MARK_KEY_BYTES || (content && m->key_size != SCRY_HASH_BYTES))
            result = scry_fail(err, SCRY_EINVALID, "a key of %zu bytes: it has 1 to %d, that of a content %d", m->key_size,
                               SCRY_MARK_KEY_BYTES, SCRY_HASH_BYTES);
        else if (m->value && strlen(m->value) > SCRY_MARK_VALUE_BYTES)
            result = scry_fail(err, SCRY_ELIMIT, "a value of %zu bytes: at most %d", strlen(m->value), SCRY_MARK_VALUE_BYTES);
    }
    return result;
}

int scry_store_put_marks(scry_store *s, const scry_mark *marks, size_t n, scry_error *err)
{
    int result = check_marks(s, marks, n, err);
    return result < 0 || !n ? result : s->kind->put_marks(s, marks, n, err);
}

int scry_store_remove_marks(scry_store *s, const scry_mark *marks, size_t n, uint64_t *removed, scry_error *err)
{
    uint64_t ignored;
    if (!removed)
        removed = &ignored;
    *removed = 0;
    int result = check_marks(s, marks, n, err);
    return result < 0 || !n ? result : s->kind->remove_marks(s, marks, n, removed, err);
}

int scry_store_each_mark(scry_store *s, scry_mark_kind kind, int (*each)(void *arg, const scry_mark *mark), void *arg,
                         scry_error *err)
{
    int result = check_keeps_marks(s, err);
    return result < 0 ? result : s->kind->each_mark(s, kind, each, arg, err);
}
