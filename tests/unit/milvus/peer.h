/* peer.h - an HTTP/2 server that misbehaves on request, on a thread of the test.
 *
 * It takes a list of acts, one for each request it gets, over as many connections as the
 * client makes; after the last it repeats the last. Frames are written by hand, since a
 * library would not let them be wrong.
 */
#ifndef SCRY_TESTS_PEER_H
#define SCRY_TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    PEER_ANSWER,            /* status 0 and `message` (a serialised answer) */
    PEER_TRAILERS_ONLY,     /* grpc-status `number` without a body; its text is `message`, or one of the peer's */
    PEER_EARLY_REJECT,      /* the same before the body was read, then RST_STREAM(NO_ERROR) */
    PEER_RESET,             /* RST_STREAM with error `number` */
    PEER_GOAWAY,            /* GOAWAY: nothing was processed; then close */
    PEER_ANSWER_GOAWAY,     /* answer, then GOAWAY and close */
    PEER_CLOSE,             /* close without an answer */
    PEER_SILENT,            /* read on and never answer, not even a PING */
    PEER_PONG_ONLY,         /* answer PINGs but not the request */
    PEER_LATE,              /* the answer after `number` ms */
    PEER_TRICKLE,           /* the answer, a byte each 30 ms */
    PEER_HTTP,              /* HTTP status `number` without gRPC */
    PEER_BODY,              /* `message` as the raw body, prefix and all, status 0 */
    PEER_RAW                /* `message` as raw bytes on the connection, then close */
} peer_act_kind;

typedef struct peer_act {
    peer_act_kind kind;
    int number;
    const void *message;
    size_t size;
} peer_act;

typedef struct peer peer;

/* Listen on a free port of 127.0.0.1. `acts` stay the caller's. */
peer *peer_start(const peer_act *acts, size_t count);
int peer_port(const peer *p);
int peer_requests(peer *p);      /* how many were read so far */
int peer_connections(peer *p);
void peer_stop(peer *p);

/* Frames for PEER_RAW: appends one to `out` and returns the new size. */
size_t peer_frame(uint8_t *out, size_t at, int type, int flags, uint32_t stream, const void *payload, size_t n);

#endif
