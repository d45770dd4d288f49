/* cleaner.c - how SigLIP's processors and open_clip clean a text before it is tokenized. */
#include "tokenizer/ftfy.h"
#include "tokenizer/tokenizer_internal.h"

#include <string.h>

static void put(scry_runes *runes, scry_buf *out)
{
    scry_runes_encode(runes, out);
    out->failed |= runes->failed;
    scry_runes_dispose(runes);
}

/* Python's string.punctuation. */
static bool is_punctuation(uint32_t r)
{
    return (r > ' ' && r < '0') || (r > '9' && r < 'A') || (r > 'Z' && r < 'a') || (r > 'z' && r < 0x7F);
}

static void drop_punctuation(scry_runes *r)
{
    size_t to = 0;
    for (size_t i = 0; i < r->n; i++)
        if (!is_punctuation(r->at[i]))
            r->at[to++] = r->at[i];
    r->n = to;
}

/* White space as Python's \s, str.split and str.strip define it, including ASCII's four separators. */
static bool is_python_space(uint32_t r)
{
    return scry_rune_is_space(r) || (r >= 0x1C && r <= 0x1F);
}

/* White space to single spaces, none at either end. */
static void collapse_spaces(scry_runes *r)
{
    size_t to = 0;
    bool space = false;
    for (size_t i = 0; i < r->n; i++) {
        if (is_python_space(r->at[i])) {
            space = true;
            continue;
        }
        uint32_t rune = r->at[i];
        if (space && to > 0)
            r->at[to++] = ' ';
        r->at[to++] = rune;
        space = false;
    }
    r->n = to;
}

/* ---- transformers ---- */

void scry_text_lower(const char *text, size_t n, scry_buf *out)
{
    scry_runes runes = SCRY_RUNES_INIT(SIZE_MAX / 8);
    scry_runes_decode(&runes, text, n);
    scry_runes_lower_text(&runes);
    put(&runes, out);
}

void scry_text_canonical(const char *text, size_t n, scry_buf *out)
{
    scry_runes runes = SCRY_RUNES_INIT(SIZE_MAX / 8);
    scry_runes_decode(&runes, text, n);
    scry_runes_lower_text(&runes);
    drop_punctuation(&runes);
    collapse_spaces(&runes);
    put(&runes, out);
}

/* ---- open_clip ---- */

static scry_runes fixed(const char *text, size_t n)
{
    scry_ftfy cleaner = SCRY_FTFY_INIT;
    scry_runes part = SCRY_RUNES_INIT(SIZE_MAX / 8), whole = part;
    while (n > 0 && !part.failed) {
        size_t taken = scry_ftfy_clean(&cleaner, text, n, &part);
        for (size_t i = 0; i < part.n; i++)
            scry_runes_push(&whole, part.at[i]);
        text += taken;
        n -= taken;
    }
    whole.failed |= part.failed;
    scry_runes_dispose(&part);
    return whole;
}

void scry_text_fixed_spaces(const char *text, size_t n, scry_buf *out)
{
    scry_runes runes = fixed(text, n);
    collapse_spaces(&runes);
    put(&runes, out);
}

void scry_text_fixed_lower(const char *text, size_t n, scry_buf *out)
{
    scry_runes runes = fixed(text, n);
    collapse_spaces(&runes);
    scry_runes_lower_text(&runes);
    put(&runes, out);
}

void scry_text_fixed_canonical(const char *text, size_t n, scry_buf *out)
{
    scry_runes runes = fixed(text, n);
    for (size_t i = 0; i < runes.n; i++)
        if (runes.at[i] == '_')
            runes.at[i] = ' ';
    drop_punctuation(&runes);
    scry_runes_lower_text(&runes);
    collapse_spaces(&runes);
    put(&runes, out);
}
