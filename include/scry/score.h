/* score.h - the score threshold of a query: below it, a result is far, probably not a match.
 *
 * Cosines have no absolute scale: unrelated pairs score at a level that depends on the model and
 * on the query. A threshold is made of rows r_i [n, dim] and a margin; for the query q it is
 *
 *     threshold(q) = max over i of q . r_i  +  margin
 *
 * The starter's rows are 1,024 pictures that have nothing to do with the user's: a match scores
 * about as high as the best of them, or higher. For any other model there is one row, the mean of
 * the user's own pictures, and the margin is estimated from them and a bundled list of texts. A
 * model with a plain min_score in its config.json has no rows. docs/scores.md explains and measures
 * all of this. A second, higher margin parts the best results from those that may be a match; with the starter those of a query of
 * texts begin where the picture that is found first says so, which `scry search`, the server and MCP show.
 *
 *     scry_threshold *threshold;
 *     scry_threshold_known(&threshold, store, model, &err);
 *     double least = scry_threshold_at(threshold, query);
 *     scry_threshold_free(threshold);
 */
#ifndef SCRY_SCORE_H
#define SCRY_SCORE_H

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/model.h"
#include "scry/store.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable; any thread. */
typedef struct scry_threshold scry_threshold;

/* The model's own threshold, or an estimate that was made before for this model and collection; *out is
 * NULL when there is neither. Costs no more than reading a small file. SCRY_EINVALID when the
 * model's line.safetensors is damaged or belongs to another model. */
int scry_threshold_known(scry_threshold **out, scry_store *store, const scry_model *model, scry_error *err) SCRY_NODISCARD;

/* The same, but where it is not known, it is estimated and written to the cache folder. Takes as long as
 * embedding some 300 short texts on the first use of a model, much less afterwards.
 * SCRY_ENOTFOUND when the collection has fewer than 20 pictures. */
int scry_threshold_find(scry_threshold **out, scry_store *store, const scry_model *model, scry_error *err) SCRY_NODISCARD;

/* The same, watched. `options` may be NULL. */
int scry_threshold_run(scry_threshold **out, scry_store *store, const scry_model *model, const scry_long_options *options,
                       scry_error *err) SCRY_NODISCARD;

/* The threshold for `query` [dim], a unit vector, from -1 to 1; NAN when `t` is NULL. */
double scry_threshold_at(const scry_threshold *t, const float *query);

/* The lowest score of a best result, as far as the query alone tells; NAN when `t` is NULL or says nothing of it. */
double scry_threshold_best_at(const scry_threshold *t, const float *query);
void scry_threshold_free(scry_threshold *t);

/* The estimate itself: pictures [n, dim] and texts [m, dim], unit rows; the margin to 1e-4. NULL
 * for fewer than 20 pictures or without a text. */
scry_threshold *scry_threshold_estimate(const float *pictures, size_t n, const float *texts, size_t m, size_t dim);

/* The names of version 0.1.0. */
#define scry_line scry_threshold
#define scry_line_known scry_threshold_known
#define scry_line_find scry_threshold_find
#define scry_line_at scry_threshold_at
#define scry_line_free scry_threshold_free
#define scry_line_estimate scry_threshold_estimate

#ifdef __cplusplus
}
#endif
#endif
