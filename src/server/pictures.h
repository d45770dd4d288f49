/* pictures.h - the picture file of an id: found, opened safely, resized, cached. */
#ifndef SCRY_SERVER_PICTURES_H
#define SCRY_SERVER_PICTURES_H

#include "server/server.h"

/* The stored file that `hex` names; else a 404 has been made and NULL is returned. Free with
 * scry_results_free. */
scry_results *picture_find(request *r, const char *hex);

/* Whether the canonical path is below one of the collection's roots. */
bool below_root(request *r, const char *path);

/* An open picture file. `version` names its bytes without reading them: it is hashed from what the index last read
 * there and device, inode, size, mtime and ctime. A file that changes gets another version, even where its mtime is kept or
 * it is replaced by another. "" while the last change is so recent that another one could leave all of these as they are. */
typedef struct open_picture {
    const scry_file *file;    /* borrowed */
    int fd;
    uint64_t bytes;
    char version[33];
} open_picture;

/* Open the file for reading. Links that leave its root, and renames during the call, are refused by the
 * kernel (openat2 with RESOLVE_BENEATH). Close out->fd; false: a 404 or 403 was made. */
bool picture_open(request *r, const scry_file *f, open_picture *out);

/* The same without a request: NULL, or why it cannot be opened, a sentence without an end. */
const char *picture_try_open(server *s, const scry_file *f, open_picture *out);

/* A JPEG of the file whose longer side is at most `max_side`, in `out` (a fresh buffer of the caller's). p->version
 * becomes the version of the bytes that were read; with one, the disk cache is used. */
int picture_jpeg(request *r, worker_tools *tools, open_picture *p, int max_side, scry_buf *out);

/* A JPEG of it that picture_jpeg made before, of this size if there is one, else of another; false: there is none. It shows what
 * was last seen in the file. For pictures whose disk is away. */
bool picture_cached(const scry_file *f, int max_side, scry_buf *out);

/* scry_decoder_run() failed with `result`: `status` and "WHAT: the reason", or 500 when no decoder can be started. */
void respond_undecoded(request *r, int status, const char *what, int result, const scry_error *err);

#endif
