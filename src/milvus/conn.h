/* conn.h - one gRPC connection: requests over HTTP/2 over a socket, with deadlines.
 *
 * Finds out that the peer is gone, also when nothing says so: after KEEPALIVE_MS without
 * a byte a PING is sent, and without an answer to it in the same time the connection is
 * given up. One request at a time, one thread at a time.
 */
#ifndef SCRY_MILVUS_CONN_H
#define SCRY_MILVUS_CONN_H

#include "milvus/h2.h"
#include "milvus/net.h"

typedef struct scry_conn scry_conn;

/* What became of a request. */
typedef enum {
    SCRY_CONN_ANSWERED,     /* reply is whole: headers, body, status */
    SCRY_CONN_UNPROCESSED,  /* the server never looked at it: safe to send again, whatever it is */
    SCRY_CONN_LOST,         /* it may have been carried out or not */
    SCRY_CONN_TIMEOUT       /* so may it be here; the connection is still good */
} scry_conn_outcome;

int scry_conn_open(scry_conn **out, const scry_net_options *o, int keepalive_ms, double deadline_ms,
                   scry_error *err) SCRY_NODISCARD;
void scry_conn_free(scry_conn *c);

/* Send a request and wait for its answer. `err` is filled unless it was ANSWERED. */
scry_conn_outcome scry_conn_call(scry_conn *c, const scry_h2_request *request, scry_h2_reply *reply,
                                 double deadline_ms, scry_error *err);

/* Whether the connection can take a request; reads what the peer said while it was idle. */
bool scry_conn_ready(scry_conn *c);

#endif
