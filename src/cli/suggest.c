#include "cli/suggest.h"

#include "base/alloc.h"
#include "base/nearest.h"
#include "image/image.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What other programs call it: `words`, separated by spaces, and what it is called here. */
typedef struct {
    const char *here, *words;
} synonym;

/* Words that may begin a description ("page of a book") are taken only where they are all there is. */
static const synonym commands[] = {
    { "search", "find query grep" }, { "list", "ls" }, { "index", "add import update sync reindex refresh" },
    { "remove", "rm delete del forget" }, { "duplicates", "dupes dups dedup dedupe" }, { "status", "info stats" }, { "verify", "fsck" },
    { "text", "ocr" }, { "model pull", "pull" }, { "--version", "version -V -v" },
}, lone_commands[] = {
    { "list", "show all photos pictures images browse" }, { "index", "scan build init create start setup" }, { "favourite", "star like fav" },
    { "duplicates", "similar" }, { "serve", "web gui ui page server open run" }, { "root", "folders folder roots dirs" },
    { "verify", "check test" }, { "classify", "label tag" }, { "tune", "train finetune" }, { "saved", "bookmarks albums" },
    { "status", "count size" },
};
static const synonym options[] = {
    { "date", "year when month day time taken during on" }, { "after", "since from start" }, { "until", "to end" },
    { "in", "folder dir directory path below album" }, { "limit", "count top max num number results size" }, { "offset", "skip" },
    { "image", "similar like picture photo file" }, { "sort", "order order-by sort-by" }, { "format", "type ext extension" },
    { "keyword", "tag tags" }, { "place", "location city country where" }, { "min-rating", "rating stars" }, { "min-width", "width" },
    { "favourites", "starred liked" }, { "min-score", "threshold" }, { "similarity", "threshold min-score" }, { "null", "print0 zero" },
    { "quiet", "silent" }, { "listen", "host bind address" }, { "jobs", "threads workers parallel" }, { "store", "db database" },
    { "prune", "delete clean" }, { "out", "output" }, { "open", "browser view" }, { "copy-to", "copy export" }, { "link-to", "link" },
};

static bool has_word(const char *words, const char *word)
{
    for (size_t n; *words; words += n + (words[n] == ' ')) {
        n = strcspn(words, " ");
        if (strlen(word) == n && strncmp(words, word, n) == 0)
            return true;
    }
    return false;
}

/* The next of `n` rows from `*i` on that has the word; NULL: none. */
static const char *next_synonym(const synonym *rows, size_t n, size_t *i, const char *word)
{
    while (*i < n)
        if (has_word(rows[(*i)++].words, word))
            return rows[*i - 1].here;
    return NULL;
}

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static const char *command_called(const char *word, bool alone)
{
    size_t i = 0, k = 0;
    const char *found = next_synonym(commands, COUNT(commands), &i, word);
    return found || !alone ? found : next_synonym(lone_commands, COUNT(lone_commands), &k, word);
}

static bool has_option(const cli_command *c, const char *name)
{
    cli_option_table tables[CLI_MAX_TABLES];
    size_t count = cli_option_tables(c, tables);
    for (size_t t = 0; t < count; t++)
        for (const cli_option *o = tables[t].options; o->name; o++)
            if (strcmp(o->name, name) == 0)
                return true;
    return false;
}

/* An option of the command that other programs call so; NULL: none. */
static const char *option_called(const cli_command *c, const char *word)
{
    size_t i = 0;
    const char *found = next_synonym(options, COUNT(options), &i, word);
    while (found && !has_option(c, found))
        found = next_synonym(options, COUNT(options), &i, word);
    return found;
}

int cli_unknown_command(int argc, char **argv)
{
    const char *name = argv[0], *called = command_called(name, argc == 1);
    struct stat st;
    scry_nearest n = SCRY_NEAREST_INIT(name);
    for (size_t i = 0; cli_commands[i]; i++)
        scry_nearest_offer(&n, cli_commands[i]->name);
    scry_nearest_offer(&n, "help");
    if (called || n.best[0])
        return cli_usage("there is no command \"%s\": did you mean `scry %s`? (see `scry --help`)", name, called ? called : n.best);
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
    const char *called = option_called(c, name + strspn(name, "-"));
    offer_options(&n, c);
    if (called || n.best[0])
        cli_usage("unknown option %s (did you mean --%s?): see `scry %s --help`", name, called ? called : n.best, c->name);
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

/* `folder` with the name that is nearest to the `n` bytes at `name`, and `rest` behind it; owned, NULL where that is not there. */
static char *near_in(const char *folder, const char *name, size_t n, const char *rest)
{
    DIR *d = opendir(folder[0] ? folder : ".");
    char *given = scry_strndup(name, n);
    scry_nearest nearest = SCRY_NEAREST_INIT(given);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        if (e->d_name[0] != '.' || given[0] == '.')
            scry_nearest_offer(&nearest, e->d_name);
    if (d)
        closedir(d);
    free(given);
    char *path = nearest.best[0] ? scry_asprintf("%s%s%s", folder, nearest.best, rest) : NULL;
    if (path && access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *cli_near_path(const char *path)
{
    for (size_t at = 0, n; path[at]; at += n) {
        at += strspn(path + at, "/");
        n = strcspn(path + at, "/");
        char *up_to = scry_strndup(path, at + n);
        bool is_there = access(up_to, F_OK) == 0;
        free(up_to);
        if (is_there)
            continue;
        char *folder = scry_strndup(path, at), *near = n ? near_in(folder, path + at, n, path + at + n) : NULL;
        free(folder);
        return near;
    }
    return NULL;
}
