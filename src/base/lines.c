#include "base/lines.h"

#include "base/descriptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int scry_lines_open(scry_lines *l, const char *path, scry_error *err)
{
    *l = (scry_lines){ .path = path, .file = strcmp(path, "-") == 0 ? stdin : scry_open_input_stream(path) };
    return l->file ? 0 : scry_fail_errno(err, errno, "cannot open %s", path);
}

int scry_lines_next(scry_lines *l, char **line, scry_error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    errno = 0;
    ssize_t n = getdelim(&l->line, &l->capacity, l->zero_ended ? '\0' : '\n', l->file);
    if (n < 0)
        return feof(l->file) ? 0 : scry_fail_errno(err, errno, "cannot read %s", l->path);
    l->number++;
    *line = l->line;
    if (l->zero_ended)
        n = (ssize_t)strlen(l->line);
    else if (memchr(l->line, '\0', (size_t)n))
        return scry_fail(err, SCRY_EINVALID, "line %zu of %s contains a zero byte", l->number, l->path);
    if (!l->zero_ended && n && l->line[n - 1] == '\n')
        l->line[--n] = '\0';
    if (!l->zero_ended && n && l->line[n - 1] == '\r')
        l->line[--n] = '\0';
    if (l->number == 1 && strncmp(l->line, mark, 3) == 0)
        *line += 3;
    return 1;
}

void scry_lines_close(scry_lines *l)
{
    free(l->line);
    if (l->file && l->file != stdin)
        fclose(l->file);
    *l = (scry_lines){ 0 };
}
