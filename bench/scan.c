/* scan.c - how fast the exact scan is, against what memory could give at best.
 *
 *     build/release/bench/scan [ROWS [DIM [CLUSTERS [FOLDER]]]]
 *
 * Prints lines of three values (what was found at the start, how much, unit), then a table of tab-separated
 * values: what, threads, median and best milliseconds, gigabytes of codes a second, that against plain
 * reading, queries a second, vectors scored exactly, and of the ten nearest the part that was found. Vectors
 * are those of synthetic.h (0 CLUSTERS: without structure); "read" is one pass of loads over the same codes.
 * With FOLDER, codes and vectors are files there, mapped as a store's are; a later run for as many rows or
 * fewer uses them again.
 */
#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pool.h"
#include "vector/scan_kernels.h"
#include "vector/scan.h"
#include "synthetic.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS = 41, RUNS_OF_LARGE = 11, LARGE_ROWS = 4000000, BATCH = 32, TOP = 10 };

typedef struct {
    scry_scan_input in;
    void **blocks;
    uint8_t *vectors, *codes;
    uint64_t *bits, *some_bits;
    float *queries;
    size_t clusters, block_count;
    int runs;
    const char *folder;
    scry_pool *pool;
    volatile uint64_t sink;
} bench;

static void fill(void *arg, int index, int count)
{
    bench *b = arg;
    size_t dim = b->in.dim;
    float *v = scry_alloc(dim * sizeof *v);
    for (size_t block = (size_t)index; block < b->block_count; block += (size_t)count)
        for (size_t i = 0; i < SCRY_BLOCK_ROWS && block * SCRY_BLOCK_ROWS + i < b->in.rows; i++) {
            size_t row = block * SCRY_BLOCK_ROWS + i;
            uint16_t *half = (uint16_t *)(void *)(b->vectors + row * b->in.row_bytes);
            synthetic_picture(v, dim, b->clusters, row);
            scry_half_from_float(half, v, dim);
            scry_block_encode(b->blocks[block], i, half, dim);
        }
    free(v);
}

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

/* Memory, or a file of that name where there is a folder. */
static void *large(const bench *b, const char *name, size_t bytes)
{
    int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    if (b->folder) {
        char *path = scry_path_join(b->folder, name);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0 || (st.st_size < (off_t)bytes && ftruncate(fd, (off_t)bytes) < 0))
            fail(path);
        flags = MAP_SHARED;
        free(path);
    }
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (p == MAP_FAILED)
        fail("bench: memory");
    if (fd >= 0)
        close(fd);
    else
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

/* One line of the table. Lines are measured in turn, so that other load on the machine affects
 * all alike. */
typedef struct {
    const char *name;
    size_t queries;              /* 0: plain reading */
    const uint64_t *bits;
    double keep;                 /* 0: exact */
    scry_pool *pool;
    double ms[RUNS];
    size_t rescored;
} task;

static void run_once(bench *b, task *t, int r)
{
    scry_near_list out[BATCH];
    b->in.bits = t->bits;
    b->in.keep = t->keep;
    double start = scry_now_ms();
    if (t->queries == 0)
        scry_pool_run(t->pool, read_codes, b);
    else if (scry_scan(&b->in, b->queries + (size_t)(t->queries == 1 ? r % BATCH : 0) * b->in.dim, t->queries,
                       t->pool, out) < 0)
        exit(2);
    t->ms[r] = scry_now_ms() - start;
    for (size_t i = 0; i < t->queries; i++) {
        t->rescored += out[i].rescored;
        free(out[i].items);
    }
}

static double median(const bench *b, const double *values)
{
    double sorted[RUNS];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, (size_t)b->runs, sizeof *sorted, compare);
    return sorted[b->runs / 2];
}

static double least(const bench *b, const double *values)
{
    double x = values[0];
    for (int i = 1; i < b->runs; i++)
        x = values[i] < x ? values[i] : x;
    return x;
}

/* Of the true ten nearest, the part that an approximate scan finds. */
static double recall(bench *b, double keep)
{
    size_t found = 0;
    b->in.bits = b->bits;
    for (size_t q = 0; q < BATCH && keep > 0; q++) {
        scry_near_list some, all;
        b->in.keep = 0;
        int result = scry_scan(&b->in, b->queries + q * b->in.dim, 1, b->pool, &all);
        b->in.keep = keep;
        if (result < 0 || scry_scan(&b->in, b->queries + q * b->in.dim, 1, b->pool, &some) < 0)
            exit(2);
        for (size_t i = 0; i < TOP; i++)
            for (size_t k = 0; k < TOP; k++)
                found += all.items[i].row == some.items[k].row;
        free(all.items);
        free(some.items);
    }
    return keep > 0 ? (double)found / (BATCH * TOP) : 1;
}

/* `read` is plain reading by as many threads, each run a moment before. */
static void report(bench *b, const task *t, const task *read)
{
    double share[RUNS];
    for (int i = 0; i < b->runs; i++)
        share[i] = read->ms[i] / t->ms[i];
    size_t queries = t->queries ? t->queries : 1, rows = 0;
    for (size_t i = 0; i * 64 < b->in.rows; i++)
        rows += (size_t)__builtin_popcountll(t->bits[i]);
    double bytes = (double)rows * (double)scry_code_stride(b->in.dim), ms = median(b, t->ms);
    printf("%s\t%d\t%.2f\t%.2f\t%.1f\t%.0f\t%.0f\t%zu\t%.3f\n", t->name, scry_pool_threads(t->pool), ms, least(b, t->ms),
           bytes / ms / 1e6, 100 * median(b, share), (double)queries * 1e3 / ms, t->rescored / (size_t)b->runs / queries,
           recall(b, t->keep));
}

static void run_all(bench *b)
{
    scry_pool *one = NULL, *all = b->pool;
    task tasks[] = {
        { "read", 0, b->bits, 0, one, { 0 }, 0 },
        { "top 10", 1, b->bits, 0, one, { 0 }, 0 },
        { "top 10 of 1 %", 1, b->some_bits, 0, one, { 0 }, 0 },
        { "batch of 32", BATCH, b->bits, 0, one, { 0 }, 0 },
        { "approximate, 0.1 %", 1, b->bits, 0.001, one, { 0 }, 0 },
        { "approximate, 1 %", 1, b->bits, 0.01, one, { 0 }, 0 },
        { "approximate, 5 %", 1, b->bits, 0.05, one, { 0 }, 0 },
        { "read", 0, b->bits, 0, all, { 0 }, 0 },
        { "top 10", 1, b->bits, 0, all, { 0 }, 0 },
        { "top 10 of 1 %", 1, b->some_bits, 0, all, { 0 }, 0 },
        { "batch of 32", BATCH, b->bits, 0, all, { 0 }, 0 },
        { "approximate, 0.1 %", 1, b->bits, 0.001, all, { 0 }, 0 },
        { "approximate, 1 %", 1, b->bits, 0.01, all, { 0 }, 0 },
        { "approximate, 5 %", 1, b->bits, 0.05, all, { 0 }, 0 },
    };
    size_t n = sizeof tasks / sizeof *tasks;
    const task *read = NULL;
    for (int r = 0; r < b->runs; r++)
        for (size_t i = 0; i < n; i++)
            run_once(b, &tasks[i], r);
    printf("what\tthreads\tmedian ms\tbest ms\tGB/s\t%% of read\tqueries/s\trescored\trecall\n");
    for (size_t i = 0; i < n; i++) {
        if (tasks[i].queries == 0)
            read = &tasks[i];
        report(b, &tasks[i], read);
    }
}

/* Whether the folder's files hold the first rows already, which a third file tells once they do. */
static bool made_before(const bench *b, const char *path)
{
    scry_buf text = SCRY_BUF_INIT(256);
    size_t rows = 0, dim = 0, clusters = 0;
    if (scry_read_file(path, &text, NULL) == 0)
        sscanf(scry_buf_str(&text), "%zu %zu %zu", &rows, &dim, &clusters);
    scry_buf_dispose(&text);
    return rows >= b->in.rows && dim == b->in.dim && clusters == b->clusters;
}

static void make_vectors(bench *b)
{
    char *path = b->folder ? scry_path_join(b->folder, "made") : NULL;
    scry_error err = SCRY_ERROR_INIT;
    double start = scry_now_ms();
    if (!path || !made_before(b, path)) {
        scry_pool_run(b->pool, fill, b);
        printf("made and encoded\t%.1f\ts\n", (scry_now_ms() - start) / 1e3);
        char *text = scry_asprintf("%zu %zu %zu\n", b->in.rows, b->in.dim, b->clusters);
        if (path && scry_write_file(path, text, strlen(text), &err) < 0)
            fail(err.message);
        free(text);
    }
    free(path);
}

/* Resident memory of this process, mapped files included and apart. */
static void print_memory(void)
{
    unsigned long pages, files;
    FILE *f = fopen("/proc/self/statm", "re");
    double mib = (double)sysconf(_SC_PAGESIZE) / (1 << 20);
    if (f && fscanf(f, "%*u %lu %lu", &pages, &files) == 2)
        printf("memory resident\t%.0f\tMiB\nof it mapped files\t%.0f\tMiB\n", (double)pages * mib, (double)files * mib);
    if (f)
        fclose(f);
}

/* Of a new process: pages are mapped, and read where the system does not have them. */
static void first_searches(bench *b)
{
    static const struct { const char *name; double keep; } firsts[] = {
        { "first approximate search", 0.01 }, { "then the first exact one", 0 }
    };
    for (int i = 0; i < 2; i++) {
        task t = { firsts[i].name, 1, b->bits, firsts[i].keep, b->pool, { 0 }, 0 };
        run_once(b, &t, i);
        printf("%s\t%.0f\tms\n", t.name, t.ms[i]);
        print_memory();
    }
}

int main(int argc, char **argv)
{
    bench b = { .in = { .rows = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000,
                        .dim = argc > 2 ? strtoul(argv[2], NULL, 10) : 512, .k = TOP, .min_score = -2 },
                .clusters = argc > 3 ? strtoul(argv[3], NULL, 10) : 0, .folder = argc > 4 ? argv[4] : NULL,
                .pool = scry_pool_new(0) };
    size_t dim = b.in.dim, block_bytes = scry_block_bytes(dim);
    b.block_count = (b.in.rows + SCRY_BLOCK_ROWS - 1) / SCRY_BLOCK_ROWS;
    b.in.row_bytes = (2 * dim + 63) / 64 * 64;
    b.runs = b.in.rows < LARGE_ROWS ? RUNS : RUNS_OF_LARGE;
    b.vectors = large(&b, "vectors", b.in.rows * b.in.row_bytes);
    b.codes = large(&b, "codes", b.block_count * block_bytes);
    b.blocks = scry_alloc(b.block_count * sizeof *b.blocks);
    b.bits = scry_alloc((b.in.rows / 64 + 1) * 8);
    b.some_bits = scry_alloc((b.in.rows / 64 + 1) * 8);
    uint64_t state = 5;
    for (size_t i = 0; i < b.in.rows; i++) {
        b.bits[i / 64] |= 1ull << (i % 64);
        b.some_bits[i / 64] |= (uint64_t)(synthetic_next(&state) % 100 == 0) << (i % 64);
    }
    for (size_t i = 0; i < b.block_count; i++)
        b.blocks[i] = b.codes + i * block_bytes;
    b.queries = scry_alloc(BATCH * dim * sizeof(float));
    for (size_t i = 0; i < BATCH; i++)
        synthetic_query(b.queries + i * dim, dim, b.clusters, i);
    b.in.vectors = b.vectors;
    b.in.blocks = b.blocks;
    make_vectors(&b);
    first_searches(&b);
    run_all(&b);
    scry_pool_free(b.pool);
    return 0;
}
