#include "server/queue.h"

#include "base/alloc.h"
#include "base/cond.h"

#include <pthread.h>
#include <stdlib.h>

struct work_queue {
    pthread_mutex_t lock;
    pthread_cond_t added;
    request *head, *tail;
    size_t count, limit;
    bool closed;
};

struct work_queue *queue_new(size_t limit)
{
    struct work_queue *q = scry_alloc(sizeof *q);
    pthread_mutex_init(&q->lock, NULL);
    scry_cond_init(&q->added);
    q->limit = limit;
    return q;
}

bool queue_push(struct work_queue *q, request *r)
{
    pthread_mutex_lock(&q->lock);
    bool ok = !q->closed && q->count < q->limit;
    if (ok) {
        r->next = NULL;
        if (q->tail)
            q->tail->next = r;
        else
            q->head = r;
        q->tail = r;
        q->count++;
        pthread_cond_signal(&q->added);
    }
    pthread_mutex_unlock(&q->lock);
    return ok;
}

size_t queue_take(struct work_queue *q, request **out, size_t max)
{
    size_t n = 0;
    pthread_mutex_lock(&q->lock);
    while (q->count == 0 && !q->closed)
        pthread_cond_wait(&q->added, &q->lock);
    for (; n < max && q->head; n++) {
        out[n] = q->head;
        q->head = q->head->next;
        q->count--;
    }
    if (!q->head)
        q->tail = NULL;
    pthread_mutex_unlock(&q->lock);
    return n;
}

size_t queue_length(struct work_queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->count;
    pthread_mutex_unlock(&q->lock);
    return n;
}

void queue_close(struct work_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->added);
    pthread_mutex_unlock(&q->lock);
}

void queue_free(struct work_queue *q)
{
    if (!q)
        return;
    pthread_cond_destroy(&q->added);
    pthread_mutex_destroy(&q->lock);
    free(q);
}
