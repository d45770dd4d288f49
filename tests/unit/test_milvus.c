/* src/milvus without a server: addresses, framing, credentials, limits on answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "milvus/answer.h"
#include "milvus/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void addresses(void **state)
{
    static const struct { const char *url, *host; int port; bool tls; const char *database; } good[] = {
        { "milvus://localhost", "localhost", 19530, false, "" },
        { "milvus://localhost/", "localhost", 19530, false, "" },
        { "milvuss://db.example.org:443/photos", "db.example.org", 443, true, "photos" },
        { "https://in01-0.example.org", "in01-0.example.org", 443, true, "" },
        { "https://in01-0.example.org:19541/photos", "in01-0.example.org", 19541, true, "photos" },
        { "milvus://[::1]:1234/x", "::1", 1234, false, "x" },
        { "milvus://[::1]", "::1", 19530, false, "" },
        { "milvus://10.0.0.1:65535", "10.0.0.1", 65535, false, "" },
    };
    static const char *const bad[] = {
        "http://localhost", "milvus://", "milvus:///x", "milvus://h:0", "milvus://h:65536", "milvus://h:", "milvus://h:1x",
        "milvus://user:secret@h", "milvus://h/a/b", "milvus://h?x=1", "milvus://h:99999999999999999999", "",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        scry_milvus_options o = SCRY_MILVUS_OPTIONS_INIT;
        assert_int_equal(scry_milvus_set_url(&o, good[i].url, NULL), 0);
        assert_string_equal(o.host, good[i].host);
        assert_int_equal(o.port, good[i].port);
        assert_int_equal(o.tls, good[i].tls);
        assert_string_equal(o.database, good[i].database);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scry_milvus_options o = SCRY_MILVUS_OPTIONS_INIT;
        scry_error err = SCRY_ERROR_INIT;
        if (scry_milvus_set_url(&o, bad[i], &err) != SCRY_EINVALID)
            fail_msg("%s was accepted", bad[i]);
        assert_null(strstr(err.message, "secret"));   /* messages end up in logs */
    }
}

static void credentials(void **state)
{
    /* base64 of "root:Milvus", without "Bearer" */
    char *a = scry_wire_authorization("root", "Milvus", NULL);
    assert_string_equal(a, "cm9vdDpNaWx2dXM=");
    free(a);
    a = scry_wire_authorization(NULL, NULL, "key");
    assert_string_equal(a, "a2V5");
    free(a);
    a = scry_wire_authorization("", NULL, NULL);
    assert_string_equal(a, "");
    free(a);
}

/* The start of an InsertRequest of 10,000 rows of 512 numbers, as Milvus's own SDK sends it. */
static void insert_has_milvus_s_bytes(void **state)
{
    static const uint8_t want[] = { 0x1a, 0x01, 0x63, 0x2a, 0x97, 0x80, 0xe2, 0x09, 0x08, 0x65, 0x12, 0x01, 0x76,
                                    0x22, 0x8d, 0x80, 0xe2, 0x09, 0x08, 0x80, 0x04, 0x12 };
    Pb__MutationRequest q = PB__MUTATION_REQUEST__INIT;
    Pb__FieldData field = PB__FIELD_DATA__INIT, *fields[] = { &field };
    Pb__VectorField vectors = PB__VECTOR_FIELD__INIT;
    Pb__FloatArray floats = PB__FLOAT_ARRAY__INIT;
    floats.n_data = (size_t)10000 * 512;
    floats.data = calloc(floats.n_data, sizeof(float));
    vectors.dim = 512;
    vectors.data_case = PB__VECTOR_FIELD__DATA_FLOAT_VECTOR;
    vectors.float_vector = &floats;
    field.type = SCRY_MILVUS_FLOAT_VECTOR;
    field.field_name = "v";
    field.field_case = PB__FIELD_DATA__FIELD_VECTORS;
    field.vectors = &vectors;
    q.collection_name = "c";
    q.fields_data = fields;
    q.n_fields_data = 1;
    scry_buf out = SCRY_BUF_INIT((size_t)64 << 20);
    assert_int_equal(scry_wire_pack(&out, &q.base, NULL), 0);
    assert_memory_equal(out.data + SCRY_WIRE_PREFIX, want, sizeof want);
    const uint8_t *prefix = (const uint8_t *)out.data;
    assert_int_equal(prefix[0], 0);
    assert_int_equal(prefix[1] << 24 | prefix[2] << 16 | prefix[3] << 8 | prefix[4], out.size - SCRY_WIRE_PREFIX);
    out.limit = 1000;
    assert_int_equal(scry_wire_pack(&out, &q.base, NULL), SCRY_ELIMIT);
    scry_buf_dispose(&out);
    free(floats.data);
}

static void a_small_message_may_not_ask_for_much_memory(void **state)
{
    /* Empty sub-messages: 2 bytes each on the wire, some 60 in memory. */
    enum { N = 100000 };
    uint8_t *body = calloc(1, SCRY_WIRE_PREFIX + 2 * N);
    for (int i = 0; i < N; i++)
        body[SCRY_WIRE_PREFIX + 2 * i] = 0x12;
    for (int i = 0; i < 4; i++)
        body[1 + i] = (uint8_t)((2 * N) >> (24 - 8 * i));
    ProtobufCMessage *m = NULL;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_wire_unpack(&m, &pb__query_results__descriptor, body, SCRY_WIRE_PREFIX + 2 * N, 1 << 20, &err),
                     SCRY_EREMOTE);
    assert_null(m);
    assert_int_equal(scry_wire_unpack(&m, &pb__query_results__descriptor, body, SCRY_WIRE_PREFIX + 2 * N, 1 << 26, &err), 0);
    scry_call_free(m);
    free(body);
}

/* ---- answers ---- */

static ProtobufCMessage *decode(const ProtobufCMessageDescriptor *type, const char *bytes, size_t n)
{
    uint8_t body[256] = { 0 };
    ProtobufCMessage *m = NULL;
    body[4] = (uint8_t)n;
    memcpy(body + SCRY_WIRE_PREFIX, bytes, n);
    assert_int_equal(scry_wire_unpack(&m, type, body, SCRY_WIRE_PREFIX + n, 1 << 20, NULL), 0);
    return m;
}

#define DECODE(type, text) decode(&pb__##type##__descriptor, text, sizeof(text) - 1)

static void query_answers_are_checked(void **state)
{
    scry_milvus_rows *r = NULL;
    /* id = [1, 2] (int64), name = ["a", "b"] */
    Pb__QueryResults *m = (Pb__QueryResults *)DECODE(query_results,
        "\x12\x0e\x08\x05\x12\x02id\x1a\x06\x1a\x04\x0a\x02\x01\x02"
        "\x12\x11\x08\x15\x12\x01n\x1a\x0a\x32\x08\x0a\x01" "a\x0a\x03" "b\xC3\xA4");
    assert_int_equal(scry_answer_of_query(&r, m, NULL), 0);
    assert_int_equal(r->rows, 2);
    assert_int_equal(scry_milvus_find_column(r, "id", SCRY_MILVUS_INT64)->longs[1], 2);
    assert_string_equal(scry_milvus_find_column(r, "n", SCRY_MILVUS_VARCHAR)->strings[0], "a");
    assert_null(scry_milvus_find_column(r, "n", SCRY_MILVUS_INT64));
    assert_null(scry_milvus_find_column(r, "absent", SCRY_MILVUS_INT64));
    scry_milvus_rows_free(r);
    /* two ids, one name; a type that its data does not have; no data at all */
    static const struct { const char *bytes; size_t n; } bad[] = {
        { "\x12\x0e\x08\x05\x12\x02id\x1a\x06\x1a\x04\x0a\x02\x01\x02\x12\x0c\x08\x15\x12\x01n\x1a\x05\x32\x03\x0a\x01" "a", 30 },
        { "\x12\x0e\x08\x15\x12\x02id\x1a\x06\x1a\x04\x0a\x02\x01\x02", 16 },
        { "\x12\x06\x08\x05\x12\x02id", 8 },
        { "\x12\x08\x08\x65\x12\x02id\x22\x00", 10 },
        { "\x12\x10\x08\x65\x12\x02id\x22\x08\x08\x03\x12\x04\x0a\x02\x00\x00", 18 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t body[128] = { 0, 0, 0, 0, (uint8_t)bad[i].n };
        ProtobufCMessage *q = NULL;
        memcpy(body + SCRY_WIRE_PREFIX, bad[i].bytes, bad[i].n);
        /* The last is refused already by protobuf-c: two bytes are no float. */
        if (scry_wire_unpack(&q, &pb__query_results__descriptor, body, SCRY_WIRE_PREFIX + bad[i].n, 1 << 20, NULL) < 0)
            continue;
        if (scry_answer_of_query(&r, (Pb__QueryResults *)q, NULL) != SCRY_EREMOTE)
            fail_msg("bad answer %zu was accepted", i);
    }
}

/* An answer often lies where the one before lay: who keeps what was found in it goes by the number. */
static void answers_are_told_apart(void **state)
{
    uint64_t before = 0;
    for (int i = 0; i < 100; i++) {
        scry_milvus_rows *r = NULL;
        Pb__QueryResults *m = (Pb__QueryResults *)DECODE(query_results, "\x12\x0e\x08\x05\x12\x02id\x1a\x06\x1a\x04\x0a\x02\x01\x02");
        assert_int_equal(scry_answer_of_query(&r, m, NULL), 0);
        assert_true(r->number > before);
        before = r->number;
        scry_milvus_rows_free(r);
    }
}

/* FLOAT16_VECTOR is read as floats: v = [1, -2], then one of three bytes and one that has floats. */
static void halves_are_widened(void **state)
{
    scry_milvus_rows *r = NULL;
    Pb__QueryResults *m = (Pb__QueryResults *)DECODE(query_results,
        "\x12\x0f\x08\x66\x12\x01v\x22\x08\x08\x02\x22\x04\x00\x3c\x00\xc0");
    assert_int_equal(scry_answer_of_query(&r, m, NULL), 0);
    const scry_milvus_column *v = scry_milvus_find_column(r, "v", SCRY_MILVUS_FLOAT_VECTOR);
    assert_true(v && v->half && v->dim == 2 && r->rows == 1);
    assert_true(v->floats[0] == 1 && v->floats[1] == -2);
    scry_milvus_rows_free(r);
    m = (Pb__QueryResults *)DECODE(query_results, "\x12\x0e\x08\x66\x12\x01v\x22\x07\x08\x02\x22\x03\x00\x3c\x00");
    assert_int_equal(scry_answer_of_query(&r, m, NULL), SCRY_EREMOTE);
    m = (Pb__QueryResults *)DECODE(query_results, "\x12\x11\x08\x66\x12\x01v\x22\x0a\x08\x01\x12\x06\x0a\x04\x00\x00\x00\x00");
    assert_int_equal(scry_answer_of_query(&r, m, NULL), SCRY_EREMOTE);
}

/* Nullable fields: v = [1], nothing, [2], whose vectors stand without a gap or with one; n = "a", nothing. */
static void fields_may_have_no_value(void **state)
{
    static const struct { const char *bytes; size_t n; } answers[] = {
        { "\x12\x1a\x08\x65\x12\x01v\x22\x0e\x08\x01\x12\x0a\x0a\x08\x00\x00\x80\x3f\x00\x00\x00\x40\x3a\x03\x01\x00\x01", 28 },
        { "\x12\x1e\x08\x65\x12\x01v\x22\x12\x08\x01\x12\x0e\x0a\x0c\x00\x00\x80\x3f\x00\x00\x00\x00\x00\x00\x00\x40\x3a\x03\x01\x00\x01",
          32 },
    };
    scry_milvus_rows *r = NULL;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        Pb__QueryResults *m = (Pb__QueryResults *)decode(&pb__query_results__descriptor, answers[i].bytes, answers[i].n);
        assert_int_equal(scry_answer_of_query(&r, m, NULL), 0);
        const scry_milvus_column *v = scry_milvus_find_column(r, "v", SCRY_MILVUS_FLOAT_VECTOR);
        assert_true(v && r->rows == 3 && v->valid[0] && !v->valid[1] && v->valid[2]);
        assert_true(v->floats[0] == 1 && v->floats[1] == 0 && v->floats[2] == 2);
        scry_milvus_rows_free(r);
    }
    Pb__QueryResults *m = (Pb__QueryResults *)DECODE(query_results,
        "\x12\x12\x08\x15\x12\x01n\x1a\x07\x32\x05\x0a\x01" "a\x0a\x00\x3a\x02\x01\x00");
    assert_int_equal(scry_answer_of_query(&r, m, NULL), 0);
    const scry_milvus_column *n = scry_milvus_find_column(r, "n", SCRY_MILVUS_VARCHAR);
    assert_true(n && r->rows == 2 && n->valid[0] && !n->valid[1]);
    scry_milvus_rows_free(r);
    /* two vectors, of which one is said to be there; as many rows of a large vector as would take a gigabyte */
    m = (Pb__QueryResults *)DECODE(query_results,
        "\x12\x1a\x08\x65\x12\x01v\x22\x0e\x08\x01\x12\x0a\x0a\x08\x00\x00\x80\x3f\x00\x00\x00\x40\x3a\x03\x01\x00\x00");
    assert_int_equal(scry_answer_of_query(&r, m, NULL), 0);
    assert_int_equal(r->rows, 2);
    assert_null(scry_milvus_find_column(r, "v", SCRY_MILVUS_FLOAT_VECTOR)->valid);
    scry_milvus_rows_free(r);
    enum { NONE = 10000 };
    Pb__FieldData field = PB__FIELD_DATA__INIT, *fields[] = { &field };
    Pb__VectorField vectors = PB__VECTOR_FIELD__INIT;
    Pb__FloatArray floats = PB__FLOAT_ARRAY__INIT;
    Pb__QueryResults many = PB__QUERY_RESULTS__INIT;
    protobuf_c_boolean *valid = calloc(NONE, sizeof *valid);
    field.type = SCRY_MILVUS_FLOAT_VECTOR;
    field.field_name = "v";
    field.field_case = PB__FIELD_DATA__FIELD_VECTORS;
    field.vectors = &vectors;
    field.valid_data = valid;
    field.n_valid_data = NONE;
    vectors.dim = SCRY_MILVUS_MAX_DIM;
    vectors.data_case = PB__VECTOR_FIELD__DATA_FLOAT_VECTOR;
    vectors.float_vector = &floats;
    many.fields_data = fields;
    many.n_fields_data = 1;
    scry_buf packed = SCRY_BUF_INIT(1 << 20);
    ProtobufCMessage *unpacked = NULL;
    assert_int_equal(scry_wire_pack(&packed, &many.base, NULL), 0);
    assert_int_equal(scry_wire_unpack(&unpacked, &pb__query_results__descriptor, packed.data, packed.size, 1 << 24, NULL), 0);
    assert_int_equal(scry_answer_of_query(&r, (Pb__QueryResults *)unpacked, NULL), SCRY_EREMOTE);
    scry_buf_dispose(&packed);
    free(valid);
}

static void versions_with_halves(void **state)
{
    static const char *const with[] = { "v2.4.0", "2.5.15", "v2.6.9-gpu", "v3.0.0", "10.1", "Cloud Vector Database (Compatible with Milvus 2.5)" };
    static const char *const without[] = { "v2.3.5-lite", "v2.3.21", "1.1.1", "milvus_lite-3.2.2", "milvus-lite 3.2.2", "", "v3", "unknown", "3.x" };
    for (size_t i = 0; i < sizeof with / sizeof *with; i++)
        assert_true(scry_milvus_has_halves(with[i]));
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        assert_false(scry_milvus_has_halves(without[i]));
}

static void versions_with_ranks(void **state)
{
    static const char *const with[] = { "v2.5.0", "2.6.1", "v3.0.0", "milvus_lite-3.2.2", "Cloud Vector Database (Compatible with Milvus 2.5)" };
    static const char *const without[] = { "v2.4.23", "v2.3.5-lite", "milvus-lite 2.5.1", "", "unknown" };
    for (size_t i = 0; i < sizeof with / sizeof *with; i++)
        assert_true(scry_milvus_has_ranks(with[i]));
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        assert_false(scry_milvus_has_ranks(without[i]));
    assert_non_null(strstr(scry_milvus_blank_analyzer("v2.5.0"), "whitespace"));
    assert_null(strstr(scry_milvus_blank_analyzer("milvus_lite-3.2.2"), "whitespace"));
}

static void search_answers_are_checked(void **state)
{
    scry_milvus_rows *r = NULL;
    /* two queries of one hit each: ids [5, 6], scores [1, 0.5], topks [1, 1] */
    assert_int_equal(scry_answer_of_search(&r, (Pb__SearchResults *)DECODE(search_results,
        "\x12\x16\x22\x08\x00\x00\x80\x3f\x00\x00\x00\x3f\x2a\x06\x0a\x04\x0a\x02\x05\x06\x32\x02\x01\x01"), 2, NULL), 0);
    assert_int_equal(r->rows, 0 + r->first[2]);
    assert_int_equal(r->first[1], 1);
    assert_int_equal(r->int_ids[1], 6);
    assert_true(r->scores[1] == 0.5f);
    scry_milvus_rows_free(r);
    /* no hits at all, and no results at all */
    assert_int_equal(scry_answer_of_search(&r, (Pb__SearchResults *)DECODE(search_results, "\x12\x00"), 1, NULL), 0);
    assert_int_equal(r->first[1], 0);
    scry_milvus_rows_free(r);
    assert_int_equal(scry_answer_of_search(&r, (Pb__SearchResults *)DECODE(search_results, ""), 1, NULL), 0);
    scry_milvus_rows_free(r);
    /* more hits than scores; a negative count; fewer ids than hits */
    assert_int_equal(scry_answer_of_search(&r, (Pb__SearchResults *)DECODE(search_results,
        "\x12\x0d\x22\x04\x00\x00\x80\x3f\x2a\x00\x32\x03\x80\x80\x01"), 1, NULL), SCRY_EREMOTE);
    assert_int_equal(scry_answer_of_search(&r, (Pb__SearchResults *)DECODE(search_results,
        "\x12\x0c\x32\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 1, NULL), SCRY_EREMOTE);
    assert_int_equal(scry_answer_of_search(&r, (Pb__SearchResults *)DECODE(search_results,
        "\x12\x0f\x22\x08\x00\x00\x80\x3f\x00\x00\x00\x3f\x2a\x00\x32\x01\x02"), 1, NULL), SCRY_EREMOTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(credentials),
        cmocka_unit_test(insert_has_milvus_s_bytes),
        cmocka_unit_test(a_small_message_may_not_ask_for_much_memory),
        cmocka_unit_test(query_answers_are_checked),
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test(halves_are_widened),
        cmocka_unit_test(fields_may_have_no_value),
        cmocka_unit_test(versions_with_halves), cmocka_unit_test(versions_with_ranks),
        cmocka_unit_test(search_answers_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
