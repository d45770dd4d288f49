#include "store/local/long_work.h"

#include "base/log.h"

#define SHOW_MS 100.0
enum { OPERATIONS = 10000 };   /* of SQLite's machine between two looks: some milliseconds */

static bool is_to_stop(const scry_long_work *w)
{
    return w->cancel && atomic_load(w->cancel);
}

int scry_work_reach(scry_long_work *w, uint64_t done, scry_error *err)
{
    w->done = done < w->total ? done : w->total;
    if (is_to_stop(w))
        return scry_fail(err, SCRY_ECANCELLED, "stopped");
    if (!w->progress)
        return 0;
    double now = scry_now_ms();
    if (now - w->shown_ms >= SHOW_MS) {
        w->shown_ms = now;
        w->progress(w->arg, w->done, w->total);
    }
    return 0;
}

void scry_work_finish(scry_long_work *w)
{
    if (w->progress)
        w->progress(w->arg, w->total, w->total);
}

static int look(void *arg)
{
    scry_long_work *w = arg;
    return scry_work_reach(w, w->done, NULL) < 0;
}

void scry_work_watch(scry_long_work *w, scry_db *db)
{
    sqlite3_progress_handler(db->handle, OPERATIONS, look, w);
}

void scry_work_unwatch(scry_db *db)
{
    sqlite3_progress_handler(db->handle, 0, NULL, NULL);
}

int scry_work_reason(const scry_long_work *w, int result, scry_error *err)
{
    return result < 0 && result != SCRY_ECANCELLED && is_to_stop(w) ? scry_fail(err, SCRY_ECANCELLED, "stopped") : result;
}
