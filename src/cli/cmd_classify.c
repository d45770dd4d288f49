/* cmd_classify.c - `scry classify`: the best of several labels for a picture, without training. */
#include "cli/cli.h"
#include "cli/commands.h"

#include "base/alloc.h"
#include "base/json.h"
#include "cli/line_list.h"
#include "scry/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "labels", "A,B,C", "the labels to choose from, joined by commas (may be repeated)", 'l', NULL },
    { "labels-file", "FILE", "more labels, one a line (- for standard input)", 0, NULL },
    { "template", "TEXT", "sentence around a label, which replaces {} (may be repeated: averaged)", 0, NULL },
    { "top", "N", "show the N most likely labels (default: 3)", 'n', NULL },
    { "json", NULL, "print one JSON object per line, for each picture", 0, NULL },
    { "no-rotate", NULL, "ignore the EXIF orientation", 0, NULL },
    { 0 },
};

enum { MAX_LABELS = 100000, MAX_TEMPLATES = 100, CHUNK = 1024 };

typedef struct {
    char **labels;      /* owned */
    size_t label_count, capacity;
    const char *templates[MAX_TEMPLATES];
    size_t template_count, top, failed, cut;   /* cut: sentences that are longer than the model reads */
    bool json;
    scry_embed_options options;
} job;

typedef struct {
    double probability;
    size_t label;
} choice;

static int add_label(job *j, const char *text, size_t n, scry_error *err)
{
    while (n && (*text == ' ' || *text == '\t'))
        text++, n--;
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    if (n == 0)
        return 0;
    if (j->label_count == MAX_LABELS)
        return scry_fail(err, SCRY_ELIMIT, "more than %d labels", MAX_LABELS);
    if (j->label_count == j->capacity) {
        j->capacity = j->capacity * 2 + 64;
        j->labels = scry_realloc(j->labels, j->capacity * sizeof *j->labels);
    }
    j->labels[j->label_count++] = scry_strndup(text, n);
    return 0;
}

static int add_list(job *j, const char *list, scry_error *err)
{
    int r = 0;
    for (const char *p = list; r == 0; p++) {
        size_t n = strcspn(p, ",");
        r = add_label(j, p, n, err);
        p += n;
        if (!*p)
            break;
    }
    return r;
}

static int add_file(job *j, const char *path, scry_error *err)
{
    cli_line_list lines;
    int r = cli_read_lines(&lines, path, err);
    for (size_t i = 0; r == 0 && i < lines.count; i++)
        r = add_label(j, lines.list[i], strlen(lines.list[i]), err);
    cli_line_list_dispose(&lines);
    return r;
}

static int compare(const void *a, const void *b)
{
    const choice *x = a, *y = b;
    if (x->probability != y->probability)
        return x->probability < y->probability ? 1 : -1;
    return (x->label > y->label) - (x->label < y->label);
}

static void print_text(const job *j, const char *path, const choice *c, size_t n)
{
    char *name = cli_quoted(stdout, path);
    printf("%s:", name);
    for (size_t i = 0; i < n; i++)
        cli_print("%s %s %.1f%%", i ? "," : "", j->labels[c[i].label], 100 * c[i].probability);
    putchar('\n');
    free(name);
}

static void print_json(const job *j, const char *path, const choice *c, size_t n)
{
    scry_buf b = SCRY_BUF_INIT(64 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "path", path);
    scry_json_key(&w, "labels");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < n; i++) {
        scry_json_begin(&w, '{');
        scry_json_add_str(&w, "label", j->labels[c[i].label]);
        scry_json_add_num(&w, "probability", c[i].probability, 6);
        scry_json_end(&w, '}');
    }
    scry_json_end(&w, ']');
    scry_json_add_bool(&w, "text_cut", j->cut > 0);
    scry_json_end(&w, '}');
    cli_print_json(&b);
    scry_buf_dispose(&b);
}

static void print_picture(const job *j, const char *path, const double *p, choice *c)
{
    for (size_t i = 0; i < j->label_count; i++)
        c[i] = (choice){ p[i], i };
    qsort(c, j->label_count, sizeof *c, compare);
    (j->json ? print_json : print_text)(j, path, c, j->top < j->label_count ? j->top : j->label_count);
}

static void picture_failed(void *arg, size_t index, const char *path, const char *reason)
{
    cli_skipped(path, reason);
}

/* CHUNK pictures at a time, so that memory does not grow with their number. */
static int classify_files(job *j, const scry_model *model, const float *labels, const char *const *files, size_t n,
                          scry_error *err)
{
    const scry_model_info *info = scry_model_get_info(model);
    size_t dim = (size_t)info->dim, failed;
    float *rows = scry_alloc(CHUNK * dim * sizeof *rows);
    double *p = scry_alloc(j->label_count * sizeof *p);
    choice *c = scry_alloc(j->label_count * sizeof *c);
    int r = 0;
    for (size_t from = 0; r == 0 && from < n; from += CHUNK) {
        size_t count = n - from < CHUNK ? n - from : CHUNK;
        r = scry_embed_files(model, files + from, count, &j->options, rows, &failed, err);
        j->failed += failed;
        for (size_t i = 0; r == 0 && i < count; i++) {
            if (isnan(rows[i * dim]))
                continue;
            scry_label_probabilities(p, info, rows + i * dim, labels, j->label_count);
            print_picture(j, files[from + i], p, c);
        }
    }
    free(c);
    free(p);
    free(rows);
    return r;
}

static int classify(const cli_common *c, job *j, const char *const *files, size_t n)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_model *model = NULL;
    float *labels = NULL;
    j->options.failed = picture_failed;
    j->options.texts_cut = &j->cut;
    int r = cli_open_model(&model, c, NULL, &err);
    if (r == 0) {
        labels = scry_try_alloc(j->label_count * (size_t)scry_model_get_info(model)->dim, sizeof *labels);
        if (!labels)
            r = scry_fail(&err, SCRY_ENOMEM, "not enough memory for %zu labels", j->label_count);
    }
    if (r == 0)
        r = scry_embed_labels(model, (const char *const *)j->labels, j->label_count, j->templates, j->template_count,
                              &j->options, labels, &err);
    if (r == 0 && j->cut)
        cli_warn("labels that, in their template, are longer than the model's input and were truncated: %zu", j->cut);
    if (r == 0)
        r = classify_files(j, model, labels, files, n, &err);
    free(labels);
    scry_model_free(model);
    return r < 0 ? cli_fail(&err) : j->failed ? CLI_NOTHING : CLI_OK;
}

static bool take_option(job *j, const char *name, const char *value)
{
    scry_error err = SCRY_ERROR_INIT;
    long long n;
    if (strcmp(name, "json") == 0)
        return j->json = true;
    if (strcmp(name, "no-rotate") == 0)
        return j->options.keep_orientation = true;
    if (strcmp(name, "top") == 0) {
        bool good = cli_int(name, value, 1, MAX_LABELS, &n);
        j->top = good ? (size_t)n : 0;
        return good;
    }
    if (strcmp(name, "template") == 0) {
        if (j->template_count == MAX_TEMPLATES)
            return cli_usage("at most %d templates", MAX_TEMPLATES), false;
        j->templates[j->template_count++] = value;
        return true;
    }
    int r = strcmp(name, "labels") == 0 ? add_list(j, value, &err) : add_file(j, value, &err);
    return r == 0 || (cli_fail(&err), false);
}

static int run_classify(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    job j = { .top = 3, .options = SCRY_EMBED_OPTIONS_INIT };
    cli_begin(&a, &cmd_classify, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!take_option(&j, name, value)) {
            a.status = CLI_ERROR;
            break;
        }
    int status = a.status;
    if (status < 0 && j.label_count < 2)
        status = cli_usage("classify requires at least two labels: --labels A,B or --labels-file FILE");
    if (status < 0 && a.next == argc)
        status = cli_usage("classify requires at least one picture file");
    if (status < 0)
        status = classify(&a.common, &j, (const char *const *)argv + a.next, (size_t)(argc - a.next));
    for (size_t i = 0; i < j.label_count; i++)
        free(j.labels[i]);
    free(j.labels);
    cli_end(&a);
    return status;
}

const cli_command cmd_classify = {
    .name = "classify",
    .usage = "--labels A,B,C [OPTION]... FILE...",
    .summary = "Find the label that fits a picture best",
    .details =
        "The probability of a label is softmax(scale * cosine) over the given labels: it shows which fits\n"
        "best, not whether any fits. With SigLIP it is sigmoid(scale * cosine + bias) for each label alone,\n"
        "and all may be low. A label is inserted into the sentence \"" SCRY_LABEL_TEMPLATE "\".\n\n"
        "Examples:\n"
        "  scry classify --labels cat,dog,horse *.jpg\n"
        "  scry classify --labels-file species.txt --template \"a photo of a {}, a kind of bird\" bird.jpg\n\n"
        "Exit status: 0 done, 1 some pictures could not be read, 2 an error.\n",
    .options = options,
    .common = CLI_MODEL,
    .run = run_classify,
};
