/* remote_external.h - collections that another program made: a key and a vector, no paths.
 *
 * The tutorial's Python code makes such a collection: INT64 id, FLOAT_VECTOR, metric L2. It can be
 * searched; a map (id -> path) and the sidecar have the file of each key. Pictures can be added
 * where the client chooses an INT64 key and no other field is required: the key is then 63 bits of the
 * SHA-256 of the picture's path, so that adding it again replaces the row. Filters, labels, copies and
 * verification need fields that such a collection does not have. A file's id is eight zero bytes and
 * the key. Its operations are scry_remote_external_kind.
 */
#ifndef SCRY_STORE_MILVUS_REMOTE_EXTERNAL_H
#define SCRY_STORE_MILVUS_REMOTE_EXTERNAL_H

#include "store/milvus/remote_internal.h"

void scry_remote_external_free(scry_remote_external *e);   /* NULL is legal */

/* Make `s` a store of this kind, or refuse the collection. Types of fields are checked here, before
 * any row is sent: Milvus 2.3 acknowledges a row of the wrong type and then crashes permanently. */
int scry_remote_external_open(scry_remote *s, const scry_milvus_schema *schema, const scry_store_options *o,
                              scry_error *err) SCRY_NODISCARD;

#endif
