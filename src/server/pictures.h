/* pictures.h - the picture files behind ids: opened safely, shrunk, cached. */
#ifndef SCRY_SERVER_PICTURES_H
#define SCRY_SERVER_PICTURES_H

#include "server/server.h"

/* The stored file that `hex` names; else a 404 has been made and NULL is returned. Free with
 * scry_results_free. */
scry_results *picture_find(request *r, const char *hex);

/* Whether the canonical path lies in one of the collection's roots. */
bool below_root(request *r, const char *path);

/* Open its bytes for reading, below its root and nowhere else: links that lead out of the root
 * and races with renames are refused by the kernel (openat2, RESOLVE_BENEATH). Returns a
 * descriptor, or -1 with a 404 or 403 made. */
int picture_open(request *r, const scry_file *f);

/* A JPEG of the file whose longer side is at most `max_side`, in `out` (a fresh buffer of the
 * caller's). Thumbnails come from and go to the disk cache when `cached`. */
int picture_jpeg(request *r, worker_tools *tools, const scry_file *f, int max_side, bool cached, scry_buf *out);

#endif
