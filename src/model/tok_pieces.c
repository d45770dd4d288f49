#include "model/tok_pieces.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_PIECE_BYTES = 64 << 10,
    MAX_TEXT_BYTES = 512 << 20,
    MAX_PROBES = 512,    /* a table half full needs a few: more is a file made to collide */
    BATCH = 32           /* slots fetched ahead while indexing */
};

#define PLACE_MASK 0xFFFFFFU

void scry_pieces_init(scry_pieces *t)
{
    memset(t, 0, sizeof *t);
    t->max_id = -1;
}

void scry_pieces_dispose(scry_pieces *t)
{
    free(t->offsets);
    free(t->ids);
    free(t->scores);
    free(t->bytes);
    free(t->slots);
    scry_pieces_init(t);
}

int scry_pieces_reserve(scry_pieces *t, size_t most, size_t bytes, unsigned with, const char *path,
                        scry_error *err)
{
    if (most > SCRY_PIECES_MAX)
        most = SCRY_PIECES_MAX;
    if (bytes > MAX_TEXT_BYTES)
        bytes = MAX_TEXT_BYTES;
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
                    const char *path, scry_error *err)
{
    size_t used = t->offsets[t->n];
    if (t->n >= t->capacity || n > MAX_PIECE_BYTES || n > t->bytes_capacity - used)
        return scry_fail(err, SCRY_ELIMIT, "%s: the vocabulary is too large (piece %zu)", path, t->n);
    if (id < 0 || id > SCRY_PIECES_MAX_ID || (!t->ids && (size_t)id != t->n))
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: piece %zu has the impossible id %lld", path,
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

/* The multiplication spreads FNV's low bits over the high ones, which choose the slot. */
static uint64_t spread(uint64_t hash)
{
    return (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15);
}

static uint32_t tag_of(uint64_t mixed)
{
    return (uint32_t)mixed & ~PLACE_MASK;
}

/* The slot of this text, or the empty one where it would go; NULL past MAX_PROBES. */
static uint32_t *find_slot(const scry_pieces *t, uint64_t hash, const char *text, size_t n)
{
    uint64_t mixed = spread(hash);
    uint32_t tag = tag_of(mixed), mask = (1U << t->slot_bits) - 1;
    uint32_t slot = (uint32_t)(mixed >> (64 - t->slot_bits));
    for (int probe = 0; probe < MAX_PROBES; probe++, slot = (slot + 1) & mask) {
        uint32_t entry = t->slots[slot];
        if (entry == 0)
            return &t->slots[slot];
        if ((entry & ~PLACE_MASK) != tag)
            continue;
        size_t length;
        const char *found = scry_pieces_text(t, (entry & PLACE_MASK) - 1, &length);
        if (length == n && memcmp(found, text, n) == 0)
            return &t->slots[slot];
    }
    return NULL;
}

uint64_t scry_pieces_hash(const char *text, size_t n)
{
    uint64_t h = SCRY_PIECES_SEED;
    for (size_t i = 0; i < n; i++)
        h = scry_pieces_step(h, text[i]);
    return h;
}

void scry_pieces_prefetch(const scry_pieces *t, uint64_t hash)
{
    __builtin_prefetch(&t->slots[spread(hash) >> (64 - t->slot_bits)]);
}

int scry_pieces_index(scry_pieces *t, const char *path, scry_error *err)
{
    uint64_t hashes[BATCH];
    for (t->slot_bits = 4; (size_t)1 << t->slot_bits < t->n * 2;)
        t->slot_bits++;
    t->slots = scry_try_alloc((size_t)1 << t->slot_bits, sizeof *t->slots);
    if (!t->slots)
        return scry_fail(err, SCRY_ENOMEM, "%s: no memory for the vocabulary", path);
    for (size_t start = 0; start < t->n; start += BATCH) {
        size_t end = start + BATCH < t->n ? start + BATCH : t->n, n;
        for (size_t i = start; i < end; i++) {
            const char *text = scry_pieces_text(t, i, &n);
            hashes[i - start] = scry_pieces_hash(text, n);
            scry_pieces_prefetch(t, hashes[i - start]);
        }
        for (size_t i = start; i < end; i++) {
            const char *text = scry_pieces_text(t, i, &n);
            uint32_t *slot = find_slot(t, hashes[i - start], text, n);
            if (!slot || *slot)
                return scry_fail(err, SCRY_EINVALID, "%s is damaged: piece %zu %s", path, i,
                                 slot ? "was there before" : "is one of too many that hash alike");
            *slot = tag_of(spread(hashes[i - start])) | (uint32_t)(i + 1);
        }
    }
    return 0;
}

int32_t scry_pieces_find_hashed(const scry_pieces *t, uint64_t hash, const char *text, size_t n)
{
    uint32_t *slot = find_slot(t, hash, text, n);
    return slot && *slot ? (int32_t)(*slot & PLACE_MASK) - 1 : -1;
}

int32_t scry_pieces_find(const scry_pieces *t, const char *text, size_t n)
{
    return scry_pieces_find_hashed(t, scry_pieces_hash(text, n), text, n);
}

int32_t scry_pieces_find_id(const scry_pieces *t, const char *text, size_t n)
{
    int32_t place = scry_pieces_find(t, text, n);
    return place < 0 ? -1 : scry_pieces_id(t, place);
}
