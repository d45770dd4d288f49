#include "engine/score_groups.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "engine/score_threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shorter words are too few letters to tell; longer ones are not worth the time. From FIRST_IDEOGRAM on a
 * character is a word by itself. The same numbers are in tools/starter/scores.py. No model reads more than MAX_RUNES of a text. */
enum { MIN_LETTERS = 4, MAX_LETTERS = 64, FIRST_IDEOGRAM = 0x2E80, HASHES = 6, MAX_TEXT = 1 << 20, MAX_RUNES = 1024 };

/* So many results are never far when none is a best one: one in twenty of the right pictures scores below the lower
 * border (docs/scores.md), and the order of a ranking is more reliable than its height. */
enum { NEAREST = 3 };

/* Whether the words hold word[0..n), UTF-8. */
static bool is_real(const scry_threshold *t, const char *word, size_t n)
{
    uint64_t hash = 0xCBF29CE484222325u, bits = 8 * (uint64_t)t->word_bytes;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (uint8_t)word[i]) * 0x100000001B3u;
    for (uint64_t i = 0; i < HASHES; i++) {
        uint64_t at = ((hash & UINT32_MAX) + i * (hash >> 32)) % bits;
        if (!(t->words[at >> 3] >> (at & 7) & 1))
            return false;
    }
    return true;
}

/* Whether letters that have pieces are no word all the same. */
static bool is_gibberish(const scry_threshold *t, const scry_model *m, const uint32_t *letters, size_t n)
{
    char word[4 * MAX_LETTERS + 4];
    size_t bytes = 0, count = 0;
    for (size_t i = 0; i < n && count <= MAX_LETTERS; i++) {
        if (letters[i] >= FIRST_IDEOGRAM && letters[i] < 0x10000)
            return false;
        /* letters that many write in another way: ё, ß */
        uint32_t letter = letters[i] == 0x451 ? 0x435 : letters[i] == 0xDF ? 's' : letters[i];
        for (int k = 0; k < (letters[i] == 0xDF ? 2 : 1); k++, count++)
            bytes += scry_utf8_put(word + bytes, letter);
    }
    return count >= MIN_LETTERS && count <= MAX_LETTERS && !is_real(t, word, bytes) &&
           scry_model_log_probability(m, word, bytes) / (double)count < t->strange;
}

static bool is_letter(uint32_t rune)
{
    return scry_rune_classify(rune, SCRY_UNICODE_PYTHON) == SCRY_RUNE_LETTER;
}

/* Characters that are words by themselves: ideographs, kana, emoji and the like. */
static bool stands_alone(uint32_t rune)
{
    return (rune >= 0x2600 && rune < 0x2800) || (rune >= FIRST_IDEOGRAM && rune < 0xA4D0) || (rune >= 0xF900 && rune < 0xFB00) ||
           (rune >= 0x1F000 && rune < 0x40000);
}

/* Whether the model has pieces for these characters, cut as they stand here: many characters have none alone. */
static bool is_readable(const scry_model *m, const uint32_t *runes, size_t n)
{
    char utf8[4 * MAX_LETTERS];
    size_t bytes = 0;
    for (size_t i = 0; i < n && i < MAX_LETTERS; i++)
        bytes += scry_utf8_put(utf8 + bytes, runes[i]);
    return scry_model_reads(m, utf8, bytes);
}

/* Whether `rune`, behind a letter, is a mark of an unreadable script, as Thai's vowels. ASCII, spaces, numbers and what joins or
 * varies other characters are none. */
static bool is_unreadable_mark(const scry_model *m, uint32_t rune)
{
    return rune >= 0x80 && rune != 0x200D && !(rune >= 0xFE00 && rune < 0xFE10) &&
           scry_rune_classify(rune, SCRY_UNICODE_PYTHON) == SCRY_RUNE_OTHER && !is_readable(m, &rune, 1);
}

static void add_word(scry_buf *out, const uint32_t *runes, size_t n)
{
    scry_buf_puts(out, n && out->size ? " " : "");
    for (size_t i = 0; i < n; i++) {
        char utf8[4];
        scry_buf_append(out, utf8, scry_utf8_put(utf8, runes[i]));
    }
}

/* A word of letters that begins at `i`: its end. */
static size_t add_if_unknown(const scry_threshold *t, const scry_model *m, const scry_runes *r, size_t i, scry_buf *out)
{
    size_t end = i;
    while (end < r->n && !stands_alone(r->at[end]) && (is_letter(r->at[end]) || is_unreadable_mark(m, r->at[end])))
        end++;
    if (!is_readable(m, r->at + i, end - i) || (t && is_gibberish(t, m, r->at + i, end - i)))
        add_word(out, r->at + i, end - i);
    return end;
}

/* Characters that stand alone, from `i` on: their end. The longest readable parts are passed over; what is between them
 * is unknown. */
static size_t add_unreadable(const scry_model *m, const scry_runes *r, size_t i, scry_buf *out)
{
    enum { LONGEST = 8 };
    size_t unread = i, end = i;
    while (end < r->n && stands_alone(r->at[end]))
        end++;
    while (i < end) {
        size_t n = end - i < LONGEST ? end - i : LONGEST;
        while (n && !is_readable(m, r->at + i, n))
            n--;
        if (n)
            add_word(out, r->at + unread, i - unread);
        i += n ? n : 1;
        unread = n ? i : unread;
    }
    add_word(out, r->at + unread, i - unread);
    return end;
}

/* `t`: NULL where gibberish cannot be told. */
static void find_unknown(const scry_threshold *t, const scry_model *m, const char *text, scry_buf *out)
{
    scry_runes runes = SCRY_RUNES_INIT(MAX_TEXT);
    scry_runes_decode(&runes, text, strlen(text));
    scry_runes_nfc(&runes, SCRY_UNICODE_PYTHON);
    scry_runes_lower_text(&runes);
    runes.n = runes.n < MAX_RUNES ? runes.n : MAX_RUNES;
    for (size_t i = 0; i < runes.n;)
        if (stands_alone(runes.at[i]))
            i = add_unreadable(m, &runes, i, out);
        else
            i = is_letter(runes.at[i]) ? add_if_unknown(t, m, &runes, i, out) : i + 1;
    scry_runes_dispose(&runes);
}

scry_groups scry_groups_of(const scry_threshold *t, const scry_model *m, const scry_query *query, const float *vector)
{
    scry_groups g = { .unknown = NULL };
    threshold_borders(t, vector, &g.maybe, &g.best);
    const scry_query_part *parts;
    size_t n = query ? scry_query_parts(query, &parts) : 0;
    scry_buf words = SCRY_BUF_INIT(MAX_TEXT);
    for (size_t i = 0; i < n; i++)
        if (parts[i].kind == SCRY_PART_TEXT)
            find_unknown(t && t->words ? t : NULL, m, parts[i].text, &words);
    if (words.size && !words.failed)
        g.unknown = scry_buf_take(&words);
    scry_buf_dispose(&words);
    return g;
}

static bool is_of_texts(const scry_query *query)
{
    const scry_query_part *parts;
    size_t n = query ? scry_query_parts(query, &parts) : 0, texts = 0;
    while (texts < n && parts[texts].kind == SCRY_PART_TEXT)
        texts++;
    return n > 0 && texts == n;
}

void scry_groups_settle(scry_groups *g, const scry_threshold *t, const scry_query *query, scry_store *store,
                        const scry_results *found)
{
    if (!t || !t->subjects || isnan(found->top_score) || !is_of_texts(query))
        return;
    float *picture = scry_alloc(t->dim * sizeof *picture);
    if (scry_store_vector(store, found->top_content, picture, NULL) == 0)   /* else it is damaged: the search said so */
        g->best = fmax(threshold_best_of(t, picture), g->maybe);
    free(picture);
}

void scry_groups_dispose(scry_groups *g)
{
    free(g->unknown);
    g->unknown = NULL;
}

static bool has_words(const scry_hit *h)
{
    return h->found_by == SCRY_FOUND_BY_WORDS || h->found_by == SCRY_FOUND_BY_BOTH;
}

const char *scry_groups_name(const scry_groups *g, const scry_results *found, size_t rank, const scry_hit *hit)
{
    if (isnan(g->maybe))
        return NULL;
    if (hit->score >= g->best || has_words(hit))
        return "best";
    bool nearest = rank <= NEAREST && !(found->top_score >= g->best);
    return hit->score >= g->maybe || nearest ? "maybe" : "far";
}

const char *scry_groups_next(const scry_groups *g, const char **last, const scry_results *found, size_t rank, const scry_hit *hit)
{
    const char *before = *last, *group = scry_groups_name(g, found, rank, hit);
    if (!group || has_words(hit))
        return NULL;
    *last = group;
    if ((before && strcmp(group, before) == 0) || strcmp(group, "best") == 0)
        return NULL;
    return strcmp(group, "maybe") == 0 ? "maybe" : "further away";
}

void scry_json_put_groups(scry_json_writer *w, const scry_groups *g)
{
    scry_json_add_num(w, "min_score", g->maybe, 6);
    scry_json_add_num(w, "best_score", g->best, 6);
    scry_json_key(w, "unknown_words");
    scry_json_begin(w, '[');
    for (const char *at = g->unknown ? g->unknown : ""; *at;) {
        size_t n = strcspn(at, " ");
        scry_json_put_bytes(w, at, n);
        at += n + (at[n] == ' ');
    }
    scry_json_end(w, ']');
}
