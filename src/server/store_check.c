#include "server/store_check.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/periodic.h"
#include "server/store_watch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DEFAULT_INTERVAL_S = 24 * 3600,
    AGAIN_S = 600,                    /* when a writer was at work, or the check could not be made */
    BYTES_A_SECOND = 32 << 20,
    SHOWN_PROBLEMS = 10
};

typedef enum { CHECK_OFF, CHECK_WAITING, CHECK_RUNNING, CHECK_DONE } check_state;

struct store_check {
    server *server;
    int interval_s;
    scry_periodic periodic;
    double begun_ms;                  /* of the running check; the thread's own, as are: */
    scry_verify_report running;       /* what it has found, */
    int shown;                        /* the problems in the log, */
    char found[512];                  /* and the first that is in no cache; "" before */
    pthread_mutex_t lock;             /* guards all below */
    check_state state;
    uint64_t bytes;                   /* read by the running check, or by the last one */
    int64_t finished_at;              /* the last one, seconds since 1970; 0: none yet */
    scry_verify_report report;        /* what it found */
    char damage[512];                 /* and the first that makes searches wrong; "": nothing */
};

/* After so many bytes were read: sleep until they may have been. */
static int keep_pace(void *arg, size_t bytes)
{
    struct store_check *c = arg;
    pthread_mutex_lock(&c->lock);
    c->bytes += bytes;
    double due = c->begun_ms + (double)c->bytes * 1000 / BYTES_A_SECOND, now = scry_now_ms();
    pthread_mutex_unlock(&c->lock);
    return !scry_periodic_wait(&c->periodic, now < due ? (int64_t)(due - now) + 1 : 0);
}

/* The first that makes searches wrong is kept. */
static void note_problem(void *arg, const char *text)
{
    struct store_check *c = arg;
    if (c->shown++ < SHOWN_PROBLEMS)
        scry_log(SCRY_LOG_WARN, "check of the store: %s", text);
    if (!c->found[0] && c->running.problems > c->running.cache_problems)
        snprintf(c->found, sizeof c->found, "%s", text);
}

/* With a handle of its own, so that it keeps no request waiting. */
static int compare(struct store_check *c, scry_error *err)
{
    scry_store *store;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.collection = c->server->collection;
    int result = scry_store_open(&store, c->server->where, &o, err);
    if (result < 0)
        return result;
    result = scry_store_check_files(store, &c->running, keep_pace, note_problem, c, err);
    if (c->shown > SHOWN_PROBLEMS)
        scry_log(SCRY_LOG_WARN, "check of the store: %d more problems; scry verify lists them all", c->shown - SHOWN_PROBLEMS);
    scry_store_close(store, NULL);
    return result;
}

/* One check; returns the seconds until the next. */
static int check_once(struct store_check *c)
{
    scry_error err = SCRY_ERROR_INIT;
    c->running = (scry_verify_report){ 0 };
    c->shown = 0;
    c->found[0] = '\0';
    pthread_mutex_lock(&c->lock);
    c->state = CHECK_RUNNING;
    c->bytes = 0;
    pthread_mutex_unlock(&c->lock);
    c->begun_ms = scry_now_ms();
    int result = compare(c, &err);
    if (result < 0 && result != SCRY_ECANCELLED && result != SCRY_ENOTFOUND)   /* the watch reports a missing collection */
        scry_log(SCRY_LOG_WARN, "the store cannot be checked: %s", err.message);
    if (result == 0 && c->running.problems > c->running.cache_problems) {
        scry_fail(&err, SCRY_EDAMAGED, "%s", c->found);
        store_watch_failed(c->server->store_watch, &err);
    }
    if (result == 0 && c->running.cache_problems)
        store_watch_reopen(c->server->store_watch);   /* what it trusted is checked anew before it is used */
    pthread_mutex_lock(&c->lock);
    if (result == 0) {
        c->report = c->running;
        memcpy(c->damage, c->found, sizeof c->damage);
        c->finished_at = time(NULL);
    }
    c->state = c->finished_at ? CHECK_DONE : CHECK_WAITING;
    pthread_mutex_unlock(&c->lock);
    bool again = (result < 0 || c->running.partial) && c->interval_s > AGAIN_S;
    return again ? AGAIN_S : c->interval_s;
}

static int64_t check_again(void *arg)
{
    scry_lower_priority();
    return check_once(arg) * INT64_C(1000);
}

struct store_check *store_check_new(server *s)
{
    struct store_check *c = scry_alloc(sizeof *c);
    int interval = s->options.check_interval_s;
    c->server = s;
    c->interval_s = interval ? interval : DEFAULT_INTERVAL_S;
    pthread_mutex_init(&c->lock, NULL);
    if (c->interval_s < 0 || !server_has_folder(s))
        return c;
    c->state = CHECK_WAITING;
    if (!scry_periodic_start(&c->periodic, check_again, c, 0)) {
        c->state = CHECK_OFF;
        scry_log(SCRY_LOG_WARN, "no thread to check the store with: scry verify does so");
    }
    return c;
}

void store_check_free(struct store_check *c)
{
    if (!c)
        return;
    scry_periodic_stop(&c->periodic);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

bool store_damage(server *s, scry_error *err)
{
    struct store_check *c = s->store_check;
    if (scry_store_known_damage(s->store, err) < 0)
        return true;
    pthread_mutex_lock(&c->lock);
    bool damaged = c->damage[0];
    if (damaged)
        scry_fail(err, SCRY_EDAMAGED, "the collection is damaged, what it finds may be wrong: %s", c->damage);
    pthread_mutex_unlock(&c->lock);
    return damaged;
}

void store_put_damage(server *s, scry_json_writer *w)
{
    scry_error damage = SCRY_ERROR_INIT;
    scry_json_add_str(w, "damage", store_damage(s, &damage) ? damage.message : NULL);
}

void store_check_put(struct store_check *c, scry_json_writer *w)
{
    static const char *const names[] = { [CHECK_OFF] = "off", [CHECK_WAITING] = "waiting", [CHECK_RUNNING] = "running",
                                         [CHECK_DONE] = "done" };
    pthread_mutex_lock(&c->lock);
    scry_json_begin(w, '{');
    scry_json_add_str(w, "state", names[c->state]);
    scry_json_add_int(w, "bytes", (int64_t)c->bytes);
    scry_json_add_int(w, "finished_at", c->finished_at);
    scry_json_add_int(w, "problems", (int64_t)c->report.problems);
    scry_json_add_int(w, "cache_problems", (int64_t)c->report.cache_problems);
    scry_json_add_bool(w, "partial", c->report.partial);
    scry_json_end(w, '}');
    pthread_mutex_unlock(&c->lock);
}
