/* cmd_index.c - `scry index PATH...` */
#include "cli/cancel.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/progress.h"

#include "base/alloc.h"
#include "image/image.h"
#include "scry/index.h"
#include "scry/score.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_option options[] = {
    { "from-file", "LIST", "also the paths in LIST, one a line (- for standard input)", 0, NULL },
    { "include", "GLOB", "in folders, only names or paths that match GLOB (may be repeated)", 0, NULL },
    { "exclude", "GLOB", "in folders, no names or paths that match GLOB (may be repeated)", 0, NULL },
    { "follow", NULL, "follow symbolic links to folders", 0, NULL },
    { "hidden", NULL, "also names that begin with a dot", 0, NULL },
    { "prune", NULL, "forget pictures below PATH whose files are gone", 0, NULL },
    { "retry", NULL, "try again the files that could not be read before", 0, NULL },
    { "formats", "LIST", "formats to read: default, all, or names joined by commas", 0, "default all" },
    { "no-rotate", NULL, "ignore the EXIF orientation (what the reference pipelines do)", 0, NULL },
    { "jobs", "N", "worker threads (default: one a processor)", 'j', NULL },
    { "decoder-memory", "MIB", "memory limit of each decoder process (default: 1024)", 0, NULL },
    { "time-limit", "SECONDS", "give up on a picture after this long (default: 30)", 0, NULL },
    { "progress", NULL, "show progress even when stderr is no terminal", 0, NULL },
    { "verbose", NULL, "name every skipped file as it is met", 'v', NULL },
    { 0 },
};

enum { MAX_PATTERNS = 256, SHOWN_SKIPS = 20, LONG_RUN = 500 };

typedef struct {
    scry_index_options index;
    const char *include[MAX_PATTERNS], *exclude[MAX_PATTERNS];
    cli_progress *bar;
    bool verbose, force_progress, quiet;
    size_t skips_shown;
} run;

static void show_progress(void *arg, const scry_index_progress *p)
{
    run *r = arg;
    uint64_t done = p->added + p->updated + p->unchanged + p->skipped;
    cli_progress_show(r->bar, done, p->found, p->walking, p->embedded);
}

static void show_skip(void *arg, const char *path, const char *reason)
{
    run *r = arg;
    if (r->quiet || (!r->verbose && r->skips_shown++ >= SHOWN_SKIPS))
        return;
    cli_progress_clear(r->bar);
    cli_skipped(path, reason);
}

static bool add_pattern(const char **list, size_t *n, const char *pattern)
{
    if (*n == MAX_PATTERNS) {
        cli_usage("more than %d patterns", MAX_PATTERNS);
        return false;
    }
    list[(*n)++] = pattern;
    return true;
}

static bool take_option(run *r, const char *name, const char *value)
{
    scry_index_options *o = &r->index;
    scry_error err = SCRY_ERROR_INIT;
    long long n = 0;
    if (strcmp(name, "from-file") == 0)
        o->from_file = value;
    else if (strcmp(name, "include") == 0)
        return add_pattern(r->include, &o->include_count, value);
    else if (strcmp(name, "exclude") == 0)
        return add_pattern(r->exclude, &o->exclude_count, value);
    else if (strcmp(name, "follow") == 0)
        o->follow = true;
    else if (strcmp(name, "hidden") == 0)
        o->hidden = true;
    else if (strcmp(name, "prune") == 0)
        o->prune = true;
    else if (strcmp(name, "retry") == 0)
        o->retry = true;
    else if (strcmp(name, "no-rotate") == 0)
        o->keep_orientation = true;
    else if (strcmp(name, "progress") == 0)
        r->force_progress = true;
    else if (strcmp(name, "verbose") == 0)
        r->verbose = true;
    else if (strcmp(name, "formats") == 0) {
        if (scry_formats_parse(value, &o->formats, &err) < 0) {
            cli_usage("--formats: %s", err.message);
            return false;
        }
    } else if (strcmp(name, "jobs") == 0) {
        if (!cli_int(name, value, 1, 512, &n))
            return false;
        o->workers = (int)n;
    } else if (strcmp(name, "decoder-memory") == 0) {
        if (!cli_int(name, value, 64, 1 << 20, &n))
            return false;
        o->decoder_memory_bytes = (size_t)n << 20;
    } else if (strcmp(name, "time-limit") == 0) {
        if (!cli_int(name, value, 1, 86400, &n))
            return false;
        o->time_limit_ms = (int)n * 1000;
    }
    return true;
}

static void print_summary(const scry_index_progress *p, const run *r)
{
    if (r->quiet)
        return;
    double s = p->elapsed_ms / 1000;
    fprintf(stderr, "%llu added, %llu updated, %llu unchanged, %llu skipped", (unsigned long long)p->added,
            (unsigned long long)p->updated, (unsigned long long)p->unchanged, (unsigned long long)p->skipped);
    if (r->index.prune)
        fprintf(stderr, ", %llu forgotten", (unsigned long long)p->pruned);
    fprintf(stderr, " in %.1f s", s);
    if (p->embedded)
        fprintf(stderr, " (%llu embedded, %.1f a second)", (unsigned long long)p->embedded, (double)p->embedded / (s > 0 ? s : 1));
    fputc('\n', stderr);
    if (p->skipped)
        fputs("`scry status --skipped` lists the skipped files and why\n", stderr);
}

/* After a long run, where the line between hits and the rest is: the time of 331 short texts at most,
 * and searches can draw it at once. Not being able to tell is no error of the run. */
static void find_line(scry_store *store, const scry_model *model, const scry_index_progress *total)
{
    scry_line *line;
    if (total->embedded >= LONG_RUN && scry_line_find(&line, store, model, NULL) == 0)
        scry_line_free(line);
}

static int index_paths(const cli_common *c, run *r)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_model *model = NULL;
    scry_store *store = NULL;
    scry_index_progress total = { 0 };
    int status = CLI_ERROR, result = -1;
    /* An existing collection says which model it wants; a new one gets the default. */
    if (cli_open_store(&store, c, SCRY_STORE_READ, &err) < 0)
        store = NULL;
    if (store && err.code == 0)
        result = cli_open_model(&model, c, store, &err);
    else if (err.code == SCRY_ENOTFOUND)
        result = cli_open_model(&model, c, NULL, &err);
    if (store)
        scry_store_close(store, NULL);
    store = NULL;
    if (result == 0)
        result = cli_create_store(&store, c, model, &err);
    if (result == 0) {
        r->index.cancel = cli_catch_signals();
        r->bar = cli_progress_new(c->quiet, r->force_progress);
        result = scry_index_run(store, model, &r->index, &total, &err);
        cli_progress_free(r->bar);
        if (result == 0)
            find_line(store, model, &total);
        int closed = scry_store_close(store, result < 0 ? NULL : &err);
        print_summary(&total, r);
        result = result < 0 ? result : closed;
        status = total.skipped ? CLI_NOTHING : CLI_OK;
    }
    if (result < 0)
        status = cli_fail(&err);
    scry_model_free(model);
    return result == SCRY_ECANCELLED ? CLI_CANCELLED : status;
}

static int run_index(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    run r = { .index = SCRY_INDEX_OPTIONS_INIT };
    cli_begin(&a, &cmd_index, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!take_option(&r, name, value)) {
            a.status = CLI_ERROR;
            break;
        }
    int status = a.status;
    r.quiet = a.common.quiet;
    r.index.include = r.include;
    r.index.exclude = r.exclude;
    r.index.paths = (const char *const *)argv + a.next;
    r.index.path_count = (size_t)(argc - a.next);
    r.index.progress = show_progress;
    r.index.skipped = show_skip;
    r.index.arg = &r;
    if (status < 0 && r.index.path_count == 0 && !r.index.from_file)
        status = cli_usage("say which folder to index: scry index PATH...");
    for (size_t i = 0; status < 0 && i < r.index.path_count; i++)
        if (access(r.index.paths[i], F_OK) < 0)
            status = cli_usage("cannot index %s: it is not there", r.index.paths[i]);
    if (status < 0)
        status = index_paths(&a.common, &r);
    cli_end(&a);
    return status;
}

const cli_command cmd_index = {
    .name = "index",
    .usage = "[OPTION]... PATH...",
    .summary = "Add or update the pictures below PATH",
    .details =
        "PATH is a folder (searched recursively), a picture, or a CSV file with the columns\n"
        "id,path[,label...]. Of unchanged files only size and date are looked at, moved and copied\n"
        "pictures are not computed again, unreadable files are skipped and remembered. Ctrl-C stops\n"
        "cleanly; the same command goes on where it stopped. --prune refuses a folder that holds none\n"
        "of its pictures any more: its disk may not be mounted.\n\n"
        "Exit status: 0 done, 1 some files were skipped, 2 an error, 130 stopped by Ctrl-C or SIGTERM.\n\n"
        "Examples:\n"
        "  scry index ~/Pictures\n"
        "  scry index --prune --exclude '*.tmp.jpg' /mnt/photos\n"
        "  find . -name '*.jpg' -newer stamp | scry index --from-file -\n",
    .options = options,
    .common = CLI_STORE | CLI_MODEL,
    .run = run_index,
};
