/* locate.h - where the lines of text in a picture are: detection, in all of it or in the part that a first look leaves. */
#ifndef SCRY_OCR_LOCATE_H
#define SCRY_OCR_LOCATE_H

#include "ocr/boxes.h"
#include "ocr/detect.h"
#include "ocr/pixels.h"

/* What it works with; the memory is lent to others between calls. */
typedef struct scry_ocr_locator {
    const scry_ocr_detector *detector, *looker;   /* the second for the first look */
    scry_team *team;
    bool looks_first;
    float *memory;              /* [memory_floats], owned */
    size_t memory_floats;
} scry_ocr_locator;

/* At least `floats` of memory, whose contents are lost. SCRY_ENOMEM. */
int scry_ocr_reserve(scry_ocr_locator *l, size_t floats, scry_error *err) SCRY_NODISCARD;

/* Free the memory if it has more floats. */
void scry_ocr_trim(scry_ocr_locator *l, size_t most_floats);

/* The boxes of scry_ocr_find_boxes, with the team. SCRY_ENOMEM. */
int scry_ocr_locate(scry_ocr_locator *l, const scry_ocr_image *image, scry_ocr_box *boxes, size_t *count,
                    scry_error *err) SCRY_NODISCARD;

#endif
