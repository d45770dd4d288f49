#include "store/words.h"

#include "base/alloc.h"
#include "store/place_names.h"
#include "store/places.h"
#include "store/word_forms.h"

#include <string.h>

enum { MAX_TEXT = 1 << 16, MAX_LETTERS = 40, MAX_FILE_BYTES = 32 << 10, MIN_PART = 3 };

typedef enum { SEPARATOR, LETTER, DIGIT, UNSPACED } rune_class;

/* Scripts without spaces between words. */
static bool is_unspaced(uint32_t c)
{
    static const struct { uint32_t first, last; } scripts[] = {
        { 0x0E01, 0x0EFF }, { 0x1000, 0x109F }, { 0x1780, 0x17FF }, { 0x3005, 0x3007 }, { 0x3041, 0x30FF }, { 0x31F0, 0x31FF },
        { 0x3400, 0x4DBF }, { 0x4E00, 0x9FFF }, { 0xF900, 0xFAFF }, { 0x20000, 0x3FFFF },
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts && c >= scripts[i].first; i++)
        if (c <= scripts[i].last)
            return true;
    return false;
}

/* A mark belongs to the letter before it. */
static rune_class class_of(uint32_t c, rune_class before)
{
    if (c < 0x80)
        return (c | 32) >= 'a' && (c | 32) <= 'z' ? LETTER : c >= '0' && c <= '9' ? DIGIT : SEPARATOR;
    if (is_unspaced(c))
        return UNSPACED;
    switch (scry_rune_classify(c, SCRY_UNICODE_PYTHON)) {
    case SCRY_RUNE_LETTER: return LETTER;
    case SCRY_RUNE_NUMBER: return DIGIT;
    case SCRY_RUNE_SPACE: return SEPARATOR;
    case SCRY_RUNE_OTHER: break;
    }
    return before == LETTER && scry_rune_category(c)[0] == 'M' ? LETTER : SEPARATOR;
}

static bool is_dropped_mark(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36F) || c == 0x3099 || c == 0x309A;
}

/* Letters that are written as others where a keyboard lacks them, and have no decomposition; the sigma at the end of a word; the
 * soft hyphen, which is nothing. As FOLDED of tools/places/make.py. */
static const struct { uint32_t from, to[3]; } folded[] = {
    { 0xAD, { 0 } }, { U'Æ', U"Ae" }, { U'Ð', U"D" }, { U'Ø', U"O" }, { U'Þ', U"Th" }, { U'ß', U"ss" }, { U'æ', U"ae" }, { U'ð', U"d" },
    { U'ø', U"o" }, { U'þ', U"th" }, { U'Đ', U"D" }, { U'đ', U"d" }, { U'Ħ', U"H" }, { U'ħ', U"h" }, { U'ı', U"i" }, { U'Ł', U"L" },
    { U'ł', U"l" }, { U'Œ', U"Oe" }, { U'œ', U"oe" }, { U'ς', U"σ" }, { U'ẞ', U"Ss" },
};

static size_t find_folded(uint32_t c)
{
    size_t i = 0;
    while (c >= 0xAD && i < sizeof folded / sizeof *folded && folded[i].from != c)
        i++;
    return c >= 0xAD ? i : sizeof folded / sizeof *folded;
}

/* Replace those from `from` on. */
static void fold_letters(scry_runes *r, size_t from)
{
    const size_t none = sizeof folded / sizeof *folded;
    size_t first = from;
    while (first < r->n && find_folded(r->at[first]) == none)
        first++;
    if (first == r->n)
        return;
    scry_runes rest = SCRY_RUNES_INIT(r->limit);
    for (size_t i = first; i < r->n; i++)
        scry_runes_push(&rest, r->at[i]);
    r->n = first;
    for (size_t i = 0; i < rest.n; i++) {
        size_t at = find_folded(rest.at[i]);
        if (at == none)
            scry_runes_push(r, rest.at[i]);
        for (size_t k = 0; at < none && folded[at].to[k]; k++)
            scry_runes_push(r, folded[at].to[k]);
    }
    r->failed |= rest.failed;
    scry_runes_dispose(&rest);
}

/* ---- splitting ---- */

typedef struct {
    scry_buf *out;
    scry_runes text, word;   /* all of it, without marks; one word while it is made */
    bool file;               /* of a file: what a query may ask for in several ways */
    scry_buf *joined;        /* NULL, or of a query: for each word a line, with what it is together with its neighbours */
    scry_buf next;           /* the words that the next one is joined into, each with a space before it */
} splitter;

static void put_word(splitter *s, const uint32_t *at, size_t n, rune_class class)
{
    s->word.n = 0;
    for (size_t i = 0; i < n && i < MAX_LETTERS; i++)
        scry_runes_push(&s->word, at[i]);
    if (class == LETTER) {
        scry_runes_lower_each(&s->word, SCRY_UNICODE_PYTHON);
        scry_word_cut_ending(&s->word);
    }
    if (s->out->size == 0)
        scry_buf_putc(s->out, '\n');
    scry_runes_encode(&s->word, s->out);
    scry_buf_putc(s->out, '\n');
    if (s->joined) {
        scry_buf_printf(s->joined, "%s\n", scry_buf_str(&s->next));
        scry_buf_clear(&s->next);
    }
}

static void put_unspaced(splitter *s, const uint32_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s->file || n == 1)
            put_word(s, at + i, 1, UNSPACED);
        if (i + 1 < n)
            put_word(s, at + i, 2, UNSPACED);
    }
}

static bool is_upper(uint32_t c)
{
    return c < 0x80 ? c >= 'A' && c <= 'Z' : strcmp(scry_rune_category(c), "Lu") == 0;
}

/* The words of "AnnaWedding" and "HTMLPage": one begins with a capital that a small letter comes before or after. */
static void put_capitalised(splitter *s, const uint32_t *at, size_t n)
{
    size_t from = 0;
    for (size_t i = 1; i < n; i++)
        if (is_upper(at[i]) && (!is_upper(at[i - 1]) || (i + 1 < n && !is_upper(at[i + 1])))) {
            put_word(s, at + from, i - from, LETTER);
            from = i;
        }
    if (from > 0)
        put_word(s, at + from, n - from, LETTER);
}

static bool is_lower(uint32_t c)
{
    return c < 0x80 ? c >= 'a' && c <= 'z' : strcmp(scry_rune_category(c), "Ll") == 0;
}

/* How many code points at `i` are a hyphen, with the end of the line before a word that goes on in small letters; 0: none. */
static size_t hyphen_at(const scry_runes *t, size_t i)
{
    if (i >= t->n || (t->at[i] != '-' && t->at[i] != 0x2010 && t->at[i] != 0x2011))
        return 0;
    return i + 2 < t->n && t->at[i + 1] == '\n' && is_lower(t->at[i + 2]) ? 2 : 1;
}

/* The letters around a hyphen in one piece: "Wi-Fi" is also "wifi", and what a line's end divides is whole. `end` is behind the
 * first part. Returns how many; 0: no word goes on there. */
static size_t join(const scry_runes *t, size_t from, size_t end, uint32_t joined[MAX_LETTERS])
{
    size_t n = 0;
    for (size_t i = from; i < t->n && n < MAX_LETTERS; i++) {
        if (i == end)
            i += hyphen_at(t, i);
        if (i >= t->n || class_of(t->at[i], LETTER) != LETTER)
            break;
        joined[n++] = t->at[i];
    }
    return n > end - from ? n : 0;
}

static void put_joined(splitter *s, size_t from, size_t end)
{
    uint32_t joined[MAX_LETTERS];
    size_t n = join(&s->text, from, end, joined);
    if (n > 0)
        put_word(s, joined, n, LETTER);
}

/* A word of a query with those that it and its neighbours are in one piece, so that wi-fi finds wifi; s->next is what it is with
 * the one before, and becomes what the one behind it is with it. */
static void put_with_joined(splitter *s, size_t from, size_t end)
{
    uint32_t joined[MAX_LETTERS];
    size_t n = s->joined ? join(&s->text, from, end, joined) : 0;
    scry_buf behind = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    if (n > 0) {
        splitter one = { .out = &behind, .word = s->word };
        put_word(&one, joined, n, LETTER);
        s->word = one.word;
        behind.size--;   /* "\nwifi\n" */
        behind.data[0] = ' ';
        scry_buf_append(&s->next, behind.data, behind.size);
    }
    put_word(s, s->text.at + from, end - from, LETTER);
    if (n > 0)
        scry_buf_append(&s->next, behind.data, behind.size);
    scry_buf_dispose(&behind);
}

/* "'s" behind a word, where no letter follows. */
static bool is_possessive(const scry_runes *t, size_t i)
{
    return i > 0 && i + 1 < t->n && (t->at[i] == '\'' || t->at[i] == 0x2019) && class_of(t->at[i - 1], SEPARATOR) == LETTER &&
           (t->at[i + 1] | 32) == 's' && (i + 2 == t->n || class_of(t->at[i + 2], SEPARATOR) == SEPARATOR);
}

static void split(splitter *s)
{
    const scry_runes *t = &s->text;
    for (size_t i = 0, end; i < t->n; i = end) {
        rune_class class = class_of(t->at[i], SEPARATOR);
        for (end = i + 1; class != SEPARATOR && end < t->n && class_of(t->at[end], class) == class; end++)
            continue;
        if (class == UNSPACED)
            put_unspaced(s, t->at + i, end - i);
        else if (class == LETTER)
            put_with_joined(s, i, end);
        else if (class != SEPARATOR)
            put_word(s, t->at + i, end - i, class);
        if (class == LETTER && s->file) {
            put_capitalised(s, t->at + i, end - i);
            put_joined(s, i, end);
        }
        if (is_possessive(t, i))
            end = i + 2;
    }
}

void scry_words_decompose(scry_runes *out, const char *text, size_t size)
{
    size_t from = out->n, kept = from;
    scry_runes_decode(out, text, size);
    for (size_t i = from; i < out->n; i++)
        if (out->at[i] >= 0x80) {
            scry_runes_nfkd(out, SCRY_UNICODE_PYTHON);
            break;
        }
    for (size_t i = from; i < out->n; i++)
        if (!is_dropped_mark(out->at[i]))
            out->at[kept++] = out->at[i];
    out->n = kept;
    fold_letters(out, from);
}

void scry_words_fold(scry_runes *out, const char *text, size_t size)
{
    out->n = 0;
    scry_words_decompose(out, text, size);
    scry_runes_lower_each(out, SCRY_UNICODE_PYTHON);
}

static void put_text(splitter *s, const char *text, size_t n)
{
    s->text.n = 0;
    scry_words_decompose(&s->text, text, n < MAX_TEXT ? n : MAX_TEXT);
    split(s);
}

static splitter splitter_of(scry_buf *out, bool file)
{
    scry_buf_clear(out);
    return (splitter){ .out = out, .text = SCRY_RUNES_INIT(32 * MAX_TEXT), .word = SCRY_RUNES_INIT(1024), .file = file,
                       .next = SCRY_BUF_INIT(SCRY_WORDS_LIMIT) };
}

static void splitter_dispose(splitter *s)
{
    scry_runes_dispose(&s->text);
    scry_runes_dispose(&s->word);
    scry_buf_dispose(&s->next);
}

static void split_text(scry_buf *out, scry_buf *joined, const char *text, size_t size)
{
    splitter s = splitter_of(out, false);
    s.joined = joined;
    put_text(&s, text, size);
    splitter_dispose(&s);
}

void scry_words_of_text(scry_buf *out, const char *text, size_t size)
{
    split_text(out, NULL, text, size);
}

/* ---- places ---- */

/* In signs that are parts of no other word, so that no part of a word is found in them. */
static const char place_signs[] = "!\"#$%&'()*+,-./:";

static void put_place_word(scry_buf *out, uint32_t place)
{
    scry_buf_putc(out, '@');
    for (int shift = 16; shift >= 0; shift -= 4)
        scry_buf_putc(out, place_signs[place >> shift & 15]);
}

uint32_t scry_word_place(const char *word, size_t size)
{
    uint32_t place = 0;
    if (size < 2 || word[0] != '@')
        return SCRY_NO_PLACE;
    for (size_t i = 1; i < size; i++) {
        const char *sign = memchr(place_signs, word[i], sizeof place_signs - 1);
        if (!sign)
            return SCRY_NO_PLACE;
        place = place << 4 | (uint32_t)(sign - place_signs);
    }
    return place;
}

/* ---- files ---- */

static void put_field(splitter *s, const char *text, size_t n)
{
    if (text && n && s->out->size < MAX_FILE_BYTES)
        put_text(s, text, n);
}

static size_t length(const char *text)
{
    return text ? strlen(text) : 0;
}

/* The name without what a last dot begins. */
static void put_name(splitter *s, const char *name)
{
    const char *dot = strrchr(name, '.');
    put_field(s, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static void put_place(splitter *s, uint32_t place)
{
    if (s->out->size == 0)
        scry_buf_putc(s->out, '\n');
    put_place_word(s->out, place);
    scry_buf_putc(s->out, '\n');
}

static void put_city(splitter *s, uint32_t city)
{
    const char *names = scry_place_names(city);
    put_field(s, names, strcspn(names, "\n"));
    put_place(s, city);
}

static void put_places(splitter *s, const scry_file *f)
{
    scry_places p = { SCRY_NO_PLACE, SCRY_NO_PLACE, SCRY_NO_PLACE, SCRY_NO_PLACE };
    if (f->has_position)
        p = scry_places_near(f->latitude, f->longitude);
    if (p.largest != SCRY_NO_PLACE)
        put_city(s, p.largest);
    if (p.nearest != p.largest)
        put_city(s, p.nearest);
    if (p.across != SCRY_NO_PLACE)
        put_city(s, p.across);
    if (p.around != SCRY_NO_PLACE)
        put_place(s, p.around);
    if (p.around != SCRY_NO_PLACE && scry_place_around(p.around) != p.around)
        put_place(s, scry_place_around(p.around));
}

void scry_words_of_file(scry_buf *out, const scry_file *f, unsigned fields)
{
    const struct { unsigned field; const char *text; } texts[] = {
        { SCRY_FIELD_TITLE, f->title }, { SCRY_FIELD_KEYWORD, f->keywords }, { SCRY_FIELD_DESCRIPTION, f->description },
        { SCRY_FIELD_KEY, f->key },
    };
    splitter s = splitter_of(out, true);
    const char *relative = f->relative ? f->relative : "", *slash = strrchr(relative, '/');
    if (fields & SCRY_FIELD_NAME)
        put_name(&s, slash ? slash + 1 : relative);
    if (fields & SCRY_FIELD_FOLDER)
        put_field(&s, relative, slash ? (size_t)(slash - relative) : 0);
    if (fields & SCRY_FIELD_PLACE)
        put_places(&s, f);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (fields & texts[i].field)
            put_field(&s, texts[i].text, length(texts[i].text));
    for (size_t i = 0; fields & SCRY_FIELD_LABEL && i < f->label_count; i++)
        put_field(&s, f->labels[i], strlen(f->labels[i]));
    if (fields & SCRY_FIELD_TEXT)
        put_field(&s, f->text, length(f->text));
    splitter_dispose(&s);
}

/* ---- queries ---- */

/* Words of queries that name nothing in a picture, in the form in which they are compared. */
static bool says_nothing(const char *word, size_t n)
{
    static const char nothing[] =
        "\na\nan\nand\nare\nas\nat\nbe\nby\nfor\nfrom\nher\nhis\ni\nin\ninto\nis\nit\nits\nme\nmy\nof\non\nor\nour\nshow\nsome\n"
        "that\nthe\ntheir\nthere\nthese\nthis\nto\nus\nwas\nwere\nwhat\nwhere\nwhich\nwho\nwith\nyour\n"
        "image\nphoto\nphotograph\npic\npicture\n"
        "\nи\nа\nв\nво\nдля\nза\nиз\nк\nко\nмое\nмои\nмоя\nна\nнад\nо\nоб\nот\nпо\nпод\nпри\nс\nсо\nу\nгде\nчто\nэто\n"
        "фот\nфотограф\nснимок\nснимк\nкартинк\nкартинок\nизображен\n";
    char framed[4 * MAX_LETTERS + 3];
    if (n + 2 >= sizeof framed)
        return false;
    framed[0] = '\n';
    memcpy(framed + 1, word, n);
    framed[n + 1] = '\n';
    framed[n + 2] = '\0';
    return strstr(nothing, framed) != NULL;
}

/* The word as one that is wanted, with what else it may be, " wifi", and the places that it is a name of, or a part of a name. */
static void put_wanted(scry_buf *out, const char *word, size_t size, const char *joined, size_t joined_size, const scry_buf *places)
{
    if (out->size == 0)
        scry_buf_putc(out, '\n');
    scry_buf_append(out, word, size);
    scry_buf_append(out, joined, joined_size);
    for (size_t i = 0; places && i < places->size / sizeof(uint32_t); i++) {
        uint32_t place;
        memcpy(&place, places->data + i * sizeof place, sizeof place);
        scry_buf_putc(out, ' ');
        put_place_word(out, place);
    }
    scry_buf_putc(out, '\n');
}

/* Of a run of words that names places each word has these as alternatives: a file that holds one of them holds the whole run.
 * `joined` has a line for each word. */
static size_t put_words(scry_buf *out, const char *words, const char *joined, scry_words_mode mode)
{
    scry_buf places = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    size_t count = 0, lookups = 0, run = 0, n, more;
    for (const char *at = words, *word, *from = words; (word = scry_words_next(&at, &n)); from = at, run -= run > 0) {
        bool silent = mode == SCRY_WORDS_NAMED && says_nothing(word, n);
        more = strcspn(joined, "\n");
        if (run == 0 && !silent && lookups++ < 2 * SCRY_QUERY_WORDS)
            run = scry_places_of_words(&places, from);
        if (!silent) {
            put_wanted(out, word, n, joined, more, run ? &places : NULL);
            count++;
        }
        joined += more + (joined[more] == '\n');
    }
    scry_buf_dispose(&places);
    return count;
}

void scry_words_of_query(scry_buf *out, const char *text, scry_words_mode mode)
{
    scry_buf all = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), joined = all, places = all;
    size_t size = strlen(text);
    split_text(&all, &joined, text, size);
    scry_buf_clear(out);
    if (size > MAX_TEXT || all.failed || joined.failed)
        ;
    else if (mode == SCRY_WORDS_PLACE && scry_places_of_text(&places, text))
        put_wanted(out, "", 0, "", 0, &places);
    else if (mode != SCRY_WORDS_PLACE && put_words(out, scry_buf_str(&all), scry_buf_str(&joined), mode) > SCRY_QUERY_WORDS)
        scry_buf_clear(out);
    scry_buf_dispose(&all);
    scry_buf_dispose(&joined);
    scry_buf_dispose(&places);
}

/* ---- comparing ---- */

const char *scry_words_next(const char **at, size_t *size)
{
    const char *word = *at + (**at == '\n');
    *size = strcspn(word, "\n");
    *at = word + *size;
    return *size ? word : NULL;
}

bool scry_words_in_file(const scry_file *f, unsigned fields, const char *wanted, scry_words_mode mode)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_words_of_file(&words, f, fields);
    bool holds = scry_words_hold(scry_buf_str(&words), wanted, mode);
    scry_buf_dispose(&words);
    return holds;
}

size_t scry_words_count(const char *words)
{
    size_t count = 0;
    for (size_t n; scry_words_next(&words, &n);)
        count++;
    return count;
}

bool scry_word_is_part(const char *word, size_t size, scry_words_mode mode)
{
    return mode == SCRY_WORDS_PARTS && scry_utf8_count(word, size) >= MIN_PART && word[0] != '@';
}

bool scry_words_alternative(const char **at, size_t *size, char out[SCRY_WORD_BYTES])
{
    while (*size && **at == ' ') {
        ++*at;
        --*size;
    }
    const char *end = memchr(*at, ' ', *size);
    size_t n = end ? (size_t)(end - *at) : *size;
    if (n == 0 || n >= SCRY_WORD_BYTES)
        return false;
    memcpy(out, *at, n);
    out[n] = '\0';
    *at += n;
    *size -= n;
    return true;
}

bool scry_words_have(const char *words, const char *word, size_t size, scry_words_mode mode)
{
    char framed[SCRY_WORD_BYTES + 2] = "\n";
    while (scry_words_alternative(&word, &size, framed + 1)) {
        size_t n = strlen(framed + 1);
        bool part = scry_word_is_part(framed + 1, n, mode);
        framed[n + 1] = part ? '\0' : '\n';
        framed[n + 2] = '\0';
        if (strstr(words, framed + part))
            return true;
    }
    return false;
}

bool scry_words_hold(const char *words, const char *wanted, scry_words_mode mode)
{
    const char *word;
    for (size_t n; (word = scry_words_next(&wanted, &n));)
        if (!scry_words_have(words, word, n, mode))
            return false;
    return true;
}

const char *scry_words_line(const char *text, const char *wanted, size_t *size)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    splitter s = splitter_of(&words, true);
    const char *best = NULL;
    size_t most = 0, bytes;
    for (const char *line = text; *line; line += bytes + (line[bytes] == '\n')) {
        bytes = strcspn(line, "\n");
        scry_buf_clear(&words);
        put_text(&s, line, bytes);
        const char *at = wanted, *word;
        size_t found = 0;
        for (size_t n; (word = scry_words_next(&at, &n));)
            found += scry_words_have(scry_buf_str(&words), word, n, SCRY_WORDS_WHOLE);
        if (found > most) {
            most = found;
            best = line;
            *size = bytes;
        }
    }
    splitter_dispose(&s);
    scry_buf_dispose(&words);
    return best;
}
