/* fusion.h - pictures found by how they look and by their words, in one ranking.
 *
 *     scry_search_plan plan = scry_plan_of(&request, groups, threshold);
 *     scry_search_by(store, vector, &plan, &results, err);
 *
 * By look, a picture's rank is its place among all pictures by score. By words, it is its place among the pictures
 * whose names and texts hold every word of the query, which are again ordered by score: words say that it is one of
 * them, the look says which. The two are fused by reciprocal ranks (Cormack, Clarke, Buettcher 2009): a picture's
 * value is the sum of 1 / (SCRY_FUSION_K + rank) over the rankings that have it. A picture that has the words counts
 * in the ranking by look only where it is among the first SCRY_FUSION_DEPTH there, so that its value, and with it
 * every page, does not depend on how much of that ranking was read. Of equal values the one with words comes first.
 * Where the model can tell (score_groups.h), a picture that has no words and is none of the best matches counts as if
 * it were SCRY_FUSION_DOUBT places lower, since what looks like "Anna" is not what was meant by it; but not where the
 * nearest one has SCRY_FUSION_SURE of what makes a best match: then the query is about a look, as "beach" is. A picture
 * whose look is far from the query comes after all that have the words; where the query is the name of a place in which pictures
 * were taken, so does one that is no best match. Of a query about a look, a picture that looks otherwise
 * and has the words only in a part of a name of its place that is not shown with it counts by words alone, SCRY_FUSION_DOUBT places
 * lower, and not by words at all where there are best matches: New York has a Sunset Park, which "sunset" does not mean.
 *
 * Where no picture has all of the words, the second ranking is of those that have the rarest of them which some picture has
 * together (scry_store_rare_words): "screenshot with the wifi password" finds a picture that says "wifi password". Two such
 * words or more that are at least half of the query's and were read in a picture count as all would. Others are a hint: they
 * count for pictures whose look is of the best group that there is, best or possible matches, which stay in that group; of
 * a model of whose scores nothing is known, for the first SCRY_FUSION_DEPTH by look where they are half of the query's words.
 * Then no other picture counts as if it were lower.
 *
 * Where no picture has any of the words, and where none with some of them is found by them, the results are those of a search by
 * look, to the byte.
 */
#ifndef SCRY_ENGINE_FUSION_H
#define SCRY_ENGINE_FUSION_H

#include "engine/score_groups.h"
#include "engine/search_request.h"

/* K as in the paper, which found that its value hardly matters. Ranks by look past DEPTH are worth less than half of
 * the first. DOUBT: a first row of pictures that have the words; docs/words.md has what it does to searches. SURE: a part of the
 * way from the score of a possible match to that of a best one. */
#define SCRY_FUSION_K 60.0
#define SCRY_FUSION_SURE 0.8
enum { SCRY_FUSION_DEPTH = 100, SCRY_FUSION_DOUBT = 5 };

typedef struct scry_search_plan {
    scry_search search;
    scry_search_kind by;
    bool auto_min_score;             /* search.min_score is the query's own threshold: pictures that have the words stay */
    const scry_filter_node *words;   /* of the query: query_words.h */
    scry_groups groups;              /* of the query; borrowed */
    const scry_threshold *threshold; /* with which they are settled; borrowed, NULL: they are not */
    const scry_query *query;         /* borrowed */
} scry_search_plan;

scry_search_plan scry_plan_of(const scry_search_request *r, scry_groups groups, const scry_threshold *threshold);

/* Answer a plan; free *out. `query` is its unit vector, [dim]. A hit's found_by and word_fields are set where words were found. */
int scry_search_by(scry_store *s, const float *query, const scry_search_plan *plan, scry_results **out,
                   scry_error *err) SCRY_NODISCARD;

/* The same for a server that answers searches by look together: *out stays NULL where words have no part in the answer, which is
 * then that of scry_store_search for plan->search. */
int scry_search_words(scry_store *s, const float *query, const scry_search_plan *plan, scry_results **out,
                      scry_error *err) SCRY_NODISCARD;

/* The names of a hit's word_fields as a list of JSON, and of its found_by; NULL where that was not said. */
void scry_json_put_fields(scry_json_writer *w, unsigned fields);
const char *scry_found_by_name(scry_found_by by);

/* The same names for people: "name, folder". */
const char *scry_fields_text(unsigned fields, char buffer[80]);

#endif
