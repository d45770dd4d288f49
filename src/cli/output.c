#include "cli/output.h"

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/thumbs.h"
#include "engine/file_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JSON_BYTES = 1 << 30 };

static void key_str(scry_json_writer *w, const char *key, const char *value)
{
    scry_json_key(w, key);
    scry_json_put_str(w, value);
}

static char *joined(const cli_output *o)
{
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    for (size_t i = 0; i < o->arg_count; i++)
        scry_buf_printf(&b, "%s%s", i ? " " : "", o->args[i]);
    return scry_buf_take(&b);
}

static void print_json(const cli_output *o)
{
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_store_info info = { 0 };
    char *query = joined(o);
    scry_store_describe(o->store, &info);
    scry_json_begin(&w, '{');
    key_str(&w, "query", query);
    key_str(&w, "model", o->model->name);
    key_str(&w, "store", info.where);
    key_str(&w, "collection", info.collection);
    scry_json_key(&w, "took_ms");
    scry_json_put_num(&w, o->took_ms, 4);
    scry_json_key(&w, "min_score");
    scry_json_put_num(&w, o->line, 6);
    scry_json_key(&w, "has_more");
    scry_json_put_bool(&w, o->results->has_more);
    scry_json_key(&w, "results");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < o->results->count; i++)
        scry_json_put_hit(&w, &o->results->hits[i], o->first_rank + i, o->search);
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    puts(scry_buf_str(&b));
    scry_buf_dispose(&b);
    free(query);
}

static void print_paths(const cli_output *o)
{
    for (size_t i = 0; i < o->results->count; i++) {
        fputs(o->results->hits[i].file.path, stdout);
        putchar(o->zero_ended ? '\0' : '\n');
    }
}

static void print_table(const cli_output *o)
{
    bool line_drawn = isnan(o->line);
    for (size_t i = 0; i < o->results->count; i++) {
        const scry_hit *h = &o->results->hits[i];
        if (!line_drawn && h->score < o->line) {
            printf("---- below %.3f: probably not what you meant ----\n", o->line);
            line_drawn = true;
        }
        char *path = cli_printable(stdout, h->file.path);
        printf("%4zu  %6.3f  %s", o->first_rank + i, h->score, path);
        if (h->copies)
            printf("  (+%llu cop%s)", (unsigned long long)h->copies, h->copies == 1 ? "y" : "ies");
        if (h->folded)
            printf("  (+%llu near-identical)", (unsigned long long)h->folded);
        putchar('\n');
        free(path);
        cli_thumbs_show(o->thumbs, h->file.path, h->file.width, h->file.height);
    }
    if (o->quiet)
        return;
    if (o->results->count == 0)
        fputs("nothing found\n", stderr);
}

void cli_print_results(const cli_output *o)
{
    if (o->form == CLI_JSON)
        print_json(o);
    else if (o->form == CLI_PATHS)
        print_paths(o);
    else
        print_table(o);
}
