/* completion.h - what the scripts for all shells are made from. */
#ifndef SCRY_CLI_COMPLETION_H
#define SCRY_CLI_COMPLETION_H

#include "cli/cli.h"

/* The kind of an option's argument. */
typedef enum { CLI_WORD, CLI_CHOICE, CLI_FOLDER, CLI_PATH, CLI_A_MODEL, CLI_A_COLLECTION, CLI_A_PLACE } cli_argument_kind;

/* Of an option that has one. */
cli_argument_kind cli_kind_of(const cli_option *o);

void cli_each_option(const cli_command *c, void (*fn)(const cli_command *c, const cli_option *o));

/* Print the script for fish; completion_fish.c. */
void cli_complete_fish(void);

#endif
