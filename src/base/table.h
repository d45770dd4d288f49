/* table.h - hash tables by open addressing with linear probing.
 *
 *     scry_table t = SCRY_TABLE_OF_TEXTS(sizeof(char *), 1000000);
 *     int64_t number = scry_table_add(&t, "beach", err);   // 0, 1, 2 ... in order of first appearance
 *     number = scry_table_find(&t, "beach");               // or -1
 *     const char *text = scry_table_text(&t, 0);
 *     scry_table_dispose(&t);
 *
 * Two layers. scry_slots maps the hash of a key to the number of an entry that its owner
 * keeps in whatever form (the vocabulary of a tokenizer does). scry_table keeps the
 * entries too: all of one size, in an array, in the order in which they were added; an
 * entry begins with its key, the rest is the caller's.
 *
 * A slot has 32 bits: number + 1 in the low ones, as many as the size of the table needs, and in the
 * rest some bits of the hash, so that keys of other entries are almost never compared. At most half of
 * the slots are used. More than SCRY_SLOTS_MAX_PROBES in a row only come from keys that were chosen to
 * collide; they are refused, so that a lookup takes bounded time. Any number of threads may look up
 * while no thread adds.
 */
#ifndef SCRY_BASE_TABLE_H
#define SCRY_BASE_TABLE_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FNV-1a, 64 bits: can be extended byte by byte. */
#define SCRY_HASH_SEED UINT64_C(0xCBF29CE484222325)

static inline uint64_t scry_hash_step(uint64_t h, char byte)
{
    return (h ^ (unsigned char)byte) * UINT64_C(0x100000001B3);
}

static inline uint64_t scry_hash_bytes(const void *bytes, size_t n)
{
    uint64_t h = SCRY_HASH_SEED;
    for (size_t i = 0; i < n; i++)
        h = scry_hash_step(h, ((const char *)bytes)[i]);
    return h;
}

/* ---- slots ---- */

enum { SCRY_SLOTS_MAX_PROBES = 512 };

typedef struct scry_slots {
    uint32_t *at;    /* [1 << bits], owned; 0: free */
    unsigned bits;
} scry_slots;

/* Whether the entry `number` of `owner` has this key. */
typedef bool scry_slots_equal(const void *owner, size_t number, const void *key, size_t key_bytes);

/* Room for `entries`, all slots free; earlier contents are lost. False without memory, and past 2^30 entries. */
bool scry_slots_reserve(scry_slots *s, size_t entries) SCRY_NODISCARD;
void scry_slots_dispose(scry_slots *s);

/* The multiplication spreads the hash's low bits over the high ones, which choose the slot. */
static inline uint64_t scry_slots_mix(uint64_t hash)
{
    return (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15);
}

/* Fetch the slot of a key that will be looked up soon. */
static inline void scry_slots_prefetch(const scry_slots *s, uint64_t hash)
{
    __builtin_prefetch(&s->at[scry_slots_mix(hash) >> (64 - s->bits)]);
}

/* The slot of this key, or the free one to insert it at; NULL after SCRY_SLOTS_MAX_PROBES.
 * Inline so that `equal` can be inlined. */
static inline __attribute__((always_inline)) uint32_t *
scry_slots_find(const scry_slots *s, uint64_t hash, scry_slots_equal *equal, const void *owner, const void *key,
                size_t key_bytes)
{
    uint64_t mixed = scry_slots_mix(hash);
    uint32_t mask = (UINT32_C(1) << s->bits) - 1, tag = (uint32_t)mixed & ~mask;
    uint32_t slot = (uint32_t)(mixed >> (64 - s->bits));
    for (int probe = 0; probe < SCRY_SLOTS_MAX_PROBES; probe++, slot = (slot + 1) & mask) {
        uint32_t entry = s->at[slot];
        if (entry == 0 || ((entry & ~mask) == tag && equal(owner, (entry & mask) - 1, key, key_bytes)))
            return &s->at[slot];
    }
    return NULL;
}

/* The number in a slot, -1 for a free one and NULL. */
static inline int64_t scry_slots_number(const scry_slots *s, const uint32_t *slot)
{
    return slot ? (int64_t)(*slot & ((UINT32_C(1) << s->bits) - 1)) - 1 : -1;
}

/* `number` is below what was reserved. */
static inline void scry_slots_set(const scry_slots *s, uint32_t *slot, uint64_t hash, size_t number)
{
    uint32_t mask = (UINT32_C(1) << s->bits) - 1;
    *slot = ((uint32_t)scry_slots_mix(hash) & ~mask) | (uint32_t)(number + 1);
}

/* ---- tables ---- */

typedef struct scry_table {
    size_t key_bytes;     /* 0: the key is a text, an entry begins with a pointer to the table's copy of it */
    size_t entry_bytes;
    size_t limit;         /* no more entries than this */
    char *entries;        /* owned: [count] entries */
    size_t count, capacity;
    scry_slots slots;
    struct scry_table_texts *texts;   /* owned: where the copies are */
} scry_table;

#define SCRY_TABLE_OF_TEXTS(entry_bytes, limit) { 0, (entry_bytes), (limit), NULL, 0, 0, { NULL, 0 }, NULL }
#define SCRY_TABLE_OF_BYTES(key_bytes, entry_bytes, limit) \
    { (key_bytes), (entry_bytes), (limit), NULL, 0, 0, { NULL, 0 }, NULL }

/* The number of the entry with this key; a new one is added, with zeros after the key. SCRY_ELIMIT past the
 * limit and for keys that collide, SCRY_ENOMEM; after an error the table can only be disposed of. Pointers to
 * entries are valid until the next call, those to texts as long as the table. */
int64_t scry_table_add(scry_table *t, const void *key, scry_error *err) SCRY_NODISCARD;

/* The number of the entry with this key, -1 when there is none. */
int64_t scry_table_find(const scry_table *t, const void *key);

/* Empty it; key, entry and limit stay as they are. */
void scry_table_dispose(scry_table *t);

/* For entries 0 to count - 1. */
static inline void *scry_table_at(const scry_table *t, size_t number)
{
    return t->entries + number * t->entry_bytes;
}

static inline const char *scry_table_text(const scry_table *t, size_t number)
{
    return *(char *const *)scry_table_at(t, number);
}

#endif
