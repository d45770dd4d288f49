/* sealed.h - cached files that carry their checksum, so that a changed or missing byte makes them worthless and not wrong.
 *
 *     | the bytes | "scryseal" | CRC-32C of all before, 4 bytes, little-endian |
 */
#ifndef SCRY_BASE_SEALED_H
#define SCRY_BASE_SEALED_H

#include "base/buf.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRY_SEAL_BYTES = 12 };

/* The seal of n bytes. */
void scry_seal_of(const void *bytes, size_t n, uint8_t out[SCRY_SEAL_BYTES]);

/* Append the sealed file's bytes to `out`, without the seal; false, with `out` as it was, when the file is not there or not as
 * it was written. out->limit counts the seal, too. */
bool scry_sealed_read(const char *path, scry_buf *out);

/* scry_write_file with the seal. */
int scry_sealed_write(const char *path, const void *bytes, size_t n, scry_error *err) SCRY_NODISCARD;

#endif
