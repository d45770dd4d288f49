#include "nn/weights.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { LARGE_PAGE = 2 << 20, CHUNK = 256 << 10 };

typedef struct block {
    struct block *next;
    void *mapping;        /* NULL for memory of malloc, which lies behind the header */
    size_t mapped_bytes;
} block;

struct scry_weights {
    block *blocks;
    uint8_t *at, *end;    /* what is left of the newest small block */
};

scry_weights *scry_weights_new(void)
{
    return scry_alloc(sizeof(scry_weights));
}

static void *take_pages(scry_weights *w, size_t bytes)
{
    size_t mapped;
    if (!scry_add_size(bytes, LARGE_PAGE, &mapped))
        return NULL;
    void *p = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    uintptr_t start = ((uintptr_t)p + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
    madvise((void *)start, bytes, MADV_HUGEPAGE);   /* optional: failure has no effect */
    block *b = scry_alloc(sizeof *b);
    *b = (block){ w->blocks, p, mapped };
    w->blocks = b;
    return (void *)start;
}

void *scry_weights_take(scry_weights *w, size_t bytes)
{
    if (!scry_add_size(bytes, 63, &bytes))
        return NULL;
    bytes &= ~(size_t)63;
    if (bytes >= LARGE_PAGE)
        return take_pages(w, bytes);
    if ((size_t)(w->end - w->at) < bytes) {
        size_t size = bytes > CHUNK ? bytes : CHUNK;
        uint8_t *memory = scry_try_alloc_aligned(size + 64, 1);
        if (!memory)
            return NULL;
        block *b = (block *)memory;
        *b = (block){ w->blocks, NULL, 0 };
        w->blocks = b;
        w->at = memory + 64;
        w->end = w->at + size;
    }
    void *p = w->at;
    w->at += bytes;
    return p;
}

void scry_weights_free(scry_weights *w)
{
    if (!w)
        return;
    for (block *b = w->blocks, *next; b; b = next) {
        next = b->next;
        if (b->mapping)
            munmap(b->mapping, b->mapped_bytes);
        free(b);
    }
    free(w);
}
