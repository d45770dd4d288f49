/* search_read.c - a search from an HTTP request: its query string, a form, or a JSON body.
 *
 * A request with a body may have parameters in its query string, too: they are those of the body.
 * What the parameters are and mean is in engine/search_request.h; here they are only handed over.
 */
#include "server/search.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "server/cache.h"
#include "server/form.h"
#include "server/multipart.h"

#include <stdlib.h>
#include <string.h>

search_job *search_job_new(scry_request_via via)
{
    search_job *j = scry_alloc(sizeof *j);
    scry_request_init(&j->request, via);
    j->groups = (scry_groups)SCRY_GROUPS_INIT;
    return j;
}

void search_job_free(search_job *j)
{
    if (!j)
        return;
    scry_request_dispose(&j->request);
    scry_groups_dispose(&j->groups);
    free(j->vector);
    free(j);
}

/* One parameter whose value is text of `size` bytes. */
static int set_text(search_job *j, const char *name, const char *text, size_t size, scry_error *err)
{
    char *value = scry_strndup(text ? text : "", size);
    bool zero = strlen(value) != size && scry_param_find(name, j->request.via);   /* else it is unknown */
    int r = zero ? scry_fail(err, SCRY_EINVALID, "%.40s holds a zero byte", name)
                                  : scry_request_set(&j->request, name, scry_text(value), err);
    free(value);
    return r;
}

typedef struct {
    search_job *job;
    bool ignore_unknown;
    int result;
    scry_error err;
} url;

static void read_arg(void *arg, const char *name, const char *value, size_t size)
{
    url *u = arg;
    if (u->result == 0 && !(u->ignore_unknown && !scry_param_find(name, u->job->request.via)))
        u->result = set_text(u->job, name, value, size, &u->err);
}

/* true, or a 4xx was made. */
static bool complete(request *r, search_job *j, int result, scry_error *err)
{
    if (result == 0)
        result = scry_request_finish(&j->request, err);
    if (result == SCRY_EINVALID)
        respond_named_problem(r, 400, "bad_parameter", "%s", err->message);
    else if (result < 0)
        respond_error(r, err);
    return result == 0;
}

static int read_args(const request *r, search_job *j, bool ignore_unknown, scry_error *err)
{
    url u = { j, ignore_unknown, 0, SCRY_ERROR_INIT };
    request_each_arg(r, read_arg, &u);
    if (u.result < 0)
        *err = u.err;
    return u.result;
}

bool search_read_url(request *r, search_job *j, bool ignore_unknown)
{
    scry_error err = SCRY_ERROR_INIT;
    int result = read_args(r, j, ignore_unknown, &err);
    return complete(r, j, result, &err);
}

bool search_read_json(request *r, search_job *j)
{
    scry_json *root = NULL;
    scry_error err = SCRY_ERROR_INIT;
    if (!request_json(r, &root))
        return false;
    int result = read_args(r, j, false, &err);
    if (result == 0)
        result = scry_request_set_members(&j->request, root, &err);
    scry_json_free(root);
    return complete(r, j, result, &err);
}

typedef struct {
    search_job *job;
    scry_error *err;
} form;

static int read_field(void *arg, const multipart_part *part)
{
    form *f = arg;
    if (strcmp(part->name, "image") != 0)
        return set_text(f->job, part->name, part->data, part->size, f->err);
    uint8_t id[16];
    char hex[33];
    if (part->size == 0)
        return scry_fail(f->err, SCRY_EINVALID, "image is empty: it takes a picture file");
    upload_keep(part->data, part->size, id);
    scry_hex(id, sizeof id, hex);
    return scry_request_set(&f->job->request, "image", scry_text(hex), f->err);
}

static int read_text_field(void *arg, const char *name, const char *value, size_t size)
{
    const form *f = arg;
    if (strcmp(name, "image") == 0)
        return scry_fail(f->err, SCRY_EINVALID, "image takes a file: send the form as multipart/form-data");
    return set_text(f->job, name, value, size, f->err);
}

bool search_read_form(request *r, search_job *j, const char *content_type)
{
    scry_error err = SCRY_ERROR_INIT;
    form f = { j, &err };
    const char *body = scry_buf_str(&r->body);
    int result = read_args(r, j, false, &err);
    if (result == 0 && form_is(content_type, body, r->body.size))
        result = form_read(body, r->body.size, read_text_field, &f, &err);
    else if (result == 0)
        result = multipart_read(content_type, body, r->body.size, read_field, &f, &err);
    return complete(r, j, result, &err);
}
