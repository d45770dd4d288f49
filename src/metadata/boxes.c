#include "metadata/boxes.h"

#include "base/byte_order.h"

#include <string.h>

enum { FULL = 4 };   /* bytes of version and flags before the content of some boxes */

uint64_t scry_box_take(scry_bytes *s, size_t bytes)
{
    if (s->n < bytes) {
        s->n = 0;
        return 0;
    }
    uint64_t v = scry_read_big_endian(s->p, bytes);
    s->p += bytes;
    s->n -= bytes;
    return v;
}

bool scry_box_next(scry_bytes *s, char type[4], scry_bytes *content)
{
    scry_bytes at = *s;
    if (at.n < 8)
        return false;
    uint64_t size = scry_box_take(&at, 4);
    memcpy(type, at.p, 4);
    scry_box_take(&at, 4);
    if (size == 1)
        size = scry_box_take(&at, 8);
    size_t head = s->n - at.n;
    if (size == 0)
        size = s->n;
    if (size < head || size > s->n)
        return false;
    *content = (scry_bytes){ at.p, (size_t)size - head };
    s->p += size;
    s->n -= (size_t)size;
    return true;
}

bool scry_box_find(scry_bytes s, const char *wanted, scry_bytes *content)
{
    char type[4];
    scry_bytes found;
    while (scry_box_next(&s, type, &found))
        if (memcmp(type, wanted, 4) == 0) {
            *content = found;
            return true;
        }
    return false;
}

uint32_t scry_box_take_version(scry_bytes *s, uint32_t *flags)
{
    uint32_t v = scry_box_take32(s, FULL);
    if (flags)
        *flags = v & 0xffffff;
    return v >> 24;
}

bool scry_box_find_meta(scry_bytes file, scry_bytes *meta, uint32_t *primary)
{
    scry_bytes pitm;
    if (!scry_box_find(file, "meta", meta))
        return false;
    scry_box_take(meta, FULL);
    if (!scry_box_find(*meta, "pitm", &pitm))
        return false;
    *primary = scry_box_take32(&pitm, scry_box_take_version(&pitm, NULL) < 1 ? 2 : 4);
    return true;
}
