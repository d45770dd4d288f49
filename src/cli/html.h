/* html.h - results as a page of thumbnails in one file. */
#ifndef SCRY_CLI_HTML_H
#define SCRY_CLI_HTML_H

#include "cli/output.h"
#include "scry/error.h"

/* Write the page to `path` atomically. It is self-contained: pictures are embedded, there is no script, and its
 * Content-Security-Policy forbids loading anything else. */
int cli_write_html(const char *path, const cli_output *o, scry_error *err) SCRY_NODISCARD;

#endif
