#include "cli/query_hints.h"

#include "cli/cli.h"
#include "image/image.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

static bool is_picture_here(const char *text)
{
    struct stat st;
    return scry_name_may_be_picture(text) && stat(text, &st) == 0 && S_ISREG(st.st_mode);
}

/* A word like "-people" behind another one; NULL: none. */
static const char *minus_word(const char *text)
{
    for (const char *p = strstr(text, " -"); p; p = strstr(p + 1, " -"))
        if (isalpha((unsigned char)p[2]) || (unsigned char)p[2] >= 0x80)
            return p + 1;
    return NULL;
}

void cli_query_hints(const scry_search_request *r)
{
    const scry_query_part *parts;
    size_t n = scry_query_parts(r->query, &parts);
    for (size_t i = 0; i < n; i++) {
        const char *text = parts[i].text, *minus = parts[i].kind == SCRY_PART_TEXT ? minus_word(text) : NULL;
        if (scry_query_is_weighed(r->query, i))
            cli_warn("\"%s\" is searched for with a weight of %g (a backslash in front of the number makes it text)", text, parts[i].weight);
        if (parts[i].kind == SCRY_PART_TEXT && is_picture_here(text))
            cli_warn("%s is searched for as a text; @%s searches by that picture", text, text);
        if (minus)
            cli_warn("%.*s is searched for as a text; to subtract it, put a space behind the minus: - %.*s", (int)strcspn(minus, " "), minus,
                     (int)strcspn(minus + 1, " "), minus + 1);
    }
}
