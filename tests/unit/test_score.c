/* engine/score.c, engine/score_threshold.c: the estimate is four standard deviations above the scores of
 * unrelated pairs, however many pairs match; a stored threshold is what numpy computes from its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/score_groups.h"
#include "engine/score_threshold.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D = 64, PICTURES = 600, TEXTS = 200 };

/* Random unit rows: cosines of two of them have the standard deviation 1 / sqrt(D) = 0.125. */
static void random_units(float *rows, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        double norm = 0;
        for (size_t d = 0; d < D; d++) {
            double x = 0;   /* a sum of twelve uniform numbers is near enough to normal */
            for (int k = 0; k < 12; k++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                x += (double)(seed >> 40) / (1 << 24) - 0.5;
            }
            rows[i * D + d] = (float)x;
            norm += x * x;
        }
        for (size_t d = 0; d < D; d++)
            rows[i * D + d] = (float)(rows[i * D + d] / sqrt(norm));
    }
}

static void threshold_of_unrelated_pairs(void **state)
{
    static float pictures[PICTURES * D], texts[TEXTS * D];
    random_units(pictures, PICTURES, 1);
    random_units(texts, TEXTS, 2);
    scry_threshold *threshold = scry_threshold_estimate(pictures, PICTURES, texts, TEXTS, D);
    assert_true(fabs(threshold->margin - 4 * 0.125) < 0.02);
    assert_true(fabs(threshold->best - 5 * 0.125) < 0.03);
    /* Pictures that match: every tenth text has thirty pictures that are nearly it. */
    for (size_t t = 0; t < TEXTS; t += 10)
        for (size_t i = t / 10 * 30; i < t / 10 * 30 + 30; i++)
            for (size_t d = 0; d < D; d++)
                pictures[i * D + d] = 0.1f * pictures[i * D + d] + 0.99f * texts[t * D + d];
    scry_threshold *with_hits = scry_threshold_estimate(pictures, PICTURES, texts, TEXTS, D);
    assert_true(fabs(with_hits->margin - threshold->margin) < 0.05);
    scry_threshold_free(with_hits);
    scry_threshold_free(threshold);
}

static void too_few_pictures(void **state)
{
    static float rows[20 * D];
    random_units(rows, 20, 3);
    assert_null(scry_threshold_estimate(rows, 19, rows, 20, D));
    assert_null(scry_threshold_estimate(rows, 20, rows, 0, D));
    scry_threshold *threshold = scry_threshold_estimate(rows, 20, rows, 20, D);
    assert_non_null(threshold);
    scry_threshold_free(threshold);
    assert_true(isnan(scry_threshold_at(NULL, rows)));
}

/* tests/golden/make_line.py: a folder with int8 rows, queries and the thresholds that numpy computes. */
static void thresholds_of_numpy(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_threshold *threshold;
    float query[16];
    double at, best, own;
    FILE *f = fopen("tests/golden/line/queries.tsv", "r");
    assert_non_null(f);
    assert_int_equal(threshold_read(&threshold, "tests/golden/line", 16, &err), 0);
    assert_non_null(threshold);
    size_t n = 0;
    for (;; n++) {
        bool whole = true;
        for (size_t d = 0; d < 16; d++)
            whole &= fscanf(f, "%f", &query[d]) == 1;
        if (!whole || fscanf(f, "%lf %lf %lf", &at, &best, &own) != 3)
            break;
        assert_true(fabs(scry_threshold_at(threshold, query) - at) < 1e-5);
        assert_true(fabs(scry_threshold_best_at(threshold, query) - best) < 1e-5);
        assert_true(fabs(threshold_best_of(threshold, query) - own) < 1e-5);
    }
    fclose(f);
    assert_int_equal(n, 40);
    scry_threshold_free(threshold);
}

static void files_that_do_not_fit(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_threshold *threshold;
    assert_int_equal(threshold_read(&threshold, "tests/golden/line", 15, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "line.safetensors"));
    assert_null(threshold);
    assert_int_equal(threshold_read(&threshold, "tests/golden", 16, &err), 0);   /* no such file: no threshold */
    assert_null(threshold);
}

/* A margin alone is the same threshold for every query. */
static void plain_number(void **state)
{
    float query[4] = { 1, 0, 0, 0 };
    scry_threshold *threshold = threshold_new(0, 4, 0.25);
    assert_true(fabs(scry_threshold_at(threshold, query) - 0.25) < 1e-12);
    assert_true(isnan(threshold_best_of(threshold, query)));   /* no subjects */
    scry_threshold_free(threshold);
}

static void groups_and_their_headings(void **state)
{
    scry_groups g = { 0.25, 0.5, NULL }, one = { 0.25, NAN, NULL }, none = SCRY_GROUPS_INIT;
    scry_results good = { .top_score = 0.5 }, poor = { .top_score = 0.3 }, unknown = { .top_score = NAN };
    assert_string_equal(scry_groups_name(&g, &good, 1, &(scry_hit){ .score = 0.5 }), "best");
    assert_string_equal(scry_groups_name(&g, &good, 2, &(scry_hit){ .score = 0.49 }), "maybe");
    assert_string_equal(scry_groups_name(&g, &good, 2, &(scry_hit){ .score = 0.25 }), "maybe");
    assert_string_equal(scry_groups_name(&g, &good, 2, &(scry_hit){ .score = 0.24 }), "far");
    assert_string_equal(scry_groups_name(&g, &poor, 3, &(scry_hit){ .score = 0.24 }), "maybe");   /* no best result: the nearest three */
    assert_string_equal(scry_groups_name(&g, &poor, 4, &(scry_hit){ .score = 0.24 }), "far");
    assert_string_equal(scry_groups_name(&g, &unknown, 3, &(scry_hit){ .score = 0.24 }), "maybe");
    assert_string_equal(scry_groups_name(&one, &good, 1, &(scry_hit){ .score = 0.9 }), "maybe");   /* no result is called a best one */
    assert_string_equal(scry_groups_name(&one, &good, 3, &(scry_hit){ .score = 0.1 }), "maybe");
    assert_string_equal(scry_groups_name(&one, &good, 4, &(scry_hit){ .score = 0.1 }), "far");
    assert_null(scry_groups_name(&none, &good, 1, &(scry_hit){ .score = 0.9 }));
    const scry_hit words = { .score = 0.1, .found_by = SCRY_FOUND_BY_WORDS }, best = { .score = 0.5 }, maybe = { .score = 0.3 };
    const scry_hit far = { .score = 0.1 };
    assert_string_equal(scry_groups_name(&g, &good, 9, &words), "best");
    const char *last = NULL;
    assert_null(scry_groups_next(&g, &last, &good, 1, &best));
    assert_string_equal(scry_groups_next(&g, &last, &good, 2, &maybe), "maybe");
    assert_null(scry_groups_next(&g, &last, &good, 3, &maybe));
    assert_null(scry_groups_next(&g, &last, &good, 4, &words));
    assert_null(scry_groups_next(&g, &last, &good, 5, &maybe));
    assert_string_equal(scry_groups_next(&g, &last, &good, 6, &far), "further away");
    last = NULL;
    assert_string_equal(scry_groups_next(&g, &last, &good, 9, &far), "further away");
    assert_null(scry_groups_next(&none, &last, &good, 1, &best));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threshold_of_unrelated_pairs),
        cmocka_unit_test(too_few_pictures),
        cmocka_unit_test(thresholds_of_numpy),
        cmocka_unit_test(files_that_do_not_fit),
        cmocka_unit_test(plain_number),
        cmocka_unit_test(groups_and_their_headings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
