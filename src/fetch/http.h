/* http.h - GET by libcurl, which only http.c uses.
 *
 * HTTPS with the system's certificates (plain HTTP only when the first address is plain, as a
 * local mirror's is), at most five redirects, none from HTTPS to HTTP. A transfer that
 * stalls for a minute is aborted.
 */
#ifndef SCRY_FETCH_HTTP_H
#define SCRY_FETCH_HTTP_H

#include "scry/cancel.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct http_response {
    long status;
    char linked_etag[80];     /* X-Linked-Etag without quotes: LFS's SHA-256 */
    char etag[80];            /* ETag of the first answer, without quotes: a git object id */
    char commit[80];          /* X-Repo-Commit */
    int64_t linked_size;      /* X-Linked-Size; -1 when absent */
    char error_code[40];      /* X-Error-Code: "GatedRepo" */
    int retry_after;          /* seconds by Retry-After or RateLimit; -1 when the host asks for none */
} http_response;

typedef struct http_request {
    const char *url;
    const char *token;        /* Authorization: Bearer, not sent to another host, port or scheme; NULL: none */
    uint64_t offset;          /* ask for the bytes from here on */
    uint64_t limit;           /* more bytes than this in the body are SCRY_ELIMIT */
    /* The body, piece by piece. `restart` is true on the first piece when the host ignored the
     * offset and sends from the beginning. Non-zero stops: the callee has set the error. */
    int (*body)(void *arg, const void *bytes, size_t n, bool restart);
    void *arg;
    const scry_cancel *cancel;   /* non-zero: stop within a second with SCRY_ECANCELLED; may be NULL */
} http_request;

/* 0 when a 2xx answer came to its end. SCRY_EREMOTE otherwise: `out->status` is the host's
 * answer, 0 when there was none. `*transient`: whether a retry may succeed. */
int http_get(const http_request *request, http_response *out, bool *transient, scry_error *err) SCRY_NODISCARD;

#endif
