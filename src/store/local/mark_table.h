/* mark_table.h - the table of marks: the SQL that makes it, and the checksum of its rows. */
#ifndef SCRY_STORE_LOCAL_MARK_TABLE_H
#define SCRY_STORE_LOCAL_MARK_TABLE_H

#include "scry/marks.h"
#include "store/local/local.h"

/* The SQL that makes the table. A database made by a scry without marks gets it from the first program that writes. */
extern const char scry_mark_schema[];

uint32_t scry_mark_crc(const scry_mark *m);

/* The mark in the row of MARKS_OF_KIND or MARKS_CHECK; pointers are valid until the statement's next step. False: it is damaged. */
bool scry_mark_read(scry_mark *out, sqlite3_stmt *st);

#endif
