/* classify.h - whether a line of text is upside down. */
#ifndef SCRY_OCR_CLASSIFY_H
#define SCRY_OCR_CLASSIFY_H

#include "model/trace.h"
#include "ocr/layers.h"

enum { SCRY_OCR_CLASSIFIED_HEIGHT = 48, SCRY_OCR_CLASSIFIED_WIDTH = 192, SCRY_OCR_CLASSIFIER_BLOCKS = 11 };

typedef struct scry_ocr_classifier {
    scry_ocr_conv stem;
    struct {
        scry_linear up, down;
        scry_ocr_depthwise dw;
        scry_ocr_se se;
        bool hard;            /* the activation is hard swish, else relu */
    } blocks[SCRY_OCR_CLASSIFIER_BLOCKS];
    scry_linear last;
    const float *head, *head_bias;   /* [2, 200], [2] */
} scry_ocr_classifier;

void scry_ocr_bind_classifier(scry_binder *b, scry_ocr_classifier *c);

/* Floats of memory of a pass. */
size_t scry_ocr_classify_floats(void);

/* The probability that the line in `rgb` [48, width, 3], width at most 192, is upside down. By one thread alone. */
float scry_ocr_classify(scry_nn *n, const scry_ocr_classifier *c, const uint8_t *rgb, size_t width, float *memory,
                        const scry_tracer *tracer);

#endif
