/* sha256.h - SHA-256 (FIPS 180-4) through libcrypto, which uses the processor's
 * SHA instructions where there are any. */
#ifndef SCRY_BASE_SHA256_H
#define SCRY_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SCRY_SHA256_BYTES = 32 };

typedef struct scry_sha256 scry_sha256;

scry_sha256 *scry_sha256_new(void);                     /* ready for update */
void scry_sha256_update(scry_sha256 *h, const void *bytes, size_t n);
void scry_sha256_final(scry_sha256 *h, uint8_t out[SCRY_SHA256_BYTES]);  /* ready again */
void scry_sha256_free(scry_sha256 *h);

void scry_sha256_of(const void *bytes, size_t n, uint8_t out[SCRY_SHA256_BYTES]);

/* Lower-case hexadecimal of `n` bytes; `out` has room for 2 n + 1. */
void scry_hex(const uint8_t *bytes, size_t n, char *out);

/* The reverse; 0, or -1 when `hex` is not exactly 2 n hexadecimal digits. */
int scry_unhex(const char *hex, uint8_t *out, size_t n);

#endif
