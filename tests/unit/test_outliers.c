/* model/outliers: which channels count as outliers, by a norm's gain and the weights that follow it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/outliers.h"

enum { W = 64, HEADS = 4 };

static float weights[3 * W * W], gain[W], bias[W];

/* Even numbers whose column sums of squares over K are 1; gains of 1. */
static scry_stacked setup(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < 3 * W * W; i++) {
        state = state * 1664525 + 1013904223;
        weights[i] = (float)(int32_t)state / 2147483648.0f * 1.732f / 8;
    }
    for (size_t i = 0; i < W; i++) {
        gain[i] = 1;
        bias[i] = 0;
    }
    return (scry_stacked){ { { weights, SCRY_DTYPE_F32, 2, { 3 * W, W, 1, 1 }, NULL } }, 1, 3 * W, W };
}

static void ranges_are_evened_out(void **unused)
{
    float even[W], s[W];
    scry_stacked w = setup();
    scry_outliers_spread(gain, bias, &w, even);
    for (size_t i = 0; i < W; i++)
        assert_true(even[i] > 0.8f && even[i] < 1.25f);

    gain[5] *= 16;   /* larger alone: half of it, as a factor, goes to the weights */
    scry_outliers_spread(gain, bias, &w, s);
    assert_true(s[5] / s[6] > 3.2f * even[5] / even[6] && s[5] / s[6] < 4.8f * even[5] / even[6]);

    for (size_t n = 0; n < 3 * W; n++)   /* and smaller weights behind it: all of it */
        weights[n * W + 5] /= 16;
    scry_outliers_spread(gain, bias, &w, s);
    assert_true(s[5] / s[6] > 12 * even[5] / even[6] && s[5] / s[6] < 20 * even[5] / even[6]);
}

static void dead_channels_do_no_harm(void **unused)
{
    float s[W];
    scry_stacked w = setup();
    gain[7] = 0;
    for (size_t n = 0; n < 3 * W; n++)
        weights[n * W + 9] = 0;
    scry_outliers_spread(gain, bias, &w, s);
    for (size_t i = 0; i < W; i++)
        assert_true(s[i] >= 0.1f && s[i] <= 32);
    memset(weights, 0, sizeof weights);
    scry_outliers_spread(gain, bias, &w, s);
    for (size_t i = 0; i < W; i++)
        assert_true(s[i] == 1);
}

static void sharp_attention_is_noticed(void **unused)
{
    scry_stacked w = setup();
    assert_false(scry_outliers_sharp(gain, &w, HEADS));   /* scores of about 1 */
    for (size_t i = 0; i < W * W; i++)
        weights[i] *= 4;                                  /* queries 4 times as large */
    assert_true(scry_outliers_sharp(gain, &w, HEADS));
    for (size_t i = 0; i < W; i++)
        gain[i] = 0.5f;                                   /* and everything half */
    assert_false(scry_outliers_sharp(gain, &w, HEADS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_evened_out), cmocka_unit_test(dead_channels_do_no_harm),
        cmocka_unit_test(sharp_attention_is_noticed)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
