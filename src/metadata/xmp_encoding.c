#include "metadata/xmp_encoding.h"

#include "metadata/utf16.h"

typedef struct encoding {
    size_t unit;     /* bytes: 1, 2 or 4 */
    bool big;
} encoding;

/* By the byte order mark, or by the zeros in the first characters, which are ASCII. */
static encoding detect(scry_bytes s)
{
    if (s.n < 4)
        return (encoding){ 1, false };
    unsigned zeros = 0;
    for (int i = 0; i < 4; i++)
        zeros = zeros << 1 | (s.p[i] == 0);
    uint32_t mark = (uint32_t)scry_read_big_endian(s.p, 4);
    if (mark == 0xfeff || zeros == 0xe)
        return (encoding){ 4, true };
    if (mark == 0xfffe0000 || zeros == 0x7)
        return (encoding){ 4, false };
    if (mark >> 16 == 0xfeff || zeros == 0xa)
        return (encoding){ 2, true };
    if (mark >> 16 == 0xfffe || zeros == 0x5)
        return (encoding){ 2, false };
    return (encoding){ 1, false };
}

static uint32_t next(const encoding *e, const uint8_t *p, size_t n, size_t *taken)
{
    if (e->unit == 2)
        return scry_utf16_next(p, n, e->big, taken);
    uint32_t rune = (uint32_t)scry_read_endian(p, 4, e->big);
    *taken = 4;
    return rune < 0x110000 && (rune < 0xd800 || rune >= 0xe000) ? rune : SCRY_RUNE_REPLACEMENT;
}

bool scry_xmp_convert(scry_bytes xmp, scry_buf *out)
{
    encoding e = detect(xmp);
    if (e.unit == 1)
        return false;
    for (size_t at = 0, taken; at + e.unit <= xmp.n && !out->failed; at += taken) {
        char bytes[4];
        scry_buf_append(out, bytes, scry_utf8_put(bytes, next(&e, xmp.p + at, xmp.n - at, &taken)));
    }
    return true;
}
