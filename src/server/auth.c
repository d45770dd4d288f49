/* auth.c - Host, Origin and token.
 *
 * Host must be a name the server was started with, which refuses an attacker's name that resolves to
 * this server (DNS rebinding). Origin, where present, must be the server's own page, which refuses requests
 * by other sites' pages (CSRF). If a token is set, a request must have "Authorization: Bearer TOKEN" or the
 * cookie set by POST /login.
 */
#include "server/auth.h"

#include "base/alloc.h"
#include "base/secret.h"
#include "base/sha256.h"
#include "server/request.h"
#include "server/server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool same_secret(const char *a, const char *b)
{
    uint8_t x[SCRY_SHA256_BYTES], y[SCRY_SHA256_BYTES];   /* equal lengths: the comparison takes constant time */
    scry_sha256_of(a, strlen(a), x);
    scry_sha256_of(b, strlen(b), y);
    return CRYPTO_memcmp(x, y, sizeof x) == 0;
}

/* What is sent in a header must be visible ASCII. */
static bool is_visible(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return true;
}

static int new_session(server *s, scry_error *err)
{
    uint8_t random[32];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return scry_fail(err, SCRY_EIO, "the system's random number generator failed");
    scry_hex(random, sizeof random, s->session_cookie);
    return 0;
}

int auth_read_token(server *s, scry_error *err)
{
    int r = new_session(s, err);
    if (r < 0 || !s->options.token_file)
        return r;
    scry_buf b = SCRY_BUF_INIT(4096);
    r = scry_read_secret(s->options.token_file, "token", &b, err);
    size_t n = b.size, from = 0;
    while (r == 0 && n && isspace((unsigned char)b.data[n - 1]))
        n--;
    while (from < n && isspace((unsigned char)b.data[from]))
        from++;
    n -= from;
    if (r == 0 && !is_visible(b.data + from, n))
        r = scry_fail(err, SCRY_EINVALID, "the token file %s holds a character that is not visible ASCII (make one: openssl rand -hex 32)",
                      s->options.token_file);
    if (r == 0 && (n < 16 || n >= sizeof s->token))
        r = scry_fail(err, SCRY_EINVALID, "the token in %s must have 16 to %zu characters (make one: openssl rand -hex 32)",
                      s->options.token_file, sizeof s->token - 1);
    if (r == 0)
        memcpy(s->token, b.data + from, n);
    scry_buf_dispose(&b);
    return r;
}

static const char *after_scheme(const char *url)
{
    return strncmp(url, "http://", 7) == 0 ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

/* "host:port" or "[v6]:port" without the port; owned. */
static char *host_part(const char *host)
{
    const char *end = host[0] == '[' ? strchr(host, ']') : strrchr(host, ':');
    if (host[0] == '[')
        return end ? scry_strndup(host, (size_t)(end - host) + 1) : scry_strdup(host);
    return end ? scry_strndup(host, (size_t)(end - host)) : scry_strdup(host);
}

/* A literal address, as browsers write it: in full, or as inet_aton() reads it. */
static bool is_address(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    size_t n = strlen(host);
    char *inside = host[0] == '[' && n > 2 && host[n - 1] == ']' ? scry_strndup(host + 1, n - 2) : NULL;
    bool is = inside ? inet_pton(AF_INET6, inside, &v6) == 1
                     : host[0] && !host[strspn(host, "0123456789.")] && inet_aton(host, &v4) != 0;
    free(inside);
    return is;
}

/* Whether the host is followed by nothing, or by a colon and a port, which may be empty. */
static bool has_port_or_none(const char *host)
{
    const char *rest = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
    if (rest && host[0] == '[')
        rest++;
    size_t n = rest && *rest == ':' ? strspn(rest + 1, "0123456789") : 0;
    return !rest || !*rest || (*rest == ':' && !rest[1 + n] && n <= 5 && atoi(rest + 1) <= 65535);
}

/* Allowed: localhost, any literal address (rebinding needs a name), and the names given. */
static bool host_allowed(const server *s, const char *host)
{
    if (!has_port_or_none(host))
        return false;
    char *name = host_part(host);
    bool ok = is_address(name) || strcasecmp(name, "localhost") == 0;
    for (size_t i = 0; !ok && i < s->options.host_count; i++)
        ok = strcasecmp(name, s->options.hosts[i]) == 0;
    const char *public = s->public_origin ? after_scheme(s->public_origin) : NULL;
    if (!ok && public) {
        char *public_name = host_part(public);
        ok = strcasecmp(name, public_name) == 0;
        free(public_name);
    }
    free(name);
    return ok;
}

int auth_read_public_url(server *s, scry_error *err)
{
    const char *url = s->options.public_url, *host = url ? after_scheme(url) : NULL;
    if (!url)
        return 0;
    size_t n = host ? strcspn(host, "/") : 0;
    const char *path = host ? host + n : "";
    if (!n || strpbrk(url, "?#@\\%\"' \t") || strstr(path, "//"))
        return scry_fail(err, SCRY_EINVALID, "--public-url %s: expected an address such as https://example.org/photos/", url);
    s->public_origin = scry_strdup(url);
    s->public_origin[path - url] = '\0';
    size_t length = strlen(path);
    while (length && path[length - 1] == '/')
        length--;
    s->public_path = scry_strndup(path, length);
    return 0;
}

const char *auth_local_path(const server *s, const char *path)
{
    size_t n = s->public_path ? strlen(s->public_path) : 0;
    return n && strncmp(path, s->public_path, n) == 0 && path[n] == '/' ? path + n : path;
}

static bool origin_allowed(const server *s, const char *origin, const char *host)
{
    if (s->public_origin && strcasecmp(origin, s->public_origin) == 0)
        return true;
    const char *rest = after_scheme(origin);
    return rest && strcasecmp(rest, host) == 0;
}

static bool has_token(const request *r)
{
    const char *given = request_header(r, MHD_HTTP_HEADER_AUTHORIZATION);
    if (given && strncasecmp(given, "Bearer ", 7) == 0)
        return same_secret(given + 7, r->server->token);
    const char *cookie = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, "scry");
    return cookie && same_secret(cookie, r->server->session_cookie);
}

bool auth_check(request *r)
{
    server *s = r->server;
    const char *host = request_header(r, MHD_HTTP_HEADER_HOST), *origin = request_header(r, MHD_HTTP_HEADER_ORIGIN);
    if (r->line.authority && host && strcasecmp(r->line.authority, host) != 0) {
        respond_problem(r, 400, "the address is of another host than the header Host");
        return false;
    }
    if (!host || !host_allowed(s, host)) {
        respond_problem(r, 421, "this Host is not allowed; start the server with --host NAME to allow it");
        return false;
    }
    if (origin && !origin_allowed(s, origin, host)) {
        respond_problem(r, 403, "requests from other pages (Origin %.100s) are not allowed", origin);
        return false;
    }
    if (s->token[0] && !(r->route && r->route->open) && !has_token(r)) {
        respond_problem(r, 401, "send \"Authorization: Bearer TOKEN\", or log in on the page");
        respond_header(r, "WWW-Authenticate", "Bearer realm=\"scry\"");
        return false;
    }
    return true;
}

static const char *cookie_path(const server *s)
{
    return s->public_path ? s->public_path : "";
}

static bool is_https(const server *s)
{
    return s->public_origin ? strncmp(s->public_origin, "https:", 6) == 0 : s->options.cert != NULL;
}

/* POST /login, body {"token": "..."}: sets the cookie. */
void auth_login(request *r, worker_tools *tools)
{
    const server *s = r->server;
    scry_json *root = NULL;
    if (!request_json(r, &root))
        return;
    const char *token = scry_json_str(scry_json_get(root, "token"), "");
    if (!r->server->token[0] || same_secret(token, r->server->token)) {
        respond_bytes(r, 204, NULL, "", 0);
        respond_header(r, "Set-Cookie", "scry=%s; HttpOnly; SameSite=Strict; Path=%s/; Max-Age=2592000%s",
                       s->session_cookie, cookie_path(s), is_https(s) ? "; Secure" : "");
    } else {
        respond_problem(r, 401, "wrong token");
    }
    scry_json_free(root);
}

/* The cookie that all logins share becomes invalid: all browsers are logged out. Login and logout run on the loop. */
void auth_logout(request *r, worker_tools *tools)
{
    scry_error err = SCRY_ERROR_INIT;
    if (has_token(r) && new_session(r->server, &err) < 0) {
        respond_error(r, &err);
        return;
    }
    respond_bytes(r, 204, NULL, "", 0);
    respond_header(r, "Set-Cookie", "scry=; HttpOnly; SameSite=Strict; Path=%s/; Max-Age=0", cookie_path(r->server));
}
