/* Timed waits end on time although the system's clock is set back while they wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cond.h"
#include "base/log.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Replaces libc's: the system's clock reads an hour ahead of the kernel's, as for a thread
 * that read it just before it was set back by an hour. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
    int r = (int)syscall(SYS_clock_gettime, clock, t);
    if (r == 0 && clock == CLOCK_REALTIME)
        t->tv_sec += 3600;
    return r;
}

static void a_wait_ends_on_time(void **state)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    double start = scry_now_ms();
    scry_cond_init(&cond);
    alarm(60);
    pthread_mutex_lock(&lock);
    while (scry_now_ms() - start < 1100)
        scry_cond_wait_ms(&cond, &lock, 1100);
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&cond);
    alarm(0);
    assert_true(scry_now_ms() - start < 30000);
}

static void a_wait_waits(void **state)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    double start = scry_now_ms();
    scry_cond_init(&cond);
    int waits = 0;
    pthread_mutex_lock(&lock);
    for (; scry_now_ms() - start < 200; waits++)
        scry_cond_wait_ms(&cond, &lock, 100);
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&cond);
    assert_true(waits >= 1 && waits <= 20);   /* spurious wake-ups are allowed, a busy loop is not */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_ends_on_time),
        cmocka_unit_test(a_wait_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
