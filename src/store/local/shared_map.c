#include "store/local/shared_map.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int scry_shared_map_acquire(scry_shared_map **out, scry_shared_map *old, int fd, size_t need, const char *where,
                            scry_error *err)
{
    enum { SLACK = 16 << 20 };
    struct stat st;
    if (fstat(fd, &st) < 0)
        return scry_fail_errno(err, errno, "cannot stat a file of the store %s", where);
    if (old && old->size >= need && old->inode == st.st_ino) {
        old->refs++;
        *out = old;
        return 0;
    }
    size_t size = need + need / 4 + SLACK;
    void *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return scry_fail_errno(err, errno, "cannot map a file of the store %s", where);
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) {
        munmap(p, size);
        return scry_fail_errno(err, errno, "cannot map a file of the store %s", where);
    }
    *out = scry_alloc(sizeof **out);
    **out = (scry_shared_map){ 1, own, p, size, st.st_ino, scry_map_guard_new(p, size) };
    return 0;
}

bool scry_shared_map_whole(const scry_shared_map *m, size_t need)
{
    struct stat st;
    return !scry_map_guard_lost(m->guard) && fstat(m->fd, &st) == 0 && (uint64_t)st.st_size >= need;
}

void scry_shared_map_release(scry_shared_map *m)
{
    if (!m || --m->refs)
        return;
    scry_map_guard_free(m->guard);
    munmap(m->data, m->size);
    close(m->fd);
    free(m);
}
