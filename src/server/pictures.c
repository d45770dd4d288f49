#include "server/pictures.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "server/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

scry_results *picture_find(request *r, const char *hex)
{
    uint8_t id[SCRY_ID_BYTES];
    scry_results *found = NULL;
    scry_error err = SCRY_ERROR_INIT;
    if (scry_unhex(hex, id, sizeof id) < 0) {
        respond_problem(r, 404, "there is no picture %.64s", hex);
        return NULL;
    }
    pthread_rwlock_rdlock(&r->server->store_lock);
    int result = scry_store_get(r->server->store, id, &found, &err);
    pthread_rwlock_unlock(&r->server->store_lock);
    if (result == 0)
        return found;
    if (err.code == SCRY_ENOTFOUND)
        respond_problem(r, 404, "there is no picture %.64s", hex);
    else
        respond_error(r, &err);
    return NULL;
}

typedef struct {
    const char *path;
    bool found;
} root_search;

static int match_root(void *arg, const scry_root *root)
{
    root_search *s = arg;
    size_t n = strlen(root->path);
    s->found = strncmp(s->path, root->path, n) == 0 && (s->path[n] == '/' || n == 1);
    return s->found;
}

bool below_root(request *r, const char *path)
{
    root_search s = { path, false };
    pthread_rwlock_rdlock(&r->server->store_lock);
    int result = scry_store_roots(r->server->store, match_root, &s, NULL);
    pthread_rwlock_unlock(&r->server->store_lock);
    return result >= 0 && s.found;
}

int picture_open(request *r, const scry_file *f)
{
    /* The root is the path without the relative part. */
    size_t n = strlen(f->path), m = strlen(f->relative);
    char *root = scry_strndup(f->path, n > m ? n - m : 1);
    int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(root);
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = dir < 0 ? -1 : (int)syscall(SYS_openat2, dir, f->relative, &how, sizeof how);
    int e = errno;
    if (dir >= 0)
        close(dir);
    struct stat st;
    if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        fd = -1;
        e = ENOENT;
    }
    if (fd < 0)
        respond_problem(r, e == EXDEV || e == ELOOP || e == EACCES ? 403 : 404,
                        e == EXDEV || e == ELOOP ? "the file of this picture leads out of its folder" :
                        e == EACCES ? "the file of this picture may not be read" :
                        "the file of this picture is gone: run `scry index --prune`");
    return fd;
}

int picture_jpeg(request *r, worker_tools *tools, const scry_file *f, int max_side, bool cached, scry_buf *out)
{
    char key[2 * SCRY_HASH_BYTES + 16];
    scry_hex(f->content, SCRY_HASH_BYTES, key);
    snprintf(key + 2 * SCRY_HASH_BYTES, 16, "-%d.jpg", max_side);
    if (cached && cache_get("thumbs", key, out))
        return 0;
    int fd = picture_open(r, f);
    if (fd < 0)
        return -1;
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_decode_request wanted = { .kind = SCRY_DECODE_JPEG, .max_side = max_side };
    scry_decode_result result;
    scry_error err = SCRY_ERROR_INIT;
    int ok = scry_decoder_load(tools->decoder, AT_FDCWD, name, &bytes, &size, &st, &err);
    if (ok == 0)
        ok = scry_decoder_run(tools->decoder, &wanted, &result, &err);
    close(fd);
    if (ok < 0) {
        respond_problem(r, 422, "this picture cannot be shown: %s", err.message);
        return ok;
    }
    scry_buf_append(out, result.encoded, result.encoded_bytes);
    if (cached)
        cache_put("thumbs", key, out->data, out->size);
    return 0;
}
