/* remote_files.h - rows written to files that Milvus's bulk import takes, instead of being sent. */
#ifndef SCRY_STORE_MILVUS_REMOTE_FILES_H
#define SCRY_STORE_MILVUS_REMOTE_FILES_H

#include "store/milvus/remote_internal.h"

/* Of scry_store_kind. */
int scry_remote_put_into_files(scry_store *base, const char *folder, scry_error *err) SCRY_NODISCARD;

/* Add `n` rows. */
int scry_remote_files_add(scry_remote_files *f, const scry_milvus_column *columns, size_t count, size_t n, scry_error *err)
    SCRY_NODISCARD;

/* End the last file; it can be opened under its name only then. */
int scry_remote_files_finish(scry_remote_files *f, scry_error *err) SCRY_NODISCARD;
void scry_remote_files_free(scry_remote_files *f);   /* NULL is legal */

#endif
