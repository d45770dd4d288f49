/* detect.c - PP-OCRv6's small detector.
 *
 *     trunk -> maps m0 (1/4 of the size, 48 channels), m1 (1/8, 96), m2 (1/16, 192), m3 (1/32, 384)
 *     p3 = e(in3 m3);  p2 = e(in2 m2) + twice p3;  p1, p0 likewise           96 channels; e: squeeze and excite, added to its input
 *     q  = e(out3 d3 p3), e(out2 d2 p2), ... beside each other, at 1/4       24 channels each; d: depthwise 7x7
 *     probability = sigmoid(up2 relu(up1 relu(conv 3x3 q)))                  both up: 2x2 places of each
 *
 * A look ends with the maps q, at 1/8: of each cell the one of level 0 as the mean and the largest of its four places. Their
 * weighted sum was fitted to where lines are found in larger copies of photographs (tools/words/fit_look.py).
 */
#include "ocr/detect.h"

#include "ocr/look_weights.h"

#include <math.h>
#include <stdio.h>

enum { NAME = 64, WIDE = 96, NARROW = 24, LEVELS = SCRY_OCR_STAGES };

void scry_ocr_bind_detector(scry_binder *b, scry_ocr_detector *d)
{
    char at[NAME];
    d->trunk = (scry_ocr_trunk){ .name = "det", .stem_width = 24, .stages = LEVELS, .width = { 48, 96, 192, 384 },
                                 .layers = { 2, 2, 4, 2 }, .squeezed = { 1, 1, 5, 1 }, .stride_x = 2 };
    scry_ocr_bind_trunk(b, &d->trunk);
    for (size_t i = 0; i < LEVELS; i++) {
        snprintf(at, sizeof at, "det.neck.%zu.in", i);
        scry_ocr_bind_linear(b, &d->in[i], WIDE, d->trunk.width[i], false, at);
        scry_ocr_bind_se(b, &d->in_se[i], (size_t[]){ WIDE, WIDE / 4 }, 0.2f, at);
        snprintf(at, sizeof at, "det.neck.%zu.dw", i);
        scry_ocr_bind_depthwise(b, &d->dw[i], WIDE, 7, at);
        snprintf(at, sizeof at, "det.neck.%zu.out", i);
        scry_ocr_bind_linear(b, &d->out[i], NARROW, WIDE, false, at);
        scry_ocr_bind_se(b, &d->out_se[i], (size_t[]){ NARROW, NARROW / 4 }, 0.2f, at);
    }
    d->conv = (scry_ocr_conv){ .kernel = 3, .stride = 1, .pad = 1, .act = SCRY_ACT_RELU };
    scry_ocr_bind_conv(b, &d->conv, (size_t[]){ NARROW, LEVELS * NARROW }, "det.head.conv");
    scry_ocr_bind_linear(b, &d->up1, 4 * NARROW, NARROW, true, "det.head.up1");
    scry_ocr_bind_linear(b, &d->up2, 4, NARROW, true, "det.head.up2");
}

/* ---- memory ---- */

/* Where the maps of a pass are. Each stage has an even number of blocks, which leaves its map in `stage`; the maps p are in
 * `other`. When the maps q are joined, the others are no longer needed: the result takes the place of stage[0] and other[0], which
 * lie side by side. */
typedef struct {
    scry_ocr_map stage[LEVELS], p[LEVELS], q[LEVELS], all;
    float *other[LEVELS], *sums, *own;
    size_t own_floats, total;
} layout;

static float *take(layout *l, float *memory, size_t n)
{
    float *at = memory ? memory + l->total : NULL;
    l->total += (n + 15) / 16 * 16;
    return at;
}

static layout plan(const scry_ocr_detector *d, const scry_ocr_pixels *pixels, float *memory, size_t threads)
{
    layout l = { .total = 0 };
    for (size_t i = 0; i < LEVELS; i++) {
        size_t h = scry_ocr_stage_height(&d->trunk, i, pixels->height), w = scry_ocr_stage_width(&d->trunk, i, pixels->width);
        size_t c = d->trunk.width[i], wide = c > WIDE ? c : WIDE;
        l.stage[i] = scry_ocr_whole(take(&l, memory, h * w * c), h, w, c);
        l.other[i] = take(&l, memory, h * w * wide);
        l.q[i] = scry_ocr_whole(take(&l, memory, h * w * NARROW), h, w, NARROW);
    }
    l.all = scry_ocr_whole(l.stage[0].x, l.stage[0].height, l.stage[0].width, LEVELS * NARROW);
    size_t sums = scry_ocr_trunk_shared_floats(&d->trunk, pixels), neck = 2 * l.stage[0].height * WIDE;
    l.sums = take(&l, memory, sums > neck ? sums : neck);
    size_t w = l.stage[0].width, trunk = scry_ocr_trunk_own_floats(&d->trunk, pixels->width);
    size_t strip = 2 * w * WIDE + LEVELS * 2 * WIDE, head = SCRY_OCR_PLACES * 9 * LEVELS * NARROW + w * (NARROW + 4 * NARROW + 16);
    l.own_floats = trunk > strip ? trunk : strip;
    l.own_floats = l.own_floats > head ? l.own_floats : head;
    l.own = take(&l, memory, l.own_floats * threads);
    return l;
}

size_t scry_ocr_detect_floats(const scry_ocr_detector *d, size_t height, size_t width, size_t threads)
{
    return plan(d, &(scry_ocr_pixels){ NULL, height, width, width }, NULL, threads).total;
}

/* ---- the neck ---- */

/* Each row of `small` twice as wide, and twice, added to rows [y, end) of `large`. */
static void add_twice(const scry_ocr_map *small, const scry_ocr_map *large, size_t y, size_t end)
{
    const size_t c = large->c;
    for (; y < end; y++) {
        float *to = large->x + y * large->width * c;
        const float *from = small->x + y / 2 * small->width * c;
        for (size_t x = 0; x < large->width; x++, to += c)
            for (size_t i = 0; i < c; i++)
                to[i] += from[x / 2 * c + i];
    }
}

/* The maps p, from the coarsest on. */
static void run_down(scry_nn *n, const scry_ocr_detector *d, layout *l, float *own)
{
    for (size_t i = LEVELS; i-- > 0;) {
        const scry_ocr_map *m = &l->stage[i];
        l->p[i] = scry_ocr_whole(l->other[i], m->height, m->width, WIDE);
        scry_range mine = scry_share(n, m->height, 2);
        for (size_t y = mine.from; y < mine.to; y++) {
            size_t at = y * m->width;
            scry_ocr_product(n, &d->in[i],
                             &(scry_product){ m->width, m->x + at * m->c, m->c, l->p[i].x + at * WIDE, WIDE, SCRY_ACT_NONE,
                                              false });
            scry_ocr_row_sums(&l->p[i], y, y + 1, l->sums);
        }
        scry_nn_wait(n);
        scry_ocr_se_factors(&d->in_se[i], l->sums, m->height, m->width, own);
        scry_ocr_scale_rows(&l->p[i], mine.from, mine.to, own, true);
        if (i + 1 < LEVELS)
            add_twice(&l->p[i + 1], &l->p[i], mine.from, mine.to);
        scry_nn_wait(n);
    }
}

/* The maps q, without the factors, which go to `own`, one after the other. */
static void run_out(scry_nn *n, const scry_ocr_detector *d, layout *l, float *own)
{
    float *sums[LEVELS];
    for (size_t i = 0; i < LEVELS; i++) {
        const scry_ocr_map *p = &l->p[i];
        scry_range mine = scry_share(n, p->height, 2);
        sums[i] = i ? sums[i - 1] + l->p[i - 1].height * NARROW : l->sums;
        for (size_t y = mine.from; y < mine.to; y += 2) {
            size_t end = y + 2 < mine.to ? y + 2 : mine.to;
            scry_ocr_map strip = scry_ocr_part(own, p->height, p->width, WIDE, (ptrdiff_t)y);
            scry_ocr_depthwise_rows(n, &d->dw[i], p, &strip, y, end);
            scry_ocr_product(n, &d->out[i],
                             &(scry_product){ (end - y) * p->width, own, WIDE, l->q[i].x + y * p->width * NARROW, NARROW,
                                                             SCRY_ACT_NONE, false });
            scry_ocr_row_sums(&l->q[i], y, end, sums[i]);
        }
    }
    scry_nn_wait(n);
    for (size_t i = 0; i < LEVELS; i++)
        scry_ocr_se_factors(&d->out_se[i], sums[i], l->p[i].height, l->p[i].width, own + i * 2 * NARROW);
}

/* All q, with their factors, beside each other: the coarsest first. */
static void join(scry_nn *n, layout *l, const float *factors)
{
    const scry_ocr_map *all = &l->all;
    scry_range mine = scry_share(n, all->height, 1);
    for (size_t y = mine.from; y < mine.to; y++) {
        for (size_t i = 0; i < LEVELS; i++) {
            const float *from = l->q[i].x + (y >> i) * l->q[i].width * NARROW, *factor = factors + i * 2 * NARROW;
            float *to = all->x + y * all->width * all->c + (LEVELS - 1 - i) * NARROW;
            for (size_t x = 0; x < all->width; x++, to += all->c)
                for (size_t c = 0; c < NARROW; c++)
                    to[c] = from[(x >> i) * NARROW + c] * (1 + factor[c]);
        }
    }
    scry_nn_wait(n);
}

/* ---- the head ---- */

/* One row of `parts` [width, 2, 2, 2, 2] to four rows of the result. */
static void spread(const float *parts, size_t width, float *out)
{
    for (size_t x = 0; x < width; x++, parts += 16) {
        for (size_t i = 0; i < 16; i++) {
            size_t row = (i >> 3 & 1) * 2 + (i >> 1 & 1), column = (i >> 2 & 1) * 2 + (i & 1);
            out[row * 4 * width + 4 * x + column] = 1 / (1 + expf(-parts[i]));
        }
    }
}

static void run_head(scry_nn *n, const scry_ocr_detector *d, const layout *l, float *own, float *out)
{
    const size_t w = l->all.width;
    float *columns = own, *narrow = columns + SCRY_OCR_PLACES * d->conv.linear.k, *up1 = narrow + w * NARROW,
        *up2 = up1 + w * 4 * NARROW;
    scry_range mine = scry_share(n, l->all.height, 1);
    for (size_t y = mine.from; y < mine.to; y++) {
        scry_ocr_map row = scry_ocr_part(narrow, l->all.height, w, NARROW, (ptrdiff_t)y);
        scry_ocr_conv_rows(n, &d->conv, &l->all, &row, (scry_ocr_rows){ (ptrdiff_t)y, (ptrdiff_t)y + 1 }, columns);
        scry_ocr_product(n, &d->up1, &(scry_product){ w, narrow, NARROW, up1, 4 * NARROW, SCRY_ACT_RELU, false });
        scry_ocr_product(n, &d->up2, &(scry_product){ 4 * w, up1, NARROW, up2, 4, SCRY_ACT_NONE, false });
        spread(up2, w, out + y * 16 * w);
    }
    scry_nn_wait(n);
}

/* ---- a look ---- */

static float dot(const float *a, const float *b)
{
    float sum = 0;
    for (size_t i = 0; i < NARROW; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The weighted sum of one cell's channels at level 0. */
static float sum_of_four(const float *a, size_t row, const float *mean, const float *most)
{
    float sum = 0;
    for (size_t i = 0; i < NARROW; i++, a++) {
        const float p = a[0], q = a[NARROW], r = a[row], s = a[row + NARROW];
        const float x = p > q ? p : q, y = r > s ? r : s;
        sum += mean[i] * (p + q + r + s) + most[i] * (x > y ? x : y);
    }
    return sum;
}

/* The factors of q are positive, so that they are applied to the weights. */
static void run_cells(scry_nn *n, const layout *l, const float *factors, float *out)
{
    float mean[NARROW], most[NARROW], w[LEVELS][NARROW];
    for (size_t c = 0; c < NARROW; c++) {
        mean[c] = scry_ocr_look_weights.mean[c] / 4 * (1 + factors[c]);
        most[c] = scry_ocr_look_weights.most[c] * (1 + factors[c]);
        for (size_t i = 1; i < LEVELS; i++)
            w[i][c] = scry_ocr_look_weights.level[i - 1][c] * (1 + factors[i * 2 * NARROW + c]);
    }
    const size_t height = l->q[1].height, width = l->q[1].width, row = 2 * width * NARROW;
    scry_range mine = scry_share(n, height, 1);
    for (size_t y = mine.from; y < mine.to; y++) {
        for (size_t x = 0; x < width; x++) {
            float sum = scry_ocr_look_weights.bias + sum_of_four(l->q[0].x + 2 * y * row + 2 * x * NARROW, row, mean, most);
            for (size_t i = 1; i < LEVELS; i++)
                sum += dot(w[i], l->q[i].x + ((y >> (i - 1)) * l->q[i].width + (x >> (i - 1))) * NARROW);
            out[y * width + x] = sum;
        }
    }
    scry_nn_wait(n);
}

void scry_ocr_detect(scry_nn *n, const scry_ocr_detector *d, const scry_ocr_detection *job)
{
    layout l = plan(d, &job->pixels, job->memory, (size_t)n->count);
    float *own = l.own + (size_t)n->index * l.own_floats;
    scry_ocr_pass pass = { job->tracer, own, l.sums };
    scry_ocr_run_trunk(n, &d->trunk, &job->pixels, &pass, l.stage, l.other);
    run_down(n, d, &l, own);
    for (size_t i = 0; i < LEVELS; i++) {
        char name[NAME];
        snprintf(name, sizeof name, "det.p%zu", i);
        scry_trace_state(job->tracer, n->index, name, l.p[i].x, l.p[i].height * l.p[i].width, WIDE);
    }
    run_out(n, d, &l, own);
    if (!job->probability) {
        run_cells(n, &l, own, job->suspicion);
        return;
    }
    join(n, &l, own);
    run_head(n, d, &l, own, job->probability);
    scry_trace_state(job->tracer, n->index, "det.map", job->probability, job->pixels.height * job->pixels.width, 1);
}
