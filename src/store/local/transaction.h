/* transaction.h - the writer's transactions. */
#ifndef SCRY_STORE_LOCAL_TRANSACTION_H
#define SCRY_STORE_LOCAL_TRANSACTION_H

#include "store/local/local.h"

/* SCRY_EINVALID unless this store was opened for writing. */
int scry_local_check_writable(const scry_local *s, scry_error *err) SCRY_NODISCARD;

/* SCRY_EIO when the database that was opened is no longer the one at its path. */
int scry_local_check_place(const scry_local *s, scry_error *err) SCRY_NODISCARD;

/* Take the database's write lock and read the head into work. SCRY_EIO when it is not what this process
 * committed or read last: another program wrote. Only the writing thread may use `writer` until
 * scry_local_end; files of the collection are written, made and removed between the two only. */
int scry_local_begin(scry_local *s, scry_error *err) SCRY_NODISCARD;

/* With result 0 commit: pending vectors reach the disk, work is saved and becomes the head. Else, or when
 * that fails, roll back. Returns the first failure. */
int scry_local_end(scry_local *s, int result, scry_error *err) SCRY_NODISCARD;

#endif
