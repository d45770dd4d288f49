/* file_list.h - files with strings of their own: batches that walks read, copy and compare. */
#ifndef SCRY_STORE_FILE_LIST_H
#define SCRY_STORE_FILE_LIST_H

#include "scry/store.h"

typedef struct scry_file_list {
    scry_file *items;      /* [count]; all owned by the list */
    size_t count, capacity;
    void **blocks;         /* [count] of strings */
} scry_file_list;          /* empty: all zero */

/* Append a copy of `file`, with its strings and labels. Pointers into `items` are valid until the next. */
void scry_file_list_add(scry_file_list *l, const scry_file *file);
void scry_file_list_dispose(scry_file_list *l);   /* leaves it empty */

/* Copy the strings and labels of `f` into one new block and point `f` there. Free the block. */
void *scry_file_own_strings(scry_file *f);

#endif
