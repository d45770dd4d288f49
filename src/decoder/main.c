/* main.c - scry-decode: a worker that turns the bytes of pictures into pixels.
 *
 * Started by the client (src/image/client.c), never by hand. It initialises its libraries, drops
 * its privileges (sandbox.h), sends its hello, and answers requests until the client closes the
 * socket.
 */
#include "base/alloc.h"
#include "base/plugin.h"
#include "decoder/faults.h"
#include "decoder/formats/formats.h"
#include "decoder/line_read.h"
#include "decoder/reader.h"
#include "decoder/sandbox.h"
#include "image/wire.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct mapping {
    int fd, protection;
    uint8_t *data;
    size_t size;
} mapping;

/* The client's memory grows with the pictures: map it again when a request needs more. */
static int map(mapping *m, uint64_t bytes, scry_error *err)
{
    if (bytes <= m->size)
        return 0;
    off_t size = lseek(m->fd, 0, SEEK_END);   /* fstat() may be a call that the sandbox refuses */
    if (size < 0 || (uint64_t)size < bytes)
        return scry_fail(err, SCRY_EINVALID, "the shared memory is smaller than the request says");
    if (m->data)
        munmap(m->data, m->size);
    m->size = 0;
    m->data = mmap(NULL, (size_t)size, m->protection, MAP_SHARED, m->fd, 0);
    if (m->data == MAP_FAILED) {
        m->data = NULL;
        return scry_fail(err, SCRY_ENOMEM, "a file larger than the memory limit");
    }
    m->size = (size_t)size;
    return 0;
}

/* scry-formats.so, or why it is not loaded: a library that it needs is not installed. */
typedef struct formats_state {
    const scry_formats *table;
    char missing[256];
} formats_state;

static void answer(const scry_wire_request *request, mapping *input, mapping *output,
                   const formats_state *formats, scry_wire_reply *reply)
{
    scry_error err = SCRY_ERROR_INIT;
    *reply = (scry_wire_reply){ .magic = SCRY_WIRE_MAGIC, .serial = request->serial };
    int rc = scry_wire_check_request(request, &err);
    if (rc == 0)
        rc = map(input, request->input_bytes, &err);
    if (rc == 0)
        rc = map(output, request->output_bytes, &err);
    if (rc == 0) {
        scry_job job = { .bytes = input->data, .size = (size_t)request->input_bytes,
                         .request = request, .out = output->data, .reply = reply,
                         .formats = formats->table, .no_formats = formats->missing[0] ? formats->missing : NULL };
        scry_sandbox_limit_time(request->time_limit_ms);
        rc = scry_read_picture(&job, &err);
    }
    reply->code = rc;
    if (rc < 0)
        snprintf(reply->message, sizeof reply->message, "%.*s", (int)sizeof reply->message - 1,
                 err.message);
}

static int serve(const formats_state *formats, bool faulty)
{
    mapping input = { SCRY_WIRE_INPUT_FD, PROT_READ, NULL, 0 };
    mapping output = { SCRY_WIRE_OUTPUT_FD, PROT_READ | PROT_WRITE, NULL, 0 };
    for (;;) {
        scry_wire_request request;
        scry_wire_reply reply;
        ssize_t n = recv(SCRY_WIRE_SOCKET_FD, &request, sizeof request, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != sizeof request)
            return n == 0 ? 0 : 1;   /* 0: the client is done */
        answer(&request, &input, &output, formats, &reply);
        if (faulty && input.data && scry_decoder_fault(input.data, (size_t)request.input_bytes))
            memset(&reply, 0x55, sizeof reply);
        if (send(SCRY_WIRE_SOCKET_FD, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply)
            return 1;
    }
}

static bool send_hello(const scry_error *err)
{
    scry_wire_hello hello = { .magic = SCRY_WIRE_MAGIC, .code = err->code };
    memcpy(hello.build, scry_build, sizeof hello.build);
    snprintf(hello.message, sizeof hello.message, "%.*s", (int)sizeof hello.message - 1,
             err->message);
    return send(SCRY_WIRE_SOCKET_FD, &hello, sizeof hello, MSG_NOSIGNAL) == sizeof hello;
}

/* Without its libraries the pictures of other formats are refused one by one, and the rest is read. */
static int load_formats(const char *program, formats_state *out, scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    const scry_formats *(*table)(void);
    int rc = scry_plugin_symbol((void **)&table, "formats", "scry_formats_table", &why);
    if (rc == SCRY_ENOTFOUND) {
        snprintf(out->missing, sizeof out->missing, "%.*s", (int)sizeof out->missing - 1, why.message);
        return 0;
    }
    if (rc < 0)
        return scry_fail(err, rc, "%s", why.message);
    out->table = table();
    return out->table->start(program, err);
}

typedef struct settings {
    const char *program, *lines;   /* lines: NULL, or what scry_line_read_start takes */
    size_t memory_bytes;
    bool all_formats, confined, faulty;
} settings;

static int start(const settings *s, formats_state *formats, scry_error *err)
{
#ifdef M_ARENA_MAX   /* glibc: each arena would reserve 64 MiB of the address space */
    mallopt(M_ARENA_MAX, 1);
#endif
    int rc = scry_sandbox_prepare(err);
    if (rc == 0 && s->all_formats)
        rc = load_formats(s->program, formats, err);
    if (rc == 0 && s->lines)
        rc = scry_line_read_start(s->lines, err);
    if (rc == 0 && s->confined)
        rc = scry_sandbox_enter(s->memory_bytes, err);
    return rc;
}

static bool is_socket(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int main(int argc, char **argv)
{
    settings s = { .program = argv[0], .memory_bytes = (size_t)1 << 30, .confined = true };
    formats_state formats = { 0 };
    scry_error err = SCRY_ERROR_INIT;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--memory=", 9) == 0)
            s.memory_bytes = strtoull(argv[i] + 9, NULL, 10);
        else if (strncmp(argv[i], "--lines=", 8) == 0)
            s.lines = argv[i] + 8;
        else if (strcmp(argv[i], "--all-formats") == 0)
            s.all_formats = true;
        else if (strcmp(argv[i], "--unconfined-for-tests") == 0)
            s.confined = false;
        else if (strcmp(argv[i], "--faults-for-tests") == 0)
            s.faulty = true;
    }
    if (!is_socket(SCRY_WIRE_SOCKET_FD)) {
        fprintf(stderr, "scry-decode " SCRY_VERSION " reads pictures for scry, which starts it; "
                "it does nothing by itself\n");
        return 2;
    }
    if (start(&s, &formats, &err) < 0) {
        (void)send_hello(&err);
        return 1;
    }
    return send_hello(&err) ? serve(&formats, s.faulty) : 1;
}
