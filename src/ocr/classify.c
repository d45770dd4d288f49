/* classify.c - PP-OCR's mobile classifier of the angle of lines, a MobileNetV3 of 0.14 million parameters.
 *
 *     48 x 192 pixels -> 3x3 by 2 -> blocks: up, depthwise, squeeze and excite, down, added to its input of the same size
 *     -> last: 200 channels -> largest of 2x2 -> mean -> head: upright, upside down
 *
 * Some blocks halve the height; the width stays 96. */
#include "ocr/classify.h"

#include <math.h>
#include <stdio.h>

enum { NAME = 64, STEM = 8, WIDE = 200, BLOCKS = SCRY_OCR_CLASSIFIER_BLOCKS, HEIGHT = SCRY_OCR_CLASSIFIED_HEIGHT / 2,
       WIDTH = SCRY_OCR_CLASSIFIED_WIDTH / 2, MAP = 24 * WIDTH * 32, MIDDLE = 12 * WIDTH * WIDE };

static const struct { size_t middle, kernel, out; bool squeezed, hard, halves; } sizes[BLOCKS] = {
    { 8, 3, 8, true, false, true }, { 24, 3, 8, false, false, true }, { 32, 3, 8, false, false, false },
        { 32, 5, 16, true, true, true },
    { 88, 5, 16, true, true, false }, { 88, 5, 16, true, true, false }, { 40, 5, 16, true, true, false },
        { 48, 5, 16, true, true, false },
    { 104, 5, 32, true, true, true }, { 200, 5, 32, true, true, false }, { 200, 5, 32, true, true, false }
};

void scry_ocr_bind_classifier(scry_binder *b, scry_ocr_classifier *c)
{
    char at[NAME], name[NAME];
    c->stem = (scry_ocr_conv){ .kernel = 3, .stride = 2, .pad = 1 };
    scry_ocr_bind_conv(b, &c->stem, (size_t[]){ STEM, 3 }, "cls.stem");
    for (size_t i = 0, in = STEM; i < BLOCKS; i++) {
        const size_t middle = sizes[i].middle;
        snprintf(at, sizeof at, "cls.%zu", i);
        snprintf(name, sizeof name, "%.40s.up", at);
        scry_ocr_bind_linear(b, &c->blocks[i].up, middle, in, true, name);
        snprintf(name, sizeof name, "%.40s.dw", at);
        scry_ocr_bind_depthwise(b, &c->blocks[i].dw, middle, sizes[i].kernel, name);
        c->blocks[i].dw.stride_y = sizes[i].halves ? 2 : 1;
        if (sizes[i].squeezed)
            scry_ocr_bind_se(b, &c->blocks[i].se, (size_t[]){ middle, middle / 4 }, 0.2f, at);
        snprintf(name, sizeof name, "%.40s.down", at);
        scry_ocr_bind_linear(b, &c->blocks[i].down, sizes[i].out, middle, true, name);
        in = sizes[i].out;
    }
    scry_ocr_bind_linear(b, &c->last, WIDE, 32, true, "cls.last");
    c->head = scry_bind_shaped_floats(b, 2, (size_t[]){ 2, WIDE }, "cls.head.weight");
    c->head_bias = scry_bind_floats(b, 2, "cls.head.bias");
}

/* Of the picture as floats, two maps, two between them, sums, factors, columns. */
size_t scry_ocr_classify_floats(void)
{
    return 4 * HEIGHT * WIDTH * 3 + 2 * MAP + 2 * MIDDLE + HEIGHT * WIDE + 2 * WIDE + SCRY_OCR_PLACES * 27;
}

static void hard_swish(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float v = x[i] + 3;
        x[i] *= (v < 0 ? 0 : v > 6 ? 6 : v) / 6;
    }
}

static void relu(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] > 0 ? x[i] : 0;
}

/* Block i from `x` to `out`, which may not be it. */
static void run_block(scry_nn *n, const scry_ocr_classifier *c, size_t i, scry_ocr_map *x, float *out, float *memory)
{
    const size_t middle = sizes[i].middle, places = x->height * x->width, half = sizes[i].halves ? (x->height + 1) / 2 : x->height;
    void (*act)(float *, size_t) = sizes[i].hard ? hard_swish : relu;
    scry_ocr_map wide = scry_ocr_whole(memory, x->height, x->width, middle),
        filtered = scry_ocr_whole(memory + MIDDLE, half, x->width, middle);
    float *sums = memory + 2 * MIDDLE, *factor = sums + HEIGHT * WIDE;
    scry_linear_run(n, &c->blocks[i].up, &(scry_product){ places, x->x, x->c, wide.x, middle, SCRY_ACT_NONE, false });
    act(wide.x, places * middle);
    scry_ocr_depthwise_rows(n, &c->blocks[i].dw, &wide, &filtered, 0, half);
    act(filtered.x, half * x->width * middle);
    if (sizes[i].squeezed) {
        scry_ocr_row_sums(&filtered, 0, half, sums);
        scry_ocr_se_factors(&c->blocks[i].se, sums, half, x->width, factor);
        scry_ocr_scale_rows(&filtered, 0, half, factor, false);
    }
    bool adds = half == x->height && sizes[i].out == x->c;
    if (adds)
        memcpy(out, x->x, places * x->c * sizeof *out);
    scry_linear_run(n, &c->blocks[i].down,
                    &(scry_product){ half * x->width, filtered.x, middle, out, sizes[i].out, SCRY_ACT_NONE, adds });
    *x = scry_ocr_whole(out, half, x->width, sizes[i].out);
}

/* The mean of the largest of each 2x2 places, rows and columns that are left over ignored. */
static void pool(const scry_ocr_map *m, float *out)
{
    const size_t h = m->height / 2, w = m->width / 2, c = m->c, row = m->width * c;
    memset(out, 0, c * sizeof *out);
    for (size_t i = 0; i < h * w; i++) {
        const float *x = m->x + i / w * 2 * row + i % w * 2 * c;
        for (size_t k = 0; k < c; k++) {
            float a = x[k] > x[k + c] ? x[k] : x[k + c], b = x[k + row] > x[k + row + c] ? x[k + row] : x[k + row + c];
            out[k] += (a > b ? a : b) / (float)(h * w);
        }
    }
}

float scry_ocr_classify(scry_nn *n, const scry_ocr_classifier *c, const uint8_t *rgb, size_t width, float *memory,
                        const scry_tracer *tracer)
{
    scry_ocr_map picture = scry_ocr_whole(memory, 2 * HEIGHT, 2 * WIDTH, 3),
        x = scry_ocr_whole(memory + 4 * HEIGHT * WIDTH * 3, HEIGHT, WIDTH, STEM);
    float *maps[2] = { x.x, x.x + MAP }, *between = x.x + 2 * MAP, *columns = between + 2 * MIDDLE + HEIGHT * WIDE + 2 * WIDE,
        pooled[WIDE];
    memset(picture.x, 0, 4 * HEIGHT * WIDTH * 3 * sizeof *memory);
    for (size_t y = 0; y < picture.height; y++)
        for (size_t i = 0; i < width * 3; i++)
            picture.x[y * picture.width * 3 + i] = ((float)rgb[y * width * 3 + i] / 255 - 0.5f) / 0.5f;
    scry_ocr_conv_rows(n, &c->stem, &picture, &x, (scry_ocr_rows){ 0, HEIGHT }, columns);
    hard_swish(x.x, HEIGHT * WIDTH * STEM);
    for (size_t i = 0; i < BLOCKS; i++)
        run_block(n, c, i, &x, maps[(i + 1) % 2], between);
    scry_trace_state(tracer, n->index, "cls.blocks", x.x, x.height * x.width, x.c);
    scry_linear_run(n, &c->last, &(scry_product){ x.height * x.width, x.x, x.c, between, WIDE, SCRY_ACT_NONE, false });
    hard_swish(between, x.height * x.width * WIDE);
    x = scry_ocr_whole(between, x.height, x.width, WIDE);
    pool(&x, pooled);
    float logit[2] = { c->head_bias[0], c->head_bias[1] };
    for (size_t i = 0; i < 2 * WIDE; i++)
        logit[i / WIDE] += c->head[i] * pooled[i % WIDE];
    return 1 / (1 + expf(logit[0] - logit[1]));
}
