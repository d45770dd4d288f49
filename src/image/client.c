/* client.c - a decoder: one worker at a time, and the two memories shared with it.
 *
 * The worker is started by the first request and kept, unless it was one for JPEG alone and
 * another format comes. Whatever goes wrong in it costs
 * the picture that it was working on; one that dies while it serves its second or a
 * later picture may have been hurt by an earlier one, so that the picture gets another
 * chance with a fresh worker before it is blamed.
 */
#include "image/image.h"
#include "image/shared.h"
#include "image/wire.h"
#include "image/worker.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DEFAULT_TIME_LIMIT_MS = 30000,
    START_LIMIT_MS = 60000,          /* for a worker to say hello, on a machine under load */
    ENCODED_BYTES = 64 << 20,        /* the largest JPEG that a worker can hand over */
    KEPT_BYTES = 64 << 20            /* what is kept of the input memory after a large file */
};

struct scry_decoder {
    scry_decoder_options options;    /* defaults filled in; program owned */
    bool unconfined;
    bool all_formats;                /* a picture has needed them: workers have them from now on */
    scry_shared input, output;
    size_t input_bytes;              /* of the file loaded last */
    bool loaded;
    scry_worker worker;
    scry_wire_request request;       /* the one under way */
    double asked_ms;
};

static char *find_program(const char *given)
{
    const char *set = getenv("SCRY_DECODER");
    if (given)
        return scry_strdup(given);
    return set && set[0] ? scry_strdup(set) : scry_program_file("scry-decode");
}

static bool is_set(const char *variable)
{
    const char *v = getenv(variable);
    return v && v[0] && strcmp(v, "0") != 0;
}

int scry_decoder_new(scry_decoder **out, const scry_decoder_options *options, scry_error *err)
{
    scry_decoder_options o = SCRY_DECODER_OPTIONS_INIT;
    if (options)
        o = *options;
    o.program = find_program(o.program);
    if (!o.program)
        return scry_fail(err, SCRY_ENOTFOUND, "scry-decode, which reads pictures, is not beside "
                         "scry nor in libexec/scry: install it or set SCRY_DECODER to its path");
    o.formats = o.formats ? o.formats : scry_formats_default();
    o.max_file_bytes = o.max_file_bytes ? o.max_file_bytes : (size_t)512 << 20;
    o.memory_bytes = o.memory_bytes ? o.memory_bytes : (size_t)1 << 30;
    o.max_pixels = o.max_pixels ? o.max_pixels : 500000000;
    o.time_limit_ms = o.time_limit_ms > 0 ? o.time_limit_ms : DEFAULT_TIME_LIMIT_MS;
    scry_decoder *d = scry_alloc(sizeof *d);
    *d = (scry_decoder){ .options = o, .input = SCRY_SHARED_INIT, .output = SCRY_SHARED_INIT,
                         .worker = SCRY_WORKER_INIT, .unconfined = is_set("SCRY_TEST_UNCONFINED") };
    if (d->unconfined)
        scry_log(SCRY_LOG_WARN, "SCRY_TEST_UNCONFINED is set: pictures are decoded without memory "
                 "limit and seccomp; for tests only");
    int rc = scry_shared_init(&d->input, "scry-input", err);
    if (rc == 0)
        rc = scry_shared_init(&d->output, "scry-output", err);
    if (rc < 0) {
        scry_decoder_free(d);
        return rc;
    }
    *out = d;
    return 0;
}

void scry_decoder_free(scry_decoder *d)
{
    if (!d)
        return;
    scry_worker_stop(&d->worker);
    scry_shared_dispose(&d->input);
    scry_shared_dispose(&d->output);
    free((char *)d->options.program);
    free(d);
}

/* ---- loading ------------------------------------------------------------------- */

static int refuse_size(const scry_decoder *d, scry_error *err)
{
    return scry_fail(err, SCRY_ELIMIT, "larger than %zu MiB", d->options.max_file_bytes >> 20);
}

/* Never opens what blocks or acts on being opened: FIFOs, devices. */
static int open_regular(int dirfd, const char *name, struct stat *st, scry_error *err)
{
    if (fstatat(dirfd, name, st, 0) < 0)
        return scry_fail_errno(err, errno, "cannot be read");
    if (!S_ISREG(st->st_mode))
        return scry_fail(err, SCRY_EINVALID, "not a regular file");
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return scry_fail_errno(err, errno, "cannot be read");
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    close(fd);
    return scry_fail(err, SCRY_EINVALID, "not a regular file");
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
           && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec
           && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int read_whole(scry_decoder *d, int fd, const struct stat *before, scry_error *err)
{
    size_t size = (size_t)before->st_size, got = 0;
    struct stat after;
    while (got < size) {
        ssize_t n = read(fd, d->input.data + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return scry_fail_errno(err, errno, "cannot be read");
        if (n == 0)
            break;
        got += (size_t)n;
    }
    if (got < size || fstat(fd, &after) < 0 || !same_file(before, &after))
        return scry_fail(err, SCRY_EIO, "changed while it was read");
    return 0;
}

/* Room for a file of `size` bytes in the input memory. */
static int make_room(scry_decoder *d, size_t size, scry_error *err)
{
    d->loaded = false;
    if (size == 0)
        return scry_fail(err, SCRY_EINVALID, "empty");
    if (size > d->options.max_file_bytes)
        return refuse_size(d, err);
    if (d->input_bytes > KEPT_BYTES && size <= KEPT_BYTES)
        scry_shared_trim(&d->input, KEPT_BYTES);
    return scry_shared_reserve(&d->input, size, err);
}

int scry_decoder_load(scry_decoder *d, int dirfd, const char *name, const uint8_t **bytes,
                      size_t *size, struct stat *st, scry_error *err)
{
    int fd = open_regular(dirfd, name, st, err);
    if (fd < 0)
        return fd;
    size_t n = (size_t)st->st_size;
    int rc = make_room(d, n, err);
    if (rc == 0)
        rc = read_whole(d, fd, st, err);
    close(fd);
    if (rc < 0)
        return rc;
    d->loaded = true;
    d->input_bytes = n;
    *bytes = d->input.data;
    *size = n;
    return 0;
}

int scry_decoder_load_bytes(scry_decoder *d, const uint8_t *bytes, size_t size, scry_error *err)
{
    int rc = make_room(d, size, err);
    if (rc < 0)
        return rc;
    memcpy(d->input.data, bytes, size);
    d->loaded = true;
    d->input_bytes = size;
    return 0;
}

/* ---- asking -------------------------------------------------------------------- */

/* Send the request under way, to a new worker when there is none or it has gone. */
static int send_request(scry_decoder *d, scry_error *err)
{
    d->all_formats |= scry_wire_needs_formats(d->request.format);
    scry_worker_options o = { d->options.program, d->options.memory_bytes, d->all_formats,
                              d->unconfined, d->input.fd, d->output.fd };
    if (d->worker.pid && d->all_formats && !d->worker.all_formats)
        scry_worker_stop(&d->worker);
    for (int attempt = 0; attempt < 2; attempt++) {
        if (d->worker.pid == 0) {
            int rc = scry_worker_start(&d->worker, &o, err);
            if (rc < 0)
                return rc;
        }
        d->asked_ms = scry_now_ms();
        if (scry_worker_send(&d->worker, &d->request, sizeof d->request))
            return 0;
        scry_worker_stop(&d->worker);   /* it ended while it was idle */
    }
    return scry_fail(err, SCRY_EIO, "the picture decoder %s ends at once", d->options.program);
}

static int check_format(const scry_decoder *d, scry_format f, scry_error *err)
{
    if (f == SCRY_FORMAT_NONE)
        return scry_fail(err, SCRY_EINVALID, "not a picture of a known format");
    if (!(d->options.formats >> f & 1))
        return scry_fail(err, SCRY_EINVALID, "a picture of the format %s, which is not read "
                         "(--formats all)", scry_format_name(f));
    return 0;
}

/* Hand the loaded picture and what is asked of it to a worker. */
static int ask(scry_decoder *d, const scry_decode_request *request, scry_error *err)
{
    if (!d->loaded)
        return scry_fail(err, SCRY_EINVALID, "no picture was loaded");
    scry_format format = scry_sniff_format(d->input.data, d->input_bytes);
    int rc = check_format(d, format, err);
    if (rc < 0)
        return rc;
    d->request = (scry_wire_request){
        .magic = SCRY_WIRE_MAGIC, .serial = d->request.serial + 1, .format = (int32_t)format,
        .input_bytes = d->input_bytes, .max_pixels = d->options.max_pixels,
        .time_limit_ms = d->options.time_limit_ms, .what = *request,
    };
    d->request.output_bytes = request->kind == SCRY_DECODE_VIEWS ? scry_wire_view_bytes(request)
                                                                 : ENCODED_BYTES;
    rc = scry_wire_check_request(&d->request, err);
    if (rc == 0)
        rc = scry_shared_reserve(&d->output, d->request.output_bytes, err);
    return rc == 0 ? send_request(d, err) : rc;
}

/* Why a worker that was not killed by us is gone, as the reason kept for its picture. */
static int blame_death(int status, const scry_decoder *d, scry_error *err)
{
    int sig = status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (sig == SIGXCPU)
        return scry_fail(err, SCRY_ELIMIT, "took longer than %g s", d->options.time_limit_ms / 1e3);
    if (sig == SIGKILL)
        return scry_fail(err, SCRY_EINVALID, "the decoder was killed (out of memory?)");
    if (sig)
        return scry_fail(err, SCRY_EINVALID, "the decoder crashed (signal %d)", sig);
    return scry_fail(err, SCRY_EINVALID, "the decoder ended (status %d)",
                     status >= 0 ? WEXITSTATUS(status) : -1);
}

/* The hello of a new worker. Its failure is no picture's: SCRY_EIO. */
static int await_hello(scry_decoder *d, scry_error *err)
{
    scry_wire_hello hello;
    size_t n = 0;
    scry_worker_event e = scry_worker_receive(&d->worker, &hello, sizeof hello,
                                              d->asked_ms + START_LIMIT_MS, &n);
    if (e == SCRY_WORKER_MESSAGE && n == sizeof hello && hello.magic == SCRY_WIRE_MAGIC
        && hello.bytes == scry_wire_bytes() && hello.code == 0) {
        d->worker.greeted = true;
        d->asked_ms = scry_now_ms();
        return 0;
    }
    int status = scry_worker_stop(&d->worker);
    if (e == SCRY_WORKER_LATE)
        return scry_fail(err, SCRY_EIO, "the picture decoder %s did not start within %d s",
                         d->options.program, START_LIMIT_MS / 1000);
    if (e == SCRY_WORKER_MESSAGE && n == sizeof hello && hello.code != 0)
        return scry_fail(err, SCRY_EIO, "the picture decoder cannot start: %.*s",
                         (int)sizeof hello.message, hello.message);
    if (e == SCRY_WORKER_MESSAGE)
        return scry_fail(err, SCRY_EIO, "%s is of another build than this program",
                         d->options.program);
    bool low = d->options.memory_bytes < (size_t)256 << 20;
    return scry_fail(err, SCRY_EIO, "the picture decoder %s does not start (wait status %d)%s",
                     d->options.program, status, low ? ": its memory limit is low" : "");
}

/* The error of a reply, with what the worker does not know: the limit's name. */
static int explain_reply(const scry_decoder *d, int rc, scry_error *err)
{
    if (rc == SCRY_ENOMEM)
        return scry_fail(err, rc, "needs more than %zu MiB of memory to decode (--decoder-memory)",
                         d->options.memory_bytes >> 20);
    return rc == SCRY_EREMOTE ? SCRY_EINVALID : rc;
}

/* One round: 0 with the reply taken, or the error; *again where a fresh worker may do better,
 * because what failed was one that had served others. */
static int await_reply(scry_decoder *d, scry_decode_result *result, bool *again, scry_error *err)
{
    uint8_t buffer[sizeof(scry_wire_reply) + 1];
    size_t n = 0;
    bool fresh = d->worker.served == 0;
    *again = false;
    if (!d->worker.greeted) {
        int rc = await_hello(d, err);
        if (rc < 0)
            return rc;
    }
    scry_worker_event e = scry_worker_receive(&d->worker, buffer, sizeof buffer,
                                              d->asked_ms + d->options.time_limit_ms, &n);
    if (e == SCRY_WORKER_MESSAGE) {
        d->worker.served++;
        int rc = scry_wire_take_reply(buffer, n, &d->request, d->output.data, result, err);
        *again = rc == SCRY_ENOMEM && !fresh;   /* perhaps what others left behind */
        if (*again || rc == SCRY_EREMOTE)
            scry_worker_stop(&d->worker);
        return explain_reply(d, rc, err);
    }
    int status = scry_worker_stop(&d->worker);
    if (e == SCRY_WORKER_LATE)
        return scry_fail(err, SCRY_ELIMIT, "took longer than %g s", d->options.time_limit_ms / 1e3);
    *again = !fresh;
    return blame_death(status, d, err);
}

int scry_decoder_run(scry_decoder *d, const scry_decode_request *request,
                     scry_decode_result *result, scry_error *err)
{
    bool again = false;
    int rc = ask(d, request, err);
    if (rc == 0)
        rc = await_reply(d, result, &again, err);
    if (again)
        rc = send_request(d, err);
    if (again && rc == 0)
        rc = await_reply(d, result, &again, err);
    return rc;
}
