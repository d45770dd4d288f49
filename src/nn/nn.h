/* nn.h - the threads of one computation, and the memory they work in.
 *
 * A computation is a team of threads that all run the same function ("single program,
 * multiple data"): each operation takes the thread's own `scry_nn`, does this thread's
 * share and ends with a barrier. A team of one has no synchronisation at all, so
 * independent workers have no overhead.
 *
 *     static void forward(scry_nn *t, void *arg) { scry_linear_run(t, ...); ... }
 *     scry_team_run(team, forward, arg);
 */
#ifndef SCRY_NN_H
#define SCRY_NN_H

#include "nn/kernels.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct scry_team scry_team;

/* The largest operation of a computation: what a thread's scratch memory must hold. */
typedef struct scry_scratch_need {
    size_t max_k;        /* longest row of a matrix product */
    size_t max_tokens;   /* longest sequence of an attention */
    size_t max_head;     /* widest attention head */
} scry_scratch_need;

/* Scratch of one thread; its contents are not kept between operations. */
typedef struct scry_scratch {
    uint8_t *a;          /* rows of A in the product's mode */
    size_t a_bytes;
    uint8_t *panels;     /* two panels, for weights that are not packed */
    uint8_t *staging;    /* SCRY_STAGING_BYTES: one piece of a panel before its transposition */
    float *row_scale;    /* [SCRY_MAX_BLOCK_ROWS] */
    int32_t *row_zero;   /* the same */
    float *acc;          /* [8, 64] sums of a tile */
    uint8_t *keys, *values;   /* panels of one head */
    float *scores;            /* [SCRY_SCORE_ROWS, tokens padded] */
    size_t *rows;             /* [tokens] where a sequence's tokens are */
    void *memory;        /* the allocation that contains all of them */
} scry_scratch;

enum {
    SCRY_MAX_BLOCK_ROWS = 512,
    SCRY_SCORE_ROWS = 48,
    SCRY_STAGING_K = 512,
    /* Not a power of two: 33 rows at such distances would share a few sets of the cache. */
    SCRY_STAGING_ROW = SCRY_STAGING_K * 4 + 64,
    SCRY_STAGING_BYTES = (SCRY_PANEL + 1) * SCRY_STAGING_ROW
};

typedef struct scry_nn {
    const scry_kernels *k;
    int index, count;          /* this thread, all threads */
    scry_team *team;           /* NULL when count is 1 and nobody waits */
    const scry_scratch *scratch;
} scry_nn;

typedef struct scry_range {
    size_t from, to;
} scry_range;

/* This thread's part of `n` items, split at multiples of `unit`. */
static inline scry_range scry_share(const scry_nn *t, size_t n, size_t unit)
{
    size_t units = (n + unit - 1) / unit;
    size_t from = units * (size_t)t->index / (size_t)t->count * unit;
    size_t to = units * (size_t)(t->index + 1) / (size_t)t->count * unit;
    return (scry_range){ from < n ? from : n, to < n ? to : n };
}

/* A team of `threads` with scratch for `need`. SCRY_ENOMEM. One caller at a time. */
int scry_team_new(scry_team **out, const scry_kernels *k, int threads,
                  const scry_scratch_need *need, scry_error *err) SCRY_NODISCARD;
int scry_team_threads(const scry_team *team);
void scry_team_free(scry_team *team);

typedef void scry_nn_fn(scry_nn *t, void *arg);

/* Run fn on every thread of the team together (they may wait for each other). */
void scry_team_run(scry_team *team, scry_nn_fn *fn, void *arg);

/* Run fn on every thread, each as a team of its own: t->index is 0 and t->count 1, and
 * `arg` is args[i]. */
void scry_team_run_apart(scry_team *team, scry_nn_fn *fn, void *const *args);

/* Wait until every thread of the team is here. */
void scry_nn_wait(scry_nn *t);

#endif
