/* strict.h - requests that two programs could read differently are refused (RFC 9112, 2.2, 5.1, 6.1).
 *
 * libmicrohttpd 0.9.75 accepts what a proxy before it may have read otherwise: Content-Length and Transfer-Encoding together
 * or repeated, folded lines, zero bytes, a bare CR or LF. It keeps the header in one buffer in the order received, and
 * its names and values are slices of it, so that the distances between them show what it left out.
 */
#ifndef SCRY_SERVER_STRICT_H
#define SCRY_SERVER_STRICT_H

#include "server/request.h"

/* NULL, or why the header is refused (a static string). */
const char *strict_problem(struct MHD_Connection *c, const char *method, const char *version);

#endif
