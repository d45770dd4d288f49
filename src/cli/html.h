/* html.h - results as a page of thumbnails in one file. */
#ifndef SCRY_CLI_HTML_H
#define SCRY_CLI_HTML_H

#include "cli/output.h"
#include "scry/error.h"

/* Write the page to `path`, whole or not at all. It needs nothing but itself: pictures are
 * inside, there is no script, and the browser is told to load nothing else. */
int cli_write_html(const char *path, const cli_output *o, scry_error *err) SCRY_NODISCARD;

#endif
