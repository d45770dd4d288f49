#include "cli/watch_child.h"

#include "base/alloc.h"
#include "base/system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = CLI_COMMON_ARGUMENTS + 5 };

static size_t put_arguments(char *argv[MAX_ARGUMENTS], const cli_common *c, bool words)
{
    size_t n = 0;
    argv[n++] = scry_strdup("scry");
    argv[n++] = scry_strdup("watch");
    argv[n++] = scry_strdup("--quiet");   /* the progress of runs is not the server's log */
    n += cli_common_arguments(c, argv + n);
    if (!words)
        argv[n++] = scry_strdup("--words=no");
    argv[n] = NULL;
    return n;
}

/* Nothing but calls that are safe in a copy of any process. */
static _Noreturn void become_watch(int start, pid_t parent, char *const argv[])
{
    char byte;
    scry_end_with_parent(SIGTERM);
    if (getppid() == parent && read(start, &byte, 1) == 1)
        execvp(scry_own_program(), argv);
    _exit(getppid() == parent ? CLI_ERROR : CLI_OK);
}

int watch_child_fork(watch_child *w, const cli_common *c, bool words, scry_error *err)
{
    char *argv[MAX_ARGUMENTS];
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0)
        return scry_fail_errno(err, errno, "cannot start scry watch");
    size_t n = put_arguments(argv, c, words);
    w->pid = fork();
    if (w->pid == 0) {
        close(ends[1]);
        become_watch(ends[0], parent, argv);
    }
    int why = errno;
    close(ends[0]);
    for (size_t i = 0; i < n; i++)
        free(argv[i]);
    w->start = ends[1];
    if (w->pid > 0)
        return 0;
    close(ends[1]);
    w->pid = 0;
    return scry_fail_errno(err, why, "cannot start scry watch");
}

void watch_child_start(watch_child *w)
{
    if (w->pid && write(w->start, "s", 1) != 1)
        cli_warn("scry watch did not start");
}

void watch_child_stop(watch_child *w)
{
    if (!w->pid)
        return;
    close(w->start);
    kill(w->pid, SIGTERM);
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    w->pid = 0;
}
