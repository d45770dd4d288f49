/* ISO/IEC 14496-12 (boxes) and 23008-12 (items and their properties):
 *
 *     meta
 *       pitm            number of the primary item
 *       iprp
 *         ipco          properties: irot, imir and others, counted from 1
 *         ipma          for each item the properties that it has, in the order to apply
 */
#include "decoder/heif_turn.h"

#include "metadata/boxes.h"

#include <stdbool.h>
#include <string.h>

/* A picture of eight: mirrored left to right or not, then turned by quarters clockwise. */
typedef struct turn {
    bool mirrored;
    unsigned quarters;
} turn;

/* Apply the property with number `index`, when it is one that turns. */
static void apply(scry_bytes ipco, uint32_t index, turn *t)
{
    char type[4];
    scry_bytes content;
    for (uint32_t i = 1; scry_box_next(&ipco, type, &content); i++) {
        if (i < index)
            continue;
        if (memcmp(type, "irot", 4) == 0) {   /* quarters against the clock */
            t->quarters += 4 - (scry_box_take32(&content, 1) & 3);
        } else if (memcmp(type, "imir", 4) == 0) {
            /* A mirror reverses the turns before it; top to bottom is left to right and half a turn. */
            bool across = scry_box_take32(&content, 1) & 1;
            t->quarters = 4 - (t->quarters & 3) + (across ? 0 : 2);
            t->mirrored = !t->mirrored;
        }
        return;
    }
}

/* The properties of the item in one ipma; true when it has an entry there. */
static bool apply_all(scry_bytes ipma, scry_bytes ipco, uint32_t item, turn *t)
{
    uint32_t flags;
    uint32_t version = scry_box_take_version(&ipma, &flags);
    for (uint32_t entries = scry_box_take32(&ipma, 4); entries > 0 && ipma.n > 0; entries--) {
        bool here = scry_box_take32(&ipma, version < 1 ? 2 : 4) == item;
        for (uint32_t k = scry_box_take32(&ipma, 1); k > 0 && ipma.n > 0; k--) {
            uint32_t index = flags & 1 ? scry_box_take32(&ipma, 2) & 0x7fff : scry_box_take32(&ipma, 1) & 0x7f;
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
    scry_bytes meta, iprp, ipco, ipma;
    uint32_t item;
    turn t = { false, 0 };
    if (!scry_box_find_meta((scry_bytes){ bytes, n }, &meta, &item) || !scry_box_find(meta, "iprp", &iprp)
        || !scry_box_find(iprp, "ipco", &ipco))
        return 1;
    char type[4];
    while (scry_box_next(&iprp, type, &ipma))
        if (memcmp(type, "ipma", 4) == 0 && apply_all(ipma, ipco, item, &t))
            break;
    return orientations[t.mirrored][t.quarters & 3];
}
