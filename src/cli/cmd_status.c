/* cmd_status.c - `scry status`: stored pictures, skipped files, readable formats. */
#include "cli/cli.h"
#include "cli/commands.h"

#include "base/alloc.h"
#include "base/json.h"
#include "image/image.h"
#include "scry/registry.h"

#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "skipped", NULL, "list the files that could not be read and the folders passed over, and why", 0, NULL },
    { "formats", NULL, "list the picture formats that can be read", 0, NULL },
    { "json", NULL, "print one JSON object", 0, NULL },
    { 0 },
};

typedef struct {
    uint64_t old_headers;     /* pictures whose headers an earlier scry read */
    scry_text_counts texts;
} counts;

static int print_bad(void *arg, const char *path, int64_t size, int64_t mtime_ns, const char *reason)
{
    char *name = cli_quoted(stdout, path);
    fputs(name, stdout);
    cli_print(": %s\n", reason);
    free(name);
    return 0;
}

static int print_root(void *arg, const scry_root *root)
{
    char *path = cli_quoted(stdout, root->path);
    printf("root        %s (%llu pictures%s%s)\n", path, (unsigned long long)root->files, root->name ? ", called " : "",
           root->name ? root->name : "");
    free(path);
    return 0;
}

static void print_bytes(uint64_t bytes)
{
    if (bytes >= 1u << 30)
        printf("size        %.1f GiB\n", (double)bytes / (1 << 30));
    else if (bytes)
        printf("size        %.1f MiB\n", (double)bytes / (1 << 20));
}

static void print_words(const scry_text_counts *t)
{
    if (t->read + t->failed == 0)
        return;
    printf("words       read in %llu pictures, %llu with text", (unsigned long long)t->read, (unsigned long long)t->with_text);
    if (t->failed)
        printf(", %llu could not be read", (unsigned long long)t->failed);
    if (t->unread)
        printf(", %llu not read yet (scry index --words only)", (unsigned long long)t->unread);
    putchar('\n');
}

static int print_text(scry_store *s, const scry_store_info *i, const counts *n, scry_error *err)
{
    bool starter = i->model_name && strcmp(i->model_name, SCRY_STARTER_MODEL) == 0;
    cli_print("store       %s\ncollection  %s\n", i->where, i->collection);
    if (i->external) {   /* its model, contents and roots are not known */
        cli_print("made by     another program: %s\n", i->external);
        printf("vectors     %llu, %d dimensions\n", (unsigned long long)i->files, i->dim);
        return 0;
    }
    cli_print("model       %s%s, %d dimensions, %s\n", i->model_name, starter ? " (the bundled starter model)" : "", i->dim, i->precision);
    cli_print("identity    %s\n", i->model_identity);
    printf("pictures    %llu files, %s%llu different%s\n", (unsigned long long)i->files, i->contents_estimated ? "about " : "",
           (unsigned long long)i->contents, i->contents_estimated ? " (within 1 %: estimated from a part, since Milvus cannot count them)" : "");
    if (i->bad_files)
        printf("skipped     %llu files and folders (scry status --skipped)\n", (unsigned long long)i->bad_files);
    if (i->lacks_details)
        printf("headers     time, camera and place only; for titles, keywords and ratings, %s\n", SCRY_STORE_DETAILS_ADVICE);
    if (i->lacks_words)
        printf("words       of names and texts are compared file by file, and those in pictures not kept; to change that,\n"
               "            %s\n", SCRY_STORE_WORDS_ADVICE);
    print_words(&n->texts);
    if (n->old_headers)
        printf("headers     of %llu pictures were read by an older scry (times in UTC, no titles and ratings):\n"
               "            scry index --rebuild-metadata PATH reads them again\n", (unsigned long long)n->old_headers);
    print_bytes(i->bytes);
    return scry_store_roots(s, print_root, NULL, err);
}

static int json_root(void *arg, const scry_root *root)
{
    scry_json_writer *w = arg;
    char id[2 * SCRY_ID_BYTES + 1];
    scry_json_begin(w, '{');
    scry_json_add_str(w, "id", cli_hex_id(root->id, id));
    scry_json_add_str(w, "path", root->path);
    scry_json_add_int(w, "files", (int64_t)root->files);
    if (root->name)
        scry_json_add_str(w, "name", root->name);
    scry_json_end(w, '}');
    return 0;
}

static int print_json(scry_store *s, const scry_store_info *i, const counts *n, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(64 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    const struct { const char *key, *text; } texts[] = {
        { "store", i->where }, { "collection", i->collection }, { "model", i->model_name },
        { "identity", i->model_identity }, { "precision", i->precision },
    };
    const struct { const char *key; uint64_t n; } numbers[] = {
        { "dim", (uint64_t)i->dim }, { "files", i->files }, { "contents", i->contents },
        { "skipped", i->bad_files }, { "bytes", i->bytes }, { "old_headers", n->old_headers },
        { "words_read", n->texts.read }, { "words_with_text", n->texts.with_text }, { "words_failed", n->texts.failed },
        { "words_unread", n->texts.unread },
    };
    scry_json_begin(&w, '{');
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        scry_json_add_str(&w, texts[k].key, texts[k].text);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        scry_json_add_int(&w, numbers[k].key, (int64_t)numbers[k].n);
    if (i->external)
        scry_json_add_str(&w, "external", i->external);
    if (i->contents_estimated)
        scry_json_add_bool(&w, "contents_estimated", true);
    scry_json_key(&w, "roots");
    scry_json_begin(&w, '[');
    int r = scry_store_roots(s, json_root, &w, err);
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    if (r == 0)
        cli_print_json(&b);
    scry_buf_dispose(&b);
    return r;
}

static int print_formats(void)
{
    for (scry_format f = SCRY_FORMAT_JPEG; f < SCRY_FORMAT_COUNT; f++)
        printf("%-6s %s\n", scry_format_name(f), scry_formats_default() >> f & 1 ? "yes" : "with --formats all");
    return CLI_OK;
}

static int show(scry_store *store, bool skipped, bool json, scry_error *err)
{
    scry_store_info info;
    counts n = { 0 };
    int r = scry_store_get_info(store, &info, err);
    if (r == 0 && skipped)
        return scry_store_each_bad(store, print_bad, NULL, err);
    if (r == 0)
        r = scry_store_count_old_headers(store, &n.old_headers, err);
    if (r == 0)
        r = scry_store_count_texts(store, NULL, &n.texts, err);
    if (r == 0)
        r = json ? print_json(store, &info, &n, err) : print_text(store, &info, &n, err);
    if (r == 0)
        cli_warn_damage(store);
    return r;
}

static int run_status(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    bool skipped = false, formats = false, json = false;
    scry_error err = SCRY_ERROR_INIT;
    cli_begin(&a, &cmd_status, argc, argv);
    while ((name = cli_next(&a, &value)))
        *(strcmp(name, "skipped") == 0 ? &skipped : strcmp(name, "formats") == 0 ? &formats : &json) = true;
    int status = a.status;
    if (status < 0 && formats)
        status = print_formats();
    if (status < 0) {
        scry_store *store = NULL;
        int r = cli_open_store(&store, &a.common, SCRY_STORE_READ, &err);
        if (r == 0)
            r = show(store, skipped, json, &err);
        status = r < 0 ? cli_fail(&err) : CLI_OK;
        if (store)
            scry_store_close(store, NULL);
    }
    cli_end(&a);
    return status;
}

const cli_command cmd_status = {
    .name = "status",
    .usage = "[OPTION]...",
    .no_operands = "it shows the whole collection; `scry list --in DIR` shows the pictures of a folder",
    .summary = "Show the stored pictures, their model, and the skipped files",
    .options = options,
    .common = CLI_STORE,
    .run = run_status,
};
