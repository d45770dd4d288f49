/* interactive.h - `scry search -i`: results as the query is typed, with a preview of the selected one. */
#ifndef SCRY_CLI_INTERACTIVE_H
#define SCRY_CLI_INTERACTIVE_H

#include "cli/cli.h"
#include "cli/output.h"

/* On the controlling terminal; the query of the request is where it begins, its filters hold. Prints the paths that were
 * chosen, as --paths does. Returns the exit status: 1 where it was left without choosing. */
int cli_search_interactively(cli_common *c, const cli_view *v);

#endif
