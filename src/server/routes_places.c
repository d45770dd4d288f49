/* routes_places.c - where the collection's pictures were taken, by name: what is suggested while a place is typed.
 *
 * The list is made by one walk over the files, and again when they have changed; while it is made other requests for it wait.
 */
#include "server/router.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/place_list.h"
#include "server/place_cache.h"
#include "server/request.h"
#include "server/server.h"

#include <pthread.h>
#include <stdlib.h>

enum { MAX_JSON_BYTES = 4 << 20, MOST_PLACES = 1000 };

struct place_cache {
    pthread_mutex_t lock;     /* held while the list is made and while it is read */
    scry_place_list *list;    /* NULL: none yet */
    uint64_t store_change;    /* of scry_store_info; 0: not known, `until_ms` decides */
    unsigned server_change;   /* of server.file_changes */
    double until_ms;
};

struct place_cache *place_cache_new(void)
{
    struct place_cache *c = scry_alloc(sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void place_cache_free(struct place_cache *c)
{
    if (!c)
        return;
    scry_place_list_free(c->list);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* With the lock: a list of what is stored now. */
static int refresh(server *s, struct place_cache *c, scry_error *err)
{
    scry_store_info info = { 0 };
    scry_place_list *list;
    unsigned server_change = atomic_load(&s->file_changes);
    double start = scry_now_ms();
    pthread_rwlock_rdlock(&s->store_lock);
    scry_store_describe(s->store, &info);
    bool current = c->list && c->server_change == server_change && c->store_change == info.files_change &&
                   (info.files_change || start < c->until_ms);
    int result = current ? 0 : scry_place_list_new(&list, s->store, err);
    pthread_rwlock_unlock(&s->store_lock);
    if (result < 0 || current)
        return result;
    scry_place_list_free(c->list);
    c->list = list;
    c->store_change = info.files_change;
    c->server_change = server_change;
    c->until_ms = scry_now_ms() + 20 * (scry_now_ms() - start);
    return 0;
}

/* GET /api/v1/places */
static void places_get(request *r, worker_tools *tools)
{
    struct place_cache *c = r->server->places;
    const char *text = request_arg(r, "q"), *language;
    long long limit;
    scry_error err = SCRY_ERROR_INIT;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    if (!request_int(r, "limit", 20, 1, MOST_PLACES, &limit) || !request_language(r, &language))
        return;
    pthread_mutex_lock(&c->lock);
    int result = refresh(r->server, c, &err);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "places");
    if (result == 0)
        scry_json_put_places(&w, c->list, text ? text : "", (size_t)limit, language);
    scry_json_end(&w, '}');
    pthread_mutex_unlock(&c->lock);
    respond_result(r, result, &err, &b);
}

const route routes_places[] = {
    { "GET", "/api/v1/places", RUN_ON_WORKER, places_get, 0, false, "q limit language" },
    { 0 },
};
