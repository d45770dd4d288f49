/* picture_batch.h - a worker's decoder and session, and the decoded pictures that wait to be embedded together.
 *
 *     r = picture_batch_init(&b, model, &decoder_options, err);
 *     ... scry_decoder_run(b.decoder, &b.request, &picture, err) ...
 *     size_t at = picture_batch_add(&b, &picture);       // its place; full at PICTURE_BATCH
 *     r = picture_batch_embed(&b, err);                  // b.vectors [count, dim]
 *     b.count = 0;
 *     picture_batch_dispose(&b);
 *
 * One thread.
 */
#ifndef SCRY_ENGINE_PICTURE_BATCH_H
#define SCRY_ENGINE_PICTURE_BATCH_H

#include "image/image.h"
#include "scry/model.h"

enum { PICTURE_BATCH = 16 };

typedef struct picture_batch {
    scry_decoder *decoder;
    scry_session *session;          /* with one thread */
    scry_decode_request request;    /* the views that the model takes */
    size_t picture_bytes, count;
    uint8_t *pixels;                /* [PICTURE_BATCH, views, size, size, 3] */
    float *vectors;                 /* [PICTURE_BATCH, dim] */
} picture_batch;

/* Without a model nothing can be added; without `options` there is no decoder. Dispose of it also after a failure. */
int picture_batch_init(picture_batch *b, const scry_model *model, const scry_decoder_options *options,
                       scry_error *err) SCRY_NODISCARD;
void picture_batch_dispose(picture_batch *b);

/* Where the pixels of the next picture belong, picture_bytes; it counts once `count` was raised. */
uint8_t *picture_batch_next(picture_batch *b);

/* Copy the pixels of a decoded picture. */
size_t picture_batch_add(picture_batch *b, const scry_decode_result *picture);

/* The pictures to `vectors`. */
int picture_batch_embed(picture_batch *b, scry_error *err) SCRY_NODISCARD;

#endif
