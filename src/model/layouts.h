/* layouts.h - what the families published in one layout have in common: how their
 * configurations name the sizes of a stack of layers.
 */
#ifndef SCRY_MODEL_LAYOUTS_H
#define SCRY_MODEL_LAYOUTS_H

#include "model/config_reader.h"

/* transformers: whether model_type is `type`. */
bool scry_hf_is(const scry_json *config, const char *type);

/* transformers: the part of `config` for one tower, "vision_config" or "text_config". The
 * old "text_config_dict", where it is an object, takes the place of "text_config": what it leaves out has transformers'
 * default, whatever "text_config" says. */
scry_config_part scry_hf_part(const scry_json *config, const char *key);

/* transformers: a stack; what is absent is as in `defaults` (transformers' own). */
scry_stack_config scry_hf_stack(scry_config_reader *r, const scry_config_part *p, const scry_stack_config *defaults);

/* transformers: the image tower of CLIP and of the families that share it. */
void scry_hf_clip_image(scry_image_config *image, scry_config_reader *r, const scry_config_part *p);

/* transformers: fail at a key of `config` and its two parts that is neither among `keys` (NULL-terminated), which the
 * family reads, nor among those that every configuration of transformers may have and that change nothing. */
void scry_hf_known(scry_config_reader *r, const scry_json *config, const char *const *keys);

/* The same of one part. */
void scry_hf_known_part(scry_config_reader *r, const scry_config_part *p, const char *const *keys);

/* open_clip: the object model_cfg, or the whole file where it consists of model_cfg's keys, as Apple publishes it. */
const scry_json *scry_open_clip_model(const scry_json *config);

/* open_clip: model_cfg.vision_cfg and model_cfg.text_cfg. */
scry_config_part scry_open_clip_part(const scry_json *config, const char *key);

/* open_clip: a stack of its own transformer; vision towers give the width of a head, text
 * towers (`heads` above 0, the default) their number. */
scry_stack_config scry_open_clip_stack(scry_config_reader *r, const scry_config_part *p, size_t width, size_t heads);

#endif
