#include "image/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int scry_shared_init(scry_shared *s, const char *name, scry_error *err)
{
    *s = (scry_shared)SCRY_SHARED_INIT;
    s->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (s->fd < 0 || fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
        return scry_fail_errno(err, errno, "shared memory for pictures");
    return 0;
}

int scry_shared_reserve(scry_shared *s, size_t bytes, scry_error *err)
{
    enum { STEP = 1 << 20 };
    if (bytes <= s->capacity)
        return 0;
    size_t size;
    if (__builtin_add_overflow(bytes, (size_t)STEP - 1, &size))
        return scry_fail(err, SCRY_ENOMEM, "cannot allocate %zu bytes of shared memory", bytes);
    size &= ~(size_t)(STEP - 1);
    if (ftruncate(s->fd, (off_t)size) < 0)
        return scry_fail_errno(err, errno, "%zu bytes of shared memory", size);
    void *p = s->data ? mremap(s->data, s->capacity, size, MREMAP_MAYMOVE)
                      : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    if (p == MAP_FAILED)
        return scry_fail_errno(err, errno, "mapping %zu bytes of shared memory", size);
    s->data = p;
    s->capacity = size;
    return 0;
}

void scry_shared_trim(scry_shared *s, size_t bytes)
{
    if (bytes < s->capacity)
        (void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)bytes,
                        (off_t)(s->capacity - bytes));
}

void scry_shared_dispose(scry_shared *s)
{
    if (s->data)
        munmap(s->data, s->capacity);
    if (s->fd >= 0)
        close(s->fd);
    *s = (scry_shared)SCRY_SHARED_INIT;
}
