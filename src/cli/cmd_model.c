/* cmd_model.c - `scry model list | info | add | pull | teach | forget | rm`. */
#include "cli/cancel.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/model_teach.h"
#include "cli/progress.h"
#include "cli/suggest.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "scry/registry.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_option options[] = {
    { "copy", NULL, "add: copy the checkpoint instead of recording its path", 0, NULL },
    { "texts", "DIR", "add: read texts with this checkpoint, made for the pictures of the other", 0, NULL },
    { "from-cache", NULL, "add: DIR is OWNER/NAME, fetched before by programs of Hugging Face", 0, NULL },
    { "name", "NAME", "pull: store it under this name", 0, NULL },
    { "catalogue", NULL, "list: the models that can be pulled by name", 0, NULL },
    { "json", NULL, "print JSON", 0, NULL },
    { 0 },
};

typedef struct {
    const char *name;
    const char *texts;
    bool copy, from_cache, catalogue, json, quiet;
    const cli_common *common;
} request;

/* null for an empty text. */
static void add_text(scry_json_writer *w, const char *key, const char *value)
{
    scry_json_add_str(w, key, value && value[0] ? value : NULL);
}

static void print_and_dispose(scry_buf *b)
{
    cli_print_json(b);
    scry_buf_dispose(b);
}

/* ---- list ---- */

static void put_record(scry_json_writer *w, const scry_model_record *r)
{
    add_text(w, "name", r->name);
    add_text(w, "dir", r->dir);
    scry_json_add_bool(w, "bundled", r->bundled);
    scry_json_add_bool(w, "linked", r->linked);
    scry_json_add_bool(w, "unfinished", r->unfinished);
    add_text(w, "source", r->source);
    add_text(w, "added_at", r->added_at);
    scry_json_add_int(w, "bytes", (int64_t)r->bytes);
    add_text(w, "problem", r->problem);
}

static int json_record(void *arg, const scry_model_record *r)
{
    scry_json_writer *w = arg;
    scry_json_begin(w, '{');
    put_record(w, r);
    add_text(w, "identity", r->identity);
    add_text(w, "family", r->family);
    add_text(w, "licence", r->licence);
    scry_json_add_int(w, "dim", r->dim);
    scry_json_end(w, '}');
    return 0;
}

static int print_record(void *arg, const scry_model_record *r)
{
    char dim[24] = "";
    if (r->dim)
        snprintf(dim, sizeof dim, "%d-d", r->dim);
    cli_print("%-18s %7.1f MB  %6s  %s%s%s\n", r->name, (double)r->bytes / 1e6, dim,
           r->bundled ? "(came with scry)" : r->source[0] ? r->source : r->dir, r->problem[0] ? "  ! " : "", r->problem);
    return 0;
}

static int json_entry(void *arg, const scry_catalogue_entry *e)
{
    scry_json_writer *w = arg;
    scry_json_begin(w, '{');
    add_text(w, "name", e->name);
    add_text(w, "repository", e->repository);
    add_text(w, "revision", e->revision);
    add_text(w, "licence", e->licence);
    add_text(w, "summary", e->summary);
    scry_json_add_int(w, "megabytes", e->megabytes);
    scry_json_add_int(w, "dim", e->dim);
    scry_json_add_int(w, "image_size", e->image_size);
    add_text(w, "recommended_for", e->recommended_for);
    add_text(w, "languages", e->languages);
    scry_json_add_num(w, "coco_recall_at_1", e->coco_recall_at_1, 4);
    add_text(w, "recall_source", e->recall_source);
    scry_json_add_num(w, "gflop", e->gflop, 4);
    scry_json_add_bool(w, "checked", e->checked);
    scry_json_end(w, '}');
    return 0;
}

static int print_recommended(void *arg, const scry_catalogue_entry *e)
{
    if (e->recommended_for)
        cli_print("%-22s scry model pull %s\n", e->recommended_for, e->name);
    return 0;
}

static int explain_recommended(void *arg, const scry_catalogue_entry *e)
{
    if (e->recommended_for)
        fprintf(stderr, "  %-22s scry model pull %-20s %5d MB  %s\n", e->recommended_for, e->name, e->megabytes, e->summary);
    return 0;
}

static int print_entry(void *arg, const scry_catalogue_entry *e)
{
    char size[24] = "?", recall[24] = "-", gflop[24] = "-";
    if (e->megabytes)
        snprintf(size, sizeof size, "%d", e->megabytes);
    if (!isnan(e->coco_recall_at_1))
        snprintf(recall, sizeof recall, "%.1f", e->coco_recall_at_1);
    if (!isnan(e->gflop))
        snprintf(gflop, sizeof gflop, "%.3g", e->gflop);
    cli_print("%-18s%s %5s  %4s  %5s  %-9s  %-12s  %s\n", e->name, e->checked ? " " : "*", size, recall, gflop, e->languages, e->licence,
              e->summary);
    return 0;
}

static int list_catalogue(scry_error *err)
{
    cli_print("%-18s  %5s  %4s  %5s  %-9s  %-12s\n", "NAME", "MB", "COCO", "GFLOP", "LANGUAGES", "LICENCE");
    int r = scry_catalogue_each(print_entry, NULL, err);
    if (r < 0)
        return r;
    cli_print("\n* not checked: its files were not at hand when this list was made. COCO: recall@1 of finding a caption's picture,\n"
              "as published (--json says by whom). GFLOP: the work for a picture; the two-core machine of docs/benchmarks.md does\n"
              "225 a second in fp32, 410 in bf16, 760 in int8.\n\nRecommended:\n");
    return scry_catalogue_each(print_recommended, NULL, err);
}

static int list_json(bool catalogue, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(16 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '[');
    int r = catalogue ? scry_catalogue_each(json_entry, &w, err) : scry_models_each(json_record, &w, err);
    scry_json_end(&w, ']');
    if (r == 0)
        print_and_dispose(&b);
    else
        scry_buf_dispose(&b);
    return r;
}

static int list(const request *q, scry_error *err)
{
    if (q->json)
        return list_json(q->catalogue, err);
    if (q->catalogue)
        return list_catalogue(err);
    int r = scry_models_each(print_record, NULL, err);
    if (r == 0 && !q->quiet)
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
    const char *filter = s->filter == SCRY_FILTER_BICUBIC ? "bicubic" : "bilinear";
    if (s->fit[0] == SCRY_FIT_PATCHES) {
        printf("pixels      at most %d patches of 16 x 16, %s\n", s->size / 16 * (s->size / 16), filter);
        return;
    }
    printf("pixels      %d x %d, %s", s->size, s->size, filter);
    for (int v = 0; v < s->views; v++)
        printf("%s%s", v ? " + " : ", ", fit_name(s->fit[v]));
    putchar('\n');
}

/* What scry tune wrote about a checkpoint that it made. */
static void print_tuned(const scry_model_info *m)
{
    char *path = scry_path_join(m->dir, "scry_tune.json");
    scry_json *j = NULL;
    if (scry_json_read(&j, path, 1 << 16, NULL) == 0)
        cli_print("tuned from  %s, on %lld pictures; recall on the held-out ones %.1f %%, before %.1f %%\n",
                  scry_json_str(scry_json_get(j, "tuned_from"), "?"), (long long)scry_json_int(scry_json_get(j, "pictures"), 0),
                  100 * scry_json_num(scry_json_get(j, "recall_after"), NAN), 100 * scry_json_num(scry_json_get(j, "recall_before"), NAN));
    scry_json_free(j);
    free(path);
}

static int print_details(void *arg, const scry_model_record *r)
{
    const scry_model_info *m = ((details *)arg)->info;
    bool pair = strcmp(m->pictures_dir, m->texts_dir) != 0;
    const struct { const char *title, *text; } lines[] = {
        { "model", r->name }, { "folder", m->dir }, { "pictures by", pair ? m->pictures_dir : NULL },
        { "texts by", pair ? m->texts_dir : NULL }, { "family", m->family }, { "image tower", m->image_summary },
        { "text tower", m->text_summary }, { "tokenizer", m->tokenizer }, { "preproc.", m->preprocessing },
        { "weights", m->dtype }, { "licence", m->licence ? m->licence : r->licence[0] ? r->licence : "not known" },
        { "pulled from", r->source }, { "added", r->added_at }, { "identity", m->identity }, { "problem", r->problem },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].text && lines[i].text[0])
            cli_print("%-11s %s\n", lines[i].title, lines[i].text);
    print_image_spec(&m->image);
    printf("vectors     %d dimensions, arithmetic here %s\n", m->dim, cli_precision_name(m->precision));
    printf("text        at most %d tokens\n", m->context);
    printf("scale       %.6g\n", m->logit_scale);
    if (!isnan(m->logit_bias))
        printf("bias        %.6g\n", m->logit_bias);
    if (!isnan(m->min_score))
        printf("min score   %.3f\n", m->min_score);
    printf("size        %.1f MB\n", (double)r->bytes / 1e6);
    print_tuned(m);
    for (size_t i = 0; i < m->taught_count; i++)
        cli_print("taught      %s, by %d pictures, %s\n", m->taught[i].name, m->taught[i].pictures, m->taught[i].taught_at);
    return 0;
}

static void put_taught(scry_json_writer *w, const scry_model_info *m)
{
    scry_json_key(w, "taught");
    scry_json_begin(w, '[');
    for (size_t i = 0; i < m->taught_count; i++) {
        scry_json_begin(w, '{');
        scry_json_add_str(w, "name", m->taught[i].name);
        scry_json_add_int(w, "pictures", m->taught[i].pictures);
        scry_json_add_str(w, "taught_at", m->taught[i].taught_at);
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
}

static int json_details(void *arg, const scry_model_record *r)
{
    const scry_model_info *m = ((details *)arg)->info;
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    put_record(&w, r);
    add_text(&w, "family", m->family);
    add_text(&w, "identity", m->identity);
    add_text(&w, "text_identity", m->text_identity);
    add_text(&w, "pictures_dir", m->pictures_dir);
    add_text(&w, "texts_dir", m->texts_dir);
    add_text(&w, "image_tower", m->image_summary);
    add_text(&w, "text_tower", m->text_summary);
    add_text(&w, "tokenizer", m->tokenizer);
    add_text(&w, "preprocessing", m->preprocessing);
    add_text(&w, "dtype", m->dtype);
    add_text(&w, "precision", cli_precision_name(m->precision));
    add_text(&w, "licence", m->licence ? m->licence : r->licence);
    scry_json_add_int(&w, "dim", m->dim);
    scry_json_add_int(&w, "context", m->context);
    scry_json_add_int(&w, "image_size", m->image.size);
    scry_json_add_int(&w, "views", m->image.views);
    scry_json_add_num(&w, "logit_scale", m->logit_scale, 9);
    scry_json_add_num(&w, "logit_bias", m->logit_bias, 9);
    scry_json_add_num(&w, "min_score", m->min_score, 9);
    put_taught(&w, m);
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
    bool shown, terminal, quiet;
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
    char *name = cli_printable(stderr, file);
    fprintf(stderr, "\r%-32.32s %8.1f / %.1f MB\033[K", name, (double)done / 1e6, (double)total / 1e6);
    free(name);
}

static void show_waiting(void *arg, int seconds)
{
    const meter *m = arg;
    if (!m->quiet)
        fprintf(stderr, "%sscry: the host allows no more requests for now: waiting %d s, as it asks\n", m->shown ? "\n" : "", seconds);
}

static int pull(const request *q, const char *what, scry_error *err)
{
    meter m = { .terminal = !q->quiet && isatty(STDERR_FILENO) == 1, .quiet = q->quiet };
    scry_pull_options o = { .what = what, .name = q->name, .progress = show_bytes, .waiting = show_waiting, .arg = &m };
    char *name;
    int r = scry_model_pull(&o, &name, err);
    if (m.shown)
        fputs("\r\033[K", stderr);
    if (r == 0) {
        cli_print("%s\n", name);
        if (!q->quiet)
            fprintf(stderr, "ready: scry index --model %s --collection %s PATH\n", name, name);
        free(name);
    }
    return r;
}

/* ---- the command ---- */

/* `pull` without a name. */
static int explain_pull(scry_error *err)
{
    fputs("`scry model pull NAME` downloads a model: a name of `scry model list --catalogue`, or OWNER/NAME of a repository on\n"
          "https://huggingface.co. Recommended:\n", stderr);
    int r = scry_catalogue_each(explain_recommended, NULL, err);
    return r < 0 ? r : scry_fail(err, SCRY_EINVALID, "no model is named");
}

static int add(const request *q, const char *name, const char *dir, scry_error *err)
{
    char *cached = NULL;
    cli_progress *bar = cli_progress_new(q->quiet, false);
    const scry_long_options work = { .progress = cli_show_share, .arg = bar, .cancel = cli_catch_signals() };
    const scry_model_add_options o = { .texts = q->texts, .copy = q->copy, .work = &work };
    int r = q->from_cache ? scry_model_cached(&cached, dir, err) : 0;
    if (cached)
        dir = cached;
    if (r == 0)
        r = scry_model_add_run(name, dir, &o, err);
    cli_progress_free(bar);
    free(cached);
    if (r == 0 && q->texts && !q->quiet)
        fprintf(stderr, "added: scry search --model %s TEXT, in collections made with the same pictures' model, too\n", name);
    else if (r == 0 && !q->quiet)
        fprintf(stderr, "added: scry index --model %s --collection %s PATH\n", name, name);
    return r;
}

static int do_list(const request *q, char **operand, scry_error *err)
{
    return list(q, err);
}

static int do_info(const request *q, char **operand, scry_error *err)
{
    return info(q, operand[0] ? operand[0] : SCRY_STARTER_MODEL, err);
}

static int do_add(const request *q, char **operand, scry_error *err)
{
    return add(q, operand[0], operand[1], err);
}

static int do_pull(const request *q, char **operand, scry_error *err)
{
    return operand[0] ? pull(q, operand[0], err) : explain_pull(err);
}

static int do_teach(const request *q, char **operand, scry_error *err)
{
    size_t n = 0;
    while (operand[n])
        n++;
    if (operand[1][0] == '@')
        return scry_fail(err, SCRY_EINVALID, "the name is missing: scry model teach MODEL NAME @PICTURE..., for instance scry model teach "
                         SCRY_STARTER_MODEL " Rex %s ...", operand[1]);
    return cli_model_teach(q->common, operand[0], operand + 1, n - 1, err);
}

static int do_forget(const request *q, char **operand, scry_error *err)
{
    return cli_model_forget(operand[0], operand[1], err);
}

static int do_remove(const request *q, char **operand, scry_error *err)
{
    return scry_model_remove(operand[0], err);
}

static const struct {
    const char *name;
    int least, most;   /* operands after the verb */
    int (*run)(const request *q, char **operand, scry_error *err);   /* the operands end with NULL */
} verbs[] = {
    { "list", 0, 0, do_list }, { "info", 0, 1, do_info }, { "add", 2, 2, do_add }, { "pull", 0, 1, do_pull },
    { "teach", 2, INT_MAX - 1, do_teach }, { "forget", 2, 2, do_forget }, { "rm", 1, 1, do_remove }, { "remove", 1, 1, do_remove }
};

static int status_of(int result, const scry_error *err)
{
    return result == SCRY_ECANCELLED ? CLI_CANCELLED : result < 0 ? cli_fail(err) : CLI_OK;
}

static int dispatch(const request *q, char **operand, int n)
{
    scry_error err = SCRY_ERROR_INIT;
    if (n == 0)
        return list(q, &err) < 0 ? cli_fail(&err) : CLI_OK;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(operand[0], verbs[i].name) == 0 && n > verbs[i].least && n <= verbs[i].most + 1)
            return status_of(verbs[i].run(q, operand + 1, &err), &err);
    return cli_unknown_verb(&cmd_model, operand[0], "list, info [NAME|DIR], add NAME DIR, pull [NAME], teach NAME WORD @PICTURE..., "
                            "forget NAME WORD or rm NAME");
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
        else if (strcmp(name, "texts") == 0)
            q.texts = value;
        else
            *(strcmp(name, "copy") == 0 ? &q.copy : strcmp(name, "from-cache") == 0 ? &q.from_cache
              : strcmp(name, "json") == 0 ? &q.json : &q.catalogue) = true;
    }
    q.quiet = a.common.quiet;
    q.common = &a.common;
    int status = a.status;
    if (status < 0)
        status = dispatch(&q, argv + a.next, argc - a.next);
    cli_end(&a);
    return status;
}

const cli_command cmd_model = {
    .name = "model",
    .usage = "[OPTION]... [list | info [NAME|DIR] | add NAME DIR | pull [NAME] | teach NAME WORD @PICTURE... | forget NAME WORD | rm NAME]",
    .summary = "List, show, add, download and remove models; teach them names",
    .details =
        "A model is a checkpoint folder: a Hugging Face one (config.json, model.safetensors, tokenizer) or an\n"
        "open_clip one (open_clip_config.json, open_clip_model.safetensors). `add` checks all of it and\n"
        "registers its name; the starter model needs no adding. `pull` downloads one of the catalogue, or\n"
        "OWNER/NAME[@REVISION], from $SCRY_HUB_URL (default https://huggingface.co), resumes an\n"
        "interrupted download, and verifies the checksums that the host declares. HF_TOKEN, HF_ENDPOINT,\n"
        "HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE have the meaning that Hugging Face's programs give them.\n"
        "`list` shows downloads that are not complete, `rm` deletes them. Apart from `pull`, scry uses the\n"
        "network only for a store on Milvus.\n\n"
        "`teach` binds WORD, the name of a person, a pet, a product, to 3 to 20 pictures: any text may have it from\n"
        "then on. Pictures are written as in a query: @FILE, @FILE#x,y,w,h for a part of one, @id:HEX for one of the\n"
        "store. Collections stay as they are. For a model without pictures of its own (all but the starter), a\n"
        "collection of it is needed, to tell what is special about these pictures. `info` lists such names, `forget`\n"
        "removes one.\n\n"
        "Examples:\n"
        "  scry model list --catalogue\n"
        "  scry model pull laion-b32\n"
        "  scry model add mine ~/checkpoints/clip-vit-base-patch32\n"
        "  scry model add mine openai/clip-vit-base-patch32 --from-cache\n"
        "  scry model add many-languages mine --texts ~/checkpoints/clip-ViT-B-32-multilingual-v1\n"
        "  scry model info mine --json\n"
        "  scry model teach starter Rex @rex1.jpg @rex2.jpg @rex3.jpg#40,60,300,280\n"
        "  scry search Rex on the beach\n",
    .options = options,
    .verbs = "list info add pull teach forget rm",
    .common = CLI_STORE,
    .run = run_model,
};
