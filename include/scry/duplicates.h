/* duplicates.h - groups of pictures that are the same, or nearly, each with the copy that is best kept.
 *
 *     scry_duplicates *d;
 *     scry_duplicates_options o = SCRY_DUPLICATES_OPTIONS_INIT;
 *     scry_duplicates_find(&d, store, &o, &err);
 *     for (size_t i = 0; i < scry_duplicates_count(d); i++) {
 *         const scry_duplicate *m;
 *         size_t n = scry_duplicates_group(d, i, &m);      m[0] is the one to keep
 *     }
 *     scry_duplicates_free(d);
 *
 * Contents are taken from the best to the worst: more pixels first, then those whose headers say when they were taken, then
 * more bytes, which for the same pixels is less compression. Each that is in no group yet begins one and takes in all later
 * ones whose vector has at least the given cosine with its own and whose width : height differs from its own by at most a
 * tenth. So a picture is always near the one that is kept, and never only near another of its group. Of the files of one
 * content the oldest is the best, then the one with the shorter path.
 *
 * The neighbours come from scry_store_search_many, the store's exact scan: for 100,000 pictures about as long as 100,000
 * searches in batches. Memory: 100 bytes for each file and content. A RAW beside its JPEG is not a duplicate of it.
 *
 * Thread rule: one thread finds and hides, any number read the groups.
 */
#ifndef SCRY_DUPLICATES_H
#define SCRY_DUPLICATES_H

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scry_duplicates_options {
    const scry_filter_node *filter;   /* NULL: every file */
    double cosine;                    /* in (0, 1]; 0: only files of the same bytes */
    void (*progress)(void *arg, uint64_t done, uint64_t total);   /* now and then, with the contents that are done; may be NULL */
    void *arg;
    const scry_cancel *cancel;        /* non-zero: stop with SCRY_ECANCELLED; may be NULL */
} scry_duplicates_options;

#define SCRY_DUPLICATES_OPTIONS_INIT { NULL, SCRY_FOLD_AUTO, NULL, NULL, NULL }

typedef struct scry_duplicate {
    uint8_t id[SCRY_ID_BYTES];        /* of the file */
    double cosine;                    /* with the one that is kept; 1 where the bytes are the same */
    bool same_bytes;                  /* as the one that is kept */
    int64_t size;
    uint8_t content[SCRY_HASH_BYTES];
} scry_duplicate;

typedef struct scry_duplicates scry_duplicates;

/* The caller frees *out. `options` may be NULL: all that are nearly the same, from a cosine of SCRY_FOLD_AUTO. */
int scry_duplicates_find(scry_duplicates **out, scry_store *s, const scry_duplicates_options *options,
                         scry_error *err) SCRY_NODISCARD;
void scry_duplicates_free(scry_duplicates *d);   /* NULL is legal */

/* Leave out the groups of near duplicates of which all are marked to be kept beside each other (SCRY_MARK_KEPT of marks.h), as the
 * store has it now; groups with files of the same bytes stay. Again: with the marks of then. Nothing where it keeps no marks. */
int scry_duplicates_hide_kept(scry_duplicates *d, scry_store *s, scry_error *err) SCRY_NODISCARD;
void scry_duplicates_show_kept(scry_duplicates *d);

/* Groups, those with the most bytes to save first, each of two files or more: the one to keep, then the others, nearest first. 0
 * where there is no group `i`. */
size_t scry_duplicates_count(const scry_duplicates *d);
size_t scry_duplicates_group(const scry_duplicates *d, size_t i, const scry_duplicate **out);

/* The bytes of all files but the kept ones (`bytes` may be NULL), and how many they are. */
uint64_t scry_duplicates_rest(const scry_duplicates *d, uint64_t *bytes);

/* The files of groups `from` to `from + n - 1`, in order, as results whose scores are their cosines; the caller frees them. A file
 * that has left the store since is SCRY_ENOTFOUND. */
int scry_duplicates_results(scry_results **out, scry_store *s, const scry_duplicates *d, size_t from, size_t n,
                            scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
