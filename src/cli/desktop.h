/* desktop.h - the desktop's own program for a file or an address. */
#ifndef SCRY_CLI_DESKTOP_H
#define SCRY_CLI_DESKTOP_H

#include "scry/error.h"

/* Open a file or an address with xdg-open. Waits until it has ended or five seconds have passed, so that its failure is an
 * error and a browser in the foreground is not waited for. */
int cli_desktop_open(const char *what, scry_error *err) SCRY_NODISCARD;

#endif
