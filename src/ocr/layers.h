/* layers.h - the operations that the three networks of src/ocr are made of.
 *
 * Maps have their channels last, as everywhere here, and are computed in strips of rows that stay in the cache. A team shares the
 * rows of a map; products run on one thread each, on its own rows.
 */
#ifndef SCRY_OCR_LAYERS_H
#define SCRY_OCR_LAYERS_H

#include "model/binder.h"
#include "nn/depthwise.h"
#include "nn/nn.h"

/* A picture's rows [first, first + stored) as floats, or all of them: [stored, width, c], `ld` floats from place to place.
 * Rows and columns outside the picture read as zero. Column `alike` stands for itself and for `more` columns that were left out
 * after it, since they are the same in all rows. */
typedef struct scry_ocr_map {
    float *x;
    size_t height, width, c, ld;
    ptrdiff_t first;
    size_t alike, more;
} scry_ocr_map;

/* Rows [from, to). */
typedef struct scry_ocr_rows {
    ptrdiff_t from, to;
} scry_ocr_rows;

/* The whole map of such a size in `x`. */
scry_ocr_map scry_ocr_whole(float *x, size_t height, size_t width, size_t c);
/* A map's rows from `first` on in `x`. */
scry_ocr_map scry_ocr_part(float *x, size_t height, size_t width, size_t c, ptrdiff_t first);

enum { SCRY_OCR_PLACES = 256 };   /* a product is made for so many places at once */

/* ---- convolutions ---- */

typedef struct scry_ocr_conv {
    scry_linear linear;       /* [outputs, kernel * kernel * inputs] */
    size_t kernel, stride, pad;   /* pad: zeros before the first row and column; as many as needed follow the last */
    scry_act act;
} scry_ocr_conv;

/* NAME.weight, and NAME.bias if `biased`. */
void scry_ocr_bind_linear(scry_binder *b, scry_linear *l, size_t n, size_t k, bool biased, const char *name);
void scry_ocr_bind_conv(scry_binder *b, scry_ocr_conv *c, const size_t sizes[2], const char *name);   /* { outputs, inputs } */

/* These rows of the output, by this thread alone. `columns` is [SCRY_OCR_PLACES, K]. */
void scry_ocr_conv_rows(const scry_nn *t, const scry_ocr_conv *c, const scry_ocr_map *in, const scry_ocr_map *out,
                        scry_ocr_rows rows,
                        float *columns);

/* The product of scry_linear_run, by this thread alone. */
void scry_ocr_product(const scry_nn *t, const scry_linear *l, const scry_product *p);

typedef struct scry_ocr_depthwise {
    scry_depthwise_conv conv;
    size_t stride_y;          /* conv.stride is that of columns */
    scry_act act;
} scry_ocr_depthwise;

void scry_ocr_bind_depthwise(scry_binder *b, scry_ocr_depthwise *d, size_t c, size_t kernel, const char *name);
/* Rows [y, end) of the output, by this thread alone. */
void scry_ocr_depthwise_rows(const scry_nn *t, const scry_ocr_depthwise *d, const scry_ocr_map *in, const scry_ocr_map *out,
                             size_t y,
                             size_t end);

/* ---- squeeze and excite ---- */

/* Factors of the channels, from their means: hard_sigmoid(w2 relu(w1 mean + b1) + b2). */
typedef struct scry_ocr_se {
    size_t c, reduced;        /* reduced 0: there is none */
    const float *w1, *b1;     /* [reduced, c], [reduced] */
    const float *w2, *b2;     /* [c, reduced], [c] */
    float slope;              /* of the hard sigmoid: 1/6 or 1/5 */
} scry_ocr_se;

void scry_ocr_bind_se(scry_binder *b, scry_ocr_se *se, const size_t sizes[2], float slope, const char *name);   /* { c, reduced } */

/* Sums of the channels of rows [y, end) to sums [height, c], each row apart, so that the total does not depend on the team's
 * size. */
void scry_ocr_row_sums(const scry_ocr_map *m, size_t y, size_t end, float *sums);

/* The factors, from all rows' sums, to `factor` [c + reduced]; the width is with the columns that were left out. */
void scry_ocr_se_factors(const scry_ocr_se *se, const float *sums, size_t height, size_t width, float *factor);

/* Rows [y, end) times `factor`, or 1 + factor. */
void scry_ocr_scale_rows(const scry_ocr_map *m, size_t y, size_t end, const float *factor, bool plus_one);

#endif
