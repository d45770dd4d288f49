/* kernel_scalar.c - the loops as Pillow writes them; the vector kernels are tested
 * against these. */
#include "resize/kernels.h"

static void horizontal(const scry_taps *t, int rows, const uint8_t *const *in, uint8_t *const *out)
{
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < t->count; i++) {
            const int32_t *k = t->k + (size_t)i * (size_t)t->width;
            const uint8_t *p = in[r] + 3 * (size_t)t->start[i];
            int32_t red = 0, green = 0, blue = 0;
            for (int j = 0; j < t->n[i]; j++, p += 3) {
                red += p[0] * k[j];
                green += p[1] * k[j];
                blue += p[2] * k[j];
            }
            out[r][3 * i] = scry_weight_round(red);
            out[r][3 * i + 1] = scry_weight_round(green);
            out[r][3 * i + 2] = scry_weight_round(blue);
        }
    }
}

static void vertical(const int32_t *k, int n, const uint8_t *in, size_t stride, size_t bytes,
                     uint8_t *out)
{
    enum { CHUNK = 64 };   /* sums that stay in registers or the first cache */
    for (size_t at = 0; at < bytes; at += CHUNK) {
        size_t count = bytes - at < CHUNK ? bytes - at : CHUNK;
        int32_t sum[CHUNK] = { 0 };
        for (int j = 0; j < n; j++) {
            const uint8_t *p = in + (size_t)j * stride + at;
            for (size_t i = 0; i < count; i++)
                sum[i] += p[i] * k[j];
        }
        for (size_t i = 0; i < count; i++)
            out[at + i] = scry_weight_round(sum[i]);
    }
}

const scry_resize_kernels *scry_resize_kernels_scalar(void)
{
    static const scry_resize_kernels table = { "scalar", horizontal, vertical };
    return &table;
}

const scry_resize_kernels *scry_resize_kernels_best(void)
{
    const scry_resize_kernels *avx2 = scry_resize_kernels_avx2(), *neon = scry_resize_kernels_neon();
    return avx2 ? avx2 : neon ? neon : scry_resize_kernels_scalar();
}
