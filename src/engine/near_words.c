#include "engine/near_words.h"

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "engine/nothing_found.h"
#include "store/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_LETTERS = 5, SHOWN_BYTES = 64 };

typedef struct {
    const char *word;              /* of the list, with its alternatives */
    size_t size;
    char first[SCRY_WORD_BYTES];   /* what was written */
    bool had;                      /* a picture has it */
    scry_nearest near;             /* of `first` */
    char shown[SHOWN_BYTES];       /* near.best as the picture has it */
} wanted_word;

typedef struct {
    wanted_word at[SCRY_QUERY_WORDS];
    size_t n;
    scry_words_mode mode;
    scry_buf words, one;           /* of a file, of a part of its texts */
    uint64_t seen;
} survey;

/* ---- as it is written ---- */

static bool is_separator(unsigned char c)
{
    return c < 0x80 && !isalnum(c);
}

/* The first run of letters of the text that is this word in lists. */
static bool find_written(survey *s, const char *text, const char *word, char out[SHOWN_BYTES])
{
    for (size_t n; text && *text; text += n) {
        for (n = 0; text[n] && !is_separator((unsigned char)text[n]); n++)
            continue;
        const char *at;
        size_t size = 0;
        scry_words_of_text(&s->one, text, n);
        at = scry_buf_str(&s->one);
        const char *only = n && n < SHOWN_BYTES ? scry_words_next(&at, &size) : NULL;
        if (only && size == strlen(word) && memcmp(only, word, size) == 0 && strcmp(at, "\n") == 0) {
            memcpy(out, text, n);
            out[n] = '\0';
            return true;
        }
        n += text[n] != '\0';
    }
    return false;
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
    memcpy(w->shown, w->near.best, strnlen(w->near.best, SHOWN_BYTES - 1) + 1);
    w->shown[SHOWN_BYTES - 1] = '\0';
}

/* ---- the files ---- */

static bool is_letters(const char *word, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)word[i] < 0x80 && !isalpha((unsigned char)word[i]))
            return false;
    return scry_utf8_count(word, size) >= LEAST_LETTERS - 1;
}

static void offer(survey *s, wanted_word *w, const scry_file *f)
{
    const char *at = scry_buf_str(&s->words), *word;
    for (size_t n; (word = scry_words_next(&at, &n));) {
        char copy[SCRY_NEAREST_BYTES];
        size_t before = w->near.best[0] ? w->near.distance : SIZE_MAX;
        if (n >= sizeof copy || !is_letters(word, n))
            continue;
        memcpy(copy, word, n);
        copy[n] = '\0';
        scry_nearest_offer(&w->near, copy);
        if (w->near.best[0] && w->near.distance < before)
            write_as(s, w, f);
    }
}

static int look_at(void *arg, const scry_file *f)
{
    survey *s = arg;
    scry_words_of_file(&s->words, f, SCRY_FIELDS_ALL);
    for (size_t i = 0; i < s->n; i++) {
        wanted_word *w = &s->at[i];
        w->had |= scry_words_have(scry_buf_str(&s->words), w->word, w->size, s->mode);
        if (!w->had && is_letters(w->first, strlen(w->first)) && scry_utf8_count(w->first, strlen(w->first)) >= LEAST_LETTERS)
            offer(s, w, f);
    }
    return ++s->seen >= SCRY_NOTHING_SEEN;
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

int scry_near_words(scry_buf *out, scry_json_writer *w, scry_store *store, const scry_filter_node *wanted, scry_error *err)
{
    survey *s = scry_alloc(sizeof *s);
    const char *word, *words = wanted->text;
    s->mode = (scry_words_mode)wanted->number;
    s->words = s->one = (scry_buf)SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    for (size_t n; s->n < SCRY_QUERY_WORDS && (word = scry_words_next(&words, &n));) {
        wanted_word *one = &s->at[s->n];
        const char *at = word;
        size_t left = n;
        *one = (wanted_word){ .word = word, .size = n };
        if (!scry_words_alternative(&at, &left, one->first))
            continue;
        one->near = (scry_nearest)SCRY_NEAREST_INIT(one->first);
        s->n++;
    }
    int r = scry_store_each_file(store, NULL, NULL, look_at, s, err);
    if (r >= 0) {
        put_words(out, s);
        add_words(w, s);
    }
    scry_buf_dispose(&s->words);
    scry_buf_dispose(&s->one);
    free(s);
    return r < 0 ? r : 0;
}
