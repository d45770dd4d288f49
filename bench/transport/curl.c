/* curl.c - src/milvus/conn.h over libcurl instead of nghttp2: what bench/stages/transport.py compares ours with.
 *
 * Linked before the client's archive, it takes the place of conn.c, h2.c and net.c; everything above them is the same
 * code. One easy handle per connection, reused, HTTP/2 by prior knowledge (ALPN with TLS). A silent peer is left to TCP's
 * keepalive and user timeout: libcurl has no PING with a deadline. libcurl before 8.0 cannot reuse a connection by prior
 * knowledge: the second call fails with CURLE_HTTP2 before a byte is sent. Calls after the first therefore ask for
 * "HTTP/2 if possible", which such a connection satisfies.
 */
#include "milvus/conn.h"

#include "base/alloc.h"
#include "base/log.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct scry_conn {
    CURL *easy;
    int keepalive_ms;
    char scheme_where[320];     /* "http://host:port" */
    char reason[CURL_ERROR_SIZE];
};

static int set_user_timeout(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    const scry_conn *c = arg;
    unsigned ms = (unsigned)c->keepalive_ms;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    return CURL_SOCKOPT_OK;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    scry_h2_reply *r = arg;
    scry_buf_append(&r->body, bytes, size * n);
    r->too_large = r->body.failed;
    return r->too_large ? 0 : size * n;
}

static void decode(char *out, size_t room, const char *text, size_t n)
{
    int decoded = 0;
    char *plain = curl_easy_unescape(NULL, text, (int)n, &decoded);
    snprintf(out, room, "%.*s", decoded, plain ? plain : "");
    curl_free(plain);
    for (char *c = out; *c; c++)
        *c = (unsigned char)*c < 0x20 ? ' ' : *c;
}

/* "name: value\r\n", headers and trailers alike. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
    static const char status[] = "grpc-status:", message[] = "grpc-message:", type[] = "content-type: application/grpc";
    scry_h2_reply *r = arg;
    size_t bytes = size * n;
    if (bytes > sizeof status && strncasecmp(line, status, sizeof status - 1) == 0)
        r->grpc_status = atoi(line + sizeof status - 1);
    else if (bytes > sizeof message + 2 && strncasecmp(line, message, sizeof message - 1) == 0)
        decode(r->grpc_message, sizeof r->grpc_message, line + sizeof message, bytes - sizeof message - 2);
    else if (bytes >= sizeof type && strncasecmp(line, type, sizeof type - 1) == 0)
        r->is_grpc = true;
    return bytes;
}

int scry_conn_open(scry_conn **out, const scry_net_options *o, int keepalive_ms, double deadline_ms, scry_error *err)
{
    enum { READ_BYTES = 256 << 10 };
    scry_conn *c = scry_alloc(sizeof *c);
    c->keepalive_ms = keepalive_ms;
    c->easy = curl_easy_init();
    if (!c->easy) {
        free(c);
        return scry_fail(err, SCRY_ENOMEM, "cannot start libcurl");
    }
    snprintf(c->scheme_where, sizeof c->scheme_where, strchr(o->host, ':') ? "%s://[%s]:%d" : "%s://%s:%d",
             o->tls ? "https" : "http", o->host, o->port);
    curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION,
                     o->tls ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->easy, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
    curl_easy_setopt(c->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)READ_BYTES);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->reason);
    curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPIDLE, (long)(keepalive_ms + 999) / 1000);
    curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPINTVL, (long)(keepalive_ms + 999) / 1000);
    curl_easy_setopt(c->easy, CURLOPT_SOCKOPTFUNCTION, set_user_timeout);
    curl_easy_setopt(c->easy, CURLOPT_SOCKOPTDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_NOPROXY, "*");
    if (o->ca_file)
        curl_easy_setopt(c->easy, CURLOPT_CAINFO, o->ca_file);
    *out = c;
    return 0;
}

void scry_conn_free(scry_conn *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->easy);
    free(c);
}

void scry_conn_set_until(scry_conn *c, scry_conn_until_fn *until, void *arg)
{
    /* Calls of the benchmark are not stopped. */
}

bool scry_conn_ready(scry_conn *c)
{
    return true;   /* libcurl looks at an idle connection before it reuses it */
}

static struct curl_slist *make_headers(const scry_h2_request *q)
{
    char timeout[64];
    snprintf(timeout, sizeof timeout, "grpc-timeout: %lldm", (long long)q->timeout_ms);
    struct curl_slist *list = curl_slist_append(NULL, "te: trailers");
    list = curl_slist_append(list, "content-type: application/grpc");
    list = curl_slist_append(list, timeout);
    const char *const extra[][2] = { { "authorization", q->authorization }, { "dbname", q->database } };
    for (size_t i = 0; i < 2; i++) {
        char *line = extra[i][1] && extra[i][1][0] ? scry_asprintf("%s: %s", extra[i][0], extra[i][1]) : NULL;
        if (line)
            list = curl_slist_append(list, line);
        free(line);
    }
    return list;
}

scry_conn_outcome scry_conn_call(scry_conn *c, const scry_h2_request *q, scry_h2_reply *reply, double deadline_ms,
                                 scry_error *err)
{
    char url[512];
    scry_buf body = reply->body;
    long status = 0;
    *reply = (scry_h2_reply){ .grpc_status = -1, .body = body };
    scry_buf_clear(&reply->body);
    snprintf(url, sizeof url, "%s%s", c->scheme_where, q->path);
    struct curl_slist *headers = make_headers(q);
    double left = deadline_ms - scry_now_ms();
    curl_easy_setopt(c->easy, CURLOPT_URL, url);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_size);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, q->body);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, reply);
    curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, left < 1 ? 1L : (long)left);
    CURLcode r = curl_easy_perform(c->easy);
    curl_slist_free_all(headers);
    curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, q->tls ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_2_0);
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    reply->http_status = (int)status;
    reply->closed = true;
    if (r == CURLE_OK || reply->too_large || reply->grpc_status >= 0)
        return SCRY_CONN_ANSWERED;
    const char *reason = c->reason[0] ? c->reason : curl_easy_strerror(r);
    if (r == CURLE_OPERATION_TIMEDOUT) {
        scry_fail(err, SCRY_EREMOTE, "the Milvus server %s did not answer in time", c->scheme_where);
        return SCRY_CONN_TIMEOUT;
    }
    if (r == CURLE_COULDNT_CONNECT) {
        scry_fail(err, SCRY_EREMOTE, "cannot connect to the Milvus server %s: %s; is it running?", c->scheme_where, reason);
        return SCRY_CONN_LOST;
    }
    scry_fail(err, SCRY_EREMOTE, "the connection to the Milvus server %s failed: %s", c->scheme_where, reason);
    return SCRY_CONN_LOST;
}
