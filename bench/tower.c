/* tower.c - how fast the two towers of a model run on this machine.
 *
 *     build/release/bench/tower MODEL [PRECISION [THREADS [SECONDS]]]
 *
 * Prints one line a measurement, tab-separated: name, median, best, unit. Pictures and
 * texts are made up; a model with random weights is as fast as a trained one. Shared
 * machines disturb each other: the CPU column is the time of this process alone.
 */
#include "scry/model.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/view_shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_RUNS = 100000, LARGEST_BATCH = 16, PHRASES = 8, TEXTS = PHRASES * PHRASES };

typedef struct {
    scry_session *session;
    const scry_model_info *info;
    const uint8_t *pixels;
    const char *const *texts;
    size_t n;          /* pictures or texts a run */
    bool pictures;
    float *out;
} work;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int once(const work *w, scry_error *err)
{
    return w->pictures ? scry_embed_pixels(w->session, w->pixels, w->n, w->out, err)
                       : scry_embed_texts(w->session, w->texts, w->n, w->out, NULL, err);
}

static int measure(const char *name, const work *w, double seconds, scry_error *err)
{
    double *ms = scry_alloc(MAX_RUNS * sizeof *ms);
    size_t runs = 0;
    int r = 0;
    for (int i = 0; i < 6 && r == 0; i++)   /* weights are laid out meanwhile */
        r = once(w, err);
    double start = scry_now_ms(), cpu = cpu_ms();
    while (r == 0 && runs < MAX_RUNS && (runs < 3 || scry_now_ms() - start < seconds * 1e3)) {
        double at = scry_now_ms();
        r = once(w, err);
        ms[runs++] = scry_now_ms() - at;
    }
    cpu = (cpu_ms() - cpu) / (double)runs;
    if (r == 0) {
        qsort(ms, runs, sizeof *ms, ascending);
        double median = ms[runs / 2], best = ms[0], n = (double)w->n * 1e3;
        printf("%-24s\tmedian %8.3f ms\tbest %8.3f ms\tCPU %8.3f ms\t%.1f/s\tbest %.1f/s\n", name,
               median, best, cpu, n / median, n / best);
    }
    free(ms);
    return r;
}

static uint8_t *make_pixels(size_t bytes)
{
    uint8_t *p = scry_alloc(bytes);
    uint32_t state = 1;
    for (size_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
    return p;
}

/* Views of any shape say that they are squares. */
static void put_shapes(uint8_t *pixels, size_t bytes, const scry_image_spec *spec)
{
    size_t size = (size_t)spec->size, side = size / SCRY_VIEW_PATCH;
    for (int i = 0; i < LARGEST_BATCH && spec->fit[0] == SCRY_FIT_PATCHES; i++)
        scry_view_put_shape(pixels + (size_t)i * bytes, size, (scry_view_shape){ side, side });
}

/* Texts of six words, of which all differ and some begin alike. Owned, each of them. */
static void make_texts(char *texts[TEXTS])
{
    static const char *const what[PHRASES] = {
        "a white dog", "two red boats", "an old man", "children playing football", "the city lights",
        "fresh bread rolls", "a steam train", "some yellow flowers"
    };
    static const char *const where[PHRASES] = {
        "on the beach", "in deep snow", "near a lake", "at early dawn", "under blue sky",
        "behind green trees", "in heavy rain", "seen from above"
    };
    for (int i = 0; i < TEXTS; i++)
        texts[i] = scry_asprintf("%s %s", what[i / PHRASES], where[i % PHRASES]);
}

static int run(scry_session *s, const scry_model_info *info, double seconds, scry_error *err)
{
    static const char *const one[] = { "a white dog on the beach" };
    char *many[TEXTS];
    make_texts(many);
    size_t bytes = (size_t)info->image.size * (size_t)info->image.size * 3 * (size_t)info->image.views;
    uint8_t *pixels = make_pixels(bytes * LARGEST_BATCH);
    put_shapes(pixels, bytes, &info->image);
    float *out = scry_alloc((size_t)TEXTS * (size_t)info->dim * sizeof *out);
    work w = { s, info, pixels, one, 1, false, out };
    double start = scry_now_ms();
    int r = once(&w, err);
    printf("%-24s\t%.3f ms\n", "first text", scry_now_ms() - start);
    if (r == 0)
        r = measure("text of 6 words", &w, seconds, err);
    w.texts = (const char *const *)many;
    w.n = TEXTS;
    if (r == 0)
        r = measure("64 texts", &w, seconds, err);
    w.pictures = true;
    for (w.n = 1; w.n <= LARGEST_BATCH && r == 0; w.n *= LARGEST_BATCH) {
        char name[32];
        snprintf(name, sizeof name, "pictures, batch %zu", w.n);
        r = measure(name, &w, seconds, err);
    }
    for (int i = 0; i < TEXTS; i++)
        free(many[i]);
    free(pixels);
    free(out);
    return r;
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "auto", "fp32", "bf16", "int8" };
    if (argc < 2) {
        fprintf(stderr, "usage: tower MODEL [auto|fp32|bf16|int8 [THREADS [SECONDS]]]\n");
        return 2;
    }
    scry_model_options o = SCRY_MODEL_OPTIONS_INIT;
    for (int i = 0; i < 4 && argc > 2; i++)
        if (strcmp(argv[2], names[i]) == 0)
            o.precision = (scry_precision)i;
    scry_error err = SCRY_ERROR_INIT;
    scry_model *m = NULL;
    scry_session *s = NULL;
    double start = scry_now_ms();
    int r = scry_model_open(&m, argv[1], &o, &err);
    if (r == 0) {
        printf("%-24s\t%.3f ms\t%s\n", "open", scry_now_ms() - start,
               names[scry_model_get_info(m)->precision]);
        r = scry_session_new(&s, m, argc > 3 ? atoi(argv[3]) : 0, &err);
    }
    if (r == 0)
        r = run(s, scry_model_get_info(m), argc > 4 ? atof(argv[4]) : 2, &err);
    if (r < 0)
        fprintf(stderr, "tower: %s\n", err.message);
    scry_session_free(s);
    scry_model_free(m);
    return r < 0 ? 1 : 0;
}
