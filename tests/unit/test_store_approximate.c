/* Approximate search in a store of the smallest size at which it is used, compared with exact search: it
 * misses some hits (random vectors are its worst case), finds most, and equals exact search where a filter
 * selects too few pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_model.h"

#include "scry/filter.h"

enum { CONTENTS = 65536, BATCH = 2048, QUERIES = 50, TOP = 10, DIM = 64 };

static void fill(scry_store *s)
{
    static scry_put batch[BATCH];
    static float vectors[BATCH][DIM];
    static char names[BATCH][16];
    scry_root root;
    assert_int_equal(scry_store_add_root(s, "/pictures", &root, NULL), 0);
    for (int i = 0; i < CONTENTS; i++) {
        int at = i % BATCH;
        snprintf(names[at], sizeof names[at], "%d.png", i);
        model_direction(i, vectors[at], DIM);
        batch[at] = (scry_put){ .file = { .relative = names[at], .size = 1, .format = i ? "png" : "jpeg", .camera = "" },
                                .vector = vectors[at] };
        memcpy(batch[at].file.root, root.id, sizeof root.id);
        model_hash(i, batch[at].file.content);
        if (at == BATCH - 1)
            assert_int_equal(scry_store_put(s, batch, BATCH, NULL), 0);
    }
}

/* How many of the exact search's hits the approximate one finds, of QUERIES * TOP. */
static int found(scry_store *s, const scry_filter_node *filter)
{
    static float queries[QUERIES * DIM];
    scry_results *exact[QUERIES], *some[QUERIES];
    scry_search search = SCRY_SEARCH_INIT;
    int n = 0;
    for (int q = 0; q < QUERIES; q++)
        model_direction(CONTENTS + q, queries + (size_t)q * DIM, DIM);
    search.limit = TOP;
    search.filter = filter;
    assert_int_equal(scry_store_search_many(s, queries, QUERIES, &search, exact, NULL), 0);
    search.approximate = true;
    assert_int_equal(scry_store_search_many(s, queries, QUERIES, &search, some, NULL), 0);
    for (int q = 0; q < QUERIES; q++) {
        assert_int_equal(exact[q]->count, TOP);
        assert_int_equal(some[q]->count, TOP);
        for (int i = 0; i < TOP * TOP; i++) {
            const scry_hit *a = &exact[q]->hits[i / TOP], *b = &some[q]->hits[i % TOP];
            if (memcmp(a->file.id, b->file.id, SCRY_ID_BYTES) == 0) {
                assert_true(a->score == b->score);
                n++;
            }
        }
        scry_results_free(exact[q]);
        scry_results_free(some[q]);
    }
    return n;
}

static void from_65536_on(void **state)
{
    char where[64];
    scry_store *s;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_filter_pool *pool = scry_filter_pool_new();
    make_fast_scratch(where);
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = "identity";
    o.model_name = "toy";
    o.precision = "fp32";
    o.dim = DIM;
    assert_int_equal(scry_store_open(&s, where, &o, NULL), 0);
    fill(s);
    int n = found(s, NULL);
    assert_true(n >= QUERIES * TOP * 9 / 10 && n < QUERIES * TOP);
    assert_int_equal(found(s, scry_filter_text(pool, SCRY_FILTER_FORMAT, "png")), QUERIES * TOP);   /* one fewer */
    assert_int_equal(scry_store_close(s, NULL), 0);
    scry_filter_pool_free(pool);
    remove_tree(where);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(from_65536_on) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
