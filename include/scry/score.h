/* score.h - where the line is between hits and "nothing like that here".
 *
 * A cosine means nothing by itself: every model has a level of its own. The starter brings its line
 * with it; for any other model it is estimated from the user's own pictures, as docs/scores.md
 * explains and measures.
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

/* The model's own line, or an estimate that was made before for this model and collection; NAN
 * when there is neither. Costs no more than reading a small file. */
double scry_min_score_known(scry_store *store, const scry_model *model);

/* The same, but estimated and remembered (in the cache folder) when it is not known. Takes the time
 * of some 300 short texts the first time that a model is met, much less afterwards.
 * SCRY_ENOTFOUND when the collection has too few pictures to tell. */
int scry_min_score(double *out, scry_store *store, const scry_model *model, scry_error *err) SCRY_NODISCARD;

/* The estimate itself: pictures [n, dim] and texts [m, dim], unit rows; to 1e-4. NAN below 20
 * pictures. */
double scry_estimate_min_score(const float *pictures, size_t n, const float *texts, size_t m, size_t dim);

#ifdef __cplusplus
}
#endif
#endif
