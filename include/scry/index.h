/* index.h - bring a store up to date with folders of pictures.
 *
 * Files are compared by size and mtime, then by content: an unchanged file costs a stat,
 * moved or copied bytes are not embedded again. Decoding (in other processes) and embedding
 * share all processors in bounded memory. A bad file is skipped with its reason and
 * remembered until it changes; nothing it contains can stop the run.
 */
#ifndef SCRY_INDEX_H
#define SCRY_INDEX_H

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/model.h"
#include "scry/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scry_index_progress {
    uint64_t found;       /* picture files seen so far */
    uint64_t added;       /* files new to the store */
    uint64_t updated;     /* files whose content or labels changed */
    uint64_t unchanged;
    uint64_t skipped;     /* bad files, remembered ones included */
    uint64_t pruned;      /* vanished files that were forgotten */
    uint64_t embedded;    /* pictures that went through the model: added + updated less known contents */
    bool walking;         /* `found` still grows */
    double elapsed_ms;
} scry_index_progress;

typedef struct scry_index_options {
    const char *const *paths;      /* folders, single files, CSV files (id,path[,label...]) */
    size_t path_count;
    const char *from_file;         /* a list of paths, one a line; "-": standard input; NULL: none */
    const char *const *include;    /* glob patterns on the name or the relative path; none: all */
    size_t include_count;
    const char *const *exclude;
    size_t exclude_count;
    bool follow;                   /* symbolic links to folders */
    bool hidden;                   /* names that begin with a dot, too */
    bool prune;                    /* forget files below the given paths that are gone */
    bool retry;                    /* try remembered bad files again */
    bool keep_orientation;
    uint32_t formats;              /* mask over scry_format; 0: default */
    size_t decoder_memory_bytes;   /* limit of each decoder process; 0: default */
    int time_limit_ms;             /* a picture; 0: default */
    int workers;                   /* 0: one a processor */

    /* All called on the thread that runs the index; any may be NULL. */
    void (*progress)(void *arg, const scry_index_progress *p);   /* about ten times a second */
    void (*skipped)(void *arg, const char *path, const char *reason);
    void *arg;
    const scry_cancel *cancel;      /* non-zero: finish what is decoded, commit, return SCRY_ECANCELLED */
} scry_index_options;

#define SCRY_INDEX_OPTIONS_INIT { .path_count = 0 }

/* Run to the end or until cancelled. `total` (may be NULL) gets the final counts in either case. */
int scry_index_run(scry_store *store, const scry_model *model, const scry_index_options *options,
                   scry_index_progress *total, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif

#endif
