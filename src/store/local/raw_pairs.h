/* raw_pairs.h - RAWs that the JPEG beside them stands for: see store/pairs.h.
 *
 * A search clears their bits before the scan, so that pages are never short; what is shown is checked by name. Both
 * read the same transaction.
 */
#ifndef SCRY_STORE_LOCAL_RAW_PAIRS_H
#define SCRY_STORE_LOCAL_RAW_PAIRS_H

#include "store/local/file_row.h"
#include "store/local/filter_bitmap.h"

/* Whether a view with these columns (may be NULL) and later files may have RAWs: seldom true without any. Most collections have
 * none, and their searches without a filter need no more than this. 1, 0, or an error. */
int scry_may_have_raws(scry_reader *r, const scry_columns *c, int64_t columns_last, scry_error *err) SCRY_NODISCARD;

/* Fill in f->pairs from its columns and fresh files. */
void scry_raw_pairs_find(scry_filter_state *f, const scry_root_list *roots);

typedef struct scry_beside {
    scry_local *s;
    scry_reader *r;
    const scry_root_list *roots;
    const scry_filter_node *filter;   /* that the other file must pass; NULL: every file does */
} scry_beside;

/* 1 when `row` is one part of a pair and the store has the other; *name (NULL is legal) gets its name, owned. 0 when not. */
int scry_raw_pair_of(const scry_beside *b, const scry_row *row, char **name, scry_error *err) SCRY_NODISCARD;

#endif
