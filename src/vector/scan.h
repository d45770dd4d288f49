/* scan.h - exact search for the nearest of many vectors.
 *
 * One pass over the codes (codes.h) keeps every row whose upper bound reaches the k-th
 * best lower bound seen so far. The few remaining ones are scored in double
 * from their stored vectors, best upper bound first, until no bound reaches the k-th best score:
 * all rows that were not scored are provably worse. The result equals brute force over the stored
 * vectors, ties included.
 *
 * Batches of queries share the pass: a row's code is read from memory once for all of them.
 * A filter is a bitmap; blocks and words without a bit are not read. The same queries can be asked of a second bitmap in
 * the same pass: their products are computed once for both.
 *
 * An approximate scan first selects rows by their signs and is exact among these. Its
 * queries do not share a pass.
 */
#ifndef SCRY_VECTOR_SCAN_H
#define SCRY_VECTOR_SCAN_H

#include "base/pool.h"
#include "vector/codes.h"

typedef struct scry_near {
    double score;               /* cosine over the stored vector */
    uint32_t row;
} scry_near;

typedef struct scry_near_list {
    scry_near *items;           /* best first; owned: free(items) */
    size_t count;
    size_t rescored;            /* stored vectors read, for traces and tests */
} scry_near_list;

/* What else the queries are asked of; members as those of scry_scan_input. */
typedef struct scry_scan_part {
    const uint64_t *bits;       /* of which some need not be among the others */
    size_t k;                   /* above 0 */
    double min_score;
    scry_near_list *out;        /* [n] */
} scry_scan_part;

/* What is scanned; borrowed for the call. */
typedef struct scry_scan_input {
    size_t dim, rows;
    void *const *blocks;        /* codes; row i is row i % SCRY_BLOCK_ROWS of block i / it */
    const uint8_t *vectors;     /* stored vectors, row i at i * row_bytes */
    size_t row_bytes;
    const uint64_t *bits;       /* a bit a row: whether it takes part; (rows + 63) / 64 words */
    void (*done)(void *arg, void *block);   /* called when a pass is through with it; may be NULL */
    void *done_arg;
    double keep;                /* 0: exact; else only about this part of the rows is scored, the best by one
                                   bit per dimension (coarse.h) */
    size_t k;                   /* results of each query */
    double min_score;           /* -2 excludes none */

    /* The codes of a block of which `rows` rows are to be read: blocks[block], or NULL, where these are not to be trusted:
     * then the rows are scored from their vectors without them. Called by all threads. NULL: all are good. */
    void *(*codes)(void *arg, size_t block, size_t rows);
    void *codes_arg;
    const struct scry_scan_kernels *kernels;   /* NULL: the best of this processor; tests take each */
    const scry_scan_part *part; /* NULL: nothing else. Not with `keep` */
} scry_scan_input;

/* For each of the `n` queries [n, dim]: the rows with the k best cosines that are >= min_score,
 * and all that tie with the last of them. `out` is [n]; the caller frees every list, those of
 * in->part, too. `pool` may be NULL. 0, or -1 without memory (then nothing is to be freed). */
int scry_scan(const scry_scan_input *in, const float *queries, size_t n, scry_pool *pool, scry_near_list *out);

#endif
