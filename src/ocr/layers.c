#include "ocr/layers.h"

#include <stdio.h>

scry_ocr_map scry_ocr_whole(float *x, size_t height, size_t width, size_t c)
{
    return scry_ocr_part(x, height, width, c, 0);
}

scry_ocr_map scry_ocr_part(float *x, size_t height, size_t width, size_t c, ptrdiff_t first)
{
    return (scry_ocr_map){ .x = x, .height = height, .width = width, .c = c, .ld = c, .first = first };
}

static float *row_at(const scry_ocr_map *m, ptrdiff_t y)
{
    return m->x + (y - m->first) * (ptrdiff_t)(m->width * m->ld);
}

static const float *row_or_zero(const scry_ocr_map *m, ptrdiff_t y)
{
    return y >= 0 && y < (ptrdiff_t)m->height ? row_at(m, y) : NULL;
}

/* ---- convolutions ---- */

void scry_ocr_bind_linear(scry_binder *b, scry_linear *l, size_t n, size_t k, bool biased, const char *name)
{
    scry_linear_names names = { .prefix = name, .part = { "" }, .weight = ".weight", .bias = biased ? ".bias" : NULL };
    scry_bind_linear(b, l, n, k, &names);
}

void scry_ocr_bind_conv(scry_binder *b, scry_ocr_conv *c, const size_t sizes[2], const char *name)
{
    scry_ocr_bind_linear(b, &c->linear, sizes[0], c->kernel * c->kernel * sizes[1], true, name);
}

void scry_ocr_product(const scry_nn *t, const scry_linear *l, const scry_product *p)
{
    scry_nn alone = *t;
    alone.index = 0;
    alone.count = 1;
    scry_linear_run(&alone, l, p);
}

/* The inputs of one place of the output, kernel * kernel * c numbers. */
static void gather(const scry_ocr_conv *c, const scry_ocr_map *in, const float *const *rows, ptrdiff_t x, float *out)
{
    const size_t bytes = in->c * sizeof *out;
    for (size_t ky = 0; ky < c->kernel; ky++) {
        for (size_t kx = 0; kx < c->kernel; kx++, out += in->c) {
            ptrdiff_t at = x + (ptrdiff_t)kx;
            if (rows[ky] && at >= 0 && at < (ptrdiff_t)in->width)
                memcpy(out, rows[ky] + at * (ptrdiff_t)in->ld, bytes);
            else
                memset(out, 0, bytes);
        }
    }
}

void scry_ocr_conv_rows(const scry_nn *t, const scry_ocr_conv *c, const scry_ocr_map *in, const scry_ocr_map *out,
                        scry_ocr_rows which,
                        float *columns)
{
    enum { MOST = 3 };
    const float *rows[MOST];
    const size_t k = c->linear.k, inside = c->kernel * in->c;
    for (ptrdiff_t y = which.from; y < which.to; y++) {
        for (size_t i = 0; i < c->kernel; i++)
            rows[i] = row_or_zero(in, y * (ptrdiff_t)c->stride + (ptrdiff_t)i - (ptrdiff_t)c->pad);
        for (size_t x = 0; x < out->width; x += SCRY_OCR_PLACES) {
            size_t n = out->width - x < SCRY_OCR_PLACES ? out->width - x : SCRY_OCR_PLACES;
            for (size_t i = 0; i < n; i++) {
                ptrdiff_t left = (ptrdiff_t)((x + i) * c->stride) - (ptrdiff_t)c->pad;
                bool simple = left >= 0 && left + (ptrdiff_t)c->kernel <= (ptrdiff_t)in->width && in->ld == in->c && rows[0]
                    && rows[c->kernel - 1];
                float *to = columns + i * k;
                for (size_t ky = 0; simple && ky < c->kernel; ky++)
                    memcpy(to + ky * inside, rows[ky] + left * (ptrdiff_t)in->c, inside * sizeof *to);
                if (!simple)
                    gather(c, in, rows, left, to);
            }
            scry_ocr_product(t, &c->linear, &(scry_product){ n, columns, k, row_at(out, y) + x * out->ld, out->ld, c->act, false });
        }
    }
}

void scry_ocr_bind_depthwise(scry_binder *b, scry_ocr_depthwise *d, size_t c, size_t kernel, const char *name)
{
    const float *weights = scry_bind_shaped_floats(b, 2, (size_t[]){ c, kernel * kernel }, "%s.weight", name);
    const float *bias = scry_bind_floats(b, c, "%s.bias", name);
    float *packed = scry_bind_memory(b, scry_depthwise_floats(c, kernel));
    if (packed && weights && bias)
        scry_depthwise_pack(weights, bias, 1, c, kernel, packed);
    d->conv = (scry_depthwise_conv){ kernel, 1, c, 1, packed };
    d->stride_y = 1;
}

/* The kernels make two rows at once, which are as far apart as columns are: else one at a time. */
void scry_ocr_depthwise_rows(const scry_nn *t, const scry_ocr_depthwise *d, const scry_ocr_map *in, const scry_ocr_map *out,
                             size_t y,
                             size_t end)
{
    const scry_depthwise_conv *c = &d->conv;
    const float *rows[SCRY_DEPTHWISE_MAX_KERNEL + 2];
    const size_t pad = c->kernel / 2, together = c->stride == d->stride_y ? 2 : 1;
    scry_depthwise one = { .rows = rows, .kernel = (int)c->kernel, .stride = (int)c->stride, .width = (int)in->width,
                           .pad_left = (int)pad,
                           .channels = c->channels, .weights = c->packed, .out_stride = out->ld, .out_width = (int)out->width,
                               .act = d->act };
    for (; y < end; y += together) {
        for (size_t i = 0; i < c->kernel + c->stride; i++)
            rows[i] = row_or_zero(in, (ptrdiff_t)(y * d->stride_y + i) - (ptrdiff_t)pad);
        one.out[0] = row_at(out, (ptrdiff_t)y);
        one.out[1] = together == 2 && y + 1 < end ? row_at(out, (ptrdiff_t)y + 1) : NULL;
        t->k->depthwise(&one);
    }
}

/* ---- squeeze and excite ---- */

void scry_ocr_bind_se(scry_binder *b, scry_ocr_se *se, const size_t sizes[2], float slope, const char *name)
{
    const size_t c = sizes[0], reduced = sizes[1];
    *se = (scry_ocr_se){
        .c = c, .reduced = reduced, .slope = slope,
        .w1 = scry_bind_shaped_floats(b, 2, (size_t[]){ reduced, c }, "%s.se1.weight", name),
        .b1 = scry_bind_floats(b, reduced, "%s.se1.bias", name),
        .w2 = scry_bind_shaped_floats(b, 2, (size_t[]){ c, reduced }, "%s.se2.weight", name),
        .b2 = scry_bind_floats(b, c, "%s.se2.bias", name),
    };
}

enum { TOGETHER = 16 };   /* numbers that the compiler makes vectors of */

static void add(float *restrict sum, const float *restrict x, size_t n)
{
    size_t i = 0;
    for (; i + TOGETHER <= n; i += TOGETHER)
        for (size_t k = 0; k < TOGETHER; k++)
            sum[i + k] += x[i + k];
    for (; i < n; i++)
        sum[i] += x[i];
}

static void scale(float *restrict x, const float *restrict factor, float more, size_t n)
{
    size_t i = 0;
    for (; i + TOGETHER <= n; i += TOGETHER)
        for (size_t k = 0; k < TOGETHER; k++)
            x[i + k] *= factor[i + k] + more;
    for (; i < n; i++)
        x[i] *= factor[i] + more;
}

void scry_ocr_row_sums(const scry_ocr_map *m, size_t y, size_t end, float *sums)
{
    for (; y < end; y++) {
        float *sum = sums + y * m->c;
        const float *x = row_at(m, (ptrdiff_t)y);
        memset(sum, 0, m->c * sizeof *sum);
        for (size_t i = 0; i < m->width; i++, x += m->ld)
            add(sum, x, m->c);
        const float *same = row_at(m, (ptrdiff_t)y) + m->alike * m->ld;
        for (size_t c = 0; m->more && c < m->c; c++)
            sum[c] += (float)m->more * same[c];
    }
}

static float dot(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

void scry_ocr_se_factors(const scry_ocr_se *se, const float *sums, size_t height, size_t width, float *factor)
{
    float *hidden = factor + se->c;
    memset(factor, 0, se->c * sizeof *factor);
    for (size_t y = 0; y < height; y++)
        for (size_t c = 0; c < se->c; c++)
            factor[c] += sums[y * se->c + c];
    for (size_t c = 0; c < se->c; c++)
        factor[c] /= (float)(height * width);
    for (size_t i = 0; i < se->reduced; i++) {
        float v = dot(se->w1 + i * se->c, factor, se->c) + se->b1[i];
        hidden[i] = v > 0 ? v : 0;
    }
    for (size_t c = 0; c < se->c; c++) {
        float v = se->slope * (dot(se->w2 + c * se->reduced, hidden, se->reduced) + se->b2[c]) + 0.5f;
        factor[c] = v < 0 ? 0 : v > 1 ? 1 : v;
    }
}

void scry_ocr_scale_rows(const scry_ocr_map *m, size_t y, size_t end, const float *factor, bool plus_one)
{
    const float more = plus_one ? 1 : 0;
    for (; y < end; y++) {
        float *x = row_at(m, (ptrdiff_t)y);
        for (size_t i = 0; i < m->width; i++, x += m->ld)
            scale(x, factor, more, m->c);
    }
}
