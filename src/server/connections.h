/* connections.h - deadlines for slow clients. */
#ifndef SCRY_SERVER_CONNECTIONS_H
#define SCRY_SERVER_CONNECTIONS_H

#include "server/request.h"

struct connection_list *connections_new(int client_ms);
void connections_notify(void *list, struct MHD_Connection *c, void **slot, enum MHD_ConnectionNotificationCode what);
/* The request whose header is being read: freed with the connection, which libmicrohttpd may close without a word of it. NULL: the
 * header is complete, or the caller frees it. */
void connection_set_begun(struct MHD_Connection *c, request *r);
void connection_body_grew(request *r);          /* headers are complete; a part of the body was received */
void connection_request_complete(request *r);   /* body is complete: no deadline until the response is ready */
enum { LINGER_BYTES = 1 << 20 };                /* of a refused request are read, that its client can read the refusal */
void connection_refused(request *r);            /* after the response that was made, close; what still comes is discarded */
/* Write the response to the socket, or through its TLS session. */
void connection_send_refusal(struct MHD_Connection *c, const char *text);
void connection_response_began(request *r, uint64_t bytes);
void connection_response_sent(request *r);
void connections_free(struct connection_list *l);

#endif
