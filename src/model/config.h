/* config.h - what a checkpoint folder says about itself: its family, the two towers,
 * preprocessing.
 *
 * Nothing is guessed: a key that changes the computation and that scry does not support is
 * refused with its name.
 */
#ifndef SCRY_MODEL_CONFIG_H
#define SCRY_MODEL_CONFIG_H

#include "base/json.h"
#include "model/tower_config.h"
#include "scry/model.h"

typedef struct scry_family_layout scry_family_layout;   /* family.h */

/* How a folder names its files and its tensors. */
typedef enum {
    SCRY_LAYOUT_HF,         /* transformers: config.json, preprocessor_config.json, model.safetensors */
    SCRY_LAYOUT_OPEN_CLIP,  /* open_clip_config.json, open_clip_model.safetensors */
    SCRY_LAYOUT_SENTENCE    /* sentence-transformers: modules.json, sentence.h */
} scry_layout;

typedef struct scry_preprocess {
    scry_image_spec spec;
    float factor, mean[3], std[3];   /* x = (byte * factor - mean) / std */
} scry_preprocess;

enum { SCRY_MAX_CONFIG_FILES = 12 };

typedef struct scry_config {
    const scry_family_layout *layout;
    scry_json *root;                 /* the configuration file; owned */
    char *weights_file;              /* "model.safetensors"; owned */
    char *head_file;                 /* another one, of the head; NULL for most; owned */
    size_t dim;                      /* D of the embeddings */
    scry_image_config image;         /* without new_tower: a checkpoint that reads texts only */
    scry_text_config text;
    scry_preprocess preprocess;
    double logit_scale;              /* as a logarithm; NAN: the tensor logit_scale */
    double min_score;                /* NAN when unknown */
    char *licence;                   /* NULL when unknown; owned */
    char *files[SCRY_MAX_CONFIG_FILES + 1];   /* what was read, for the identity: NULL-terminated; owned */
} scry_config;

/* Read the folder `dir`. SCRY_ENOTFOUND when it is not a checkpoint; SCRY_EINVALID when scry
 * cannot run it, with the reason and what to do. */
int scry_config_read(scry_config *out, const char *dir, scry_error *err) SCRY_NODISCARD;

/* The same where the weights need not be there. */
int scry_config_read_files(scry_config *out, const char *dir, scry_error *err) SCRY_NODISCARD;

void scry_config_dispose(scry_config *c);

/* For readers: note that `name`, relative to the folder, was read. */
void scry_config_add_file(scry_config *c, const char *name);

/* Whether a configuration of this layout is of a family that scry runs. */
bool scry_config_is_known(scry_layout layout, const scry_json *json);

/* Read the configuration `json` of a folder of `layout`: config.json or open_clip_config.json,
 * at `path`. Finds the family first. `c` borrows from `json`. */
int scry_config_parse(scry_config *c, scry_layout layout, const scry_json *json, const char *path,
                      scry_error *err) SCRY_NODISCARD;

/* The same for preprocessor_config.json, of folders in SCRY_LAYOUT_HF. */
int scry_config_parse_preprocessor(scry_config *c, const scry_json *json, const char *path,
                                   scry_error *err) SCRY_NODISCARD;

#endif
