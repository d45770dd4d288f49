#include "cli/model_teach.h"

#include "base/alloc.h"
#include "cli/cancel.h"
#include "cli/progress.h"
#include "scry/teach.h"

#include <stdlib.h>
#include <string.h>

/* The store of the options, as far as it is a collection of this model; NULL where none was given and the default one is none. */
static int open_collection(scry_store **out, const cli_common *c, const scry_model *model, scry_error *err)
{
    bool given = c->store || c->collection;
    scry_store_info s;
    *out = NULL;
    int r = cli_open_store(out, c, SCRY_STORE_READ, given ? err : NULL);
    if (r < 0)
        return given ? r : 0;
    scry_store_describe(*out, &s);
    if (strcmp(s.model_identity, scry_model_get_info(model)->identity) == 0)
        return 0;
    if (given)
        r = scry_fail(err, SCRY_EINVALID, "the collection \"%s\" was made with another model, \"%s\"", s.collection, s.model_name);
    (void)!cli_close_store(*out, r, NULL);
    *out = NULL;
    return given ? r : 0;
}

static int teach(const scry_query_tools *tools, const char *name, char **args, size_t n, bool quiet, scry_error *err)
{
    cli_progress *bar = cli_progress_new(quiet, false);
    const scry_long_options work = { .progress = cli_show_share, .arg = bar, .cancel = cli_catch_signals() };
    scry_query **pictures = scry_alloc((n + 1) * sizeof *pictures);
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = scry_query_parse(&pictures[i], (const char *const *)&args[i], 1, err);
    if (r == 0)
        r = scry_teach_run(tools, name, (const scry_query *const *)pictures, n, &work, err);
    cli_progress_free(bar);
    for (size_t i = 0; i < n; i++)
        scry_query_free(pictures[i]);
    free(pictures);
    return r;
}

int cli_model_teach(const cli_common *c, const char *model_name, char **args, size_t n, scry_error *err)
{
    scry_model *model;
    scry_query_tools tools = SCRY_QUERY_TOOLS_INIT;
    int r = cli_open_model_named(&model, model_name, NULL, err);
    if (r < 0)
        return r;
    tools.model = model;
    r = open_collection(&tools.store, c, model, err);
    if (r == 0)
        r = teach(&tools, args[0], args + 1, n - 1, c->quiet, err);
    if (tools.store)
        r = cli_close_store(tools.store, r, err);
    if (r == 0 && !c->quiet) {
        char *name = cli_printable(stderr, args[0]);
        fprintf(stderr, "taught: scry search %s, or in any sentence\n", name);
        free(name);
    }
    scry_model_free(model);
    return r;
}

int cli_model_forget(const char *model_name, const char *name, scry_error *err)
{
    scry_model *model;
    int r = cli_open_model_named(&model, model_name, NULL, err);
    if (r < 0)
        return r;
    r = scry_model_forget(model, name, err);
    scry_model_free(model);
    return r;
}
