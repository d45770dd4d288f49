/* test_pairs.c - which names are a RAW and the picture beside it. */
#include "image/image.h"
#include "store/pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static scry_pair_part part_of(const char *name, size_t *stem)
{
    return scry_pair_part_of(name, strlen(name), stem);
}

static void parts(void **state)
{
    static const struct { const char *name; scry_pair_part part; size_t stem; } cases[] = {
        { "IMG_1.CR2", SCRY_PAIR_RAW, 6 }, { "a.b/IMG_1.cr3", SCRY_PAIR_RAW, 10 }, { "IMG_1.JPG", SCRY_PAIR_LEAD, 6 },
        { "x.jpeg", SCRY_PAIR_LEAD, 2 }, { "x.HEIC", SCRY_PAIR_LEAD, 2 }, { "x.HIF", SCRY_PAIR_LEAD, 2 },
        { "x.Jpg", SCRY_PAIR_NONE, 2 }, { "x.png", SCRY_PAIR_NONE, 2 }, { "x.jpgs", SCRY_PAIR_NONE, 2 }, { ".jpg", SCRY_PAIR_NONE, 1 },
        { "d/.jpg", SCRY_PAIR_NONE, 3 }, { "x.", SCRY_PAIR_NONE, 2 }, { "a.b.dng", SCRY_PAIR_RAW, 4 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t stem;
        assert_int_equal(part_of(cases[i].name, &stem), cases[i].part);
        assert_int_equal(stem, cases[i].stem);
    }
    size_t stem;
    assert_int_equal(part_of("", &stem), SCRY_PAIR_NONE);
    assert_int_equal(part_of("no extension at all", &stem), SCRY_PAIR_NONE);
    assert_int_equal(part_of("d.jpg/no-extension-here", &stem), SCRY_PAIR_NONE);
}

static bool collect(void *arg, const char *other)
{
    char (*names)[16] = arg;
    size_t n = 0;
    while (names[n][0])
        n++;
    assert_true(n < 63);
    snprintf(names[n], sizeof names[n], "%s", other);
    return strcmp(other, "d/x.heic") == 0;
}

/* Every name that is called back is the other part; each extension of a RAW is one that the walk takes for a RAW. */
static void names(void **state)
{
    char leads[64][16] = { "" }, raws[64][16] = { "" };
    size_t stem;
    assert_true(scry_pair_names("d/x.ORF", collect, leads));
    assert_string_equal(leads[0], "d/x.JPG");
    for (size_t i = 0; leads[i][0]; i++)
        assert_int_equal(part_of(leads[i], &stem), SCRY_PAIR_LEAD);
    assert_false(scry_pair_names("d/x.jpg", collect, raws));
    for (size_t i = 0; raws[i][0]; i++) {
        assert_int_equal(part_of(raws[i], &stem), SCRY_PAIR_RAW);
        assert_int_equal(scry_format_from_name(raws[i] + stem), SCRY_FORMAT_RAW);
    }
    assert_false(scry_pair_names("d/x.png", collect, leads));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(parts), cmocka_unit_test(names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
