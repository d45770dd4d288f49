/* rebuild.h - embed the pictures of a collection again, with another model or a newer version of its own.
 *
 *     scry_store_open(&store, where, &for_writing, &err);
 *     scry_rebuild_get_estimate(store, model, &estimate, &err);         // how many pictures, how long, how much disk
 *     scry_rebuild_run(store, model, &as, &options, &total, &err);   // closes the store
 *
 * The new vectors are made in a collection beside the old one, which is searched until it is complete and takes its place
 * atomically. Roots, ids, keys and labels stay. A run that was stopped or killed continues where it stopped.
 */
#ifndef SCRY_REBUILD_H
#define SCRY_REBUILD_H

#include "scry/index.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scry_rebuild_estimate {
    uint64_t pictures;      /* different ones, to be embedded */
    double minutes;         /* as long as a few of the pictures, embedded now, let expect; 0: none of those could be read */
    uint64_t bytes;         /* on the store's disk until the old collection is removed; what it takes then, roughly */
    uint64_t free_bytes;    /* UINT64_MAX: not known, on a server */
    bool current;           /* the collection was built with this very model, and is not known to be damaged */
} scry_rebuild_estimate;

/* Embeds a few of the pictures to tell the time, which takes a moment, unless the collection is current. */
int scry_rebuild_get_estimate(scry_store *store, const scry_model *model, scry_rebuild_estimate *out,
                              scry_error *err) SCRY_NODISCARD;

/* The same, watched. `options` may be NULL. */
int scry_rebuild_estimate_run(scry_store *store, const scry_model *model, const scry_long_options *options,
                              scry_rebuild_estimate *out, scry_error *err) SCRY_NODISCARD;

/* Embed all files of the store, which is open for writing, and swap. `as` names model, precision and dimension as for a new
 * collection (NULL: as `model` has them); of `options` (may be NULL) paths, patterns and formats are not used. Files that
 * changed are read anew; one that cannot be read now is left out and reported as skipped; when all files of a root are, nothing is
 * swapped. The store is closed, whatever is returned. */
int scry_rebuild_run(scry_store *store, const scry_model *model, const scry_store_options *as,
                     const scry_index_options *options, scry_index_progress *total, scry_error *err) SCRY_NODISCARD;

/* scry_store_check_model, whose error says of a collection of an earlier starter what embedding it again takes. */
int scry_rebuild_check(scry_store *store, const scry_model *model, const char *name, scry_error *err) SCRY_NODISCARD;

/* Whether the collection was built with an earlier starter and `model` is another one. */
bool scry_rebuild_is_due(scry_store *store, const scry_model *model);

#ifdef __cplusplus
}
#endif
#endif
