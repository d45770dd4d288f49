#include "decoder/jpeg_size.h"

#include "base/byte_order.h"

#include <string.h>

bool scry_jpeg_size(const uint8_t *s, size_t n, int *w, int *h)
{
    enum { BASELINE = 0xc0, PROGRESSIVE = 0xc2, SCAN = 0xda };
    if (n < 2 || memcmp(s, "\xff\xd8", 2) != 0)
        return false;
    for (size_t at = 2; at + 9 <= n && s[at] == 0xff;) {
        uint8_t marker = s[at + 1];
        if (marker == 0xff) {   /* filling */
            at++;
            continue;
        }
        if (marker >= BASELINE && marker <= PROGRESSIVE) {
            *h = (int)scry_read_big_endian(s + at + 5, 2);
            *w = (int)scry_read_big_endian(s + at + 7, 2);
            return s[at + 4] == 8 && *w > 0 && *h > 0;
        }
        if (marker == SCAN)
            return false;
        at += 2 + (size_t)scry_read_big_endian(s + at + 2, 2);
    }
    return false;
}
