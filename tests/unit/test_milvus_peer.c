/* The Milvus client against a peer that violates HTTP/2, gRPC and its own announcements: which
 * calls are retried, which are not, and that every call ends in time with a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "milvus/milvus.h"
#include "milvus/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(text) (text), sizeof(text) - 1

/* Serialised answers: to Connect, "the collection exists", statuses, counts of rows stored. */
#define VERSION { PEER_ANSWER, 0, BYTES("\x12\x06\x0a\x04v2.3\x18\x07") }   /* of Connect: "v2.3", identifier 7 */
#define EXISTS { PEER_ANSWER, 0, BYTES("\x10\x01") }
#define RATE_LIMIT { PEER_ANSWER, 0, BYTES("\x0a\x02\x18\x08") }
#define QUOTA { PEER_ANSWER, 0, BYTES("\x0a\x02\x18\x09") }
#define RETRIABLE { PEER_ANSWER, 0, BYTES("\x0a\x05\x18\xe8\x07\x20\x01") }
#define LEGACY_RATE_LIMIT { PEER_ANSWER, 0, BYTES("\x0a\x02\x08\x31") }
#define EXHAUSTED(text) { PEER_TRAILERS_ONLY, 8, text, 0 }
#define SCHEMA { PEER_ANSWER, 0, BYTES("\x12\x00\x90\x01\x07") }
#define SCHEMA_CHANGED { PEER_ANSWER, 0, BYTES("\x0a\x02\x18\x6d") }
#define ONE_UPSERTED { PEER_ANSWER, 0, BYTES("\x40\x01") }

typedef struct fixture {
    peer *peer;
    scry_milvus *client;
} fixture;

/* A client whose first call (the version) is answered by the first act. */
static fixture start(const peer_act *acts, size_t count, int patience_ms)
{
    fixture f = { .peer = peer_start(acts, count) };
    scry_milvus_options o = SCRY_MILVUS_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    snprintf(o.host, sizeof o.host, "127.0.0.1");
    o.port = peer_port(f.peer);
    o.patience_ms = patience_ms;
    o.keepalive_ms = 150;
    o.max_answer_bytes = 1 << 20;
    if (scry_milvus_open(&f.client, &o, &err) < 0)
        fail_msg("open: %s", err.message);
    return f;
}

static void stop_peer(fixture f)   /* not "stop": a macro of newer versions of cmocka */
{
    scry_milvus_free(f.client);
    peer_stop(f.peer);
}

#define START(...) START_WITH_PATIENCE(3000, __VA_ARGS__)
#define START_WITH_PATIENCE(ms, ...) \
    static const peer_act acts[] = { VERSION, __VA_ARGS__ }; \
    fixture f = start(acts, sizeof acts / sizeof *acts, ms); \
    scry_error err = SCRY_ERROR_INIT; \
    bool exists = false; \
    (void)exists; \
    (void)err

#define SUCCEEDS(call) \
    do { \
        if ((call) < 0) \
            fail_msg("%s", err.message); \
    } while (0)

static void fails_with(fixture f, int result, const scry_error *err, int code, const char *text, uint64_t repeats)
{
    if (result != code || !strstr(err->message, text) || strchr(err->message, '\n'))
        fail_msg("%d (\"%s\") where %d (\"%s\") was due", result, err->message, code, text);
    assert_int_equal(scry_milvus_counts(f.client).repeats, repeats);
}

static int upsert_one(scry_milvus *m, scry_error *err)
{
    static const int64_t id = 1;
    scry_milvus_column c = { .name = "id", .type = SCRY_MILVUS_INT64, .longs = &id };
    return scry_milvus_upsert(m, "c", &(scry_milvus_table){ &c, 1, 1, NULL }, err);
}

/* ---- retried ---- */

static void rate_limits_and_retriable_statuses_are_waited_out(void **state)
{
    START(RATE_LIMIT, LEGACY_RATE_LIMIT, RETRIABLE, { .kind = PEER_TRAILERS_ONLY, .number = 14 },
          { .kind = PEER_HTTP, .number = 503 }, EXISTS);
    SUCCEEDS(scry_milvus_has_collection(f.client, "c", &exists, &err));
    assert_true(exists);
    assert_int_equal(scry_milvus_counts(f.client).repeats, 5);
    assert_int_equal(peer_connections(f.peer), 1);
    stop_peer(f);
}

static void exhausted_is_a_rate_limit_unless_it_speaks_of_something_else(void **state)
{
    START(EXHAUSTED("request is rejected: rate limit exceeded"), EXHAUSTED("try later"), EXISTS);
    SUCCEEDS(scry_milvus_has_collection(f.client, "c", &exists, &err));
    assert_int_equal(scry_milvus_counts(f.client).repeats, 2);
    stop_peer(f);
}

static void endless_rate_limit_ends_with_the_deadline(void **state)
{
    START_WITH_PATIENCE(400, RATE_LIMIT);
    double before = scry_now_ms();
    int result = scry_milvus_has_collection(f.client, "c", &exists, &err);
    assert_true(scry_now_ms() - before < 20000);
    fails_with(f, result, &err, SCRY_EREMOTE, "limits the rate", scry_milvus_counts(f.client).repeats);
    assert_non_null(strstr(err.message, "gave up after"));
    stop_peer(f);
}

static void goaway_leads_to_a_new_connection(void **state)
{
    START({ .kind = PEER_GOAWAY }, EXISTS);
    SUCCEEDS(scry_milvus_has_collection(f.client, "c", &exists, &err));
    assert_int_equal(peer_connections(f.peer), 2);
    stop_peer(f);
}

static void goaway_after_an_answer_costs_no_repetition(void **state)
{
    START({ PEER_ANSWER_GOAWAY, 0, BYTES("\x10\x01") }, EXISTS);
    SUCCEEDS(scry_milvus_has_collection(f.client, "c", &exists, &err));
    SUCCEEDS(scry_milvus_has_collection(f.client, "c", &exists, &err));
    assert_int_equal(peer_connections(f.peer), 2);
    stop_peer(f);
}

static void half_open_connection_is_found_by_ping(void **state)
{
    START({ .kind = PEER_SILENT }, EXISTS);
    double before = scry_now_ms();
    SUCCEEDS(scry_milvus_has_collection(f.client, "c", &exists, &err));
    assert_true(scry_now_ms() - before < 20000);
    stop_peer(f);
}

static void lost_upsert_is_repeated(void **state)
{
    START(SCHEMA, { .kind = PEER_CLOSE }, { .kind = PEER_RESET, .number = 2 }, ONE_UPSERTED);
    SUCCEEDS(upsert_one(f.client, &err));
    assert_int_equal(peer_requests(f.peer), 5);
    stop_peer(f);
}

static void refused_upsert_is_repeated(void **state)
{
    START(SCHEMA, { .kind = PEER_RESET, .number = 7 }, { .kind = PEER_GOAWAY }, RATE_LIMIT, ONE_UPSERTED);
    SUCCEEDS(upsert_one(f.client, &err));
    assert_int_equal(peer_requests(f.peer), 6);
    stop_peer(f);
}

static void changed_schema_is_described_again_once(void **state)
{
    START(SCHEMA, SCHEMA_CHANGED, SCHEMA, ONE_UPSERTED, SCHEMA_CHANGED, SCHEMA, SCHEMA_CHANGED);
    SUCCEEDS(upsert_one(f.client, &err));
    assert_int_equal(peer_requests(f.peer), 5);
    assert_int_equal(upsert_one(f.client, &err), SCRY_EREMOTE);
    assert_int_equal(peer_requests(f.peer), 8);
    stop_peer(f);
}

/* ---- not retried ---- */

static void refusals_are_final(void **state)
{
    START(QUOTA, EXHAUSTED("grpc: received message larger than max (67108869 vs. 67108864)"),
          EXHAUSTED("grpc: trying to send message larger than max (9 vs. 8)"), EXHAUSTED("disk quota exceeded"),
          { .kind = PEER_TRAILERS_ONLY, .number = 3 },
          { .kind = PEER_TRAILERS_ONLY, .number = 16 }, { .kind = PEER_TRAILERS_ONLY, .number = 7 },
          { .kind = PEER_TRAILERS_ONLY, .number = 12 }, { .kind = PEER_TRAILERS_ONLY, .number = 4 },
          { .kind = PEER_HTTP, .number = 404 }, { .kind = PEER_HTTP, .number = 200 });
    static const struct { int code; const char *text; } want[] = {
        { SCRY_EREMOTE, "code 9" }, { SCRY_ELIMIT, "refuses the message" }, { SCRY_ELIMIT, "ask for less" },
        { SCRY_EREMOTE, "quota is used up" }, { SCRY_EREMOTE, "gRPC status 3" },
        { SCRY_EINVALID, "SCRY_MILVUS_PASSWORD" }, { SCRY_EINVALID, "may not call" }, { SCRY_EREMOTE, "too old" },
        { SCRY_EREMOTE, "did not answer in time" }, { SCRY_EREMOTE, "HTTP status 404" }, { SCRY_EREMOTE, "no gRPC" },
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        fails_with(f, scry_milvus_has_collection(f.client, "c", &exists, &err), &err, want[i].code, want[i].text, 0);
    assert_int_equal(peer_connections(f.peer), 1);   /* a refusal is no reason to reconnect */
    stop_peer(f);
}

static void early_rejection_keeps_its_status(void **state)
{
    START(SCHEMA, { PEER_EARLY_REJECT, 8, "Received message larger than max (9 vs. 8)", 0 });
    enum { N = 200000 };
    int64_t *ids = calloc(N, sizeof *ids);
    memset(ids, 0xff, N * sizeof *ids);   /* ten bytes each on the wire: more than one window */
    scry_milvus_column c = { .name = "id", .type = SCRY_MILVUS_INT64, .longs = ids };
    int result = scry_milvus_upsert(f.client, "c", &(scry_milvus_table){ &c, 1, N, NULL }, &err);
    fails_with(f, result, &err, SCRY_ELIMIT, "too large", 0);
    free(ids);
    stop_peer(f);
}

static void partly_kept_rows_are_an_error(void **state)
{
    START(SCHEMA, { PEER_ANSWER, 0, BYTES("\x40\x00") });
    fails_with(f, upsert_one(f.client, &err), &err, SCRY_EREMOTE, "kept 0 of 1", 0);
    stop_peer(f);
}

/* ---- in time ---- */

static void slow_answers_end_with_the_deadline(void **state)
{
    static char slow[2000];
    START_WITH_PATIENCE(500, { .kind = PEER_PONG_ONLY }, { PEER_TRICKLE, 0, slow, sizeof slow });
    for (int i = 0; i < 2; i++) {
        double before = scry_now_ms();
        fails_with(f, scry_milvus_has_collection(f.client, "c", &exists, &err), &err, SCRY_EREMOTE, "did not answer in time", 0);
        assert_true(scry_now_ms() - before >= 490 && scry_now_ms() - before < 20000);
    }
    stop_peer(f);
}

/* Set by the tests that stop a call. */
static bool wants_to_stop(void *arg, double waited_s)
{
    *(double *)arg = waited_s;
    return waited_s > 0.4;
}

static void a_server_that_works_is_waited_for(void **state)
{
    peer_act acts[] = { VERSION, EXISTS };
    acts[0].kind = acts[1].kind = PEER_LATE;
    acts[0].number = acts[1].number = 1500;
    fixture f = { .peer = peer_start(acts, 2) };
    scry_milvus_options o = SCRY_MILVUS_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    bool exists = false;
    snprintf(o.host, sizeof o.host, "127.0.0.1");
    o.port = peer_port(f.peer);
    o.connect_ms = o.patience_ms = 200;
    o.work_ms = 60000;
    SUCCEEDS(scry_milvus_open(&f.client, &o, &err));
    SUCCEEDS(scry_milvus_has_collection(f.client, "c", &exists, &err));
    assert_true(exists);
    stop_peer(f);
}

static void a_call_is_stopped(void **state)
{
    peer_act acts[] = { VERSION, { .kind = PEER_PONG_ONLY } };
    fixture f = { .peer = peer_start(acts, 2) };
    scry_milvus_options o = SCRY_MILVUS_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    bool exists;
    double waited_s = -1, before = scry_now_ms();
    snprintf(o.host, sizeof o.host, "127.0.0.1");
    o.port = peer_port(f.peer);
    o.patience_ms = 600000;
    o.stop = wants_to_stop;
    o.stop_arg = &waited_s;
    SUCCEEDS(scry_milvus_open(&f.client, &o, &err));
    assert_int_equal(scry_milvus_has_collection(f.client, "c", &exists, &err), SCRY_EREMOTE);
    assert_true(scry_now_ms() - before < 120000);
    assert_true(scry_now_ms() - before >= SCRY_MILVUS_STOP_MS);
    assert_true(waited_s == 0);   /* told that the wait is over */
    assert_int_equal(scry_milvus_has_collection(f.client, "c", &exists, &err), SCRY_EREMOTE);   /* no time is left */
    assert_true(scry_now_ms() - before < 120000);
    stop_peer(f);
}

/* Two clients of one command: after the first gave up, the second has little patience, until a call succeeds. */
static void there_is_one_deadline_for_many_calls(void **state)
{
    static const peer_act acts[] = { VERSION, RATE_LIMIT };
    atomic_bool gave_up = false;
    peer *p = peer_start(acts, 2);
    scry_milvus *m;
    scry_milvus_options o = SCRY_MILVUS_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    bool exists;
    snprintf(o.host, sizeof o.host, "127.0.0.1");
    o.port = peer_port(p);
    o.patience_ms = 300;
    o.gave_up = &gave_up;
    SUCCEEDS(scry_milvus_open(&m, &o, &err));
    assert_false(gave_up);
    assert_int_equal(scry_milvus_has_collection(m, "c", &exists, &err), SCRY_EREMOTE);
    assert_true(gave_up);
    scry_milvus_free(m);
    peer_stop(p);
    static const peer_act better[] = { VERSION, RATE_LIMIT, RATE_LIMIT, EXISTS, RATE_LIMIT };
    p = peer_start(better, 5);
    o.port = peer_port(p);
    o.patience_ms = 600000;
    SUCCEEDS(scry_milvus_open(&m, &o, &err));
    assert_false(gave_up);   /* it is there again */
    atomic_store(&gave_up, true);
    SUCCEEDS(scry_milvus_has_collection(m, "c", &exists, &err));
    assert_false(gave_up);
    atomic_store(&gave_up, true);
    double before = scry_now_ms();
    assert_int_equal(scry_milvus_has_collection(m, "c", &exists, &err), SCRY_EREMOTE);
    assert_true(scry_now_ms() - before < 120000);
    scry_milvus_free(m);
    peer_stop(p);
}

static void nobody_listens(void **state)
{
    scry_milvus_options o = SCRY_MILVUS_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus *m = NULL;
    snprintf(o.host, sizeof o.host, "127.0.0.1");
    o.port = 1;
    o.connect_ms = 300;
    double before = scry_now_ms();
    assert_int_equal(scry_milvus_open(&m, &o, &err), SCRY_EREMOTE);
    assert_true(scry_now_ms() - before < 20000);
    assert_non_null(strstr(err.message, "is it running"));
    assert_null(m);
}

static void answers_have_a_limit(void **state)
{
    static char large[3 << 20];
    START({ PEER_ANSWER, 0, large, sizeof large }, EXISTS);
    fails_with(f, scry_milvus_has_collection(f.client, "c", &exists, &err), &err, SCRY_ELIMIT, "ask for less", 0);
    SUCCEEDS(scry_milvus_has_collection(f.client, "c", &exists, &err));
    assert_int_equal(peer_connections(f.peer), 1);
    stop_peer(f);
}

/* ---- invalid answers ---- */

static void damaged_messages_are_refused(void **state)
{
    START({ PEER_BODY, 0, BYTES("") }, { PEER_BODY, 0, BYTES("\0\0\0") }, { PEER_BODY, 0, BYTES("\0\0\0\0\x05\x10\x01") },
          { PEER_BODY, 0, BYTES("\1\0\0\0\2\x10\x01") }, { PEER_BODY, 0, BYTES("\0\xff\xff\xff\xff\x10\x01") },
          { PEER_ANSWER, 0, BYTES("\x0a\x7f\x10") }, { PEER_ANSWER, 0, BYTES("\xff\xff\xff\xff\xff") });
    for (size_t i = 1; i < sizeof acts / sizeof *acts; i++)
        fails_with(f, scry_milvus_has_collection(f.client, "c", &exists, &err), &err, SCRY_EREMOTE, "Milvus answered with", 0);
    stop_peer(f);
}

static void nonsense_on_the_connection_is_survived(void **state)
{
    static uint8_t huge[64], unknown[64], bad_hpack[64], truncated[64], orphan[64], zero_window[64];
    size_t sizes[] = {
        peer_frame(huge, 0, 0, 0, 1, "abc", 3), peer_frame(unknown, 0, 0x77, 0xff, 1, "abc", 3),
        peer_frame(bad_hpack, 0, 1, 5, 3, "\xff\xff\xff\xff\xff\xff", 6), peer_frame(truncated, 0, 1, 5, 3, "\x88", 1),
        peer_frame(orphan, 0, 0, 1, 99, "abc", 3), peer_frame(zero_window, 0, 8, 0, 3, "\0\0\0\0", 4),
    };
    huge[0] = 0xff;   /* a frame of 16 MB where 16 KiB are allowed */
    const peer_act nonsense[] = {
        { PEER_RAW, 0, huge, sizes[0] }, { PEER_RAW, 0, unknown, sizes[1] }, { PEER_RAW, 0, bad_hpack, sizes[2] },
        { PEER_RAW, 0, truncated, sizes[3] - 1 }, { PEER_RAW, 0, orphan, sizes[4] }, { PEER_RAW, 0, zero_window, sizes[5] },
        { PEER_RAW, 0, BYTES("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") },
    };
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        const peer_act acts[] = { VERSION, nonsense[i], EXISTS };
        fixture f = start(acts, sizeof acts / sizeof *acts, 3000);
        scry_error err = SCRY_ERROR_INIT;
        bool exists = false;
        SUCCEEDS(scry_milvus_has_collection(f.client, "c", &exists, &err));   /* on a second connection */
        assert_int_equal(scry_milvus_counts(f.client).repeats, 1);
        stop_peer(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_limits_and_retriable_statuses_are_waited_out),
        cmocka_unit_test(exhausted_is_a_rate_limit_unless_it_speaks_of_something_else),
        cmocka_unit_test(endless_rate_limit_ends_with_the_deadline),
        cmocka_unit_test(goaway_leads_to_a_new_connection),
        cmocka_unit_test(goaway_after_an_answer_costs_no_repetition),
        cmocka_unit_test(half_open_connection_is_found_by_ping),
        cmocka_unit_test(lost_upsert_is_repeated),
        cmocka_unit_test(refused_upsert_is_repeated),
        cmocka_unit_test(changed_schema_is_described_again_once),
        cmocka_unit_test(refusals_are_final),
        cmocka_unit_test(early_rejection_keeps_its_status),
        cmocka_unit_test(partly_kept_rows_are_an_error),
        cmocka_unit_test(slow_answers_end_with_the_deadline),
        cmocka_unit_test(a_server_that_works_is_waited_for),
        cmocka_unit_test(a_call_is_stopped),
        cmocka_unit_test(there_is_one_deadline_for_many_calls),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(answers_have_a_limit),
        cmocka_unit_test(damaged_messages_are_refused),
        cmocka_unit_test(nonsense_on_the_connection_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
