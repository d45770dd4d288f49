/* cancel.h - how another thread or a signal handler stops a long call. */
#ifndef SCRY_CANCEL_H
#define SCRY_CANCEL_H

/* Starts as 0; storing any other value, from any thread or signal handler, requests the stop. */
#ifdef __cplusplus
#include <atomic>
typedef std::atomic_int scry_cancel;
#else
#include <stdatomic.h>
typedef atomic_int scry_cancel;
#endif

#endif
