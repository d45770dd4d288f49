/* cancel.h - Ctrl-C and SIGTERM for commands that work for long. */
#ifndef SCRY_CLI_CANCEL_H
#define SCRY_CLI_CANCEL_H

#include "scry/cancel.h"

#include <signal.h>

enum { CLI_CANCELLED = 128 + SIGINT };   /* exit status of a run that was stopped */

/* From here on the first signal sets what is returned, so that the run ends cleanly; a second one
 * ends the process. */
const scry_cancel *cli_catch_signals(void);

#endif
