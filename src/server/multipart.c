#include "server/multipart.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_BOUNDARY = 70, MAX_PART_HEADER = 4096 };   /* 70: RFC 2046 */

/* What ends the data of a part: "\r\n--" and the boundary. */
typedef struct {
    char text[MAX_BOUNDARY + 4];
    size_t size;
} delimiter;

/* The delimiter that the header names; false when it names none. */
static bool read_boundary(const char *content_type, delimiter *out)
{
    const char *b = content_type ? strcasestr(content_type, "boundary=") : NULL;
    if (!b || strncasecmp(content_type, "multipart/form-data", 19) != 0)
        return false;
    b += 9;
    bool quoted = *b == '"';
    b += quoted;
    size_t n = strcspn(b, quoted ? "\"" : "; \t");
    if (n == 0 || n > MAX_BOUNDARY || memchr(b, '\r', n))
        return false;
    memcpy(out->text, "\r\n--", 4);
    memcpy(out->text + 4, b, n);
    out->size = n + 4;
    return true;
}

/* The first delimiter in `p` to `end`, or NULL. Linear whatever the bytes are: the delimiter has a
 * carriage return at its beginning only, so the ranges compared do not overlap. */
static const char *find_delimiter(const char *p, const char *end, const delimiter *d)
{
    while ((p = memchr(p, '\r', (size_t)(end - p)))) {
        if ((size_t)(end - p) < d->size)
            return NULL;
        if (p[1] == '\n' && memcmp(p, d->text, d->size) == 0)
            return p;
        p++;
    }
    return NULL;
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
    delimiter d;
    const char *end = body + size;
    if (!read_boundary(content_type, &d))
        return scry_fail(err, SCRY_EINVALID, "the body is not multipart/form-data with a boundary");
    /* A delimiter at the very beginning has no line end before it. */
    bool at_begin = size >= d.size - 2 && memcmp(body, d.text + 2, d.size - 2) == 0;
    const char *p = at_begin ? body : find_delimiter(body, end, &d);
    size_t skip = at_begin ? d.size - 2 : d.size;
    for (int count = 0; p; count++, skip = d.size) {
        p += skip;
        if (end - p >= 2 && memcmp(p, "--", 2) == 0)
            return 0;
        if (end - p < 2 || memcmp(p, "\r\n", 2) != 0 || count == MULTIPART_MAX_PARTS)
            break;
        /* The header lines and the empty line after them; a part without any begins with the empty line. */
        size_t rest = (size_t)(end - p), most = MAX_PART_HEADER + 6;
        const char *header = p + 2, *blank = memmem(p, rest < most ? rest : most, "\r\n\r\n", 4);
        multipart_part part = { .name = "" };
        if (!blank || blank < header || !read_header(header, (size_t)(blank - header), &part))
            break;
        part.data = blank + 4;
        p = find_delimiter(part.data, end, &d);
        if (!p)
            break;
        part.size = (size_t)(p - part.data);
        int r = each(arg, &part);
        if (r != 0)
            return r;
    }
    return scry_fail(err, SCRY_EINVALID, "the multipart body is malformed");
}
