/* large_file.h - a file that is mapped where it is, since a copy in shared memory would take too much of that.
 *
 * Its pages are the system's cache, which shrinks when memory is needed. Other programs may change the file meanwhile: what
 * was cut off reads as zeros (base/map_guard.h), and scry_large_file_unchanged() tells afterwards.
 */
#ifndef SCRY_IMAGE_LARGE_FILE_H
#define SCRY_IMAGE_LARGE_FILE_H

#include "base/map_guard.h"
#include "scry/error.h"

#include <stdint.h>
#include <sys/stat.h>

typedef struct scry_large_file {
    int fd;                  /* -1: none is open */
    const uint8_t *data;     /* [st.st_size] */
    scry_map_guard *guard;
    struct stat st;          /* when it was opened */
} scry_large_file;

#define SCRY_LARGE_FILE_INIT { .fd = -1 }

/* Takes `fd`, whose fstat() gave `st`, also when it fails: SCRY_ENOMEM. */
int scry_large_file_open(scry_large_file *f, int fd, const struct stat *st, scry_error *err) SCRY_NODISCARD;

/* Whether the file still has the size and times that it had when it was opened, and all of its pages could be read. */
bool scry_large_file_unchanged(const scry_large_file *f);

void scry_large_file_close(scry_large_file *f);

/* Whether two results of stat() are of the same state of a file. */
bool scry_same_state(const struct stat *a, const struct stat *b);

#endif
