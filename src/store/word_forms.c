#include "store/word_forms.h"

#include <string.h>

static bool ends_with(const scry_runes *w, const uint32_t *ending, size_t n)
{
    return w->n >= n && memcmp(w->at + w->n - n, ending, n * sizeof *ending) == 0;
}

static bool ends_with_ascii(const scry_runes *w, const char *ending)
{
    size_t n = strlen(ending);
    for (size_t i = 0; i < n; i++)
        if (w->n < n || w->at[w->n - n + i] != (unsigned char)ending[i])
            return false;
    return true;
}

/* Plurals that no rule makes. */
static const char *const irregular[][2] = {
    { "calves", "calf" }, { "children", "child" }, { "feet", "foot" }, { "geese", "goose" }, { "halves", "half" }, { "heroes", "hero" },
    { "knives", "knife" }, { "leaves", "leaf" }, { "loaves", "loaf" }, { "men", "man" }, { "mice", "mouse" }, { "scarves", "scarf" },
    { "shelves", "shelf" }, { "teeth", "tooth" }, { "thieves", "thief" }, { "wives", "wife" }, { "wolves", "wolf" }, { "women", "woman" },
};

const char *scry_words_plural(const char *word, size_t size)
{
    for (size_t i = 0; i < sizeof irregular / sizeof *irregular; i++)
        if (strlen(irregular[i][1]) == size && memcmp(irregular[i][1], word, size) == 0)
            return irregular[i][0];
    return NULL;
}

static bool replace_irregular(scry_runes *w)
{
    for (size_t i = 0; i < sizeof irregular / sizeof *irregular; i++)
        if (w->n == strlen(irregular[i][0]) && ends_with_ascii(w, irregular[i][0])) {
            w->n = strlen(irregular[i][1]);
            for (size_t k = 0; k < w->n; k++)
                w->at[k] = (unsigned char)irregular[i][1][k];
            return true;
        }
    return false;
}

/* Boxes to box, parties and movie to the same form, dogs to dog, tomatoes to tomato; not glass, bus, tennis. */
static void cut_english(scry_runes *w)
{
    static const char *const hissing[] = { "sses", "shes", "ches", "xes", "zes" };
    bool cut = false;
    if (w->n < 3 || replace_irregular(w))
        return;
    for (size_t i = 0; i < sizeof hissing / sizeof *hissing; i++)
        cut |= ends_with_ascii(w, hissing[i]);
    if (cut)
        w->n -= 2;
    else if (w->n > 3 && ends_with_ascii(w, "s") && !ends_with_ascii(w, "ss") && !ends_with_ascii(w, "us") && !ends_with_ascii(w, "is"))
        w->n--;
    if (ends_with_ascii(w, "ie")) {
        w->n--;
        w->at[w->n - 1] = 'y';
    } else if (w->n > 5 && ends_with_ascii(w, "oe")) {   /* not shoe, canoe */
        w->n--;
    }
}

/* Кошек to кошк, as of кошка; замок to замк, as of замка; отец to отц. */
static void drop_fleeting_vowel(scry_runes *w)
{
    static const uint32_t last[][2] = { { U'е', U'к' }, { U'о', U'к' }, { U'е', U'ц' } };
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        if (w->n > 3 && ends_with(w, last[i], 2)) {
            w->at[w->n - 2] = w->at[w->n - 1];
            w->n--;
            return;
        }
}

/* Endings of nouns and adjectives, the longest first, as they are without the marks of й and ё. */
static void cut_russian(scry_runes *w)
{
    enum { LONGEST = 3, MIN_STEM = 3 };
    static const uint32_t endings[][LONGEST] = {
        { U'и', U'я', U'м' }, { U'и', U'я', U'х' }, { U'я', U'м', U'и' }, { U'а', U'м', U'и' }, { U'и', U'е', U'м' },
        { U'и', U'е', U'и' }, { U'о', U'г', U'о' }, { U'е', U'г', U'о' }, { U'о', U'м', U'у' }, { U'е', U'м', U'у' },
        { U'ы', U'м', U'и' }, { U'и', U'м', U'и' }, { U'а', U'х' }, { U'я', U'х' }, { U'о', U'в' }, { U'е', U'в' },
        { U'и', U'е' }, { U'ь', U'е' }, { U'е', U'и' }, { U'и', U'и' }, { U'и', U'я' }, { U'и', U'ю' }, { U'ь', U'я' },
        { U'ь', U'ю' }, { U'а', U'м' }, { U'я', U'м' }, { U'о', U'м' }, { U'е', U'м' }, { U'о', U'и' }, { U'ы', U'и' },
        { U'у', U'ю' }, { U'ю', U'ю' }, { U'а', U'я' }, { U'я', U'я' }, { U'о', U'е' }, { U'е', U'е' }, { U'ы', U'е' },
        { U'ы', U'х' }, { U'и', U'х' }, { U'ы', U'м' }, { U'и', U'м' }, { U'о', U'ю' }, { U'е', U'ю' }, { U'а' }, { U'я' },
        { U'о' }, { U'е' }, { U'у' }, { U'ю' }, { U'ы' }, { U'и' }, { U'ь' },
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = endings[i][2] ? 3 : endings[i][1] ? 2 : 1;
        if (w->n >= n + MIN_STEM && ends_with(w, endings[i], n)) {
            w->n -= n;
            break;
        }
    }
    drop_fleeting_vowel(w);
}

void scry_word_cut_ending(scry_runes *w)
{
    bool english = true, russian = true;
    for (size_t i = 0; i < w->n; i++) {
        english &= w->at[i] >= 'a' && w->at[i] <= 'z';
        russian &= w->at[i] >= U'а' && w->at[i] <= U'я';
    }
    if (english)
        cut_english(w);
    else if (russian)
        cut_russian(w);
}
