/* long_work.h - how far a verification or a compaction is, and whether it is to stop. */
#ifndef SCRY_STORE_LOCAL_LONG_WORK_H
#define SCRY_STORE_LOCAL_LONG_WORK_H

#include "scry/cancel.h"
#include "store/db.h"

typedef struct scry_long_work {
    void (*progress)(void *arg, uint64_t done, uint64_t total);   /* may be NULL */
    void *arg;
    const scry_cancel *cancel;   /* may be NULL */
    uint64_t done, total;
    double shown_ms;             /* when progress was called last */
} scry_long_work;

/* Now `done` of w->total is done: reports it from time to time. SCRY_ECANCELLED when it is to stop. */
int scry_work_reach(scry_long_work *w, uint64_t done, scry_error *err) SCRY_NODISCARD;

/* Everything is done. */
void scry_work_finish(scry_long_work *w);

/* Until scry_work_unwatch the statements of `db` end with an error when it is to stop, however long one takes. */
void scry_work_watch(scry_long_work *w, scry_db *db);
void scry_work_unwatch(scry_db *db);

/* `result`, or SCRY_ECANCELLED where that is why it is an error. */
int scry_work_reason(const scry_long_work *w, int result, scry_error *err);

#endif
