/* h2.h - HTTP/2 from the client's side, without a socket: bytes in, bytes out.
 *
 * One request at a time; nghttp2 does the framing, header compression and flow control.
 * Separate from the socket so that a test or a fuzzer can act as any peer.
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
    const char *identifier;     /* this client's, from its Connect; NULL or "": none */
    int64_t timeout_ms;         /* sent to the server as grpc-timeout */
    const char *body;           /* must stay valid until the reply is closed */
    size_t body_size;
} scry_h2_request;

typedef struct scry_h2_reply {
    int http_status;            /* 0: no headers were received */
    int grpc_status;            /* -1: none was received */
    char grpc_message[320];     /* percent-decoded, cut */
    bool is_grpc;               /* the content-type says so */
    scry_buf body;              /* the caller sets its limit */
    bool closed;                /* the stream has ended */
    bool too_large;             /* the body exceeded its limit; the rest was refused */
    uint32_t reset;             /* code of the RST_STREAM that ended it, 0 when none did */
} scry_h2_reply;

enum { SCRY_H2_REFUSED = 7 };   /* as `reset`: the server did nothing with the request; also after a GOAWAY */

scry_h2 *scry_h2_new(void);     /* NULL when out of memory */
void scry_h2_free(scry_h2 *h);

/* Queue a request. `reply` is cleared except for its body's memory and limit, and filled
 * by scry_h2_feed. SCRY_EREMOTE when the connection accepts no more requests. */
int scry_h2_start(scry_h2 *h, const scry_h2_request *request, scry_h2_reply *reply, scry_error *err) SCRY_NODISCARD;

/* Cancel the request: RST_STREAM(CANCEL) is queued, `reply` is no longer written to. */
void scry_h2_cancel(scry_h2 *h);

void scry_h2_ping(scry_h2 *h);          /* queue a PING */
bool scry_h2_ping_pending(const scry_h2 *h);

/* Bytes to send now, borrowed until the next call; *size is 0 when there are none. */
const char *scry_h2_output(scry_h2 *h, size_t *size);
void scry_h2_sent(scry_h2 *h, size_t n);

/* Bytes that were received. SCRY_EREMOTE when they are not HTTP/2: the connection cannot be used any more. */
int scry_h2_feed(scry_h2 *h, const void *bytes, size_t n, scry_error *err) SCRY_NODISCARD;

/* Whether another request can be started: no GOAWAY was received, no stream is open. */
bool scry_h2_ready(const scry_h2 *h);

/* Whether the session has ended: after a protocol error of the peer, nghttp2 sends GOAWAY and reads no
 * more, so that the open request would never be closed. */
bool scry_h2_dead(const scry_h2 *h);

#endif
