/* suggest.h - what a misspelled command, verb or option was probably meant to be. */
#ifndef SCRY_CLI_SUGGEST_H
#define SCRY_CLI_SUGGEST_H

#include "cli/cli.h"

/* "There is no command", with what is near, or what the word may have been meant for; returns CLI_ERROR. `argv` is what was
 * given, the word first. */
int cli_unknown_command(int argc, char **argv);

/* The message of a command with verbs for the operand `verb` (NULL: none), which it does not have or not with so many
 * operands: "store takes: ..." with a suggestion; returns CLI_ERROR. */
int cli_unknown_verb(const cli_command *c, const char *verb, const char *takes);

/* An option `given` as it was written ("--limt=5"), of which there is none. */
void cli_unknown_option(const cli_command *c, const char *given);

/* Letters of which `letter` is no option: `word` is the argument "-people" that has it, or NULL. */
void cli_unknown_letter(const cli_command *c, const char *letter, const char *word);

/* Whether a word like "-people" in a command line with a query was probably meant to be subtracted; says so. */
bool cli_explain_minus(const cli_command *c, const char *word);

/* What `path`, which does not exist, was probably meant to be: with another name for the first of its parts that is not there.
 * Owned; NULL: there is none. */
char *cli_near_path(const char *path);

#endif
