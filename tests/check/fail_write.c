/* fail_write.c - a library for LD_PRELOAD that lets the writes of the program named by
 * $FAIL_PROGRAM fail with ENOSPC, from the $FAIL_AT-th on. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static bool fails(int fd)
{
    const char *at = getenv("FAIL_AT"), *program = getenv("FAIL_PROGRAM");
    struct stat st;
    if (!at || (program && strcmp(program, program_invocation_short_name) != 0))
        return false;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;   /* pipes and terminals have room */
    return atomic_fetch_add(&calls, 1) + 1 >= atol(at);
}

#define FAILING(type, name, parameters, arguments) \
    type name parameters \
    { \
        static type(*real) parameters; \
        if (!real) \
            real = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
        if (fails(fd)) { \
            errno = ENOSPC; \
            return -1; \
        } \
        return real arguments; \
    }

FAILING(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))
FAILING(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t at), (fd, b, n, at))
FAILING(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t at), (fd, b, n, at))
FAILING(int, fsync, (int fd), (fd))
FAILING(int, fdatasync, (int fd), (fd))
FAILING(int, ftruncate, (int fd, off_t n), (fd, n))
FAILING(int, ftruncate64, (int fd, off64_t n), (fd, n))
