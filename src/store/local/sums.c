#include "store/local/sums.h"

#include "base/alloc.h"
#include "base/file.h"
#include "store/local/codes_file.h"
#include "store/local/columns.h"
#include "base/crc32c.h"
#include "store/local/segment.h"
#include "store/local/transaction.h"
#include "vector/codes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SUMS_FORMAT = 1,
    FIRST_BYTES = 4096,       /* the header page of every file but the database, where it is as good as any */
    PIECE_BYTES = 1 << 20,
    FILE_LIMIT = 64 << 20,    /* of `sums` itself */
    FILES_MAX = 4
};

static const char sums_magic[8] = "scrysum";
static const char database[] = "index.db";

/* As stored: the header, then for each file its header and checksums, then CRC-32C of all before it. */
typedef struct {
    char magic[8];
    uint32_t format, files;
    uint8_t collection[SCRY_COLLECTION_BYTES];
    uint64_t change;
} sums_header;

typedef struct {
    char name[32];
    uint64_t size, piece;
} file_header;

static char *sums_path(const scry_local *s, const char *name)
{
    return scry_path_join(s->folder, name);
}

static size_t count_pieces(uint64_t size, uint64_t piece)
{
    return size > FIRST_BYTES ? (size_t)(1 + (size - FIRST_BYTES + piece - 1) / piece) : 1;
}

static uint64_t piece_start(const scry_sums_file *f, size_t i)
{
    return i ? FIRST_BYTES + (i - 1) * f->piece : 0;
}

static uint64_t piece_end(const scry_sums_file *f, size_t i)
{
    uint64_t end = FIRST_BYTES + i * f->piece;
    return end < f->size ? end : f->size;
}

static bool is_kind(const scry_sums_file *f, const char *prefix)
{
    return strncmp(f->name, prefix, strlen(prefix)) == 0;
}

/* Leave those checksums that count while a writer is at work. The last block of codes is written in its middle. */
static void keep_lasting(scry_sums_file *f)
{
    if (is_kind(f, database)) {
        f->from = f->to = 0;
    } else if (is_kind(f, "codes-")) {
        f->from = 1;
        f->to = f->count > 1 ? f->count - 1 : 1;
    }
}

/* ---- reading ---- */

void scry_sums_dispose(scry_sums *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->files[i].crcs);
    free(m->files);
    memset(m, 0, sizeof *m);
}

const scry_sums_file *scry_sums_find(const scry_sums *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->files[i].name, name) == 0)
            return &m->files[i];
    return NULL;
}

static bool take(const uint8_t **at, const uint8_t *end, void *out, size_t n)
{
    if ((size_t)(end - *at) < n)
        return false;
    memcpy(out, *at, n);
    *at += n;
    return true;
}

static bool parse_file(scry_sums_file *f, const uint8_t **at, const uint8_t *end)
{
    file_header h;
    if (!take(at, end, &h, sizeof h) || h.name[sizeof h.name - 1] || h.piece == 0 || h.size > INT64_MAX || h.piece > INT32_MAX)
        return false;
    memcpy(f->name, h.name, sizeof f->name);
    f->size = h.size;
    f->piece = h.piece;
    f->count = f->to = count_pieces(h.size, h.piece);
    if (f->count > (size_t)(end - *at) / sizeof *f->crcs)
        return false;
    f->crcs = scry_alloc(f->count * sizeof *f->crcs);
    return take(at, end, f->crcs, f->count * sizeof *f->crcs);
}

static bool parse(scry_sums *out, const scry_local *s, const uint8_t *bytes, size_t size)
{
    sums_header h;
    const uint8_t *at = bytes, *end = bytes + size - sizeof out->crc;
    if (size < sizeof h + sizeof out->crc)
        return false;
    memcpy(&out->crc, end, sizeof out->crc);
    if (scry_crc32c(0, bytes, (size_t)(end - bytes)) != out->crc || !take(&at, end, &h, sizeof h) ||
        memcmp(h.magic, sums_magic, sizeof h.magic) != 0 || h.format != SUMS_FORMAT || h.files > FILES_MAX ||
        memcmp(h.collection, s->collection, sizeof h.collection) != 0)
        return false;
    out->change = h.change;
    out->files = scry_alloc(FILES_MAX * sizeof *out->files);
    while (out->count < h.files)
        if (!parse_file(&out->files[out->count++], &at, end))
            return false;
    return at == end;
}

/* Whether the file is there. */
static bool read_sums(scry_sums *out, const scry_local *s, const char *name)
{
    scry_buf text = SCRY_BUF_INIT(FILE_LIMIT);
    char *path = sums_path(s, name);
    bool found = access(path, F_OK) == 0;
    memset(out, 0, sizeof *out);
    if (found && (scry_read_file(path, &text, NULL) < 0 || !parse(out, s, (const uint8_t *)scry_buf_str(&text), text.size))) {
        scry_sums_dispose(out);
        out->damaged = true;
    }
    scry_buf_dispose(&text);
    free(path);
    return found;
}

void scry_sums_load(scry_sums *out, const scry_local *s, int64_t change)
{
    if (read_sums(out, s, "sums"))
        out->sealed = !out->damaged && out->change == (uint64_t)change;
    else
        (void)read_sums(out, s, "sums.old");
    for (size_t i = 0; i < out->count && !out->sealed; i++)
        keep_lasting(&out->files[i]);
}

/* ---- summing ---- */

/* A file to read: closing a descriptor of the database would drop SQLite's locks, so that is read through SQLite. */
typedef struct {
    int fd;
    scry_db *db;               /* NULL: fd */
    uint8_t *buffer;           /* [PIECE_BYTES] */
    const scry_sums_visitor *visitor;   /* NULL: none */
    bool cancelled;
} source;

static bool read_source(const source *f, size_t n, uint64_t at)
{
    if (f->db)
        return scry_db_read_file(f->db, f->buffer, n, at);
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(f->fd, f->buffer + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* Continue *crc over the bytes [from, to); false when they are not there or cannot be read. */
static bool sum_range(source *f, uint32_t *crc, uint64_t from, uint64_t to)
{
    while (from < to && !f->cancelled) {
        size_t n = to - from < PIECE_BYTES ? (size_t)(to - from) : PIECE_BYTES;
        if (!read_source(f, n, from))
            return false;
        *crc = scry_crc32c(*crc, f->buffer, n);
        from += n;
        f->cancelled = f->visitor && f->visitor->pace && f->visitor->pace(f->visitor->arg, n) != 0;
    }
    return true;
}

/* Bytes that `old` (may be NULL) covers are not read again: whatever has happened to them since stays visible. */
static bool sum_file(scry_sums_file *f, const scry_sums_file *old, source *from)
{
    if (old && (old->piece != f->piece || old->size > f->size))
        old = NULL;
    f->count = f->to = count_pieces(f->size, f->piece);
    f->crcs = scry_alloc(f->count * sizeof *f->crcs);
    for (size_t i = 0; i < f->count; i++) {
        bool known = old && i >= old->from && i < old->to;
        f->crcs[i] = known ? old->crcs[i] : 0;
        if (!sum_range(from, &f->crcs[i], known ? piece_end(old, i) : piece_start(f, i), piece_end(f, i)))
            return false;
    }
    return true;
}

/* ---- writing ---- */

int scry_sums_discard(scry_local *s, scry_error *err)
{
    char *path = sums_path(s, "sums"), *old = sums_path(s, "sums.old");
    int result = 0;
    s->sums_due = true;
    if (rename(path, old) == 0 ? scry_sync_folder(s->folder) < 0 : errno != ENOENT)
        result = scry_fail_errno(err, errno, "cannot rename %s", path);
    free(old);
    free(path);
    return result;
}

void scry_sums_forget(const scry_local *s)
{
    char *path = sums_path(s, "sums.old");
    unlink(path);
    free(path);
}

typedef struct {
    scry_sums sums;
    const scry_sums *old;
    source from;
} sealing;

static bool add_file(sealing *l, const char *path, uint64_t size, uint64_t piece)
{
    scry_sums_file *f = &l->sums.files[l->sums.count++];
    snprintf(f->name, sizeof f->name, "%s", strrchr(path, '/') + 1);
    f->size = size;
    f->piece = piece;
    return sum_file(f, scry_sums_find(l->old, f->name), &l->from);
}

static bool add_columns(sealing *l, const scry_local *s)
{
    char *path = scry_columns_path(s, s->head.columns_file);
    struct stat st;
    l->from.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool good = l->from.fd < 0 || (fstat(l->from.fd, &st) == 0 && add_file(l, path, (uint64_t)st.st_size, PIECE_BYTES));
    if (l->from.fd >= 0)
        close(l->from.fd);
    free(path);
    return good;
}

static bool add_all(sealing *l, scry_local *s)
{
    char *segment = scry_segment_path(s, s->head.generation), *codes = scry_codes_path(s, s->head.generation);
    uint64_t block = scry_block_bytes((size_t)s->base.dim), size;
    uint64_t blocks = (uint64_t)(s->codes_rows + SCRY_BLOCK_ROWS - 1) / SCRY_BLOCK_ROWS;
    l->from.db = &s->writer;
    bool good = scry_db_file_size(&s->writer, &size) && add_file(l, s->db_path, size, PIECE_BYTES);
    l->from.db = NULL;
    l->from.fd = s->segment_fd;
    good = good && add_file(l, segment, SCRY_SEGMENT_HEADER + (uint64_t)s->head.slots * s->row_bytes, PIECE_BYTES);
    l->from.fd = s->codes_fd;
    good = good && (s->codes_fd < 0 || add_file(l, codes, FIRST_BYTES + blocks * block, block));
    good = good && add_columns(l, s);
    free(codes);
    free(segment);
    return good;
}

static void write_sums(const scry_local *s, const scry_sums *m)
{
    sums_header h = { .format = SUMS_FORMAT, .files = (uint32_t)m->count, .change = (uint64_t)s->head.change };
    scry_buf b = SCRY_BUF_INIT(FILE_LIMIT);
    memcpy(h.magic, sums_magic, sizeof h.magic);
    memcpy(h.collection, s->collection, sizeof h.collection);
    scry_buf_append(&b, &h, sizeof h);
    for (size_t i = 0; i < m->count; i++) {
        file_header f = { .size = m->files[i].size, .piece = m->files[i].piece };
        memcpy(f.name, m->files[i].name, sizeof f.name);
        scry_buf_append(&b, &f, sizeof f);
        scry_buf_append(&b, m->files[i].crcs, m->files[i].count * sizeof *m->files[i].crcs);
    }
    uint32_t crc = scry_crc32c(0, scry_buf_str(&b), b.size);
    scry_buf_append(&b, &crc, sizeof crc);
    char *path = sums_path(s, "sums");
    if (!b.failed && scry_write_file(path, scry_buf_str(&b), b.size, NULL) == 0)
        scry_sums_forget(s);
    scry_buf_dispose(&b);
    free(path);
}

static bool log_is_empty(const scry_local *s)
{
    struct stat st;
    char *path = scry_asprintf("%s-wal", s->db_path);
    bool empty = stat(path, &st) < 0 || st.st_size == 0;
    free(path);
    return empty;
}

/* Whether the database, whose write lock is held, is as this process committed it, in its file alone. */
static bool is_settled(scry_local *s)
{
    scry_head h = { 0 };
    bool settled = scry_local_check_place(s, NULL) == 0 && scry_head_load(&s->writer, &h, NULL) == 0 &&
                   memcmp(h.collection, s->collection, sizeof h.collection) == 0 && h.change == s->head.change && log_is_empty(s);
    scry_head_dispose(&h);
    return settled;
}

void scry_sums_seal(scry_local *s)
{
    char *path = sums_path(s, "sums");
    bool missing = access(path, F_OK) < 0;
    free(path);
    if ((!s->sums_due && !missing) || scry_db_run(&s->writer, SCRY_SQL_BEGIN_WRITE, NULL, "") < 0)
        return;
    if (is_settled(s)) {
        scry_sums old;
        scry_sums_load(&old, s, -1);   /* of no state: what still counts */
        sealing l = { .old = &old, .from = { .fd = -1, .buffer = scry_alloc(PIECE_BYTES) } };
        l.sums.files = scry_alloc(FILES_MAX * sizeof *l.sums.files);
        if (add_all(&l, s))
            write_sums(s, &l.sums);
        scry_sums_dispose(&l.sums);
        scry_sums_dispose(&old);
        free(l.from.buffer);
    }
    (void)!scry_db_run(&s->writer, SCRY_SQL_ROLLBACK, NULL, "");
}

/* ---- comparing ---- */

/* Whether the checksums that were read are still those that count: no writer has begun or ended. */
static bool is_current(const scry_local *s, const scry_sums *m, int64_t change)
{
    scry_sums now;
    scry_sums_load(&now, s, change);
    bool same = now.crc == m->crc && now.sealed == m->sealed && now.damaged == m->damaged;
    scry_sums_dispose(&now);
    return same;
}

typedef struct {
    const scry_local *s;
    const scry_sums *sums;
    int64_t change;
    source from;
} comparison;

/* False when a writer has begun or ended, so that nothing can be said. */
static bool compare_file(comparison *c, const scry_sums_file *f)
{
    for (size_t i = f->from; i < f->to && !c->from.cancelled; i++) {
        uint32_t crc = 0;
        bool same = sum_range(&c->from, &crc, piece_start(f, i), piece_end(f, i)) && crc == f->crcs[i];
        if (same || c->from.cancelled)
            continue;
        if (!is_current(c->s, c->sums, c->change))
            return false;
        c->from.visitor->changed(c->from.visitor->arg, f->name, piece_start(f, i), piece_end(f, i));
    }
    return true;
}

/* Caches may be removed at any time, and the vectors of a former generation have been. */
static bool compare_named(comparison *c, const scry_sums_file *f, scry_db *db)
{
    char *path = sums_path(c->s, f->name);
    c->from.db = is_kind(f, database) ? db : NULL;
    c->from.fd = c->from.db ? -1 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool good = (!c->from.db && c->from.fd < 0) || compare_file(c, f);
    if (c->from.fd >= 0)
        close(c->from.fd);
    free(path);
    return good;
}

int scry_sums_check(const scry_local *s, scry_db *db, int64_t change, const scry_sums_visitor *visitor, bool *sealed,
                    scry_error *err)
{
    scry_sums sums;
    scry_sums_load(&sums, s, change);
    comparison c = { s, &sums, change, { .fd = -1, .buffer = scry_alloc(PIECE_BYTES), .visitor = visitor } };
    bool good = true;
    if (sums.damaged && is_current(s, &sums, change))
        visitor->changed(visitor->arg, "sums", 0, 0);
    for (size_t i = 0; i < sums.count && good && !c.from.cancelled; i++)
        good = compare_named(&c, &sums.files[i], db);
    *sealed = good && sums.sealed;
    int result = c.from.cancelled ? scry_fail(err, SCRY_ECANCELLED, "the check was ended") : 0;
    free(c.from.buffer);
    scry_sums_dispose(&sums);
    return result;
}
