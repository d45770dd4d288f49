#include "base/long_work.h"

#include "base/log.h"

#include <stddef.h>

#define SHOW_MS 100.0

static bool is_to_stop(const scry_long_work *w)
{
    return w->cancel && atomic_load(w->cancel);
}

scry_long_work scry_work_of(const scry_long_options *o, uint64_t total)
{
    scry_long_work w = { .total = total };
    if (o) {
        w.progress = o->progress;
        w.arg = o->arg;
        w.cancel = o->cancel;
    }
    return w;
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

int scry_work_advance(scry_long_work *w, uint64_t more, scry_error *err)
{
    return w ? scry_work_reach(w, w->done + more, err) : 0;
}

void scry_work_finish(scry_long_work *w)
{
    if (w->progress)
        w->progress(w->arg, w->total, w->total);
}

int scry_work_reason(const scry_long_work *w, int result, scry_error *err)
{
    return result < 0 && result != SCRY_ECANCELLED && is_to_stop(w) ? scry_fail(err, SCRY_ECANCELLED, "stopped") : result;
}

static void show_part(void *arg, uint64_t done, uint64_t total)
{
    const scry_work_part *p = arg;
    double share = total ? (double)done / (double)total : 1;
    p->whole->progress(p->whole->arg, p->from + (uint64_t)(share * (double)(p->to - p->from)), p->total);
}

const scry_long_options *scry_work_begin_part(scry_work_part *p, const scry_long_options *whole, uint64_t from, uint64_t to,
                                              uint64_t total)
{
    *p = (scry_work_part){ .whole = whole, .from = from, .to = to, .total = total };
    if (whole) {
        p->own.progress = whole->progress ? show_part : NULL;
        p->own.arg = p;
        p->own.cancel = whole->cancel;
    }
    return &p->own;
}
