/* cancel.h - how another thread or a signal handler asks a long call to stop. */
#ifndef SCRY_CANCEL_H
#define SCRY_CANCEL_H

/* Zero until somebody stores another value; safe from any thread and signal handler. */
#ifdef __cplusplus
#include <atomic>
typedef std::atomic_int scry_cancel;
#else
#include <stdatomic.h>
typedef atomic_int scry_cancel;
#endif

#endif
