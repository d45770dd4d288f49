/* vector/: half precision against the compiler's, kernels against the scalar ones, bounds
 * that hold, and scans equal to brute force in double precision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vector/codes.h"
#include "vector/scan_kernels.h"
#include "vector/scan.h"
#include "vector/vector.h"
#include "vector/vector_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

static uint64_t roll(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static float bell(void)
{
    double x = 0;
    for (int i = 0; i < 6; i++)
        x += (double)(roll() >> 11) * 0x1p-53 - 0.5;
    return (float)x;
}

/* A unit vector; about one in three has an outlying component, as trained towers' have. */
static void random_unit(float *v, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        v[i] = bell();
    if (roll() % 3 == 0)
        v[roll() % dim] *= 9;
    for (size_t i = 0; i < dim; i++)
        sum += (double)v[i] * v[i];
    if (!(sum > 0)) {
        v[0] = 1;
        sum = 1;
    }
    for (size_t i = 0; i < dim; i++)
        v[i] = (float)(v[i] / sqrt(sum));
}

static void halves_are_ieee(void **unused)
{
    for (uint32_t h = 0; h < 65536; h++) {
        uint16_t half = (uint16_t)h, back;
        _Float16 reference;
        float f;
        memcpy(&reference, &half, 2);
        uint16_t eight[8] = { half, half, half, half, half, half, half, half };
        float eight_got[8];
        scry_half_to_float(&f, &half, 1);
        scry_half_to_float(eight_got, eight, 8);
        assert_true(eight_got[3] == f || isnan(f));
        if (isnan(f)) {
            assert_true(isnan((float)reference));
            continue;
        }
        assert_true(f == (float)reference && !signbit(f) == !signbit((float)reference));
        scry_half_from_float(&back, &f, 1);
        assert_int_equal(back, half);
    }
    for (int i = 0; i < 1000000; i++) {   /* floats of all sizes, and close to ties */
        uint32_t u = (uint32_t)roll();
        if (i % 2)
            u = (u & 0x8fffe000) | 0x30000000 | (uint32_t)(roll() % 3 + 0xfff);
        float f;
        memcpy(&f, &u, 4);
        if (isnan(f))
            continue;
        _Float16 reference = (_Float16)f;
        uint16_t got[1], expected;
        memcpy(&expected, &reference, 2);
        scry_half_from_float_portable(got, &f, 1);
        assert_int_equal(got[0], expected);
        float eight[8] = { f, f, f, f, f, f, f, f };
        uint16_t eight_got[8];
        scry_half_from_float(eight_got, eight, 8);
        assert_int_equal(eight_got[7], expected);
    }
    float nan = NAN, many[19];
    uint16_t h, packed[19];
    scry_half_from_float(&h, &nan, 1);
    scry_half_to_float(&nan, &h, 1);
    assert_true(isnan(nan));
    for (int i = 0; i < 19; i++)
        many[i] = (float)i - 9.25f;
    scry_half_from_float(packed, many, 19);   /* longer than any register, and not a multiple */
    for (int i = 0; i < 19; i++) {
        _Float16 reference = (_Float16)many[i];
        assert_memory_equal(&packed[i], &reference, 2);
    }
}

static const size_t dims[] = { 1, 3, 8, 31, 64, 65, 127, 512, 768, 1030 };
enum { DIMS = sizeof dims / sizeof *dims };

static void cosine_is_exact(void **unused)
{
    for (int d = 0; d < DIMS; d++)
        for (int round = 0; round < 50; round++) {
            size_t dim = dims[d];
            float q[1030], v[1030];
            uint16_t h[1030];
            random_unit(q, dim);
            random_unit(v, dim);
            scry_half_from_float(h, v, dim);
            long double dot = 0, a = 0, b = 0;
            for (size_t i = 0; i < dim; i++) {
                long double x = (long double)(float)(_Float16)v[i];
                dot += x * q[i];
                a += x * x;
                b += (long double)q[i] * q[i];
            }
            double got = scry_half_cosine(q, scry_float_norm(q, dim), h, dim);
            assert_true(fabsl(got - dot / sqrtl(a * b)) < 1e-14L);
            scry_half_sums s = scry_half_sums_portable(q, h, dim);
            assert_true(got == s.dot / (scry_float_norm(q, dim) * sqrt(s.square)));   /* to the bit */
        }
}

typedef struct {
    size_t dim, rows, row_bytes, block_count;
    uint8_t *vectors;
    void **blocks;
    uint64_t *bits;
} rows_set;

/* Random rows; some are the same as an earlier one, so that ties occur. */
static rows_set make_rows(size_t dim, size_t rows)
{
    rows_set r = { dim, rows, (2 * dim + 63) / 64 * 64, (rows + SCRY_BLOCK_ROWS - 1) / SCRY_BLOCK_ROWS, 0, 0, 0 };
    float v[1030];
    r.vectors = aligned_alloc(64, r.row_bytes * rows);
    r.bits = calloc(rows / 64 + 1, 8);
    memset(r.vectors, 0, r.row_bytes * rows);
    for (size_t i = 0; i < rows; i++) {
        random_unit(v, dim);
        if (i > 20 && roll() % 8 == 0)
            memcpy(r.vectors + i * r.row_bytes, r.vectors + roll() % 20 * r.row_bytes, r.row_bytes);
        else
            scry_half_from_float((uint16_t *)(void *)(r.vectors + i * r.row_bytes), v, dim);
    }
    r.blocks = calloc(r.block_count, sizeof *r.blocks);
    for (size_t b = 0; b < r.block_count; b++)
        r.blocks[b] = aligned_alloc(64, scry_block_bytes(dim));
    for (size_t i = 0; i < rows; i++)
        scry_block_encode(r.blocks[i / SCRY_BLOCK_ROWS], i % SCRY_BLOCK_ROWS,
                          (const uint16_t *)(void *)(r.vectors + i * r.row_bytes), dim);
    return r;
}

static void free_rows(rows_set *r)
{
    for (size_t b = 0; b < r->block_count; b++)
        free(r->blocks[b]);
    free(r->blocks);
    free(r->vectors);
    free(r->bits);
}

static void kernels_agree(void **unused)
{
    enum { ROWS = 133, QUERIES = 6 };
    for (int d = 0; d < DIMS; d++) {
        rows_set r = make_rows(dims[d], ROWS);
        static int32_t expected[QUERIES * SCRY_BLOCK_ROWS], got[QUERIES * SCRY_BLOCK_ROWS];
        uint16_t index[40], picked[ROWS], reference[ROWS];
        scry_code_query q[QUERIES];
        for (int i = 0; i < 40; i++)
            index[i] = (uint16_t)(roll() % ROWS);
        for (int wide = 0; wide < 2; wide++) {
            float query[1030];
            for (int k = 0; k < QUERIES; k++) {
                random_unit(query, dims[d]);
                assert_int_equal(scry_code_query_init(&q[k], query, dims[d], wide), 0);
            }
            const uint8_t *codes = scry_block_codes(r.blocks[0]);
            scry_bounds b = { scry_block_scales(r.blocks[0]), scry_block_errors(r.blocks[0]), q[0].step, 1, 0.05f }, b1 = b;
            const scry_scan_kernels *set;
            b1.step = q[1].step;
            for (size_t s = 0; (set = scry_scan_kernels_at(s)); s++) {
                for (size_t rows = 1; rows <= ROWS; rows += 1 + rows / 7) {
                    scry_scan_kernels_scalar.dots(expected, codes, NULL, rows, &q[0]);
                    set->dots(got, codes, NULL, rows, &q[0]);
                    assert_memory_equal(got, expected, rows * 4);
                    size_t n = set->select(picked, got, NULL, rows, &b);
                    size_t m = scry_scan_kernels_scalar.select(reference, got, NULL, rows, &b);
                    assert_int_equal(n, m);
                    assert_memory_equal(picked, reference, n * 2);
                }
                scry_scan_kernels_scalar.dots(expected, codes, index, 39, &q[1]);
                set->dots(got, codes, index, 39, &q[1]);
                assert_memory_equal(got, expected, 39 * 4);
                assert_int_equal(set->select(picked, got, index, 39, &b1),
                                 scry_scan_kernels_scalar.select(reference, got, index, 39, &b1));
                for (size_t n = 1; n <= QUERIES && !wide && set->dots_many; n++) {
                    for (size_t k = 0; k < n; k++)
                        scry_scan_kernels_scalar.dots(expected + k * SCRY_BLOCK_ROWS, codes, NULL, ROWS, &q[k]);
                    set->dots_many(got, codes, ROWS, q, n);
                    for (size_t k = 0; k < n; k++)
                        assert_memory_equal(got + k * SCRY_BLOCK_ROWS, expected + k * SCRY_BLOCK_ROWS, ROWS * 4);
                }
            }
            for (int k = 0; k < QUERIES; k++)
                scry_code_query_dispose(&q[k]);
        }
        free_rows(&r);
    }
}

/* No cosine is outside its bounds. */
static void bounds_hold(void **unused)
{
    for (int d = 0; d < DIMS; d++) {
        rows_set r = make_rows(dims[d], 500);
        float query[1030];
        int32_t dot;
        for (int round = 0; round < 20; round++) {
            scry_code_query q;
            random_unit(query, dims[d]);
            for (size_t i = 0; i < dims[d] && round % 4 == 0; i++)   /* a stored vector itself */
                scry_half_to_float(&query[i], (const uint16_t *)(void *)(r.vectors + 7 * r.row_bytes) + i, 1);
            assert_int_equal(scry_code_query_init(&q, query, dims[d], round % 2), 0);
            for (uint16_t i = 0; i < 500; i++) {
                scry_scan_kernels_scalar.dots(&dot, scry_block_codes(r.blocks[0]), &i, 1, &q);
                float score = scry_block_scales(r.blocks[0])[i] * q.step * (float)dot;
                float off = scry_block_errors(r.blocks[0])[i] * scry_query_gain(&q) + scry_query_slack(&q);
                double exact = scry_half_cosine(query, scry_float_norm(query, dims[d]),
                                                (const uint16_t *)(void *)(r.vectors + i * r.row_bytes), dims[d]);
                assert_true(exact <= (double)(score + off) && exact >= (double)(score - off));
            }
            scry_code_query_dispose(&q);
        }
        free_rows(&r);
    }
}

static int compare_near(const void *a, const void *b)
{
    const scry_near *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score ? 1 : x->row < y->row ? -1 : x->row > y->row;
}

/* Every second block, and few rows of any, are scored without codes; whoever reads what is not to be trusted finds nothing. */
static void *some_codes(void *arg, size_t block, size_t rows)
{
    const rows_set *r = arg;
    return block % 2 || rows <= 32 ? NULL : r->blocks[block];
}

static void *(*codes_hook)(void *, size_t, size_t);
static const scry_scan_kernels *scan_with;   /* NULL: the best */

/* A list of a scan against brute force; freed. */
static void check_list(const rows_set *r, const float *q, const uint64_t *bits, size_t k, double min_score, scry_near_list *got)
{
    scry_near *all = malloc(r->rows * sizeof *all);
    size_t count = 0;
    for (size_t row = 0; row < r->rows; row++) {
        const void *v = r->vectors + row * r->row_bytes;
        double score = scry_half_cosine(q, scry_float_norm(q, r->dim), v, r->dim);
        if ((bits[row / 64] >> (row % 64) & 1) && score >= min_score)
            all[count++] = (scry_near){ score, (uint32_t)row };
    }
    qsort(all, count, sizeof *all, compare_near);
    size_t want = count < k ? count : k;
    while (want && want < count && all[want].score == all[want - 1].score)
        want++;
    assert_int_equal(got->count, want);
    for (size_t j = 0; j < want; j++) {
        assert_true(all[j].score == got->items[j].score);
        assert_int_equal(all[j].row, got->items[j].row);
    }
    free(got->items);
    free(all);
}

/* Bits for a part: none, a few in a hundred, many, or all of the rows, whether or not they are among the others. */
static uint64_t *random_part(const rows_set *r)
{
    unsigned percent = (const unsigned[]){ 0, 2, 60, 100 }[roll() % 4];
    uint64_t *bits = calloc(r->rows / 64 + 1, sizeof *bits);
    for (size_t i = 0; i < r->rows; i++)
        bits[i / 64] |= (uint64_t)(roll() % 100 < percent) << (i % 64);
    return bits;
}

static void check_scan(const rows_set *r, size_t n, size_t k, double min_score, scry_pool *pool, double keep)
{
    static float queries[40 * 1030];
    scry_near_list got[40], in_part[40];
    uint64_t *bits = random_part(r);
    scry_scan_part part = { bits, 1 + roll() % 50, roll() % 2 ? -2 : 0.05, in_part };
    for (size_t i = 0; i < n; i++)
        random_unit(queries + i * r->dim, r->dim);
    scry_scan_input in = { r->dim, r->rows, r->blocks, r->vectors, r->row_bytes, r->bits, NULL, NULL, keep, k, min_score,
                           codes_hook, (void *)r, scan_with, NULL };
    in.part = keep > 0 || roll() % 3 == 0 ? NULL : &part;
    assert_int_equal(scry_scan(&in, queries, n, pool, got), 0);
    for (size_t i = 0; i < n; i++) {
        check_list(r, queries + i * r->dim, r->bits, k, min_score, &got[i]);
        if (in.part)
            check_list(r, queries + i * r->dim, bits, part.k, part.min_score, &in_part[i]);
    }
    free(bits);
}

static void scans_equal_brute_force(void **unused)
{
    scry_pool *pool = scry_pool_new(3);
    for (int d = 0; d < DIMS; d++) {
        rows_set r = make_rows(dims[d], 2600);
        for (int density = 0; density < 5; density++) {
            for (size_t i = 0; i < r.rows; i++) {
                uint64_t bit = 1ull << (i % 64);
                bool in = density == 0 || roll() % 100 < (const unsigned[]){ 0, 70, 20, 2, 0 }[density];
                r.bits[i / 64] = in ? r.bits[i / 64] | bit : r.bits[i / 64] & ~bit;
            }
            check_scan(&r, 1, 10, -2, density % 2 ? pool : NULL, 0);
            check_scan(&r, 2, 1, -2, pool, 0);
            check_scan(&r, 7, 100, -2, pool, 0);
            check_scan(&r, 35, 5, 0.1, NULL, 0);
            check_scan(&r, 1, 1200, -2, pool, 0);
            check_scan(&r, 4, 100000, 0.2, pool, 0);
            check_scan(&r, 2, 10, -2, pool, 1);   /* the approximate scan of a sample that is everything */
        }
        free_rows(&r);
    }
    scry_pool_free(pool);
}

/* Every set of kernels, and each of them as a set that begins with narrow queries, which NEON without dot products does. */
static void scans_of_all_kernels_equal_brute_force(void **unused)
{
    const scry_scan_kernels *set;
    scry_pool *pool = scry_pool_new(3);
    rows_set r = make_rows(512, 2600);
    for (size_t i = 0; i < r.rows / 64 + 1; i++)
        r.bits[i] = i % 3 ? ~0ull : 0x5555555555555555ull;
    for (size_t s = 0; (set = scry_scan_kernels_at(s)); s++)
        for (int narrow = 0; narrow < 2; narrow++)
            for (int part = 0; part < 2; part++) {
                scry_scan_kernels changed = *set;
                changed.narrow_first = narrow;
                scan_with = &changed;
                codes_hook = part ? some_codes : NULL;
                check_scan(&r, 1, 10, -2, NULL, 0);
                check_scan(&r, 2, 1, -2, pool, 0);
                check_scan(&r, 5, 100, -2, pool, 0);
                check_scan(&r, 1, 1200, 0.05, pool, 0);
                check_scan(&r, 1, 10, -2, pool, 1);
            }
    scan_with = NULL;
    codes_hook = NULL;
    free_rows(&r);
    scry_pool_free(pool);
}

/* The bound must be tight enough to leave nearly all stored vectors unread; when a scan begins with narrow queries, the wide ones
 * that follow leave as many. */
static void few_are_rescored(void **unused)
{
    scry_scan_kernels set = *scry_scan_kernels_best();
    rows_set r = make_rows(512, 20000);
    float query[512];
    scry_near_list got[2];
    memset(r.bits, 0xff, r.rows / 64 * 8);
    random_unit(query, 512);
    for (int narrow = 0; narrow < 2; narrow++) {
        set.narrow_first = narrow;
        scry_scan_input in = { .dim = r.dim, .rows = r.rows, .blocks = r.blocks, .vectors = r.vectors, .row_bytes = r.row_bytes,
                               .bits = r.bits, .k = 10, .min_score = -2, .kernels = &set };
        assert_int_equal(scry_scan(&in, query, 1, NULL, &got[narrow]), 0);
        free(got[narrow].items);
    }
    assert_true(got[0].rescored < 100);
    assert_int_equal(got[1].rescored, got[0].rescored);
    free_rows(&r);
}

static void sign_sums_agree(void **unused)
{
    enum { ROWS = 29, WORDS = 21 };
    uint64_t signs[ROWS * WORDS], planes[4 * WORDS];
    int32_t got[ROWS];
    for (size_t words = 1; words <= WORDS; words++)
        for (size_t rows = 1; rows <= ROWS; rows += 4) {
            for (size_t i = 0; i < rows * words; i++)
                signs[i] = i % 5 ? roll() : ~0ull;
            for (size_t i = 0; i < 4 * words; i++)
                planes[i] = i / words == 3 && words % 3 == 0 ? ~0ull : roll();
            const scry_scan_kernels *set;
            for (size_t s = 0; (set = scry_scan_kernels_at(s)); s++) {
                set->signs(got, (const uint8_t *)signs, rows, planes, words);
                for (size_t i = 0; i < rows; i++) {
                    int32_t sum = 0;
                    for (size_t bit = 0; bit < 64 * words; bit++) {
                        int value = 0;
                        for (size_t p = 0; p < 4; p++)
                            value += (int)(planes[p * words + bit / 64] >> (bit % 64) & 1) * (p == 3 ? -8 : 1 << p);
                        sum += (signs[i * words + bit / 64] >> (bit % 64) & 1) ? value : 0;
                    }
                    assert_int_equal(got[i], sum);
                }
            }
        }
}

static void scans_without_some_codes_equal_brute_force(void **unused)
{
    codes_hook = some_codes;
    scans_equal_brute_force(unused);
    codes_hook = NULL;
}

/* Pictures around centres, queries near them: one row in fifty is enough to find nearly all of
 * the nearest, their scores are the exact ones, and the filter holds. */
static void approximate_scans_find_most(void **unused)
{
    enum { D = 512, ROWS = 30000, CENTRES = 50, QUERIES = 40, TOP = 10 };
    static float centres[CENTRES][D], queries[QUERIES * D];
    float v[D];
    rows_set r = make_rows(D, ROWS);
    scry_pool *pool = scry_pool_new(2);
    for (int i = 0; i < CENTRES; i++)
        random_unit(centres[i], D);
    for (size_t i = 0; i < ROWS; i++) {
        random_unit(v, D);
        for (size_t k = 0; k < D; k++)
            v[k] += 0.7f * centres[i % CENTRES][k] + centres[0][k];
        scry_half_from_float((uint16_t *)(void *)(r.vectors + i * r.row_bytes), v, D);
        scry_block_encode(r.blocks[i / SCRY_BLOCK_ROWS], i % SCRY_BLOCK_ROWS,
                          (const uint16_t *)(void *)(r.vectors + i * r.row_bytes), D);
        r.bits[i / 64] |= (uint64_t)(i % 3 != 0) << (i % 64);
    }
    for (size_t i = 0; i < QUERIES * D; i++)
        queries[i] = bell() * 0.04f + centres[i / D][i % D];
    scry_scan_input in = { D, ROWS, r.blocks, r.vectors, r.row_bytes, r.bits, NULL, NULL, 0, TOP, -2, NULL, NULL, NULL, NULL };
    scry_near_list exact[QUERIES], some[QUERIES];
    assert_int_equal(scry_scan(&in, queries, QUERIES, pool, exact), 0);
    in.keep = 0.02;
    assert_int_equal(scry_scan(&in, queries, QUERIES, pool, some), 0);
    int found = 0;
    for (int q = 0; q < QUERIES; q++) {
        assert_int_equal(some[q].count, TOP);
        for (size_t i = 0; i < TOP; i++) {
            const scry_near *near = &some[q].items[i];
            const void *row = r.vectors + near->row * r.row_bytes;
            double norm = scry_float_norm(queries + q * D, D);
            assert_true(near->row % 3 != 0);
            assert_true(near->score == scry_half_cosine(queries + q * D, norm, row, D));
            for (size_t k = 0; k < TOP; k++)
                found += exact[q].items[k].row == near->row;
        }
        free(exact[q].items);
        free(some[q].items);
    }
    assert_true(found >= QUERIES * TOP * 95 / 100);
    scry_pool_free(pool);
    free_rows(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_are_ieee), cmocka_unit_test(cosine_is_exact),
        cmocka_unit_test(kernels_agree), cmocka_unit_test(bounds_hold),
        cmocka_unit_test(scans_equal_brute_force),
        cmocka_unit_test(scans_without_some_codes_equal_brute_force), cmocka_unit_test(few_are_rescored),
        cmocka_unit_test(scans_of_all_kernels_equal_brute_force),
        cmocka_unit_test(sign_sums_agree), cmocka_unit_test(approximate_scans_find_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
