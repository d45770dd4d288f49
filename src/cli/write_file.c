#include "cli/write_file.h"

#include "base/alloc.h"
#include "base/descriptor.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* `given` and `target` are what scry_descriptor_of says of the path. */
static int open_output(const char *path, int given, const char *target, char **part)
{
    struct stat st;
    if (given >= 0) {
        errno = EBADF;
        return scry_descriptor_is_inherited(given) ? fcntl(given, F_DUPFD_CLOEXEC, 0) : -1;
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
    char *target, *part = NULL;
    if (strcmp(path, "-") == 0) {
        if (isatty(STDOUT_FILENO))
            return scry_fail(err, SCRY_EINVALID, "\"-\" is standard output, which is a terminal: send it to a file or a program");
        path = "/dev/stdout";
    }
    int given = scry_descriptor_of(path, &target);
    int fd = open_output(path, given, target, &part), r = 0;
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
