/* remote_foreign.h - collections that another program made: a key and a vector, no paths.
 *
 * The tutorial's Python code makes such a one: INT64 id, FLOAT_VECTOR, metric L2. It can be
 * searched; what its keys stand for comes from a map (id -> path) and from the sidecar.
 * Where the key is an INT64 that the client chooses and nothing else is demanded, pictures
 * can be added: the key is then 63 bits of the SHA-256 of the picture's path, so that adding
 * again replaces. Filters, labels, copies and verification need fields it does not have.
 * A file's id is eight zero bytes and the key.
 */
#ifndef SCRY_STORE_REMOTE_FOREIGN_H
#define SCRY_STORE_REMOTE_FOREIGN_H

#include "store/remote_internal.h"

void scry_remote_foreign_free(scry_remote_foreign *f);

/* Recognise the collection; key types are checked here, before anything is sent: Milvus 2.3
 * acknowledges a wrong one and dies of it for good. */
int scry_remote_foreign_take(scry_remote *s, const scry_milvus_schema *schema, const scry_store_options *o,
                             scry_error *err) SCRY_NODISCARD;

int scry_remote_foreign_root(scry_remote *s, const char *path, scry_root *out, scry_error *err) SCRY_NODISCARD;
int scry_remote_foreign_state(scry_remote *s, const uint8_t *root, const char *relative, scry_file_state *out,
                              scry_error *err) SCRY_NODISCARD;
int scry_remote_foreign_put(scry_remote *s, const scry_put *items, size_t n, scry_error *err) SCRY_NODISCARD;
int scry_remote_foreign_remove(scry_remote *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed,
                               scry_error *err) SCRY_NODISCARD;
int scry_remote_foreign_get(scry_remote *s, const uint8_t *id, scry_results **out, scry_error *err) SCRY_NODISCARD;

/* The files that scry added itself, by path. */
int scry_remote_foreign_each(scry_remote *s, const scry_filter_node *filter, const uint8_t *after,
                             int (*each)(void *, const scry_file *), void *arg, scry_error *err) SCRY_NODISCARD;

/* Row i of a search's answer as a file. */
int scry_remote_foreign_row(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, size_t i,
                            scry_error *err) SCRY_NODISCARD;

/* ---- the sidecar's statements (remote_side.c) ---- */

/* `types`: i int64_t, t text, b bytes and their int number. */
int scry_remote_side_start(scry_remote *s, const char *sql, sqlite3_stmt **out, scry_error *err, const char *types,
                           ...) SCRY_NODISCARD;
int scry_remote_side_step(scry_remote *s, sqlite3_stmt *st, scry_error *err) SCRY_NODISCARD;
char *scry_remote_side_text(sqlite3_stmt *st, int column);   /* owned */

#endif
