#include "base/pool.h"

#include "base/alloc.h"
#include "base/cond.h"
#include "base/system.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_THREADS = 1024, MAX_WORKERS = 256 };   /* of those that are asked for: more only cost memory, and descriptors */

struct scry_pool {
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    scry_pool_fn *fn;
    void *arg;
    unsigned long turn;   /* counts runs: a helper works when it sees a new one */
    int count, running;
    bool stopping;
    pthread_t *helpers;   /* count - 1 of them */
    pid_t process;        /* that has them: after a fork the child has none */
};

typedef struct {
    scry_pool *pool;
    int index;
} helper_arg;

int scry_cpu_count(void)
{
    int n = scry_usable_processors();
    const char *cap = getenv("SCRY_THREADS");
    int wanted = cap ? atoi(cap) : 0;
    if (wanted > 0 && wanted < n)
        n = wanted;
    return n > 0 ? n : 1;
}

int scry_worker_count(int asked)
{
    return asked <= 0 ? scry_cpu_count() : asked < MAX_WORKERS ? asked : MAX_WORKERS;
}

static void *helper(void *p)
{
    helper_arg a = *(helper_arg *)p;
    free(p);
    scry_pool *pool = a.pool;
    unsigned long seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->turn == seen && !pool->stopping)
            pthread_cond_wait(&pool->start, &pool->lock);
        if (pool->stopping)
            break;
        seen = pool->turn;
        pthread_mutex_unlock(&pool->lock);
        pool->fn(pool->arg, a.index, pool->count);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0)
            pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void start_helpers(scry_pool *p)
{
    p->process = getpid();
    p->turn = 0;
    p->running = 0;
    pthread_mutex_init(&p->lock, NULL);
    scry_cond_init(&p->start);
    scry_cond_init(&p->done);
    for (int i = 1; i < p->count; i++) {
        helper_arg *a = scry_alloc(sizeof *a);
        *a = (helper_arg){ p, i };
        if (pthread_create(&p->helpers[i - 1], NULL, helper, a) != 0) {
            free(a);
            p->count = i;   /* fewer threads than asked for: continue with these */
        }
    }
}

scry_pool *scry_pool_new(int threads)
{
    scry_pool *p = scry_alloc(sizeof *p);
    p->count = threads > 0 ? threads < MAX_THREADS ? threads : MAX_THREADS : scry_cpu_count();
    p->helpers = scry_alloc((size_t)p->count * sizeof *p->helpers);
    start_helpers(p);
    return p;
}

int scry_pool_threads(const scry_pool *p)
{
    return p ? p->count : 1;
}

void scry_pool_run(scry_pool *p, scry_pool_fn *fn, void *arg)
{
    if (!p || p->count == 1) {
        fn(arg, 0, 1);
        return;
    }
    if (p->process != getpid()) {
        start_helpers(p);
        scry_pool_run(p, fn, arg);   /* there may be fewer now */
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->arg = arg;
    p->running = p->count - 1;
    p->turn++;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    fn(arg, 0, p->count);
    pthread_mutex_lock(&p->lock);
    while (p->running)
        pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static void end_helpers(scry_pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->count - 1; i++)
        pthread_join(p->helpers[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->start);
    pthread_cond_destroy(&p->done);
}

void scry_pool_free(scry_pool *p)
{
    if (!p)
        return;
    if (p->process == getpid())
        end_helpers(p);
    free(p->helpers);
    free(p);
}
