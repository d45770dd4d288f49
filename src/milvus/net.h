/* net.h - one connection: bytes over TCP, or over TLS with ALPN h2.
 *
 * Non-blocking; the caller polls through scry_net_wait and enforces every deadline.
 * Name resolution alone blocks (getaddrinfo has no deadline of its own).
 * One thread at a time.
 */
#ifndef SCRY_MILVUS_NET_H
#define SCRY_MILVUS_NET_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct scry_net scry_net;

typedef struct scry_net_options {
    const char *host;      /* name or address */
    int port;
    bool tls;
    const char *ca_file;   /* PEM with the authorities to trust; NULL: the system's */
    const char *cert_file;   /* PEM with the client's certificate, for servers that ask for one; NULL: none */
    const char *key_file;    /* PEM with its key, without a password; NULL: it is in cert_file */
} scry_net_options;

/* Connect, and with TLS perform the handshake, check the certificate against the
 * host and require h2. SCRY_EREMOTE: may be tried again; SCRY_ENOTFOUND (no such host) and
 * SCRY_EINVALID (certificate, protocol) are final. Deadlines are values of scry_now_ms(). */
int scry_net_open(scry_net **out, const scry_net_options *o, double deadline_ms, scry_error *err) SCRY_NODISCARD;
void scry_net_free(scry_net *n);

/* Bytes read or written; 0 when the call would block; SCRY_EREMOTE when the connection has failed
 * or the peer has closed it. Never raises SIGPIPE. */
ssize_t scry_net_read(scry_net *n, void *out, size_t size, scry_error *err) SCRY_NODISCARD;
ssize_t scry_net_write(scry_net *n, const void *bytes, size_t size, scry_error *err) SCRY_NODISCARD;

/* Wait until the socket is readable, or writable if `want_write`, or the deadline has passed. */
void scry_net_wait(scry_net *n, bool want_write, double deadline_ms);

#endif
