/* head.h - from a tower's features to the common space (docs/model-format.md):
 * branches side by side, each a few layers, unit-normalised and weighted. The published
 * projections are heads of one branch whose layers have names of their own. */
#ifndef SCRY_MODEL_HEAD_H
#define SCRY_MODEL_HEAD_H

#include "model/binder.h"
#include "model/tower_config.h"

typedef struct scry_head {
    const scry_head_config *config;   /* borrowed from the model's configuration */
    scry_linear linear[SCRY_MAX_BRANCHES][SCRY_MAX_HEAD_LAYERS];
    size_t dim, widest;               /* D; the most numbers that a layer outputs */
} scry_head;

/* `prefix` is "vision_head" or "text_head": layer K of branch B is PREFIX.branches.B.K unless it has a name. */
void scry_head_bind(scry_head *h, const scry_head_config *config, size_t features, size_t dim,
                    scry_binder *b, const char *prefix);

/* Floats of scratch for one row. */
size_t scry_head_row_floats(const scry_head *h);

/* features [n, F] to out [n, D]. */
void scry_head_run(scry_nn *t, const scry_head *h, size_t n, const float *features,
                   size_t feature_width, float *memory, float *out);

#endif
