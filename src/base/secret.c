#include "base/secret.h"

#include "base/file.h"

#include <string.h>

/* NULL: none. */
static const char *problem_of(const char *text, size_t n)
{
    if (n >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return "is UTF-16";
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return "begins with a byte order mark";
    return memchr(text, '\0', n) ? "holds a zero byte" : NULL;
}

int scry_read_secret(const char *path, const char *what, scry_buf *out, scry_error *err)
{
    size_t from = out->size;
    int r = scry_read_file(path, out, err);
    const char *problem = r == 0 && out->size > from ? problem_of(out->data + from, out->size - from) : NULL;
    if (problem)
        r = scry_fail(err, SCRY_EINVALID, "the %s file %s %s: write it as plain text", what, path, problem);
    return r;
}
