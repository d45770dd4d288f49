#include "model/text_batch.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

int scry_text_batch_new(scry_text_batch *b, size_t tokens, size_t texts, scry_error *err)
{
    *b = (scry_text_batch){
        .added = scry_try_alloc(tokens, sizeof *b->added), .ids = scry_try_alloc(tokens, sizeof *b->ids),
        .texts = scry_try_alloc(texts, sizeof *b->texts),
        .starts = scry_try_alloc(texts + 1, sizeof *b->starts),
        .shared = scry_try_alloc(texts, sizeof *b->shared), .pool = scry_try_alloc(texts, sizeof *b->pool)
    };
    if (b->added && b->ids && b->texts && b->starts && b->shared && b->pool)
        return 0;
    return scry_fail(err, SCRY_ENOMEM, "not enough memory for a batch of texts");
}

void scry_text_batch_dispose(scry_text_batch *b)
{
    free(b->added);
    free(b->texts);
    free(b->ids);
    free(b->starts);
    free(b->shared);
    free(b->pool);
}

void scry_text_batch_clear(scry_text_batch *b)
{
    b->n = b->tokens = 0;
}

void scry_text_batch_add(scry_text_batch *b, size_t count, size_t pool)
{
    b->texts[b->n] = (scry_batched_text){ b->added + b->tokens, count, pool, b->n };
    b->tokens += count;
    b->n++;
}

/* Length of the common prefix. */
static size_t alike(const scry_batched_text *a, const scry_batched_text *b)
{
    size_t least = a->count < b->count ? a->count : b->count, n = 0;
    while (n < least && a->ids[n] == b->ids[n])
        n++;
    return n;
}

/* Lexicographic order: no earlier text has a longer common prefix with a text than its predecessor has. */
static int by_ids(const void *x, const void *y)
{
    const scry_batched_text *a = x, *b = y;
    size_t n = alike(a, b);
    if (n < a->count && n < b->count)
        return a->ids[n] < b->ids[n] ? -1 : 1;
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

void scry_text_batch_lay_out(scry_text_batch *b, bool share)
{
    if (share)
        qsort(b->texts, b->n, sizeof *b->texts, by_ids);
    b->starts[0] = 0;
    for (size_t i = 0; i < b->n; i++) {
        const scry_batched_text *text = &b->texts[i];
        size_t shared = share && i ? alike(text - 1, text) : 0;
        shared -= shared == text->count;   /* equal texts share all but their last token */
        size_t own = text->count - shared;
        memcpy(b->ids + b->starts[i], text->ids + shared, own * sizeof *b->ids);
        b->starts[i + 1] = b->starts[i] + own;
        b->shared[i] = shared;
        b->pool[i] = text->pool - shared;
    }
}
