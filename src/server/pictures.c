#include "server/pictures.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/system.h"
#include "image/image.h"
#include "server/away.h"
#include "server/cache.h"
#include "server/request.h"
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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
    s->found = scry_path_is_below(s->path, root->path);
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

static void set_version(open_picture *p, const struct stat *st)
{
    enum { SETTLED_S = 2 };   /* FAT counts mtime in steps of two seconds */
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    bool settled = st->st_ctim.tv_sec < now.tv_sec - SETTLED_S && st->st_mtim.tv_sec < now.tv_sec - SETTLED_S;
    p->version[0] = '\0';
    if (!settled)
        return;
    const int64_t state[] = { (int64_t)st->st_dev, (int64_t)st->st_ino, (int64_t)st->st_size, st->st_mtim.tv_sec,
                              st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec };
    uint8_t bytes[SCRY_HASH_BYTES + sizeof state], digest[SCRY_SHA256_BYTES];
    memcpy(bytes, p->file->content, SCRY_HASH_BYTES);
    memcpy(bytes + SCRY_HASH_BYTES, state, sizeof state);
    scry_sha256_of(bytes, sizeof bytes, digest);
    scry_hex(digest, (sizeof p->version - 1) / 2, p->version);
}

/* The path of a picture that another program put into a collection on Milvus can lead anywhere: only pictures are shown. */
static bool may_be_shown(const scry_file *f, int fd)
{
    static const uint8_t no_root[SCRY_ID_BYTES];
    uint8_t head[256];
    if (memcmp(f->root, no_root, sizeof no_root) != 0)
        return true;
    ssize_t n = pread(fd, head, sizeof head, 0);
    return n > 0 && scry_sniff_format(head, (size_t)n) != SCRY_FORMAT_NONE;
}

/* The regular file of a picture, never a link out of its root: a descriptor, or minus errno. */
static int open_file(const scry_file *f, struct stat *st)
{
    /* The root is the path without the relative part. */
    size_t n = strlen(f->path), m = strlen(f->relative);
    char *root = scry_strndup(f->path, n > m ? n - m : 1);
    int fd = scry_open_beneath(root, f->relative, O_RDONLY | O_NONBLOCK), e = errno;
    free(root);
    if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    if (fd < 0)
        return -e;
    close(fd);
    return -ENOENT;
}

static bool is_refusal(int e)
{
    return e == EXDEV || e == ELOOP || e == EACCES || e == EMEDIUMTYPE;
}

/* 0, or the error's number; EMEDIUMTYPE where the file is not a picture, ENOMEDIUM where its disk is not there. */
static int open_shown(server *s, const scry_file *f, open_picture *out)
{
    struct stat st;
    int fd = open_file(f, &st);
    if (fd < 0)
        return !is_refusal(-fd) && note_if_away(s->away, f) ? ENOMEDIUM : -fd;
    if (!may_be_shown(f, fd)) {
        close(fd);
        return EMEDIUMTYPE;
    }
    *out = (open_picture){ .file = f, .fd = fd, .bytes = (uint64_t)st.st_size };
    set_version(out, &st);
    return 0;
}

static const char *name_of(int e)
{
    return e == EXDEV || e == ELOOP ? "file_link" : e == EACCES ? "file_unreadable" : e == EMEDIUMTYPE ? "not_picture"
           : e == ENOMEDIUM ? "disk_away" : "file_gone";
}

static const char *why_closed(int e)
{
    return e == EXDEV || e == ELOOP ? "the file of this picture is a link out of its folder"
           : e == EACCES ? "the file of this picture may not be read"
           : e == EMEDIUMTYPE ? "the file of this row is not a picture"
           : e == ENOMEDIUM ? "the disk of this picture is not there"
           : "the file of this picture does not exist any more: run `scry index --prune`";
}

const char *picture_try_open(server *s, const scry_file *f, open_picture *out)
{
    int e = open_shown(s, f, out);
    return e ? why_closed(e) : NULL;
}

bool picture_open(request *r, const scry_file *f, open_picture *out)
{
    int e = open_shown(r->server, f, out);
    if (e)
        respond_named_problem(r, is_refusal(e) ? 403 : 404, name_of(e), "%s", why_closed(e));
    return e == 0;
}

void respond_undecoded(request *r, int status, const char *what, int result, const scry_error *err)
{
    respond_unusable(r, result == SCRY_EIO ? 500 : status, what, err->message);
}

enum { KEY_SIZE = 96 };

/* Content, version and size: where the disk is away, and no version is known, the content finds it. */
static void set_key(char key[KEY_SIZE], const open_picture *p, int max_side)
{
    char content[33];
    scry_hex(p->file->content, 16, content);
    snprintf(key, KEY_SIZE, "%s-%s-%d.jpg", content, p->version, max_side);
}

bool picture_cached(const scry_file *f, int max_side, scry_buf *out)
{
    const int sides[] = { max_side, 640, 320, 160 };
    char content[33], prefix[40], suffix[24];
    scry_hex(f->content, 16, content);
    snprintf(prefix, sizeof prefix, "%s-", content);
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        snprintf(suffix, sizeof suffix, "-%d.jpg", sides[i]);
        if (cache_get_newest("thumbs", prefix, suffix, out))
            return true;
    }
    return false;
}

int picture_jpeg(request *r, worker_tools *tools, open_picture *p, int max_side, scry_buf *out)
{
    char key[KEY_SIZE];
    set_key(key, p, max_side);
    if (p->version[0] && cache_get("thumbs", key, out))
        return 0;
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_decode_request wanted = { .kind = SCRY_DECODE_JPEG, .max_side = max_side };
    scry_decode_result result;
    scry_error err = SCRY_ERROR_INIT;
    int loaded = scry_decoder_load_fd(tools->decoder, p->fd, &bytes, &size, &st, &err);
    int ok = loaded < 0 ? loaded : scry_decoder_run(tools->decoder, &wanted, &result, &err);
    if (ok < 0) {
        respond_undecoded(r, 422, "this picture cannot be shown", loaded < 0 ? SCRY_EINVALID : ok, &err);
        return ok;
    }
    scry_buf_append(out, result.encoded, result.encoded_bytes);
    set_version(p, &st);
    set_key(key, p, max_side);
    if (p->version[0])
        cache_put("thumbs", key, out->data, out->size);
    return 0;
}
