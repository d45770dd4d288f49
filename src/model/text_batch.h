/* text_batch.h - the texts of one pass through a text tower, as token ids.
 *
 * Under causal attention what texts begin with alike has to be computed only once: "a photo of
 * a cat" and "a photo of a dog" differ in their last two tokens. The texts are given to the
 * tower in the order of a dictionary, each without what it shares with the one before it.
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
    size_t *last;                /* [n] the last token of each, counted within its own */
} scry_text_batch;

/* Room for `texts` texts of `tokens` tokens together. SCRY_ENOMEM; to be disposed of in any case. */
int scry_text_batch_new(scry_text_batch *b, size_t tokens, size_t texts, scry_error *err) SCRY_NODISCARD;
void scry_text_batch_dispose(scry_text_batch *b);
void scry_text_batch_clear(scry_text_batch *b);

/* The next text is the `count` ids that lie at added + tokens. At least one. */
void scry_text_batch_add(scry_text_batch *b, size_t count);

/* Make what the tower is given; `share` beginnings, which changes the order of the texts. */
void scry_text_batch_lay_out(scry_text_batch *b, bool share);

#endif
