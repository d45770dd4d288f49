#include "cli/collect.h"

#include "base/alloc.h"
#include "base/descriptor.h"
#include "base/file.h"
#include "base/rename.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SAME_NAMES = 10000, COPY_BYTES = 1 << 17 };

struct cli_collector {
    char *dir;
    int fd;                 /* of the folder */
    bool link;
    size_t made, there, failed;
};

int cli_collector_new(cli_collector **out, const char *dir, bool link, scry_error *err)
{
    if (mkdir(dir, 0777) < 0 && errno != EEXIST)
        return scry_fail_errno(err, errno, "cannot make the folder %s", dir);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return scry_fail_errno(err, errno, "cannot open the folder %s", dir);
    *out = scry_alloc(sizeof **out);
    **out = (cli_collector){ .dir = scry_strdup(dir), .fd = fd, .link = link };
    return 0;
}

/* ---- one name ---- */

/* "x.jpg", "x (2).jpg", ...; owned. */
static char *numbered(const char *name, int number)
{
    const char *dot = strrchr(name, '.');
    size_t stem = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    return number == 1 ? scry_strdup(name) : scry_asprintf("%.*s (%d)%s", (int)stem, name, number, name + stem);
}

static ssize_t read_some(int fd, char *bytes)
{
    size_t n = 0;
    while (n < COPY_BYTES) {
        ssize_t r = read(fd, bytes + n, COPY_BYTES - n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        n += (size_t)r;
    }
    return (ssize_t)n;
}

static bool same_bytes(int a, int b)
{
    char *x = scry_alloc(COPY_BYTES), *y = scry_alloc(COPY_BYTES);
    ssize_t n, m;
    bool same;
    do {
        n = read_some(a, x);
        m = read_some(b, y);
        same = n >= 0 && n == m && memcmp(x, y, (size_t)n) == 0;
    } while (same && n > 0);
    free(x);
    free(y);
    return same;
}

/* Whether `name` in the folder is what would be made there. */
static bool is_there(const cli_collector *c, const char *name, const char *path)
{
    char target[PATH_MAX];
    struct stat ours, theirs;
    ssize_t n = readlinkat(c->fd, name, target, sizeof target - 1);
    if (c->link)
        return n >= 0 && (size_t)n == strlen(path) && memcmp(target, path, (size_t)n) == 0;
    int a = scry_open_input(path, O_RDONLY | O_NONBLOCK), b = openat(c->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool files = a >= 0 && b >= 0 && fstat(a, &ours) == 0 && fstat(b, &theirs) == 0 && S_ISREG(ours.st_mode) &&
                 S_ISREG(theirs.st_mode);
    bool same = files && ours.st_size == theirs.st_size && same_bytes(a, b);
    if (a >= 0)
        close(a);
    if (b >= 0)
        close(b);
    return same;
}

/* ---- copying ---- */

/* 0, or -1 with errno. */
static int copy_bytes(int from, int to)
{
    char *bytes = scry_alloc(COPY_BYTES);
    ssize_t n;
    int r = 0;
    while (r == 0 && (n = read_some(from, bytes)) > 0)
        r = scry_write_all(to, bytes, (size_t)n);
    free(bytes);
    return r == 0 && n < 0 ? -1 : r;
}

/* Give the complete file `part` the name, unless something has it: 0, or -1 with errno. */
static int give_name(const cli_collector *c, const char *part, const char *name)
{
    if (scry_rename_new(c->fd, part, name) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(c->fd, part, c->fd, name, 0) < 0)   /* NFS */
        return -1;
    unlinkat(c->fd, part, 0);
    return 0;
}

/* A copy of `path` under a name of its own; -1 with errno. */
static int make_part(const cli_collector *c, const char *path, char part[32])
{
    struct stat st;
    uint32_t random = 0;
    int from = scry_open_input(path, O_RDONLY | O_NONBLOCK), to = -1, r = -1, why;
    if (from < 0 || fstat(from, &st) < 0 || getrandom(&random, sizeof random, 0) < 0)
        goto out;
    errno = EINVAL;
    if (!S_ISREG(st.st_mode))
        goto out;
    snprintf(part, 32, ".scry-part-%08x", random);
    to = openat(c->fd, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (to < 0)
        goto out;
    r = copy_bytes(from, to);
    if (r == 0)
        (void)!futimens(to, (struct timespec[]){ st.st_atim, st.st_mtim });
out:
    why = errno;
    if (from >= 0)
        close(from);
    if (to >= 0 && close(to) < 0 && r == 0) {
        r = -1;
        why = errno;
    }
    if (to >= 0 && r < 0)
        unlinkat(c->fd, part, 0);
    errno = why;
    return r;
}

/* Under the first free name, unless the same is there under one before it: 0 made, 1 there, -1 with errno. */
static int place(const cli_collector *c, const char *path, const char *part)
{
    const char *slash = strrchr(path, '/');
    for (int number = 1; number <= MAX_SAME_NAMES; number++) {
        char *name = numbered(slash ? slash + 1 : path, number);
        int r = c->link ? symlinkat(path, c->fd, name) : give_name(c, part, name), why = errno;
        bool taken = r < 0 && why == EEXIST, there = taken && is_there(c, name, path);
        free(name);
        errno = why;
        if (!taken || there)
            return there ? 1 : r;
    }
    return -1;
}

void cli_collector_add(cli_collector *c, const char *path)
{
    char part[32] = "";
    struct stat st;
    int r = c->link ? stat(path, &st) : make_part(c, path, part);
    if (r == 0)
        r = place(c, path, part);
    int why = errno;
    if (part[0] && r != 0)
        unlinkat(c->fd, part, 0);
    if (r < 0)
        cli_skipped(path, strerror(why));
    c->failed += r < 0;
    c->there += r > 0;
    c->made += r == 0;
}

bool cli_collector_end(cli_collector *c, bool quiet)
{
    if (!c)
        return true;
    bool all = c->failed == 0;
    char *dir = cli_quoted(stderr, c->dir);
    if (!quiet) {
        fprintf(stderr, "%zu %s %s", c->made, c->link ? "linked in" : "copied to", dir);
        if (c->there)
            fprintf(stderr, ", %zu %s there already", c->there, c->there == 1 ? "was" : "were");
        if (c->failed)
            fprintf(stderr, ", %zu failed", c->failed);
        fputc('\n', stderr);
    }
    free(dir);
    close(c->fd);
    free(c->dir);
    free(c);
    return all;
}
