/* routes_lists.c - lists that need no query: pictures, days of the timeline, facets for filters, skipped files. */
#include "server/router.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/table.h"
#include "engine/file_json.h"
#include "engine/listing.h"
#include "server/away.h"
#include "server/request.h"
#include "server/search.h"
#include "server/server.h"
#include "server/sorted_lists.h"
#include "server/store_check.h"
#include "server/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JSON_BYTES = 64 << 20, MAX_LIST = 1000, MAX_FACETS = 500, MOST_COUNTED = 4096, NEIGHBOURS = 10, MAX_FILES = 1 << 30 };

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

typedef struct {
    tally *folders, *cameras, *formats, *labels;
    bool any_time;
    int64_t first_s, last_s;
    bool unique, failed;     /* copies are not counted; there was no memory for that */
    scry_table contents;     /* seen anywhere */
    scry_table in_folders;   /* seen in a folder: ids made of both */
} facets;

/* Whether it was not seen before. */
static bool is_first(facets *c, scry_table *seen, const void *key)
{
    size_t before = seen->count;
    c->failed |= !c->failed && scry_table_add(seen, key, NULL) < 0;
    return seen->count > before;
}

static void count_names(facets *c, const scry_file *f)
{
    if (f->camera && f->camera[0])
        tally_add(c->cameras, f->camera, f);
    tally_add(c->formats, f->format, f);
    for (size_t i = 0; i < f->label_count; i++)
        tally_add(c->labels, f->labels[i], f);
}

static int count_file(void *arg, const scry_file *f)
{
    facets *c = arg;
    const char *slash = strrchr(f->path, '/');
    char *folder = scry_strndup(f->path, slash && slash > f->path ? (size_t)(slash - f->path) : 1);
    int64_t s = f->has_time ? f->taken_at : f->mtime_ns / 1000000000;
    uint8_t both[SCRY_ID_BYTES];
    scry_file_id(f->content, folder, both);
    if (!c->unique || is_first(c, &c->in_folders, both))
        tally_add(c->folders, folder, f);
    free(folder);
    if (!c->unique || is_first(c, &c->contents, f->content))
        count_names(c, f);
    c->first_s = !c->any_time || s < c->first_s ? s : c->first_s;
    c->last_s = !c->any_time || s > c->last_s ? s : c->last_s;
    c->any_time = true;
    return c->failed;
}

static void put_time(scry_json_writer *w, const char *key, bool known, int64_t s)
{
    scry_json_key(w, key);
    if (known)
        scry_json_put_int(w, s);
    else
        scry_json_put_null(w);
}

/* Counting reads all files, half a second for 100,000; on Milvus MOST_COUNTED, from which the rest is estimated. The last
 * response is reused for twenty times as long as it took to make, so that reloading pages takes at most a twentieth of a
 * processor; a change made by this server discards it. */
static bool respond_cached_facets(request *r, bool unique)
{
    server *s = r->server;
    pthread_mutex_lock(&s->facets_lock);
    bool good = s->facets[unique].json && scry_now_ms() < s->facets[unique].until_ms &&
                s->facets[unique].change == atomic_load(&s->changes);
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
    double share = 1;
    facets c = { .folders = tally_new(), .cameras = tally_new(), .formats = tally_new(), .labels = tally_new(), .unique = unique,
                 .contents = SCRY_TABLE_OF_BYTES(SCRY_HASH_BYTES, SCRY_HASH_BYTES, MAX_FILES),
                 .in_folders = SCRY_TABLE_OF_BYTES(SCRY_ID_BYTES, SCRY_ID_BYTES, MAX_FILES) };
    const struct { const char *key; tally *counts; } lists[] = {
        { "folders", c.folders }, { "cameras", c.cameras }, { "formats", c.formats }, { "labels", c.labels },
    };
    scry_json_writer w = SCRY_JSON_WRITER_INIT(out);
    pthread_rwlock_rdlock(&s->store_lock);
    int result = scry_list_sample(s->store, MOST_COUNTED, count_file, &c, &share, err);
    pthread_rwlock_unlock(&s->store_lock);
    if (c.failed)
        result = scry_fail(err, SCRY_ENOMEM, "no memory to tell copies from each other");
    scry_json_begin(&w, '{');
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        scry_json_key(&w, lists[i].key);
        if (!tally_write(lists[i].counts, MAX_FACETS, share, &w) && result >= 0)
            result = scry_fail(err, SCRY_ENOMEM, "no memory to count the %s", lists[i].key);
        tally_free(lists[i].counts);
    }
    put_time(&w, "first_time_s", c.any_time, c.first_s);
    put_time(&w, "last_time_s", c.any_time, c.last_s);
    if (share < 1)
        scry_json_add_num(&w, "sample", share, 4);
    scry_json_end(&w, '}');
    scry_table_dispose(&c.contents);
    scry_table_dispose(&c.in_folders);
    return result;
}

static void facets_get(request *r, worker_tools *tools)
{
    unsigned change = atomic_load(&r->server->changes);
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
    { "GET", "/api/v1/images", RUN_ON_WORKER, images_list, 0, false },
    { "GET", "/api/v1/timeline", RUN_ON_WORKER, timeline_get, 0, false },
    { "GET", "/api/v1/images/{id}/neighbours", RUN_ON_WORKER, neighbours_get, 0, false },
    { "GET", "/api/v1/map", RUN_ON_WORKER, map_get, 0, false },
    { "GET", "/api/v1/facets", RUN_ON_WORKER, facets_get, 0, false },
    { "GET", "/api/v1/skipped", RUN_ON_WORKER, skipped_get, 0, false },
    { 0 },
};
