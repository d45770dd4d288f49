#include "server/multipart.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_BOUNDARY = 70, MAX_PART_HEADER = 4096 };   /* 70: RFC 2046 */

/* "--" and the boundary, from the header; its length, or 0. */
static size_t delimiter_of(const char *content_type, char out[MAX_BOUNDARY + 3])
{
    const char *b = content_type ? strcasestr(content_type, "boundary=") : NULL;
    if (!b || strncasecmp(content_type, "multipart/form-data", 19) != 0)
        return 0;
    b += 9;
    bool quoted = *b == '"';
    b += quoted;
    size_t n = strcspn(b, quoted ? "\"" : "; \t");
    if (n == 0 || n > MAX_BOUNDARY)
        return 0;
    memcpy(out, "--", 2);
    memcpy(out + 2, b, n);
    out[n + 2] = '\0';
    return n + 2;
}

/* The value of `key` ("name=", "filename=") in a Content-Disposition line; false when absent or,
 * with `whole`, too long. */
static bool parameter(const char *line, const char *key, char *out, size_t size, bool whole)
{
    size_t k = strlen(key);
    out[0] = '\0';
    for (const char *p = line; (p = strchr(p, ';'));) {
        p++;
        p += strspn(p, " \t");
        if (strncasecmp(p, key, k) != 0)
            continue;
        p += k;
        bool quoted = *p == '"';
        p += quoted;
        size_t n = 0;
        while (*p && (quoted ? *p != '"' : !strchr("; \t", *p))) {
            if (quoted && *p == '\\' && p[1])
                p++;
            if (n + 1 < size)
                out[n++] = *p;
            else if (whole)
                return false;
            p++;
        }
        out[n] = '\0';
        return true;
    }
    return false;
}

/* The header lines of a part, ended by an empty one: fills `part`. */
static bool read_header(const char *header, size_t size, multipart_part *part)
{
    char line[MAX_PART_HEADER + 1];
    bool named = false;
    for (const char *end = header + size; header < end;) {
        const char *eol = memmem(header, (size_t)(end - header), "\r\n", 2);
        size_t n = eol ? (size_t)(eol - header) : (size_t)(end - header);
        memcpy(line, header, n);
        line[n] = '\0';
        if (strncasecmp(line, "Content-Disposition:", 20) == 0) {
            named = parameter(line, "name=", part->name, sizeof part->name, true);
            parameter(line, "filename=", part->filename, sizeof part->filename, false);
        }
        header += n + 2;
    }
    return named;
}

int multipart_read(const char *content_type, const char *body, size_t size,
                   int (*each)(void *arg, const multipart_part *part), void *arg, scry_error *err)
{
    char delimiter[MAX_BOUNDARY + 3];
    size_t d = delimiter_of(content_type, delimiter);
    const char *end = body + size;
    if (d == 0)
        return scry_fail(err, SCRY_EINVALID, "the body is no multipart/form-data with a boundary");
    const char *p = memmem(body, size, delimiter, d);
    for (int count = 0; p; count++) {
        p += d;
        if (end - p >= 2 && memcmp(p, "--", 2) == 0)
            return 0;
        const char *header = p + 2;
        const char *blank = end - p >= 2 && memcmp(p, "\r\n", 2) == 0 ? memmem(p, (size_t)(end - p), "\r\n\r\n", 4) : NULL;
        multipart_part part = { .name = "" };
        /* A part without header lines has its blank line right behind the boundary. */
        size_t header_size = blank && blank > header ? (size_t)(blank - header) : 0;
        if (!blank || header_size > MAX_PART_HEADER || count == MULTIPART_MAX_PARTS || !read_header(header, header_size, &part))
            break;
        part.data = blank + 4;
        /* The data ends at the line end before the next delimiter. */
        const char *next = part.data;
        do {
            next = memmem(next, (size_t)(end - next), delimiter, d);
        } while (next && (next < part.data + 2 || memcmp(next - 2, "\r\n", 2) != 0) && next++);
        if (!next)
            break;
        part.size = (size_t)(next - 2 - part.data);
        int r = each(arg, &part);
        if (r != 0)
            return r;
        p = next;
    }
    return scry_fail(err, SCRY_EINVALID, "the multipart body is malformed");
}
