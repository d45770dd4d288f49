#include "tokenizer/pieces.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_PIECE_BYTES = 64 << 10,
    MAX_TEXT_BYTES = 512 << 20,
    BATCH = 32           /* slots fetched ahead while indexing */
};

void scry_pieces_init(scry_pieces *t)
{
    memset(t, 0, sizeof *t);
    t->max_id = -1;
}

void scry_pieces_dispose(scry_pieces *t)
{
    if (!t->borrowed) {
        free(t->offsets);
        free(t->ids);
        free(t->scores);
        free(t->bytes);
        scry_slots_dispose(&t->slots);
    }
    scry_pieces_init(t);
}

int scry_pieces_reserve(scry_pieces *t, size_t most, size_t bytes, unsigned with, const char *path,
                        scry_error *err)
{
    if (most > SCRY_PIECES_MAX)
        most = SCRY_PIECES_MAX;
    if (bytes > MAX_TEXT_BYTES)
        bytes = MAX_TEXT_BYTES;
    t->path = path;
    t->capacity = most;
    t->bytes_capacity = bytes;
    t->offsets = scry_try_alloc(most + 1, sizeof *t->offsets);
    t->bytes = scry_try_alloc(bytes + 1, 1);
    t->ids = with & SCRY_PIECES_IDS ? scry_try_alloc(most + 1, sizeof *t->ids) : NULL;
    t->scores = with & SCRY_PIECES_SCORES ? scry_try_alloc(most + 1, sizeof *t->scores) : NULL;
    if (!t->offsets || !t->bytes || (!t->ids && with & SCRY_PIECES_IDS) ||
        (!t->scores && with & SCRY_PIECES_SCORES))
        return scry_fail(err, SCRY_ENOMEM, "%s: no memory for the vocabulary", path);
    return 0;
}

int scry_pieces_add(scry_pieces *t, const char *text, size_t n, int64_t id, double score,
                    scry_error *err)
{
    size_t used = t->offsets[t->n];
    if (t->n >= t->capacity || n > MAX_PIECE_BYTES || n > t->bytes_capacity - used)
        return scry_fail(err, SCRY_ELIMIT, "%s: the vocabulary is too large (piece %zu)", t->path, t->n);
    if (id < 0 || id > SCRY_PIECES_MAX_ID || (!t->ids && (size_t)id != t->n))
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: piece %zu has the impossible id %lld", t->path,
                         t->n, (long long)id);
    memcpy(t->bytes + used, text, n);
    if (t->ids)
        t->ids[t->n] = (int32_t)id;
    if (t->scores)
        t->scores[t->n] = score;
    t->offsets[++t->n] = (uint32_t)(used + n);
    if (n > t->max_n)
        t->max_n = n;
    if (id > t->max_id)
        t->max_id = (int32_t)id;
    return 0;
}

static bool same_text(const void *owner, size_t place, const void *text, size_t n)
{
    size_t length;
    const char *found = scry_pieces_text(owner, place, &length);
    return length == n && memcmp(found, text, n) == 0;
}

int scry_pieces_index(scry_pieces *t, scry_error *err)
{
    uint64_t hashes[BATCH];
    if (!scry_slots_reserve(&t->slots, t->n))
        return scry_fail(err, SCRY_ENOMEM, "%s: no memory for the vocabulary", t->path);
    for (size_t start = 0; start < t->n; start += BATCH) {
        size_t end = start + BATCH < t->n ? start + BATCH : t->n, n;
        for (size_t i = start; i < end; i++) {
            const char *text = scry_pieces_text(t, i, &n);
            hashes[i - start] = scry_hash_bytes(text, n);
            scry_slots_prefetch(&t->slots, hashes[i - start]);
        }
        for (size_t i = start; i < end; i++) {
            const char *text = scry_pieces_text(t, i, &n);
            uint32_t *slot = scry_slots_find(&t->slots, hashes[i - start], same_text, t, text, n);
            if (!slot || *slot)
                return scry_fail(err, SCRY_EINVALID, "%s is damaged: piece %zu %s", t->path, i,
                                 slot ? "occurs twice" : "is one of too many with equal hashes");
            scry_slots_set(&t->slots, slot, hashes[i - start], i);
        }
    }
    return 0;
}

int32_t scry_pieces_find_hashed(const scry_pieces *t, uint64_t hash, const char *text, size_t n)
{
    return (int32_t)scry_slots_number(&t->slots, scry_slots_find(&t->slots, hash, same_text, t, text, n));
}

int32_t scry_pieces_find(const scry_pieces *t, const char *text, size_t n)
{
    return scry_pieces_find_hashed(t, scry_hash_bytes(text, n), text, n);
}

int32_t scry_pieces_find_id(const scry_pieces *t, const char *text, size_t n)
{
    int32_t place = scry_pieces_find(t, text, n);
    return place < 0 ? -1 : scry_pieces_id(t, place);
}
