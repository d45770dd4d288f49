/* filter_bitmap.h - filters over the embedded store, as bitmaps of contents. */
#ifndef SCRY_STORE_LOCAL_FILTER_BITMAP_H
#define SCRY_STORE_LOCAL_FILTER_BITMAP_H

#include "store/local/columns.h"
#include "store/local/fresh_files.h"

/* A RAW and a picture beside it that can stand for it: rows of the columns, or, counted on after these, fresh files. */
typedef struct scry_raw_pair {
    uint64_t raw, lead;
} scry_raw_pair;

/* What a view needs to evaluate filters, made by its first filtered search, and again when a search finds the columns damaged. */
typedef struct scry_filter_state {
    struct scry_filter_state *older;   /* other searches may still use it */
    scry_columns *columns;     /* NULL: every file is in `fresh` */
    uint64_t *valid;           /* a bit for each row of columns: the file is still so */
    scry_fresh_files fresh;    /* the files that the columns lack */
    const scry_file **fresh_order;   /* [fresh.files.count] of them, in order of root's id and relative path */
    scry_raw_pair *pairs;      /* [pair_count] */
    size_t pair_count;
} scry_filter_state;

/* The files that are wanted. */
typedef struct scry_file_filter {
    const scry_filter_node *filter;   /* NULL: every file passes */
    bool all_copies;     /* also RAWs with a lead that passes */
    bool undated;        /* fill in scry_passing_files.undated */
    unsigned sections;   /* of the columns, to be read by the caller: SCRY_COLUMNS_FOR_... */
} scry_file_filter;

/* The files that pass: rows of the columns, and, counted on after these, fresh files. To be disposed of, before the view is. */
typedef struct scry_passing_files {
    const scry_filter_state *f;   /* of the view */
    uint64_t *rows;      /* a bit for each row, of use where f->valid has it, too; NULL without columns */
    bool *fresh;         /* [f->fresh.files.count] */
    uint64_t *undated;   /* rows that have only their file's time; NULL: not asked for, or without columns */
} scry_passing_files;

/* `r` is in the transaction in which `v` was acquired. *out is to be disposed of after an error, too. */
int scry_filter_files(scry_local *s, scry_reader *r, scry_view *v, const scry_file_filter *which, scry_passing_files *out,
                      scry_error *err) SCRY_NODISCARD;
bool scry_passing_has(const scry_passing_files *p, uint64_t at);
void scry_passing_dispose(scry_passing_files *p);

/* Zeroed bitmaps, one bit for each slot. */
typedef struct scry_passing_contents {
    uint64_t *all;
    uint64_t *undated;   /* of these, those of which such a file has only its own time; NULL: not wanted */
} scry_passing_contents;

/* Set the bits of the contents that some file shows which passes the search's filter (NULL: every file does) and, unless
 * all copies are wanted, is not a RAW with a lead that passes. `r` is in the transaction in which `v` was acquired. */
int scry_filter_bits(scry_local *s, scry_reader *r, scry_view *v, const scry_search *search, const scry_passing_contents *out,
                     scry_error *err) SCRY_NODISCARD;
void scry_filter_state_free(scry_filter_state *f);   /* with the older ones, under the view_lock; NULL is legal */

#endif
