/* remote_replace.h - replacing a collection by one that was made beside it. */
#ifndef SCRY_STORE_MILVUS_REMOTE_REPLACE_H
#define SCRY_STORE_MILVUS_REMOTE_REPLACE_H

#include "store/milvus/remote_internal.h"

/* Of scry_store_kind. */
int scry_remote_begin_replacement(scry_store **out, scry_store *base, const scry_store_options *model, bool anew, scry_error *err)
    SCRY_NODISCARD;
int scry_remote_replace(scry_store *base, scry_store *replacement, scry_error *err) SCRY_NODISCARD;
int scry_remote_drop_replacement(scry_store *base, scry_error *err) SCRY_NODISCARD;

/* Where there is no collection `name` because its replacement was interrupted between the two renames, or is between them
 * now: finish it, *finished. */
int scry_remote_finish_replacement(scry_milvus *m, const char *name, bool *finished, scry_error *err) SCRY_NODISCARD;

/* Whether `name` is that of an unfinished replacement, or of what one has put aside: neither is listed. */
bool scry_remote_is_replacement(const char *name);

#endif
