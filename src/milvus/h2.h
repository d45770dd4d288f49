/* h2.h - HTTP/2 from the client's side, without a socket: bytes in, bytes out.
 *
 * One request at a time; nghttp2 does the framing, header compression and flow control.
 * Kept apart from the connection so that a test or a fuzzer can play any peer.
 *
 *     scry_h2_start(h, &request, &reply);
 *     while (!reply.closed) {
 *         send(scry_h2_output(h, &n)); scry_h2_sent(h, n);
 *         scry_h2_feed(h, bytes, recv(bytes));
 *     }
 *
 * One thread at a time.
 */
#ifndef SCRY_MILVUS_H2_H
#define SCRY_MILVUS_H2_H

#include "base/buf.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_h2 scry_h2;

typedef struct scry_h2_request {
    const char *path;           /* "/milvus.proto.milvus.MilvusService/Search" */
    const char *authority;      /* "host:port" */
    bool tls;
    const char *authorization;  /* NULL or "": none */
    const char *database;       /* NULL or "": the default one */
    int64_t timeout_ms;         /* told to the server as grpc-timeout */
    const char *body;           /* stays the caller's until the reply is closed */
    size_t body_size;
} scry_h2_request;

typedef struct scry_h2_reply {
    int http_status;            /* 0: no headers came */
    int grpc_status;            /* -1: none came */
    char grpc_message[320];     /* percent-decoded, cut */
    bool is_grpc;               /* the content-type says so */
    scry_buf body;              /* its limit is the caller's to set */
    bool closed;                /* nothing more will come */
    bool too_large;             /* the body passed its limit; the rest was refused */
    bool unprocessed;           /* the server says that it did nothing with the request */
    uint32_t reset;             /* code of the RST_STREAM that ended it, 0 when none did */
} scry_h2_reply;

scry_h2 *scry_h2_new(void);     /* NULL when out of memory */
void scry_h2_free(scry_h2 *h);

/* Queue a request. `reply` is cleared except for its body's memory and limit, and filled
 * by scry_h2_feed. SCRY_EREMOTE when the connection takes no more requests. */
int scry_h2_start(scry_h2 *h, const scry_h2_request *request, scry_h2_reply *reply, scry_error *err) SCRY_NODISCARD;

/* Give the request up: RST_STREAM(CANCEL) is queued, `reply` no longer touched. */
void scry_h2_cancel(scry_h2 *h);

void scry_h2_ping(scry_h2 *h);          /* queue a PING */
bool scry_h2_ping_pending(const scry_h2 *h);

/* Bytes to send now, borrowed until the next call; *size is 0 when there are none. */
const char *scry_h2_output(scry_h2 *h, size_t *size);
void scry_h2_sent(scry_h2 *h, size_t n);

/* Bytes that came. SCRY_EREMOTE when they are no HTTP/2: the connection is of no use. */
int scry_h2_feed(scry_h2 *h, const void *bytes, size_t n, scry_error *err) SCRY_NODISCARD;

/* Whether a further request may be started: no GOAWAY came, no stream is open. */
bool scry_h2_ready(const scry_h2 *h);

/* Whether the conversation is over: after a protocol error of the peer, nghttp2 says
 * GOAWAY and listens no more; nothing will close the open request then. */
bool scry_h2_dead(const scry_h2 *h);

#endif
