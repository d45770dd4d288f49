/* worker.h - one process of scry-decode: start it, exchange messages, stop it. */
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
    const char *lines;   /* of scry_decoder_options */
    size_t memory_bytes;
    bool all_formats;
    bool unconfined;   /* test-only: without address space limit and seccomp, and with this environment */
    bool faulty;       /* test-only: fails on marked pictures, decoder/faults.h */
    int input_fd;      /* made read-only for the worker */
    int output_fd;
} scry_worker_options;

/* Start one, with an empty environment; the caller then waits for its hello. SCRY_EIO when it cannot be started. */
int scry_worker_start(scry_worker *w, const scry_worker_options *o, scry_error *err)
    SCRY_NODISCARD;

typedef enum { SCRY_WORKER_MESSAGE, SCRY_WORKER_DEAD, SCRY_WORKER_LATE } scry_worker_event;

/* The next message, at most `capacity` bytes, its length in *n; waits until
 * `deadline_ms` of scry_now_ms(). */
scry_worker_event scry_worker_receive(scry_worker *w, void *buffer, size_t capacity,
                                      double deadline_ms, size_t *n);

/* Milliseconds of processor time that it has used since it was started; 0 when it has exited. */
double scry_worker_used_ms(const scry_worker *w);

/* false when the worker has exited. Never raises SIGPIPE. */
bool scry_worker_send(scry_worker *w, const void *message, size_t n);

/* Kill it if it runs, reap it, close its socket. Returns the wait status, -1 when
 * it was reaped elsewhere. */
int scry_worker_stop(scry_worker *w);

#endif
