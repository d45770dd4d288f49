/* digest.h - the digests that model hosts publish for their files. */
#ifndef SCRY_BASE_DIGEST_H
#define SCRY_BASE_DIGEST_H

#include "scry/error.h"

#include <stdint.h>

typedef struct scry_file_digest {
    uint64_t bytes;
    char sha256[65];   /* lower-case hexadecimal */
    char git_id[41];   /* git's object id: SHA-1 of "blob SIZE\0" and the bytes */
} scry_file_digest;

/* Read the whole file once. */
int scry_file_digest_of(scry_file_digest *out, const char *path, scry_error *err) SCRY_NODISCARD;

#endif
