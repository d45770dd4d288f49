#include "base/buf.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Make room for `n` more bytes and the final zero. */
static bool reserve(scry_buf *b, size_t n)
{
    size_t need;
    if (b->failed || !scry_add_size(b->size, n, &need) || need > b->limit) {
        b->failed = true;
        return false;
    }
    if (need + 1 <= b->capacity)
        return true;
    size_t capacity = b->capacity ? b->capacity : 64;
    while (capacity < need + 1)
        capacity += capacity / 2;
    char *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

void *scry_buf_extend(scry_buf *b, size_t n)
{
    if (!reserve(b, n))
        return NULL;
    void *at = b->data + b->size;
    b->size += n;
    b->data[b->size] = '\0';
    return at;
}

void scry_buf_append(scry_buf *b, const void *bytes, size_t n)
{
    void *at = n ? scry_buf_extend(b, n) : NULL;
    if (at)
        memcpy(at, bytes, n);
}

void scry_buf_puts(scry_buf *b, const char *s)
{
    scry_buf_append(b, s, strlen(s));
}

void scry_buf_putc(scry_buf *b, char c)
{
    scry_buf_append(b, &c, 1);
}

void scry_buf_printf(scry_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !reserve(b, (size_t)n)) {
        b->failed = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(b->data + b->size, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->size += (size_t)n;
}

const char *scry_buf_str(const scry_buf *b)
{
    return b->data ? b->data : "";
}

char *scry_buf_take(scry_buf *b)
{
    char *data = b->data ? b->data : scry_strdup("");
    b->data = NULL;
    scry_buf_clear(b);
    b->capacity = 0;
    return data;
}

void scry_buf_clear(scry_buf *b)
{
    b->size = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

void scry_buf_dispose(scry_buf *b)
{
    free(b->data);
    b->data = NULL;
    b->capacity = 0;
    scry_buf_clear(b);
}
