/* filter_internal.h - the small meanings that the reference and the compilers share. */
#ifndef SCRY_STORE_FILTER_INTERNAL_H
#define SCRY_STORE_FILTER_INTERNAL_H

#include "scry/store.h"

/* EXIF time, else mtime in whole seconds, rounded down. */
int64_t scry_file_time(const scry_file *f);

/* Great circle on a sphere of 6371.0088 km; degrees in. */
double scry_distance_km(double lat1, double lon1, double lat2, double lon2);

/* Whether `path` is `folder` or lies below it; both absolute, `folder` may be "/". */
bool scry_path_within(const char *folder, const char *path);

/* Whether `part` occurs in `text`, ASCII case ignored. */
bool scry_text_contains(const char *text, const char *part);

#endif
