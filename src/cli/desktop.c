#include "cli/desktop.h"

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* The value of XDG_PICTURES_DIR in user-dirs.dirs, a file of lines like XDG_PICTURES_DIR="$HOME/Bilder"; owned, NULL: none. */
static char *from_user_dirs(const char *text)
{
    static const char key[] = "XDG_PICTURES_DIR=\"", home[] = "$HOME";
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, key, sizeof key - 1) != 0)
            continue;
        const char *value = line + sizeof key - 1;
        size_t n = strcspn(value, "\"\n");
        if (value[n] != '"' || n == 0)
            return NULL;
        if (strncmp(value, home, sizeof home - 1) != 0)
            return value[0] == '/' ? scry_strndup(value, n) : NULL;
        char *rest = scry_strndup(value + sizeof home - 1, n - (sizeof home - 1)), *tilde = scry_asprintf("~%s", rest);
        char *path = scry_expand_home(tilde);
        free(tilde);
        free(rest);
        return path;
    }
    return NULL;
}

char *cli_pictures_folder(void)
{
    enum { MAX_USER_DIRS_BYTES = 1 << 16 };
    const char *base = getenv("XDG_CONFIG_HOME");
    char *config = base && base[0] == '/' ? scry_strdup(base) : scry_expand_home("~/.config");
    char *file = scry_path_join(config, "user-dirs.dirs"), *home = scry_expand_home("~");
    scry_buf text = SCRY_BUF_INIT(MAX_USER_DIRS_BYTES);
    struct stat st;
    char *path = scry_read_file(file, &text, NULL) == 0 ? from_user_dirs(scry_buf_str(&text)) : NULL;
    if (path && strcmp(path, home) == 0) {   /* which is how a folder is said not to be there */
        free(path);
        path = NULL;
    }
    if (!path)
        path = scry_expand_home("~/Pictures");
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        free(path);
        path = NULL;
    }
    scry_buf_dispose(&text);
    free(home);
    free(file);
    free(config);
    return path;
}
