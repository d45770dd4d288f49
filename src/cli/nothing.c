#include "cli/nothing.h"

#include "cli/cli.h"
#include "engine/nothing_found.h"

#include <stdlib.h>

enum { MAX_REASON_BYTES = 1 << 16 };

void cli_tell_nothing(const cli_output *o)
{
    const scry_search *q = &o->request->search;
    scry_buf why = SCRY_BUF_INIT(MAX_REASON_BYTES);
    if (o->form != CLI_TABLE || o->quiet)
        return;
    fputs("nothing found\n", stderr);
    if (o->results && o->results->scanned && q->min_score > -1 && q->offset == 0)
        cli_warn("%llu picture%s searched, none with a score of %.3f or more", (unsigned long long)o->results->scanned,
                 o->results->scanned == 1 ? " was" : "s were", q->min_score);
    else if (scry_why_nothing(&why, o->store, o->request, NULL) == 0 && why.size)
        cli_warn("%s", scry_buf_str(&why));
    scry_buf_dispose(&why);
}
