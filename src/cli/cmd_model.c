/* cmd_model.c - `scry model list | info | add | pull | rm`. */
#include "cli/cli.h"
#include "cli/commands.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "scry/registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_option options[] = {
    { "copy", NULL, "add: copy the checkpoint instead of recording where it lies", 0, NULL },
    { "name", "NAME", "pull: keep it under this name", 0, NULL },
    { "catalogue", NULL, "list: the models that can be pulled by name", 0, NULL },
    { "json", NULL, "print JSON", 0, NULL },
    { 0 },
};

typedef struct {
    const char *name;
    bool copy, catalogue, json, quiet;
} request;

static void key_str(scry_json_writer *w, const char *key, const char *value)
{
    scry_json_key(w, key);
    scry_json_put_str(w, value && value[0] ? value : NULL);
}

static void key_int(scry_json_writer *w, const char *key, int64_t value)
{
    scry_json_key(w, key);
    scry_json_put_int(w, value);
}

static void print_and_dispose(scry_buf *b)
{
    puts(scry_buf_str(b));
    scry_buf_dispose(b);
}

/* ---- list ---- */

static void put_record(scry_json_writer *w, const scry_model_record *r)
{
    key_str(w, "name", r->name);
    key_str(w, "dir", r->dir);
    scry_json_key(w, "bundled");
    scry_json_put_bool(w, r->bundled);
    scry_json_key(w, "linked");
    scry_json_put_bool(w, r->linked);
    key_str(w, "source", r->source);
    key_str(w, "added_at", r->added_at);
    key_int(w, "bytes", (int64_t)r->bytes);
    key_str(w, "problem", r->problem);
}

static int json_record(void *arg, const scry_model_record *r)
{
    scry_json_writer *w = arg;
    scry_json_begin(w, '{');
    put_record(w, r);
    key_str(w, "identity", r->identity);
    key_str(w, "family", r->family);
    key_str(w, "licence", r->licence);
    key_int(w, "dim", r->dim);
    scry_json_end(w, '}');
    return 0;
}

static int print_record(void *arg, const scry_model_record *r)
{
    char dim[24] = "";
    if (r->dim)
        snprintf(dim, sizeof dim, "%d-d", r->dim);
    printf("%-18s %7.1f MB  %6s  %s%s%s\n", r->name, (double)r->bytes / 1e6, dim,
           r->bundled ? "(came with scry)" : r->source[0] ? r->source : r->dir, r->problem[0] ? "  ! " : "", r->problem);
    return 0;
}

static int json_entry(void *arg, const scry_catalogue_entry *e)
{
    scry_json_writer *w = arg;
    scry_json_begin(w, '{');
    key_str(w, "name", e->name);
    key_str(w, "repository", e->repository);
    key_str(w, "revision", e->revision);
    key_str(w, "licence", e->licence);
    key_str(w, "summary", e->summary);
    key_int(w, "megabytes", e->megabytes);
    key_int(w, "dim", e->dim);
    key_int(w, "image_size", e->image_size);
    scry_json_end(w, '}');
    return 0;
}

static int print_entry(void *arg, const scry_catalogue_entry *e)
{
    char size[24] = "";
    if (e->megabytes)
        snprintf(size, sizeof size, "%d MB", e->megabytes);
    printf("%-18s %8s  %4d-d  %-6s  %s\n", e->name, size, e->dim, e->licence, e->summary);
    return 0;
}

static int list(const request *q, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(16 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    if (q->json)
        scry_json_begin(&w, '[');
    int r = q->catalogue ? scry_catalogue_each(q->json ? json_entry : print_entry, &w, err)
                         : scry_models_each(q->json ? json_record : print_record, &w, err);
    if (q->json)
        scry_json_end(&w, ']');
    if (r == 0 && q->json)
        print_and_dispose(&b);
    else
        scry_buf_dispose(&b);
    if (r == 0 && !q->json && !q->catalogue && !q->quiet)
        fputs("(models to pull: scry model list --catalogue)\n", stderr);
    return r;
}

/* ---- info ---- */

typedef struct {
    const request *q;
    const scry_model_info *info;
} details;

static const char *fit_name(scry_fit fit)
{
    return fit == SCRY_FIT_SQUASH ? "squash" : "crop";
}

static void print_image_spec(const scry_image_spec *s)
{
    printf("pixels      %d x %d, %s", s->size, s->size, s->filter == SCRY_FILTER_BICUBIC ? "bicubic" : "bilinear");
    for (int v = 0; v < s->views; v++)
        printf("%s%s", v ? " + " : ", ", fit_name(s->fit[v]));
    putchar('\n');
}

static int print_details(void *arg, const scry_model_record *r)
{
    const scry_model_info *m = ((details *)arg)->info;
    const struct { const char *title, *text; } lines[] = {
        { "model", r->name }, { "folder", m->dir }, { "family", m->family }, { "image tower", m->image_summary },
        { "text tower", m->text_summary }, { "tokenizer", m->tokenizer }, { "preproc.", m->preprocessing },
        { "weights", m->dtype }, { "licence", m->licence ? m->licence : r->licence[0] ? r->licence : "not known" },
        { "pulled from", r->source }, { "added", r->added_at }, { "identity", m->identity }, { "problem", r->problem },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].text && lines[i].text[0])
            printf("%-11s %s\n", lines[i].title, lines[i].text);
    print_image_spec(&m->image);
    printf("vectors     %d dimensions, arithmetic here %s\n", m->dim, cli_precision_name(m->precision));
    printf("text        at most %d tokens\n", m->context);
    printf("scale       %.6g\n", m->logit_scale);
    if (!isnan(m->min_score))
        printf("min score   %.3f\n", m->min_score);
    printf("size        %.1f MB\n", (double)r->bytes / 1e6);
    return 0;
}

static int json_details(void *arg, const scry_model_record *r)
{
    const scry_model_info *m = ((details *)arg)->info;
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    put_record(&w, r);
    key_str(&w, "family", m->family);
    key_str(&w, "identity", m->identity);
    key_str(&w, "image_tower", m->image_summary);
    key_str(&w, "text_tower", m->text_summary);
    key_str(&w, "tokenizer", m->tokenizer);
    key_str(&w, "preprocessing", m->preprocessing);
    key_str(&w, "dtype", m->dtype);
    key_str(&w, "precision", cli_precision_name(m->precision));
    key_str(&w, "licence", m->licence ? m->licence : r->licence);
    key_int(&w, "dim", m->dim);
    key_int(&w, "context", m->context);
    key_int(&w, "image_size", m->image.size);
    key_int(&w, "views", m->image.views);
    scry_json_key(&w, "logit_scale");
    scry_json_put_num(&w, m->logit_scale, 9);
    scry_json_key(&w, "min_score");
    scry_json_put_num(&w, m->min_score, 9);
    scry_json_end(&w, '}');
    print_and_dispose(&b);
    return 0;
}

static int info(const request *q, const char *name, scry_error *err)
{
    scry_model *model;
    int r = cli_open_model_named(&model, name, NULL, err);
    if (r < 0)
        return r;
    details d = { q, scry_model_get_info(model) };
    r = scry_model_find(name, q->json ? json_details : print_details, &d, err);
    scry_model_free(model);
    return r;
}

/* ---- pull ---- */

typedef struct {
    bool shown, terminal;
    double last_ms;
} meter;

static void show_bytes(void *arg, const char *file, uint64_t done, uint64_t total)
{
    meter *m = arg;
    double now = scry_now_ms();
    if (!m->terminal || (now - m->last_ms < 200 && done < total))
        return;
    m->last_ms = now;
    m->shown = true;
    fprintf(stderr, "\r%-32.32s %8.1f / %.1f MB\033[K", file, (double)done / 1e6, (double)total / 1e6);
}

static int pull(const request *q, const char *what, scry_error *err)
{
    meter m = { .terminal = !q->quiet && isatty(STDERR_FILENO) == 1 };
    scry_pull_options o = { .what = what, .name = q->name, .progress = show_bytes, .arg = &m };
    char *name;
    int r = scry_model_pull(&o, &name, err);
    if (m.shown)
        fputs("\r\033[K", stderr);
    if (r == 0) {
        printf("%s\n", name);
        if (!q->quiet)
            fprintf(stderr, "ready: scry index --model %s --collection %s PATH\n", name, name);
        free(name);
    }
    return r;
}

/* ---- the command ---- */

static int add(const request *q, const char *name, const char *dir, scry_error *err)
{
    int r = scry_model_add(name, dir, q->copy, err);
    if (r == 0 && !q->quiet)
        fprintf(stderr, "added: scry index --model %s --collection %s PATH\n", name, name);
    return r;
}

static int dispatch(const request *q, char **operand, int n)
{
    scry_error err = SCRY_ERROR_INIT;
    const char *verb = n ? operand[0] : "list";
    int r;
    if (strcmp(verb, "list") == 0 && n <= 1)
        r = list(q, &err);
    else if (strcmp(verb, "info") == 0 && n <= 2)
        r = info(q, n == 2 ? operand[1] : SCRY_STARTER_MODEL, &err);
    else if (strcmp(verb, "add") == 0 && n == 3)
        r = add(q, operand[1], operand[2], &err);
    else if (strcmp(verb, "pull") == 0 && n == 2)
        r = pull(q, operand[1], &err);
    else if ((strcmp(verb, "rm") == 0 || strcmp(verb, "remove") == 0) && n == 2)
        r = scry_model_remove(operand[1], &err);
    else
        return cli_usage("model takes: list, info [NAME|DIR], add NAME DIR, pull NAME or rm NAME (see `scry model --help`)");
    return r < 0 ? cli_fail(&err) : CLI_OK;
}

static int run_model(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    request q = { 0 };
    cli_begin(&a, &cmd_model, argc, argv);
    while ((name = cli_next(&a, &value))) {
        if (strcmp(name, "name") == 0)
            q.name = value;
        else
            *(strcmp(name, "copy") == 0 ? &q.copy : strcmp(name, "json") == 0 ? &q.json : &q.catalogue) = true;
    }
    q.quiet = a.common.quiet;
    int status = a.status;
    if (status < 0)
        status = dispatch(&q, argv + a.next, argc - a.next);
    cli_end(&a);
    return status;
}

const cli_command cmd_model = {
    .name = "model",
    .usage = "[OPTION]... [list | info [NAME|DIR] | add NAME DIR | pull NAME | rm NAME]",
    .summary = "List, show, add, fetch and remove models",
    .details =
        "A model is a checkpoint folder: a Hugging Face one (config.json, model.safetensors, tokenizer) or an\n"
        "open_clip one (open_clip_config.json, open_clip_model.safetensors). `add` checks all of it and\n"
        "gives it a name; the starter model is there without. `pull` fetches one of the catalogue, or\n"
        "OWNER/NAME[@REVISION], from $SCRY_HUB_URL (default https://huggingface.co), goes on where it\n"
        "broke off, and checks what the host declares. Besides it, scry reaches out to the network\n"
        "for a store on Milvus only.\n\n"
        "Examples:\n"
        "  scry model list --catalogue\n"
        "  scry model pull laion-b32\n"
        "  scry model add mine ~/checkpoints/clip-vit-base-patch32\n"
        "  scry model info mine --json\n",
    .options = options,
    .verbs = "list info add pull rm",
    .run = run_model,
};
