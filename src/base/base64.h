/* base64.h - base64 (RFC 4648, section 4) with padding. */
#ifndef SCRY_BASE_BASE64_H
#define SCRY_BASE_BASE64_H

#include "base/buf.h"

/* Append the encoding of `n` bytes. */
void scry_base64_append(scry_buf *out, const void *bytes, size_t n);

#endif
