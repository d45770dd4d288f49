/* Every call of src/milvus against a server: SCRY_TEST_MILVUS is its URL. Run by client.sh
 * on both servers; SCRY_TEST_LITE says that it is milvus-lite, where that differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "milvus/milvus.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 8, ROWS = 300 };

static bool is_lite;
static const char COLLECTION[] = "client_test";

#define OK(call)                                            \
    do {                                                    \
        err.message[0] = '\0';                              \
        if ((call) < 0)                                     \
            fail_msg("%s: %s", #call, err.message);         \
    } while (0)

static scry_milvus *open_client(const char *database)
{
    scry_milvus_options o = SCRY_MILVUS_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus *m;
    OK(scry_milvus_set_url(&o, getenv("SCRY_TEST_MILVUS"), &err));
    if (database)
        snprintf(o.database, sizeof o.database, "%s", database);
    OK(scry_milvus_open(&m, &o, &err));
    return m;
}

static int make_collection(void **state)
{
    static const scry_milvus_field fields[] = {
        { .name = "id", .type = SCRY_MILVUS_VARCHAR, .primary = true, .max_length = 32 },
        { .name = "vector", .type = SCRY_MILVUS_FLOAT_VECTOR, .dim = DIM },
        { .name = "path", .type = SCRY_MILVUS_VARCHAR, .max_length = 65535 },
        { .name = "labels", .type = SCRY_MILVUS_ARRAY, .max_length = 1000, .max_capacity = 100 },
        { .name = "mtime", .type = SCRY_MILVUS_INT64 }, { .name = "good", .type = SCRY_MILVUS_BOOL },
        { .name = "latitude", .type = SCRY_MILVUS_DOUBLE }, { .name = "width", .type = SCRY_MILVUS_INT32 },
        { .name = "weight", .type = SCRY_MILVUS_FLOAT }, { .name = "extra", .type = SCRY_MILVUS_JSON },
    };
    static const scry_milvus_property properties[] = { { "scry.model", "abc" } };
    scry_milvus_schema schema = { .description = "a test", .fields = fields, .field_count = 10, .properties = properties,
                                  .property_count = 1 };
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus *m = open_client(NULL);
    OK(scry_milvus_drop(m, COLLECTION, &err));
    OK(scry_milvus_create_collection(m, COLLECTION, &schema, &err));
    OK(scry_milvus_create_index(m, COLLECTION, "vector", "FLAT", "COSINE", "", &err));
    OK(scry_milvus_load(m, COLLECTION, NULL, &err));
    *state = m;
    return 0;
}

static int drop_collection(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    OK(scry_milvus_drop(*state, COLLECTION, &err));
    scry_milvus_free(*state);
    return 0;
}

/* ---- rows that can be computed anywhere ---- */

static float vector_of(int row, int i)
{
    return sinf((float)(row * DIM + i));
}

typedef struct rows {
    char id[ROWS][33], path[ROWS][64];
    const char *ids[ROWS], *paths[ROWS], *extras[ROWS];
    scry_milvus_strings labels[ROWS];
    float vectors[ROWS][DIM], weight[ROWS];
    int64_t mtime[ROWS];
    int good[ROWS];
    double latitude[ROWS];
    int32_t width[ROWS];
    scry_milvus_column columns[10];
} rows;

static rows *make_rows(void)
{
    static const char *const labels[] = { "even", "dog\x1a" "22" };
    rows *r = calloc(1, sizeof *r);
    for (int i = 0; i < ROWS; i++) {
        snprintf(r->id[i], sizeof r->id[i], "%032x", i);
        snprintf(r->path[i], sizeof r->path[i], "dir%d/\xC3\xA4\x1a" "5c%d.jpg", i % 3, i);
        r->ids[i] = r->id[i];
        r->paths[i] = r->path[i];
        r->extras[i] = "{\"a\": [1, 2]}";
        r->labels[i] = (scry_milvus_strings){ labels, i % 2 ? 0 : 2 };
        r->mtime[i] = -5 + i;
        r->good[i] = i % 5 == 0;
        r->latitude[i] = i / 4.0;
        r->width[i] = 640 + i;
        r->weight[i] = 0.5f;
        for (int k = 0; k < DIM; k++)
            r->vectors[i][k] = vector_of(i, k);
    }
    scry_milvus_column columns[10] = {
        { .name = "id", .type = SCRY_MILVUS_VARCHAR, .strings = r->ids },
        { .name = "vector", .type = SCRY_MILVUS_FLOAT_VECTOR, .floats = &r->vectors[0][0], .dim = DIM },
        { .name = "path", .type = SCRY_MILVUS_VARCHAR, .strings = r->paths },
        { .name = "labels", .type = SCRY_MILVUS_ARRAY, .lists = r->labels },
        { .name = "mtime", .type = SCRY_MILVUS_INT64, .longs = r->mtime },
        { .name = "good", .type = SCRY_MILVUS_BOOL, .bools = r->good },
        { .name = "latitude", .type = SCRY_MILVUS_DOUBLE, .doubles = r->latitude },
        { .name = "width", .type = SCRY_MILVUS_INT32, .ints = r->width },
        { .name = "weight", .type = SCRY_MILVUS_FLOAT, .floats = r->weight },
        { .name = "extra", .type = SCRY_MILVUS_JSON, .strings = r->extras },
    };
    memcpy(r->columns, columns, sizeof columns);
    return r;
}

static void upsert_all(scry_milvus *m)
{
    scry_error err = SCRY_ERROR_INIT;
    rows *r = make_rows();
    OK(scry_milvus_upsert(m, COLLECTION, &(scry_milvus_table){ r->columns, 10, ROWS, NULL }, &err));
    free(r);
}

static int64_t count_of(scry_milvus *m, const char *filter)
{
    scry_error err = SCRY_ERROR_INIT;
    int64_t n = -1;
    OK(scry_milvus_count(m, COLLECTION, filter, SCRY_MILVUS_STRONG, &n, &err));
    return n;
}

/* ---- tests ---- */

static void schema_comes_back(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus_schema *s;
    bool has = false;
    OK(scry_milvus_set_property(*state, COLLECTION, "scry.root.00", "/a b/\xC3\xA4", &err));
    OK(scry_milvus_has_collection(*state, COLLECTION, &has, &err));
    assert_true(has);
    OK(scry_milvus_has_collection(*state, "absent", &has, &err));
    assert_false(has);
    OK(scry_milvus_describe(*state, COLLECTION, &s, &err));
    const scry_milvus_field *id = scry_milvus_find_field(s, "id"), *v = scry_milvus_find_field(s, "vector");
    assert_true(id && id->primary && !id->auto_id && id->type == SCRY_MILVUS_VARCHAR && id->max_length == 32);
    assert_true(v && v->type == SCRY_MILVUS_FLOAT_VECTOR && v->dim == DIM);
    assert_string_equal(scry_milvus_find_property(s, "scry.model"), "abc");
    assert_string_equal(scry_milvus_find_property(s, "scry.root.00"), "/a b/\xC3\xA4");
    assert_null(scry_milvus_find_property(s, "absent"));
    scry_milvus_schema_free(s);
}

static void repeated_upsert_doubles_nothing(void **state)
{
    upsert_all(*state);
    upsert_all(*state);
    assert_int_equal(count_of(*state, ""), ROWS);
}

static void every_type_comes_back(void **state)
{
    static const char *const fields[] = { "id", "vector", "path", "labels", "mtime", "good", "latitude", "width", "weight",
                                          "extra" };
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus_rows *r;
    scry_milvus_query q = { "path > \"dir1/\" and path < \"dir10\" and mtime < 20", fields, 10, 0, SCRY_MILVUS_STRONG };
    upsert_all(*state);
    OK(scry_milvus_query_rows(*state, COLLECTION, &q, &r, &err));
    assert_int_equal(r->rows, 8);
    rows *want = make_rows();
    const scry_milvus_column *id = scry_milvus_find_column(r, "id", SCRY_MILVUS_VARCHAR);
    for (size_t i = 0; i < r->rows; i++) {
        long k = strtol(id->strings[i], NULL, 16);
        assert_string_equal(scry_milvus_find_column(r, "path", SCRY_MILVUS_VARCHAR)->strings[i], want->paths[k]);
        assert_memory_equal(scry_milvus_find_column(r, "vector", SCRY_MILVUS_FLOAT_VECTOR)->floats + i * DIM,
                            want->vectors[k], sizeof want->vectors[k]);
        assert_int_equal(scry_milvus_find_column(r, "labels", SCRY_MILVUS_ARRAY)->lists[i].count, want->labels[k].count);
        if (want->labels[k].count)
            assert_string_equal(scry_milvus_find_column(r, "labels", SCRY_MILVUS_ARRAY)->lists[i].items[1],
                                "dog\x1a" "22");
        assert_int_equal(scry_milvus_find_column(r, "mtime", SCRY_MILVUS_INT64)->longs[i], want->mtime[k]);
        assert_int_equal(scry_milvus_find_column(r, "good", SCRY_MILVUS_BOOL)->bools[i], want->good[k]);
        assert_true(scry_milvus_find_column(r, "latitude", SCRY_MILVUS_DOUBLE)->doubles[i] == want->latitude[k]);
        assert_int_equal(scry_milvus_find_column(r, "width", SCRY_MILVUS_INT32)->ints[i], want->width[k]);
        assert_true(scry_milvus_find_column(r, "weight", SCRY_MILVUS_FLOAT)->floats[i] == 0.5f);
        assert_true(strncmp(scry_milvus_find_column(r, "extra", SCRY_MILVUS_JSON)->strings[i], "{\"a\"", 4) == 0);
    }
    free(want);
    scry_milvus_rows_free(r);
}

/* Pages in the order of keys, whatever the order that rows came in: they were replaced, some of them in another segment. */
static void keys_come_in_order(void **state)
{
    static const char *const fields[] = { "id" };
    enum { PAGE = 70 };
    scry_error err = SCRY_ERROR_INIT;
    char filter[64] = "";
    long next = 0;
    upsert_all(*state);
    OK(scry_milvus_flush(*state, COLLECTION, NULL, &err));
    rows *some = make_rows();
    for (int i = 0; i < ROWS; i++)
        some->ids[i] = some->id[ROWS - 1 - i];
    OK(scry_milvus_upsert(*state, COLLECTION, &(scry_milvus_table){ some->columns, 10, ROWS / 2, NULL }, &err));
    for (size_t got = PAGE; got == PAGE;) {
        scry_milvus_rows *r;
        scry_milvus_query q = { filter, fields, 1, PAGE, SCRY_MILVUS_STRONG };
        OK(scry_milvus_query_by_key(*state, COLLECTION, &q, &r, &err));
        got = r->rows;
        const scry_milvus_column *id = scry_milvus_find_column(r, "id", SCRY_MILVUS_VARCHAR);
        for (size_t i = 0; i < got; i++, next++)
            assert_int_equal(strtol(id->strings[i], NULL, 16), next);
        if (got)
            snprintf(filter, sizeof filter, "id > \"%s\"", id->strings[got - 1]);
        scry_milvus_rows_free(r);
    }
    assert_int_equal(next, ROWS);
    free(some);
}

static void search_finds_each_query_itself(void **state)
{
    static const char *const fields[] = { "path", "labels" };
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus_rows *r;
    rows *have = make_rows();
    upsert_all(*state);
    scry_milvus_search s = { .field = "vector", .metric = "COSINE", .vectors = have->vectors[7], .queries = 3, .dim = DIM,
                             .limit = 5, .fields = fields, .field_count = 2, .consistency = SCRY_MILVUS_STRONG };
    OK(scry_milvus_search_rows(*state, COLLECTION, &s, &r, &err));
    assert_int_equal(r->queries, 3);
    assert_int_equal(r->rows, 15);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r->first[i], 5 * i);
        assert_string_equal(r->str_ids[r->first[i]], have->ids[7 + i]);
        assert_true(fabsf(r->scores[r->first[i]] - 1) < 1e-5f);
        assert_string_equal(scry_milvus_find_column(r, "path", SCRY_MILVUS_VARCHAR)->strings[r->first[i]],
                            have->paths[7 + i]);
    }
    scry_milvus_rows_free(r);
    s.filter = "id == \"nothing\"";
    OK(scry_milvus_search_rows(*state, COLLECTION, &s, &r, &err));
    assert_int_equal(r->rows, 0);
    assert_int_equal(r->first[3], 0);
    scry_milvus_rows_free(r);
    free(have);
}

static void deleted_rows_are_gone(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    upsert_all(*state);
    OK(scry_milvus_delete(*state, COLLECTION,
                          "id in [\"00000000000000000000000000000003\", \"00000000000000000000000000000004\"]", NULL, &err));
    assert_int_equal(count_of(*state, ""), ROWS - 2);
    assert_int_equal(count_of(*state, "array_contains(labels, \"even\")"), ROWS / 2 - 1);
}

static int count_names(void *arg, const char *name)
{
    *(int *)arg += strcmp(name, COLLECTION) == 0 || strcmp(name, "scry_test_db") == 0;
    return 0;
}

static void collections_and_databases_are_listed(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    int found = 0;
    OK(scry_milvus_collections(*state, count_names, &found, &err));
    assert_int_equal(found, 1);
    if (scry_milvus_create_database(*state, "scry_test_db", &err) < 0 && !strstr(err.message, "exist"))
        fail_msg("%s", err.message);
    OK(scry_milvus_databases(*state, count_names, &found, &err));
    assert_int_equal(found, 2);
    scry_milvus *other = open_client("scry_test_db");
    found = 0;
    OK(scry_milvus_collections(other, count_names, &found, &err));
    assert_int_equal(found, 0);
    scry_milvus_free(other);
}

static int count_calls(void *arg, const char *stage, int percent)
{
    *(int *)arg += percent >= 0 && percent <= 100 && stage[0];
    return 0;
}

static void flush_index_release_and_load(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus_index index;
    int calls = 0;
    int64_t count;
    scry_milvus_wait w = { count_calls, &calls, 60000 };
    upsert_all(*state);
    OK(scry_milvus_flush(*state, COLLECTION, &w, &err));
    OK(scry_milvus_wait_index(*state, COLLECTION, "vector", &w, &err));
    OK(scry_milvus_describe_index(*state, COLLECTION, "vector", &index, &err));
    assert_string_equal(index.type, "FLAT");
    assert_string_equal(index.metric, "COSINE");
    OK(scry_milvus_describe_index(*state, COLLECTION, "path", &index, &err));
    assert_string_equal(index.type, "");
    OK(scry_milvus_release(*state, COLLECTION, &err));
    if (!is_lite)   /* which answers from a released collection */
        assert_true(scry_milvus_count(*state, COLLECTION, "", SCRY_MILVUS_STRONG, &count, &err) < 0);
    OK(scry_milvus_load(*state, COLLECTION, &w, &err));
    assert_int_equal(count_of(*state, ""), ROWS);
}

static void partitions_take_rows(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    rows *r = make_rows();
    OK(scry_milvus_create_partition(*state, COLLECTION, "part", &err));
    OK(scry_milvus_upsert(*state, COLLECTION, &(scry_milvus_table){ r->columns, 10, 10, "part" }, &err));
    free(r);
}

static void expect_failure(scry_milvus *m, int result, const scry_error *err, int code, const char *text)
{
    assert_int_equal(result, code);
    if (!strstr(err->message, text) || strchr(err->message, '\n'))
        fail_msg("\"%s\" in \"%s\"", text, err->message);
    assert_int_equal(scry_milvus_counts(m).repeats, 0);   /* none of these is worth a repetition */
}

static void mistakes_are_told_once(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus *m = open_client(NULL);
    scry_milvus_rows *r = NULL;
    float vectors[DIM * 2] = { 1 };
    scry_milvus_search s = { .field = "vector", .metric = "COSINE", .vectors = vectors, .queries = 1, .dim = DIM, .limit = 5 };
    expect_failure(m, scry_milvus_search_rows(m, "absent", &s, &r, &err), &err, SCRY_ENOTFOUND, "no such collection");
    assert_int_equal(scry_milvus_code(m), SCRY_MILVUS_NO_COLLECTION);
    s.dim = DIM * 2;
    expect_failure(m, scry_milvus_search_rows(m, COLLECTION, &s, &r, &err), &err, SCRY_EREMOTE, "refuses Search");
    s.dim = DIM;
    s.limit = 20000;
    expect_failure(m, scry_milvus_search_rows(m, COLLECTION, &s, &r, &err), &err, SCRY_ELIMIT, "16384");
    s.limit = 5;
    if (!is_lite) {   /* which takes any metric */
        s.metric = "L2";
        expect_failure(m, scry_milvus_search_rows(m, COLLECTION, &s, &r, &err), &err, SCRY_EREMOTE, "metric");
        s.metric = "COSINE";
    }
    s.filter = "no_such_field ==";
    expect_failure(m, scry_milvus_search_rows(m, COLLECTION, &s, &r, &err), &err, SCRY_EREMOTE, "refuses Search");
    rows *rows_ = make_rows();
    rows_->columns[1].dim = DIM / 2;
    expect_failure(m, scry_milvus_upsert(m, COLLECTION, &(scry_milvus_table){ rows_->columns, 10, ROWS, NULL }, &err), &err,
                   SCRY_EREMOTE, "Upsert");
    free(rows_);
    s.filter = NULL;
    OK(scry_milvus_release(m, COLLECTION, &err));
    expect_failure(m, scry_milvus_search_rows(m, COLLECTION, &s, &r, &err), &err, SCRY_EREMOTE, "refuses Search");
    assert_int_equal(scry_milvus_code(m), SCRY_MILVUS_NOT_LOADED);
    OK(scry_milvus_load(m, COLLECTION, NULL, &err));
    scry_milvus_free(m);
}

static void large_rows_go_in_batches(void **state)
{
    /* 60 paths of 65,000 bytes ten times over: 39 MB, three batches at least. */
    enum { LARGE = 600 };
    scry_error err = SCRY_ERROR_INIT;
    char *path = malloc(65001), (*id)[33] = malloc(LARGE * sizeof *id);
    rows *r = make_rows();
    const char **ids = malloc(LARGE * sizeof *ids), **paths = malloc(LARGE * sizeof *paths);
    memset(path, 'x', 65000);
    path[65000] = '\0';
    float *vectors = calloc(LARGE * DIM, sizeof *vectors);
    for (int i = 0; i < LARGE; i++) {
        snprintf(id[i], sizeof id[i], "large%d", i);
        ids[i] = id[i];
        paths[i] = path;
        vectors[i * DIM] = 1;
    }
    uint64_t before = scry_milvus_counts(*state).calls;
    for (int at = 0; at < LARGE; at += ROWS) {
        r->columns[0].strings = ids + at;
        r->columns[1].floats = vectors + at * DIM;
        r->columns[2].strings = paths + at;
        OK(scry_milvus_upsert(*state, COLLECTION, &(scry_milvus_table){ r->columns, 10, ROWS, NULL }, &err));
    }
    assert_true(scry_milvus_counts(*state).calls - before >= 4);
    assert_int_equal(count_of(*state, "id >= \"large\""), LARGE);
    scry_milvus_rows *out;
    static const char *const fields[] = { "path" };
    scry_milvus_query q = { "id >= \"large\"", fields, 1, 0, SCRY_MILVUS_STRONG };
    OK(scry_milvus_query_rows(*state, COLLECTION, &q, &out, &err));   /* 39 MB through the flow-control windows */
    assert_int_equal(out->rows, LARGE);
    assert_int_equal(strlen(scry_milvus_find_column(out, "path", SCRY_MILVUS_VARCHAR)->strings[LARGE - 1]), 65000);
    scry_milvus_rows_free(out);
    free(vectors);
    free(paths);
    free(ids);
    free(id);
    free(path);
    free(r);
}

int main(void)
{
    is_lite = getenv("SCRY_TEST_LITE") != NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_comes_back),
        cmocka_unit_test(repeated_upsert_doubles_nothing),
        cmocka_unit_test(every_type_comes_back),
        cmocka_unit_test(keys_come_in_order),
        cmocka_unit_test(search_finds_each_query_itself),
        cmocka_unit_test(deleted_rows_are_gone),
        cmocka_unit_test(collections_and_databases_are_listed),
        cmocka_unit_test(flush_index_release_and_load),
        cmocka_unit_test(partitions_take_rows),
        cmocka_unit_test(mistakes_are_told_once),
        cmocka_unit_test(large_rows_go_in_batches),
    };
    return cmocka_run_group_tests(tests, make_collection, drop_collection);
}
