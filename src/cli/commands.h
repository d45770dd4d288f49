/* commands.h - every command of the program, each defined in its own cmd_NAME.c. */
#ifndef SCRY_CLI_COMMANDS_H
#define SCRY_CLI_COMMANDS_H

#include "cli/cli.h"

extern const cli_command cmd_index, cmd_search, cmd_list, cmd_duplicates, cmd_favourite, cmd_saved, cmd_watch, cmd_serve, cmd_embed,
    cmd_status, cmd_remove, cmd_verify, cmd_root, cmd_eval, cmd_classify, cmd_text, cmd_model, cmd_tune, cmd_store, cmd_mcp,
    cmd_completion;

#endif
