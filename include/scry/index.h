/* index.h - bring a store up to date with folders of pictures.
 *
 * Files are compared by size, mtime and ctime, and the ctime of their sidecars, then by content: an unchanged file costs one stat
 * call, a moved or copied picture is not embedded again. Decoding (in other processes) and embedding
 * share all processors in bounded memory. A file that cannot be decoded is skipped,
 * and its reason is recorded until the file changes; no file content can stop the run.
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
    uint64_t skipped;     /* bad files, including those recorded by earlier runs */
    uint64_t pruned;      /* files that no longer exist, removed from the store */
    uint64_t missing;     /* without `prune`: files of the store below the given folders that no longer exist */
    uint64_t embedded;    /* pictures embedded by the model: added + updated, less contents already stored */
    uint64_t headers;     /* files whose headers were read again: see rebuild_metadata */
    uint64_t damaged;     /* of the files that were read: rows at the end of the picture are missing */
    bool walking;         /* folders are still being walked: `found` grows */
    double elapsed_ms;
    uint64_t expected;    /* how many files `found` will be in the end, counted ahead of the run; 0: not known, or not yet */
} scry_index_progress;

typedef struct scry_index_options {
    const char *const *paths;      /* folders, single files, CSV files (id,path[,label...]) */
    size_t path_count;
    const char *from_file;         /* a list of paths, one on each line; "-": standard input; NULL: none */
    bool zero_ended;               /* the paths of from_file end with zero bytes instead, as find -print0 writes them */
    const char *const *include;    /* glob patterns on the name or the relative path; none: all */
    size_t include_count;
    const char *const *exclude;
    size_t exclude_count;
    bool follow;                   /* follow symbolic links to folders */
    bool hidden;                   /* include names that begin with a dot */
    bool no_default_excludes;      /* enter folders of NAS systems, trash and previews, too */
    bool prune;                    /* remove files below the given paths that no longer exist */
    bool retry;                    /* try recorded bad files again */
    bool recheck;                  /* read all files again, also those whose size and times are unchanged */
    bool rebuild_metadata;         /* read the headers of unchanged files again, too; nothing is embedded for it */
    bool keep_orientation;
    uint32_t formats;              /* mask over scry_format; 0: default */
    size_t decoder_memory_bytes;   /* limit of each decoder process; 0: 1 GiB, or up to 4 GiB for one picture at a time */
    int time_limit_ms;             /* for each picture; 0: default */
    int workers;                   /* 0: one for each processor */

    /* All called on the thread that runs the index; any may be NULL. */
    void (*progress)(void *arg, const scry_index_progress *p);   /* about ten times a second */
    void (*skipped)(void *arg, const char *path, const char *reason);
    void *arg;
    const scry_cancel *cancel;      /* non-zero: finish what is decoded, commit, return SCRY_ECANCELLED */
} scry_index_options;

#define SCRY_INDEX_OPTIONS_INIT SCRY_ZERO_INIT

/* Run to the end or until cancelled. `options` may be NULL: without paths nothing is indexed. `total` (may be NULL) gets the
 * final counts in either case. */
int scry_index_run(scry_store *store, const scry_model *model, const scry_index_options *options,
                   scry_index_progress *total, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif

#endif
