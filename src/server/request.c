#include "server/request.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/nearest.h"
#include "engine/place_list.h"
#include "engine/skip_code.h"
#include "server/auth.h"
#include "server/connections.h"
#include "server/metrics.h"
#include "server/server.h"
#include "server/store_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RESPONSE_BYTES = 256 << 20 };

request *request_new(server *s, struct MHD_Connection *c, const char *address)
{
    request *r = scry_alloc(sizeof *r);
    r->server = s;
    r->connection = c;
    request_line_read(&r->line, address);
    r->body = (scry_buf)SCRY_BUF_INIT(0);
    r->out = (scry_buf)SCRY_BUF_INIT(MAX_RESPONSE_BYTES);
    r->file = -1;
    r->start_ms = scry_now_ms();
    return r;
}

void request_free(request *r)
{
    for (size_t i = 0; i < MAX_PATH_PARAMS; i++)
        free(r->param[i]);
    for (size_t i = 0; i < r->headers; i++)
        free(r->header[i].value);
    scry_buf_dispose(&r->body);
    scry_buf_dispose(&r->out);
    request_line_dispose(&r->line);
    free(r->path);
    free(r);
}

const char *request_arg(const request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

typedef struct {
    request_arg_fn *each;
    void *arg;
} arg_visit;

static enum MHD_Result visit_arg(void *p, enum MHD_ValueKind kind, const char *key, size_t key_size, const char *value, size_t size)
{
    const arg_visit *v = p;
    if (key_size || value)   /* not what is between the signs of "&&", or behind a last one */
        v->each(v->arg, key, value, size);
    return MHD_YES;
}

void request_each_arg(const request *r, request_arg_fn *each, void *arg)
{
    arg_visit v = { each, arg };
    MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, visit_arg, &v);
}

const char *request_header(const request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

bool request_has_tag(const request *r, const char *tag)
{
    const char *p = request_header(r, MHD_HTTP_HEADER_IF_NONE_MATCH);
    size_t n = strlen(tag);
    while (p && *p) {
        p += strspn(p, " \t,");
        if (*p == '*')
            return true;
        if (strncmp(p, "W/", 2) == 0)
            p += 2;
        if (strncmp(p, tag, n) == 0 && strchr(" \t,", p[n]))
            return true;
        p = *p == '"' ? strchr(p + 1, '"') : strchr(p, ',');
        p += p && *p == '"';
    }
    return false;
}

bool request_int(request *r, const char *name, long long fallback, long long min, long long max, long long *out)
{
    const char *text = request_arg(r, name);
    *out = fallback;
    if (!text)
        return true;
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *out >= min && *out <= max)
        return true;
    respond_problem(r, 400, "%s must be a whole number from %lld to %lld", name, min, max);
    return false;
}

bool request_language(request *r, const char **out)
{
    *out = request_arg(r, "language");
    if (!*out || scry_place_list_has_language(*out))
        return true;
    char languages[80];
    respond_problem(r, 400, "language must be one of %s, not \"%.40s\"", scry_place_list_languages(languages), *out);
    return false;
}

bool request_json(request *r, scry_json **out)
{
    scry_error err = SCRY_ERROR_INIT;
    *out = NULL;
    if (r->body.size > MAX_JSON_BODY)
        respond_problem(r, 413, "a body of JSON may have at most %d bytes", MAX_JSON_BODY);
    else if (scry_json_parse(out, scry_buf_str(&r->body), r->body.size, "the body", &err) < 0)
        respond_error(r, &err);
    return r->status == 0;
}

bool request_knows(request *r, const char *name, const char *known)
{
    scry_nearest n = SCRY_NEAREST_INIT(name);
    scry_nearest_offer_words(&n, known);
    if (strcmp(n.best, name) == 0 && name[0])
        return true;
    if (known[0])
        respond_problem(r, 400, "unknown parameter \"%.40s\": %s%s%sexpected one of %s", name, n.best[0] ? "did you mean " : "", n.best,
                        n.best[0] ? "? " : "", known);
    else
        respond_problem(r, 400, "unknown parameter \"%.40s\": %.100s takes none", name, r->path);
    return false;
}

static void check_arg(void *arg, const char *name, const char *value, size_t size)
{
    request *r = arg;
    if (r->status == 0)
        request_knows(r, name, r->route->query);
}

bool request_query_is_known(request *r)
{
    if (strcmp(r->route->query, ANY_QUERY) != 0)
        request_each_arg(r, check_arg, r);
    return r->status == 0;
}

bool request_is_object(request *r, const scry_json *body)
{
    if (scry_json_type_of(body) == SCRY_JSON_OBJECT)
        return true;
    respond_problem(r, 400, "the body must be a JSON object");
    return false;
}

bool request_members(request *r, const scry_json *body, const char *known)
{
    void *it = NULL;
    const char *key;
    const scry_json *value;
    request_is_object(r, body);
    while (r->status == 0 && scry_json_next(body, &it, &key, &value))
        request_knows(r, key, known);
    return r->status == 0;
}

bool request_text(request *r, const scry_json *body, const char *name, const char **out)
{
    const scry_json *value = scry_json_get(body, name);
    if (value && scry_json_type_of(value) != SCRY_JSON_STRING) {
        respond_problem(r, 400, "%s takes a text", name);
        return false;
    }
    *out = scry_json_str(value, *out);
    return true;
}

bool request_flag(request *r, const scry_json *body, const char *name, bool *out)
{
    const scry_json *value = scry_json_get(body, name);
    *out = scry_json_bool(value, false);
    if (!value || scry_json_type_of(value) == SCRY_JSON_BOOL)
        return true;
    respond_problem(r, 400, "%s takes true or false", name);
    return false;
}

void respond_bytes(request *r, int status, const char *content_type, const void *bytes, size_t n)
{
    r->status = status;
    r->content_type = content_type;
    scry_buf_dispose(&r->out);   /* of a problem that it replaces, which has a smaller limit */
    r->out = (scry_buf)SCRY_BUF_INIT(MAX_RESPONSE_BYTES);
    scry_buf_append(&r->out, bytes, n);
}

void respond_text(request *r, int status, const char *content_type, const char *text)
{
    respond_bytes(r, status, content_type, text, strlen(text));
}

void respond_json(request *r, int status, scry_buf *json)
{
    if (json->failed) {
        respond_problem(r, 500, "the response is too large: ask for fewer results");
        return;
    }
    r->status = status;
    r->content_type = "application/json";
    scry_buf_dispose(&r->out);
    r->out = *json;
    *json = (scry_buf)SCRY_BUF_INIT(0);
}

static const char *title_of(int status)
{
    static const struct { int status; const char *title; } titles[] = {
        { 400, "Bad request" }, { 401, "A token is needed" }, { 403, "Forbidden" }, { 404, "Not found" },
        { 405, "Method not allowed" }, { 408, "Too slow" }, { 409, "Conflict" }, { 413, "Too large" },
        { 414, "Address too long" }, { 415, "Unsupported picture" }, { 416, "Range not satisfiable" }, { 421, "Misdirected request" },
        { 422, "Cannot be processed" },
        { 500, "Internal error" }, { 501, "Not implemented" }, { 503, "Busy" },
    };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

static void put_problem(scry_json_writer *w, int status, const char *name, const char *cause, const char *detail)
{
    scry_json_begin(w, '{');
    scry_json_add_str(w, "type", "about:blank");
    scry_json_add_str(w, "title", title_of(status));
    scry_json_add_int(w, "status", status);
    scry_json_add_str(w, "detail", detail);
    if (name)
        scry_json_add_str(w, "code", name);
    if (cause)
        scry_json_add_str(w, "cause", cause);
    scry_json_end(w, '}');
}

/* As OpenAI's clients read it. */
static void put_openai_error(scry_json_writer *w, int status, const char *detail)
{
    scry_json_begin(w, '{');
    scry_json_key(w, "error");
    scry_json_begin(w, '{');
    scry_json_add_str(w, "message", detail);
    scry_json_add_str(w, "type", status >= 500 ? "server_error" : "invalid_request_error");
    scry_json_add_str(w, "param", NULL);
    scry_json_add_str(w, "code", NULL);
    scry_json_end(w, '}');
    scry_json_end(w, '}');
}

static void respond_with_detail(request *r, int status, const char *name, const char *cause, const char *detail)
{
    while (r->headers > 0)
        free(r->header[--r->headers].value);
    bool openai = strncmp(r->path, "/v1/", 4) == 0;
    scry_buf b = SCRY_BUF_INIT(8192);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    if (openai)
        put_openai_error(&w, status, detail);
    else
        put_problem(&w, status, name, cause, detail);
    respond_json(r, status, &b);
    if (!openai)
        r->content_type = "application/problem+json";
    if (status == 503)
        respond_header(r, "Retry-After", "1");
    if (status == 500)
        scry_log(SCRY_LOG_WARN, "%s %s was answered with 500: %s", r->method, r->path, detail);
}

static void respond_with_problem(request *r, int status, const char *name, const char *fmt, va_list ap)
{
    char detail[512];
    vsnprintf(detail, sizeof detail, fmt, ap);
    respond_with_detail(r, status, name, NULL, detail);
}

void respond_problem(request *r, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    respond_with_problem(r, status, NULL, fmt, ap);
    va_end(ap);
}

void respond_named_problem(request *r, int status, const char *name, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    respond_with_problem(r, status, name, fmt, ap);
    va_end(ap);
}

void respond_unusable(request *r, int status, const char *what, const char *reason)
{
    char detail[512];
    snprintf(detail, sizeof detail, "%s: %s", what, reason);
    respond_with_detail(r, status, "undecodable", scry_skip_code(reason), detail);
}

void respond_error(request *r, const scry_error *err)
{
    int status = err->code == SCRY_ENOTFOUND ? 404 : err->code == SCRY_EINVALID ? 400
                 : err->code == SCRY_ELIMIT ? 413
                 : err->code == SCRY_EREMOTE || err->code == SCRY_ENOMEM || err->code == SCRY_EBUSY ? 503 : 500;
    if (status == 500)
        store_watch_failed(r->server->store_watch, err);
    respond_problem(r, status, "%s", err->message);
}

void respond_result(request *r, int result, const scry_error *err, scry_buf *json)
{
    if (result < 0)
        respond_error(r, err);
    else
        respond_json(r, 200, json);
    scry_buf_dispose(json);
}

void respond_header(request *r, const char *name, const char *fmt, ...)
{
    if (r->headers == MAX_RESPONSE_HEADERS)
        return;
    char value[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    r->header[r->headers].name = name;
    r->header[r->headers++].value = scry_strdup(value);
}

/* Sent with every response: no content sniffing, no framing, nothing loaded from other sites. */
static const char *const fixed_headers[][2] = {
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
      "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" },
};

enum MHD_Result request_send(request *r)
{
    struct MHD_Response *response = r->stream;
    uint64_t size = r->file >= 0 ? r->file_bytes : r->out.size;
    if (!response && r->file >= 0)
        response = MHD_create_response_from_fd_at_offset64(r->file_bytes, r->file, r->file_offset);
    if (!response) {
        size_t n = r->out.size;
        char *bytes = scry_buf_take(&r->out);
        response = MHD_create_response_from_buffer(n, bytes, MHD_RESPMEM_MUST_FREE);
    }
    if (!response)
        return MHD_NO;
    if (r->stream)
        connection_request_complete(r);
    else
        connection_response_began(r, size);
    if (r->content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->content_type);
    for (size_t i = 0; i < sizeof fixed_headers / sizeof *fixed_headers; i++)
        MHD_add_response_header(response, fixed_headers[i][0], fixed_headers[i][1]);
    /* libmicrohttpd 0.9.75 reads chunks and trailers leniently (a bare LF, a zero byte): what follows them is no request. */
    bool cached = false, closes = false, chunked = request_header(r, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
    for (size_t i = 0; i < r->headers; i++) {
        cached |= strcmp(r->header[i].name, "Cache-Control") == 0;
        closes |= strcmp(r->header[i].name, "Connection") == 0;
        MHD_add_response_header(response, r->header[i].name, r->header[i].value);
    }
    if (chunked) {
        connection_refused(r);
        if (!closes)
            MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    if (!cached)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(r->connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    r->sent = true;
    metrics_count(r->server->metrics, r);
    return result;
}
