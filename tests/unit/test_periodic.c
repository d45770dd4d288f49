/* A periodic thread: its calls, waits that stopping ends, and stopping in every state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/periodic.h"

#include <stdatomic.h>
#include <unistd.h>

typedef struct {
    scry_periodic periodic;
    atomic_int calls;
    int64_t next_ms, busy_ms;
    atomic_bool was_stopped;
} counter;

static int64_t count(void *arg)
{
    counter *c = arg;
    atomic_fetch_add(&c->calls, 1);
    if (c->busy_ms && !scry_periodic_wait(&c->periodic, c->busy_ms))
        atomic_store(&c->was_stopped, true);
    return c->next_ms;
}

static void wait_for_calls(counter *c, int n)
{
    for (double end = scry_now_ms() + 60000; atomic_load(&c->calls) < n && scry_now_ms() < end;)
        usleep(1000);
    assert_true(atomic_load(&c->calls) >= n);
}

static void it_calls_again_and_again(void **state)
{
    counter c = { .next_ms = 20 };
    double start = scry_now_ms();
    assert_true(scry_periodic_start(&c.periodic, count, &c, 0));
    wait_for_calls(&c, 6);
    assert_true(scry_now_ms() - start >= 99);   /* five times 20 ms; a double may be less by its last bit */
    scry_periodic_stop(&c.periodic);
    int calls = atomic_load(&c.calls);
    usleep(60000);
    assert_int_equal(atomic_load(&c.calls), calls);
}

static void stopping_ends_a_wait(void **state)
{
    counter c = { .next_ms = INT64_C(100) * 24 * 3600 * 1000 };   /* longer than an int of ms */
    double start = scry_now_ms();
    alarm(60);
    assert_true(scry_periodic_start(&c.periodic, count, &c, 0));
    wait_for_calls(&c, 1);
    usleep(20000);
    assert_int_equal(atomic_load(&c.calls), 1);
    scry_periodic_stop(&c.periodic);
    scry_periodic_stop(&c.periodic);
    alarm(0);
    assert_true(scry_now_ms() - start < 30000);
}

static void stopping_ends_a_wait_of_the_work(void **state)
{
    counter c = { .busy_ms = 3600000 };
    alarm(60);
    assert_true(scry_periodic_start(&c.periodic, count, &c, 0));
    wait_for_calls(&c, 1);
    scry_periodic_stop(&c.periodic);
    alarm(0);
    assert_true(atomic_load(&c.was_stopped));
    assert_int_equal(atomic_load(&c.calls), 1);
}

static void the_first_call_may_be_late(void **state)
{
    counter c = { .next_ms = 1 };
    assert_true(scry_periodic_start(&c.periodic, count, &c, 3600000));
    usleep(20000);
    scry_periodic_stop(&c.periodic);
    assert_int_equal(atomic_load(&c.calls), 0);
}

static void one_that_was_not_started_may_be_stopped(void **state)
{
    counter c = { .next_ms = 1 };
    scry_periodic_stop(&c.periodic);
    assert_int_equal(atomic_load(&c.calls), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_calls_again_and_again),
        cmocka_unit_test(stopping_ends_a_wait),
        cmocka_unit_test(stopping_ends_a_wait_of_the_work),
        cmocka_unit_test(the_first_call_may_be_late),
        cmocka_unit_test(one_that_was_not_started_may_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
