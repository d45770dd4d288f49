#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(size_t size)
{
    fprintf(stderr, "scry: out of memory (%zu bytes)\n", size);
    abort();
}

void *scry_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        out_of_memory(size);
    return p;
}

void *scry_realloc(void *p, size_t size)
{
    void *q = realloc(p, size ? size : 1);
    if (!q)
        out_of_memory(size);
    return q;
}

char *scry_strdup(const char *s)
{
    return s ? scry_strndup(s, strlen(s)) : NULL;
}

char *scry_strndup(const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = scry_alloc(len + 1);
    memcpy(copy, s, len);
    return copy;
}

char *scry_vasprintf(const char *fmt, va_list ap)
{
    char *s = NULL;
    if (vasprintf(&s, fmt, ap) < 0)
        out_of_memory(0);
    return s;
}

char *scry_asprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = scry_vasprintf(fmt, ap);
    va_end(ap);
    return s;
}

void *scry_try_alloc(size_t count, size_t size)
{
    size_t bytes;
    if (!scry_mul_size(count, size, &bytes))
        return NULL;
    return calloc(1, bytes ? bytes : 1);
}

void *scry_try_alloc_aligned(size_t count, size_t size)
{
    size_t bytes;
    if (!scry_mul_size(count, size, &bytes) || !scry_add_size(bytes, 63, &bytes))
        return NULL;
    bytes &= ~(size_t)63;
    void *p = aligned_alloc(64, bytes ? bytes : 64);
    if (p)
        memset(p, 0, bytes);
    return p;
}
