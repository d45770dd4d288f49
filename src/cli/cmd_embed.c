/* cmd_embed.c - `scry embed`: vectors of texts or pictures as a NumPy file. */
#include "cli/cli.h"
#include "cli/commands.h"

#include "base/alloc.h"
#include "cli/line_list.h"
#include "cli/npy.h"
#include "cli/progress.h"
#include "scry/embed.h"

#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "texts", "FILE", "embed each line of FILE (- for standard input)", 0, NULL },
    { "images", "FILE", "embed the picture named by each line of FILE (- for standard input)", 0, NULL },
    { "out", "X.npy", "where to write (- for standard output): float32 [n, dim], unit rows in the order of the lines", 'o', NULL },
    { "no-rotate", NULL, "ignore the EXIF orientation", 0, NULL },
    { "exact", NULL, "decode JPEGs in full before resizing (slower)", 0, NULL },
    { "jobs", "N", "worker threads (default: one per processor)", 'j', NULL },
    { "progress", NULL, "show progress even when stderr is not a terminal", 0, NULL },
    { 0 },
};

typedef struct {
    const char *texts, *images, *out;
    bool show_progress;
    scry_embed_options options;
    cli_progress *progress;
    size_t failed;
} job;

static void picture_failed(void *arg, size_t index, const char *path, const char *reason)
{
    cli_progress_clear(((job *)arg)->progress);
    cli_skipped(path, reason);
}

static void show(void *arg, size_t done, size_t total)
{
    if (done % 16 == 0 || done == total)
        cli_progress_show(((job *)arg)->progress, done, total, false, done);
}

static int embed_rows(job *j, const scry_model *model, const cli_line_list *lines, float *rows, scry_error *err)
{
    size_t cuts = 0;
    const char *const *items = (const char *const *)lines->list;
    int r = j->texts ? scry_embed_lines(model, items, lines->count, &j->options, rows, &cuts, err)
                     : scry_embed_files(model, items, lines->count, &j->options, rows, &j->failed, err);
    cli_progress_clear(j->progress);
    if (cuts)
        cli_warn("%zu texts are longer than the model's input and were truncated", cuts);
    return r;
}

static int embed(const cli_common *c, job *j)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_model *model = NULL;
    cli_line_list lines;
    float *rows = NULL;
    j->options.failed = picture_failed;
    j->options.progress = show;
    j->options.arg = j;
    int r = cli_read_lines(&lines, j->texts ? j->texts : j->images, &err);
    if (r == 0)
        r = cli_open_model(&model, c, NULL, &err);
    if (r == 0) {
        size_t dim = (size_t)scry_model_get_info(model)->dim;
        rows = scry_try_alloc(lines.count * dim + 1, sizeof *rows);
        if (!rows)
            r = scry_fail(&err, SCRY_ENOMEM, "not enough memory for %zu vectors: split the list", lines.count);
        j->progress = cli_progress_new(c->quiet, j->show_progress);
        if (r == 0)
            r = embed_rows(j, model, &lines, rows, &err);
        if (r == 0)
            r = cli_write_npy(j->out, rows, lines.count, dim, &err);
        cli_progress_free(j->progress);
    }
    free(rows);
    cli_line_list_dispose(&lines);
    scry_model_free(model);
    return r < 0 ? cli_fail(&err) : j->failed ? CLI_NOTHING : CLI_OK;
}

static bool take_option(job *j, const char *name, const char *value)
{
    long long n;
    if (strcmp(name, "texts") == 0)
        j->texts = value;
    else if (strcmp(name, "images") == 0)
        j->images = value;
    else if (strcmp(name, "out") == 0)
        j->out = value;
    else if (strcmp(name, "no-rotate") == 0)
        j->options.keep_orientation = true;
    else if (strcmp(name, "exact") == 0)
        j->options.exact = true;
    else if (strcmp(name, "progress") == 0)
        j->show_progress = true;
    else if (!cli_int(name, value, 1, 256, &n))
        return false;
    else
        j->options.workers = (int)n;
    return true;
}

static int run_embed(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    job j = { .options = SCRY_EMBED_OPTIONS_INIT };
    cli_begin(&a, &cmd_embed, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!take_option(&j, name, value)) {
            a.status = CLI_ERROR;
            break;
        }
    int status = a.status;
    if (status < 0 && (!j.texts == !j.images || !j.out))
        status = cli_usage("embed requires --texts FILE or --images FILE, and --out X.npy");
    if (status < 0)
        status = embed(&a.common, &j);
    cli_end(&a);
    return status;
}

const cli_command cmd_embed = {
    .name = "embed",
    .usage = "--texts FILE | --images FILE --out X.npy",
    .no_operands = "put the lines into a file, or pipe them: --texts -",
    .summary = "Write the vectors of texts or pictures to a NumPy file",
    .details = "A picture that cannot be read gives a row of NaN and a line on stderr; the exit status is 1.\n\n"
               "Example:\n  printf 'a dog\\na cat\\n' | scry embed --texts - --out words.npy\n",
    .options = options,
    .common = CLI_MODEL,
    .run = run_embed,
};
