#include "cli/commands.h"

const cli_command *const cli_commands[] = {
    &cmd_index, &cmd_search, &cmd_serve, &cmd_status, &cmd_remove, &cmd_verify, &cmd_root, &cmd_embed, &cmd_eval,
    &cmd_classify, &cmd_model, NULL,
};
