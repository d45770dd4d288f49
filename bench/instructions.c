/* instructions.c - equal amounts of work, for counting the instructions that different builds need (bench/instructions.sh).
 *
 *     build/release/bench/instructions scan|approximate|resize|tower TIMES [MODEL]
 *
 * Does one thing TIMES times in one thread: an exact or approximate search among 4,096 vectors of 512 numbers, a picture of
 * 640 x 480 resampled to 224, or one picture through the image tower of MODEL (models/starter). What is done before it does
 * not depend on TIMES, so that the difference of two runs is the work alone. Prints a number that all builds agree on, nearly.
 */
#include "resize/resize.h"
#include "scry/model.h"
#include "synthetic.h"
#include "vector/scan.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 4 * SCRY_BLOCK_ROWS, DIM = 512, CLUSTERS = 50, WIDTH = 640, HEIGHT = 480, SIDE = 224 };

static double scan(int times, double keep)
{
    void *blocks[ROWS / SCRY_BLOCK_ROWS];
    uint16_t *vectors = scry_alloc((size_t)ROWS * DIM * sizeof *vectors);
    uint64_t bits[ROWS / 64];
    float v[DIM];
    double sum = 0;
    memset(bits, 0xff, sizeof bits);
    for (size_t i = 0; i < ROWS; i++) {
        void **block = &blocks[i / SCRY_BLOCK_ROWS];
        if (i % SCRY_BLOCK_ROWS == 0)
            *block = scry_try_alloc_aligned(scry_block_bytes(DIM), 1);
        synthetic_picture(v, DIM, CLUSTERS, i);
        scry_half_from_float(vectors + i * DIM, v, DIM);
        scry_block_encode(*block, i % SCRY_BLOCK_ROWS, vectors + i * DIM, DIM);
    }
    scry_scan_input in = { .dim = DIM, .rows = ROWS, .blocks = blocks, .vectors = (const uint8_t *)vectors,
                           .row_bytes = DIM * sizeof *vectors, .bits = bits, .keep = keep, .k = 10, .min_score = -2 };
    for (int i = 0; i < times; i++) {
        scry_near_list found;
        synthetic_query(v, DIM, CLUSTERS, (size_t)i % 8);
        if (scry_scan(&in, v, 1, NULL, &found) < 0)
            exit(2);
        sum += found.items[0].score;
        free(found.items);
    }
    for (size_t i = 0; i < ROWS / SCRY_BLOCK_ROWS; i++)
        free(blocks[i]);
    free(vectors);
    return sum;
}

static void noise(uint8_t *p, size_t n)
{
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
}

static double resize(int times)
{
    size_t stride = 3 * WIDTH;
    uint8_t *source = scry_alloc(stride * HEIGHT + SCRY_ROW_SLACK), *view = scry_alloc(3 * SIDE * SIDE);
    double sum = 0;
    noise(source, stride * HEIGHT);
    scry_view_plan plan = scry_plan_view(WIDTH, HEIGHT, SIDE, SCRY_FIT_CROP_FLOOR);
    scry_resize_window w = { .width = plan.width, .height = plan.height, .x = plan.x, .y = plan.y, .w = plan.w, .h = plan.h,
                             .filter = SCRY_FILTER_BICUBIC };
    for (int i = 0; i < times; i++) {
        scry_resizer *r;
        if (scry_resizer_new(&r, WIDTH, HEIGHT, &w, NULL) < 0)
            exit(2);
        scry_resizer_put(r, 0, HEIGHT, source, (ptrdiff_t)stride);
        scry_resizer_finish(r, view);
        sum += view[i];
        scry_resizer_free(r);
    }
    free(source);
    free(view);
    return sum;
}

static double tower(int times, const char *path)
{
    scry_model *model;
    scry_session *session;
    scry_error err = SCRY_ERROR_INIT;
    if (scry_model_open(&model, path, NULL, &err) < 0 || scry_session_new(&session, model, 1, &err) < 0) {
        fprintf(stderr, "instructions: %s\n", err.message);
        exit(2);
    }
    const scry_model_info *info = scry_model_get_info(model);
    size_t bytes = 3 * (size_t)info->image.size * (size_t)info->image.size * (size_t)info->image.views;
    uint8_t *pixels = scry_alloc(bytes);
    float *out = scry_alloc((size_t)info->dim * sizeof *out);
    double sum = 0;
    noise(pixels, bytes);
    for (int i = 0; i < times; i++) {
        if (scry_embed_pixels(session, pixels, 1, out, &err) < 0)
            exit(2);
        sum += out[i % info->dim];
    }
    free(pixels);
    free(out);
    scry_session_free(session);
    scry_model_free(model);
    return sum;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int times = argc > 2 ? atoi(argv[2]) : 1;
    double result;
    if (strcmp(what, "scan") == 0 || strcmp(what, "approximate") == 0)
        result = scan(times, *what == 'a' ? 0.02 : 0);
    else if (strcmp(what, "resize") == 0)
        result = resize(times);
    else if (strcmp(what, "tower") == 0)
        result = tower(times, argc > 3 ? argv[3] : "models/starter");
    else
        return fprintf(stderr, "usage: instructions scan|approximate|resize|tower TIMES [MODEL]\n"), 2;
    printf("%.3f\n", result);
    return 0;
}
