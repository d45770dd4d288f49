/* state.h - an unfinished training beside its result, OUT.state: what a run that was stopped or killed goes on from.
 *
 *     "scry tune 1\n", the digest of what the run depends on (32 bytes), the numbers of `tune_state`, then as floats:
 *     parameters, the best ones, moments (two each)
 */
#ifndef SCRY_TUNE_STATE_H
#define SCRY_TUNE_STATE_H

#include "base/sha256.h"
#include "scry/error.h"

#include <stddef.h>

typedef struct tune_state {
    int64_t epoch, step, since;      /* complete ones; epochs since the best */
    double best;                     /* recall */
    float *parameters, *chosen, *moments;   /* [count], [count], [2 count]; the caller's */
    size_t count;
} tune_state;

/* OUT.state; owned by the caller. */
char *tune_state_path(const char *out);

uint64_t tune_state_bytes(size_t count);

/* SCRY_ENOTFOUND without a message when there is none; SCRY_EINVALID for one of another run or a damaged one. */
int tune_state_read(tune_state *s, const char *path, const uint8_t key[SCRY_SHA256_BYTES], scry_error *err) SCRY_NODISCARD;

/* The file is the old one or the new one, whatever happens. */
int tune_state_write(const tune_state *s, const char *path, const uint8_t key[SCRY_SHA256_BYTES], scry_error *err) SCRY_NODISCARD;

#endif
