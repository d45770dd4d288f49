/* pieces.h - the pieces of a vocabulary: from text to index and id, by hashing.
 *
 *     scry_pieces_reserve(&t, most, bytes, with, path, err);
 *     scry_pieces_add(&t, text, n, id, score, err);   // for each
 *     scry_pieces_index(&t, err);                     // then
 *     int32_t place = scry_pieces_find(&t, "dog", 3);
 *
 * The hash (base/table.h) grows byte by byte, so that a caller who tries every prefix of
 * a word pays for each byte once:
 *
 *     uint64_t h = SCRY_HASH_SEED;
 *     for (size_t n = 1; n <= most; n++) {
 *         h = scry_hash_step(h, s[n - 1]);
 *         place = scry_pieces_find_hashed(&t, h, s, n);
 *     }
 *
 * Immutable once indexed: any number of threads may look up. Indexing is separate from adding
 * so that slots can be prefetched in batches: with 60,000 pieces 1.3 ms instead of 5.
 */
#ifndef SCRY_TOKENIZER_PIECES_H
#define SCRY_TOKENIZER_PIECES_H

#include "base/table.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_pieces {
    size_t n, capacity;
    uint32_t *offsets;   /* owned: text i is bytes[offsets[i]..offsets[i + 1]) */
    int32_t *ids;        /* owned; NULL: the id is the index */
    double *scores;      /* owned; NULL: none */
    char *bytes;         /* owned: the texts, one after the other */
    size_t bytes_capacity;
    scry_slots slots;    /* of indices */
    size_t max_n;        /* longest text in bytes */
    int32_t max_id;      /* -1 while empty */
    const char *path;    /* of the file, for messages while it is read; borrowed */
    bool borrowed;       /* the arrays are another owner's: see tables.h */
} scry_pieces;

enum { SCRY_PIECES_MAX = 4 << 20, SCRY_PIECES_MAX_ID = 16 << 20 };
enum { SCRY_PIECES_IDS = 1, SCRY_PIECES_SCORES = 2 };   /* optional fields of each piece */

void scry_pieces_init(scry_pieces *t);
void scry_pieces_dispose(scry_pieces *t);

/* Room for at most `most` pieces with `bytes` of text (memory that is not used costs
 * nothing). `path` names the file in messages and must stay valid until the index is made. */
int scry_pieces_reserve(scry_pieces *t, size_t most, size_t bytes, unsigned with, const char *path,
                        scry_error *err) SCRY_NODISCARD;

/* SCRY_EINVALID for an impossible id, SCRY_ELIMIT past what was reserved. */
int scry_pieces_add(scry_pieces *t, const char *text, size_t n, int64_t id, double score,
                    scry_error *err) SCRY_NODISCARD;

/* To be called once, after the last add. SCRY_EINVALID when a text occurs twice. */
int scry_pieces_index(scry_pieces *t, scry_error *err) SCRY_NODISCARD;

/* The index of the piece, -1 when there is none. */
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

#endif
