#include "decoder/png_thin.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/byte_order.h"

/* Chunks: length:4 type:4 data crc:4. */
enum { SIGNATURE = 8, AROUND = 12, FEW_BYTES = 4096 };

static bool is_left_out(const uint8_t *type)
{
    static const char types[][5] = { "tEXt", "zTXt", "iTXt", "iCCP", "eXIf" };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (memcmp(type, types[i], 4) == 0)
            return true;
    return false;
}

/* The bytes of the chunk at bytes[at], at most what is there. */
static size_t chunk_bytes(const uint8_t *bytes, size_t n, size_t at)
{
    size_t size = (size_t)scry_read_big_endian(bytes + at, 4), rest = n - at;
    return size <= rest - AROUND ? size + AROUND : rest;
}

static size_t bytes_left_out(const uint8_t *bytes, size_t n)
{
    size_t total = 0;
    for (size_t at = SIGNATURE; at < n && n - at >= AROUND; at += chunk_bytes(bytes, n, at))
        if (is_left_out(bytes + at + 4))
            total += chunk_bytes(bytes, n, at);
    return total;
}

uint8_t *scry_png_thin(const uint8_t *bytes, size_t n, size_t *size)
{
    size_t less = bytes_left_out(bytes, n);
    uint8_t *copy = less > FEW_BYTES ? malloc(n - less) : NULL;
    if (!copy)
        return NULL;
    size_t at = SIGNATURE, to = SIGNATURE;
    memcpy(copy, bytes, SIGNATURE);
    while (at < n && n - at >= AROUND) {
        size_t whole = chunk_bytes(bytes, n, at);
        if (!is_left_out(bytes + at + 4)) {
            memcpy(copy + to, bytes + at, whole);
            to += whole;
        }
        at += whole;
    }
    memcpy(copy + to, bytes + at, n - at);   /* less than a chunk */
    *size = to + n - at;
    return copy;
}
