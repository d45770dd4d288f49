/* reference.h - the reference implementation: products and attention as in their formulas, from the stored
 * weights, with sums in double precision. Slow; the kernels are tested against it, and `options.portable` uses
 * it. */
#ifndef SCRY_NN_REFERENCE_H
#define SCRY_NN_REFERENCE_H

#include "nn/attention.h"
#include "nn/linear.h"

void scry_reference_linear(const scry_nn *t, const scry_linear *l, const scry_product *p);
void scry_reference_attention(const scry_nn *t, const scry_attention *a);

#endif
