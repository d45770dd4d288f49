#include "vector/codes.h"

#include "base/alloc.h"
#include "vector/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CODE_MAX = 127, CODE_BIAS = 128, WIDE_MAX = 127 * 128 + 63, CHUNK = 256 };

size_t scry_code_stride(size_t dim)
{
    return (dim + 63) / 64 * 64;
}

size_t scry_block_bytes(size_t dim)
{
    return SCRY_BLOCK_ROWS * (2 * sizeof(float) + scry_code_stride(dim) / 8 * 9);
}

/* A float not below x. */
static float round_up(double x)
{
    float f = (float)(x * (1 + 1e-6) + 1e-9);
    return (double)f < x ? nextafterf(f, INFINITY) : f;
}

/* Halves away from zero; the same on every machine, and no call into libm. */
static int nearest(double x)
{
    return (int)(x < 0 ? x - 0.5 : x + 0.5);
}

/* The largest power of two that divides the stride, at least 64. */
static size_t rotation_size(size_t stride)
{
    return stride & (0 - stride);
}

/* Rotate in place: signs by a fixed pattern, then a fast Walsh-Hadamard transform of each
 * part. A component that stands out, as trained towers have them, is spread over its part,
 * so that no scale has to make room for it. */
static void rotate(double *x, size_t stride)
{
    size_t size = rotation_size(stride);
    double scale = 1 / sqrt((double)size);
    for (size_t i = 0; i < stride; i++)
        x[i] *= __builtin_parity((unsigned)(i * 0x9e3779b1u) & 0x5a5a5a5au) ? -scale : scale;
    for (size_t part = 0; part < stride; part += size)
        for (size_t half = 1; half < size; half *= 2)
            for (size_t i = part; i < part + size; i += 2 * half)
                for (size_t k = i; k < i + half; k++) {
                    double a = x[k], b = x[k + half];
                    x[k] = a + b;
                    x[k + half] = a - b;
                }
}

static double largest_of(const double *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fabs(x[i]) > most ? fabs(x[i]) : most;
    return most;
}

static double length_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* x = x / its length, rotated; false when it has none. */
static bool to_rotated_unit(double *x, size_t dim, size_t stride)
{
    double norm = length_of(x, dim);
    if (!(norm > 0) || !isfinite(norm))
        return false;
    for (size_t i = 0; i < dim; i++)
        x[i] /= norm;
    for (size_t i = dim; i < stride; i++)
        x[i] = 0;
    rotate(x, stride);
    return true;
}

void scry_code_encode(uint8_t *code, uint8_t *signs, float *scale, float *error, const uint16_t *row, size_t dim)
{
    size_t stride = scry_code_stride(dim);
    double x[SCRY_CODE_DIM_MAX], rest = 0;
    float part[CHUNK];
    for (size_t at = 0; at < dim; at += CHUNK) {
        size_t n = dim - at < CHUNK ? dim - at : CHUNK;
        scry_half_to_float(part, row + at, n);
        for (size_t i = 0; i < n; i++)
            x[at + i] = (double)part[i];
    }
    memset(code, CODE_BIAS, stride);
    memset(signs, 0, stride / 8);
    *scale = *error = 0;
    if (!to_rotated_unit(x, dim, stride))   /* no direction: its cosine is 0 by definition */
        return;
    *scale = (float)(largest_of(x, stride) / CODE_MAX);
    double s = (double)*scale, inverse = 1 / s;
    for (size_t i = 0; i < stride; i++) {
        int c = nearest(x[i] * inverse);
        c = c > CODE_MAX ? CODE_MAX : c < -CODE_MAX ? -CODE_MAX : c;
        double r = x[i] - s * c;
        rest += r * r;
        code[i] = (uint8_t)(c + CODE_BIAS);
        signs[i / 8] |= (uint8_t)((x[i] > 0) << (i % 8));
    }
    *error = round_up(sqrt(rest));
}

void scry_block_encode(void *block, size_t i, const uint16_t *row, size_t dim)
{
    size_t stride = scry_code_stride(dim);
    scry_code_encode(scry_block_codes(block) + i * stride, scry_block_signs(block, dim) + i * (stride / 8),
                     scry_block_scales(block) + i, scry_block_errors(block) + i, row, dim);
}

/* The largest integer such that no sum of products leaves 32 bits. */
static int value_limit(size_t dim, bool wide)
{
    int64_t most = INT32_MAX / (int64_t)(CODE_MAX * dim);
    int64_t limit = wide ? WIDE_MAX : CODE_MAX;
    return (int)(most < limit ? most : limit);
}

int scry_code_query_init(scry_code_query *q, const float *query, size_t dim, bool wide)
{
    size_t stride = scry_code_stride(dim);
    memset(q, 0, sizeof *q);
    q->stride = stride;
    q->wide = wide;
    q->value = scry_try_alloc_aligned(stride, sizeof *q->value + 2 * sizeof *q->high);
    if (!q->value)
        return -1;
    q->high = (int8_t *)(q->value + stride);
    q->low = q->high + stride;
    double x[SCRY_CODE_DIM_MAX], rest = 0, sum = 0;
    for (size_t i = 0; i < dim; i++)
        x[i] = (double)query[i];
    if (!to_rotated_unit(x, dim, stride))
        return 0;
    q->step = (float)(largest_of(x, stride) / value_limit(stride, wide));
    for (size_t i = 0; i < stride; i++) {
        double d = nearest(x[i] / (double)q->step), r = x[i] - (double)q->step * d;
        rest += r * r;
        sum += d;
        q->value[i] = (int16_t)d;
        q->high[i] = (int8_t)(wide ? (q->value[i] + 64) >> 7 : q->value[i]);
        q->low[i] = (int8_t)(wide ? q->value[i] - 128 * q->high[i] : 0);
    }
    q->bias = (int32_t)(uint32_t)(int64_t)(CODE_BIAS * sum);
    q->error = round_up(sqrt(rest));
    return 0;
}

void scry_code_query_dispose(scry_code_query *q)
{
    free(q->value);
    memset(q, 0, sizeof *q);
}
