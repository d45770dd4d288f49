/* cmd_tune.c - `scry tune`: train a model's texts on the user's pictures; the plugin scry-tune.so does it. */
#include "cli/cli.h"
#include "cli/cancel.h"
#include "cli/commands.h"

#include "base/alloc.h"
#include "base/plugin.h"
#include "cli/progress.h"
#include "scry/registry.h"
#include "tune/tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_option options[] = {
    { "captions", "FILE", "table of pictures and captions (CSV or TSV with a header line)", 0, NULL },
    { "labels", "FILE", "table of pictures and their classes", 0, NULL },
    { "template", "TEXT", "sentence around a label, which replaces {} (default: a photo of a {})", 0, NULL },
    { "pictures", "DIR", "folder of the pictures (default: the table's, or img/ or images/ in it)", 0, NULL },
    { "column", "NAME", "column of the texts (default: caption, text, caption_en ... or label, class ...)", 0, NULL },
    { "file-column", "NAME", "column of the pictures (default: file, path, filename, image)", 0, NULL },
    { "where", "COL=VALUE", "only rows that have VALUE in column COL", 0, NULL },
    { "limit", "N", "a sample of N pictures from the whole table, the same on every run", 'n', NULL },
    { "out", "DIR", "the folder of the new model, which is made", 'o', NULL },
    { "depth", "N|full|heads", "the last N blocks of both towers and what follows them, or all; heads: the texts' last matrix (default: heads)", 0,
      "heads full" },
    { "side", "WHICH", "with --depth N or full: train the towers of both, of pictures or of texts (default: both)", 0, "both pictures texts" },
    { "rate", "R", "highest rate of learning (default: 0.001 for heads, 0.00002 for blocks)", 0, NULL },
    { "epochs", "N", "passes over the pictures, at most (default: 30)", 0, NULL },
    { "keep", "SHARE", "share of the original's weights in the result, 0 to 1 (default: chosen on the held-out pictures)", 0, NULL },
    { "jobs", "N", "worker threads (default: one per processor)", 'j', NULL },
    { "progress", NULL, "show progress even when stderr is not a terminal", 0, NULL },
    { 0 },
};

typedef struct {
    scry_tune_options o;
    bool show;
    cli_progress *progress;    /* of the pictures that are embedded first */
} job;

static void picture_failed(void *arg, size_t index, const char *path, const char *reason)
{
    cli_progress_clear(((job *)arg)->progress);
    cli_skipped(path, reason);
}

static void show_pictures(void *arg, size_t done, size_t total)
{
    if (done % 16 == 0 || done == total)
        cli_progress_show(((job *)arg)->progress, done, total, false, done);
}

static void show_epoch(void *arg, int epoch, int epochs, double loss, double recall, double seconds)
{
    cli_progress_clear(((job *)arg)->progress);
    if (((job *)arg)->show)
        fprintf(stderr, "epoch %d of at most %d: loss %.4f, held-out recall %.1f %%, %.0f s left\n", epoch, epochs, loss, 100 * recall, seconds);
}

static void print_report(const scry_tune_report *r, const char *out, bool quiet)
{
    if (r->diverged)
        cli_warn("the loss became infinite after %d epochs: the best state before that was taken", r->epochs);
    if (r->resumed)
        cli_warn("went on after the %d epochs of %s.state", r->resumed, out);
    if (r->stopped)
        cli_warn("stopped after %d epochs: the best state so far was taken; the same command goes on from there", r->epochs);
    if (r->state_lost)
        cli_warn("%s.state could not be written: a run that is stopped cannot go on", out);
    cli_print("pictures    %zu, of which held out %zu pairs", r->pictures, r->held_out);
    if (r->skipped)
        cli_print("; %zu could not be read", r->skipped);
    cli_print("\n");
    cli_print("recall      %.1f %% before, %.1f %% after, on the held-out ones\n", 100 * r->before, 100 * r->after);
    if (!r->saved) {
        cli_warn("nothing was gained on the held-out pictures: no model was written");
        return;
    }
    cli_print("kept        %.2f of the original\n", r->keep);
    if (!quiet && r->pictures_changed)
        fprintf(stderr, "written: scry model add NAME %s; its pictures are embedded anew: scry index --rebuild --model NAME\n", out);
    else if (!quiet)
        fprintf(stderr, r->same_pictures ? "written: scry model add NAME %s; scry search --model NAME searches the collections of the original\n"
                                         : "written: scry model add NAME %s; scry index --rebuild --model NAME\n", out);
}

static int tune(const cli_common *c, job *j)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tune_report report = { 0 };
    scry_tune_fn *run;
    char *dir = NULL, *name = cli_model_name(c, SCRY_STARTER_MODEL);
    j->show = !c->quiet && (j->show || isatty(STDERR_FILENO) == 1);
    j->o.embed.cancel = cli_catch_signals();
    j->o.embed.failed = picture_failed;
    j->o.embed.progress = show_pictures;
    j->progress = cli_progress_new(c->quiet, j->show);
    j->o.progress = show_epoch;
    j->o.arg = j->o.embed.arg = j;
    int r = scry_plugin_symbol((void **)&run, "tune", "scry_tune_run", &err);
    if (r == 0)
        r = scry_model_resolve(name, &dir, &err);
    if (r == 0) {
        j->o.model_dir = dir;
        r = run(&j->o, &report, &err);
    }
    cli_progress_free(j->progress);
    if (r == 0)
        print_report(&report, j->o.out, c->quiet);
    else if (report.state_left)
        cli_warn("%s.state has what was trained: once that is mended, the same command goes on from there", j->o.out);
    free(dir);
    free(name);
    return r < 0 ? cli_fail(&err) : report.saved && !report.skipped ? CLI_OK : CLI_NOTHING;
}

static bool take_share(const char *name, const char *value, double most, double *out)
{
    char *end;
    *out = strtod(value, &end);
    if (end != value && !*end && *out >= 0 && *out <= most)
        return true;
    cli_usage("--%s \"%s\" is no number from 0 to %g", name, value, most);
    return false;
}

static bool take_depth(job *j, const char *value)
{
    long long n = strcmp(value, "full") == 0 ? SCRY_TUNE_FULL : 0;
    if (n == 0 && strcmp(value, "heads") != 0 && !cli_int("depth", value, 1, SCRY_TUNE_FULL, &n))
        return false;
    j->o.depth = (int)n;
    return true;
}

static bool take_side(job *j, const char *value)
{
    static const char *const sides[] = { "both", "pictures", "texts" };
    for (int i = 0; i < 3; i++)
        if (strcmp(value, sides[i]) == 0) {
            j->o.side = (scry_tune_side)i;
            return true;
        }
    cli_usage("--side \"%s\": both, pictures or texts", value);
    return false;
}

static bool take_number(job *j, const char *name, const char *value)
{
    long long n;
    if (strcmp(name, "keep") == 0 || strcmp(name, "rate") == 0)
        return take_share(name, value, 1, name[0] == 'k' ? &j->o.keep : &j->o.rate);
    if (!cli_int(name, value, 1, strcmp(name, "jobs") == 0 ? 256 : strcmp(name, "epochs") == 0 ? 1000000 : 1 << 30, &n))
        return false;
    if (strcmp(name, "limit") == 0)
        j->o.set.limit = (size_t)n;
    else
        *(strcmp(name, "jobs") == 0 ? &j->o.embed.workers : &j->o.epochs) = (int)n;
    return true;
}

static bool take_option(job *j, const char *name, const char *value)
{
    const struct { const char *name; const char **where; } texts[] = {
        { "captions", &j->o.set.table }, { "labels", &j->o.set.table }, { "template", &j->o.label_template },
        { "pictures", &j->o.set.pictures }, { "column", &j->o.set.text_column }, { "file-column", &j->o.set.file_column },
        { "where", &j->o.set.where }, { "out", &j->o.out },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i].name) == 0) {
            if (i < 2 && j->o.set.table) {
                cli_usage("give one table: --captions or --labels");
                return false;
            }
            *texts[i].where = value;
            j->o.set.labels = j->o.set.labels || i == 1;
            return true;
        }
    if (strcmp(name, "progress") == 0)
        return j->show = true;
    if (strcmp(name, "depth") == 0)
        return take_depth(j, value);
    return strcmp(name, "side") == 0 ? take_side(j, value) : take_number(j, name, value);
}

static int run_tune(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    job j = { .o = { .epochs = 30, .keep = NAN, .rate = NAN, .label_template = SCRY_LABEL_TEMPLATE } };
    cli_begin(&a, &cmd_tune, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!take_option(&j, name, value)) {
            a.status = CLI_ERROR;
            break;
        }
    int status = a.status;
    if (status < 0 && (!j.o.set.table || !j.o.out))
        status = cli_usage("give a table of pictures (--captions FILE or --labels FILE) and the new folder (--out DIR)");
    if (status < 0)
        status = tune(&a.common, &j);
    cli_end(&a);
    return status;
}

const cli_command cmd_tune = {
    .name = "tune",
    .usage = "[OPTION]... --captions FILE|--labels FILE --out DIR",
    .no_operands = "the table is --captions FILE or --labels FILE, and the new folder --out DIR",
    .summary = "Train a model on your own captions or labels",
    .details =
        "Trains a model on pictures with captions or labels and writes a checkpoint of the same kind beside the original, which\n"
        "is not touched. --depth heads, the last matrix of the texts, takes seconds once the pictures are embedded; --depth 2,\n"
        "the last two blocks of both towers, takes minutes (CLIP, SigLIP, MetaCLIP 2 and other plain transformers). A fifth of\n"
        "the pictures, by their contents, is held out: training ends when they gain no more, and they choose how much of the\n"
        "original is kept. Where nothing is gained, nothing is written, and the status is 1, as it is when some pictures could\n"
        "not be read. Ctrl-C stops with the best state so far; the same command goes on from there, also after a kill or a full\n"
        "disk (DIR.state).\n"
        "Names of a few people, pets or products need no training: scry model teach.\n\n"
        "Examples:\n"
        "  scry tune --labels products.tsv --template \"a photo of {}, a product\" --out ~/models/products\n"
        "  scry tune --model laion-b32 --captions captions.tsv --out ~/models/mine\n"
        "  scry tune --model laion-b32 --depth 2 --captions captions.tsv --out ~/models/mine\n",
    .options = options,
    .common = CLI_MODEL,
    .run = run_tune,
};
