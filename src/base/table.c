#include "base/table.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_BITS = 6, MOST_BITS = 31, CHUNK_BYTES = 16 << 10 };

bool scry_slots_reserve(scry_slots *s, size_t entries)
{
    unsigned bits = LEAST_BITS;
    while (bits < MOST_BITS && (size_t)1 << bits < entries * 2)
        bits++;
    uint32_t *at = (size_t)1 << bits < entries * 2 ? NULL : scry_try_alloc((size_t)1 << bits, sizeof *at);
    if (!at)
        return false;
    free(s->at);
    *s = (scry_slots){ at, bits };
    return true;
}

void scry_slots_dispose(scry_slots *s)
{
    free(s->at);
    *s = (scry_slots){ NULL, 0 };
}

/* ---- tables ---- */

/* Texts lie one after the other; chunks never move. */
struct scry_table_texts {
    struct scry_table_texts *next;
    size_t used, size;
    char bytes[];
};

static char *copy_text(scry_table *t, const char *text)
{
    size_t n = strlen(text) + 1;
    if (!t->texts || t->texts->size - t->texts->used < n) {
        size_t size = n > CHUNK_BYTES ? n : CHUNK_BYTES;
        struct scry_table_texts *chunk = malloc(sizeof *chunk + size);
        if (!chunk)
            return NULL;
        *chunk = (struct scry_table_texts){ .next = t->texts, .size = size };
        t->texts = chunk;
    }
    char *to = t->texts->bytes + t->texts->used;
    t->texts->used += n;
    return memcpy(to, text, n);
}

static bool same_text(const void *owner, size_t number, const void *key, size_t n)
{
    return strcmp(scry_table_text(owner, number), key) == 0;
}

static bool same_bytes(const void *owner, size_t number, const void *key, size_t n)
{
    return memcmp(scry_table_at(owner, number), key, n) == 0;
}

static uint64_t hash_key(const scry_table *t, const void *key)
{
    return scry_hash_bytes(key, t->key_bytes ? t->key_bytes : strlen(key));
}

static uint32_t *find_slot(const scry_table *t, uint64_t hash, const void *key)
{
    return t->key_bytes ? scry_slots_find(&t->slots, hash, same_bytes, t, key, t->key_bytes)
                        : scry_slots_find(&t->slots, hash, same_text, t, key, 0);
}

/* Room for one more entry. */
static bool grow(scry_table *t)
{
    if (t->count < t->capacity)
        return true;
    size_t capacity = t->capacity ? t->capacity * 2 : (size_t)1 << (LEAST_BITS - 1), bytes;
    char *entries = scry_mul_size(capacity, t->entry_bytes, &bytes) ? realloc(t->entries, bytes) : NULL;
    if (!entries)
        return false;
    t->entries = entries;
    if (!scry_slots_reserve(&t->slots, capacity))
        return false;
    t->capacity = capacity;
    for (size_t i = 0; i < t->count; i++) {
        const void *key = t->key_bytes ? scry_table_at(t, i) : scry_table_text(t, i);
        uint64_t hash = hash_key(t, key);
        uint32_t *slot = find_slot(t, hash, key);
        if (!slot)
            return false;
        scry_slots_set(&t->slots, slot, hash, i);
    }
    return true;
}

int64_t scry_table_add(scry_table *t, const void *key, scry_error *err)
{
    uint64_t hash = hash_key(t, key);
    uint32_t *slot = t->capacity ? find_slot(t, hash, key) : NULL;
    if (slot && *slot)
        return scry_slots_number(&t->slots, slot);
    if (t->count >= t->limit)
        return scry_fail(err, SCRY_ELIMIT, "more than %zu different names", t->limit);
    if (!grow(t))
        return scry_fail(err, SCRY_ENOMEM, "no memory for a table of more than %zu names", t->count);
    slot = find_slot(t, hash, key);
    if (!slot)
        return scry_fail(err, SCRY_ELIMIT, "too many names with the same hash");
    char *entry = scry_table_at(t, t->count);
    memset(entry, 0, t->entry_bytes);
    if (t->key_bytes) {
        memcpy(entry, key, t->key_bytes);
    } else {
        char *text = copy_text(t, key);
        if (!text)
            return scry_fail(err, SCRY_ENOMEM, "no memory for a table of more than %zu names", t->count);
        memcpy(entry, &text, sizeof text);
    }
    scry_slots_set(&t->slots, slot, hash, t->count);
    return (int64_t)t->count++;
}

int64_t scry_table_find(const scry_table *t, const void *key)
{
    return t->capacity ? scry_slots_number(&t->slots, find_slot(t, hash_key(t, key), key)) : -1;
}

void scry_table_dispose(scry_table *t)
{
    for (struct scry_table_texts *chunk = t->texts; chunk;) {
        struct scry_table_texts *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(t->entries);
    scry_slots_dispose(&t->slots);
    *t = (scry_table){ .key_bytes = t->key_bytes, .entry_bytes = t->entry_bytes, .limit = t->limit };
}
