#include "ocr/scripts.h"

#include "base/utf8.h"

#include <string.h>

static bool is_greek_letter(uint32_t c)
{
    return (c >= 0x370 && c < 0x400) || (c >= 0x1F00 && c < 0x2000);
}

/* Vowels with an accent, and the sigma at the end of a word. */
static bool is_marked_greek(uint32_t c)
{
    return (c >= 0x386 && c <= 0x390) || (c >= 0x3AA && c <= 0x3B0) || c == 0x3C2 || (c >= 0x3CA && c <= 0x3CE) ||
           (c >= 0x1F00 && c < 0x2000);
}

bool scry_ocr_has_greek(const char *text)
{
    size_t greek = 0;
    for (uint32_t c; *text; greek += is_greek_letter(c))
        text += scry_utf8_next(text, strlen(text), &c);
    return greek >= 2;
}

bool scry_ocr_has_other_letters(const char *text, bool is_greek)
{
    size_t other = 0, latin = 0, greek = 0, marked = 0;
    for (uint32_t c; *text;) {
        text += scry_utf8_next(text, strlen(text), &c);
        greek += is_greek_letter(c);
        marked += is_marked_greek(c);
        other += (c >= 0x400 && c < 0x1E00) || (c >= 0xAC00 && c < 0xD7B0);
        latin += (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= 0xC0 && c < 0x370);
    }
    other += is_greek || marked ? greek : 0;
    return other >= 2 && other >= latin;
}
