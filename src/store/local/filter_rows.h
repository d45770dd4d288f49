/* filter_rows.h - a filter over the rows of a columns file, as a bitmap. */
#ifndef SCRY_STORE_LOCAL_FILTER_ROWS_H
#define SCRY_STORE_LOCAL_FILTER_ROWS_H

#include "store/local/columns.h"
#include "store/local/root_list.h"

typedef struct scry_row_filter {
    const scry_columns *c;
    const scry_root_list *roots;
    scry_reader *reader;   /* in the transaction whose columns these are */
    int64_t slots;
    size_t words;          /* of a bitmap of rows */
    int result;            /* of what failed, as `err` says */
    scry_error *err;
} scry_row_filter;

/* The rows that pass, as a new bitmap; bits after the last row have no meaning. NULL, or of no use, where e->result says so. */
uint64_t *scry_filter_rows(scry_row_filter *e, const scry_filter_node *f);

/* Set the rows of the contents that a statement names, half a second for a million: favourites, and what a columns file without the
 * terms lacks. */
void scry_rows_of_contents(scry_row_filter *e, uint64_t *bits, scry_sql which, int64_t number);

/* A zeroed bitmap; NULL, with the evaluation failed, when it cannot be allocated. */
uint64_t *scry_new_bits(scry_row_filter *e, size_t words);

void scry_bits_set_range(uint64_t *bits, uint64_t first, uint64_t end);

#endif
