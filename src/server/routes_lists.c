/* routes_lists.c - lists that need no query: pictures, days of the timeline, facets for filters, skipped files. */
#include "server/router.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sha256.h"
#include "engine/facet_counts.h"
#include "engine/file_json.h"
#include "engine/skip_code.h"
#include "server/away.h"
#include "server/request.h"
#include "server/search.h"
#include "server/server.h"
#include "server/sorted_lists.h"
#include "server/store_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JSON_BYTES = 64 << 20, MAX_LIST = 1000, MAX_FACETS = 500, MOST_COUNTED = 4096, NEIGHBOURS = 10 };

/* ---- GET /api/v1/images ---- */

typedef struct {
    scry_json_writer w;
    struct away_watch *away;
    size_t limit, count;
    uint8_t last[SCRY_ID_BYTES];
    bool more;
} listing;

static int list_file(void *arg, const scry_file *f)
{
    listing *l = arg;
    if (l->count == l->limit) {
        l->more = true;
        return 1;
    }
    scry_file shown = *f;
    shown.away = is_away(l->away, f->path);
    scry_json_begin(&l->w, '{');
    scry_json_put_file(&l->w, &shown);
    scry_json_end(&l->w, '}');
    memcpy(l->last, f->id, sizeof l->last);
    l->count++;
    return 0;
}

/* GET /api/v1/timeline */
static void timeline_get(request *r, worker_tools *tools)
{
    search_job *j = search_job_new(SCRY_VIA_LIST_URL);
    if (search_read_url(r, j, false))
        respond_timeline(r, &j->request);
    search_job_free(j);
}

/* GET /api/v1/images/{id}/neighbours */
static void neighbours_get(request *r, worker_tools *tools)
{
    uint8_t id[SCRY_ID_BYTES];
    search_job *j = search_job_new(SCRY_VIA_LIST_URL);
    j->request.search.limit = NEIGHBOURS;
    if (scry_unhex(r->param[0], id, sizeof id) < 0)
        respond_problem(r, 404, "there is no picture %.64s", r->param[0]);
    else if (search_read_url(r, j, false))
        respond_neighbours(r, &j->request, id);
    search_job_free(j);
}

/* GET /api/v1/map */
static void map_get(request *r, worker_tools *tools)
{
    search_job *j = search_job_new(SCRY_VIA_LIST_URL);
    if (search_read_url(r, j, false))
        respond_map(r, &j->request);
    search_job_free(j);
}

static void images_list(request *r, worker_tools *tools)
{
    search_job *j = search_job_new(SCRY_VIA_LIST_URL);
    const scry_search_request *q = &j->request;
    scry_error err = SCRY_ERROR_INIT;
    bool good = search_read_url(r, j, false);
    if (good && is_sorted_list(q)) {
        respond_sorted_list(r, q);
    } else if (good) {
        char next[2 * SCRY_ID_BYTES + 1];
        scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
        listing l = { .w = SCRY_JSON_WRITER_INIT(&b), .away = r->server->away, .limit = q->search.limit };
        scry_json_begin(&l.w, '{');
        scry_json_key(&l.w, "results");
        scry_json_begin(&l.w, '[');
        pthread_rwlock_rdlock(&r->server->store_lock);
        int result = scry_store_each_file(r->server->store, q->search.filter, q->has_after ? q->after : NULL, list_file, &l, &err);
        scry_json_end(&l.w, ']');
        scry_hex(l.last, sizeof l.last, next);
        scry_json_add_str(&l.w, "cursor", l.more ? next : NULL);
        store_put_damage(r->server, &l.w);
        pthread_rwlock_unlock(&r->server->store_lock);
        scry_json_end(&l.w, '}');
        respond_result(r, result, &err, &b);
    }
    search_job_free(j);
}

/* ---- GET /api/v1/facets ---- */

static int by_count(const void *a, const void *b)
{
    const scry_facet *x = *(const scry_facet *const *)a, *y = *(const scry_facet *const *)b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : strcmp(x->name, y->name);
}

/* The most frequent ones. */
static void put_facets(scry_json_writer *w, const char *key, const scry_facet_counts *c, scry_facet_kind kind)
{
    size_t n;
    const scry_facet *all = scry_facets(c, kind, &n), **list = scry_alloc((n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i] = &all[i];
    qsort(list, n, sizeof *list, by_count);
    scry_json_key(w, key);
    scry_json_begin(w, '[');
    for (size_t i = 0; i < n && i < MAX_FACETS; i++) {
        char id[2 * SCRY_ID_BYTES + 1];
        uint8_t newest[SCRY_ID_BYTES];
        scry_facet_id(list[i], newest);
        scry_hex(newest, SCRY_ID_BYTES, id);
        scry_json_begin(w, '{');
        scry_json_add_str(w, "name", list[i]->name);
        scry_json_add_int(w, "count", (int64_t)((double)list[i]->count / scry_facet_share(c) + 0.5));
        scry_json_add_str(w, "id", id);
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
    free(list);
}

static void put_time(scry_json_writer *w, const char *key, bool known, int64_t s)
{
    scry_json_key(w, key);
    if (known)
        scry_json_put_int(w, s);
    else
        scry_json_put_null(w);
}

/* Counting takes 0.1 s for 100,000 files, where their rows have to be read a second; on Milvus it is MOST_COUNTED, from which the
 * rest is estimated. The last response is reused for twenty times as long as it took to make, so that reloading pages takes at
 * most a twentieth of a processor; a change made by this server discards it. */
static bool respond_cached_facets(request *r, bool unique)
{
    server *s = r->server;
    pthread_mutex_lock(&s->facets_lock);
    bool good = s->facets[unique].json && scry_now_ms() < s->facets[unique].until_ms &&
                s->facets[unique].change == atomic_load(&s->file_changes);
    if (good)
        respond_text(r, 200, "application/json", s->facets[unique].json);
    pthread_mutex_unlock(&s->facets_lock);
    return good;
}

static void cache_facets(server *s, bool unique, const char *json, unsigned change, double start_ms)
{
    double now = scry_now_ms();
    pthread_mutex_lock(&s->facets_lock);
    free(s->facets[unique].json);
    s->facets[unique].json = scry_strdup(json);
    s->facets[unique].until_ms = now + 20 * (now - start_ms);
    s->facets[unique].change = change;
    pthread_mutex_unlock(&s->facets_lock);
}

/* Count the files of the store, and write the answer. */
static int make_facets(server *s, bool unique, scry_buf *out, scry_error *err)
{
    static const char *const keys[] = { "folders", "cameras", "formats", "labels" };
    scry_facet_counts *c;
    scry_json_writer w = SCRY_JSON_WRITER_INIT(out);
    int64_t first_s, last_s;
    pthread_rwlock_rdlock(&s->store_lock);
    int result = scry_facet_counts_new(&c, s->store, &(scry_facet_options){ .unique = unique, .sample = MOST_COUNTED }, err);
    pthread_rwlock_unlock(&s->store_lock);
    if (result < 0)
        return result;
    scry_json_begin(&w, '{');
    for (int i = 0; i < SCRY_FACET_KINDS; i++)
        put_facets(&w, keys[i], c, (scry_facet_kind)i);
    bool any = scry_facet_times(c, &first_s, &last_s);
    put_time(&w, "first_time_s", any, first_s);
    put_time(&w, "last_time_s", any, last_s);
    if (scry_facet_share(c) < 1)
        scry_json_add_num(&w, "sample", scry_facet_share(c), 4);
    scry_json_end(&w, '}');
    scry_facet_counts_free(c);
    return 0;
}

static void facets_get(request *r, worker_tools *tools)
{
    unsigned change = atomic_load(&r->server->file_changes);
    double start = scry_now_ms();
    const char *asked = request_arg(r, "unique");
    bool unique = false;
    if (asked && !scry_value_flag(scry_text(asked), &unique)) {
        respond_problem(r, 400, "unique takes true or false (or 1 or 0)");
        return;
    }
    if (respond_cached_facets(r, unique))
        return;
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    int result = make_facets(r->server, unique, &b, &err);
    if (result >= 0 && !b.failed)
        cache_facets(r->server, unique, scry_buf_str(&b), change, start);
    respond_result(r, result, &err, &b);
}

/* ---- GET /api/v1/skipped ---- */

typedef struct {
    scry_json_writer w;
    size_t offset, limit, seen;
} skipped;

static int list_bad(void *arg, const char *path, int64_t size, int64_t mtime_ns, const char *reason)
{
    skipped *l = arg;
    if (l->seen++ < l->offset)
        return 0;
    if (l->seen > l->offset + l->limit)
        return 1;
    scry_json_begin(&l->w, '{');
    scry_json_add_str(&l->w, "path", path);
    scry_json_add_str(&l->w, "reason", reason);
    scry_json_add_str(&l->w, "code", scry_skip_code(reason));
    scry_json_end(&l->w, '}');
    return 0;
}

static void skipped_get(request *r, worker_tools *tools)
{
    long long offset, limit;
    scry_error err = SCRY_ERROR_INIT;
    if (!request_int(r, "cursor", 0, 0, 1LL << 40, &offset) || !request_int(r, "limit", 100, 1, MAX_LIST, &limit))
        return;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    skipped l = { SCRY_JSON_WRITER_INIT(&b), (size_t)offset, (size_t)limit, 0 };
    scry_json_begin(&l.w, '{');
    scry_json_key(&l.w, "results");
    scry_json_begin(&l.w, '[');
    pthread_rwlock_rdlock(&r->server->store_lock);
    int result = scry_store_each_bad(r->server->store, list_bad, &l, &err);
    pthread_rwlock_unlock(&r->server->store_lock);
    scry_json_end(&l.w, ']');
    scry_json_key(&l.w, "cursor");
    char next[32];
    snprintf(next, sizeof next, "%zu", l.offset + l.limit);
    scry_json_put_str(&l.w, l.seen > l.offset + l.limit ? next : NULL);
    scry_json_end(&l.w, '}');
    respond_result(r, result, &err, &b);
}

const route routes_lists[] = {
    { "GET", "/api/v1/images", RUN_ON_WORKER, images_list, 0, false, ANY_QUERY },
    { "GET", "/api/v1/timeline", RUN_ON_WORKER, timeline_get, 0, false, ANY_QUERY },
    { "GET", "/api/v1/images/{id}/neighbours", RUN_ON_WORKER, neighbours_get, 0, false, ANY_QUERY },
    { "GET", "/api/v1/map", RUN_ON_WORKER, map_get, 0, false, ANY_QUERY },
    { "GET", "/api/v1/facets", RUN_ON_WORKER, facets_get, 0, false, "unique" },
    { "GET", "/api/v1/skipped", RUN_ON_WORKER, skipped_get, 0, false, "limit cursor" },
    { 0 },
};
