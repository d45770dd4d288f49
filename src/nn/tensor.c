#include "nn/tensor.h"

#include <math.h>

size_t scry_dtype_size(scry_dtype t)
{
    static const size_t sizes[] = { 4, 2, 2, 1 };
    return sizes[t];
}

size_t scry_tensor_row_size(const scry_tensor *t)
{
    size_t n = 1;
    for (int i = 1; i < t->rank; i++)
        n *= t->shape[i];
    return n;
}

size_t scry_tensor_count(const scry_tensor *t)
{
    return (t->rank ? t->shape[0] : 1) * scry_tensor_row_size(t);
}

float scry_from_f16(uint16_t h)
{
    uint32_t magnitude = h & 0x7FFFu, bits = magnitude << 13;   /* at the place of a float's, 112 too small in the exponent */
    float f;
    if (magnitude >= 0x7C00)
        bits |= 0x7F800000;   /* infinity and NaN */
    memcpy(&f, &bits, sizeof f);
    f = magnitude >= 0x7C00 ? f : f * 0x1p112f;
    return h & 0x8000 ? -f : f;
}

void scry_to_floats(scry_dtype from, const void *src, size_t n, float *out)
{
    switch (from) {
    case SCRY_DTYPE_F32:
        memcpy(out, src, n * sizeof *out);
        break;
    case SCRY_DTYPE_F16:
        for (size_t i = 0; i < n; i++)
            out[i] = scry_from_f16(((const uint16_t *)src)[i]);
        break;
    case SCRY_DTYPE_BF16:
        for (size_t i = 0; i < n; i++)
            out[i] = scry_from_bf16(((const uint16_t *)src)[i]);
        break;
    case SCRY_DTYPE_I8:
        for (size_t i = 0; i < n; i++)
            out[i] = ((const int8_t *)src)[i];
        break;
    }
}

/* By sixteen, for which the compiler uses vectors. */
static void scale_bytes(const int8_t *restrict from, float scale, size_t n, float *restrict out)
{
    enum { LANES = 16 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            out[i + k] = (float)from[i + k] * scale;
    for (; i < n; i++)
        out[i] = (float)from[i] * scale;
}

void scry_tensor_row(const scry_tensor *t, size_t row, float *out)
{
    size_t n = scry_tensor_row_size(t);
    const char *at = (const char *)t->data + row * n * scry_dtype_size(t->dtype);
    if (t->scale)
        scale_bytes((const int8_t *)at, t->scale[row], n, out);
    else
        scry_to_floats(t->dtype, at, n, out);
}

void scry_tensor_floats(const scry_tensor *t, float *out)
{
    size_t rows = t->rank ? t->shape[0] : 1, n = scry_tensor_row_size(t);
    for (size_t r = 0; r < rows; r++)
        scry_tensor_row(t, r, out + r * n);
}

/* An exponent of all ones is NaN or infinity: the branch-free form vectorises. */
static bool finite32(const uint32_t *p, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= (p[i] & 0x7F800000) == 0x7F800000;
    return !bad;
}

static bool finite16(const uint16_t *p, size_t n, uint16_t exponent)
{
    uint16_t bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= (p[i] & exponent) == exponent;
    return !bad;
}

bool scry_tensor_finite(const scry_tensor *t)
{
    size_t n = scry_tensor_count(t);
    switch (t->dtype) {
    case SCRY_DTYPE_F32: return finite32(t->data, n);
    case SCRY_DTYPE_F16: return finite16(t->data, n, 0x7C00);
    case SCRY_DTYPE_BF16: return finite16(t->data, n, 0x7F80);
    case SCRY_DTYPE_I8: break;
    }
    return !t->scale || finite32((const uint32_t *)t->scale, t->shape[0]);
}
