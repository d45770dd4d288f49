/* resize.c - two passes over the rows and columns that the window needs.
 *
 *     source rows --horizontal--> middle [rows needed, w, 3] --vertical--> out [h, w, 3]
 *
 * The horizontal pass runs when rows arrive (while they are in the cache, and so that a large
 * picture is never whole in memory), the vertical pass at the end. For pictures that lose much
 * more height than width the vertical pass is first, as in Pillow since 13.0:
 *
 *     source rows --copy--> middle [rows needed, columns needed, 3]
 *                 --vertical--> lines --horizontal--> out [h, w, 3]
 *
 * The values between the passes are rounded to 8 bits, so the order affects the result.
 */
#include "resize/resizer.h"
#include "resize/taps.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct scry_resizer {
    int src_w, src_h;
    scry_resize_window window;
    const scry_resize_kernels *kernels;
    scry_taps across, down;
    scry_span rows, columns;
    bool vertical_first;
    size_t stride;      /* of `middle`: its rows are padded, see kernels.h */
    uint8_t *middle;
    size_t line_stride;
    uint8_t *lines;     /* [2, SCRY_ROWS_AT_ONCE] padded rows of the source's or window's width */
};

/* Pillow 13's rule (older ones always go horizontally first). */
static bool goes_vertical_first(int src_w, int src_h, const scry_resize_window *w)
{
    return src_h > w->height && (int64_t)src_h - w->height > 2 * ((int64_t)src_w - w->width);
}

static size_t padded(int pixels)
{
    return (3 * (size_t)pixels + SCRY_ROW_SLACK + 63) & ~(size_t)63;
}

static scry_span reach(const scry_taps *t)
{
    int last = t->count - 1;
    return (scry_span){ t->start[0], t->start[last] + t->n[last] };
}

static int check_sides(int src_w, int src_h, const scry_resize_window *w, scry_error *err)
{
    if (src_w > SCRY_MAX_SOURCE_SIDE || src_h > SCRY_MAX_SOURCE_SIDE
        || w->width > SCRY_MAX_TARGET_SIDE || w->height > SCRY_MAX_TARGET_SIDE)
        return scry_fail(err, SCRY_ELIMIT, "a side of %d x %d pixels is over %d", src_w, src_h,
                         SCRY_MAX_SOURCE_SIDE);
    assert(w->w >= 1 && w->h >= 1 && w->x >= 0 && w->y >= 0);
    assert(w->x <= w->width - w->w && w->y <= w->height - w->h);
    assert(w->box_w == 0 || (w->box_x >= 0 && w->box_y >= 0 && w->box_x + w->box_w <= src_w
                             && w->box_y + w->box_h <= src_h));
    return 0;
}

static scry_taps_plan plan_across(int src_w, const scry_resize_window *w)
{
    return (scry_taps_plan){ src_w, w->box_x, w->box_w > 0 ? w->box_w : src_w, w->width, w->x,
                             w->w };
}

static scry_taps_plan plan_down(int src_h, const scry_resize_window *w)
{
    return (scry_taps_plan){ src_h, w->box_y, w->box_h > 0 ? w->box_h : src_h, w->height, w->y,
                             w->h };
}

int scry_resizer_new_with(scry_resizer **out, int src_w, int src_h, const scry_resize_window *window,
                          const scry_resize_kernels *kernels, scry_error *err)
{
    int rc = check_sides(src_w, src_h, window, err);
    if (rc < 0)
        return rc;
    scry_resizer *r = scry_alloc(sizeof *r);
    *r = (scry_resizer){ .src_w = src_w, .src_h = src_h, .window = *window, .kernels = kernels };
    scry_taps_plan across = plan_across(src_w, window), down = plan_down(src_h, window);
    if (scry_taps_init(&r->across, &across, window->filter) < 0 || scry_taps_split(&r->across) < 0
        || scry_taps_init(&r->down, &down, window->filter) < 0)
        goto nomem;
    r->columns = reach(&r->across);
    r->rows = reach(&r->down);
    int columns = r->columns.end - r->columns.first;
    r->vertical_first = goes_vertical_first(src_w, src_h, window);
    r->stride = padded(r->vertical_first ? columns : window->w);
    r->line_stride = padded(columns > window->w ? columns : window->w);
    r->middle = scry_try_alloc_aligned((size_t)(r->rows.end - r->rows.first), r->stride);
    r->lines = scry_try_alloc_aligned(2 * SCRY_ROWS_AT_ONCE, r->line_stride);
    if (!r->middle || !r->lines)
        goto nomem;
    for (int i = 0; r->vertical_first && i < window->w; i++)
        r->across.start[i] -= r->columns.first;
    *out = r;
    return 0;
nomem:
    scry_resizer_free(r);
    return scry_fail(err, SCRY_ENOMEM, "no memory to resample %d x %d pixels", src_w, src_h);
}

int scry_resizer_new(scry_resizer **out, int src_w, int src_h, const scry_resize_window *window, scry_error *err)
{
    return scry_resizer_new_with(out, src_w, src_h, window, scry_resize_kernels_best(), err);
}

void scry_resizer_free(scry_resizer *r)
{
    if (!r)
        return;
    scry_taps_dispose(&r->across);
    scry_taps_dispose(&r->down);
    free(r->middle);
    free(r->lines);
    free(r);
}

scry_span scry_resizer_rows(const scry_resizer *r)
{
    return r->rows;
}

scry_span scry_resizer_columns(const scry_resizer *r)
{
    return r->columns;
}

static void keep_rows(scry_resizer *r, int first, int end, const uint8_t *rows, ptrdiff_t stride)
{
    size_t at = 3 * (size_t)r->columns.first;
    size_t bytes = 3 * (size_t)(r->columns.end - r->columns.first);
    for (int y = first; y < end; y++, rows += stride)
        memcpy(r->middle + (size_t)(y - r->rows.first) * r->stride, rows + at, bytes);
}

void scry_resizer_put(scry_resizer *r, int y, int n, const uint8_t *rows, ptrdiff_t stride)
{
    int first = y > r->rows.first ? y : r->rows.first;
    int end = y + n < r->rows.end ? y + n : r->rows.end;
    rows += (ptrdiff_t)(first - y) * stride;
    if (r->vertical_first) {
        keep_rows(r, first, end, rows, stride);
        return;
    }
    while (first < end) {
        const uint8_t *in[SCRY_ROWS_AT_ONCE];
        uint8_t *out[SCRY_ROWS_AT_ONCE];
        int count = end - first < SCRY_ROWS_AT_ONCE ? end - first : SCRY_ROWS_AT_ONCE;
        for (int i = 0; i < count; i++, rows += stride) {
            in[i] = rows;
            out[i] = r->middle + (size_t)(first + i - r->rows.first) * r->stride;
        }
        r->kernels->horizontal(&r->across, count, in, out);
        first += count;
    }
}

/* Output row i of the vertical pass: `bytes` of it. */
static void sum_rows(const scry_resizer *r, int i, size_t bytes, uint8_t *out)
{
    const scry_taps *t = &r->down;
    const uint8_t *in = r->middle + (size_t)(t->start[i] - r->rows.first) * r->stride;
    r->kernels->vertical(t->k + (size_t)i * (size_t)t->width, t->n[i], in, r->stride, bytes, out);
}

static void finish_vertical_first(scry_resizer *r, uint8_t *out)
{
    size_t bytes = 3 * (size_t)r->window.w;
    size_t middle_bytes = 3 * (size_t)(r->columns.end - r->columns.first);
    const uint8_t *in[SCRY_ROWS_AT_ONCE];
    uint8_t *result[SCRY_ROWS_AT_ONCE];
    for (int y = 0; y < r->window.h; y += SCRY_ROWS_AT_ONCE) {
        int n = r->window.h - y < SCRY_ROWS_AT_ONCE ? r->window.h - y : SCRY_ROWS_AT_ONCE;
        for (int i = 0; i < n; i++) {
            uint8_t *line = r->lines + (size_t)i * r->line_stride;
            sum_rows(r, y + i, middle_bytes, line);
            in[i] = line;
            result[i] = line + SCRY_ROWS_AT_ONCE * r->line_stride;
        }
        r->kernels->horizontal(&r->across, n, in, result);
        for (int i = 0; i < n; i++)
            memcpy(out + (size_t)(y + i) * bytes, result[i], bytes);
    }
}

void scry_resizer_finish(scry_resizer *r, uint8_t *out)
{
    if (r->vertical_first) {
        finish_vertical_first(r, out);
        return;
    }
    size_t bytes = 3 * (size_t)r->window.w;
    for (int i = 0; i < r->window.h; i++) {
        sum_rows(r, i, bytes, r->lines);
        memcpy(out + (size_t)i * bytes, r->lines, bytes);
    }
}
