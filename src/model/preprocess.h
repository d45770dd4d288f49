/* preprocess.h - how pictures are resized, cropped and normalised for a checkpoint. */
#ifndef SCRY_MODEL_PREPROCESS_H
#define SCRY_MODEL_PREPROCESS_H

#include "model/config.h"
#include "model/config_reader.h"

/* open_clip's preprocess_cfg (NULL: absent), for pictures of c->image.size. */
void scry_preprocess_open_clip(scry_config *c, scry_config_reader *r, const scry_json *cfg);

#endif
