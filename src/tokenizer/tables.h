/* tables.h - the tables of a tokenizer.json as a file in the cache, which is mapped.
 *
 * Parsing the 34 MB of a vocabulary of 256,000 pieces takes a third of a second; the tables made
 * of them are written once to $XDG_CACHE_HOME/scry/tokenizers/HASH-OF-THE-PATH. They are used
 * while size, time of change, inode and device of tokenizer.json are those they were made of,
 * or, after a copy or a touch, its SHA-256. A file that is damaged, or of another version of
 * scry, is ignored and written anew; so is one that cannot be written.
 */
#ifndef SCRY_TOKENIZER_TABLES_H
#define SCRY_TOKENIZER_TABLES_H

#include "tokenizer/bpe.h"

struct scry_tables {
    scry_slice part[SCRY_TOKFILE_PARTS];   /* JSON; n is 0 where the file has none */
    scry_pieces pieces;                    /* indexed */
    bool has_merges;
    scry_bpe bpe;                          /* `unknown` is not kept */
    const uint16_t *reach;                 /* of unigram.c, or NULL */
    scry_map map;                          /* what all of it lies in; {0} when it was not loaded */
};

/* The tables of the file at `path`; false when there are none that can be used. */
bool scry_tables_load(scry_tables *t, const char *path);
void scry_tables_close(scry_tables *t);

/* Keep the tables of the file at `path`, whose contents are `json` and which had been looked at by scry_tables_look
 * before it was read. Silently not, where the cache cannot be written. */
void scry_tables_save(const scry_tables *t, const char *path, scry_slice json, const scry_tables_stamp *stamp);

/* Put the sum of its contents into the `n` bytes of such a file. Tests damage files with it. */
void scry_tables_seal(uint8_t *file, size_t n);

#endif
