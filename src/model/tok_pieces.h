/* tok_pieces.h - the pieces of a vocabulary: text to place and id, by hashing.
 *
 *     scry_pieces_reserve(&t, most, bytes, with, ...);
 *     scry_pieces_add(&t, text, n, id, score, ...);   // for each
 *     scry_pieces_index(&t, ...);                     // then
 *     int32_t place = scry_pieces_find(&t, "dog", 3);
 *
 * The hash (FNV-1a, 64 bits) grows byte by byte, so that a caller who tries every
 * prefix of a word pays for each byte once:
 *
 *     uint64_t h = SCRY_PIECES_SEED;
 *     for (size_t n = 1; n <= most; n++) {
 *         h = scry_pieces_step(h, s[n - 1]);
 *         place = scry_pieces_find_hashed(&t, h, s, n);
 *     }
 *
 * Immutable once indexed: any number of threads may look up. Indexing is apart from
 * adding because whole batches of slots can then be fetched ahead: with 60,000 pieces
 * 1.3 ms instead of 5.
 */
#ifndef SCRY_MODEL_TOK_PIECES_H
#define SCRY_MODEL_TOK_PIECES_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_pieces {
    size_t n, capacity;
    uint32_t *offsets;   /* owned: text i is bytes[offsets[i]..offsets[i + 1]) */
    int32_t *ids;        /* owned; NULL: the id is the place */
    double *scores;      /* owned; NULL: none */
    char *bytes;         /* owned: the texts, one after the other */
    size_t bytes_capacity;
    uint32_t *slots;     /* owned: 8 bits of hash above, place + 1 below; 0 = empty */
    unsigned slot_bits;
    size_t max_n;        /* longest text in bytes */
    int32_t max_id;      /* -1 while empty */
} scry_pieces;

enum { SCRY_PIECES_MAX = 4 << 20, SCRY_PIECES_MAX_ID = 16 << 20 };
enum { SCRY_PIECES_IDS = 1, SCRY_PIECES_SCORES = 2 };   /* what else is kept of each */

#define SCRY_PIECES_SEED UINT64_C(0xCBF29CE484222325)

static inline uint64_t scry_pieces_step(uint64_t h, char byte)
{
    return (h ^ (unsigned char)byte) * UINT64_C(0x100000001B3);
}

void scry_pieces_init(scry_pieces *t);
void scry_pieces_dispose(scry_pieces *t);

/* Room for at most `most` pieces with `bytes` of text (memory that is not used costs
 * nothing). `path` names the file in messages, here and below. */
int scry_pieces_reserve(scry_pieces *t, size_t most, size_t bytes, unsigned with, const char *path,
                        scry_error *err) SCRY_NODISCARD;

/* SCRY_EINVALID for an impossible id, SCRY_ELIMIT past what was reserved. */
int scry_pieces_add(scry_pieces *t, const char *text, size_t n, int64_t id, double score,
                    const char *path, scry_error *err) SCRY_NODISCARD;

/* To be called once, after the last add. SCRY_EINVALID when a text is there twice. */
int scry_pieces_index(scry_pieces *t, const char *path, scry_error *err) SCRY_NODISCARD;

/* The place of the piece, -1 when there is none. */
int32_t scry_pieces_find(const scry_pieces *t, const char *text, size_t n);
int32_t scry_pieces_find_hashed(const scry_pieces *t, uint64_t hash, const char *text, size_t n);

/* The id instead; -1 when there is none. */
int32_t scry_pieces_find_id(const scry_pieces *t, const char *text, size_t n);

static inline int32_t scry_pieces_id(const scry_pieces *t, int32_t place)
{
    return t->ids ? t->ids[place] : place;
}

static inline const char *scry_pieces_text(const scry_pieces *t, size_t place, size_t *n)
{
    *n = t->offsets[place + 1] - t->offsets[place];
    return t->bytes + t->offsets[place];
}

uint64_t scry_pieces_hash(const char *text, size_t n);

/* Fetch the slot of a text that will be looked up soon. */
void scry_pieces_prefetch(const scry_pieces *t, uint64_t hash);

#endif
