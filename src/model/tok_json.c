#include "model/tok_json.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_STRING_BYTES = 4 << 20 };

bool scry_slice_is(scry_slice s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.at, text, s.n) == 0;
}

scry_cursor scry_cursor_make(const char *text, size_t n, const char *path, scry_error *err)
{
    scry_cursor c = { text, text, text + n, path, err, 0, false, SCRY_BUF_INIT(MAX_STRING_BYTES) };
    return c;
}

void scry_cursor_dispose(scry_cursor *c)
{
    scry_buf_dispose(&c->unescaped);
}

int scry_cursor_fail(scry_cursor *c, const char *message)
{
    if (c->code == 0)
        c->code = scry_fail(c->err, SCRY_EINVALID, "%s is damaged: byte %zu: %s", c->path,
                            (size_t)(c->at - c->start), message);
    return c->code;
}

static void skip_space(scry_cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t'))
        c->at++;
}

char scry_cursor_peek(scry_cursor *c)
{
    skip_space(c);
    return c->at < c->end && c->code == 0 ? *c->at : 0;
}

int scry_cursor_open(scry_cursor *c, char bracket)
{
    if (scry_cursor_peek(c) != bracket)
        return scry_cursor_fail(c, bracket == '{' ? "an object was expected" : "an array was expected");
    c->at++;
    c->first = true;
    return 0;
}

static bool next_item(scry_cursor *c, char closing)
{
    char next = scry_cursor_peek(c);
    if (next == closing) {
        c->at++;
        c->first = false;   /* the enclosing one has had an item: this one */
        return false;
    }
    if (!c->first) {
        if (next != ',') {
            scry_cursor_fail(c, "a comma or a closing bracket was expected");
            return false;
        }
        c->at++;
    }
    c->first = false;
    return true;
}

bool scry_cursor_item(scry_cursor *c)
{
    return c->code == 0 && next_item(c, ']');
}

bool scry_cursor_key(scry_cursor *c, scry_slice *key)
{
    if (c->code != 0 || !next_item(c, '}') || scry_cursor_string(c, key) < 0)
        return false;
    if (scry_cursor_peek(c) != ':') {
        scry_cursor_fail(c, "a colon was expected");
        return false;
    }
    c->at++;
    return true;
}

static int hex4(scry_cursor *c, uint32_t *out)
{
    uint32_t value = 0;
    if (c->end - c->at < 4)
        return scry_cursor_fail(c, "an escape is cut off");
    for (int i = 0; i < 4; i++) {
        char ch = *c->at++;
        int digit = ch >= '0' && ch <= '9' ? ch - '0'
                    : (ch | 32) >= 'a' && (ch | 32) <= 'f' ? (ch | 32) - 'a' + 10 : -1;
        if (digit < 0)
            return scry_cursor_fail(c, "an escape is not hexadecimal");
        value = value << 4 | (uint32_t)digit;
    }
    *out = value;
    return 0;
}

static int unescape_unicode(scry_cursor *c)
{
    uint32_t rune, low;
    if (hex4(c, &rune) < 0)
        return c->code;
    if (rune >= 0xD800 && rune < 0xDC00 && c->end - c->at >= 6 && c->at[0] == '\\' && c->at[1] == 'u') {
        c->at += 2;
        if (hex4(c, &low) < 0)
            return c->code;
        if (low < 0xDC00 || low > 0xDFFF)
            return scry_cursor_fail(c, "a surrogate stands alone");
        rune = 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
    }
    if (rune >= 0xD800 && rune <= 0xDFFF)
        return scry_cursor_fail(c, "a surrogate stands alone");
    char bytes[4];
    scry_buf_append(&c->unescaped, bytes, scry_utf8_put(bytes, rune));
    return 0;
}

static int unescape_one(scry_cursor *c)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char ch = c->at < c->end ? *c->at++ : 0;
    if (ch == 'u')
        return unescape_unicode(c);
    const char *found = ch ? strchr(from, ch) : NULL;
    if (!found)
        return scry_cursor_fail(c, "an escape is unknown");
    scry_buf_putc(&c->unescaped, to[found - from]);
    return 0;
}

/* From the first backslash on: what was plain so far starts at `start`. */
static int unescape_rest(scry_cursor *c, const char *start, scry_slice *out)
{
    scry_buf_clear(&c->unescaped);
    scry_buf_append(&c->unescaped, start, (size_t)(c->at - start));
    while (c->at < c->end && *c->at != '"') {
        if (*c->at != '\\') {
            scry_buf_putc(&c->unescaped, *c->at++);
            continue;
        }
        c->at++;
        if (unescape_one(c) < 0)
            return c->code;
    }
    if (c->at == c->end || c->unescaped.failed)
        return scry_cursor_fail(c, "a string has no end or is too long");
    c->at++;
    out->at = scry_buf_str(&c->unescaped);
    out->n = c->unescaped.size;
    return 0;
}

int scry_cursor_string(scry_cursor *c, scry_slice *out)
{
    if (scry_cursor_peek(c) != '"')
        return scry_cursor_fail(c, "a string was expected");
    const char *start = ++c->at;
    while (c->at < c->end && *c->at != '"' && *c->at != '\\')
        c->at++;
    if (c->at < c->end && *c->at == '\\')
        return unescape_rest(c, start, out);
    if (c->at == c->end || c->at - start > MAX_STRING_BYTES)
        return scry_cursor_fail(c, "a string has no end or is too long");
    out->at = start;
    out->n = (size_t)(c->at - start);
    c->at++;
    return 0;
}

int scry_cursor_int(scry_cursor *c, int64_t *out)
{
    int64_t value = 0;
    bool negative = scry_cursor_peek(c) == '-';
    if (negative)
        c->at++;
    const char *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && c->at - start < 18)
        value = value * 10 + (*c->at++ - '0');
    bool ended = c->at == c->end || !strchr("0123456789.eE", *c->at);
    if (c->at == start || !ended)
        return scry_cursor_fail(c, "a whole number was expected");
    *out = negative ? -value : value;
    return 0;
}

/* Up to 19 digits of mantissa and a power of ten that a double holds exactly: the
 * quotient of the two is then correctly rounded (Clinger's fast path). */
static bool fast_num(const char *s, const char *end, double *out)
{
    static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    bool negative = s < end && *s == '-';
    uint64_t mantissa = 0;
    int digits = 0, after_point = 0;
    bool point = false;
    for (s += negative; s < end; s++) {
        if (*s == '.' && !point) {
            point = true;
            continue;
        }
        if (*s < '0' || *s > '9' || ++digits > 18)
            return false;
        mantissa = mantissa * 10 + (uint64_t)(*s - '0');
        after_point += point;
    }
    if (digits == 0 || mantissa > (UINT64_C(1) << 53))
        return false;
    double value = (double)mantissa / tens[after_point];
    *out = negative ? -value : value;
    return true;
}

int scry_cursor_num(scry_cursor *c, double *out)
{
    char copy[64];
    skip_space(c);
    const char *start = c->at;
    while (c->at < c->end && *c->at && strchr("+-0123456789.eE", *c->at))
        c->at++;
    size_t n = (size_t)(c->at - start);
    if (n == 0 || n >= sizeof copy)
        return scry_cursor_fail(c, "a number was expected");
    if (fast_num(start, c->at, out))
        return 0;
    memcpy(copy, start, n);
    copy[n] = 0;
    char *stopped;
    *out = strtod(copy, &stopped);
    return *stopped ? scry_cursor_fail(c, "a number was expected") : 0;
}

static void skip_string(scry_cursor *c)
{
    for (c->at++; c->at < c->end && *c->at != '"'; c->at++)
        if (*c->at == '\\')
            c->at++;
    if (c->at >= c->end) {
        c->at = c->end;
        scry_cursor_fail(c, "a string has no end");
        return;
    }
    c->at++;
}

int scry_cursor_skip(scry_cursor *c, scry_slice *text)
{
    int depth = 0;
    skip_space(c);
    text->at = c->at;
    do {
        char ch = scry_cursor_peek(c);
        if (ch == 0)
            return scry_cursor_fail(c, "the file ends too early");
        if (depth == 0 && (ch == ',' || ch == ':'))
            return scry_cursor_fail(c, "a value was expected");
        if (ch == '"') {
            skip_string(c);
            continue;
        }
        depth += ch == '{' || ch == '[';
        depth -= ch == '}' || ch == ']';
        if (depth < 0 || depth > MAX_DEPTH)
            return scry_cursor_fail(c, "brackets do not match or nest too deep");
        c->at++;
        /* A number or a word outside any bracket ends at the next separator. */
        if (depth == 0 && !strchr("}]", ch))
            while (c->at < c->end && !strchr(",]} \n\r\t", *c->at))
                c->at++;
    } while (depth > 0 && c->code == 0);
    text->n = (size_t)(c->at - text->at);
    return c->code;
}
