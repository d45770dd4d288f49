/* The nearest name: against a plain recursive distance, and what people type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/nearest.h"

#include <stdlib.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment by its definition, for short texts. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    if (n == 0 || m == 0)
        return n + m;
    size_t changed = distance(a, n - 1, b, m - 1) + (a[n - 1] != b[m - 1]);
    size_t d = least(least(distance(a, n - 1, b, m), distance(a, n, b, m - 1)) + 1, changed);
    if (n > 1 && m > 1 && a[n - 1] == b[m - 2] && a[n - 2] == b[m - 1])
        d = least(d, distance(a, n - 2, b, m - 2) + 1);
    return d;
}

static void as_the_definition(void **state)
{
    uint32_t seed = 1;
    for (int i = 0; i < 2000; i++) {
        char a[7], b[7];
        size_t n = 3 + seed % 4, m = 1 + seed / 7 % 6;
        for (size_t k = 0; k < n || k < m; k++) {
            seed = seed * 1664525 + 1013904223;
            if (k < n)
                a[k] = (char)('a' + (seed >> 28) % 3);
            if (k < m)
                b[k] = (char)('a' + (seed >> 24) % 3);
        }
        a[n] = b[m] = '\0';
        size_t wanted = distance(a, n, b, m);
        scry_nearest near = SCRY_NEAREST_INIT(a);
        scry_nearest_offer(&near, b);
        assert_int_equal(near.best[0] != '\0', wanted <= n / 3);
        if (near.best[0])
            assert_int_equal(near.distance, wanted);
    }
}

static void check(const char *given, const char *names, const char *wanted)
{
    scry_nearest n = SCRY_NEAREST_INIT(given);
    scry_nearest_offer_words(&n, names);
    assert_string_equal(n.best, wanted);
}

static void what_people_type(void **state)
{
    check("serach", "index search list", "search");
    check("nikno", "Canon NIKON D90", "NIKON");
    check("sarch", "starch search", "starch");   /* the first of equally near ones */
    check("jpge", "jpeg png jp2", "jpeg");
    check("dog", "index search", "");
    check("ls", "rm", "");
    check("", "a", "");
    check("\xD0\xBF\xD0\xBB\xD1\x8F\xD0\xB6\xD0\xB8", "\xD0\xBF\xD0\xBB\xD1\x8F\xD0\xB6", "\xD0\xBF\xD0\xBB\xD1\x8F\xD0\xB6");
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    check(longer, longer, "");
    check("a\xFF\xFE", "a\xFF\xFE", "a\xFF\xFE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_definition),
        cmocka_unit_test(what_people_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
