/* clip_bpe.c - CLIP's byte-pair encoding, by Hugging Face's rules or open_clip's.
 *
 *     text -> added tokens cut out -> clean-up, lower case -> words -> bytes -> pieces
 *
 * Clean-up is where the two differ. Hugging Face: NFC, lower case of each code point by itself.
 * open_clip: ftfy, HTML entities (ftfy.c), lower case of the text as a whole. White space needs
 * no collapsing, because no word contains any. Words are the matches of this expression,
 * implemented by hand because the character classes must be those of the Unicode versions that
 * the references use:
 *
 *     's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
 *
 * Both also match the two special tokens, with precedence. open_clip ignores their case.
 * Hugging Face searches for them before lower-casing; those that only appear after lower-casing
 * are split into "<|", the word and "|>".
 */
#include "tokenizer/clip_bpe.h"

#include "tokenizer/ftfy.h"

#include <string.h>

/* ---- words ---- */

typedef struct clip_work {
    const scry_tokenizer *t;
    const scry_clip_bpe *m;
    scry_ids *out;
    scry_buf bytes;      /* the current word */
    scry_error *err;
} clip_work;

static int put_word(clip_work *w, const uint32_t *runes, size_t n)
{
    scry_runes word = { (uint32_t *)runes, n, n, n, false };
    scry_buf_clear(&w->bytes);
    scry_runes_encode(&word, &w->bytes);
    if (w->bytes.failed)
        return scry_fail(w->err, SCRY_ENOMEM, "no memory for a word of %zu characters", n);
    return scry_bpe_word(&w->m->bpe, w->bytes.data, w->bytes.size, w->out, w->err);
}

/* open_clip matches without regard to case: U+017F is the one other code point (its text
 * being lower case already) that equals a letter of these words. */
static bool same_letter(const scry_clip_bpe *m, uint32_t rune, uint32_t letter)
{
    return rune == letter || (letter == 's' && rune == 0x17F && m->dialect == SCRY_TOKENIZER_OPEN_CLIP);
}

/* The length in code points of "'s", "'t", "'re", "'ve", "'m", "'ll" or "'d" at r, 0 for none. */
static size_t contraction(const scry_clip_bpe *m, const uint32_t *r, size_t n)
{
    static const char tails[][3] = { "s", "t", "re", "ve", "m", "ll", "d" };
    if (n < 2 || r[0] != '\'')
        return 0;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        size_t length = strlen(tails[i]);
        if (n > length && same_letter(m, r[1], (uint32_t)tails[i][0]) &&
            (length == 1 || r[2] == (uint32_t)tails[i][1]))
            return length + 1;
    }
    return 0;
}

static bool is_special(const scry_clip_bpe *m, const scry_clip_special *s, const uint32_t *r, size_t n, bool *exact)
{
    if (s->n == 0 || n < s->n || r[0] != '<')
        return false;
    *exact = true;
    for (size_t i = 0; i < s->n; i++) {
        if (!same_letter(m, r[i], s->runes[i]))
            return false;
        *exact = *exact && r[i] == s->runes[i];
    }
    return true;
}

/* The special token at r, if there is one, and its length in code points in *taken. */
static int put_special(clip_work *w, const uint32_t *r, size_t n, size_t *taken)
{
    bool exact;
    *taken = 0;
    for (int k = 0; k < 2; k++) {
        const scry_clip_special *s = &w->m->special[k];
        if (!is_special(w->m, s, r, n, &exact))
            continue;
        *taken = s->n;
        if (w->m->dialect == SCRY_TOKENIZER_OPEN_CLIP) {
            if (!exact)
                return put_word(w, r, s->n);
            scry_ids_push(w->out, s->id);
            return 0;
        }
        int result = put_word(w, r, 2);
        if (result == 0)
            result = put_word(w, r + 2, s->n - 4);
        return result == 0 ? put_word(w, r + s->n - 2, 2) : result;
    }
    return 0;
}

/* open_clip's expression never matches U+0345: ignoring case it equals a letter, so it is
 * excluded from the non-letters, but it is not a letter either. */
static scry_rune_class word_class(const scry_clip_bpe *m, uint32_t rune)
{
    if (m->dialect == SCRY_TOKENIZER_HF)
        return scry_rune_classify(rune, SCRY_UNICODE_RUST);
    return rune == 0x345 ? SCRY_RUNE_SPACE : scry_rune_classify(rune, SCRY_UNICODE_PYTHON);
}

static int put_words(clip_work *w, const uint32_t *r, size_t n)
{
    for (size_t i = 0, taken; i < n && !w->out->cut; i += taken) {
        scry_rune_class class = word_class(w->m, r[i]);
        taken = 1;
        if (class == SCRY_RUNE_SPACE)
            continue;
        int result = put_special(w, r + i, n - i, &taken);
        if (result < 0)
            return result;
        if (taken)
            continue;
        taken = contraction(w->m, r + i, n - i);
        for (bool run = taken == 0; run; run = class != SCRY_RUNE_NUMBER && i + taken < n &&
                                               word_class(w->m, r[i + taken]) == class)
            taken++;
        if ((result = put_word(w, r + i, taken)) < 0)
            return result;
    }
    return 0;
}

/* ---- Hugging Face's rules ---- */

static int words_of_bytes(void *work, const char *text, size_t n)
{
    clip_work *w = work;
    scry_runes part = SCRY_RUNES_INIT(SIZE_MAX / 8);
    scry_runes_decode(&part, text, n);
    int result = part.failed ? scry_fail(w->err, SCRY_ENOMEM, "no memory for a text of %zu bytes", n)
                             : put_words(w, part.at, part.n);
    scry_runes_dispose(&part);
    return result;
}

/* Added tokens that are searched for in the normalised text, then words. */
static int put_normalised(void *work, const scry_runes *runes)
{
    clip_work *w = work;
    if (!w->t->added.any_normalized)
        return put_words(w, runes->at, runes->n);
    scry_buf text = SCRY_BUF_INIT(SIZE_MAX / 2);
    scry_runes_encode(runes, &text);
    int result = text.failed ? scry_fail(w->err, SCRY_ENOMEM, "no memory for a text of %zu characters", runes->n)
                             : scry_added_walk(&w->t->added, true, text.data, text.size, w->out,
                                               words_of_bytes, w);
    scry_buf_dispose(&text);
    return result;
}

static void normalise(void *work, const char *text, size_t n, scry_runes *out)
{
    scry_runes_decode(out, text, n);
    scry_runes_nfc(out, SCRY_UNICODE_RUST);
    scry_runes_lower_each(out, SCRY_UNICODE_RUST);
}

static int hf_part(void *work, const char *text, size_t n)
{
    clip_work *w = work;
    scry_chunks chunks = { w->out, w->err, false, w, normalise, put_normalised };
    return scry_tok_each_chunk(&chunks, text, n);
}

/* ---- open_clip's rules ---- */

static int open_clip_text(clip_work *w, const char *text, size_t n)
{
    scry_runes runes = SCRY_RUNES_INIT(SIZE_MAX / 8);
    scry_ftfy cleaner = SCRY_FTFY_INIT;
    int result = 0;
    while (n > 0 && result == 0 && !w->out->cut) {
        size_t taken = scry_ftfy_clean(&cleaner, text, n, &runes);
        scry_runes_lower_text(&runes);
        if (runes.failed)
            result = scry_fail(w->err, SCRY_ENOMEM, "no memory for a text of %zu bytes", n);
        else
            result = put_words(w, runes.at, runes.n);
        text += taken;
        n -= taken;
    }
    scry_runes_dispose(&runes);
    return result;
}

int scry_tok_clip_encode(const scry_tokenizer *t, const char *text, size_t n, scry_ids *out,
                         scry_error *err)
{
    clip_work w = { t, t->model, out, SCRY_BUF_INIT(SIZE_MAX / 2), err };
    int result = w.m->dialect == SCRY_TOKENIZER_HF ? scry_added_walk(&t->added, false, text, n, out, hf_part, &w)
                                                   : open_clip_text(&w, text, n);
    scry_buf_dispose(&w.bytes);
    return result;
}
