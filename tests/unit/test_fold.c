/* Folding of near duplicates: compared with a plain implementation, and consistent from page to page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scry/store.h"
#include "vector/fold.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIM = 72, GROUPS = 6, OF_GROUP = 300, COUNT = GROUPS * OF_GROUP };

static uint64_t roll(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static float uniform(uint64_t *state)
{
    return (float)((double)(roll(state) >> 11) * 0x1p-53 - 0.5);
}

/* Entry i is its group's direction plus a small random part. */
static void entry(void *arg, size_t i, float *out)
{
    const float noise = *(const float *)arg;
    uint64_t group = 1000 + i % GROUPS, own = 5000 + i;
    double sum = 0;
    for (size_t d = 0; d < DIM; d++) {
        out[d] = uniform(&group) + noise * uniform(&own);
        sum += (double)out[d] * out[d];
    }
    for (size_t d = 0; d < DIM; d++)
        out[d] = (float)(out[d] / sqrt(sum));
}

static double cosine(float noise, size_t a, size_t b)
{
    float x[DIM], y[DIM];
    double dot = 0;
    entry(&noise, a, x);
    entry(&noise, b, y);
    for (size_t d = 0; d < DIM; d++)
        dot += (double)x[d] * y[d];
    return dot;
}

static void fold_is_the_plain_rule(void **unused)
{
    static const struct { float noise; double cosine; } cases[] = { { 0.1f, 0.97 }, { 0.5f, 0.82 }, { 0.5f, 0.3 }, { 2.0f, 0.9 } };
    enum { N = 300 };
    size_t leader[N];
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        float noise = cases[c].noise;
        assert_int_equal(scry_fold(leader, N, DIM, cases[c].cosine, entry, &noise), 0);
        for (size_t i = 0; i < N; i++) {
            size_t k = 0;
            while (k < i && (leader[k] != k || cosine(noise, k, i) < cases[c].cosine))
                k++;
            assert_int_equal(leader[i], k);
        }
    }
}

/* Only the hits within the window are compared. */
static void far_row(void *arg, size_t i, float *out)
{
    memset(out, 0, (SCRY_FOLD_WINDOW + 2) * sizeof *out);
    out[i < SCRY_FOLD_WINDOW + 2 ? i : i - SCRY_FOLD_WINDOW - 2] = 3;
}

static void fold_forgets_beyond_its_window(void **unused)
{
    size_t leader[SCRY_FOLD_WINDOW + 4];
    size_t n = sizeof leader / sizeof *leader;
    assert_int_equal(scry_fold(leader, n, SCRY_FOLD_WINDOW + 2, 0.99, far_row, NULL), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(leader[i], i);   /* the last two repeat the first two, which are just out of it */
}

static void fill(scry_store *s, float noise)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_root root;
    assert_int_equal(scry_store_add_root(s, "/pictures", &root, &err), 0);
    for (size_t i = 0; i < COUNT; i++) {
        float v[DIM];
        char name[32];
        scry_put p = { .file = { .relative = name, .format = "jpeg", .camera = "", .key = "", .size = 1, .width = 2, .height = 2 },
                       .vector = v };
        entry(&noise, i, v);
        snprintf(name, sizeof name, "%05zu.jpg", i);
        memcpy(p.file.root, root.id, SCRY_ID_BYTES);
        memcpy(p.file.content, &i, sizeof i);
        assert_int_equal(scry_store_put(s, &p, 1, &err), 0);
    }
    assert_int_equal(scry_store_sync(s, &err), 0);
}

/* The pages, joined, equal the long list: each group once. */
static void pages_of_a_store_fit(void **unused)
{
    char dir[] = "/tmp/scry-fold-XXXXXX", command[64];
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_store *s;
    float query[DIM], noise = 0.05f;
    uint64_t all = 0;
    assert_non_null(mkdtemp(dir));
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = "00";
    o.dim = DIM;
    assert_int_equal(scry_store_open(&s, dir, &o, &err), 0);
    fill(s, noise);
    entry(&noise, 0, query);
    scry_search q = SCRY_SEARCH_INIT;
    scry_results *whole, *page;
    q.fold = 0.97;
    q.limit = 1000;
    assert_int_equal(scry_store_search(s, query, &q, &whole, &err), 0);
    assert_int_equal(whole->count, GROUPS);
    assert_false(whole->has_more);
    for (q.offset = 0, q.limit = 1; q.offset < GROUPS; q.offset++) {
        assert_int_equal(scry_store_search(s, query, &q, &page, &err), 0);
        assert_int_equal(page->count, 1);
        assert_int_equal(page->has_more, q.offset + 1 < GROUPS);
        assert_memory_equal(page->hits[0].file.id, whole->hits[q.offset].file.id, SCRY_ID_BYTES);
        const scry_hit *h = &whole->hits[q.offset];
        assert_int_equal(h->folded, OF_GROUP - 1);
        assert_memory_not_equal(h->folded_ids[0], h->file.id, SCRY_ID_BYTES);
        assert_memory_not_equal(h->folded_ids[0], h->folded_ids[SCRY_FOLDED_IDS - 1], SCRY_ID_BYTES);
        all += h->folded + 1;
        scry_results_free(page);
    }
    assert_int_equal(all, COUNT);
    scry_results_free(whole);
    q.all_copies = true;
    assert_int_equal(scry_store_search(s, query, &q, &page, &err), SCRY_EINVALID);
    q = (scry_search)SCRY_SEARCH_INIT;
    q.fold = NAN;
    assert_int_equal(scry_store_search(s, query, &q, &page, &err), SCRY_EINVALID);
    assert_int_equal(scry_store_close(s, &err), 0);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fold_is_the_plain_rule),
        cmocka_unit_test(fold_forgets_beyond_its_window),
        cmocka_unit_test(pages_of_a_store_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
