/* periodic.h - a thread that does the same work again and again until it is stopped.
 *
 *     static int64_t look(void *arg) { ...; return 3000; }
 *     scry_periodic_start(&w->periodic, look, w, 0)     at once, then 3 s after the end of each call
 *     scry_periodic_stop(&w->periodic)                  before what `look` uses is freed
 *
 * Times are those of the monotonic clock. Stopping ends a wait at once and lets a call end; long work asks scry_periodic_wait.
 */
#ifndef SCRY_BASE_PERIODIC_H
#define SCRY_BASE_PERIODIC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* One call; returns after how many ms the next is due. */
typedef int64_t scry_periodic_fn(void *arg);

/* Zeroed before scry_periodic_start; members are private. */
typedef struct scry_periodic {
    scry_periodic_fn *work;
    void *arg;
    int64_t first_ms;
    pthread_t thread;
    bool started;              /* lock and condition exist, too */
    pthread_mutex_t lock;      /* guards the next */
    pthread_cond_t stop_signal;
    bool stopping;
} scry_periodic;

/* Start the thread, whose first call of `work` is after first_ms. false: there can be no thread; then stopping does nothing. */
bool scry_periodic_start(scry_periodic *p, scry_periodic_fn *work, void *arg, int64_t first_ms);

/* End the thread, after the call that it is in. Legal for one that was not started. */
void scry_periodic_stop(scry_periodic *p);

/* For `work` and what it calls: wait for so many ms; false at once when the thread is to stop. 0 only asks. */
bool scry_periodic_wait(scry_periodic *p, int64_t ms);

/* The calling thread, and the processes that it starts from now on, work in idle time of processor and disk. What fails of that
 * does no harm. */
void scry_lower_priority(void);

#endif
