/* The query grammar: what is accepted, what it means, what is refused and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scry/query.h"

#include <stdlib.h>
#include <string.h>

static scry_query *parse(const char *const *args, size_t n)
{
    scry_query *q = NULL;
    scry_error err = SCRY_ERROR_INIT;
    if (scry_query_parse(&q, args, n, &err) < 0)
        fail_msg("%s", err.message);
    return q;
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void refuse(const char *const *args, size_t n, const char *says)
{
    scry_query *q = NULL;
    scry_error err = SCRY_ERROR_INIT;
    assert_true(scry_query_parse(&q, args, n, &err) < 0);
    if (!strstr(err.message, says))
        fail_msg("\"%s\" does not say \"%s\"", err.message, says);
}

#define REFUSE(says, ...) \
    refuse((const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), says)

static void check_part(const scry_query *q, size_t i, scry_part_kind kind, double weight, const char *text)
{
    const scry_query_part *parts;
    assert_true(scry_query_parts(q, &parts) > i);
    assert_int_equal(parts[i].kind, kind);
    assert_true(parts[i].weight == weight);
    assert_string_equal(parts[i].text, text);
}

static size_t count(const scry_query *q)
{
    const scry_query_part *parts;
    return scry_query_parts(q, &parts);
}

static void words_are_one_text(void **state)
{
    scry_query *q = PARSE("a", "white dog", "running");
    assert_int_equal(count(q), 1);
    check_part(q, 0, SCRY_PART_TEXT, 1, "a white dog running");
    scry_query_free(q);
}

static void operators_begin_parts(void **state)
{
    scry_query *q = PARSE("beach", "-", "many", "people", "+", "0.5:sunset");
    assert_int_equal(count(q), 3);
    check_part(q, 0, SCRY_PART_TEXT, 1, "beach");
    check_part(q, 1, SCRY_PART_TEXT, -1, "many people");
    check_part(q, 2, SCRY_PART_TEXT, 0.5, "sunset");
    scry_query_free(q);
    q = PARSE("-", "snow");
    check_part(q, 0, SCRY_PART_TEXT, -1, "snow");
    scry_query_free(q);
}

static void pictures_and_regions(void **state)
{
    scry_query *q = PARSE("@a b.jpg", "+", "2:@c#d.jpg#1,2,30,40", "-", "@e#f", "+", "@id:00112233445566778899aabbccddeeff");
    const scry_query_part *parts;
    assert_int_equal(scry_query_parts(q, &parts), 4);
    check_part(q, 0, SCRY_PART_PICTURE, 1, "a b.jpg");
    check_part(q, 1, SCRY_PART_PICTURE, 2, "c#d.jpg");
    assert_int_equal(parts[1].region[0], 1);
    assert_int_equal(parts[1].region[3], 40);
    check_part(q, 2, SCRY_PART_PICTURE, -1, "e#f");
    assert_int_equal(parts[3].kind, SCRY_PART_STORED);
    assert_int_equal(parts[3].id[15], 0xff);
    scry_query_free(q);
}

static void backslash_keeps_literals(void **state)
{
    scry_query *q = PARSE("\\@home", "+", "\\0.5:dog", "+", "\\\\x", "+", "black", "\\-", "white", "+", "\\-", "x");
    check_part(q, 0, SCRY_PART_TEXT, 1, "@home");
    check_part(q, 1, SCRY_PART_TEXT, 1, "0.5:dog");
    check_part(q, 2, SCRY_PART_TEXT, 1, "\\x");
    check_part(q, 3, SCRY_PART_TEXT, 1, "black - white");
    check_part(q, 4, SCRY_PART_TEXT, 1, "- x");
    scry_query_free(q);
}

/* "5:30 pm" is a time: what is weighed follows the colon directly and does not begin with a digit. */
static void a_number_and_a_colon_may_be_text(void **state)
{
    static const char *const texts[] = { "5:30 pm", "16:9 monitor", "10:30", "3:2 photo", "1:1", "0.5:30 candles", "12:00am", "4:3",
                                         "5: the fifth", "5:", "2.35:1 film", ":dog", ".:dog", "-1:dog", "a 0.5:dog", "1:\tx" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        scry_query *q = PARSE(texts[i]);
        check_part(q, 0, SCRY_PART_TEXT, 1, texts[i]);
        assert_false(scry_query_is_weighed(q, 0));
        scry_query_free(q);
    }
    scry_query *q = PARSE("5:", "the", "fifth");
    check_part(q, 0, SCRY_PART_TEXT, 1, "5: the fifth");
    scry_query_free(q);
    q = PARSE("0.5:sunset", "+", "2:dog", "+", "0.5:\\30 candles", "-", "1:dog", "+", ".5:@a.jpg", "+", "\\2:dog");
    check_part(q, 0, SCRY_PART_TEXT, 0.5, "sunset");
    check_part(q, 1, SCRY_PART_TEXT, 2, "dog");
    check_part(q, 2, SCRY_PART_TEXT, 0.5, "30 candles");
    check_part(q, 3, SCRY_PART_TEXT, -1, "dog");
    check_part(q, 4, SCRY_PART_PICTURE, 0.5, "a.jpg");
    check_part(q, 5, SCRY_PART_TEXT, 1, "2:dog");
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(scry_query_is_weighed(q, i), i < 5);
    scry_query_free(q);
}

static void parts_are_values(void **state)
{
    static const char *const texts[] = { "@home", "0.5:dog", "+ x", "\\y", "a - b", "- " };
    scry_query *q = scry_query_new();
    scry_error err = SCRY_ERROR_INIT;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(scry_query_add_text(q, texts[i], -0.25, &err), 0);
    for (size_t i = 0; i < 6; i++)
        check_part(q, i, SCRY_PART_TEXT, -0.25, texts[i]);
    assert_int_equal(scry_query_add_text(q, " \t", 1, &err), SCRY_EINVALID);
    assert_int_equal(scry_query_add_id(q, SCRY_PART_STORED, "00112233445566778899aabbccddeeff + 50:sunset", NULL, 1, &err), SCRY_EINVALID);
    assert_int_equal(scry_query_add_id(q, SCRY_PART_UPLOADED, "00112233445566778899aabbccddeeff", (int[]){ 1, 2, 3, 4 }, 1, &err), 0);
    assert_int_equal(scry_query_add_line(q, "cat - 2:mouse", &err), 0);
    assert_int_equal(count(q), 9);
    check_part(q, 8, SCRY_PART_TEXT, -2, "mouse");
    scry_query_free(q);
}

static void what_is_wrong_is_said(void **state)
{
    REFUSE("empty text", "");
    REFUSE("empty text", " ", "\t");
    REFUSE("empty text", "\u00a0");
    REFUSE("empty text", "\u3000\u200b\ufeff");
    REFUSE("empty text", "\u202e");
    REFUSE("empty text", "dog", "-", "\u200b");
    scry_query_free(PARSE("\u200bdog"));
    scry_query_free(PARSE("\u00a0?"));
    REFUSE("missing after \"+\"", "dog", "+");
    REFUSE("missing before \"-\"", "dog", "+", "-", "cat");
    REFUSE("weight", "0:dog");
    REFUSE("weight", "1000:dog");
    REFUSE("weight", "1.2.3:dog");
    REFUSE("put + or -", "@a.jpg", "dog");
    REFUSE("without the name", "@");
    REFUSE("region", "@a.jpg#1,2,0,4");
    REFUSE("region", "@a.jpg#1,2,3");
    REFUSE("region", "@a.jpg#1.5,2,3,4");
    REFUSE("region", "@a.jpg#-1,2,3,4");
    REFUSE("is an address", "@http://localhost/a.jpg");
    scry_query_free(PARSE("@a.jpg#1.5,2"));
    scry_query_free(PARSE("@httpd.png"));
    REFUSE("32 hexadecimal", "@id:12");
    scry_query *q;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_query_parse(&q, NULL, 0, &err), SCRY_EINVALID);
    const char *many[2 * SCRY_MAX_QUERY_PARTS + 1];
    for (size_t i = 0; i < 2 * SCRY_MAX_QUERY_PARTS + 1; i++)
        many[i] = i % 2 ? "+" : "x";
    assert_int_equal(scry_query_parse(&q, many, 2 * SCRY_MAX_QUERY_PARTS + 1, &err), SCRY_ELIMIT);
}

static void one_line_is_split_at_spaces(void **state)
{
    scry_query *q;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_query_parse_line(&q, "  red   car - 0.3:old truck\n", &err), 0);
    assert_int_equal(count(q), 2);
    check_part(q, 0, SCRY_PART_TEXT, 1, "red car");
    check_part(q, 1, SCRY_PART_TEXT, -0.3, "old truck");
    scry_query_free(q);
    assert_int_equal(scry_query_parse_line(&q, "@/etc/passwd", &err), SCRY_EINVALID);
    assert_int_equal(scry_query_parse_line(&q, "   ", &err), SCRY_EINVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_one_text),
        cmocka_unit_test(operators_begin_parts),
        cmocka_unit_test(pictures_and_regions),
        cmocka_unit_test(backslash_keeps_literals),
        cmocka_unit_test(a_number_and_a_colon_may_be_text),
        cmocka_unit_test(parts_are_values),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(one_line_is_split_at_spaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
