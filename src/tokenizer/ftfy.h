/* ftfy.h - the clean-up that open_clip does before it splits a text into words.
 *
 * What ftfy.fix_text followed by html.unescape, twice, does, but for one thing: ftfy also
 * guesses whether the text is mojibake ("cafÃ©" for "café") and repairs it. That guess
 * is left out; docs/tokenizers.md counts what it changes.
 *
 *     scry_ftfy f = SCRY_FTFY_INIT;
 *     while (n > 0) {
 *         size_t taken = scry_ftfy_clean(&f, text, n, &runes);
 *         ... use runes ...
 *         text += taken, n -= taken;
 *     }
 */
#ifndef SCRY_TOKENIZER_FTFY_H
#define SCRY_TOKENIZER_FTFY_H

#include "base/utf8.h"

/* What one part of a text leaves for the next: ftfy stops decoding entities for good at
 * the first line that holds a "<". */
typedef struct scry_ftfy {
    size_t line_left;     /* bytes to the end of the line that was looked at */
    bool has_markup;
} scry_ftfy;

#define SCRY_FTFY_INIT { 0, false }

/* Clean the first part of text[0..n), n > 0, valid UTF-8, into `out` (what it held is
 * lost; out->failed on lack of memory). Returns the bytes taken: parts end between
 * words, so that each may be used by itself. */
size_t scry_ftfy_clean(scry_ftfy *f, const char *text, size_t n, scry_runes *out);

#endif
