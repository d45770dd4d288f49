/* ready_searches.h - searches that a collection has good answers for, each with a picture to show: "beach", "dogs", "snow".
 *
 * A list of everyday words is embedded and searched for in one pass over the vectors. A word is offered where enough results are
 * among its best (or, where the model does not tell best ones, above its threshold: score.h), and where its first results are not
 * mostly those of a word before it. Each has the best picture that no other shows.
 */
#ifndef SCRY_ENGINE_READY_SEARCHES_H
#define SCRY_ENGINE_READY_SEARCHES_H

#include "scry/model.h"
#include "scry/store.h"

enum { SCRY_READY_SEEN = 60, SCRY_READY_MAX = 24 };

typedef struct scry_ready_search {
    const char *name;             /* "beach"; static */
    const char *query;            /* "a beach"; static */
    size_t count;                 /* results that are good, up to SCRY_READY_SEEN */
    uint8_t cover[SCRY_ID_BYTES]; /* a file's id */
} scry_ready_search;

/* The searches, those with the most results first, at most SCRY_READY_MAX of them in `out`; returns how many, or an error. None
 * where the collection has too few pictures for a threshold. Takes as long as embedding 60 short texts and searching for
 * them, once. */
int scry_ready_searches(scry_ready_search out[SCRY_READY_MAX], scry_store *s, const scry_model *model, scry_session *session,
                        scry_error *err) SCRY_NODISCARD;

#endif
