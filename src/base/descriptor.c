#include "base/descriptor.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/system.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether the folder is /proc/PID/fd or /proc/PID/task/TID/fd of this process. */
static bool holds_descriptors(const char *folder)
{
    char own[PATH_MAX], start[PATH_MAX + 8];
    if (!realpath("/proc/self", own))
        return false;
    size_t n = (size_t)snprintf(start, sizeof start, "%s/", own);
    if (strncmp(folder, start, n) != 0)
        return false;
    folder += n;
    if (strncmp(folder, "task/", 5) == 0)
        folder += 5 + strspn(folder + 5, "0123456789") + 1;
    return strcmp(folder, "fd") == 0;
}

/* Of one path, without following its last part. */
static int number_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char folder[PATH_MAX];
    if (!*name || name[strspn(name, "0123456789")] || strlen(name) > 9)
        return -1;
    char *copy = scry_strdup(path);
    bool is = realpath(dirname(copy), folder) && holds_descriptors(folder);
    free(copy);
    return is ? (int)strtol(name, NULL, 10) : -1;
}

int scry_descriptor_of(const char *path, char **target)
{
    enum { MAX_LINKS = 40 };
    char *at = scry_strdup(path), link[PATH_MAX];
    int number = number_of(at);
    ssize_t n;
    for (int i = 0; i < MAX_LINKS && number < 0 && (n = readlink(at, link, sizeof link - 1)) >= 0; i++) {
        link[n] = '\0';
        char *copy = scry_strdup(at), *next = scry_path_join(dirname(copy), link);
        free(copy);
        free(at);
        at = next;
        number = number_of(at);
    }
    if (target)
        *target = at;
    else
        free(at);
    return number;
}

bool scry_descriptor_is_inherited(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags >= 0 && !(flags & FD_CLOEXEC);
}

void scry_fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return;
}

/* What leads through links to descriptors is refused by ELOOP: then, and on systems that cannot tell, the path is looked at. */
int scry_open_input(const char *path, int flags)
{
    int fd = scry_open_without_magic(path, flags);
    if (fd >= 0 || (errno != ELOOP && errno != ENOSYS && errno != EPERM && errno != EACCES))
        return fd;
    int number = scry_descriptor_of(path, NULL);
    if (number >= 0 && !scry_descriptor_is_inherited(number)) {
        errno = EBADF;
        return -1;
    }
    return open(path, flags | O_CLOEXEC);
}

FILE *scry_open_input_stream(const char *path)
{
    int fd = scry_open_input(path, O_RDONLY);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    if (fd >= 0 && !f)
        close(fd);
    return f;
}
