/* outliers.h - what int8 towers do about channels that are much larger than the others.
 *
 * Trained towers have a few channels whose values are tens of times the others'. In int8
 * they leave the rest of their row a handful of steps, and they make some heads' attention
 * so sharp that rounding the scores changes which token is looked at. Both can be told from
 * the weights alone, so that no calibration pictures are needed.
 */
#ifndef SCRY_MODEL_OUTLIERS_H
#define SCRY_MODEL_OUTLIERS_H

#include "nn/linear.h"

/* Weights [N, K] as they are stored: stacked parts of equal size. */
typedef struct scry_stacked {
    scry_tensor part[SCRY_LINEAR_MAX_PARTS];
    int parts;
    size_t n, k;
} scry_stacked;

/* By what the outputs of a layer norm are to be divided, and the weights that they are
 * multiplied with to be multiplied: s [K], exact in exact arithmetic. A channel's reach is
 * told by the norm's gain and bias, that of its weights by a sample of them; s evens the two
 * out (SmoothQuant, arXiv 2211.10438, with the norm in the place of calibration pictures). */
void scry_outliers_spread(const float *gain, const float *bias, const scry_stacked *w, float *s);

/* Whether attention is so sharp that queries and keys need more than int8: qkv [3 K, K] behind
 * a norm of `gain`, before any spreading. */
bool scry_outliers_sharp(const float *gain, const scry_stacked *qkv, size_t heads);

#endif
