#include "cli/commands.h"

#include <string.h>

const cli_command *const cli_commands[] = {
    &cmd_index, &cmd_watch, &cmd_search, &cmd_list, &cmd_duplicates, &cmd_favourite, &cmd_saved, &cmd_serve, &cmd_status,
    &cmd_remove, &cmd_verify, &cmd_root, &cmd_embed, &cmd_eval, &cmd_classify, &cmd_text, &cmd_model, &cmd_tune, &cmd_store,
    &cmd_mcp, &cmd_completion, NULL,
};

const cli_command *cli_find_command(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}
