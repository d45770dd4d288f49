/* text_map.h - a matrix that a model's text vectors are multiplied with: text_map.safetensors.
 *
 * The file lies beside the weights and is no part of the model's identity, since the vectors of pictures do not
 * depend on it: a collection made without the map, or with another one, can be searched as it is. Caches of texts go
 * by the map's own digest (text_identity).
 */
#ifndef SCRY_MODEL_TEXT_MAP_H
#define SCRY_MODEL_TEXT_MAP_H

#include "model/identity.h"
#include "scry/error.h"

#define SCRY_TEXT_MAP_FILE "text_map.safetensors"

typedef struct scry_text_map {
    float *weight;                             /* [D, D], owned */
    size_t dim;                                /* D */
    char digest[SCRY_IDENTITY_CHARS + 1];      /* of the file */
} scry_text_map;

/* The map in the folder `dir` for vectors of `dim` numbers; *out is NULL when the folder has none. SCRY_EINVALID
 * for a tensor of another shape, or a number that is not finite. Immutable; any number of threads. */
int scry_text_map_open(scry_text_map **out, const char *dir, size_t dim, scry_error *err) SCRY_NODISCARD;
void scry_text_map_free(scry_text_map *m);

/* out [D] = weight x, not normalised; x [D] may not be `out`. */
void scry_text_map_apply(const scry_text_map *m, const float *x, float *out);

#endif
