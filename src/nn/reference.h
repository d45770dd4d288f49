/* reference.h - the oracle: products and attention as their formulas read, straight from
 * the stored weights, in double precision sums. Slow on purpose; what the fast paths are
 * held against, and what `options.portable` runs. */
#ifndef SCRY_NN_REFERENCE_H
#define SCRY_NN_REFERENCE_H

#include "nn/attention.h"
#include "nn/linear.h"

void scry_reference_linear(const scry_nn *t, const scry_linear *l, const scry_product *p);
void scry_reference_attention(const scry_nn *t, const scry_attention *a);

#endif
