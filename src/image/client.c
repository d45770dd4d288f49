/* client.c - a decoder: one worker process at a time, and the two memories shared with it.
 *
 * The first request starts the worker, which is kept until it fails or until a picture needs
 * libvips and the worker has not loaded it. A failure affects only the picture being decoded.
 * A worker that crashes on its second or a later picture may have been damaged by an earlier
 * one, so that picture is tried once more with a new worker before it is rejected.
 *
 * Two kinds of pictures get a worker of their own, which is stopped after them: those whose files are mapped rather than
 * copied (large_file.h), and those that need more memory than the usual limit, of which one is decoded at a time.
 */
#include "image/image.h"
#include "image/large_file.h"
#include "image/shared.h"
#include "image/wire.h"
#include "image/worker.h"

#include "base/alloc.h"
#include "base/descriptor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DEFAULT_TIME_LIMIT_MS = 30000,
    START_LIMIT_MS = 60000,          /* for a worker to send its hello, on a machine under load */
    ENCODED_BYTES = 64 << 20,        /* the largest JPEG that a worker can return */
    LINE_BYTES = 64 << 10,           /* the longest line of text */
    COPIED_BYTES = 512 << 20,        /* the largest file that is copied; larger ones are mapped */
    KEPT_BYTES = 64 << 20            /* of the input memory that stay allocated after a large file */
};
static const size_t USUAL_MEMORY = (size_t)1 << 30, MOST_MEMORY = (size_t)4 << 30, MOST_FILE_BYTES = (size_t)8 << 30;
static pthread_mutex_t more_memory = PTHREAD_MUTEX_INITIALIZER;   /* held while a worker has more than USUAL_MEMORY */

struct scry_decoder {
    scry_decoder_options options;    /* defaults filled in; program owned */
    bool unconfined;
    bool all_formats;                /* a picture needed libvips: workers load it from now on */
    size_t memory_bytes;             /* the limit of the next worker, without a mapped file */
    size_t more_memory_bytes;        /* for a picture that needs more, 0: the limit is the user's */
    scry_shared input, output;
    scry_large_file large;           /* instead of input */
    size_t input_bytes;              /* of the file loaded last */
    bool loaded;
    bool crashed;                    /* a worker did, on the picture loaded last */
    scry_worker worker;
    scry_wire_request request;       /* the current one */
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

/* Of one worker at a time: at most half of the machine's memory. */
static size_t more_memory_here(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    size_t half = pages > 0 && size > 0 ? (size_t)pages / 2 * (size_t)size : 0;
    return half < MOST_MEMORY ? half : MOST_MEMORY;
}

int scry_decoder_new(scry_decoder **out, const scry_decoder_options *options, scry_error *err)
{
    scry_decoder_options o = SCRY_DECODER_OPTIONS_INIT;
    if (options)
        o = *options;
    o.program = find_program(o.program);
    o.lines = scry_strdup(o.lines);
    if (!o.program) {
        free((char *)o.lines);
        return scry_fail(err, SCRY_ENOTFOUND, "scry-decode, which reads pictures, is neither beside "
                         "libscry.so nor in libexec/scry: install it, or set SCRY_DECODER to its path or SCRY_DATA_DIR to the folder "
                         "of the installation");
    }
    o.formats = o.formats ? o.formats : scry_formats_default();
    o.max_file_bytes = o.max_file_bytes ? o.max_file_bytes : MOST_FILE_BYTES;
    size_t memory = o.memory_bytes ? o.memory_bytes : USUAL_MEMORY;
    o.max_pixels = o.max_pixels ? o.max_pixels : 500000000;
    o.time_limit_ms = o.time_limit_ms > 0 ? o.time_limit_ms : DEFAULT_TIME_LIMIT_MS;
    scry_decoder *d = scry_alloc(sizeof *d);
    *d = (scry_decoder){ .options = o, .input = SCRY_SHARED_INIT, .output = SCRY_SHARED_INIT,
                         .memory_bytes = memory, .more_memory_bytes = o.memory_bytes ? 0 : more_memory_here(),
                         .large = SCRY_LARGE_FILE_INIT, .worker = SCRY_WORKER_INIT, .unconfined = is_set("SCRY_TEST_UNCONFINED") };
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
    scry_large_file_close(&d->large);
    scry_shared_dispose(&d->input);
    scry_shared_dispose(&d->output);
    free((char *)d->options.program);
    free((char *)d->options.lines);
    free(d);
}

/* ---- loading ------------------------------------------------------------------- */

static int refuse_size(size_t limit, scry_error *err)
{
    return scry_fail(err, SCRY_ELIMIT, "larger than %zu MiB", limit >> 20);
}

/* Opens regular files only: opening a FIFO can block, opening a device can have effects. */
static int open_regular(const char *path, struct stat *st, scry_error *err)
{
    if (stat(path, st) < 0)
        return scry_fail_errno(err, errno, "cannot be read");
    if (!S_ISREG(st->st_mode))
        return scry_fail(err, SCRY_EINVALID, "not a regular file");
    int fd = scry_open_input(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return scry_fail_errno(err, errno, "cannot be read");
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    close(fd);
    return scry_fail(err, SCRY_EINVALID, "not a regular file");
}

static int read_whole(scry_decoder *d, int fd, const struct stat *before, scry_error *err)
{
    size_t size = (size_t)before->st_size, got = 0;
    struct stat after;
    while (got < size) {
        ssize_t n = pread(fd, d->input.data + got, size - got, (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return scry_fail_errno(err, errno, "cannot be read");
        if (n == 0)
            break;
        got += (size_t)n;
    }
    if (got < size || fstat(fd, &after) < 0 || !scry_same_state(before, &after))
        return scry_fail(err, SCRY_EIO, "changed while it was read");
    return 0;
}

/* The bytes of the file that was loaded. */
static const uint8_t *input_of(const scry_decoder *d)
{
    return d->large.data ? d->large.data : d->input.data;
}

/* A worker has its input from its start on. */
static void release_large(scry_decoder *d)
{
    if (d->large.fd >= 0)
        scry_worker_stop(&d->worker);
    scry_large_file_close(&d->large);
}

/* Room for a file of `size` bytes, in the input memory if it is to be copied. */
static int make_room(scry_decoder *d, size_t size, scry_error *err)
{
    d->loaded = false;
    release_large(d);
    if (size == 0)
        return scry_fail(err, SCRY_EINVALID, "empty");
    if (size > d->options.max_file_bytes)
        return refuse_size(d->options.max_file_bytes, err);
    if (d->input_bytes > KEPT_BYTES && (size <= KEPT_BYTES || size > COPIED_BYTES))
        scry_shared_trim(&d->input, KEPT_BYTES);
    return size > COPIED_BYTES ? 0 : scry_shared_reserve(&d->input, size, err);
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

/* Takes `fd`. What is no picture is found out before all of it is read. */
static int map_large(scry_decoder *d, int fd, const struct stat *st, scry_error *err)
{
    int rc = scry_large_file_open(&d->large, fd, st, err);
    if (rc < 0)
        return rc;
    scry_worker_stop(&d->worker);
    rc = check_format(d, scry_sniff_format(d->large.data, (size_t)st->st_size), err);
    if (rc < 0)
        release_large(d);
    return rc;
}

/* Takes `fd`, of a regular file. */
static int load_open_file(scry_decoder *d, int fd, const uint8_t **bytes, size_t *size, struct stat *st, scry_error *err)
{
    size_t n = (size_t)st->st_size;
    int rc = make_room(d, n, err);
    if (rc == 0 && n > COPIED_BYTES) {
        rc = map_large(d, fd, st, err);
    } else {
        if (rc == 0)
            rc = read_whole(d, fd, st, err);
        close(fd);
    }
    if (rc < 0)
        return rc;
    d->loaded = true;
    d->input_bytes = n;
    *bytes = input_of(d);
    *size = n;
    return 0;
}

int scry_decoder_load(scry_decoder *d, const char *path, const uint8_t **bytes, size_t *size,
                      struct stat *st, scry_error *err)
{
    int fd = open_regular(path, st, err);
    return fd < 0 ? fd : load_open_file(d, fd, bytes, size, st, err);
}

int scry_decoder_load_fd(scry_decoder *d, int file, const uint8_t **bytes, size_t *size, struct stat *st, scry_error *err)
{
    int fd = fcntl(file, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0 && fstat(fd, st) == 0)
        return load_open_file(d, fd, bytes, size, st, err);
    int result = scry_fail_errno(err, errno, "cannot be read");
    if (fd >= 0)
        close(fd);
    return result;
}

int scry_decoder_load_bytes(scry_decoder *d, const uint8_t *bytes, size_t size, scry_error *err)
{
    int rc = make_room(d, size, err);
    if (rc == 0 && size > COPIED_BYTES)
        rc = refuse_size(COPIED_BYTES, err);
    if (rc < 0)
        return rc;
    memcpy(d->input.data, bytes, size);
    d->loaded = true;
    d->input_bytes = size;
    return 0;
}

/* ---- asking -------------------------------------------------------------------- */

static int start_worker(scry_decoder *d, scry_error *err)
{
    bool is_large = d->large.fd >= 0;   /* its mapping counts as memory, too */
    size_t memory = d->memory_bytes + (is_large ? (size_t)d->large.st.st_size : 0);
    scry_worker_options o = { d->options.program, d->options.lines, memory, d->all_formats, d->unconfined,
                              is_set("SCRY_TEST_DECODER_FAULTS"), is_large ? d->large.fd : d->input.fd, d->output.fd };
    int rc = scry_worker_start(&d->worker, &o, err);
    d->asked_ms = scry_now_ms();
    return rc;
}

/* Send the current request; start a worker if there is none or it has exited. */
static int send_request(scry_decoder *d, scry_error *err)
{
    d->all_formats |= scry_wire_needs_formats(d->request.format);
    if (d->worker.pid && d->all_formats && !d->worker.all_formats)
        scry_worker_stop(&d->worker);
    d->asked_ms = scry_now_ms();
    if (d->worker.pid && scry_worker_send(&d->worker, &d->request, sizeof d->request))
        return 0;
    scry_worker_stop(&d->worker);   /* it exited while idle */
    int rc = start_worker(d, err);
    if (rc < 0)
        return rc;
    (void)scry_worker_send(&d->worker, &d->request, sizeof d->request);   /* if it exited already, its hello says why */
    return 0;
}

/* Send a request for the loaded picture to a worker. */
static int ask(scry_decoder *d, const scry_decode_request *request, scry_error *err)
{
    if (!d->loaded)
        return scry_fail(err, SCRY_EINVALID, "no picture was loaded");
    scry_format format = scry_sniff_format(input_of(d), d->input_bytes);
    int rc = check_format(d, format, err);
    if (rc < 0)
        return rc;
    d->request = (scry_wire_request){
        .magic = SCRY_WIRE_MAGIC, .serial = d->request.serial + 1, .format = (int32_t)format,
        .input_bytes = d->input_bytes, .max_pixels = d->options.max_pixels,
        .time_limit_ms = d->options.time_limit_ms, .what = *request,
    };
    d->request.output_bytes = request->kind == SCRY_DECODE_JPEG ? ENCODED_BYTES
                            : request->kind == SCRY_DECODE_LINE ? LINE_BYTES : scry_wire_pixel_bytes(request);
    rc = scry_wire_check_request(&d->request, err);
    if (rc == 0)
        rc = scry_shared_reserve(&d->output, d->request.output_bytes, err);
    return rc == 0 ? send_request(d, err) : rc;
}

static bool is_out_of_time(int status)
{
    return status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU;
}

/* Why a worker exited that this client did not kill: the reason that is stored for its picture. */
static int blame_death(int status, scry_decoder *d, scry_error *err)
{
    int sig = status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (is_out_of_time(status))
        return scry_fail(err, SCRY_ELIMIT, "took longer than %g s", d->options.time_limit_ms / 1e3);
    if (sig == SIGKILL)
        return scry_fail(err, SCRY_EINVALID, "the decoder was killed (out of memory?)");
    if (sig) {
        d->crashed = true;
        return scry_fail(err, SCRY_EINVALID, "the decoder crashed (signal %d)", sig);
    }
    return scry_fail(err, SCRY_EINVALID, "the decoder ended (status %d)",
                     status >= 0 ? WEXITSTATUS(status) : -1);
}

/* Wait for the hello of a new worker. A failure to start is not the picture's fault: SCRY_EIO. */
static int await_hello(scry_decoder *d, scry_error *err)
{
    scry_wire_hello hello;
    size_t n = 0;
    scry_worker_event e = scry_worker_receive(&d->worker, &hello, sizeof hello,
                                              d->asked_ms + START_LIMIT_MS, &n);
    bool greeted = e == SCRY_WORKER_MESSAGE && n == sizeof hello && hello.magic == SCRY_WIRE_MAGIC
                   && memcmp(hello.build, scry_build, sizeof hello.build) == 0;
    if (greeted && hello.code == 0) {
        d->worker.greeted = true;
        d->asked_ms = scry_now_ms();
        return 0;
    }
    int status = scry_worker_stop(&d->worker);
    if (e == SCRY_WORKER_LATE)
        return scry_fail(err, SCRY_EIO, "the picture decoder %s did not start within %d s",
                         d->options.program, START_LIMIT_MS / 1000);
    if (greeted)
        return scry_fail(err, SCRY_EIO, "the picture decoder cannot start: %.*s",
                         (int)sizeof hello.message, hello.message);
    if (e == SCRY_WORKER_MESSAGE)
        return scry_fail(err, SCRY_EIO, "%s is of another build of scry than the library that starts it (build %s): "
                         "install all files of one build", d->options.program, scry_build);
    bool low = d->memory_bytes < (size_t)256 << 20;
    return scry_fail(err, SCRY_EIO, "the picture decoder %s does not start (wait status %d)%s",
                     d->options.program, status, low ? ": its memory limit is low" : "");
}

int scry_decoder_start(scry_decoder *d, scry_error *err)
{
    if (d->worker.pid)
        return 0;
    int rc = start_worker(d, err);
    return rc < 0 ? rc : await_hello(d, err);
}

/* The error of a reply, completed by the option that sets the limit, which the worker does not know. */
static int explain_reply(const scry_decoder *d, int rc, scry_error *err)
{
    if (rc == SCRY_ENOMEM)
        return scry_fail(err, rc, "needs more than %zu MiB of memory to decode (--decoder-memory)",
                         d->memory_bytes >> 20);
    return rc == SCRY_EREMOTE || rc == SCRY_EIO ? SCRY_EINVALID : rc;   /* EIO is this side's: see scry_decoder_run() */
}

/* The limit is of processor time; of the clock only while the worker gets none of it. On a busy machine a picture takes longer, up
 * to MOST_LIMITS times. */
static scry_worker_event receive_reply(scry_decoder *d, void *buffer, size_t capacity, size_t *n)
{
    enum { MOST_LIMITS = 20, LEAST_MS = 10 };
    double limit = d->options.time_limit_ms, first = scry_worker_used_ms(&d->worker), last = first;
    for (int i = 1;; i++) {
        scry_worker_event e = scry_worker_receive(&d->worker, buffer, capacity, d->asked_ms + i * limit, n);
        double used = scry_worker_used_ms(&d->worker);
        if (e != SCRY_WORKER_LATE || i == MOST_LIMITS || used < last + LEAST_MS || used > first + 0.9 * limit)
            return e;
        last = used;
    }
}

/* One attempt: 0 and the result, or the error; *again if the worker had served other pictures before,
 * so that a new one may succeed. */
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
    scry_worker_event e = receive_reply(d, buffer, sizeof buffer, &n);
    if (e == SCRY_WORKER_MESSAGE) {
        d->worker.served++;
        int rc = scry_wire_take_reply(buffer, n, &d->request, d->output.data, result, err);
        *again = rc == SCRY_ENOMEM && !fresh;   /* earlier pictures may have left memory allocated */
        if (*again || rc == SCRY_EREMOTE)
            scry_worker_stop(&d->worker);
        return explain_reply(d, rc, err);
    }
    int status = scry_worker_stop(&d->worker);
    if (e == SCRY_WORKER_LATE)
        return scry_fail(err, SCRY_ELIMIT, "took longer than %g s", d->options.time_limit_ms / 1e3);
    *again = !fresh && !is_out_of_time(status);
    return blame_death(status, d, err);
}

/* Once more, with more memory, which is given to one worker at a time. */
static int run_with_more(scry_decoder *d, scry_decode_result *result, scry_error *err)
{
    bool again;
    size_t usual = d->memory_bytes;
    pthread_mutex_lock(&more_memory);
    scry_worker_stop(&d->worker);
    d->memory_bytes = d->more_memory_bytes;
    int rc = send_request(d, err);
    if (rc == 0)
        rc = await_reply(d, result, &again, err);
    scry_worker_stop(&d->worker);
    d->memory_bytes = usual;
    pthread_mutex_unlock(&more_memory);
    return rc;
}

int scry_decoder_run(scry_decoder *d, const scry_decode_request *request,
                     scry_decode_result *result, scry_error *err)
{
    bool again = false;
    d->crashed = false;
    int rc = ask(d, request, err);
    if (rc < 0)
        return rc;
    rc = await_reply(d, result, &again, err);
    if (again)
        rc = send_request(d, err);
    if (again && rc == 0)
        rc = await_reply(d, result, &again, err);
    /* Libraries that get no memory may crash. */
    if ((rc == SCRY_ENOMEM || (rc < 0 && d->crashed)) && d->more_memory_bytes > d->memory_bytes)
        rc = run_with_more(d, result, err);
    if (d->large.fd >= 0 && !scry_large_file_unchanged(&d->large))
        return scry_fail(err, SCRY_EINVALID, "changed while it was read");
    return rc;
}
