/* queue.h - bounded queues of requests between the event loop and the threads. */
#ifndef SCRY_SERVER_QUEUE_H
#define SCRY_SERVER_QUEUE_H

#include "server/request.h"

struct work_queue *queue_new(size_t limit);
bool queue_push(struct work_queue *q, request *r);                      /* false: full or closed */
size_t queue_take(struct work_queue *q, request **out, size_t max);     /* blocks; 0: closed and empty */
size_t queue_length(struct work_queue *q);
void queue_close(struct work_queue *q);
void queue_free(struct work_queue *q);

#endif
