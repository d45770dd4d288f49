/* strict.h - requests that two programs could read differently are refused (RFC 9112, 2.2, 3, 5.1, 6.1).
 *
 * libmicrohttpd 0.9.75 accepts what a proxy before it may have read otherwise: blanks and zero bytes in the first line,
 * Content-Length and Transfer-Encoding together or repeated, folded lines, zero bytes, a bare CR or LF. It keeps the header in one
 * buffer in the order received, and its names and values are slices of it, so that the distances between them show what it left
 * out.
 */
#ifndef SCRY_SERVER_STRICT_H
#define SCRY_SERVER_STRICT_H

#include <microhttpd.h>

/* The first line of a request: what is known before libmicrohttpd decodes the address. Pointers into its buffer. */
typedef struct request_line {
    const char *address, *end;   /* its terminating zero */
    const char *problem;         /* why the address is refused, a static string; NULL: it is not */
    int status;                  /* for that reason */
    char *authority;             /* owned: of an address "http://AUTHORITY/PATH"; NULL: another form */
} request_line;

/* `address` as libmicrohttpd passes it to its log callback: undecoded, ended by a zero. */
void request_line_read(request_line *l, const char *address);
void request_line_dispose(request_line *l);

/* NULL, or why the line is refused (a static string), with *status. */
const char *strict_line_problem(const request_line *l, const char *method, const char *version, int *status);

/* The path of a decoded address, which may begin with scheme and authority. */
const char *request_line_path(const request_line *l, const char *url);

/* NULL, or why the header is refused (a static string). */
const char *strict_problem(struct MHD_Connection *c, const char *method, const char *version);

#endif
