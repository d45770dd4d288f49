/* file.h - whole files, mappings, and the folders where scry keeps its data. */
#ifndef SCRY_BASE_FILE_H
#define SCRY_BASE_FILE_H

#include "base/buf.h"
#include "scry/error.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A read-only mapping of a whole file. If the file is truncated while it is
 * mapped, reading it raises SIGBUS: map only files that scry owns (models, segments). */
typedef struct scry_map {
    const uint8_t *data;   /* NULL when the file is empty */
    size_t size;
} scry_map;

int scry_map_open(scry_map *out, const char *path, scry_error *err) SCRY_NODISCARD;
void scry_map_close(scry_map *m);

/* The same, with the file left open, the caller's to close: it says later what became of the file that is mapped, whatever
 * has its name by then. -1 on failure. */
int scry_map_open_fd(scry_map *out, int *fd, const char *path, scry_error *err) SCRY_NODISCARD;

/* Append the file to `out`, up to out->limit (SCRY_ELIMIT past it). Refuses
 * anything but a regular file, without blocking on a FIFO. */
int scry_read_file(const char *path, scry_buf *out, scry_error *err) SCRY_NODISCARD;

/* A file's time as nanoseconds since 1970; times beyond 1677 and 2262 are the nearest that fit. */
int64_t scry_time_ns(struct timespec t);

/* 0, or -1 with errno. */
int scry_write_all(int fd, const void *bytes, size_t n) SCRY_NODISCARD;

/* Write a new file beside `path`, sync it, rename it over `path`, sync the folder:
 * after a power cut there is the old file or the new one. */
int scry_write_file(const char *path, const void *bytes, size_t n, scry_error *err) SCRY_NODISCARD;

/* Names made, renamed and removed in this folder survive a power cut. 0, or -1 with errno. */
int scry_sync_folder(const char *folder) SCRY_NODISCARD;

/* Create the folder and its missing parents (mode 0700). */
int scry_make_dirs(const char *path, scry_error *err) SCRY_NODISCARD;

/* Whether the absolute `path` is in `folder` or deeper, and not the folder itself. */
bool scry_path_is_below(const char *path, const char *folder);

/* `a/b` as one owned string; `b` alone when it is absolute. */
char *scry_path_join(const char *a, const char *b);

/* `path` with the home folder for a leading "~" or "~/", and a user's for "~user" or "~user/": shells expand it only at the start
 * of a word, so not in --store=~/x or @~/x. The home folder is $HOME, else that of the user database. As in a shell, what names no
 * user stays as it is. Owned. */
char *scry_expand_home(const char *path);

/* $XDG_DATA_HOME/scry and $XDG_CACHE_HOME/scry with their standard fallbacks below the home folder;
 * owned by the caller, not created. */
char *scry_data_dir(void);
char *scry_cache_dir(void);

/* A file that is installed with the library. It is searched for in the folder of scry_set_data_dir or
 * $SCRY_DATA_DIR, where one is given; then, starting at the folder of libscry.so (of the program,
 * if it is linked with libscry.a), in ../libexec/scry and ../share/scry, then
 * in that folder and the ones above it (a build tree); never beside a program that only uses the
 * library. `name` is like "scry-decode" or "models/starter". Owned by the caller; NULL where there
 * is none. In library.c. */
char *scry_program_file(const char *name);

#endif
