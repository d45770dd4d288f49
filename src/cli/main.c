/* main.c - `scry COMMAND ...`: finds the command and runs it. */
#include "cli/cli.h"
#include "cli/commands.h"

#include "base/log.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const cli_command *find_command(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");        /* numbers stay as C writes them */
    signal(SIGPIPE, SIG_DFL);       /* `scry search ... | head` ends quietly */
    scry_log_set_level(scry_trace_enabled() ? SCRY_LOG_DEBUG : SCRY_LOG_WARN);
    if (argc < 2) {
        cli_help(stderr, NULL);
        return CLI_ERROR;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        puts("scry " SCRY_VERSION);
        return CLI_OK;
    }
    bool help = strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (help && argc < 3) {
        cli_help(stdout, NULL);
        return CLI_OK;
    }
    const cli_command *command = find_command(help ? argv[2] : name);
    if (!command)
        return cli_usage("there is no command \"%s\": see `scry --help`", help ? argv[2] : name);
    if (help) {
        cli_help(stdout, command);
        return CLI_OK;
    }
    int status = command->run(argc - 1, argv + 1);
    if (fflush(stdout) != 0 || ferror(stdout))
        return cli_usage("cannot write the results to standard output");
    return status;
}
