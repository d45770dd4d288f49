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

typedef struct scry_remote_mapped {
    int64_t number;
    char *path;
} scry_remote_mapped;

/* Used by remote_external.c and remote_paths.c only. */
struct scry_remote_external {
    char *key;               /* name of the primary field */
    bool numbers;            /* it is an INT64 */
    char *why_not;           /* why nothing can be added; NULL: it can */
    char *path_field;        /* NULL: no field has paths */
    bool path_is_dynamic;    /* it is a key of the JSON of each row */
    char *summary;           /* for scry_store_info.external; NULL until it is asked for */
    scry_remote_mapped *map; /* [map_count], by number */
    size_t map_count;
};

void scry_remote_external_free(scry_remote_external *e);   /* NULL is legal */

/* Make `s` a store of this kind, or refuse the collection. Types of fields are checked here, before
 * any row is sent: Milvus 2.3 acknowledges a row of the wrong type and then crashes permanently. */
int scry_remote_external_open(scry_remote *s, const scry_milvus_schema *schema, const scry_store_options *o,
                              scry_error *err) SCRY_NODISCARD;

/* ---- remote_paths.c ---- */

/* Set the field that has paths: SCRY_EINVALID when `name` is neither a VARCHAR nor can be dynamic. */
int scry_remote_set_path_field(scry_remote *s, const scry_milvus_schema *schema, const char *name, scry_error *err) SCRY_NODISCARD;

/* The path in row i of an answer that has the field, owned; NULL: the row has none. */
char *scry_remote_path_in(const scry_remote *s, const scry_milvus_rows *rows, size_t i);

/* The path in the row of a key, owned; *out is NULL when there is none. */
int scry_remote_path_of(scry_remote *s, int64_t number, char **out, scry_error *err) SCRY_NODISCARD;

/* The vector of a row, [dim], scaled to unit length. SCRY_ENOTFOUND: no such row. */
int scry_remote_vector_of(scry_remote *s, int64_t number, float *out, scry_error *err) SCRY_NODISCARD;

/* The column of paths to send, of paths that outlive it; its strings are owned when the field is dynamic: free them with
 * scry_remote_path_column_free. */
scry_milvus_column scry_remote_path_column(const scry_remote *s, char *const *paths, size_t n);
void scry_remote_path_column_free(const scry_remote *s, scry_milvus_column *column, size_t n);

/* Say it when scores are not cosines: vectors that are not of unit length, compared by L2 or IP. */
int scry_remote_check_units(scry_remote *s, scry_milvus *m, scry_error *err) SCRY_NODISCARD;

/* For scry_store_info.external: what is known of the collection; borrowed. */
const char *scry_remote_external_summary(scry_remote *s);

#endif
