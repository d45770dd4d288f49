/* vector.h - half-precision vectors and their products.
 *
 * Stored vectors are IEEE binary16, little-endian. Products are summed in double, in an
 * order that depends on the dimension alone, so that equal vectors get equal scores on
 * every processor.
 *
 * Not here: which vectors to compare (scan.h) and where they come from (store/).
 */
#ifndef SCRY_VECTOR_VECTOR_H
#define SCRY_VECTOR_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/* Round to nearest, ties to even; beyond the largest finite value, infinity. */
void scry_half_from_float(uint16_t *out, const float *in, size_t n);
void scry_half_to_float(float *out, const uint16_t *in, size_t n);

/* Cosine of `query` [dim], of length `query_norm`, and the stored vector `row` [dim];
 * 0 when either has length 0. */
double scry_half_cosine(const float *query, double query_norm, const uint16_t *row, size_t dim);

/* Euclidean length. */
double scry_float_norm(const float *v, size_t n);

#endif
