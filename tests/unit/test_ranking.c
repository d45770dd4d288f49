/* engine/ranking: ranks and average precision against a plain sort in Python; the interval and the
 * projection by their statistical properties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/ranking.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 128 };

static FILE *open_golden(void)
{
    char path[1024];
    const char *top = getenv("SCRY_TOP");
    snprintf(path, sizeof path, "%s/tests/golden/ranking.tsv", top ? top : ".");
    return fopen(path, "r");
}

static char *next_field(char **at)
{
    char *field = *at, *end = field + strcspn(field, "\t\n");
    *at = *end ? end + 1 : end;
    *end = '\0';
    return field;
}

static void golden_ranks(void **state)
{
    FILE *f = open_golden();
    char line[16384];
    int cases = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *at = line, *scores_text = next_field(&at), *right_text = next_field(&at);
        float scores[MOST];
        uint32_t right[MOST] = { 0 };
        size_t n = 0;
        for (char *p = scores_text; *p && n < MOST;)
            scores[n++] = strtof(p, &p);
        for (char *p = right_text; *p;)
            right[strtoul(p, &p, 10)] = 1;
        long exclude = strtol(next_field(&at), NULL, 10);
        size_t rank = strtoul(next_field(&at), NULL, 10);
        double ap = strtod(next_field(&at), NULL), mean = strtod(next_field(&at), NULL);
        ranking_right r = { right, 1, exclude < 0 ? SIZE_MAX : (size_t)exclude };
        ranking_outcome out;
        ranking_of(&out, scores, n, &r);
        assert_int_equal(out.rank, rank);
        assert_true(fabs(out.ap - ap) < 1e-9);
        assert_true(fabs(out.ap_mean - mean) < 1e-9);
        cases++;
    }
    fclose(f);
    assert_int_equal(cases, 200);
}

static void interval_of_rates(void **state)
{
    double sums[400], weights[400], low, high;
    for (size_t i = 0; i < 400; i++) {
        sums[i] = i % 4 == 0;
        weights[i] = 1;
    }
    ranking_interval(sums, weights, 400, &low, &high);
    /* A share of 0.25 of 400: standard error 0.0217, so 0.25 -+ 0.042. */
    assert_true(fabs(low - 0.2075) < 0.01 && fabs(high - 0.2925) < 0.01);
    double again_low, again_high;
    ranking_interval(sums, weights, 400, &again_low, &again_high);
    assert_true(low == again_low && high == again_high);
    ranking_interval(sums, weights, 1, &low, &high);
    assert_true(isnan(low) && isnan(high));
}

static void scores_by_distance(void **state)
{
    enum { N = 3, D = 19 };
    float rows[N * D], bias[N] = { 0 }, query[D], out[N];
    double distance[N] = { 0 }, length = 0;
    for (size_t d = 0; d < D; d++) {
        query[d] = (float)d / 7;
        length += (double)query[d] * query[d];
        for (size_t i = 0; i < N; i++) {
            float x = rows[i * D + d] = (float)((i * 31 + d * 17) % 13) - 6;
            bias[i] -= x * x;
            distance[i] += ((double)query[d] - x) * ((double)query[d] - x);
        }
    }
    ranking_scores(out, query, rows, bias, N, D);
    for (size_t i = 0; i < N; i++)
        assert_true(fabs(length - out[i] - distance[i]) < 1e-3);
}

static void projection_keeps_lengths(void **state)
{
    enum { FROM = 64, TO = 512 };
    float row[FROM] = { 0 }, out[TO], *p = ranking_projection(FROM, TO);
    double norm = 0;
    row[3] = 1;
    assert_non_null(p);
    ranking_project(out, row, 1, p, FROM, TO);
    for (size_t i = 0; i < TO; i++)
        norm += (double)out[i] * out[i];
    assert_true(fabs(norm - 1) < 0.2);   /* chi-squared of 512: standard deviation 0.0625 */
    ranking_project(out, row, 1, p, FROM, TO);
    ranking_normalize(out, 1, TO);
    norm = 0;
    for (size_t i = 0; i < TO; i++)
        norm += (double)out[i] * out[i];
    assert_true(fabs(norm - 1) < 1e-5);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_ranks),
        cmocka_unit_test(interval_of_rates),
        cmocka_unit_test(scores_by_distance),
        cmocka_unit_test(projection_keeps_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
