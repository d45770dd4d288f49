/* Words and texts of pictures as fields of a row on Milvus. That servers find them is tested by tests/milvus/words.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "store/milvus/filter_words.h"
#include "store/milvus/remote_internal.h"
#include "store/predicates.h"

#include <stdlib.h>
#include <string.h>

static void free_list(scry_milvus_strings *l)
{
    for (size_t i = 0; i < l->count; i++)
        free((void *)l->items[i]);
    free((void *)l->items);
}

/* As array_contains has it. */
static bool contains(const scry_milvus_strings *l, const char *text)
{
    scry_buf b = SCRY_BUF_INIT(1 << 10);
    bool found = false;
    scry_milvus_escape(&b, text);
    for (size_t i = 0; i < l->count && !found; i++)
        found = strcmp(l->items[i], scry_buf_str(&b)) == 0;
    scry_buf_dispose(&b);
    return found;
}

typedef struct {
    const scry_milvus_strings *parts;
    size_t missing, runs;
} lookup;

static int look_up(void *arg, const char *part)
{
    lookup *l = arg;
    l->runs++;
    l->missing += !contains(l->parts, part);
    return 0;
}

/* Whether the expression of a filter on these words would let the row pass. */
static bool passes(const scry_milvus_strings *words, const scry_milvus_strings *parts, const char *wanted, scry_words_mode mode)
{
    const char *word;
    bool all = true;
    for (size_t n; (word = scry_words_next(&wanted, &n));) {
        char way[SCRY_WORD_BYTES];
        bool any = false;
        while (scry_words_alternative(&word, &n, way)) {
            lookup l = { .parts = parts };
            (void)scry_milvus_word_parts(way, look_up, &l);
            any |= scry_word_is_part(way, strlen(way), mode) ? (l.runs && !l.missing) || contains(parts, SCRY_MILVUS_ANY_PART)
                                                             : contains(words, way);
        }
        all &= any;
    }
    return all;
}

/* Whether the text has exactly the words of the list but the rules, one blank between two, a place as its number. */
static bool says(const char *all, const scry_milvus_strings *words)
{
    size_t count = 0, found = 0;
    for (const char *at = all; *at; at += strcspn(at, " "), at += *at == ' ')
        count++;
    for (size_t i = 0; i < words->count; i++) {
        scry_buf word = SCRY_BUF_INIT(1 << 10);
        bool rules = strcmp(words->items[i], SCRY_MILVUS_WORDS_RULES) == 0;
        char *plain = scry_strdup(words->items[i]);
        scry_milvus_unescape(plain);
        assert_true(scry_remote_add_word(&word, plain));
        free(plain);
        size_t n = word.size;
        for (const char *at = all; !rules && *at; at += strcspn(at, " "), at += *at == ' ')
            found += strcspn(at, " ") == n && memcmp(at, scry_buf_str(&word), n) == 0;
        scry_buf_dispose(&word);
    }
    return count == words->count - 1 && found == count;
}

static void rows_have_their_words(void **state)
{
    static const char *const labels[] = { "a white dog", "Größe \"XL\"" };
    static const char *const questions[] = { "anna", "annawedding", "wedding anna", "holid", "edding", "2019", "019", "dogs", "munich", "München", "bavaria",
                                             "japan", "旅行", "旅", "北京旅", "grosse", "sunflow 42", "xl", "absent", "ann ing", "tokyo", "собака", "обак", "wed din" };
    const scry_file f = { .relative = "AnnaWedding 2019/holiday-pics 北京旅行.jpg", .labels = labels, .label_count = 2, .key = "K17x", .has_position = true,
                          .latitude = 48.137, .longitude = 11.575, .title = "\xFF", .text = "WiFi: Sunflower42\nСобаки" };
    scry_milvus_strings words, parts;
    char *all;
    scry_filter_pool *p = scry_filter_pool_new();
    size_t found = 0;
    scry_remote_words_of(&f, &words, &parts, &all);
    assert_true(contains(&words, SCRY_MILVUS_WORDS_RULES));
    assert_true(says(all, &words));
    assert_non_null(strstr(all, " 北京 "));
    assert_null(strchr(all, '@'));
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        for (int mode = SCRY_WORDS_WHOLE; mode <= SCRY_WORDS_PLACE; mode++) {
            const scry_filter_node *n = scry_filter_words(p, questions[i], (scry_words_mode)mode);
            if (!n)
                continue;
            bool holds = scry_filter_match(n, &f), may = passes(&words, &parts, n->text, (scry_words_mode)mode);
            assert_true(mode == SCRY_WORDS_PARTS ? may || !holds : may == holds);
            found += holds;
        }
    assert_true(found >= 20 && found <= 80);
    assert_false(passes(&words, &parts, "\nxyz\n", SCRY_WORDS_PARTS));
    for (size_t i = 0; i < words.count; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(words.items[i], words.items[k]);
    free_list(&words);
    free_list(&parts);
    free(all);
    scry_filter_pool_free(p);
}

static void rows_with_any_word(void **state)
{
    static const char wanted[] = "\nwifi\nitaly @!!!#/ @!\"!+!\npassword\n";
    static const struct { uint32_t which; const char *expression; } cases[] = {
        { 1, "array_contains_any(words, [\"wifi\"])" }, { 5, "array_contains_any(words, [\"wifi\", \"password\"])" },
        { 2, "array_contains_any(words, [\"italy\", \"@!!!#/\", \"@!\x1a" "22!+!\"])" }, { 0, "array_contains_any(words, [])" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scry_buf b = SCRY_BUF_INIT(1 << 10);
        scry_milvus_any_word(&b, wanted, cases[i].which);
        assert_string_equal(scry_buf_str(&b), cases[i].expression);
        scry_buf_dispose(&b);
    }
}

/* More words than an array holds: the first ones are there, and any part may be. */
static void too_many_words(void **state)
{
    scry_buf text = SCRY_BUF_INIT(1 << 16);
    scry_milvus_strings words, parts;
    char *all;
    for (int i = 0; i < 5500; i++)
        scry_buf_printf(&text, "%c%c%c%c ", "bcdf"[i / 1331 % 4], "bcdfghjklmn"[i / 121 % 11], "aeiou"[i / 11 % 11 % 5], "bcdfghjklmn"[i % 11]);
    for (int i = 0; i < 4500; i++)
        scry_buf_printf(&text, "%d ", 1000 + i);
    scry_file f = { .relative = "first.jpg", .text = scry_buf_str(&text) };
    scry_remote_words_of(&f, &words, &parts, &all);
    assert_int_equal(words.count, SCRY_MILVUS_MOST_WORDS);
    assert_true(says(all, &words));
    free(all);
    assert_true(contains(&words, "first") && contains(&words, SCRY_MILVUS_WORDS_RULES));
    assert_int_equal(parts.count, 1);
    assert_true(contains(&parts, SCRY_MILVUS_ANY_PART));
    free_list(&words);
    free_list(&parts);
    scry_remote_words_of(&(scry_file){ .relative = "" }, &words, &parts, &all);
    assert_int_equal(words.count, 1);
    assert_int_equal(parts.count, 0);
    assert_string_equal(all, "");
    free(all);
    free_list(&words);
    free_list(&parts);
    scry_buf_dispose(&text);
}

static void a_cell_holds_a_text(void **state)
{
    const scry_text_line lines[] = { { { 0.1f, 0.1f, 0.9f, 0.1f, 0.9f, 0.2f, 0.1f, 0.2f }, "Größe \"XL\"", 0.9f }, { { 0 }, "25 €", 0.5f } };
    const scry_picture_text two = { .reader = "r", .lines = lines, .line_count = 2 }, none = { .reader = "r" },
                            failed = { .reader = "r", .reason = "too large", .lines = lines, .line_count = 2 };
    scry_buf words = SCRY_BUF_INIT(1 << 20);
    char *cell = scry_remote_pack_text(&two, NULL), *empty = scry_remote_pack_text(&none, NULL);
    char *reason = scry_remote_pack_text(&failed, NULL);
    assert_string_equal(empty, "");
    assert_string_equal(reason, "");
    scry_remote_unpack_words(&words, cell);
    assert_string_equal(scry_buf_str(&words), "Größe \"XL\"\n25 €");
    scry_picture_text *back = scry_remote_unpack_text(cell, "r", "");
    assert_int_equal(back->line_count, 2);
    assert_true(memcmp(back->lines[0].corner, lines[0].corner, sizeof lines[0].corner) == 0);
    scry_picture_text_free(back);

    /* Damaged. */
    cell[5] ^= 1;
    assert_null(scry_remote_unpack_text(cell, "r", ""));
    scry_remote_unpack_words(&words, cell);
    assert_string_equal(scry_buf_str(&words), "");
    assert_null(scry_remote_unpack_text("?", "r", ""));
    free(cell);
    free(empty);
    free(reason);
    scry_buf_dispose(&words);
}

/* A text that does not become small enough loses its last lines. */
static void a_long_text_is_cut(void **state)
{
    enum { LINES = 4000 };
    scry_text_line *lines = scry_alloc(LINES * sizeof *lines);
    uint32_t random = 1;
    for (int i = 0; i < LINES; i++) {
        char text[17] = { 0 };
        for (int k = 0; k < 16; k++) {
            random = random * 1664525 + 1013904223;
            text[k] = (char)('!' + (random >> 16) % 90);
        }
        lines[i].text = scry_strdup(text);
        lines[i].confidence = 1;
        for (int k = 0; k < 8; k++)
            lines[i].corner[k] = (float)((random >> (k + 4)) % 1000) / 1000;
    }
    const scry_picture_text text = { .reader = "r", .lines = lines, .line_count = LINES };
    char *cell = scry_remote_pack_text(&text, NULL);
    assert_true(strlen(cell) >= SCRY_MILVUS_MAX_VARCHAR * 3 / 4 && strlen(cell) <= SCRY_MILVUS_MAX_VARCHAR);
    scry_picture_text *back = scry_remote_unpack_text(cell, "r", "");
    assert_true(back->line_count >= LINES / 4 && back->line_count < LINES);
    for (size_t i = 0; i < back->line_count; i++)
        assert_string_equal(back->lines[i].text, lines[i].text);
    scry_picture_text_free(back);
    for (int i = 0; i < LINES; i++)
        free((void *)lines[i].text);
    free(lines);
    free(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_have_their_words), cmocka_unit_test(rows_with_any_word),
                                        cmocka_unit_test(too_many_words),
                                        cmocka_unit_test(a_cell_holds_a_text), cmocka_unit_test(a_long_text_is_cut) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
