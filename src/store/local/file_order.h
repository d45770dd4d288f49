/* file_order.h - the files that pass a filter, in order of root's id and relative path, without reading their rows. */
#ifndef SCRY_STORE_LOCAL_FILE_ORDER_H
#define SCRY_STORE_LOCAL_FILE_ORDER_H

#include "store/local/filter_bitmap.h"
#include "store/local/root_list.h"

typedef struct scry_file_order {
    const scry_passing_files *p;
    const scry_root_list *roots;   /* of the view */
    size_t root;                   /* its place in `roots`; roots->count: the end */
    uint64_t row, end;             /* of this root in the columns: not passed yet */
    size_t fresh;                  /* not passed yet, counted in fresh_order */
} scry_file_order;

/* From the first file after `relative` of the root `root` on, or, `root` NULL, from the first. `p` and `roots` are borrowed. */
void scry_file_order_start(scry_file_order *o, const scry_passing_files *p, const scry_root_list *roots, const uint8_t *root,
                           const char *relative);

/* The next file of root roots->items[o->root]: *at as scry_passing_has takes it; false after the last. */
bool scry_file_order_next(scry_file_order *o, uint64_t *at);

/* Its relative path, *size bytes that no zero need follow. */
const char *scry_file_order_name(const scry_file_order *o, uint64_t at, size_t *size);

#endif
