/* facet_counts.h - how many pictures each folder, camera, format and label has, and the newest of them.
 *
 *     scry_facet_counts *c;
 *     scry_facet_counts_new(&c, store, &(scry_facet_options){ .unique = true }, &err);
 *     const scry_facet *folders = scry_facets(c, SCRY_FACET_FOLDERS, &n);
 *     scry_facet_counts_free(c);
 *
 * With `unique` a count is that of the pictures that a list with the filter shows: one file of each content, no RAW that a picture
 * beside it stands for if that has the name, too; of a folder also what is in those below it.
 */
#ifndef SCRY_ENGINE_FACET_COUNTS_H
#define SCRY_ENGINE_FACET_COUNTS_H

#include "scry/store.h"

typedef enum { SCRY_FACET_FOLDERS, SCRY_FACET_CAMERAS, SCRY_FACET_FORMATS, SCRY_FACET_LABELS, SCRY_FACET_KINDS } scry_facet_kind;

typedef struct scry_facet_options {
    bool folders_only;
    bool unique;
    uint64_t sample;     /* of a store on a server that has more files, count about so many and estimate; 0: all */
} scry_facet_options;

typedef struct scry_facet {
    const char *name;    /* first, for the table */
    uint64_t count;
    int64_t first_s, last_s;    /* times of its pictures */
    uint8_t root[SCRY_ID_BYTES], id[SCRY_ID_BYTES];   /* the newest picture: its id, or, `relative` set, its root */
    char *relative;
} scry_facet;

typedef struct scry_facet_counts scry_facet_counts;

/* The caller frees *out. */
int scry_facet_counts_new(scry_facet_counts **out, scry_store *s, const scry_facet_options *options,
                          scry_error *err) SCRY_NODISCARD;
void scry_facet_counts_free(scry_facet_counts *c);   /* NULL is legal */

/* In no order; valid until the counts are freed. */
const scry_facet *scry_facets(const scry_facet_counts *c, scry_facet_kind kind, size_t *n);
void scry_facet_id(const scry_facet *f, uint8_t out[SCRY_ID_BYTES]);   /* of the newest picture */

/* Of all pictures; false: there are none. */
bool scry_facet_times(const scry_facet_counts *c, int64_t *first_s, int64_t *last_s);

/* The part of the files that was counted, 1 for all. Counts are estimated for all. */
double scry_facet_share(const scry_facet_counts *c);

#endif
