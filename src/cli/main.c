/* main.c - `scry COMMAND ...`: finds the command and runs it. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/suggest.h"
#include "cli/welcome.h"

#include "base/descriptor.h"
#include "base/log.h"
#include "base/map_guard.h"
#include "base/plugin.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* `scry help [COMMAND]`; for the Makefile `scry help --man [COMMAND]` and `scry help --commands`. */
static int help(int argc, char **argv)
{
    bool man = argc > 0 && strcmp(argv[0], "--man") == 0;
    if (argc > 0 && strcmp(argv[0], "--commands") == 0) {
        for (size_t i = 0; cli_commands[i]; i++)
            puts(cli_commands[i]->name);
        return CLI_OK;
    }
    const char *name = argc > man ? argv[man] : NULL;
    const cli_command *command = name ? cli_find_command(name) : NULL;
    if (name && !command)
        return cli_unknown_command(1, argv + man);
    (man ? cli_man : cli_help)(stdout, command);
    return CLI_OK;
}

/* The exit status, once everything is on standard output. */
static int written(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return cli_usage("cannot write the results to standard output");
    return status;
}

int main(int argc, char **argv)
{
    if (strcmp(scry_library_build(), scry_build) != 0) {
        fprintf(stderr, "scry: this program and the libscry.so that it found are of different builds "
                "(%s and %s): install all files of one build\n", scry_build, scry_library_build());
        return CLI_ERROR;
    }
    scry_fill_standard_descriptors();
    setlocale(LC_CTYPE, "");        /* but numbers are written as in the C locale */
    signal(SIGPIPE, SIG_DFL);       /* so that `scry search ... | head` exits without a message */
    signal(SIGXFSZ, SIG_IGN);       /* a file that reaches the limit of its size is an error of the write */
    scry_map_guard_install();
    scry_log_set_level(scry_trace_enabled() ? SCRY_LOG_DEBUG : SCRY_LOG_WARN);
    const char *name = argc < 2 ? NULL : argv[1];
    if (!name)
        return written(cli_welcome());
    if (strcmp(name, "--version") == 0) {
        puts("scry " SCRY_VERSION);
        return CLI_OK;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc - 2, argv + 2);
    const cli_command *command = cli_find_command(name);
    if (!command)
        return cli_unknown_command(argc - 1, argv + 1);
    double start = scry_now_ms();
    int status = command->run(argc - 1, argv + 1);
    scry_trace("the whole command", start);
    return written(status);
}
