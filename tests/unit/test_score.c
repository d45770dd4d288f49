/* engine/score: the line lies four spreads above what unrelated pairs give, whatever fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scry/score.h"

#include <math.h>
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
    double line = scry_estimate_min_score(pictures, PICTURES, texts, TEXTS, D);
    assert_true(fabs(line - 4 * 0.125) < 0.02);
    /* Pictures that do fit: every tenth text has thirty pictures that are nearly it. */
    for (size_t t = 0; t < TEXTS; t += 10)
        for (size_t i = t / 10 * 30; i < t / 10 * 30 + 30; i++)
            for (size_t d = 0; d < D; d++)
                pictures[i * D + d] = 0.1f * pictures[i * D + d] + 0.99f * texts[t * D + d];
    double with_hits = scry_estimate_min_score(pictures, PICTURES, texts, TEXTS, D);
    assert_true(fabs(with_hits - line) < 0.03);
}

static void too_few_pictures(void **state)
{
    static float rows[20 * D];
    random_units(rows, 20, 3);
    assert_true(isnan(scry_estimate_min_score(rows, 19, rows, 20, D)));
    assert_true(isnan(scry_estimate_min_score(rows, 20, rows, 0, D)));
    assert_false(isnan(scry_estimate_min_score(rows, 20, rows, 20, D)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_of_unrelated_pairs),
        cmocka_unit_test(too_few_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
