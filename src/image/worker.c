#include "image/worker.h"

#include "base/alloc.h"
#include "base/log.h"
#include "image/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* A duplicate above the numbers that the worker's descriptors get, so that moving them
 * there in turn overwrites none that is still to be moved. */
static int high_fd(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 16);
}

/* The input memory opened anew for reading: the worker cannot change what was hashed. */
static int read_only_fd(int fd)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int low = open(path, O_RDONLY | O_CLOEXEC);
    if (low < 0)
        return high_fd(fd);   /* no /proc here */
    int high = high_fd(low);
    close(low);
    return high;
}

/* No descriptor above `last` stays open, whatever the program that uses the library left to be inherited. */
static int close_others(posix_spawn_file_actions_t *a, int last)
{
#ifdef __GLIBC__
    return posix_spawn_file_actions_addclosefrom_np(a, last + 1);
#else   /* musl has no such action */
    enum { MOST = 1 << 16 };
    int rc = 0;
    long end = sysconf(_SC_OPEN_MAX);
    for (long fd = last + 1; fd < (end > 0 && end < MOST ? end : MOST) && rc == 0; fd++) {
        int flags = fcntl((int)fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC))
            rc = posix_spawn_file_actions_addclose(a, (int)fd);
    }
    return rc;
#endif
}

/* The descriptors that the worker inherits: standard streams to /dev/null, and the three of the protocol. */
static int set_descriptors(posix_spawn_file_actions_t *a, const int fds[3], bool keep_stderr)
{
    int rc = posix_spawn_file_actions_addopen(a, 0, "/dev/null", O_RDONLY, 0);
    rc = rc ? rc : posix_spawn_file_actions_addopen(a, 1, "/dev/null", O_WRONLY, 0);
    if (!keep_stderr)
        rc = rc ? rc : posix_spawn_file_actions_addopen(a, 2, "/dev/null", O_WRONLY, 0);
    for (int i = 0; i < 3; i++)
        rc = rc ? rc : posix_spawn_file_actions_adddup2(a, fds[i], SCRY_WIRE_SOCKET_FD + i);
    return rc ? rc : close_others(a, SCRY_WIRE_OUTPUT_FD);
}

/* A process group of its own, so that Ctrl-C in a terminal ends the client and not the
 * decoding of a picture; signals as in a new session. */
static int set_attributes(posix_spawnattr_t *a)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawnattr_setpgroup(a, 0);
    rc = rc ? rc : posix_spawnattr_setsigmask(a, &none);
    rc = rc ? rc : posix_spawnattr_setsigdefault(a, &all);
    return rc ? rc : posix_spawnattr_setflags(a, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK
                                              | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(pid_t *pid, const scry_worker_options *o, const int fds[3])
{
    char memory[40];
    snprintf(memory, sizeof memory, "--memory=%zu", o->memory_bytes);
    char unconfined[] = "--unconfined-for-tests", all[] = "--all-formats", name[] = "scry-decode";
    char faulty[] = "--faults-for-tests";
    char *lines = o->lines ? scry_asprintf("--lines=%s", o->lines) : NULL;
    char *argv[7] = { name, memory }, *nothing[] = { NULL };
    int argc = 2;
    if (o->all_formats)
        argv[argc++] = all;
    if (lines)
        argv[argc++] = lines;
    if (o->unconfined)
        argv[argc++] = unconfined;
    if (o->faulty)
        argv[argc++] = faulty;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&actions), begun = rc;
    rc = rc ? rc : posix_spawnattr_init(&attributes);
    if (rc == 0) {
        rc = set_descriptors(&actions, fds, o->unconfined);
        rc = rc ? rc : set_attributes(&attributes);
        rc = rc ? rc : posix_spawn(pid, o->program, &actions, &attributes, argv,
                                   o->unconfined ? environ : nothing);   /* sanitizers have options there */
        posix_spawnattr_destroy(&attributes);
    }
    if (!begun)
        posix_spawn_file_actions_destroy(&actions);
    free(lines);
    return rc;
}

int scry_worker_start(scry_worker *w, const scry_worker_options *o, scry_error *err)
{
    int pair[2], fds[3] = { -1, -1, -1 };
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return scry_fail_errno(err, errno, "a socket to the decoder");
    fds[0] = high_fd(pair[1]);
    close(pair[1]);
    fds[1] = read_only_fd(o->input_fd);
    fds[2] = high_fd(o->output_fd);
    int rc = EMFILE;
    *w = (scry_worker)SCRY_WORKER_INIT;
    if (fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0)
        rc = spawn(&w->pid, o, fds);
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (rc) {
        close(pair[0]);
        w->pid = 0;
        return scry_fail(err, SCRY_EIO, "cannot start the picture decoder %s: %s", o->program, strerror(rc));
    }
    w->socket = pair[0];
    w->all_formats = o->all_formats;
    return 0;
}

scry_worker_event scry_worker_receive(scry_worker *w, void *buffer, size_t capacity,
                                      double deadline_ms, size_t *n)
{
    for (;;) {
        double left = deadline_ms - scry_now_ms();
        struct pollfd p = { w->socket, POLLIN, 0 };
        int ready = poll(&p, 1, left <= 0 ? 0 : left > 1e6 ? 1000000 : (int)left + 1);
        if (ready == 0 && left <= 0)
            return SCRY_WORKER_LATE;
        if (ready <= 0)
            continue;   /* interrupted by a signal, or woken a little early */
        ssize_t got = recv(w->socket, buffer, capacity, MSG_DONTWAIT);
        if (got > 0) {
            *n = (size_t)got;
            return SCRY_WORKER_MESSAGE;
        }
        /* ECONNRESET comes once, and before the messages that are queued, when the worker exits without having read a
         * request: one that cannot start says so in its hello and exits. */
        if (got == 0 || (errno != EAGAIN && errno != EINTR && errno != ECONNRESET))
            return SCRY_WORKER_DEAD;
    }
}

double scry_worker_used_ms(const scry_worker *w)
{
    clockid_t clock;
    struct timespec t;
    if (w->pid <= 0 || clock_getcpuclockid(w->pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
        return 0;
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

bool scry_worker_send(scry_worker *w, const void *message, size_t n)
{
    ssize_t sent;
    do {
        sent = send(w->socket, message, n, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)n;
}

int scry_worker_stop(scry_worker *w)
{
    int status = -1;
    if (w->pid > 0) {
        pid_t got = waitpid(w->pid, &status, WNOHANG);
        if (got == 0) {
            kill(w->pid, SIGKILL);
            do {
                got = waitpid(w->pid, &status, 0);
            } while (got < 0 && errno == EINTR);
        }
        if (got < 0)
            status = -1;
    }
    if (w->socket >= 0)
        close(w->socket);
    *w = (scry_worker)SCRY_WORKER_INIT;
    return status;
}
