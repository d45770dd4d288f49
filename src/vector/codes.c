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
    return SCRY_BLOCK_ROWS * (2 * sizeof(float) + scry_code_stride(dim));
}

/* A float not below x. */
static float round_up(double x)
{
    float f = (float)(x * (1 + 1e-6) + 1e-9);
    return (double)f < x ? nextafterf(f, INFINITY) : f;
}

/* Length and largest component of a stored vector. */
static void measure(const uint16_t *row, size_t dim, double *norm, double *largest)
{
    float v[CHUNK];
    double sum = 0, most = 0;
    for (size_t at = 0; at < dim; at += CHUNK) {
        size_t n = dim - at < CHUNK ? dim - at : CHUNK;
        scry_half_to_float(v, row + at, n);
        for (size_t i = 0; i < n; i++) {
            sum += (double)v[i] * v[i];
            most = fabs((double)v[i]) > most ? fabs((double)v[i]) : most;
        }
    }
    *norm = sqrt(sum);
    *largest = most;
}

void scry_code_encode(uint8_t *code, float *scale, float *error, const uint16_t *row, size_t dim)
{
    float v[CHUNK];
    double norm, largest, rest = 0;
    measure(row, dim, &norm, &largest);
    memset(code, CODE_BIAS, scry_code_stride(dim));
    if (!(norm > 0) || !isfinite(norm)) {   /* no direction: its cosine is 0 by definition */
        *scale = *error = 0;
        return;
    }
    *scale = (float)(largest / norm / CODE_MAX);
    double s = (double)*scale, inverse = 1 / (norm * s);
    for (size_t at = 0; at < dim; at += CHUNK) {
        size_t n = dim - at < CHUNK ? dim - at : CHUNK;
        scry_half_to_float(v, row + at, n);
        for (size_t i = 0; i < n; i++) {
            double c = nearbyint((double)v[i] * inverse);
            c = c > CODE_MAX ? CODE_MAX : c < -CODE_MAX ? -CODE_MAX : c;
            double r = (double)v[i] / norm - s * c;
            rest += r * r;
            code[at + i] = (uint8_t)((int)c + CODE_BIAS);
        }
    }
    *error = round_up(sqrt(rest));
}

void scry_block_encode(void *block, size_t i, const uint16_t *row, size_t dim)
{
    scry_code_encode(scry_block_codes(block) + i * scry_code_stride(dim), scry_block_scales(block) + i,
                     scry_block_errors(block) + i, row, dim);
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
    double norm = scry_float_norm(query, dim), largest = 0, rest = 0, sum = 0;
    for (size_t i = 0; i < dim; i++)
        largest = fabs((double)query[i]) > largest ? fabs((double)query[i]) : largest;
    if (!(norm > 0))
        return 0;
    q->step = (float)(largest / norm / value_limit(dim, wide));
    for (size_t i = 0; i < dim; i++) {
        double u = (double)query[i] / norm, d = nearbyint(u / (double)q->step);
        double r = u - (double)q->step * d;
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
