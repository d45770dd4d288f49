/* writer.h - what adding files, moving roots and storing texts share. Inside a transaction (transaction.h). */
#ifndef SCRY_STORE_LOCAL_WRITER_H
#define SCRY_STORE_LOCAL_WRITER_H

#include "store/local/local.h"

/* Record in table gone that a column cache may have an outdated row of a file. */
int scry_local_record_gone(scry_local *s, int64_t number, int64_t root, const char *relative,
                           scry_error *err) SCRY_NODISCARD;

/* Fields of the content in this slot have changed: give its files new numbers, so that column caches read them again. */
int scry_local_renumber_files(scry_local *s, int64_t slot, scry_error *err) SCRY_NODISCARD;

/* Add the row of a file that could not be used, below the root of this number. */
int scry_local_add_bad(scry_local *s, const scry_bad_file *bad, int64_t root, scry_error *err) SCRY_NODISCARD;

#endif
