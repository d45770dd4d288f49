/* unicode: every code point as an independent implementation of the same version has it, and Unicode's own cases of grapheme
 * clusters: tests/golden/make_unicode.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "base/unicode.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096 };

static FILE *open_golden(const char *name)
{
    const char *top = getenv("SCRY_TOP");
    char *path = scry_asprintf("%s/tests/golden/unicode/%s", top ? top : ".", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    free(path);
    return f;
}

/* Code points joined by +, behind a space. */
static void append_joined(scry_buf *line, const uint32_t *runes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        scry_buf_printf(line, "%c%X", i ? '+' : ' ', runes[i]);
}

typedef void transform(scry_runes *r, scry_unicode edition);

static void append_form(scry_buf *line, uint32_t rune, transform *change)
{
    scry_runes r = SCRY_RUNES_INIT(64);
    scry_runes_push(&r, rune);
    change(&r, SCRY_UNICODE_PYTHON);
    append_joined(line, r.at, r.n);
    scry_runes_dispose(&r);
}

static void append_line(scry_buf *line, uint32_t rune)
{
    static transform *const forms[] = { scry_runes_nfc, scry_runes_nfd, scry_runes_nfkc, scry_runes_nfkd };
    scry_buf_printf(line, "%X %s %d %X", rune, scry_rune_category(rune), scry_unicode_combining_class(rune),
                    scry_unicode_lower(rune));
    for (int i = 0; i < 4; i++)
        append_form(line, rune, forms[i]);
    scry_buf_putc(line, '\n');
}

static void every_code_point(void **state)
{
    FILE *f = open_golden("properties.sha256");
    scry_buf lines = SCRY_BUF_INIT(16 << 20);
    char want[65];
    uint32_t first;
    size_t pages = 0;
    for (; fscanf(f, "%64s %x", want, &first) == 2; pages++) {
        uint8_t digest[SCRY_SHA256_BYTES];
        char got[65];
        scry_buf_clear(&lines);
        for (uint32_t c = first; c < first + PAGE; c++)
            append_line(&lines, c);
        assert_false(lines.failed);
        scry_sha256_of(lines.data, lines.size, digest);
        for (int i = 0; i < SCRY_SHA256_BYTES; i++)
            snprintf(got + 2 * i, 3, "%02x", digest[i]);
        if (strcmp(got, want) != 0)
            fail_msg("differs at U+%04X to U+%04X", first, first + PAGE - 1);
    }
    assert_int_equal(pages, 0x110000 / PAGE);
    scry_buf_dispose(&lines);
    fclose(f);
}

static void compositions_that_are_none(void **state)
{
    assert_int_equal(scry_unicode_compose(0xAC00, 0x11A7), 0);   /* no trailing consonant */
    assert_int_equal(scry_unicode_compose(0xAC01, 0x11A8), 0);   /* it has one */
    assert_int_equal(scry_unicode_compose(0xAC00, 0x11A8), 0xAC01);
    assert_int_equal(scry_unicode_compose('a', 'b'), 0);
    assert_int_equal(scry_unicode_compose(0, 0), 0);
    assert_int_equal(scry_unicode_compose(UINT32_MAX, UINT32_MAX), 0);
    assert_int_equal(scry_unicode_category(0x110000), UNICODE_CN);
    assert_int_equal(scry_unicode_category(UINT32_MAX), UNICODE_CN);
    assert_int_equal(scry_unicode_lower(UINT32_MAX), UINT32_MAX);
}

static void grapheme_clusters(void **state)
{
    FILE *f = open_golden("breaks.txt");
    char line[512];
    int cases = 0;
    for (; fgets(line, sizeof line, f); cases++) {
        uint32_t before = 0;
        int32_t kept = 0;
        bool ends = false, first = true;
        char *save = NULL;
        for (char *word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
            if (*word == '|') {
                ends = true;
                continue;
            }
            uint32_t rune = (uint32_t)strtoul(word, NULL, 16);
            if (!first && scry_unicode_breaks(before, rune, &kept) != ends)
                fail_msg("case %d: between U+%04X and U+%04X", cases + 1, before, rune);
            before = rune;
            first = ends = false;
        }
    }
    assert_true(cases > 500);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(compositions_that_are_none),
        cmocka_unit_test(grapheme_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
