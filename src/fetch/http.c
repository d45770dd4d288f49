#include "fetch/http.h"

#include "base/alloc.h"

#include <curl/curl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_REDIRECTS = 5, STALL_SECONDS = 60, CONNECT_SECONDS = 30 };

typedef struct {
    const http_request *request;
    http_response *response;
    CURL *curl;
    struct curl_slist *headers;
    bool started, stopped, too_long;
    int64_t range_start;   /* of Content-Range; -1 when absent */
    uint64_t received;
} transfer;

/* "VALUE" or W/"VALUE" to `out`. */
static void unquote(char *out, size_t size, const char *value, size_t n)
{
    if (n > 2 && strncmp(value, "W/", 2) == 0)
        value += 2, n -= 2;
    if (n >= 2 && value[0] == '"' && value[n - 1] == '"')
        value++, n -= 2;
    if (n < size) {
        memcpy(out, value, n);
        out[n] = '\0';
    }
}

static bool is_header(const char *line, size_t n, const char *name, const char **value, size_t *length)
{
    size_t k = strlen(name);
    if (n <= k || line[k] != ':' || strncasecmp(line, name, k) != 0)
        return false;
    const char *p = line + k + 1, *end = line + n;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    *value = p;
    *length = (size_t)(end - p);
    return true;
}

/* The seconds t of `"api";r=0;t=57`, which the hub sends with 429; -1 without. */
static int rate_limit_reset(const char *value, size_t n)
{
    char text[100];
    snprintf(text, sizeof text, "%.*s", n < sizeof text ? (int)n : 0, value);
    const char *t = strstr(text, ";t=");
    long seconds = t ? strtol(t + 3, NULL, 10) : -1;
    return seconds > 0 && seconds < INT_MAX ? (int)seconds : -1;
}

static size_t take_header(char *line, size_t size, size_t count, void *arg)
{
    transfer *t = arg;
    http_response *r = t->response;
    size_t n = size * count, length;
    const char *value;
    char number[32] = "";
    const struct { const char *name; char *out; size_t size; } texts[] = {   /* of the first answer */
        { "X-Linked-Etag", r->linked_etag, sizeof r->linked_etag }, { "ETag", r->etag, sizeof r->etag },
        { "X-Repo-Commit", r->commit, sizeof r->commit }, { "X-Error-Code", r->error_code, sizeof r->error_code }
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!texts[i].out[0] && is_header(line, n, texts[i].name, &value, &length))
            unquote(texts[i].out, texts[i].size, value, length);
    if (is_header(line, n, "X-Linked-Size", &value, &length) && length < sizeof number)
        r->linked_size = strtoll(memcpy(number, value, length), NULL, 10);
    else if (is_header(line, n, "RateLimit", &value, &length))
        r->retry_after = rate_limit_reset(value, length);
    else if (is_header(line, n, "Content-Range", &value, &length) && length > 6 && strncasecmp(value, "bytes ", 6) == 0 &&
             length - 6 < sizeof number)
        t->range_start = strtoll(memcpy(number, value + 6, length - 6), NULL, 10);
    return n;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
    transfer *t = arg;
    size_t n = size * count;
    bool restart = false;
    if (!t->started) {
        t->started = true;
        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->response->status);
        restart = t->request->offset && !(t->response->status == 206 && t->range_start == (int64_t)t->request->offset);
    }
    t->received += n;
    t->too_long = t->received > t->request->limit;
    if (t->too_long || t->request->body(t->request->arg, bytes, n, restart) != 0) {
        t->stopped = true;
        return 0;
    }
    return n;
}

static bool is_cancelled(const http_request *r)
{
    return r->cancel && atomic_load(r->cancel);
}

/* Called about once a second while nothing arrives, more often otherwise. */
static int watch(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    return is_cancelled(((transfer *)arg)->request);
}

static void set_options(CURL *curl, transfer *t, char *problem)
{
    const http_request *r = t->request;
    bool plain = strncmp(r->url, "http://", 7) == 0;
    curl_easy_setopt(curl, CURLOPT_URL, r->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, plain ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "scry/" SCRY_VERSION);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    if (r->token) {   /* libcurl drops this header when it is redirected to another host, port or scheme */
        char *bearer = scry_asprintf("Authorization: Bearer %s", r->token);
        t->headers = curl_slist_append(NULL, bearer);
        free(bearer);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, t->headers);
    }
    if (r->offset) {   /* not CURLOPT_RESUME_FROM: an answer from the beginning is not an error here */
        char range[32];
        snprintf(range, sizeof range, "%llu-", (unsigned long long)r->offset);
        curl_easy_setopt(curl, CURLOPT_RANGE, range);
    }
}

static bool may_pass(CURLcode code, long status)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return true;
    case CURLE_HTTP_RETURNED_ERROR: return status == 429 || status >= 500;
    default: return false;
    }
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_get(const http_request *request, http_response *out, bool *transient, scry_error *err)
{
    char problem[CURL_ERROR_SIZE] = "";
    *out = (http_response){ .linked_size = -1, .retry_after = -1 };
    *transient = false;
    if (is_cancelled(request))
        return scry_fail(err, SCRY_ECANCELLED, "stopped before the end: the same command goes on from there");
    pthread_once(&once, start_curl);
    CURL *curl = curl_easy_init();
    if (!curl)
        return scry_fail(err, SCRY_ENOMEM, "libcurl does not start");
    transfer t = { .request = request, .response = out, .curl = curl, .range_start = -1 };
    set_options(curl, &t, problem);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
    curl_off_t pause = 0;
    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &pause) == CURLE_OK && pause > 0)
        out->retry_after = pause < INT_MAX ? (int)pause : INT_MAX;
    curl_easy_cleanup(curl);
    curl_slist_free_all(t.headers);
    if (code == CURLE_OK)
        return 0;
    if (t.too_long)
        return scry_fail(err, SCRY_ELIMIT, "%s sends more than the %llu bytes it should", request->url,
                         (unsigned long long)request->limit);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return scry_fail(err, SCRY_ECANCELLED, "stopped before the end: the same command goes on from there");
    if (t.stopped)
        return err && err->code ? err->code : SCRY_EIO;
    *transient = may_pass(code, out->status);
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return scry_fail(err, SCRY_EREMOTE, "%s: the host answers %ld", request->url, out->status);
    return scry_fail(err, SCRY_EREMOTE, "%s: %s", request->url, problem[0] ? problem : curl_easy_strerror(code));
}
