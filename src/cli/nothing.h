/* nothing.h - what a command says on stderr when it found nothing. */
#ifndef SCRY_CLI_NOTHING_H
#define SCRY_CLI_NOTHING_H

#include "cli/output.h"

/* "nothing found" and, where the filters or --min-score let none pass, why. Nothing with --quiet or in other forms than a table. */
void cli_tell_nothing(const cli_output *o);

#endif
