/* ranges.h - two collections side by side, range by range of ids: what copy.c and compare.c share.
 *
 * One side's rows of a range are held in memory, the other side's walk by in the same order. A
 * range that holds more than expected is cut in half, so that what is held stays bounded.
 */
#ifndef SCRY_STORE_RANGES_H
#define SCRY_STORE_RANGES_H

#include "scry/copy.h"
#include "store/store_internal.h"

#include <stddef.h>

/* The rows of a range that are held. */
typedef struct scry_held {
    scry_store *of;
    bool with_vectors, full;   /* full: there are more than are held */
    scry_results *files;       /* in order of id */
    float *vectors;            /* [files->count, dim]; NULL without */
    size_t at;                 /* rows before this one were met already */
} scry_held;

/* Hold the rows that `store` has in the range, to be given to scry_held_dispose in any case. */
int scry_held_load(scry_held *h, scry_store *store, scry_id_range range, bool vectors, scry_error *err) SCRY_NODISCARD;
void scry_held_dispose(scry_held *h);

/* The held row of this id, or NULL; ids come in ascending order, NULL behind the last. Rows passed
 * over on the way are told to `missed` (may be NULL). */
const scry_file *scry_held_meet(scry_held *h, const uint8_t *id, void (*missed)(void *arg, const scry_file *file), void *arg);

/* Vector of a file that scry_held_meet gave. */
const float *scry_held_vector(const scry_held *h, const scry_file *file);

/* Call `piece` with ranges that should hold a bearable number of the `files` rows and cover all ids.
 * It returns 1 for a range that holds too many, which is then cut in half. */
int scry_each_piece(uint64_t files, int dim, int (*piece)(void *arg, scry_id_range range, scry_error *err), void *arg,
                    scry_error *err) SCRY_NODISCARD;

/* What differs first, in words; NULL when the two are equal but for where they lie. */
const char *scry_file_difference(const scry_file *a, const scry_file *b);

/* SCRY_EINVALID, ending in `consequence`, when the two were built with different models. */
int scry_check_models(scry_store *a, scry_store *b, const char *consequence, scry_error *err) SCRY_NODISCARD;

/* Tell the caller, some times a second or, with `always`, now; *told_ms is when that was last. */
void scry_tell_progress(const scry_copy_options *o, const scry_copy_progress *p, double *told_ms, bool always);

/* SCRY_ECANCELLED with `text` when the caller asked to stop. */
int scry_check_cancelled(const scry_copy_options *o, const char *text, scry_error *err) SCRY_NODISCARD;

/* Files of all roots. */
int scry_count_files(scry_store *s, uint64_t *out, scry_error *err) SCRY_NODISCARD;

#endif
