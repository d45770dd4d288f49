/* Words: how texts are split, which forms are one word, and what files hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "store/words.h"

#include <stdlib.h>
#include <string.h>

/* Of the words with their alternatives only what was written: test_places.c has the others. */
static void expect_query(const char *text, scry_words_mode mode, const char *words)
{
    scry_buf b = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_words_of_query(&b, text, mode);
    const char *at = scry_buf_str(&b), *word;
    char written[SCRY_WORD_BYTES];
    scry_buf found = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    for (size_t n; (word = scry_words_next(&at, &n));) {
        assert_true(scry_words_alternative(&word, &n, written));
        scry_buf_printf(&found, "%s%s ", found.size ? "" : " ", written);
    }
    if (strcmp(scry_buf_str(&found), words) != 0)
        fail_msg("\"%s\" is \"%s\" and not \"%s\"", text, scry_buf_str(&found), words);
    scry_buf_dispose(&found);
    scry_buf_dispose(&b);
}

static void queries(void **state)
{
    static const struct { const char *text, *words; } whole[] = {
        { "", "" }, { "...", "" }, { "\xff\xfe", "" }, { "Anna's WEDDING", " anna wedding " }, { "it\xE2\x80\x99s o'clock", " it o clock " },
        { "Paris2019", " paris 2019 " }, { "IMG_20150704-123015", " img 20150704 123015 " },
        { "dogs boxes parties movies glass glasses bus tennis", " dog box party movy glass glass bus tennis " },
        { "Crème Brûlée, Ærø", " creme brulee aero " }, { "STRASSE Straße STRAẞE", " strasse strasse strasse " },
        { "Œufs Łódź Malmø Đà Işık", " oeuf lodz malmo da isik " }, { "ΣΤΑΘΜΟΣ σταθμός", " σταθμοσ σταθμοσ " },
        { "Donau\u00ADdampf", " donaudampf " }, { "ＦＵＬＬ１２ ﬁsh", " full 12 fish " },
        { "собака собаки собаку собакой собак", " собак собак собак собак собак " }, { "Ёлка май", " елк маи " },
        { "свадьба белые кошки", " свадьб бел кошк " }, { "кошка кошек, лодка лодок, дворец дворца", " кошк кошк лодк лодк дворц дворц " },
        { "человек человека замок замки урок", " человк человк замк замк урк " },
        { "children men women wolves leaves tomatoes heroes shoes canoe canoes", " child man woman wolf leaf tomato hero shoe canoe canoe " },
        { "北京旅行", " 北京 京旅 旅行 " }, { "山", " 山 " }, { "ガラス", " カラ ラス " }, { "เชียงใหม่", " เช ชี ีย ยง งใ ให หม ม่ " },
        { "NOT \"a\" OR b* NEAR(x) col:y ^z {w} + -", " not a or b near x col y z w " },
        { "हिन्दी", " हिन्दी " }, { "an e\xCC\x81t\xC3\xA9", " an ete " },
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        expect_query(whole[i].text, SCRY_WORDS_WHOLE, whole[i].words);
    expect_query("a photo of the dogs in Paris", SCRY_WORDS_NAMED, " dog paris ");
    expect_query("the pictures of", SCRY_WORDS_NAMED, "");
    expect_query("фотография собаки на пляже", SCRY_WORDS_NAMED, " собак пляж ");
}

static void long_queries(void **state)
{
    scry_buf text = SCRY_BUF_INIT(4 << 20), words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    for (int i = 0; i < SCRY_QUERY_WORDS; i++)
        scry_buf_printf(&text, "word%d ", i);   /* two words each */
    scry_words_of_query(&words, scry_buf_str(&text), SCRY_WORDS_WHOLE);
    assert_int_equal(words.size, 0);
    scry_buf_clear(&text);
    for (int i = 0; i < 1 << 20; i++)
        scry_buf_putc(&text, 'x');
    scry_words_of_query(&words, scry_buf_str(&text), SCRY_WORDS_WHOLE);
    assert_int_equal(words.size, 0);
    scry_words_of_query(&words, scry_buf_str(&text) + (1 << 20) - 1000, SCRY_WORDS_WHOLE);
    assert_int_equal(words.size, 42);   /* 40 letters of it */
    scry_buf_dispose(&text);
    scry_buf_dispose(&words);
}

static bool holds(const scry_file *f, unsigned fields, const char *query, scry_words_mode mode)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), wanted = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_words_of_file(&words, f, fields);
    scry_words_of_query(&wanted, query, mode);
    assert_true(wanted.size > 0);
    bool held = scry_words_hold(scry_buf_str(&words), scry_buf_str(&wanted), mode);
    scry_buf_dispose(&words);
    scry_buf_dispose(&wanted);
    return held;
}

static void files(void **state)
{
    static const char *const labels[] = { "sea side", "Sand" };
    scry_file f = { .relative = "2019/AnnaWedding/IMG_20190704.final.jpg", .title = "Das Schloß", .keywords = "Boats\nold harbour",
                    .description = "HTMLPage about iPhones, Wi-Fi and e-mail", .key = "k-17", .labels = labels, .label_count = 2 };
    static const struct { unsigned field; const char *query; } found[] = {
        { SCRY_FIELD_NAME, "img 20190704 final" }, { SCRY_FIELD_FOLDER, "anna" }, { SCRY_FIELD_FOLDER, "weddings" },
        { SCRY_FIELD_FOLDER, "annawedding 2019" }, { SCRY_FIELD_TITLE, "schloß das" }, { SCRY_FIELD_KEYWORD, "harbours boat" },
        { SCRY_FIELD_DESCRIPTION, "html page iphone" }, { SCRY_FIELD_DESCRIPTION, "wifi email wi fi" },
        { SCRY_FIELD_KEY, "k 17" }, { SCRY_FIELD_LABEL, "sand sea" },
    };
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        if (!holds(&f, found[i].field, found[i].query, SCRY_WORDS_WHOLE))
            fail_msg("\"%s\" is not found", found[i].query);
        assert_false(holds(&f, SCRY_FIELDS_ALL & ~found[i].field, found[i].query, SCRY_WORDS_WHOLE));
        assert_true(holds(&f, SCRY_FIELDS_ALL, found[i].query, SCRY_WORDS_PARTS));
    }
    assert_true(holds(&f, SCRY_FIELDS_ALL, "anna harbour 17", SCRY_WORDS_WHOLE));   /* in several fields */
    scry_file joined = { .relative = "b.png", .text = "the wifi, an email, checkin desks and a tshirt" };
    static const char *const hyphens[] = { "wi-fi", ("Wi\xE2\x80\x91" "Fi e-mails"), "wifi e-mail", "check-in-desk", "T-Shirts", "the-wi-fi" };
    for (size_t i = 0; i < sizeof hyphens / sizeof *hyphens; i++)
        if (!holds(&joined, SCRY_FIELD_TEXT, hyphens[i], SCRY_WORDS_WHOLE) ||
            !holds(&joined, SCRY_FIELD_TEXT, hyphens[i], SCRY_WORDS_PARTS))
            fail_msg("\"%s\" is not found", hyphens[i]);
    assert_false(holds(&joined, SCRY_FIELD_TEXT, "wi fi", SCRY_WORDS_WHOLE) || holds(&joined, SCRY_FIELD_TEXT, "wi-lan", SCRY_WORDS_WHOLE) ||
                 holds(&joined, SCRY_FIELD_TEXT, "wi - fi", SCRY_WORDS_WHOLE));
    scry_file book = { .relative = "b.png", .text = "the epoch of in-\ncredulity, in the Karls\u00ADruhe-\nNord, a-\n\nb" };
    assert_true(holds(&book, SCRY_FIELD_TEXT, "incredulity karlsruhe nord", SCRY_WORDS_WHOLE));   /* divided at the end of a line */
    assert_false(holds(&book, SCRY_FIELD_TEXT, "karlsruhenord", SCRY_WORDS_WHOLE) || holds(&book, SCRY_FIELD_TEXT, "ab", SCRY_WORDS_WHOLE));
    static const char *const absent[] = { "jpg", "wed", "ann", "boatsold", "harbour 18", "2019070" };
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_false(holds(&f, SCRY_FIELDS_ALL, absent[i], SCRY_WORDS_WHOLE));
    assert_true(holds(&f, SCRY_FIELDS_ALL, "wedd 2019070", SCRY_WORDS_PARTS));
    assert_false(holds(&f, SCRY_FIELDS_ALL, "we", SCRY_WORDS_PARTS));   /* two letters: a whole word only */
    assert_false(holds(&f, SCRY_FIELDS_ALL, "nnaw xyz", SCRY_WORDS_PARTS));
    scry_file nothing = { .relative = NULL };
    assert_false(holds(&nothing, SCRY_FIELDS_ALL, "a", SCRY_WORDS_WHOLE));
}

/* Every text finds itself, and long ones take bounded room. */
static void long_files(void **state)
{
    scry_buf text = SCRY_BUF_INIT(4 << 20), words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    for (int i = 0; i < 200000; i++)
        scry_buf_printf(&text, "w%x ", i);
    scry_file f = { .relative = "a.jpg", .title = scry_buf_str(&text), .description = "later" };
    scry_words_of_file(&words, &f, SCRY_FIELDS_ALL);
    assert_true(words.size > 32 << 10 && !words.failed);
    assert_false(holds(&f, SCRY_FIELDS_ALL, "later", SCRY_WORDS_WHOLE));
    assert_true(holds(&f, SCRY_FIELDS_ALL, "a", SCRY_WORDS_WHOLE));
    scry_buf_dispose(&text);
    scry_buf_dispose(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries),
        cmocka_unit_test(long_queries),
        cmocka_unit_test(files),
        cmocka_unit_test(long_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
