/* remote_pairs.h - RAWs that the JPEG beside them stands for: see store/pairs.h. */
#ifndef SCRY_STORE_MILVUS_REMOTE_PAIRS_H
#define SCRY_STORE_MILVUS_REMOTE_PAIRS_H

#include "store/milvus/remote_internal.h"

/* The filter of a search, as an expression, and itself where rows must be checked (NULL: the expression is exact). */
typedef struct scry_remote_leads {
    scry_remote *s;
    const char *filter;
    const scry_filter_node *refine;
} scry_remote_leads;

/* Set hidden[i] for the hits that are RAWs with a lead that passes the filter; `hidden` is [hits->count], false. Asks the server
 * only for leads that are not among the hits themselves. */
int scry_remote_hide_raws(const scry_remote_leads *l, const scry_results *hits, bool *hidden, scry_error *err) SCRY_NODISCARD;

/* Name the RAW of each hit that is the lead of a pair. One request, where the collection has RAWs. */
int scry_remote_name_raws(scry_remote *s, scry_results *hits, scry_error *err) SCRY_NODISCARD;

#endif
