/* segment.h - the file of stored vectors, by slot. */
#ifndef SCRY_STORE_LOCAL_SEGMENT_H
#define SCRY_STORE_LOCAL_SEGMENT_H

#include "store/local/local.h"

#include <sys/types.h>

enum {
    SCRY_SEGMENT_HEADER = 4096,         /* bytes before the first slot */
    SCRY_ROW_ALIGN = 64                 /* a slot's bytes are a multiple of this */
};

char *scry_segment_path(const scry_local *s, int64_t generation);
size_t scry_row_bytes(int dim);
int scry_segment_create(const scry_local *s, int64_t generation, scry_error *err) SCRY_NODISCARD;

/* Open after checking the header and that `slots` rows are there; *out_fd is -1 on failure. */
int scry_segment_open(const scry_local *s, int64_t generation, int64_t slots, bool write, int *out_fd,
                      scry_error *err) SCRY_NODISCARD;

/* Rows to write, contiguous from `slot` on. */
typedef struct scry_segment_rows {
    int64_t slot;
    const uint8_t *bytes;      /* [count, row_bytes] */
    size_t count;
} scry_segment_rows;

/* Write rows and wait until the disk has them. */
int scry_segment_append(const scry_local *s, int fd, int64_t generation, scry_segment_rows rows, scry_error *err) SCRY_NODISCARD;

/* Write all of it; -1 with errno. */
int scry_pwrite_all(int fd, const void *bytes, size_t n, off_t at);

#endif
