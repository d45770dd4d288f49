#include "base/file.h"

#include "base/alloc.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Open a regular file for reading; O_NONBLOCK keeps a FIFO from blocking the open. */
static int open_regular(const char *path, struct stat *st, scry_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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

int scry_map_open(scry_map *out, const char *path, scry_error *err)
{
    struct stat st;
    int fd = open_regular(path, &st, err);
    if (fd < 0)
        return fd;
    out->data = NULL;
    out->size = (size_t)st.st_size;
    int result = 0;
    if (out->size) {
        void *p = mmap(NULL, out->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            result = scry_fail_errno(err, errno, "cannot map %s", path);
        else
            out->data = p;
    }
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

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
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

static int sync_parent(const char *path)
{
    char *copy = scry_strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0)
        return -1;
    int r = fsync(fd);
    close(fd);
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
    if (write_all(fd, bytes, n) < 0 || fsync(fd) < 0)
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

char *scry_path_join(const char *a, const char *b)
{
    if (b[0] == '/' || a[0] == '\0')
        return scry_strdup(b);
    size_t n = strlen(a);
    return scry_asprintf(a[n - 1] == '/' ? "%s%s" : "%s/%s", a, b);
}

static char *xdg_dir(const char *variable, const char *fallback)
{
    const char *base = getenv(variable);
    if (base && base[0] == '/')
        return scry_path_join(base, "scry");
    const char *home = getenv("HOME");
    char *dir = scry_path_join(home && home[0] ? home : "/", fallback);
    char *full = scry_path_join(dir, "scry");
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

/* `name` in one of the places beside the file `of`, which is cut to its folder. */
static char *find_beside(char *of, const char *const *places, const char *name)
{
    const char *dir = dirname(of);
    for (; *places; places++) {
        char *path = scry_asprintf("%s/%s%s", dir, *places, name);
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

char *scry_program_file(const char *name)
{
    /* The last ones are the build trees: build/MODE/, build/MODE/tests/ and, for ./scry, the top. */
    static const char *const of_program[] = { "", "../libexec/scry/", "../share/scry/",
                                              "build/release/", "../", "../../", "../../../", NULL };
    /* lib/ and lib/TRIPLET/ of an installation; a build tree. */
    static const char *const of_library[] = { "../libexec/scry/", "../share/scry/", "../../libexec/scry/",
                                              "../../share/scry/", "", "../../", NULL };
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    char *found = n > 0 ? find_beside(self, of_program, name) : NULL;
    /* In libscry.so inside somebody's program: beside the library. */
    Dl_info here;
    if (!found && dladdr((void *)(uintptr_t)scry_program_file, &here) && here.dli_fname
        && realpath(here.dli_fname, self))
        found = find_beside(self, of_library, name);
    return found;
}
