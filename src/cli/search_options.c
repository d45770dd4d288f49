/* search_options.c - the parameters of a search as options of a command: from engine/search_request.h. */
#include "cli/cli.h"

#include "base/alloc.h"

#include <string.h>

typedef struct {
    cli_option options[SCRY_MAX_PARAMS + 1];
    char names[SCRY_MAX_PARAMS][32];
    bool made;
} option_list;

static const char *help_of(const scry_param *p, scry_request_via via)
{
    static const char *const repeats[] = {
        [SCRY_REPEAT_NONE] = "", [SCRY_REPEAT_ANY] = " (may be repeated: any of them)", [SCRY_REPEAT_ALL] = " (may be repeated: all of them)",
    };
    if (p->at == offsetof(scry_search_request, search.limit))
        return via == SCRY_VIA_LIST_COMMAND ? p->help : scry_asprintf("%s (default: %zu)", p->help, scry_default_limit(via));
    if (p->repeat != SCRY_REPEAT_NONE && p->filter == SCRY_FILTER_ALL)
        return scry_asprintf("%s (may be repeated)", p->help);
    return scry_asprintf("%s%s", p->help, repeats[p->repeat]);
}

/* Those of `via`, made once for the process. */
static const cli_option *options_of(option_list *l, scry_request_via via, bool filters)
{
    if (l->made)
        return l->options;
    size_t n = 0;
    for (const scry_param *p = scry_params; p->name; p++)
        if (p->via & 1u << via && filters == (p->filter != SCRY_FILTER_ALL)) {
            const char *name = scry_param_name(p, via, l->names[n]);
            l->options[n++] = (cli_option){ name, p->argument, help_of(p, via), p->letter, p->choices };
        }
    l->made = true;
    return l->options;
}

const cli_option *cli_search_options(void)
{
    static option_list list;
    return options_of(&list, SCRY_VIA_COMMAND, false);
}

const cli_option *cli_list_options(void)
{
    static option_list list;
    return options_of(&list, SCRY_VIA_LIST_COMMAND, false);
}

const cli_option *cli_filter_options(void)
{
    static option_list list;
    return options_of(&list, SCRY_VIA_COMMAND, true);
}
