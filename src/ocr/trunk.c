#include "ocr/trunk.h"

#include <stdio.h>

enum { NAME = 64, STEM_ROWS = 4 };   /* rows of the stem's output that are made at once: the strip's maps stay in the cache */

/* ---- building ---- */

static void bind_block(scry_binder *b, scry_ocr_block *k, const size_t width[2], bool squeezed, const char *at)
{
    char name[NAME];
    const size_t w = width[0], wide = width[1], middle = w == wide ? 2 * w : wide;
    snprintf(name, sizeof name, "%s.dw", at);
    scry_ocr_bind_depthwise(b, &k->dw, w, 3, name);
    if (squeezed)
        scry_ocr_bind_se(b, &k->se, (size_t[]){ w, w / 4 }, 1.0f / 6, at);
    snprintf(name, sizeof name, "%s.up", at);
    scry_ocr_bind_linear(b, &k->up, middle, w, true, name);
    snprintf(name, sizeof name, "%s.down", at);
    scry_ocr_bind_linear(b, &k->down, wide, middle, true, name);
}

void scry_ocr_bind_trunk(scry_binder *b, scry_ocr_trunk *t)
{
    char at[NAME];
    const size_t c = t->stem_width;
    const struct { size_t out, in, kernel, stride, pad; } stem[5] = {
        { c, 3, 3, 2, 1 }, { c / 2, c, 2, 1, 0 }, { c, c / 2, 2, 1, 0 }, { c, 2 * c, 3, 2, 1 }, { t->width[0], c, 1, 1, 0 }
    };
    for (size_t i = 0; i < 5; i++) {
        t->stem[i] = (scry_ocr_conv){ .kernel = stem[i].kernel, .stride = stem[i].stride, .pad = stem[i].pad,
                                      .act = SCRY_ACT_RELU };
        snprintf(at, sizeof at, "%s.stem%zu", t->name, i + 1);
        scry_ocr_bind_conv(b, &t->stem[i], (size_t[]){ stem[i].out, stem[i].in }, at);
    }
    for (size_t i = 0; i < t->stages; i++) {
        const size_t w = t->width[i];
        if (i > 0) {
            snprintf(at, sizeof at, "%s.%zu.shrink", t->name, i);
            bind_block(b, &t->shrink[i], (size_t[]){ t->width[i - 1], w }, false, at);
            t->shrink[i].dw.stride_y = 2;
            t->shrink[i].dw.conv.stride = t->stride_x;
        }
        for (size_t k = 0; k < t->layers[i]; k++) {
            snprintf(at, sizeof at, "%s.%zu.%zu", t->name, i, k);
            bind_block(b, &t->blocks[i][k], (size_t[]){ w, w }, t->squeezed[i] >> k & 1, at);
        }
    }
}

/* ---- sizes ---- */

static size_t half(size_t n)
{
    return (n + 1) / 2;
}

size_t scry_ocr_stage_height(const scry_ocr_trunk *t, size_t i, size_t height)
{
    size_t n = half(half(height));
    while (i-- > 0)
        n = half(n);
    return n;
}

size_t scry_ocr_stage_width(const scry_ocr_trunk *t, size_t i, size_t width)
{
    size_t n = half(half(width));
    while (i-- > 0 && t->stride_x == 2)
        n = half(n);
    return n;
}

/* Rows of the stem's first map that a strip needs: two for each of its own, and those around. */
enum { STEM_IN_ROWS = 2 * STEM_ROWS + 3 };

size_t scry_ocr_trunk_own_floats(const scry_ocr_trunk *t, size_t padded)
{
    const size_t c = t->stem_width, last = t->width[t->stages - 1], in_row = half(padded);
    size_t stem = (2 * STEM_IN_ROWS + 1) * padded * 3                 /* the picture's rows */
                + STEM_IN_ROWS * in_row * (c + c / 2 + 2 * c)         /* the first maps */
                + half(in_row) * STEM_ROWS * c                        /* the input of the last */
                + SCRY_OCR_PLACES * 9 * 2 * c;                        /* columns */
    size_t block = SCRY_OCR_PLACES * 2 * last + 2 * half(half(padded)) * last + 2 * last;
    return (stem > block ? stem : block) + 64;
}

size_t scry_ocr_trunk_shared_floats(const scry_ocr_trunk *t, const scry_ocr_pixels *p)
{
    size_t most = 0;
    for (size_t i = 0; i < t->stages; i++) {
        size_t n = scry_ocr_stage_height(t, i, p->height) * t->width[i];
        most = n > most ? n : most;
    }
    return most;
}

/* ---- the stem ---- */

/* Rows [y, end) of the picture as floats, -1..1; rows outside of it are not touched. */
static void to_floats(const scry_ocr_pixels *p, const scry_ocr_map *out, ptrdiff_t y, ptrdiff_t end)
{
    float table[256];
    for (int i = 0; i < 256; i++)
        table[i] = ((float)i / 255 - 0.5f) / 0.5f;
    for (; y < end; y++) {
        if (y < 0 || y >= (ptrdiff_t)p->height)
            continue;
        const uint8_t *from = p->rgb + (size_t)y * p->width * 3;
        float *to = out->x + (y - out->first) * (ptrdiff_t)(p->padded * 3);
        for (size_t i = 0; i < p->width * 3; i++)
            to[i] = table[from[i]];
        memset(to + p->width * 3, 0, (p->padded - p->width) * 3 * sizeof *to);
    }
}

static float larger(float a, float b)
{
    return a > b ? a : b;
}

static void largest_of_four(float *restrict to, const float *const from[4], size_t n)
{
    enum { TOGETHER = 8 };
    const float *a = from[0], *b = from[1], *c = from[2], *d = from[3];
    size_t i = 0;
    for (; i + TOGETHER <= n; i += TOGETHER)
        for (size_t k = i; k < i + TOGETHER; k++)
            to[k] = larger(larger(a[k], b[k]), larger(c[k], d[k]));
    for (; i < n; i++)
        to[i] = larger(larger(a[i], b[i]), larger(c[i], d[i]));
}

/* The largest of each 2x2 places of `in`, those outside left out, to the first channels of `out`, rows [y, end). */
static void largest(const scry_ocr_map *in, const scry_ocr_map *out, ptrdiff_t y, ptrdiff_t end)
{
    const size_t c = in->c;
    for (; y < end; y++) {
        const float *a = in->x + (y - in->first) * (ptrdiff_t)(in->width * c);
        const float *b = y + 1 < (ptrdiff_t)in->height ? a + in->width * c : a;
        float *to = out->x + (y - out->first) * (ptrdiff_t)(out->width * out->ld);
        for (size_t x = 0; x < in->width; x++, a += c, b += c, to += out->ld) {
            const size_t next = x + 1 < in->width ? c : 0;
            largest_of_four(to, (const float *const[]){ a, a + next, b, b + next }, c);
        }
    }
}

static ptrdiff_t within(ptrdiff_t y, size_t height)
{
    return y < 0 ? 0 : y > (ptrdiff_t)height ? (ptrdiff_t)height : y;
}

/* Rows [y, end) of the stem's output, at most STEM_ROWS, by one thread in its own memory. */
static void stem_strip(const scry_nn *n, const scry_ocr_trunk *t, const scry_ocr_pixels *p, const scry_ocr_map *out,
                       scry_ocr_rows rows,
                       float *own)
{
    const size_t c = t->stem_width, h = half(p->height), w = half(p->padded);
    const ptrdiff_t y = rows.from, end = rows.to;
    /* Of the first maps, those rows that the fourth convolution reads, and two more, which the 2x2 ones need after them. */
    const ptrdiff_t from = within(2 * y - 1, h), to = within(2 * end, h), to1 = within(to + 2, h), to2 = within(to + 1, h);
    scry_ocr_map picture = scry_ocr_part(own, p->height, p->padded, 3, 2 * from - 1);
    scry_ocr_map first = scry_ocr_part(picture.x + (2 * STEM_IN_ROWS + 1) * p->padded * 3, h, w, c, from);
    scry_ocr_map second = scry_ocr_part(first.x + STEM_IN_ROWS * w * c, h, w, c / 2, from);
    scry_ocr_map both = scry_ocr_part(second.x + STEM_IN_ROWS * w * (c / 2), h, w, 2 * c, from);
    scry_ocr_map third = both, fourth = scry_ocr_part(both.x + STEM_IN_ROWS * w * 2 * c, half(h), half(w), c, y);
    float *columns = fourth.x + STEM_ROWS * half(w) * c;
    third.x += c;
    to_floats(p, &picture, 2 * from - 1, 2 * to1);
    scry_ocr_conv_rows(n, &t->stem[0], &picture, &first, (scry_ocr_rows){ from, to1 }, columns);
    largest(&first, &both, from, to);
    scry_ocr_conv_rows(n, &t->stem[1], &first, &second, (scry_ocr_rows){ from, to2 }, columns);
    scry_ocr_conv_rows(n, &t->stem[2], &second, &third, (scry_ocr_rows){ from, to }, columns);
    scry_ocr_conv_rows(n, &t->stem[3], &both, &fourth, (scry_ocr_rows){ y, end }, columns);
    scry_ocr_conv_rows(n, &t->stem[4], &fourth, out, (scry_ocr_rows){ y, end }, columns);
}

/* ---- blocks ---- */

/* down(gelu(up(in))) of rows [y, end), added to `out` where it is `in`. */
static void feed(const scry_nn *n, const scry_ocr_block *k, const scry_ocr_map *in, const scry_ocr_map *out, const size_t rows[2],
                 float *middle)
{
    const bool same = in->x == out->x;
    const size_t places = (rows[1] - rows[0]) * in->width, c = in->c, wide = out->c;
    const float *from = in->x + (ptrdiff_t)(rows[0] - (size_t)in->first) * (ptrdiff_t)(in->width * c);
    float *to = out->x + rows[0] * out->width * wide;
    for (size_t i = 0; i < places; i += SCRY_OCR_PLACES) {
        size_t m = places - i < SCRY_OCR_PLACES ? places - i : SCRY_OCR_PLACES;
        scry_ocr_product(n, &k->up, &(scry_product){ m, from + i * c, c, middle, k->up.n, SCRY_ACT_GELU, false });
        scry_ocr_product(n, &k->down, &(scry_product){ m, middle, k->up.n, to + i * wide, wide, SCRY_ACT_NONE, same });
    }
}

static void run_shrink(scry_nn *n, const scry_ocr_block *k, const scry_ocr_map *in, const scry_ocr_map *out, float *own)
{
    scry_range mine = scry_share(n, out->height, 2);
    scry_ocr_map strip = scry_ocr_part(own, out->height, out->width, in->c, 0);
    float *middle = own + 2 * out->width * in->c;
    for (size_t y = mine.from; y < mine.to; y += 2) {
        size_t end = y + 2 < mine.to ? y + 2 : mine.to;
        strip.first = (ptrdiff_t)y;
        scry_ocr_depthwise_rows(n, &k->dw, in, &strip, y, end);
        feed(n, k, &strip, out, (size_t[]){ y, end }, middle);
    }
    scry_nn_wait(n);
}

static void run_block(scry_nn *n, const scry_ocr_block *k, const scry_ocr_map *in, const scry_ocr_map *out,
                      const scry_ocr_pass *pass)
{
    scry_range mine = scry_share(n, out->height, 2);
    float *factor = pass->own, *middle = factor + 2 * out->c;
    for (size_t y = mine.from; y < mine.to; y += 2) {
        size_t end = y + 2 < mine.to ? y + 2 : mine.to;
        scry_ocr_depthwise_rows(n, &k->dw, in, out, y, end);
        if (k->se.reduced)
            scry_ocr_row_sums(out, y, end, pass->sums);
        else
            feed(n, k, out, out, (size_t[]){ y, end }, middle);
    }
    scry_nn_wait(n);
    if (!k->se.reduced)
        return;
    scry_ocr_se_factors(&k->se, pass->sums, out->height, out->width + out->more, factor);
    for (size_t y = mine.from; y < mine.to; y += 2) {
        size_t end = y + 2 < mine.to ? y + 2 : mine.to;
        scry_ocr_scale_rows(out, y, end, factor, false);
        feed(n, k, out, out, (size_t[]){ y, end }, middle);
    }
    scry_nn_wait(n);
}

static void trace(const scry_nn *n, const scry_ocr_trunk *t, const scry_ocr_pass *pass, const char *what, size_t i,
                  const scry_ocr_map *m)
{
    char name[NAME];
    snprintf(name, sizeof name, "%s.%s%zu", t->name, what, i);
    scry_trace_state(pass->tracer, n->index, name, m->x, m->height * m->width, m->c);
}

void scry_ocr_run_trunk(scry_nn *n, const scry_ocr_trunk *t, const scry_ocr_pixels *p, const scry_ocr_pass *pass,
                        scry_ocr_map maps[SCRY_OCR_STAGES], float *other[SCRY_OCR_STAGES])
{
    scry_range mine = scry_share(n, maps[0].height, STEM_ROWS);
    for (size_t y = mine.from; y < mine.to; y += STEM_ROWS)
        stem_strip(n, t, p, &maps[0], (scry_ocr_rows){ (ptrdiff_t)y,
                                                       (ptrdiff_t)(y + STEM_ROWS < mine.to ? y + STEM_ROWS : mine.to) }, pass->own);
    scry_nn_wait(n);
    trace(n, t, pass, "stem", 0, &maps[0]);
    for (size_t i = 0; i < t->stages; i++) {
        if (i > 0)
            run_shrink(n, &t->shrink[i], &maps[i - 1], &maps[i], pass->own);
        scry_ocr_map from = maps[i], to = maps[i];
        to.x = other[i];
        for (size_t k = 0; k < t->layers[i]; k++) {
            run_block(n, &t->blocks[i][k], &from, &to, pass);
            float *made = to.x;
            to.x = from.x;
            from.x = made;
        }
        maps[i].x = from.x;
        trace(n, t, pass, "", i, &maps[i]);
    }
}
