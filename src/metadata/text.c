#include "metadata/text.h"

#include "metadata/utf16.h"

#include <string.h>

/* A text as it grows: leading space is left out, control characters become space. */
typedef struct writer {
    char *out;
    size_t n, capacity;
    bool full;
} writer;

static void put(writer *w, uint32_t rune)
{
    char bytes[4];
    if (rune < ' ' || (rune >= 0x7f && rune < 0xa0) || rune == 0xfeff)
        rune = ' ';
    if (rune == ' ' && w->n == 0)
        return;
    size_t n = scry_utf8_put(bytes, rune);
    if (w->n + n >= w->capacity) {
        w->full = true;   /* the text ends here, also for shorter characters */
        return;
    }
    memcpy(w->out + w->n, bytes, n);
    w->n += n;
}

static size_t finish(writer *w)
{
    while (w->n > 0 && w->out[w->n - 1] == ' ')
        w->n--;
    w->out[w->n] = '\0';
    return w->n;
}

/* Windows-1252 where it is not Latin-1: 0x80 to 0x9f; 0 for bytes without a character. */
static uint32_t rune_of_byte(unsigned char c)
{
    static const uint16_t high[32] = {
        0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
        0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
    };
    return c >= 0x80 && c < 0xa0 ? high[c - 0x80] : c;
}

static bool has_high_byte(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] >= 0x80)
            return true;
    return false;
}

/* Bytes of s without a character of UTF-8 that is cut at the end, as in fields of fixed size. In a text that is
 * ASCII otherwise such a byte is a letter of Latin-1. */
static size_t whole_runes(const char *s, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)s[n - back];
        if (c >= 0xc0)
            return back < (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) && has_high_byte(s, n - back) ? n - back : n;
        if (c < 0x80)
            break;
    }
    return n;
}

size_t scry_text_put(char *out, size_t capacity, const void *bytes, size_t n)
{
    const char *s = bytes, *zero = n ? memchr(s, '\0', n) : NULL;
    writer w = { .out = out, .capacity = capacity };
    if (zero)
        n = (size_t)(zero - s);
    size_t whole = whole_runes(s, n);
    bool utf8 = scry_utf8_valid(s, whole);
    if (utf8)
        n = whole;
    for (size_t i = 0; i < n && !w.full;) {
        uint32_t rune = rune_of_byte((unsigned char)s[i]);
        i += utf8 ? scry_utf8_next(s + i, n - i, &rune) : 1;
        put(&w, rune);
    }
    return finish(&w);
}

size_t scry_text_put_utf16(char *out, size_t capacity, const void *bytes, size_t n, bool big)
{
    const uint8_t *p = bytes;
    writer w = { .out = out, .capacity = capacity };
    for (size_t i = 0, taken; i + 2 <= n && !w.full; i += taken) {
        uint32_t rune = scry_utf16_next(p + i, n - i, big, &taken);
        if (rune == 0)
            break;
        put(&w, rune);
    }
    return finish(&w);
}

void scry_text_add_keyword(char *list, size_t capacity, const char *word)
{
    size_t n = strlen(word), used = strlen(list);
    if (n == 0 || used + (used > 0) + n >= capacity)
        return;
    for (const char *at = list; at && *at;) {
        size_t length = strcspn(at, "\n");
        if (length == n && memcmp(at, word, n) == 0)
            return;
        at = at[length] ? at + length + 1 : NULL;
    }
    if (used)
        list[used++] = '\n';
    memcpy(list + used, word, n + 1);
}
