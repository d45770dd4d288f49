/* duplicates.h - groups of pictures that are the same, or nearly, each with the copy that is best kept.
 *
 *     scry_duplicates *d;
 *     scry_duplicates_options o = { .filter = filter, .cosine = SCRY_FOLD_AUTO };
 *     scry_duplicates_find(&d, store, &o, &err);
 *     for (size_t i = 0; i < scry_duplicates_count(d); i++) {
 *         const scry_duplicate *m;
 *         size_t n = scry_duplicates_group(d, i, &m);      m[0] is the one to keep
 *     }
 *     scry_duplicates_free(d);
 *
 * Contents are taken from the best to the worst: more pixels first, then those whose headers say when they were taken, then
 * more bytes, which for the same pixels is less compression. Each that is in no group yet begins one and takes in all later
 * ones whose vector has at least the given cosine with its own. So a picture is always near the one that is kept, and never
 * only near another of its group. Of the files of one content the oldest is the best, then the one with the shorter path.
 *
 * The neighbours come from scry_store_search_many, the store's exact scan: for 100,000 pictures about as long as 100,000
 * searches in batches. Memory: 100 bytes for each file and content. A RAW beside its JPEG is not a duplicate of it.
 */
#ifndef SCRY_ENGINE_DUPLICATES_H
#define SCRY_ENGINE_DUPLICATES_H

#include "base/json.h"
#include "scry/store.h"

typedef struct scry_duplicates_options {
    const scry_filter_node *filter;   /* NULL: every file */
    double cosine;                    /* in (0, 1]; 0: only files of the same bytes */
    /* Called now and then with the contents that are done; a non-zero return ends the search with SCRY_ECANCELLED. */
    int (*progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
} scry_duplicates_options;

typedef struct scry_duplicate {
    uint8_t id[SCRY_ID_BYTES];        /* of the file */
    double cosine;                    /* with the one that is kept; 1 where the bytes are the same */
    bool same_bytes;                  /* as the one that is kept */
    int64_t size;
    uint8_t content[SCRY_HASH_BYTES];
} scry_duplicate;

typedef struct scry_duplicates scry_duplicates;

/* The caller frees *out. */
int scry_duplicates_find(scry_duplicates **out, scry_store *s, const scry_duplicates_options *options,
                         scry_error *err) SCRY_NODISCARD;
void scry_duplicates_free(scry_duplicates *d);   /* NULL is legal */

/* Leave out the groups of near duplicates of which all are marked to be kept beside each other (scry_set_kept), as the store has it
 * now; groups with files of the same bytes stay. Again: with the marks of then. Nothing where the store keeps no marks. */
int scry_duplicates_hide_kept(scry_duplicates *d, scry_store *s, scry_error *err) SCRY_NODISCARD;
void scry_duplicates_show_kept(scry_duplicates *d);

/* Groups, those with the most bytes to save first, each of two files or more: the one to keep, then the others, nearest first. */
size_t scry_duplicates_count(const scry_duplicates *d);
size_t scry_duplicates_group(const scry_duplicates *d, size_t i, const scry_duplicate **out);

/* The bytes of all files but the kept ones, and how many they are. */
uint64_t scry_duplicates_rest(const scry_duplicates *d, uint64_t *bytes);

/* The files of groups `from` to `from + n - 1`, in order, as results whose scores are their cosines; the caller frees them. A file
 * that has left the store since is SCRY_ENOTFOUND. */
int scry_duplicates_results(scry_results **out, scry_store *s, const scry_duplicates *d, size_t from, size_t n,
                            scry_error *err) SCRY_NODISCARD;

/* A part of the groups: `count` of them from `from` on, of each at most `others` besides the one to keep. */
typedef struct scry_duplicates_page {
    size_t from, count, others;
} scry_duplicates_page;

/* These groups as a JSON list: [{"keep", "why", "others", "left_out"}]. "why" names what the one to keep has before the others:
 * "pixels": more of them; "date": a time in its headers; "size": more bytes; "age": the oldest file; "path": the shortest.
 * Files that have left the store since are left out. */
int scry_duplicates_put_json(scry_json_writer *w, scry_store *s, const scry_duplicates *d, const scry_duplicates_page *page,
                             scry_error *err) SCRY_NODISCARD;

#endif
