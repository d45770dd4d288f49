/* detect.h - how likely each pixel of a picture is part of a line of text. */
#ifndef SCRY_OCR_DETECT_H
#define SCRY_OCR_DETECT_H

#include "ocr/trunk.h"

typedef struct scry_ocr_detector {
    scry_ocr_trunk trunk;
    scry_linear in[SCRY_OCR_STAGES], out[SCRY_OCR_STAGES];
    scry_ocr_se in_se[SCRY_OCR_STAGES], out_se[SCRY_OCR_STAGES];
    scry_ocr_depthwise dw[SCRY_OCR_STAGES];
    scry_ocr_conv conv;
    scry_linear up1, up2;
} scry_ocr_detector;

void scry_ocr_bind_detector(scry_binder *b, scry_ocr_detector *d);

/* Floats of memory of a pass over height x width pixels by a team of `threads`. */
size_t scry_ocr_detect_floats(const scry_ocr_detector *d, size_t height, size_t width, size_t threads);

enum { SCRY_OCR_CELL = 8 };      /* pixels a side */

typedef struct scry_ocr_detection {
    scry_ocr_pixels pixels;      /* height and width are multiples of 32, `padded` is the width */
    float *memory;               /* [scry_ocr_detect_floats] */
    const scry_tracer *tracer;   /* may be NULL */
    float *probability;          /* [height, width]: the result; or NULL, and */
    float *suspicion;            /* [height / CELL, width / CELL]: whether a larger copy of the picture may have a line in
                                  * that cell, as log-odds; look_weights.h */
} scry_ocr_detection;

/* By all threads of the team. */
void scry_ocr_detect(scry_nn *n, const scry_ocr_detector *d, const scry_ocr_detection *job);

#endif
