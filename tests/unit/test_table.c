/* base/table.h against sorted arrays and counters, and its refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 100000, DISTINCT = 30000 };

typedef struct {
    char *text;
    uint64_t count;
} counted;

/* Words 0 to DISTINCT - 1 in an order that repeats none of them in a simple pattern. */
static unsigned word_at(unsigned i)
{
    return (unsigned)((i * UINT64_C(2654435761) >> 7) % DISTINCT);
}

static void texts_keep_order_and_counts(void **state)
{
    scry_table t = SCRY_TABLE_OF_TEXTS(sizeof(counted), DISTINCT);
    unsigned *counts = calloc(DISTINCT, sizeof *counts), *order = calloc(DISTINCT, sizeof *order), distinct = 0;
    assert_int_equal(scry_table_find(&t, "0"), -1);
    for (unsigned i = 0; i < MANY; i++) {
        char text[16];
        unsigned word = word_at(i);
        snprintf(text, sizeof text, "%u", word);
        if (counts[word]++ == 0)
            order[distinct++] = word;
        int64_t n = scry_table_add(&t, text, NULL);
        assert_true(n >= 0);
        ((counted *)scry_table_at(&t, (size_t)n))->count++;
    }
    assert_int_equal(t.count, distinct);
    for (unsigned i = 0; i < distinct; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u", order[i]);
        assert_string_equal(scry_table_text(&t, i), text);
        assert_int_equal(scry_table_find(&t, text), i);
        assert_int_equal(((counted *)scry_table_at(&t, i))->count, counts[order[i]]);
    }
    assert_int_equal(scry_table_find(&t, ""), -1);
    assert_int_equal(scry_table_find(&t, "x"), -1);
    scry_table_dispose(&t);
    assert_int_equal(t.count, 0);
    assert_int_equal(scry_table_find(&t, "0"), -1);
    assert_int_equal(scry_table_add(&t, "again", NULL), 0);
    scry_table_dispose(&t);
    free(counts);
    free(order);
}

typedef struct {
    uint8_t key[16];
    int64_t value;
} item;

static void binary_keys_with_zeros(void **state)
{
    scry_table t = SCRY_TABLE_OF_BYTES(16, sizeof(item), MANY);
    for (unsigned i = 0; i < MANY; i++) {
        uint8_t key[16] = { 0 };
        memcpy(key + 12, &i, sizeof i);
        int64_t n = scry_table_add(&t, key, NULL);
        assert_int_equal(n, i);
        item *added = scry_table_at(&t, (size_t)n);
        assert_int_equal(added->value, 0);
        added->value = (int64_t)i * 3;
    }
    for (unsigned i = 0; i < MANY + 100; i++) {
        uint8_t key[16] = { 0 };
        memcpy(key + 12, &i, sizeof i);
        int64_t n = scry_table_find(&t, key);
        assert_int_equal(n, i < MANY ? (int64_t)i : -1);
        if (n >= 0)
            assert_int_equal(((item *)scry_table_at(&t, (size_t)n))->value, (int64_t)i * 3);
    }
    scry_table_dispose(&t);
}

static void long_texts_and_the_limit(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_table t = SCRY_TABLE_OF_TEXTS(sizeof(char *), 2);
    char *text = malloc(100001);
    memset(text, 'a', 100000);
    text[100000] = '\0';
    assert_int_equal(scry_table_add(&t, text, &err), 0);
    assert_int_equal(scry_table_add(&t, "b", &err), 1);
    assert_int_equal(scry_table_add(&t, text, &err), 0);
    assert_int_equal(scry_table_add(&t, "c", &err), SCRY_ELIMIT);
    assert_string_equal(err.message, "more than 2 different names");
    assert_string_equal(scry_table_text(&t, 0), text);
    scry_table_dispose(&t);
    free(text);
}

static bool never_equal(const void *owner, size_t number, const void *key, size_t n)
{
    ++*(int *)owner;
    return false;
}

static void colliding_keys_are_refused(void **state)
{
    scry_slots s = { 0 };
    int compared = 0, set = 0;
    uint32_t *slot;
    assert_true(scry_slots_reserve(&s, 4096));
    while (set < 4096 && (slot = scry_slots_find(&s, 42, never_equal, &compared, NULL, 0)))
        scry_slots_set(&s, slot, 42, (size_t)set++);
    assert_int_equal(set, SCRY_SLOTS_MAX_PROBES);
    assert_int_equal(compared, SCRY_SLOTS_MAX_PROBES * (SCRY_SLOTS_MAX_PROBES + 1) / 2);
    assert_non_null(scry_slots_find(&s, 43, never_equal, &compared, NULL, 0));
    assert_false(scry_slots_reserve(&s, SIZE_MAX / 4));
    scry_slots_dispose(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_keep_order_and_counts),
        cmocka_unit_test(binary_keys_with_zeros),
        cmocka_unit_test(long_texts_and_the_limit),
        cmocka_unit_test(colliding_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
