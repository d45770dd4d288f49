#include "ocr/look.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum {
    UNIT = SCRY_OCR_UNIT,
    MARGIN = 32,      /* pixels of the map around a cell, at least */
    BAND = 12,        /* pixels at a side of an area: text there may go on outside */
    GROWTH = 128      /* pixels that an area grows by, at least; else by its own size */
};

static size_t size_of(const scry_ocr_area *a)
{
    return a->width * a->height;
}

static void be_whole(scry_ocr_areas *s)
{
    s->area[0] = (scry_ocr_area){ 0, 0, s->width, s->height };
    s->done[0] = false;
    s->count = 1;
}

/* The smallest area that has both. */
static scry_ocr_area around(const scry_ocr_area *a, const scry_ocr_area *b)
{
    const size_t x = a->x < b->x ? a->x : b->x, y = a->y < b->y ? a->y : b->y;
    const size_t ax = a->x + a->width, bx = b->x + b->width, ay = a->y + a->height, by = b->y + b->height;
    return (scry_ocr_area){ x, y, (ax > bx ? ax : bx) - x, (ay > by ? ay : by) - y };
}

static bool overlap(const scry_ocr_area *a, const scry_ocr_area *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height && b->y < a->y + a->height;
}

/* Join area i with a later one that it overlaps, or that takes no more together with it; whether there is one. */
static bool join_with(scry_ocr_areas *s, size_t i)
{
    for (size_t k = i + 1; k < s->count; k++) {
        const scry_ocr_area both = around(&s->area[i], &s->area[k]);
        if (!overlap(&s->area[i], &s->area[k]) && size_of(&both) > size_of(&s->area[i]) + size_of(&s->area[k]))
            continue;
        s->area[i] = both;
        s->done[i] = false;
        s->count--;
        s->area[k] = s->area[s->count];
        s->done[k] = s->done[s->count];
        return true;
    }
    return false;
}

/* Join areas that overlap, and those that take no more together. Where they are more than half of the map then, it is one. */
static void join(scry_ocr_areas *s)
{
    size_t sum = 0;
    for (size_t i = 0; i + 1 < s->count;)
        i = join_with(s, i) ? 0 : i + 1;
    for (size_t i = 0; i < s->count; i++)
        sum += size_of(&s->area[i]);
    if (2 * sum > s->width * s->height && !(s->count == 1 && size_of(&s->area[0]) == s->width * s->height))
        be_whole(s);
}

/* The UNITs around cell `i` of `n` with the margin, among `units`. */
static void range_of(size_t i, size_t n, size_t units, size_t *from, size_t *to)
{
    const size_t size = units * UNIT, begin = i * size / n, end = ((i + 1) * size + n - 1) / n + MARGIN;
    *from = begin > MARGIN ? (begin - MARGIN) / UNIT : 0;
    *to = (end + UNIT - 1) / UNIT < units ? (end + UNIT - 1) / UNIT : units;
}

/* Clear the marked UNITs that are connected with `at`, also by a corner; the smallest area that has them. `stack` has room for
 * all. */
static scry_ocr_area take_connected(uint8_t *marked, size_t height, size_t width, size_t at, size_t *stack)
{
    scry_ocr_area found = { at % width * UNIT, at / width * UNIT, UNIT, UNIT };
    size_t n = 0;
    stack[n++] = at;
    marked[at] = 0;
    while (n) {
        const size_t x = stack[--n] % width, y = stack[n] / width;
        const scry_ocr_area one = { x * UNIT, y * UNIT, UNIT, UNIT };
        found = around(&found, &one);
        for (size_t v = y ? y - 1 : 0; v <= y + 1 && v < height; v++)
            for (size_t u = x ? x - 1 : 0; u <= x + 1 && u < width; u++)
                if (marked[v * width + u]) {
                    marked[v * width + u] = 0;
                    stack[n++] = v * width + u;
                }
    }
    return found;
}

int scry_ocr_suspect(const float *cells, size_t height, size_t width, float least, scry_ocr_areas *s, scry_error *err)
{
    const size_t rows = s->height / UNIT, columns = s->width / UNIT;
    uint8_t *marked = scry_try_alloc(rows * columns, sizeof *marked);
    size_t *stack = scry_try_alloc(rows * columns, sizeof *stack);
    s->count = 0;
    if (!marked || !stack) {
        free(marked);
        free(stack);
        return scry_fail(err, SCRY_ENOMEM, "not enough memory to look at %zu x %zu places", columns, rows);
    }
    memset(marked, 0, rows * columns);
    for (size_t i = 0; i < height * width; i++) {
        size_t x, y, to_x, to_y;
        if (cells[i] <= least)
            continue;
        range_of(i % width, width, columns, &x, &to_x);
        range_of(i / width, height, rows, &y, &to_y);
        for (; y < to_y; y++)
            memset(marked + y * columns + x, 1, to_x - x);
    }
    for (size_t i = 0; i < rows * columns; i++) {
        if (!marked[i])
            continue;
        if (s->count == SCRY_OCR_MAX_AREAS) {
            be_whole(s);
            break;
        }
        s->area[s->count] = take_connected(marked, rows, columns, i, stack);
        s->done[s->count++] = false;
    }
    join(s);
    free(marked);
    free(stack);
    return 0;
}

/* ---- text that goes on outside ---- */

static bool has_text(const scry_ocr_areas *s, const float *p, size_t x, size_t y, size_t width, size_t height)
{
    for (size_t v = y; v < y + height; v++)
        for (size_t u = x; u < x + width; u++)
            if (p[v * s->width + u] > SCRY_OCR_BOX_THRESHOLD)
                return true;
    return false;
}

/* Make it larger where text touches a side of it, but not of the map. Whether it does. */
static bool grow(const scry_ocr_areas *s, const float *p, scry_ocr_area *a)
{
    const size_t right = a->x + a->width, bottom = a->y + a->height;
    const size_t w = a->width > GROWTH ? a->width : GROWTH, h = a->height > GROWTH ? a->height : GROWTH;
    scry_ocr_area more = *a, before = *a;
    if (a->x > 0 && has_text(s, p, a->x, a->y, BAND, a->height))
        more = around(&more, &(scry_ocr_area){ a->x > w ? a->x - w : 0, a->y, 1, a->height });
    if (right < s->width && has_text(s, p, right - BAND, a->y, BAND, a->height))
        more = around(&more, &(scry_ocr_area){ a->x, a->y, right + w < s->width ? a->width + w : s->width - a->x, a->height });
    if (a->y > 0 && has_text(s, p, a->x, a->y, a->width, BAND))
        more = around(&more, &(scry_ocr_area){ a->x, a->y > h ? a->y - h : 0, a->width, 1 });
    if (bottom < s->height && has_text(s, p, a->x, bottom - BAND, a->width, BAND))
        more = around(&more, &(scry_ocr_area){ a->x, a->y, a->width, bottom + h < s->height ? a->height + h : s->height - a->y });
    *a = more;
    return size_of(&more) > size_of(&before);
}

bool scry_ocr_extend(scry_ocr_areas *s, const float *p)
{
    bool any = false;
    for (size_t i = 0; i < s->count; i++) {
        if (!s->done[i] || !grow(s, p, &s->area[i]))
            continue;
        s->done[i] = false;
        any = true;
    }
    if (any)
        join(s);
    return any;
}
