/* codes_file.c - the codes that a scan reads, for every slot.
 *
 *     | header, 4096 bytes | block of 1024 rows | block | ... |        (blocks: codes.h)
 *
 * Codes are a function of the stored vectors, so the file is a cache: the writer appends
 * to it before each commit, and its header counts the rows that are on disk for sure.
 * Whatever a reader does not find in it (no file, another format, rows that a killed writer had
 * not published) it encodes in memory.
 */
#include "store/local/codes_file.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "store/local/segment.h"
#include "store/local/sums.h"
#include "store/local/view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CODES_FORMAT = 3,   /* grows with any change of the encoding; 2 had no signs */
    CODES_HEADER = 4096,
    PUBLISH_ROWS = 4096,  /* a long run publishes after this many rows */
    FEW_ROWS = 32         /* of a block, in one search or several, are scored from their vectors in less time than the block is
                             compared */
};

/* The header as stored. */
typedef struct {
    char magic[8];
    uint32_t format, dim;
    uint64_t generation;
    uint8_t collection[SCRY_COLLECTION_BYTES];
    uint32_t stride, block_rows;
    uint64_t rows;
    uint32_t zero, crc;   /* of the bytes before it */
} codes_header;

static const char codes_magic[8] = "scrycod";

char *scry_codes_path(const scry_local *s, int64_t generation)
{
    return scry_asprintf("%s/codes-%lld.cache", s->folder, (long long)generation);
}

static codes_header make_header(const scry_local *s, int64_t generation, int64_t rows)
{
    codes_header h;
    memset(&h, 0, sizeof h);
    memcpy(h.magic, codes_magic, sizeof h.magic);
    h.format = CODES_FORMAT;
    h.dim = (uint32_t)s->base.dim;
    h.generation = (uint64_t)generation;
    memcpy(h.collection, s->collection, sizeof h.collection);
    h.stride = (uint32_t)scry_code_stride((size_t)s->base.dim);
    h.block_rows = SCRY_BLOCK_ROWS;
    h.rows = (uint64_t)rows;
    h.crc = scry_crc32c(0, &h, offsetof(codes_header, crc));
    return h;
}

/* Rows that the file holds for sure; 0 when it is not to be used. */
static int64_t rows_in_file(const scry_local *s, int fd, int64_t generation)
{
    codes_header h;
    struct stat st;
    if (pread(fd, &h, sizeof h, 0) != sizeof h || fstat(fd, &st) < 0)
        return 0;
    codes_header expected = make_header(s, generation, (int64_t)h.rows);
    size_t blocks = (h.rows + SCRY_BLOCK_ROWS - 1) / SCRY_BLOCK_ROWS, bytes;
    if (memcmp(&h, &expected, sizeof h) != 0 || h.rows > UINT32_MAX ||
        !scry_mul_size(blocks, scry_block_bytes((size_t)s->base.dim), &bytes) ||
        (uint64_t)st.st_size < CODES_HEADER + (uint64_t)bytes)
        return 0;
    return (int64_t)h.rows;
}

bool scry_codes_header_intact(const scry_local *s, int64_t generation)
{
    static const uint8_t zeros[CODES_HEADER];
    uint8_t page[CODES_HEADER];
    codes_header h;
    char *path = scry_codes_path(s, generation);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    free(path);
    if (fd < 0)
        return true;
    ssize_t n = pread(fd, page, sizeof page, 0);
    close(fd);
    if (n == 0)
        return true;   /* made by a process that was killed before it wrote the header */
    memcpy(&h, page, sizeof h);
    return n == sizeof page && h.crc == scry_crc32c(0, &h, offsetof(codes_header, crc)) &&
           memcmp(page + sizeof h, zeros, sizeof page - sizeof h) == 0;
}

static off_t block_offset(const scry_local *s, int64_t block)
{
    return CODES_HEADER + (off_t)block * (off_t)scry_block_bytes((size_t)s->base.dim);
}

/* ---- writing ---- */

static void give_up(scry_local *s)
{
    if (s->codes_fd >= 0)
        close(s->codes_fd);
    s->codes_fd = -1;
}

/* Rows of one block, from `first` on. The file always ends with a whole block. */
static bool write_part(scry_local *s, const uint8_t *rows, size_t n)
{
    size_t dim = (size_t)s->base.dim, stride = scry_code_stride(dim);
    int64_t block = s->codes_rows / SCRY_BLOCK_ROWS;
    off_t row = s->codes_rows % SCRY_BLOCK_ROWS, at = block_offset(s, block);
    float scale[SCRY_BLOCK_ROWS], error[SCRY_BLOCK_ROWS];
    uint8_t *codes = scry_try_alloc(n, stride + stride / 8);
    if (!codes)
        return false;
    uint8_t *signs = codes + n * stride;
    for (size_t i = 0; i < n; i++)
        scry_code_encode(codes + i * stride, signs + i * (stride / 8), &scale[i], &error[i],
                         (const uint16_t *)(const void *)(rows + i * s->row_bytes), dim);
    bool good = (row || ftruncate(s->codes_fd, block_offset(s, block + 1)) == 0) &&
                scry_pwrite_all(s->codes_fd, scale, n * 4, at + 4 * row) == 0 &&
                scry_pwrite_all(s->codes_fd, error, n * 4, at + 4 * (SCRY_BLOCK_ROWS + row)) == 0 &&
                scry_pwrite_all(s->codes_fd, codes, n * stride,
                                at + 8 * SCRY_BLOCK_ROWS + row * (off_t)stride) == 0 &&
                scry_pwrite_all(s->codes_fd, signs, n * (stride / 8), at + SCRY_BLOCK_ROWS * (8 + (off_t)stride) +
                                row * (off_t)(stride / 8)) == 0;
    free(codes);
    return good;
}

void scry_codes_append(scry_local *s, int64_t first, const uint8_t *rows, size_t n)
{
    if (s->codes_fd < 0 || first < s->codes_rows)
        return;
    if (first > s->codes_rows) {   /* skipped slots: no content will ever name them */
        uint8_t *zeros = scry_alloc(s->row_bytes);
        while (s->codes_fd >= 0 && s->codes_rows < first)
            scry_codes_append(s, s->codes_rows, zeros, 1);
        free(zeros);
    }
    while (n && s->codes_fd >= 0) {
        size_t room = SCRY_BLOCK_ROWS - (size_t)(s->codes_rows % SCRY_BLOCK_ROWS), part = n < room ? n : room;
        if (!write_part(s, rows, part)) {
            give_up(s);
            return;
        }
        s->codes_rows += (int64_t)part;
        rows += part * s->row_bytes;
        n -= part;
    }
}

void scry_codes_roll_back(scry_local *s)
{
    if (s->codes_rows > s->head.slots)
        s->codes_rows = s->head.slots;
}

void scry_codes_committed(scry_local *s)
{
    struct stat st;
    if (s->codes_rows - s->codes_published >= PUBLISH_ROWS)
        scry_codes_publish(s);
    bool good = s->codes_fd >= 0 && fstat(s->codes_fd, &st) == 0;
    pthread_mutex_lock(&s->view_lock);
    s->known_generation = s->codes_generation;
    s->known_rows = good ? s->codes_rows : 0;
    s->known_inode = good ? st.st_ino : 0;
    pthread_mutex_unlock(&s->view_lock);
}

void scry_codes_publish(scry_local *s)
{
    if (s->codes_fd < 0 || s->codes_published == s->codes_rows)
        return;
    codes_header h = make_header(s, s->codes_generation, s->codes_rows);
    if (fdatasync(s->codes_fd) < 0 || scry_pwrite_all(s->codes_fd, &h, sizeof h, 0) < 0)
        give_up(s);
    s->codes_published = s->codes_rows;
}

/* Encode the rows of the segment that the cache lacks. */
static void catch_up(scry_local *s)
{
    enum { ROWS = 256 };
    uint8_t *rows = scry_alloc(ROWS * s->row_bytes);
    while (s->codes_fd >= 0 && s->codes_rows < s->head.slots) {
        size_t left = (size_t)(s->head.slots - s->codes_rows), n = left < ROWS ? left : ROWS;
        off_t at = SCRY_SEGMENT_HEADER + s->codes_rows * (off_t)s->row_bytes;
        if (pread(s->segment_fd, rows, n * s->row_bytes, at) != (ssize_t)(n * s->row_bytes))
            give_up(s);
        else
            scry_codes_append(s, s->codes_rows, rows, n);
    }
    free(rows);
}

/* A new file: readers may still have the old one mapped, so it is never truncated. */
static void start_file(scry_local *s, const char *path)
{
    codes_header h = make_header(s, s->head.generation, 0);
    uint8_t page[CODES_HEADER] = { 0 };
    memcpy(page, &h, sizeof h);
    give_up(s);
    unlink(path);
    scry_sums_forget(s);
    s->codes_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    s->codes_rows = 0;
    if (s->codes_fd >= 0 && scry_pwrite_all(s->codes_fd, page, sizeof page, 0) < 0)
        give_up(s);
}

void scry_codes_open(scry_local *s)
{
    char *path = scry_codes_path(s, s->head.generation);
    s->codes_generation = s->head.generation;
    s->codes_fd = open(path, O_RDWR | O_CLOEXEC);
    s->codes_rows = s->codes_fd >= 0 ? rows_in_file(s, s->codes_fd, s->head.generation) : 0;
    bool anew = s->codes_rows == 0 || s->codes_rows > s->head.slots;
    if ((anew || s->codes_rows < s->head.slots) && scry_sums_discard(s, NULL) < 0)
        give_up(s);
    else if (anew)
        start_file(s, path);
    free(path);
    s->codes_published = s->codes_rows;
    catch_up(s);
    scry_codes_committed(s);
}

void scry_codes_close(scry_local *s)
{
    scry_codes_publish(s);
    give_up(s);
}

/* ---- reading ---- */

static void block_release(scry_code_block *b)
{
    if (!b || --b->refs)
        return;
    free(b->data);
    free(b);
}

void scry_codes_dispose(scry_codes *c)
{
    for (size_t i = 0; i < c->count; i++)
        block_release(c->made[i]);
    free(c->made);
    free(c->blocks);
    free(c->sums);
    free((void *)c->trust);
    scry_shared_map_release(c->map);
    memset(c, 0, sizeof *c);
}

/* Map the cache file; when it cannot be used the map stays NULL. */
static int map_file(scry_local *s, scry_view *v, const scry_view *old, scry_error *err)
{
    char *path = scry_codes_path(s, v->head.generation);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), result = 0;
    free(path);
    if (fd < 0)
        return 0;
    int64_t rows = rows_in_file(s, fd, v->head.generation);
    struct stat st;
    if (s->known_generation == v->head.generation && s->known_rows > rows && fstat(fd, &st) == 0 &&
        st.st_ino == s->known_inode)
        rows = s->known_rows;
    if (rows > 0) {
        int64_t blocks = (rows + SCRY_BLOCK_ROWS - 1) / SCRY_BLOCK_ROWS;
        v->codes.map_rows = rows;
        v->codes.map_bytes = (size_t)block_offset(s, blocks);
        result = scry_shared_map_acquire(&v->codes.map, old ? old->codes.map : NULL, fd, v->codes.map_bytes, s->where, err);
    }
    close(fd);
    return result;
}

/* A block in memory with the codes of its slots up to the view's last. */
static int make_block(scry_local *s, scry_view *v, scry_code_block *shared, size_t i, scry_error *err)
{
    size_t dim = (size_t)s->base.dim;
    int64_t first = (int64_t)i * SCRY_BLOCK_ROWS, end = v->head.slots - first;
    scry_code_block *b = shared;
    if (b) {
        b->refs++;
    } else {
        b = scry_alloc(sizeof *b);
        b->refs = 1;
        b->data = scry_try_alloc_aligned(scry_block_bytes(dim), 1);
        if (!b->data) {
            free(b);
            return scry_fail(err, SCRY_ENOMEM, "no memory for the codes of %s", s->where);
        }
    }
    v->codes.made[i] = b;
    for (; b->rows < end && b->rows < SCRY_BLOCK_ROWS; b->rows++)
        scry_block_encode(b->data, (size_t)b->rows,
                          scry_view_vector(s, v, first + b->rows), dim);
    v->codes.blocks[i] = b->data;
    return 0;
}

/* What the view before knew of block `i` of the same file: blocks that were full do not change any more. */
static void inherit_trust(scry_codes *c, const scry_view *old, size_t i)
{
    const scry_codes *known = &old->codes;
    int64_t end = (int64_t)(i + 1) * SCRY_BLOCK_ROWS;
    if (i >= known->count || known->map != c->map || end > old->head.slots || end > known->map_rows)
        return;
    uint8_t trust = atomic_load(&known->trust[i]);
    if (trust == SCRY_CODES_UNSUMMED)
        return;
    c->sums[i] = known->sums[i];
    atomic_init(&c->trust[i], trust);
}

/* The checksums of the blocks in the map. A processor that takes a second for what a scan reads in 50 ms compares none. */
static void load_sums(const scry_local *s, scry_view *v, const scry_view *old)
{
    scry_codes *c = &v->codes;
    scry_sums sums;
    c->sums = scry_alloc(c->count * sizeof *c->sums);
    c->trust = scry_alloc(c->count * sizeof *c->trust);
    if (!c->map || !scry_crc32c_is_fast())
        return;
    char *path = scry_codes_path(s, v->head.generation);
    scry_sums_load(&sums, s, v->head.change);
    const scry_sums_file *f = scry_sums_find(&sums, strrchr(path, '/') + 1);
    bool fits = f && f->piece == scry_block_bytes((size_t)s->base.dim);
    for (size_t i = 0; i < c->count; i++) {
        if (fits && !c->made[i] && i + 1 >= f->from && i + 1 < f->to) {   /* piece 0 is the header */
            c->sums[i] = f->crcs[i + 1];
            atomic_init(&c->trust[i], SCRY_CODES_UNCHECKED);
        }
        if (old && !c->made[i])
            inherit_trust(c, old, i);
    }
    scry_sums_dispose(&sums);
    free(path);
}

/* The last block may have been written to since: it is not used either, and nothing is said of it. */
static void say_damaged(const scry_local *s, const scry_view *v, size_t i)
{
    scry_sums sums;
    scry_sums_load(&sums, s, v->head.change);
    char *path = scry_codes_path(s, v->head.generation);
    if (sums.sealed || i + 1 < v->codes.count)
        scry_log(SCRY_LOG_WARN, "%s is damaged: searches are slower without it; remove the file, the next scry index writes "
                 "it again", path);
    scry_sums_dispose(&sums);
    free(path);
}

void *scry_codes_block(scry_local *s, scry_view *v, size_t i, size_t rows)
{
    scry_codes *c = &v->codes;
    uint8_t trust = atomic_load_explicit(&c->trust[i], memory_order_relaxed);
    if (trust >= SCRY_CODES_UNCHECKED) {
        size_t scored = trust - SCRY_CODES_UNCHECKED + rows;
        if (scored <= FEW_ROWS) {
            (void)atomic_compare_exchange_strong(&c->trust[i], &trust, (uint8_t)(SCRY_CODES_UNCHECKED + scored));
            return NULL;
        }
        bool good = scry_crc32c(0, c->blocks[i], scry_block_bytes((size_t)s->base.dim)) == c->sums[i];
        trust = good ? SCRY_CODES_GOOD : SCRY_CODES_DAMAGED;
        uint8_t before = atomic_exchange(&c->trust[i], trust);
        if (!good && before != SCRY_CODES_DAMAGED && !atomic_exchange(&s->said_damaged, true))
            say_damaged(s, v, i);
    }
    return trust == SCRY_CODES_DAMAGED ? NULL : c->blocks[i];
}

int scry_codes_load(scry_local *s, scry_view *v, const scry_view *old, scry_error *err)
{
    scry_codes *c = &v->codes;
    if (old && old->head.generation != v->head.generation)
        old = NULL;
    int result = map_file(s, v, old, err);
    if (result < 0)
        return result;
    c->count = ((size_t)v->head.slots + SCRY_BLOCK_ROWS - 1) / SCRY_BLOCK_ROWS;
    c->blocks = scry_alloc(c->count * sizeof *c->blocks);
    c->made = scry_alloc(c->count * sizeof *c->made);
    for (size_t i = 0; i < c->count && result == 0; i++) {
        int64_t end = (int64_t)(i + 1) * SCRY_BLOCK_ROWS;
        end = end < v->head.slots ? end : v->head.slots;
        if (end <= c->map_rows)
            c->blocks[i] = c->map->data + block_offset(s, (int64_t)i);
        else
            result = make_block(s, v, old && i < old->codes.count ? old->codes.made[i] : NULL, i, err);
    }
    load_sums(s, v, old);
    return result;
}
