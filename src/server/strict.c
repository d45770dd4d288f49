#include "server/strict.h"

#include <string.h>

typedef struct {
    const char *end;         /* of the line before: its "\r\n" follows */
    const char *problem;
    int lengths, encodings, hosts;
} reading;

static bool is_token(const char *s, size_t n)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || ((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z') || (s[i] && strchr(marks, s[i]))))
            return false;
    return n > 0;
}

static bool has_control(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 127)
            return true;
    return false;
}

static bool is_named(const char *key, size_t n, const char *name)
{
    return n == strlen(name) && strncasecmp(key, name, n) == 0;
}

static enum MHD_Result read_line(void *arg, enum MHD_ValueKind kind, const char *key, size_t key_size, const char *value,
                                 size_t size)
{
    reading *r = arg;
    if (key - r->end != 2)
        r->problem = "a header line is folded, holds a zero byte or does not end with CR LF";
    else if (!is_token(key, key_size))
        r->problem = "the name of a header is not a token";
    else if (has_control(value, size))
        r->problem = "a header holds a control character";
    else if (is_named(key, key_size, MHD_HTTP_HEADER_TRANSFER_ENCODING) && !is_named(value, size, "chunked"))
        r->problem = "Transfer-Encoding may only be chunked";
    else if (is_named(key, key_size, MHD_HTTP_HEADER_CONTENT_LENGTH) && (!size || strspn(value, "0123456789") != size))
        r->problem = "Content-Length must be a number";
    r->lengths += is_named(key, key_size, MHD_HTTP_HEADER_CONTENT_LENGTH);
    r->encodings += is_named(key, key_size, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    r->hosts += is_named(key, key_size, MHD_HTTP_HEADER_HOST);
    r->end = value + size;
    return r->problem ? MHD_NO : MHD_YES;
}

const char *strict_problem(struct MHD_Connection *c, const char *method, const char *version)
{
    reading r = { .end = version + strlen(version) };
    MHD_get_connection_values_n(c, MHD_HEADER_KIND, read_line, &r);
    if (r.problem)
        return r.problem;
    const union MHD_ConnectionInfo *header = MHD_get_connection_info(c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (!header || method + header->header_size - r.end != 4)
        return "the last header line holds a zero byte or does not end with CR LF";
    if (r.lengths + r.encodings > 1)
        return "Content-Length and Transfer-Encoding may be given once, and not together";
    if (r.hosts > 1)
        return "Host may be given once";
    return r.encodings && strcmp(version, "HTTP/1.1") != 0 ? "Transfer-Encoding requires HTTP/1.1" : NULL;
}
