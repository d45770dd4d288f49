/* alloc.h - allocation of small objects of fixed size, and overflow-checked sizes for the rest.
 *
 * scry_alloc and the functions below it abort when memory runs out: they are for structures
 * whose size the program chooses. Allocations whose size depends on input go through
 * scry_try_alloc, which returns NULL, and the caller reports SCRY_ENOMEM or SCRY_ELIMIT.
 */
#ifndef SCRY_BASE_ALLOC_H
#define SCRY_BASE_ALLOC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

void *scry_alloc(size_t size);                 /* zeroed; never NULL */
void *scry_realloc(void *p, size_t size);      /* never NULL for size > 0 */
char *scry_strdup(const char *s);              /* never NULL; NULL gives NULL */
char *scry_strndup(const char *s, size_t n);
char *scry_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *scry_vasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* `count * size` zeroed bytes, or NULL when that overflows or allocation fails. */
void *scry_try_alloc(size_t count, size_t size);

/* Zeroed memory aligned to 64 bytes (a cache line, an AVX-512 register); free() it. */
void *scry_try_alloc_aligned(size_t count, size_t size);

/* true and *out = a * b, or false on overflow; likewise for a + b. */
static inline bool scry_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool scry_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

#endif
