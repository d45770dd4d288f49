/* view_shape.h - how many patches a view of SCRY_FIT_PATCHES has.
 *
 *     view [size, size, 3], size = 16 n + 1
 *     | pixels [16 rows, 16 columns, 3] | zeros | rows, 2 bytes | columns, 2 bytes |     little-endian
 *
 * Pixels of at most n^2 patches leave more than the four bytes. The decoder's worker writes them, so a reader
 * checks them.
 */
#ifndef SCRY_BASE_VIEW_SHAPE_H
#define SCRY_BASE_VIEW_SHAPE_H

#include "base/byte_order.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Side of a patch in pixels: that of all published models. */
enum { SCRY_VIEW_PATCH = 16, SCRY_VIEW_SHAPE_BYTES = 4 };

typedef struct scry_view_shape {
    size_t rows, columns;   /* of patches */
} scry_view_shape;

static inline bool scry_view_has_patches(size_t size)
{
    return size > SCRY_VIEW_PATCH && size % SCRY_VIEW_PATCH == 1;
}

/* The most patches in a view of `size`: n^2. */
static inline size_t scry_view_max_patches(size_t size)
{
    return size / SCRY_VIEW_PATCH * (size / SCRY_VIEW_PATCH);
}

static inline void scry_view_put_shape(uint8_t *view, size_t size, scry_view_shape s)
{
    uint8_t *to = view + 3 * size * size - SCRY_VIEW_SHAPE_BYTES;
    to[0] = (uint8_t)s.rows;
    to[1] = (uint8_t)(s.rows >> 8);
    to[2] = (uint8_t)s.columns;
    to[3] = (uint8_t)(s.columns >> 8);
}

/* False for a shape that the view cannot have. */
static inline bool scry_view_get_shape(const uint8_t *view, size_t size, scry_view_shape *s)
{
    const uint8_t *from = view + 3 * size * size - SCRY_VIEW_SHAPE_BYTES;
    s->rows = scry_read_little_endian(from, 2);
    s->columns = scry_read_little_endian(from + 2, 2);
    return s->rows >= 1 && s->columns >= 1 && s->rows * s->columns <= scry_view_max_patches(size);
}

#endif
