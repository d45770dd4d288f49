/* completion_fish.c - completion for fish: a `complete` line for each command, verb and option. */
#include "cli/completion.h"

/* Within single quotes. */
static void put_text(const char *s)
{
    for (; *s; s++)
        printf(*s == '\'' || *s == '\\' ? "\\%c" : "%c", *s);
}

static void put_option(const cli_command *c, const cli_option *o)
{
    static const char *const how[] = {
        [CLI_WORD] = " -x", [CLI_FOLDER] = " -x -a '(__fish_complete_directories)'", [CLI_PATH] = " -r -F",
        [CLI_A_MODEL] = " -x -a '(scry model list -q 2>/dev/null | string split -f1 \" \"; __fish_complete_directories)'",
        [CLI_A_COLLECTION] = " -x -a '(scry store list -q 2>/dev/null)'",
        [CLI_A_PLACE] = " -x -a '(scry completion places (commandline -ct) 2>/dev/null)'",
    };
    printf("complete -c scry -n '__scry_command %s' -l %s", c->name, o->name);
    if (o->letter)
        printf(" -s %c", o->letter);
    if (o->argument && o->choices)
        printf(" -x -a '%s'", o->choices);
    else if (o->argument)
        fputs(how[cli_kind_of(o)], stdout);
    fputs(" -d '", stdout);
    put_text(o->help);
    fputs("'\n", stdout);
}

void cli_complete_fish(void)
{
    fputs("# fish completion for scry, made by `scry completion fish`\n"
          "function __scry_command\n    set -l words (commandline -opc)\n    test (count $words) -gt 1; and test $words[2] = $argv[1]\nend\n"
          "function __scry_nothing_yet\n    test (count (commandline -opc)) -eq 1\nend\n"
          "function __scry_verb_of\n    test (count (commandline -opc)) -eq 2; and __scry_command $argv[1]\nend\n"
          "complete -c scry -n __scry_nothing_yet -f\n"
          "complete -c scry -n __scry_nothing_yet -l help -d 'show the commands'\n"
          "complete -c scry -n __scry_nothing_yet -l version -d 'show the version'\n"
          "complete -c scry -n __scry_nothing_yet -a help -d 'Explain a command'\n", stdout);
    for (size_t i = 0; cli_commands[i]; i++) {
        const cli_command *c = cli_commands[i];
        printf("complete -c scry -n __scry_nothing_yet -a %s -d '", c->name);
        put_text(c->summary);
        fputs("'\n", stdout);
        if (c->verbs)
            printf("complete -c scry -n '__scry_verb_of %s' -f -a '%s'\n", c->name, c->verbs);
        cli_each_option(c, put_option);
    }
}
