#include "base/utf8.h"

#include "base/alloc.h"
#include "base/unicode.h"
#include "base/utf8_tables.h"

#include <stdlib.h>
#include <string.h>

/* ---- arrays of code points ---- */

static bool runes_reserve(scry_runes *r, size_t more)
{
    if (r->failed || more > r->limit - r->n) {
        r->failed = true;
        return false;
    }
    if (r->n + more <= r->capacity)
        return true;
    size_t want = r->n + more < r->limit / 2 ? (r->n + more) * 3 / 2 + 64 : r->limit;
    uint32_t *at = want <= SIZE_MAX / sizeof *at ? realloc(r->at, want * sizeof *at) : NULL;
    if (!at) {
        r->failed = true;
        return false;
    }
    r->at = at;
    r->capacity = want;
    return true;
}

void scry_runes_push(scry_runes *r, uint32_t rune)
{
    if (r->n < r->capacity || runes_reserve(r, 1))
        r->at[r->n++] = rune;
}

void scry_runes_decode(scry_runes *r, const char *s, size_t n)
{
    for (size_t i = 0; i < n && !r->failed;) {
        uint32_t rune;
        i += scry_utf8_next(s + i, n - i, &rune);
        scry_runes_push(r, rune);
    }
}

void scry_runes_encode(const scry_runes *r, scry_buf *out)
{
    char bytes[4];
    for (size_t i = 0; i < r->n; i++)
        scry_buf_append(out, bytes, scry_utf8_put(bytes, r->at[i]));
}

void scry_runes_dispose(scry_runes *r)
{
    free(r->at);
    *r = (scry_runes)SCRY_RUNES_INIT(r->limit);
}

/* ---- properties ---- */

static int compare_range(const void *key, const void *entry)
{
    uint32_t rune = *(const uint32_t *)key;
    const scry_rune_range *range = entry;
    return rune < range->first ? -1 : rune > range->last;
}

static const scry_rune_range *find_range(const scry_rune_range *table, size_t n, uint32_t rune)
{
    return bsearch(&rune, table, n, sizeof *table, compare_range);
}

#define FIND(table, rune) find_range((table), sizeof(table) / sizeof *(table), (rune))

bool scry_rune_is_space(uint32_t rune)
{
    if (rune < 0x80)
        return rune == ' ' || (rune >= '\t' && rune <= '\r');
    return rune == 0x85 || rune == 0xA0 || rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200A) ||
           rune == 0x2028 || rune == 0x2029 || rune == 0x202F || rune == 0x205F || rune == 0x3000;
}

static scry_rune_class class_of_category(unicode_category category)
{
    if (category >= UNICODE_LU && category <= UNICODE_LO)
        return SCRY_RUNE_LETTER;
    if (category >= UNICODE_ND && category <= UNICODE_NO)
        return SCRY_RUNE_NUMBER;
    return SCRY_RUNE_OTHER;
}

scry_rune_class scry_rune_classify(uint32_t rune, scry_unicode edition)
{
    if (scry_rune_is_space(rune))
        return SCRY_RUNE_SPACE;
    unicode_category category = scry_unicode_category(rune);
    if (category != UNICODE_CN)
        return class_of_category(category);
    bool rust = edition == SCRY_UNICODE_RUST;
    if (rust ? FIND(rust_letters, rune) : FIND(python_letters, rune))
        return SCRY_RUNE_LETTER;
    if (rust ? FIND(rust_numbers, rune) : FIND(python_numbers, rune))
        return SCRY_RUNE_NUMBER;
    return SCRY_RUNE_OTHER;
}

bool scry_rune_is_bert_control(uint32_t rune)
{
    switch (scry_unicode_category(rune)) {
    case UNICODE_CC:
    case UNICODE_CF:
    case UNICODE_CO:
        return rune != '\t' && rune != '\n' && rune != '\r' && !FIND(bert_not_control, rune);
    default: return false;
    }
}

bool scry_rune_is_bert_accent(uint32_t rune)
{
    if (rune < 0x300)
        return false;
    if (scry_unicode_category(rune) == UNICODE_MN)
        return !FIND(bert_not_mark, rune);
    return FIND(bert_mark, rune) != NULL;
}

bool scry_rune_is_bert_punctuation(uint32_t rune)
{
    if (rune < 0x80)
        return rune > ' ' && rune < 0x7F && !(rune >= '0' && rune <= '9') &&
               !((rune | 32) >= 'a' && (rune | 32) <= 'z');
    unicode_category category = scry_unicode_category(rune);
    if (category >= UNICODE_PC && category <= UNICODE_PO)
        return !FIND(bert_not_punctuation, rune);
    return FIND(bert_punctuation, rune) != NULL;
}

bool scry_rune_breaks(uint32_t before, uint32_t rune, int32_t *state)
{
    return scry_unicode_breaks(before, rune, state);
}

const char *scry_rune_category(uint32_t rune)
{
    static const char names[UNICODE_CATEGORIES][3] = {
        "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
        "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
    };
    return names[scry_unicode_category(rune)];
}

/* ---- case ---- */

static uint32_t lower(uint32_t rune, scry_unicode edition)
{
    if (rune < 0x80)
        return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
    if (edition == SCRY_UNICODE_RUST && rune >= rust_lower[0].range.first) {
        const scry_rune_shift *shift = bsearch(&rune, rust_lower, sizeof rust_lower / sizeof *rust_lower,
                                               sizeof *rust_lower, compare_range);
        if (shift)
            return (uint32_t)((int32_t)rune + shift->add);
    }
    return scry_unicode_lower(rune);
}

enum { CAPITAL_I_WITH_DOT = 0x130, DOT_ABOVE = 0x307, CAPITAL_SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2 };

void scry_runes_lower_each(scry_runes *r, scry_unicode edition)
{
    size_t dotted = 0;
    for (size_t i = 0; i < r->n; i++)
        dotted += r->at[i] == CAPITAL_I_WITH_DOT;
    if (!runes_reserve(r, dotted))
        return;
    /* Backwards, since some code points become two. */
    size_t to = r->n + dotted;
    for (size_t i = r->n; i-- > 0;) {
        if (r->at[i] == CAPITAL_I_WITH_DOT)
            r->at[--to] = DOT_ABOVE;
        r->at[--to] = lower(r->at[i], edition);
    }
    r->n += dotted;
}

static bool is_case_ignorable(uint32_t rune)
{
    switch (scry_unicode_category(rune)) {
    case UNICODE_MN:
    case UNICODE_ME:
    case UNICODE_CF:
    case UNICODE_LM:
    case UNICODE_SK: return true;
    default: return FIND(word_middles, rune) != NULL;
    }
}

static bool is_cased(uint32_t rune)
{
    switch (scry_unicode_category(rune)) {
    case UNICODE_LU:
    case UNICODE_LL:
    case UNICODE_LT: return true;
    default: return FIND(other_cased, rune) != NULL;
    }
}

void scry_runes_lower_text(scry_runes *r)
{
    /* Final sigma: a cased code point before it and none behind it, case-ignorable ones not
     * counted. The state before is kept while walking, and what follows is looked up once
     * for a whole run of ignorable ones, so that the pass is linear. */
    bool cased_before = false;
    size_t behind = 0;
    for (size_t i = 0; i < r->n; i++) {
        uint32_t rune = r->at[i];
        bool ignorable = rune >= 0x27 && is_case_ignorable(rune);
        if (rune == CAPITAL_SIGMA && cased_before) {
            if (behind <= i)
                behind = i + 1;
            while (behind < r->n && is_case_ignorable(r->at[behind]))
                behind++;
            if (behind == r->n || !is_cased(r->at[behind]))
                r->at[i] = FINAL_SIGMA;
        }
        if (!ignorable)
            cased_before = is_cased(rune);
    }
    scry_runes_lower_each(r, SCRY_UNICODE_PYTHON);
}

/* ---- normal forms ---- */

/* DIVES AKURU VOWEL SIGN O composes since Unicode 13; Rust's crate is older. */
enum { DIVES_AKURU_O = 0x11938 };

static int combining_class(uint32_t rune, scry_unicode edition)
{
    if (rune < 0x300)
        return 0;
    int class = scry_unicode_combining_class(rune);
    if (class == 0)
        return 0;
    bool later = edition == SCRY_UNICODE_RUST ? FIND(rust_starters, rune) : FIND(python_starters, rune);
    return later ? 0 : class;
}

static void decompose(scry_runes *out, uint32_t rune, bool compatible, scry_unicode edition)
{
    bool rust = edition == SCRY_UNICODE_RUST;
    if (rune < 0xA0 || (rust && (rune == DIVES_AKURU_O || (compatible && FIND(rust_no_compat, rune))))) {
        scry_runes_push(out, rune);
        return;
    }
    uint32_t parts[UNICODE_LONGEST_DECOMPOSITION];
    size_t n = scry_unicode_decompose(rune, compatible, parts);
    for (size_t i = 0; i < n; i++)
        scry_runes_push(out, parts[i]);
}

/* Stable sort of one run of marks by combining class. A counting sort, because a run
 * may be as long as the text. */
static bool sort_marks(uint32_t *run, size_t n, scry_unicode edition)
{
    size_t start[257] = { 0 };
    bool sorted = true;
    for (size_t i = 0; i < n; i++) {
        start[combining_class(run[i], edition) + 1]++;
        sorted = sorted && (i == 0 || combining_class(run[i - 1], edition) <=
                                          combining_class(run[i], edition));
    }
    if (sorted)
        return true;
    for (int c = 0; c < 256; c++)
        start[c + 1] += start[c];
    uint32_t *copy = scry_try_alloc(n, sizeof *copy);
    if (!copy)
        return false;
    memcpy(copy, run, n * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        run[start[combining_class(copy[i], edition)]++] = copy[i];
    free(copy);
    return true;
}

static void sort_all_marks(scry_runes *r, scry_unicode edition)
{
    for (size_t i = 0; i < r->n; i++) {
        if (combining_class(r->at[i], edition) == 0)
            continue;
        size_t end = i + 1;
        while (end < r->n && combining_class(r->at[end], edition) != 0)
            end++;
        if (end > i + 1 && !sort_marks(r->at + i, end - i, edition))
            r->failed = true;
        i = end - 1;
    }
}

static uint32_t compose_pair(uint32_t a, uint32_t b, scry_unicode edition)
{
    uint32_t whole = scry_unicode_compose(a, b);
    return whole == DIVES_AKURU_O && edition == SCRY_UNICODE_RUST ? 0 : whole;
}

static void compose(scry_runes *r, scry_unicode edition)
{
    size_t to = 0, starter = SIZE_MAX;
    int last_class = 0;   /* of the last mark kept after the starter; 0 = none */
    for (size_t i = 0; i < r->n; i++) {
        uint32_t rune = r->at[i];
        int class = combining_class(rune, edition);
        bool adjacent = starter != SIZE_MAX && starter + 1 == to;
        bool reachable = adjacent || (class != 0 && last_class < class);
        if (starter != SIZE_MAX && reachable && rune >= 0x300) {
            uint32_t whole = compose_pair(r->at[starter], rune, edition);
            if (whole) {
                r->at[starter] = whole;
                continue;
            }
        }
        if (class == 0)
            starter = to;
        last_class = class;
        r->at[to++] = rune;
    }
    r->n = to;
}

static bool all_below(const scry_runes *r, uint32_t bound)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i] >= bound)
            return false;
    return true;
}

static void normalise(scry_runes *r, bool compatible, bool composed, scry_unicode edition)
{
    /* Below U+0300 nothing composes with its neighbour, below U+00C0 nothing decomposes. */
    if (all_below(r, compatible ? 0xA0 : composed ? 0x300 : 0xC0))
        return;
    scry_runes out = SCRY_RUNES_INIT(r->limit);
    for (size_t i = 0; i < r->n; i++)
        decompose(&out, r->at[i], compatible, edition);
    sort_all_marks(&out, edition);
    if (composed)
        compose(&out, edition);
    out.failed |= r->failed;
    free(r->at);
    *r = out;
}

void scry_runes_nfc(scry_runes *r, scry_unicode edition)
{
    normalise(r, false, true, edition);
}

void scry_runes_nfd(scry_runes *r, scry_unicode edition)
{
    normalise(r, false, false, edition);
}

void scry_runes_nfkc(scry_runes *r, scry_unicode edition)
{
    normalise(r, true, true, edition);
}

void scry_runes_nfkd(scry_runes *r, scry_unicode edition)
{
    normalise(r, true, false, edition);
}
