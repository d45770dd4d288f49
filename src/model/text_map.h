/* text_map.h - what a model's text vectors are turned into: text_map.safetensors.
 *
 * A matrix, and where the file has them, subjects whose words are known: to a text that is near one of them something is
 * added.
 *
 * The file lies beside the weights and is no part of the model's identity, since the vectors of pictures do not
 * depend on it: a collection made without the map, or with another one, can be searched as it is. Caches of texts go
 * by the map's own digest (text_identity).
 */
#ifndef SCRY_MODEL_TEXT_MAP_H
#define SCRY_MODEL_TEXT_MAP_H

#include "model/identity.h"
#include "model/safetensors.h"
#include "scry/error.h"

#define SCRY_TEXT_MAP_FILE "text_map.safetensors"

typedef struct scry_text_map {
    float *weight;                             /* [D, D], owned */
    size_t dim;                                /* D */
    char digest[SCRY_IDENTITY_CHARS + 1];      /* of the file */
    scry_tensors *tensors;                     /* the file, mapped; owned */
    size_t subjects, words;                    /* 0: none are known */
    scry_tensor known;                         /* [words, D], unit vectors, a subject's words together */
    scry_tensor added;                         /* [subjects, D] */
    float *count;                              /* [subjects], whole numbers: words of each; owned */
    float from;                                /* cosine from which a text is near a word: 0 to below 1 */
} scry_text_map;

/* The map in the folder `dir` for vectors of `dim` numbers; *out is NULL when the folder has none. SCRY_EINVALID
 * for a tensor of another shape, numbers that do not fit each other, or one that is not finite. Immutable; any number of
 * threads. */
int scry_text_map_open(scry_text_map **out, const char *dir, size_t dim, scry_error *err) SCRY_NODISCARD;
void scry_text_map_free(scry_text_map *m);

/* Of each of the texts x [n, D]: out = weight x + |x| (sum over the subjects of near * added), not normalised; near is 0 up to
 * the cosine `from` of x and the subject's nearest word, from there it rises to 1 at the word itself. out [n, D] may not be x. */
void scry_text_map_apply(const scry_text_map *m, const float *x, size_t n, float *out);

#endif
