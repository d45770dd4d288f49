/* sums.h - checksums of a collection's files, so that a changed byte is found wherever it is.
 *
 *     sums        of every file, written when a writer closes; the files are as they were then
 *     sums.old    the same file, renamed before the next writer's first write. Only checksums of
 *                 bytes that are never written again still count: committed vectors, full blocks of codes, columns.
 *
 * A file is cut into a header page and pieces of equal size, with CRC-32C of each. A writer that closes reads only what
 * is new since the last checksums, and the database. docs/store-format.md has the bytes.
 */
#ifndef SCRY_STORE_LOCAL_SUMS_H
#define SCRY_STORE_LOCAL_SUMS_H

#include "store/local/local.h"

typedef struct scry_sums_file {
    char name[32];
    uint64_t size, piece;      /* bytes: all that were summed, and of a piece behind the header page */
    uint32_t *crcs;            /* [count] of the header page and the pieces; owned */
    size_t count, from, to;    /* those that count: [from, to) */
} scry_sums_file;

typedef struct scry_sums {
    scry_sums_file *files;     /* [count]; owned */
    size_t count;
    uint64_t change;           /* head.change of what was summed */
    bool sealed;               /* all of them count */
    bool damaged;              /* the checksums themselves are: none were read */
    uint32_t crc;              /* of the file that was read; 0: there was none */
} scry_sums;

/* What is there to compare the state `change` with: `sums` if it is of that state, else what still counts of it or of
 * `sums.old`. Cannot fail: nothing may be there. */
void scry_sums_load(scry_sums *out, const scry_local *s, int64_t change);
void scry_sums_dispose(scry_sums *m);
const scry_sums_file *scry_sums_find(const scry_sums *m, const char *name);   /* NULL: none */

/* The writer's part. Before the first write to any file of the collection, with the database's write lock: from now on
 * the files differ from `sums`. */
int scry_sums_discard(scry_local *s, scry_error *err) SCRY_NODISCARD;

/* `sums.old` is of other files of the same names. */
void scry_sums_forget(const scry_local *s);

/* When everything is written and SQLite's log is empty: write `sums`, if this writer has changed anything. Without the
 * file, which a full disk may prevent, everything else works. */
void scry_sums_seal(scry_local *s);

typedef struct scry_sums_visitor {
    void (*changed)(void *arg, const char *name, uint64_t from, uint64_t to);   /* bytes of a file that changed */
    int (*pace)(void *arg, size_t bytes);   /* so many were read; may sleep; non-zero ends the check. NULL is legal */
    void *arg;
} scry_sums_visitor;

/* Compare the files with their checksums. `db` is in no transaction, `change` what its last
 * one showed. *sealed: all bytes were compared.
 * A writer may begin at any time; what it changes is not taken for damage. SCRY_ECANCELLED when `pace` said so. */
int scry_sums_check(const scry_local *s, scry_db *db, int64_t change, const scry_sums_visitor *visitor, bool *sealed,
                    scry_error *err) SCRY_NODISCARD;

#endif
