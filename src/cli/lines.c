#include "cli/lines.h"

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LIST_BYTES = 1 << 30 };

static int read_stream(scry_buf *text, const char *path, scry_error *err)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char chunk[65536];
    size_t n;
    if (!f)
        return scry_fail_errno(err, errno, "cannot open %s", path);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0 && !text->failed)
        scry_buf_append(text, chunk, n);
    int bad = ferror(f) ? errno : 0;
    if (f != stdin)
        fclose(f);
    if (bad)
        return scry_fail_errno(err, bad, "cannot read %s", path);
    return text->failed ? scry_fail(err, SCRY_ELIMIT, "%s is longer than %d bytes", path, MAX_LIST_BYTES) : 0;
}

static void split(cli_lines *l)
{
    size_t capacity = 0;
    for (char *p = l->text.data, *end = p + l->text.size; p < end;) {
        char *eol = memchr(p, '\n', (size_t)(end - p));
        if (!eol)
            eol = end;
        if (l->count == capacity) {
            capacity = capacity * 2 + 1024;
            l->list = scry_realloc(l->list, capacity * sizeof *l->list);
        }
        l->list[l->count++] = p;
        *eol = '\0';
        if (eol > p && eol[-1] == '\r')
            eol[-1] = '\0';
        p = eol + 1;
    }
}

int cli_read_lines(cli_lines *out, const char *path, scry_error *err)
{
    *out = (cli_lines){ .text = SCRY_BUF_INIT(MAX_LIST_BYTES) };
    int r = read_stream(&out->text, path, err);
    if (r == 0 && out->text.size)
        split(out);
    return r;
}

void cli_lines_dispose(cli_lines *l)
{
    free(l->list);
    scry_buf_dispose(&l->text);
    *l = (cli_lines){ 0 };
}
