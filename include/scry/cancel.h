/* cancel.h - how another thread or a signal handler stops a long call, and how far it is. */
#ifndef SCRY_CANCEL_H
#define SCRY_CANCEL_H

#include "scry/error.h"

#include <stdint.h>

/* Starts as 0; storing any other value, from any thread or signal handler, requests the stop. */
#ifdef __cplusplus
#include <atomic>
typedef std::atomic_int scry_cancel;
#else
#include <stdatomic.h>
typedef atomic_int scry_cancel;
#endif

/* What calls take that have no more options than these:
 *
 *     scry_cancel stop = 0;
 *     scry_long_options watch = SCRY_LONG_OPTIONS_INIT;
 *     watch.progress = show;
 *     watch.cancel = &stop;
 *     scry_rebuild_estimate_run(store, model, &estimate, &watch, &err);
 */
typedef struct scry_long_options {
    /* Now and then, how much is `done` of `total`, in no unit: `done` never falls, `total` stays, and at the end they are equal.
     * Called on any thread, one call at a time; not at all where nothing takes long. May be NULL. */
    void (*progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
    const scry_cancel *cancel;   /* non-zero: stop with SCRY_ECANCELLED; may be NULL */
} scry_long_options;

#define SCRY_LONG_OPTIONS_INIT SCRY_ZERO_INIT

#endif
