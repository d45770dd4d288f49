/* trace.h - for tests: hidden states of a tower, reported while it runs. */
#ifndef SCRY_MODEL_TRACE_H
#define SCRY_MODEL_TRACE_H

#include <stddef.h>

/* `x` is [rows, cols], borrowed for the call. Called by one thread, in order. */
typedef void scry_trace_fn(void *arg, const char *name, const float *x, size_t rows, size_t cols);

typedef struct scry_tracer {
    scry_trace_fn *fn;   /* NULL: off */
    void *arg;
} scry_tracer;

/* Name and rows of a state, from one thread of the team; "image.3", "text.pooled". */
static inline void scry_trace_state(const scry_tracer *t, int thread, const char *name,
                                    const float *x, size_t rows, size_t cols)
{
    if (t && t->fn && thread == 0)
        t->fn(t->arg, name, x, rows, cols);
}

#endif
