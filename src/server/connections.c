/* connections.c - a deadline of our own for clients that drip bytes.
 *
 * libmicrohttpd's time-out starts again with every byte. Here a connection must deliver its
 * next whole request header within HEADER_MS of its opening or of its last answer, and a body
 * within BODY_MS plus what its length takes at a modest rate; a watchdog thread shuts the socket
 * of one that does not.
 */
#include "server/server.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { HEADER_MS = 30000, BODY_MS = 30000, BODY_BYTES_PER_MS = 64, TICK_MS = 500 };

typedef struct connection {
    struct connection *next, **link;
    int socket;
    double deadline_ms;     /* 0: none; the request is being worked on */
} connection;

struct connection_list {
    pthread_mutex_t lock;
    pthread_cond_t stop_signal;
    connection *first;
    bool stopping;
    pthread_t watchdog;
};

static void *watch(void *arg)
{
    struct connection_list *l = arg;
    pthread_mutex_lock(&l->lock);
    while (!l->stopping) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += TICK_MS * 1000000L;
        t.tv_sec += t.tv_nsec / 1000000000L;
        t.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&l->stop_signal, &l->lock, &t);
        double now = scry_now_ms();
        for (connection *c = l->first; c; c = c->next)
            if (c->deadline_ms > 0 && now > c->deadline_ms) {
                shutdown(c->socket, SHUT_RDWR);
                c->deadline_ms = 0;
            }
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

struct connection_list *connections_new(void)
{
    struct connection_list *l = scry_alloc(sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->stop_signal, NULL);
    if (pthread_create(&l->watchdog, NULL, watch, l) != 0)
        l->stopping = true;
    return l;
}

void connections_notify(void *list, struct MHD_Connection *mhd, void **slot, enum MHD_ConnectionNotificationCode what)
{
    struct connection_list *l = list;
    pthread_mutex_lock(&l->lock);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        connection *c = scry_alloc(sizeof *c);
        c->socket = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        c->deadline_ms = scry_now_ms() + HEADER_MS;
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
        free(c);
        *slot = NULL;
    }
    pthread_mutex_unlock(&l->lock);
}

static void set_deadline(request *r, double deadline_ms)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection_list *l = r->server->connections;
    if (!info || !info->socket_context)
        return;
    pthread_mutex_lock(&l->lock);
    ((connection *)info->socket_context)->deadline_ms = deadline_ms;
    pthread_mutex_unlock(&l->lock);
}

void connection_request_began(request *r)
{
    double body_ms = r->route ? (double)r->route->max_body_bytes / BODY_BYTES_PER_MS : 0;
    set_deadline(r, scry_now_ms() + BODY_MS + body_ms);
}

void connection_request_complete(request *r)
{
    set_deadline(r, r->sent ? scry_now_ms() + HEADER_MS : 0);
}

void connections_free(struct connection_list *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    bool running = !l->stopping;
    l->stopping = true;
    pthread_cond_signal(&l->stop_signal);
    pthread_mutex_unlock(&l->lock);
    if (running)
        pthread_join(l->watchdog, NULL);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->stop_signal);
    free(l);
}
