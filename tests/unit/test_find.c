/* scry_find: as scry_store_search by look, pictures that have the query's words, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/fusion.h"
#include "scry/find.h"
#include "store_fixture.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct {
    char where[64];
    scry_store *store;
    scry_query *query;       /* made anew by ask() */
    float vector[DIM];
    scry_find_options options;
} world;

static int start(void **state)
{
    world *w = calloc(1, sizeof *w);
    const scry_find_options defaults = SCRY_FIND_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    snprintf(w->where, sizeof w->where, "/tmp/scry-find-%d", (int)getpid());
    make_store(w->where);
    must(open_store(&w->store, w->where, SCRY_STORE_READ, &err), &err);
    model_vector(5, w->vector, DIM);
    w->options = defaults;
    w->options.vector = w->vector;
    *state = w;
    return 0;
}

static int end(void **state)
{
    world *w = *state;
    char command[96];
    scry_query_free(w->query);
    scry_store_close(w->store, NULL);
    snprintf(command, sizeof command, "rm -rf %s", w->where);
    int removed = system(command);
    free(w);
    return removed;
}

static void ask(world *w, const char *line)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_query_free(w->query);
    must(scry_query_parse_line(&w->query, line, &err), &err);
}

static int find(world *w, scry_results **out, scry_error *err)
{
    *out = NULL;
    return scry_find(out, &(scry_query_tools){ .store = w->store }, w->query, &w->options, err);
}

static scry_results *found(world *w, const char *line, scry_search_kind by)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_results *r;
    ask(w, line);
    w->options.by = by;
    must(find(w, &r, &err), &err);
    return r;
}

static void same_as_by_vector(world *w, const char *line, scry_search_kind by)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_results *r = found(w, line, by), *plain;
    must(scry_store_search(w->store, w->vector, &w->options.search, &plain, &err), &err);
    assert_int_equal(r->count, plain->count);
    assert_int_equal(r->scanned, plain->scanned);
    for (size_t i = 0; i < r->count; i++) {
        assert_memory_equal(r->hits[i].file.id, plain->hits[i].file.id, SCRY_ID_BYTES);
        assert_true(r->hits[i].score == plain->hits[i].score);
        assert_int_equal(r->hits[i].found_by, SCRY_FOUND_UNSAID);
    }
    scry_results_free(plain);
    scry_results_free(r);
}

static void without_words_it_is_a_search_by_look(void **state)
{
    world *w = *state;
    same_as_by_vector(w, "f7", SCRY_BY_LOOK);
    same_as_by_vector(w, "nowhere", SCRY_BY_AUTO);
    same_as_by_vector(w, "f7 + @id:00112233445566778899aabbccddeeff", SCRY_BY_AUTO);
    same_as_by_vector(w, "f7 - f8", SCRY_BY_AUTO);
    w->options.search.limit = 7;
    w->options.search.offset = 3;
    w->options.search.min_score = 0;
    same_as_by_vector(w, "f7", SCRY_BY_LOOK);
}

static void words_are_found(void **state)
{
    world *w = *state;
    scry_results *r = found(w, "f7", SCRY_BY_WORDS);
    assert_int_equal(r->count, 1);
    assert_string_equal(r->hits[0].file.relative, "d3/f7.jpg");
    assert_int_equal(r->hits[0].found_by, SCRY_FOUND_BY_WORDS);
    assert_int_equal(r->hits[0].word_fields, SCRY_FIELD_NAME);
    scry_results_free(r);
    r = found(w, "f7", SCRY_BY_AUTO);   /* before the picture whose vector the query has: of f5 and f125 */
    assert_int_equal(r->count, 10);
    assert_string_equal(r->hits[0].file.relative, "d3/f7.jpg");
    assert_string_equal(r->hits[1].file.relative, "d1/f125.jpg");   /* the same picture */
    assert_int_equal(r->hits[1].found_by, SCRY_FOUND_BY_LOOK);
    scry_results_free(r);
    r = found(w, "f5", SCRY_BY_AUTO);
    assert_string_equal(r->hits[0].file.relative, "d1/f5.jpg");
    assert_int_equal(r->hits[0].found_by, SCRY_FOUND_BY_BOTH);
    scry_results_free(r);
}

static void words_and_a_filter(void **state)
{
    world *w = *state;
    scry_filter_pool *pool = scry_filter_pool_new();
    w->options.search.filter = scry_filter_text(pool, SCRY_FILTER_IN, "/pictures/d2");
    scry_results *r = found(w, "f7", SCRY_BY_WORDS);
    assert_int_equal(r->count, 0);
    scry_results_free(r);
    r = found(w, "d2 f6", SCRY_BY_WORDS);
    assert_int_equal(r->count, 1);
    assert_int_equal(r->hits[0].word_fields, SCRY_FIELD_NAME | SCRY_FIELD_FOLDER);
    scry_results_free(r);
    scry_filter_pool_free(pool);
}

static void what_it_refuses(void **state)
{
    world *w = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_results *r;
    ask(w, "f7 - f8");
    w->options.by = SCRY_BY_WORDS;
    assert_int_equal(find(w, &r, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "a search by words takes texts"));
    ask(w, "@id:00112233445566778899aabbccddeeff");
    assert_int_equal(find(w, &r, &err), SCRY_EINVALID);
    ask(w, "f7");
    w->options.vector = NULL;
    assert_int_equal(find(w, &r, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "needs the model"));
    assert_int_equal(scry_find(&r, &(scry_query_tools){ .store = w->store }, w->query, NULL, NULL), SCRY_EINVALID);
    w->options.vector = w->vector;
    w->options.auto_min_score = true;
    assert_int_equal(find(w, &r, &err), SCRY_EINVALID);
    assert_int_equal(scry_find(&r, NULL, w->query, NULL, &err), SCRY_EINVALID);
    assert_int_equal(scry_find(&r, &(scry_query_tools){ .store = NULL }, w->query, NULL, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "needs a store"));
}

/* The first twenty pictures for the vector of f5, which f125 also shows: a best match, where a model's scores say what is one. */
static scry_results *planned(world *w, const char *words, scry_groups groups)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_search_plan plan = { .search = { .limit = 20, .all_copies = true }, .by = SCRY_BY_AUTO, .groups = groups,
                                    .words = scry_filter_words(pool, words, SCRY_WORDS_NAMED) };
    scry_results *r;
    must(scry_search_by(w->store, w->vector, &plan, &r, &err), &err);
    scry_filter_pool_free(pool);
    return r;
}

/* The names of those that were found by words, too, in order; "-" where nothing says what was found by what. */
static void found_by_words(world *w, const char *words, scry_groups groups, const char *names)
{
    scry_results *r = planned(w, words, groups);
    char seen[1024] = "";
    for (size_t i = 0; i < r->count; i++)
        if (r->hits[i].word_fields)
            snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s ", r->hits[i].file.relative);
    assert_string_equal(r->hits[0].found_by == SCRY_FOUND_UNSAID ? "-" : seen, names);
    scry_results_free(r);
}

static void some_words_count_as_the_look_allows(void **state)
{
    world *w = *state;
    const scry_groups any_best = { 0.9, 0.95, NULL }, none_best = { 0.9, 1.5, NULL }, none_maybe = { 1.4, 1.5, NULL };
    const scry_groups unknown = SCRY_GROUPS_INIT;
    found_by_words(w, "f 7 nowhere", any_best, "-");
    found_by_words(w, "f 7 nowhere", none_best, "-");
    found_by_words(w, "nowhere 125 f", any_best, "d1/f125.jpg ");
    found_by_words(w, "nowhere 125 f", none_best, "d1/f125.jpg ");
    found_by_words(w, "nowhere 125 f", none_maybe, "-");
    found_by_words(w, "125 nowhere", unknown, "d1/f125.jpg ");
    found_by_words(w, "f 125 or else nowhere at home again", any_best, "d1/f125.jpg ");
    found_by_words(w, "f 125 or else nowhere at home again", unknown, "-");
    found_by_words(w, "nothing of that", any_best, "-");
    scry_results *r = planned(w, "nowhere 125 f", any_best);
    assert_string_equal(r->hits[0].file.relative, "d1/f125.jpg");   /* before d1/f5.jpg, which has the same vector */
    assert_int_equal(r->hits[0].found_by, SCRY_FOUND_BY_LOOK);
    scry_results_free(r);
}

static void read_words_count_if_they_are_half(void **state)
{
    world *w = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_store *writer;
    char line[] = "WiFi password: Sunflower";
    scry_text_line lines[] = { { .text = line, .confidence = 1 } };
    scry_picture_text text = { .reader = "a reader", .lines = lines, .line_count = 1 };
    const scry_groups none_maybe = { 1.4, 1.5, NULL };
    model_hash(7, text.content);
    must(open_store(&writer, w->where, SCRY_STORE_CREATE, &err), &err);
    must(scry_store_put_texts(writer, &text, 1, &err), &err);
    must(scry_store_close(writer, &err), &err);
    must(scry_store_refresh(w->store, &err), &err);
    found_by_words(w, "screenshot with the wifi password", none_maybe, "d3/f7.jpg ");
    scry_results *r = planned(w, "screenshot with the wifi password", none_maybe);
    assert_string_equal(r->hits[0].file.relative, "d3/f7.jpg");
    assert_true(r->hits[0].found_by == SCRY_FOUND_BY_WORDS || r->hits[0].found_by == SCRY_FOUND_BY_BOTH);
    scry_results_free(r);
    found_by_words(w, "password nowhere", none_maybe, "-");
    found_by_words(w, "a wifi password of a red house by a lake at home", none_maybe, "-");
}

/* A position that is far from any city, in the region Lakes: that is the place which is shown with it. */
static void a_place_without_a_city(void **state)
{
    world *w = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_store *writer;
    scry_root root;
    scry_put p = { .file = { .relative = "far.jpg", .size = 1, .mtime_ns = 1, .width = 1, .format = "jpeg", .has_position = true,
                             .latitude = 7.2, .longitude = 29.7 } };
    float v[DIM];
    must(open_store(&writer, w->where, SCRY_STORE_CREATE, &err), &err);
    must(scry_store_add_root(writer, "/pictures", &root, &err), &err);
    memcpy(p.file.root, root.id, SCRY_ID_BYTES);
    model_hash(FILES, p.file.content);
    model_vector(FILES, v, DIM);
    p.vector = v;
    must(scry_store_put(writer, &p, 1, &err), &err);
    must(scry_store_close(writer, &err), &err);
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_search_plan plan = { .search = { .limit = 20 }, .by = SCRY_BY_AUTO, .groups = { 0.9, 0.95, NULL },
                                    .words = scry_filter_words(pool, "lake", SCRY_WORDS_NAMED) };
    scry_results *r;
    must(scry_search_by(w->store, w->vector, &plan, &r, &err), &err);
    size_t at = 0;
    while (at < r->count && strcmp(r->hits[at].file.relative, "far.jpg") != 0)
        at++;
    assert_true(at < 2);   /* not as one that has the words by chance, which comes after a row of others */
    assert_int_equal(r->hits[at].word_fields, SCRY_FIELD_PLACE);
    scry_results_free(r);
    scry_filter_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_words_it_is_a_search_by_look, start, end),
        cmocka_unit_test_setup_teardown(words_are_found, start, end),
        cmocka_unit_test_setup_teardown(words_and_a_filter, start, end),
        cmocka_unit_test_setup_teardown(some_words_count_as_the_look_allows, start, end),
        cmocka_unit_test_setup_teardown(read_words_count_if_they_are_half, start, end),
        cmocka_unit_test_setup_teardown(what_it_refuses, start, end),
        cmocka_unit_test_setup_teardown(a_place_without_a_city, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
