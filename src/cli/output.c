#include "cli/output.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/desktop.h"
#include "cli/html.h"
#include "cli/nothing.h"
#include "cli/row.h"
#include "cli/thumbs.h"
#include "engine/file_json.h"
#include "engine/near_words.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_JSON_BYTES = 1 << 30, MAX_OPENED = 1000 };

bool cli_view_take(cli_view *v, const char *name, const char *value)
{
    const struct { const char *name; bool *flag; const char **text; } options[] = {
        { "thumbs", &v->thumbs, NULL }, { "json", &v->json, NULL }, { "paths", &v->paths, NULL }, { "null", &v->zero_ended, NULL },
        { "open", &v->open, NULL }, { "html", NULL, &v->html }, { "copy-to", NULL, &v->copy_to }, { "link-to", NULL, &v->link_to },
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (strcmp(name, options[i].name) != 0)
            continue;
        if (options[i].flag)
            *options[i].flag = true;
        else
            *options[i].text = value;
        v->form = v->json ? CLI_JSON : v->paths || v->zero_ended ? CLI_PATHS : CLI_TABLE;
        return true;
    }
    return false;
}

bool cli_view_check(const cli_view *v)
{
    if (v->copy_to && v->link_to) {
        cli_usage("give one of --copy-to and --link-to");
        return false;
    }
    if (v->html && strcmp(v->html, "-") == 0) {
        cli_usage("--html writes a page to a file, as the results go to standard output: give its name (./- for a file called -)");
        return false;
    }
    if (!v->json || (!v->paths && !v->zero_ended))
        return true;
    cli_usage("--json and %s are two forms of output: give one of them", v->paths ? "--paths" : "-0");
    return false;
}

const scry_hit *cli_output_hit(const cli_output *o, size_t i, size_t *rank)
{
    size_t at = o->order ? o->order[i] : i;
    *rank = o->request->search.offset + 1 + (o->listed ? i : at);
    return &o->results->hits[at];
}

static void put_search(scry_json_writer *w, const cli_output *o)
{
    scry_json_add_str(w, "query", scry_buf_str(&o->request->shown));
    scry_json_key(w, "parts");
    scry_json_put_parts(w, o->request->query);
    scry_json_add_bool(w, "text_cut", o->text_cut);
    scry_json_add_str(w, "model", o->model->name);
}

static void put_result(scry_json_writer *w, const cli_output *o, size_t i)
{
    size_t rank;
    scry_hit h = *cli_output_hit(o, i, &rank);
    h.file.away = cli_is_away(&h.file);
    if (!o->listed) {
        scry_json_put_hit(w, &h, rank, scry_groups_name(&o->groups, o->results, rank, &h), &o->request->search);
        return;
    }
    scry_json_begin(w, '{');
    scry_json_put_file(w, &h.file);
    scry_json_end(w, '}');
}

static void print_json(const cli_output *o)
{
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_store_info info = { 0 };
    scry_store_describe(o->store, &info);
    scry_json_begin(&w, '{');
    if (!o->listed)
        put_search(&w, o);
    scry_json_add_str(&w, "store", info.where);
    scry_json_add_str(&w, "collection", info.collection);
    scry_json_add_num(&w, "took_ms", o->took_ms, 4);
    if (o->listed)
        scry_json_add_int(&w, "total", (int64_t)o->total);
    else
        scry_json_put_groups(&w, &o->groups);
    scry_json_put_undated(&w, o->results);
    scry_json_add_bool(&w, "has_more", o->results->has_more);
    cli_put_why_nothing(&w, o);
    if (o->meant) {
        scry_json_key(&w, "did_you_mean");
        scry_json_put_meant(&w, o->meant, o->request);
    }
    scry_json_key(&w, "results");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < o->results->count; i++)
        put_result(&w, o, i);
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    cli_print_json(&b);
    scry_buf_dispose(&b);
}

static void print_lines(const cli_output *o)
{
    const char *group = NULL;
    for (size_t i = 0; i < o->results->count; i++) {
        size_t rank;
        const scry_hit *h = cli_output_hit(o, i, &rank);
        const char *heading = o->order || o->form == CLI_PATHS ? NULL : scry_groups_next(&o->groups, &group, o->results, rank, h);
        if (heading)
            cli_print_heading(heading);
        cli_print_hit(o, h, rank);
    }
    if (o->results->count == 0)
        cli_tell_nothing(o);
}

void cli_tell_undated(const cli_output *o, uint64_t undated)
{
    if (undated && o->form == CLI_TABLE && !o->quiet)
        fprintf(stderr, "of the pictures that pass the filters, %llu %s\n", (unsigned long long)undated,
                undated == 1 ? "has only the time of its file" : "have only the time of their files");
}

void cli_print_results(const cli_output *o)
{
    if (o->form == CLI_JSON)
        print_json(o);
    else
        print_lines(o);
    cli_tell_undated(o, o->results->undated);
}

/* One picture by itself, several as a page in the cache folder, which the next one replaces. */
static int open_results(const cli_output *o, scry_error *err)
{
    size_t rank;
    if (o->results->count == 1)
        return cli_desktop_open(cli_output_hit(o, 0, &rank)->file.path, err);
    if (o->results->count > MAX_OPENED)
        return scry_fail(err, SCRY_ELIMIT, "--open shows at most %d pictures, not %zu: give --limit", MAX_OPENED, o->results->count);
    char *cache = scry_cache_dir(), *page = scry_path_join(cache, "results.html");
    int r = scry_make_dirs(cache, err);
    if (r == 0)
        r = cli_write_html(page, o, err);
    if (r == 0)
        r = cli_desktop_open(page, err);
    free(page);
    free(cache);
    return r;
}

int cli_view_collect(const cli_view *v, cli_output *o, scry_error *err)
{
    const char *dir = v->copy_to ? v->copy_to : v->link_to;
    return dir ? cli_collector_new(&o->collector, dir, v->link_to != NULL, err) : 0;
}

/* Once for each user, who may not know it: a file in the cache folder remembers that. */
static void say_how_to_open(const cli_view *v, const cli_output *o)
{
    if (v->open || v->form != CLI_TABLE || o->quiet || !o->results->count || !isatty(STDOUT_FILENO) || !isatty(STDERR_FILENO))
        return;
    char *cache = scry_cache_dir(), *said = scry_path_join(cache, "said-how-to-open");
    int fd = scry_make_dirs(cache, NULL) == 0 ? open(said, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    if (fd >= 0) {
        close(fd);
        cli_warn("--open also opens what was found, --thumbs shows it here (this is said once)");
    }
    free(said);
    free(cache);
}

int cli_show_results(const cli_view *v, cli_output *o, scry_error *err)
{
    double start = scry_now_ms();
    o->form = v->form;
    o->zero_ended = v->zero_ended;
    int r = v->html ? cli_write_html(v->html, o, err) : 0;
    if (r == 0 && v->thumbs && v->form == CLI_TABLE)
        r = cli_thumbs_new(&o->thumbs, err);
    if (r < 0)
        return r;
    cli_print_results(o);
    for (size_t i = 0; o->collector && i < o->results->count; i++) {
        size_t rank;
        cli_collector_add(o->collector, cli_output_hit(o, i, &rank)->file.path);
    }
    if (v->open && o->results->count)
        r = open_results(o, err);
    say_how_to_open(v, o);
    cli_thumbs_free(o->thumbs);
    o->thumbs = NULL;
    scry_trace("print", start);
    return r;
}
