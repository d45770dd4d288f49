/* serve.c - the life of the server: start, the loop's callback, drain, stop. */
#include "server/server.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pool.h"
#include "scry/registry.h"
#include "server/jobs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_CONNECTIONS = 256, DEFAULT_QUEUE = 128, CONNECTION_BYTES = 64 << 10, IDLE_S = 60, DRAIN_MS = 10000 };
static const size_t MAX_BODIES_BYTES = (size_t)1 << 30;   /* of all requests at a time */

/* ---- one request on the loop ---- */

static enum MHD_Result suspend_for(request *r, struct work_queue *queue)
{
    MHD_suspend_connection(r->connection);
    if (!queue_push(queue, r)) {
        respond_problem(r, 503, "too many requests are waiting: try again in a moment");
        request_finish(r);
    }
    return MHD_YES;
}

/* The request is complete: answer it, or hand it to a thread. */
static enum MHD_Result dispatch(request *r)
{
    server *s = r->server;
    r->dispatched = true;
    connection_request_complete(r);
    if (atomic_load(&s->draining))
        respond_problem(r, 503, "the server is stopping");
    else if (r->route->where == RUN_ON_WORKER)
        r->later = r->route->handle;
    else
        r->route->handle(r, NULL);
    if (r->later)
        return suspend_for(r, s->work_queue);
    if (r->search)
        return suspend_for(r, s->search_queue);
    r->ready = true;
    return request_send(r);
}

/* Headers are complete: decide whether the body is wanted at all. */
static enum MHD_Result begin(request *r)
{
    int status;
    char allow[64];
    r->route = route_find(r, &status, allow);
    connection_body_grew(r);
    if (!auth_check(r)) {
        r->ready = true;
    } else if (!r->route) {
        respond_problem(r, status, status == 404 ? "there is nothing at %.200s" : "%.200s does not take that method", r->path);
        if (status == 405)
            respond_header(r, "Allow", "%s", allow);
        r->ready = true;
    }
    const char *length = request_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (!r->ready && length && strtoull(length, NULL, 10) > r->route->max_body_bytes) {
        respond_problem(r, 413, "the body may have at most %zu bytes here", r->route->max_body_bytes);
        r->ready = true;
    }
    if (r->ready)
        return request_send(r);
    r->body.limit = r->route->max_body_bytes;
    return MHD_YES;
}

/* An address that holds a zero byte would be cut there and mean something else. */
static const char zero_byte_in_address;

static void *on_address(void *cls, const char *address, struct MHD_Connection *c)
{
    return strstr(address, "%00") ? (void *)&zero_byte_in_address : NULL;
}

static enum MHD_Result refuse_address(request *r)
{
    respond_problem(r, 400, "the address holds a zero byte");
    r->ready = true;
    return request_send(r);
}

/* A part of the body. libmicrohttpd takes an answer only when the body is over, so what is refused
 * is read and forgotten, within the client's deadline. */
static void take_body(request *r, const char *bytes, size_t n)
{
    server *s = r->server;
    r->body_bytes += n;
    connection_body_grew(r);
    size_t before = r->body.size;
    r->body_refused |= s->bodies_bytes + n > MAX_BODIES_BYTES;
    if (!r->body_refused)
        scry_buf_append(&r->body, bytes, n);
    r->body_refused |= r->body.failed;
    if (r->body_refused)
        scry_buf_dispose(&r->body);   /* its memory too: what is counted is what is held */
    s->bodies_bytes += r->body.size - before;
}

/* The body is over: whether it is here as a whole; else the answer was made. */
static bool body_taken(request *r)
{
    if (r->body_bytes > r->route->max_body_bytes)
        respond_problem(r, 413, "the body may have at most %zu bytes here", r->route->max_body_bytes);
    else if (r->body_refused)
        respond_problem(r, 503, "too many uploads are under way: try again in a moment");
    return r->status == 0;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_bytes, void **slot)
{
    request *r = *slot;
    if (!r || *slot == &zero_byte_in_address) {
        bool refused = r != NULL;
        *slot = r = request_new(cls, c, method, url);
        return refused ? refuse_address(r) : begin(r);
    }
    if (*upload_bytes) {
        take_body(r, upload, *upload_bytes);
        *upload_bytes = 0;
        return MHD_YES;
    }
    if (r->sent)
        return MHD_YES;
    if (r->ready)                /* back from a thread */
        return request_send(r);
    if (!r->dispatched && !body_taken(r)) {
        r->ready = true;
        return request_send(r);
    }
    return r->dispatched ? MHD_YES : dispatch(r);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **slot, enum MHD_RequestTerminationCode why)
{
    request *r = *slot;
    if (!r || *slot == &zero_byte_in_address)
        return;
    connection_answer_sent(r);
    r->server->bodies_bytes -= r->body.size;
    search_job_free(r->search);
    request_free(r);
    *slot = NULL;
}

void request_finish(request *r)
{
    r->ready = true;
    MHD_resume_connection(r->connection);
}

/* ---- where to listen ---- */

static int parse_listen(const char *listen, struct sockaddr_storage *out, scry_error *err)
{
    const char *colon = strrchr(listen, ':');
    if (!colon || !colon[1])
        return scry_fail(err, SCRY_EINVALID, "--listen %s has no port: write HOST:PORT, e.g. 127.0.0.1:8080", listen);
    char *host = listen[0] == '[' && colon > listen + 1 && colon[-1] == ']' ? scry_strndup(listen + 1, (size_t)(colon - listen) - 2)
                                                                           : scry_strndup(listen, (size_t)(colon - listen));
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found;
    int e = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &found);
    int r = e ? scry_fail(err, SCRY_EINVALID, "cannot listen on %s: %s", listen, gai_strerror(e)) : 0;
    if (!e) {
        memcpy(out, found->ai_addr, found->ai_addrlen);
        freeaddrinfo(found);
    }
    free(host);
    return r;
}

static bool is_loopback(const struct sockaddr_storage *a)
{
    if (a->ss_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24) == 127;
    return a->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static int start_daemon(server *s, scry_error *err)
{
    const scry_serve_options *o = &s->options;
    struct sockaddr_storage address = { 0 };
    int r = parse_listen(o->listen, &address, err);
    if (r < 0)
        return r;
    if (!is_loopback(&address) && !s->token[0] && !o->no_auth)
        return scry_fail(err, SCRY_EINVALID, "%s can be reached from other machines: give --token-file FILE, or --no-auth if "
                         "everybody there may see the pictures", o->listen);
    scry_buf cert = SCRY_BUF_INIT(1 << 20), key = SCRY_BUF_INIT(1 << 20);
    if (o->cert && (scry_read_file(o->cert, &cert, err) < 0 || scry_read_file(o->key, &key, err) < 0)) {
        scry_buf_dispose(&cert);
        return err ? err->code : SCRY_EIO;
    }
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_SOCK_ADDR, 0, &address },
        { MHD_OPTION_CONNECTION_LIMIT, o->max_connections > 0 ? o->max_connections : DEFAULT_CONNECTIONS, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, NULL },
        { MHD_OPTION_LISTENING_ADDRESS_REUSE, 1, NULL },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_address, NULL },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, NULL },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connections_notify, s->connections },
        { o->cert ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, (void *)scry_buf_str(&cert) },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)scry_buf_str(&key) },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" },
        { MHD_OPTION_END, 0, NULL },
    };
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (o->cert ? MHD_USE_TLS : 0) |
                     (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    errno = 0;
    s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    scry_buf_dispose(&cert);
    scry_buf_dispose(&key);
    if (!s->daemon)
        return scry_fail(err, SCRY_EIO, "cannot listen on %s: %s", o->listen,
                         errno ? strerror(errno) : "the certificate or the key cannot be used");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    const char *colon = strrchr(o->listen, ':');
    s->host_port = scry_asprintf("%.*s:%u", (int)(colon - o->listen), o->listen, info ? info->port : 0);
    return 0;
}

/* ---- start and stop ---- */

static int open_all(server *s, const char *store, const char *collection, const char *model, scry_precision precision,
                    scry_error *err)
{
    char *dir = NULL;
    scry_model_options m = SCRY_MODEL_OPTIONS_INIT;
    m.precision = precision;
    int r = scry_model_resolve(model, &dir, err);
    if (r == 0)
        r = scry_model_open(&s->model, dir, &m, err);
    free(dir);
    if (r < 0)
        return r;
    s->info = scry_model_get_info(s->model);
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.collection = collection;
    o.model_identity = s->info->identity;
    o.milvus = s->options.milvus;
    o.dim = s->info->dim;
    r = scry_store_open(&s->store, store, &o, err);
    if (r == SCRY_ENOTFOUND && (s->options.allow_index || s->options.allow_upload)) {
        o.mode = SCRY_STORE_CREATE;     /* an empty collection, to be filled from the page */
        o.model_name = model;
        r = scry_store_open(&s->store, store, &o, err);
        if (r == 0)
            r = scry_store_close(s->store, err);
        s->store = NULL;
        o.mode = SCRY_STORE_READ;
        if (r == 0)
            r = scry_store_open(&s->store, store, &o, err);
    }
    if (r == 0)
        r = scry_line_known(&s->line, s->store, s->model, err);
    if (r == 0)
        r = auth_read_token(s, err);
    return r;
}

static int start_all(server *s, scry_error *err)
{
    size_t limit = (size_t)(s->options.max_queue > 0 ? s->options.max_queue : DEFAULT_QUEUE);
    pthread_rwlock_init(&s->store_lock, NULL);
    pthread_mutex_init(&s->writer_lock, NULL);
    pthread_cond_init(&s->writer_released, NULL);
    pthread_mutex_init(&s->facets_lock, NULL);
    s->metrics = metrics_new();
    s->connections = connections_new(s->options.client_timeout_s * 1000);
    s->jobs = jobs_new();
    s->search_queue = queue_new(limit);
    s->work_queue = queue_new(limit);
    int r = search_thread_start(s, err);
    if (r == 0)
        r = workers_start(s, err);
    return r < 0 ? r : start_daemon(s, err);
}

/* No new connections; what was begun is answered, for DRAIN_MS at most. */
static void drain(server *s)
{
    atomic_store(&s->draining, 1);
    MHD_socket listening = s->daemon ? MHD_quiesce_daemon(s->daemon) : MHD_INVALID_SOCKET;
    jobs_cancel_all(s->jobs);
    double start = scry_now_ms();
    while (scry_now_ms() - start < DRAIN_MS && (queue_length(s->search_queue) || queue_length(s->work_queue)))
        usleep(10000);
    search_thread_stop(s);
    workers_stop(s);
    jobs_end_events(s->jobs);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    if (listening != MHD_INVALID_SOCKET)
        close(listening);
}

static void wait_for_signal(void)
{
    sigset_t set;
    int signal;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigwait(&set, &signal);
}

static void block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);   /* inherited by every thread that we start */
}

int scry_serve_run(const scry_serve_options *options, const char *store, const char *collection, const char *model,
                   scry_precision precision, scry_error *err)
{
    server s = { .options = *options };
    block_signals();
    int r = open_all(&s, store, collection, model, precision, err);
    if (r == 0) {
        r = start_all(&s, err);
        if (r == 0) {
            fprintf(stderr, "scry: serving %s at http%s://%s/\n", store, options->cert ? "s" : "", s.host_port);
            wait_for_signal();
            fputs("scry: stopping\n", stderr);
        }
        drain(&s);
        jobs_free(s.jobs);
        queue_free(s.search_queue);
        queue_free(s.work_queue);
        connections_free(s.connections);
        metrics_free(s.metrics);
        pthread_rwlock_destroy(&s.store_lock);
        pthread_mutex_destroy(&s.writer_lock);
        pthread_cond_destroy(&s.writer_released);
        pthread_mutex_destroy(&s.facets_lock);
        free(s.facets);
    }
    free(s.host_port);
    if (s.store)
        scry_store_close(s.store, NULL);
    scry_line_free(s.line);
    scry_model_free(s.model);
    return r;
}
