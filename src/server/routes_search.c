/* routes_search.c - /api/v1/search in its three forms, and "more like this". */
#include "server/server.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "scry/query.h"

#include <stdlib.h>
#include <string.h>

/* GET /api/v1/search?q=... */
static void search_get(request *r, worker_tools *tools)
{
    search_job *j = search_job_new();
    scry_error err = SCRY_ERROR_INIT;
    const char *q = request_arg(r, "q");
    if (!q || !q[0])
        respond_problem(r, 400, "the parameter q is missing: say what to look for");
    else if (scry_query_parse_line(&j->query, q, &err) < 0)
        respond_error(r, &err);
    else if (search_read_args(r, j)) {
        j->shown = scry_strdup(q);
        search_submit(r, j);
        return;
    }
    search_job_free(j);
}

/* GET /api/v1/images/{id}/similar */
static void similar_get(request *r, worker_tools *tools)
{
    search_job *j = search_job_new();
    scry_error err = SCRY_ERROR_INIT;
    char *line = scry_asprintf("@id:%s", r->param[0]);
    if (scry_query_parse_line(&j->query, line, &err) < 0)
        respond_problem(r, 404, "there is no picture %.64s", r->param[0]);
    else if (search_read_args(r, j)) {
        j->shown = line;
        search_submit(r, j);
        return;
    }
    free(line);
    search_job_free(j);
}

/* POST /api/v1/search: the same parameters, and pictures as files "image" of a form. A JSON body
 * has the members of search_read_json. */
static void search_post(request *r, worker_tools *tools)
{
    const char *type = request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
    search_job *j = search_job_new();
    bool form = type && strncasecmp(type, "multipart/", 10) == 0;
    if (form ? search_read_form(r, j, type) : search_read_json(r, j))
        search_submit(r, j);
    else
        search_job_free(j);
}

const route routes_search[] = {
    { "POST", "/api/v1/search", RUN_ON_WORKER, search_post, 128 << 20, false },
    { "GET", "/api/v1/search", RUN_ON_LOOP, search_get, 0, false },
    { "GET", "/api/v1/images/{id}/similar", RUN_ON_LOOP, similar_get, 0, false },
    { 0 },
};
