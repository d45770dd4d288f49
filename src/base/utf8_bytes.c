/* utf8_bytes.c - UTF-8 as bytes: the functions of utf8.h that need no tables. */
#include "base/utf8.h"

#include <string.h>

/* Ranges of the second byte, from table 3-7 of the Unicode standard: they exclude
 * overlong forms, surrogates and values past U+10FFFF. */
static int lead_length(unsigned char lead, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (lead == 0xE0)
            *low = 0xA0;
        if (lead == 0xED)
            *high = 0x9F;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (lead == 0xF0)
            *low = 0x90;
        if (lead == 0xF4)
            *high = 0x8F;
        return 4;
    }
    return 0;
}

size_t scry_utf8_next(const char *s, size_t n, uint32_t *rune)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned char low, high;
    if (p[0] < 0x80) {
        *rune = p[0];
        return 1;
    }
    *rune = SCRY_RUNE_REPLACEMENT;
    int length = lead_length(p[0], &low, &high);
    if (length == 0)
        return 1;
    uint32_t value = p[0] & (0x7F >> length);
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= n || p[i] < low || p[i] > high)
            return (size_t)i;
        value = value << 6 | (p[i] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    *rune = value;
    return (size_t)length;
}

size_t scry_utf8_put(char out[4], uint32_t rune)
{
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char)(0xC0 | rune >> 6);
        out[1] = (char)(0x80 | (rune & 0x3F));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (char)(0xE0 | rune >> 12);
        out[1] = (char)(0x80 | (rune >> 6 & 0x3F));
        out[2] = (char)(0x80 | (rune & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | rune >> 18);
    out[1] = (char)(0x80 | (rune >> 12 & 0x3F));
    out[2] = (char)(0x80 | (rune >> 6 & 0x3F));
    out[3] = (char)(0x80 | (rune & 0x3F));
    return 4;
}

size_t scry_utf8_mark_bytes(const char *s, size_t n)
{
    return n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

bool scry_is_utf16(const char *s, size_t n)
{
    return n >= 2 && (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0);
}

size_t scry_utf8_count(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xC0) != 0x80;
    return count;
}

bool scry_utf8_valid(const char *s, size_t n)
{
    uint32_t rune;
    for (size_t i = 0; i < n;) {
        size_t taken = scry_utf8_next(s + i, n - i, &rune);
        /* A U+FFFD that was written as such takes three bytes and starts with EF. */
        if (rune == SCRY_RUNE_REPLACEMENT && (taken != 3 || (unsigned char)s[i] != 0xEF))
            return false;
        i += taken;
    }
    return true;
}

void scry_utf8_repair(scry_buf *out, const char *s, size_t n)
{
    uint32_t rune;
    char bytes[4];
    for (size_t i = 0; i < n && !out->failed;) {
        i += scry_utf8_next(s + i, n - i, &rune);
        scry_buf_append(out, bytes, scry_utf8_put(bytes, rune));
    }
}
