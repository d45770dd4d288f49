#include "base/lines.h"

#include "base/descriptor.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int scry_lines_open(scry_lines *l, const char *path, scry_error *err)
{
    *l = (scry_lines){ .path = path, .file = strcmp(path, "-") == 0 ? stdin : scry_open_input_stream(path) };
    return l->file ? 0 : scry_fail_errno(err, errno, "cannot open %s", path);
}

static int refuse_zero(const scry_lines *l, size_t n, scry_error *err)
{
    if (l->number == 1 && scry_is_utf16(l->line, n))
        return scry_fail(err, SCRY_EINVALID, "%s is UTF-16: iconv -f UTF-16 -t UTF-8 makes a list that can be read", l->path);
    return scry_fail(err, SCRY_EINVALID, "line %zu of %s contains a zero byte", l->number, l->path);
}

/* Cut line[0..n) before its last byte, if it is this one. */
static bool cut_last(char *line, size_t n, char last)
{
    if (!n || line[n - 1] != last)
        return false;
    line[n - 1] = '\0';
    return true;
}

/* The next line of `rest`, which ends with "\r" or the text. */
static int next_of_rest(scry_lines *l, char **line)
{
    *line = l->rest;
    l->rest += strcspn(l->rest, "\r");
    if (*l->rest)
        *l->rest++ = '\0';
    l->number++;
    return 1;
}

int scry_lines_next(scry_lines *l, char **line, scry_error *err)
{
    if (l->rest && *l->rest)
        return next_of_rest(l, line);
    l->rest = NULL;
    errno = 0;
    ssize_t n = getdelim(&l->line, &l->capacity, l->zero_ended ? '\0' : '\n', l->file);
    if (n < 0)
        return feof(l->file) ? 0 : scry_fail_errno(err, errno, "cannot read %s", l->path);
    l->number++;
    *line = l->line;
    if (!l->zero_ended && memchr(l->line, '\0', (size_t)n))
        return refuse_zero(l, (size_t)n, err);
    bool ended = !l->zero_ended && cut_last(l->line, (size_t)n, '\n');
    if (!l->zero_ended)
        cut_last(l->line, strlen(l->line), '\r');
    if (l->number == 1)
        *line += scry_utf8_mark_bytes(l->line, strlen(l->line));
    if (ended || l->zero_ended || l->number > 1)
        return 1;
    l->rest = *line;   /* the only line: ends within it are those of old Macs */
    l->number = 0;
    return next_of_rest(l, line);
}

void scry_lines_close(scry_lines *l)
{
    free(l->line);
    if (l->file && l->file != stdin)
        fclose(l->file);
    *l = (scry_lines){ 0 };
}
