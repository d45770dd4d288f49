/* connections.c - deadlines for slow clients.
 *
 * libmicrohttpd's timeout restarts with every byte. Here a client must send a complete request header
 * within the client timeout (30 s) after connecting or after the last response. The timeout for sending a body and for
 * receiving a response is longer by one second for each 64 kB. A watchdog thread shuts the sockets of
 * clients that exceed it.
 */
#include "server/connections.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/periodic.h"
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEFAULT_CLIENT_MS = 30000, BYTES_PER_MS = 64, TICK_MS = 250, MAX_LINGERING = 256, LINGER_MS = 2000 };

typedef struct connection {
    struct connection *next, **link;
    int socket;
    double deadline_ms;     /* 0: none, the request is being processed */
    bool refused;           /* it lingers once it is closed */
    bool understood;        /* a request of it had headers that could be read */
    request *begun;         /* owned; the loop's */
} connection;

/* A closed connection whose client may still be sending: a body that was refused, or headers that are too large for libmicrohttpd,
 * which answers them itself. If its socket were closed at once, the kernel would reset the connection, and the client might never
 * read why. */
typedef struct {
    int socket;
    size_t bytes;
    double until_ms;
} lingering;

struct connection_list {
    scry_periodic watchdog;
    pthread_mutex_t lock;     /* guards all below */
    connection *first;
    lingering linger[MAX_LINGERING];
    size_t lingering;
    double client_ms;
    bool watched;             /* the watchdog runs: else nothing lingers */
};

/* Discard what came, without copying it. false: close the connection now. */
static bool lingers(lingering *g, double now)
{
    ssize_t n;
    while ((n = recv(g->socket, NULL, LINGER_BYTES, MSG_TRUNC | MSG_DONTWAIT)) > 0 && g->bytes < LINGER_BYTES)
        g->bytes += (size_t)n;
    return n < 0 && errno == EAGAIN && now < g->until_ms;
}

static void watch_lingering(struct connection_list *l, double now)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->lingering; i++)
        if (lingers(&l->linger[i], now))
            l->linger[kept++] = l->linger[i];
        else
            close(l->linger[i].socket);
    l->lingering = kept;
}

/* Keep the socket of a connection that ends while its client may be sending. A client that has gone is seen at once. */
static void linger(struct connection_list *l, const connection *c)
{
    if (l->lingering == MAX_LINGERING || !l->watched)
        return;
    lingering *g = &l->linger[l->lingering];
    *g = (lingering){ .socket = fcntl(c->socket, F_DUPFD_CLOEXEC, 0), .until_ms = scry_now_ms() + LINGER_MS };
    if (g->socket < 0)
        return;
    if (shutdown(g->socket, SHUT_WR) == 0 && lingers(g, scry_now_ms()))
        l->lingering++;
    else
        close(g->socket);
}

static int64_t watch(void *arg)
{
    struct connection_list *l = arg;
    pthread_mutex_lock(&l->lock);
    double now = scry_now_ms();
    for (connection *c = l->first; c; c = c->next)
        if (c->deadline_ms > 0 && now > c->deadline_ms) {
            shutdown(c->socket, SHUT_RDWR);
            c->deadline_ms = 0;
        }
    watch_lingering(l, now);
    pthread_mutex_unlock(&l->lock);
    return TICK_MS;
}

struct connection_list *connections_new(int client_ms)
{
    struct connection_list *l = scry_alloc(sizeof *l);
    l->client_ms = client_ms > 0 ? client_ms : DEFAULT_CLIENT_MS;
    pthread_mutex_init(&l->lock, NULL);
    l->watched = scry_periodic_start(&l->watchdog, watch, l, TICK_MS);
    return l;
}

void connections_notify(void *list, struct MHD_Connection *mhd, void **slot, enum MHD_ConnectionNotificationCode what)
{
    struct connection_list *l = list;
    pthread_mutex_lock(&l->lock);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        connection *c = scry_alloc(sizeof *c);
        c->socket = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        c->deadline_ms = scry_now_ms() + l->client_ms;
        c->next = l->first;
        c->link = &l->first;
        if (l->first)
            l->first->link = &c->next;
        l->first = c;
        *slot = c;
    } else {
        connection *c = *slot;
        *c->link = c->next;
        if (c->next)
            c->next->link = c->link;
        if (c->refused || !c->understood)
            linger(l, c);
        if (c->begun)
            request_free(c->begun);
        free(c);
        *slot = NULL;
    }
    pthread_mutex_unlock(&l->lock);
}

static connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Allow for `bytes` to be transferred from `start_ms` on; start_ms 0: no deadline. */
static void set_deadline(request *r, double start_ms, uint64_t bytes)
{
    struct connection_list *l = r->server->connections;
    connection *c = connection_of(r->connection);
    if (!c)
        return;
    pthread_mutex_lock(&l->lock);
    c->deadline_ms = start_ms > 0 ? start_ms + l->client_ms + (double)bytes / BYTES_PER_MS : 0;
    pthread_mutex_unlock(&l->lock);
}

void connection_set_begun(struct MHD_Connection *mhd, request *r)
{
    connection *c = connection_of(mhd);
    if (c && c->begun && r)
        request_free(c->begun);
    if (c)
        c->begun = r;
}

void connection_refused(request *r)
{
    connection *c = connection_of(r->connection);
    if (c)
        c->refused = true;
}

void connection_send_refusal(struct MHD_Connection *mhd, const char *text)
{
    connection *c = connection_of(mhd);
    if (!c)
        return;
    const union MHD_ConnectionInfo *tls = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    ssize_t sent = tls && tls->tls_session ? gnutls_record_send(tls->tls_session, text, strlen(text))
                                           : send(c->socket, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0)
        scry_log(SCRY_LOG_INFO, "a refusal could not be sent");
    c->refused = true;
}

void connection_body_grew(request *r)
{
    connection *c = connection_of(r->connection);
    if (c)
        c->understood = true;
    set_deadline(r, r->start_ms, r->body_bytes);
}

void connection_request_complete(request *r)
{
    set_deadline(r, 0, 0);
}

void connection_response_began(request *r, uint64_t bytes)
{
    set_deadline(r, scry_now_ms(), bytes);
}

void connection_response_sent(request *r)
{
    set_deadline(r, scry_now_ms(), 0);
}

void connections_free(struct connection_list *l)
{
    if (!l)
        return;
    scry_periodic_stop(&l->watchdog);
    for (size_t i = 0; i < l->lingering; i++)
        close(l->linger[i].socket);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
