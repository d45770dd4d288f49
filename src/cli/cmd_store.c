/* cmd_store.c - `scry store list | drop NAME | compact | copy FROM TO | export FROM TO FOLDER`. */
#include "cli/cancel.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/store_copy.h"
#include "cli/suggest.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "yes", NULL, "drop: do not ask for confirmation", 'y', NULL },
    { "json", NULL, "list: print JSON", 0, NULL },
    { "to-collection", "NAME", "copy, export: collection to copy into (default: the same name)", 0, NULL },
    { "progress", NULL, "copy, export, compact: show progress even when stderr is not a terminal", 0, NULL },
    { 0 },
};

typedef struct {
    const cli_common *common;
    bool yes, json, quiet;
    const char *to_name;
    char **names;           /* owned */
    size_t count;
} request;

static int take_name(void *arg, const char *name)
{
    request *q = arg;
    q->names = scry_realloc(q->names, (q->count + 1) * sizeof *q->names);
    q->names[q->count++] = scry_strdup(name);
    return 0;
}

static void put_collection(scry_json_writer *w, const char *name, const scry_store_info *i)
{
    const struct { const char *key; uint64_t n; } counts[] = {
        { "dim", (uint64_t)i->dim }, { "files", i->files }, { "contents", i->contents }, { "bytes", i->bytes },
    };
    scry_json_begin(w, '{');
    scry_json_add_str(w, "name", name);
    scry_json_add_str(w, "model", i->model_name);
    scry_json_add_str(w, "identity", i->model_identity);
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
        scry_json_add_int(w, counts[k].key, (int64_t)counts[k].n);
    scry_json_end(w, '}');
}

/* One line about a collection, which has to be opened for it. */
static int show(const request *q, const char *place, const char *name, scry_json_writer *w, scry_error *err)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_store *store;
    scry_store_info info = { 0 };
    if (q->quiet && !q->json) {
        cli_print("%s\n", name);
        return 0;
    }
    o.collection = name;
    int r = scry_store_open(&store, place, &o, err);
    if (r < 0)
        return r;
    r = scry_store_get_info(store, &info, err);
    if (r == 0 && q->json)
        put_collection(w, name, &info);
    else if (r == 0)
        cli_print("%-20s %10llu pictures  %4d-d  %s\n", name, (unsigned long long)info.files, info.dim, info.model_name);
    scry_store_close(store, NULL);
    return r;
}

static int list(request *q, const char *place, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(16 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    int r = scry_store_collections(place, take_name, q, err);
    scry_json_begin(&w, '[');
    for (size_t i = 0; r == 0 && i < q->count; i++)
        r = show(q, place, q->names[i], &w, err);
    scry_json_end(&w, ']');
    if (r == 0 && q->json)
        cli_print_json(&b);
    scry_buf_dispose(&b);
    return r;
}

static int drop(request *q, const char *place, const char *name, scry_error *err)
{
    bool there = false;
    int r = scry_store_collections(place, take_name, q, err);
    for (size_t i = 0; i < q->count; i++)
        there |= strcmp(q->names[i], name) == 0;
    if (r == 0 && !there)
        return scry_fail(err, SCRY_ENOTFOUND, "there is no collection \"%s\": see `scry store list`", name);
    if (r == 0 && !q->yes)
        return scry_fail(err, SCRY_EINVALID, "this forgets all pictures of collection \"%s\" (the files stay): confirm with --yes", name);
    return r < 0 ? r : scry_store_drop_collection(place, name, err);
}

static int compact(const request *q, scry_error *err)
{
    scry_store *store = NULL;
    scry_store_info before = { 0 }, after = { 0 };
    int r = cli_open_store(&store, q->common, SCRY_STORE_WRITE, err);
    if (r == 0)
        r = scry_store_get_info(store, &before, err);
    uint64_t bytes = before.bytes;
    if (r == 0) {
        cli_progress *bar = cli_progress_new(q->quiet, q->common->wait->forced);
        const scry_compact_options o = { .progress = cli_show_share, .arg = bar, .cancel = cli_catch_signals() };
        r = scry_compact_run(store, &o, err);
        cli_progress_free(bar);
    }
    r = cli_close_store(store, r, err);
    if (r < 0 || q->quiet)
        return r;
    r = cli_open_store(&store, q->common, SCRY_STORE_READ, err);   /* without the log of a writer */
    if (r == 0)
        r = scry_store_get_info(store, &after, err);
    if (r == 0)
        fprintf(stderr, "%.1f MiB before, %.1f MiB now\n", (double)bytes / (1 << 20), (double)after.bytes / (1 << 20));
    return cli_close_store(store, r, err);
}

static int dispatch(request *q, char **operand, int n)
{
    scry_error err = SCRY_ERROR_INIT;
    char *place = cli_store_place(q->common);
    const char *verb = n ? operand[0] : "list";
    int r = 0, status = CLI_OK;
    if (strcmp(verb, "list") == 0 && n <= 1)
        r = list(q, place, &err);
    else if (strcmp(verb, "drop") == 0 && n == 2)
        r = drop(q, place, operand[1], &err);
    else if (strcmp(verb, "compact") == 0 && n == 1)
        r = compact(q, &err);
    else if (strcmp(verb, "copy") == 0 && n == 3)
        status = cli_store_copy(q->common, operand[1], operand[2], q->to_name);
    else if (strcmp(verb, "export") == 0 && n == 4)
        status = cli_store_export(q->common, operand[1], operand[2], q->to_name, operand[3]);
    else
        status = cli_unknown_verb(&cmd_store, verb, "list, drop COLLECTION, compact, copy FROM TO, or export FROM TO FOLDER");
    free(place);
    if (r < 0)
        status = cli_fail(&err);
    return r == SCRY_ECANCELLED ? CLI_CANCELLED : status;
}

static int run_store(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    request q = { 0 };
    cli_begin(&a, &cmd_store, argc, argv);
    while ((name = cli_next(&a, &value))) {
        if (strcmp(name, "to-collection") == 0)
            q.to_name = value;
        else if (strcmp(name, "progress") != 0)   /* cli_next handles --progress */
            *(strcmp(name, "yes") == 0 ? &q.yes : &q.json) = true;
    }
    q.common = &a.common;
    q.quiet = a.common.quiet;
    int status = a.status;
    if (status < 0)
        status = dispatch(&q, argv + a.next, argc - a.next);
    for (size_t i = 0; i < q.count; i++)
        free(q.names[i]);
    free(q.names);
    cli_end(&a);
    return status;
}

const cli_command cmd_store = {
    .name = "store",
    .usage = "[OPTION]... [list | drop COLLECTION | compact | copy FROM TO | export FROM TO FOLDER]",
    .summary = "List, drop, compact and copy the collections of a store",
    .details =
        "`drop` removes a collection; the picture files are not touched. `compact` rewrites a collection\n"
        "without the space of removed pictures.\n\n"
        "`copy` copies the pictures of a collection at FROM into one at TO, either of them a folder or\n"
        "milvus://...: nothing is embedded again, and vectors, roots, ids, labels, keys and skipped\n"
        "files are preserved. Run again, it resumes and sends only what TO lacks. Pictures that\n"
        "only TO has are kept. `scry verify --against` compares the two.\n\n"
        "`export` makes the collection at TO, on Milvus, and writes its rows into FOLDER as files for the\n"
        "server's bulk import, which takes many millions of rows faster than they can be sent one by one:\n"
        "docs/milvus.md, \"Bulk import\".\n\n"
        "Examples:\n"
        "  scry store list\n"
        "  scry store drop --yes trial\n"
        "  scry store compact --collection holidays\n"
        "  scry store copy ~/.local/share/scry/store milvus://db.example.org:19530 --milvus-index hnsw\n",
    .options = options,
    .verbs = "list drop compact copy export",
    .common = CLI_STORE,
    .run = run_store,
};
