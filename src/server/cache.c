#include "server/cache.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sealed.h"
#include "base/sha256.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIM_EVERY = 256, TRIM_BYTES = 64 << 20 };
static const uint64_t LIMIT_BYTES = 1ull << 30;

typedef struct {
    const void *data;
    size_t size;
} part;

/* The first two characters of the key name a subfolder, which keeps folders small; owned. */
static char *path_of(const char *kind, const char *key)
{
    char *base = scry_cache_dir();
    char *path = scry_asprintf("%s/%s/%.2s/%s", base, kind, key, key);
    free(base);
    return path;
}

bool cache_get(const char *kind, const char *key, scry_buf *out)
{
    char *path = path_of(kind, key);
    bool ok = scry_sealed_read(path, out);
    if (ok)
        utimensat(AT_FDCWD, path, NULL, 0);   /* most recently used */
    free(path);
    return ok;
}

/* Whether `name` begins and ends so, with something between. */
static bool is_framed(const char *name, const char *prefix, const char *suffix)
{
    size_t n = strlen(name), before = strlen(prefix), after = strlen(suffix);
    return n > before + after && strncmp(name, prefix, before) == 0 && strcmp(name + n - after, suffix) == 0;
}

bool cache_get_newest(const char *kind, const char *prefix, const char *suffix, scry_buf *out)
{
    char *folder = path_of(kind, prefix), newest[256] = "";
    struct timespec at = { 0 };
    *strrchr(folder, '/') = '\0';
    DIR *d = opendir(folder);
    struct stat st;
    for (const struct dirent *e; d && (e = readdir(d));)
        if (is_framed(e->d_name, prefix, suffix) && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (!newest[0] || scry_time_ns(st.st_mtim) > scry_time_ns(at))) {
            snprintf(newest, sizeof newest, "%s", e->d_name);
            at = st.st_mtim;
        }
    if (d)
        closedir(d);
    free(folder);
    return newest[0] && cache_get(kind, newest, out);
}

typedef struct {
    char *path;
    uint64_t bytes;
    int64_t used_ns;
} entry;

static int by_age(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    return x->used_ns < y->used_ns ? -1 : x->used_ns > y->used_ns;
}

static size_t list_folder(const char *folder, entry **list, size_t n, size_t *capacity)
{
    DIR *d = opendir(folder);
    struct stat st;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        char *path = scry_asprintf("%s/%s", folder, e->d_name);
        if (S_ISDIR(st.st_mode)) {
            n = list_folder(path, list, n, capacity);
            free(path);
            continue;
        }
        if (n == *capacity) {
            *capacity = *capacity * 2 + 1024;
            *list = scry_realloc(*list, *capacity * sizeof **list);
        }
        int64_t written_ns = scry_time_ns(st.st_mtim), read_ns = scry_time_ns(st.st_atim);
        (*list)[n++] = (entry){ path, (uint64_t)st.st_size, written_ns > read_ns ? written_ns : read_ns };
    }
    if (d)
        closedir(d);
    return n;
}

static void trim(const char *kind)
{
    char *base = scry_cache_dir(), *folder = scry_path_join(base, kind);
    entry *list = NULL;
    size_t capacity = 0, n = list_folder(folder, &list, 0, &capacity);
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += list[i].bytes;
    if (n)
        qsort(list, n, sizeof *list, by_age);
    for (size_t i = 0; i < n; i++) {
        if (total > LIMIT_BYTES && unlink(list[i].path) == 0)
            total -= list[i].bytes;
        free(list[i].path);
    }
    free(list);
    free(folder);
    free(base);
}

/* `seal` has no bytes where the key tells whether the file is as it was stored. */
static void put(const char *kind, const char *key, part content, part seal)
{
    size_t n = content.size + seal.size;
    static atomic_uint puts_so_far;
    static atomic_size_t bytes_so_far;
    char *path = path_of(kind, key), *slash = strrchr(path, '/'), *unfinished = scry_asprintf("%s.%d-%p", path, (int)getpid(), (void *)&n);
    *slash = '\0';
    if (scry_make_dirs(path, NULL) == 0) {
        *slash = '/';
        FILE *f = fopen(unfinished, "we");
        bool ok = f && fwrite(content.data, 1, content.size, f) == content.size &&
                  fwrite(seal.data, 1, seal.size, f) == seal.size;
        if (f && fclose(f) != 0)
            ok = false;
        if (!ok || rename(unfinished, path) < 0)
            unlink(unfinished);
    }
    bool much = atomic_fetch_add(&bytes_so_far, n) + n >= TRIM_BYTES;
    if (much)
        atomic_store(&bytes_so_far, 0);
    if (atomic_fetch_add(&puts_so_far, 1) % TRIM_EVERY == 0 || much)
        trim(kind);
    free(unfinished);
    free(path);
}

void cache_put(const char *kind, const char *key, const void *bytes, size_t n)
{
    uint8_t seal[SCRY_SEAL_BYTES];
    scry_seal_of(bytes, n, seal);
    put(kind, key, (part){ bytes, n }, (part){ seal, sizeof seal });
}

/* Of 16 bytes: the beginning of the SHA-256. */
static bool has_id(const char *path, const uint8_t id[16])
{
    scry_map map;
    uint8_t digest[SCRY_SHA256_BYTES];
    if (scry_map_open(&map, path, NULL) < 0)
        return false;
    scry_sha256_of(map.data, map.size, digest);
    scry_map_close(&map);
    return memcmp(digest, id, 16) == 0;
}

char *upload_path(const uint8_t id[16])
{
    char key[33];
    scry_hex(id, 16, key);
    char *path = path_of("queries", key);
    if (has_id(path, id))
        return path;
    free(path);
    return NULL;
}

void upload_keep(const void *bytes, size_t n, uint8_t id[16])
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint8_t digest[SCRY_SHA256_BYTES];
    char key[33];
    scry_sha256_of(bytes, n, digest);
    memcpy(id, digest, 16);
    scry_hex(id, 16, key);
    pthread_mutex_lock(&lock);
    char *kept = upload_path(id);   /* not written again: a search that reads it would take it for changed */
    if (!kept)
        put("queries", key, (part){ bytes, n }, (part){ "", 0 });
    pthread_mutex_unlock(&lock);
    free(kept);
}
