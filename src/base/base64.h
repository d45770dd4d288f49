/* base64.h - base64 (RFC 4648, section 4) with padding, through libcrypto. */
#ifndef SCRY_BASE_BASE64_H
#define SCRY_BASE_BASE64_H

#include "base/buf.h"

/* Append the encoding of `n` bytes. */
void scry_base64_append(scry_buf *out, const void *bytes, size_t n);

/* Append the bytes that `text` encodes: 0, or -1 when it is not base64 or does not fit. */
int scry_base64_decode(scry_buf *out, const char *text, size_t n);

#endif
