/* utf8.h - UTF-8 text as code points: reading, repair, normal forms, case, classes.
 *
 *     scry_runes r = SCRY_RUNES_INIT(1 << 20);
 *     scry_runes_decode(&r, text, n);          // bad bytes become U+FFFD
 *     scry_runes_nfc(&r, SCRY_UNICODE_RUST);
 *     for (size_t i = 0; i < r.n; i++)
 *         r.at[i] = scry_rune_lower(r.at[i], SCRY_UNICODE_RUST);
 *     scry_runes_dispose(&r);
 *
 * Unicode 15.0 (unicode.h). Tokenizers must agree with their references in every
 * character, and those implement other versions of Unicode: Rust's `tokenizers` and
 * Python with its `regex` package. The few code points on which they differ from 15.0
 * are in utf8_tables.h; the caller chooses the reference.
 *
 * Invalid UTF-8 is read as Unicode recommends (and Python's "replace" does): one
 * U+FFFD for each maximal subpart of an ill-formed sequence. Everything here runs in
 * linear time, however long a run of combining marks is. Thread-safe: no state.
 */
#ifndef SCRY_BASE_UTF8_H
#define SCRY_BASE_UTF8_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRY_RUNE_REPLACEMENT = 0xFFFD };

/* Read one code point of s[0..n), n > 0. Returns the bytes taken (at least 1). */
size_t scry_utf8_next(const char *s, size_t n, uint32_t *rune);

/* Write `rune` (a scalar value) and return its 1 to 4 bytes. */
size_t scry_utf8_put(char out[4], uint32_t rune);

/* The bytes of a byte order mark at the beginning of s[0..n), as Windows programs write it: 3 or 0. */
size_t scry_utf8_mark_bytes(const char *s, size_t n);

/* Whether s[0..n) begins with the mark of UTF-16. */
bool scry_is_utf16(const char *s, size_t n);

/* How many characters these bytes of UTF-8 are. */
size_t scry_utf8_count(const char *s, size_t n);

bool scry_utf8_valid(const char *s, size_t n);
void scry_utf8_repair(scry_buf *out, const char *s, size_t n);   /* appends valid UTF-8 */

/* A growing array of code points, with the rules of scry_buf: passing `limit` or
 * running out of memory marks it `failed` permanently. */
typedef struct scry_runes {
    uint32_t *at;      /* owned; NULL while empty */
    size_t n;
    size_t capacity;
    size_t limit;      /* code points */
    bool failed;
} scry_runes;

#define SCRY_RUNES_INIT(limit_runes) { NULL, 0, 0, (limit_runes), false }

void scry_runes_push(scry_runes *r, uint32_t rune);
void scry_runes_decode(scry_runes *r, const char *s, size_t n);  /* appends */
void scry_runes_encode(const scry_runes *r, scry_buf *out);      /* appends UTF-8 */
void scry_runes_dispose(scry_runes *r);

/* Whose version of Unicode to follow. */
typedef enum {
    SCRY_UNICODE_RUST,    /* Hugging Face tokenizers */
    SCRY_UNICODE_PYTHON   /* Python 3.11 str and unicodedata, the `regex` package */
} scry_unicode;

/* Normal forms, in place. */
void scry_runes_nfc(scry_runes *r, scry_unicode edition);
void scry_runes_nfd(scry_runes *r, scry_unicode edition);
void scry_runes_nfkc(scry_runes *r, scry_unicode edition);
void scry_runes_nfkd(scry_runes *r, scry_unicode edition);

/* Full lower case of every code point by itself (U+0130 becomes two), as Rust's
 * char::to_lowercase. */
void scry_runes_lower_each(scry_runes *r, scry_unicode edition);

/* As Python's str.lower: the same, and a capital sigma that ends a word becomes a
 * final sigma. */
void scry_runes_lower_text(scry_runes *r);

/* \p{L}, \p{N}, \s (White_Space) and the rest. */
typedef enum { SCRY_RUNE_LETTER, SCRY_RUNE_NUMBER, SCRY_RUNE_SPACE, SCRY_RUNE_OTHER } scry_rune_class;

scry_rune_class scry_rune_classify(uint32_t rune, scry_unicode edition);
bool scry_rune_is_space(uint32_t rune);             /* White_Space */

/* The sets of Hugging Face's BertNormalizer and BertPreTokenizer: the characters that it
 * drops (other than U+0000 and U+FFFD), strips as accents, splits off as punctuation. */
bool scry_rune_is_bert_control(uint32_t rune);
bool scry_rune_is_bert_accent(uint32_t rune);
bool scry_rune_is_bert_punctuation(uint32_t rune);

/* Whether a grapheme cluster may end between `before` and `rune`. `state` starts at 0 at
 * the beginning of the text and is passed on from pair to pair. */
bool scry_rune_breaks(uint32_t before, uint32_t rune, int32_t *state);

/* The two letters of the general category, as in "Lu"; of 15.0. */
const char *scry_rune_category(uint32_t rune);

#endif
