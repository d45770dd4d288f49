/* multipart.h - multipart/form-data (RFC 7578) in a body in memory.
 *
 * Parts are slices of the body. libmicrohttpd's MHD_post_processor would copy each once more, while the body is
 * held already, limits neither the number of parts nor the size of names, and cannot be tested without a connection.
 */
#ifndef SCRY_SERVER_MULTIPART_H
#define SCRY_SERVER_MULTIPART_H

#include "scry/error.h"

#include <stddef.h>

enum { MULTIPART_MAX_PARTS = 256 };

typedef struct multipart_part {
    char name[64];           /* of the form field; longer names are an error */
    char filename[256];      /* "" when there is none; truncated */
    const char *data;        /* borrowed from the body */
    size_t size;
} multipart_part;

/* Call `each` with every part of `body`; non-zero stops and is passed on. `content_type` is the
 * request's header with the boundary. SCRY_EINVALID for anything malformed. Linear in `size`. */
int multipart_read(const char *content_type, const char *body, size_t size,
                   int (*each)(void *arg, const multipart_part *part), void *arg, scry_error *err) SCRY_NODISCARD;

#endif
