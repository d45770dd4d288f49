/* Filters as Milvus expressions, and the encoding of text in its fields. Which rows the
 * expressions select is compared with scry_filter_match on a real server (tests/milvus). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "store/milvus/filter_milvus.h"
#include "store/milvus/filter_words.h"

#include <stdlib.h>
#include <string.h>

static const char *const ids[] = { "aa", "bb" };
static const char *const paths[] = { "/photos", "/mnt/disk" };
static const char *const cameras[] = { "Canon EOS", "NIKON D90", "a\"b" };
static const scry_milvus_roots roots = { ids, paths, 2, cameras, 3, true, NULL, 0, SCRY_MILVUS_ALL_WORDS };

static void expect(const scry_filter_node *f, const char *text, scry_milvus_cover cover)
{
    scry_buf out = SCRY_BUF_INIT(1 << 16);
    scry_milvus_cover got;
    assert_int_equal(scry_filter_to_milvus(f, &roots, &out, &got, NULL), 0);
    assert_string_equal(scry_buf_str(&out), text);
    assert_int_equal(got, cover);
    scry_buf_dispose(&out);
}

/* Collections of format 1 keep no ratings and keywords: a filter by them is refused, wherever it stands. */
static void fields_that_are_not_there(void **state)
{
    static const scry_milvus_roots old = { ids, paths, 2, cameras, 3, false, NULL, 0, SCRY_MILVUS_NO_WORDS };
    scry_filter_pool *p = scry_filter_pool_new();
    const scry_filter_node *rating = scry_filter_number(p, SCRY_FILTER_MIN_RATING, 3),
                           *keyword = scry_filter_text(p, SCRY_FILTER_KEYWORD, "sea"),
                           *format = scry_filter_text(p, SCRY_FILTER_FORMAT, "jpeg");
    const scry_filter_node *const filters[] = { rating, keyword, scry_filter_not(p, rating), scry_filter_and(p, format, keyword),
                                                scry_filter_or(p, format, rating) };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        scry_buf out = SCRY_BUF_INIT(1 << 16);
        scry_milvus_cover cover;
        scry_error err = SCRY_ERROR_INIT;
        assert_int_equal(scry_filter_to_milvus(filters[i], &old, &out, &cover, &err), SCRY_EINVALID);
        assert_non_null(strstr(err.message, "scry store copy --to-collection"));
        scry_buf_dispose(&out);
    }
    scry_filter_pool_free(p);
}

static void leaves(void **state)
{
    scry_filter_pool *p = scry_filter_pool_new();
    expect(NULL, "", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_IN, "/photos/a_%"), "root == \"aa\" and (path == \"a_%\" or (path > \"a_%/\" and "
           "path < \"a_%0\"))", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_IN, "/photos"), "root == \"aa\"", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_IN, "/"), "(root == \"aa\") or (root == \"bb\")", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_IN, "/photo"), "", SCRY_MILVUS_NOTHING);
    expect(scry_filter_time(p, SCRY_FILTER_AFTER, -5), "time >= -5", SCRY_MILVUS_EXACT);
    expect(scry_filter_time(p, SCRY_FILTER_BEFORE, INT64_MIN), "time < -9223372036854775807", SCRY_MILVUS_EXACT);
    expect(scry_filter_number(p, SCRY_FILTER_MIN_WIDTH, 800), "width >= 800", SCRY_MILVUS_EXACT);
    expect(scry_filter_number(p, SCRY_FILTER_MIN_RATING, 3), "rating >= 3", SCRY_MILVUS_EXACT);
    expect(scry_filter_number(p, SCRY_FILTER_MIN_RATING, -7), "rating >= -1", SCRY_MILVUS_EXACT);
    expect(scry_filter_not(p, scry_filter_number(p, SCRY_FILTER_MIN_RATING, 9)), "rating < 6", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_KEYWORD, "The \"Sea\""), "array_contains(keyword_terms, \"the \x1a" "22sea\x1a" "22\")",
           SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_KEYWORD, "Café"),   /* and as earlier versions put it */
           "(array_contains(keyword_terms, \"cafe\")) or (array_contains(keyword_terms, \"café\"))", SCRY_MILVUS_EXACT);
    expect(scry_filter_not(p, scry_filter_number(p, SCRY_FILTER_MIN_WIDTH, 800)), "width < 800", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_FORMAT, "jpg"), "format == \"jpeg\"", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_LABEL, "a\"] or 1"), "array_contains(labels, \"a\x1a" "22] or 1\")", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_KEY, ""), "key == \"\"", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_CAMERA, "n"), "camera in [\"Canon EOS\", \"NIKON D90\"]", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_CAMERA, "\""), "camera in [\"a\x1a" "22b\"]", SCRY_MILVUS_EXACT);
    expect(scry_filter_text(p, SCRY_FILTER_CAMERA, "leica"), "", SCRY_MILVUS_NOTHING);
    expect(scry_filter_text(p, SCRY_FILTER_CAMERA, ""), "", SCRY_MILVUS_EXACT);
    const scry_filter_node odd = { .kind = SCRY_FILTER_KINDS };
    expect(&odd, "", SCRY_MILVUS_NOTHING);
    expect(scry_filter_not(p, &odd), "", SCRY_MILVUS_NOTHING);
    scry_filter_pool_free(p);
}

static void circles_become_boxes(void **state)
{
    scry_filter_pool *p = scry_filter_pool_new();
    const scry_filter_node *pole = scry_filter_near(p, 89.9, 10, 100), *line = scry_filter_near(p, 0, 179.9, 100);
    scry_buf out = SCRY_BUF_INIT(4096);
    scry_milvus_cover cover;
    assert_int_equal(scry_filter_to_milvus(pole, &roots, &out, &cover, NULL), 0);
    assert_null(strstr(scry_buf_str(&out), "longitude"));   /* near a pole every longitude matches */
    assert_int_equal(cover, SCRY_MILVUS_WIDER);
    scry_buf_clear(&out);
    assert_int_equal(scry_filter_to_milvus(line, &roots, &out, &cover, NULL), 0);
    assert_non_null(strstr(scry_buf_str(&out), " or longitude <= -179.2"));
    scry_buf_dispose(&out);
    /* An expression that selects too much must not be negated: all rows are selected, then filtered. */
    expect(scry_filter_not(p, line), "", SCRY_MILVUS_WIDER);
    scry_filter_pool_free(p);
}

static void boxes(void **state)
{
    scry_filter_pool *p = scry_filter_pool_new();
    const scry_filter_node *line = scry_filter_box(p, 170.5, -10, -170, 10);
    expect(scry_filter_box(p, 11.5, 48.25, 11.75, 48.5), "(has_position == true and latitude >= 48.25000000000000000 and latitude <= "
           "48.50000000000000000) and (longitude >= 11.50000000000000000 and longitude <= 11.75000000000000000)", SCRY_MILVUS_EXACT);
    expect(line, "(has_position == true and latitude >= -10.00000000000000000 and latitude <= 10.00000000000000000) and "
           "(longitude >= 170.50000000000000000 or longitude <= -170.00000000000000000)", SCRY_MILVUS_EXACT);
    expect(scry_filter_box(p, 0, 0, 180, 1), "(has_position == true and latitude >= 0.00000000000000000 and latitude <= 1.00000000000000000) and "
           "((longitude >= 0.00000000000000000 and longitude <= 180.00000000000000000) or (longitude <= -180.0 or longitude >= 180.0))",
           SCRY_MILVUS_EXACT);
    scry_filter_pool_free(p);
}

static void combinations(void **state)
{
    scry_filter_pool *p = scry_filter_pool_new();
    const scry_filter_node *key = scry_filter_text(p, SCRY_FILTER_KEY, "k"), *never = scry_filter_text(p, SCRY_FILTER_IN, "/x");
    const scry_filter_node *after = scry_filter_time(p, SCRY_FILTER_AFTER, 7);
    expect(scry_filter_and(p, key, after), "(key == \"k\") and (time >= 7)", SCRY_MILVUS_EXACT);
    expect(scry_filter_not(p, scry_filter_and(p, key, after)), "(not (key == \"k\")) or (time < 7)", SCRY_MILVUS_EXACT);
    expect(scry_filter_and(p, key, never), "", SCRY_MILVUS_NOTHING);
    expect(scry_filter_or(p, never, key), "key == \"k\"", SCRY_MILVUS_EXACT);
    expect(scry_filter_not(p, never), "", SCRY_MILVUS_EXACT);
    expect(scry_filter_not(p, scry_filter_not(p, key)), "key == \"k\"", SCRY_MILVUS_EXACT);
    expect(scry_filter_or(p, key, scry_filter_not(p, never)), "", SCRY_MILVUS_EXACT);
    scry_filter_pool_free(p);
}

static void text_comes_back(void **state)
{
    static const char *const texts[] = {
        "", "plain.jpg", "caf\xE9.jpg", "\xff\xfe", "\xED\xA0\x80", "caf\xC3\xA9", "q\"u'o\\te", "line\nbreak\x1a\03222",
        "\xEF\xBF\xBD", "a\xF0\x9F\x98", "\x7f\x01", "\x1a", "\x1aZZ",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        scry_buf out = SCRY_BUF_INIT(256);
        scry_milvus_escape(&out, texts[i]);
        assert_null(strpbrk(scry_buf_str(&out), "\"'\\\n"));
        char *back = scry_buf_take(&out);
        scry_milvus_unescape(back);
        assert_string_equal(back, texts[i]);
        free(back);
    }
}

static void expect_words(scry_milvus_words words, const scry_filter_node *f, const char *text, scry_milvus_cover cover)
{
    const scry_milvus_roots some = { .has_details = true, .words = words };
    scry_buf out = SCRY_BUF_INIT(1 << 16);
    scry_milvus_cover got;
    assert_int_equal(scry_filter_to_milvus(f, &some, &out, &got, NULL), 0);
    assert_string_equal(scry_buf_str(&out), text);
    assert_int_equal(got, cover);
    scry_buf_dispose(&out);
}

static void words(void **state)
{
    scry_filter_pool *p = scry_filter_pool_new();
    const scry_filter_node *whole = scry_filter_words(p, "Blurb's parties", SCRY_WORDS_WHOLE),
                           *part = scry_filter_words(p, "xq über", SCRY_WORDS_PARTS);
    const char *both = "(array_contains(words, \"blurb\")) and (array_contains(words, \"party\"))";
    const char *runs = "(array_contains(words, \"xq\")) and ((array_contains(word_parts, \"ube\") and array_contains(word_parts, \"ber\")) or "
                       "array_contains(word_parts, \"*\"))";
    expect_words(SCRY_MILVUS_ALL_WORDS, whole, both, SCRY_MILVUS_EXACT);
    expect_words(SCRY_MILVUS_ALL_WORDS, part, runs, SCRY_MILVUS_WIDER);
    char *negative = scry_asprintf("not (%s)", both);
    expect_words(SCRY_MILVUS_ALL_WORDS, scry_filter_not(p, whole), negative, SCRY_MILVUS_EXACT);
    free(negative);
    expect_words(SCRY_MILVUS_ALL_WORDS, scry_filter_not(p, part), "", SCRY_MILVUS_WIDER);   /* what passes more is not negated */
    char *mixed = scry_asprintf("not (array_contains(words, \"=" SCRY_WORDS_VERSION "\")) or (%s)", both);
    expect_words(SCRY_MILVUS_WORDS_MIXED, whole, mixed, SCRY_MILVUS_WIDER);
    free(mixed);
    expect_words(SCRY_MILVUS_WORDS_MIXED, scry_filter_not(p, whole), "", SCRY_MILVUS_WIDER);
    expect_words(SCRY_MILVUS_NO_WORDS, whole, "", SCRY_MILVUS_WIDER);
    expect_words(SCRY_MILVUS_NO_WORDS, scry_filter_and(p, whole, scry_filter_text(p, SCRY_FILTER_KEY, "a")), "key == \"a\"", SCRY_MILVUS_WIDER);

    /* Signs of places are escaped as in the rows. */
    scry_buf out = SCRY_BUF_INIT(1 << 16);
    const scry_milvus_roots all = { .words = SCRY_MILVUS_ALL_WORDS };
    scry_milvus_cover cover;
    assert_int_equal(scry_filter_to_milvus(scry_filter_words(p, "Paris", SCRY_WORDS_PLACE), &all, &out, &cover, NULL), 0);
    assert_int_equal(cover, SCRY_MILVUS_EXACT);
    assert_non_null(strstr(scry_buf_str(&out), "array_contains(words, \"@"));
    scry_buf_dispose(&out);
    scry_filter_pool_free(p);
}

static int append_part(void *arg, const char *part)
{
    scry_buf_printf(arg, "%s ", part);
    return 0;
}

static void parts_of_words(void **state)
{
    static const char *const cases[][2] = {
        { "", "" }, { "ab", "" }, { "abc", "abc " }, { "abcde", "abc bcd cde " }, { "собак", "соб оба бак " }, { "旅行", "" }, { "@!!!!", "" },
        { "x𝒳éy", "x𝒳é 𝒳éy " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scry_buf out = SCRY_BUF_INIT(1 << 10);
        assert_int_equal(scry_milvus_word_parts(cases[i][0], append_part, &out), 0);
        assert_string_equal(scry_buf_str(&out), cases[i][1]);
        scry_buf_dispose(&out);
    }
}

static void favourites_are_listed(void **state)
{
    static const char *const hashes[] = { "0a", "ff" };
    const scry_milvus_roots some = { .has_details = true, .favourites = hashes, .favourite_count = 2 };
    const scry_milvus_roots many = { .has_details = true, .favourites = hashes, .favourite_count = 1 << 20 };
    scry_filter_pool *p = scry_filter_pool_new();
    const scry_filter_node *f = scry_filter_number(p, SCRY_FILTER_FAVOURITE, 0), *other = scry_filter_not(p, f);
    expect(f, "", SCRY_MILVUS_NOTHING);   /* nothing is marked */
    expect(other, "", SCRY_MILVUS_EXACT);
    scry_buf out = SCRY_BUF_INIT(1 << 10);
    scry_milvus_cover cover;
    assert_int_equal(scry_filter_to_milvus(f, &some, &out, &cover, NULL), 0);
    assert_string_equal(scry_buf_str(&out), "content in [\"0a\", \"ff\"]");
    assert_int_equal(cover, SCRY_MILVUS_EXACT);
    scry_buf_clear(&out);
    assert_int_equal(scry_filter_to_milvus(other, &some, &out, &cover, NULL), 0);
    assert_string_equal(scry_buf_str(&out), "not (content in [\"0a\", \"ff\"])");
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_filter_to_milvus(other, &many, &out, &cover, &err), SCRY_ELIMIT);
    assert_non_null(strstr(err.message, "1048576 favourites are too many"));
    scry_buf_dispose(&out);
    scry_filter_pool_free(p);
}

static void expect_roots(const scry_filter_node *f, bool first, bool second)
{
    bool may[2];
    scry_filter_may_pass(f, &roots, may);
    assert_int_equal(may[0], first);
    assert_int_equal(may[1], second);
}

/* Which partitions are searched. */
static void roots_that_cannot_pass_are_left_out(void **state)
{
    scry_filter_pool *p = scry_filter_pool_new();
    const scry_filter_node *photos = scry_filter_text(p, SCRY_FILTER_IN, "/photos"), *below = scry_filter_text(p, SCRY_FILTER_IN,
                           "/photos/a"), *disk = scry_filter_text(p, SCRY_FILTER_IN, "/mnt"), *other =
                           scry_filter_text(p, SCRY_FILTER_FORMAT, "png");
    expect_roots(NULL, true, true);
    expect_roots(other, true, true);
    expect_roots(photos, true, false);
    expect_roots(below, true, false);
    expect_roots(scry_filter_and(p, photos, disk), false, false);
    expect_roots(scry_filter_or(p, photos, disk), true, true);
    expect_roots(scry_filter_and(p, other, disk), false, true);
    expect_roots(scry_filter_or(p, other, disk), true, true);
    expect_roots(scry_filter_not(p, photos), false, true);
    expect_roots(scry_filter_not(p, below), true, true);
    expect_roots(scry_filter_not(p, scry_filter_or(p, photos, disk)), false, false);
    expect_roots(scry_filter_not(p, scry_filter_and(p, photos, other)), true, true);
    scry_filter_pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(words), cmocka_unit_test(parts_of_words),
                                        cmocka_unit_test(favourites_are_listed),
        cmocka_unit_test(leaves), cmocka_unit_test(fields_that_are_not_there),
                                        cmocka_unit_test(circles_become_boxes), cmocka_unit_test(boxes),
                                        cmocka_unit_test(combinations), cmocka_unit_test(text_comes_back),
                                        cmocka_unit_test(roots_that_cannot_pass_are_left_out) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
