#include "base/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Part by part, through no link; closes `folder`. */
static int open_parts(int folder, const char *path, int flags)
{
    while (folder >= 0) {
        char part[256];
        path += strspn(path, "/");
        size_t n = strcspn(path, "/");
        const char *rest = path + n + strspn(path + n, "/");
        int how = O_CLOEXEC | O_NOFOLLOW | (*rest ? O_RDONLY | O_DIRECTORY : flags), fd = -1;
        snprintf(part, sizeof part, "%.*s", (int)n, path);
        errno = n >= sizeof part ? ENAMETOOLONG : n == 0 ? ENOENT : EXDEV;
        if (n > 0 && n < sizeof part && strcmp(part, "..") != 0)
            fd = openat(folder, part, how);
        int e = errno;
        close(folder);
        errno = e == EMLINK ? ELOOP : e;   /* FreeBSD's for a link */
        if (fd < 0 || !*rest)
            return fd;
        folder = fd;
        path = rest;
    }
    return -1;
}

static int open_by_parts(const char *folder, const char *relative, int flags)
{
    if (relative[0] == '/') {
        errno = EXDEV;
        return -1;
    }
    return open_parts(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), relative, flags);
}

/* SCRY_PLAIN_SYSTEM: tests/unit/test_system.c has the plain ways, too. */
#if defined __linux__ && !defined SCRY_PLAIN_SYSTEM

#include <linux/openat2.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static int open_how(int folder, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve };
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

int scry_open_beneath(const char *folder, const char *relative, int flags)
{
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = dir < 0 ? -1 : open_how(dir, relative, flags, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), e = errno;
    if (dir >= 0)
        close(dir);
    errno = e;
    /* Before Linux 5.6, as on many a NAS, and where a container's filter does not know the call. */
    return dir >= 0 && fd < 0 && (e == ENOSYS || e == EPERM) ? open_by_parts(folder, relative, flags) : fd;
}

int scry_open_without_magic(const char *path, int flags)
{
    return open_how(AT_FDCWD, path, flags, RESOLVE_NO_MAGICLINKS);
}

void scry_lower_thread(int nice)
{
    enum { LOWEST = 19, IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13 };
    (void)!setpriority(PRIO_PROCESS, (id_t)gettid(), nice);
    if (nice == LOWEST)
        (void)!syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
}

void scry_end_with_parent(int signal)
{
    prctl(PR_SET_PDEATHSIG, signal);
}

const char *scry_own_program(void)
{
    return "/proc/self/exe";
}

uint64_t scry_resident_bytes(void)
{
    unsigned long long total, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%llu %llu", &total, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Processor time that the cgroup grants, in whole processors (rounded up), or a large number. */
static int cgroup_processors(void)
{
    long long quota, period;
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
    int n = 1 << 16;
    if (f && fscanf(f, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0)
        n = (int)((quota + period - 1) / period);
    if (f)
        fclose(f);
    return n;
}

int scry_usable_processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1, granted = cgroup_processors();
    return granted < n ? granted : n;
}

#else

int scry_open_beneath(const char *folder, const char *relative, int flags)
{
    return open_by_parts(folder, relative, flags);
}

int scry_open_without_magic(const char *path, int flags)
{
    errno = ENOSYS;
    return -1;
}

void scry_lower_thread(int nice)
{
}

void scry_end_with_parent(int signal)
{
}

const char *scry_own_program(void)
{
    return "scry";
}

uint64_t scry_resident_bytes(void)
{
    return 0;
}

int scry_usable_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

#endif
