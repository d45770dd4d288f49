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

/* The name to list for a collection: an alias that scry made for it, owned; NULL: it is the unfinished replacement of one. */
char *scry_remote_listed_name(scry_milvus *m, const char *name);

/* Create a collection whose name is an alias: of NAME__a, later of NAME__b. */
int scry_remote_create_with_alias(scry_remote *s, scry_milvus *m, const scry_milvus_schema *schema, scry_error *err) SCRY_NODISCARD;

/* Drop a collection, and the alias where `name` is one. */
int scry_remote_drop(scry_milvus *m, const char *name, const char *where, scry_error *err) SCRY_NODISCARD;

#endif
