#include "milvus/call.h"

#include "base/alloc.h"
#include "base/log.h"
#include "milvus/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_FIRST_MS = 50, WAIT_MOST_MS = 3000 };

/* gRPC's status codes that are handled separately. */
enum {
    GRPC_DEADLINE = 4, GRPC_NOT_ALLOWED = 7, GRPC_EXHAUSTED = 8, GRPC_UNIMPLEMENTED = 12, GRPC_UNAVAILABLE = 14,
    GRPC_UNAUTHENTICATED = 16
};

/* The result of an attempt: whether another one can help. */
typedef enum {
    DONE, FAILED,
    REPEAT
} verdict;

typedef struct attempt {
    const char *rpc, *path;
    const ProtobufCMessageDescriptor *type;
    ProtobufCMessage *answer;
    double deadline_ms;
} attempt;

/* A server's text for a one-line message: control characters become spaces, and it is truncated. */
static const char *one_line(char out[320], const char *text)
{
    size_t n = 0;
    for (; text && text[n] && n < 319; n++)
        out[n] = (unsigned char)text[n] < 0x20 ? ' ' : text[n];
    out[n] = '\0';
    return n ? out : "no reason given";
}

/* ---- one attempt ---- */

static verdict judge_grpc(scry_milvus *m, const attempt *a, scry_error *err)
{
    const scry_h2_reply *r = &m->reply;
    m->code = -r->grpc_status;
    switch (r->grpc_status) {
    case GRPC_UNAVAILABLE:
        scry_fail(err, SCRY_EREMOTE, "Milvus at %s is not available (%s): %s", m->where, a->rpc, r->grpc_message);
        return REPEAT;
    case GRPC_UNAUTHENTICATED:
        scry_fail(err, SCRY_EINVALID, m->has_user ? "Milvus at %s refuses the user and password: set SCRY_MILVUS_USER and "
                                                    "SCRY_MILVUS_PASSWORD"
                                      : m->authorization[0] ? "Milvus at %s refuses the token: set SCRY_MILVUS_TOKEN"
                                      : "Milvus at %s requires authentication: set SCRY_MILVUS_USER and SCRY_MILVUS_PASSWORD, "
                                        "or SCRY_MILVUS_TOKEN", m->where);
        break;
    case GRPC_NOT_ALLOWED:
        scry_fail(err, SCRY_EINVALID, "this user may not call %s of Milvus at %s: %s", a->rpc, m->where, r->grpc_message);
        break;
    case GRPC_EXHAUSTED:
        scry_fail(err, SCRY_ELIMIT, "Milvus at %s refuses the message of %s as too large (%zu bytes sent): %s", m->where,
                  a->rpc, m->request.size, r->grpc_message);
        break;
    case GRPC_UNIMPLEMENTED:
        scry_fail(err, SCRY_EREMOTE, "Milvus at %s has no %s: its version (%s) is too old or lacks it", m->where, a->rpc,
                  m->version[0] ? m->version : "unknown");
        break;
    case GRPC_DEADLINE:
        scry_fail(err, SCRY_EREMOTE, "Milvus at %s did not finish %s within %d ms", m->where, a->rpc,
                  m->options.patience_ms);
        break;
    default:
        scry_fail(err, SCRY_EREMOTE, "Milvus at %s failed in %s (gRPC status %d): %s", m->where, a->rpc, r->grpc_status,
                  r->grpc_message);
    }
    return FAILED;
}

/* An HTTP answer without gRPC: from a proxy in front of the server, or from another program. */
static verdict judge_http(scry_milvus *m, const attempt *a, scry_error *err)
{
    int status = m->reply.http_status;
    scry_fail(err, SCRY_EREMOTE, "%s answers %s with HTTP status %d and no gRPC: is this Milvus's gRPC port?", m->where,
              a->rpc, status);
    return status == 429 || (status >= 502 && status <= 504) ? REPEAT : FAILED;
}

static const Pb__Status *status_of(const ProtobufCMessage *answer)
{
    if (answer->descriptor == &pb__status__descriptor)
        return (const Pb__Status *)answer;
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(answer->descriptor, 1);
    return *(Pb__Status *const *)((const char *)answer + f->offset);
}

/* Servers before 2.3, and later ones in some errors, set only the legacy code. */
static int unified_code(const Pb__Status *s)
{
    static const int legacy[][2] = { { 4, SCRY_MILVUS_NO_COLLECTION }, { 49, SCRY_MILVUS_RATE_LIMIT },
                                     { 62, SCRY_MILVUS_SCHEMA_CHANGED } };
    if (s->code)
        return s->code;
    for (size_t i = 0; i < sizeof legacy / sizeof *legacy; i++)
        if (s->error_code == legacy[i][0])
            return legacy[i][1];
    return s->error_code ? SCRY_MILVUS_UNEXPECTED : 0;
}

static verdict judge_status(scry_milvus *m, const attempt *a, const Pb__Status *s, scry_error *err)
{
    char reason[320];
    m->code = s ? unified_code(s) : 0;
    switch (m->code) {
    case 0:
        return DONE;
    case SCRY_MILVUS_NO_COLLECTION:
        scry_fail(err, SCRY_ENOTFOUND, "Milvus at %s has no such collection: %s", m->where, one_line(reason, s->reason));
        return FAILED;
    case SCRY_MILVUS_NO_DATABASE:
        scry_fail(err, SCRY_ENOTFOUND, "Milvus at %s has no database \"%s\"", m->where, m->options.database);
        return FAILED;
    case SCRY_MILVUS_RATE_LIMIT:
        scry_fail(err, SCRY_EREMOTE, "Milvus at %s limits the rate of %s: %s", m->where, a->rpc,
                  one_line(reason, s->reason));
        return REPEAT;
    }
    scry_fail(err, SCRY_EREMOTE, "Milvus at %s refuses %s (code %d): %s", m->where, a->rpc, m->code,
              one_line(reason, s->reason));
    /* 103 and 106: loading, recovering. Not 1 and 2 (not ready, unavailable) alone: a
     * server that is starting sets `retriable` too, and milvus-lite uses 1 for invalid arguments. */
    bool retriable = s->retriable || m->code == 103 || m->code == 106;
    return retriable && m->code != 9 ? REPEAT : FAILED;
}

static verdict judge(scry_milvus *m, attempt *a, scry_error *err)
{
    const scry_h2_reply *r = &m->reply;
    if (r->too_large) {
        scry_fail(err, SCRY_ELIMIT, "Milvus at %s answers %s with more than %zu bytes: ask for less in one request", m->where,
                  a->rpc, r->body.limit);
        return FAILED;
    }
    if (r->grpc_status > 0)
        return judge_grpc(m, a, err);
    if (r->grpc_status < 0 || r->http_status != 200 || !r->is_grpc)
        return judge_http(m, a, err);
    if (scry_wire_unpack(&a->answer, a->type, r->body.data, r->body.size, m->options.max_answer_bytes, err) < 0)
        return FAILED;
    verdict v = judge_status(m, a, status_of(a->answer), err);
    if (v != DONE) {
        scry_call_free(a->answer);
        a->answer = NULL;
    }
    return v;
}

static void disconnect(scry_milvus *m)
{
    scry_conn_free(m->conn);
    m->conn = NULL;
}

static int connect_now(scry_milvus *m, double deadline_ms, scry_error *err)
{
    if (m->conn && scry_conn_ready(m->conn))
        return 0;
    disconnect(m);
    scry_net_options net = { m->options.host, m->options.port, m->options.tls, m->ca_file };
    m->counters.connections++;
    return scry_conn_open(&m->conn, &net, m->options.keepalive_ms, deadline_ms, err);
}

static verdict try_once(scry_milvus *m, attempt *a, scry_error *err)
{
    m->code = 0;
    int result = connect_now(m, a->deadline_ms, err);
    if (result < 0)
        return result == SCRY_EREMOTE ? REPEAT : FAILED;
    scry_h2_request q = {
        .path = a->path, .authority = m->where, .tls = m->options.tls, .authorization = m->authorization,
        .database = m->options.database, .timeout_ms = (int64_t)(a->deadline_ms - scry_now_ms()) + 1,
        .body = m->request.data, .body_size = m->request.size,
    };
    switch (scry_conn_call(m->conn, &q, &m->reply, a->deadline_ms, err)) {
    case SCRY_CONN_ANSWERED:
        return judge(m, a, err);
    case SCRY_CONN_LOST:
        disconnect(m);
        return REPEAT;
    case SCRY_CONN_TIMEOUT:
        break;
    }
    return FAILED;
}

/* ---- retries ---- */

/* Wait a random part ("full jitter") of a time that doubles with each try, so that many clients of a failed
 * server do not reconnect at the same moment. */
static void wait_before_retry(scry_milvus *m, unsigned tries, double deadline_ms)
{
    double span = tries < 7 ? WAIT_FIRST_MS << tries : WAIT_MOST_MS;
    double left = deadline_ms - scry_now_ms();
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    double ms = (span < WAIT_MOST_MS ? span : WAIT_MOST_MS) * (double)(m->random >> 33) / 0x1p31;
    if (ms > left)
        ms = left > 0 ? left : 0;
    struct timespec t = { (time_t)(ms / 1e3), (long)(ms * 1e6) % 1000000000 };
    nanosleep(&t, NULL);
}

static int give_up(scry_milvus *m, const scry_error *last, unsigned tries, double started_ms, scry_error *err)
{
    if (tries < 2)
        return scry_fail(err, last->code, "%s", last->message);
    return scry_fail(err, last->code, "%s (gave up after %u tries in %.0f s)", last->message, tries,
                     (scry_now_ms() - started_ms) / 1e3);
}

int scry_call(scry_milvus *m, const char *rpc, const ProtobufCMessage *request, const ProtobufCMessageDescriptor *type,
              ProtobufCMessage **out, scry_error *err)
{
    char path[128];
    snprintf(path, sizeof path, "/milvus.proto.milvus.MilvusService/%s", rpc);
    int result = scry_wire_pack(&m->request, request, err);
    if (result < 0)
        return result;
    double started = scry_now_ms();
    attempt a = { rpc, path, type, NULL, started + m->options.patience_ms };
    scry_error last = SCRY_ERROR_INIT;
    m->counters.calls++;
    for (unsigned tries = 0;; tries++) {
        scry_error now = SCRY_ERROR_INIT;
        verdict v = try_once(m, &a, &now);
        if (v == DONE)
            break;
        /* The error of a try that the deadline ended is less useful than that of the tries before it. */
        if (tries == 0 || scry_now_ms() < a.deadline_ms)
            last = now;
        if (v == REPEAT) {
            scry_log(SCRY_LOG_DEBUG, "%s, trying again", last.message);
            wait_before_retry(m, tries, a.deadline_ms);
        }
        if (v == FAILED || scry_now_ms() >= a.deadline_ms)
            return give_up(m, &last, tries + 1, started, err);
        m->counters.repeats++;
    }
    if (out)
        *out = a.answer;
    else
        scry_call_free(a.answer);
    return 0;
}

int scry_call_status(scry_milvus *m, const char *rpc, const ProtobufCMessage *request, scry_error *err)
{
    return scry_call(m, rpc, request, &pb__status__descriptor, NULL, err);
}

void scry_call_free(ProtobufCMessage *answer)
{
    if (answer)
        protobuf_c_message_free_unpacked(answer, NULL);
}

char *scry_call_database(scry_milvus *m)
{
    return m->options.database;
}

Pb__KeyValue scry_call_pair(const char *key, const char *value)
{
    Pb__KeyValue pair = PB__KEY_VALUE__INIT;
    pair.key = (char *)key;
    pair.value = (char *)value;
    return pair;
}
