/* boxes.h - from the probabilities of pixels to the boxes of lines, as PP-OCR has them.
 *
 * Pixels over a threshold that touch each other are a line; its box is the smallest rectangle, at any angle, that has them,
 * and is then made larger, since the network is taught shrunk lines. Holes in such a region are not boxes here, which they are
 * there. */
#ifndef SCRY_OCR_BOXES_H
#define SCRY_OCR_BOXES_H

#include "scry/error.h"

#include <stddef.h>

enum { SCRY_OCR_MAX_BOXES = 1000 };
#define SCRY_OCR_BOX_THRESHOLD 0.3f   /* of the pixels of a line */

/* Corners in whole pixels: top left, top right, bottom right, bottom left. */
typedef struct scry_ocr_box {
    float x[4], y[4];
} scry_ocr_box;

typedef struct scry_ocr_box_source {
    const float *probability;         /* [height, width], 0..1 */
    size_t height, width;             /* at most 32,768 each */
    size_t to_height, to_width;       /* the picture's size, in whose pixels the boxes are */
} scry_ocr_box_source;

/* The boxes in reading order, lines from top to bottom, in each from left to right: at most SCRY_OCR_MAX_BOXES to `out`, their
 * number to *count. SCRY_ENOMEM. */
int scry_ocr_find_boxes(const scry_ocr_box_source *s, scry_ocr_box *out, size_t *count, scry_error *err) SCRY_NODISCARD;

#endif
