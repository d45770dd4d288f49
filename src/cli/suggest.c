#include "cli/suggest.h"

#include "base/alloc.h"
#include "base/nearest.h"
#include "image/image.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int cli_unknown_command(int argc, char **argv)
{
    const char *name = argv[0];
    struct stat st;
    scry_nearest n = SCRY_NEAREST_INIT(name);
    for (size_t i = 0; cli_commands[i]; i++)
        scry_nearest_offer(&n, cli_commands[i]->name);
    scry_nearest_offer(&n, "help");
    if (n.best[0])
        return cli_usage("there is no command \"%s\": did you mean `scry %s`? (see `scry --help`)", name, n.best);
    if (strchr(name, '/') && stat(name, &st) == 0)
        return cli_usage("there is no command \"%s\": `scry index %s` adds %s to the index (see `scry --help`)", name, name,
                         S_ISDIR(st.st_mode) ? "the pictures in that folder" : "that picture");
    if (argc > 1 && name[0] != '-')
        return cli_usage("there is no command \"%s\": `scry search %s %s%s` looks for pictures (see `scry --help`)", name, name, argv[1],
                         argc > 2 ? " ..." : "");
    return cli_usage("there is no command \"%s\": see `scry --help`", name);
}

int cli_unknown_verb(const cli_command *c, const char *verb, const char *takes)
{
    scry_nearest n = SCRY_NEAREST_INIT(verb ? verb : "");
    scry_nearest_offer_words(&n, c->verbs);
    if (n.best[0] && strcmp(n.best, verb) != 0)
        return cli_usage("%s takes: %s, not \"%s\": did you mean %s?", c->name, takes, verb, n.best);
    return cli_usage("%s takes: %s (see `scry %s --help`)", c->name, takes, c->name);
}

/* Offer the names of all options. */
static void offer_options(scry_nearest *n, const cli_command *c)
{
    cli_option_table tables[CLI_MAX_TABLES];
    size_t count = cli_option_tables(c, tables);
    for (size_t t = 0; t < count; t++)
        for (const cli_option *o = tables[t].options; o->name; o++)
            scry_nearest_offer(n, o->name);
}

void cli_unknown_option(const cli_command *c, const char *given)
{
    char *name = scry_strndup(given, strcspn(given, "="));
    scry_nearest n = SCRY_NEAREST_INIT(name + strspn(name, "-"));
    offer_options(&n, c);
    if (n.best[0])
        cli_usage("unknown option %s (did you mean --%s?): see `scry %s --help`", name, n.best, c->name);
    else
        cli_usage("unknown option %s (see `scry %s --help`)", given, c->name);
    free(name);
}

bool cli_explain_minus(const cli_command *c, const char *word)
{
    if (!(c->common & CLI_SEARCH) || !word || strlen(word) < 4 || !isalpha((unsigned char)word[2]))
        return false;
    cli_usage("%s is read as options: to subtract it from the query, put a space behind the minus: - %s", word, word + 1);
    return true;
}

void cli_unknown_letter(const cli_command *c, const char *letter, const char *word)
{
    scry_nearest n = SCRY_NEAREST_INIT(word && strlen(word) > 3 ? word + 1 : "");
    offer_options(&n, c);
    if (n.best[0])
        cli_usage("unknown option %s in %s (did you mean --%s?): see `scry %s --help`", letter, word, n.best, c->name);
    else if (!cli_explain_minus(c, word))
        cli_usage("unknown option %s (see `scry %s --help`)", letter, c->name);
}
