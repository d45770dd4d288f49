/* outliers.h - int8 towers: channels that are much larger than the others.
 *
 * Trained towers have a few channels whose values are tens of times the others'. With one int8
 * scale for a row, only a few steps are left for its other channels; and some heads' attention
 * is so sharp that rounding the scores changes which token gets the weight. Both can be
 * estimated from the weights alone, without calibration pictures.
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

/* Factors s [K]: the outputs of a layer norm are divided by them and the weights of the
 * following product multiplied, which leaves the product unchanged but for rounding. A
 * channel's range is estimated from the norm's gain and bias, that of its weights from a
 * sample; s balances the two (SmoothQuant, arXiv 2211.10438, with the norm instead of
 * calibration pictures). */
void scry_outliers_spread(const float *gain, const float *bias, const scry_stacked *w, float *s);

/* Whether attention is so sharp that queries and keys need more than int8: qkv [3 K, K]
 * after a norm of `gain`, before the factors above are applied. */
bool scry_outliers_sharp(const float *gain, const scry_stacked *qkv, size_t heads);

#endif
