#include "milvus/call.h"

#include "base/alloc.h"
#include "milvus/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Milvus's default limit of a request (proxy.grpc.serverMaxRecvSize). */
static const size_t MAX_REQUEST_BYTES = (size_t)64 << 20;

/* ---- address ---- */

static int set_port(scry_milvus_options *o, const char *text, size_t n, const char *url, scry_error *err)
{
    int port = 0;
    for (size_t i = 0; i < n && port <= 65535; i++)
        port = text[i] >= '0' && text[i] <= '9' ? port * 10 + (text[i] - '0') : 65536;
    if (n == 0 || port < 1 || port > 65535)
        return scry_fail(err, SCRY_EINVALID, "%s: the port must be a number from 1 to 65535", url);
    o->port = port;
    return 0;
}

/* TLS and port by the beginning of an address; the rest of it, or NULL with an error. */
static const char *set_kind(scry_milvus_options *o, const char *url, scry_error *err)
{
    enum { PORT = 19530, HTTPS_PORT = 443 };
    static const struct { const char *prefix; bool tls; int port; } kinds[] = {
        { "milvus://", false, PORT }, { "milvuss://", true, PORT }, { "https://", true, HTTPS_PORT },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].prefix);
        if (strncmp(url, kinds[i].prefix, n) != 0)
            continue;
        o->tls = kinds[i].tls;
        o->port = kinds[i].port;
        return url + n;
    }
    scry_fail(err, SCRY_EINVALID, "%s is not a Milvus address: milvus://HOST:PORT/DATABASE, milvuss:// for TLS, or https:// as "
              "managed services give it", url);
    return NULL;
}

int scry_milvus_set_url(scry_milvus_options *o, const char *url, scry_error *err)
{
    const char *host = set_kind(o, url, err);
    if (!host)
        return SCRY_EINVALID;
    size_t n = strcspn(host, "/?#");
    const char *database = host[n] == '/' ? host + n + 1 : "";
    if (host[n] == '?' || host[n] == '#' || strpbrk(database, "/?#"))
        return scry_fail(err, SCRY_EINVALID, "%s: a Milvus address has only HOST:PORT and one DATABASE", url);
    if (memchr(host, '@', n))
        return scry_fail(err, SCRY_EINVALID, "a Milvus address has no user or password: set SCRY_MILVUS_USER and "
                         "SCRY_MILVUS_PASSWORD");
    const char *end = host + n, *colon = memrchr(host, ':', n), *bracket = memrchr(host, ']', n);
    if (colon && (!bracket || colon > bracket)) {
        int result = set_port(o, colon + 1, (size_t)(end - colon - 1), url, err);
        if (result < 0)
            return result;
        end = colon;
    }
    if (host[0] == '[' && bracket && bracket + 1 == end) {
        host++;
        end--;
    }
    size_t host_size = (size_t)(end - host);
    if (host_size == 0 || host_size >= sizeof o->host || strlen(database) >= sizeof o->database)
        return scry_fail(err, SCRY_EINVALID, "%s: host and database must be names of at most 255 bytes", url);
    memcpy(o->host, host, host_size);
    o->host[host_size] = '\0';
    snprintf(o->database, sizeof o->database, "%s", database);
    return 0;
}

/* ---- open and free ---- */

static const char *local_time(char out[32])
{
    struct tm parts;
    time_t now = time(NULL);
    if (!localtime_r(&now, &parts) || !strftime(out, 32, "%Y-%m-%d %H:%M:%S", &parts))
        out[0] = '\0';
    return out;
}

/* Say who connects, as a server's list of its clients shows it. Servers before 2.3 cannot be told, and 2.3.5 refuses it while the
 * database is not there. */
static int introduce(scry_milvus *m, const char *user, scry_error *err)
{
    char now[32], host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    Pb__ClientInfo info = PB__CLIENT_INFO__INIT;
    info.sdk_type = "scry";
    info.sdk_version = SCRY_VERSION;
    info.local_time = (char *)local_time(now);
    info.user = (char *)(user ? user : "");
    info.host = host;
    Pb__ConnectRequest q = PB__CONNECT_REQUEST__INIT;
    q.client_info = &info;
    ProtobufCMessage *answer;
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_call(m, "Connect", &q.base, &pb__connect_response__descriptor, &answer, &why);
    if (result < 0)
        return m->code == SCRY_MILVUS_UNIMPLEMENTED || m->code > 0 ? 0 : scry_fail(err, result, "%s", why.message);
    const Pb__ConnectResponse *r = (Pb__ConnectResponse *)answer;
    snprintf(m->identifier, sizeof m->identifier, "%lld", (long long)r->identifier);
    if (r->server_info)
        snprintf(m->version, sizeof m->version, "%s", r->server_info->build_tags);
    scry_call_free(answer);
    return 0;
}

static int ask_version(scry_milvus *m, scry_error *err)
{
    Pb__GetVersionRequest q = PB__GET_VERSION_REQUEST__INIT;
    ProtobufCMessage *answer;
    int result = scry_call(m, "GetVersion", &q.base, &pb__get_version_response__descriptor, &answer, err);
    if (result < 0)
        return result;
    snprintf(m->version, sizeof m->version, "%s", ((Pb__GetVersionResponse *)answer)->version);
    scry_call_free(answer);
    return 0;
}

int scry_milvus_open(scry_milvus **out, const scry_milvus_options *o, scry_error *err)
{
    /* Every server accepts a header of this size; real passwords and tokens are far shorter. */
    enum { MAX_CREDENTIALS = 4096 };
    size_t credentials = (o->user ? strlen(o->user) : 0) + (o->password ? strlen(o->password) : 0) +
                         (o->token ? strlen(o->token) : 0);
    if (credentials > MAX_CREDENTIALS)
        return scry_fail(err, SCRY_ELIMIT, "user, password and token for Milvus are longer than %d bytes", MAX_CREDENTIALS);
    scry_milvus *m = scry_alloc(sizeof *m);
    m->options = *o;
    m->where = scry_asprintf(strchr(o->host, ':') ? "[%s]:%d" : "%s:%d", o->host, o->port);
    m->has_user = o->user && o->user[0];
    m->authorization = scry_wire_authorization(o->user, o->password, o->token);
    m->ca_file = scry_strdup(o->ca_file);
    m->cert_file = scry_strdup(o->cert_file);
    m->key_file = scry_strdup(o->key_file);
    m->options.user = m->options.password = m->options.token = NULL;
    m->options.ca_file = m->options.cert_file = m->options.key_file = NULL;
    m->request = (scry_buf)SCRY_BUF_INIT(MAX_REQUEST_BYTES);
    m->reply.body = (scry_buf)SCRY_BUF_INIT(o->max_answer_bytes);
    if (getrandom(&m->random, sizeof m->random, 0) < 0)
        m->random = (uintptr_t)m;
    m->options.patience_ms = o->connect_ms;
    int result = introduce(m, o->user, err);
    if (result == 0 && !strpbrk(m->version, "0123456789"))   /* milvus-lite says its name only */
        result = ask_version(m, err);
    m->options.patience_ms = o->patience_ms;
    if (result < 0)
        scry_milvus_free(m);
    else
        *out = m;
    return result;
}

void scry_milvus_free(scry_milvus *m)
{
    if (!m)
        return;
    scry_conn_free(m->conn);
    scry_buf_dispose(&m->request);
    scry_buf_dispose(&m->reply.body);
    explicit_bzero(m->authorization, strlen(m->authorization));
    free(m->authorization);
    free(m->where);
    free(m->ca_file);
    free(m->cert_file);
    free(m->key_file);
    free(m->schema_of);
    free(m);
}

const char *scry_milvus_version(const scry_milvus *m)
{
    return m->version;
}

static bool is_lite(const char *version)
{
    return strncasecmp(version, "milvus_lite", 11) == 0 || strncasecmp(version, "milvus-lite", 11) == 0;
}

/* Managed services write texts like "... (Compatible with Milvus 2.5)": the first two numbers with a dot in between count. */
static bool is_from(const char *version, long least_major, long least_minor)
{
    static const char digits[] = "0123456789";
    for (const char *at = version; *(at += strcspn(at, digits)); at += strspn(at, digits)) {
        char *end;
        long major = strtol(at, &end, 10);
        if (*end == '.' && strchr(digits, end[1]) && end[1])
            return major > least_major || (major == least_major && strtol(end + 1, NULL, 10) >= least_minor);
    }
    return false;
}

bool scry_milvus_has_halves(const char *version)
{
    return !is_lite(version) && is_from(version, 2, 4);
}

bool scry_milvus_has_ranks(const char *version)
{
    return is_lite(version) ? is_from(version, 3, 0) : is_from(version, 2, 5);
}

/* milvus-lite knows no "whitespace"; its "standard" splits at what is no letter, digit or _ and lowers the case. */
const char *scry_milvus_blank_analyzer(const char *version)
{
    return is_lite(version) ? "{\"tokenizer\":\"standard\"}" : "{\"tokenizer\":\"whitespace\"}";
}

int scry_milvus_code(const scry_milvus *m)
{
    return m->code;
}

bool scry_milvus_was_refused(const scry_milvus *m)
{
    return (m->code > 0 && m->code != SCRY_MILVUS_RATE_LIMIT) || m->code == SCRY_MILVUS_BAD_ARGUMENT ||
           m->code == SCRY_MILVUS_UNIMPLEMENTED;
}

scry_milvus_counters scry_milvus_counts(const scry_milvus *m)
{
    return m->counters;
}

uint64_t scry_milvus_last_write(const scry_milvus *m)
{
    return m->last_write;
}

void scry_milvus_see_write(scry_milvus *m, uint64_t timestamp)
{
    if (timestamp > m->last_write)
        m->last_write = timestamp;
}
