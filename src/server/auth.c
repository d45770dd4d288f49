/* auth.c - Host, Origin and token.
 *
 * The Host must be one we were started for: a name that an attacker's DNS points at us
 * (rebinding) is not. A request with an Origin must come from our own page: other pages a
 * browser has open cannot make it (CSRF). With a token, a request brings it as
 * "Authorization: Bearer TOKEN", or the cookie that POST /login gave for it.
 */
#include "server/server.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool same_secret(const char *a, const char *b)
{
    uint8_t x[SCRY_SHA256_BYTES], y[SCRY_SHA256_BYTES];   /* equal lengths, so that time tells nothing */
    scry_sha256_of(a, strlen(a), x);
    scry_sha256_of(b, strlen(b), y);
    return CRYPTO_memcmp(x, y, sizeof x) == 0;
}

int auth_read_token(server *s, scry_error *err)
{
    uint8_t random[32];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return scry_fail(err, SCRY_EIO, "the system gives no random numbers");
    scry_hex(random, sizeof random, s->session_cookie);
    if (!s->options.token_file)
        return 0;
    scry_buf b = SCRY_BUF_INIT(4096);
    int r = scry_read_file(s->options.token_file, &b, err);
    size_t n = b.size;
    while (r == 0 && n && isspace((unsigned char)b.data[n - 1]))
        n--;
    if (r == 0 && (n < 16 || n >= sizeof s->token))
        r = scry_fail(err, SCRY_EINVALID, "the token in %s must have 16 to %zu characters (make one: openssl rand -hex 32)",
                      s->options.token_file, sizeof s->token - 1);
    if (r == 0)
        memcpy(s->token, b.data, n);
    scry_buf_dispose(&b);
    return r;
}

/* "host:port" or "[v6]:port" without the port; owned. */
static char *host_part(const char *host)
{
    const char *end = host[0] == '[' ? strchr(host, ']') : strrchr(host, ':');
    if (host[0] == '[')
        return end ? scry_strndup(host, (size_t)(end - host) + 1) : scry_strdup(host);
    return end ? scry_strndup(host, (size_t)(end - host)) : scry_strdup(host);
}

static bool is_address(const char *host)
{
    return host[0] == '[' || host[strspn(host, "0123456789.")] == '\0';
}

/* Names we answer to: localhost, any literal address (rebinding needs a name), and those given. */
static bool host_allowed(const server *s, const char *host)
{
    char *name = host_part(host);
    bool ok = is_address(name) || strcasecmp(name, "localhost") == 0;
    for (size_t i = 0; !ok && i < s->options.host_count; i++)
        ok = strcasecmp(name, s->options.hosts[i]) == 0;
    free(name);
    return ok;
}

static bool origin_allowed(const char *origin, const char *host)
{
    const char *rest = strncmp(origin, "http://", 7) == 0 ? origin + 7 : strncmp(origin, "https://", 8) == 0 ? origin + 8 : NULL;
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
    if (!host || !host_allowed(s, host)) {
        respond_problem(r, 421, "this server does not answer to that Host; start it with --host NAME to allow it");
        return false;
    }
    if (origin && !origin_allowed(origin, host)) {
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

/* POST /login, body {"token": "..."}: sets the cookie. */
void auth_login(request *r, worker_tools *tools)
{
    scry_json *root = NULL;
    if (!request_json(r, &root))
        return;
    const char *token = scry_json_str(scry_json_get(root, "token"), "");
    if (!r->server->token[0] || same_secret(token, r->server->token)) {
        respond_bytes(r, 204, NULL, "", 0);
        respond_header(r, "Set-Cookie", "scry=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000%s",
                       r->server->session_cookie, r->server->options.cert ? "; Secure" : "");
    } else {
        respond_problem(r, 401, "that is not the token");
    }
    scry_json_free(root);
}

void auth_logout(request *r, worker_tools *tools)
{
    respond_bytes(r, 204, NULL, "", 0);
    respond_header(r, "Set-Cookie", "scry=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
}
