/* cmd_search.c - `scry search QUERY...` */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/html.h"
#include "cli/output.h"
#include "cli/thumbs.h"

#include "base/alloc.h"
#include "base/log.h"
#include "image/image.h"
#include "scry/query.h"
#include "scry/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "limit", "N", "show at most N pictures (default: 10)", 'n', NULL },
    { "offset", "N", "leave out the first N", 0, NULL },
    { "min-score", "X", "only pictures with a score of at least X; auto: this query's line between hits and the rest", 0, "auto" },
    { "all-copies", NULL, "show every copy of a picture, not only the first", 0, NULL },
    { "fold", "X", "show near-identical pictures once, as the best of them; X: cosine from which, or auto (0.95)", 0, "auto" },
    { "approximate", NULL, "look closely at the likeliest few per cent only: quicker from 65,536 pictures in a "
      "folder on; no difference with fewer, nor on Milvus", 0, NULL },
    { "image", "FILE", "search by this picture (may be repeated; adds to the query)", 0, NULL },
    { "region", "X,Y,W,H", "only this part of the last --image, in pixels", 0, NULL },
    { "no-rotate", NULL, "ignore the EXIF orientation of pictures in the query", 0, NULL },
    { "html", "FILE", "also write a page of thumbnails, complete in one file", 0, NULL },
    { "thumbs", NULL, "show small pictures, in a terminal that can", 't', NULL },
    { "json", NULL, "print one JSON object", 0, NULL },
    { "paths", NULL, "print paths only, one a line", 0, NULL },
    { "null", NULL, "with --paths: end each path with a zero byte", '0', NULL },
    { 0 },
};

enum { MAX_IMAGES = SCRY_MAX_QUERY_PARTS };

typedef struct {
    scry_search search;
    bool auto_min_score;
    const char *image[MAX_IMAGES];
    int region[MAX_IMAGES][4];
    size_t images;
    bool keep_orientation;
    cli_output_form form;
    bool zero_ended, thumbs;
    const char *html;
} request;

static bool take_flag(request *q, const char *name)
{
    const struct { const char *name; bool *flag; } flags[] = {
        { "all-copies", &q->search.all_copies }, { "no-rotate", &q->keep_orientation }, { "thumbs", &q->thumbs },
        { "null", &q->zero_ended }, { "approximate", &q->search.approximate },
    };
    if (strcmp(name, "json") == 0)
        q->form = CLI_JSON;
    if (strcmp(name, "paths") == 0 || strcmp(name, "null") == 0)
        q->form = CLI_PATHS;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].flag = true;
    return strcmp(name, "json") == 0 || strcmp(name, "paths") == 0;
}

static bool take_option(request *q, const char *name, const char *value)
{
    long long n = 0;
    scry_error err = SCRY_ERROR_INIT;
    if (take_flag(q, name))
        return true;
    if (strcmp(name, "limit") == 0 || strcmp(name, "offset") == 0) {
        if (!cli_int(name, value, name[0] == 'l' ? 1 : 0, 100000000, &n))
            return false;
        *(name[0] == 'l' ? &q->search.limit : &q->search.offset) = (size_t)n;
    } else if (strcmp(name, "min-score") == 0) {
        q->auto_min_score = strcmp(value, "auto") == 0;
        return q->auto_min_score || cli_real(name, value, -1, 1, &q->search.min_score);
    } else if (strcmp(name, "fold") == 0) {
        q->search.fold = SCRY_FOLD_AUTO;
        return strcmp(value, "auto") == 0 || cli_real(name, value, 0, 1, &q->search.fold);
    } else if (strcmp(name, "image") == 0) {
        if (q->images == MAX_IMAGES)
            return cli_usage("more than %d pictures", MAX_IMAGES), false;
        q->image[q->images++] = value;
    } else if (strcmp(name, "region") == 0) {
        if (q->images == 0)
            return cli_usage("--region comes after the --image that it is a part of"), false;
        if (scry_parse_region(value, q->region[q->images - 1], &err) < 0)
            return cli_usage("%s", err.message), false;
    } else {
        q->html = value;
    }
    return true;
}

static int build_query(scry_query **out, const request *q, const char *const *args, size_t n, scry_error *err)
{
    int r = 0;
    scry_query *query = NULL;
    if (n || !q->images)
        r = scry_query_parse(&query, args, n, err);
    else
        query = scry_query_new();
    for (size_t i = 0; r == 0 && i < q->images; i++)
        r = scry_query_add_picture(query, q->image[i], q->region[i], 1, err);
    if (r < 0)
        scry_query_free(query);
    else
        *out = query;
    return r;
}

/* Query to unit vector: `vector` is owned by the caller. */
static int embed_query(const request *q, const scry_query *query, const scry_model *model, scry_store *store,
                       float **vector, scry_error *err)
{
    scry_session *session = NULL;
    scry_decoder *decoder = NULL;
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    bool cut = false;
    double start = scry_now_ms();
    d.formats = scry_formats_all();   /* the user names this file: any format we can read */
    *vector = scry_alloc((size_t)scry_model_get_info(model)->dim * sizeof **vector);
    int r = scry_session_new(&session, model, 0, err);
    if (r == 0)
        r = scry_decoder_new(&decoder, &d, err);
    if (r == 0) {
        scry_query_tools tools = { .session = session, .model = model, .decoder = decoder, .store = store,
                                   .keep_orientation = q->keep_orientation };
        r = scry_query_embed(query, &tools, *vector, &cut, err);
    }
    if (r == 0 && cut)
        cli_warn("a text is longer than the model reads: its end was left out");
    scry_decoder_free(decoder);
    scry_session_free(session);
    scry_trace("embed the query", start);
    return r;
}

/* Where the line between hits and the rest is, as far as that is known; worked out only when
 * results are to be cut there. */
static int find_line(request *q, scry_store *store, const scry_model *model, const float *vector, double *at, scry_error *err)
{
    double start = scry_now_ms();
    scry_error why = SCRY_ERROR_INIT;
    scry_line *line = NULL;
    int r = q->auto_min_score ? scry_line_find(&line, store, model, err) : scry_line_known(&line, store, model, &why);
    if (r < 0 && !q->auto_min_score) {
        cli_warn("%s", why.message);
        r = 0;
    }
    *at = scry_line_at(line, vector);
    if (q->auto_min_score && r == 0)
        q->search.min_score = *at;
    scry_line_free(line);
    scry_trace("find the line", start);
    return r;
}

static int show(const request *q, cli_output *o, scry_error *err)
{
    double start = scry_now_ms();
    int r = q->html ? cli_write_html(q->html, o, err) : 0;
    if (r < 0)
        return r;
    if (q->thumbs && q->form == CLI_TABLE)
        o->thumbs = cli_thumbs_new();
    cli_print_results(o);
    cli_thumbs_free(o->thumbs);
    scry_trace("print", start);
    return 0;
}

static int search(const cli_common *c, request *q, const scry_query *query, const char *const *args, size_t n)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_model *model = NULL;
    scry_results *results = NULL;
    float *vector = NULL;
    double start = scry_now_ms(), line = NAN;
    int r = cli_open_store(&store, c, SCRY_STORE_READ, &err);
    scry_trace("open the store", start);
    double model_start = scry_now_ms();
    if (r == 0)
        r = cli_open_model(&model, c, store, &err);
    scry_trace("open the model", model_start);
    if (r == 0)
        r = embed_query(q, query, model, store, &vector, &err);
    if (r == 0)
        r = find_line(q, store, model, vector, &line, &err);
    double scan_start = scry_now_ms();
    q->search.filter = c->filter;
    if (r == 0)
        r = scry_store_search(store, vector, &q->search, &results, &err);
    scry_trace("search the store", scan_start);
    if (r == 0) {
        cli_output o = { .form = q->form, .zero_ended = q->zero_ended, .args = args, .arg_count = n, .store = store,
                         .model = scry_model_get_info(model), .search = &q->search, .results = results,
                         .first_rank = q->search.offset + 1,
                         .line = line, .took_ms = scry_now_ms() - start, .quiet = c->quiet };
        r = show(q, &o, &err);
    }
    int status = r < 0 ? cli_fail(&err) : results->count ? CLI_OK : CLI_NOTHING;
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
    request q = { .search = SCRY_SEARCH_INIT, .form = CLI_TABLE };
    scry_error err = SCRY_ERROR_INIT;
    scry_query *query = NULL;
    cli_begin(&a, &cmd_search, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!take_option(&q, name, value)) {
            a.status = CLI_ERROR;
            break;
        }
    int status = a.status;
    const char *const *args = (const char *const *)argv + a.next;
    size_t n = (size_t)(argc - a.next);
    if (status < 0 && build_query(&query, &q, args, n, &err) < 0)
        status = cli_fail(&err);
    if (status < 0)
        status = search(&a.common, &q, query, args, n);
    scry_query_free(query);
    cli_end(&a);
    return status;
}

const cli_command cmd_search = {
    .name = "search",
    .usage = "[OPTION]... QUERY...",
    .summary = "Show the pictures nearest to a description",
    .details =
        "The words up to an operator are one text. An argument that is exactly + or - starts the\n"
        "next part of the query, which is added or taken away. @FILE is a picture, @FILE#x,y,w,h a\n"
        "part of it, @id:HEX a picture of the index. A number and a colon before a part weigh it. A\n"
        "backslash keeps a leading @, + , - or number literal.\n\n"
        "Examples:\n"
        "  scry search a white dog on the beach\n"
        "  scry search beach - people + 0.5:sunset\n"
        "  scry search @photo.jpg + at night --after 2023 --limit 20\n"
        "  scry search --paths -0 red car | xargs -0 cp -t /tmp/red\n\n"
        "Exit status: 0 something found, 1 nothing found, 2 an error.\n",
    .options = options,
    .common = CLI_FILTER | CLI_STORE | CLI_MODEL,
    .run = run_search,
};
