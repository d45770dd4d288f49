/* file.h - whole files, mappings, and the places where scry keeps things. */
#ifndef SCRY_BASE_FILE_H
#define SCRY_BASE_FILE_H

#include "base/buf.h"
#include "scry/error.h"

#include <stddef.h>
#include <stdint.h>

/* A read-only mapping of a whole file. Reading past a file that somebody cut
 * meanwhile raises SIGBUS: map only what is ours (models, segments). */
typedef struct scry_map {
    const uint8_t *data;   /* NULL when the file is empty */
    size_t size;
} scry_map;

int scry_map_open(scry_map *out, const char *path, scry_error *err) SCRY_NODISCARD;
void scry_map_close(scry_map *m);

/* Append the file to `out`, up to out->limit (SCRY_ELIMIT past it). Refuses
 * anything but a regular file, without blocking on a FIFO. */
int scry_read_file(const char *path, scry_buf *out, scry_error *err) SCRY_NODISCARD;

/* Write a new file beside `path`, sync it, rename it over `path`, sync the folder:
 * after a power cut there is the old file or the new one. */
int scry_write_file(const char *path, const void *bytes, size_t n, scry_error *err) SCRY_NODISCARD;

/* Create the folder and its missing parents (mode 0700). */
int scry_make_dirs(const char *path, scry_error *err) SCRY_NODISCARD;

/* `a/b` as one owned string; `b` alone when it is absolute. */
char *scry_path_join(const char *a, const char *b);

/* $XDG_DATA_HOME/scry and $XDG_CACHE_HOME/scry with their standard fallbacks below $HOME;
 * owned by the caller, not created. */
char *scry_data_dir(void);
char *scry_cache_dir(void);

/* A file that belongs to the program, wherever it is installed: looked for beside
 * the running binary (a build tree), then at ../libexec/scry and ../share/scry of
 * it (an installation), and likewise from libscry.so when another program uses that.
 * `name` is like "scry-decode" or "models/starter". Owned by the caller; NULL when it is
 * nowhere. */
char *scry_program_file(const char *name);

#endif
