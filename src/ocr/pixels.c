#include "ocr/pixels.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t scry_ocr_to_unit(double n)
{
    double units = rint(trunc(n) / SCRY_OCR_UNIT);
    return units < 1 ? SCRY_OCR_UNIT : (size_t)units * SCRY_OCR_UNIT;
}

int scry_ocr_new_image(scry_ocr_image *image, size_t height, size_t width, scry_error *err)
{
    *image = (scry_ocr_image){ scry_try_alloc(height, 3 * width), height, width };
    return image->rgb ? 0 : scry_fail(err, SCRY_ENOMEM, "not enough memory for %zu x %zu pixels", width, height);
}

/* ---- resizing ---- */

enum { BITS = 11, ONE = 1 << BITS };

/* For each of `n` places of the result, its two pixels of `from` and their weights of ONE. */
typedef struct {
    int32_t first, second, weight[2];
} tap;

static int32_t clamp(int32_t i, int32_t last)
{
    return i < 0 ? 0 : i > last ? last : i;
}

/* Of the `whole` places of the result, those of [begin, begin + n). Where both pixels are the same one at a side, columns have it
 * by one weight, and rows by two, as in OpenCV: what is cut off after each product differs. */
static void make_taps(size_t from, size_t whole, size_t begin, size_t n, bool rows, tap *out)
{
    const double scale = (double)from / (double)whole;
    const int32_t last = (int32_t)from - 1;
    for (size_t i = 0; i < n; i++) {
        float at = (float)(((double)(begin + i) + 0.5) * scale - 0.5);
        int32_t first = (int32_t)floorf(at);
        float part = !rows && (first < 0 || first >= last) ? 0 : at - (float)first;
        out[i] = (tap){ clamp(first, last), clamp(first + 1, last),
                        { (int32_t)rintf((1 - part) * ONE), (int32_t)rintf(part * ONE) } };
    }
}

/* A row of `from` at the width of `n` taps, times ONE. */
static void resize_row(const uint8_t *row, const tap *taps, size_t n, int32_t *out)
{
    for (size_t i = 0; i < n; i++, out += 3) {
        const uint8_t *a = row + 3 * taps[i].first, *b = row + 3 * taps[i].second;
        for (int c = 0; c < 3; c++)
            out[c] = a[c] * taps[i].weight[0] + b[c] * taps[i].weight[1];
    }
}

/* Exactly half the size: the means of four pixels. */
static void halve(const scry_ocr_image *from, const scry_ocr_area *part, uint8_t *rgb)
{
    const size_t row = from->width * 3;
    for (size_t y = 0; y < part->height; y++) {
        const uint8_t *a = from->rgb + 2 * (part->y + y) * row + 6 * part->x;
        uint8_t *out = rgb + y * part->width * 3;
        for (size_t i = 0; i < part->width * 3; i++) {
            const uint8_t *p = a + i / 3 * 6 + i % 3;
            out[i] = (uint8_t)((p[0] + p[3] + p[row] + p[row + 3] + 2) >> 2);
        }
    }
}

/* Sums in whole numbers of 22 fractional bits, as in OpenCV; two rows of the result's width are kept. */
int scry_ocr_resize_part(const scry_ocr_image *from, size_t height, size_t width, const scry_ocr_area *part, uint8_t *rgb,
                         scry_error *err)
{
    const size_t w = part->width, n = 3 * w;
    if (from->width == width && from->height == height) {
        for (size_t y = 0; y < part->height; y++)
            memcpy(rgb + y * n, from->rgb + ((part->y + y) * width + part->x) * 3, n);
        return 0;
    }
    if (from->width == 2 * width && from->height == 2 * height) {
        halve(from, part, rgb);
        return 0;
    }
    tap *taps = scry_try_alloc(w + part->height, sizeof *taps), *down = taps ? taps + w : NULL;
    int32_t *rows = scry_try_alloc(2 * n, sizeof *rows), which[2] = { -1, -1 };
    if (!taps || !rows) {
        free(taps);
        free(rows);
        return scry_fail(err, SCRY_ENOMEM, "not enough memory for rows of %zu pixels", w);
    }
    make_taps(from->width, width, part->x, w, false, taps);
    make_taps(from->height, height, part->y, part->height, true, down);
    for (size_t y = 0; y < part->height; y++) {
        const int32_t wanted[2] = { down[y].first, down[y].second };
        for (int k = 0; k < 2; k++) {   /* rows of the source are at their number modulo 2 */
            int at = wanted[k] & 1;
            if (which[at] != wanted[k])
                resize_row(from->rgb + (size_t)wanted[k] * from->width * 3, taps, w, rows + (size_t)at * n);
            which[at] = wanted[k];
        }
        const int32_t *a = rows + (size_t)(wanted[0] & 1) * n, *b = rows + (size_t)(wanted[1] & 1) * n, wa = down[y].weight[0],
            wb = down[y].weight[1];
        uint8_t *out = rgb + y * n;
        for (size_t i = 0; i < n; i++)
            out[i] = (uint8_t)(((wa * (a[i] >> 4) >> 16) + (wb * (b[i] >> 4) >> 16) + 2) >> 2);
    }
    free(taps);
    free(rows);
    return 0;
}

int scry_ocr_resize(const scry_ocr_image *from, const scry_ocr_image *to, scry_error *err)
{
    return scry_ocr_resize_part(from, to->height, to->width, &(scry_ocr_area){ 0, 0, to->width, to->height }, to->rgb, err);
}

/* ---- boxes ---- */

void scry_ocr_crop_size(const scry_ocr_box *b, size_t *height, size_t *width, bool *turned)
{
    double top = hypot(b->x[0] - b->x[1], b->y[0] - b->y[1]), bottom = hypot(b->x[2] - b->x[3], b->y[2] - b->y[3]);
    double left = hypot(b->x[0] - b->x[3], b->y[0] - b->y[3]), right = hypot(b->x[1] - b->x[2], b->y[1] - b->y[2]);
    size_t w = (size_t)fmax(top, bottom), h = (size_t)fmax(left, right);
    w = w ? w : 1;
    h = h ? h : 1;
    *turned = (double)h / (double)w >= 1.5;
    *width = *turned ? h : w;
    *height = *turned ? w : h;
}

/* The projective map of the unit square onto the box: x = (a u + b v + c) / (g u + h v + 1), likewise y. */
typedef struct {
    double a, b, c, d, e, f, g, h;
} projection;

static projection project(const scry_ocr_box *q)
{
    double dx1 = q->x[1] - q->x[2], dx2 = q->x[3] - q->x[2], sx = q->x[0] - q->x[1] + q->x[2] - q->x[3];
    double dy1 = q->y[1] - q->y[2], dy2 = q->y[3] - q->y[2], sy = q->y[0] - q->y[1] + q->y[2] - q->y[3];
    double det = dx1 * dy2 - dx2 * dy1, g = det != 0 ? (sx * dy2 - dx2 * sy) / det : 0,
        h = det != 0 ? (dx1 * sy - sx * dy1) / det : 0;
    return (projection){ q->x[1] - q->x[0] + g * q->x[1], q->x[3] - q->x[0] + h * q->x[3], q->x[0],
                         q->y[1] - q->y[0] + g * q->y[1], q->y[3] - q->y[0] + h * q->y[3], q->y[0], g, h };
}

/* Weights of four neighbouring pixels for a place `t` of the way from the second to the third. */
static void cubic(float t, float w[4])
{
    const float a = -0.75f;
    w[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    w[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    w[2] = ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1;
    w[3] = 1 - w[0] - w[1] - w[2];
}

static size_t within(ptrdiff_t i, size_t n)
{
    return i < 0 ? 0 : i >= (ptrdiff_t)n ? n - 1 : (size_t)i;
}

/* The colour at (x, y); pixels outside have that of the nearest one inside. */
static void sample(const scry_ocr_image *from, float x, float y, uint8_t out[3])
{
    float wx[4], wy[4], sum[3] = { 0 };
    ptrdiff_t left = (ptrdiff_t)floorf(x), top = (ptrdiff_t)floorf(y);
    cubic(x - (float)left, wx);
    cubic(y - (float)top, wy);
    for (int i = 0; i < 4; i++) {
        const uint8_t *row = from->rgb + within(top - 1 + i, from->height) * from->width * 3;
        float line[3] = { 0 };
        for (int k = 0; k < 4; k++) {
            const uint8_t *p = row + within(left - 1 + k, from->width) * 3;
            for (int c = 0; c < 3; c++)
                line[c] += wx[k] * (float)p[c];
        }
        for (int c = 0; c < 3; c++)
            sum[c] += wy[i] * line[c];
    }
    for (int c = 0; c < 3; c++)
        out[c] = (uint8_t)rintf(sum[c] < 0 ? 0 : sum[c] > 255 ? 255 : sum[c]);
}

/* Pixel (x, y) of a box of w x h pixels, in its own orientation. */
static void box_pixel(const scry_ocr_image *from, const projection *p, const double at[2], uint8_t out[3])
{
    double u = at[0], v = at[1], over = p->g * u + p->h * v + 1;
    double x = over != 0 ? (p->a * u + p->b * v + p->c) / over : 0, y = over != 0 ? (p->d * u + p->e * v + p->f) / over : 0;
    double w = (double)from->width, h = (double)from->height;   /* far outside, everything is the same */
    sample(from, (float)(x < -4 ? -4 : x > w + 4 ? w + 4 : x), (float)(y < -4 ? -4 : y > h + 4 ? h + 4 : y), out);
}

void scry_ocr_crop(const scry_ocr_image *from, const scry_ocr_box *box, const scry_ocr_image *to, bool turned)
{
    const projection p = project(box);
    const size_t w = turned ? to->height : to->width, h = turned ? to->width : to->height;
    const size_t left = (size_t)box->x[0], top = (size_t)box->y[0];
    const bool level = !turned && box->y[0] == box->y[1] && box->y[2] == box->y[3] && box->x[0] == box->x[3]
        && box->x[1] == box->x[2]
                       && left + w <= from->width && top + h <= from->height;
    for (size_t y = 0; level && y < h; y++)
        memcpy(to->rgb + y * w * 3, from->rgb + ((top + y) * from->width + left) * 3, w * 3);
    for (size_t y = 0; !level && y < h; y++)
        for (size_t x = 0; x < w; x++) {
            size_t at = turned ? (w - 1 - x) * h + y : y * w + x;
            box_pixel(from, &p, (double[]){ (double)x / (double)w, (double)y / (double)h }, to->rgb + at * 3);
        }
}

void scry_ocr_turn_over(const scry_ocr_image *image)
{
    size_t n = image->height * image->width;
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t other[3], *a = image->rgb + 3 * i, *b = image->rgb + 3 * (n - 1 - i);
        memcpy(other, a, 3);
        memcpy(a, b, 3);
        memcpy(b, other, 3);
    }
}
