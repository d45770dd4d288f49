/* vector_internal.h - vector.h's functions, portable, for processors with F16C and for those with NEON.
 *
 * All sum into eight partial sums by index and add these pairwise. Products of a half and
 * a float are exact in double, so that all give the same bits. */
#ifndef SCRY_VECTOR_VECTOR_INTERNAL_H
#define SCRY_VECTOR_VECTOR_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/* Products of the row with the query and with itself. */
typedef struct scry_half_sums {
    double dot, square;
} scry_half_sums;

scry_half_sums scry_half_sums_portable(const float *query, const uint16_t *row, size_t dim);
void scry_half_to_float_portable(float *out, const uint16_t *in, size_t n);
void scry_half_from_float_portable(uint16_t *out, const float *in, size_t n);

#ifdef __x86_64__
scry_half_sums scry_half_sums_f16c(const float *query, const uint16_t *row, size_t dim);
void scry_half_to_float_f16c(float *out, const uint16_t *in, size_t n);
void scry_half_from_float_f16c(uint16_t *out, const float *in, size_t n);
#endif
#ifdef __aarch64__
scry_half_sums scry_half_sums_neon(const float *query, const uint16_t *row, size_t dim);
void scry_half_to_float_neon(float *out, const uint16_t *in, size_t n);
void scry_half_from_float_neon(uint16_t *out, const float *in, size_t n);
#endif

#endif
