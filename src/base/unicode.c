#include "base/unicode.h"

#include "base/unicode_data.h"

#include <stdlib.h>

enum { LAST_RUNE = 0x10FFFF };
#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- tables of runs ---- */

/* The value of the run that holds `rune`; the first run begins at 0. */
static uint32_t value_in(const uint32_t *runs, size_t n, uint32_t rune)
{
    size_t low = 0, high = n;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (runs[middle] >> 8 <= rune)
            low = middle;
        else
            high = middle;
    }
    return rune <= LAST_RUNE ? runs[low] & 0xFF : 0;
}

unicode_category scry_unicode_category(uint32_t rune)
{
    return (unicode_category)value_in(categories, COUNT(categories), rune);
}

int scry_unicode_combining_class(uint32_t rune)
{
    return rune < 0x300 ? 0 : (int)value_in(combining_classes, COUNT(combining_classes), rune);
}

/* ---- case ---- */

static int compare_shift(const void *key, const void *entry)
{
    uint32_t rune = *(const uint32_t *)key;
    const unicode_shift *shift = entry;
    return rune < shift->first ? -1 : rune > shift->last;
}

uint32_t scry_unicode_lower(uint32_t rune)
{
    const unicode_shift *shift = bsearch(&rune, lower_shifts, COUNT(lower_shifts), sizeof *lower_shifts, compare_shift);
    if (!shift || (rune - shift->first) % (uint32_t)shift->step != 0)
        return rune;
    return (uint32_t)((int32_t)rune + shift->add);
}

/* ---- normal forms ---- */

/* Hangul syllables: a leading consonant, a vowel and perhaps a trailing consonant, by arithmetic (chapter 3.12). */
enum {
    SYLLABLES = 0xAC00, LEADING = 0x1100, VOWELS = 0x1161, TRAILING = 0x11A7,   /* TRAILING itself means none */
    LEADING_COUNT = 19, VOWEL_COUNT = 21, TRAILING_COUNT = 28,
    SYLLABLE_COUNT = LEADING_COUNT * VOWEL_COUNT * TRAILING_COUNT
};

static bool within(uint32_t rune, uint32_t first, uint32_t count)
{
    return rune - first < count;
}

static int compare_form(const void *key, const void *entry)
{
    uint32_t rune = *(const uint32_t *)key;
    const unicode_form *form = entry;
    return rune < form->first ? -1 : rune > form->last;
}

static size_t decompose_syllable(uint32_t syllable, uint32_t *out)
{
    uint32_t index = syllable - SYLLABLES, trailing = index % TRAILING_COUNT;
    out[0] = LEADING + index / (VOWEL_COUNT * TRAILING_COUNT);
    out[1] = VOWELS + index / TRAILING_COUNT % VOWEL_COUNT;
    out[2] = TRAILING + trailing;
    return trailing ? 3 : 2;
}

/* Decomposes the first part further, as often as there is a step; the longest chain in Unicode has four. */
size_t scry_unicode_decompose(uint32_t rune, bool compatible, uint32_t out[UNICODE_LONGEST_DECOMPOSITION])
{
    if (within(rune, SYLLABLES, SYLLABLE_COUNT))
        return decompose_syllable(rune, out);
    const unicode_form *form = bsearch(&rune, decompositions, COUNT(decompositions), sizeof *decompositions, compare_form);
    if (!form || (form->compatible && !compatible)) {
        out[0] = rune;
        return 1;
    }
    const uint16_t *units = decomposed + form->at + (rune - form->first) * form->units;
    size_t n = 0;
    for (size_t i = 0; i < form->units; i++) {
        uint32_t part = units[i];
        if (part >> 10 == 0xD800 >> 10 && i + 1 < form->units)
            part = 0x10000 + ((part & 0x3FF) << 10) + (units[++i] & 0x3FF);
        uint32_t deeper[UNICODE_LONGEST_DECOMPOSITION];
        size_t more = scry_unicode_decompose(part, compatible, deeper);
        for (size_t k = 0; k < more && n < UNICODE_LONGEST_DECOMPOSITION; k++)
            out[n++] = deeper[k];
    }
    return n;
}

static int compare_pair(const void *key, const void *entry)
{
    const unicode_pair *a = key, *b = entry;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return a->second < b->second ? -1 : a->second > b->second;
}

uint32_t scry_unicode_compose(uint32_t first, uint32_t second)
{
    if (within(first, LEADING, LEADING_COUNT) && within(second, VOWELS, VOWEL_COUNT))
        return SYLLABLES + ((first - LEADING) * VOWEL_COUNT + second - VOWELS) * TRAILING_COUNT;
    if (within(first, SYLLABLES, SYLLABLE_COUNT) && (first - SYLLABLES) % TRAILING_COUNT == 0 &&
        within(second, TRAILING + 1, TRAILING_COUNT - 1))
        return first + second - TRAILING;
    unicode_pair key = { first, second, 0 };
    const unicode_pair *pair = bsearch(&key, compositions, COUNT(compositions), sizeof *compositions, compare_pair);
    return pair ? pair->whole : 0;
}

/* ---- grapheme clusters ---- */

typedef enum {   /* as in tools/parity/unicode_data.py */
    OTHER, CR, LF, CONTROL, EXTEND, ZWJ, REGIONAL, PREPEND, SPACING, L, V, T, LV, LVT, PICTOGRAPH
} unicode_break;

/* What the text so far ends with, for the two rules that look at more than a pair. */
enum { STARTED = 1, PICTOGRAPH_EXTENDED = 2, PICTOGRAPH_ZWJ = 4, REGIONAL_ODD = 8 };

static unicode_break break_of(uint32_t rune)
{
    if (within(rune, SYLLABLES, SYLLABLE_COUNT))
        return (rune - SYLLABLES) % TRAILING_COUNT ? LVT : LV;
    return (unicode_break)value_in(grapheme_breaks, COUNT(grapheme_breaks), rune);
}

static int32_t state_after(int32_t state, unicode_break kind)
{
    if (kind == PICTOGRAPH || (kind == EXTEND && (state & PICTOGRAPH_EXTENDED)))
        return STARTED | PICTOGRAPH_EXTENDED;
    if (kind == ZWJ && (state & PICTOGRAPH_EXTENDED))
        return STARTED | PICTOGRAPH_ZWJ;
    if (kind == REGIONAL && !(state & REGIONAL_ODD))
        return STARTED | REGIONAL_ODD;
    return STARTED;
}

static bool is_control(unicode_break kind)
{
    return kind == CR || kind == LF || kind == CONTROL;
}

/* GB6 to GB8. */
static bool is_within_syllable(unicode_break a, unicode_break b)
{
    switch (a) {
    case L: return b == L || b == V || b == LV || b == LVT;
    case LV:
    case V: return b == V || b == T;
    case LVT:
    case T: return b == T;
    default: return false;
    }
}

/* The rules GB3 to GB999, in their order. */
static bool breaks_between(unicode_break a, unicode_break b, int32_t state)
{
    if (is_control(a) || is_control(b))
        return !(a == CR && b == LF);
    if (is_within_syllable(a, b) || b == EXTEND || b == ZWJ || b == SPACING || a == PREPEND)
        return false;
    if (b == PICTOGRAPH)
        return !(state & PICTOGRAPH_ZWJ);
    return !(b == REGIONAL && (state & REGIONAL_ODD));
}

bool scry_unicode_breaks(uint32_t before, uint32_t rune, int32_t *state)
{
    unicode_break a = break_of(before), b = break_of(rune);
    if (!(*state & STARTED))
        *state = state_after(0, a);
    bool breaks = breaks_between(a, b, *state);
    *state = state_after(*state, b);
    return breaks;
}
