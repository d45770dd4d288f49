/* preprocess.h - how pictures are resized, cropped and normalised for a checkpoint. */
#ifndef SCRY_MODEL_PREPROCESS_H
#define SCRY_MODEL_PREPROCESS_H

#include "model/config.h"
#include "model/config_reader.h"

/* open_clip's preprocess_cfg (NULL: absent), for pictures of c->image.size. */
void scry_preprocess_open_clip(scry_config *c, scry_config_reader *r, const scry_json *cfg);

/* The side of views for pictures of any shape (base/view_shape.h), of which each has at most as many patches as `key` says: a
 * square number, as scry_image_spec has a side only. `fallback` 0: the key must be there. */
size_t scry_config_view_of(scry_config_reader *r, const scry_config_part *p, const char *key, size_t fallback);

#endif
