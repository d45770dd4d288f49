/* test_tune.c - the adapter of scry tune: its gradient against finite differences, AdamW and training against PyTorch. */
#include "tune/adapter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

enum { N = 6, DIM = 9, ANCHORS = 3, MOST = DIM * DIM };

static uint32_t state = 7;

static float random_float(void)
{
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (float)(1 << 23) - 1;
}

static void fill(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        v[i] = random_float();
}

static void units(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++, v += DIM) {
        float sum = 0;
        for (size_t k = 0; k < DIM; k++)
            sum += v[k] * v[k];
        for (size_t k = 0; k < DIM; k++)
            v[k] /= sqrtf(sum);
    }
}

/* Every derivative of a batch with equal texts, equal pictures and anchors. */
static void check_gradient(const tune_shape *s)
{
    float texts[N * DIM], pictures[N * DIM], anchors[ANCHORS * DIM], still[ANCHORS * DIM], b[MOST], gradient[MOST], noise[MOST];
    static const uint32_t text_of[N] = { 0, 1, 2, 1, 3, 4 }, picture_of[N] = { 0, 1, 2, 3, 4, 0 };
    size_t n = tune_parameters(s);
    fill(texts, N * DIM);
    fill(pictures, N * DIM);
    units(pictures, N);
    fill(anchors, ANCHORS * DIM);
    tune_identity(s, b);
    tune_apply(s, b, anchors, ANCHORS, still);
    fill(noise, n);
    for (size_t i = 0; i < n; i++)
        b[i] += 0.3f * noise[i];
    tune_batch batch = { N, texts, pictures, text_of, picture_of, 5, ANCHORS, anchors, still, 0.7 };
    tune_loss(s, b, &batch, gradient);
    double worst = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        const float h = 0x1p-7f, was = b[i];
        b[i] = was + h;
        double up = tune_loss(s, b, &batch, NULL);
        b[i] = was - h;
        double down = tune_loss(s, b, &batch, NULL);
        b[i] = was;
        worst = fmax(worst, fabs((up - down) / (2 * (double)h) - (double)gradient[i]));
        largest = fmax(largest, fabs((double)gradient[i]));
    }
    assert_true(largest > 0.01);
    assert_true(worst < 2e-3 * largest);
}

static void test_gradient_of_one_projection(void **unused)
{
    check_gradient(&(tune_shape){ DIM, 1, { DIM }, { 0 }, false });
}

static void test_gradient_of_weighted_branches(void **unused)
{
    check_gradient(&(tune_shape){ DIM, 2, { 5, 4 }, { 1.14, 0.8 }, false });
}

/* At the identity a text is what the model made of it. */
static void test_identity(void **unused)
{
    tune_shape s = { DIM, 2, { 5, 4 }, { 3, 4 }, false };
    float t[DIM], u[DIM], b[MOST];
    fill(t, DIM);
    tune_identity(&s, b);
    tune_apply(&s, b, t, 1, u);
    float first = 0, own = 0;
    for (size_t k = 0; k < 5; k++) {
        first += u[k] * u[k];
        own += t[k] * t[k];
    }
    assert_true(fabsf(first - 0.36f) < 1e-5f);
    assert_true(fabsf(u[0] - 0.6f * t[0] / sqrtf(own)) < 1e-5f);
}

/* 50 steps of AdamW with clipped gradients: the losses are PyTorch's (tests/golden/make_tune.py, in double). */
static void test_training(void **unused)
{
    static const struct { int step; double loss; } wanted[] = {
        { 1, 3.759872 }, { 2, 3.708164 }, { 10, 3.283864 }, { 25, 2.599291 }, { 50, 1.719720 }
    };
    static const float first[] = { 0.149401558f, -0.079480420f, -0.021524138f };
    static const uint32_t text_of[N] = { 0, 1, 2, 1, 3, 4 }, picture_of[N] = { 0, 1, 2, 3, 4, 0 };
    tune_shape s = { DIM, 2, { 5, 4 }, { 1.14, 0.8 }, false };
    float texts[N * DIM], pictures[N * DIM], anchors[ANCHORS * DIM], still[ANCHORS * DIM], b[MOST], gradient[MOST];
    float moments[2 * MOST] = { 0 };
    state = 7;
    fill(texts, N * DIM);
    fill(pictures, N * DIM);
    units(pictures, N);
    fill(anchors, ANCHORS * DIM);
    tune_identity(&s, b);
    tune_apply(&s, b, anchors, ANCHORS, still);
    tune_batch batch = { N, texts, pictures, text_of, picture_of, 5, ANCHORS, anchors, still, 0.7 };
    for (int step = 1, k = 0; step <= 50; step++) {
        double loss = tune_loss(&s, b, &batch, gradient);
        for (size_t i = 0; step == 1 && i < 3; i++)
            assert_true(fabsf(gradient[i] - first[i]) < 1e-4f * fabsf(first[i]));
        if (step == wanted[k].step)
            assert_true(fabs(loss - wanted[k++].loss) < 1e-3 * loss);
        tune_adamw(&s, b, gradient, moments, step, 0.01);
    }
}

/* Three steps of one number from 1.2: torch.optim.AdamW of what it is above 1, lr=0.1, betas=(0.9, 0.98), weight_decay=0.1. */
static void test_adamw(void **unused)
{
    tune_shape s = { 1, 1, { 1 }, { 0 }, false };
    float b = 1.2f, moments[2] = { 0 }, gradient[] = { 0.5f, -2, 0.25f };
    static const double wanted[] = { 1.097999982, 1.133525357, 1.145878538 };
    for (int i = 0; i < 3; i++) {
        tune_adamw(&s, &b, &gradient[i], moments, i + 1, 0.1);
        assert_true(fabs((double)b - wanted[i]) < 1e-6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient_of_one_projection), cmocka_unit_test(test_gradient_of_weighted_branches),
        cmocka_unit_test(test_identity), cmocka_unit_test(test_adamw), cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
