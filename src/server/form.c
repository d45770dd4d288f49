#include "server/form.h"

#include "base/alloc.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool form_is(const char *type, const char *body, size_t size)
{
    static const char name[] = "application/x-www-form-urlencoded";
    if (!type || strncasecmp(type, name, sizeof name - 1) != 0)
        return false;
    size_t at = scry_utf8_mark_bytes(body, size);
    while (at < size && strchr(" \t\r\n", body[at]))
        at++;
    return at < size && body[at] != '{';
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Decode text[0..n) in place, and end it with a zero; how many bytes it has. */
static size_t decode(char *text, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        bool encoded = text[i] == '%' && n - i > 2 && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
        text[to++] = encoded ? (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i] == '+' ? ' ' : text[i];
        i += encoded ? 2 : 0;
    }
    text[to] = '\0';
    return to;
}

int form_read(const char *body, size_t size, form_field_fn *each, void *arg, scry_error *err)
{
    int result = 0;
    for (size_t at = 0, n; at < size && result == 0; at += n + 1) {
        const char *end = memchr(body + at, '&', size - at);
        n = end ? (size_t)(end - body) - at : size - at;
        if (n == 0)
            continue;
        const char *equals = memchr(body + at, '=', n);
        size_t name_bytes = equals ? (size_t)(equals - body) - at : n;
        char *name = scry_strndup(body + at, name_bytes), *value = scry_strndup(equals ? equals + 1 : "", equals ? n - name_bytes - 1 : 0);
        size_t named = decode(name, strlen(name)), sized = decode(value, equals ? strlen(value) : 0);
        if (strlen(name) != named || memchr(body + at, '\0', n))
            result = scry_fail(err, SCRY_EINVALID, "the form holds a zero byte");
        else
            result = each(arg, name, value, sized);
        free(name);
        free(value);
    }
    return result;
}
