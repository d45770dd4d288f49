/* server.h - inside `scry serve`: one process, model and store loaded once.
 *
 *     event loop (libmicrohttpd, one thread)
 *        | a complete request whose handler is quick: answered at once
 *        | a search: suspended --> search thread: everything that waits is embedded and scanned
 *        |                         in one batch, then resumed
 *        | anything heavier (decoding, files): suspended --> workers, each with its own
 *        |                         decoder process and session, then resumed
 *
 * The loop never computes and never touches a disk for long; both queues are bounded, a full
 * one answers 503 with Retry-After. A request lives from its first byte to the end of its
 * response and belongs to one thread at a time: loop, then queue, then loop again.
 */
#ifndef SCRY_SERVER_H
#define SCRY_SERVER_H

#include "base/buf.h"
#include "base/json.h"
#include "image/image.h"
#include "scry/model.h"
#include "scry/query.h"
#include "scry/score.h"
#include "scry/serve.h"
#include "scry/store.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

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
    bool open;                /* needs no token: health, login, the page's own files */
} route;

/* All routes, ended by NULL; each table ends with a NULL method. One table a file routes_*.c. */
extern const route *const route_tables[];
extern const route routes_page[], routes_search[], routes_images[], routes_uploads[], routes_lists[], routes_embed[],
    routes_change[], routes_status[], routes_index[], routes_tutorial[];

enum { MAX_PATH_PARAMS = 2, MAX_RESPONSE_HEADERS = 8, MAX_KEPT_ARGS = 64, MAX_JSON_BODY = 4 << 20 };

struct request {
    request *next;                       /* in a queue */
    server *server;
    struct MHD_Connection *connection;
    const route *route;
    const char *method;                  /* owned by libmicrohttpd, as long as the request */
    char *path;                          /* percent-decoded, owned */
    char *param[MAX_PATH_PARAMS];        /* owned: what {x} stood for */
    scry_buf body;
    uint64_t body_bytes;                 /* that came, kept or not */
    bool body_refused;                   /* no room for it, for good: 413 or 503 when it is over */
    char *kept[MAX_KEPT_ARGS];           /* owned: parameters that came in the body */
    size_t kept_count;
    bool dispatched, ready, sent;        /* handed on; response made; response queued */
    double start_ms;

    int status;                          /* the response */
    const char *content_type;            /* static string */
    scry_buf out;
    int file;                            /* sent instead of `out` when >= 0; the response owns it */
    uint64_t file_offset, file_bytes;
    struct { const char *name; char *value; } header[MAX_RESPONSE_HEADERS];   /* values owned */
    size_t headers;
    struct MHD_Response *stream;         /* made by the handler itself (events); else NULL */
    struct search_job *search;           /* set: the search thread takes it */
    handler *later;                      /* set by a handler on the loop: a worker goes on with it */
};

/* Who may write to the store now: nobody, a request for its short change, an index run. */
typedef enum { WRITER_FREE, WRITER_CHANGE, WRITER_RUN } writer_claim;

struct server {
    scry_serve_options options;
    scry_store *store;
    scry_model *model;
    const scry_model_info *info;
    scry_line *line;                     /* between hits and the rest; NULL when not known */
    struct MHD_Daemon *daemon;
    atomic_int draining;
    struct work_queue *search_queue, *work_queue;
    pthread_t search_thread, *worker_threads;
    struct search_batch *search_batch;   /* NULL: there is no search thread */
    int worker_count;
    size_t bodies_bytes;                 /* of all requests, kept in memory (loop only) */
    struct job_list *jobs;
    struct metrics *metrics;
    struct connection_list *connections;
    pthread_rwlock_t store_lock;         /* write: refresh; read: all else. `store` is read only */
    pthread_mutex_t writer_lock;         /* guards `writer`: one change at a time (jobs.h) */
    pthread_cond_t writer_released;
    writer_claim writer;
    atomic_uint changes;                 /* made through this server */
    pthread_mutex_t facets_lock;         /* guards the three below (routes_lists.c) */
    char *facets;                        /* owned: the last answer; NULL: none yet */
    double facets_until_ms;
    unsigned facets_change;              /* `changes` when it was made */
    char token[256];                     /* "" when no token is asked for */
    char session_cookie[65];             /* what a login with the token is given */
    char *host_port;                     /* "127.0.0.1:8080" as bound */
};

/* ---- request.c: reading a request, making a response ---- */

request *request_new(server *s, struct MHD_Connection *c, const char *method, const char *path);
void request_free(request *r);

/* Query string parameters, decoded. NULL when absent. */
const char *request_arg(const request *r, const char *name);

/* Call `each` with every value of a repeatable parameter. */
void request_each_arg(const request *r, const char *name, void (*each)(void *arg, const char *value), void *arg);
const char *request_header(const request *r, const char *name);

/* A whole number from the query string: `fallback` when absent; false when it is none or out of
 * range (a 400 has been made then). */
bool request_int(request *r, const char *name, long long fallback, long long min, long long max, long long *out);

/* The body as JSON, to be freed; false: a 400 was made, or a 413 for more than MAX_JSON_BODY bytes, which
 * a route that takes pictures too lets through. */
bool request_json(request *r, scry_json **out);

void respond_text(request *r, int status, const char *content_type, const char *text);
void respond_bytes(request *r, int status, const char *content_type, const void *bytes, size_t n);
void respond_json(request *r, int status, scry_buf *json);             /* takes what is in the buffer */

/* An error: what was answered before is dropped, its headers with it. */
void respond_problem(request *r, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void respond_error(request *r, const scry_error *err);                  /* the status follows the code */
void respond_result(request *r, int result, const scry_error *err, scry_buf *json);   /* error, or 200; json is disposed */
void respond_header(request *r, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Queue the finished response on the connection (loop only). */
enum MHD_Result request_send(request *r);

/* ---- router.c ---- */

/* The route of method and path; NULL when there is none, *status says 404 or 405 then and *allow
 * (a static buffer of the caller's, 64 bytes) the methods that there are. */
const route *route_find(request *r, int *status, char allow[64]);

/* ---- queue.c: bounded queues between the loop and the threads ---- */

struct work_queue *queue_new(size_t limit);
bool queue_push(struct work_queue *q, request *r);                      /* false: full or closed */
size_t queue_take(struct work_queue *q, request **out, size_t max);     /* waits; 0: closed and empty */
size_t queue_length(struct work_queue *q);
void queue_close(struct work_queue *q);
void queue_free(struct work_queue *q);

/* A thread is done with the request: back to the loop, which sends the response. */
void request_finish(request *r);

/* ---- search.c: one search, and the thread that answers all that wait at once ---- */

typedef struct search_job {
    scry_query *query;                   /* owned; NULL: list files without a query */
    scry_filter_pool *filters;           /* owned */
    scry_search search;                  /* its filter lives in `filters` */
    bool auto_min_score;                 /* leave out what is below `line` */
    double line;                         /* the lowest score of a hit for this query; NAN when not known */
    bool similar;                        /* leave out the picture that was asked with */
    char *shown;                         /* owned: the query as text, for the answer */
    float *vector;                       /* owned: set when the query is embedded already */
} search_job;

search_job *search_job_new(void);
void search_job_free(search_job *j);

/* Parameters of the query string that say which pictures (in, after, before, camera, near, format,
 * label, key), and with _args how many too (limit, cursor, min_score, all_copies, fold); false: a 400
 * was made. */
bool search_read_filters(request *r, search_job *j);
bool search_read_args(request *r, search_job *j);

/* The same from a JSON body, and from a multipart form: search_body.c. */
bool search_read_json(request *r, search_job *j);
bool search_read_form(request *r, search_job *j, const char *content_type);

/* Hand the search on (loop): to the search thread, by way of a worker when pictures have to be
 * decoded. Takes the job. */
void search_submit(request *r, search_job *j);

/* ---- the threads: search.c, work.c ---- */

int search_thread_start(server *s, scry_error *err);
void search_thread_stop(server *s);
int workers_start(server *s, scry_error *err);
void workers_stop(server *s);

/* ---- auth.c: who may come in ---- */

/* Host, Origin and token. true when the request may go on; else a 4xx has been made. */
bool auth_check(request *r);
int auth_read_token(server *s, scry_error *err);
handler auth_login, auth_logout;

/* ---- connections.c: cut off clients that drip ---- */

struct connection_list *connections_new(int client_ms);
void connections_notify(void *list, struct MHD_Connection *c, void **slot, enum MHD_ConnectionNotificationCode what);
void connection_body_grew(request *r);          /* headers are complete; some of the body came */
void connection_request_complete(request *r);   /* so is the body: no deadline while it is worked on */
void connection_answer_began(request *r, uint64_t bytes);
void connection_answer_sent(request *r);
void connections_free(struct connection_list *l);

/* ---- metrics.c ---- */

struct metrics *metrics_new(void);
void metrics_count(struct metrics *m, const request *r);
void metrics_write(struct metrics *m, server *s, scry_buf *out);   /* asks the store: not on the loop */
void metrics_free(struct metrics *m);

#endif
