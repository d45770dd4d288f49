/* cmd_completion.c - `scry completion bash|zsh|fish|json|places`: made from the tables that parsing uses. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/suggest.h"
#include "engine/place_list.h"

#include <string.h>

cli_argument_kind cli_kind_of(const cli_option *o)
{
    if (o->choices)
        return CLI_CHOICE;
    if (strcmp(o->name, "model") == 0)
        return CLI_A_MODEL;
    if (strcmp(o->name, "collection") == 0)
        return CLI_A_COLLECTION;
    if (strcmp(o->name, "place") == 0)
        return CLI_A_PLACE;
    if (strcmp(o->argument, "DIR") == 0 || strcmp(o->argument, "WHERE") == 0)
        return CLI_FOLDER;
    return strcmp(o->argument, "FILE") == 0 || strcmp(o->argument, "LIST") == 0 || strcmp(o->argument, "X.npy") == 0 ? CLI_PATH : CLI_WORD;
}

void cli_each_option(const cli_command *c, void (*fn)(const cli_command *c, const cli_option *o))
{
    cli_option_table tables[CLI_MAX_TABLES];
    size_t n = cli_option_tables(c, tables);
    for (size_t t = 0; t < n; t++)
        for (const cli_option *o = tables[t].options; o->name; o++)
            fn(c, o);
}

/* ---- bash ---- */

static void bash_word(const cli_command *c, const cli_option *o)
{
    printf(" --%s", o->name);
}

static void bash_value(const cli_command *c, const cli_option *o)
{
    static const char *const how[] = {
        [CLI_WORD] = "return", [CLI_FOLDER] = "COMPREPLY=($(compgen -d -- \"$cur\")); return",
        [CLI_PATH] = "COMPREPLY=($(compgen -f -- \"$cur\")); return",
        [CLI_A_MODEL] = "COMPREPLY=($(compgen -d -W \"$(scry model list -q 2>/dev/null | cut -d' ' -f1)\" -- \"$cur\")); return",
        [CLI_A_COLLECTION] = "COMPREPLY=($(compgen -W \"$(scry store list -q 2>/dev/null)\" -- \"$cur\")); return",
        /* A name has blanks and need not begin with what was typed: "mün" is Munich, Germany. */
        [CLI_A_PLACE] = "local IFS=$'\\n'; cur=${cur#[\\\"\\']}; COMPREPLY=($(scry completion places \"${cur//\\\\/}\" 2>/dev/null)); "
                        "[ ${#COMPREPLY[@]} = 0 ] || COMPREPLY=($(printf '%q\\n' \"${COMPREPLY[@]}\")); return",
    };
    if (!o->argument)
        return;
    printf("    %s:--%s", c->name, o->name);
    if (o->letter)
        printf(" | %s:-%c", c->name, o->letter);
    if (o->choices)
        printf(") COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;\n", o->choices);
    else
        printf(") %s ;;\n", how[cli_kind_of(o)]);
}

static void bash(void)
{
    fputs("# bash completion for scry, made by `scry completion bash`\n_scry()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}\n"
          "    COMPREPLY=()\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"help", stdout);
    for (size_t i = 0; cli_commands[i]; i++)
        printf(" %s", cli_commands[i]->name);
    fputs(" --help --version\" -- \"$cur\"))\n        return\n    fi\n    case $command:$prev in\n", stdout);
    for (size_t i = 0; cli_commands[i]; i++)
        cli_each_option(cli_commands[i], bash_value);
    fputs("    esac\n    if [[ $cur == -* ]]; then\n        case $command in\n", stdout);
    for (size_t i = 0; cli_commands[i]; i++) {
        printf("        %s) COMPREPLY=($(compgen -W \"", cli_commands[i]->name);
        cli_each_option(cli_commands[i], bash_word);
        fputs("\" -- \"$cur\")) ;;\n", stdout);
    }
    fputs("        esac\n        return\n    fi\n    case $COMP_CWORD:$command in\n", stdout);
    for (size_t i = 0; cli_commands[i]; i++)
        if (cli_commands[i]->verbs)
            printf("    2:%s) COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")) ;;\n", cli_commands[i]->name, cli_commands[i]->verbs);
    fputs("    esac\n}\ncomplete -o default -F _scry scry\n", stdout);
}

/* ---- zsh ---- */

/* Escape for a text inside single quotes and square brackets. */
static void zsh_text(const char *s)
{
    for (; *s; s++) {
        if (*s == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *s))
            printf("\\%c", *s);
        else
            putchar(*s);
    }
}

static void zsh_option(const cli_command *c, const cli_option *o)
{
    static const char *const how[] = {
        [CLI_WORD] = " ", [CLI_FOLDER] = "_files -/", [CLI_PATH] = "_files", [CLI_A_MODEL] = "_scry_models", [CLI_A_COLLECTION] = "_scry_collections",
        [CLI_A_PLACE] = "_scry_places",
    };
    fputs(" \\\n            '", stdout);
    printf("*--%s%s[", o->name, o->argument ? "=" : "");
    zsh_text(o->help);
    putchar(']');
    if (o->argument) {
        putchar(':');
        zsh_text(o->argument);
        putchar(':');
        if (o->choices)
            printf("(%s)", o->choices);
        else
            fputs(how[cli_kind_of(o)], stdout);
    }
    putchar('\'');
}

static void zsh(void)
{
    fputs("#compdef scry\n# zsh completion for scry, made by `scry completion zsh`\n"
          "_scry_models() {\n    local -a names\n    names=(${(f)\"$(scry model list -q 2>/dev/null | cut -d' ' -f1)\"})\n"
          "    _alternative 'models:model:compadd -a names' 'folders:folder:_files -/'\n}\n"
          "_scry_collections() {\n    local -a names\n    names=(${(f)\"$(scry store list -q 2>/dev/null)\"})\n    compadd -a names\n}\n"
          "_scry_places() {\n    local -a names\n    names=(${(f)\"$(scry completion places \"${(Q)PREFIX}\" 2>/dev/null)\"})\n    compadd -U -a names\n}\n"
          "_scry() {\n    if (( CURRENT == 2 )); then\n        local -a commands\n        commands=(\n", stdout);
    for (size_t i = 0; cli_commands[i]; i++) {
        printf("            '%s:", cli_commands[i]->name);
        zsh_text(cli_commands[i]->summary);
        fputs("'\n", stdout);
    }
    fputs("        )\n        _describe command commands\n        return\n    fi\n"
          "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in\n", stdout);
    for (size_t i = 0; cli_commands[i]; i++) {
        printf("        %s) _arguments -s", cli_commands[i]->name);
        cli_each_option(cli_commands[i], zsh_option);
        if (cli_commands[i]->verbs)
            printf(" \\\n            '1:verb:(%s)'", cli_commands[i]->verbs);
        fputs(" \\\n            '*:file:_files' ;;\n", stdout);
    }
    fputs("    esac\n}\nif [ \"$funcstack[1]\" = _scry ]; then\n    _scry \"$@\"\nelse\n    compdef _scry scry\nfi\n", stdout);
}

/* ---- JSON ---- */

static void parameters(void)
{
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_params_describe(&w);
    puts(scry_buf_str(&b));
    scry_buf_dispose(&b);
}

/* ---- places ---- */

/* Those of the store's pictures that `text` begins, a line each. */
static int places(cli_args *a, const char *text)
{
    enum { MOST = 50 };
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_place_list *list = NULL;
    scry_buf titles = SCRY_BUF_INIT(1 << 20);
    int r = cli_open_store(&store, &a->common, SCRY_STORE_READ, &err);
    if (r == 0)
        r = scry_place_list_new(&list, store, &err);
    if (r == 0) {
        scry_place_titles(&titles, list, text, MOST);
        fputs(scry_buf_str(&titles), stdout);
    }
    int status = r < 0 ? cli_fail(&err) : titles.size ? CLI_OK : CLI_NOTHING;
    scry_buf_dispose(&titles);
    scry_place_list_free(list);
    if (store)
        scry_store_close(store, NULL);
    return status;
}

static int run_completion(int argc, char **argv)
{
    cli_args a;
    const char *value;
    cli_begin(&a, &cmd_completion, argc, argv);
    while (cli_next(&a, &value))
        continue;
    static const struct { const char *name; void (*print)(void); } forms[] = {
        { "bash", bash }, { "zsh", zsh }, { "fish", cli_complete_fish }, { "json", parameters },
    };
    int status = a.status;
    for (size_t i = 0; status < 0 && argc - a.next == 1 && i < sizeof forms / sizeof *forms; i++)
        if (strcmp(argv[a.next], forms[i].name) == 0) {
            forms[i].print();
            status = CLI_OK;
        }
    if (status < 0 && argc - a.next <= 2 && argc > a.next && strcmp(argv[a.next], "places") == 0)
        status = places(&a, argc - a.next == 2 ? argv[a.next + 1] : "");
    if (status < 0)
        status = cli_unknown_verb(&cmd_completion, argc > a.next ? argv[a.next] : NULL, "bash, zsh, fish, json or places");
    cli_end(&a);
    return status;
}

const cli_command cmd_completion = {
    .name = "completion",
    .usage = "bash | zsh | fish | json | [OPTION]... places [TEXT]",
    .summary = "Print the completions of a shell",
    .details =
        "json prints the parameters of a search as JSON, for programs that call scry: their names on\n"
        "the command line, over HTTP and in MCP, types and ranges. places prints where pictures of the\n"
        "store were taken, as --place takes it: up to 50 places with a word that TEXT begins.\n\n"
        "Examples:\n"
        "  source <(scry completion bash)\n"
        "  scry completion zsh > ~/.zfunc/_scry\n"
        "  scry completion fish > ~/.config/fish/completions/scry.fish\n",
    .verbs = "bash zsh fish json places",
    .common = CLI_STORE,
    .run = run_completion,
};
