/* resize.h - Pillow's antialiased resampling, bit for bit, and the geometry of views.
 *
 * Source: Pillow's Resample.c (8 bits a channel, 22-bit fixed point, horizontal pass
 * first, 8 bits between the passes), bicubic a = -0.5, support scaled when shrinking.
 * Pure functions; thread-safe.
 */
#ifndef SCRY_RESIZE_H
#define SCRY_RESIZE_H

#include "scry/error.h"
#include "scry/model.h"

#include <stddef.h>
#include <stdint.h>

/* RGB bytes, `stride` bytes from one row to the next. */
typedef struct scry_pixels {
    const uint8_t *data;   /* [height, width, 3], borrowed */
    int width, height;
    size_t stride;
} scry_pixels;

/* Where one view comes from: the picture is resampled to `width` x `height`, of which
 * the square [x, x + size) x [y, y + size) is kept. `resized` is never smaller than it. */
typedef struct scry_view_plan {
    int width, height, x, y, size;
} scry_view_plan;

/* The plan for a picture of `w` x `h` pixels as the references make it (clip.md). */
scry_view_plan scry_plan_view(int w, int h, int size, scry_fit fit);

/* Resample and crop in one go: only the rows and columns that the crop keeps are
 * computed. `out` is [size, size, 3]. SCRY_ENOMEM, SCRY_ELIMIT. */
int scry_resize_view(const scry_pixels *src, const scry_view_plan *plan, scry_filter filter,
                     uint8_t *out, scry_error *err) SCRY_NODISCARD;

/* Plain resampling to `w` x `h`: `out` is [h, w, 3]. For thumbnails and viewer pictures. */
int scry_resize(const scry_pixels *src, int w, int h, scry_filter filter, uint8_t *out,
                scry_error *err) SCRY_NODISCARD;

#endif
