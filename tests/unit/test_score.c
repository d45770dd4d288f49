/* engine/score, engine/line: the estimate lies four spreads above what unrelated pairs give,
 * whatever fits; a stored line is what numpy makes of its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/line.h"

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

static void line_of_unrelated_pairs(void **state)
{
    static float pictures[PICTURES * D], texts[TEXTS * D];
    random_units(pictures, PICTURES, 1);
    random_units(texts, TEXTS, 2);
    scry_line *line = scry_line_estimate(pictures, PICTURES, texts, TEXTS, D);
    assert_true(fabs(line->margin - 4 * 0.125) < 0.02);
    /* Pictures that do fit: every tenth text has thirty pictures that are nearly it. */
    for (size_t t = 0; t < TEXTS; t += 10)
        for (size_t i = t / 10 * 30; i < t / 10 * 30 + 30; i++)
            for (size_t d = 0; d < D; d++)
                pictures[i * D + d] = 0.1f * pictures[i * D + d] + 0.99f * texts[t * D + d];
    scry_line *with_hits = scry_line_estimate(pictures, PICTURES, texts, TEXTS, D);
    assert_true(fabs(with_hits->margin - line->margin) < 0.05);
    scry_line_free(with_hits);
    scry_line_free(line);
}

static void too_few_pictures(void **state)
{
    static float rows[20 * D];
    random_units(rows, 20, 3);
    assert_null(scry_line_estimate(rows, 19, rows, 20, D));
    assert_null(scry_line_estimate(rows, 20, rows, 0, D));
    scry_line *line = scry_line_estimate(rows, 20, rows, 20, D);
    assert_non_null(line);
    scry_line_free(line);
    assert_true(isnan(scry_line_at(NULL, rows)));
}

/* tests/golden/make_line.py: a folder with int8 rows, queries and where numpy puts their lines. */
static void lines_of_numpy(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_line *line;
    float query[16];
    double at;
    FILE *f = fopen("tests/golden/line/queries.tsv", "r");
    assert_non_null(f);
    assert_int_equal(line_read(&line, "tests/golden/line", 16, &err), 0);
    assert_non_null(line);
    size_t n = 0;
    for (;; n++) {
        bool whole = true;
        for (size_t d = 0; d < 16; d++)
            whole &= fscanf(f, "%f", &query[d]) == 1;
        if (!whole || fscanf(f, "%lf", &at) != 1)
            break;
        assert_true(fabs(scry_line_at(line, query) - at) < 1e-5);
    }
    fclose(f);
    assert_int_equal(n, 40);
    scry_line_free(line);
}

static void files_that_do_not_fit(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_line *line;
    assert_int_equal(line_read(&line, "tests/golden/line", 15, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "line.safetensors"));
    assert_null(line);
    assert_int_equal(line_read(&line, "tests/golden", 16, &err), 0);   /* no such file: no line */
    assert_null(line);
}

/* A margin alone is the same line for every query. */
static void plain_number(void **state)
{
    float query[4] = { 1, 0, 0, 0 };
    scry_line *line = line_new(0, 4, 0.25);
    assert_true(fabs(scry_line_at(line, query) - 0.25) < 1e-12);
    scry_line_free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_of_unrelated_pairs),
        cmocka_unit_test(too_few_pictures),
        cmocka_unit_test(lines_of_numpy),
        cmocka_unit_test(files_that_do_not_fit),
        cmocka_unit_test(plain_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
