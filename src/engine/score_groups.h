/* score_groups.h - what the scores of one search mean: best, maybe, far; and which words of the query are none.
 *
 *     scry_groups g = scry_groups_of(threshold, model, query, vector);
 *     ... search ...
 *     scry_groups_settle(&g, threshold, query, store, results);
 *     puts(scry_groups_name(&g, results, rank, hit->score));     // "best", "maybe" or "far"; NULL when not known
 *     scry_groups_dispose(&g);
 *
 * The borders belong to the query; the group of a result depends on the ranking, too: as long as nothing is a best
 * result, the nearest few may be what was meant, whatever their scores.
 */
#ifndef SCRY_ENGINE_SCORE_GROUPS_H
#define SCRY_ENGINE_SCORE_GROUPS_H

#include "base/json.h"
#include "scry/query.h"
#include "scry/score.h"
#include "scry/store.h"

#include <math.h>

typedef struct scry_groups {
    double maybe, best;   /* lowest scores of these groups; NAN: not known */
    char *unknown;        /* owned: the words, a space between two; NULL: none */
} scry_groups;

/* No groups and no words: before there is a query. */
#define SCRY_GROUPS_INIT { NAN, NAN, NULL }

/* For the unit vector of `query`; `t` may be NULL. */
scry_groups scry_groups_of(const scry_threshold *t, const scry_model *m, const scry_query *query, const float *vector);

/* Where the best results of this ranking begin: for a query of texts alone by what the first picture is about, if the model's
 * threshold knows subjects; else nothing changes. */
void scry_groups_settle(scry_groups *g, const scry_threshold *t, const scry_query *query, scry_store *store,
                        const scry_results *found);
void scry_groups_dispose(scry_groups *g);

/* The group of a hit at `rank` (1: the first) of the ranking that `found` is a page of: "best", "maybe" or "far"; one that was
 * found by words is among the best, whatever its score. NULL when not known. */
const char *scry_groups_name(const scry_groups *g, const scry_results *found, size_t rank, const scry_hit *hit);

/* The heading, for people, before the next hit of a list, where its group begins; NULL: none. *last starts as NULL and is kept
 * up to date. Hits found by words have no part in it. */
const char *scry_groups_next(const scry_groups *g, const char **last, const scry_results *found, size_t rank, const scry_hit *hit);

/* The members min_score, best_score and unknown_words of a response. */
void scry_json_put_groups(scry_json_writer *w, const scry_groups *g);

#endif
