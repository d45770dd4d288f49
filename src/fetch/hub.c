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

enum { MAX_LISTING_BYTES = 16 << 20, TRIES = 5, MAX_PAUSES = 12, MAX_PAUSE_SECONDS = 900 };
#define MAX_FILE_BYTES ((uint64_t)64 << 30)   /* of a file whose size the host does not declare */

typedef struct {
    const fetch_job *job;
    fetch_report *report;
    uint64_t done, total;   /* of all files */
    int pauses;             /* that the host has asked for */
} run;

/* ---- asking again ---- */

/* Sleep, unless the run is to stop: then the next request says so. */
static void pause_for(const run *u, unsigned ms)
{
    enum { STEP_MS = 100 };
    for (unsigned done = 0; done < ms && !(u->job->cancel && atomic_load(u->job->cancel)); done += STEP_MS)
        usleep(1000u * (ms - done < STEP_MS ? ms - done : STEP_MS));
}

/* Rest before try `try` + 1: as long as the host asks for (a bounded number of times, which do not count as tries), else
 * 0.2 s, 0.4 s, 0.8 s ... False: do not try again. */
static bool rest(run *u, const http_response *answer, int *try, int tries, scry_error *err)
{
    bool asked = answer->retry_after > 0 && (answer->status == 429 || answer->status == 503);
    if (asked && answer->retry_after > MAX_PAUSE_SECONDS) {
        scry_fail(err, SCRY_EREMOTE, "%s answers %ld and asks to wait for %d seconds: run the same command again after that",
                  u->job->hub, answer->status, answer->retry_after);
        return false;
    }
    if (asked && u->pauses < MAX_PAUSES) {
        u->pauses++;
        if (u->job->waiting)
            u->job->waiting(u->job->arg, answer->retry_after);
        pause_for(u, 1000u * (unsigned)answer->retry_after);
        return true;
    }
    if (*try >= tries)
        return false;
    pause_for(u, 200u << (*try)++);
    return true;
}

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

/* What a refusal means and what to do. `r`: what the request returned. */
static int explain_status(const fetch_job *job, const http_response *answer, int r, scry_error *err)
{
    const char *revision = job->revision ? job->revision : "main";
    if (answer->status == 404)
        return scry_fail(err, SCRY_ENOTFOUND, "%s has no repository %s with a revision %s%s", job->hub, job->repository,
                         revision, job->token ? "" : " (one that is private is shown only with HF_TOKEN)");
    if (answer->status == 429 && answer->retry_after <= 0)
        return scry_fail(err, SCRY_EREMOTE, "%s allows no more requests for now (429): run the same command again in some minutes%s", job->hub,
                         job->token ? "" : "; with HF_TOKEN more are allowed");
    if (answer->status != 401 && answer->status != 403)
        return r;
    if (strcmp(answer->error_code, "DisabledRepo") == 0)
        return scry_fail(err, SCRY_ENOTFOUND, "%s has disabled %s: nobody can fetch it from there", job->hub, job->repository);
    if (strcmp(answer->error_code, "GatedRepo") == 0)
        return scry_fail(err, SCRY_ENOTFOUND, "%s is gated: accept its terms at %s/%s in a browser, then %s", job->repository,
                         job->hub, job->repository, job->token
                         ? "run this again; the token that was sent is of an account without access, or may not read gated repositories"
                         : "set HF_TOKEN to a token of that account (or `hf auth login`) and run this again");
    return scry_fail(err, SCRY_ENOTFOUND, "%s answers %ld for %s: there is no such repository, or only some accounts may read it: %s",
                     job->hub, answer->status, job->repository, job->token
                     ? "the token that was sent is not accepted (HF_TOKEN, or the file of `hf auth login`)"
                     : "set HF_TOKEN to a token of one that may (or `hf auth login`)");
}

/* A revision as one part of a path: "refs/pr/1" is refs%2Fpr%2F1. Owned. */
static char *encoded_revision(const char *revision)
{
    scry_buf b = SCRY_BUF_INIT(1 << 10);
    for (const char *p = revision ? revision : "main"; *p; p++)
        scry_buf_printf(&b, *p == '/' ? "%%2F" : "%c", *p);
    char *out = scry_strdup(scry_buf_str(&b));
    scry_buf_dispose(&b);
    return out;
}

static int read_listing(run *u, scry_error *err)
{
    const fetch_job *job = u->job;
    char *revision = encoded_revision(job->revision);
    char *url = scry_asprintf("%s/api/models/%s/revision/%s?blobs=true", job->hub, job->repository, revision);
    listing l = { SCRY_BUF_INIT(MAX_LISTING_BYTES), err };
    http_request request = { .url = url, .token = job->token, .limit = MAX_LISTING_BYTES, .body = take_listing, .arg = &l,
                             .cancel = job->cancel };
    http_response answer;
    bool transient, answered = false;
    int r, try = 0;
    while ((r = http_get(&request, &answer, &transient, err)) < 0 && transient && rest(u, &answer, &try, 2, err)) {
        answered |= answer.status != 0;
        scry_buf_clear(&l.text);
    }
    answered |= answer.status != 0;
    const char *first = scry_buf_str(&l.text) + strspn(scry_buf_str(&l.text), " \t\r\n");
    if (r < 0)
        r = explain_status(job, &answer, r, err);
    else if (*first != '{')   /* a page, such as that of a network that wants a login */
        r = scry_fail(err, SCRY_EREMOTE, "%s answers with something else than a list of files: it is no hub (HF_ENDPOINT), or a network between "
                      "answers for it", job->hub);
    else
        r = fetch_choose(u->report, scry_buf_str(&l.text), l.text.size, job->repository, err);
    u->report->answered = answered;
    scry_buf_dispose(&l.text);
    free(url);
    free(revision);
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
            return scry_fail_errno(p->err, errno, "cannot write %s (free some space and run the same command again: "
                                   "it continues from there)", p->path);
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

/* The digests in the answer's headers must equal those of the listing, and replace missing ones. */
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

/* Download the rest of the .part; after a broken transfer retry as long as bytes arrive. */
static int transfer(part *p, fetch_file *f, const char *url, scry_error *err)
{
    run *u = p->u;
    http_request request = { .url = url, .token = u->job->token, .body = take_piece, .arg = p, .cancel = u->job->cancel };
    http_response answer;
    bool transient;
    int try = 0;
    if (f->bytes != UINT64_MAX && p->size == f->bytes && p->size)
        return 0;
    for (;;) {
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
            try = 0;   /* progress was made: start counting again */
        if (!transient || !rest(u, &answer, &try, TRIES, err))
            return answer.status == 404 ? r : explain_status(u->job, &answer, r, err);
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
    /* Continuing is safe only if a digest verifies the result. */
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
    char *url = scry_asprintf("%s/%s/resolve/%s/%s%s", u->job->hub, u->job->repository, u->report->commit,
                              u->report->prefix, f->name);
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
            unlink(part_path);   /* wrong bytes cannot be continued */
    }
    if (r == 0 && rename(part_path, path) < 0)
        r = scry_fail_errno(err, errno, "cannot rename %s", part_path);
    free(url);
    return r;
}

static int fetch_one(run *u, fetch_file *f, scry_error *err)
{
    char *path = scry_path_join(u->job->folder, f->name), *part_path = scry_asprintf("%s.part", path);
    /* Complete since an earlier run: only if a declared digest matches. */
    bool there = (f->sha256[0] || f->git_id[0]) && access(path, F_OK) == 0 && check(f, path, NULL) == 0;
    int r = there ? 0 : fetch_part(u, f, path, part_path, err);
    if (r == 0)
        u->done += f->bytes;
    free(path);
    free(part_path);
    return r;
}

/* Refuse early what cannot succeed: unsafe sizes, too little space. */
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
        return scry_fail(err, SCRY_ELIMIT, "%s declares %.1f GiB: more than scry downloads", u->job->repository,
                         (double)u->total / (1 << 30));
    if (statvfs(u->job->folder, &fs) == 0 && u->total > have + (uint64_t)fs.f_bavail * fs.f_frsize)
        return scry_fail(err, SCRY_EIO, "%s needs %.0f MiB more space than the disk of %s has", u->job->repository,
                         (double)(u->total - have - (uint64_t)fs.f_bavail * fs.f_frsize) / (1 << 20) + 1, u->job->folder);
    return 0;
}

int scry_fetch_checkpoint(const fetch_job *job, fetch_report *report, scry_error *err)
{
    run u = { .job = job, .report = report };
    fetch_stage stage = FETCH_CONFIGURATION;
    *report = (fetch_report){ .prefix = "" };
    int r = read_listing(&u, err);
    if (r == 0)
        r = check_room(&u, err);
    for (size_t i = 0; r == 0 && i < report->count; i++) {
        for (; r == 0 && stage < report->files[i].stage; stage++)
            r = job->check(job->arg, stage + 1, err);
        if (r == 0)
            r = fetch_one(&u, &report->files[i], err);
    }
    return r;
}
