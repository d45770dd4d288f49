#include "server/sorted_lists.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sha256.h"
#include "engine/file_json.h"
#include "engine/listing.h"
#include "engine/nothing_found.h"
#include "server/away.h"
#include "server/metrics.h"
#include "server/store_check.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEPT = 4, FIRST = 1000, MAX_JSON_BYTES = 64 << 20, MAX_NEIGHBOURS = 100, DAY_S = 86400 };
enum { MAX_CELLS = 10000, CELLS_IN_DEGREE = 1024 };   /* cells of 100 m */

typedef struct {
    char *key;                /* the parameters that the list depends on */
    scry_listing *listing;
    char *timeline, *map;     /* the answers, once they were asked for; owned */
    bool of_files;            /* marks and the paths of roots are not in its filter: what changes only these leaves it as it is */
    uint64_t store_change;    /* of scry_store_info; 0: not known, `until_ms` decides */
    unsigned server_change;   /* of server.changes or file_changes */
    double until_ms;
    atomic_bool damaged;      /* it has files whose rows are not as they were written */
    unsigned users;           /* requests, and the cache */
    unsigned long used;       /* when, counted in requests */
} kept_list;

struct list_cache {
    pthread_mutex_t lock;     /* held while a list is made: requests for the same one wait and share it */
    kept_list *lists[KEPT];
    unsigned long requests;
};

struct list_cache *list_cache_new(void)
{
    struct list_cache *c = scry_alloc(sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

/* With the lock. */
static void drop(kept_list *k)
{
    if (!k || --k->users)
        return;
    scry_listing_free(k->listing);
    free(k->timeline);
    free(k->map);
    free(k->key);
    free(k);
}

void list_cache_free(struct list_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < KEPT; i++)
        drop(c->lists[i]);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- keys ---- */

static void add_to_key(void *arg, const char *name, const char *value, size_t size)
{
    scry_buf *key = arg;
    if (strcmp(name, "limit") == 0 || strcmp(name, "offset") == 0 || strcmp(name, "cursor") == 0 || strcmp(name, "sort") == 0)
        return;
    scry_buf_printf(key, "%s=%zu:", name, size);
    scry_buf_append(key, value ? value : "", size);
    scry_buf_putc(key, '&');
}

/* ---- lists ---- */

static unsigned server_change(server *s, bool of_files)
{
    return atomic_load(of_files ? &s->file_changes : &s->changes);
}

static uint64_t store_change(const scry_store_info *info, bool of_files)
{
    return of_files ? info->files_change : info->change;
}

static bool is_current(server *s, const kept_list *k, const scry_store_info *info)
{
    return !atomic_load(&k->damaged) && k->server_change == server_change(s, k->of_files) &&
           k->store_change == store_change(info, k->of_files) && (k->store_change || scry_now_ms() < k->until_ms);
}

/* How many files of the list a page needs, where a store is read much faster for them than for all; 0: all. */
static size_t first_of(const server *s, const scry_search_request *q)
{
    bool few = !q->unique && !q->has_after && q->search.offset <= FIRST && q->search.limit <= FIRST - q->search.offset;
    return few && scry_listing_gains_by_first(s->store) ? FIRST : 0;
}

/* With the store's lock for reading. */
static kept_list *make_list(server *s, const char *key, const scry_search_request *q, scry_sort sort, size_t first,
                            scry_error *err)
{
    double start = scry_now_ms();
    bool of_files = scry_listing_is_of_files(q->search.filter);
    unsigned change = server_change(s, of_files);
    scry_listing *listing;
    scry_list_options o = { .filter = q->search.filter, .sort = sort, .reverse = q->reverse, .unique = q->unique,
                            .first = first };
    if (scry_listing_new(&listing, s->store, &o, err) < 0)
        return NULL;
    kept_list *k = scry_alloc(sizeof *k);
    double now = scry_now_ms();
    metrics_count_list(s->metrics);
    *k = (kept_list){ .key = scry_strdup(key), .listing = listing, .of_files = of_files, .server_change = change,
                      .until_ms = now + 20 * (now - start), .users = 1 };
    return k;
}

/* The place of the list with this key, else of the one that was used least recently. */
static size_t place_of(const struct list_cache *c, const char *key)
{
    size_t oldest = 0;
    for (size_t i = 0; i < KEPT; i++) {
        if (c->lists[i] && strcmp(c->lists[i]->key, key) == 0)
            return i;
        if (c->lists[oldest] && (!c->lists[i] || c->lists[i]->used < c->lists[oldest]->used))
            oldest = i;
    }
    return oldest;
}

/* The list of a request, to be released; NULL after an error. `first`: as first_of has it. With the store's lock for reading. */
static kept_list *acquire(request *r, const scry_search_request *q, scry_sort sort, size_t first, scry_error *err)
{
    server *s = r->server;
    struct list_cache *c = s->lists;
    scry_store_info info = { 0 };
    scry_buf key = SCRY_BUF_INIT(1 << 20);
    scry_buf_printf(&key, "%d&%zu&", (int)sort, first);
    request_each_arg(r, add_to_key, &key);
    scry_store_describe(s->store, &info);
    pthread_mutex_lock(&c->lock);
    size_t at = place_of(c, scry_buf_str(&key));
    kept_list *k = c->lists[at];
    if (!k || strcmp(k->key, scry_buf_str(&key)) != 0 || !is_current(s, k, &info)) {
        k = key.failed ? NULL : make_list(s, scry_buf_str(&key), q, sort, first, err);
        if (k) {
            k->store_change = store_change(&info, k->of_files);
            drop(c->lists[at]);
            c->lists[at] = k;
        }
    }
    if (k) {
        k->users++;
        k->used = ++c->requests;
    }
    pthread_mutex_unlock(&c->lock);
    if (key.failed)
        scry_fail(err, SCRY_ELIMIT, "the filters are too long");
    scry_buf_dispose(&key);
    return k;
}

static void release(server *s, kept_list *k)
{
    pthread_mutex_lock(&s->lists->lock);
    drop(k);
    pthread_mutex_unlock(&s->lists->lock);
}

/* ---- pages ---- */

bool is_sorted_list(const scry_search_request *q)
{
    return q->sort != SCRY_SORT_NONE || q->reverse || q->unique || q->search.offset;
}

/* Files that were removed since the list was made are left out, and damaged ones: the next list will lack these. */
static int put_page(scry_json_writer *w, server *s, kept_list *k, size_t from, size_t end, scry_error *err)
{
    scry_results *found = NULL;
    int result = scry_listing_page(k->listing, s->store, from, end, &found, err);
    if (result < 0)
        return result;
    if (found->count < end - from)
        atomic_store(&k->damaged, true);
    mark_away(s->away, found);
    for (size_t i = 0; i < found->count; i++) {
        scry_json_begin(w, '{');
        scry_json_put_file(w, &found->hits[i].file);
        scry_json_end(w, '}');
    }
    scry_results_free(found);
    return 0;
}

/* Where the page begins. */
static int find_start(const server *s, const scry_search_request *q, const scry_listing *l, size_t *from, scry_error *err)
{
    *from = q->search.offset;
    if (!q->has_after)
        return 0;
    if (q->search.offset)
        return scry_fail(err, SCRY_EINVALID, "offset and cursor both say where the page begins: give one of them");
    size_t at = scry_listing_find(l, s->store, q->after);
    *from = at + 1;
    return at < SIZE_MAX ? 0 : scry_fail(err, SCRY_ENOTFOUND, "the cursor's picture is not in the list any more");
}

/* Where filters let no picture pass: which, and what there is instead. */
static void put_why_nothing(scry_json_writer *w, server *s, const scry_search_request *q)
{
    scry_buf why = SCRY_BUF_INIT(1 << 16), parts = SCRY_BUF_INIT(1 << 20);
    if (scry_why_nothing(&why, &parts, s->store, q, NULL) == 0 && why.size) {
        scry_json_add_str(w, "nothing_found", scry_buf_str(&why));
        scry_json_key(w, "nothing_found_by");
        scry_json_put_raw(w, scry_buf_str(&parts));
    }
    scry_buf_dispose(&why);
    scry_buf_dispose(&parts);
}

void respond_sorted_list(request *r, const scry_search_request *q)
{
    server *s = r->server;
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    size_t from = 0, count = 0, end;
    uint64_t total = 0;
    pthread_rwlock_rdlock(&s->store_lock);
    kept_list *k = acquire(r, q, q->sort, first_of(s, q), &err);
    int result = k ? find_start(s, q, k->listing, &from, &err) : err.code;
    if (result == 0) {
        count = scry_listing_count(k->listing);
        total = scry_listing_total(k->listing);
        end = from < count && count - from > q->search.limit ? from + q->search.limit : count;
        scry_json_begin(&w, '{');
        scry_json_add_int(&w, "total", (int64_t)total);
        scry_json_key(&w, "results");
        scry_json_begin(&w, '[');
        result = put_page(&w, s, k, from, end, &err);
        scry_json_end(&w, ']');
        char next[2 * SCRY_ID_BYTES + 1] = "";
        if (from < end && end < total) {
            uint8_t id[SCRY_ID_BYTES];
            scry_listing_id(k->listing, end - 1, id);
            scry_hex(id, SCRY_ID_BYTES, next);
        }
        scry_json_add_str(&w, "cursor", next[0] ? next : NULL);
        store_put_damage(s, &w);
        if (!count && q->search.filter)
            put_why_nothing(&w, s, q);
        scry_json_end(&w, '}');
    }
    pthread_rwlock_unlock(&s->store_lock);
    if (k)
        release(s, k);
    respond_result(r, result, &err, &b);
}

/* ---- the timeline ---- */

static int64_t day_of(int64_t s)
{
    return s / DAY_S - (s % DAY_S < 0);
}

static void put_day(scry_json_writer *w, int64_t day, size_t offset, size_t count)
{
    char text[32] = "";
    time_t t = (time_t)(day * DAY_S);
    struct tm tm;
    if (gmtime_r(&t, &tm))
        strftime(text, sizeof text, "%Y-%m-%d", &tm);
    scry_json_begin(w, '{');
    scry_json_add_str(w, "day", text);
    scry_json_add_int(w, "count", (int64_t)count);
    scry_json_add_int(w, "offset", (int64_t)offset);
    scry_json_end(w, '}');
}

/* The whole list by date, to be released; NULL after an error. `what`: the name of the route, for errors. */
static kept_list *acquire_by_date(request *r, const scry_search_request *q, const char *what, scry_error *err)
{
    if (q->has_after || q->search.offset || request_arg(r, "limit") || (q->sort != SCRY_SORT_NONE && q->sort != SCRY_SORT_DATE)) {
        scry_fail(err, SCRY_EINVALID, "the %s has no pages and is sorted by date: give filters, unique and reverse only", what);
        return NULL;
    }
    pthread_rwlock_rdlock(&r->server->store_lock);
    kept_list *k = acquire(r, q, SCRY_SORT_DATE, 0, err);
    pthread_rwlock_unlock(&r->server->store_lock);
    return k;
}

/* What is made of a whole list is made once: 13 ms for the map of 100,000 pictures. `text`: its place in the list. */
static void respond_once(request *r, kept_list *k, char **text, void (*put)(scry_json_writer *w, const scry_listing *l))
{
    pthread_mutex_t *lock = &r->server->lists->lock;
    pthread_mutex_lock(lock);
    if (!*text) {
        scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
        scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
        scry_json_begin(&w, '{');
        put(&w, k->listing);
        scry_json_end(&w, '}');
        *text = b.failed ? NULL : scry_buf_take(&b);
        scry_buf_dispose(&b);
    }
    pthread_mutex_unlock(lock);
    if (*text)
        respond_text(r, 200, "application/json", *text);
    else
        respond_problem(r, 500, "the answer is longer than %d bytes", MAX_JSON_BYTES);
    release(r->server, k);
}

static void put_days(scry_json_writer *w, const scry_listing *l)
{
    size_t count = scry_listing_count(l);
    scry_json_add_int(w, "total", (int64_t)count);
    scry_json_key(w, "days");
    scry_json_begin(w, '[');
    for (size_t from = 0, to; from < count; from = to) {
        int64_t day = day_of(scry_listing_time(l, from));
        for (to = from + 1; to < count && day_of(scry_listing_time(l, to)) == day; to++)
            continue;
        put_day(w, day, from, to - from);
    }
    scry_json_end(w, ']');
}

void respond_timeline(request *r, const scry_search_request *q)
{
    scry_error err = SCRY_ERROR_INIT;
    kept_list *k = acquire_by_date(r, q, "timeline", &err);
    if (k)
        respond_once(r, k, &k->timeline, put_days);
    else
        respond_error(r, &err);
}

/* ---- the map ---- */

typedef struct {
    double latitude, longitude;
    int64_t cell;
    size_t at;           /* in the list */
} placed;

/* The grid's cells by rows; one for each degree / `per_degree` of latitude and longitude. */
static int64_t cell_of(const placed *p, double per_degree)
{
    return (int64_t)floor((p->latitude + 90) * per_degree) * (1 << 20) + (int64_t)floor((p->longitude + 180) * per_degree);
}

static int compare_placed(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    return x->cell != y->cell ? (x->cell > y->cell) - (x->cell < y->cell) : (x->at > y->at) - (x->at < y->at);
}

/* How many of the sorted pictures from `first` on are in its cell. */
static size_t count_in_cell(const placed *p, size_t first, size_t count)
{
    size_t end = first + 1;
    while (end < count && p[end].cell == p[first].cell)
        end++;
    return end - first;
}

/* Sort by cells of the finest grid that has at most MAX_CELLS of them; how many there are in a degree. */
static double sort_by_cell(placed *p, size_t count)
{
    double per_degree = CELLS_IN_DEGREE;
    for (;; per_degree /= 2) {
        size_t cells = 0;
        for (size_t i = 0; i < count; i++)
            p[i].cell = cell_of(&p[i], per_degree);
        if (count)
            qsort(p, count, sizeof *p, compare_placed);
        for (size_t i = 0; i < count; i += count_in_cell(p, i, count))
            cells++;
        if (cells <= MAX_CELLS)
            return per_degree;
    }
}

/* `p`: the pictures of one cell, in the order of the list. */
static void put_cell(scry_json_writer *w, const scry_listing *l, const placed *p, size_t count)
{
    char id[2 * SCRY_ID_BYTES + 1];
    uint8_t bytes[SCRY_ID_BYTES];
    double latitude = 0, longitude = 0;
    for (size_t i = 0; i < count; i++) {
        latitude += p[i].latitude;
        longitude += p[i].longitude;
    }
    scry_listing_id(l, p[0].at, bytes);
    scry_hex(bytes, SCRY_ID_BYTES, id);
    scry_json_begin(w, '{');
    scry_json_add_num(w, "latitude", latitude / (double)count, 9);
    scry_json_add_num(w, "longitude", longitude / (double)count, 9);
    scry_json_add_int(w, "count", (int64_t)count);
    scry_json_add_str(w, "id", id);
    scry_json_end(w, '}');
}

static void put_cells(scry_json_writer *w, const scry_listing *l)
{
    size_t total = 0, count = scry_listing_count(l);
    placed *p = scry_alloc((count + 1) * sizeof *p);
    for (size_t i = 0; i < count; i++)
        if (scry_listing_position(l, i, &p[total].latitude, &p[total].longitude))
            p[total++].at = i;
    double per_degree = sort_by_cell(p, total);
    scry_json_add_int(w, "total", (int64_t)total);
    scry_json_add_num(w, "cell_degrees", 1 / per_degree, 6);
    scry_json_key(w, "cells");
    scry_json_begin(w, '[');
    for (size_t i = 0, n; i < total; i += n) {
        n = count_in_cell(p, i, total);
        put_cell(w, l, p + i, n);
    }
    scry_json_end(w, ']');
    free(p);
}

void respond_map(request *r, const scry_search_request *q)
{
    scry_error err = SCRY_ERROR_INIT;
    kept_list *k = acquire_by_date(r, q, "map", &err);
    if (k)
        respond_once(r, k, &k->map, put_cells);
    else
        respond_error(r, &err);
}

/* ---- neighbours in time ---- */

/* `n` pictures at most from `at` on, with `step` 1, or SIZE_MAX for -1, nearest first. Below 0 is past the end. */
static int put_side(scry_json_writer *w, server *s, kept_list *k, size_t at, size_t step, size_t n)
{
    int result = 0;
    scry_json_begin(w, '[');
    for (; n > 0 && at < scry_listing_count(k->listing) && result == 0; at += step, n--)
        result = put_page(w, s, k, at, at + 1, NULL);
    scry_json_end(w, ']');
    return result;
}

void respond_neighbours(request *r, const scry_search_request *q, const uint8_t id[SCRY_ID_BYTES])
{
    server *s = r->server;
    scry_error err = SCRY_ERROR_INIT;
    if (q->has_after || q->search.offset || q->reverse || q->sort != SCRY_SORT_NONE || q->search.limit > MAX_NEIGHBOURS) {
        respond_problem(r, 400, "neighbours take filters, unique, and limit, from 1 to %d on each side", MAX_NEIGHBOURS);
        return;
    }
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    pthread_rwlock_rdlock(&s->store_lock);
    kept_list *k = acquire(r, q, SCRY_SORT_DATE, 0, &err);
    size_t at = k ? scry_listing_find(k->listing, s->store, id) : SIZE_MAX;
    int result = k ? 0 : err.code;
    if (k && at == SIZE_MAX)
        result = scry_fail(&err, SCRY_ENOTFOUND, "there is no such picture among those that these parameters ask for");
    if (result == 0) {
        scry_json_begin(&w, '{');
        scry_json_add_int(&w, "offset", (int64_t)at);
        scry_json_add_int(&w, "total", (int64_t)scry_listing_count(k->listing));
        scry_json_key(&w, "before");
        result = put_side(&w, s, k, at + 1, 1, q->search.limit);
        scry_json_key(&w, "after");
        if (result == 0)
            result = put_side(&w, s, k, at - 1, SIZE_MAX, q->search.limit);
        scry_json_end(&w, '}');
        if (result < 0)
            scry_fail(&err, result, "a picture of the list cannot be read");
    }
    pthread_rwlock_unlock(&s->store_lock);
    if (k)
        release(s, k);
    respond_result(r, result, &err, &b);
}
