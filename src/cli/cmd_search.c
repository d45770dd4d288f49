/* cmd_search.c - `scry search QUERY...` */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/interactive.h"
#include "cli/output.h"
#include "cli/query_hints.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/fusion.h"
#include "engine/near_words.h"
#include "image/image.h"
#include "scry/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_option options[] = {
    { "interactive", NULL, "search while the query is typed, with previews; prints the paths that were chosen", 'i', NULL },
    { "scores", NULL, "also show each picture's score, the cosine of query and picture; JSON always has it", 0, NULL },
    CLI_VIEW_OPTIONS,
    { 0 },
};

/* Query to unit vector: `vector` is owned by the caller. *cut: whether a text is longer than the model reads. */
static int embed_query(const scry_search_request *q, const scry_model *model, scry_store *store, float **vector, bool *cut,
                       scry_error *err)
{
    scry_session *session = NULL;
    scry_decoder *decoder = NULL;
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    double start = scry_now_ms();
    d.formats = scry_formats_all();   /* every readable format: the user named this file */
    *vector = scry_alloc((size_t)scry_model_get_info(model)->dim * sizeof **vector);
    int r = scry_session_new(&session, model, 0, err);
    if (r == 0)
        r = scry_decoder_new(&decoder, &d, err);
    if (r == 0) {
        scry_query_tools tools = { .session = session, .model = model, .decoder = decoder, .store = store,
                                   .keep_orientation = q->keep_orientation };
        r = scry_query_embed(q->query, &tools, *vector, cut, err);
    }
    if (r == 0 && *cut)
        cli_warn("a text is longer than the model's input and was truncated");
    scry_decoder_free(decoder);
    scry_session_free(session);
    scry_trace("embed the query", start);
    return r;
}

/* The score threshold, as far as it is known; worked out only when results are to be cut there. */
static int find_threshold(scry_threshold **threshold, const scry_search_request *q, scry_store *store, const scry_model *model,
                          scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    int r = q->auto_min_score ? scry_threshold_find(threshold, store, model, err)
                              : scry_threshold_known(threshold, store, model, &why);
    if (r < 0 && !q->auto_min_score) {
        cli_warn("%s", why.message);
        r = 0;
    }
    return r;
}

/* Where the groups of results begin, for the query's vector. */
static scry_groups find_groups(scry_search_request *q, const scry_threshold *threshold, const scry_model *model,
                               const float *vector)
{
    scry_groups groups = scry_groups_of(threshold, model, q->query, vector);
    if (q->auto_min_score)
        q->search.min_score = groups.maybe;
    if (groups.unknown)
        cli_warn("words that the model does not know: %s", groups.unknown);
    return groups;
}

/* A misspelled word was looked for by its look alone. */
static void hint_meant(const cli_output *o, const scry_model *model)
{
    scry_meant meant;
    scry_buf said = SCRY_BUF_INIT(1 << 16);
    if (!o->quiet && isatty(STDERR_FILENO) && scry_meant_by(&meant, o->store, model, o->request, o->results)) {
        scry_say_meant(&said, &meant);
        cli_warn("%s", scry_buf_str(&said));
    }
    scry_buf_dispose(&said);
}

/* Show them in the order that was asked for. */
static int show(const cli_view *v, cli_output *o, scry_error *err)
{
    const scry_search_request *q = o->request;
    const scry_results *found = o->results;
    size_t *order = scry_alloc((found->count + 1) * sizeof *order);
    int r = scry_sort_hits(order, found->hits, found->count, q->sort, q->reverse, err);
    o->order = q->sort != SCRY_SORT_NONE || q->reverse ? order : NULL;
    if (r == 0)
        r = cli_show_results(v, o, err);
    o->order = NULL;
    free(order);
    if (r == 0 && found->count)
        cli_place_hints(o);
    return r;
}

/* Of a misspelled word JSON has a member. */
static int show_with_hints(const cli_view *v, cli_output *o, const scry_model *model, scry_error *err)
{
    scry_meant meant;
    if (v->form == CLI_JSON && scry_meant_by(&meant, o->store, model, o->request, o->results))
        o->meant = &meant;
    int r = show(v, o, err);
    o->meant = NULL;
    if (r == 0 && v->form != CLI_JSON)
        hint_meant(o, model);
    return r;
}

static int search(cli_common *c, const cli_view *v, bool scores)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_search_request *q = &c->request;
    scry_store *store = NULL;
    scry_model *model = NULL;
    scry_results *results = NULL;
    float *vector = NULL;
    bool cut = false, collected = true;
    double start = scry_now_ms();
    scry_threshold *threshold = NULL;
    scry_groups groups = SCRY_GROUPS_INIT;
    int r = cli_open_store(&store, c, SCRY_STORE_READ, &err);
    scry_trace("open the store", start);
    double model_start = scry_now_ms();
    if (r == 0)
        r = cli_open_model(&model, c, store, &err);
    scry_trace("open the model", model_start);
    if (r == 0)
        r = embed_query(q, model, store, &vector, &cut, &err);
    double groups_start = scry_now_ms();
    if (r == 0)
        r = find_threshold(&threshold, q, store, model, &err);
    if (r == 0)
        groups = find_groups(q, threshold, model, vector);
    scry_trace("find the groups", groups_start);
    double scan_start = scry_now_ms();
    scry_search_plan plan = scry_plan_of(q, groups, threshold);
    if (r == 0)
        r = scry_search_by(store, vector, &plan, &results, &err);
    scry_trace("search the store", scan_start);
    if (r == 0)
        cli_warn_damage(store);   /* this search, too, may have come upon it */
    if (r == 0) {
        scry_groups_settle(&groups, threshold, q->query, store, results);
        cli_output o = { .request = q, .store = store,
                         .model = scry_model_get_info(model), .results = results, .groups = groups,
                         .took_ms = scry_now_ms() - start, .text_cut = cut, .quiet = c->quiet,
                         .scores = scores };
        r = cli_view_collect(v, &o, &err);
        if (r == 0)
            r = show_with_hints(v, &o, model, &err);
        collected = cli_collector_end(o.collector, c->quiet);
    }
    int status = r < 0 ? cli_fail(&err) : results->count && collected ? CLI_OK : CLI_NOTHING;
    scry_groups_dispose(&groups);
    scry_threshold_free(threshold);
    scry_results_free(results);
    free(vector);
    scry_model_free(model);
    if (store)
        scry_store_close(store, NULL);
    return status;
}

static int run_search(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    cli_view v = { .form = CLI_TABLE };
    bool interactive = false, scores = false;
    cli_begin(&a, &cmd_search, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!cli_view_take(&v, name, value))
            *(strcmp(name, "scores") == 0 ? &scores : &interactive) = true;
    int status = a.status;
    if (status < 0 && !cli_view_check(&v))
        status = CLI_ERROR;
    if (status < 0 && interactive)
        status = cli_search_interactively(&a.common, &v);
    if (status < 0 && !a.common.quiet && isatty(STDERR_FILENO))
        cli_query_hints(&a.common.request);
    if (status < 0)
        status = search(&a.common, &v, scores);
    cli_end(&a);
    return status;
}

const cli_command cmd_search = {
    .name = "search",
    .usage = "[OPTION]... QUERY... | -i [OPTION]... [QUERY]...",
    .summary = "Show the pictures nearest to a description",
    .details =
        "All words up to an operator form one text. An argument that is exactly + or - starts the\n"
        "next part of the query, which is added or subtracted. @FILE is a picture, @FILE#x,y,w,h a\n"
        "part of it, @id:HEX a picture of the index. A number and a colon directly before a part are\n"
        "its weight (0.5:sunset), unless a digit follows: 5:30 pm and 16:9 are text. A backslash keeps\n"
        "a leading @, +, - or number literal.\n\n"
        "Examples:\n"
        "  scry search a white dog on the beach\n"
        "  scry search beach - people + 0.5:sunset\n"
        "  scry search @photo.jpg + at night --after 2023 --limit 20\n"
        "  scry search birthday --limit 50 --sort date\n"
        "  scry search --open red car\n"
        "  scry search -i\n"
        "  scry search --limit 50 --copy-to /tmp/red red car\n"
        "  scry search --paths -0 red car | xargs -0 ls -l\n\n"
        "Exit status: 0 something found, 1 nothing found, or not all could be copied, 2 an error.\n",
    .options = options,
    .common = CLI_SEARCH | CLI_STORE | CLI_MODEL,
    .run = run_search,
};
