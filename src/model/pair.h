/* pair.h - the pictures of one checkpoint with the texts of another, whose vectors are of the same space.
 *
 * A pair is a folder with a config.json { "model_type": "scry_pair", "pictures": DIR, "texts": DIR }, paths
 * relative to it or absolute. Its identity is that of the checkpoint with the pictures, because that is what a
 * collection's vectors depend on.
 */
#ifndef SCRY_MODEL_PAIR_H
#define SCRY_MODEL_PAIR_H

#include "model/checkpoint.h"

#define SCRY_PAIR_TYPE "scry_pair"

typedef struct scry_pair {
    char *pictures, *texts;   /* folders, owned; texts is NULL when `pictures` has both */
} scry_pair;

/* The folders of the model in `dir`. */
int scry_pair_read(scry_pair *out, const char *dir, scry_error *err) SCRY_NODISCARD;
void scry_pair_dispose(scry_pair *p);

/* Whether the two belong together as far as their configurations tell: vectors of the same length, and texts from
 * a checkpoint that was made for pictures of another (any two vectors could be compared, but not with sense). */
int scry_pair_check(const scry_checkpoint *pictures, const scry_checkpoint *texts, scry_error *err) SCRY_NODISCARD;

#endif
