/* bpe.h - byte-pair encoding, of words over bytes (GPT-2's and CLIP's) and of whole texts
 * over characters (SentencePiece's).
 *
 * A word is first split into bytes, the last in its word-final form ("e</w>"), a text into characters.
 * Then the adjacent pair with the lowest rank is joined, leftmost first, until no pair has a merge.
 * Short words use the quadratic algorithm, long ones a heap: both give the same ids. Immutable after
 * the last merge was added.
 */
#ifndef SCRY_TOKENIZER_BPE_H
#define SCRY_TOKENIZER_BPE_H

#include "tokenizer/tokenizer_internal.h"

typedef struct scry_bpe_merge {
    int32_t left, right, id;    /* ids of the two pieces and of the joined one */
} scry_bpe_merge;

enum { SCRY_BPE_PAIR_BITS = 1 << 20 };

struct scry_bpe {
    scry_bpe_merge *merges;     /* owned, by rank */
    scry_slots slots;           /* of ranks, by the ids of left and right */
    size_t n, capacity;
    int32_t last_place;         /* of the joined piece of the last merge */
    int32_t plain[256];         /* byte to id inside a word; -1 = not in the vocabulary */
    int32_t final[256];         /* the same with "</w>" */
    int32_t unknown;            /* in place of a byte that is not; -1 = it is left out */
    uint8_t *pairs;             /* owned; over characters: a bit for each hash of a pair of ids that some merge joins */
    bool borrowed;              /* the arrays belong to another owner: see tables.h */
    uint8_t joins[256][32];     /* over bytes: bit b of row a is set when some merge joins ...a with b... */
};

/* The 256 printable characters that stand for bytes in the vocabulary, as code points. */
void scry_bpe_alphabet(uint16_t rune_of_byte[256]);

/* Find the byte pieces in `pieces` and make room for `merges` merges. */
int scry_bpe_init(scry_bpe *b, const scry_pieces *pieces, size_t merges, scry_error *err) SCRY_NODISCARD;
void scry_bpe_dispose(scry_bpe *b);

/* The next merge by rank: `left` and `right` as written in merges.txt. All three texts
 * must be pieces. */
int scry_bpe_add(scry_bpe *b, const scry_pieces *pieces, scry_slice left, scry_slice right,
                 const char *path, scry_error *err) SCRY_NODISCARD;

/* All merges of a tokenizer.json, whose pieces were taken before; of a vocabulary over characters, for which
 * scry_bpe_word is not, if `characters`. */
int scry_bpe_read(scry_bpe *b, const scry_pieces *pieces, scry_tokfile *f, bool characters, scry_error *err) SCRY_NODISCARD;

/* Merge the pieces `ids` [n] of a text and push the results until all are pushed or `out` is
 * full. Overwrites `ids`. */
int scry_bpe_merge_ids(const scry_bpe *b, int32_t *ids, size_t n, scry_ids *out, scry_error *err) SCRY_NODISCARD;

/* Push the ids of the word until it ends or `out` is full. */
int scry_bpe_word(const scry_bpe *b, const char *bytes, size_t n, scry_ids *out, scry_error *err)
    SCRY_NODISCARD;

#endif
