#include "model/identity.h"

#include "base/alloc.h"
#include "base/cache.h"
#include "base/file.h"
#include "base/sealed.h"
#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { KEY_BYTES = 1 << 20, STEP_BYTES = 64 << 20 };

/* Size, times and inode of each file as text, one line for each, to see whether they
 * changed. False when a file is missing. */
static bool make_key(const char *dir, const char *const *files, size_t n, scry_buf *key)
{
    scry_buf_puts(key, "scry identity 1\n");
    for (size_t i = 0; i < n; i++) {
        char *path = scry_path_join(dir, files[i]);
        struct stat st;
        int failed = stat(path, &st);
        free(path);
        if (failed)
            return false;
        scry_buf_printf(key, "%s %lld %lld.%09ld %llu %llu\n", files[i], (long long)st.st_size,
                        (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                        (unsigned long long)st.st_ino, (unsigned long long)st.st_dev);
    }
    return !key->failed;
}

/* Where the digest is kept: of a single file apart from that of the folder's checkpoint. */
static char *kept_at(const char *dir, const char *const *files, size_t n, bool create)
{
    char *file = n == 1 ? scry_path_join(dir, files[0]) : NULL, *path = scry_cache_path("identity", file ? file : dir, create);
    free(file);
    return path;
}

bool scry_identity_recall(const char *dir, const char *const *files, size_t n,
                          char out[SCRY_IDENTITY_CHARS + 1])
{
    scry_buf key = SCRY_BUF_INIT(KEY_BYTES), stored = SCRY_BUF_INIT(KEY_BYTES);
    char *path = kept_at(dir, files, n, false);
    uint8_t digest[SCRY_SHA256_BYTES];
    bool found = path && make_key(dir, files, n, &key) && scry_sealed_read(path, &stored)
              && stored.size == key.size + SCRY_IDENTITY_CHARS
              && memcmp(stored.data, key.data, key.size) == 0
              && scry_unhex(stored.data + key.size, digest, sizeof digest) == 0;
    if (found)
        memcpy(out, stored.data + key.size, SCRY_IDENTITY_CHARS + 1);
    free(path);
    scry_buf_dispose(&key);
    scry_buf_dispose(&stored);
    return found;
}

/* Name, length and bytes of one file, so that no two sets of files look the same. */
static int add_file(scry_sha256 *h, const char *dir, const char *file, scry_long_work *work, scry_error *err)
{
    char *path = scry_path_join(dir, file), head[64];
    scry_map map;
    int r = scry_map_open(&map, path, err);
    free(path);
    if (r < 0)
        return r;
    int n = snprintf(head, sizeof head, "%zu ", map.size);
    scry_sha256_update(h, file, strlen(file) + 1);
    scry_sha256_update(h, head, (size_t)n);
    for (size_t at = 0; at < map.size && r == 0; at += STEP_BYTES) {
        size_t bytes = map.size - at < STEP_BYTES ? map.size - at : STEP_BYTES;
        scry_sha256_update(h, map.data + at, bytes);
        madvise((void *)(map.data + at), bytes, MADV_DONTNEED);   /* the process does not grow by the file's size */
        r = scry_work_advance(work, bytes, err);
    }
    scry_map_close(&map);
    return r;
}

static void remember(const char *dir, const char *const *files, size_t n, const char *hex)
{
    scry_buf key = SCRY_BUF_INIT(KEY_BYTES);
    char *path = kept_at(dir, files, n, true);
    if (path && make_key(dir, files, n, &key)) {
        scry_buf_puts(&key, hex);
        if (!key.failed && scry_sealed_write(path, key.data, key.size, NULL) < 0)
            remove(path);   /* a cache: without it the next start is slower */
    }
    free(path);
    scry_buf_dispose(&key);
}

static int compute(const scry_identity_files *f, char out[SCRY_IDENTITY_CHARS + 1], scry_long_work *work, scry_error *err)
{
    scry_sha256 *h = scry_sha256_new();
    int r = 0;
    for (size_t i = 0; i < f->n && r == 0; i++)
        r = add_file(h, f->dir, f->files[i], work, err);
    uint8_t digest[SCRY_SHA256_BYTES];
    scry_sha256_final(h, digest);
    scry_sha256_free(h);
    if (r < 0)
        return r;
    scry_hex(digest, sizeof digest, out);
    remember(f->dir, f->files, f->n, out);
    return 0;
}

int scry_identity_compute(const char *dir, const char *const *files, size_t n,
                          char out[SCRY_IDENTITY_CHARS + 1], scry_error *err)
{
    const scry_identity_files f = { NULL, dir, files, n };
    return compute(&f, out, NULL, err);
}

uint64_t scry_identity_bytes(const scry_identity_files *f)
{
    uint64_t bytes = scry_tensors_check_bytes(f->tensors);
    struct stat st;
    for (size_t i = 0; i < f->n; i++) {
        char *path = scry_path_join(f->dir, f->files[i]);
        bytes += stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
        free(path);
    }
    return bytes;
}

int scry_identity_of(const scry_identity_files *f, char out[SCRY_IDENTITY_CHARS + 1], scry_long_work *work, scry_error *err)
{
    if (scry_identity_recall(f->dir, f->files, f->n, out))
        return 0;
    int r = scry_tensors_check(f->tensors, work, err);
    return r < 0 ? r : compute(f, out, work, err);
}

int scry_identity_checked(const scry_tensors *ts, const char *dir, const char *const *files, size_t n,
                          char out[SCRY_IDENTITY_CHARS + 1], scry_error *err)
{
    const scry_identity_files f = { ts, dir, files, n };
    return scry_identity_of(&f, out, NULL, err);
}
