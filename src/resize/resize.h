/* resize.h - Pillow's antialiased resampling, bit for bit, and the geometry of views.
 *
 * Source: Pillow's Resample.c (8 bits a channel, 22-bit fixed point, 8 bits between the
 * two passes), bicubic a = -0.5, support scaled when shrinking. Pillow 13 goes vertically
 * first where the height shrinks by more than twice the pixels that the width does, and so
 * does this; up to Pillow 12 it was horizontally first always, so that for such (tall)
 * pictures single values differ from those versions by 1 or 2 of 255.
 *
 *     scry_view_plan plan = scry_plan_view(w, h, 224, SCRY_FIT_CROP_FLOOR);
 *     scry_resize_window window = { .width = plan.width, .height = plan.height, .x = plan.x, .y = plan.y,
 *                                  .w = plan.w, .h = plan.h, .filter = SCRY_FILTER_BICUBIC };
 *     scry_resizer_new(&r, w, h, &window, &err);
 *     scry_resizer_put(r, y, n, rows, stride);       strip by strip, in any order
 *     scry_resizer_finish(r, out);
 *
 * so that the picture need never be whole in memory. Thread rule: a resizer belongs to one
 * thread at a time.
 */
#ifndef SCRY_RESIZE_H
#define SCRY_RESIZE_H

#include "scry/error.h"
#include "scry/model.h"

#include <stddef.h>
#include <stdint.h>

/* No side of a source or of a resampled picture is longer than this. */
enum { SCRY_MAX_SOURCE_SIDE = 1000000, SCRY_MAX_TARGET_SIDE = 1 << 30 };

/* RGB bytes, `stride` bytes from one row to the next. */
typedef struct scry_pixels {
    const uint8_t *data;   /* [height, width, 3], borrowed */
    int width, height;
    size_t stride;
} scry_pixels;

/* Where one view comes from: the picture is resampled to `width` x `height`, of which
 * [x, x + w) x [y, y + h) is kept: a square of the view's size, or all (SCRY_FIT_PATCHES). */
typedef struct scry_view_plan {
    int width, height, x, y, w, h;
} scry_view_plan;

/* The plan for a picture of `w` x `h` pixels as the references make it (clip.md): the
 * longer side is int(size * long / short). Both sides lie in 1..SCRY_MAX_SOURCE_SIDE,
 * `size` in 1..SCRY_MAX_IMAGE_SIZE, and at least 16 for SCRY_FIT_PATCHES. */
scry_view_plan scry_plan_view(int w, int h, int size, scry_fit fit);

/* The rest of a view [size, size, 3] whose first bytes are the pixels of `plan`: nothing but for
 * SCRY_FIT_PATCHES, see base/view_shape.h. */
void scry_view_complete(uint8_t *view, int size, scry_fit fit, const scry_view_plan *plan);

/* A part of a resampled picture: of `width` x `height` pixels, [x, x + w) x [y, y + h). */
typedef struct scry_resize_window {
    int width, height, x, y, w, h;
    scry_filter filter;
    /* The rectangle of the source that becomes those width x height pixels, in fractions
     * of a pixel (Pillow's `box`); all zero for the whole source. */
    double box_x, box_y, box_w, box_h;
} scry_resize_window;

/* Rows or columns [first, end). */
typedef struct scry_span {
    int first, end;
} scry_span;

typedef struct scry_resizer scry_resizer;

/* For a source of `src_w` x `src_h` pixels. Holds [rows needed, w, 3] bytes: SCRY_ENOMEM
 * if allocation fails, SCRY_ELIMIT for a side past the limits above. */
int scry_resizer_new(scry_resizer **out, int src_w, int src_h, const scry_resize_window *window, scry_error *err) SCRY_NODISCARD;
void scry_resizer_free(scry_resizer *r);

/* The rows and columns of the source that the window depends on; others may
 * hold anything, and rows outside need not be put. */
scry_span scry_resizer_rows(const scry_resizer *r);
scry_span scry_resizer_columns(const scry_resizer *r);

/* Bytes after each row that may be read (never used) by scry_resizer_put: vector loads. */
enum { SCRY_ROW_SLACK = 64 };

/* Rows y .. y + n - 1 of the source, each [src_w, 3], `stride` bytes apart (negative for
 * a picture that is turned upside down). Every needed row once, in any order. */
void scry_resizer_put(scry_resizer *r, int y, int n, const uint8_t *rows, ptrdiff_t stride);

/* The window, [h, w, 3], from the rows that were put. */
void scry_resizer_finish(scry_resizer *r, uint8_t *out);

#endif
