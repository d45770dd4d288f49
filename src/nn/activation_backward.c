/* activation_backward.c - activations by themselves, and their derivatives. Exponentials are computed here, in loops that
 * compilers vectorise: those of libm take as long as the products around them. */
#include "nn/backward.h"

#include <math.h>
#include <string.h>

/* e^x, relative error below 2e-7; 0 below -87. */
static inline float exponential(float x)
{
    x = x < -87 ? -87 : x > 88 ? 88 : x;
    float z = x * 1.44269504f;
    int32_t n = (int32_t)(z + (z < 0 ? -0.5f : 0.5f));
    float f = x - (float)n * 0.693359375f + (float)n * 2.12194440e-4f;   /* |f| <= ln 2 / 2 */
    float p = 1 + f * (1 + f * (0.5f + f * (0.16666667f + f * (0.041666665f + f * (8.3333e-3f + f * 1.3888e-3f)))));
    int32_t bits = (n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

static inline float sigmoid(float x)
{
    return 1 / (1 + exponential(-x));
}

/* The normal distribution's function, absolute error below 1e-7: Abramowitz and Stegun 7.1.26. */
static inline float normal(float x, float density)
{
    float z = fabsf(x) * 0.70710678f, t = 1 / (1 + 0.3275911f * z);
    float tail = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    float upper = 0.5f * tail * density * 2.50662827f;
    return x < 0 ? upper : 1 - upper;
}

static inline float slope(scry_act act, float x)
{
    if (act == SCRY_ACT_QUICK_GELU || act == SCRY_ACT_SILU) {
        float a = act == SCRY_ACT_SILU ? 1 : 1.702f, s = sigmoid(a * x);
        return s + a * x * s * (1 - s);
    }
    if (act == SCRY_ACT_GELU) {
        float density = 0.39894228f * exponential(-0.5f * x * x);
        return normal(x, density) + x * density;
    }
    if (act == SCRY_ACT_GELU_TANH) {   /* (1 + tanh u) / 2 is the sigmoid of 2 u */
        float s = sigmoid(1.59576912f * (x + 0.044715f * x * x * x));
        return s + x * s * (1 - s) * 1.59576912f * (1 + 0.134145f * x * x);
    }
    return act == SCRY_ACT_RELU && x <= 0 ? 0 : 1;
}

#define LOOP(ACT)                                   \
    case ACT:                                       \
        for (size_t i = from; i < to; i++)          \
            dy[i] *= slope(ACT, x[i]);              \
        break

void scry_activation_backward_run(scry_nn *t, scry_act act, const float *restrict x, size_t rows, size_t width, float *restrict dy)
{
    scry_range mine = scry_share(t, rows * width, 16);
    size_t from = mine.from, to = mine.to;
    switch (act) {
    LOOP(SCRY_ACT_QUICK_GELU);
    LOOP(SCRY_ACT_GELU);
    LOOP(SCRY_ACT_GELU_TANH);
    LOOP(SCRY_ACT_RELU);
    LOOP(SCRY_ACT_SILU);
    case SCRY_ACT_RELU6: case SCRY_ACT_NONE: case SCRY_ACT_GELU_NEAR: case SCRY_ACT_GELU_TANH_NEAR: break;
    }
    scry_nn_wait(t);
}

void scry_activation_run(scry_nn *t, scry_act act, const float *x, size_t rows, size_t width, float *y)
{
    scry_range mine = scry_share(t, rows, 1);
    for (size_t c = 0; c < width && mine.from < mine.to; c += 2 * SCRY_PANEL) {
        size_t columns = width - c < 2 * SCRY_PANEL ? width - c : 2 * SCRY_PANEL;
        t->k->finish_float(&(scry_finish){ .acc = x + mine.from * width + c, .ld_acc = width, .rows = (int)(mine.to - mine.from),
                                           .cols = (int)columns, .act = act, .c = y + mine.from * width + c, .ldc = width });
    }
    scry_nn_wait(t);
}
