/* byte_order.h - numbers of 1 to 8 bytes in files and messages, at any alignment.
 *
 * The caller has checked that the bytes are there. With a constant number of bytes the
 * compiler makes one load of it.
 */
#ifndef SCRY_BASE_BYTE_ORDER_H
#define SCRY_BASE_BYTE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint64_t scry_read_big_endian(const void *from, size_t bytes)
{
    const uint8_t *p = (const uint8_t *)from;
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

static inline uint64_t scry_read_little_endian(const void *from, size_t bytes)
{
    const uint8_t *p = (const uint8_t *)from;
    uint64_t v = 0;
    for (size_t i = bytes; i > 0; i--)
        v = v << 8 | p[i - 1];
    return v;
}

/* In the order that a file declares. */
static inline uint64_t scry_read_endian(const void *from, size_t bytes, bool big)
{
    return big ? scry_read_big_endian(from, bytes) : scry_read_little_endian(from, bytes);
}

static inline void scry_write_big_endian(void *to, size_t bytes, uint64_t v)
{
    uint8_t *p = (uint8_t *)to;
    for (size_t i = bytes; i > 0; i--, v >>= 8)
        p[i - 1] = (uint8_t)v;
}

#endif
