/* config.h - what a checkpoint folder says about itself: family, sizes, activation,
 * preprocessing. Nothing is guessed: a key that changes the computation and that scry
 * does not know is refused with its name.
 */
#ifndef SCRY_MODEL_CONFIG_H
#define SCRY_MODEL_CONFIG_H

#include "base/json.h"
#include "model/config_types.h"
#include "model/dual.h"
#include "scry/model.h"

typedef enum { SCRY_FAMILY_CLIP, SCRY_FAMILY_OPEN_CLIP, SCRY_FAMILY_DUAL } scry_family;

const char *scry_family_name(scry_family f);   /* as in scry_model_info */

/* CLIP's two towers, whatever the folder's dialect. */
typedef struct scry_clip_config {
    size_t dim;
    size_t image_size, patch;
    scry_stack_config image, text;
    size_t vocab, context;
    int64_t eos_id;                  /* where text is pooled; -1 = at the highest id */
    bool custom_text;                /* open_clip: text tensors carry the prefix "text." */
} scry_clip_config;

typedef struct scry_preprocess {
    scry_image_spec spec;
    float factor, mean[3], std[3];   /* x = (byte * factor - mean) / std */
} scry_preprocess;

typedef struct scry_config {
    scry_family family;
    scry_json *root;                 /* config.json; owned */
    char *weights_file;              /* "model.safetensors"; owned */
    scry_clip_config clip;           /* CLIP, OPEN_CLIP */
    scry_dual_config dual;           /* DUAL */
    scry_preprocess preprocess;
    double min_score;                /* NAN when unknown */
    char *licence;                   /* NULL when unknown; owned */
    const char *files[4];            /* what was read, for the identity: NULL-terminated */
} scry_config;

/* Read the folder `dir`. SCRY_ENOTFOUND when it is no checkpoint, SCRY_EINVALID when it is
 * one that scry cannot run (and why, and what to do). */
int scry_config_read(scry_config *out, const char *dir, scry_error *err) SCRY_NODISCARD;
void scry_config_dispose(scry_config *c);

/* The parts of it that have a text of their own, for the folder's readers and the tests. */
int scry_config_parse_hf(scry_config *c, const scry_json *config, const char *what,
                         scry_error *err) SCRY_NODISCARD;
int scry_config_parse_open_clip(scry_config *c, const scry_json *config, const char *what,
                                scry_error *err) SCRY_NODISCARD;
int scry_config_parse_preprocessor(scry_config *c, const scry_json *p, const char *what,
                                   scry_error *err) SCRY_NODISCARD;

#endif
