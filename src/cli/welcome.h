/* welcome.h - what to do first, and next. */
#ifndef SCRY_CLI_WELCOME_H
#define SCRY_CLI_WELCOME_H

#include "cli/cli.h"

/* `scry` alone: what is indexed and what can be done with it. Returns the exit status. */
int cli_welcome(void);

/* `scry index` without a path: the folders of the collection, else the Pictures folder, after asking on a terminal. The owned
 * paths, ended by NULL; NULL where the user has said no (*status is CLI_NOTHING), or cannot be asked or there is no such
 * folder, which has been printed (CLI_ERROR). */
char **cli_propose_paths(const cli_common *c, int *status);

/* After a run: the commands that use what it made, on stderr, if that is a terminal. */
void cli_next_step(const cli_common *c);

#endif
