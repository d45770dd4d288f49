/* serve.c - start the server, take requests on the event loop, stop it. */
#include "server/server.h"

#include "base/alloc.h"
#include "base/cond.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/secret.h"
#include "scry/rebuild.h"
#include "scry/registry.h"
#include "server/auth.h"
#include "server/away.h"
#include "server/connections.h"
#include "server/downloads.h"
#include "server/duplicate_runs.h"
#include "server/index_runs.h"
#include "server/metrics.h"
#include "server/queue.h"
#include "server/place_cache.h"
#include "server/ready.h"
#include "server/request.h"
#include "server/router.h"
#include "server/search.h"
#include "server/sorted_lists.h"
#include "server/store_check.h"
#include "server/store_watch.h"
#include "server/words_reading.h"
#include "server/strict.h"
#include "server/workers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DEFAULT_CONNECTIONS = 256, DEFAULT_QUEUE = 128, IDLE_S = 60, DRAIN_MS = 10000, CANCEL_MS = 100,
    /* A connection's memory holds the first line, the headers and about 70 bytes for each argument and header; what is left must do
     * for the headers of the response: without them the connection would end without a word. */
    CONNECTION_BYTES = 128 << 10, MAX_HEAD_BYTES = 64000, MAX_ARGUMENTS = 500, MAX_HEADERS = 200
};
static const size_t MAX_BODIES_BYTES = (size_t)1 << 30;   /* of all requests at a time */

/* ---- one request on the loop ---- */

#define REFUSAL \
    "HTTP/1.1 %d Refused\r\nContent-Type: %s\r\nContent-Length: %zu\r\n" \
    "Cache-Control: no-store\r\nConnection: close\r\n\r\n%s"

static enum MHD_Result suspend_for(request *r, struct work_queue *queue)
{
    MHD_suspend_connection(r->connection);
    if (!queue_push(queue, r)) {
        respond_problem(r, 503, "too many requests are waiting: try again in a moment");
        request_finish(r);
    }
    return MHD_YES;
}

/* The request is complete: answer it, or queue it for a thread. */
static enum MHD_Result dispatch(request *r)
{
    server *s = r->server;
    r->dispatched = true;
    connection_request_complete(r);
    char reason[512];
    if (atomic_load(&s->draining))
        respond_problem(r, 503, "the server is stopping");
    else if (!r->route->open && store_watch_problem(s->store_watch, reason))
        respond_problem(r, 503, "%s", reason);
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

/* Send the refusal that was made. The connection ends with it: what follows on it may be a body. */
static enum MHD_Result refuse(request *r)
{
    r->ready = true;
    respond_header(r, "Connection", "close");
    connection_refused(r);
    return request_send(r);
}

/* Answer past libmicrohttpd, which would need the connection's memory for it, or the rest of the request first. */
static void refuse_head(struct MHD_Connection *c, int status, const char *title, const char *why)
{
    char *problem = scry_asprintf("{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}", title, status, why);
    char *text = scry_asprintf(REFUSAL, status, "application/problem+json", strlen(problem), problem);
    connection_send_refusal(c, text);
    free(text);
    free(problem);
}

static bool head_is_too_large(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *size = MHD_get_connection_info(c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return (size && size->header_size > MAX_HEAD_BYTES) || MHD_get_connection_values(c, MHD_HEADER_KIND, NULL, NULL) > MAX_HEADERS;
}

/* Whether there is a handler to go on to; false: the response was made. `status` and `allow` are route_find's. */
static bool may_go_on(request *r, int status, const char *allow)
{
    if (!auth_check(r))
        return false;
    if (r->path[0] == '*') {   /* OPTIONS, of the server */
        respond_bytes(r, 204, NULL, "", 0);
        respond_header(r, "Allow", "GET, HEAD, POST, PUT, DELETE");
        return false;
    }
    if (r->route)
        return request_query_is_known(r);
    respond_problem(r, status, status == 404 ? "there is nothing at %.200s" : "%.200s does not take that method", r->path);
    if (status == 405)
        respond_header(r, "Allow", "%s", allow);
    return false;
}

/* Headers are complete: refuse the request before its body is read, or go on. */
static enum MHD_Result begin_request(request *r, const char *version)
{
    if (head_is_too_large(r->connection)) {
        refuse_head(r->connection, 431, "Headers too large", "the headers of a request may have 64,000 bytes and 200 lines");
        return MHD_NO;
    }
    int status;
    char allow[64];
    const char *problem = strict_line_problem(&r->line, r->method, version, &status);
    if (!problem) {
        status = 400;
        problem = strict_problem(r->connection, r->method, version);
    }
    if (problem) {
        respond_problem(r, status, "%s", problem);
        return refuse(r);
    }
    r->route = route_find(r, &status, allow);
    connection_body_grew(r);
    r->ready = !may_go_on(r, status, allow);
    const char *length = request_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (!r->ready && length && strtoull(length, NULL, 10) > r->route->max_body_bytes) {
        respond_problem(r, 413, "the body may have at most %zu bytes here", r->route->max_body_bytes);
        r->ready = true;
    }
    if (r->ready)
        return length || request_header(r, MHD_HTTP_HEADER_TRANSFER_ENCODING) ? refuse(r) : request_send(r);
    r->body.limit = r->route->max_body_bytes;
    return MHD_YES;
}

/* The first that is known of a request, before its headers are read. */
static void *on_address(void *cls, const char *address, struct MHD_Connection *c)
{
    request *r = request_new(cls, c, address);
    connection_set_begun(c, r);
    size_t arguments = 0;
    for (const char *p = strchr(address, '?'); p; p = strchr(p + 1, '&'))
        arguments++;
    r->ended = arguments > MAX_ARGUMENTS || strlen(address) > MAX_HEAD_BYTES;
    if (r->ended)
        refuse_head(c, 414, "Address too long", "an address may have 64,000 bytes and 500 arguments");
    return r;
}

/* Whether all of the body was stored; else an error response was made. */
static bool body_is_complete(request *r)
{
    if (r->body_bytes > r->route->max_body_bytes)
        respond_problem(r, 413, "the body may have at most %zu bytes here", r->route->max_body_bytes);
    else if (r->body_refused)
        respond_problem(r, 503, "too many uploads at the same time: try again in a moment");
    return r->status == 0;
}

/* libmicrohttpd accepts a response only once the body is complete. A body of unknown length that is refused before is
 * answered without it. */
static enum MHD_Result refuse_body(request *r)
{
    (void)!body_is_complete(r);
    char *text = scry_asprintf(REFUSAL, r->status, r->content_type, r->out.size, scry_buf_str(&r->out));
    connection_send_refusal(r->connection, text);
    free(text);
    return MHD_NO;
}

/* A part of the body; MHD_NO ends the connection. */
static enum MHD_Result receive_body(request *r, const char *bytes, size_t n)
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
        scry_buf_dispose(&r->body);   /* frees its memory, so that bodies_bytes is exact */
    s->bodies_bytes += r->body.size - before;
    return r->body_refused ? refuse_body(r) : MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_bytes, void **slot)
{
    request *r = *slot;
    if (!r || r->ended)
        return MHD_NO;
    if (!r->path) {
        connection_set_begun(c, NULL);
        r->method = method;
        r->start_ms = scry_now_ms();
        r->path = scry_strdup(auth_local_path(r->server, request_line_path(&r->line, url)));
        return begin_request(r, version);
    }
    if (*upload_bytes) {
        size_t n = *upload_bytes;
        *upload_bytes = 0;
        return receive_body(r, upload, n);
    }
    if (r->sent)
        return MHD_YES;
    if (r->ready)                /* a thread has finished with it */
        return request_send(r);
    if (!r->dispatched && !body_is_complete(r)) {
        r->ready = true;
        return request_send(r);
    }
    return r->dispatched ? MHD_YES : dispatch(r);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **slot, enum MHD_RequestTerminationCode why)
{
    request *r = *slot;
    if (!r)
        return;
    connection_set_begun(c, NULL);
    connection_response_sent(r);
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
    int port = colon[1 + strspn(colon + 1, "0123456789")] || strlen(colon + 1) > 5 ? -1 : atoi(colon + 1);
    if (port < 0 || port > 65535)
        return scry_fail(err, SCRY_EINVALID, "--listen %s: the port must be a number from 0 to 65535", listen);
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
    if (o->cert && (scry_read_file(o->cert, &cert, err) < 0 || scry_check_secret(o->key, "key", err) < 0 ||
                    scry_read_file(o->key, &key, err) < 0)) {
        scry_buf_dispose(&cert);
        return err ? err->code : SCRY_EIO;
    }
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_SOCK_ADDR, 0, &address },
        { MHD_OPTION_CONNECTION_LIMIT, o->max_connections > 0 ? o->max_connections : DEFAULT_CONNECTIONS, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, NULL },
        { MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_address, s },
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

/* An empty collection, filled by uploads or index runs. */
static int create_collection(server *s, const char *model, scry_error *err)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_store *created;
    o.collection = s->collection;
    o.model_identity = s->info->identity;
    o.milvus = s->options.milvus;
    o.dim = s->info->dim;
    o.mode = SCRY_STORE_CREATE;
    o.model_name = model;
    int r = scry_store_open(&created, s->where, &o, err);
    return r < 0 ? r : scry_store_close(created, err);
}

/* A collection of an earlier starter is opened without its model. */
static int open_due(server *s, scry_error *err)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.collection = s->collection;
    o.milvus = s->options.milvus;
    int r = scry_store_open(&s->store, s->where, &o, err);
    bool due = r == 0 && scry_rebuild_is_due(s->store, s->model);
    if (r < 0)
        return r;
    r = scry_rebuild_check(s->store, s->model, s->info->name, due ? &s->due : err);
    if (due && scry_rebuild_get_estimate(s->store, s->model, &s->due_estimate, NULL) < 0)
        s->due_estimate = (scry_rebuild_estimate){ 0 };
    if (due)
        scry_log(SCRY_LOG_WARN, "%s", s->due.message);
    atomic_store(&s->rebuild_due, due);
    return due ? 0 : r;
}

static int open_all(server *s, const char *model, scry_precision precision, const char *language, scry_error *err)
{
    char *dir = NULL;
    scry_model_options m = SCRY_MODEL_OPTIONS_INIT;
    m.precision = precision;
    m.language = language;
    m.name = model;
    int r = scry_model_resolve(model, &dir, err);
    if (r == 0)
        r = scry_model_open(&s->model, dir, &m, err);
    free(dir);
    if (r < 0)
        return r;
    s->info = scry_model_get_info(s->model);
    scry_error why = SCRY_ERROR_INIT;
    r = store_open(s, &s->store, &why);
    if (r == SCRY_EINVALID)
        r = open_due(s, err);
    else if (r < 0)
        r = scry_fail(err, r, "%s", why.message);
    if (r == SCRY_ENOTFOUND && (s->options.allow_index || s->options.allow_upload)) {
        r = create_collection(s, model, err);
        if (r == 0)
            r = store_open(s, &s->store, err);
    }
    if (r == 0 && !s->rebuild_due)
        r = scry_threshold_known(&s->threshold, s->store, s->model, err);
    if (r == 0)
        r = auth_read_token(s, err);
    if (r == 0)
        r = auth_read_public_url(s, err);
    return r;
}

static int start_all(server *s, scry_error *err)
{
    size_t limit = (size_t)(s->options.max_queue > 0 ? s->options.max_queue : DEFAULT_QUEUE);
    pthread_rwlock_init(&s->store_lock, NULL);
    pthread_mutex_init(&s->writer_lock, NULL);
    scry_cond_init(&s->writer_released);
    pthread_mutex_init(&s->facets_lock, NULL);
    s->lists = list_cache_new();
    s->duplicate_runs = duplicate_runs_new(s);
    s->ready = ready_lists_new();
    s->places = place_cache_new();
    s->metrics = metrics_new();
    s->connections = connections_new(s->options.client_timeout_s * 1000);
    s->index_runs = index_runs_new();
    s->search_queue = queue_new(limit);
    s->work_queue = queue_new(limit);
    s->store_watch = store_watch_new(s);
    s->away = away_watch_new(s);
    int r = search_thread_start(s, err);
    if (r == 0)
        r = workers_start(s, err);
    if (r == 0)
        r = downloads_start(s, err);
    if (r == 0)
        store_watch_start(s->store_watch);
    s->store_check = store_check_new(s);   /* after the warm-up, which it would slow down; before there are requests */
    s->words_reading = words_reading_new(s);
    return r < 0 ? r : start_daemon(s, err);
}

/* No new connections; waiting requests are answered, for at most DRAIN_MS. */
static void drain(server *s)
{
    atomic_store(&s->draining, 1);
    MHD_socket listening = s->daemon ? MHD_quiesce_daemon(s->daemon) : MHD_INVALID_SOCKET;
    index_runs_cancel_all(s->index_runs);
    double start = scry_now_ms();
    while (scry_now_ms() - start < DRAIN_MS && (queue_length(s->search_queue) || queue_length(s->work_queue)))
        usleep(10000);
    search_thread_stop(s);
    workers_stop(s);
    downloads_stop(s);
    index_runs_end_events(s->index_runs);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    if (listening != MHD_INVALID_SOCKET)
        close(listening);
}

static sigset_t set_of(int more)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (more)
        sigaddset(&set, more);
    return set;
}

/* With the caller's mask `was` while it waits for the caller's flag. */
static void wait_for_end(const scry_cancel *cancel, const sigset_t *was)
{
    sigset_t set = set_of(0);
    int signal;
    if (!cancel) {
        sigwait(&set, &signal);
        return;
    }
    pthread_sigmask(SIG_SETMASK, was, NULL);
    while (!atomic_load(cancel))
        usleep(CANCEL_MS * 1000);
}

/* The caller's mask again. A second SIGTERM, which came while the server ended, has been obeyed. */
static void restore_signals(const scry_cancel *cancel, const sigset_t *was)
{
    sigset_t set = set_of(0);
    const struct timespec at_once = { 0 };
    while (!cancel && sigtimedwait(&set, NULL, &at_once) > 0)
        ;
    pthread_sigmask(SIG_SETMASK, was, NULL);
}

int scry_serve_plugin(const scry_serve_options *options, const char *store, const char *collection, const char *model,
                      scry_precision precision, scry_error *err)
{
    server s = { .options = *options, .where = store, .collection = collection ? collection : "default" };
    sigset_t set = set_of(SIGPIPE), was;
    pthread_sigmask(SIG_BLOCK, &set, &was);   /* inherited by all threads started later */
    int r = open_all(&s, model, precision, options->language, err);
    if (r == 0) {
        r = start_all(&s, err);
        if (r == 0) {
            char *url = scry_asprintf("http%s://%s/", options->cert ? "s" : "", s.host_port);
            fprintf(stderr, "scry: serving %s at %s\n", store, url);
            if (options->ready)
                options->ready(options->ready_arg, url);
            free(url);
            wait_for_end(options->cancel, &was);
            fputs("scry: stopping\n", stderr);
        }
        drain(&s);
        words_reading_free(s.words_reading);
        store_check_free(s.store_check);   /* it may open the store again through the watch */
        away_watch_free(s.away);
        store_watch_free(s.store_watch);
        index_runs_free(s.index_runs);
        queue_free(s.search_queue);
        queue_free(s.work_queue);
        queue_free(s.download_queue);
        connections_free(s.connections);
        metrics_free(s.metrics);
        pthread_rwlock_destroy(&s.store_lock);
        pthread_mutex_destroy(&s.writer_lock);
        pthread_cond_destroy(&s.writer_released);
        pthread_mutex_destroy(&s.facets_lock);
        free(s.facets[0].json);
        free(s.facets[1].json);
        list_cache_free(s.lists);
        duplicate_runs_free(s.duplicate_runs);
        ready_lists_free(s.ready);
        place_cache_free(s.places);
    }
    free(s.host_port);
    free(s.public_origin);
    free(s.public_path);
    if (s.store)
        scry_store_close(s.store, NULL);
    scry_threshold_free(s.threshold);
    scry_model_free(s.model);
    restore_signals(options->cancel, &was);
    return r;
}
