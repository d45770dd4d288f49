/* query_words.h - the words of a query, which are looked for in the names and texts of pictures. */
#ifndef SCRY_ENGINE_QUERY_WORDS_H
#define SCRY_ENGINE_QUERY_WORDS_H

#include "scry/find.h"

/* *out is the filter, in `pool`, that the pictures with all of these words pass; NULL where the search is by look, and where the
 * query is not of texts alone, subtracts one, or has no words: SCRY_EINVALID where it is to be searched by words. */
int scry_query_find_words(const scry_filter_node **out, scry_filter_pool *pool, const scry_query *query, scry_search_kind by,
                          scry_error *err) SCRY_NODISCARD;

#endif
