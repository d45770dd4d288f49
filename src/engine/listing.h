/* listing.h - pictures without a query, in the order that a person asks for.
 *
 *     scry_listing *l;
 *     scry_list_options o = { .filter = filter, .sort = SCRY_SORT_DATE, .unique = true };
 *     scry_listing_new(&l, store, &o, &err);
 *     for (size_t i = 0; i < scry_listing_count(l); i++)
 *         scry_listing_id(l, i, id), scry_store_get(store, id, &file, &err);
 *     scry_listing_free(l);
 *
 * One walk over the store's files, without reading their rows where the store can, then a sort in memory: 72 bytes for a picture,
 * and its path, unless whole files are kept. A listing does not change with the store. One thread makes it, any number may read it.
 */
#ifndef SCRY_ENGINE_LISTING_H
#define SCRY_ENGINE_LISTING_H

#include "scry/store.h"

/* Orders, each as people expect it first; `reverse` turns it round. Equal files are in order of root and path. */
typedef enum {
    SCRY_SORT_NONE,      /* of a list: by root and path; of a search: by score */
    SCRY_SORT_DATE,      /* when taken, newest first */
    SCRY_SORT_NAME,      /* name of the file; runs of digits count as numbers */
    SCRY_SORT_SIZE,      /* bytes, largest first */
    SCRY_SORT_ADDED,     /* what was embedded last first; not known on Milvus */
    SCRY_SORT_RATING     /* highest first; without a rating last */
} scry_sort;

/* The names of the orders from SCRY_SORT_DATE on, as a parameter takes them. */
#define SCRY_SORT_NAMES "date name size added rating"

/* SCRY_SORT_NONE for any other name. */
scry_sort scry_sort_from_name(const char *name);

/* The time that SCRY_SORT_DATE compares: when it was taken, else the time of the file; seconds since 1970. */
int64_t scry_sort_time(const scry_file *f);

/* Below 0 where `a` comes before `b`; 0 where the order does not tell them apart. */
int scry_sort_compare(scry_sort sort, bool reverse, const scry_file *a, const scry_file *b);

/* The order of `n` hits: out[i] is the index of the one at place i. Equal ones stay as they were. SCRY_EINVALID where the
 * store does not know what SCRY_SORT_ADDED needs. */
int scry_sort_hits(size_t *out, const scry_hit *hits, size_t n, scry_sort sort, bool reverse, scry_error *err) SCRY_NODISCARD;

typedef struct scry_list_options {
    const scry_filter_node *filter;   /* NULL: every file */
    scry_sort sort;
    bool reverse;
    bool unique;         /* one file of each picture: no further copies, no RAW beside its JPEG or HEIC that passes the filter */
    bool whole;          /* keep the files, for scry_listing_results */
    size_t first;        /* keep only so many from the start; 0: all */
} scry_list_options;

typedef struct scry_listing scry_listing;

/* Whether the first files of a list are read many times as fast as all of it, without `unique`: of a store on a server. */
bool scry_listing_gains_by_first(const scry_store *s);

/* The caller frees *out. */
int scry_listing_new(scry_listing **out, scry_store *s, const scry_list_options *options, scry_error *err) SCRY_NODISCARD;
void scry_listing_free(scry_listing *l);   /* NULL is legal */

/* Whether a list with this filter (NULL: none) stays as it is while nothing but marks, texts that were read and paths of roots
 * change. */
bool scry_listing_is_of_files(const scry_filter_node *filter);

size_t scry_listing_count(const scry_listing *l);     /* of those that were kept */
uint64_t scry_listing_total(const scry_listing *l);   /* of all that pass */
void scry_listing_id(const scry_listing *l, size_t i, uint8_t out[SCRY_ID_BYTES]);
int64_t scry_listing_time(const scry_listing *l, size_t i);          /* taken, else the file's time: seconds */
/* Where it was taken, to a metre; false: not known. */
bool scry_listing_position(const scry_listing *l, size_t i, double *latitude, double *longitude);

/* The kept files from place `from` on, as results without scores; whole lists only. The caller frees them. */
scry_results *scry_listing_results(const scry_listing *l, size_t from);

/* The files of the places from `from` to before `end` that are still there, in order, with what the store says of them now. The
 * caller frees *out. */
int scry_listing_page(const scry_listing *l, scry_store *s, size_t from, size_t end, scry_results **out,
                      scry_error *err) SCRY_NODISCARD;

/* The place of a file of the store; SIZE_MAX: it is not in the list. */
size_t scry_listing_find(const scry_listing *l, scry_store *s, const uint8_t id[SCRY_ID_BYTES]);

/* The id of a file, brief or not: scry_store_each_brief leaves ids out. */
void scry_listed_id(const scry_file *f, uint8_t out[SCRY_ID_BYTES]);

#endif
