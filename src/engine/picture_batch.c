#include "engine/picture_batch.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

int picture_batch_init(picture_batch *b, const scry_model *model, const scry_decoder_options *options, scry_error *err)
{
    *b = (picture_batch){ .count = 0 };
    if (!model)
        return scry_decoder_new(&b->decoder, options, err);
    const scry_model_info *info = scry_model_get_info(model);
    const scry_image_spec *spec = &info->image;
    *b = (picture_batch){ .request = { .kind = SCRY_DECODE_VIEWS, .spec = *spec } };
    b->picture_bytes = (size_t)spec->views * (size_t)spec->size * (size_t)spec->size * 3;
    b->pixels = scry_alloc(PICTURE_BATCH * b->picture_bytes);
    b->vectors = scry_alloc(PICTURE_BATCH * (size_t)info->dim * sizeof *b->vectors);
    int r = options ? scry_decoder_new(&b->decoder, options, err) : 0;
    return r < 0 ? r : scry_session_new(&b->session, model, 1, err);
}

void picture_batch_dispose(picture_batch *b)
{
    scry_session_free(b->session);
    scry_decoder_free(b->decoder);
    free(b->vectors);
    free(b->pixels);
}

uint8_t *picture_batch_next(picture_batch *b)
{
    return b->pixels + b->count * b->picture_bytes;
}

size_t picture_batch_add(picture_batch *b, const scry_decode_result *picture)
{
    memcpy(picture_batch_next(b), picture->pixels, b->picture_bytes);
    return b->count++;
}

int picture_batch_embed(picture_batch *b, scry_error *err)
{
    return scry_embed_pixels(b->session, b->pixels, b->count, b->vectors, err);
}
