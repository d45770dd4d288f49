/* tune.c - how long a step of `scry tune --depth N` takes: pairs of pictures and texts through the trained part, back, and AdamW.
 *
 *     build/release/bench/tune MODEL [DEPTH [PAIRS [fp32|bf16 [THREADS [STEPS]]]]]
 *
 * Prints tab-separated: pairs, milliseconds of a step (median, best), processor milliseconds of a step, trained numbers. Inputs are
 * made up: texts of 8 to 20 tokens, all different.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "tune/deep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_PAIRS = 64 };

typedef struct {
    tune_deep *deep;
    size_t pairs, steps;
    tune_inputs *pictures, *texts;
} work;

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int put(tune_inputs **out, size_t n, size_t least, size_t most, size_t width, scry_error *err)
{
    float *x = scry_alloc(most * width * sizeof *x);
    uint32_t state = 1;
    int r = tune_inputs_new(out, "/tmp", n, most, width, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        size_t rows = least + i % (most - least + 1);
        for (size_t k = 0; k < rows * width; k++)
            x[k] = (float)(int32_t)(state = state * 1664525 + 1013904223) / 2147483648.0f;
        tune_inputs_put(*out, i, x, rows, rows - 1);
    }
    free(x);
    return r < 0 ? r : tune_inputs_finish(*out, err);
}

static int measure(work *w, scry_error *err)
{
    size_t n = tune_deep_count(w->deep);
    float *b = scry_try_alloc_aligned(n, 4), *gradient = scry_try_alloc_aligned(n, 4), *moments = scry_try_alloc_aligned(2 * n, 4);
    double *ms = scry_alloc(w->steps * sizeof *ms);
    tune_pair pairs[MAX_PAIRS];
    uint32_t number[MAX_PAIRS];
    if (!b || !gradient || !moments)
        return scry_fail(err, SCRY_ENOMEM, "not enough memory");
    memcpy(b, tune_deep_origin(w->deep), n * sizeof *b);
    for (uint32_t i = 0; i < w->pairs; i++) {
        pairs[i] = (tune_pair){ i, i };
        number[i] = i;
    }
    double cpu = 0;
    for (size_t i = 0; i < w->steps + 1; i++) {   /* the first makes room */
        double start = scry_now_ms();
        if (i == 1)
            cpu = cpu_ms();
        tune_deep_loss(w->deep, &(tune_step){ pairs, w->pairs, number, 10 }, b, gradient);
        tune_deep_update(w->deep, b, gradient, moments, (int)i + 1, 1e-5);
        if (i > 0)
            ms[i - 1] = scry_now_ms() - start;
    }
    cpu = (cpu_ms() - cpu) / (double)w->steps;
    qsort(ms, w->steps, sizeof *ms, ascending);
    printf("%zu pairs\tmedian %.1f ms\tbest %.1f ms\tCPU %.1f ms\t%zu numbers\n", w->pairs, ms[w->steps / 2], ms[0], cpu, n);
    free(ms);
    free(b);
    free(gradient);
    free(moments);
    return 0;
}

int main(int argc, char **argv)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_checkpoint c;
    work w = { .pairs = argc > 3 ? strtoul(argv[3], NULL, 10) : MAX_PAIRS, .steps = argc > 6 ? strtoul(argv[6], NULL, 10) : 5 };
    if (argc < 2 || w.pairs < 1 || w.pairs > MAX_PAIRS || w.steps < 1) {
        fprintf(stderr, "usage: tune MODEL [DEPTH [PAIRS [fp32|bf16 [THREADS [STEPS]]]]]\n");
        return 2;
    }
    const tune_deep_options o = { SCRY_TUNE_BOTH, argc > 2 ? strtoul(argv[2], NULL, 10) : 2, argc > 5 ? atoi(argv[5]) : 0,
                                  argc > 4 && strcmp(argv[4], "fp32") == 0 ? SCRY_MODE_F32 : SCRY_MODE_BF16 };
    int r = scry_checkpoint_open(&c, argv[1], &err);
    if (r == 0)
        r = tune_deep_new(&w.deep, &c, &o, &err);
    if (r == 0) {
        const scry_vit_config *v = &c.config.image.vit;
        size_t grid = c.config.image.size / v->patch, tokens = grid * grid + (v->names->class_token ? 1 : 0);
        r = put(&w.pictures, w.pairs, tokens, tokens, tune_deep_part(w.deep, true)->width, &err);
        tune_deep_give(w.deep, true, w.pictures, w.pairs, tokens);
    }
    if (r == 0) {
        r = put(&w.texts, w.pairs, 8, 20, tune_deep_part(w.deep, false)->width, &err);
        tune_deep_give(w.deep, false, w.texts, w.pairs, 20);
    }
    if (r == 0)
        r = measure(&w, &err);
    if (r < 0)
        fprintf(stderr, "tune: %s\n", err.message);
    tune_deep_free(w.deep);
    tune_inputs_free(w.pictures);
    tune_inputs_free(w.texts);
    scry_checkpoint_close(&c);
    return r < 0 ? 1 : 0;
}
