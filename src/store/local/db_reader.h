/* db_reader.h - connections for reading, each used by one thread at a time. */
#ifndef SCRY_STORE_LOCAL_DB_READER_H
#define SCRY_STORE_LOCAL_DB_READER_H

#include "store/local/local.h"

struct scry_reader {
    scry_db db;
    bool completed;            /* it has empty tables of its own: scry_reader_lacks_tables */
    struct scry_reader *next;
};

/* 1 where the database was made by a scry that had fewer tables, which the first program that writes adds; else 0. */
int scry_reader_lacks_tables(scry_db *db, scry_error *err) SCRY_NODISCARD;

/* An idle connection or a new one, inside a read transaction; release it when done (NULL is legal). */
int scry_reader_acquire(scry_local *s, scry_reader **out, scry_error *err) SCRY_NODISCARD;
void scry_reader_release(scry_local *s, scry_reader *r);
void scry_readers_close(scry_local *s);

/* End the transaction that file_state has kept open, so that it sees the newest commit. With
 * `checkpoint` also move SQLite's log into the database meanwhile: were that reader always
 * in a transaction, the log could never start over. */
void scry_state_reader_release(scry_local *s, bool checkpoint);

/* The error of rows that are not in order, on which a walk would turn back and never end. */
int scry_reader_out_of_order(const scry_reader *r, scry_error *err);

#endif
