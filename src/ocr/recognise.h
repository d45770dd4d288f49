/* recognise.h - what a line of text says: a picture of the line to the likeliest character at each of its places. */
#ifndef SCRY_OCR_RECOGNISE_H
#define SCRY_OCR_RECOGNISE_H

#include "ocr/trunk.h"

enum {
    SCRY_OCR_LINE_HEIGHT = 48,
    SCRY_OCR_MAX_LINE_WIDTH = 8192,   /* longer lines are made narrower */
    SCRY_OCR_LAYERS = 2
};

typedef struct scry_ocr_mixer {
    scry_norm norm1, norm2;
    scry_linear qkv, proj, fc1, fc2;
} scry_ocr_mixer;

typedef struct scry_ocr_recogniser {
    scry_ocr_trunk trunk;
    scry_linear aside, in;
    scry_ocr_depthwise dw;
    scry_ocr_mixer layers[SCRY_OCR_LAYERS];
    scry_norm norm;
    scry_linear head;
    size_t classes;
} scry_ocr_recogniser;

/* `classes`: nothing, the characters, space. */
void scry_ocr_bind_recogniser(scry_binder *b, scry_ocr_recogniser *r, size_t classes);

/* Places of a line whose picture is `padded` wide; floats of memory of a pass. */
size_t scry_ocr_line_places(size_t padded);
size_t scry_ocr_recognise_floats(const scry_ocr_recogniser *r, size_t padded);

typedef struct scry_ocr_recognition {
    scry_ocr_pixels pixels;      /* SCRY_OCR_LINE_HEIGHT high */
    float *memory;               /* [scry_ocr_recognise_floats] */
    const scry_tracer *tracer;   /* may be NULL */
    uint32_t *best;              /* [places]: the likeliest class */
    float *probability;          /* [places]: of that class, where it is neither 0 nor that of the place before; else 0 */
} scry_ocr_recognition;

/* By one thread alone. */
void scry_ocr_recognise(scry_nn *n, const scry_ocr_recogniser *r, const scry_ocr_recognition *job);

#endif
