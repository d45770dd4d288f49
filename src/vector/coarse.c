#include "vector/coarse.h"

#include "base/alloc.h"
#include "base/bits.h"

#include <stdlib.h>
#include <string.h>

enum { PLANES = 4, LEAST = -8, MOST = 7, SAMPLE = 8192, GROUP = 8 };

static int quantise_query(scry_coarse *c, const float *query, size_t dim)
{
    scry_code_query q;
    c->planes = scry_try_alloc_aligned(PLANES * c->words, sizeof *c->planes);
    int result = scry_code_query_init(&q, query, dim, true);
    int most = 1;
    for (size_t i = 0; result == 0 && i < q.stride; i++)
        most = abs(q.value[i]) > most ? abs(q.value[i]) : most;
    for (size_t i = 0; result == 0 && c->planes && i < q.stride; i++) {
        int scaled = 2 * MOST * q.value[i], half = scaled < 0 ? -most : most;
        unsigned bits = (unsigned)((scaled + half) / (2 * most)) & 15;
        for (size_t p = 0; p < PLANES; p++)
            c->planes[p * c->words + i / 64] |= (uint64_t)(bits >> p & 1) << (i % 64);
    }
    scry_code_query_dispose(&q);
    return result == 0 && c->planes ? 0 : -1;
}

/* Count each sum over a sample of the rows with a bit; returns the sample's size. Rows are read in
 * groups of eight, which the kernels are fastest with. */
static size_t sample_sums(const scry_coarse *c, const scry_scan_input *in, uint32_t *counts)
{
    size_t set = 1 + scry_bits_count(in->bits, (in->rows + 63) / 64), taken = 0, groups = in->rows / GROUP;
    size_t step = groups * set / in->rows * GROUP / SAMPLE + 1;
    for (size_t row = 0; row + GROUP <= in->rows; row += step * GROUP) {
        const uint8_t *signs = scry_block_signs(in->blocks[row / SCRY_BLOCK_ROWS], in->dim);
        uint64_t bits = in->bits[row / 64] >> (row % 64);
        int32_t sums[GROUP];
        c->kernels->signs(sums, signs + row % SCRY_BLOCK_ROWS * 8 * c->words, GROUP, c->planes, c->words);
        for (size_t i = 0; i < GROUP; i++)
            if (bits >> i & 1) {
                counts[sums[i] - LEAST * 64 * (int32_t)c->words]++;
                taken++;
            }
    }
    return taken;
}

int scry_coarse_init(scry_coarse *c, const scry_scan_input *in, const float *query, double keep)
{
    size_t stride = scry_code_stride(in->dim), sums = (MOST - LEAST) * stride + 1;
    *c = (scry_coarse){ .kernels = scry_scan_kernels_best(), .words = stride / 64 };
    uint32_t *counts = scry_try_alloc(sums, sizeof *counts);
    if (!counts || quantise_query(c, query, in->dim) < 0) {
        free(counts);
        return -1;
    }
    double wanted = keep * (double)sample_sums(c, in, counts), found = 0;
    size_t i = sums;
    while (i > 0 && found < wanted)
        found += counts[--i];
    c->threshold = (int32_t)i + LEAST * (int32_t)stride;
    free(counts);
    return 0;
}

void scry_coarse_dispose(scry_coarse *c)
{
    free(c->planes);
    c->planes = NULL;
}

size_t scry_coarse_list(const scry_coarse *c, void *block, size_t rows, const uint64_t *bits, int32_t *sums,
                        uint16_t *list)
{
    size_t n = 0;
    c->kernels->signs(sums, scry_block_signs(block, c->words * 64), rows, c->planes, c->words);
    for (size_t i = 0; i < rows; i++) {
        list[n] = (uint16_t)i;
        n += sums[i] >= c->threshold;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        list[kept] = list[i];
        kept += bits[list[i] / 64] >> (list[i] % 64) & 1;
    }
    return kept;
}
