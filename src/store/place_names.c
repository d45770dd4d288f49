#include "store/place_names.h"

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "store/place_groups.h"
#include "store/places.h"
#include "store/places_table.h"
#include "store/word_forms.h"
#include "store/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_RUNES = 4096, KEY_BYTES = 1 << 14, LONGEST_ENDING = 5, MOST_NAMES = 6 };

static size_t name_length(const char *name)
{
    return strcspn(name, "\n");
}

/* ---- keys ---- */

/* The key of a name as tools/places/make.py makes it: in lower case, without accents, from the first letter or digit on. */
static void make_key(scry_buf *out, scry_runes *runes, const char *name, size_t size)
{
    size_t first = 0;
    runes->n = 0;
    scry_buf_clear(out);
    scry_words_decompose(runes, name, size);
    scry_runes_lower_each(runes, SCRY_UNICODE_PYTHON);
    while (first < runes->n) {
        scry_rune_class class = scry_rune_classify(runes->at[first], SCRY_UNICODE_PYTHON);
        if (class == SCRY_RUNE_LETTER || class == SCRY_RUNE_NUMBER)
            break;
        first++;
    }
    scry_runes rest = { .at = first < runes->n ? runes->at + first : NULL, .n = runes->n - first };
    if (rest.at)
        scry_runes_encode(&rest, out);
}

typedef struct {
    scry_buf key, words;   /* of one name */
    scry_runes runes;
} reader;

#define READER_INIT { SCRY_BUF_INIT(KEY_BYTES), SCRY_BUF_INIT(SCRY_WORDS_LIMIT), SCRY_RUNES_INIT(NAME_RUNES) }

static void reader_dispose(reader *r)
{
    scry_buf_dispose(&r->key);
    scry_buf_dispose(&r->words);
    scry_runes_dispose(&r->runes);
}

/* The key of name `i`, until the next call. */
static const char *key_of(reader *r, size_t i)
{
    const char *name = scry_place_name(i);
    make_key(&r->key, &r->runes, name, name_length(name));
    return scry_buf_str(&r->key);
}

/* The first name whose key is not less than these bytes. */
static size_t first_from(reader *r, const char *prefix, size_t size)
{
    size_t first = 0, end = scry_place_names_count();
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (strncmp(key_of(r, middle), prefix, size) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* ---- names ---- */

/* How much of a word all of its forms begin with: parties, party; кошек, кошка. */
static size_t common_beginning(const char *word, size_t size)
{
    bool fleeting = size > 4 && (memcmp(word + size - 2, "к", 2) == 0 || memcmp(word + size - 2, "ц", 2) == 0);
    return fleeting ? size - 2 : size > 1 && word[size - 1] == 'y' ? size - 1 : size;
}

/* Whether the first word of the key may have these `size` bytes as its form without an ending: of Latin and Cyrillic letters, which
 * are up to two bytes each. */
static bool may_begin(const char *key, size_t size)
{
    size_t letters = 0;
    for (const unsigned char *at = (const unsigned char *)key + size; isalnum(*at) || (*at >= 0x80 && *at < 0xE0); at++)
        letters += (*at & 0xC0) != 0x80;
    return letters <= LONGEST_ENDING;
}

static int compare_places(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Sorted, each once. */
static void sort_places(scry_buf *b)
{
    uint32_t *all = (uint32_t *)(void *)b->data;
    size_t n = b->size / sizeof *all, kept = 0;
    if (n == 0)
        return;
    qsort(all, n, sizeof *all, compare_places);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || all[i] != all[kept - 1])
            all[kept++] = all[i];
    b->size = kept * sizeof *all;
}

/* The places with the longest names that `list` begins with, of those whose key begins with these `size` bytes; *longest is how
 * long the names found before are, in the form of lists. */
static void find_names(scry_buf *out, reader *r, const char *list, const char *prefix, size_t size, size_t *longest)
{
    for (size_t i = first_from(r, prefix, size); i < scry_place_names_count(); i++) {
        const char *key = key_of(r, i), *name = scry_place_name(i);
        if (strncmp(key, prefix, size) != 0)
            break;
        if (!may_begin(key, size))
            continue;
        scry_words_of_text(&r->words, name, name_length(name));
        if (r->words.size == 0 || r->words.size < *longest || strncmp(list, scry_buf_str(&r->words), r->words.size) != 0)
            continue;
        if (r->words.size > *longest)
            scry_buf_clear(out);
        *longest = r->words.size;
        uint32_t place = scry_place_named(i);
        scry_buf_append(out, &place, sizeof place);
    }
}

/* The same of the names of groups; a place of the table that has the name, too, stays: Asia is a village. */
static void add_group(scry_buf *out, const char *list, size_t *longest)
{
    size_t size = *longest ? *longest - 1 : 0;
    const char *name = scry_place_group_begins(list, &size);
    if (!name)
        return;
    if (size > *longest)
        scry_buf_clear(out);
    *longest = size;
    scry_place_group_add(out, name);
}

size_t scry_places_of_words(scry_buf *out, const char *words)
{
    size_t size, longest = 0, count = 0;
    const char *at = words, *word = scry_words_next(&at, &size), *list = word ? word - 1 : NULL;
    scry_buf_clear(out);
    if (!word)
        return 0;
    reader r = READER_INIT;
    const char *plural = scry_words_plural(word, size);   /* Men, which is "man" in lists */
    find_names(out, &r, list, word, common_beginning(word, size), &longest);
    if (plural)
        find_names(out, &r, list, plural, strlen(plural), &longest);
    add_group(out, list, &longest);
    for (size_t i = 1; i < longest; i++)
        count += list[i] == '\n';
    sort_places(out);
    reader_dispose(&r);
    return count;
}

/* Leave those of `places` that lie in one of `around`. */
static void keep_within(scry_buf *places, const scry_buf *around)
{
    uint32_t *all = (uint32_t *)(void *)places->data;
    const uint32_t *of = (const uint32_t *)(const void *)around->data;
    size_t kept = 0;
    for (size_t i = 0; i < places->size / sizeof *all; i++)
        for (size_t k = 0; k < around->size / sizeof *of; k++)
            if (all[i] != of[k] && scry_place_is_in(all[i], of[k])) {
                all[kept++] = all[i];
                break;
            }
    places->size = kept * sizeof *all;
}

/* Those of which a name is the text, but for case and accents. */
static void find_whole(scry_buf *out, const char *text, size_t size)
{
    reader r = READER_INIT;
    scry_buf key = SCRY_BUF_INIT(KEY_BYTES);
    while (size && text[size - 1] == ' ')
        size--;
    make_key(&key, &r.runes, text, size < NAME_RUNES ? size : 0);
    scry_buf_clear(out);
    for (size_t i = first_from(&r, scry_buf_str(&key), SIZE_MAX); key.size && i < scry_place_names_count(); i++) {
        if (strcmp(key_of(&r, i), scry_buf_str(&key)) != 0)
            break;
        uint32_t place = scry_place_named(i);
        scry_buf_append(out, &place, sizeof place);
    }
    scry_words_of_text(&r.words, text, size);
    if (r.words.size)
        scry_place_group_add(out, scry_buf_str(&r.words));
    sort_places(out);
    scry_buf_dispose(&key);
    reader_dispose(&r);
}

/* Add the regions and countries that have this code: "TX", "tx"; of those that are names by themselves if it stands alone. */
static size_t add_codes(scry_buf *out, const char *text, size_t size, bool alone)
{
    char code[4] = "";
    size_t found = 0;
    if (size < 2 || size >= sizeof code)
        return 0;
    for (size_t i = 0; i < size; i++)
        code[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
    const scry_places_code *c = scry_places_codes(), *end = c + scry_places_head()->codes;
    for (; c < end; c++) {
        uint32_t place = c->place;
        if (memcmp(c->code, code, sizeof code) == 0 && (c->alone || !alone)) {
            scry_buf_append(out, &place, sizeof place);
            found++;
        }
    }
    sort_places(out);
    return found;
}

/* Of `places` those around which the text names further ones; where `begun` is false, the places are named by the text, too. */
static void find_within(scry_buf *places, const char *text, bool begun)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), further = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_words_of_text(&words, text, strlen(text));
    const char *at = scry_buf_str(&words);
    for (size_t names = begun; strlen(at) > 1 && (names == 0 || places->size); names++) {
        size_t run = scry_places_of_words(names ? &further : places, at), n;
        if (names && run <= 1) {
            const char *from = at, *word = scry_words_next(&from, &n);
            if (word && add_codes(&further, word, n, false))
                run = 1;
        }
        if (names)
            keep_within(places, &further);
        if (run == 0 || names >= MOST_NAMES)
            scry_buf_clear(places);
        for (; run > 0; run--)
            (void)scry_words_next(&at, &n);
    }
    scry_buf_dispose(&words);
    scry_buf_dispose(&further);
}

static void find_text(scry_buf *out, const char *text)
{
    size_t size = strlen(text), first = strcspn(text, ",");
    find_whole(out, text, size);
    if (out->size == 0 && first < size) {
        find_whole(out, text, first);
        find_within(out, text + first, true);
    }
    if (out->size == 0)
        find_within(out, text, false);
    if (out->size == 0)
        add_codes(out, text, size, true);
}

/* The text with ä, ö and ü, without their dots, where it has ae, oe and ue; owned. */
static char *without_umlauts(const char *text)
{
    char *out = scry_strdup(text);
    size_t n = 0;
    for (size_t i = 0; text[i]; i++) {
        out[n++] = text[i];
        if (strchr("aouAOU", text[i]) && (text[i + 1] == 'e' || text[i + 1] == 'E'))
            i++;
    }
    out[n] = '\0';
    return out;
}

/* A name as it stands comes before other forms of it: Россия is no form of Россо; both before Muenchen for München. */
size_t scry_places_of_text(scry_buf *out, const char *text)
{
    find_text(out, text);
    if (out->size == 0) {
        char *other = without_umlauts(text);
        if (strcmp(other, text) != 0)
            find_text(out, other);
        free(other);
    }
    return out->size / sizeof(uint32_t);
}

/* ---- near names ---- */

static void offer_names(scry_nearest *n, uint32_t place)
{
    const char *name = scry_place_names(place);
    for (size_t size; *name; name += size + (name[size] == '\n')) {
        char copy[SCRY_NEAREST_BYTES];
        size = name_length(name);
        if (size >= sizeof copy)
            continue;
        memcpy(copy, name, size);
        copy[size] = '\0';
        scry_nearest_offer(n, copy);
    }
}

static void offer_name(void *n, const char *name)
{
    scry_nearest_offer(n, name);
}

/* Of equally near names that of a country or a large city comes first, then those of groups. */
char *scry_place_nearest(const char *text)
{
    enum { LARGE_METRES = 6000 };
    char *given = scry_strndup(text, strcspn(text, ","));
    scry_nearest n = SCRY_NEAREST_INIT(given);
    size_t count = scry_places_count();
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < count; i++)
            if ((scry_place_kind_of(i) == SCRY_PLACE_COUNTRY || scry_place_metres(i) >= LARGE_METRES) == (pass == 0))
                offer_names(&n, i);
        if (pass == 0)
            scry_place_group_names(offer_name, &n);
    }
    free(given);
    return n.best[0] ? scry_strdup(n.best) : NULL;
}
