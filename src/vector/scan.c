#include "vector/scan.h"

#include "base/alloc.h"
#include "base/bits.h"
#include "vector/coarse.h"
#include "vector/scan_kernels.h"
#include "vector/vector.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUERIES_AT_ONCE = 32,    /* queries that share a pass */
    TILE_ROWS = 64,          /* rows of codes that stay in the first cache */
    NARROW_FROM = 4,         /* from so many queries on, computing takes longer than reading */
    REFINED_AT_ONCE = 64,
    WORDS = SCRY_BLOCK_ROWS / 64
};

typedef struct {
    float upper, lower;
    uint32_t row;
} candidate;

/* One thread's findings for one list. */
typedef struct {
    size_t li;               /* the list */
    candidate *items;
    size_t count, capacity;
    float *best;             /* min-heap of the k best lower bounds so far */
    size_t best_count;
} findings;

typedef struct {
    const scry_scan_input *in;
    const scry_scan_kernels *kernels;
    scry_code_query query[QUERIES_AT_ONCE];
    size_t n;                /* queries */
    size_t lists;            /* n, with a part twice that: list i is of query i % n */
    bool narrow;
    scry_coarse coarse;      /* of the only query, where rows are chosen by their signs */
    _Atomic(float) threshold[2 * QUERIES_AT_ONCE];   /* of each list: rows with an upper bound below it are dropped */
    atomic_size_t next_block;
    atomic_bool failed;      /* an allocation failed */
    findings *found;         /* [threads, lists] */
} scan;

static bool is_part(const scan *s, size_t li)
{
    return li >= s->n;
}

static const uint64_t *bits_of(const scan *s, size_t li)
{
    return is_part(s, li) ? s->in->part->bits : s->in->bits;
}

static double min_score_of(const scan *s, size_t li)
{
    return is_part(s, li) ? s->in->part->min_score : s->in->min_score;
}

/* How many results a list has at the most. */
static size_t k_of(const scan *s, size_t li)
{
    size_t k = is_part(s, li) ? s->in->part->k : s->in->k;
    return k < s->in->rows ? k : s->in->rows;
}

/* ---- the k best lower bounds: a heap whose first is the least ---- */

static void sift_down(float *heap, size_t n, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n)
            return;
        child += child + 1 < n && heap[child + 1] < heap[child];
        if (heap[i] <= heap[child])
            return;
        float t = heap[i];
        heap[i] = heap[child];
        heap[child] = t;
        i = child;
    }
}

static void offer(float *heap, size_t *n, size_t k, float value)
{
    if (*n == k) {
        if (value <= heap[0])
            return;
        heap[0] = value;
        sift_down(heap, k, 0);
        return;
    }
    size_t i = (*n)++;
    for (; i && heap[(i - 1) / 2] > value; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = value;
}

static void raise_threshold(_Atomic(float) *threshold, float value)
{
    float now = atomic_load_explicit(threshold, memory_order_relaxed);
    while (now < value && !atomic_compare_exchange_weak_explicit(threshold, &now, value, memory_order_relaxed,
                                                                 memory_order_relaxed))
        ;
}

/* Drop candidates below the threshold, which has risen; grow when that frees too little. */
static bool make_room(findings *f, float threshold)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].upper >= threshold)
            f->items[kept++] = f->items[i];
    f->count = kept;
    if (kept < f->capacity / 2)
        return true;
    size_t capacity = f->capacity ? 2 * f->capacity : 1024;
    candidate *items = realloc(f->items, capacity * sizeof *items);
    if (!items)
        return false;
    f->items = items;
    f->capacity = capacity;
    return true;
}

/* The rows of a block that are multiplied with. */
typedef struct {
    size_t block, count;
    uint16_t list[SCRY_BLOCK_ROWS], *index;   /* index: `list`, or NULL for the first `count` */
} block_rows;

/* NULL: the block's rows are scored without codes. */
static void *codes_of(const scan *s, size_t block, size_t rows)
{
    return s->in->codes ? s->in->codes(s->in->codes_arg, block, rows) : s->in->blocks[block];
}

/* All rows with a bit, of which nothing is known. */
static void add_unbounded(scan *s, findings *f, const block_rows *rows)
{
    const uint64_t *bits = bits_of(s, f->li) + rows->block * WORDS;
    float threshold = atomic_load_explicit(&s->threshold[f->li], memory_order_relaxed);
    for (size_t i = 0; i < rows->count; i++) {
        size_t row = rows->index ? rows->index[i] : i;
        if (!(bits[row / 64] >> (row % 64) & 1))
            continue;
        if (f->count == f->capacity && !make_room(f, threshold)) {
            atomic_store(&s->failed, true);
            return;
        }
        f->items[f->count++] = (candidate){ INFINITY, -INFINITY, (uint32_t)(rows->block * SCRY_BLOCK_ROWS + row) };
    }
}

/* Add the candidates among the positions `picked` that the kernel selected. */
static void add_candidates(scan *s, findings *f, const block_rows *rows, const uint16_t *picked, size_t n, const int32_t *dots)
{
    size_t li = f->li, k = k_of(s, li);
    void *block = s->in->blocks[rows->block];
    const scry_code_query *query = &s->query[li % s->n];
    const float *scale = scry_block_scales(block), *error = scry_block_errors(block);
    const uint64_t *bits = bits_of(s, li) + rows->block * WORDS;
    float gain = scry_query_gain(query), slack = scry_query_slack(query);
    float threshold = atomic_load_explicit(&s->threshold[li], memory_order_relaxed);
    for (size_t i = 0; i < n; i++) {
        size_t row = rows->index ? rows->index[picked[i]] : picked[i];
        float score = scale[row] * query->step * (float)dots[picked[i]], off = error[row] * gain + slack;
        if (score + off < threshold || !(bits[row / 64] >> (row % 64) & 1))
            continue;
        if (f->count == f->capacity && !make_room(f, threshold)) {
            atomic_store(&s->failed, true);
            return;
        }
        f->items[f->count++] = (candidate){ score + off, score - off,
                                            (uint32_t)(rows->block * SCRY_BLOCK_ROWS + row) };
        offer(f->best, &f->best_count, k, score - off);
        if (f->best_count == k && f->best[0] > threshold) {
            threshold = f->best[0];
            raise_threshold(&s->threshold[li], threshold);
        }
    }
}

static size_t rows_in_block(const scan *s, size_t block)
{
    size_t left = s->in->rows - block * SCRY_BLOCK_ROWS;
    return left < SCRY_BLOCK_ROWS ? left : SCRY_BLOCK_ROWS;
}

/* The bits of a block, of both bitmaps together: `bits` [WORDS]; returns how many are set. */
static size_t read_bits(const scan *s, size_t block, size_t rows, uint64_t *bits)
{
    memcpy(bits, s->in->bits + block * WORDS, (rows + 63) / 64 * sizeof *bits);
    for (size_t w = 0; s->in->part && w * 64 < rows; w++)
        bits[w] |= s->in->part->bits[block * WORDS + w];
    return scry_bits_count(bits, (rows + 63) / 64);
}

/* The positions of the bits of a block; returns how many. */
static size_t list_bits(const uint64_t *bits, size_t rows, uint16_t *index)
{
    size_t n = 0;
    for (size_t w = 0; w * 64 < rows; w++)
        for (uint64_t word = bits[w]; word; word &= word - 1) {
            size_t row = w * 64 + (size_t)__builtin_ctzll(word);
            if (row < rows)
                index[n++] = (uint16_t)row;
        }
    return n;
}

static void compute(const scan *s, int32_t *dots, const uint8_t *codes, const uint16_t *index, size_t rows)
{
    if (!index && s->narrow && s->kernels->dots_many) {
        s->kernels->dots_many(dots, codes, rows, s->query, s->n);
        return;
    }
    size_t stride = s->query[0].stride, tile = s->n == 1 ? rows : TILE_ROWS;
    for (size_t at = 0; at < rows; at += tile)
        for (size_t qi = 0; qi < s->n; qi++)
            s->kernels->dots(dots + qi * SCRY_BLOCK_ROWS + at, index ? codes : codes + at * stride,
                             index ? index + at : NULL, rows - at < tile ? rows - at : tile, &s->query[qi]);
}

/* `sums` is room for SCRY_BLOCK_ROWS numbers. */
static void choose_rows(const scan *s, block_rows *r, int32_t *sums)
{
    uint64_t bits[WORDS];
    size_t rows = rows_in_block(s, r->block), set = read_bits(s, r->block, rows, bits);
    r->index = r->list;
    if (set && s->coarse.planes) {
        r->count = scry_coarse_list(&s->coarse, s->in->blocks[r->block], rows, bits, sums, r->list);
    } else if (set < rows / 2) {   /* reading single rows costs about twice a row of a whole block */
        r->count = list_bits(bits, rows, r->list);
    } else {
        r->index = NULL;
        r->count = rows;
    }
}

/* Of rows whose products are known, those of a list alone, with their products. */
static void narrow_down(const uint64_t *bits, const block_rows *rows, const int32_t *dots, block_rows *own, int32_t *own_dots)
{
    uint16_t at[SCRY_BLOCK_ROWS];
    size_t n = 0;
    if (!rows->index)
        n = list_bits(bits, rows->count, at);
    else
        for (size_t i = 0; i < rows->count; i++) {
            at[n] = (uint16_t)i;
            n += bits[rows->index[i] / 64] >> (rows->index[i] % 64) & 1;
        }
    *own = (block_rows){ .block = rows->block, .count = n };
    own->index = own->list;
    for (size_t i = 0; i < n; i++) {
        own->list[i] = rows->index ? rows->index[at[i]] : at[i];
        own_dots[i] = dots[at[i]];
    }
}

/* What the products of a block's rows add to a list. */
static void select_rows(scan *s, findings *f, const block_rows *rows, const int32_t *dots)
{
    uint16_t picked[SCRY_BLOCK_ROWS];
    const scry_code_query *query = &s->query[f->li % s->n];
    void *block = s->in->blocks[rows->block];
    float threshold = atomic_load_explicit(&s->threshold[f->li], memory_order_relaxed);
    scry_bounds bounds = { scry_block_scales(block), scry_block_errors(block), query->step, scry_query_gain(query),
                           threshold - scry_query_slack(query) - 1e-6f };
    size_t n = s->kernels->select(picked, dots, rows->index, rows->count, &bounds);
    if (n)
        add_candidates(s, f, rows, picked, n, dots);
}

/* The same where products were computed of many rows that are not the list's: these would be selected in vain as long as the list
 * is short. */
static void select_few(scan *s, findings *f, const block_rows *rows, const int32_t *dots)
{
    block_rows own;
    int32_t own_dots[SCRY_BLOCK_ROWS];
    narrow_down(bits_of(s, f->li) + rows->block * WORDS, rows, dots, &own, own_dots);
    if (own.count)
        select_rows(s, f, &own, own_dots);
}

static void scan_block(scan *s, findings *found, size_t block_number, int32_t *dots)
{
    block_rows rows;
    rows.block = block_number;
    choose_rows(s, &rows, dots);
    if (rows.count == 0)
        return;
    void *block = codes_of(s, block_number, rows.count);
    for (size_t li = 0; li < s->lists && !block; li++)
        add_unbounded(s, &found[li], &rows);
    if (!block)
        return;
    compute(s, dots, scry_block_codes(block), rows.index, rows.count);
    size_t words = (rows_in_block(s, block_number) + 63) / 64;
    for (size_t li = 0; li < s->lists; li++) {
        bool few = s->in->part && scry_bits_count(bits_of(s, li) + block_number * WORDS, words) < rows.count / 2;
        (few ? select_few : select_rows)(s, &found[li], &rows, dots + li % s->n * SCRY_BLOCK_ROWS);
    }
}

static void scan_thread(void *arg, int thread, int count)
{
    scan *s = arg;
    size_t blocks = (s->in->rows + SCRY_BLOCK_ROWS - 1) / SCRY_BLOCK_ROWS;
    int32_t *dots = scry_try_alloc_aligned(s->n * SCRY_BLOCK_ROWS, sizeof *dots);
    if (!dots)
        atomic_store(&s->failed, true);
    while (!atomic_load_explicit(&s->failed, memory_order_relaxed)) {
        size_t block = atomic_fetch_add_explicit(&s->next_block, 1, memory_order_relaxed);
        if (block >= blocks)
            break;
        scan_block(s, s->found + (size_t)thread * s->lists, block, dots);
        if (s->in->done)
            s->in->done(s->in->done_arg, s->in->blocks[block]);
    }
    free(dots);
}

/* ---- from candidates to the result ---- */

static int compare_upper(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return x->upper > y->upper ? -1 : x->upper < y->upper ? 1 : x->row < y->row ? -1 : x->row > y->row;
}

static int compare_near(const void *a, const void *b)
{
    const scry_near *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score ? 1 : x->row < y->row ? -1 : x->row > y->row;
}

/* The candidates of list `li` that are left when all threads' bounds are considered. */
static candidate *gather(const scan *s, size_t li, size_t threads, size_t *count)
{
    size_t total = 0, heap_count = 0, k = k_of(s, li);
    for (size_t t = 0; t < threads; t++)
        total += s->found[t * s->lists + li].count;
    candidate *all = scry_try_alloc(total, sizeof *all);
    float *heap = scry_try_alloc(k, sizeof *heap);
    *count = 0;
    for (size_t t = 0; all && heap && t < threads; t++) {
        const findings *f = &s->found[t * s->lists + li];
        for (size_t i = 0; i < f->count; i++) {
            all[(*count)++] = f->items[i];
            offer(heap, &heap_count, k, f->items[i].lower);
        }
    }
    if (!all || !heap) {
        free(all);
        free(heap);
        return NULL;
    }
    float least = heap_count == k ? heap[0] : -INFINITY;
    free(heap);
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (all[i].upper >= least)
            all[kept++] = all[i];
    *count = kept;
    return all;
}

/* Candidates of one block. */
static void refine_some(const scan *s, const scry_code_query *wide, candidate *c, size_t n)
{
    float gain = scry_query_gain(wide), slack = scry_query_slack(wide);
    void *block = codes_of(s, c[0].row / SCRY_BLOCK_ROWS, 1);
    uint16_t row[REFINED_AT_ONCE];
    int32_t dot[REFINED_AT_ONCE];
    if (!block)
        return;
    for (size_t i = 0; i < n; i++)
        row[i] = (uint16_t)(c[i].row % SCRY_BLOCK_ROWS);
    s->kernels->dots(dot, scry_block_codes(block), row, n, wide);
    for (size_t i = 0; i < n; i++) {
        float score = scry_block_scales(block)[row[i]] * wide->step * (float)dot[i];
        c[i].upper = score + scry_block_errors(block)[row[i]] * gain + slack;
    }
}

/* Tighter bounds from a wide query for what a narrow one left; neighbours are of one block more often than not. */
static void refine(const scan *s, const scry_code_query *wide, candidate *c, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        end = i + 1;
        while (end < n && end - i < REFINED_AT_ONCE && c[end].row / SCRY_BLOCK_ROWS == c[i].row / SCRY_BLOCK_ROWS)
            end++;
        refine_some(s, wide, c + i, end - i);
    }
}

/* Score candidates, best upper bound first, until the bound proves the rest worse. */
static int rescore(const scan *s, size_t li, const float *query, candidate *c, size_t n, scry_near_list *out)
{
    const scry_scan_input *in = s->in;
    double norm = scry_float_norm(query, in->dim), last = -INFINITY, min_score = min_score_of(s, li);
    size_t k = k_of(s, li);
    float *heap = scry_try_alloc(k, sizeof *heap);   /* of scores, rounded down */
    scry_near *near = scry_try_alloc(n, sizeof *near);
    size_t heap_count = 0, count = 0, i;
    if (!heap || !near) {
        free(heap);
        free(near);
        return -1;
    }
    qsort(c, n, sizeof *c, compare_upper);
    for (i = 0; i < n && (double)c[i].upper >= last; i++) {
        const uint8_t *row = in->vectors + c[i].row * in->row_bytes;
        if (i + 4 < n)
            for (size_t at = 0; at < in->row_bytes; at += 64)
                __builtin_prefetch(in->vectors + c[i + 4].row * in->row_bytes + at);
        double score = scry_half_cosine(query, norm, (const uint16_t *)(const void *)row, in->dim);
        if (score < min_score)
            continue;
        near[count++] = (scry_near){ score, c[i].row };
        float rounded = (float)score;
        offer(heap, &heap_count, k, (double)rounded > score ? nextafterf(rounded, -2) : rounded);
        if (heap_count == k)
            last = heap[0];
    }
    out->rescored = i;
    free(heap);
    if (count)
        qsort(near, count, sizeof *near, compare_near);
    if (count > k) {   /* keep what ties with the k-th */
        size_t end = k;
        while (end < count && near[end].score >= near[k - 1].score)
            end++;
        count = end;
    }
    out->items = near;
    out->count = count;
    return 0;
}

static int finish_list(const scan *s, size_t li, size_t threads, const float *query, scry_near_list *out)
{
    size_t n;
    candidate *c = gather(s, li, threads, &n);
    if (!c)
        return -1;
    int result = 0;
    if (s->narrow && n > k_of(s, li)) {
        scry_code_query wide;
        result = scry_code_query_init(&wide, query, s->in->dim, true);
        if (result == 0)
            refine(s, &wide, c, n);
        scry_code_query_dispose(&wide);
    }
    if (result == 0)
        result = rescore(s, li, query, c, n, out);
    free(c);
    return result;
}

static bool prepare(scan *s, const float *queries, size_t threads)
{
    s->found = scry_try_alloc(threads * s->lists, sizeof *s->found);
    if (!s->found)
        return false;
    for (size_t li = 0; li < s->lists; li++)
        atomic_init(&s->threshold[li], (float)min_score_of(s, li) - 1e-6f);
    for (size_t qi = 0; qi < s->n; qi++)
        if (scry_code_query_init(&s->query[qi], queries + qi * s->in->dim, s->in->dim, !s->narrow) < 0)
            return false;
    if (s->in->keep > 0 && scry_coarse_init(&s->coarse, s->in, queries, s->in->keep) < 0)
        return false;
    for (size_t i = 0; i < threads * s->lists; i++) {
        s->found[i].li = i % s->lists;
        if (!(s->found[i].best = scry_try_alloc(k_of(s, i % s->lists), sizeof(float))))
            return false;
    }
    return true;
}

static void scan_dispose(scan *s, size_t threads)
{
    for (size_t i = 0; s->found && i < threads * s->lists; i++) {
        free(s->found[i].items);
        free(s->found[i].best);
    }
    free(s->found);
    for (size_t qi = 0; qi < s->n; qi++)
        scry_code_query_dispose(&s->query[qi]);
    scry_coarse_dispose(&s->coarse);
}

/* Up to QUERIES_AT_ONCE queries in one pass, those from `at` on; `out` is in->part's for a part. */
static int scan_some(const scry_scan_input *in, const float *queries, size_t at, size_t n, scry_pool *pool, scry_near_list *out)
{
    scan *s = scry_alloc(sizeof *s);
    size_t threads = (size_t)scry_pool_threads(pool);
    s->in = in;
    s->kernels = in->kernels ? in->kernels : scry_scan_kernels_best();
    s->n = n;
    s->lists = in->part ? 2 * n : n;
    s->narrow = (n >= NARROW_FROM && s->kernels->dots_many) || (s->kernels->narrow_first && !(in->keep > 0));
    queries += at * in->dim;
    int result = prepare(s, queries, threads) ? 0 : -1;
    if (result == 0)
        scry_pool_run(pool, scan_thread, s);
    if (atomic_load(&s->failed))
        result = -1;
    for (size_t li = 0; li < s->lists && result == 0; li++)
        result = finish_list(s, li, threads, queries + li % n * in->dim, (is_part(s, li) ? in->part->out : out) + at + li % n);
    scan_dispose(s, threads);
    free(s);
    return result;
}

static void drop_lists(scry_near_list *lists, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(lists[i].items);
    memset(lists, 0, n * sizeof *lists);
}

int scry_scan(const scry_scan_input *in, const float *queries, size_t n, scry_pool *pool, scry_near_list *out)
{
    memset(out, 0, n * sizeof *out);
    if (in->part)
        memset(in->part->out, 0, n * sizeof *out);
    if (in->k == 0 || in->rows == 0)
        return 0;
    size_t most = in->keep > 0 ? 1 : QUERIES_AT_ONCE;
    for (size_t at = 0; at < n; at += most) {
        size_t some = n - at < most ? n - at : most;
        if (scan_some(in, queries, at, some, pool, out) < 0) {
            drop_lists(out, n);
            if (in->part)
                drop_lists(in->part->out, n);
            return -1;
        }
    }
    return 0;
}
