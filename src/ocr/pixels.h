/* pixels.h - making pictures smaller, larger and straight, as OpenCV does it for PP-OCR.
 *
 * The networks read the text from these pixels, so that other resampling gives other words now and then.
 */
#ifndef SCRY_OCR_PIXELS_H
#define SCRY_OCR_PIXELS_H

#include "ocr/boxes.h"

#include <stdbool.h>
#include <stdint.h>

/* [height, width, 3], without gaps. */
typedef struct scry_ocr_image {
    uint8_t *rgb;
    size_t height, width;
} scry_ocr_image;

enum { SCRY_OCR_UNIT = 32 };   /* the sides of pictures that are given to the detector are multiples of it */

/* The nearest multiple of SCRY_OCR_UNIT, at least one. */
size_t scry_ocr_to_unit(double n);

/* Pixels for an image, owned and not initialised. SCRY_ENOMEM. */
int scry_ocr_new_image(scry_ocr_image *image, size_t height, size_t width, scry_error *err) SCRY_NODISCARD;

/* `from` at the size of `to`, whose pixels are written: linear between neighbouring pixels, whatever the sizes are. Sides of 1
 * to 65,536. SCRY_ENOMEM. */
int scry_ocr_resize(const scry_ocr_image *from, const scry_ocr_image *to, scry_error *err) SCRY_NODISCARD;

/* A part of an image. */
typedef struct scry_ocr_area {
    size_t x, y, width, height;
} scry_ocr_area;

/* A part of `from` at the size of height x width, to `rgb`: the pixels that it has in all of it. SCRY_ENOMEM. */
int scry_ocr_resize_part(const scry_ocr_image *from, size_t height, size_t width, const scry_ocr_area *part, uint8_t *rgb,
                         scry_error *err) SCRY_NODISCARD;

/* The size of a box's picture: its sides, rounded down. Standing ones, of at least 1.5 times the height that they are wide,
 * are turned: *turned, and the size is that after turning. */
void scry_ocr_crop_size(const scry_ocr_box *box, size_t *height, size_t *width, bool *turned);

/* The box of `from` as a rectangle, cubic, to `to`, which has that size; turned to the left where it is `turned`. */
void scry_ocr_crop(const scry_ocr_image *from, const scry_ocr_box *box, const scry_ocr_image *to, bool turned);

/* Upside down, in place. */
void scry_ocr_turn_over(const scry_ocr_image *image);

#endif
