/* ISO/IEC 14496-12 (boxes) and 23008-12 (items and their properties):
 *
 *     meta
 *       pitm            number of the primary item
 *       iprp
 *         ipco          properties: irot, imir and others, counted from 1
 *         ipma          for each item the properties that it has, in the order to apply
 */
#include "decoder/heif_turn.h"

#include <stdbool.h>
#include <string.h>

enum { FULL = 4 };   /* bytes of version and flags before the content of some boxes */

typedef struct span {
    const uint8_t *p;
    size_t n;
} span;

/* A picture of eight: mirrored left to right or not, then turned by quarters clockwise. */
typedef struct turn {
    bool mirrored;
    unsigned quarters;
} turn;

/* Takes a big-endian number off the front; 0 and an empty span where there is too little. */
static uint32_t take(span *s, size_t bytes)
{
    uint32_t v = 0;
    if (s->n < bytes) {
        s->n = 0;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | s->p[i];
    s->p += bytes;
    s->n -= bytes;
    return v;
}

/* Takes the next box off the front of *s; false at the end and where none can be. */
static bool next_box(span *s, char type[4], span *content)
{
    span at = *s;
    if (at.n < 8)
        return false;
    uint64_t size = take(&at, 4);
    memcpy(type, at.p, 4);
    take(&at, 4);
    if (size == 1) {
        size = (uint64_t)take(&at, 4) << 32;
        size |= take(&at, 4);
    }
    size_t head = s->n - at.n;
    if (size == 0)
        size = s->n;
    if (size < head || size > s->n)
        return false;
    *content = (span){ at.p, (size_t)size - head };
    s->p += size;
    s->n -= (size_t)size;
    return true;
}

static bool find_box(span s, const char *wanted, span *content)
{
    char type[4];
    while (next_box(&s, type, content))
        if (memcmp(type, wanted, 4) == 0)
            return true;
    return false;
}

/* A box's version, taken off its front with the flags. */
static uint32_t take_version(span *s, uint32_t *flags)
{
    uint32_t v = take(s, FULL);
    *flags = v & 0xffffff;
    return v >> 24;
}

/* Apply the property with number `index`, when it is one that turns. */
static void apply(span ipco, uint32_t index, turn *t)
{
    char type[4];
    span content;
    for (uint32_t i = 1; next_box(&ipco, type, &content); i++) {
        if (i < index)
            continue;
        if (memcmp(type, "irot", 4) == 0) {   /* quarters against the clock */
            t->quarters += 4 - (take(&content, 1) & 3);
        } else if (memcmp(type, "imir", 4) == 0) {
            /* A mirror reverses the turns before it; top to bottom is left to right and half a turn. */
            bool across = take(&content, 1) & 1;
            t->quarters = 4 - (t->quarters & 3) + (across ? 0 : 2);
            t->mirrored = !t->mirrored;
        }
        return;
    }
}

/* The properties of the item in one ipma; true when it has an entry there. */
static bool apply_all(span ipma, span ipco, uint32_t item, turn *t)
{
    uint32_t flags;
    uint32_t version = take_version(&ipma, &flags);
    for (uint32_t entries = take(&ipma, 4); entries > 0 && ipma.n > 0; entries--) {
        bool here = take(&ipma, version < 1 ? 2 : 4) == item;
        for (uint32_t k = take(&ipma, 1); k > 0 && ipma.n > 0; k--) {
            uint32_t index = flags & 1 ? take(&ipma, 2) & 0x7fff : take(&ipma, 1) & 0x7f;
            if (here && index > 0)
                apply(ipco, index, t);
        }
        if (here)
            return true;
    }
    return false;
}

int scry_heif_orientation(const uint8_t *bytes, size_t n)
{
    static const uint8_t orientations[2][4] = { { 1, 6, 3, 8 }, { 2, 7, 4, 5 } };
    span meta, pitm, iprp, ipco, ipma;
    uint32_t flags;
    turn t = { false, 0 };
    if (!find_box((span){ bytes, n }, "meta", &meta))
        return 1;
    take(&meta, FULL);
    if (!find_box(meta, "pitm", &pitm) || !find_box(meta, "iprp", &iprp) || !find_box(iprp, "ipco", &ipco))
        return 1;
    uint32_t item = take(&pitm, take_version(&pitm, &flags) < 1 ? 2 : 4);
    char type[4];
    while (next_box(&iprp, type, &ipma))
        if (memcmp(type, "ipma", 4) == 0 && apply_all(ipma, ipco, item, &t))
            break;
    return orientations[t.mirrored][t.quarters & 3];
}
