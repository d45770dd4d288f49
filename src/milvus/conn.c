#include "milvus/conn.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

enum { READ_BYTES = 256 << 10, UNTIL_MS = 500 };

struct scry_conn {
    scry_net *net;
    scry_h2 *h2;
    int keepalive_ms;
    double heard_ms, pinged_ms;  /* when the last byte was received, when the last PING was sent */
    bool suspect;                /* no byte was received during a request that timed out */
    scry_conn_until_fn *until;   /* NULL: none */
    void *until_arg;
    char where[300];
    char *in;                    /* [READ_BYTES] */
};

int scry_conn_open(scry_conn **out, const scry_net_options *o, int keepalive_ms, double deadline_ms, scry_error *err)
{
    scry_conn *c = scry_alloc(sizeof *c);
    int result = scry_net_open(&c->net, o, deadline_ms, err);
    if (result == 0 && !(c->h2 = scry_h2_new()))
        result = scry_fail(err, SCRY_ENOMEM, "cannot connect to %s: out of memory", o->host);
    if (result < 0) {
        scry_conn_free(c);
        return result;
    }
    snprintf(c->where, sizeof c->where, "%s:%d", o->host, o->port);
    c->in = scry_alloc(READ_BYTES);
    c->keepalive_ms = keepalive_ms;
    *out = c;
    return 0;
}

void scry_conn_set_until(scry_conn *c, scry_conn_until_fn *until, void *arg)
{
    c->until = until;
    c->until_arg = arg;
}

void scry_conn_free(scry_conn *c)
{
    if (!c)
        return;
    scry_h2_free(c->h2);
    scry_net_free(c->net);
    free(c->in);
    free(c);
}

/* Send what the socket accepts; *blocked tells whether output is left. */
static int send_some(scry_conn *c, bool *blocked, scry_error *err)
{
    *blocked = false;
    for (;;) {
        size_t size;
        const char *bytes = scry_h2_output(c->h2, &size);
        if (size == 0)
            return 0;
        ssize_t n = scry_net_write(c->net, bytes, size, err);
        if (n < 0)
            return (int)n;
        if (n == 0) {
            *blocked = true;
            return 0;
        }
        scry_h2_sent(c->h2, (size_t)n);
    }
}

/* Read what has arrived. */
static int receive_some(scry_conn *c, scry_error *err)
{
    for (;;) {
        ssize_t n = scry_net_read(c->net, c->in, READ_BYTES, err);
        if (n <= 0)
            return (int)n;
        c->heard_ms = scry_now_ms();
        scry_error detail = SCRY_ERROR_INIT;
        if (scry_h2_feed(c->h2, c->in, (size_t)n, &detail) < 0)
            return scry_fail(err, SCRY_EREMOTE, "the answer of %s is not HTTP/2 (%s): is this Milvus's gRPC port, and "
                             "is milvuss:// needed for TLS?", c->where, detail.message);
        if (n < READ_BYTES)
            return 0;
    }
}

/* Send a PING after keepalive_ms of silence; an error if it is not answered within keepalive_ms. */
static int keep_alive(scry_conn *c, double now_ms, scry_error *err)
{
    if (now_ms - c->heard_ms < c->keepalive_ms)
        return 0;
    if (!scry_h2_ping_pending(c->h2)) {
        scry_h2_ping(c->h2);
        c->pinged_ms = now_ms;
        return 0;
    }
    if (now_ms - c->pinged_ms < c->keepalive_ms)
        return 0;
    return scry_fail(err, SCRY_EREMOTE, "the connection to the Milvus server %s is dead: no answer to a PING within "
                     "%d ms", c->where, c->keepalive_ms);
}

/* One round of sending, waiting and receiving. */
static int step(scry_conn *c, const scry_h2_reply *reply, double deadline_ms, scry_error *err)
{
    bool blocked;
    double now = scry_now_ms();
    int result = keep_alive(c, now, err);
    if (result == 0)
        result = send_some(c, &blocked, err);
    if (result < 0)
        return result;
    if (scry_h2_dead(c->h2))
        return scry_fail(err, SCRY_EREMOTE, "the Milvus server %s violated the HTTP/2 protocol; is there a proxy in between?",
                         c->where);
    double since = scry_h2_ping_pending(c->h2) ? c->pinged_ms : c->heard_ms;
    double alive = since + c->keepalive_ms;
    if (alive <= now)
        alive = now + c->keepalive_ms;
    double wake = alive < deadline_ms ? alive : deadline_ms;
    if (c->until && now + UNTIL_MS < wake)
        wake = now + UNTIL_MS;
    scry_net_wait(c->net, blocked, wake);
    return receive_some(c, err);
}

scry_conn_outcome scry_conn_call(scry_conn *c, const scry_h2_request *request, scry_h2_reply *reply,
                                 double deadline_ms, scry_error *err)
{
    bool blocked;
    if (scry_h2_start(c->h2, request, reply, err) < 0)
        return SCRY_CONN_LOST;
    double started = c->heard_ms = scry_now_ms();
    double asked = started;
    while (!reply->closed) {
        double now = scry_now_ms();
        if (c->until && now - asked >= UNTIL_MS) {
            double until = c->until(c->until_arg);
            deadline_ms = until < deadline_ms ? until : deadline_ms;
            asked = now;
        }
        if (now >= deadline_ms) {
            scry_h2_cancel(c->h2);
            c->suspect = c->heard_ms <= started || send_some(c, &blocked, NULL) < 0 || blocked;
            scry_fail(err, SCRY_EREMOTE, "the Milvus server %s did not answer in time", c->where);
            return SCRY_CONN_TIMEOUT;
        }
        if (step(c, reply, deadline_ms, err) < 0 && !reply->closed) {
            scry_h2_cancel(c->h2);
            return SCRY_CONN_LOST;
        }
    }
    if (reply->reset == SCRY_H2_REFUSED) {
        scry_fail(err, SCRY_EREMOTE, "the Milvus server %s refused the request (it may be shutting down)", c->where);
        return SCRY_CONN_LOST;
    }
    /* A server may answer before it has read the whole request and then reset the stream: the status counts. */
    if (reply->grpc_status >= 0 || reply->too_large || reply->reset == 0)
        return SCRY_CONN_ANSWERED;
    scry_fail(err, SCRY_EREMOTE, "the Milvus server %s ended its answer early (HTTP/2 error %u)", c->where, reply->reset);
    return SCRY_CONN_LOST;
}

bool scry_conn_ready(scry_conn *c)
{
    return !c->suspect && receive_some(c, NULL) == 0 && scry_h2_ready(c->h2);
}
