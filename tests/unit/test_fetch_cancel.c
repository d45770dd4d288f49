/* fetch: a download that is to stop does so whatever the host does: before the first request, while the host is silent,
 * and while it has asked for a long pause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fetch/fetch.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int listening;
    char url[64];
    const char *answer;      /* NULL: none, and the flag is set once a request has come */
    scry_cancel cancel;
} host;

static void start(host *h, const char *answer)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    *h = (host){ .listening = socket(AF_INET, SOCK_STREAM, 0), .answer = answer };
    assert_int_equal(bind(h->listening, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(h->listening, 4), 0);
    assert_int_equal(getsockname(h->listening, (struct sockaddr *)&at, &n), 0);
    snprintf(h->url, sizeof h->url, "http://127.0.0.1:%d", ntohs(at.sin_port));
}

/* One request; the connection stays open until the other side closes it. */
static void *serve(void *arg)
{
    host *h = arg;
    char bytes[4096];
    int fd = accept(h->listening, NULL, NULL);
    (void)!read(fd, bytes, sizeof bytes);
    if (h->answer)
        (void)!write(fd, h->answer, strlen(h->answer));
    else
        atomic_store(&h->cancel, 1);
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
    close(fd);
    return NULL;
}

static void stop_while_waiting(void *arg, int seconds)
{
    assert_int_equal(seconds, 900);
    atomic_store(&((host *)arg)->cancel, 1);
}

static void check(host *h)
{
    static fetch_report report;
    scry_error err = SCRY_ERROR_INIT;
    fetch_job job = { .hub = h->url, .repository = "owner/name", .folder = "/nowhere", .waiting = stop_while_waiting, .arg = h,
                      .cancel = &h->cancel };
    assert_int_equal(scry_fetch_checkpoint(&job, &report, &err), SCRY_ECANCELLED);
    assert_non_null(strstr(err.message, "stopped before the end"));
    close(h->listening);
}

static void before_the_first_request(void **state)
{
    host h;
    start(&h, NULL);
    atomic_store(&h.cancel, 1);
    check(&h);   /* nobody accepts a connection */
}

static void run_host(const char *answer)
{
    host h;
    pthread_t thread;
    start(&h, answer);
    assert_int_equal(pthread_create(&thread, NULL, serve, &h), 0);
    check(&h);
    pthread_join(thread, NULL);
}

static void while_the_host_is_silent(void **state)
{
    run_host(NULL);
}

static void while_the_host_asks_for_a_pause(void **state)
{
    run_host("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 900\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_request),
        cmocka_unit_test(while_the_host_is_silent),
        cmocka_unit_test(while_the_host_asks_for_a_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
