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
static int add_file(scry_sha256 *h, const char *dir, const char *file, scry_error *err)
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
    for (size_t at = 0; at < map.size; at += STEP_BYTES) {
        size_t bytes = map.size - at < STEP_BYTES ? map.size - at : STEP_BYTES;
        scry_sha256_update(h, map.data + at, bytes);
        madvise((void *)(map.data + at), bytes, MADV_DONTNEED);   /* the process does not grow by the file's size */
    }
    scry_map_close(&map);
    return 0;
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

int scry_identity_compute(const char *dir, const char *const *files, size_t n,
                          char out[SCRY_IDENTITY_CHARS + 1], scry_error *err)
{
    scry_sha256 *h = scry_sha256_new();
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = add_file(h, dir, files[i], err);
    uint8_t digest[SCRY_SHA256_BYTES];
    scry_sha256_final(h, digest);
    scry_sha256_free(h);
    if (r < 0)
        return r;
    scry_hex(digest, sizeof digest, out);
    remember(dir, files, n, out);
    return 0;
}

int scry_identity_checked(const scry_tensors *ts, const char *dir, const char *const *files, size_t n,
                          char out[SCRY_IDENTITY_CHARS + 1], scry_error *err)
{
    if (scry_identity_recall(dir, files, n, out))
        return 0;
    int r = scry_tensors_check(ts, err);
    return r < 0 ? r : scry_identity_compute(dir, files, n, out, err);
}
