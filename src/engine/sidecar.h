/* sidecar.h - what the name of a picture's file, and the files beside it, say of the picture.
 *
 *     IMG_1.xmp, IMG_1.jpg.xmp                       Lightroom; darktable, digiKam
 *     IMG_1.jpg.json                                 Google Takeout until 2024
 *     IMG_1.jpg.supplemental-metadata.json           and since; the name before ".json" is cut to 46 characters
 *     IMG_1.jpg(1).json, ...-metadata(1).json        of IMG_1(1).jpg
 *
 * An edited picture (IMG_1-edited.jpg) has the .json of the original. Files over 4 MiB and what is damaged count
 * as absent.
 */
#ifndef SCRY_ENGINE_SIDECAR_H
#define SCRY_ENGINE_SIDECAR_H

#include "metadata/metadata.h"

#include <stdbool.h>
#include <stddef.h>

struct dirent;

/* Sets all of *m: of time and place the best source counts (sidecar, name, the file's time as this machine's
 * clock shows it), of texts the .xmp before the .json. Thread-safe. */
void scry_sidecar_read(const char *path, int64_t mtime_ns, scry_metadata *m);

/* The names in the folder of a picture, as a walk knows them. NULL where one is wanted: not known, the disk is asked. */
typedef struct scry_folder_names {
    const struct dirent *const *items;   /* [count], in the order of alphasort */
    size_t count;
    bool has_sidecars;                   /* some name may be that of a sidecar or companion */
} scry_folder_names;

/* Whether this is such a name. */
bool scry_may_be_sidecar(const char *name);

/* The name of the file beside `path` that belongs to the same shot: the video of a live photo (IMG_1.MOV beside IMG_1.HEIC)
 * or the picture that a camera wrote with its RAW. NULL: none. Owned by the caller. */
char *scry_companion_name(const char *path, const scry_folder_names *beside);

/* A number that changes when the picture, whose change time is `ctime_ns`, or one of its sidecars changes, comes or goes, or its
 * companion comes or goes; `ctime_ns` itself where there is none of these. */
int64_t scry_sidecar_stamp(const char *path, int64_t ctime_ns, const scry_folder_names *beside);

/* The names that the .json of a picture may have, in the order in which they are looked for: called back with
 * each until it returns true. For tests. */
void scry_takeout_names(const char *name, bool (*each)(void *arg, const char *candidate), void *arg);

#endif
