/* cmd_eval.c - `scry eval`: measure how well models find described pictures. */
#include "cli/cli.h"
#include "cli/commands.h"

#include "base/alloc.h"
#include "base/json.h"
#include "cli/progress.h"
#include "scry/eval.h"
#include "scry/registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "captions", "FILE", "table of pictures and captions (CSV or TSV with a header line)", 0, NULL },
    { "labels", "FILE", "table of pictures and their classes: zero-shot classification", 0, NULL },
    { "pictures", "DIR", "folder of the pictures (default: the table's, or img/ or images/ in it)", 0, NULL },
    { "column", "NAME", "column of the texts (default: caption, text, caption_en ... or label, class ...)", 0, NULL },
    { "file-column", "NAME", "column of the pictures (default: file, path, filename, image)", 0, NULL },
    { "where", "COL=VALUE", "only rows that have VALUE in column COL", 0, NULL },
    { "limit", "N", "a sample of N pictures from the whole table, the same on every run", 'n', NULL },
    { "model", "NAME|DIR", "model to evaluate (may be repeated: results side by side; default: the starter)", 0, NULL },
    { "collection", "NAME", "use the vectors of a collection and its model, without embedding (may be repeated)", 0, NULL },
    { "store", "PLACE", "where the collections are (default: $SCRY_STORE, else your data folder)", 0, NULL },
    { "compare", NULL, "two models are given as operands, before and after: the change of every figure, too", 0, NULL },
    { "precision", "WHICH", "arithmetic: auto, fp32, bf16 or int8 (default: auto)", 0, "auto fp32 bf16 int8" },
    { "language", "CODE", "language of captions and labels, for models with NLLB's texts: deu_Latn or deu (default: auto)", 0, NULL },
    { "template", "TEXT", "sentence around a label, which replaces {} (may be repeated: averaged)", 0, NULL },
    { "picture-to-text", NULL, "captions: also find the caption of a picture", 0, NULL },
    { "no-normalize", NULL, "rank by the distance between vectors that are not normalised", 0, NULL },
    { "project", "N", "project the vectors at random to N dimensions first", 0, NULL },
    { "json", NULL, "print one JSON object", 0, NULL },
    { "tsv", NULL, "print a line of tab-separated values for each model", 0, NULL },
    { "no-rotate", NULL, "ignore the EXIF orientation", 0, NULL },
    { "exact", NULL, "decode JPEGs in full before resizing (slower)", 0, NULL },
    { "jobs", "N", "worker threads (default: one per processor)", 'j', NULL },
    { "progress", NULL, "show progress even when stderr is not a terminal", 0, NULL },
    { 0 },
};

enum { MAX_MODELS = 32, MAX_TEMPLATES = 100 };

typedef struct {
    const char *name;           /* of a model (NULL: the starter), or of a collection */
    bool is_collection;
    scry_model *model;
    scry_eval_report report;
} judged;

typedef struct {
    scry_eval_set_options set;
    scry_eval_options run;
    const char *templates[MAX_TEMPLATES];
    size_t model_count, template_count;
    cli_common common;          /* for the collections */
    scry_precision precision;
    const char *language;       /* of texts; NULL: guessed */
    bool raw, json, tsv, compare, show_progress, quiet;
    cli_progress *progress;
    judged judged[MAX_MODELS];
} job;

/* ---- output ---- */

/* A model's name in a table: as given, without folders. */
static const char *title_of(const job *j, size_t m)
{
    const char *name = j->judged[m].name && j->judged[m].name[0] ? j->judged[m].name : SCRY_STARTER_MODEL;
    size_t n = strlen(name);
    while (n && name[n - 1] != '/')
        n--;
    return name[n] ? name + n : scry_model_get_info(j->judged[m].model)->name;
}

static void cell(char *out, size_t size, const scry_eval_figure *f)
{
    if (isnan(f->value))
        snprintf(out, size, "-");
    else if (f->kind == SCRY_FIGURE_SCORE)
        snprintf(out, size, "%.3f", f->value);
    else if (f->kind != SCRY_FIGURE_RATE)
        snprintf(out, size, "%.*f", f->kind == SCRY_FIGURE_RANK || f->value < 100 ? 1 : 0, f->value);
    else if (isnan(f->low))
        snprintf(out, size, "%.1f", 100 * f->value);
    else
        snprintf(out, size, "%.1f (%.1f-%.1f)", 100 * f->value, 100 * f->low, 100 * f->high);
}

/* What the second model has over the first; NAN for what is no property of a model. */
static double change_of(const job *j, size_t f)
{
    const scry_eval_figure *was = &j->judged[0].report.figures[f], *is = &j->judged[1].report.figures[f];
    return was->kind == SCRY_FIGURE_SPEED ? NAN : is->value - was->value;
}

/* Neither value is in the other's interval. */
static bool is_clear(const job *j, size_t f)
{
    const scry_eval_figure *was = &j->judged[0].report.figures[f], *is = &j->judged[1].report.figures[f];
    return is->low > was->high || is->high < was->low;
}

static void print_change(const job *j, size_t f)
{
    scry_figure_kind kind = j->judged[0].report.figures[f].kind;
    double change = change_of(j, f);
    if (isnan(change))
        printf("  -");
    else
        printf("  %+.*f%s", kind == SCRY_FIGURE_SCORE ? 3 : 1, kind == SCRY_FIGURE_RATE ? 100 * change : change,
               is_clear(j, f) ? " *" : "");
}

enum { TITLE = 14, COLUMN = 20 };

static void print_table(const job *j)
{
    const scry_eval_report *first = &j->judged[0].report;
    printf("%-*s", TITLE, "");
    for (size_t m = 0; m < j->model_count; m++)
        cli_print("  %-*.*s", COLUMN, COLUMN, title_of(j, m));
    printf("%s\n%-*s", j->compare ? "  change" : "", TITLE, "dimensions");
    for (size_t m = 0; m < j->model_count; m++)
        printf("  %-*d", COLUMN, j->judged[m].report.dim);
    printf("\n%-*s", TITLE, "pictures");
    for (size_t m = 0; m < j->model_count; m++)
        printf("  %-*zu", COLUMN, j->judged[m].report.pictures);
    printf("\n%-*s", TITLE, j->set.labels ? "labels" : "captions");
    for (size_t m = 0; m < j->model_count; m++)
        printf("  %-*zu", COLUMN, j->judged[m].report.texts);
    for (size_t f = 0; f < first->count; f++) {
        printf("\n%-*s", TITLE, first->figures[f].title);
        for (size_t m = 0; m < j->model_count; m++) {
            char text[64];
            cell(text, sizeof text, &j->judged[m].report.figures[f]);
            printf("  %-*s", COLUMN, text);
        }
        if (j->compare)
            print_change(j, f);
    }
    printf("\n");
    if (!j->quiet && j->compare)
        printf("(change: *, where the intervals do not overlap)\n");
    if (!j->quiet)
        printf("(per cent; in brackets the 95 %% interval; mAP@10t: the tutorial's formula)\n");
}

static void put_figure(scry_json_writer *w, const scry_eval_figure *f)
{
    scry_json_key(w, f->key);
    scry_json_begin(w, '{');
    scry_json_add_num(w, "value", f->value, 9);
    if (f->kind == SCRY_FIGURE_RATE) {
        scry_json_add_num(w, "low", f->low, 9);
        scry_json_add_num(w, "high", f->high, 9);
    }
    scry_json_end(w, '}');
}

static void put_judged(scry_json_writer *w, const judged *m, const char *title)
{
    const scry_model_info *info = scry_model_get_info(m->model);
    const struct { const char *key; size_t n; } counts[] = {
        { "dim", (size_t)m->report.dim }, { "pictures", m->report.pictures },
        { "texts", m->report.texts }, { "skipped", m->report.skipped },
    };
    scry_json_begin(w, '{');
    scry_json_add_str(w, "model", title);
    scry_json_add_str(w, "identity", info->identity);
    scry_json_add_str(w, "precision", cli_precision_name(info->precision));
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
        scry_json_add_int(w, counts[k].key, (int64_t)counts[k].n);
    scry_json_key(w, "figures");
    scry_json_begin(w, '{');
    for (size_t f = 0; f < m->report.count; f++)
        put_figure(w, &m->report.figures[f]);
    scry_json_end(w, '}');
    scry_json_end(w, '}');
}

static void print_json(const job *j)
{
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "table", j->set.table);
    scry_json_add_str(&w, "kind", j->set.labels ? "labels" : "captions");
    scry_json_add_bool(&w, "normalized", !j->raw);
    scry_json_key(&w, "models");
    scry_json_begin(&w, '[');
    for (size_t m = 0; m < j->model_count; m++)
        put_judged(&w, &j->judged[m], title_of(j, m));
    scry_json_end(&w, ']');
    if (j->compare) {
        scry_json_key(&w, "change");
        scry_json_begin(&w, '{');
        for (size_t f = 0; f < j->judged[0].report.count; f++)
            if (!isnan(change_of(j, f)))
                scry_json_add_num(&w, j->judged[0].report.figures[f].key, change_of(j, f), 9);
        scry_json_end(&w, '}');
    }
    scry_json_end(&w, '}');
    cli_print_json(&b);
    scry_buf_dispose(&b);
}

static void print_tsv(const job *j)
{
    const scry_eval_report *first = &j->judged[0].report;
    printf("model\tdim\tpictures\ttexts\tskipped");
    for (size_t f = 0; f < first->count; f++) {
        const char *key = first->figures[f].key;
        if (first->figures[f].kind == SCRY_FIGURE_RATE)
            printf("\t%s\t%s_low\t%s_high", key, key, key);
        else
            printf("\t%s", key);
    }
    for (size_t m = 0; m < j->model_count; m++) {
        const scry_eval_report *r = &j->judged[m].report;
        putchar('\n');
        cli_print("%s", title_of(j, m));
        printf("\t%d\t%zu\t%zu\t%zu", r->dim, r->pictures, r->texts, r->skipped);
        for (size_t f = 0; f < r->count; f++) {
            const scry_eval_figure *x = &r->figures[f];
            if (x->kind == SCRY_FIGURE_RATE)
                printf("\t%.6f\t%.6f\t%.6f", x->value, x->low, x->high);
            else
                printf("\t%.4g", x->value);
        }
    }
    putchar('\n');
}

/* ---- run ---- */

static void picture_failed(void *arg, size_t index, const char *path, const char *reason)
{
    job *j = arg;
    cli_progress_clear(j->progress);
    if (!j->quiet)
        cli_skipped(path, reason);
}

static void show(void *arg, size_t done, size_t total)
{
    if (done % 16 == 0 || done == total)
        cli_progress_show(((job *)arg)->progress, done, total, false, done);
}

static void show_ranked(void *arg, size_t done, size_t total)
{
    cli_progress_show_share(((job *)arg)->progress, done, total);
}

/* The collection that `one` names, with the model that it was built with. */
static int open_collection(scry_store **store, judged *one, const job *j, scry_error *err)
{
    cli_common c = j->common;
    scry_store_info info = { 0 };
    scry_model_options o = { .precision = j->precision, .language = j->language };
    c.collection = one->name;
    int r = cli_open_store(store, &c, SCRY_STORE_READ, err);
    if (r < 0)
        return r;
    scry_store_describe(*store, &info);
    char *name = cli_recorded_model(&info);
    r = cli_open_model_named(&one->model, name, &o, err);
    free(name);
    if (r == 0)
        r = scry_store_check_model(*store, scry_model_get_info(one->model)->identity, info.model_name,
                                   scry_model_get_info(one->model)->dim, err);
    return r;
}

static int judge(job *j, const scry_eval_set *set, size_t m, scry_error *err)
{
    judged *one = &j->judged[m];
    scry_model_options o = { .precision = j->precision, .raw = j->raw, .language = j->language };
    scry_store *store = NULL;
    int r = one->is_collection ? open_collection(&store, one, j, err) : cli_open_model_named(&one->model, one->name, &o, err);
    if (r == 0 && j->run.project > scry_model_get_info(one->model)->dim)
        r = scry_fail(err, SCRY_EINVALID, "--project %d: %s has only %d dimensions", j->run.project,
                      scry_model_get_info(one->model)->name, scry_model_get_info(one->model)->dim);
    j->run.store = store;
    j->progress = cli_progress_new(j->quiet, j->show_progress);
    if (r == 0)
        r = scry_eval_run(one->model, set, &j->run, &one->report, err);
    cli_progress_free(j->progress);
    j->progress = NULL;
    (void)!scry_store_close(store, NULL);   /* read only */
    return r;
}

static int eval(job *j)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_eval_set *set = NULL;
    size_t skipped = 0, cut = 0;
    if (j->model_count == 0)
        j->judged[j->model_count++].name = getenv("SCRY_MODEL");   /* NULL: the starter */
    j->run.templates = j->templates;
    j->run.template_count = j->template_count;
    j->run.embed.failed = picture_failed;
    j->run.embed.texts_cut = &cut;
    j->run.embed.progress = show;
    j->run.embed.arg = j;
    j->run.ranked = show_ranked;
    int r = scry_eval_set_read(&set, &j->set, &err);
    for (size_t m = 0; r == 0 && m < j->model_count; m++) {
        r = judge(j, set, m, &err);
        skipped += j->judged[m].report.skipped;
    }
    if (r == 0 && cut)
        cli_warn("texts that are longer than the model's input and were truncated: %zu", cut);
    if (r == 0 && j->json)
        print_json(j);
    else if (r == 0 && j->tsv)
        print_tsv(j);
    else if (r == 0)
        print_table(j);
    for (size_t m = 0; m < j->model_count; m++)
        scry_model_free(j->judged[m].model);
    scry_eval_set_free(set);
    return r < 0 ? cli_fail(&err) : skipped ? CLI_NOTHING : CLI_OK;
}

static bool take_text(job *j, const char *name, const char *value)
{
    if (strcmp(name, "captions") == 0 || strcmp(name, "labels") == 0) {
        if (j->set.table)
            return cli_usage("eval accepts one table: --captions FILE or --labels FILE"), false;
        j->set.table = value;
        j->set.labels = name[0] == 'l';
    } else if (strcmp(name, "pictures") == 0) {
        j->set.pictures = value;
    } else if (strcmp(name, "column") == 0) {
        j->set.text_column = value;
    } else if (strcmp(name, "file-column") == 0) {
        j->set.file_column = value;
    } else if (strcmp(name, "where") == 0) {
        j->set.where = value;
    } else if (strcmp(name, "language") == 0) {
        j->language = value;
    } else if (strcmp(name, "store") == 0) {
        j->common.store = value;
    } else if (strcmp(name, "model") == 0 || strcmp(name, "collection") == 0) {
        if (j->model_count == MAX_MODELS)
            return cli_usage("at most %d models and collections at once", MAX_MODELS), false;
        j->judged[j->model_count++] = (judged){ .name = value, .is_collection = name[0] == 'c' };
    } else {
        if (j->template_count == MAX_TEMPLATES)
            return cli_usage("at most %d templates", MAX_TEMPLATES), false;
        j->templates[j->template_count++] = value;
    }
    return true;
}

static bool take_flag(job *j, const char *name)
{
    const struct { const char *name; bool *flag; } flags[] = {
        { "picture-to-text", &j->run.picture_to_text }, { "no-normalize", &j->raw }, { "json", &j->json },
        { "tsv", &j->tsv }, { "no-rotate", &j->run.embed.keep_orientation }, { "exact", &j->run.embed.exact },
        { "progress", &j->show_progress }, { "compare", &j->compare },
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].flag = true;
    return false;
}

static bool take_option(job *j, const char *name, const char *value)
{
    long long n = 0;
    if (take_flag(j, name))
        return true;
    if (strcmp(name, "precision") == 0)
        return cli_precision(value, &j->precision);
    if (strcmp(name, "limit") == 0) {
        bool good = cli_int(name, value, 1, 100000000, &n);
        j->set.limit = (size_t)n;
        return good;
    }
    if (strcmp(name, "project") == 0) {
        bool good = cli_int(name, value, 1, 65536, &n);
        j->run.project = (int)n;
        return good;
    }
    if (strcmp(name, "jobs") == 0) {
        bool good = cli_int(name, value, 1, 256, &n);
        j->run.embed.workers = (int)n;
        return good;
    }
    return take_text(j, name, value);
}

/* The operands of --compare, or none. */
static int take_operands(job *j, char **operands, int n)
{
    if (!j->compare)
        return n == 0 ? -1 : cli_usage("eval accepts no operand \"%s\"", operands[0]);
    if (n != 2 || j->model_count)
        return cli_usage("--compare needs two models after it, before and after, and no --model or --collection");
    for (int i = 0; i < 2; i++)
        j->judged[j->model_count++] = (judged){ .name = operands[i] };
    return -1;
}

static int run_eval(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    job *j = scry_alloc(sizeof *j);
    cli_begin(&a, &cmd_eval, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!take_option(j, name, value)) {
            a.status = CLI_ERROR;
            break;
        }
    int status = a.status;
    j->quiet = a.common.quiet;
    j->run.euclidean = j->raw;
    j->common.quiet = j->quiet;
    j->common.wait = a.common.wait;
    for (size_t m = 0; status < 0 && j->raw && m < j->model_count; m++)
        if (j->judged[m].is_collection)
            status = cli_usage("--no-normalize needs the pictures embedded: give --model instead of --collection");
    if (status < 0 && !j->set.table)
        status = cli_usage("eval requires --captions FILE or --labels FILE");
    if (status < 0)
        status = take_operands(j, argv + a.next, argc - a.next);
    if (status < 0)
        status = eval(j);
    cli_end(&a);
    free(j);
    return status;
}

const cli_command cmd_eval = {
    .name = "eval",
    .usage = "--captions FILE | --labels FILE [OPTION]... [--compare MODEL MODEL]",
    .summary = "Measure how well models find described pictures",
    .details =
        "With captions: recall at 1, 5 and 10, the median rank and mAP@10 of finding each caption's\n"
        "picture. With labels: zero-shot accuracy, mAP@10 of label to pictures and picture to pictures.\n"
        "The whole program is measured: decoding, towers, exact ranking. --collection takes the pictures'\n"
        "vectors from a collection, so that two collections of different models are compared in seconds;\n"
        "pictures that it does not have are excluded. --compare prints what a second model, such as a tuned\n"
        "one, has over a first.\n\n"
        "Examples:\n"
        "  scry eval --captions flickr8k/captions.tsv --where split=dev\n"
        "  scry eval --labels photos.csv --model starter --model clip-b32 --json\n"
        "  scry eval --captions mine.csv --collection default --collection siglip2\n"
        "  scry eval --captions flickr8k/captions.tsv --compare starter ~/models/products\n\n"
        "Exit status: 0 done, 1 some pictures could not be read and were excluded, 2 an error.\n",
    .options = options,
    .run = run_eval,
};
