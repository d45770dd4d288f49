/* cancel.h - Ctrl-C and SIGTERM for long-running commands. */
#ifndef SCRY_CLI_CANCEL_H
#define SCRY_CLI_CANCEL_H

#include "scry/cancel.h"

#include <signal.h>
#include <stdbool.h>

enum { CLI_CANCELLED = 128 + SIGINT };   /* exit status of a cancelled run */

/* After this call the first signal sets the returned flag, so that the run can stop cleanly; a second signal
 * terminates the process. */
const scry_cancel *cli_catch_signals(void);

/* Whether a signal was caught. */
bool cli_stopped(void);

#endif
