/* cmd_index.c - `scry index PATH...` */
#include "cli/cancel.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/index_words.h"
#include "cli/progress.h"
#include "cli/suggest.h"
#include "cli/welcome.h"

#include "base/alloc.h"
#include "engine/csv.h"
#include "engine/file_json.h"
#include "engine/path_forms.h"
#include "engine/walk.h"
#include "image/image.h"
#include "scry/index.h"
#include "scry/rebuild.h"
#include "scry/registry.h"
#include "scry/score.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const cli_option options[] = {
    { "from-file", "LIST", "also index the paths in LIST, one per line (- for standard input)", 0, NULL },
    { "null", NULL, "the paths of --from-file end with zero bytes, as find -print0 writes them", '0', NULL },
    { "root-name", "NAME", "PATH is the root NAME of a store on Milvus, which other machines mount elsewhere; remembered here", 0, NULL },
    { "include", "GLOB", "in folders, only names or paths that match GLOB (may be repeated)", 0, NULL },
    { "exclude", "GLOB", "in folders, no names or paths that match GLOB (may be repeated)", 0, NULL },
    { "follow", NULL, "follow symbolic links to folders", 0, NULL },
    { "hidden", NULL, "include names that begin with a dot", 0, NULL },
    { "no-default-excludes", NULL, "also index NAS folders (@eaDir), trash and previews", 0, NULL },
    { "prune", NULL, "forget pictures below PATH whose files no longer exist; what may be on a disk that is not mounted stays", 0, NULL },
    { "retry", NULL, "retry files that could not be read before", 0, NULL },
    { "recheck", NULL, "read all files again, also those whose size and times are unchanged", 0, NULL },
    { "rebuild", NULL, "embed all pictures again, with the model's new version or --model; searches go on meanwhile", 0, NULL },
    { "rebuild-metadata", NULL, "read the headers of unchanged pictures again, too; nothing is embedded for it", 0, NULL },
    { "words", "MODE", "read the words in the pictures, after all were indexed: yes (the default; $SCRY_WORDS), no, or only", 0, "yes no only" },
    { "formats", "LIST", "formats to read: default, all, or names joined by commas", 0, "default all" },
    { "no-rotate", NULL, "ignore the EXIF orientation, as the reference pipelines do", 0, NULL },
    { "jobs", "N", "worker threads (default: one per processor)", 'j', NULL },
    { "decoder-memory", "MIB", "memory limit of each decoder process (default: 1024, or up to 4096 for one picture at a time)", 0, NULL },
    { "time-limit", "SECONDS", "time limit for decoding a picture (default: 30)", 0, NULL },
    { "progress", NULL, "show progress even when stderr is not a terminal", 0, NULL },
    { "verbose", NULL, "print every skipped file immediately", 'v', NULL },
    { "json", NULL, "print the counts of the summary as one JSON object", 0, NULL },
    { 0 },
};

enum { MAX_PATTERNS = 256, SHOWN_SKIPS = 20, LONG_RUN = 500 };

typedef struct {
    scry_index_options index;
    const char *include[MAX_PATTERNS], *exclude[MAX_PATTERNS];
    cli_progress *bar;
    const char *root_name;
    bool verbose, force_progress, quiet, rebuild, json;
    size_t skips_shown;
    cli_words words;
} run;

static void show_progress(void *arg, const scry_index_progress *p)
{
    run *r = arg;
    uint64_t done = p->added + p->updated + p->unchanged + p->skipped;
    uint64_t total = p->expected > p->found ? p->expected : p->found;
    cli_progress_show(r->bar, done, total, p->walking && !p->expected, p->embedded);
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

static bool take_flag(run *r, const char *name)
{
    scry_index_options *o = &r->index;
    const struct { const char *name; bool *flag; } flags[] = {
        { "null", &o->zero_ended }, { "follow", &o->follow }, { "hidden", &o->hidden }, { "prune", &o->prune },
        { "retry", &o->retry }, { "no-rotate", &o->keep_orientation }, { "progress", &r->force_progress },
        { "verbose", &r->verbose }, { "json", &r->json }, { "no-default-excludes", &o->no_default_excludes },
        { "rebuild-metadata", &o->rebuild_metadata }, { "recheck", &o->recheck }, { "rebuild", &r->rebuild },
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].flag = true;
    return false;
}

static bool take_option(run *r, const char *name, const char *value)
{
    scry_index_options *o = &r->index;
    scry_error err = SCRY_ERROR_INIT;
    long long n = 0;
    if (take_flag(r, name))
        return true;
    if (strcmp(name, "words") == 0)
        return cli_words_mode_parse(value, &r->words.mode);
    if (strcmp(name, "from-file") == 0)
        o->from_file = value;
    else if (strcmp(name, "root-name") == 0)
        r->root_name = value;
    else if (strcmp(name, "include") == 0)
        return add_pattern(r->include, &o->include_count, value);
    else if (strcmp(name, "exclude") == 0)
        return add_pattern(r->exclude, &o->exclude_count, value);
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

static void print_json(const scry_index_progress *p, const run *r)
{
    scry_buf b = SCRY_BUF_INIT(1 << 16);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_put_progress(&w, p);
    cli_json_put_words(&w, &r->words);
    scry_json_end(&w, '}');
    cli_print_json(&b);
    scry_buf_dispose(&b);
}

static void print_words_json(const run *r)
{
    scry_buf b = SCRY_BUF_INIT(1 << 12);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    cli_json_put_words(&w, &r->words);
    scry_json_end(&w, '}');
    cli_print_json(&b);
    scry_buf_dispose(&b);
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
    if (p->headers)
        fprintf(stderr, ", headers of %llu read again", (unsigned long long)p->headers);
    if (p->damaged)
        fprintf(stderr, ", %llu damaged", (unsigned long long)p->damaged);
    fprintf(stderr, " in %.1f s", s);
    if (p->embedded)
        fprintf(stderr, " (%llu embedded, %.1f a second)", (unsigned long long)p->embedded, (double)p->embedded / (s > 0 ? s : 1));
    fputc('\n', stderr);
    if (p->missing)
        fprintf(stderr, "%llu indexed %s not found any more: --prune forgets %s\n", (unsigned long long)p->missing,
                p->missing == 1 ? "picture was" : "pictures were", p->missing == 1 ? "it" : "them");
    if (p->skipped)
        fputs("`scry status --skipped` lists the skipped files and why\n", stderr);
}

/* After a long run, estimate the score threshold, so that searches have it at once: this embeds at most 331 short
 * texts. Failing to estimate it is not an error of the run. */
static void estimate_threshold(scry_store *store, const scry_model *model, const scry_index_progress *total)
{
    scry_threshold *threshold;
    if (total->embedded >= LONG_RUN && scry_threshold_find(&threshold, store, model, NULL) == 0)
        scry_threshold_free(threshold);
}

/* Open the collection and its model, the default one when the collection is new. *model is NULL for a collection of an
 * earlier starter: a run without it does all but embedding. */
static int open_both(scry_store **store, scry_model **model, const cli_common *c, scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    int result = cli_open_store(store, c, SCRY_STORE_READ, &why);
    if (result < 0 && why.code != SCRY_ENOTFOUND)
        return scry_fail(err, why.code, "%s", why.message);
    scry_store *existing = result == 0 ? *store : NULL;
    result = cli_open_model_for(model, c, existing, err);
    bool due = result == 0 && existing && scry_rebuild_is_due(existing, *model);
    if (due) {
        (void)!scry_rebuild_check(existing, *model, "", &why);
        cli_warn("%s", why.message);
        scry_model_free(*model);
        *model = NULL;
    } else if (result == 0 && existing) {
        scry_store_info info;
        scry_store_describe(existing, &info);
        char *name = cli_model_name(c, info.model_name);
        result = scry_rebuild_check(existing, *model, name, err);
        free(name);
    }
    scry_store_close(existing, NULL);
    *store = NULL;
    if (result < 0)
        return result;
    return due ? cli_open_store(store, c, SCRY_STORE_WRITE, err) : cli_create_store(store, c, *model, err);
}

static void warn_of_details(scry_store *store, const run *r)
{
    scry_store_info info;
    scry_store_describe(store, &info);
    if (r->index.rebuild_metadata && info.lacks_details)
        cli_warn("the collection \"%s\" has fields for time, camera and place only, not for lens, title, description, keywords and "
                 "rating: " SCRY_STORE_DETAILS_ADVICE, info.collection);
}

static int note_absent_root(void *arg, const scry_root *root)
{
    if (root->files && access(root->path, F_OK) < 0 && errno == ENOENT)
        cli_warn("%s, which was indexed, does not exist any more: if it was moved to a folder that was indexed now, scry remove "
                 "PATH forgets its old paths (scry root move OLD NEW, used before, keeps ids, keys and labels)", root->path);
    return 0;
}

/* Where every new file has a content that was known, a folder may have been moved. */
static void note_moved_folders(scry_store *store, const scry_index_progress *total, bool quiet)
{
    if (total->added && !total->embedded && !quiet)
        (void)!scry_store_roots(store, note_absent_root, NULL, NULL);
}

/* The root that --root-name and the only path name. */
static int name_root(scry_store *store, const run *r, scry_error *err)
{
    scry_root root;
    if (!r->root_name)
        return 0;
    struct stat st;
    char *path = scry_stored_folder(r->index.paths[0]);
    int result = stat(path, &st) < 0 || !S_ISDIR(st.st_mode)
        ? scry_fail(err, SCRY_EINVALID, "--root-name takes a folder, not %s", r->index.paths[0])
        : scry_store_name_root(store, r->root_name, path, &root, err);
    free(path);
    return result;
}

static int index_paths(const cli_common *c, run *r)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_model *model = NULL;
    scry_store *store = NULL;
    scry_index_progress total = { 0 };
    int status = CLI_ERROR, result = open_both(&store, &model, c, &err);
    if (result == 0) {
        warn_of_details(store, r);
        r->index.cancel = cli_catch_signals();
        r->bar = cli_progress_new(c->quiet, r->force_progress);
        result = name_root(store, r, &err);
        if (result == 0)
            result = scry_index_run(store, model, &r->index, &total, &err);
        cli_progress_free(r->bar);
        if (result == 0) {
            estimate_threshold(store, model, &total);
            note_moved_folders(store, &total, r->quiet);
        }
        print_summary(&total, r);
        if (result == 0)
            result = cli_read_words(&r->words, store, &r->index, &err);
        int closed = scry_store_close(store, result < 0 ? NULL : &err);
        result = result < 0 ? result : closed;
        if (r->json)
            print_json(&total, r);
        status = total.skipped ? CLI_NOTHING : CLI_OK;
    }
    if (result < 0)
        status = cli_fail(&err);
    else if (total.added + total.updated + total.unchanged > 0)
        cli_next_step(c);
    scry_model_free(model);
    return result == SCRY_ECANCELLED ? CLI_CANCELLED : status;
}

/* What a rebuild takes, before it begins. */
static void announce(const scry_rebuild_estimate *e, const char *name)
{
    char time[64] = "";
    if (e->minutes > 0)
        snprintf(time, sizeof time, ", about %.0f minute%s", e->minutes, e->minutes > 1 ? "s" : "");
    fprintf(stderr, "embedding %llu pictures with model %s%s; until it is done, the old vectors are searched", (unsigned long long)e->pictures,
            name, time);
    if (e->free_bytes == UINT64_MAX)
        fputs(" and the server holds both\n", stderr);
    else
        fprintf(stderr, " and the store takes %llu MiB more (%llu MiB are free)\n", (unsigned long long)(e->bytes >> 20) + 1,
                (unsigned long long)(e->free_bytes >> 20));
}

/* There is nothing to embed; but where the model is a folder, and none has the collection's name, other commands do not find it. */
static void print_current(const scry_store_info *info, const char *model)
{
    char *dir = NULL;
    fprintf(stderr, "the collection \"%s\" has the vectors of this model already\n", info->collection);
    if (model && strchr(model, '/') && scry_model_resolve(info->model_name, &dir, NULL) == SCRY_ENOTFOUND)
        fprintf(stderr, "there is no model \"%s\" any more: `scry model add NAME %s`, under any name, and it is found without --model\n",
                info->model_name, model);
    free(dir);
}

/* Closes the store. */
static int rebuild_store(scry_store *store, const scry_model *model, const cli_common *c, run *r, scry_index_progress *total,
                         scry_error *err)
{
    scry_rebuild_estimate e;
    scry_store_info info;
    scry_store_describe(store, &info);
    const char *precision = cli_precision_name(scry_model_get_info(model)->precision);
    const scry_long_options watch = { .cancel = cli_catch_signals() };
    int result = scry_rebuild_estimate_run(store, model, &watch, &e, err);
    if (result == 0 && e.current && (c->precision == SCRY_PRECISION_AUTO || strcmp(precision, info.precision) == 0)) {
        if (!r->quiet)
            print_current(&info, c->model);
        result = scry_store_drop_replacement(store, err);
        int closed = scry_store_close(store, result < 0 ? NULL : err);
        return result < 0 ? result : closed;
    }
    if (result < 0) {
        scry_store_close(store, NULL);
        return result;
    }
    char *name = cli_model_name(c, info.model_name);
    scry_store_options as = cli_options_of(model, name);
    if (!r->quiet)
        announce(&e, name);
    r->verbose = true;   /* what is left out is in no list afterwards */
    r->index.cancel = watch.cancel;
    r->bar = cli_progress_new(c->quiet, r->force_progress);
    result = scry_rebuild_run(store, model, &as, &r->index, total, err);
    cli_progress_free(r->bar);
    if (r->json)
        print_json(total, r);
    print_summary(total, r);
    free(name);
    return result;
}

static int rebuild(const cli_common *c, run *r)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_model *model = NULL;
    scry_store *store = NULL;
    scry_index_progress total = { 0 };
    int result = cli_open_store(&store, c, SCRY_STORE_WRITE, &err);
    if (result == 0 && (result = cli_open_model_for(&model, c, store, &err)) < 0)
        scry_store_close(store, NULL);
    else if (result == 0)
        result = rebuild_store(store, model, c, r, &total, &err);
    int status = result < 0 ? cli_fail(&err) : total.skipped ? CLI_NOTHING : CLI_OK;
    scry_model_free(model);
    return result == SCRY_ECANCELLED ? CLI_CANCELLED : status;
}

/* The words alone, without a model. */
static int read_words(const cli_common *c, run *r)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store;
    int result = cli_open_store(&store, c, SCRY_STORE_WRITE, &err);
    if (result == 0) {
        r->index.cancel = cli_catch_signals();
        result = cli_read_words(&r->words, store, &r->index, &err);
        int closed = scry_store_close(store, result < 0 ? NULL : &err);
        result = result < 0 ? result : closed;
        if (r->json)
            print_words_json(r);
    }
    int status = result < 0 ? cli_fail(&err) : r->words.total.failed ? CLI_NOTHING : CLI_OK;
    return result == SCRY_ECANCELLED ? CLI_CANCELLED : status;
}

/* A folder or a picture, which the library finds then. */
static bool has_other_form(const char *path)
{
    char *other = scry_path_in_other_form(path);
    bool found = other && !scry_is_csv(path);
    free(other);
    return found;
}

/* A link may have led to a folder that was moved since. */
static int refuse_absent(const char *path)
{
    struct stat st;
    if (!path[0])
        return cli_usage("cannot index an empty path: name a folder, a picture or a CSV file");
    if (strcmp(path, "-") == 0)
        return cli_usage("cannot index -: it does not exist (a list of paths from standard input: --from-file -)");
    if (strstr(path, "://"))
        return cli_usage("cannot index %s: it is an address: give the path of a folder or a file", path);
    if (lstat(path, &st) < 0) {
        char *near = cli_near_path(path);
        int usage = near ? cli_usage("cannot index %s: it does not exist; did you mean %s?", path, near)
                         : cli_usage("cannot index %s: it does not exist", path);
        free(near);
        return usage;
    }
    char *leads_to = scry_stored_folder(path);
    int status = cli_usage("cannot index %s: it is a link to %s, which does not exist: set it anew, and if a folder was moved that "
                           "is indexed say so with scry root move OLD NEW", path, leads_to);
    free(leads_to);
    return status;
}

/* The paths of the command line, or those that are proposed instead, which are owned by the caller. -1, or the exit status after an
 * error or a no. */
static int check_paths(const cli_common *c, run *r, char ***proposed)
{
    bool given = r->index.path_count || r->index.from_file;
    int status = -1;
    if (r->rebuild && given)
        return cli_usage("--rebuild embeds all pictures of the collection: give no paths");
    if (!cli_words_check(&r->words, given, r->rebuild))
        return CLI_ERROR;
    if (!r->rebuild && !given && r->words.mode != CLI_WORDS_ONLY) {
        *proposed = cli_propose_paths(c, &status);
        if (!*proposed)
            return status;
        r->index.paths = (const char *const *)*proposed;
        while ((*proposed)[r->index.path_count])
            r->index.path_count++;
    }
    for (size_t i = 0; i < r->index.path_count; i++)
        if (access(r->index.paths[i], F_OK) < 0 && !has_other_form(r->index.paths[i]))
            return refuse_absent(r->index.paths[i]);
    return -1;
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
    r.quiet = r.words.quiet = a.common.quiet;
    r.words.force_progress = r.force_progress;
    r.index.include = r.include;
    r.index.exclude = r.exclude;
    r.index.paths = (const char *const *)argv + a.next;
    r.index.path_count = (size_t)(argc - a.next);
    r.index.progress = show_progress;
    r.index.skipped = show_skip;
    r.index.arg = &r;
    char **proposed = NULL;
    if (status < 0 && r.root_name && (r.rebuild || r.words.mode == CLI_WORDS_ONLY || r.index.from_file || r.index.path_count != 1))
        status = cli_usage("--root-name takes one folder: scry index --root-name NAME PATH");
    if (status < 0)
        status = check_paths(&a.common, &r, &proposed);
    if (status < 0)
        status = r.words.mode == CLI_WORDS_ONLY ? read_words(&a.common, &r) : r.rebuild ? rebuild(&a.common, &r)
                 : index_paths(&a.common, &r);
    for (size_t i = 0; proposed && proposed[i]; i++)
        free(proposed[i]);
    free(proposed);
    cli_end(&a);
    return status;
}

const cli_command cmd_index = {
    .name = "index",
    .usage = "[OPTION]... [PATH]... | --rebuild [OPTION]... | --words only [OPTION]...",
    .summary = "Add or update the pictures below PATH",
    .details =
        "Without a PATH, on a terminal, scry asks whether to index the folders of the collection again, or, when there are\n"
        "none yet, the Pictures folder.\n\n"
        "PATH is a folder (searched recursively), a picture, or a CSV file: id,path[,label...], or with\n"
        "a header that names the columns path, id and label in any order; commas, tabs or semicolons\n"
        "are between them. Files whose size and times are unchanged, and\n"
        "those of their sidecars, are not read, moved and copied pictures are not embedded again, unreadable files are skipped and remembered. After Ctrl-C\n"
        "the same command continues where it stopped. --prune refuses a folder that holds none\n"
        "of its pictures any more, since its disk may not be mounted.\n\n"
        "--rebuild makes new vectors beside the old ones, which are searched until all are there and then\n"
        "replaced at once. Ids, keys and labels stay; pictures that cannot be read any more are left out\n"
        "and named. It continues after a stop, and keeps the old vectors if all of a folder's pictures are gone.\n\n"
        "Words in pictures are read in a second pass over those that were not read yet, whose pictures can be searched by look\n"
        "meanwhile; after Ctrl-C the next run goes on with it. --words only does that alone, --words no leaves it out.\n\n"
        "Exit status: 0 done, 1 some files were skipped, 2 an error, 130 stopped by Ctrl-C or SIGTERM.\n\n"
        "Examples:\n"
        "  scry index ~/Pictures\n"
        "  scry index --rebuild --model clip\n"
        "  scry index --prune --exclude '*.tmp.jpg' /mnt/photos\n"
        "  find . -name '*.jpg' -newer stamp -print0 | scry index -0 --from-file -\n",
    .options = options,
    .common = CLI_STORE | CLI_MODEL,
    .run = run_index,
};
