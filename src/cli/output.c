#include "cli/output.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/html.h"
#include "cli/nothing.h"
#include "cli/thumbs.h"
#include "engine/file_json.h"
#include "engine/fusion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_JSON_BYTES = 1 << 30 };

bool cli_view_take(cli_view *v, const char *name, const char *value)
{
    const struct { const char *name; bool *flag; } flags[] = {
        { "thumbs", &v->thumbs }, { "json", &v->json }, { "paths", &v->paths }, { "null", &v->zero_ended },
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i].name) == 0)
            *flags[i].flag = true;
    if (strcmp(name, "html") == 0)
        v->html = value;
    v->form = v->json ? CLI_JSON : v->paths || v->zero_ended ? CLI_PATHS : CLI_TABLE;
    return v->html == value || strcmp(name, "thumbs") == 0 || strcmp(name, "json") == 0 || strcmp(name, "paths") == 0 ||
           strcmp(name, "null") == 0;
}

bool cli_view_check(const cli_view *v)
{
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
    const scry_hit *h = cli_output_hit(o, i, &rank);
    if (!o->listed) {
        scry_json_put_hit(w, h, rank, scry_groups_of_hit(&o->groups, h), &o->request->search);
        return;
    }
    scry_json_begin(w, '{');
    scry_json_put_file(w, &h->file);
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
    scry_json_key(&w, "results");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < o->results->count; i++)
        put_result(&w, o, i);
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    cli_print_json(&b);
    scry_buf_dispose(&b);
}

static void print_path(const cli_output *o, const char *name)
{
    char *path = cli_quoted(stdout, name);
    fputs(path, stdout);
    free(path);
    putchar(o->zero_ended ? '\0' : '\n');
}

/* The column of a list: what it is sorted by, else the date. */
static void print_sorted_by(scry_sort sort, const scry_file *f)
{
    char day[32] = "";
    time_t t = (time_t)scry_sort_time(f);
    struct tm tm;
    if (sort == SCRY_SORT_SIZE)
        printf("%9.2f MB  ", (double)f->size / 1e6);
    else if (sort == SCRY_SORT_RATING && f->has_rating)
        printf("%6d  ", f->rating);
    else if (sort == SCRY_SORT_RATING)
        printf("%6s  ", "-");
    else if (gmtime_r(&t, &tm) && strftime(day, sizeof day, "%Y-%m-%d", &tm))
        printf("%s  ", day);
}

/* What belongs to the picture and is not shown: copies, the RAW. */
static void print_others(const scry_hit *h)
{
    if (h->copies)
        printf("  (+%llu cop%s)", (unsigned long long)h->copies, h->copies == 1 ? "y" : "ies");
    if (h->file.raw && h->file.raw[0]) {
        char *raw = cli_quoted(stdout, h->file.raw);
        printf("  (+%s)", raw);
        free(raw);
    }
    if (h->folded)
        printf("  (+%llu near-identical)", (unsigned long long)h->folded);
    if (h->word_fields) {
        char fields[80];
        printf("  (by words: %s)", scry_fields_text(h->word_fields, fields));
    }
}

void cli_print_hit(const cli_output *o, const scry_hit *h, size_t rank)
{
    if (o->form == CLI_PATHS) {
        print_path(o, h->file.path);
        return;
    }
    char *path = cli_quoted(stdout, h->file.path);
    if (o->listed)
        print_sorted_by(o->request->sort, &h->file);
    else
        printf("%4zu  %6.3f  ", rank, h->score);
    fputs(path, stdout);
    print_others(h);
    putchar('\n');
    free(path);
    cli_thumbs_show(o->thumbs, h->file.path, h->file.width, h->file.height);
}

static void print_lines(const cli_output *o)
{
    const char *group = NULL;
    for (size_t i = 0; i < o->results->count; i++) {
        size_t rank;
        char buffer[64];
        const scry_hit *h = cli_output_hit(o, i, &rank);
        const char *heading = o->order || o->form == CLI_PATHS ? NULL : scry_groups_next(&o->groups, &group, h, buffer);
        if (heading)
            printf("---- %s ----\n", heading);
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
    cli_thumbs_free(o->thumbs);
    o->thumbs = NULL;
    scry_trace("print", start);
    return 0;
}
