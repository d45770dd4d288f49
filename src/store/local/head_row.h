/* head_row.h - the one row of the table head: the collection, its model, its counts. */
#ifndef SCRY_STORE_LOCAL_HEAD_ROW_H
#define SCRY_STORE_LOCAL_HEAD_ROW_H

#include "store/local/statements.h"
#include "vector/codes.h"

enum {
    SCRY_COLLECTION_BYTES = 16,
    SCRY_DIM_MAX = SCRY_CODE_DIM_MAX
};

typedef struct scry_head {
    uint8_t collection[SCRY_COLLECTION_BYTES];   /* random; ties the other files to the database */
    char *model_identity, *model_name, *precision;   /* owned */
    int64_t dim, generation;
    int64_t slots;          /* slots allocated in this generation; rows from here on are uncommitted */
    int64_t change;         /* grows with every transaction */
    int64_t files, contents, bad;
    int64_t next_file;      /* number of the next file row, never used twice */
    int64_t columns_file;   /* N of columns-N.cache; 0: none */
    int64_t columns_last;   /* files numbered up to this are in it, unless gone */
} scry_head;

int scry_head_load(scry_db *db, scry_head *out, scry_error *err) SCRY_NODISCARD;
int scry_head_save(scry_db *db, const scry_head *h, scry_error *err) SCRY_NODISCARD;
void scry_head_dispose(scry_head *h);
void scry_head_copy(scry_head *to, const scry_head *from);

#endif
