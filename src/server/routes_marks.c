/* routes_marks.c - favourites, bursts to keep, saved searches: reading and setting them. */
#include "server/router.h"

#include "base/sha256.h"
#include "engine/user_marks.h"
#include "server/id_body.h"
#include "server/request.h"
#include "server/server.h"
#include "server/store_writer.h"

#include <string.h>

enum { MAX_JSON_BYTES = 64 << 20 };

bool server_allows_marks(const server *s)
{
    return s->options.allow_marks || !s->options.no_auth;
}

/* One change to the store: what it does is `change`, which gets `arg` and may write an answer to `w`. */
typedef int change_fn(scry_store *writer, const void *arg, scry_json_writer *w, scry_error *err);

static void make_change(request *r, change_fn *change, const void *arg)
{
    server *s = r->server;
    scry_store *writer = NULL;
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(1 << 16);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    if (!server_allows_marks(s)) {
        respond_named_problem(r, 403, "not_enabled", "this is not enabled where no token is required: start the server with --allow-marks");
        return;
    }
    if (!store_change_begin(r))
        return;
    int result = store_writer_open(s, &writer, &err);
    if (result == 0) {
        scry_json_begin(&w, '{');
        result = change(writer, arg, &w, &err);
        scry_json_end(&w, '}');
        int closed = store_writer_close(s, writer, CHANGED_MARKS, result < 0 ? NULL : &err);
        result = result < 0 ? result : closed;
    }
    store_change_end(r);
    if (result < 0)
        store_change_failed(r, &err);
    else
        respond_json(r, 200, &b);
    scry_buf_dispose(&b);
}

/* ---- pictures ---- */

/* A mark that pictures have or not: its name in JSON, and what sets it. */
typedef struct {
    const char *flag;
    int (*set)(scry_store *writer, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, bool on, uint64_t *changed, scry_error *err);
} picture_mark;

static const picture_mark favourite_mark = { "favourite", scry_set_favourites }, kept_mark = { "kept", scry_set_kept };

typedef struct {
    const picture_mark *mark;
    const uint8_t (*ids)[SCRY_ID_BYTES];
    size_t count;
    bool on;
} picture_change;

static int change_pictures(scry_store *writer, const void *arg, scry_json_writer *w, scry_error *err)
{
    const picture_change *c = arg;
    uint64_t changed = 0;
    int result = c->mark->set(writer, c->ids, c->count, c->on, &changed, err);
    scry_json_add_bool(w, c->mark->flag, c->on);
    scry_json_add_int(w, "pictures", (int64_t)changed);
    return result;
}

static void set_one(request *r, bool favourite)
{
    uint8_t id[1][SCRY_ID_BYTES];
    picture_change c = { &favourite_mark, (const uint8_t (*)[SCRY_ID_BYTES])id, 1, favourite };
    if (scry_unhex(r->param[0], id[0], sizeof id[0]) < 0)
        respond_problem(r, 404, "there is no picture %.64s", r->param[0]);
    else
        make_change(r, change_pictures, &c);
}

static void favourite_put(request *r, worker_tools *tools)
{
    set_one(r, true);
}

static void favourite_delete(request *r, worker_tools *tools)
{
    set_one(r, false);
}

static void set_many(request *r, const picture_mark *mark)
{
    id_body b;
    if (id_body_read(r, mark->flag, &b)) {
        picture_change c = { mark, (const uint8_t (*)[SCRY_ID_BYTES])b.ids, b.count,
                             scry_json_bool(scry_json_get(b.json, mark->flag), true) };
        make_change(r, change_pictures, &c);
    }
    id_body_dispose(&b);
}

static void favourites_post(request *r, worker_tools *tools)
{
    set_many(r, &favourite_mark);
}

static void kept_post(request *r, worker_tools *tools)
{
    set_many(r, &kept_mark);
}

/* ---- reading ---- */

typedef int put_fn(scry_json_writer *w, scry_store *s, scry_error *err);

static void respond_marks(request *r, const char *key, put_fn *put)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    if (key) {
        scry_json_begin(&w, '{');
        scry_json_key(&w, key);
    }
    pthread_rwlock_rdlock(&r->server->store_lock);
    int result = put(&w, r->server->store, &err);
    pthread_rwlock_unlock(&r->server->store_lock);
    if (key)
        scry_json_end(&w, '}');
    respond_result(r, result, &err, &b);
}

static void searches_get(request *r, worker_tools *tools)
{
    respond_marks(r, "searches", scry_saved_searches_put_json);
}

static void marks_get(request *r, worker_tools *tools)
{
    respond_marks(r, NULL, scry_marks_put_json);
}

/* ---- saved searches ---- */

static int save_search(scry_store *writer, const void *arg, scry_json_writer *w, scry_error *err)
{
    const scry_json *body = arg;
    const char *name = scry_json_str(scry_json_get(body, "name"), "");
    scry_json_add_str(w, "name", name);
    return scry_save_search(writer, name, scry_json_get(body, "search"), err);
}

static void searches_put(request *r, worker_tools *tools)
{
    scry_json *body = NULL;
    if (!request_json(r, &body))
        return;
    if (scry_json_size(body) != 2 || !scry_json_get(body, "name") || scry_json_type_of(scry_json_get(body, "search")) != SCRY_JSON_OBJECT)
        respond_problem(r, 400, "a saved search is {\"name\": a text, \"search\": what POST /api/v1/search takes}");
    else
        make_change(r, save_search, body);
    scry_json_free(body);
}

static int remove_search(scry_store *writer, const void *arg, scry_json_writer *w, scry_error *err)
{
    scry_json_add_str(w, "name", arg);
    return scry_remove_saved_search(writer, arg, err);
}

static void searches_delete(request *r, worker_tools *tools)
{
    const char *name = request_arg(r, "name");
    if (!name || !name[0])
        respond_problem(r, 400, "the parameter name is missing: which saved search?");
    else
        make_change(r, remove_search, name);
}

/* ---- all of it ---- */

static int import_marks(scry_store *writer, const void *arg, scry_json_writer *w, scry_error *err)
{
    scry_marks_counts n;
    int result = scry_marks_import(writer, arg, &n, err);
    scry_json_add_int(w, "favourites", (int64_t)n.favourites);
    scry_json_add_int(w, "kept", (int64_t)n.kept);
    scry_json_add_int(w, "searches", (int64_t)n.searches);
    return result;
}

static void marks_post(request *r, worker_tools *tools)
{
    scry_json *body = NULL;
    if (request_json(r, &body))
        make_change(r, import_marks, body);
    scry_json_free(body);
}

const route routes_marks[] = {
    { "PUT", "/api/v1/images/{id}/favourite", RUN_ON_WORKER, favourite_put, 0, false, "" },
    { "DELETE", "/api/v1/images/{id}/favourite", RUN_ON_WORKER, favourite_delete, 0, false, "" },
    { "POST", "/api/v1/favourites", RUN_ON_WORKER, favourites_post, MAX_JSON_BODY, false, "" },
    { "POST", "/api/v1/kept", RUN_ON_WORKER, kept_post, MAX_JSON_BODY, false, "" },
    { "GET", "/api/v1/searches", RUN_ON_WORKER, searches_get, 0, false, "" },
    { "PUT", "/api/v1/searches", RUN_ON_WORKER, searches_put, MAX_JSON_BODY, false, "" },
    { "DELETE", "/api/v1/searches", RUN_ON_WORKER, searches_delete, 0, false, "name" },
    { "GET", "/api/v1/marks", RUN_ON_WORKER, marks_get, 0, false, "" },
    { "POST", "/api/v1/marks", RUN_ON_WORKER, marks_post, MAX_JSON_BODY, false, "" },
    { 0 },
};
