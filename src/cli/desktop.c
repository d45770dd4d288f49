#include "cli/desktop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* 0 or an errno. Its input and output are empty, its signals those of a new program: the server blocks its own. */
static int start(pid_t *pid, char *const argv[])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    int r = posix_spawnp(pid, argv[0], &files, &how, argv, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return r;
}

int cli_desktop_open(const char *what, scry_error *err)
{
    enum { TRIES = 100, PAUSE_US = 50000 };
    char *argv[] = { (char[]){ "xdg-open" }, (char *)what, NULL };
    pid_t pid;
    int status = 0, r = start(&pid, argv);
    if (r == ENOENT)
        return scry_fail(err, SCRY_ENOTFOUND, "there is no xdg-open here (package xdg-utils): open %s yourself", what);
    if (r)
        return scry_fail_errno(err, r, "cannot start xdg-open");
    for (int i = 0; i < TRIES; i++) {
        pid_t ended = waitpid(pid, &status, WNOHANG);
        if (ended < 0 || (ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0))
            return 0;
        if (ended == pid)
            return scry_fail(err, SCRY_EIO, "xdg-open cannot open %s: open it yourself", what);
        usleep(PAUSE_US);
    }
    return 0;
}
