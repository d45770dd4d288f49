/* disk_away.h - whether what is not there is perhaps on a disk that is not mounted, rather than deleted. */
#ifndef SCRY_ENGINE_DISK_AWAY_H
#define SCRY_ENGINE_DISK_AWAY_H

#include "scry/store.h"

#include <stdbool.h>

/* The folder of a disk that a file that is not there was perhaps on: the nearest folder above it that is there, if that is empty,
 * as a mount point is; or what is missing in a folder for mounts (/mnt, /media, /run/media). NULL: it was deleted. The caller
 * frees it. */
char *scry_disk_away(const char *path);

/* Whether a folder that had pictures is not there, or is empty, as where a disk is not mounted. */
bool scry_folder_is_away(const char *folder);

/* Whether the root of the file is. */
bool scry_root_is_away(const scry_file *f);

/* Set scry_file.away of the files of which `is_away` says so. */
void scry_mark_away(scry_results *found, bool (*is_away)(void *arg, const char *path), void *arg);

#endif
