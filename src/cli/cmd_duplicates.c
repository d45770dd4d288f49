/* cmd_duplicates.c - `scry duplicates [PATH]`: groups of the same or nearly the same pictures. Nothing is deleted. */
#include "cli/cancel.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/html.h"
#include "cli/nothing.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/row.h"

#include "base/alloc.h"
#include "engine/duplicates_json.h"
#include "engine/id_list.h"
#include "engine/path_forms.h"
#include "engine/user_marks.h"
#include "engine/walk.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "exact", NULL, "only files of the same bytes", 0, NULL },
    { "similarity", "X", "cosine of two pictures from which they are nearly the same (default: 0.95)", 0, NULL },
    { "kept", NULL, "also groups of which all are to be kept", 0, NULL },
    { "keep", NULL, "the operands are near duplicates to keep beside each other: their group is not shown any more", 0, NULL },
    { "forget", NULL, "the operands are not to be kept any more", 0, NULL },
    { "html", "FILE", "also write a page of the groups to one self-contained file", 0, NULL },
    { "json", NULL, "print one JSON object", 0, NULL },
    { "paths", NULL, "print only the paths of all pictures but the ones to keep", 0, NULL },
    { "null", NULL, "with --paths: end each path with a zero byte", '0', NULL },
    { 0 },
};

typedef struct {
    cli_view view;
    double cosine;
    bool exact, kept, keep, forget;
    const char *path;           /* operand; NULL: everything */
    const cli_common *common;
    cli_progress *bar;
} duplicates;

static bool take_option(duplicates *q, const char *name, const char *value)
{
    const struct { const char *name; bool *flag; } flags[] = {
        { "exact", &q->exact }, { "kept", &q->kept }, { "keep", &q->keep }, { "forget", &q->forget },
    };
    char *end;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].flag = true;
    if (strcmp(name, "similarity") != 0)
        return cli_view_take(&q->view, name, value);
    q->cosine = strtod(value, &end);
    if (*value && !*end && q->cosine > 0 && q->cosine <= 1)
        return true;
    cli_usage("--similarity takes a number above 0 and up to 1, not \"%s\"", value);
    return false;
}

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
    const duplicates *q = arg;
    cli_progress_show(q->bar, done, total, false, done);
}

/* ---- output ---- */

static bool is_away(void *unused, const scry_file *f)
{
    (void)unused;
    return cli_is_away(f);
}

static int print_json(const scry_duplicates *d, scry_store *store, scry_error *err)
{
    enum { MAX_JSON_BYTES = 1 << 30 };
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    uint64_t bytes, files = scry_duplicates_rest(d, &bytes);
    scry_json_begin(&w, '{');
    scry_json_add_int(&w, "others", (int64_t)files);
    scry_json_add_int(&w, "bytes", (int64_t)bytes);
    scry_json_key(&w, "groups");
    scry_duplicates_page all = { .count = scry_duplicates_count(d), .others = SIZE_MAX, .is_away = is_away };
    int result = scry_duplicates_put_json(&w, store, d, &all, err);
    scry_json_end(&w, '}');
    if (result == 0)
        cli_print_json(&b);
    scry_buf_dispose(&b);
    return result;
}

static void print_row(const scry_hit *h, const scry_duplicate *m, bool keep)
{
    char how[16] = "keep";
    if (!keep)
        snprintf(how, sizeof how, m->same_bytes ? "same" : "%.2f", m->cosine < 0.994 ? m->cosine : 0.99);
    printf("  %-4s  %5d x %-5d  ", how, h->file.width, h->file.height);
    cli_print_size(h->file.size);
    cli_print_name(h->file.path);
    cli_print_away(&h->file);
    putchar('\n');
}

static void print_groups(const duplicates *q, const scry_duplicates *d, const scry_results *r)
{
    cli_output o = { .form = CLI_PATHS, .zero_ended = q->view.zero_ended };
    const scry_duplicate *m;
    size_t at = 0;
    for (size_t i = 0; i < scry_duplicates_count(d); i++) {
        size_t n = scry_duplicates_group(d, i, &m);
        char heading[32];
        snprintf(heading, sizeof heading, "%zu", i + 1);
        if (q->view.form == CLI_TABLE)
            cli_print_heading(heading);
        for (size_t k = 0; k < n; k++, at++)
            if (q->view.form == CLI_TABLE)
                print_row(&r->hits[at], &m[k], k == 0);
            else if (k)
                cli_print_hit(&o, &r->hits[at], 0);
    }
}

static int write_page(const duplicates *q, const scry_duplicates *d, const scry_results *r, scry_error *err)
{
    const char **headings = scry_alloc((r->count + 1) * sizeof *headings);
    char (*numbers)[48] = scry_alloc((scry_duplicates_count(d) + 1) * sizeof *numbers);
    const scry_duplicate *m;
    size_t at = 0;
    for (size_t i = 0; i < scry_duplicates_count(d); i++) {
        snprintf(numbers[i], sizeof numbers[i], "Group %zu: keep the first", i + 1);
        headings[at] = numbers[i];
        at += scry_duplicates_group(d, i, &m);
    }
    cli_output o = { .results = r, .headings = headings, .title = "Duplicates", .listed = true, .groups = SCRY_GROUPS_INIT,
                     .request = &q->common->request };
    int result = cli_write_html(q->view.html, &o, err);
    free(numbers);
    free(headings);
    return result;
}

static int show(const duplicates *q, scry_store *store, const scry_duplicates *d, scry_error *err)
{
    scry_results *r = NULL;
    uint64_t bytes, files = scry_duplicates_rest(d, &bytes);
    size_t groups = scry_duplicates_count(d);
    char size[CLI_SIZE_BYTES];
    int result = scry_duplicates_results(&r, store, d, 0, groups, err);
    if (result == 0 && q->view.html)
        result = write_page(q, d, r, err);
    if (result == 0 && q->view.form == CLI_JSON)
        result = print_json(d, store, err);
    else if (result == 0)
        print_groups(q, d, r);
    scry_results_free(r);
    if (result == 0 && !q->common->quiet)
        fprintf(stderr, "%zu group%s: %llu picture%s (%s) besides the ones to keep\n", groups, groups == 1 ? "" : "s",
                (unsigned long long)files, files == 1 ? "" : "s", cli_size(bytes, size));
    return result;
}

/* The filters, and the operand as one more. */
static const scry_filter_node *filter_of(const duplicates *q)
{
    const scry_search_request *r = &q->common->request;
    if (!q->path)
        return r->search.filter;
    char *path = scry_stored_path(q->path);
    const scry_filter_node *f = scry_filter_and(r->pool, r->search.filter, scry_filter_below(r->pool, SCRY_FILTER_IN, path));
    free(path);
    return f;
}

static int find(duplicates *q)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_duplicates *d = NULL;
    scry_duplicates_options o = { .filter = filter_of(q), .cosine = q->exact ? 0 : q->cosine, .progress = show_progress, .arg = q,
                                  .cancel = cli_catch_signals() };
    int r = cli_open_store(&store, q->common, SCRY_STORE_READ, &err);
    if (r == 0) {
        q->bar = cli_progress_new(q->common->quiet, false);
        r = scry_duplicates_find(&d, store, &o, &err);
        cli_progress_free(q->bar);
    }
    if (r == 0 && !q->kept)
        r = scry_duplicates_hide_kept(d, store, &err);
    if (r == 0)
        r = show(q, store, d, &err);
    if (r == 0 && !scry_duplicates_count(d) && !q->common->quiet && q->view.form == CLI_TABLE)
        cli_tell_none_pass(store, &q->common->request, q->path);
    if (r == 0)
        cli_warn_damage(store);
    int status = r == SCRY_ECANCELLED ? CLI_CANCELLED : r < 0 ? cli_fail(&err) : scry_duplicates_count(d) ? CLI_OK : CLI_NOTHING;
    scry_duplicates_free(d);
    if (store)
        scry_store_close(store, NULL);
    return status;
}

/* ---- remembering ---- */

static int remember(const duplicates *q, char **pictures, int n)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_id_list list = { NULL, 0, 0 };
    uint64_t changed = 0;
    int r = cli_open_store(&store, q->common, SCRY_STORE_WRITE, &err);
    if (r == 0)
        r = scry_pictures_named(store, pictures, (size_t)n, &list, &err);
    if (r == 0)
        r = scry_set_kept(store, (const uint8_t (*)[SCRY_ID_BYTES])list.ids, list.count, q->keep, &changed, &err);
    r = cli_close_store(store, r, &err);
    scry_id_list_dispose(&list);
    if (r == 0 && !q->common->quiet)
        fprintf(stderr, q->keep ? "%llu pictures are kept beside each other\n" : "%llu pictures are not kept any more\n",
                (unsigned long long)changed);
    return r < 0 ? cli_fail(&err) : CLI_OK;
}

/* What the options and `n` operands ask for. */
static int run(duplicates *q, char **operand, int n)
{
    if (!cli_view_check(&q->view))
        return CLI_ERROR;
    if (q->keep && q->forget)
        return cli_usage("give one of --keep and --forget");
    if (q->keep || q->forget)
        return n ? remember(q, operand, n) : cli_usage("--%s takes the pictures of a group", q->keep ? "keep" : "forget");
    if (n > 1 || (n && !operand[0][0]))
        return cli_usage("duplicates takes one folder at most");
    q->path = n ? operand[0] : NULL;
    return find(q);
}

static int run_duplicates(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    duplicates q = { .view = { .form = CLI_TABLE }, .cosine = SCRY_FOLD_AUTO, .common = &a.common };
    cli_begin(&a, &cmd_duplicates, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!take_option(&q, name, value)) {
            a.status = CLI_ERROR;
            break;
        }
    int status = a.status;
    if (status < 0)
        status = run(&q, argv + a.next, argc - a.next);
    cli_end(&a);
    return status;
}

const cli_command cmd_duplicates = {
    .name = "duplicates",
    .usage = "[OPTION]... [PATH] | --keep PICTURE... | --forget PICTURE...",
    .summary = "Show groups of pictures that are the same, or nearly, and which one to keep",
    .details =
        "The one to keep is the first of a group: it has the most pixels, then a time in its headers, then the\n"
        "most bytes; of files of the same bytes it is the oldest. All others of the group are near that one and\n"
        "have nearly its shape. Groups with the most bytes to save come first. PATH is a folder of the index, or\n"
        "a picture; the default is everything. Nothing is deleted, and a RAW beside its JPEG is not a duplicate.\n\n"
        "Pictures of a series are nearly the same to a model: look at them before you delete any. A series of which\n"
        "all are worth keeping is not shown any more after --keep, which the store remembers, until another picture\n"
        "joins it.\n\n"
        "Examples:\n"
        "  scry duplicates --html duplicates.html ~/Pictures\n"
        "  scry duplicates --exact --paths -0 | xargs -0 ls -l\n"
        "  scry duplicates --similarity 0.98 --json\n"
        "  scry duplicates --keep IMG_0042.jpg IMG_0043.jpg IMG_0044.jpg\n\n"
        "Exit status: 0 some found, 1 none, 2 an error.\n",
    .options = options,
    .common = CLI_FILTER | CLI_STORE,
    .run = run_duplicates,
};
