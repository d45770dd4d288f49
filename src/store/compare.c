/* compare.c - the differences between two collections. */
#include "scry/copy.h"

#include "base/alloc.h"
#include "store/side_by_side.h"

#include <stdlib.h>
#include <string.h>

typedef struct compare {
    scry_store *here, *there;
    void (*on_difference)(void *arg, const char *text);   /* may be NULL */
    void *arg;
    const scry_copy_options *options;
    scry_compare_report *report;
    scry_copy_progress progress;
    double reported_ms;
    scry_held held;          /* of `here` */
} compare;

static void report(const compare *c, const char *path, const char *what)
{
    char *text = scry_asprintf("%s: %s", path, what);
    if (c->on_difference)
        c->on_difference(c->arg, text);
    free(text);
}

static void only_here(void *arg, const scry_file *file)
{
    compare *c = arg;
    c->report->only_here++;
    report(c, file->path, "only here");
}

static int compare_file(void *arg, const scry_file *file, const float *vector)
{
    compare *c = arg;
    c->progress.done++;
    const scry_file *here = scry_held_find(&c->held, file->id, only_here, c);
    if (!here) {
        c->report->only_there++;
        report(c, file->path, "only there");
        return 0;
    }
    const char *what = scry_file_difference(here, file);
    if (!what && memcmp(scry_held_vector(&c->held, here), vector, (size_t)c->here->dim * sizeof *vector) != 0)
        what = "vector";
    if (what) {
        char *text = scry_asprintf("different %s", what);
        report(c, here->path, text);
        free(text);
    }
    c->report->different += what != NULL;
    c->report->files += what == NULL;
    return 0;
}

static int compare_range(void *arg, scry_id_range range, scry_error *err)
{
    compare *c = arg;
    int result = scry_check_cancelled(c->options, "stopped before everything was compared", err);
    if (result < 0)
        return result;
    result = scry_held_load(&c->held, c->here, range, true, err);
    if (result == 0 && c->held.full)
        result = 1;
    if (result == 0)
        result = scry_store_each_in_range(c->there, range, true, compare_file, c, err);
    if (result == 0)
        scry_held_find(&c->held, NULL, only_here, c);
    scry_held_dispose(&c->held);
    scry_report_progress(c->options, &c->progress, &c->reported_ms, false);
    return result;
}

int scry_store_compare(scry_store *here, scry_store *there, void (*on_difference)(void *arg, const char *text), void *arg,
                       const scry_copy_options *options, scry_compare_report *out, scry_error *err)
{
    static const scry_copy_options silent = { NULL, NULL, NULL };
    compare c = { .here = here, .there = there, .on_difference = on_difference, .arg = arg, .options = options ? options : &silent,
                  .report = out };
    uint64_t more = 0;
    *out = (scry_compare_report){ 0 };
    int result = scry_check_models(here, there, "they have no vectors that can be compared", err);
    if (result == 0)
        result = scry_count_files(there, &c.progress.total, err);
    if (result == 0)
        result = scry_count_files(here, &more, err);
    if (result < 0)
        return result;
    return scry_each_piece(more > c.progress.total ? more : c.progress.total, here->dim, compare_range, &c, err);
}
