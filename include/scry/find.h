/* find.h - a search as `scry search` makes it: by look and by words, in one ranking.
 *
 *     scry_query_tools tools = { .model = model, .store = store };
 *     scry_query_parse_line(&query, "anna on the beach", &err);
 *     scry_find(&results, &tools, query, NULL, &err);            // the first ten
 *     for (size_t i = 0; i < results->count; i++)
 *         printf("%.3f %s\n", results->hits[i].score, results->hits[i].file.path);
 *     scry_results_free(results);
 *     scry_query_free(query);
 *
 * scry_store_search finds the pictures nearest to a vector. Here the words of the query are looked for as well, in the names and
 * texts of the files, the places where they were taken and what was read in the pictures; docs/words.md says how the two become one
 * ranking. Any number of threads may search one store and model at once.
 */
#ifndef SCRY_FIND_H
#define SCRY_FIND_H

#include "scry/error.h"
#include "scry/query.h"
#include "scry/score.h"
#include "scry/store.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What pictures are found by. */
typedef enum {
    SCRY_BY_AUTO,    /* both, where the query is of texts, none of them subtracted, and files have all of their words, or, where
                        none has, the rarest of them that some have together; else LOOK */
    SCRY_BY_LOOK,    /* the vector alone */
    SCRY_BY_WORDS    /* only pictures that have all words of the query */
} scry_search_kind;

typedef struct scry_find_options {
    scry_search search;                /* filter, limit, offset, min_score and the like */
    scry_search_kind by;
    bool auto_min_score;               /* the query's own threshold, not search.min_score; pictures that have the words stay */
    const scry_threshold *threshold;   /* of this store and model; NULL: read for this call, and with auto_min_score estimated */
    const float *vector;               /* [dim] the query's unit vector, where it is known; NULL: the query is embedded */
    const scry_long_options *estimating;   /* of the threshold, as of scry_threshold_run; NULL: nobody watches */
} scry_find_options;

#define SCRY_FIND_OPTIONS_INIT { SCRY_SEARCH_INIT, SCRY_BY_AUTO, false, NULL, NULL, NULL }

/* Answer a query; scry_results_free frees *out. `options` may be NULL. Of the tools the store is needed, and the model unless
 * options->vector is given and auto_min_score is not; a model whose vectors the collection does not have is SCRY_EINVALID. So is
 * SCRY_BY_WORDS with a query that has a picture, a subtracted part, or no words. In the hits found_by and word_fields say
 * what a picture was found by, where words had a part in it. */
int scry_find(scry_results **out, const scry_query_tools *tools, const scry_query *query, const scry_find_options *options,
              scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
