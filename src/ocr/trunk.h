/* trunk.h - the part that detection and recognition have in common, PP-OCRv6's LCNet: a picture to maps of 1/4 of its size and
 * less.
 *
 *     stem    3x3 by 2 -> c;  beside each other: the largest of 2x2, and 2x2 -> c/2, 2x2 -> c;  3x3 by 2 -> c;  1x1 -> width
 *     block   y = depthwise 3x3 x (times squeeze and excite);  y + down(gelu(up(y)))
 *     shrink  down(gelu(up(depthwise 3x3 by 2 x))), between stages
 *
 * In detection a stage has half the height and width of the one before, in recognition half the height. */
#ifndef SCRY_OCR_TRUNK_H
#define SCRY_OCR_TRUNK_H

#include "model/trace.h"
#include "ocr/layers.h"

enum { SCRY_OCR_STAGES = 4, SCRY_OCR_BLOCKS = 6 };

typedef struct scry_ocr_block {
    scry_ocr_depthwise dw;
    scry_ocr_se se;
    scry_linear up, down;
} scry_ocr_block;

typedef struct scry_ocr_trunk {
    const char *name;                 /* "det" or "rec" */
    scry_ocr_conv stem[5];
    size_t stem_width, stages;
    size_t width[SCRY_OCR_STAGES], layers[SCRY_OCR_STAGES];
    unsigned squeezed[SCRY_OCR_STAGES];   /* bit k: block k has squeeze and excite */
    size_t stride_x;                  /* of shrinking, whose stride along rows is 2 */
    scry_ocr_block shrink[SCRY_OCR_STAGES], blocks[SCRY_OCR_STAGES][SCRY_OCR_BLOCKS];
} scry_ocr_trunk;

/* Bytes of pixels, [height, width, 3] RGB, followed in each row by zeros (which are grey) up to `padded` places. */
typedef struct scry_ocr_pixels {
    const uint8_t *rgb;
    size_t height, width, padded;
} scry_ocr_pixels;

/* The sizes of `t` are set by the caller; its parameters are bound. */
void scry_ocr_bind_trunk(scry_binder *b, scry_ocr_trunk *t);

/* The size of stage i's map. */
size_t scry_ocr_stage_height(const scry_ocr_trunk *t, size_t i, size_t height);
size_t scry_ocr_stage_width(const scry_ocr_trunk *t, size_t i, size_t width);

/* Floats of a thread's own memory, and of what the team shares: sums of rows. */
size_t scry_ocr_trunk_own_floats(const scry_ocr_trunk *t, size_t padded);
size_t scry_ocr_trunk_shared_floats(const scry_ocr_trunk *t, const scry_ocr_pixels *p);

typedef struct scry_ocr_pass {
    const scry_tracer *tracer;        /* may be NULL */
    float *own;                       /* this thread's */
    float *sums;                      /* shared */
} scry_ocr_pass;

/* Stage i's map is maps[i], [height, width, width of the stage]; `other` has room for the largest. The pointers of `maps` are
 * set to where they are, in two pieces of memory each: x and other are exchanged. Ends with a barrier of the team. */
void scry_ocr_run_trunk(scry_nn *n, const scry_ocr_trunk *t, const scry_ocr_pixels *p, const scry_ocr_pass *pass,
                        scry_ocr_map maps[SCRY_OCR_STAGES], float *other[SCRY_OCR_STAGES]);

#endif
