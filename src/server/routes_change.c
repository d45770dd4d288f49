/* routes_change.c - add pictures (uploaded, or by path below a root) and remove them. */
#include "server/router.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "engine/csv.h"
#include "engine/file_json.h"
#include "scry/index.h"
#include "server/multipart.h"
#include "server/pictures.h"
#include "server/request.h"
#include "server/server.h"
#include "server/store_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_UPLOADS = 64, MAX_LABELS = 64, MAX_NAME_BYTES = 1000, MAX_UPLOAD_BODY = 256 << 20 };

/* What one request adds: files that it uploaded to the media folder, or a path that it named. */
typedef struct {
    request *request;
    bool lenient;                 /* names that are not known are ignored, as the tutorial's service does */
    char *folder;                 /* the media folder; NULL for a path */
    char *paths[MAX_UPLOADS];     /* owned */
    bool created[MAX_UPLOADS];    /* the file was not in the media folder before */
    size_t count;
    char *labels[MAX_LABELS];     /* owned */
    size_t label_count;
    char *key;                    /* owned, NULL: none */
    char *refused;                /* owned: the first file that was skipped */
    char reason[512];             /* and why */
} addition;

static bool check_enabled(request *r, bool flag, const char *option)
{
    if (!flag)
        respond_named_problem(r, 403, "not_enabled", "this is not enabled: start the server with %s", option);
    return flag;
}

/* The store's folder for uploads, a root of its collection; owned. */
static char *media_folder(request *r, scry_error *err)
{
    const server *s = r->server;
    char *base = server_has_folder(s) ? scry_strdup(s->where) : scry_data_dir();
    char *folder = scry_asprintf("%s/media/%s", base, s->collection);
    free(base);
    if (scry_make_dirs(folder, err) < 0) {
        free(folder);
        return NULL;
    }
    char *real = realpath(folder, NULL);
    free(folder);
    return real;
}

/* The extension by content: file names of clients are not used. */
static const char *extension_of(const void *bytes, size_t n)
{
    scry_format f = scry_sniff_format(bytes, n);
    return f == SCRY_FORMAT_JPEG ? "jpg" : f == SCRY_FORMAT_NONE ? NULL : scry_format_name(f);
}

/* Write the bytes to HASH.ext in the media folder: equal pictures are one file. */
static int save_upload(addition *a, const void *bytes, size_t n, scry_error *err)
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
    bool is_new = access(path, F_OK) < 0;
    int r = is_new ? scry_write_file(path, bytes, n, err) : 0;
    if (r < 0) {
        free(path);
        return r;
    }
    a->created[a->count] = is_new;
    a->paths[a->count++] = path;
    return 0;
}

/* A label or the key; false with a 400 or 413 made. */
static bool read_name(addition *a, const char *field, const char *text, size_t n)
{
    bool key = strcmp(field, "key") == 0;
    if (!n || n > MAX_NAME_BYTES || memchr(text, '\0', n) || !scry_utf8_valid(text, n))
        respond_problem(a->request, 400, "%s must be a text of 1 to %d bytes of UTF-8", field, MAX_NAME_BYTES);
    else if (key ? a->key != NULL : a->label_count == MAX_LABELS)
        respond_problem(a->request, 400, key ? "more than one key" : "more than %d labels", MAX_LABELS);
    else if (key)
        a->key = scry_strndup(text, n);
    else
        a->labels[a->label_count++] = scry_strndup(text, n);
    return a->request->status == 0;
}

static int read_part(void *arg, const multipart_part *part)
{
    addition *a = arg;
    scry_error err = SCRY_ERROR_INIT;
    if (strcmp(part->name, "label") == 0 || strcmp(part->name, "key") == 0)
        return !read_name(a, part->name, part->data, part->size);
    if (strcmp(part->name, "image") != 0 && !a->lenient)
        return !request_knows(a->request, part->name, "image label key");
    if (strcmp(part->name, "image") != 0 || save_upload(a, part->data, part->size, &err) == 0)
        return 0;
    respond_problem(a->request, err.code == SCRY_EINVALID ? 415 : err.code == SCRY_ELIMIT ? 413 : 500, "%s", err.message);
    return 1;
}

static void note_skip(void *arg, const char *path, const char *reason)
{
    addition *a = arg;
    if (a->refused)
        return;
    snprintf(a->reason, sizeof a->reason, "%s", reason);
    a->refused = scry_strdup(path);
}

static int note_id(void *arg, const scry_file *f)
{
    memcpy(arg, f->id, SCRY_ID_BYTES);
    return 1;
}

/* The stored file at `path`, found by a filter because roots may overlap. *out is owned by the caller, NULL when there
 * is none. */
static int file_at(scry_store *store, const char *path, scry_results **out, scry_error *err)
{
    static const uint8_t none[SCRY_ID_BYTES];
    uint8_t id[SCRY_ID_BYTES] = { 0 };
    scry_filter_pool *pool = scry_filter_pool_new();
    int result = scry_store_each_file(store, scry_filter_text(pool, SCRY_FILTER_IN, path), NULL, note_id, id, err);
    scry_filter_pool_free(pool);
    *out = NULL;
    if (result < 0 || memcmp(id, none, sizeof id) == 0)
        return result < 0 ? result : 0;
    return scry_store_get(store, id, out, err);
}

/* Set labels and key of the added files, replacing those they had. */
static int set_names(addition *a, scry_store *writer, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < a->count && result == 0 && (a->key || a->label_count); i++) {
        scry_results *found;
        result = file_at(writer, a->paths[i], &found, err);
        if (result == 0 && found) {
            scry_put put = { .file = found->hits[0].file };
            if (a->key)
                put.file.key = a->key;
            if (a->label_count) {
                put.file.labels = (const char *const *)a->labels;
                put.file.label_count = a->label_count;
            }
            result = scry_store_put(writer, &put, 1, err);
        }
        scry_results_free(found);
    }
    return result;
}

/* Remove the file and the record of an upload that cannot be decoded. */
static int drop_refused(addition *a, scry_store *writer, scry_error *err)
{
    scry_root root;
    uint8_t id[1][SCRY_ID_BYTES];
    size_t n = a->folder ? strlen(a->folder) : 0;
    if (!a->refused || !n || strncmp(a->refused, a->folder, n) != 0)
        return 0;
    unlink(a->refused);
    int result = scry_store_add_root(writer, a->folder, &root, err);
    if (result < 0)
        return result;
    scry_file_id(root.id, a->refused + strlen(root.path) + 1, id[0]);
    return scry_store_remove(writer, (const uint8_t (*)[SCRY_ID_BYTES])id, 1, NULL, err);
}

/* Index the paths; an error response is made when one cannot be used. */
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
    o.time_limit_ms = s->options.time_limit_s * 1000;
    o.skipped = note_skip;
    o.arg = a;
    int result = store_writer_open(s, &writer, &err);
    if (result == 0) {
        result = scry_index_run(writer, s->model, &o, NULL, &err);
        if (result == 0)
            result = set_names(a, writer, &err);
        if (result == 0)
            result = drop_refused(a, writer, &err);
        int closed = store_writer_close(s, writer, CHANGED_FILES, result < 0 ? NULL : &err);
        result = result < 0 ? result : closed;
    }
    if (result < 0)
        store_change_failed(r, &err);
    else if (a->refused)
        respond_unusable(r, 415, "the picture cannot be used", a->reason);
}

/* The response is the record of the first picture; of several, all are in "results". */
static void answer_added(addition *a)
{
    request *r = a->request;
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(8 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_results *found[MAX_UPLOADS] = { NULL };
    int result = 0;
    pthread_rwlock_rdlock(&r->server->store_lock);
    for (size_t i = 0; i < a->count && result == 0; i++)
        result = file_at(r->server->store, a->paths[i], &found[i], &err);
    pthread_rwlock_unlock(&r->server->store_lock);
    scry_json_begin(&w, '{');
    if (found[0])
        scry_json_put_file(&w, &found[0]->hits[0].file);
    if (a->count > 1) {
        scry_json_key(&w, "results");
        scry_json_begin(&w, '[');
        for (size_t i = 0; i < a->count; i++) {
            scry_json_begin(&w, '{');
            if (found[i])
                scry_json_put_file(&w, &found[i]->hits[0].file);
            scry_json_end(&w, '}');
        }
        scry_json_end(&w, ']');
    }
    scry_json_end(&w, '}');
    for (size_t i = 0; result == 0 && i < a->count; i++)
        if (!found[i])
            result = scry_fail(&err, SCRY_EBUSY, "the picture was added and at once removed by another program");
    if (result < 0)
        store_change_failed(r, &err);
    else
        respond_json(r, 201, &b);
    for (size_t i = 0; i < a->count; i++)
        scry_results_free(found[i]);
    scry_buf_dispose(&b);
}

/* The key and the labels of such a body; false: a 400 was made. */
static bool read_names(addition *a, const scry_json *body)
{
    const scry_json *labels = scry_json_get(body, "labels"), *key = scry_json_get(body, "key");
    const char *text = scry_json_str(key, "");
    if (labels && scry_json_type_of(labels) != SCRY_JSON_ARRAY)
        respond_problem(a->request, 400, "labels takes a list of texts");
    bool ok = a->request->status == 0 && (!key || read_name(a, "key", text, strlen(text)));
    for (size_t i = 0; ok && i < scry_json_size(labels); i++) {
        text = scry_json_str(scry_json_at(labels, i), "");
        ok = read_name(a, "label", text, strlen(text));
    }
    return ok;
}

/* {"path": "/absolute/below/a/root.jpg", "labels": [...], "key": "..."} */
static bool read_path(addition *a)
{
    request *r = a->request;
    scry_json *root = NULL;
    if (!request_json(r, &root))
        return false;
    const char *path = scry_json_str(scry_json_get(root, "path"), NULL);
    struct stat st;
    char *real = path && path[0] == '/' ? realpath(path, NULL) : NULL;
    if (!a->lenient && !request_members(r, root, "path labels key"))
        ;   /* a 400 was made */
    else if (!path || path[0] != '/')
        respond_problem(r, 400, "path must be an absolute path");
    else if (!real || !below_root(r, real))
        respond_problem(r, 403, "the path is not a file below one of the roots");
    else if (stat(real, &st) < 0 || !S_ISREG(st.st_mode) || scry_is_csv(real))
        respond_problem(r, 415, "the path is not a picture: folders and tables are indexed by /api/v1/index");
    else
        a->paths[a->count++] = scry_strdup(real);
    free(real);
    bool ok = a->count && read_names(a, root);
    scry_json_free(root);
    return ok;
}

/* Read the pictures, labels and key from the body; false: an error response was made. */
static bool read_body(addition *a)
{
    request *r = a->request;
    const char *type = request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
    scry_error err = SCRY_ERROR_INIT;
    if (type && strncasecmp(type, "application/json", 16) == 0)
        return read_path(a);
    if (!(a->folder = media_folder(r, &err))) {
        respond_error(r, &err);
    } else if (type && strncasecmp(type, "multipart/", 10) == 0) {
        int result = multipart_read(type, scry_buf_str(&r->body), r->body.size, read_part, a, &err);
        if (result < 0)
            respond_error(r, &err);
        else if (result == 0 && !a->count)
            respond_problem(r, 400, "the form has no file \"image\"");
    } else if (save_upload(a, scry_buf_str(&r->body), r->body.size, &err) < 0) {
        respond_problem(r, err.code == SCRY_EINVALID ? 415 : 500, "%s", err.message);
    }
    return r->status == 0;
}

/* Remove the files of a request that was refused, as far as they are not in the store: before others may change it. */
static void drop_uploads(addition *a)
{
    server *s = a->request->server;
    pthread_rwlock_rdlock(&s->store_lock);
    for (size_t i = 0; i < a->count; i++) {
        scry_results *found = NULL;
        if (a->created[i] && file_at(s->store, a->paths[i], &found, NULL) == 0 && !found)
            unlink(a->paths[i]);
        scry_results_free(found);
    }
    pthread_rwlock_unlock(&s->store_lock);
}

static void images_post(request *r, worker_tools *tools)
{
    addition a = { .request = r, .lenient = strcmp(r->route->pattern, "/insert") == 0 };
    if (!check_enabled(r, r->server->options.allow_upload, "--allow-upload") || !store_change_begin(r))
        return;
    if (read_body(&a))
        index_added(&a);
    if (r->status == 0)
        answer_added(&a);
    if (r->status >= 400)
        drop_uploads(&a);
    store_change_end(r);
    for (size_t i = 0; i < a.count; i++)
        free(a.paths[i]);
    for (size_t i = 0; i < a.label_count; i++)
        free(a.labels[i]);
    free(a.key);
    free(a.refused);
    free(a.folder);
}

/* A file in the media folder is deleted with its record: otherwise the next index run would add it again. */
static void unlink_upload(request *r, const scry_file *f)
{
    char *folder = media_folder(r, NULL);
    size_t n = folder ? strlen(folder) : 0;
    if (n && strncmp(f->path, folder, n) == 0 && f->path[n] == '/' && !strchr(f->path + n + 1, '/'))
        unlink(f->path);
    free(folder);
}

static void image_delete(request *r, worker_tools *tools)
{
    scry_store *writer;
    scry_error err = SCRY_ERROR_INIT;
    if (!check_enabled(r, r->server->options.allow_remove, "--allow-remove"))
        return;
    scry_results *found = picture_find(r, r->param[0]);
    if (!found || !store_change_begin(r)) {
        scry_results_free(found);
        return;
    }
    uint64_t removed = 0;
    int result = store_writer_open(r->server, &writer, &err);
    if (result == 0) {
        result = scry_store_remove(writer, &found->hits[0].file.id, 1, &removed, &err);
        int closed = store_writer_close(r->server, writer, CHANGED_FILES, result < 0 ? NULL : &err);
        result = result < 0 ? result : closed;
    }
    if (result < 0) {
        store_change_failed(r, &err);
    } else if (!removed) {
        respond_problem(r, 404, "there is no picture %.64s to remove", r->param[0]);
    } else {
        unlink_upload(r, &found->hits[0].file);
        respond_bytes(r, 204, NULL, "", 0);
    }
    store_change_end(r);
    scry_results_free(found);
}

const route routes_change[] = {
    { "POST", "/api/v1/images", RUN_ON_WORKER, images_post, MAX_UPLOAD_BODY, false, "" },
    { "POST", "/insert", RUN_ON_WORKER, images_post, MAX_UPLOAD_BODY, false, ANY_QUERY },
    { "DELETE", "/api/v1/images/{id}", RUN_ON_WORKER, image_delete, 0, false, "" },
    { 0 },
};
