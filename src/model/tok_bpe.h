/* tok_bpe.h - byte-pair encoding of single words over bytes (GPT-2's and CLIP's).
 *
 * A word starts as its bytes, the last of them in its word-final form ("e</w>"). The
 * adjacent pair whose merge was learned first is joined, leftmost first, until no pair
 * has a merge. Short words take the plain quadratic way, long ones a heap: both give the
 * same ids. Immutable after the last merge was added.
 */
#ifndef SCRY_MODEL_TOK_BPE_H
#define SCRY_MODEL_TOK_BPE_H

#include "model/tok_internal.h"

typedef struct scry_bpe_merge {
    int32_t left, right, id;    /* ids of the two pieces and of the joined one */
} scry_bpe_merge;

typedef struct scry_bpe {
    scry_bpe_merge *merges;     /* owned, by rank */
    uint32_t *slots;            /* owned: 8 bits of hash above, rank + 1 below; 0 = empty */
    unsigned slot_bits;
    size_t n, capacity;
    int32_t last_place;         /* of the joined piece of the last merge */
    int32_t plain[256];         /* byte to id inside a word; -1 = not in the vocabulary */
    int32_t final[256];         /* the same with "</w>" */
    int32_t unknown;            /* in place of such a byte; -1 = it is left out */
    uint8_t joins[256][32];     /* bit b of row a: some merge joins ...a with b... */
} scry_bpe;

/* The 256 printable characters that stand for bytes in the vocabulary, as code points. */
void scry_bpe_alphabet(uint16_t rune_of_byte[256]);

/* Find the byte pieces in `pieces` and make room for `merges` merges. */
int scry_bpe_init(scry_bpe *b, const scry_pieces *pieces, size_t merges, scry_error *err) SCRY_NODISCARD;
void scry_bpe_dispose(scry_bpe *b);

/* The next merge by rank: `left` and `right` as written in merges.txt. All three texts
 * must be pieces. */
int scry_bpe_add(scry_bpe *b, const scry_pieces *pieces, scry_slice left, scry_slice right,
                 const char *path, scry_error *err) SCRY_NODISCARD;

/* Push the ids of the word until it ends or `out` is full. */
int scry_bpe_word(const scry_bpe *b, const char *bytes, size_t n, scry_ids *out, scry_error *err)
    SCRY_NODISCARD;

#endif
