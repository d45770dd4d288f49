#include "base/nearest.h"

#include "base/utf8.h"

#include <string.h>

/* The characters, ASCII in lower case; 0: none, or too many. */
static size_t runes_of(uint32_t out[SCRY_NEAREST_RUNES], const char *text)
{
    size_t count = 0;
    for (size_t n = strlen(text), taken; n; text += taken, n -= taken) {
        uint32_t rune;
        taken = scry_utf8_next(text, n, &rune);
        if (count == SCRY_NEAREST_RUNES)
            return 0;
        out[count++] = rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
    }
    return count;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, by rows of the table of distances between beginnings. */
static size_t distance_of(const uint32_t *a, size_t n, const uint32_t *b, size_t m)
{
    size_t rows[3][SCRY_NEAREST_RUNES + 1], *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(least(row[j - 1], last[j]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[m];
}

void scry_nearest_offer(scry_nearest *n, const char *name)
{
    uint32_t a[SCRY_NEAREST_RUNES], b[SCRY_NEAREST_RUNES];
    size_t given = runes_of(a, n->given), length = runes_of(b, name);
    size_t allowed = given / 3, longer = given > length ? given - length : length - given;
    if (!given || !length || longer > allowed)
        return;
    size_t distance = distance_of(a, given, b, length);
    if (distance > allowed || (n->best[0] && distance >= n->distance))
        return;
    memcpy(n->best, name, strlen(name) + 1);
    n->distance = distance;
}

void scry_nearest_offer_words(scry_nearest *n, const char *names)
{
    char word[SCRY_NEAREST_BYTES];
    for (size_t length; *names; names += length + (names[length] == ' ')) {
        length = strcspn(names, " ");
        if (length >= sizeof word)
            continue;
        memcpy(word, names, length);
        word[length] = '\0';
        scry_nearest_offer(n, word);
    }
}
