/* walk.h - enumerates the files of an index run.
 *
 * Folders are walked depth first in the order of names. Hidden names and folders that
 * hold a `.nomedia` are skipped; symbolic links to folders are followed only on
 * request, and never in a cycle. Folders of NAS systems, trash and previews (walk.c has their names) are
 * passed over and reported, unless all are wanted or one is the path given.
 */
#ifndef SCRY_ENGINE_WALK_H
#define SCRY_ENGINE_WALK_H

#include "engine/sidecar.h"
#include "scry/index.h"

#include <sys/stat.h>

typedef enum {
    SCRY_WALK_FILE,
    SCRY_WALK_PASSED_OVER,       /* a folder, because of its name */
    SCRY_WALK_ENTERED            /* such a folder, where all are wanted; its files follow */
} scry_walk_kind;

typedef struct scry_walk_item {
    scry_walk_kind kind;
    const char *path;            /* absolute; borrowed for the call */
    const struct stat *st;       /* of the file, links followed; NULL when stat failed */
    const scry_folder_names *beside;   /* the names in its folder; NULL: not known */
    const char *problem;         /* why it cannot be used; NULL: it can */
    bool listed;                 /* given by the user, not found in a folder */
    const char *key;             /* from a CSV; NULL elsewhere */
    const char *const *labels;
    size_t label_count;
} scry_walk_item;

/* A non-zero return value stops the walk and is returned. */
typedef int scry_walk_fn(void *arg, const scry_walk_item *item);

/* Walk one path given by the user: a folder or a file. `path` is absolute. Only files whose
 * names may be pictures are reported from folders, and folders that cannot be looked at. */
int scry_walk(const char *path, const scry_index_options *options, scry_walk_fn *fn, void *arg);

/* The absolute, canonical form of a path that exists, be it in another Unicode form (a link in its last part is not
 * resolved, so that a linked file keeps its own path); owned by the caller; NULL with errno set. */
char *scry_absolute(const char *path);

/* The path under which a store has `path`: scry_absolute(path) when it exists, else the canonical path
 * of the nearest folder above it that exists, followed by the remaining names, each as its folder has it, be it in
 * another Unicode form, and links among them followed although they lead nowhere any more. `path` is not empty;
 * the result is owned by the caller. */
char *scry_stored_path(const char *path);

/* scry_stored_path of a folder, whose last name, too, may be a link that leads nowhere any more: where it led. */
char *scry_stored_folder(const char *path);

#endif
