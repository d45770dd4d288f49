/* secret.h - files with a token or a password. */
#ifndef SCRY_BASE_SECRET_H
#define SCRY_BASE_SECRET_H

#include "base/buf.h"
#include "scry/error.h"

/* Append the file to `out`, up to out->limit. Refused, since a part of the secret would be lost or something would be added to it:
 * UTF-16, a byte order mark, zero bytes. `what` names the secret in messages. */
int scry_read_secret(const char *path, const char *what, scry_buf *out, scry_error *err) SCRY_NODISCARD;

#endif
