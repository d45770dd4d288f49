/* timm.h - the image towers of timm, which open_clip takes by name. */
#ifndef SCRY_MODEL_TIMM_H
#define SCRY_MODEL_TIMM_H

#include "model/config.h"
#include "model/config_reader.h"

/* c->image from model_cfg.vision_cfg (`p`), whose timm_model_name is a string; c->image.size is known. A name that
 * is not known is refused. */
void scry_timm_parse(scry_config *c, scry_config_reader *r, const scry_config_part *p);

#endif
