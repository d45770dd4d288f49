#include "model/tok_pieces.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SLOT_BITS = 16,
    MAX_PIECE_BYTES = 64 << 10,
    MAX_TEXT_BYTES = 256 << 20,
    MAX_PROBES = 512   /* a table half full needs a few: more is a file made to collide */
};

void scry_pieces_init(scry_pieces *t)
{
    memset(t, 0, sizeof *t);
    t->max_id = -1;
}

void scry_pieces_dispose(scry_pieces *t)
{
    free(t->at);
    free(t->bytes);
    free(t->slots);
    scry_pieces_init(t);
}

/* The multiplication spreads FNV's low bits over the high ones, which choose the slot. */
static uint64_t spread(uint64_t hash)
{
    return (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15);
}

/* The slot of this text, or the empty one where it would go; NULL past MAX_PROBES. */
static uint64_t *find_slot(const scry_pieces *t, uint64_t hash, const char *text, size_t n)
{
    uint64_t mixed = spread(hash), mask = (UINT64_C(1) << t->slot_bits) - 1;
    uint64_t tag = mixed << 32;
    size_t slot = mixed >> (64 - t->slot_bits);
    for (int probe = 0; probe < MAX_PROBES; probe++, slot = (slot + 1) & mask) {
        uint64_t entry = t->slots[slot];
        if (entry == 0)
            return &t->slots[slot];
        if ((entry & ~UINT64_C(0xFFFFFFFF)) != tag)
            continue;
        const scry_piece *p = &t->at[(uint32_t)entry - 1];
        if (p->n == n && memcmp(t->bytes + p->offset, text, n) == 0)
            return &t->slots[slot];
    }
    return NULL;
}

static uint64_t hash_of(const char *text, size_t n)
{
    uint64_t h = SCRY_PIECES_SEED;
    for (size_t i = 0; i < n; i++)
        h = scry_pieces_step(h, text[i]);
    return h;
}

static bool grow_slots(scry_pieces *t)
{
    unsigned bits = t->slot_bits ? t->slot_bits + 1 : FIRST_SLOT_BITS;
    uint64_t *old = t->slots;
    t->slots = scry_try_alloc((size_t)1 << bits, sizeof *t->slots);
    if (!t->slots) {
        t->slots = old;
        return false;
    }
    t->slot_bits = bits;
    for (size_t i = 0; i < t->n; i++) {
        const scry_piece *p = &t->at[i];
        uint64_t hash = hash_of(t->bytes + p->offset, p->n);
        uint64_t *slot = find_slot(t, hash, t->bytes + p->offset, p->n);
        if (slot)   /* fewer probes than before, so there is one */
            *slot = spread(hash) << 32 | (i + 1);
    }
    free(old);
    return true;
}

static bool grow_texts(scry_pieces *t, size_t n)
{
    if (t->n == t->capacity) {
        size_t want = t->capacity ? t->capacity * 2 : 1 << 15;
        scry_piece *at = realloc(t->at, want * sizeof *at);
        if (!at)
            return false;
        t->at = at;
        t->capacity = want;
    }
    if (t->bytes_n + n > t->bytes_capacity) {
        size_t want = (t->bytes_n + n) * 2 + (1 << 18);
        char *bytes = realloc(t->bytes, want);
        if (!bytes)
            return false;
        t->bytes = bytes;
        t->bytes_capacity = want;
    }
    return t->n * 2 < (size_t)1 << t->slot_bits || grow_slots(t);
}

int scry_pieces_add(scry_pieces *t, const char *text, size_t n, int64_t id, double score,
                    const char *path, scry_error *err)
{
    if (t->n >= SCRY_PIECES_MAX || n > MAX_PIECE_BYTES || t->bytes_n + n > MAX_TEXT_BYTES)
        return scry_fail(err, SCRY_ELIMIT, "%s: the vocabulary is too large (piece %zu)", path, t->n);
    if (id < 0 || id > SCRY_PIECES_MAX_ID)
        return scry_fail(err, SCRY_EINVALID, "%s: piece %zu has the impossible id %lld", path, t->n,
                         (long long)id);
    if ((t->slot_bits == 0 && !grow_slots(t)) || !grow_texts(t, n))
        return scry_fail(err, SCRY_ENOMEM, "%s: no memory for the vocabulary", path);
    uint64_t hash = hash_of(text, n);
    uint64_t *slot = find_slot(t, hash, text, n);
    if (!slot || *slot)
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: piece %zu %s", path, t->n,
                         slot ? "was there before" : "is one of too many that hash alike");
    memcpy(t->bytes + t->bytes_n, text, n);
    t->at[t->n] = (scry_piece){ (uint32_t)t->bytes_n, (uint32_t)n, (int32_t)id, score };
    t->bytes_n += n;
    *slot = spread(hash) << 32 | ++t->n;
    if (n > t->max_n)
        t->max_n = n;
    if (id > t->max_id)
        t->max_id = (int32_t)id;
    return 0;
}

const scry_piece *scry_pieces_find_hashed(const scry_pieces *t, uint64_t hash, const char *text, size_t n)
{
    uint64_t *slot = t->slots ? find_slot(t, hash, text, n) : NULL;
    return slot && *slot ? &t->at[(uint32_t)*slot - 1] : NULL;
}

const scry_piece *scry_pieces_find(const scry_pieces *t, const char *text, size_t n)
{
    return scry_pieces_find_hashed(t, hash_of(text, n), text, n);
}
