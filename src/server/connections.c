/* connections.c - a deadline of our own for clients that drip bytes.
 *
 * libmicrohttpd's time-out starts again with every byte. Here a connection must deliver its
 * next whole request header within the client's time (30 s) of its opening or of its last answer, and
 * a body, and take an answer, within that time plus a second for each 64 kB that have come or are to
 * go; a watchdog thread shuts the socket of one that does not.
 */
#include "server/server.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { DEFAULT_CLIENT_MS = 30000, BYTES_PER_MS = 64, TICK_MS = 250 };

typedef struct connection {
    struct connection *next, **link;
    int socket;
    double deadline_ms;     /* 0: none; the request is being worked on */
} connection;

struct connection_list {
    pthread_mutex_t lock;
    pthread_cond_t stop_signal;
    connection *first;
    double client_ms;
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

struct connection_list *connections_new(int client_ms)
{
    struct connection_list *l = scry_alloc(sizeof *l);
    l->client_ms = client_ms > 0 ? client_ms : DEFAULT_CLIENT_MS;
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
        free(c);
        *slot = NULL;
    }
    pthread_mutex_unlock(&l->lock);
}

/* `bytes` in all may be on the way from `start_ms` on; start_ms 0: no deadline. */
static void set_deadline(request *r, double start_ms, uint64_t bytes)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection_list *l = r->server->connections;
    if (!info || !info->socket_context)
        return;
    pthread_mutex_lock(&l->lock);
    ((connection *)info->socket_context)->deadline_ms = start_ms > 0 ? start_ms + l->client_ms + (double)bytes / BYTES_PER_MS : 0;
    pthread_mutex_unlock(&l->lock);
}

void connection_body_grew(request *r)
{
    set_deadline(r, r->start_ms, r->body_bytes);
}

void connection_request_complete(request *r)
{
    set_deadline(r, 0, 0);
}

void connection_answer_began(request *r, uint64_t bytes)
{
    set_deadline(r, scry_now_ms(), bytes);
}

void connection_answer_sent(request *r)
{
    set_deadline(r, scry_now_ms(), 0);
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
