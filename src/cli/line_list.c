#include "cli/line_list.h"

#include "base/alloc.h"
#include "base/lines.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LIST_BYTES = 1 << 30 };

int cli_read_lines(cli_line_list *out, const char *path, scry_error *err)
{
    scry_lines lines;
    char *line;
    *out = (cli_line_list){ .text = SCRY_BUF_INIT(MAX_LIST_BYTES) };
    int r = scry_lines_open(&lines, path, err);
    while (r == 0 && (r = scry_lines_next(&lines, &line, err)) > 0) {
        scry_buf_append(&out->text, line, strlen(line) + 1);
        out->count++;
        r = out->text.failed ? scry_fail(err, SCRY_ELIMIT, "%s is longer than %d bytes", path, MAX_LIST_BYTES) : 0;
    }
    scry_lines_close(&lines);
    if (r < 0)
        return r;
    out->list = scry_alloc((out->count + 1) * sizeof *out->list);
    char *p = out->text.data;
    for (size_t i = 0; i < out->count; i++, p += strlen(p) + 1)
        out->list[i] = p;
    return 0;
}

void cli_line_list_dispose(cli_line_list *l)
{
    free(l->list);
    scry_buf_dispose(&l->text);
    *l = (cli_line_list){ 0 };
}
