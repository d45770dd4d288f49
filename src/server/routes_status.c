/* routes_status.c - health, readiness, metrics, and the state of collection and model. */
#include "server/router.h"

#include "base/sha256.h"
#include "scry/rebuild.h"
#include "server/assets.h"
#include "server/metrics.h"
#include "server/request.h"
#include "server/server.h"
#include "server/store_check.h"
#include "server/store_watch.h"
#include "server/words_reading.h"

#include <string.h>
#include <unistd.h>

static void healthz(request *r, worker_tools *tools)
{
    respond_text(r, 200, "text/plain; charset=utf-8", "ok\n");
}

/* The model is warmed up and the store open before the server listens, so it is unready only while stopping and while
 * the collection is absent or too damaged to be searched. */
static void readyz(request *r, worker_tools *tools)
{
    char reason[512];
    if (atomic_load(&r->server->draining))
        respond_problem(r, 503, "the server is stopping");
    else if (store_watch_unready(r->server->store_watch, reason))
        respond_problem(r, 503, "%s", reason);
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
    scry_json_add_str(w, "id", id);
    scry_json_add_str(w, "path", root->path);
    scry_json_add_int(w, "files", (int64_t)root->files);
    scry_json_add_bool(w, "present", root->path[0] == '/' && access(root->path, F_OK) == 0);
    if (root->name)
        scry_json_add_str(w, "name", root->name);
    scry_json_end(w, '}');
    return 0;
}

static void put_model(scry_json_writer *w, const scry_model_info *m)
{
    scry_json_key(w, "model");
    scry_json_begin(w, '{');
    scry_json_add_str(w, "name", m->name);
    scry_json_add_int(w, "dim", m->dim);
    scry_json_add_str(w, "precision", scry_precision_name(m->precision));
    scry_json_add_num(w, "min_score", m->min_score, 6);
    scry_json_add_str(w, "identity", m->identity);
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

/* What embedding the collection again takes, where that is due and possible. */
static void put_rebuild(const server *s, scry_json_writer *w)
{
    const scry_rebuild_estimate *e = &s->due_estimate;
    if (!atomic_load(&s->rebuild_due) || e->pictures == 0) {
        scry_json_add_str(w, "rebuild", NULL);
        return;
    }
    scry_json_key(w, "rebuild");
    scry_json_begin(w, '{');
    scry_json_add_int(w, "pictures", (int64_t)e->pictures);
    scry_json_add_int(w, "minutes", (int64_t)e->minutes);
    scry_json_end(w, '}');
}

/* What the checks of the store's files found. */
static void put_check(server *s, scry_json_writer *w)
{
    store_put_damage(s, w);
    scry_json_key(w, "check");
    store_check_put(s->store_check, w);
}

/* Counting takes 9 ms for 100,000 pictures, and every page asks: once for each state of the store. */
static int count_texts(server *s, const scry_store_info *info, scry_text_counts *out, scry_error *err)
{
    pthread_mutex_lock(&s->facets_lock);
    bool known = info->change && s->texts.change == info->change;
    *out = s->texts.counts;
    pthread_mutex_unlock(&s->facets_lock);
    if (known)
        return 0;
    int result = scry_store_count_texts(s->store, NULL, out, err);
    pthread_mutex_lock(&s->facets_lock);
    if (result == 0) {
        s->texts.change = info->change;
        s->texts.counts = *out;
    }
    pthread_mutex_unlock(&s->facets_lock);
    return result;
}

/* What was read in the pictures. */
static int put_words(server *s, const scry_store_info *info, scry_json_writer *w, scry_error *err)
{
    scry_text_counts n;
    int result = count_texts(s, info, &n, err);
    scry_json_key(w, "words");
    scry_json_begin(w, '{');
    scry_json_add_int(w, "read", (int64_t)n.read);
    scry_json_add_int(w, "with_text", (int64_t)n.with_text);
    scry_json_add_int(w, "failed", (int64_t)n.failed);
    scry_json_add_int(w, "unread", (int64_t)n.unread);
    scry_json_add_bool(w, "reading", words_reading_active(s->words_reading));
    scry_json_end(w, '}');
    return result;
}

static int put_status(server *s, const scry_store_info *info, scry_json_writer *w, scry_error *err)
{
    const struct { const char *key; uint64_t n; } counts[] = {
        { "files", info->files }, { "contents", info->contents }, { "skipped", info->bad_files }, { "bytes", info->bytes },
    };
    const struct { const char *key; bool is; } flags[] = {
        { "indexing_allowed", s->options.allow_index }, { "upload_allowed", s->options.allow_upload },
        { "remove_allowed", s->options.allow_remove }, { "marks_allowed", info->keeps_marks && server_allows_marks(s) },
        { "auth_required", s->token[0] != '\0' },
    };
    scry_json_begin(w, '{');
    scry_json_add_str(w, "version", SCRY_VERSION);
    scry_json_add_str(w, "store", info->where);
    scry_json_add_str(w, "collection", info->collection);
    put_model(w, s->info);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        scry_json_add_int(w, counts[i].key, (int64_t)counts[i].n);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        scry_json_add_bool(w, flags[i].key, flags[i].is);
    put_languages(w);
    put_rebuild(s, w);
    put_check(s, w);
    int result = put_words(s, info, w, err);
    scry_json_key(w, "roots");
    scry_json_begin(w, '[');
    if (result == 0)
        result = scry_store_roots(s->store, put_root, w, err);
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
    pthread_rwlock_rdlock(&s->store_lock);   /* the strings of info belong to the store */
    int result = scry_store_get_info(s->store, &info, &err);
    if (result == 0)
        result = put_status(s, &info, &w, &err);
    pthread_rwlock_unlock(&s->store_lock);
    respond_result(r, result, &err, &b);
}

const route routes_status[] = {
    { "GET", "/healthz", RUN_ON_LOOP, healthz, 0, true, ANY_QUERY },
    { "GET", "/readyz", RUN_ON_LOOP, readyz, 0, true, ANY_QUERY },
    { "GET", "/metrics", RUN_ON_WORKER, metrics_get, 0, false, ANY_QUERY },
    { "GET", "/api/v1/status", RUN_ON_WORKER, status_get, 0, false, "" },
    { 0 },
};
