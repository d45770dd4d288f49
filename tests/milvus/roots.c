/* Roots that several programs add and merge at once: every picture is there once, under one root. SCRY_TEST_STORE is the server.
 * Each program is a store that is opened anew; a thread of its own where they act at the same moment. With an argument the tests
 * that it matches. Run by roots.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/sha256.h"
#include "store/milvus/remote_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 4, ROUNDS = 8, PUTS = 5, PATH = 256 };

static const char *collection;

static void must(int result, const scry_error *err)
{
    if (result < 0)
        fail_msg("%s", err->message);
}

static scry_store *open_store(void)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_store *s;
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = "feed";
    o.dim = DIM;
    o.collection = collection;
    must(scry_milvus_driver.open(&s, getenv("SCRY_TEST_STORE"), &o, &err), &err);
    return s;
}

static void close_store(scry_store *s)
{
    scry_error err = SCRY_ERROR_INIT;
    must(scry_store_close(s, &err), &err);
}

/* A picture at a path within the root that was at root_path when it was added. */
static int put(scry_store *s, const uint8_t *root, const char *root_path, const char *path, scry_error *err)
{
    static const float vector[DIM] = { 1 };
    scry_put item = { .vector = vector, .file = { .relative = path + strlen(root_path) + 1, .size = 10, .format = "jpeg", .key = "" } };
    memcpy(item.file.root, root, SCRY_ID_BYTES);
    scry_sha256_of(path, strlen(path), item.file.content);
    return scry_store_put(s, &item, 1, err);
}

/* ---- what there is ---- */

typedef struct {
    char *paths[64];
    uint64_t files[64];
    size_t count;
} list;

static int note_root(void *arg, const scry_root *root)
{
    list *l = arg;
    assert_true(l->count < 64);
    l->files[l->count] = root->files;
    l->paths[l->count++] = strdup(root->path);
    return 0;
}

static int note_place(void *arg, const uint8_t *id, const char *path)
{
    list *l = arg;
    assert_true(l->count < 64);
    l->paths[l->count++] = strdup(path);
    return 0;
}

static void dispose(list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->paths[i]);
    *l = (list){ .count = 0 };
}

/* Of all that is at `folder` or below it: one root, at `folder`, with `files` rows, and each path once. */
static void expect(const char *folder, size_t files)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *s = open_store();
    list roots = { .count = 0 }, places = { .count = 0 };
    scry_filter_pool *pool = scry_filter_pool_new();
    size_t below = 0, n = strlen(folder);
    must(scry_store_roots(s, note_root, &roots, &err), &err);
    for (size_t i = 0; i < roots.count; i++)
        if (strncmp(roots.paths[i], folder, n) == 0 && (!roots.paths[i][n] || roots.paths[i][n] == '/')) {
            assert_string_equal(roots.paths[i], folder);
            assert_int_equal(roots.files[i], files);
            below++;
        }
    assert_int_equal(below, 1);
    must(scry_store_each_place(s, scry_filter_text(pool, SCRY_FILTER_IN, folder), note_place, &places, &err), &err);
    assert_int_equal(places.count, files);
    for (size_t i = 0; i < places.count; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(places.paths[i], places.paths[k]);
    scry_filter_pool_free(pool);
    dispose(&roots);
    dispose(&places);
    close_store(s);
}

/* Nothing is under a root that is none. */
static int no_root(void *arg, const scry_root *root)
{
    fail_msg("rows of a root without a path, as %s", root->path);
    return 1;
}

static void expect_no_lost(void)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *s = open_store();
    must(s->kind->lost_roots(s, no_root, NULL, &err), &err);
    close_store(s);
}

/* ---- at the same moment ---- */

typedef struct {
    scry_store *store;
    const char *name;          /* of the root; NULL: none */
    char folder[PATH];
    pthread_barrier_t *start;
    scry_error err;            /* code 0: all was put */
} program;

static void *index_folder(void *arg)
{
    program *p = arg;
    scry_root root;
    char at[PATH], path[PATH + 32];
    pthread_barrier_wait(p->start);
    int result = p->name ? scry_store_name_root(p->store, p->name, p->folder, &root, &p->err)
                         : scry_store_add_root(p->store, p->folder, &root, &p->err);
    snprintf(at, sizeof at, "%s", result == 0 ? root.path : "");
    for (int i = 0; i < PUTS && result == 0; i++) {
        snprintf(path, sizeof path, "%s/x%d.jpg", p->folder, i);
        result = put(p->store, root.id, at, path, &p->err);
    }
    return NULL;
}

/* Opened and run, all at once; returns how many were refused. */
static int run_all(program *programs, int n)
{
    pthread_barrier_t start;
    pthread_t threads[8];
    int refused = 0;
    pthread_barrier_init(&start, NULL, (unsigned)n);
    for (int i = 0; i < n; i++) {
        programs[i].store = open_store();
        programs[i].start = &start;
        programs[i].err = (scry_error)SCRY_ERROR_INIT;
    }
    for (int i = 0; i < n; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, index_folder, &programs[i]), 0);
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        close_store(programs[i].store);
        refused += programs[i].err.code != 0;
    }
    pthread_barrier_destroy(&start);
    return refused;
}

/* A folder, one in it, one in that, and the first once more. */
static void folders_in_each_other(void **state)
{
    collection = "roots_at_once";
    for (int i = 0; i < ROUNDS; i++) {
        program p[4] = { 0 };
        for (int k = 0; k < 4; k++)
            snprintf(p[k].folder, sizeof p[k].folder, "/at_once/%d%s", i, ((const char *[]){ "", "/in", "/in/side", "" })[k]);
        int refused = run_all(p, 4);
        for (int k = 0; k < 4; k++)
            must(p[k].err.code ? -1 : 0, &p[k].err);
        assert_int_equal(refused, 0);
        expect(p[0].folder, 3 * PUTS);
    }
    expect_no_lost();
}

/* One with a name, and one around it: one of them at least is refused, and says why. */
static void a_name_within(void **state)
{
    collection = "roots_named";
    for (int i = 0; i < ROUNDS; i++) {
        char name[16];
        program p[2] = { 0 };
        snprintf(name, sizeof name, "share%d", i);
        p[0].name = name;
        snprintf(p[0].folder, sizeof p[0].folder, "/named/%d/share", i);
        snprintf(p[1].folder, sizeof p[1].folder, "/named/%d", i);
        int refused = run_all(p, 2);
        assert_true(refused >= 1);
        for (int k = 0; k < 2; k++)
            if (p[k].err.code)
                assert_non_null(strstr(p[k].err.message, p[0].folder));
        if (refused == 1)
            expect(p[p[0].err.code ? 1 : 0].folder, PUTS);
    }
    expect_no_lost();
}

/* ---- while the other one has long begun ---- */

static void a_root_around_one_that_is_written_to(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_root root, outer;
    uint8_t old[SCRY_ID_BYTES];
    collection = "roots_later";
    scry_store *first = open_store(), *second = open_store();
    must(scry_store_add_root(first, "/later/in", &root, &err), &err);
    memcpy(old, root.id, sizeof old);
    must(put(first, old, "/later/in", "/later/in/1.jpg", &err), &err);
    must(scry_store_add_root(second, "/later", &outer, &err), &err);
    assert_string_equal(outer.path, "/later");
    assert_int_equal(outer.files, 1);
    assert_true(scry_store_has_root(first, old));   /* as it knows it */
    for (int i = 0; i < 2; i++) {   /* the second time it does not know where that root was */
        char path[PATH];
        snprintf(path, sizeof path, "/later/in/%d.jpg", 2 + i);
        must(put(first, old, "/later/in", path, &err), &err);
        assert_false(scry_store_has_root(first, old));
        expect("/later", (size_t)(2 + i));
    }
    must(scry_store_add_root(first, "/later/in", &root, &err), &err);
    assert_string_equal(root.path, "/later");
    assert_true(scry_store_has_root(first, root.id));
    /* The same again with a third one around both. */
    scry_store *third = open_store();
    must(scry_store_add_root(third, "/", &outer, &err), &err);
    assert_int_equal(outer.files, 3);
    must(put(first, old, "/later/in", "/later/in/4.jpg", &err), &err);
    must(scry_store_add_root(second, "/later/in", &root, &err), &err);
    assert_string_equal(root.path, "/");
    assert_int_equal(root.files, 4);
    close_store(first);
    close_store(second);
    close_store(third);
    expect_no_lost();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_in_each_other),
        cmocka_unit_test(a_name_within),
        cmocka_unit_test(a_root_around_one_that_is_written_to),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
