/* walk.h - the files that an index run looks at, one after the other.
 *
 * Folders are walked depth first in the order of names. Hidden names and folders that
 * hold a `.nomedia` are passed over, symbolic links to folders are followed only when
 * asked for, and never in a circle.
 */
#ifndef SCRY_ENGINE_WALK_H
#define SCRY_ENGINE_WALK_H

#include "scry/index.h"

#include <sys/stat.h>

typedef struct scry_walk_item {
    const char *path;            /* absolute; borrowed for the call */
    const struct stat *st;       /* what the path leads to; NULL when it cannot be told */
    const char *problem;         /* why it cannot be used; NULL when all is well */
    bool listed;                 /* named by the user, not met in a folder */
    const char *key;             /* from a CSV; NULL elsewhere */
    const char *const *labels;
    size_t label_count;
} scry_walk_item;

/* A non-zero return stops the walk and is passed on. */
typedef int scry_walk_fn(void *arg, const scry_walk_item *item);

/* Walk one path given by the user: a folder or a file. `path` is absolute. Only files whose
 * names may be pictures are reported from folders. */
int scry_walk(const char *path, const scry_index_options *options, scry_walk_fn *fn, void *arg);

/* The absolute, canonical form of a path that exists (its last part's link is kept, so that a
 * linked file stays itself); owned by the caller; NULL with errno set. */
char *scry_absolute(const char *path);

/* The path by which a store knows what `path` names: scry_absolute while it is there. Of what is
 * gone, that of the nearest folder which is not, and the names that follow. `path` is not empty;
 * owned by the caller. */
char *scry_stored_path(const char *path);

#endif
