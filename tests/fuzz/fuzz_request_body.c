/* Any bytes as the JSON body of a search or a login. Either it is a valid search, or the answer is a problem
 * document. There is no connection: a function here replaces the one that reads its headers. */
#include "base/alloc.h"
#include "server/auth.h"
#include "server/search.h"
#include "server/server.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *MHD_lookup_connection_value(struct MHD_Connection *c, enum MHD_ValueKind kind, const char *key)
{
    return NULL;
}

static void check_problem(const request *r)
{
    scry_json *problem;
    scry_error err = SCRY_ERROR_INIT;
    if (r->status < 400 || r->status > 499 || strcmp(r->content_type, "application/problem+json") != 0)
        abort();
    if (scry_json_parse(&problem, r->out.data, r->out.size, "the answer", &err) < 0)
        abort();
    if (scry_json_int(scry_json_get(problem, "status"), 0) != r->status)
        abort();
    scry_json_free(problem);
}

static void check_search(request *r)
{
    search_job *j = search_job_new(SCRY_VIA_JSON);
    if (search_read_json(r, j)) {
        const scry_search *q = &j->request.search;
        const scry_query_part *parts;
        size_t n = scry_query_parts(j->request.query, &parts);
        for (size_t i = 0; i < n; i++)
            if (!(fabs(parts[i].weight) > 0 && fabs(parts[i].weight) <= 100))
                abort();
        if (n == 0 || n > SCRY_MAX_QUERY_PARTS || !j->request.shown.size)
            abort();
        if (q->limit < 1 || q->limit > 1000 || !(q->fold >= 0 && q->fold <= 1) ||
            !(q->min_score >= -2 && q->min_score <= 1))
            abort();
    } else {
        check_problem(r);
    }
    search_job_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const scry_model_info info = { .name = "none", .dim = 8, .min_score = 0.2 };
    server s = { .info = &info, .token = "0123456789abcdef", .session_cookie = "cookie" };
    if (size < 1 || size > 1 << 20)
        return 0;
    request *r = request_new(&s, NULL, "/");
    r->method = "POST";
    r->path = scry_strdup("/");
    r->body.limit = size + 1;
    scry_buf_append(&r->body, data + 1, size - 1);
    if (data[0] & 1) {
        check_search(r);
    } else {
        auth_login(r, NULL);
        if (r->status != 204)
            check_problem(r);
    }
    request_free(r);
    return 0;
}
