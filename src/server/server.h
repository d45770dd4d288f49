/* server.h - the state of `scry serve`: one process, with model and store loaded once.
 *
 *     event loop (libmicrohttpd, one thread)
 *        | a complete request with a fast handler: answered immediately
 *        | a search: suspended --> search thread: all waiting searches are embedded and scanned
 *        |                         as one batch, then resumed
 *        | slow handlers (decoding, files): suspended --> workers, each with its own
 *        |                         decoder process and session, then resumed
 *
 * The loop does no computation and no slow disk access. Both queues are bounded; when one is full
 * the request gets 503 with Retry-After. A request exists from its first byte to the end of its
 * response and belongs to one thread at a time: the loop, then a queue's thread, then the loop again.
 */
#ifndef SCRY_SERVER_H
#define SCRY_SERVER_H

#include "scry/model.h"
#include "scry/rebuild.h"
#include "scry/score.h"
#include "scry/serve.h"
#include "scry/store.h"
#include "server/request.h"
#include "server/store_writer.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* What scry_serve_run calls; its `options` have an address, store and model are not NULL. */
int scry_serve_plugin(const scry_serve_options *options, const char *store, const char *collection, const char *model,
                      scry_precision precision, scry_error *err);

struct server {
    scry_serve_options options;
    const char *where, *collection;      /* of the store, as the command line names them */
    scry_store *store;                   /* under store_lock: store_watch.h replaces it */
    struct store_watch *store_watch;
    struct store_check *store_check;
    struct away_watch *away;
    struct words_reading *words_reading;
    atomic_bool rebuild_due;             /* the collection is of an earlier starter: all but searching works */
    scry_error due;                      /* says so; set before the threads start, as is: */
    scry_rebuild_estimate due_estimate;  /* pictures: 0, where it cannot be embedded again */
    scry_model *model;
    const scry_model_info *info;
    scry_threshold *threshold;           /* the score threshold of hits, under store_lock; NULL when not known */
    struct MHD_Daemon *daemon;
    atomic_int draining;
    struct work_queue *search_queue, *work_queue, *download_queue;
    pthread_t download_thread;           /* if `downloading` */
    bool downloading;
    pthread_t search_thread, *worker_threads;
    struct search_batch *search_batch;   /* NULL: no search thread runs */
    int worker_count;
    size_t bodies_bytes;                 /* of all request bodies in memory (loop only) */
    struct index_runs *index_runs;
    struct metrics *metrics;
    struct connection_list *connections;
    pthread_rwlock_t store_lock;         /* write: refresh; read: everything else. `store` is read-only */
    pthread_mutex_t writer_lock;         /* guards `writer`: one change at a time (store_writer.h) */
    pthread_cond_t writer_released;
    writer_claim writer;
    atomic_uint changes, file_changes;   /* number of changes made by this server; of those that were not of marks alone */
    pthread_mutex_t facets_lock;         /* guards the next two (routes_lists.c, routes_status.c) */
    struct {
        scry_text_counts counts;
        uint64_t change;                 /* of scry_store_info, when they were counted; 0: not yet */
    } texts;
    struct {
        char *json;                      /* owned: the last response; NULL: none yet */
        double until_ms;
        unsigned change;                 /* the value of `file_changes` when it was made */
    } facets[2];                         /* of all files; of each picture once */
    struct list_cache *lists;            /* sorted lists (sorted_lists.h) */
    struct duplicate_runs *duplicate_runs;
    struct ready_lists *ready;
    struct place_cache *places;
    char token[256];                     /* "" when no token is required */
    char session_cookie[65];             /* value of the cookie that a login sets */
    char *public_origin;                 /* owned: "https://example.org"; NULL: no --public-url */
    char *public_path;             /* "/photos", "" at the top */
    char *host_port;                     /* "127.0.0.1:8080" as bound */
};

/* Whether the store is a folder on this machine, not on Milvus. */
static inline bool server_has_folder(const server *s)
{
    return strncmp(s->where, "milvus", 6) != 0;
}

/* Whether clients may set favourites, saved searches and the like; routes_marks.c. */
bool server_allows_marks(const server *s);

#endif
