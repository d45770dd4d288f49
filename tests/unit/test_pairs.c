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
        { "x.Jpg", SCRY_PAIR_LEAD, 2 }, { "x.Dng", SCRY_PAIR_RAW, 2 }, { "x.jPG", SCRY_PAIR_NONE, 2 },
        { "PXL_1.RAW-02.ORIGINAL.dng", SCRY_PAIR_RAW, 6 }, { "d/PXL_1.RAW-01.COVER.jpg", SCRY_PAIR_LEAD, 8 },
        { "PXL_1.RAW-01.MP.COVER.jpg", SCRY_PAIR_LEAD, 6 }, { "PXL_1.MP.jpg", SCRY_PAIR_LEAD, 6 }, { "PXL_1.MP.dng", SCRY_PAIR_RAW, 6 },
        { "d/.MP.jpg", SCRY_PAIR_LEAD, 6 }, { "MP.jpg", SCRY_PAIR_LEAD, 3 }, { "PXL_1.RAW-02.ORIGINAL.jpg", SCRY_PAIR_LEAD, 22 },
        { "x.png", SCRY_PAIR_NONE, 2 }, { "x.jpgs", SCRY_PAIR_NONE, 2 }, { ".jpg", SCRY_PAIR_NONE, 1 },
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

enum { NAMES = 100, NAME = 32 };

static bool collect(void *arg, const char *other)
{
    char (*names)[NAME] = arg;
    size_t n = 0;
    while (names[n][0])
        n++;
    assert_true(n < NAMES - 1);
    snprintf(names[n], sizeof names[n], "%s", other);
    return strcmp(other, "d/x.heic") == 0;
}

/* Every name that is called back is the other part; each extension of a RAW is one that the walk takes for a RAW. */
static void names(void **state)
{
    char leads[NAMES][NAME] = { "" }, raws[NAMES][NAME] = { "" };
    size_t stem;
    assert_true(scry_pair_names("d/x.ORF", collect, leads));
    assert_string_equal(leads[0], "d/x.JPG");
    for (size_t i = 0; leads[i][0]; i++)
        assert_int_equal(part_of(leads[i], &stem), SCRY_PAIR_LEAD);
    assert_false(scry_pair_names("d/x.jpg", collect, raws));
    for (size_t i = 0; raws[i][0]; i++) {
        assert_int_equal(part_of(raws[i], &stem), SCRY_PAIR_RAW);
        assert_int_equal(scry_format_from_name(strrchr(raws[i], '.') + 1), SCRY_FORMAT_RAW);
    }
    assert_false(scry_pair_names("d/x.png", collect, leads));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(parts), cmocka_unit_test(names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
