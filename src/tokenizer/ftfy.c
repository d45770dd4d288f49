#include "tokenizer/ftfy.h"

#include "tokenizer/html_entities.h"
#include "tokenizer/tokenizer_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_ENTITY_NAME = 33,          /* 32 characters and a semicolon */
    FTFY_ENTITY_CHARACTERS = 24,
    MAX_PASSES = 64,               /* ftfy repeats until nothing changes; nobody nests deeper */
    LONG_TEXT_RUNES = 1 << 16,     /* beyond it ... */
    MAX_PASSES_LONG = 4            /* ... no more than these, to stay linear */
};

/* ---- entities ---- */

static const html_entity *find_entity(const char *name, size_t n, unsigned user)
{
    size_t low = 0, high = sizeof html_entities / sizeof *html_entities;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const html_entity *e = &html_entities[middle];
        int order = strncmp(e->name, name, n);
        if (order == 0 && e->name[n])
            order = 1;
        if (order == 0)
            return e->users & user ? e : NULL;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool is_digit(uint32_t r)
{
    return r >= '0' && r <= '9';
}

static bool is_hex(uint32_t r)
{
    return is_digit(r) || ((r | 32) >= 'a' && (r | 32) <= 'f');
}

static bool is_letter(uint32_t r)
{
    return (r | 32) >= 'a' && (r | 32) <= 'z';
}

/* Windows-1252 for U+0080..U+009F; the five bytes it leaves open stay as they are. */
static uint32_t windows_1252(uint32_t c1)
{
    static const uint16_t table[32] = {
        0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160,
        0x2039, 0x152,  0x8D,   0x17D,  0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E, 0x178 };
    return table[c1 - 0x80];
}

/* Numbers that html.unescape makes nothing of: controls and what never is a character. */
static bool is_no_character(uint32_t number)
{
    if (number < 0x20)
        return number != '\t' && number != '\n' && number != '\f' && number != '\r';
    return number == 0x7F || (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFE) == 0xFFFE;
}

/* What html.unescape makes of a number. Returns false for those that vanish. */
static bool character_of_number(uint32_t number, uint32_t *rune)
{
    *rune = number;
    if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF))
        *rune = SCRY_RUNE_REPLACEMENT;
    else if (number >= 0x80 && number <= 0x9F)
        *rune = windows_1252(number);
    else
        return !is_no_character(number);
    return true;
}

/* "#123" or "#x1F" at r: the code points of it, 0 when it is none. */
static size_t read_number(const uint32_t *r, size_t n, uint32_t *number)
{
    bool hex = n > 1 && (r[1] | 32) == 'x';
    size_t i = hex ? 2 : 1, start = i;
    uint32_t value = 0;
    for (; i < n && (hex ? is_hex(r[i]) : is_digit(r[i])); i++) {
        uint32_t digit = is_digit(r[i]) ? r[i] - '0' : (r[i] | 32) - 'a' + 10;
        value = value > 0x1FFFFF ? value : value * (hex ? 16 : 10) + digit;
    }
    *number = value;
    return i > start ? i : 0;
}

static void push_text(scry_runes *out, const char *text)
{
    scry_runes_decode(out, text, strlen(text));
}

/* ftfy: "&name;" and "&#123;", of at most 24 letters and digits. `r` is behind the
 * ampersand. Returns what was taken, 0 when it stays as it is. */
static size_t ftfy_entity(const uint32_t *r, size_t n, scry_runes *out)
{
    size_t start = n > 0 && r[0] == '#', end = start;
    while (end < n && end - start < FTFY_ENTITY_CHARACTERS && (is_digit(r[end]) || is_letter(r[end])))
        end++;
    if (end == start || end == n || r[end] != ';')
        return 0;
    if (start) {
        uint32_t number, rune;
        /* A semicolon in the result, be it left over or decoded, leaves all as it was. */
        if (read_number(r, end, &number) != end || number == ';')
            return 0;
        if (character_of_number(number, &rune))
            scry_runes_push(out, rune);
        return end + 1;
    }
    char name[FTFY_ENTITY_CHARACTERS + 1];
    for (size_t i = 0; i <= end; i++)
        name[i] = (char)r[i];
    const html_entity *e = find_entity(name, end + 1, ENTITY_FTFY);
    if (!e)
        return 0;
    push_text(out, e->text);
    return end + 1;
}

/* No name holds white space or anything beyond ASCII. */
static bool ends_name(uint32_t r)
{
    return r <= ' ' || r >= 0x7F || r == '<' || r == '&' || r == '#' || r == ';';
}

/* html.unescape: the semicolon may lack; of a longer word the longest known beginning. */
static size_t html_entity_at(const uint32_t *r, size_t n, scry_runes *out)
{
    uint32_t number, rune;
    if (n > 0 && r[0] == '#') {
        size_t taken = read_number(r, n, &number);
        if (taken && character_of_number(number, &rune))
            scry_runes_push(out, rune);
        return taken && taken < n && r[taken] == ';' ? taken + 1 : taken;
    }
    char name[MAX_ENTITY_NAME];
    size_t end = 0;
    while (end < n && end < MAX_ENTITY_NAME - 1 && !ends_name(r[end])) {
        name[end] = (char)r[end];
        end++;
    }
    if (end < n && r[end] == ';')
        name[end++] = ';';
    for (; end > 1; end--) {
        const html_entity *e = find_entity(name, end, ENTITY_HTML);
        if (e) {
            push_text(out, e->text);
            return end;
        }
    }
    return 0;
}

typedef size_t entity_reader(const uint32_t *r, size_t n, scry_runes *out);

/* Replace the entities in place of `r`; `spare` takes the result and swaps with it. */
static void unescape(scry_runes *r, scry_runes *spare, entity_reader *read)
{
    size_t i = 0;
    while (i < r->n && r->at[i] != '&')
        i++;
    if (i == r->n)
        return;
    spare->n = 0;
    for (i = 0; i < r->n;) {
        size_t taken = r->at[i] == '&' ? read(r->at + i + 1, r->n - i - 1, spare) : 0;
        if (taken)
            i += taken + 1;
        else
            scry_runes_push(spare, r->at[i++]);
    }
    scry_runes old = *r;
    *r = *spare;
    *spare = old;
}

/* ---- single characters ---- */

/* Ligatures and digraphs of Latin letters, less those that keep their text. */
static const char *ligature(uint32_t rune)
{
    static const struct {
        uint16_t rune;
        char text[7];
    } table[] = {
        { 0x132, "IJ" }, { 0x133, "ij" }, { 0x149, "\312\274n" }, { 0x1C4, "D\305\275" },
        { 0x1C5, "D\305\276" }, { 0x1C6, "d\305\276" }, { 0x1C7, "LJ" }, { 0x1C8, "Lj" },
        { 0x1C9, "lj" }, { 0x1CA, "NJ" }, { 0x1CB, "Nj" }, { 0x1CC, "nj" }, { 0x1F1, "DZ" },
        { 0x1F2, "Dz" }, { 0x1F3, "dz" }, { 0xFB00, "ff" }, { 0xFB01, "fi" }, { 0xFB02, "fl" },
        { 0xFB03, "ffi" }, { 0xFB04, "ffl" }, { 0xFB05, "\305\277t" }, { 0xFB06, "st" } };
    if (rune < 0x132 || (rune > 0x1F3 && (rune < 0xFB00 || rune > 0xFB06)))
        return NULL;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].rune == rune)
            return table[i].text;
    return NULL;
}

static bool is_dropped(uint32_t r)
{
    if (r < 0x80)
        return r < 0x09 || r == 0x0B || (r >= 0x0E && r < 0x20) || r == 0x7F;
    return (r >= 0x206A && r <= 0x206F) || r == 0xFEFF || (r >= 0xFFF9 && r <= 0xFFFC);
}

static uint32_t uncurl(uint32_t r)
{
    if (r == 0x2BC || (r >= 0x2018 && r <= 0x201B))
        return '\'';
    return r >= 0x201C && r <= 0x201F ? '"' : r;
}

static void push_wide(scry_runes *out, uint32_t rune)
{
    uint32_t one[1] = { rune };
    scry_runes narrow = { NULL, 0, 0, 32, false };
    scry_runes_push(&narrow, one[0]);
    scry_runes_nfkc(&narrow, SCRY_UNICODE_PYTHON);
    for (size_t i = 0; i < narrow.n; i++)
        scry_runes_push(out, uncurl(narrow.at[i]));
    out->failed |= narrow.failed;
    scry_runes_dispose(&narrow);
}

/* ftfy's fixes of single characters, in their order: C1 controls, ligatures, width,
 * quotes, line breaks. */
static void fix_character(scry_runes *out, uint32_t rune)
{
    if (rune >= 0x80 && rune <= 0x9F)
        rune = windows_1252(rune);
    const char *letters = ligature(rune);
    if (letters) {
        size_t start = out->n;
        push_text(out, letters);
        for (size_t i = start; i < out->n; i++)
            out->at[i] = uncurl(out->at[i]);
    } else if (rune >= 0xFF01 && rune <= 0xFFEF) {
        push_wide(out, rune);
    } else if (rune == 0x3000) {
        scry_runes_push(out, ' ');
    } else if (rune == '\r' || rune == 0x2028 || rune == 0x2029) {
        scry_runes_push(out, '\n');
    } else {
        scry_runes_push(out, uncurl(rune));
    }
}

/* "\033[...m" at r[0]: its length, or 0. */
static size_t terminal_escape(const uint32_t *r, size_t n)
{
    size_t i = 2;
    if (n < 3 || r[0] != 0x1B || r[1] != '[')
        return 0;
    while (i < n && (is_digit(r[i]) || r[i] == ';' ||
                     (r[i] >= 0x80 && strcmp(scry_rune_category(r[i]), "Nd") == 0)))
        i++;
    return i < n && is_letter(r[i]) ? i + 1 : 0;
}

static void drop_controls(scry_runes *r)
{
    size_t to = 0;
    /* Escapes go first: dropping their ESC would leave the rest of them. */
    for (size_t i = 0, taken; i < r->n; i += taken) {
        taken = terminal_escape(r->at + i, r->n - i);
        if (taken)
            continue;
        taken = 1;
        r->at[to++] = r->at[i];
    }
    r->n = to;
    to = 0;
    for (size_t i = 0; i < r->n; i++)
        if (!is_dropped(r->at[i]))
            r->at[to++] = r->at[i];
    r->n = to;
}

/* ---- the whole ---- */

static bool is_plain(const scry_runes *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i] > 0x7E || r->at[i] == '&' || (r->at[i] < ' ' && r->at[i] != '\t' && r->at[i] != '\n'))
            return false;
    return true;
}

static void one_pass(scry_runes *r, scry_runes *spare, bool entities)
{
    if (entities)
        unescape(r, spare, ftfy_entity);
    spare->n = 0;
    for (size_t i = 0; i < r->n; i++)
        fix_character(spare, r->at[i]);
    drop_controls(spare);
    scry_runes_nfc(spare, SCRY_UNICODE_PYTHON);
    scry_runes old = *r;
    *r = *spare;
    *spare = old;
    r->failed |= spare->failed;
}

static bool same_runes(const scry_runes *a, const scry_runes *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->at, b->at, a->n * sizeof *a->at) == 0);
}

static void copy_runes(scry_runes *to, const scry_runes *from)
{
    to->n = 0;
    for (size_t i = 0; i < from->n; i++)
        scry_runes_push(to, from->at[i]);
}

static void clean_part(scry_runes *r, bool entities)
{
    scry_runes spare = SCRY_RUNES_INIT(r->limit), before = SCRY_RUNES_INIT(r->limit);
    int passes = r->n > LONG_TEXT_RUNES ? MAX_PASSES_LONG : MAX_PASSES;
    if (is_plain(r))
        return;
    do {
        copy_runes(&before, r);
        one_pass(r, &spare, entities);
    } while (--passes > 0 && !r->failed && !before.failed && !same_runes(r, &before));
    unescape(r, &spare, html_entity_at);
    unescape(r, &spare, html_entity_at);
    r->failed |= spare.failed | before.failed;
    scry_runes_dispose(&spare);
    scry_runes_dispose(&before);
}

size_t scry_ftfy_clean(scry_ftfy *f, const char *text, size_t n, scry_runes *out)
{
    if (f->line_left == 0) {
        const char *newline = memchr(text, '\n', n);
        f->line_left = newline ? (size_t)(newline - text) + 1 : n;
        f->has_markup = f->has_markup || memchr(text, '<', f->line_left);
    }
    size_t part = scry_tok_chunk(text, f->line_left);
    f->line_left -= part;
    out->n = 0;
    scry_runes_decode(out, text, part);
    clean_part(out, !f->has_markup);
    return part;
}
