/* line_list.h - all lines of a file: texts, paths, labels. */
#ifndef SCRY_CLI_LINE_LIST_H
#define SCRY_CLI_LINE_LIST_H

#include "base/buf.h"
#include "scry/error.h"

#include <stddef.h>

typedef struct cli_line_list {
    char **list;      /* [count], without line ends; point into `text` */
    size_t count;
    scry_buf text;
} cli_line_list;

/* Read a file, a pipe, or standard input ("-") with base/lines.h. Dispose of *out after success and failure. */
int cli_read_lines(cli_line_list *out, const char *path, scry_error *err) SCRY_NODISCARD;
void cli_line_list_dispose(cli_line_list *l);

#endif
