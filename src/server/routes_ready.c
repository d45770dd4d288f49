/* routes_ready.c - what a start page offers: ready searches and folders as albums, each with a picture.
 *
 * Each list is made by a worker with a store handle of its own and kept until files change. While it is made other requests get the
 * last one, with state "making".
 */
#include "server/router.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/facet_counts.h"
#include "engine/file_json.h"
#include "engine/ready_searches.h"
#include "server/ready.h"
#include "server/request.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JSON_BYTES = 16 << 20, MAX_ALBUMS = 500 };

typedef struct {
    char *json;              /* owned: the list; NULL: none yet */
    uint64_t files_change;   /* of the store; 0: not known, `until_ms` decides */
    double until_ms;
    bool making;
} kept_json;

struct ready_lists {
    pthread_mutex_t lock;
    kept_json searches, albums;
};

struct ready_lists *ready_lists_new(void)
{
    struct ready_lists *l = scry_alloc(sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void ready_lists_free(struct ready_lists *l)
{
    if (!l)
        return;
    free(l->searches.json);
    free(l->albums.json);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* Writes the list, a JSON array. */
typedef int make_fn(scry_json_writer *w, server *s, scry_store *store, worker_tools *tools, scry_error *err);

static int make(scry_buf *out, server *s, make_fn *fn, worker_tools *tools, scry_error *err)
{
    scry_store *store;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_json_writer w = SCRY_JSON_WRITER_INIT(out);
    o.collection = s->collection;
    o.milvus = s->options.milvus;
    int result = scry_store_open(&store, s->where, &o, err);
    if (result < 0)
        return result;
    result = fn(&w, s, store, tools, err);
    scry_store_close(store, NULL);
    return result < 0 ? result : out->failed ? scry_fail(err, SCRY_ELIMIT, "the list is too long") : 0;
}

static int current_change(server *s, uint64_t *out, scry_error *err)
{
    scry_store_info info = { 0 };
    pthread_rwlock_rdlock(&s->store_lock);
    int result = server_has_folder(s) ? scry_store_get_info(s->store, &info, err) : 0;
    pthread_rwlock_unlock(&s->store_lock);
    *out = info.files_change;
    return result;
}

/* With the lock: whether the list has to be made, by this request. */
static bool claim(kept_json *k, uint64_t change)
{
    bool current = k->json && k->files_change == change && (change || scry_now_ms() < k->until_ms);
    bool mine = !current && !k->making;
    k->making |= mine;
    return mine;
}

static void keep(struct ready_lists *l, kept_json *k, uint64_t change, double start_ms, scry_buf *json)
{
    pthread_mutex_lock(&l->lock);
    if (json) {
        free(k->json);
        k->json = scry_strdup(scry_buf_str(json));
        k->files_change = change;
        k->until_ms = scry_now_ms() + 20 * (scry_now_ms() - start_ms);
    }
    k->making = false;
    pthread_mutex_unlock(&l->lock);
}

static void respond_list(request *r, worker_tools *tools, const char *name, kept_json *k, make_fn *fn)
{
    struct ready_lists *l = r->server->ready;
    uint64_t change;
    double start = scry_now_ms();
    scry_error err = SCRY_ERROR_INIT;
    int result = current_change(r->server, &change, &err);
    pthread_mutex_lock(&l->lock);
    bool mine = result == 0 && claim(k, change);
    pthread_mutex_unlock(&l->lock);
    if (mine) {
        scry_buf made = SCRY_BUF_INIT(MAX_JSON_BYTES);
        result = make(&made, r->server, fn, tools, &err);
        keep(l, k, change, start, result < 0 ? NULL : &made);
        scry_buf_dispose(&made);
    }
    scry_buf b = SCRY_BUF_INIT(2 * MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    pthread_mutex_lock(&l->lock);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "state", k->making ? "making" : "done");
    scry_json_key(&w, name);
    scry_json_put_raw(&w, k->json ? k->json : "[]");
    scry_json_end(&w, '}');
    pthread_mutex_unlock(&l->lock);
    respond_result(r, result, &err, &b);
}

/* ---- searches ---- */

/* null where it was removed meanwhile, or is damaged. */
static int put_cover(scry_json_writer *w, scry_store *store, const uint8_t *id, scry_error *err)
{
    scry_results *found = NULL;
    int result = scry_store_get(store, id, &found, err);
    scry_json_key(w, "cover");
    if (result == 0) {
        scry_json_begin(w, '{');
        scry_json_put_file(w, &found->hits[0].file);
        scry_json_end(w, '}');
    } else {
        scry_json_put_null(w);
    }
    scry_results_free(found);
    return result == SCRY_ENOTFOUND || result == SCRY_EDAMAGED ? 0 : result;
}

static int make_searches(scry_json_writer *w, server *s, scry_store *store, worker_tools *tools, scry_error *err)
{
    scry_ready_search ready[SCRY_READY_MAX];
    int n = scry_ready_searches(ready, store, s->model, tools->session, err), result = n < 0 ? n : 0;
    scry_json_begin(w, '[');
    for (int i = 0; i < n && result == 0; i++) {
        scry_json_begin(w, '{');
        scry_json_add_str(w, "name", ready[i].name);
        scry_json_add_str(w, "q", ready[i].query);
        scry_json_add_int(w, "count", (int64_t)ready[i].count);
        scry_json_add_bool(w, "more", ready[i].count == SCRY_READY_SEEN);
        result = put_cover(w, store, ready[i].cover, err);
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
    return result;
}

/* GET /api/v1/ready-searches */
static void searches_get(request *r, worker_tools *tools)
{
    if (atomic_load(&r->server->rebuild_due))   /* other vectors than the model's */
        respond_problem(r, 409, "%s", r->server->due.message);
    else
        respond_list(r, tools, "searches", &r->server->ready->searches, make_searches);
}

/* ---- albums ---- */

static int by_time(const void *a, const void *b)
{
    const scry_facet *x = *(const scry_facet *const *)a, *y = *(const scry_facet *const *)b;
    return x->last_s != y->last_s ? (x->last_s < y->last_s ? 1 : -1) : strcmp(x->name, y->name);
}

static int put_albums(scry_json_writer *w, scry_store *store, const scry_facet **all, size_t n, scry_error *err)
{
    int result = 0;
    qsort(all, n, sizeof *all, by_time);
    scry_json_begin(w, '[');
    for (size_t i = 0; i < n && i < MAX_ALBUMS && result == 0; i++) {
        uint8_t newest[SCRY_ID_BYTES];
        scry_facet_id(all[i], newest);
        scry_json_begin(w, '{');
        scry_json_add_str(w, "folder", all[i]->name);
        scry_json_add_int(w, "count", (int64_t)all[i]->count);
        scry_json_add_int(w, "first_time_s", all[i]->first_s);
        scry_json_add_int(w, "last_time_s", all[i]->last_s);
        result = put_cover(w, store, newest, err);
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
    return result;
}

static int make_albums(scry_json_writer *w, server *s, scry_store *store, worker_tools *tools, scry_error *err)
{
    size_t n;
    scry_facet_counts *c;
    int result = scry_facet_counts_new(&c, store, &(scry_facet_options){ .folders_only = true, .unique = true }, err);
    if (result < 0)
        return result;
    const scry_facet *folders = scry_facets(c, SCRY_FACET_FOLDERS, &n), **all = scry_alloc((n + 1) * sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = &folders[i];
    result = put_albums(w, store, all, n, err);
    free(all);
    scry_facet_counts_free(c);
    return result;
}

/* GET /api/v1/albums */
static void albums_get(request *r, worker_tools *tools)
{
    respond_list(r, tools, "albums", &r->server->ready->albums, make_albums);
}

const route routes_ready[] = {
    { "GET", "/api/v1/ready-searches", RUN_ON_WORKER, searches_get, 0, false, "" },
    { "GET", "/api/v1/albums", RUN_ON_WORKER, albums_get, 0, false, "" },
    { 0 },
};
