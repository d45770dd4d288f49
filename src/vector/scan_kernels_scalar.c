/* scan_kernels_scalar.c - the portable kernels, and the meaning of all others. */
#include "vector/scan_kernels.h"

/* Sums wrap modulo 2^32 on the way; the whole fits 32 bits (codes.c sees to that). */
static int32_t dot(const uint8_t *code, const scry_code_query *q)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < q->stride; i++)
        sum += (uint32_t)((int32_t)code[i] * q->value[i]);
    return (int32_t)(sum - (uint32_t)q->bias);
}

static void dots(int32_t *out, const uint8_t *codes, const uint16_t *index, size_t rows,
                 const scry_code_query *q)
{
    for (size_t i = 0; i < rows; i++)
        out[i] = dot(codes + (index ? index[i] : i) * q->stride, q);
}

static size_t select_rows(uint16_t *out, const int32_t *dot_of, const uint16_t *index, size_t rows, const scry_bounds *b)
{
    return scry_select_from(out, 0, 0, dot_of, index, rows, b);
}

static void signs(int32_t *out, const uint8_t *rows, size_t n, const uint64_t *planes, size_t words)
{
    for (size_t i = 0; i < n; i++)
        out[i] = scry_signs_rest(rows + i * words * 8, planes, 0, words);
}

const scry_scan_kernels scry_scan_kernels_scalar = { "scalar", dots, NULL, select_rows, signs, false };
