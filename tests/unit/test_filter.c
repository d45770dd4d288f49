/* Filters: parsing of dates and places, and which files scry_filter_match accepts.
 * (test_store_random.c compares the store with it.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scry/filter.h"
#include "scry/store.h"
#include "store/predicates.h"

#include <math.h>
#include <string.h>

static void times(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;   /* by `date -u -d ... +%s` */
    } good[] = {
        { "1970", 0 }, { "2024", 1704067200 }, { "2024-05", 1714521600 }, { "2024-05-17", 1715904000 },
        { "2024-05-17T10:00", 1715940000 }, { "2024-05-17T10:00:30", 1715940030 },
        { "2024-05-17T10:00Z", 1715940000 }, { "2024-05-17T10:00+02:00", 1715932800 },
        { "2024-05-17t10:00:30-05:30", 1715959830 }, { "2000-02-29", 951782400 }, { "1969-12-31", -86400 },
        { "0001-01-01", -62135596800 },
    };
    static const char *const bad[] = {
        "", "24", "20245", "2024-13", "2024-00", "2024-02-30", "1900-02-29", "2024-5-1", "2024-05-17T",
        "2024-05-17T25:00", "2024-05-17T10:60", "2024-05-17T10:00+99:00", "2024-05-17Z", "2024T10:00", "may",
        "2024-05-17T10:00:61", "2024-05-17T10:00:30x", " 2024",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t s = -1;
        assert_int_equal(scry_parse_time(good[i].text, &s, NULL), 0);
        assert_int_equal(s, good[i].seconds);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t s;
        scry_error err = SCRY_ERROR_INIT;
        assert_int_equal(scry_parse_time(bad[i], &s, &err), SCRY_EINVALID);
        assert_true(err.message[0]);
    }
}

static void places(void **state)
{
    static const char *const bad[] = { "", "1,2", "1,2,3,4", "91,0,1", "0,181,1", "0,0,-1", "a,b,c", "1,2,nan",
                                       "1,2,inf", "0x1,2,3", "1 2,3,4", "1,2,3 km", ",,", " , ,5", "1,2,1e999",
                                       "48,1, 11,5, 25" };
    double lat, lon, km;
    assert_int_equal(scry_parse_near("48.137,11.575,25", &lat, &lon, &km, NULL), 0);
    assert_true(lat == 48.137 && lon == 11.575 && km == 25);
    assert_int_equal(scry_parse_near("-90,180,1e3", &lat, &lon, &km, NULL), 0);
    assert_true(lat == -90 && lon == 180 && km == 1000);
    assert_int_equal(scry_parse_near(" 48.85, -2.35 ,\t5 ", &lat, &lon, &km, NULL), 0);
    assert_true(lat == 48.85 && lon == -2.35 && km == 5);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scry_error err = SCRY_ERROR_INIT;
        assert_int_equal(scry_parse_near(bad[i], &lat, &lon, &km, &err), SCRY_EINVALID);
    }
}

static void boxes(void **state)
{
    static const char *const bad[] = { "", "1,2,3", "1,2,3,4,5", "181,0,1,1", "0,0,-181,1", "0,-91,1,1", "0,0,1,91", "0,2,1,1", "a,0,1,1",
                                       "0,0,1,nan", "0 0,1,1", "0,0,1,1 ,", ",,,", "0,0,1e999,1" };
    double w, s, e, n;
    assert_int_equal(scry_parse_box("170.5,-10,-170,1e1", &w, &s, &e, &n, NULL), 0);
    assert_true(w == 170.5 && s == -10 && e == -170 && n == 10);
    assert_int_equal(scry_parse_box("11.4, 48, 11.7, 48.2", &w, &s, &e, &n, NULL), 0);
    assert_true(w == 11.4 && s == 48 && e == 11.7 && n == 48.2);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scry_error err = SCRY_ERROR_INIT;
        assert_int_equal(scry_parse_box(bad[i], &w, &s, &e, &n, &err), SCRY_EINVALID);
    }
    static const struct {
        double box[4], latitude, longitude;
        bool in;
    } cases[] = {
        { { 2, 48, 3, 49 }, 48, 3, true }, { { 2, 48, 3, 49 }, 49, 2, true }, { { 2, 48, 3, 49 }, 49.001, 2, false },
        { { 2, 48, 3, 49 }, 48.5, 3.001, false }, { { 170, -10, -170, 10 }, 0, 175, true },
        { { 170, -10, -170, 10 }, 0, -175, true },
        { { 170, -10, -170, 10 }, 0, 0, false }, { { 170, -10, -170, 10 }, 0, 180, true },
        { { 170, -10, -170, 10 }, 0, -180, true },
        { { 170, -10, 180, 10 }, 0, -180, true }, { { -180, -10, -170, 10 }, 0, 180, true }, { { 0, -10, 170, 10 }, 0, 180, false },
        { { -180, -90, 180, 90 }, -90, 12, true }, { { 2, 48, 2, 48 }, 48, 2, true },
    };
    scry_filter_pool *p = scry_filter_pool_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double *b = cases[i].box;
        const scry_filter_node *box = scry_filter_box(p, b[0], b[1], b[2], b[3]);
        scry_file file = { .has_position = true, .latitude = cases[i].latitude, .longitude = cases[i].longitude };
        assert_int_equal(scry_filter_match(box, &file), cases[i].in);
        file.has_position = false;
        assert_false(scry_filter_match(box, &file));
    }
    scry_filter_pool_free(p);
}

static scry_file example(void)
{
    static const char *const labels[] = { "beach", "Strand" };
    return (scry_file){ .path = "/photos/2024/sea.jpg", .relative = "2024/sea.jpg", .mtime_ns = -1, .width = 4000,
                        .format = "jpeg", .camera = "NIKON D90", .key = "k1", .labels = labels,
                        .label_count = 2, .has_rating = true, .rating = 3,
                        .keywords = "Sea\nOld harbour\nЁлка\nCafé", .has_position = true, .latitude = 48.8566, .longitude = 2.3522 };
}

static bool passes(const scry_filter_node *f)
{
    scry_file file = example();
    return scry_filter_match(f, &file);
}

static void meanings(void **state)
{
    scry_filter_pool *p = scry_filter_pool_new();
    const scry_filter_node *yes = scry_filter_text(p, SCRY_FILTER_KEY, "k1");
    const scry_filter_node *no = scry_filter_text(p, SCRY_FILTER_KEY, "K1");
    assert_true(passes(NULL) && passes(yes) && !passes(no));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_IN, "/")));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_IN, "/photos/")));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_IN, "/photos/2024/sea.jpg")));
    assert_false(passes(scry_filter_text(p, SCRY_FILTER_IN, "/photos/202")));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_FORMAT, "JPG")));
    assert_false(passes(scry_filter_text(p, SCRY_FILTER_FORMAT, "png")));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_CAMERA, "nikon d")));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_CAMERA, "")));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_LABEL, "Strand")));
    assert_false(passes(scry_filter_text(p, SCRY_FILTER_LABEL, "strand")));
    assert_true(passes(scry_filter_number(p, SCRY_FILTER_MIN_WIDTH, 4000)));
    assert_false(passes(scry_filter_number(p, SCRY_FILTER_MIN_WIDTH, 4001)));
    assert_true(passes(scry_filter_number(p, SCRY_FILTER_MIN_RATING, 3)));
    assert_false(passes(scry_filter_number(p, SCRY_FILTER_MIN_RATING, 4)));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_KEYWORD, "old Harbour")));
    assert_false(passes(scry_filter_text(p, SCRY_FILTER_KEYWORD, "harbour")));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_KEYWORD, "ЁЛКА")));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_KEYWORD, "елка")));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_KEYWORD, "CAFE")));
    assert_true(passes(scry_filter_text(p, SCRY_FILTER_KEYWORD, "cafe\xcc\x81")));   /* é as e and an accent */
    assert_false(passes(scry_filter_text(p, SCRY_FILTER_KEYWORD, "елки")));
    assert_false(passes(scry_filter_text(p, SCRY_FILTER_KEYWORD, "")));
    /* no EXIF time: the mtime, one nanosecond before 1970, is second -1 */
    assert_true(passes(scry_filter_time(p, SCRY_FILTER_AFTER, -1)));
    assert_false(passes(scry_filter_time(p, SCRY_FILTER_AFTER, 0)));
    assert_true(passes(scry_filter_time(p, SCRY_FILTER_BEFORE, 0)));
    assert_false(passes(scry_filter_time(p, SCRY_FILTER_BEFORE, -1)));
    /* Paris to London: 343.6 km on this sphere */
    assert_true(passes(scry_filter_near(p, 51.5074, -0.1278, 344)));
    assert_false(passes(scry_filter_near(p, 51.5074, -0.1278, 343)));
    assert_true(passes(scry_filter_and(p, yes, scry_filter_not(p, no))));
    assert_false(passes(scry_filter_and(p, yes, no)));
    assert_true(passes(scry_filter_or(p, no, yes)));
    assert_true(passes(scry_filter_or(p, no, NULL)));     /* NULL is every file */
    assert_false(passes(scry_filter_not(p, NULL)));
    assert_ptr_equal(scry_filter_and(p, NULL, yes), yes);
    assert_null(scry_filter_and(p, NULL, NULL));
    scry_filter_pool_free(p);
}

/* A kind that is not known, as a newer caller could give one, must not let everything pass. */
static void unknown_kinds(void **state)
{
    scry_filter_pool *p = scry_filter_pool_new();
    for (int kind = SCRY_FILTER_KINDS; kind < SCRY_FILTER_KINDS + 3; kind++) {
        scry_filter_node odd = { .kind = (scry_filter_kind)kind, .text = "x" };
        const scry_filter_node *yes = scry_filter_text(p, SCRY_FILTER_KEY, "k1");
        assert_false(passes(&odd));
        assert_false(passes(scry_filter_not(p, &odd)));
        assert_false(passes(scry_filter_and(p, yes, &odd)));
        assert_false(passes(scry_filter_not(p, scry_filter_or(p, &odd, scry_filter_not(p, yes)))));
        assert_true(passes(scry_filter_or(p, yes, &odd)));
        scry_error err = SCRY_ERROR_INIT;
        assert_int_equal(scry_filter_check(scry_filter_not(p, &odd), &err), SCRY_EINVALID);
        assert_non_null(strstr(err.message, "unknown kind"));
        assert_int_equal(scry_filter_check(yes, NULL), 0);
        assert_int_equal(scry_filter_check(NULL, NULL), 0);
    }
    const scry_filter_node half = { .kind = SCRY_FILTER_AND, .left = scry_filter_text(p, SCRY_FILTER_KEY, "k1") };
    assert_int_equal(scry_filter_check(&half, NULL), SCRY_EINVALID);
    scry_filter_pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(times), cmocka_unit_test(places), cmocka_unit_test(boxes),
                                        cmocka_unit_test(meanings), cmocka_unit_test(unknown_kinds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
