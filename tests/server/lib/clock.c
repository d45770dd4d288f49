/* clock.c - a library for LD_PRELOAD: the system's clock reads an hour ahead of the kernel's. Whoever reads it and
 * waits for a time by it waits an hour too long, as after a clock that was set back by an hour. */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int r = (int)syscall(SYS_clock_gettime, clock, t);
    if (r == 0 && clock == CLOCK_REALTIME)
        t->tv_sec += 3600;
    return r;
}
