/* charsmap.h - SentencePiece's "precompiled" normaliser: a trie of byte sequences and their
 * replacements (nmt_nfkc and similar).
 *
 * The blob: a little-endian count of bytes, that many bytes of a double-array trie (Darts,
 * 32-bit units), then the replacements, zero-terminated. Applied as by Hugging Face's
 * spm_precompiled, including its quirks: a grapheme cluster of at most 5 bytes is looked up
 * first, and the replacement of its shortest prefix in the trie replaces all of it; otherwise
 * its code points are looked up one by one. Immutable.
 */
#ifndef SCRY_TOKENIZER_CHARSMAP_H
#define SCRY_TOKENIZER_CHARSMAP_H

#include "base/utf8.h"
#include "scry/error.h"

typedef struct scry_charsmap {
    uint32_t *units;    /* owned: [units_n] */
    size_t units_n;
    char *texts;        /* owned, zero-terminated */
    size_t texts_n;
    bool longest;       /* as SentencePiece itself: the longest match anywhere; else as tokenizers, the shortest in a cluster */
} scry_charsmap;

/* From base64, as tokenizer.json has it. */
int scry_charsmap_open(scry_charsmap *m, const char *base64, const char *path, scry_error *err)
    SCRY_NODISCARD;
void scry_charsmap_dispose(scry_charsmap *m);

void scry_charsmap_apply(const scry_charsmap *m, scry_runes *r);   /* in place */

#endif
