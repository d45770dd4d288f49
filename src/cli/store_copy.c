#include "cli/store_copy.h"
#include "cli/cancel.h"
#include "cli/progress.h"

#include "base/alloc.h"
#include "scry/copy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show(void *arg, const scry_copy_progress *p)
{
    cli_progress_show(arg, p->done, p->total, false, p->done);
}

/* Whether both name the same folder, or are the same text. */
static bool same_place(const char *a, const char *b)
{
    char *x = realpath(a, NULL), *y = realpath(b, NULL);
    bool same = strcmp(x ? x : a, y ? y : b) == 0;
    free(x);
    free(y);
    return same;
}

/* The collections to copy from and to. */
typedef struct {
    const char *from_place, *to_place, *to_name;
    scry_store *from, *to;
} pair;

static int open_pair(pair *p, const cli_common *c, scry_error *err)
{
    cli_common source = *c;
    scry_store_info info;
    source.store = p->from_place;
    int r = cli_open_store(&p->from, &source, SCRY_STORE_READ, err);
    if (r < 0)
        return r;
    scry_store_describe(p->from, &info);
    if (!info.model_identity[0])
        return scry_fail(err, SCRY_EINVALID, "the collection %s of %s was not made by scry: index its pictures instead",
                         info.collection, p->from_place);
    if (same_place(p->from_place, p->to_place) && strcmp(p->to_name ? p->to_name : info.collection, info.collection) == 0)
        return scry_fail(err, SCRY_EINVALID, "%s cannot be copied onto itself: give another store, or --to-collection NAME",
                         p->from_place);
    return cli_create_store_like(&p->to, c, p->from, p->to_place, p->to_name, err);
}

/* With what takes the files, and what looks whether all arrived. */
static void print_exported(const cli_common *c, const pair *p, const scry_copy_progress *done, const char *folder)
{
    if (c->quiet)
        return;
    fprintf(stderr, "%llu rows for a bulk import are in %s/rows-*.json: docs/milvus.md, \"Bulk import\", has the command; then `scry store copy "
            "%s %s` sends what is missing\n", (unsigned long long)done->copied, folder, p->from_place, p->to_place);
}

static void print_copied(const cli_common *c, const scry_copy_progress *p)
{
    if (c->quiet)
        return;
    fprintf(stderr, "%llu copied, %llu there already", (unsigned long long)p->copied,
            (unsigned long long)p->there);
    if (p->skipped)
        fprintf(stderr, ", %llu remembered as unreadable", (unsigned long long)p->skipped);
    fputc('\n', stderr);
}

/* `folder`: NULL: copy. */
static int copy_or_export(const cli_common *c, const char *from_place, const char *to_place, const char *to_name,
                          const char *folder)
{
    scry_error err = SCRY_ERROR_INIT;
    pair p = { from_place, to_place, to_name, NULL, NULL };
    scry_copy_progress done = { 0 };
    int r = open_pair(&p, c, &err);
    if (r == 0) {
        cli_progress *bar = cli_progress_new(c->quiet, c->wait->forced);
        scry_copy_options o = { .progress = show, .arg = bar, .cancel = cli_catch_signals() };
        r = folder ? scry_store_export(p.from, p.to, folder, &o, &done, &err) : scry_store_copy(p.from, p.to, &o, &done, &err);
        cli_progress_free(bar);
        cli_waited(c->wait);
    }
    scry_store_close(p.from, NULL);
    if (p.to) {
        int closed = scry_store_close(p.to, r < 0 ? NULL : &err);
        r = r < 0 ? r : closed;
        if (r == 0 && folder)
            print_exported(c, &p, &done, folder);
        else if (!folder)
            print_copied(c, &done);
    }
    if (r < 0)
        cli_fail(&err);
    return r == SCRY_ECANCELLED ? CLI_CANCELLED : r < 0 ? CLI_ERROR : CLI_OK;
}

int cli_store_copy(const cli_common *c, const char *from_place, const char *to_place, const char *to_name)
{
    return copy_or_export(c, from_place, to_place, to_name, NULL);
}

int cli_store_export(const cli_common *c, const char *from_place, const char *to_place, const char *to_name, const char *folder)
{
    return copy_or_export(c, from_place, to_place, to_name, folder);
}

/* ---- comparing ---- */

static void print_difference(void *arg, const char *text)
{
    cli_print("%s\n", text);
}

int cli_verify_against(const cli_common *c, const char *place, const char *name, uint64_t sample)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *here = NULL, *there = NULL;
    scry_store_info info;
    scry_compare_report report;
    cli_common other = *c;
    int r = cli_open_store(&here, c, SCRY_STORE_READ, &err);
    if (r == 0) {
        scry_store_describe(here, &info);
        other.store = place ? place : c->store;
        other.collection = name ? name : info.collection;
        r = cli_open_store(&there, &other, SCRY_STORE_READ, &err);
    }
    if (r == 0) {
        cli_progress *bar = cli_progress_new(c->quiet, c->wait->forced);
        scry_copy_options o = { .progress = show, .arg = bar, .cancel = cli_catch_signals(), .sample = sample };
        r = scry_store_compare(here, there, print_difference, NULL, &o, &report, &err);
        cli_progress_free(bar);
    }
    scry_store_close(here, NULL);
    scry_store_close(there, NULL);
    if (r < 0)
        cli_fail(&err);
    if (r < 0)
        return r == SCRY_ECANCELLED ? CLI_CANCELLED : CLI_ERROR;
    if (report.only_here || report.only_there || report.different || report.roots || report.texts)
        return cli_usage("%llu equal, %llu only here, %llu only there, %llu different, %llu with another text in the picture: "
                         "`scry store copy` copies what is missing or differs", (unsigned long long)report.files,
                         (unsigned long long)report.only_here, (unsigned long long)report.only_there,
                         (unsigned long long)report.different, (unsigned long long)report.texts);
    printf(sample ? "%llu files looked at are equal in both\n" : "both are equal: %llu files\n", (unsigned long long)report.files);
    return CLI_OK;
}
