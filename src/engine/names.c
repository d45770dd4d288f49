#include "engine/names.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *s)   /* FNV-1a, 64 bits */
{
    uint64_t h = 14695981039346656037u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h ^ h >> 29;
}

/* The slot that holds `name`, or the free one where it belongs. */
static uint32_t *slot_of(const scry_names *n, const char *name)
{
    size_t mask = n->slot_count - 1;
    for (size_t i = hash_of(name) & mask;; i = (i + 1) & mask)
        if (!n->slots[i] || strcmp(n->list[n->slots[i] - 1], name) == 0)
            return &n->slots[i];
}

/* Keep at least half of the slots free. */
static void grow(scry_names *n)
{
    if (n->count * 2 < n->slot_count)
        return;
    free(n->slots);
    n->slot_count = n->slot_count ? n->slot_count * 2 : 1024;
    n->slots = scry_alloc(n->slot_count * sizeof *n->slots);
    for (size_t i = 0; i < n->count; i++)
        *slot_of(n, n->list[i]) = (uint32_t)i + 1;
}

int64_t scry_names_add(scry_names *n, const char *name, scry_error *err)
{
    grow(n);
    uint32_t *slot = slot_of(n, name);
    if (*slot)
        return *slot - 1;
    if (n->count >= n->limit || n->count >= UINT32_MAX - 1)
        return scry_fail(err, SCRY_ELIMIT, "more than %zu different names", n->limit);
    if (n->count == n->capacity) {
        n->capacity = n->capacity * 2 + 256;
        n->list = scry_realloc(n->list, n->capacity * sizeof *n->list);
    }
    n->list[n->count++] = scry_strdup(name);
    *slot = (uint32_t)n->count;
    return (int64_t)n->count - 1;
}

int64_t scry_names_find(const scry_names *n, const char *name)
{
    return n->slot_count ? (int64_t)*slot_of(n, name) - 1 : -1;
}

void scry_names_dispose(scry_names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->list[i]);
    free(n->list);
    free(n->slots);
    *n = (scry_names){ .limit = n->limit };
}
