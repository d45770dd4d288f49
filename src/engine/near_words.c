#include "engine/near_words.h"

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "engine/nothing_found.h"
#include "model/model_internal.h"
#include "store/store_kind.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_LETTERS = 5 };

/* A misspelled word is cut into so many pieces, or these are so much less probable (natural logarithm) than those of the word that
 * was meant. 127 of 3,330 everyday searches in six languages have a word that is near one of 140 receipts and screenshots; 20
 * with this. Of 2,635 of their words with a letter wrong 76 % are so, or slips (is_slip). */
enum { MANY_PIECES = 3 };
static const double LESS_USUAL = 8, LESS_USUAL_SLIP = 4;   /* the second of slips: is_slip */

typedef struct {
    const char *word;              /* of the list, with its alternatives */
    size_t size;
    char first[SCRY_WORD_BYTES];   /* what was written */
    bool had;                      /* a picture has it */
    scry_nearest near;             /* of `first` */
    uint64_t letters;              /* of it: see letters_of */
    char shown[SCRY_SHOWN_BYTES];       /* near.best as the picture has it */
} wanted_word;

typedef struct {
    wanted_word at[SCRY_QUERY_WORDS];
    size_t n;
    scry_words_mode mode;
    scry_buf words, one, lines;    /* of a file or a picture's lines, of a part of its texts; the lines */
    uint64_t seen;
} survey;

/* ---- as it is written ---- */

static bool is_separator(unsigned char c)
{
    return c < 0x80 && !isalnum(c);
}

/* The first run of letters of the text that is this word in lists: its bytes, NULL: there is none. */
static const char *find_run(scry_buf *list, const char *text, const char *word, size_t *size)
{
    for (size_t n; text && *text; text += n) {
        for (n = 0; text[n] && !is_separator((unsigned char)text[n]); n++)
            continue;
        const char *at;
        scry_words_of_text(list, text, n);
        at = scry_buf_str(list);
        const char *only = n ? scry_words_next(&at, size) : NULL;
        if (only && *size == strlen(word) && memcmp(only, word, *size) == 0 && strcmp(at, "\n") == 0) {
            *size = n;
            return text;
        }
        n += text[n] != '\0';
    }
    return NULL;
}

static bool find_written(survey *s, const char *text, const char *word, char out[SCRY_SHOWN_BYTES])
{
    size_t n = 0;
    const char *run = find_run(&s->one, text, word, &n);
    if (!run || n >= SCRY_SHOWN_BYTES)
        return false;
    memcpy(out, run, n);
    out[n] = '\0';
    return true;
}

static void write_as(survey *s, wanted_word *w, const scry_file *f)
{
    const char *texts[] = { f->text, f->title, f->description, f->keywords, f->key, f->relative };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (find_written(s, texts[i], w->near.best, w->shown))
            return;
    for (size_t i = 0; i < f->label_count; i++)
        if (find_written(s, f->labels[i], w->near.best, w->shown))
            return;
    memcpy(w->shown, w->near.best, strnlen(w->near.best, SCRY_SHOWN_BYTES - 1) + 1);
    w->shown[SCRY_SHOWN_BYTES - 1] = '\0';
}

/* ---- the files ---- */

static bool is_letters(const char *word, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)word[i] < 0x80 && !isalpha((unsigned char)word[i]))
            return false;
    return scry_utf8_count(word, size) >= LEAST_LETTERS - 1;
}

/* Whether a word may be what was meant; then as a string. */
static bool copy_letters(char out[SCRY_NEAREST_BYTES], const char *word, size_t n)
{
    if (n >= SCRY_NEAREST_BYTES || !is_letters(word, n))
        return false;
    memcpy(out, word, n);
    out[n] = '\0';
    return true;
}

static bool may_be_misspelled(const wanted_word *w)
{
    size_t n = strlen(w->first);
    return is_letters(w->first, n) && scry_utf8_count(w->first, n) >= LEAST_LETTERS;
}

static void offer(survey *s, wanted_word *w, const scry_file *f)
{
    const char *at = scry_buf_str(&s->words), *word;
    for (size_t n; (word = scry_words_next(&at, &n));) {
        char copy[SCRY_NEAREST_BYTES];
        size_t before = w->near.best[0] ? w->near.distance : SIZE_MAX;
        if (!copy_letters(copy, word, n))
            continue;
        scry_nearest_offer(&w->near, copy);
        if (w->near.best[0] && w->near.distance < before)
            write_as(s, w, f);
    }
}

static void look_for_all(survey *s, const scry_file *f)
{
    scry_words_of_file(&s->words, f, SCRY_FIELDS_ALL);
    for (size_t i = 0; i < s->n; i++) {
        wanted_word *w = &s->at[i];
        w->had |= scry_words_have(scry_buf_str(&s->words), w->word, w->size, s->mode);
        if (!w->had && may_be_misspelled(w))
            offer(s, w, f);
    }
}

static int look_at(void *arg, const scry_file *f)
{
    survey *s = arg;
    look_for_all(s, f);
    return ++s->seen >= SCRY_NOTHING_SEEN;
}

/* What was read in pictures, which a walk over files without a filter on words does not have. */
static int look_at_texts(void *arg, const scry_picture_text *texts, size_t n)
{
    survey *s = arg;
    for (size_t i = 0; i < n; i++) {
        scry_buf_clear(&s->lines);
        for (size_t k = 0; k < texts[i].line_count; k++)
            scry_buf_printf(&s->lines, "%s\n", texts[i].lines[k].text);
        scry_file f = { .relative = "", .text = scry_buf_str(&s->lines) };
        if (texts[i].line_count)
            look_for_all(s, &f);
    }
    s->seen += n;
    return s->seen >= SCRY_NOTHING_SEEN;
}

static void put_words(scry_buf *out, const survey *s)
{
    size_t missing = 0;
    for (size_t i = 0; i < s->n; i++)
        if (!s->at[i].had)
            scry_buf_printf(out, "%s\"%s\"", missing++ ? ", " : ": no picture has ", s->at[i].first);
    if (missing == 0)
        scry_buf_puts(out, ": each of the words is in a picture, and none has them all");
    for (size_t i = 0, found = 0; i < s->n; i++)
        if (!s->at[i].had && s->at[i].shown[0])
            scry_buf_printf(out, found++ ? " Or %s?" : ": did you mean %s?", s->at[i].shown);
}

static void add_words(scry_json_writer *w, const survey *s)
{
    scry_json_key(w, "missing");
    scry_json_begin(w, '[');
    for (size_t i = 0; i < s->n; i++)
        if (!s->at[i].had)
            scry_json_put_str(w, s->at[i].first);
    scry_json_end(w, ']');
    scry_json_key(w, "meant");
    scry_json_begin(w, '[');
    for (size_t i = 0; i < s->n; i++)
        if (!s->at[i].had && s->at[i].shown[0])
            scry_json_put_str(w, s->at[i].shown);
    scry_json_end(w, ']');
}

/* Which letters a word has, as bits. Each wrong letter changes two at most, so that nearly all words are rejected without being
 * compared letter by letter. */
static uint64_t letters_of(const char *word)
{
    uint64_t letters = 0;
    for (size_t n = strlen(word), taken; n; word += taken, n -= taken) {
        uint32_t rune;
        taken = scry_utf8_next(word, n, &rune);
        letters |= (uint64_t)1 << rune % 64;
    }
    return letters;
}

static survey *survey_new(const scry_filter_node *wanted)
{
    survey *s = scry_alloc(sizeof *s);
    const char *word, *words = wanted->text;
    s->mode = (scry_words_mode)wanted->number;
    s->words = s->one = s->lines = (scry_buf)SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    for (size_t n; s->n < SCRY_QUERY_WORDS && (word = scry_words_next(&words, &n));) {
        wanted_word *one = &s->at[s->n];
        const char *at = word;
        size_t left = n;
        *one = (wanted_word){ .word = word, .size = n };
        if (!scry_words_alternative(&at, &left, one->first))
            continue;
        one->near = (scry_nearest)SCRY_NEAREST_INIT(one->first);
        one->letters = letters_of(one->first);
        s->n++;
    }
    return s;
}

static void survey_free(survey *s)
{
    scry_buf_dispose(&s->words);
    scry_buf_dispose(&s->one);
    scry_buf_dispose(&s->lines);
    free(s);
}

int scry_near_words(scry_buf *out, scry_json_writer *w, scry_store *store, const scry_filter_node *wanted, scry_error *err)
{
    survey *s = survey_new(wanted);
    int r = scry_store_each_file(store, NULL, NULL, look_at, s, err);
    s->seen = 0;
    if (r >= 0)
        r = scry_store_each_text(store, look_at_texts, s, err);
    if (r >= 0) {
        put_words(out, s);
        add_words(w, s);
    }
    survey_free(s);
    return r < 0 ? r : 0;
}

/* ---- beside results by look ---- */

/* How many letters of a word may be wrong. */
static size_t most_wrong(const char *word)
{
    return scry_utf8_count(word, strlen(word)) >= 8 ? 2 : 1;
}

static int offer_to_all(void *arg, const char *word, size_t n)
{
    survey *s = arg;
    char copy[SCRY_NEAREST_BYTES];
    if (!copy_letters(copy, word, n))
        return 0;
    uint64_t letters = letters_of(copy);
    for (size_t i = 0; i < s->n; i++) {
        wanted_word *w = &s->at[i];
        size_t differ = (size_t)__builtin_popcountll(letters ^ w->letters);
        w->had |= differ == 0 && strcmp(w->first, copy) == 0;
        if (!w->had && differ <= 2 * most_wrong(w->first))
            scry_nearest_offer(&w->near, copy);
    }
    return 0;
}

static int write_first(void *arg, const scry_file *f)
{
    survey *s = arg;
    write_as(s, &s->at[0], f);
    return 1;
}

/* The near word as a picture has it, in s->at[0]. */
static int find_shown(survey *s, scry_store *store, scry_error *err)
{
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_filter_node *has = scry_filter_words(pool, s->at[0].near.best, SCRY_WORDS_WHOLE);
    int r = has ? scry_store_each_file(store, has, NULL, write_first, s, err) : 0;
    scry_filter_pool_free(pool);
    return r < 0 ? r : 0;
}

static void move_to(survey *s, size_t at, const wanted_word *w)
{
    s->at[at] = *w;
    s->at[at].near.given = s->at[at].first;
}

/* Leave the words that may be misspelled: no frequent ones, no names of places, none that are too short. */
static void keep_doubtful(survey *s, const scry_model *model)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++) {
        const wanted_word *w = &s->at[i];
        if (may_be_misspelled(w) && !memchr(w->word, '@', w->size) && scry_model_pieces(model, w->first, strlen(w->first)) > 1)
            move_to(s, kept++, w);
    }
    s->n = kept;
}

static size_t runes_of(uint32_t out[SCRY_NEAREST_RUNES], const char *word)
{
    size_t count = 0;
    for (size_t n = strlen(word), taken; n && count < SCRY_NEAREST_RUNES; word += taken, n -= taken)
        taken = scry_utf8_next(word, n, &out[count++]);
    return count;
}

/* Whether only a letter is doubled in one of them and not in the other, or two neighbours are swapped: words that differ so are
 * rarely two words. */
static bool is_slip(const char *a, const char *b)
{
    uint32_t x[SCRY_NEAREST_RUNES], y[SCRY_NEAREST_RUNES], *longer = x;
    size_t n = runes_of(x, a), m = runes_of(y, b), i = 0, least = n < m ? n : m;
    while (i < least && x[i] == y[i])
        i++;
    if (n == m)
        return i + 1 < n && x[i] == y[i + 1] && x[i + 1] == y[i] && memcmp(x + i + 2, y + i + 2, (n - i - 2) * sizeof *x) == 0;
    if (m > n)
        longer = y;
    const uint32_t *shorter = longer == x ? y : x;
    return least + 1 == (n > m ? n : m) && i && longer[i] == longer[i - 1] &&
           memcmp(longer + i + 1, shorter + i, (least - i) * sizeof *x) == 0;
}

/* Whether it may be a word, in whatever language, though the near one is another: "grass" beside "gross". `word`: as it was
 * written, or its stem without accents. A model whose pieces have no probability cannot tell. */
static bool is_usual(const scry_model *model, const char *word, size_t n, const char *near, double least_gain)
{
    double gain = scry_model_log_probability(model, near, strlen(near)) - scry_model_log_probability(model, word, n);
    return gain < least_gain && scry_model_pieces(model, word, n) < MANY_PIECES;
}

static bool may_be_word(survey *s, const wanted_word *w, const scry_model *model, const char *query)
{
    size_t n;
    const char *written = find_run(&s->one, query, w->first, &n), *near = w->near.best;
    double gain = is_slip(w->first, near) ? LESS_USUAL_SLIP : LESS_USUAL;
    return is_usual(model, w->first, strlen(w->first), near, gain) || (written && is_usual(model, written, n, near, gain));
}

/* The first of them that no picture has and that is near enough to one that some have, as s->at[0]; false: there is none. */
static bool find_misspelled(survey *s, const scry_model *model, const char *query)
{
    for (size_t i = 0; i < s->n; i++) {
        const wanted_word *w = &s->at[i];
        if (w->had || !w->near.best[0] || w->near.distance > most_wrong(w->first) ||
            may_be_word(s, w, model, query))
            continue;
        move_to(s, 0, w);
        return true;
    }
    return false;
}

/* Whether one of them has all words of the query: then each is a picture's. */
static bool any_has_all(const scry_results *found, const scry_filter_node *wanted)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->hits[i].found_by != SCRY_FOUND_UNSAID &&
            scry_words_in_file(&found->hits[i].file, SCRY_FIELDS_ALL, wanted->text, (scry_words_mode)wanted->number))
            return true;
    return false;
}

bool scry_may_be_misspelled(scry_store *store, const scry_model *model, const scry_search_request *q, const scry_results *found)
{
    if (q->by != SCRY_BY_AUTO || !q->words || q->search.offset || !found->count || !store->kind->each_word)
        return false;
    survey *s = survey_new(q->words);
    keep_doubtful(s, model);
    bool any = s->n > 0 && !any_has_all(found, q->words);
    survey_free(s);
    return any;
}

int scry_find_meant(scry_meant *out, scry_store *store, const scry_model *model, const scry_search_request *q, scry_error *err)
{
    *out = (scry_meant){ "", "" };
    survey *s = survey_new(q->words);
    keep_doubtful(s, model);
    int r = scry_store_each_word(store, offer_to_all, s, err);
    if (r >= 0 && find_misspelled(s, model, scry_buf_str(&q->shown))) {
        r = find_shown(s, store, err);
        if (r == 0 && s->at[0].shown[0]) {
            memcpy(out->word, s->at[0].first, sizeof out->word);
            memcpy(out->meant, s->at[0].shown, sizeof out->meant);
        }
    }
    survey_free(s);
    return r < 0 ? r : 0;
}

bool scry_meant_by(scry_meant *out, scry_store *store, const scry_model *model, const scry_search_request *q,
                   const scry_results *found)
{
    return scry_may_be_misspelled(store, model, q, found) && scry_find_meant(out, store, model, q, NULL) == 0 && out->word[0];
}

void scry_say_meant(scry_buf *out, const scry_meant *m)
{
    scry_buf_printf(out, "no picture has the word \"%s\": did you mean %s?", m->word, m->meant);
}

void scry_json_put_meant(scry_json_writer *w, const scry_meant *m, const scry_search_request *q)
{
    scry_buf list = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), query = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    const char *line = scry_buf_str(&q->shown);
    size_t n = 0;
    const char *run = find_run(&list, line, m->word, &n);
    scry_json_begin(w, '{');
    scry_json_add_str(w, "word", m->word);
    scry_json_add_str(w, "meant", m->meant);
    if (run) {
        scry_buf_append(&query, line, (size_t)(run - line));
        scry_buf_puts(&query, m->meant);
        scry_buf_puts(&query, run + n);
        scry_json_add_str(w, "query", scry_buf_str(&query));
    }
    scry_json_end(w, '}');
    scry_buf_dispose(&list);
    scry_buf_dispose(&query);
}
