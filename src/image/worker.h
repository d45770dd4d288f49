/* worker.h - one process of scry-decode: started, asked, killed. */
#ifndef SCRY_IMAGE_WORKER_H
#define SCRY_IMAGE_WORKER_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct scry_worker {
    pid_t pid;       /* 0 when there is none */
    int socket;
    bool all_formats; /* with libvips and LibRaw: slower to start */
    bool greeted;    /* its hello was received */
    unsigned served; /* requests it answered */
} scry_worker;

#define SCRY_WORKER_INIT { 0, -1, false, false, 0 }

typedef struct scry_worker_options {
    const char *program;
    size_t memory_bytes;
    bool all_formats;
    bool unconfined;   /* test-only: without address space limit and seccomp */
    int input_fd;      /* made read-only for the worker */
    int output_fd;
} scry_worker_options;

/* Start one; its hello has yet to come. SCRY_EIO or SCRY_ENOTFOUND when it cannot be
 * started, which is no picture's fault. */
int scry_worker_start(scry_worker *w, const scry_worker_options *o, scry_error *err)
    SCRY_NODISCARD;

typedef enum { SCRY_WORKER_MESSAGE, SCRY_WORKER_DEAD, SCRY_WORKER_LATE } scry_worker_event;

/* The next message, at most `capacity` bytes, its length in *n; waits until
 * `deadline_ms` of scry_now_ms(). */
scry_worker_event scry_worker_receive(scry_worker *w, void *buffer, size_t capacity,
                                      double deadline_ms, size_t *n);

/* false when the worker is gone. Never raises SIGPIPE. */
bool scry_worker_send(scry_worker *w, const void *message, size_t n);

/* Kill it if it lives, reap it, close its socket. Returns the wait status, -1 when
 * somebody else reaped it. */
int scry_worker_stop(scry_worker *w);

#endif
