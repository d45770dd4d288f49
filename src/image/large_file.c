#include "image/large_file.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

bool scry_same_state(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
           && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec
           && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int scry_large_file_open(scry_large_file *f, int fd, const struct stat *st, scry_error *err)
{
    void *p = mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_SHARED, fd, 0);
    *f = (scry_large_file)SCRY_LARGE_FILE_INIT;
    if (p == MAP_FAILED) {
        int why = errno;
        close(fd);
        return scry_fail_errno(err, why, "cannot be mapped");
    }
    madvise(p, (size_t)st->st_size, MADV_SEQUENTIAL);
    *f = (scry_large_file){ .fd = fd, .data = p, .guard = scry_map_guard_new(p, (size_t)st->st_size), .st = *st };
    return 0;
}

bool scry_large_file_unchanged(const scry_large_file *f)
{
    struct stat now;
    return !scry_map_guard_lost(f->guard) && fstat(f->fd, &now) == 0 && scry_same_state(&f->st, &now);
}

void scry_large_file_close(scry_large_file *f)
{
    if (f->fd < 0)
        return;
    scry_map_guard_free(f->guard);
    munmap((void *)f->data, (size_t)f->st.st_size);
    close(f->fd);
    *f = (scry_large_file)SCRY_LARGE_FILE_INIT;
}
