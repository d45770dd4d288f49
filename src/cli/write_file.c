#include "cli/write_file.h"

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* The number N of /dev/fd/N or /proc/self/fd/N; -1 for other paths. */
static int descriptor_number(const char *path)
{
    static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/" };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        size_t n = strlen(folders[i]);
        if (strncmp(path, folders[i], n) == 0 && path[n] && strspn(path + n, "0123456789") == strlen(path + n))
            return (int)strtol(path + n, NULL, 10);
    }
    return -1;
}

/* Whoever started the program passed the descriptor to it: all that it opens itself are closed on exec, and some of these are files
 * of the store. */
static bool is_inherited(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags >= 0 && !(flags & FD_CLOEXEC);
}

/* The path that `path` leads to through symbolic links, the last of which may lead to no file; owned. Those of descriptors are
 * not followed. */
static char *follow_links(const char *path)
{
    enum { MAX_LINKS = 40 };
    char *at = scry_strdup(path), link[PATH_MAX];
    ssize_t n;
    for (int i = 0; i < MAX_LINKS && descriptor_number(at) < 0 && (n = readlink(at, link, sizeof link - 1)) >= 0; i++) {
        link[n] = '\0';
        char *copy = scry_strdup(at), *next = scry_path_join(dirname(copy), link);
        free(copy);
        free(at);
        at = next;
    }
    return at;
}

/* A new file beside `target`, its name in *part; with the mode of `old`, or, without one, that of any new file. */
static int create_part(const char *target, const struct stat *old, char **part)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) < 0)
        return -1;
    *part = scry_asprintf("%s.part-%08x", target, random);
    int fd = open(*part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 && old && fchmod(fd, old->st_mode & 07777) < 0) {
        close(fd);
        unlink(*part);
        fd = -1;
    }
    return fd;
}

static int open_output(const char *path, const char *target, char **part)
{
    struct stat st;
    int given = descriptor_number(target);
    if (given >= 0) {
        errno = EBADF;
        return is_inherited(given) ? fcntl(given, F_DUPFD_CLOEXEC, 0) : -1;
    }
    bool there = stat(path, &st) == 0;
    if (!there || (S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid == geteuid())) {
        int fd = create_part(target, there ? &st : NULL, part);
        if (fd >= 0 || !there || (errno != EACCES && errno != EPERM && errno != EROFS))
            return fd;
    }
    free(*part);
    *part = NULL;
    return open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
}

int cli_write_file(const char *path, const struct iovec *pieces, int count, scry_error *err)
{
    char *target = follow_links(path), *part = NULL;
    int fd = open_output(path, target, &part), r = 0;
    if (fd < 0)
        r = scry_fail_errno(err, errno, "cannot write %s", path);
    for (int i = 0; r == 0 && i < count; i++)
        if (scry_write_all(fd, pieces[i].iov_base, pieces[i].iov_len) < 0)
            r = scry_fail_errno(err, errno, "cannot write %s", path);
    if (r == 0 && part && fsync(fd) < 0)
        r = scry_fail_errno(err, errno, "cannot write %s", path);
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = scry_fail_errno(err, errno, "cannot write %s", path);
    if (r == 0 && part && rename(part, target) < 0)
        r = scry_fail_errno(err, errno, "cannot replace %s", path);
    if (r < 0 && part && fd >= 0)
        unlink(part);
    free(part);
    free(target);
    return r;
}
