/* Long calls with no more options than scry_long_options: opening and adding a model, the estimate of a rebuild and of a
 * threshold, teaching. Their progress never falls and ends at its total; a flag stops them at any time, and leaves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "decoder_fixture.h"
#include "engine/registry_record.h"
#include "scry/find.h"
#include "scry/index.h"
#include "scry/rebuild.h"
#include "scry/registry.h"
#include "scry/teach.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PICTURES = 30, MAX_PATH = 4200 };

typedef struct {
    scry_cancel cancel;
    uint64_t calls, done, total, stop_at;   /* stop_at: which call of progress asks to stop; 0: none */
} watch;

static char folder[] = "/tmp/scry-watched.XXXXXX";
static scry_model *model, *other;
static scry_store *store;

static void progress(void *arg, uint64_t done, uint64_t total)
{
    watch *w = arg;
    assert_true(done <= total && done >= w->done);
    assert_true(w->calls == 0 || total == w->total);
    w->done = done;
    w->total = total;
    if (++w->calls == w->stop_at)
        atomic_store(&w->cancel, 1);
}

static scry_long_options watched_by(watch *w)
{
    return (scry_long_options){ .progress = progress, .arg = w, .cancel = &w->cancel };
}

static char *in_folder(const char *name)
{
    return scry_path_join(folder, name);
}

/* What is computed once is computed again. */
static void forget_caches(void)
{
    char *cache = in_folder("cache");
    if (access(cache, F_OK) == 0)
        assert_int_equal(scry_registry_delete_tree(cache, NULL), 0);
    free(cache);
}

static const char *golden(const char *name)
{
    static char path[MAX_PATH];
    snprintf(path, sizeof path, "%s", test_path("tests/golden/models"));
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", name);
    return path;
}

static void must(int result, const scry_error *err)
{
    if (result < 0)
        fail_msg("%s", err->message);
}

/* A BMP of 40 x 30 pixels that differ in each picture. */
static void write_picture(const char *path, int seed)
{
    enum { W = 40, H = 30, HEAD = 54 };
    uint8_t bytes[HEAD + 3 * W * H] = { 'B', 'M', [10] = HEAD, [14] = 40, [18] = W, [22] = H, [26] = 1, [28] = 24 };
    scry_error err = SCRY_ERROR_INIT;
    uint32_t size = sizeof bytes, noise = 12345 + (uint32_t)seed * 77777;
    memcpy(bytes + 2, &size, 4);
    for (size_t i = HEAD; i < sizeof bytes; i++) {
        noise = noise * 1664525 + 1013904223;
        bytes[i] = (uint8_t)((i * (size_t)(seed + 3) / 7) + (noise >> 27));
    }
    must(scry_write_file(path, bytes, sizeof bytes, &err), &err);
}

static char *picture(int i)
{
    return scry_asprintf("%s/pictures/p%02d.bmp", folder, i);
}

static void fill_store(void)
{
    const scry_model_info *m = scry_model_get_info(model);
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_index_options index = SCRY_INDEX_OPTIONS_INIT;
    scry_index_progress total;
    char *where = in_folder("store"), *pictures = in_folder("pictures");
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = m->identity;
    o.model_name = m->name;
    o.dim = m->dim;
    must(scry_make_dirs(pictures, &err), &err);
    for (int i = 0; i < PICTURES; i++) {
        char *path = picture(i);
        write_picture(path, i);
        free(path);
    }
    must(scry_store_open(&store, where, &o, &err), &err);
    index.paths = (const char *const *)&pictures;
    index.path_count = 1;
    index.formats = scry_formats_all();
    must(scry_index_run(store, model, &index, &total, &err), &err);
    assert_int_equal(total.added, PICTURES);
    free(pictures);
    free(where);
}

static int set_up(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
#ifdef SCRY_SANITIZED
    setenv("SCRY_TEST_UNCONFINED", "1", 1);
#endif
    if (!mkdtemp(folder))
        return -1;
    char *cache = in_folder("cache"), *data = in_folder("data");
    setenv("XDG_CACHE_HOME", cache, 1);
    setenv("XDG_DATA_HOME", data, 1);
    free(cache);
    free(data);
    must(scry_model_open(&model, golden("clip"), NULL, &err), &err);
    must(scry_model_open(&other, golden("siglip"), NULL, &err), &err);
    fill_store();
    return 0;
}

static int tear_down(void **state)
{
    scry_store_close(store, NULL);
    scry_model_free(model);
    scry_model_free(other);
    return scry_registry_delete_tree(folder, NULL);
}

/* Each of the calls: `run` once to its end, and then stopped. */
typedef int call(const scry_long_options *o, scry_error *err);

static void runs_and_stops(call *run, void (*check_undone)(void))
{
    scry_error err = SCRY_ERROR_INIT;
    watch w = { .stop_at = 0 };
    scry_long_options o = watched_by(&w);
    atomic_store(&w.cancel, 1);   /* before it begins */
    assert_int_equal(run(&o, &err), SCRY_ECANCELLED);
    check_undone();
    atomic_store(&w.cancel, 0);
    must(run(&o, &err), &err);
    assert_true(w.calls > 0 && w.total > 0);
    assert_int_equal(w.done, w.total);
}

static void nothing(void)
{
    forget_caches();
}

/* ---- opening ---- */

static int open_it(const scry_long_options *o, scry_error *err)
{
    scry_model_options options = SCRY_MODEL_OPTIONS_INIT;
    scry_model *m;
    options.reading = o;
    forget_caches();
    int r = scry_model_open(&m, golden("clip"), &options, err);
    if (r == 0)
        scry_model_free(m);
    return r;
}

static void a_model_is_opened(void **state)
{
    scry_model_options options = SCRY_MODEL_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    watch w = { .stop_at = 0 };
    scry_long_options o = watched_by(&w);
    scry_model *m;
    runs_and_stops(open_it, nothing);
    must(open_it(NULL, &err), &err);
    options.reading = &o;
    must(scry_model_open(&m, golden("clip"), &options, &err), &err);   /* known: nothing is read */
    assert_int_equal(w.calls, 0);
    scry_model_free(m);
}

static void a_model_is_stopped_in_its_middle(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    watch w = { .stop_at = 1 };
    scry_long_options o = watched_by(&w);
    assert_int_equal(open_it(&o, &err), SCRY_ECANCELLED);
    assert_string_equal(err.message, "stopped");
    assert_int_equal(w.calls, 1);
    assert_true(w.done < w.total);
}

/* ---- adding ---- */

static int add_copy(const scry_long_options *o, scry_error *err)
{
    const scry_model_add_options options = { .copy = true, .work = o };
    forget_caches();
    return scry_model_add_run("copied", golden("clip"), &options, err);
}

static int add_pair(const scry_long_options *o, scry_error *err)
{
    char *texts = scry_strdup(golden("mclip"));
    const scry_model_add_options options = { .texts = texts, .copy = true, .work = o };
    forget_caches();
    int r = scry_model_add_run("paired", golden("clip"), &options, err);
    free(texts);
    return r;
}

static void nothing_is_added(void)
{
    char *models = in_folder("data/scry/models");
    assert_true(access(models, F_OK) < 0 || rmdir(models) == 0);   /* no half copy either */
    free(models);
}

static void a_model_is_added(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    runs_and_stops(add_copy, nothing_is_added);
    assert_int_equal(scry_model_add_run("copied", golden("clip"), NULL, &err), SCRY_EINVALID);   /* taken */
    must(scry_model_remove("copied", &err), &err);
    /* At each of the first moments at which it can be stopped. */
    for (uint64_t at = 1; at <= 3; at++) {
        watch w = { .stop_at = at };
        scry_long_options o = watched_by(&w);
        int r = add_copy(&o, &err);
        if (r == 0)   /* a fast machine reports less often */
            must(scry_model_remove("copied", &err), &err);
        else
            assert_int_equal(r, SCRY_ECANCELLED);
        nothing_is_added();
    }
}

static void a_pair_is_added(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    runs_and_stops(add_pair, nothing_is_added);
    must(scry_model_remove("paired", &err), &err);
    nothing_is_added();
    assert_int_equal(scry_model_add_pair("paired", golden("clip"), NULL, true, &err), SCRY_EINVALID);
    assert_int_equal(scry_model_add_run("none", NULL, NULL, &err), SCRY_EINVALID);
}

/* ---- the threshold ---- */

static int find_threshold(const scry_long_options *o, scry_error *err)
{
    scry_threshold *t = NULL;
    forget_caches();
    int r = scry_threshold_run(&t, store, model, o, err);
    assert_true((r == 0) == (t != NULL));
    scry_threshold_free(t);
    return r;
}

static void no_threshold(void)
{
    scry_threshold *t;
    assert_int_equal(scry_threshold_known(&t, store, model, NULL), 0);
    assert_null(t);
}

static void a_threshold_is_estimated(void **state)
{
    runs_and_stops(find_threshold, no_threshold);
}

static int search_for_likely(const scry_long_options *o, scry_error *err)
{
    scry_query *q;
    scry_results *r = NULL;
    scry_find_options options = SCRY_FIND_OPTIONS_INIT;
    const scry_query_tools tools = { .model = model, .store = store };
    forget_caches();
    options.auto_min_score = true;
    options.estimating = o;
    must(scry_query_parse_line(&q, "a dog", err), err);
    int result = scry_find(&r, &tools, q, &options, err);
    scry_results_free(r);
    scry_query_free(q);
    return result;
}

static void a_search_estimates_it(void **state)
{
    runs_and_stops(search_for_likely, no_threshold);
}

/* ---- a rebuild ---- */

static int estimate(const scry_long_options *o, scry_error *err)
{
    scry_rebuild_estimate e;
    int r = scry_rebuild_estimate_run(store, other, o, &e, err);
    if (r == 0) {
        assert_int_equal(e.pictures, PICTURES);
        assert_true(e.minutes > 0 && !e.current);
    }
    return r;
}

static void a_rebuild_is_estimated(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    runs_and_stops(estimate, nothing);
    must(estimate(NULL, &err), &err);
}

/* ---- teaching ---- */

static int teach(const scry_long_options *o, scry_error *err)
{
    enum { N = 4 };
    scry_query *queries[N];
    const scry_query_tools tools = { .model = model, .store = store };
    forget_caches();
    for (int i = 0; i < N; i++) {
        char *path = picture(i);
        queries[i] = scry_query_new();
        must(scry_query_add_picture(queries[i], path, NULL, 1, err), err);
        free(path);
    }
    int r = scry_teach_run(&tools, "Rexo", (const scry_query *const *)queries, N, o, err);
    for (int i = 0; i < N; i++)
        scry_query_free(queries[i]);
    return r;
}

static void nothing_is_taught(void)
{
    assert_int_equal(scry_model_forget(model, "Rexo", NULL), SCRY_ENOTFOUND);
}

static void a_name_is_taught(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    runs_and_stops(teach, nothing_is_taught);
    must(scry_model_forget(model, "Rexo", &err), &err);
    for (uint64_t at = 1; at <= 2; at++) {
        watch w = { .stop_at = at };
        scry_long_options o = watched_by(&w);
        int r = teach(&o, &err);
        if (r == 0)
            must(scry_model_forget(model, "Rexo", &err), &err);
        else
            assert_int_equal(r, SCRY_ECANCELLED);
        nothing_is_taught();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_opened), cmocka_unit_test(a_model_is_stopped_in_its_middle), cmocka_unit_test(a_model_is_added),
        cmocka_unit_test(a_pair_is_added), cmocka_unit_test(a_threshold_is_estimated), cmocka_unit_test(a_search_estimates_it),
        cmocka_unit_test(a_rebuild_is_estimated), cmocka_unit_test(a_name_is_taught)
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
