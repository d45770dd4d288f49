#include "base/periodic.h"

#include "base/cond.h"
#include "base/log.h"
#include "base/system.h"

bool scry_periodic_wait(scry_periodic *p, int64_t ms)
{
    enum { LONGEST_MS = 3600000 };   /* of one wait on the condition */
    double due = scry_now_ms() + (double)ms;
    pthread_mutex_lock(&p->lock);
    for (double now = scry_now_ms(); !p->stopping && now < due; now = scry_now_ms())
        scry_cond_wait_ms(&p->stop_signal, &p->lock, due - now < LONGEST_MS ? (int)(due - now) + 1 : LONGEST_MS);
    bool goes_on = !p->stopping;
    pthread_mutex_unlock(&p->lock);
    return goes_on;
}

static void *repeat(void *arg)
{
    scry_periodic *p = arg;
    int64_t ms = p->first_ms;
    while (scry_periodic_wait(p, ms))
        ms = p->work(p->arg);
    return NULL;
}

bool scry_periodic_start(scry_periodic *p, scry_periodic_fn *work, void *arg, int64_t first_ms)
{
    *p = (scry_periodic){ .work = work, .arg = arg, .first_ms = first_ms };
    pthread_mutex_init(&p->lock, NULL);
    scry_cond_init(&p->stop_signal);
    p->started = pthread_create(&p->thread, NULL, repeat, p) == 0;
    if (!p->started) {
        pthread_mutex_destroy(&p->lock);
        pthread_cond_destroy(&p->stop_signal);
    }
    return p->started;
}

void scry_periodic_stop(scry_periodic *p)
{
    if (!p->started)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_signal(&p->stop_signal);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->stop_signal);
    p->started = false;
}

void scry_lower_priority(void)
{
    enum { LOWEST_PRIORITY = 19 };
    scry_lower_thread(LOWEST_PRIORITY);
}
