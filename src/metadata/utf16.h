/* utf16.h - UTF-16 as code points. For src/metadata only. */
#ifndef SCRY_METADATA_UTF16_H
#define SCRY_METADATA_UTF16_H

#include "base/byte_order.h"
#include "base/utf8.h"

/* The code point at p[0..n), n >= 2; *taken gets its 2 or 4 bytes. U+FFFD for half a pair. */
static inline uint32_t scry_utf16_next(const uint8_t *p, size_t n, bool big, size_t *taken)
{
    uint32_t rune = (uint32_t)scry_read_endian(p, 2, big);
    uint32_t low = n >= 4 ? (uint32_t)scry_read_endian(p + 2, 2, big) : 0;
    bool is_pair = rune >= 0xd800 && rune < 0xdc00 && low >= 0xdc00 && low < 0xe000;
    *taken = is_pair ? 4 : 2;
    if (is_pair)
        return 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
    return rune >= 0xd800 && rune < 0xe000 ? SCRY_RUNE_REPLACEMENT : rune;
}

#endif
