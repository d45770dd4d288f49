/* NULL for a text, a path, a name or a vector that a function needs is SCRY_EINVALID, and for a report that nobody wants it is
 * legal: no program that uses the library crashes by it, or by a number, a kind or a stride that is out of range. Each call is made
 * in a process of its own. */
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

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_TEST_DIM = 1024 };
static scry_model *model;
static scry_store *store;
static char folder[64], where[80], other[80];
static float vector[MAX_TEST_DIM];
static scry_session *session;
static uint8_t pixels[3];
static scry_text_line no_line;

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

static scry_query *named_query(void)
{
    scry_query *q = new_query();
    return scry_query_add_text(q, "dog", 1, NULL) == 0 ? q : NULL;
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
REFUSED(template_array_of_null, scry_embed_labels(model, (const char *[]){ "dog" }, 1, NULL, 1, NULL, vector, err))
REFUSED(labels_to_null, scry_embed_labels(model, (const char *[]){ "dog" }, 1, NULL, 0, NULL, NULL, err))
REFUSED(texts_of_null, scry_embed_texts(session, NULL, 1, vector, NULL, err))
REFUSED(texts_with_null, scry_embed_texts(session, no_text, 1, vector, NULL, err))
REFUSED(texts_to_null, scry_embed_texts(session, (const char *[]){ "dog" }, 1, NULL, NULL, err))
REFUSED(lines_to_null, scry_embed_lines(model, (const char *[]){ "dog" }, 1, NULL, NULL, NULL, err))
REFUSED(files_to_null, scry_embed_files(model, (const char *[]){ "dog.jpg" }, 1, NULL, NULL, NULL, err))
REFUSED(pixels_of_null, scry_embed_pixels(session, NULL, 1, vector, err))
REFUSED(pixels_to_null, scry_embed_pixels(session, pixels, 1, NULL, err))
REFUSED(memory_of_null, scry_embed_memory(model, NULL, 1, NULL, vector, err))
REFUSED(memory_to_null, scry_embed_memory(model, &(scry_encoded){ pixels, 3 }, 1, NULL, NULL, err))
REFUSED(rgb_of_null, scry_embed_rgb(model, NULL, 1, NULL, vector, err))
REFUSED(rgb_to_null, scry_embed_rgb(model, &(scry_rgb){ pixels, 1, 1, 0 }, 1, NULL, NULL, err))
REFUSED(query_to_null, scry_query_embed(named_query(), &with_model, NULL, NULL, err))
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
REFUSED(check_null_model, scry_store_check_model(store, NULL, NULL, 1, err))
REFUSED(put_null_files, scry_store_put(store, NULL, 1, err))
REFUSED(put_null_labels, scry_store_put(store, &(scry_put){ .file = { .relative = "x", .label_count = 1 } }, 1, err))
REFUSED(put_null_label,
        scry_store_put(store, &(scry_put){ .file = { .relative = "x", .labels = no_text, .label_count = 1 } }, 1, err))
REFUSED(put_null_texts, scry_store_put_texts(store, NULL, 1, err))
REFUSED(put_text_of_nobody, scry_store_put_texts(store, &(scry_picture_text){ .reason = "torn" }, 1, err))
REFUSED(put_null_lines, scry_store_put_texts(store, &(scry_picture_text){ .reader = "r", .line_count = 1 }, 1, err))
REFUSED(put_null_line,
        scry_store_put_texts(store, &(scry_picture_text){ .reader = "r", .lines = &no_line, .line_count = 1 }, 1, err))
REFUSED(remove_null_ids, scry_store_remove(store, NULL, 1, NULL, err))
REFUSED(put_null_marks, scry_store_put_marks(store, NULL, 1, err))
REFUSED(remove_null_marks, scry_store_remove_marks(store, NULL, 1, NULL, err))
REFUSED(period_of_null, scry_parse_period(NULL, &no_time, &no_time, err))
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
    ROW(search_no_vector), ROW(index_null_path), ROW(index_null_pattern), ROW(export_to_null), ROW(filter_of_null),
    ROW(template_array_of_null), ROW(labels_to_null), ROW(texts_of_null), ROW(texts_with_null), ROW(texts_to_null),
    ROW(lines_to_null),
    ROW(files_to_null), ROW(pixels_of_null), ROW(pixels_to_null), ROW(memory_of_null), ROW(memory_to_null), ROW(rgb_of_null),
    ROW(rgb_to_null), ROW(query_to_null), ROW(check_null_model), ROW(put_null_files), ROW(put_null_labels), ROW(put_null_label),
    ROW(put_null_texts), ROW(put_text_of_nobody), ROW(put_null_lines), ROW(put_null_line), ROW(remove_null_ids),
    ROW(put_null_marks),
    ROW(remove_null_marks), ROW(period_of_null)
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

/* ---- what is out of range ---- */

REFUSED(no_weight, scry_query_add_text(new_query(), "dog", 0, err))
REFUSED(heavy, scry_query_add_text(new_query(), "dog", 100.5, err))
REFUSED(endless_weight, scry_query_add_picture(new_query(), "a.jpg", NULL, (double)-INFINITY, err))
REFUSED(weight_of_nan, scry_query_add_id(new_query(), SCRY_PART_STORED, "00112233445566778899aabbccddeeff", NULL, (double)NAN, err))
REFUSED(id_of_a_text, scry_query_add_id(new_query(), SCRY_PART_TEXT, "00112233445566778899aabbccddeeff", NULL, 1, err))
REFUSED(id_of_no_kind, scry_query_add_id(new_query(), (scry_part_kind)99, "00112233445566778899aabbccddeeff", NULL, 1, err))
REFUSED(picture_without_name, scry_query_add_picture(new_query(), "", NULL, 1, err))
REFUSED(region_outside, scry_query_add_picture(new_query(), "a.jpg", (const int[4]){ -1, 0, 5, 5 }, 1, err))
REFUSED(region_without_height, scry_query_add_picture(new_query(), "a.jpg", (const int[4]){ 0, 0, 5, 0 }, 1, err))
REFUSED(endless_region, scry_query_add_picture(new_query(), "a.jpg", (const int[4]){ 0, 0, INT_MAX, INT_MAX }, 1, err))
REFUSED(precision_of_no_kind, scry_model_open(&(scry_model *){ NULL }, test_path("tests/golden/models/clip"),
                                              &(scry_model_options){ .precision = (scry_precision)99 }, err))
REFUSED(found_by_no_kind, scry_find(&no_results, &(scry_query_tools){ .model = model, .store = store }, named_query(),
                                    &(scry_find_options){ .search = SCRY_SEARCH_INIT, .by = (scry_search_kind)77 }, err))
REFUSED(score_of_nan, scry_store_search(store, vector, &(scry_search){ .limit = 1, .min_score = (double)NAN }, &no_results, err))
REFUSED(stride_past_memory, scry_embed_rgb(model, &(scry_rgb){ pixels, 1, 10, PTRDIFF_MAX / 8 }, 1, NULL, vector, err))
REFUSED(stride_before_memory, scry_embed_rgb(model, &(scry_rgb){ pixels, 1, 2, PTRDIFF_MIN }, 1, NULL, vector, err))

/* A filter that its function does not make. */
static int searched_by(const scry_filter_node *filter, scry_error *err)
{
    scry_search s = SCRY_SEARCH_INIT;
    s.filter = filter;
    return scry_store_search(store, vector, &s, &no_results, err);
}

REFUSED(number_for_a_key, searched_by(scry_filter_number(scry_filter_pool_new(), SCRY_FILTER_KEY, 7), err))
REFUSED(number_for_a_camera, searched_by(scry_filter_number(scry_filter_pool_new(), SCRY_FILTER_CAMERA, 7), err))
REFUSED(number_for_a_time, searched_by(scry_filter_number(scry_filter_pool_new(), SCRY_FILTER_AFTER, 2020), err))
REFUSED(text_for_a_time, searched_by(scry_filter_text(scry_filter_pool_new(), SCRY_FILTER_AFTER, "2020"), err))
REFUSED(text_for_a_width, searched_by(scry_filter_text(scry_filter_pool_new(), SCRY_FILTER_MIN_WIDTH, "640"), err))
REFUSED(text_for_words, searched_by(scry_filter_text(scry_filter_pool_new(), SCRY_FILTER_WORDS, "dog"), err))
REFUSED(text_for_and, searched_by(scry_filter_text(scry_filter_pool_new(), SCRY_FILTER_AND, "dog"), err))
REFUSED(time_for_a_rating, searched_by(scry_filter_time(scry_filter_pool_new(), SCRY_FILTER_MIN_RATING, 3), err))
REFUSED(time_of_no_kind, searched_by(scry_filter_time(scry_filter_pool_new(), (scry_filter_kind)99, 3), err))

static const check ranges[] = {
    ROW(no_weight), ROW(heavy), ROW(endless_weight), ROW(weight_of_nan), ROW(id_of_a_text), ROW(id_of_no_kind),
    ROW(picture_without_name), ROW(region_outside), ROW(region_without_height), ROW(endless_region),
    ROW(precision_of_no_kind), ROW(found_by_no_kind), ROW(score_of_nan), ROW(stride_past_memory), ROW(stride_before_memory),
    ROW(number_for_a_key), ROW(number_for_a_camera), ROW(number_for_a_time), ROW(text_for_a_time), ROW(text_for_a_width),
    ROW(text_for_words), ROW(text_for_and), ROW(time_for_a_rating), ROW(time_of_no_kind)
};

/* What looks odd, and is not. */
REFUSED(one_row_of_any_stride, scry_embed_rgb(model, &(scry_rgb){ pixels, 1, 1, PTRDIFF_MAX }, 1, NULL, vector, err))
REFUSED(one_row_of_a_small_stride, scry_embed_rgb(model, &(scry_rgb){ pixels, 1, 1, 1 }, 1, NULL, vector, err))
REFUSED(name_of_no_precision, as_error(strcmp(scry_precision_name((scry_precision)99), "?") == 0))
REFUSED(part_that_is_not_there, as_error(!scry_query_is_weighed(new_query(), 99)))
REFUSED(many_workers,
        scry_embed_lines(model, (const char *[]){ "dog" }, 1, &(scry_embed_options){ .workers = INT_MAX }, vector, NULL, err))

static int many_threads(scry_error *err)
{
    scry_session *s = NULL;
    int r = scry_session_new(&s, model, INT_MAX, err);
    scry_session_free(s);
    return r;
}

/* Models without tokenizer.json: that files which they may lack are not there is no error. */
static int models_without_files(scry_error *err)
{
    static const char *const names[] = { "clip", "open_clip", "chinese_clip" };
    int r = 0;
    for (int i = 0; i < 3 && r == 0; i++) {
        char place[64];
        scry_model *m = NULL;
        snprintf(place, sizeof place, "tests/golden/models/%s", names[i]);
        r = scry_model_open(&m, test_path(place), NULL, err);
        scry_model_free(m);
    }
    return r;
}

static int many_indexers(scry_error *err)
{
    const char *paths[] = { test_path("tests/pictures/grey.tif") };
    char third[96];
    scry_store *own = NULL;   /* one that was opened before the fork is not for this process */
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = scry_model_get_info(model)->identity;
    o.dim = scry_model_get_info(model)->dim;
    snprintf(third, sizeof third, "%s/third", folder);
    int r = scry_store_open(&own, third, &o, err);
    if (r == 0)
        r = scry_index_run(own, model, &(scry_index_options){ .paths = paths, .path_count = 1, .workers = INT_MAX }, NULL, err);
    scry_store_close(own, NULL);
    return r;
}

static const check odd[] = {
    ROW(one_row_of_any_stride), ROW(one_row_of_a_small_stride), ROW(part_that_is_not_there), ROW(many_workers), ROW(many_threads),
    ROW(models_without_files), ROW(name_of_no_precision), ROW(many_indexers)
};

/* ---- running them ---- */

enum { SAME = 0, WRONG_CODE = 1, NO_MESSAGE = 2 };   /* also: a message without an error */

static void run_all(const check *checks, size_t n, int wanted)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            signal(SIGSEGV, SIG_DFL);   /* cmocka's would go on with the other tests */
            scry_error err = SCRY_ERROR_INIT;
            int r = checks[i].call(&err);
            if (r != wanted)
                fprintf(stderr, "%s: %d (%s)\n", checks[i].name, r, err.message);
            _exit(r != wanted ? WRONG_CODE : !wanted != !err.message[0] ? NO_MESSAGE : SAME);   /* success leaves it untouched */
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

static void what_is_out_of_range(void **state)
{
    run_all(ranges, sizeof ranges / sizeof *ranges, SCRY_EINVALID);
}

static void what_only_looks_odd(void **state)
{
    run_all(odd, sizeof odd / sizeof *odd, 0);
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
#ifdef SCRY_SANITIZED
    setenv("SCRY_TEST_UNCONFINED", "1", 1);
#endif
    snprintf(folder, sizeof folder, "/tmp/scry-null-%d", (int)getpid());
    snprintf(where, sizeof where, "%s/store", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    setenv("XDG_DATA_HOME", folder, 1);
    setenv("XDG_CACHE_HOME", folder, 1);
    if (scry_model_open(&model, test_path("tests/golden/models/clip"), NULL, &err) < 0 || scry_session_new(&session, model, 1, &err) < 0
   )
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
    scry_session_free(session);
    scry_model_free(model);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed), cmocka_unit_test(nothing_is_in_null), cmocka_unit_test(what_is_not_wanted),
        cmocka_unit_test(what_is_out_of_range), cmocka_unit_test(what_only_looks_odd)
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
