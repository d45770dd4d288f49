/* cmd_list.c - `scry list`: pictures without a query. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/nothing.h"
#include "cli/output.h"
#include "cli/query_hints.h"
#include "cli/row.h"

#include "base/log.h"
#include "engine/listing.h"

static const cli_option options[] = {
    CLI_VIEW_OPTIONS,
    { 0 },
};

typedef struct {
    cli_output *o;
    size_t from, end, seen;   /* shown are those from `from` on, before `end` */
    bool asks_time;           /* then all are seen, to count */
    uint64_t undated;
} stream;

static int print_file(void *arg, const scry_file *f)
{
    stream *s = arg;
    scry_hit hit = { .file = *f };
    if (s->seen >= s->end && !s->asks_time)
        return 1;
    s->undated += s->asks_time && !f->has_time;
    if (s->seen >= s->end)
        return 0;
    if (s->seen++ >= s->from) {
        cli_print_hit(s->o, &hit, s->seen);
        if (s->o->collector)
            cli_collector_add(s->o->collector, f->path);
    }
    return 0;
}

static size_t end_of(const scry_search *q)
{
    return q->limit > SIZE_MAX - q->offset ? SIZE_MAX : q->offset + q->limit;
}

/* In the order of the store: files are printed as they are read. */
static int print_all(const cli_view *v, cli_output *o, size_t *shown, scry_error *err)
{
    const scry_search *q = &o->request->search;
    stream s = { .o = o, .from = q->offset, .end = end_of(q), .asks_time = scry_filter_asks_time(q->filter) };
    o->form = v->form;
    o->zero_ended = v->zero_ended;
    int r = scry_store_each_file(o->store, q->filter, NULL, print_file, &s, err);
    *shown = s.seen > s.from ? s.seen - s.from : 0;
    cli_tell_undated(o, s.undated);
    return r;
}

static int print_sorted(const cli_view *v, cli_output *o, size_t *shown, scry_error *err)
{
    const scry_search_request *q = o->request;
    scry_listing *l = NULL;
    double start = scry_now_ms();
    scry_list_options how = { .filter = q->search.filter, .sort = q->sort, .reverse = q->reverse, .unique = q->unique,
                                  .whole = true, .first = end_of(&q->search) };
    int r = scry_listing_new(&l, o->store, &how, err);
    if (r < 0)
        return r;
    scry_results *page = scry_listing_results(l, q->search.offset);
    o->results = page;
    o->total = scry_listing_total(l);
    scry_listing_free(l);
    o->took_ms = scry_now_ms() - start;
    *shown = page->count;
    r = cli_show_results(v, o, err);
    scry_results_free(page);
    return r;
}

/* Whether files can be shown as they are read. */
static bool is_plain(const cli_view *v, const scry_search_request *q)
{
    return v->form != CLI_JSON && !v->html && !v->thumbs && !v->open && q->sort == SCRY_SORT_NONE && !q->reverse && !q->unique;
}

static void tell_more(const cli_output *o, size_t shown)
{
    cli_warn_damage(o->store);
    if (shown)
        cli_place_hints(o);
}

static int list(cli_common *c, const cli_view *v)
{
    scry_error err = SCRY_ERROR_INIT;
    const scry_search_request *q = &c->request;
    scry_store *store = NULL;
    size_t shown = 0;
    int r = cli_open_store(&store, c, SCRY_STORE_READ, &err);
    cli_output o = { .request = q, .store = store, .groups = SCRY_GROUPS_INIT, .listed = true, .quiet = c->quiet };
    bool plain = is_plain(v, q);
    if (r == 0)
        r = cli_view_collect(v, &o, &err);
    if (r == 0)
        r = (plain ? print_all : print_sorted)(v, &o, &shown, &err);
    if (r == 0 && !shown && plain)
        cli_tell_nothing(&o);
    if (r == 0)
        tell_more(&o, shown);
    if (store)
        scry_store_close(store, NULL);
    bool collected = cli_collector_end(o.collector, c->quiet);
    if (r < 0)
        return cli_fail(&err);
    return shown && collected ? CLI_OK : CLI_NOTHING;
}

static int run_list(int argc, char **argv)
{
    cli_args a;
    const char *name, *value;
    cli_view v = { .form = CLI_TABLE };
    cli_begin(&a, &cmd_list, argc, argv);
    while ((name = cli_next(&a, &value)))
        (void)cli_view_take(&v, name, value);
    int status = a.status;
    if (status < 0 && !cli_view_check(&v))
        status = CLI_ERROR;
    if (status < 0 && a.next < argc)
        status = cli_usage("list shows pictures without a query: `scry search %s` looks for it, and --in %s lists a folder",
                           argv[a.next], argv[a.next]);
    if (status < 0)
        status = list(&a.common, &v);
    cli_end(&a);
    return status;
}

const cli_command cmd_list = {
    .name = "list",
    .usage = "[OPTION]...",
    .summary = "List the pictures of the index that pass the filters",
    .details =
        "Without --sort in order of folder and name. Every file is listed; --unique leaves out further\n"
        "copies, and RAWs beside their JPEG.\n\n"
        "Examples:\n"
        "  scry list --sort date -n 20\n"
        "  scry list --in ~/Pictures/2024 --camera nikon --sort size\n"
        "  scry list --min-rating 4 --copy-to /tmp/best\n"
        "  scry list --format raw --paths -0 | xargs -0 ls -l\n\n"
        "Exit status: 0 something listed, 1 nothing, or not all could be copied, 2 an error.\n",
    .options = options,
    .common = CLI_LIST | CLI_STORE,
    .run = run_list,
};
