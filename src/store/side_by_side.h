/* side_by_side.h - two collections side by side, range by range of ids: what copy.c and compare.c share.
 *
 * One side's rows of a range are held in memory while the other side's are walked in the same order. A
 * range with more rows than expected is cut in half, which bounds the memory.
 */
#ifndef SCRY_STORE_SIDE_BY_SIDE_H
#define SCRY_STORE_SIDE_BY_SIDE_H

#include "scry/copy.h"
#include "store/file_list.h"
#include "store/store_kind.h"

#include <stddef.h>

/* The rows of a range that are held. */
typedef struct scry_held {
    scry_store *of;
    bool with_vectors, full;   /* full: the range has more rows */
    scry_file_list files;      /* in order of id */
    float *vectors;            /* [files.count, dim]; NULL without */
    size_t at;                 /* rows before this one were passed */
} scry_held;

/* Read the rows that `store` has in the range. Dispose of them in any case. */
int scry_held_load(scry_held *h, scry_store *store, scry_id_range range, bool vectors, scry_error *err) SCRY_NODISCARD;
void scry_held_dispose(scry_held *h);

/* The held row of this id, or NULL. Ids must ascend from call to call; NULL is after all ids. Rows passed
 * over on the way are reported to `missed` (may be NULL). */
const scry_file *scry_held_find(scry_held *h, const uint8_t *id, void (*missed)(void *arg, const scry_file *file), void *arg);

/* Vector of a file that scry_held_find returned. */
const float *scry_held_vector(const scry_held *h, const scry_file *file);

/* Call `piece` with ranges that cover all ids, each of a bounded number of the `files` rows if ids are evenly
 * distributed. It returns 1 for a range with too many, which is then cut in half. */
int scry_each_piece(uint64_t files, int dim, int (*piece)(void *arg, scry_id_range range, scry_error *err), void *arg,
                    scry_error *err) SCRY_NODISCARD;

/* A range of ids at a random place with about `most` of `files` files; all ids if there are no more than that, or `most` is 0. */
scry_id_range scry_random_range(uint64_t files, uint64_t most);
/* The same as scry_each_piece for the ids of a range, of `files` rows. */
int scry_each_piece_of(scry_id_range range, uint64_t files, int dim,
                       int (*piece)(void *arg, scry_id_range range, scry_error *err), void *arg, scry_error *err) SCRY_NODISCARD;

/* Name of the first field that differs; NULL when the two are equal except for their roots' paths. */
const char *scry_file_difference(const scry_file *a, const scry_file *b);

/* Copy what was read in pictures to the contents that `to` has; not what it has already. Nothing where one of the two keeps no
 * texts. SCRY_ECANCELLED as below; options may be NULL. */
int scry_copy_texts(scry_store *from, scry_store *to, const scry_copy_options *options, scry_error *err) SCRY_NODISCARD;

/* Whether two texts are the same but for their contents: reader, reason, and each line with its place. */
bool scry_same_text(const scry_picture_text *a, const scry_picture_text *b);

/* What a store has for the contents of `n` texts, in one request to a server: out[i], the caller's, is NULL where nothing was read,
 * has[i] whether it has the content. Both are [n], NULL and false at first; dispose of them after a failure, too. */
int scry_texts_there(scry_store *s, const scry_picture_text *texts, size_t n, scry_picture_text **out, bool *has,
                     scry_error *err) SCRY_NODISCARD;

/* SCRY_EINVALID, ending in `consequence`, when the two were built with different models. */
int scry_check_models(scry_store *a, scry_store *b, const char *consequence, scry_error *err) SCRY_NODISCARD;

/* Report to the caller a few times a second or, with `always`, now; *last_ms is when that was last. */
void scry_report_progress(const scry_copy_options *o, const scry_copy_progress *p, double *last_ms, bool always);

/* SCRY_ECANCELLED with `text` when the caller asked to stop. */
int scry_check_cancelled(const scry_copy_options *o, const char *text, scry_error *err) SCRY_NODISCARD;

/* Files of all roots. */
int scry_count_files(scry_store *s, uint64_t *out, scry_error *err) SCRY_NODISCARD;

/* Copy the roots and remembered bad files of `from`; copy.c. */
int scry_copy_frame(scry_store *from, scry_store *to, scry_error *err) SCRY_NODISCARD;

/* Give `to` the marks of `from`; `exactly`: and no others. Nothing where one of them keeps none; copy.c. */
int scry_copy_marks(scry_store *from, scry_store *to, bool exactly, scry_error *err) SCRY_NODISCARD;

#endif
