/* long_work.h - how far a long call is, and whether it is to stop.
 *
 *     scry_long_work work = scry_work_of(options, bytes);
 *     for (...)
 *         if ((r = scry_work_advance(&work, n, err)) < 0)
 *             return r;
 *     scry_work_finish(&work);
 *
 * A long call that makes others gives each a part of its own progress (scry_work_part).
 *
 * Thread rule: one thread at a time.
 */
#ifndef SCRY_BASE_LONG_WORK_H
#define SCRY_BASE_LONG_WORK_H

#include "scry/cancel.h"
#include "scry/error.h"

typedef struct scry_long_work {
    void (*progress)(void *arg, uint64_t done, uint64_t total);   /* may be NULL */
    void *arg;
    const scry_cancel *cancel;   /* may be NULL */
    uint64_t done, total;
    double shown_ms;             /* when progress was called last */
} scry_long_work;

scry_long_work scry_work_of(const scry_long_options *o, uint64_t total);   /* `o` may be NULL */

/* Now `done` of w->total is done: reports it from time to time. SCRY_ECANCELLED when it is to stop. */
int scry_work_reach(scry_long_work *w, uint64_t done, scry_error *err) SCRY_NODISCARD;

/* So much more is done. `w` may be NULL: nobody watches. */
int scry_work_advance(scry_long_work *w, uint64_t more, scry_error *err) SCRY_NODISCARD;

/* Everything is done. */
void scry_work_finish(scry_long_work *w);

/* `result`, or SCRY_ECANCELLED where that is why it is an error. */
int scry_work_reason(const scry_long_work *w, int result, scry_error *err);

/* The part of a long call from `from` to `to` of `total`. */
typedef struct scry_work_part {
    scry_long_options own;       /* for the function that does this part */
    const scry_long_options *whole;
    uint64_t from, to, total;
} scry_work_part;

/* `whole` may be NULL; it and `p` outlive the work. Returns &p->own. */
const scry_long_options *scry_work_begin_part(scry_work_part *p, const scry_long_options *whole, uint64_t from, uint64_t to,
                                              uint64_t total);

#endif
