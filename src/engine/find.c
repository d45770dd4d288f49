#include "scry/find.h"

#include "base/alloc.h"
#include "base/required.h"
#include "engine/fusion.h"
#include "engine/query_words.h"
#include "engine/score_threshold.h"

#include <math.h>
#include <stdlib.h>

/* The threshold that was given or is known; *owned is to be freed. Without auto_min_score one that cannot be read is none. */
static int find_threshold(const scry_threshold **out, scry_threshold **owned, const scry_query_tools *tools,
                          const scry_find_options *o, scry_error *err)
{
    int r = 0;
    if (!o->threshold && o->auto_min_score)
        r = scry_threshold_run(owned, tools->store, tools->model, o->estimating, err);
    else if (!o->threshold && tools->model)
        (void)!scry_threshold_known(owned, tools->store, tools->model, NULL);
    *out = o->threshold ? o->threshold : *owned;
    return r;
}

static int check_tools(const scry_query_tools *tools, const scry_find_options *o, scry_error *err)
{
    if (!tools || !tools->store)
        return scry_fail(err, SCRY_EINVALID, "a search needs a store");
    if (!tools->model && (!o->vector || (o->auto_min_score && !o->threshold)))
        return scry_fail(err, SCRY_EINVALID, "a search needs the model of the collection");
    if (!tools->model)
        return 0;
    const scry_model_info *m = scry_model_get_info(tools->model);
    return scry_store_check_model(tools->store, m->identity, m->name, m->dim, err);
}

int scry_find(scry_results **out, const scry_query_tools *tools, const scry_query *query, const scry_find_options *options,
              scry_error *err)
{
    const scry_find_options defaults = SCRY_FIND_OPTIONS_INIT, *o = options ? options : &defaults;
    const scry_threshold *threshold = NULL;
    scry_threshold *owned = NULL;
    scry_filter_pool *pool = scry_filter_pool_new();
    scry_search_plan plan = { .search = o->search, .by = o->by, .auto_min_score = o->auto_min_score, .groups = SCRY_GROUPS_INIT };
    float *made = NULL;
    int r = (unsigned)o->by <= SCRY_BY_WORDS ? check_tools(tools, o, err)
                                             : scry_fail(err, SCRY_EINVALID, "a search is by look, by words or both, not of kind %d", (int)o->by);
    if (r == 0)
        r = scry_required(query, "a query", err);
    if (r == 0)
        r = scry_query_find_words(&plan.words, pool, query, o->by, err);
    if (r == 0 && !o->vector) {
        made = scry_alloc((size_t)scry_model_get_info(tools->model)->dim * sizeof *made);
        r = scry_query_embed(query, tools, made, NULL, err);
    }
    if (r == 0)
        r = find_threshold(&threshold, &owned, tools, o, err);
    if (r == 0) {
        const float *vector = o->vector ? o->vector : made;
        threshold_borders(threshold, vector, &plan.groups.maybe, &plan.groups.best);
        if (o->auto_min_score && !isnan(plan.groups.maybe))
            plan.search.min_score = plan.groups.maybe;
        r = scry_search_by(tools->store, vector, &plan, out, err);
    }
    scry_threshold_free(owned);
    scry_filter_pool_free(pool);
    free(made);
    return r;
}
