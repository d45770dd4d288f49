/* hub.c - scry_fetch_checkpoint: the listing, then file after file. */
#include "fetch/fetch.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/sha256.h"
#include "fetch/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MAX_LISTING_BYTES = 16 << 20, TRIES = 5 };
#define MAX_FILE_BYTES ((uint64_t)64 << 30)   /* of a file whose size the host does not tell */

typedef struct {
    const fetch_job *job;
    fetch_report *report;
    uint64_t done, total;   /* of all files */
} run;

/* ---- the listing ---- */

typedef struct {
    scry_buf text;
    scry_error *err;
} listing;

static int take_listing(void *arg, const void *bytes, size_t n, bool restart)
{
    listing *l = arg;
    scry_buf_append(&l->text, bytes, n);
    return l->text.failed ? scry_fail(l->err, SCRY_ENOMEM, "not enough memory for the hub's list of files") : 0;
}

/* Between two tries: 0.2 s, 0.4 s, 0.8 s ... */
static void rest(int try)
{
    usleep(200000u << try);
}

static int explain_status(const fetch_job *job, const http_response *answer, int r, scry_error *err)
{
    if (answer->status == 404)
        return scry_fail(err, SCRY_ENOTFOUND, "%s has no repository %s with a revision %s", job->hub, job->repository,
                         job->revision ? job->revision : "main");
    if (answer->status == 401 || answer->status == 403)
        return scry_fail(err, SCRY_ENOTFOUND, "%s gives %s only to those who are signed in, or has no such repository: "
                         "fetch it in a browser and use `scry model add`", job->hub, job->repository);
    return r;
}

static int read_listing(run *u, scry_error *err)
{
    const fetch_job *job = u->job;
    char *url = scry_asprintf("%s/api/models/%s/revision/%s?blobs=true", job->hub, job->repository,
                              job->revision ? job->revision : "main");
    listing l = { SCRY_BUF_INIT(MAX_LISTING_BYTES), err };
    http_request request = { .url = url, .limit = MAX_LISTING_BYTES, .body = take_listing, .arg = &l };
    http_response answer;
    bool transient;
    int r;
    for (int try = 0;; try++) {
        r = http_get(&request, &answer, &transient, err);
        if (r == 0 || !transient || try == 2)
            break;
        scry_buf_clear(&l.text);
        rest(try);
    }
    r = r < 0 ? explain_status(job, &answer, r, err)
              : fetch_choose(u->report, scry_buf_str(&l.text), l.text.size, job->repository, err);
    scry_buf_dispose(&l.text);
    free(url);
    return r;
}

/* ---- one file ---- */

typedef struct {
    run *u;
    const fetch_file *file;
    const char *path;       /* of the .part */
    int fd;
    uint64_t size;          /* bytes in it */
    scry_error *err;
} part;

static int take_piece(void *arg, const void *bytes, size_t n, bool restart)
{
    part *p = arg;
    if (restart) {
        if (ftruncate(p->fd, 0) < 0 || lseek(p->fd, 0, SEEK_SET) < 0)
            return scry_fail_errno(p->err, errno, "cannot write %s", p->path);
        p->size = 0;
    }
    for (const char *at = bytes; n;) {
        ssize_t w = write(p->fd, at, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return scry_fail_errno(p->err, errno, "cannot write %s (run the same command again when there is room: "
                                   "it goes on from there)", p->path);
        at += w;
        n -= (size_t)w;
        p->size += (uint64_t)w;
    }
    if (p->u->job->progress)
        p->u->job->progress(p->u->job->arg, p->file->name, p->u->done + p->size, p->u->total);
    return 0;
}

/* Whether `text` is a digest of `n` bytes; then it is in `out`, lower-case. */
static bool read_digest(char *out, const char *text, size_t n)
{
    uint8_t bytes[SCRY_SHA256_BYTES];
    if (scry_unhex(text, bytes, n) < 0)
        return false;
    scry_hex(bytes, n, out);
    return true;
}

/* What the answer's headers declare must agree with the listing; where that is silent it counts. */
static int take_declared(fetch_file *f, const http_response *a, scry_error *err)
{
    char digest[65];
    bool unknown = !f->sha256[0] && !f->git_id[0];
    if (read_digest(digest, a->linked_etag, 32)) {
        if (f->sha256[0] && strcmp(f->sha256, digest) != 0)
            return scry_fail(err, SCRY_EREMOTE, "the host declares two different digests for %s", f->name);
        memcpy(f->sha256, digest, sizeof digest);
        f->git_id[0] = '\0';
    } else if (unknown && read_digest(digest, a->etag, 32)) {
        memcpy(f->sha256, digest, sizeof digest);
    } else if (unknown && read_digest(digest, a->etag, 20)) {
        memcpy(f->git_id, digest, sizeof f->git_id);
    }
    if (a->linked_size >= 0 && f->bytes == UINT64_MAX)
        f->bytes = (uint64_t)a->linked_size;
    return 0;
}

/* Fill the .part to its end, going on where a transfer broke off while that makes progress. */
static int transfer(part *p, fetch_file *f, const char *url, scry_error *err)
{
    http_request request = { .url = url, .body = take_piece, .arg = p };
    http_response answer;
    bool transient;
    if (f->bytes != UINT64_MAX && p->size == f->bytes && p->size)
        return 0;
    for (int try = 0;; try++) {
        uint64_t before = p->size, most = f->bytes != UINT64_MAX ? f->bytes : MAX_FILE_BYTES;
        request.offset = p->size;
        request.limit = most;
        int r = http_get(&request, &answer, &transient, err);
        if (r == 0)
            return take_declared(f, &answer, err);
        if (answer.status == 416 && p->size) {   /* what is there is not a beginning of the file */
            if (ftruncate(p->fd, 0) < 0 || lseek(p->fd, 0, SEEK_SET) < 0)
                return scry_fail_errno(err, errno, "cannot write %s", p->path);
            p->size = 0;
            transient = true;
        }
        if (p->size > before)
            try = 0;   /* it does come in, piece by piece */
        if (!transient || try == TRIES)
            return r;
        rest(try);
    }
}

static int check(fetch_file *f, const char *path, scry_error *err)
{
    scry_file_digest d;
    int r = scry_file_digest_of(&d, path, err);
    if (r < 0)
        return r;
    if (f->bytes != UINT64_MAX && d.bytes != f->bytes)
        return scry_fail(err, SCRY_EREMOTE, "%s has %llu bytes, the host declared %llu", f->name,
                         (unsigned long long)d.bytes, (unsigned long long)f->bytes);
    if (f->sha256[0] && strcmp(f->sha256, d.sha256) != 0)
        return scry_fail(err, SCRY_EREMOTE, "%s is not what the host declared: its SHA-256 is %.16s..., not %.16s...",
                         f->name, d.sha256, f->sha256);
    if (f->git_id[0] && strcmp(f->git_id, d.git_id) != 0)
        return scry_fail(err, SCRY_EREMOTE, "%s is not what the host declared: its git id is %s, not %s", f->name,
                         d.git_id, f->git_id);
    snprintf(f->checked_by, sizeof f->checked_by, "%s", f->sha256[0] ? "sha256" : f->git_id[0] ? "git" : "");
    snprintf(f->sha256, sizeof f->sha256, "%s", d.sha256);
    snprintf(f->git_id, sizeof f->git_id, "%s", d.git_id);
    f->bytes = d.bytes;
    return 0;
}

static int open_part(part *p, const fetch_file *f, scry_error *err)
{
    /* Going on is only safe where a digest proves the result. */
    bool resume = f->sha256[0] || f->git_id[0];
    struct stat st;
    p->fd = open(p->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (resume ? O_APPEND : O_TRUNC), 0600);
    if (p->fd < 0 || fstat(p->fd, &st) < 0)
        return scry_fail_errno(err, errno, "cannot open %s", p->path);
    p->size = (uint64_t)st.st_size;
    if (f->bytes != UINT64_MAX && p->size > f->bytes) {
        if (ftruncate(p->fd, 0) < 0)
            return scry_fail_errno(err, errno, "cannot write %s", p->path);
        p->size = 0;
    }
    return 0;
}

static int fetch_part(run *u, fetch_file *f, const char *path, const char *part_path, scry_error *err)
{
    char *url = scry_asprintf("%s/%s/resolve/%s/%s", u->job->hub, u->job->repository, u->report->commit, f->name);
    part p = { .u = u, .file = f, .path = part_path, .fd = -1, .err = err };
    int r = open_part(&p, f, err);
    if (r == 0)
        r = transfer(&p, f, url, err);
    if (r == 0 && fsync(p.fd) < 0)
        r = scry_fail_errno(err, errno, "cannot write %s", part_path);
    if (p.fd >= 0 && close(p.fd) < 0 && r == 0)
        r = scry_fail_errno(err, errno, "cannot write %s", part_path);
    if (r == 0) {
        r = check(f, part_path, err);
        if (r < 0)
            unlink(part_path);   /* wrong bytes are no beginning of anything */
    }
    if (r == 0 && rename(part_path, path) < 0)
        r = scry_fail_errno(err, errno, "cannot rename %s", part_path);
    free(url);
    return r;
}

static int fetch_one(run *u, fetch_file *f, scry_error *err)
{
    char *path = scry_path_join(u->job->folder, f->name), *part_path = scry_asprintf("%s.part", path);
    /* Complete since an earlier run: only where the host's word proves it. */
    bool there = (f->sha256[0] || f->git_id[0]) && access(path, F_OK) == 0 && check(f, path, NULL) == 0;
    int r = there ? 0 : fetch_part(u, f, path, part_path, err);
    if (r == 0)
        u->done += f->bytes;
    free(path);
    free(part_path);
    return r;
}

/* Refuse at once what cannot end well. */
static int check_room(run *u, scry_error *err)
{
    struct statvfs fs;
    uint64_t have = 0;
    for (size_t i = 0; i < u->report->count; i++) {
        const fetch_file *f = &u->report->files[i];
        if (f->bytes != UINT64_MAX)
            u->total += f->bytes;
        struct stat st;
        char *path = scry_path_join(u->job->folder, f->name), *part_path = scry_asprintf("%s.part", path);
        if (stat(path, &st) == 0 || stat(part_path, &st) == 0)
            have += (uint64_t)st.st_size;
        free(path);
        free(part_path);
    }
    if (u->total > MAX_FILE_BYTES)
        return scry_fail(err, SCRY_ELIMIT, "%s declares %.1f GiB: more than scry fetches", u->job->repository,
                         (double)u->total / (1 << 30));
    if (statvfs(u->job->folder, &fs) == 0 && u->total > have + (uint64_t)fs.f_bavail * fs.f_frsize)
        return scry_fail(err, SCRY_EIO, "%s needs %.0f MiB more room than the disk of %s has", u->job->repository,
                         (double)(u->total - have - (uint64_t)fs.f_bavail * fs.f_frsize) / (1 << 20) + 1, u->job->folder);
    return 0;
}

int scry_fetch_checkpoint(const fetch_job *job, fetch_report *report, scry_error *err)
{
    run u = { .job = job, .report = report };
    int r = read_listing(&u, err);
    if (r == 0)
        r = check_room(&u, err);
    for (size_t i = 0; r == 0 && i < report->count; i++)
        r = fetch_one(&u, &report->files[i], err);
    return r;
}
