/* routes_status.c - health, readiness, metrics, and what the collection holds. */
#include "server/assets.h"
#include "server/server.h"

#include "base/sha256.h"
#include <string.h>

static void healthz(request *r, worker_tools *tools)
{
    respond_text(r, 200, "text/plain; charset=utf-8", "ok\n");
}

/* The model is warm and the store open before we listen, so only draining makes us unready. */
static void readyz(request *r, worker_tools *tools)
{
    if (atomic_load(&r->server->draining))
        respond_problem(r, 503, "the server is stopping");
    else
        respond_text(r, 200, "text/plain; charset=utf-8", "ready\n");
}

static void metrics_get(request *r, worker_tools *tools)
{
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    metrics_write(r->server->metrics, r->server, &b);
    respond_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", scry_buf_str(&b));
    scry_buf_dispose(&b);
}

static int put_root(void *arg, const scry_root *root)
{
    scry_json_writer *w = arg;
    char id[2 * SCRY_ID_BYTES + 1];
    scry_hex(root->id, SCRY_ID_BYTES, id);
    scry_json_begin(w, '{');
    scry_json_key(w, "id");
    scry_json_put_str(w, id);
    scry_json_key(w, "path");
    scry_json_put_str(w, root->path);
    scry_json_key(w, "files");
    scry_json_put_int(w, (int64_t)root->files);
    scry_json_end(w, '}');
    return 0;
}

static void put_model(scry_json_writer *w, const scry_model_info *m)
{
    static const char *const precisions[] = { "auto", "fp32", "bf16", "int8" };
    scry_json_key(w, "model");
    scry_json_begin(w, '{');
    scry_json_key(w, "name");
    scry_json_put_str(w, m->name);
    scry_json_key(w, "dim");
    scry_json_put_int(w, m->dim);
    scry_json_key(w, "precision");
    scry_json_put_str(w, precisions[m->precision]);
    scry_json_key(w, "min_score");
    scry_json_put_num(w, m->min_score, 6);
    scry_json_key(w, "identity");
    scry_json_put_str(w, m->identity);
    scry_json_end(w, '}');
}

/* The languages of the page: the files of web/strings/. */
static void put_languages(scry_json_writer *w)
{
    scry_json_key(w, "languages");
    scry_json_begin(w, '[');
    for (const web_asset *a = web_assets; a->name; a++)
        if (strncmp(a->name, "strings/", 8) == 0)
            scry_json_put_bytes(w, a->name + 8, strcspn(a->name + 8, "."));
    scry_json_end(w, ']');
}

static int put_status(const server *s, const scry_store_info *info, scry_json_writer *w, scry_error *err)
{
    const struct { const char *key; uint64_t n; } counts[] = {
        { "files", info->files }, { "contents", info->contents }, { "skipped", info->bad_files }, { "bytes", info->bytes },
    };
    const struct { const char *key; bool is; } flags[] = {
        { "indexing_allowed", s->options.allow_index }, { "upload_allowed", s->options.allow_upload },
        { "remove_allowed", s->options.allow_remove }, { "auth_required", s->token[0] != '\0' },
    };
    scry_json_begin(w, '{');
    scry_json_key(w, "version");
    scry_json_put_str(w, SCRY_VERSION);
    scry_json_key(w, "store");
    scry_json_put_str(w, info->where);
    scry_json_key(w, "collection");
    scry_json_put_str(w, info->collection);
    put_model(w, s->info);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        scry_json_key(w, counts[i].key);
        scry_json_put_int(w, (int64_t)counts[i].n);
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        scry_json_key(w, flags[i].key);
        scry_json_put_bool(w, flags[i].is);
    }
    put_languages(w);
    scry_json_key(w, "roots");
    scry_json_begin(w, '[');
    int result = scry_store_roots(s->store, put_root, w, err);
    scry_json_end(w, ']');
    scry_json_end(w, '}');
    return result;
}

static void status_get(request *r, worker_tools *tools)
{
    server *s = r->server;
    scry_store_info info;
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(8 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    pthread_rwlock_rdlock(&s->store_lock);   /* the strings of info are the store's */
    int result = scry_store_get_info(s->store, &info, &err);
    if (result == 0)
        result = put_status(s, &info, &w, &err);
    pthread_rwlock_unlock(&s->store_lock);
    respond_result(r, result, &err, &b);
}

const route routes_status[] = {
    { "GET", "/healthz", RUN_ON_LOOP, healthz, 0, true },
    { "GET", "/readyz", RUN_ON_LOOP, readyz, 0, true },
    { "GET", "/metrics", RUN_ON_WORKER, metrics_get, 0, false },
    { "GET", "/api/v1/status", RUN_ON_WORKER, status_get, 0, false },
    { 0 },
};
