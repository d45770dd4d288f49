/* scan_kernels_loops.h - the loops that kernels with vector registers have in common.
 *
 * Included by a kernel's file behind its own
 *
 *     TARGET, LANES       instruction set, floats in a register
 *     dot4(row, q)        [4] products of four rows, as __m128i
 *     select_mask(...)    which of LANES neighbouring rows reach the threshold, a bit each
 */

/* Rows are multiplied one after the other in the order of memory. Taking turns between four
 * rows, or the last of four first (as GCC evaluates a call's arguments), the prefetchers of
 * Zen 4 give a third of the bandwidth; in order they need no help from instructions. */
TARGET static void dots(int32_t *out, const uint8_t *codes, const uint16_t *index, size_t rows,
                        const scry_code_query *q)
{
    for (size_t i = 0; i < rows; i += 4) {
        const uint8_t *row[4];
        size_t left = rows - i < 4 ? rows - i : 4;
        for (size_t k = 0; k < 4; k++) {
            size_t at = i + (k < left ? k : 0);
            row[k] = codes + (index ? index[at] : at) * q->stride;
        }
        __m128i sums = _mm_sub_epi32(dot4(row, q), _mm_set1_epi32(q->bias));
        if (left == 4)
            _mm_storeu_si128((__m128i *)(void *)(out + i), sums);
        else
            memcpy(out + i, &sums, left * sizeof *out);
    }
}

TARGET static size_t select_rows(uint16_t *out, const int32_t *dot_of, const float *scale, const float *error,
                                 const uint16_t *index, size_t rows, float step, float gain, float threshold)
{
    size_t n = 0, i = 0;
    for (; !index && i + LANES <= rows; i += LANES)
        for (unsigned mask = select_mask(dot_of + i, scale + i, error + i, step, gain, threshold); mask;
             mask &= mask - 1)
            out[n++] = (uint16_t)(i + (unsigned)__builtin_ctz(mask));
    return scry_select_from(out, n, i, dot_of, scale, error, index, rows, step, gain, threshold);
}
