/* text_batch.h - the texts of one pass through a text tower, as token ids.
 *
 * With causal attention a common prefix has to be computed only once: "a photo of a cat" and "a
 * photo of a dog" differ in their last two tokens. The tower gets the texts in lexicographic
 * order, each without the prefix that it shares with its predecessor.
 */
#ifndef SCRY_MODEL_TEXT_BATCH_H
#define SCRY_MODEL_TEXT_BATCH_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_batched_text {
    const int32_t *ids;   /* [count] */
    size_t count;
    size_t pool;          /* which of them is pooled */
    size_t place;         /* how many texts were added before it */
} scry_batched_text;

typedef struct scry_text_batch {
    int32_t *added;              /* [capacity] ids as they were added */
    size_t tokens;               /* of them all */
    scry_batched_text *texts;    /* [n] in the tower's order */
    size_t n;
    /* For the tower, by scry_text_batch_lay_out (tower.h, scry_text_job). */
    int32_t *ids;                /* [starts[n]] */
    size_t *starts;              /* [n + 1] */
    size_t *shared;              /* [n] */
    size_t *pool;                /* [n] the pooled token of each, counted among its own tokens */
} scry_text_batch;

/* Room for `texts` texts of `tokens` tokens together. SCRY_ENOMEM; to be disposed of in any case. */
int scry_text_batch_new(scry_text_batch *b, size_t tokens, size_t texts, scry_error *err) SCRY_NODISCARD;
void scry_text_batch_dispose(scry_text_batch *b);
void scry_text_batch_clear(scry_text_batch *b);

/* The next text is the `count` ids at added + tokens, at least one; `pool` is the index of the pooled one. */
void scry_text_batch_add(scry_text_batch *b, size_t count, size_t pool);

/* Make the input of the tower. `share`: sort the texts and leave out common prefixes; allowed where the last
 * token is pooled. */
void scry_text_batch_lay_out(scry_text_batch *b, bool share);

#endif
