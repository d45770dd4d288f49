#include "server/workers.h"

#include "base/alloc.h"
#include "base/pool.h"
#include "server/queue.h"
#include "server/request.h"
#include "server/server.h"

#include <stdlib.h>

typedef struct {
    server *server;
    worker_tools tools;
} worker;

static void *work_loop(void *arg)
{
    worker *w = arg;
    request *r;
    while (queue_take(w->server->work_queue, &r, 1) == 1) {
        for (handler *later; (later = r->later);) {   /* a handler may set the next one */
            r->later = NULL;
            later(r, &w->tools);
        }
        /* A search whose picture is embedded goes to the search thread. */
        bool search = r->search && r->status == 0;
        if (search && queue_push(w->server->search_queue, r))
            continue;
        if (search)
            respond_problem(r, 503, "too many requests are waiting: try again in a moment");
        request_finish(r);
    }
    scry_decoder_free(w->tools.decoder);
    scry_session_free(w->tools.session);
    free(w);
    return NULL;
}

static int start_one(server *s, pthread_t *thread, scry_error *err)
{
    worker *w = scry_alloc(sizeof *w);
    w->server = s;
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    d.time_limit_ms = s->options.time_limit_s * 1000;
    int r = scry_decoder_new(&w->tools.decoder, &d, err);
    if (r == 0 && s->worker_count == 0)   /* what is not installed well is said at once, not by the first picture */
        r = scry_decoder_start(w->tools.decoder, err);
    if (r == 0)
        r = scry_session_new(&w->tools.session, s->model, 1, err);
    if (r == 0 && pthread_create(thread, NULL, work_loop, w) != 0)
        r = scry_fail(err, SCRY_ENOMEM, "cannot start a worker thread");
    if (r < 0) {
        scry_decoder_free(w->tools.decoder);
        scry_session_free(w->tools.session);
        free(w);
    }
    return r;
}

int workers_start(server *s, scry_error *err)
{
    int n = scry_worker_count(s->options.workers), r = 0;
    s->worker_threads = scry_alloc((size_t)n * sizeof *s->worker_threads);
    for (s->worker_count = 0; r == 0 && s->worker_count < n; s->worker_count += r == 0)
        r = start_one(s, &s->worker_threads[s->worker_count], err);
    return r;
}

void workers_stop(server *s)
{
    queue_close(s->work_queue);
    for (int i = 0; i < s->worker_count; i++)
        pthread_join(s->worker_threads[i], NULL);
    free(s->worker_threads);
    s->worker_threads = NULL;
    s->worker_count = 0;
}
