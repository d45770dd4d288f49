/* Replacing a collection: continued, begun anew, swapped below readers that stay open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_model.h"

#include "base/alloc.h"

#include <unistd.h>

static const char *const first = "0123456789abcdef", *const second = "fedcba9876543210";

#define OK(call) assert_ok((call), &err, #call, __LINE__)

static void assert_ok(int result, const scry_error *err, const char *call, int line)
{
    if (result < 0)
        fail_msg("line %d: %s: %s", line, call, err->message);
}

static scry_store_options options(scry_store_mode mode, const char *identity)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = mode;
    o.model_identity = identity;
    o.model_name = "toy";
    o.precision = "fp32";
    o.dim = identity ? MODEL_DIM : 0;
    return o;
}

static scry_store *open_store(const char *where, scry_store_mode mode, const char *identity)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *s;
    scry_store_options o = options(mode, identity);
    OK(scry_store_open(&s, where, &o, &err));
    return s;
}

static scry_store *begin(scry_store *s, const char *identity, bool anew)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *replacement;
    scry_store_options o = options(SCRY_STORE_CREATE, identity);
    OK(scry_store_begin_replacement(&replacement, s, &o, anew, &err));
    return replacement;
}

static void put_file(scry_store *s, int n, int shift)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_root root;
    float vector[MODEL_DIM];
    model_file f = { .content = n, .size = 5 };
    OK(scry_store_add_root(s, "/pictures", &root, &err));
    memcpy(f.root, root.id, SCRY_ID_BYTES);
    snprintf(f.relative, sizeof f.relative, "f%d.jpg", n);
    model_vector(n + shift, vector, MODEL_DIM);
    scry_put put = { .file = model_to_file(&f), .vector = vector };
    OK(scry_store_put(s, &put, 1, &err));
}

static uint64_t files(scry_store *s)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store_info info;
    OK(scry_store_get_info(s, &info, &err));
    return info.files;
}

/* Each test gets a store with one file. */
static int make_store(void **state)
{
    char *folder = calloc(1, 64);
    make_fast_scratch(folder);
    char *where = scry_asprintf("%s/store", folder);
    scry_store *s = open_store(where, SCRY_STORE_CREATE, first);
    put_file(s, 1, 0);
    assert_int_equal(scry_store_close(s, NULL), 0);
    free(folder);
    *state = where;
    return 0;
}

static int free_store(void **state)
{
    char *where = *state;
    *strrchr(where, '/') = '\0';
    remove_tree(where);
    free(where);
    return 0;
}

static void test_continued(void **state)
{
    scry_store *s = open_store(*state, SCRY_STORE_WRITE, NULL), *r = begin(s, second, false);
    put_file(r, 1, 7);
    assert_int_equal(scry_store_close(r, NULL), 0);
    r = begin(s, second, false);
    assert_int_equal(files(r), 1);      /* what an earlier run made */
    assert_int_equal(scry_store_close(r, NULL), 0);
    r = begin(s, second, true);
    assert_int_equal(files(r), 0);      /* anew */
    put_file(r, 1, 7);
    assert_int_equal(scry_store_close(r, NULL), 0);
    r = begin(s, "abcdef", false);
    assert_int_equal(files(r), 0);      /* of another model */
    assert_int_equal(scry_store_close(r, NULL), 0);
    assert_int_equal(scry_store_drop_replacement(s, NULL), 0);
    assert_int_equal(files(s), 1);
    assert_int_equal(scry_store_close(s, NULL), 0);
}

static void test_readers_stay(void **state)
{
    const char *where = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_store *reader = open_store(where, SCRY_STORE_READ, NULL), *late = open_store(where, SCRY_STORE_READ, NULL);
    float query[MODEL_DIM];
    scry_results *found;
    model_vector(1, query, MODEL_DIM);
    OK(scry_store_search(reader, query, NULL, &found, &err));
    scry_results_free(found);
    scry_store *s = open_store(where, SCRY_STORE_WRITE, NULL), *r = begin(s, second, false);
    put_file(r, 1, 7);
    put_file(r, 2, 7);
    OK(scry_store_replace(s, r, &err));

    /* A reader has what it had, and is told; one that had read nothing is told at once. */
    OK(scry_store_search(reader, query, NULL, &found, &err));
    assert_int_equal(found->count, 1);
    assert_true(found->hits[0].score > 0.999);
    scry_results_free(found);
    assert_int_equal(scry_store_refresh(reader, &err), SCRY_ENOTFOUND);
    assert_int_equal(scry_store_search(late, query, NULL, &found, &err), SCRY_ENOTFOUND);
    assert_int_equal(scry_store_close(late, NULL), 0);

    /* Closing it leaves the log of the new collection alone. */
    s = open_store(where, SCRY_STORE_WRITE, second);
    put_file(s, 3, 7);
    char *log = scry_asprintf("%s/collections/default/index.db-wal", where);
    assert_int_equal(access(log, F_OK), 0);
    assert_int_equal(scry_store_close(reader, NULL), 0);
    assert_int_equal(access(log, F_OK), 0);
    free(log);
    assert_int_equal(files(s), 3);
    assert_int_equal(scry_store_close(s, NULL), 0);
}

/* Locks are held from the beginning of the replacement to the end of the swap. */
static void test_one_writer(void **state)
{
    scry_store *s = open_store(*state, SCRY_STORE_WRITE, NULL), *r = begin(s, second, false), *other = NULL;
    scry_store_options o = options(SCRY_STORE_WRITE, NULL);
    assert_true(scry_store_open(&other, *state, &o, NULL) < 0);
    scry_error err = SCRY_ERROR_INIT;
    OK(scry_store_replace(s, r, &err));
    s = open_store(*state, SCRY_STORE_WRITE, second);
    assert_int_equal(files(s), 0);
    assert_int_equal(scry_store_close(s, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_continued, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_readers_stay, make_store, free_store),
        cmocka_unit_test_setup_teardown(test_one_writer, make_store, free_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
