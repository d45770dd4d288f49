#include "milvus/h2.h"

#include "base/alloc.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A search answer with all its fields is below 16 MiB in practice: a window of that size lets the server
 * send it without waiting for WINDOW_UPDATE. OUTPUT_BYTES combines frames (16 KiB each with the server's
 * default settings) into fewer system calls. */
enum {
    STREAM_WINDOW = 16 << 20,
    CONNECTION_WINDOW = 64 << 20,
    OUTPUT_BYTES = 256 << 10,
    HEADER_LIST_BYTES = 32 << 10
};

struct scry_h2 {
    nghttp2_session *session;
    int32_t stream;          /* open stream, 0 when none */
    bool goaway;
    unsigned pings;          /* sent and not yet answered */
    const char *body;        /* of the request */
    size_t body_left;
    scry_h2_reply *reply;    /* NULL when cancelled or none */
    scry_buf out;
    size_t out_at;           /* bytes of it already sent */
};

/* ---- headers of the answer ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* grpc-message: percent-decoded; control characters become spaces, so that the message stays one line. */
static void decode_message(char *out, size_t room, const char *text, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < n && used + 1 < room; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '%' && i + 2 < n && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            c = (unsigned char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        }
        out[used++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    out[used] = '\0';
}

/* A decimal number of up to four digits, or -1: an invalid status must not be read as 0 ("OK"). */
static int decode_number(const char *text, size_t n)
{
    int value = 0;
    if (n == 0 || n > 4)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name_bytes, size_t name_size,
                     const uint8_t *value_bytes, size_t size, uint8_t flags, void *arg)
{
    static const char grpc[] = "application/grpc";
    scry_h2 *h = arg;
    if (!h->reply || frame->hd.stream_id != h->stream)
        return 0;
    const char *name = (const char *)name_bytes, *value = (const char *)value_bytes;
    if (strcmp(name, ":status") == 0) {
        h->reply->http_status = decode_number(value, size);
    } else if (strcmp(name, "grpc-status") == 0) {
        int status = decode_number(value, size);
        h->reply->grpc_status = status < 0 ? 2 : status;   /* 2: UNKNOWN */
    } else if (strcmp(name, "grpc-message") == 0) {
        decode_message(h->reply->grpc_message, sizeof h->reply->grpc_message, value, size);
    } else if (strcmp(name, "content-type") == 0) {
        h->reply->is_grpc = size >= sizeof grpc - 1 && strncasecmp(value, grpc, sizeof grpc - 1) == 0;
    }
    return 0;
}

/* ---- frames of the answer ---- */

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t n, void *arg)
{
    scry_h2 *h = arg;
    if (!h->reply || stream != h->stream || h->reply->too_large)
        return 0;
    scry_buf_append(&h->reply->body, bytes, n);
    if (h->reply->body.failed) {
        h->reply->too_large = true;
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    scry_h2 *h = arg;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        h->goaway = true;
    else if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK))
        h->pings = 0;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *arg)
{
    scry_h2 *h = arg;
    if (stream != h->stream)
        return 0;
    h->stream = 0;
    if (h->reply) {
        h->reply->closed = true;
        h->reply->reset = code;   /* nghttp2 gives REFUSED_STREAM to the streams above a GOAWAY's last one */
        h->reply = NULL;
    }
    return 0;
}

/* The stream's headers could not be sent because a GOAWAY was received before: the server never saw it. */
static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int why, void *arg)
{
    scry_h2 *h = arg;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->hd.stream_id == h->stream)
        return on_stream_close(session, h->stream, NGHTTP2_REFUSED_STREAM, arg);
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *out, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *arg)
{
    scry_h2 *h = arg;
    size_t n = h->body_left < room ? h->body_left : room;
    memcpy(out, h->body, n);
    h->body += n;
    h->body_left -= n;
    if (h->body_left == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* ---- life ---- */

static int session_new(scry_h2 *h)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return -1;
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    int r = nghttp2_option_new(&option);
    if (r == 0) {
        nghttp2_option_set_no_closed_streams(option, 1);
        r = nghttp2_session_client_new2(&h->session, callbacks, h, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return r;
}

scry_h2 *scry_h2_new(void)
{
    static const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_LIST_BYTES },
    };
    scry_h2 *h = scry_alloc(sizeof *h);
    h->out = (scry_buf)SCRY_BUF_INIT(2 * OUTPUT_BYTES);
    if (session_new(h) != 0 ||
        nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings) != 0 ||
        nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) != 0) {
        scry_h2_free(h);
        return NULL;
    }
    return h;
}

void scry_h2_free(scry_h2 *h)
{
    if (!h)
        return;
    h->reply = NULL;
    nghttp2_session_del(h->session);
    scry_buf_dispose(&h->out);
    free(h);
}

/* ---- requests ---- */

static nghttp2_nv header(const char *name, const char *value)
{
    return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE };
}

int scry_h2_start(scry_h2 *h, const scry_h2_request *q, scry_h2_reply *reply, scry_error *err)
{
    char timeout[32];
    /* The protocol allows at most eight digits. */
    snprintf(timeout, sizeof timeout, "%lldm", (long long)(q->timeout_ms < 99999999 ? q->timeout_ms : 99999999));
    nghttp2_nv headers[11] = {
        header(":method", "POST"), header(":scheme", q->tls ? "https" : "http"), header(":path", q->path),
        header(":authority", q->authority), header("te", "trailers"), header("content-type", "application/grpc"),
        header("user-agent", "scry/" SCRY_VERSION), header("grpc-timeout", timeout),
    };
    size_t n = 8;
    if (q->authorization && q->authorization[0])
        headers[n++] = header("authorization", q->authorization);
    if (q->database && q->database[0])
        headers[n++] = header("dbname", q->database);
    if (q->identifier && q->identifier[0])
        headers[n++] = header("identifier", q->identifier);
    scry_buf body = reply->body;
    *reply = (scry_h2_reply){ .grpc_status = -1, .body = body };
    scry_buf_clear(&reply->body);
    h->body = q->body;
    h->body_left = q->body_size;
    nghttp2_data_provider provider = { .read_callback = read_body };
    int32_t stream = nghttp2_submit_request(h->session, NULL, headers, n, &provider, NULL);
    if (stream < 0)
        return scry_fail(err, SCRY_EREMOTE, "HTTP/2 with the Milvus server failed: %s", nghttp2_strerror(stream));
    h->stream = stream;
    h->reply = reply;
    return 0;
}

void scry_h2_cancel(scry_h2 *h)
{
    h->reply = NULL;
    h->body_left = 0;
    if (h->stream)
        nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, h->stream, NGHTTP2_CANCEL);
}

void scry_h2_ping(scry_h2 *h)
{
    if (nghttp2_submit_ping(h->session, NGHTTP2_FLAG_NONE, NULL) == 0)
        h->pings++;
}

bool scry_h2_ping_pending(const scry_h2 *h)
{
    return h->pings > 0;
}

bool scry_h2_ready(const scry_h2 *h)
{
    return !h->goaway && !h->stream && nghttp2_session_check_request_allowed(h->session);
}

/* ---- bytes ---- */

const char *scry_h2_output(scry_h2 *h, size_t *size)
{
    if (h->out_at == h->out.size) {
        const uint8_t *frame;
        ssize_t n;
        scry_buf_clear(&h->out);
        h->out_at = 0;
        while (h->out.size < OUTPUT_BYTES && (n = nghttp2_session_mem_send(h->session, &frame)) > 0)
            scry_buf_append(&h->out, frame, (size_t)n);
    }
    *size = h->out.size - h->out_at;
    return scry_buf_str(&h->out) + h->out_at;
}

void scry_h2_sent(scry_h2 *h, size_t n)
{
    h->out_at += n;
}

int scry_h2_feed(scry_h2 *h, const void *bytes, size_t n, scry_error *err)
{
    ssize_t r = nghttp2_session_mem_recv(h->session, bytes, n);
    if (r < 0)
        return scry_fail(err, SCRY_EREMOTE, "%s", nghttp2_strerror((int)r));
    return 0;
}

bool scry_h2_dead(const scry_h2 *h)
{
    return !nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session);
}
