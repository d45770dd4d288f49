/* conn.h - one gRPC connection: requests over HTTP/2 over a socket, with deadlines.
 *
 * Detects a dead peer: after keepalive_ms without a received byte a PING is sent, and if that is not
 * answered within the same time, the connection counts as lost. One request at a time, one thread at a time.
 */
#ifndef SCRY_MILVUS_CONN_H
#define SCRY_MILVUS_CONN_H

#include "milvus/h2.h"
#include "milvus/net.h"

typedef struct scry_conn scry_conn;

/* The outcome of a request. */
typedef enum {
    SCRY_CONN_ANSWERED,     /* the reply is complete: headers, body, status */
    SCRY_CONN_LOST,         /* it may have been carried out or not; the connection cannot be used again */
    SCRY_CONN_TIMEOUT       /* so may it be here; the connection is still good */
} scry_conn_outcome;

int scry_conn_open(scry_conn **out, const scry_net_options *o, int keepalive_ms, double deadline_ms,
                   scry_error *err) SCRY_NODISCARD;
void scry_conn_free(scry_conn *c);

/* Send a request and wait for its answer. `err` is filled unless it was ANSWERED. */
scry_conn_outcome scry_conn_call(scry_conn *c, const scry_h2_request *request, scry_h2_reply *reply,
                                 double deadline_ms, scry_error *err);

/* Called about twice a second during requests; a deadline that it returns and that is earlier than the request's counts
 * instead. */
typedef double scry_conn_until_fn(void *arg);
void scry_conn_set_until(scry_conn *c, scry_conn_until_fn *until, void *arg);

/* Whether a request can be sent on the connection; first reads what arrived while it was idle. Answers to that, as to a PING
 * that came after the last reply, go out with the request: sent by themselves they would cost a tenth of a search. */
bool scry_conn_ready(scry_conn *c);

#endif
