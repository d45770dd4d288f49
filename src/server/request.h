/* request.h - one HTTP request: reading it and making the response. */
#ifndef SCRY_SERVER_REQUEST_H
#define SCRY_SERVER_REQUEST_H

#include "base/buf.h"
#include "base/json.h"
#include "image/image.h"
#include "scry/model.h"
#include "server/strict.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct server server;
typedef struct request request;

/* What a worker thread owns. */
typedef struct worker_tools {
    scry_decoder *decoder;
    scry_session *session;    /* one thread */
} worker_tools;

typedef void handler(request *r, worker_tools *tools);   /* tools: NULL on the loop */

typedef enum { RUN_ON_LOOP, RUN_ON_WORKER } run_where;

typedef struct route {
    const char *method;
    const char *pattern;      /* "/api/v1/images/{id}/thumbnail": {x} is one path segment */
    run_where where;
    handler *handle;
    size_t max_body_bytes;    /* 0: no body is taken */
    bool open;                /* no token required: health, login, the files of the page */
    const char *query;        /* the parameters of the query string that it takes, separated by spaces, or ANY_QUERY */
} route;

#define ANY_QUERY "*"         /* the handler refuses what it does not know; pages and health take anything */

enum { MAX_PATH_PARAMS = 2, MAX_RESPONSE_HEADERS = 8, MAX_JSON_BODY = 4 << 20 };

struct request {
    request *next;                       /* in a queue */
    server *server;
    struct MHD_Connection *connection;
    const route *route;
    request_line line;
    const char *method;                  /* owned by libmicrohttpd, as long as the request */
    char *path;                          /* percent-decoded, owned; NULL until the header is complete */
    char *param[MAX_PATH_PARAMS];        /* owned: the values of {x} in the pattern */
    scry_buf body;
    uint64_t body_bytes;                 /* received, stored or not */
    bool body_refused;                   /* not stored any more: 413 or 503 once it is complete */
    bool ended;                          /* an answer was sent past libmicrohttpd, which closes the connection */
    bool dispatched, ready, sent;        /* to a handler; response made; response queued */
    double start_ms;

    int status;                          /* the response */
    const char *content_type;            /* static string */
    scry_buf out;
    int file;                            /* sent instead of `out` when >= 0; the response owns it */
    uint64_t file_offset, file_bytes;
    struct { const char *name; char *value; } header[MAX_RESPONSE_HEADERS];   /* values owned */
    size_t headers;
    struct MHD_Response *stream;         /* made by the handler (events); else NULL */
    struct search_job *search;           /* set: to be run by the search thread */
    struct zip_download *download;       /* of `stream`, which owns it: routes_zip.c */
    handler *later;                      /* set by a handler on the loop: to be run by a worker */
};

/* `address` is for request_line_read. */
request *request_new(server *s, struct MHD_Connection *c, const char *address);
void request_free(request *r);

/* Query string parameters, decoded. NULL when absent. */
const char *request_arg(const request *r, const char *name);

/* Call `each` with every parameter of the query string; `value` may hold zero bytes, and is NULL where there is no "=". */
typedef void request_arg_fn(void *arg, const char *name, const char *value, size_t size);
void request_each_arg(const request *r, request_arg_fn *each, void *arg);
const char *request_header(const request *r, const char *name);

/* Whether If-None-Match lists the tag, which is quoted. Weak tags match too: a proxy that compresses makes tags weak. */
bool request_has_tag(const request *r, const char *tag);

/* A whole number from the query string: `fallback` when absent; false when it is not a number or out of
 * range (a 400 has been made). */
bool request_int(request *r, const char *name, long long fallback, long long min, long long max, long long *out);

/* The language of names of places (engine/place_list.h) from the query string: NULL when absent; false when there are no names in
 * it (a 400 has been made). */
bool request_language(request *r, const char **out);

/* The body as JSON, to be freed; false: a 400 was made, or a 413 for more than MAX_JSON_BODY bytes (routes that
 * also accept pictures have a larger limit of their own). */
bool request_json(request *r, scry_json **out);

/* Whether a body is a JSON object whose members are all among `known` (names separated by spaces); false: a 400 was made. */
bool request_members(request *r, const scry_json *body, const char *known);

/* The same of one name, of a field of a form. */
bool request_knows(request *r, const char *name, const char *known);

/* The same of the query string and what the route takes there. */
bool request_query_is_known(request *r);

/* Whether a body is a JSON object, whatever its members; false: a 400 was made. */
bool request_is_object(request *r, const scry_json *body);

/* A member that is a text, which stays the body's; *out is left as it is where the member is absent; false: a 400 was made. */
bool request_text(request *r, const scry_json *body, const char *name, const char **out);

/* A member that is true or false, which is false when it is absent; false: a 400 was made. */
bool request_flag(request *r, const scry_json *body, const char *name, bool *out);

void respond_text(request *r, int status, const char *content_type, const char *text);
void respond_bytes(request *r, int status, const char *content_type, const void *bytes, size_t n);
void respond_json(request *r, int status, scry_buf *json);             /* takes the bytes of the buffer */

/* An error response; it replaces a response made before, with its headers. */
void respond_problem(request *r, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with a name that stays when the words change: the page says it in its language (problem_NAME in web/strings/). */
void respond_named_problem(request *r, int status, const char *name, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A picture that cannot be decoded, "WHAT: REASON": the problem "undecodable", and the reason's name (engine/skip_code.h) as its cause. */
void respond_unusable(request *r, int status, const char *what, const char *reason);
void respond_error(request *r, const scry_error *err);                  /* the status depends on the code */
void respond_result(request *r, int result, const scry_error *err, scry_buf *json);   /* an error, or 200; disposes json */
void respond_header(request *r, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Queue the finished response on the connection (loop only). */
enum MHD_Result request_send(request *r);

/* Called by a thread that has finished with the request: the loop sends the response. */
void request_finish(request *r);

#endif
