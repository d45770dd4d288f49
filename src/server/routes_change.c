/* routes_change.c - add pictures (uploaded, or by path below a root) and forget them. */
#include "server/jobs.h"
#include "server/multipart.h"
#include "server/pictures.h"
#include "server/server.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "engine/file_json.h"
#include "scry/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_UPLOADS = 64, MAX_UPLOAD_BODY = 256 << 20 };

/* What one request adds: files that were written to the media folder, or a path that it named. */
typedef struct {
    request *request;
    char *folder;                 /* the media folder */
    char *paths[MAX_UPLOADS];     /* owned */
    size_t count;
    char reason[512];             /* of the first file that was refused */
} addition;

static bool allowed(request *r, bool flag, const char *option)
{
    if (!flag)
        respond_problem(r, 403, "this is off here: start the server with %s", option);
    return flag;
}

/* The store's own folder for uploads, a root of its collection; owned. */
static char *media_folder(request *r, scry_error *err)
{
    scry_store_info info;
    scry_store_describe(r->server->store, &info);
    char *base = strncmp(info.where, "milvus", 6) == 0 ? scry_data_dir() : scry_strdup(info.where);
    char *folder = scry_asprintf("%s/media/%s", base, info.collection);
    free(base);
    if (scry_make_dirs(folder, err) < 0) {
        free(folder);
        return NULL;
    }
    char *real = realpath(folder, NULL);
    free(folder);
    return real;
}

/* The extension by content: names that come from outside name nothing here. */
static const char *extension_of(const void *bytes, size_t n)
{
    scry_format f = scry_sniff_format(bytes, n);
    return f == SCRY_FORMAT_JPEG ? "jpg" : f == SCRY_FORMAT_NONE ? NULL : scry_format_name(f);
}

/* Keep the bytes as HASH.ext in the media folder: the same picture twice is one file. */
static int keep_upload(addition *a, const void *bytes, size_t n, scry_error *err)
{
    uint8_t digest[SCRY_SHA256_BYTES];
    char hex[2 * SCRY_SHA256_BYTES + 1];
    const char *extension = extension_of(bytes, n);
    if (!extension)
        return scry_fail(err, SCRY_EINVALID, "the upload is not a picture");
    if (a->count == MAX_UPLOADS)
        return scry_fail(err, SCRY_ELIMIT, "more than %d pictures at a time", MAX_UPLOADS);
    scry_sha256_of(bytes, n, digest);
    scry_hex(digest, sizeof digest, hex);
    char *path = scry_asprintf("%s/%s.%s", a->folder, hex, extension);
    int r = access(path, F_OK) == 0 ? 0 : scry_write_file(path, bytes, n, err);
    if (r < 0)
        free(path);
    else
        a->paths[a->count++] = path;
    return r;
}

static int keep_part(void *arg, const multipart_part *part)
{
    addition *a = arg;
    scry_error err = SCRY_ERROR_INIT;
    if (strcmp(part->name, "image") != 0 || keep_upload(a, part->data, part->size, &err) == 0)
        return 0;
    respond_problem(a->request, err.code == SCRY_EINVALID ? 415 : err.code == SCRY_ELIMIT ? 413 : 500, "%s", err.message);
    return 1;
}

static void note_skip(void *arg, const char *path, const char *reason)
{
    addition *a = arg;
    if (!a->reason[0])
        snprintf(a->reason, sizeof a->reason, "%s", reason);
}

/* Index the paths and answer with the first one's record. */
static void index_added(addition *a)
{
    request *r = a->request;
    server *s = r->server;
    scry_store *writer = NULL;
    scry_error err = SCRY_ERROR_INIT;
    scry_index_options o = SCRY_INDEX_OPTIONS_INIT;
    o.paths = (const char *const *)a->paths;
    o.path_count = a->count;
    o.retry = true;
    o.workers = 1;
    o.skipped = note_skip;
    o.arg = a;
    int result = server_writer_open(s, &writer, &err);
    if (result == 0) {
        result = scry_index_run(writer, s->model, &o, NULL, &err);
        int closed = server_writer_close(s, writer, result < 0 ? NULL : &err);
        result = result < 0 ? result : closed;
    }
    if (result < 0)
        respond_error(r, &err);
    else if (a->reason[0])
        respond_problem(r, 415, "the picture cannot be used: %s", a->reason);
}

/* The file that lies at `path`, by way of its filter: roots may have any shape. */
static int first_file(void *arg, const scry_file *f)
{
    scry_buf *b = arg;
    scry_json_writer w = SCRY_JSON_WRITER_INIT(b);
    scry_json_begin(&w, '{');
    scry_json_put_file(&w, f);
    scry_json_end(&w, '}');
    return 1;
}

static void answer_added(addition *a)
{
    request *r = a->request;
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_filter_pool *pool = scry_filter_pool_new();
    pthread_rwlock_rdlock(&r->server->store_lock);
    const scry_filter_node *here = scry_filter_text(pool, SCRY_FILTER_IN, a->paths[0]);
    int result = scry_store_each_file(r->server->store, here, NULL, first_file, &b, &err);
    pthread_rwlock_unlock(&r->server->store_lock);
    scry_filter_pool_free(pool);
    if (result < 0)
        respond_error(r, &err);
    else if (b.size == 0)
        respond_problem(r, 500, "the picture was added but is not found again");
    else
        respond_json(r, 201, &b);
    scry_buf_dispose(&b);
}

/* {"path": "/absolute/below/a/root.jpg"} */
static bool take_path(addition *a)
{
    request *r = a->request;
    scry_json *root = NULL;
    scry_error err = SCRY_ERROR_INIT;
    if (scry_json_parse(&root, scry_buf_str(&r->body), r->body.size, "the body", &err) < 0) {
        respond_error(r, &err);
        return false;
    }
    const char *path = scry_json_str(scry_json_get(root, "path"), NULL);
    char *real = path && path[0] == '/' ? realpath(path, NULL) : NULL;
    if (!path || path[0] != '/')
        respond_problem(r, 400, "path must be an absolute path");
    else if (!real || !below_root(r, real))
        respond_problem(r, 403, "the path is not a file below one of the roots");
    else
        a->paths[a->count++] = scry_strdup(real);
    free(real);
    scry_json_free(root);
    return a->count > 0;
}

static void images_post(request *r, worker_tools *tools)
{
    const char *type = request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
    addition a = { .request = r };
    scry_error err = SCRY_ERROR_INIT;
    bool by_path = type && strncasecmp(type, "application/json", 16) == 0, ok = false;
    if (!allowed(r, r->server->options.allow_upload, "--allow-upload"))
        return;
    if (by_path) {
        ok = take_path(&a);
    } else if (!(a.folder = media_folder(r, &err))) {
        respond_error(r, &err);
    } else if (type && strncasecmp(type, "multipart/", 10) == 0) {
        int result = multipart_read(type, scry_buf_str(&r->body), r->body.size, keep_part, &a, &err);
        ok = result == 0 && a.count;
        if (result < 0)
            respond_error(r, &err);
        else if (result == 0 && !a.count)
            respond_problem(r, 400, "the form has no file \"image\"");
    } else if (keep_upload(&a, scry_buf_str(&r->body), r->body.size, &err) == 0) {
        ok = true;
    } else {
        respond_problem(r, err.code == SCRY_EINVALID ? 415 : 500, "%s", err.message);
    }
    if (ok)
        index_added(&a);
    if (ok && r->status == 0)
        answer_added(&a);
    for (size_t i = 0; i < a.count; i++)
        free(a.paths[i]);
    free(a.folder);
}

static void image_delete(request *r, worker_tools *tools)
{
    scry_store *writer;
    scry_error err = SCRY_ERROR_INIT;
    if (!allowed(r, r->server->options.allow_remove, "--allow-remove"))
        return;
    scry_results *found = picture_find(r, r->param[0]);
    if (!found)
        return;
    int result = server_writer_open(r->server, &writer, &err);
    if (result == 0) {
        result = scry_store_remove(writer, &found->hits[0].file.id, 1, NULL, &err);
        int closed = server_writer_close(r->server, writer, result < 0 ? NULL : &err);
        result = result < 0 ? result : closed;
    }
    if (result < 0)
        respond_error(r, &err);
    else
        respond_bytes(r, 204, NULL, "", 0);
    scry_results_free(found);
}

const route routes_change[] = {
    { "POST", "/api/v1/images", RUN_ON_WORKER, images_post, MAX_UPLOAD_BODY, false },
    { "POST", "/insert", RUN_ON_WORKER, images_post, MAX_UPLOAD_BODY, false },
    { "DELETE", "/api/v1/images/{id}", RUN_ON_WORKER, image_delete, 0, false },
    { 0 },
};
