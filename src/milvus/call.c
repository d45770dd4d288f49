#include "milvus/call.h"

#include "base/alloc.h"
#include "base/log.h"
#include "milvus/wire.h"

#include <math.h>
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
    OVERDUE,    /* the time is over */
    REPEAT,
    LOADING     /* another one, for as long as the server may work on a call */
} verdict;

typedef struct attempt {
    const char *rpc, *path;
    const ProtobufCMessageDescriptor *type;
    ProtobufCMessage *answer;
    double patience_ms, work_ms;     /* deadlines: of a server that is away, of one that works */
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

/* ---- deadlines ---- */

/* When calls end because the caller wants to stop. */
static double stop_at(void *arg)
{
    scry_milvus *m = arg;
    double now = scry_now_ms();
    m->waited |= now - m->started_ms > 1000;
    if (m->stop_ms == 0 && m->options.stop && m->options.stop(m->options.stop_arg, (now - m->started_ms) / 1e3))
        m->stop_ms = now;
    return m->stop_ms > 0 ? m->stop_ms + SCRY_MILVUS_STOP_MS : HUGE_VAL;
}

static void set_deadlines(scry_milvus *m, attempt *a)
{
    bool again = m->options.gave_up && atomic_load(m->options.gave_up);
    double patience = m->options.patience_ms, work = fmax(m->options.work_ms, patience);
    if (again) {
        patience = fmin(patience, SCRY_MILVUS_AGAIN_MS);
        work = fmin(work, SCRY_MILVUS_AGAIN_WORK_MS);
    }
    m->started_ms = scry_now_ms();
    a->patience_ms = fmin(m->started_ms + patience, stop_at(m));
    a->work_ms = fmin(m->started_ms + work, stop_at(m));
}

/* A server that is there and does not finish. */
static void still_working(const scry_milvus *m, const attempt *a, scry_error *err)
{
    bool reads = strcmp(a->rpc, "Search") == 0 || strcmp(a->rpc, "Query") == 0;
    scry_fail(err, SCRY_EREMOTE, "the Milvus server %s did not answer in time (%s, %.0f s)%s", m->where, a->rpc,
              (scry_now_ms() - m->started_ms) / 1e3,
              reads ? ": it may still be loading the collection, as after a restart; try again later" : "");
}

/* ---- one attempt ---- */

/* RESOURCE_EXHAUSTED: a message above a limit of the server ("received message larger than max (N vs. M)" of grpc-go and grpc's C
 * core, "exceeds maximum size" of grpc-java), an answer above one ("trying to send message larger than max"), a quota that is used
 * up, or, as any other text, a rate limit of the server or of a proxy in front of it. */
static verdict judge_exhausted(const scry_milvus *m, const attempt *a, scry_error *err)
{
    const char *text = m->reply.grpc_message;
    bool too_large = strcasestr(text, "larger than") || strcasestr(text, "too large") || strcasestr(text, "maximum size");
    if (too_large && (strcasestr(text, "trying to send") || strcasestr(text, "sent message"))) {
        scry_fail(err, SCRY_ELIMIT, "the answer of Milvus at %s to %s is larger than it may send: ask for less in one request: %s",
                  m->where, a->rpc, text);
        return FAILED;
    }
    if (too_large) {
        scry_fail(err, SCRY_ELIMIT, "Milvus at %s refuses the message of %s as too large (%zu bytes sent): %s", m->where, a->rpc,
                  m->request.size, text);
        return FAILED;
    }
    if (strcasestr(text, "quota") && !strcasestr(text, "rate")) {
        scry_fail(err, SCRY_EREMOTE, "Milvus at %s refuses %s, its quota is used up: %s", m->where, a->rpc, text);
        return FAILED;
    }
    scry_fail(err, SCRY_EREMOTE, "Milvus at %s limits the rate of %s: %s", m->where, a->rpc, text);
    return REPEAT;
}

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
        return judge_exhausted(m, a, err);
    case GRPC_UNIMPLEMENTED:
        scry_fail(err, SCRY_EREMOTE, "Milvus at %s has no %s: its version (%s) is too old or lacks it", m->where, a->rpc,
                  m->version[0] ? m->version : "unknown");
        break;
    case GRPC_DEADLINE:
        still_working(m, a, err);
        return OVERDUE;
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

/* Collections that are loading or recovering, channels, segments and nodes that are not there for the moment: after a restart of a
 * server, or while a cluster moves them. */
static bool is_moving(int code)
{
    static const int ranges[][2] = { { 103, 103 }, { 106, 106 }, { 500, 503 }, { 600, 602 }, { 901, 905 } };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i][0] && code <= ranges[i][1])
            return true;
    return false;
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
    if (m->code == SCRY_MILVUS_UNEXPECTED && strstr(s->reason, "context Done")) {   /* how 2.3 says that the time is over */
        still_working(m, a, err);
        return OVERDUE;
    }
    scry_fail(err, SCRY_EREMOTE, "Milvus at %s refuses %s (code %d): %s", m->where, a->rpc, m->code,
              one_line(reason, s->reason));
    /* Not 1 and 2 (not ready, unavailable) alone: a server that is starting sets `retriable` too, and milvus-lite
     * uses 1 for invalid arguments. */
    if (is_moving(m->code))
        return LOADING;
    return s->retriable && m->code != 9 ? REPEAT : FAILED;
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
    scry_net_options net = { m->options.host, m->options.port, m->options.tls, m->ca_file, m->cert_file, m->key_file };
    m->counters.connections++;
    int result = scry_conn_open(&m->conn, &net, m->options.keepalive_ms, deadline_ms, err);
    if (result == 0)
        scry_conn_set_until(m->conn, stop_at, m);
    return result;
}

static verdict try_once(scry_milvus *m, attempt *a, scry_error *err)
{
    m->code = 0;
    int result = connect_now(m, a->patience_ms, err);
    if (result < 0)
        return result == SCRY_EREMOTE ? REPEAT : FAILED;
    scry_h2_request q = {
        .path = a->path, .authority = m->where, .tls = m->options.tls, .authorization = m->authorization,
        .database = m->options.database, .identifier = m->identifier, .timeout_ms = (int64_t)(a->work_ms - scry_now_ms()) + 1,
        .body = m->request.data, .body_size = m->request.size,
    };
    switch (scry_conn_call(m->conn, &q, &m->reply, a->work_ms, err)) {
    case SCRY_CONN_ANSWERED:
        return judge(m, a, err);
    case SCRY_CONN_LOST:
        disconnect(m);
        return REPEAT;
    case SCRY_CONN_TIMEOUT:
        still_working(m, a, err);
        break;
    }
    return OVERDUE;
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

static int give_up(scry_milvus *m, const scry_error *last, unsigned tries, verdict v, scry_error *err)
{
    if (v != FAILED && m->options.gave_up)
        atomic_store(m->options.gave_up, true);
    if (tries < 2)
        return scry_fail(err, last->code, "%s", last->message);
    return scry_fail(err, last->code, "%s (gave up after %u tries in %.0f s)", last->message, tries,
                     (scry_now_ms() - m->started_ms) / 1e3);
}

static void end_wait(scry_milvus *m)
{
    if (m->waited && m->options.stop)
        (void)m->options.stop(m->options.stop_arg, 0);
    m->waited = false;
}

int scry_call(scry_milvus *m, const char *rpc, const ProtobufCMessage *request, const ProtobufCMessageDescriptor *type,
              ProtobufCMessage **out, scry_error *err)
{
    char path[128];
    snprintf(path, sizeof path, "/milvus.proto.milvus.MilvusService/%s", rpc);
    int result = scry_wire_pack(&m->request, request, err);
    if (result < 0)
        return result;
    attempt a = { rpc, path, type, NULL, 0, 0 };
    set_deadlines(m, &a);
    scry_error last = SCRY_ERROR_INIT;
    m->counters.calls++;
    for (unsigned tries = 0;; tries++) {
        scry_error now = SCRY_ERROR_INIT;
        verdict v = try_once(m, &a, &now);
        if (v == DONE)
            break;
        double deadline = fmin(v == LOADING ? a.work_ms : a.patience_ms, stop_at(m));
        /* The error of a try that the deadline ended is less useful than that of the tries before it. */
        if (tries == 0 || scry_now_ms() < deadline)
            last = now;
        if (v >= REPEAT) {
            scry_log(SCRY_LOG_DEBUG, "%s, trying again", last.message);
            wait_before_retry(m, tries, deadline);
        }
        if (v < REPEAT || scry_now_ms() >= deadline) {
            end_wait(m);
            return give_up(m, &last, tries + 1, v, err);
        }
        m->counters.repeats++;
    }
    end_wait(m);
    if (m->options.gave_up)
        atomic_store(m->options.gave_up, false);
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
    scry_wire_free(answer);
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
