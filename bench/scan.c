/* scan.c - how fast the exact scan is, against what memory could give at best.
 *
 *     build/release/bench/scan [ROWS [DIM [CLUSTERS]]]
 *
 * Prints a table of tab-separated values: what, threads, median and best milliseconds,
 * gigabytes of codes a second, that against plain reading, and queries a second. Vectors are
 * random around CLUSTERS centres (0: none); "read" is one pass of loads over the same codes.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "base/pool.h"
#include "vector/scan_kernels.h"
#include "vector/scan.h"
#include "vector/vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { RUNS = 41, BATCH = 32, TOP = 10 };

typedef struct {
    scry_scan_input in;
    void **blocks;
    uint8_t *vectors, *codes;
    uint64_t *bits, *some_bits;
    float *centres, *queries;
    size_t clusters, block_count;
    scry_pool *pool;
    volatile uint64_t sink;
} bench;

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Nearly normal numbers: sums of four bytes. */
static void random_vector(float *v, size_t dim, uint64_t seed)
{
    uint64_t state = seed * 0x2545f4914f6cdd1du + 99;
    for (size_t i = 0; i < dim; i += 2) {
        uint64_t z = next(&state);
        for (size_t k = 0; k < 2 && i + k < dim; k++, z >>= 32)
            v[i + k] = (float)(int)((z & 255) + (z >> 8 & 255) + (z >> 16 & 255) + (z >> 24 & 255)) - 510;
    }
}

static void unit(float *v, size_t dim)
{
    float scale = (float)(1 / scry_float_norm(v, dim));
    for (size_t i = 0; i < dim; i++)
        v[i] *= scale;
}

/* Half of each vector is its cluster's centre, as scenes and objects come together. */
static void make_vector(const bench *b, float *v, uint64_t seed)
{
    uint64_t state = seed;
    random_vector(v, b->in.dim, seed);
    unit(v, b->in.dim);
    if (b->clusters) {
        const float *centre = b->centres + next(&state) % b->clusters * b->in.dim;
        for (size_t i = 0; i < b->in.dim; i++)
            v[i] += centre[i];
        unit(v, b->in.dim);
    }
}

static void fill(void *arg, int index, int count)
{
    bench *b = arg;
    size_t dim = b->in.dim;
    float *v = scry_alloc(dim * sizeof *v);
    for (size_t block = (size_t)index; block < b->block_count; block += (size_t)count)
        for (size_t i = 0; i < SCRY_BLOCK_ROWS && block * SCRY_BLOCK_ROWS + i < b->in.rows; i++) {
            size_t row = block * SCRY_BLOCK_ROWS + i;
            uint16_t *half = (uint16_t *)(void *)(b->vectors + row * b->in.row_bytes);
            make_vector(b, v, row + 1);
            scry_half_from_float(half, v, dim);
            scry_block_encode(b->blocks[block], i, half, dim);
        }
    free(v);
}

static void *large(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("bench: memory");
        exit(2);
    }
    madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

/* One pass of loads, as wide as the compiler's vectors go. */
static void read_codes(void *arg, int index, int count)
{
    typedef uint64_t wide __attribute__((vector_size(64)));
    bench *b = arg;
    size_t bytes = b->block_count * scry_block_bytes(b->in.dim) / sizeof(wide);
    const wide *p = (const wide *)(const void *)b->codes;
    wide s[8] = { { 0 } };
    size_t from = bytes / (size_t)count * (size_t)index, to = from + bytes / (size_t)count / 8 * 8;
    for (size_t i = from; i < to; i += 8)
        for (int k = 0; k < 8; k++)
            s[k] ^= p[i + (size_t)k];
    for (int k = 1; k < 8; k++)
        s[0] ^= s[k];
    b->sink ^= s[0][0] ^ s[0][5];
}

static int compare(const void *x, const void *y)
{
    const double *a = x, *b = y;
    return *a < *b ? -1 : *a > *b;
}

/* One line of the table. Lines take turns, so that all see the same weather on a shared machine. */
typedef struct {
    const char *name;
    size_t queries;              /* 0: plain reading */
    const uint64_t *bits;
    scry_pool *pool;
    double ms[RUNS];
    size_t rescored;
} task;

static void run_once(bench *b, task *t, int r)
{
    scry_near_list out[BATCH];
    b->in.bits = t->bits;
    double start = scry_now_ms();
    if (t->queries == 0)
        scry_pool_run(t->pool, read_codes, b);
    else if (scry_scan(&b->in, b->queries + (size_t)(t->queries == 1 ? r % BATCH : 0) * b->in.dim, t->queries, TOP,
                       -2, t->pool, out) < 0)
        exit(2);
    t->ms[r] = scry_now_ms() - start;
    for (size_t i = 0; i < t->queries; i++) {
        t->rescored += out[i].rescored;
        free(out[i].items);
    }
}

static double median(const double *values)
{
    double sorted[RUNS];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, RUNS, sizeof *sorted, compare);
    return sorted[RUNS / 2];
}

static double least(const double *values)
{
    double x = values[0];
    for (int i = 1; i < RUNS; i++)
        x = values[i] < x ? values[i] : x;
    return x;
}

/* `read` is plain reading by as many threads, each run a moment before. */
static void report(const bench *b, const task *t, const task *read)
{
    double share[RUNS];
    for (int i = 0; i < RUNS; i++)
        share[i] = read->ms[i] / t->ms[i];
    size_t queries = t->queries ? t->queries : 1, rows = 0;
    for (size_t i = 0; i * 64 < b->in.rows; i++)
        rows += (size_t)__builtin_popcountll(t->bits[i]);
    double bytes = (double)rows * (double)scry_code_stride(b->in.dim), ms = median(t->ms);
    printf("%s\t%d\t%.2f\t%.2f\t%.1f\t%.0f\t%.0f\t%zu\n", t->name, scry_pool_threads(t->pool), ms, least(t->ms),
           bytes / ms / 1e6, 100 * median(share), (double)queries * 1e3 / ms, t->rescored / RUNS / queries);
}

static void run_all(bench *b)
{
    scry_pool *one = NULL, *all = b->pool;
    task tasks[] = {
        { "read", 0, b->bits, one, { 0 }, 0 },
        { "top 10", 1, b->bits, one, { 0 }, 0 },
        { "top 10 of 1 %", 1, b->some_bits, one, { 0 }, 0 },
        { "batch of 32", BATCH, b->bits, one, { 0 }, 0 },
        { "read", 0, b->bits, all, { 0 }, 0 },
        { "top 10", 1, b->bits, all, { 0 }, 0 },
        { "top 10 of 1 %", 1, b->some_bits, all, { 0 }, 0 },
        { "batch of 32", BATCH, b->bits, all, { 0 }, 0 },
    };
    size_t n = sizeof tasks / sizeof *tasks;
    const task *read = NULL;
    for (int r = 0; r < RUNS; r++)
        for (size_t i = 0; i < n; i++)
            run_once(b, &tasks[i], r);
    printf("what\tthreads\tmedian ms\tbest ms\tGB/s\t%% of read\tqueries/s\trescored\n");
    for (size_t i = 0; i < n; i++) {
        if (tasks[i].queries == 0)
            read = &tasks[i];
        report(b, &tasks[i], read);
    }
}

int main(int argc, char **argv)
{
    bench b = { .in = { .rows = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000,
                        .dim = argc > 2 ? strtoul(argv[2], NULL, 10) : 512 },
                .clusters = argc > 3 ? strtoul(argv[3], NULL, 10) : 0, .pool = scry_pool_new(0) };
    size_t dim = b.in.dim, block_bytes = scry_block_bytes(dim);
    b.block_count = (b.in.rows + SCRY_BLOCK_ROWS - 1) / SCRY_BLOCK_ROWS;
    b.in.row_bytes = (2 * dim + 63) / 64 * 64;
    b.vectors = large(b.in.rows * b.in.row_bytes);
    b.codes = large(b.block_count * block_bytes);
    b.blocks = scry_alloc(b.block_count * sizeof *b.blocks);
    b.bits = scry_alloc((b.in.rows / 64 + 1) * 8);
    b.some_bits = scry_alloc((b.in.rows / 64 + 1) * 8);
    uint64_t state = 5;
    for (size_t i = 0; i < b.in.rows; i++) {
        b.bits[i / 64] |= 1ull << (i % 64);
        b.some_bits[i / 64] |= (uint64_t)(next(&state) % 100 == 0) << (i % 64);
    }
    for (size_t i = 0; i < b.block_count; i++)
        b.blocks[i] = b.codes + i * block_bytes;
    b.centres = scry_alloc((b.clusters + 1) * dim * sizeof(float));
    for (size_t i = 0; i < b.clusters; i++) {
        random_vector(b.centres + i * dim, dim, 1000000007 + i);
        unit(b.centres + i * dim, dim);
    }
    b.queries = scry_alloc(BATCH * dim * sizeof(float));
    for (size_t i = 0; i < BATCH; i++)
        make_vector(&b, b.queries + i * dim, 777777777 + i);
    b.in.vectors = b.vectors;
    b.in.blocks = b.blocks;
    double start = scry_now_ms();
    scry_pool_run(b.pool, fill, &b);
    fprintf(stderr, "%zu x %zu made and encoded in %.1f s, kernels %s\n", b.in.rows, dim,
            (scry_now_ms() - start) / 1e3, scry_scan_kernels_best()->name);
    run_all(&b);
    scry_pool_free(b.pool);
    return 0;
}
