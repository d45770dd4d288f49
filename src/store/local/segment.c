/* segment.c - the file of stored vectors.
 *
 *     | header, 4096 bytes | slot 0 | slot 1 | ... | torn rows, if any |
 *
 * A slot is dim binary16 numbers, padded with zeros to 64 bytes. Rows are written before the
 * transaction that counts them, and never changed after it; bytes after the last committed slot
 * are left over from a crash and are overwritten by the next append.
 */
#include "store/local/segment.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the store's files are little-endian");

/* The header as stored. */
typedef struct {
    char magic[8];
    uint32_t format, dim;
    uint64_t generation;
    uint8_t collection[SCRY_COLLECTION_BYTES];
    uint32_t row_bytes;
    uint32_t crc;          /* of the bytes before it */
} segment_header;

static const char segment_magic[8] = "scryvec";

char *scry_segment_path(const scry_local *s, int64_t generation)
{
    return scry_asprintf("%s/vectors-%lld.seg", s->folder, (long long)generation);
}

size_t scry_row_bytes(int dim)
{
    size_t bytes = (size_t)dim * sizeof(uint16_t);
    return (bytes + SCRY_ROW_ALIGN - 1) / SCRY_ROW_ALIGN * SCRY_ROW_ALIGN;
}

static void fill_header(segment_header *h, const scry_local *s, int64_t generation)
{
    memset(h, 0, sizeof *h);
    memcpy(h->magic, segment_magic, sizeof h->magic);
    h->format = SCRY_STORE_FORMAT;
    h->dim = (uint32_t)s->base.dim;
    h->generation = (uint64_t)generation;
    memcpy(h->collection, s->collection, sizeof h->collection);
    h->row_bytes = (uint32_t)s->row_bytes;
    h->crc = scry_crc32c(0, h, offsetof(segment_header, crc));
}

int scry_pwrite_all(int fd, const void *bytes, size_t n, off_t at)
{
    const char *p = bytes;
    while (n) {
        ssize_t w = pwrite(fd, p, n, at);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -1;
        p += w;
        at += w;
        n -= (size_t)w;
    }
    return 0;
}

int scry_segment_create(const scry_local *s, int64_t generation, scry_error *err)
{
    uint8_t page[SCRY_SEGMENT_HEADER] = { 0 };
    segment_header h;
    fill_header(&h, s, generation);
    memcpy(page, &h, sizeof h);
    char *path = scry_segment_path(s, generation);
    int result = scry_write_file(path, page, sizeof page, err);
    free(path);
    return result;
}

static int check_header(const scry_local *s, const char *path, const segment_header *h,
                        int64_t generation, scry_error *err)
{
    segment_header expected;
    fill_header(&expected, s, generation);
    if (memcmp(h, &expected, sizeof expected) == 0)
        return 0;
    if (memcmp(h->magic, segment_magic, sizeof h->magic) == 0 && h->format != SCRY_STORE_FORMAT &&
        h->crc == scry_crc32c(0, h, offsetof(segment_header, crc)))
        return scry_fail(err, SCRY_EINVALID, "%s has format %u, this scry reads format %d: use the scry "
                         "that wrote it, or index again into another store", path, h->format,
                         SCRY_STORE_FORMAT);
    return scry_fail(err, SCRY_EDAMAGED, "the header of %s is damaged or of another collection: restore "
                     "the file from a backup, or remove the collection's folder and index again", path);
}

static int check_file(const scry_local *s, const char *path, int fd, int64_t generation, int64_t slots,
                      scry_error *err)
{
    segment_header h;
    struct stat st;
    ssize_t n = pread(fd, &h, sizeof h, 0);
    if (n < 0 || fstat(fd, &st) < 0)
        return scry_fail_errno(err, errno, "cannot read %s", path);
    if (n != sizeof h)
        memset(&h, 0, sizeof h);
    int result = check_header(s, path, &h, generation, err);
    if (result < 0)
        return result;
    uint64_t need = SCRY_SEGMENT_HEADER + (uint64_t)slots * s->row_bytes;
    if ((uint64_t)st.st_size < need)
        return scry_fail(err, SCRY_EDAMAGED, "%s is cut short: it has %lld bytes of %llu; restore it from "
                         "a backup, or remove the collection's folder and index again", path,
                         (long long)st.st_size, (unsigned long long)need);
    return 0;
}

int scry_segment_open(const scry_local *s, int64_t generation, int64_t slots, bool write, int *out_fd,
                      scry_error *err)
{
    char *path = scry_segment_path(s, generation);
    /* a FIFO in its place would be waited for */
    int fd = open(path, (write ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC), result = 0;
    if (fd < 0)
        result = scry_fail_errno(err, errno, "cannot open the stored vectors %s", path);
    else
        result = check_file(s, path, fd, generation, slots, err);
    free(path);
    if (result < 0 && fd >= 0) {
        close(fd);
        fd = -1;
    }
    *out_fd = fd;
    return result;
}

int scry_segment_append(const scry_local *s, int fd, int64_t generation, scry_segment_rows rows, scry_error *err)
{
    off_t at = (off_t)(SCRY_SEGMENT_HEADER + (uint64_t)rows.slot * s->row_bytes);
    if (scry_pwrite_all(fd, rows.bytes, rows.count * s->row_bytes, at) == 0 && fdatasync(fd) == 0)
        return 0;
    int e = errno;
    char *path = scry_segment_path(s, generation);
    int result = scry_fail_errno(err, e, "cannot write %s; what was committed before is safe", path);
    free(path);
    return result;
}
