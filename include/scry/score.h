/* score.h - where the line is between hits and "nothing like that here", for each query.
 *
 * A cosine means nothing by itself: every model has a level of its own, and every query one within
 * it. A line is rows r_i [n, dim] and a margin; for the query q it lies at
 *
 *     line(q) = max over i of q . r_i  +  margin
 *
 * The starter brings 1,024 pictures that have nothing to do with the user's: a hit scores about as
 * high as the best of those. For any other model there is one row, the mean of the user's own
 * pictures, and the margin is estimated from them and a bundled list of texts. A model with a
 * plain min_score in its config.json has no rows. docs/scores.md explains and measures all this.
 *
 *     scry_line *line;
 *     scry_line_known(&line, store, model, &err);
 *     double least = scry_line_at(line, query);
 *     scry_line_free(line);
 */
#ifndef SCRY_SCORE_H
#define SCRY_SCORE_H

#include "scry/error.h"
#include "scry/model.h"
#include "scry/store.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable; any thread. */
typedef struct scry_line scry_line;

/* The model's own line, or an estimate that was made before for this model and collection; *out is
 * NULL when there is neither. Costs no more than reading a small file. SCRY_EINVALID when the
 * model's line.safetensors is damaged or of another model. */
int scry_line_known(scry_line **out, scry_store *store, const scry_model *model, scry_error *err) SCRY_NODISCARD;

/* The same, but estimated and remembered (in the cache folder) when it is not known. Takes the time
 * of some 300 short texts the first time that a model is met, much less afterwards.
 * SCRY_ENOTFOUND when the collection has too few pictures to tell. */
int scry_line_find(scry_line **out, scry_store *store, const scry_model *model, scry_error *err) SCRY_NODISCARD;

/* The lowest score of a hit for `query` [dim], a unit vector, from -1 to 1; NAN when `line` is NULL. */
double scry_line_at(const scry_line *line, const float *query);
void scry_line_free(scry_line *line);

/* The estimate itself: pictures [n, dim] and texts [m, dim], unit rows; the margin to 1e-4. NULL
 * below 20 pictures or without a text. */
scry_line *scry_line_estimate(const float *pictures, size_t n, const float *texts, size_t m, size_t dim);

#ifdef __cplusplus
}
#endif
#endif
