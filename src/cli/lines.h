/* lines.h - a file of lines: texts, paths, labels. */
#ifndef SCRY_CLI_LINES_H
#define SCRY_CLI_LINES_H

#include "base/buf.h"
#include "scry/error.h"

#include <stddef.h>

typedef struct cli_lines {
    char **list;      /* [count], without line ends; point into `text` */
    size_t count;
    scry_buf text;
} cli_lines;

/* Read a file, a pipe, or standard input ("-"). Dispose of *out whatever is returned. */
int cli_read_lines(cli_lines *out, const char *path, scry_error *err) SCRY_NODISCARD;
void cli_lines_dispose(cli_lines *lines);

#endif
