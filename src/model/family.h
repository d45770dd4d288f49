/* family.h - one record for each family of models.
 *
 * A record says which checkpoints are of the family and reads their configuration. What differs
 * between checkpoints (towers, sizes, tensor names, pooling, the scale of logits) goes into
 * scry_config, which is all that the rest of the library reads: no other file depends on a
 * model's family.
 *
 * A new family is a file family_NAME.c with its record, and a line in families.c.
 */
#ifndef SCRY_MODEL_FAMILY_H
#define SCRY_MODEL_FAMILY_H

#include "model/config.h"
#include "model/config_reader.h"
#include "model/tower.h"

struct scry_family_layout {
    const char *name;        /* scry_model_info.family; NULL ends a list */
    scry_layout layout;
    /* Whether a configuration of this layout is of the family. */
    bool (*accepts)(const scry_json *config);
    /* Fill in c->dim, image, text and logit_scale (NAN before). Errors stay in the reader. */
    void (*parse)(scry_config *c, scry_config_reader *r, const scry_json *config);
};

typedef struct scry_family {
    scry_family_layout layouts[4];
} scry_family;

/* The families in the order in which they are asked; NULL-terminated. */
extern const scry_family *const scry_families[];

extern const scry_family scry_family_chinese_clip, scry_family_clip, scry_family_dual, scry_family_open_clip,
    scry_family_siglip, scry_family_texts;

#endif
