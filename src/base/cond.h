/* cond.h - timed waits on condition variables. */
#ifndef SCRY_BASE_COND_H
#define SCRY_BASE_COND_H

#include <pthread.h>

/* As pthread_cond_init, for waits of scry_cond_wait_ms. */
void scry_cond_init(pthread_cond_t *cond);

/* Wait with `lock` held until the condition, of scry_cond_init, is signalled or `ms` have passed, by the monotonic clock:
 * setting the system's clock neither shortens nor prolongs the wait. May also return early (spurious wakeup). */
void scry_cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, int ms);

#endif
