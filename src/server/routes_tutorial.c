/* routes_tutorial.c - /search and /count of the service in Milvus's tutorial; its third call, /insert, is in
 * routes_change.c. */
#include "server/router.h"

#include "base/alloc.h"
#include "server/request.h"
#include "server/search.h"
#include "server/server.h"

#include <stdio.h>

static void count_get(request *r, worker_tools *tools)
{
    scry_store_info info;
    scry_error err = SCRY_ERROR_INIT;
    pthread_rwlock_rdlock(&r->server->store_lock);
    int result = scry_store_get_info(r->server->store, &info, &err);
    pthread_rwlock_unlock(&r->server->store_lock);
    if (result < 0) {
        respond_error(r, &err);
        return;
    }
    char text[32];
    snprintf(text, sizeof text, "%llu\n", (unsigned long long)info.files);
    respond_text(r, 200, "text/plain; charset=utf-8", text);
}

/* The body is the text itself. Parameters that we do not know are ignored, as the tutorial's service does. */
static void search_post(request *r, worker_tools *tools)
{
    search_job *j = search_job_new(SCRY_VIA_OPTIONS_URL);
    scry_error err = SCRY_ERROR_INIT;
    if (scry_request_set_line(&j->request, scry_buf_str(&r->body), &err) < 0)
        respond_error(r, &err);
    else if (search_read_url(r, j, true)) {
        search_submit(r, j);
        return;
    }
    search_job_free(j);
}

const route routes_tutorial[] = {
    { "GET", "/count", RUN_ON_WORKER, count_get, 0, false, ANY_QUERY },
    { "POST", "/search", RUN_ON_LOOP, search_post, SCRY_MAX_QUERY_BYTES, false, ANY_QUERY },
    { 0 },
};
