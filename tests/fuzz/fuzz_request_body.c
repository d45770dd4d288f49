/* Any bytes as the JSON body of a search or a login. Either it is understood, and then the search is one that
 * may be made, or a problem document is the answer. Parameters go where libmicrohttpd keeps them; here
 * three functions of our own stand for it, so that no connection is needed. */
#include "server/server.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct { const char *name, *value; } args[2 * MAX_KEPT_ARGS];
static size_t arg_count;

const char *MHD_lookup_connection_value(struct MHD_Connection *c, enum MHD_ValueKind kind, const char *key)
{
    for (size_t i = 0; i < arg_count; i++)
        if (strcmp(args[i].name, key) == 0)
            return args[i].value;
    return NULL;
}

int MHD_get_connection_values(struct MHD_Connection *c, enum MHD_ValueKind kind, MHD_KeyValueIterator each, void *arg)
{
    for (size_t i = 0; i < arg_count; i++)
        each(arg, kind, args[i].name, args[i].value);
    return (int)arg_count;
}

enum MHD_Result MHD_set_connection_value(struct MHD_Connection *c, enum MHD_ValueKind kind, const char *key, const char *value)
{
    if (arg_count == sizeof args / sizeof *args)
        abort();
    args[arg_count].name = key;
    args[arg_count++].value = value;
    return MHD_YES;
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
    search_job *j = search_job_new();
    if (search_read_json(r, j)) {
        const scry_search *q = &j->search;
        if (!j->query || !j->shown || q->limit < 1 || q->limit > 1000 || !(q->fold >= 0 && q->fold <= 1) ||
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
    arg_count = 0;
    request *r = request_new(&s, NULL, "POST", "/");
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
