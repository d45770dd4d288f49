#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

struct peer {
    const peer_act *acts;
    size_t count;
    int listener, port;
    atomic_int requests, connections;
    atomic_bool stop;
    pthread_t thread;
};

size_t peer_frame(uint8_t *out, size_t at, int type, int flags, uint32_t stream, const void *payload, size_t n)
{
    uint8_t head[9] = { (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, (uint8_t)type, (uint8_t)flags,
                        (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream };
    memcpy(out + at, head, 9);
    if (n)
        memcpy(out + at + 9, payload, n);
    return at + 9 + n;
}

static void send_all(int fd, const void *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t w = send(fd, (const char *)bytes + at, n - at, MSG_NOSIGNAL);
        if (w <= 0)
            return;
        at += (size_t)w;
    }
}

static void send_frame(int fd, int type, int flags, uint32_t stream, const void *payload, size_t n)
{
    uint8_t *out = malloc(n + 9);
    send_all(fd, out, peer_frame(out, 0, type, flags, stream, payload, n));
    free(out);
}

/* A literal header without indexing or Huffman coding: 0x00, name, value. */
static size_t put_header(uint8_t *out, size_t at, const char *name, const char *value)
{
    out[at++] = 0;
    out[at++] = (uint8_t)strlen(name);
    memcpy(out + at, name, strlen(name));
    at += strlen(name);
    out[at++] = (uint8_t)strlen(value);
    memcpy(out + at, value, strlen(value));
    return at + strlen(value);
}

static void send_status(int fd, uint32_t stream, int http, const char *type, int grpc, const char *text, bool end)
{
    uint8_t block[512];
    char number[12];
    size_t n = 0;
    snprintf(number, sizeof number, "%d", http);
    if (http)
        n = put_header(block, n, ":status", number);
    if (type)
        n = put_header(block, n, "content-type", type);
    snprintf(number, sizeof number, "%d", grpc);
    if (grpc >= 0) {
        n = put_header(block, n, "grpc-status", number);
        n = put_header(block, n, "grpc-message", text);
    }
    send_frame(fd, HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream, block, n);
}

static void send_headers(int fd, uint32_t stream, int http, const char *type, int grpc, bool end)
{
    send_status(fd, stream, http, type, grpc, "told%20by%0Athe peer%", end);
}

static void send_data(int fd, uint32_t stream, const void *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t part = n - at < 16384 ? n - at : 16384;
        send_frame(fd, DATA, 0, stream, (const char *)bytes + at, part);
        at += part;
    }
}

static void answer(int fd, uint32_t stream, const peer_act *a, bool prefix)
{
    uint8_t head[5] = { 0, (uint8_t)(a->size >> 24), (uint8_t)(a->size >> 16), (uint8_t)(a->size >> 8), (uint8_t)a->size };
    send_headers(fd, stream, 200, "application/grpc", -1, false);
    if (prefix)
        send_data(fd, stream, head, 5);
    send_data(fd, stream, a->message, a->size);
    send_headers(fd, stream, 0, NULL, 0, true);
}

static void trickle(int fd, uint32_t stream, const peer_act *a, peer *p)
{
    uint8_t out[4096];
    size_t n = peer_frame(out, 0, DATA, 0, stream, a->message, a->size);
    send_headers(fd, stream, 200, "application/grpc", -1, false);
    for (size_t i = 0; i < n && !p->stop; i++) {
        send_all(fd, out + i, 1);
        usleep(30000);
    }
}

/* Perform the act; false when the connection ends with it. */
static bool act_on(peer *p, int fd, uint32_t stream, const peer_act *a)
{
    uint8_t code[8] = { 0, 0, 0, 0, 0, 0, 0, (uint8_t)a->number };
    uint8_t last[8] = { (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream };
    switch (a->kind) {
    case PEER_ANSWER:
        answer(fd, stream, a, true);
        return true;
    case PEER_LATE:
        usleep((useconds_t)a->number * 1000);
        answer(fd, stream, a, true);
        return true;
    case PEER_BODY:
        answer(fd, stream, a, false);
        return true;
    case PEER_TRAILERS_ONLY: case PEER_EARLY_REJECT:
        send_status(fd, stream, 200, "application/grpc", a->number, a->message ? a->message : "told%20by%0Athe peer%", true);
        if (a->kind == PEER_EARLY_REJECT)
            send_frame(fd, RST_STREAM, 0, stream, "\0\0\0\0", 4);
        return true;
    case PEER_RESET:
        send_frame(fd, RST_STREAM, 0, stream, code + 4, 4);
        return true;
    case PEER_GOAWAY:
        send_frame(fd, GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0", 8);
        return false;
    case PEER_ANSWER_GOAWAY:
        answer(fd, stream, a, true);
        send_frame(fd, GOAWAY, 0, 0, last, 8);
        return false;
    case PEER_HTTP:
        send_headers(fd, stream, a->number, "text/html", -1, false);
        send_data(fd, stream, "<html>", 6);
        send_frame(fd, DATA, END_STREAM, stream, NULL, 0);
        return true;
    case PEER_TRICKLE:
        trickle(fd, stream, a, p);
        return false;
    case PEER_RAW:
        send_all(fd, a->message, a->size);
        return false;
    case PEER_CLOSE:
        return false;
    case PEER_SILENT: case PEER_PONG_ONLY:
        return true;
    }
    return false;
}

/* Read exactly n bytes; false at the end of the connection or of the test. */
static bool read_all(peer *p, int fd, uint8_t *out, size_t n)
{
    for (size_t at = 0; at < n;) {
        struct pollfd q = { fd, POLLIN, 0 };
        if (p->stop)
            return false;
        if (poll(&q, 1, 20) == 0)
            continue;
        ssize_t r = recv(fd, out + at, n - at, 0);
        if (r <= 0)
            return false;
        at += (size_t)r;
    }
    return true;
}

static void serve(peer *p, int fd)
{
    static uint8_t payload[1 << 24];
    uint8_t head[9];
    if (!read_all(p, fd, payload, 24))
        return;
    send_frame(fd, SETTINGS, 0, 0, NULL, 0);
    const peer_act *now = NULL;
    while (read_all(p, fd, head, 9)) {
        size_t n = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        uint32_t stream = (uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8];
        if (!read_all(p, fd, payload, n))
            return;
        bool silent = now && now->kind == PEER_SILENT;
        if (head[3] == SETTINGS && !(head[4] & ACK))
            send_frame(fd, SETTINGS, ACK, 0, NULL, 0);
        if (head[3] == PING && !(head[4] & ACK) && !silent)
            send_frame(fd, PING, ACK, 0, payload, 8);
        if (head[3] == DATA && n) {
            uint8_t more[4] = { 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
            send_frame(fd, WINDOW_UPDATE, 0, 0, more, 4);
            if (!(head[4] & END_STREAM))
                send_frame(fd, WINDOW_UPDATE, 0, stream, more, 4);
        }
        size_t next = (size_t)p->requests < p->count ? (size_t)p->requests : p->count - 1;
        bool early = head[3] == HEADERS && p->acts[next].kind == PEER_EARLY_REJECT;
        bool whole = (head[3] == DATA || head[3] == HEADERS) && (head[4] & END_STREAM);
        if (!early && !(whole && !(now && now->kind == PEER_EARLY_REJECT)))
            continue;
        now = &p->acts[next];
        p->requests++;
        if (!act_on(p, fd, stream, now))
            return;
    }
}

static void *run(void *arg)
{
    peer *p = arg;
    while (!p->stop) {
        struct pollfd q = { p->listener, POLLIN, 0 };
        if (poll(&q, 1, 20) <= 0)
            continue;
        int fd = accept(p->listener, NULL, NULL);
        if (fd < 0)
            continue;
        p->connections++;
        serve(p, fd);
        /* Leave a moment for what was sent to arrive before the reset that unread bytes cause. */
        shutdown(fd, SHUT_WR);
        usleep(10000);
        close(fd);
    }
    return NULL;
}

peer *peer_start(const peer_act *acts, size_t count)
{
    peer *p = calloc(1, sizeof *p);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    p->acts = acts;
    p->count = count;
    p->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(p->listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(p->listener, 8) < 0 ||
        getsockname(p->listener, (struct sockaddr *)&a, &size) < 0)
        abort();
    p->port = ntohs(a.sin_port);
    pthread_create(&p->thread, NULL, run, p);
    return p;
}

int peer_port(const peer *p)
{
    return p->port;
}

int peer_requests(peer *p)
{
    return p->requests;
}

int peer_connections(peer *p)
{
    return p->connections;
}

void peer_stop(peer *p)
{
    p->stop = true;
    pthread_join(p->thread, NULL);
    close(p->listener);
    free(p);
}
