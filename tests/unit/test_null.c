/* NULL for a text, a path, a name or a vector that a function needs is SCRY_EINVALID, and for a report that nobody wants it is
 * legal: no program that uses the library crashes by it. Each call is made in a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decoder_fixture.h"
#include "scry/copy.h"
#include "scry/duplicates.h"
#include "scry/eval.h"
#include "scry/find.h"
#include "scry/index.h"
#include "scry/library.h"
#include "scry/marks.h"
#include "scry/registry.h"
#include "scry/teach.h"

#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_TEST_DIM = 1024 };
static scry_model *model;
static scry_store *store;
static char folder[64], where[80], other[80];
static float vector[MAX_TEST_DIM];

/* ---- what needs a value: each returns what the function does ---- */

static int no_each(void *arg, const char *name)
{
    return 0;
}

static int no_record(void *arg, const scry_model_record *r)
{
    return 0;
}

static scry_query *new_query(void)
{
    return scry_query_new();   /* the process ends soon */
}

static int as_error(bool good)
{
    return good ? 0 : SCRY_EINVALID;
}

typedef struct {
    const char *name;
    int (*call)(scry_error *err);
} check;

#define REFUSED(id, expression) static int id(scry_error *err) { return expression; }

static const char *const no_text[] = { NULL };
static scry_eval_set *no_set;
static scry_query *no_query;
static scry_results *no_results;
static scry_store *no_store;
static char *no_dir;
static int64_t no_time;
static double a, b, c, d;
static int region[4];
static scry_root root;
static scry_query_tools with_model;
static const scry_index_options null_pattern = { .include = no_text, .include_count = 1 };
static scry_file_state state_of_file;
static const uint8_t zeros[SCRY_HASH_BYTES];

REFUSED(eval_without_table, scry_eval_set_read(&no_set, &(scry_eval_set_options){ .limit = 1 }, err))
REFUSED(labels_with_null, scry_embed_labels(model, no_text, 1, NULL, 0, NULL, vector, err))
REFUSED(templates_with_null, scry_embed_labels(model, (const char *[]){ "dog" }, 1, no_text, 1, NULL, vector, err))
REFUSED(lines_with_null, scry_embed_lines(model, no_text, 1, NULL, vector, NULL, err))
REFUSED(files_with_null, scry_embed_files(model, no_text, 1, NULL, vector, NULL, err))
REFUSED(time_of_null, scry_parse_time(NULL, &no_time, err))
REFUSED(near_of_null, scry_parse_near(NULL, &a, &b, &c, err))
REFUSED(box_of_null, scry_parse_box(NULL, &a, &b, &c, &d, err))
REFUSED(region_of_null, scry_parse_region(NULL, region, err))
REFUSED(source_of_null, as_error(scry_taken_source_from_name(NULL) == SCRY_TAKEN_UNKNOWN))
REFUSED(open_null, scry_model_open(&(scry_model *){ NULL }, NULL, NULL, err))
REFUSED(starter_of_null, as_error(!scry_model_was_starter(NULL)))
REFUSED(valid_null, as_error(!scry_model_name_valid(NULL)))
REFUSED(add_no_name, scry_model_add(NULL, where, false, err))
REFUSED(add_no_folder, scry_model_add("name", NULL, false, err))
REFUSED(add_pair_of_null, scry_model_add_pair("name", NULL, NULL, false, err))
REFUSED(remove_no_name, scry_model_remove(NULL, err))
REFUSED(cached_null, scry_model_cached(&no_dir, NULL, err))
REFUSED(parse_null, scry_query_parse(&no_query, no_text, 1, err))
REFUSED(parse_null_line, scry_query_parse_line(&no_query, NULL, err))
REFUSED(query_null_line, scry_query_add_line(new_query(), NULL, err))
REFUSED(query_null_args, scry_query_add_args(new_query(), no_text, 1, err))
REFUSED(query_null_text, scry_query_add_text(new_query(), NULL, 1, err))
REFUSED(query_null_picture, scry_query_add_picture(new_query(), NULL, NULL, 1, err))
REFUSED(query_null_id, scry_query_add_id(new_query(), SCRY_PART_STORED, NULL, NULL, 1, err))
REFUSED(find_no_tools, scry_find(&no_results, NULL, new_query(), NULL, err))
REFUSED(find_no_query, scry_find(&no_results, &(scry_query_tools){ .model = model, .store = store }, NULL, NULL, err))
REFUSED(embed_no_query, scry_query_embed(NULL, &(scry_query_tools){ .model = model }, vector, NULL, err))
REFUSED(teach_no_name, scry_model_teach(&with_model, NULL, (const scry_query *const[]){ new_query() }, 1, err))
REFUSED(teach_no_pictures, scry_model_teach(&with_model, "Rexo", NULL, 0, err))
REFUSED(teach_null_pictures, scry_model_teach(&with_model, "Rexo", (const scry_query *const[]){ NULL, NULL, NULL }, 3, err))
REFUSED(forget_null, scry_model_forget(model, NULL, err))
REFUSED(open_no_store, scry_store_open(&no_store, NULL, NULL, err))
REFUSED(collections_of_null, scry_store_collections(NULL, no_each, NULL, err))
REFUSED(drop_of_null, scry_store_drop_collection(NULL, "x", err))
REFUSED(drop_null, scry_store_drop_collection(where, NULL, err))
REFUSED(add_null_root, scry_store_add_root(store, NULL, &root, err))
REFUSED(put_null_root, scry_store_put_root(store, &(scry_root){ .path = NULL }, err))
REFUSED(move_null_root, scry_store_move_root(store, NULL, "/x", err))
REFUSED(move_root_to_null, scry_store_move_root(store, "/photos", NULL, err))
REFUSED(state_of_null, scry_store_file_state(store, zeros, NULL, &state_of_file, err))
REFUSED(put_null_file, scry_store_put(store, &(scry_put){ .file = { .relative = NULL } }, 1, err))
REFUSED(bad_null_file, scry_store_put_bad(store, zeros, NULL, 1, 1, NULL, err))
REFUSED(mark_without_key, scry_store_put_marks(store, &(scry_mark){ .kind = SCRY_MARK_SEARCH, .key_size = 4 }, 1, err))
REFUSED(search_no_vector, scry_store_search(store, NULL, NULL, &no_results, err))
REFUSED(index_null_path, scry_index_run(store, model, &(scry_index_options){ .paths = no_text, .path_count = 1 }, NULL, err))
REFUSED(index_null_pattern, scry_index_run(store, model, &null_pattern, NULL, err))
REFUSED(export_to_null, scry_store_export(store, store, NULL, NULL, NULL, err))

static int filter_of_null(scry_error *err)
{
    scry_search s = SCRY_SEARCH_INIT;
    s.filter = scry_filter_text(scry_filter_pool_new(), SCRY_FILTER_CAMERA, NULL);
    return scry_store_search(store, vector, &s, &no_results, err);
}

#define ROW(id) { #id, id }
static const check refused[] = {
    ROW(eval_without_table), ROW(labels_with_null), ROW(templates_with_null), ROW(lines_with_null),
    ROW(files_with_null), ROW(time_of_null), ROW(near_of_null), ROW(box_of_null), ROW(region_of_null), ROW(open_null),
    ROW(add_no_name), ROW(add_no_folder), ROW(add_pair_of_null), ROW(remove_no_name), ROW(cached_null), ROW(parse_null),
    ROW(parse_null_line), ROW(query_null_line), ROW(query_null_args), ROW(query_null_text), ROW(query_null_picture),
    ROW(query_null_id), ROW(find_no_tools), ROW(find_no_query), ROW(embed_no_query), ROW(teach_no_name),
    ROW(teach_no_pictures), ROW(teach_null_pictures), ROW(forget_null), ROW(open_no_store), ROW(collections_of_null),
    ROW(drop_of_null), ROW(drop_null), ROW(add_null_root), ROW(put_null_root), ROW(move_null_root),
    ROW(move_root_to_null), ROW(state_of_null), ROW(put_null_file), ROW(bad_null_file), ROW(mark_without_key),
    ROW(search_no_vector), ROW(index_null_path), ROW(index_null_pattern), ROW(export_to_null), ROW(filter_of_null)
};

/* Whether something is so. */
static const check plain[] = { ROW(source_of_null), ROW(starter_of_null), ROW(valid_null) };

/* ---- what is wanted or not ---- */

REFUSED(copy_without_counts, scry_store_copy(store, no_store, NULL, NULL, err))
REFUSED(compare_without_report, scry_store_compare(store, store, NULL, NULL, NULL, NULL, err))
REFUSED(verify_without_report, scry_verify_run(store, NULL, NULL, err))
REFUSED(check_without_report, scry_store_check_files(store, NULL, NULL, NULL, NULL, err))
REFUSED(index_without_counts, scry_index_run(store, model, NULL, NULL, err))
REFUSED(starter_without_name, scry_model_find(NULL, no_record, NULL, err))
REFUSED(no_filter, as_error(scry_filter_words(scry_filter_pool_new(), NULL, SCRY_WORDS_WHOLE) == NULL))

static int rest_without_bytes(scry_error *err)
{
    scry_duplicates *groups;
    int r = scry_duplicates_find(&groups, store, NULL, err);
    if (r == 0) {
        const scry_duplicate *members;
        (void)scry_duplicates_rest(groups, NULL);
        r = as_error(scry_duplicates_group(groups, scry_duplicates_count(groups) + 7, &members) == 0);
        scry_duplicates_free(groups);
    }
    return r;
}

static const check legal[] = {
    ROW(copy_without_counts), ROW(compare_without_report), ROW(verify_without_report), ROW(check_without_report),
    ROW(index_without_counts), ROW(starter_without_name), ROW(no_filter), ROW(rest_without_bytes)
};

/* ---- running them ---- */

enum { SAME = 0, WRONG_CODE = 1, NO_MESSAGE = 2 };

static void run_all(const check *checks, size_t n, int wanted)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            scry_error err = SCRY_ERROR_INIT;
            int r = checks[i].call(&err);
            if (r != wanted)
                fprintf(stderr, "%s: %d (%s)\n", checks[i].name, r, err.message);
            _exit(r != wanted ? WRONG_CODE : wanted && !err.message[0] ? NO_MESSAGE : SAME);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != SAME) {
            fprintf(stderr, "%s: %s %d\n", checks[i].name, WIFEXITED(status) ? "status" : "signal",
                    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

static void what_is_needed(void **state)
{
    run_all(refused, sizeof refused / sizeof *refused, SCRY_EINVALID);
}

static void nothing_is_in_null(void **state)
{
    run_all(plain, sizeof plain / sizeof *plain, 0);
}

static void what_is_not_wanted(void **state)
{
    run_all(legal, sizeof legal / sizeof *legal, 0);
}

static int set_up(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    snprintf(folder, sizeof folder, "/tmp/scry-null-%d", (int)getpid());
    snprintf(where, sizeof where, "%s/store", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    setenv("XDG_DATA_HOME", folder, 1);
    setenv("XDG_CACHE_HOME", folder, 1);
    if (scry_model_open(&model, test_path("tests/golden/models/clip"), NULL, &err) < 0)
        fail_msg("%s", err.message);
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = scry_model_get_info(model)->identity;
    o.dim = scry_model_get_info(model)->dim;
    assert_true(o.dim <= MAX_TEST_DIM);
    vector[0] = 1;
    with_model.model = model;
    if (scry_store_open(&store, where, &o, &err) < 0 || scry_store_add_root(store, "/photos", &root, &err) < 0 ||
        scry_store_open(&no_store, other, &o, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    char command[96];
    scry_store_close(no_store, NULL);
    scry_store_close(store, NULL);
    scry_model_free(model);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed), cmocka_unit_test(nothing_is_in_null), cmocka_unit_test(what_is_not_wanted)
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
