/* routes_search.c - /api/v1/search in its three forms, and "more like this". */
#include "server/router.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "scry/query.h"
#include "server/form.h"
#include "server/request.h"
#include "server/search.h"

#include <stdlib.h>
#include <string.h>

/* GET /api/v1/search?q=... */
static void search_get(request *r, worker_tools *tools)
{
    search_job *j = search_job_new(SCRY_VIA_URL);
    if (search_read_url(r, j, false))
        search_submit(r, j);
    else
        search_job_free(j);
}

/* GET /api/v1/images/{id}/similar */
static void similar_get(request *r, worker_tools *tools)
{
    search_job *j = search_job_new(SCRY_VIA_OPTIONS_URL);
    if (scry_request_set_stored(&j->request, r->param[0], NULL) < 0)
        respond_problem(r, 404, "there is no picture %.64s", r->param[0]);
    else if (search_read_url(r, j, false)) {
        search_submit(r, j);
        return;
    }
    search_job_free(j);
}

/* POST /api/v1/search: a form, which may hold pictures if it is a multipart one, or JSON. */
static void search_post(request *r, worker_tools *tools)
{
    const char *type = request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
    bool form = (type && strncasecmp(type, "multipart/", 10) == 0) || form_is(type, scry_buf_str(&r->body), r->body.size);
    search_job *j = search_job_new(form ? SCRY_VIA_FORM : SCRY_VIA_JSON);
    if (form ? search_read_form(r, j, type) : search_read_json(r, j))
        search_submit(r, j);
    else
        search_job_free(j);
}

const route routes_search[] = {
    { "POST", "/api/v1/search", RUN_ON_WORKER, search_post, 128 << 20, false, ANY_QUERY },
    { "GET", "/api/v1/search", RUN_ON_LOOP, search_get, 0, false, ANY_QUERY },
    { "GET", "/api/v1/images/{id}/similar", RUN_ON_LOOP, similar_get, 0, false, ANY_QUERY },
    { 0 },
};
