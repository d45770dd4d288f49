#include "base/rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOREPLACE = 1, EXCHANGE = 2 };   /* of linux/fs.h */

#ifdef __GLIBC__
static int renameat2_call(int folder, const char *from, const char *to, unsigned flags)
{
    return renameat2(folder, from, folder, to, flags);
}
#elif defined SYS_renameat2
/* By number: musl has had the function since 1.2.5 only. */
static int renameat2_call(int folder, const char *from, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, folder, from, folder, to, flags);
}
#else
static int renameat2_call(int folder, const char *from, const char *to, unsigned flags)
{
    errno = ENOSYS;
    return -1;
}
#endif

int scry_rename_new(int folder, const char *from, const char *to)
{
    return renameat2_call(folder, from, to, NOREPLACE);
}

int scry_rename_exchange(const char *a, const char *b)
{
    return renameat2_call(AT_FDCWD, a, b, EXCHANGE);
}
