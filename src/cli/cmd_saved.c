/* cmd_saved.c - `scry saved`: searches that are kept under a name. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/suggest.h"

#include "base/alloc.h"
#include "engine/file_json.h"
#include "engine/user_marks.h"
#include "engine/walk.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_JSON_BYTES = 128 << 20 };

/* ---- what was given, as the JSON of a search ---- */

/* The values of one parameter: one, or a list where it may be repeated. Paths of folders become absolute. */
static void put_values(scry_json_writer *w, const cli_common *c, const scry_param *p)
{
    bool begun = false, list = p->repeat != SCRY_REPEAT_NONE;
    for (size_t i = 0; i < c->given_count; i++) {
        if (scry_param_find(c->given[i].name, SCRY_VIA_COMMAND) != p)
            continue;
        if (!begun)
            scry_json_key(w, p->name);
        if (!begun && list)
            scry_json_begin(w, '[');
        begun = true;
        char *path = p->kind == SCRY_PARAM_FOLDER ? scry_stored_path(c->given[i].value) : NULL;
        if (p->kind == SCRY_PARAM_FLAG)
            scry_json_put_bool(w, true);
        else
            scry_json_put_str(w, path ? path : c->given[i].value);
        free(path);
    }
    if (begun && list)
        scry_json_end(w, ']');
}

static void put_parameters(scry_json_writer *w, const cli_common *c, bool filters)
{
    for (const scry_param *p = scry_params; p->name; p++)
        if (p->via & 1u << SCRY_VIA_COMMAND && filters == (p->filter != SCRY_FILTER_ALL))
            put_values(w, c, p);
}

static void put_search(scry_json_writer *w, const cli_common *c)
{
    const scry_query_part *parts;
    scry_json_begin(w, '{');
    if (scry_query_parts(c->request.query, &parts)) {
        scry_json_key(w, "parts");
        scry_json_put_parts(w, c->request.query);
    }
    put_parameters(w, c, false);
    if (c->request.search.filter) {
        scry_json_key(w, "filter");
        scry_json_begin(w, '{');
        put_parameters(w, c, true);
        scry_json_end(w, '}');
    }
    scry_json_end(w, '}');
}

/* ---- the verbs ---- */

static int change(const cli_common *c, const char *name, const scry_json *search)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    int r = cli_open_store(&store, c, SCRY_STORE_WRITE, &err);
    if (r == 0)
        r = search ? scry_save_search(store, name, search, &err) : scry_remove_saved_search(store, name, &err);
    r = cli_close_store(store, r, &err);
    return r < 0 ? cli_fail(&err) : CLI_OK;
}

static int add(const cli_common *c, const char *name)
{
    const scry_query_part *parts;
    scry_error err = SCRY_ERROR_INIT;
    scry_json *search = NULL;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    put_search(&w, c);
    if (scry_json_parse(&search, scry_buf_str(&b), b.size, "the search", &err) < 0) {
        scry_buf_dispose(&b);
        return cli_fail(&err);
    }
    int status = change(c, name, search);
    bool query = scry_query_parts(c->request.query, &parts) > 0;
    char *shown = cli_printable(stderr, name);
    if (status == CLI_OK && !c->quiet)
        fprintf(stderr, "saved; `scry %s --saved \"%s\"` shows what it finds\n", query ? "search" : "list", shown);
    free(shown);
    scry_json_free(search);
    scry_buf_dispose(&b);
    return status;
}

static int list(const cli_common *c, bool json)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_json *all = NULL;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    int r = cli_open_store(&store, c, SCRY_STORE_READ, &err);
    if (r == 0)
        r = scry_saved_searches_put_json(&w, store, &err);
    if (r == 0)
        r = scry_json_parse(&all, scry_buf_str(&b), b.size, "the saved searches", &err);
    if (store)
        scry_store_close(store, NULL);
    size_t n = scry_json_size(all);
    if (r == 0 && json)
        cli_print_json(&b);
    for (size_t i = 0; i < n && !json; i++) {
        const scry_json *item = scry_json_at(all, i);
        scry_buf one = SCRY_BUF_INIT(MAX_JSON_BYTES);
        scry_json_writer v = SCRY_JSON_WRITER_INIT(&one);
        scry_json_put_value(&v, scry_json_get(item, "search"));
        cli_print("%s  %s\n", scry_json_str(scry_json_get(item, "name"), ""), scry_buf_str(&one));
        scry_buf_dispose(&one);
    }
    scry_json_free(all);
    scry_buf_dispose(&b);
    if (r == 0 && n == 0 && !json && !c->quiet)
        fputs("no search is saved yet; `scry saved add NAME QUERY` saves one\n", stderr);
    return r < 0 ? cli_fail(&err) : n ? CLI_OK : CLI_NOTHING;
}

static const cli_option options[] = {
    { "json", NULL, "list: print one JSON list", 0, NULL },
    { 0 },
};

static int run_saved(int argc, char **argv)
{
    cli_args a;
    const char *value;
    bool json = false;
    cli_begin(&a, &cmd_saved, argc, argv);
    while (cli_next(&a, &value))
        json = true;
    int status = a.status, n = argc - a.next;
    char **operand = argv + a.next;
    const char *verb = n > 0 ? operand[0] : "list";
    if (status < 0 && n <= 1 && strcmp(verb, "list") == 0)
        status = list(&a.common, json);
    else if (status < 0 && n >= 2 && strcmp(verb, "add") == 0)
        status = add(&a.common, operand[1]);
    else if (status < 0 && n == 2 && strcmp(verb, "remove") == 0)
        status = change(&a.common, operand[1], NULL);
    else if (status < 0)
        status = cli_unknown_verb(&cmd_saved, verb, "list, add NAME QUERY... or FILTERS, or remove NAME");
    cli_end(&a);
    return status;
}

const cli_command cmd_saved = {
    .name = "saved",
    .usage = "[OPTION]... [list | add NAME [QUERY]... | remove NAME]",
    .summary = "Keep searches under a name; --saved NAME of search and list uses them",
    .details =
        "A saved search is a query, filters, or both, written as for `scry search`; without a query it is for\n"
        "`scry list`. It finds what is there when it is used: dates such as \"last summer\" are kept as they are\n"
        "written. Adding a name that exists replaces it. The page shows saved searches, too.\n\n"
        "Examples:\n"
        "  scry saved add \"Snow, Nikon\" snow --camera nikon\n"
        "  scry saved add \"Best of this year\" --min-rating 4 --after \"this year\" --sort date\n"
        "  scry search --saved \"Snow, Nikon\" --limit 50\n"
        "  scry list --saved \"Best of this year\"\n",
    .options = options,
    .verbs = "list add remove",
    .lead = 2,
    .common = CLI_SEARCH | CLI_STORE,
    .run = run_saved,
};
