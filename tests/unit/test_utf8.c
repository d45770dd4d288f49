/* utf8: reading and repair, normal forms (examples of Unicode's Annex 15), case, classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

typedef void transform(scry_runes *r);

static void nfc(scry_runes *r)
{
    scry_runes_nfc(r, SCRY_UNICODE_PYTHON);
}

static void nfd(scry_runes *r)
{
    scry_runes_nfd(r, SCRY_UNICODE_PYTHON);
}

static void nfkc(scry_runes *r)
{
    scry_runes_nfkc(r, SCRY_UNICODE_PYTHON);
}

static void nfkd(scry_runes *r)
{
    scry_runes_nfkd(r, SCRY_UNICODE_PYTHON);
}

static void becomes(transform *change, const char *from, const char *to)
{
    scry_runes r = SCRY_RUNES_INIT(1024);
    scry_buf text = SCRY_BUF_INIT(4096);
    scry_runes_decode(&r, from, strlen(from));
    change(&r);
    scry_runes_encode(&r, &text);
    assert_false(r.failed);
    assert_string_equal(scry_buf_str(&text), to);
    scry_buf_dispose(&text);
    scry_runes_dispose(&r);
}

static void normal_forms(void **state)
{
    becomes(nfc, "e\u0301", "\u00e9");
    becomes(nfd, "\u00e9", "e\u0301");
    becomes(nfc, "\u1e0a\u0323", "\u1e0c\u0307");          /* reordered, then composed anew */
    becomes(nfd, "\u1e0b\u0323", "d\u0323\u0307");
    becomes(nfc, "a\u0301\u0301", "\u00e1\u0301");
    becomes(nfc, "a\u0327\u0301", "\u00e1\u0327");           /* class 202 does not block 230 */
    becomes(nfc, "a\u0305\u0301", "a\u0305\u0301");          /* another 230 does */
    becomes(nfc, "\u0958", "\u0915\u093c");                  /* excluded from composition */
    becomes(nfc, "\u1112\u1161\u11ab", "\ud55c");            /* Hangul */
    becomes(nfd, "\ud55c", "\u1112\u1161\u11ab");
    becomes(nfc, "\u212b", "\u00c5");
    becomes(nfc, "\u0301e", "\u0301e");                      /* a mark without a base */
    becomes(nfkc, "\ufb01\u2460\uff21\u00b2", "fi1A2");
    becomes(nfkd, "\ufb01\u1e9b\u0323", "fis\u0323\u0307");
    becomes(nfc, "\ufb01", "\ufb01");
}

static void lower_each(scry_runes *r)
{
    scry_runes_lower_each(r, SCRY_UNICODE_RUST);
}

static void lower_case(void **state)
{
    becomes(lower_each, "ABC\u00c9\u0416\u0130", "abc\u00e9\u0436i\u0307");
    becomes(lower_each, "\u039f\u03a3", "\u03bf\u03c3");
    becomes(scry_runes_lower_text, "\u039f\u03a3", "\u03bf\u03c2");                 /* ends a word */
    becomes(scry_runes_lower_text, "\u039f\u03a3\u0391", "\u03bf\u03c3\u03b1");
    becomes(scry_runes_lower_text, "\u03a3", "\u03c3");                             /* alone */
    becomes(scry_runes_lower_text, "\u039f\u03a3'\u0391", "\u03bf\u03c3'\u03b1");   /* ' is passed over */
    becomes(scry_runes_lower_text, "\u039f\u03a3\u0301 x", "\u03bf\u03c2\u0301 x");
}

static void classes(void **state)
{
    assert_int_equal(scry_rune_classify('a', SCRY_UNICODE_RUST), SCRY_RUNE_LETTER);
    assert_int_equal(scry_rune_classify(0x4E00, SCRY_UNICODE_RUST), SCRY_RUNE_LETTER);
    assert_int_equal(scry_rune_classify(0xBD, SCRY_UNICODE_RUST), SCRY_RUNE_NUMBER);
    assert_int_equal(scry_rune_classify(0x3000, SCRY_UNICODE_RUST), SCRY_RUNE_SPACE);
    assert_int_equal(scry_rune_classify(0x301, SCRY_UNICODE_RUST), SCRY_RUNE_OTHER);
    assert_int_equal(scry_rune_classify(0x1C89, SCRY_UNICODE_RUST), SCRY_RUNE_LETTER);    /* Unicode 16 */
    assert_int_equal(scry_rune_classify(0x10940, SCRY_UNICODE_RUST), SCRY_RUNE_OTHER);    /* Unicode 17 ... */
    assert_int_equal(scry_rune_classify(0x10940, SCRY_UNICODE_PYTHON), SCRY_RUNE_LETTER); /* ... known here */
}

static void bad_bytes_are_repaired(void **state)
{
    scry_buf out = SCRY_BUF_INIT(64);
    assert_true(scry_utf8_valid("a\u00e9\ufffd\U0010ffff", 10));
    assert_false(scry_utf8_valid("\xed\xa0\x80", 3));
    assert_false(scry_utf8_valid("\xe2\x82", 2));
    scry_utf8_repair(&out, "\xf0\x9f\x98z\xff\0b", 7);
    assert_int_equal(out.size, 3 + 1 + 3 + 1 + 1);
    assert_memory_equal(out.data, "\ufffdz\ufffd\0b", out.size);
    scry_buf_dispose(&out);
}

/* A million marks in the worst order: quadratic sorting would take hours. */
static void long_runs_of_marks_take_no_time(void **state)
{
    scry_runes r = SCRY_RUNES_INIT(1 << 21);
    scry_runes_push(&r, 'a');
    for (int i = 0; i < 500000; i++) {
        scry_runes_push(&r, 0x301);
        scry_runes_push(&r, 0x323);
    }
    nfc(&r);
    assert_false(r.failed);
    assert_int_equal(r.n, 1000000);
    assert_int_equal(r.at[0], 0x1EA1);   /* a with the first dot below */
    assert_int_equal(r.at[1], 0x323);
    assert_int_equal(r.at[r.n - 1], 0x301);
    scry_runes_dispose(&r);
}

static void the_limit_is_kept(void **state)
{
    scry_runes r = SCRY_RUNES_INIT(3);
    scry_runes_decode(&r, "abcd", 4);
    assert_true(r.failed);
    assert_int_equal(r.n, 3);
    scry_runes_dispose(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_forms),
        cmocka_unit_test(lower_case),
        cmocka_unit_test(classes),
        cmocka_unit_test(bad_bytes_are_repaired),
        cmocka_unit_test(long_runs_of_marks_take_no_time),
        cmocka_unit_test(the_limit_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
