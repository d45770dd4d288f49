/* secret.h - files with a token, a password or a private key. */
#ifndef SCRY_BASE_SECRET_H
#define SCRY_BASE_SECRET_H

#include "base/buf.h"
#include "scry/error.h"

/* Refuse a file that any user may write, and warn of one that others may read: one of this user that its group or others may, one
 * of another user that others may. Credentials of systemd are protected by their folder; of a file on a read-only mount or below
 * /run/secrets, as containers get them, there is a warning only, since its mode cannot be changed. `what` names the secret in
 * messages. A file that cannot be opened is not refused here. */
int scry_check_secret(const char *path, const char *what, scry_error *err) SCRY_NODISCARD;

/* Append the file to `out`, up to out->limit. Refused, since a part of the secret would be lost or something would be added to it:
 * UTF-16, a byte order mark, zero bytes; and what scry_check_secret refuses. `what` names the secret in messages. */
int scry_read_secret(const char *path, const char *what, scry_buf *out, scry_error *err) SCRY_NODISCARD;

#endif
