/* kernels.c - attention and depthwise convolutions beside what the processor can do at most.
 *
 *     build/release/bench/kernels [SECONDS]
 *
 * One thread, float. Prints one line a measurement, tab-separated: name, GFLOP/s of its products, the part of the peak that
 * this is, and the part of the roofline. The peak is that of multiply-adds of sums in registers. The roofline's time is: for a
 * convolution, that of its products at the peak, or of a memcpy over as many bytes in the same caches, whichever is longer; for
 * attention, that of the products at the peak and of the softmax, which has none. Each figure is the best of many runs: others
 * disturb a shared machine, and nothing makes it faster.
 */
#include "nn/attention.h"
#include "nn/depthwise.h"

#include "base/alloc.h"
#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void action(void *arg);

static double seconds_each = 0.3;

/* Least milliseconds of one call. */
static double best_ms(action *run, void *arg)
{
    double best = INFINITY, start = scry_now_ms();
    for (int i = 0; i < 5 || scry_now_ms() - start < seconds_each * 1e3; i++) {
        double at = scry_now_ms();
        run(arg);
        double ms = scry_now_ms() - at;
        best = ms < best ? ms : best;
    }
    return best;
}

/* ---- the peak ---- */

enum { SUMS = 12, ROUNDS = 20000 };

/* SUMS independent chains of multiply-adds of a vector of BYTES: enough for any latency. */
#define CHAINS(name, bytes, options) \
    typedef float name##_vector __attribute__((vector_size(bytes))); \
    __attribute__((target(options), noinline)) static void name(void *arg) \
    { \
        name##_vector sum[SUMS], a = { 0 }, b = { 0 }; \
        _Pragma("GCC unroll 12") \
        for (int i = 0; i < SUMS; i++) \
            sum[i] = a + (float)i; \
        a += *(float *)arg; \
        b += *(float *)arg * 0.5f; \
        for (int r = 0; r < ROUNDS; r++) { \
            _Pragma("GCC unroll 12") \
            for (int i = 0; i < SUMS; i++) { \
                sum[i] = sum[i] * a + b; \
                __asm__("" : "+v"(sum[i])); \
            } \
        } \
        float all = 0; \
        _Pragma("GCC unroll 12") \
        for (int i = 0; i < SUMS; i++) \
            all += sum[i][0]; \
        *(volatile float *)arg = all > 0 ? 0.25f : 0.5f; \
    }

#ifdef __x86_64__
CHAINS(chains512, 64, "avx512f")
CHAINS(chains256, 32, "avx2,fma")
#endif

/* GFLOP/s; 0 where it is not known. */
static double peak(void)
{
    float x = 0.25f;
#ifdef __x86_64__
    bool wide = strncmp(scry_kernels_best()->name, "avx512", 6) == 0, narrow = strcmp(scry_kernels_best()->name, "avx2") == 0;
    double floats = wide ? 16 : 8;
    if (wide || narrow)
        return 2.0 * SUMS * ROUNDS * floats / best_ms(wide ? chains512 : chains256, &x) * 1e-6;
#endif
    return x > 1 ? 1 : 0;
}

/* ---- what is measured ---- */

typedef struct {
    uint8_t *in, *out;
    size_t in_bytes, out_bytes;
} copy;

/* As many bytes read and written. */
static void run_copy(void *arg)
{
    const copy *c = arg;
    for (size_t at = 0; at < c->out_bytes; at += c->in_bytes)
        memcpy(c->out + at, c->in, c->out_bytes - at < c->in_bytes ? c->out_bytes - at : c->in_bytes);
    __asm__ volatile("" ::: "memory");
}

static void report(const char *name, double gflop, double ms, double least_ms, double peak_gflops)
{
    double rate = gflop / ms * 1e3;
    printf("%s\t%.1f\t%.3f\t%.3f\n", name, rate, peak_gflops > 0 ? rate / peak_gflops : 0, least_ms / ms);
}

static float *noise(size_t n)
{
    float *x = scry_try_alloc_aligned(n, sizeof *x);
    uint32_t state = 1;
    if (!x)
        exit(1);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((state = state * 1664525 + 1013904223) >> 8) / (float)(1 << 24) - 0.5f;
    return x;
}

typedef struct {
    scry_team *team;
    scry_attention a;
    const scry_kernels *k;
    float *scores;
    size_t tokens;
} attention_work;

static void attend(scry_nn *t, void *arg)
{
    scry_attention_run(t, &((attention_work *)arg)->a);
}

static void run_attention(void *arg)
{
    scry_team_run(((attention_work *)arg)->team, attend, arg);
}

/* The softmaxes of all heads. */
static void run_softmax(void *arg)
{
    attention_work *w = arg;
    for (size_t i = 0; i < w->a.heads * w->tokens; i++)
        w->k->softmax(w->scores + i % 48 * w->tokens, w->tokens, 0.125f);
}

static int measure_attention(size_t tokens, double peak_gflops, scry_error *err)
{
    enum { HEAD = 64, HEADS = 12, WIDTH = HEAD * HEADS };
    const scry_kernels *k = scry_kernels_best();
    scry_scratch_need need = { WIDTH, tokens, HEAD };
    size_t starts[2] = { 0, tokens };
    attention_work w = { .k = k, .tokens = tokens, .scores = noise(48 * tokens) };
    float *qkv = noise(3 * tokens * WIDTH), *out = noise(tokens * WIDTH);
    int r = scry_team_new(&w.team, k, 1, &need, err);
    if (r == 0) {
        w.a = (scry_attention){ qkv, starts, NULL, 1, WIDTH, HEADS, false, NULL, .out = out };
        char name[64];
        snprintf(name, sizeof name, "attention, %zu tokens", tokens);
        double gflop = 4e-9 * (double)tokens * (double)tokens * WIDTH, least = best_ms(run_softmax, &w) + 1e3 * gflop / peak_gflops;
        report(name, gflop, best_ms(run_attention, &w), least, peak_gflops);
    }
    scry_team_free(w.team);
    free(out);
    free(qkv);
    free(w.scores);
    return r;
}

typedef struct {
    scry_team *team;
    scry_depthwise_conv conv;
    scry_depthwise_map map;
} depthwise_work;

static void convolve(scry_nn *t, void *arg)
{
    const depthwise_work *w = arg;
    scry_depthwise_run(t, &w->conv, &w->map);
}

static void run_depthwise(void *arg)
{
    scry_team_run(((depthwise_work *)arg)->team, convolve, arg);
}

static int measure_depthwise(size_t side, size_t channels, size_t kernel, double peak_gflops, scry_error *err)
{
    size_t n = side * side * channels, taps = kernel * kernel;
    scry_scratch_need need = { 1, 1, 1 };
    float *in = noise(n), *out = noise(n), *weights = noise(channels * taps), *bias = noise(channels);
    float *packed = noise(scry_depthwise_floats(channels, kernel));
    scry_depthwise_pack(weights, bias, 1, channels, kernel, packed);
    depthwise_work w = { .conv = { kernel, 1, channels, 1, packed }, .map = { in, out, side, side, kernel / 2, SCRY_ACT_NONE } };
    int r = scry_team_new(&w.team, scry_kernels_best(), 1, &need, err);
    if (r == 0) {
        copy c = { (uint8_t *)in, (uint8_t *)out, n * sizeof *in, n * sizeof *out };
        char name[64];
        snprintf(name, sizeof name, "depthwise %zux%zu, %zu x %zu x %zu", kernel, kernel, side, side, channels);
        size_t beyond = kernel / 2 * (kernel / 2 + 1);   /* rows of the window that are outside, of all output rows */
        double gflop = 2e-9 * (double)(side * channels * kernel * (side * kernel - beyond));
        report(name, gflop, best_ms(run_depthwise, &w), fmax(1e3 * gflop / peak_gflops, best_ms(run_copy, &c)), peak_gflops);
    }
    scry_team_free(w.team);
    free(packed);
    free(bias);
    free(weights);
    free(out);
    free(in);
    return r;
}

int main(int argc, char **argv)
{
    static const size_t tokens[] = { 50, 196, 576 };
    static const struct { size_t side, channels, kernel; } maps[] = {   /* of MobileCLIP2-S0's four stages */
        { 64, 64, 3 }, { 32, 128, 3 }, { 16, 256, 3 }, { 64, 64, 7 }, { 32, 128, 7 }, { 16, 256, 7 }, { 8, 512, 7 }
    };
    scry_error err = SCRY_ERROR_INIT;
    if (argc > 1)
        seconds_each = atof(argv[1]);
    double most = peak();
    if (most == 0) {
        fprintf(stderr, "kernels: the peak is measured with AVX2 and AVX-512 only\n");
        return 1;
    }
    printf("peak, %s\t%.1f\t1\t1\n", scry_kernels_best()->name, most);
    int r = 0;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens && r == 0; i++)
        r = measure_attention(tokens[i], most, &err);
    for (size_t i = 0; i < sizeof maps / sizeof *maps && r == 0; i++)
        r = measure_depthwise(maps[i].side, maps[i].channels, maps[i].kernel, most, &err);
    if (r < 0)
        fprintf(stderr, "kernels: %s\n", err.message);
    return r < 0 ? 1 : 0;
}
