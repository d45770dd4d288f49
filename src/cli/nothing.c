#include "cli/nothing.h"

#include "cli/cli.h"
#include "engine/nothing_found.h"
#include "engine/path_forms.h"
#include "engine/walk.h"

#include <stdlib.h>

enum { MAX_REASON_BYTES = 1 << 16 };

/* Nothing is said of a page behind the last result. */
static void put_reason(scry_buf *why, const cli_output *o)
{
    const scry_search *q = &o->request->search;
    if (q->offset == 0 && o->results && o->results->scanned && q->min_score > -1)
        scry_buf_printf(why, "%llu picture%s searched, none with a score of %.3f or more", (unsigned long long)o->results->scanned,
                        o->results->scanned == 1 ? " was" : "s were", q->min_score);
    else if (scry_why_nothing(why, NULL, o->store, o->request, NULL) < 0)
        scry_buf_clear(why);
}

void cli_tell_nothing(const cli_output *o)
{
    scry_buf why = SCRY_BUF_INIT(MAX_REASON_BYTES);
    if (o->form != CLI_TABLE || o->quiet)
        return;
    fputs("nothing found\n", stderr);
    put_reason(&why, o);
    if (why.size)
        cli_warn("%s", scry_buf_str(&why));
    scry_buf_dispose(&why);
}

void cli_put_why_nothing(scry_json_writer *w, const cli_output *o)
{
    scry_buf why = SCRY_BUF_INIT(MAX_REASON_BYTES);
    if (o->results->count == 0)
        put_reason(&why, o);
    if (why.size)
        scry_json_add_str(w, "nothing_found", scry_buf_str(&why));
    scry_buf_dispose(&why);
}

void cli_tell_none_pass(scry_store *store, const scry_search_request *r, const char *folder)
{
    scry_buf why = SCRY_BUF_INIT(MAX_REASON_BYTES);
    scry_search_request asked = *r;   /* borrows all of it */
    const scry_param *in = scry_param_find("in", r->via);
    char *path = folder ? scry_stored_path(folder) : NULL;
    if (path && in)
        asked.filters[in - scry_params] = scry_filter_and(r->pool, r->filters[in - scry_params],
                                                          scry_filter_below(r->pool, SCRY_FILTER_IN, path));
    if (scry_why_nothing(&why, NULL, store, &asked, NULL) == 0 && why.size)
        cli_warn("%s", scry_buf_str(&why));
    scry_buf_dispose(&why);
    free(path);
}
