#include "server/strict.h"

#include "base/alloc.h"

#include <stdlib.h>
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

/* The length of "http://" or "https://" at the start; 0: neither. */
static size_t scheme_size(const char *address)
{
    return strncasecmp(address, "http://", 7) == 0 ? 7 : strncasecmp(address, "https://", 8) == 0 ? 8 : 0;
}

/* A request line has no other white space than two spaces, and an address no fragment. A percent sign that encodes nothing and
 * bytes beyond ASCII, as people type them for curl, mean themselves. */
static bool has_stray(const char *address)
{
    for (const char *p = address; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 127 || *p == '#')
            return true;
    return false;
}

void request_line_read(request_line *l, const char *address)
{
    size_t scheme = scheme_size(address);
    *l = (request_line){ .address = address, .end = address + strlen(address), .status = 400 };
    if (scheme)
        l->authority = scry_strndup(address + scheme, strcspn(address + scheme, "/?"));
    if (strstr(address, "%00"))
        l->problem = "the address holds a zero byte";
    else if (has_stray(address))
        l->problem = "the address holds white space, a control character or a fragment";
    else if (l->authority && (!l->authority[0] || strpbrk(l->authority, "%@")))
        l->problem = "the address names no host, or a user";
    else if (!l->authority && address[0] != '/' && strcmp(address, "*") != 0)
        l->problem = "the address must begin with a slash";
}

void request_line_dispose(request_line *l)
{
    free(l->authority);
    *l = (request_line){ 0 };
}

const char *request_line_path(const request_line *l, const char *url)
{
    if (!l->authority)
        return url;
    size_t n = scheme_size(url) + strlen(l->authority);
    return strlen(url) > n ? url + n : "/";
}

const char *strict_line_problem(const request_line *l, const char *method, const char *version, int *status)
{
    size_t n = strlen(method);
    *status = 400;
    if (!is_token(method, n))
        return "the method is not a token";
    if (l->address != method + n + 1 || version != l->end + 1)
        return "the first line must be a method, an address and a version with one space between them";
    if (strcmp(method, "CONNECT") == 0) {
        *status = 501;
        return "this server is no proxy";
    }
    if (!l->problem && l->address[0] == '*' && strcmp(method, "OPTIONS") != 0)
        return "the address * is for OPTIONS only";
    *status = l->status;
    return l->problem;
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
