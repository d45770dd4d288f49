#include "base/file.h"

#include "base/alloc.h"
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Open a regular file for reading; O_NONBLOCK keeps a FIFO from blocking the open. */
static int open_regular(const char *path, struct stat *st, scry_error *err)
{
    int fd = scry_open_input(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return scry_fail_errno(err, errno, "cannot open %s", path);
    if (fstat(fd, st) < 0) {
        int e = errno;
        close(fd);
        return scry_fail_errno(err, e, "cannot stat %s", path);
    }
    if (!S_ISREG(st->st_mode)) {
        close(fd);
        return scry_fail(err, SCRY_EINVALID, "%s is not a regular file", path);
    }
    return fd;
}

int scry_map_open_fd(scry_map *out, int *out_fd, const char *path, scry_error *err)
{
    struct stat st;
    int fd = open_regular(path, &st, err);
    *out_fd = -1;
    if (fd < 0)
        return fd;
    out->data = NULL;
    out->size = (size_t)st.st_size;
    if (out->size) {
        void *p = mmap(NULL, out->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            int e = errno;
            close(fd);
            return scry_fail_errno(err, e, "cannot map %s", path);
        }
        out->data = p;
    }
    *out_fd = fd;
    return 0;
}

int scry_map_open(scry_map *out, const char *path, scry_error *err)
{
    int fd, result = scry_map_open_fd(out, &fd, path, err);
    if (result == 0)
        close(fd);
    return result;
}

void scry_map_close(scry_map *m)
{
    if (m->data)
        munmap((void *)m->data, m->size);
    m->data = NULL;
    m->size = 0;
}

int scry_read_file(const char *path, scry_buf *out, scry_error *err)
{
    struct stat st;
    int fd = open_regular(path, &st, err);
    if (fd < 0)
        return fd;
    int result = 0;
    char chunk[65536];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            result = scry_fail_errno(err, errno, "cannot read %s", path);
        if (n <= 0)
            break;
        scry_buf_append(out, chunk, (size_t)n);
        if (out->failed) {
            result = scry_fail(err, SCRY_ELIMIT, "%s is larger than the limit of %zu bytes",
                               path, out->limit);
            break;
        }
    }
    close(fd);
    return result;
}

int64_t scry_time_ns(struct timespec t)
{
    int64_t ns;
    if (__builtin_mul_overflow((int64_t)t.tv_sec, 1000000000, &ns) || __builtin_add_overflow(ns, (int64_t)t.tv_nsec, &ns))
        return t.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

int scry_write_all(int fd, const void *bytes, size_t n)
{
    for (const char *p = bytes; n;) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -1;
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

int scry_sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int r = fsync(fd);
    close(fd);
    return r;
}

static int sync_parent(const char *path)
{
    char *copy = scry_strdup(path);
    int r = scry_sync_folder(dirname(copy));
    free(copy);
    return r;
}

int scry_write_file(const char *path, const void *bytes, size_t n, scry_error *err)
{
    char *part = scry_asprintf("%s.part-XXXXXX", path);
    int fd = mkostemp(part, O_CLOEXEC);
    int result = 0;
    if (fd < 0) {
        result = scry_fail_errno(err, errno, "cannot create a file beside %s", path);
        free(part);
        return result;
    }
    if (scry_write_all(fd, bytes, n) < 0 || fsync(fd) < 0)
        result = scry_fail_errno(err, errno, "cannot write %s", path);
    if (close(fd) < 0 && result == 0)
        result = scry_fail_errno(err, errno, "cannot write %s", path);
    if (result == 0 && (rename(part, path) < 0 || sync_parent(path) < 0))
        result = scry_fail_errno(err, errno, "cannot replace %s", path);
    if (result < 0)
        unlink(part);
    free(part);
    return result;
}

int scry_make_dirs(const char *path, scry_error *err)
{
    char *copy = scry_strdup(path);
    int result = 0;
    for (char *p = copy + 1; result == 0; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char was = *p;
        *p = '\0';
        struct stat st;
        if (mkdir(copy, 0700) < 0 && (errno != EEXIST || stat(copy, &st) < 0 || !S_ISDIR(st.st_mode)))
            result = scry_fail_errno(err, errno, "cannot create the folder %s", copy);
        *p = was;
        if (was == '\0')
            break;
    }
    free(copy);
    return result;
}

bool scry_path_is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || n == 1);
}

char *scry_path_join(const char *a, const char *b)
{
    if (b[0] == '/' || a[0] == '\0')
        return scry_strdup(b);
    size_t n = strlen(a);
    return scry_asprintf(a[n - 1] == '/' ? "%s%s" : "%s/%s", a, b);
}

/* $HOME, or what the user database says. */
static char *home_dir(void)
{
    const char *home = getenv("HOME");
    char buffer[16384];
    struct passwd entry, *found = NULL;
    if (home && home[0])
        return scry_strdup(home);
    (void)!getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found);
    return scry_strdup(found && found->pw_dir[0] ? found->pw_dir : "/");
}

/* Of the user whose name is the first n bytes; NULL when there is none. */
static char *home_of(const char *user, size_t n)
{
    char buffer[16384], *name = scry_strndup(user, n);
    struct passwd entry, *found = NULL;
    (void)!getpwnam_r(name, &entry, buffer, sizeof buffer, &found);
    free(name);
    return found && found->pw_dir[0] ? scry_strdup(found->pw_dir) : NULL;
}

char *scry_expand_home(const char *path)
{
    if (path[0] != '~')
        return scry_strdup(path);
    const char *rest = path + 1 + strcspn(path + 1, "/");
    char *home = rest == path + 1 ? home_dir() : home_of(path + 1, (size_t)(rest - path) - 1);
    char *full = home ? scry_asprintf("%s%s", home, rest) : scry_strdup(path);
    free(home);
    return full;
}

static char *xdg_dir(const char *variable, const char *fallback)
{
    const char *base = getenv(variable);
    if (base && base[0] == '/')
        return scry_path_join(base, "scry");
    char *home = home_dir(), *dir = scry_path_join(home, fallback);
    char *full = scry_path_join(dir, "scry");
    free(home);
    free(dir);
    return full;
}

char *scry_data_dir(void)
{
    return xdg_dir("XDG_DATA_HOME", ".local/share");
}

char *scry_cache_dir(void)
{
    return xdg_dir("XDG_CACHE_HOME", ".cache");
}
