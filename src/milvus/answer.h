/* answer.h - rows of an answer: decoded columns, checked once so that callers can index them without
 * checks. Inside src/milvus only. */
#ifndef SCRY_MILVUS_ANSWER_H
#define SCRY_MILVUS_ANSWER_H

#include "milvus/call.h"

/* Both take ownership of `message`, also on failure. `queries` is how many the request had. */
int scry_answer_of_query(scry_milvus_rows **out, Pb__QueryResults *message, scry_error *err) SCRY_NODISCARD;
int scry_answer_of_search(scry_milvus_rows **out, Pb__SearchResults *message, size_t queries,
                          scry_error *err) SCRY_NODISCARD;

#endif
