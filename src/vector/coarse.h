/* coarse.h - selects the rows that an approximate scan reads.
 *
 * A rotated vector (codes.h) is represented by the signs of its components, one bit each, an
 * eighth of its code. The sum of the query's components over the set bits estimates the
 * cosine: for random vectors of D dimensions with an error of about 0.75 / sqrt(D - 1). So
 * a pass over the signs keeps the best few percent of the rows by that sum; these are scanned
 * like the rows of a filter in an exact scan. Nearer rows outside this selection are missed.
 *
 * The query is quantised to four bits: components are -8..7, stored as bit planes, the lowest
 * first, so that a sum is four ANDs and counts of bits. Not here: per-row corrections of that sum (they change
 * it by a tenth of its error).
 */
#ifndef SCRY_VECTOR_COARSE_H
#define SCRY_VECTOR_COARSE_H

#include "vector/scan.h"
#include "vector/scan_kernels.h"

typedef struct scry_coarse {
    const scry_scan_kernels *kernels;
    size_t words;           /* 64-bit words of a row's signs */
    uint64_t *planes;       /* [4][words]; owned */
    int32_t threshold;      /* rows whose sum reaches it are kept */
} scry_coarse;

/* Choose planes and threshold, from a sample, so that about the fraction `keep` of the rows whose bits are set
 * is kept; deterministic. 0, or -1 without memory. */
int scry_coarse_init(scry_coarse *c, const scry_scan_input *in, const float *query, double keep);
void scry_coarse_dispose(scry_coarse *c);

/* The kept rows among the first `rows` of a block: their positions, ascending, and how many.
 * `bits` has a bit for each row; `sums` has room for SCRY_BLOCK_ROWS numbers. */
size_t scry_coarse_list(const scry_coarse *c, void *block, size_t rows, const uint64_t *bits, int32_t *sums,
                        uint16_t *list);

#endif
