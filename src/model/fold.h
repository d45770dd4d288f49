/* fold.h - convolutions of several branches, as they are trained, folded into the one convolution that they amount to.
 *
 *     scry_fold f = scry_fold_begin(b, C, 1, 3);           depthwise, 3x3
 *     scry_fold_conv(b, &f, 3, "stem.1.conv_kxk.0");       a convolution and its batch norm
 *     scry_fold_norm(b, &f, 1, "stem.1.identity");         x itself, with a batch norm
 *
 * Each function adds one branch; names are formats, as in binder.h. Failures stay in the binder; when only checking, names
 * and shapes are checked.
 */
#ifndef SCRY_MODEL_FOLD_H
#define SCRY_MODEL_FOLD_H

#include "model/binder.h"

typedef struct scry_fold {
    size_t out, in, kernel;   /* `in` 1: each output has an input of its own */
    float *weights;           /* [out, in, kernel, kernel]; NULL when only checking or after a failure */
    float *bias;              /* [out] */
} scry_fold;

scry_fold scry_fold_begin(scry_binder *b, size_t out, size_t in, size_t kernel);

/* NAME.conv of a kernel not larger than the result's, without bias, and the batch norm NAME.bn. */
void scry_fold_conv(scry_binder *b, scry_fold *f, size_t kernel, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* NAME, a convolution of the result's shape with a bias. */
void scry_fold_plain(scry_binder *b, scry_fold *f, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* `factor` times the batch norm NAME of the input. */
void scry_fold_norm(scry_binder *b, scry_fold *f, float factor, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The result's weights [out, in, kernel, kernel] as [out, kernel, kernel, in], for a product of places whose channels lie
 * together; NULL when only checking or after a failure. */
const float *scry_fold_by_places(scry_binder *b, const scry_fold *f);

/* What was added so far times `gain` [out], plus the input. */
void scry_fold_residual(scry_fold *f, const float *gain);

/* A batch norm as factors and what is added, [n] each. */
typedef struct scry_affine {
    const float *gain, *shift;   /* NULL when only checking or after a failure */
} scry_affine;

scry_affine scry_fold_affine(scry_binder *b, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
