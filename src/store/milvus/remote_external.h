/* remote_external.h - collections that another program made: a key and a vector, no paths.
 *
 * The tutorial's Python code makes such a collection: INT64 id, FLOAT_VECTOR, metric L2. It can be
 * searched; a map (id -> path) and the sidecar have the file of each key. Pictures can be added
 * where the client chooses an INT64 key and no other field is required: the key is then 63 bits of the
 * SHA-256 of the picture's path, so that adding it again replaces the row. Filters, labels, copies and
 * verification need fields that such a collection does not have. A file's id is eight zero bytes and
 * the key, or half of the SHA-256 of a key that is text. Its operations are scry_remote_external_kind.
 */
#ifndef SCRY_STORE_MILVUS_REMOTE_EXTERNAL_H
#define SCRY_STORE_MILVUS_REMOTE_EXTERNAL_H

#include "store/milvus/remote_internal.h"

typedef struct scry_remote_mapped {
    int64_t number;
    char *path;
} scry_remote_mapped;

typedef struct scry_remote_absent {
    char *name;
    scry_milvus_type type;
} scry_remote_absent;

enum { SCRY_REMOTE_MOST_ABSENT = 60 };   /* Milvus has 64 fields in a collection */

/* Used by remote_external*.c and remote_paths.c only. */
struct scry_remote_external {
    char *key;               /* name of the primary field */
    bool numbers;            /* it is an INT64 */
    scry_remote_absent absent[SCRY_REMOTE_MOST_ABSENT];   /* fields without a value in rows that are added */
    size_t absent_count;
    char *why_not;           /* why nothing can be added; NULL: it can */
    char *path_given;        /* as the user wrote it, NULL: no field has paths; */
    char *path_field;        /* the field of it */
    bool path_is_dynamic;    /* it is a key of the JSON that each row has for dynamic fields */
    bool path_is_json;       /* that, or a JSON field */
    char *path_keys;         /* [path_key_count] under which the path is in its JSON value, with a zero after each */
    size_t path_key_count;
    char *summary;           /* for scry_store_info.external; NULL until it is asked for */
    scry_remote_mapped *map; /* [map_count], by number */
    size_t map_count;
};

void scry_remote_external_free(scry_remote_external *e);   /* NULL is legal */

/* Make `s` a store of this kind, or refuse the collection. Types of fields are checked here, before
 * any row is sent: Milvus 2.3 acknowledges a row of the wrong type and then crashes permanently. */
int scry_remote_external_open(scry_remote *s, const scry_milvus *m, const scry_milvus_schema *schema, const scry_store_options *o,
                              scry_error *err) SCRY_NODISCARD;

/* ---- remote_external_read.c ---- */

/* The key of a row. */
typedef struct scry_remote_key {
    int64_t number;
    char *text;              /* owned; NULL where keys are numbers */
} scry_remote_key;

void scry_remote_key_dispose(scry_remote_key *key);
int64_t scry_remote_number_of_id(const uint8_t id[SCRY_ID_BYTES]);
/* SCRY_ENOTFOUND: no key has that id, or none that this machine has seen. Dispose of *out after failure, too. */
int scry_remote_key_of_id(scry_remote *s, const uint8_t *id, scry_remote_key *out, scry_error *err) SCRY_NODISCARD;
/* Let the ids of these keys be found later; a failure is logged. */
void scry_remote_remember_keys(scry_remote *s, const char *const *keys, size_t n);
/* One field of the row of a key: of one row, or none. */
int scry_remote_find_key(scry_remote *s, const scry_remote_key *key, const char *field, scry_milvus_rows **out,
                         scry_error *err) SCRY_NODISCARD;
void scry_remote_sort_map(scry_remote_external *e);

/* Of scry_remote and of scry_store_kind. Files are in the order of their keys; those that are sampled are the first ones. */
int scry_remote_external_read_row(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, size_t i, scry_error *err);
int scry_remote_external_get(scry_store *base, const uint8_t *id, scry_results **out, scry_error *err);
int scry_remote_external_each_file(scry_store *base, const scry_filter_node *filter, const uint8_t *after,
                                   int (*each)(void *, const scry_file *), void *arg, scry_error *err);
int scry_remote_external_each_sampled(scry_store *base, uint64_t most, int (*each)(void *, const scry_file *), void *arg,
                                      double *share, scry_error *err);

/* ---- remote_paths.c ---- */

/* Set the field that has paths: SCRY_EINVALID when `name` is neither a VARCHAR nor in a JSON field, nor can be dynamic. */
int scry_remote_set_path_field(scry_remote *s, const scry_milvus_schema *schema, const char *name, scry_error *err) SCRY_NODISCARD;

/* The path in row i of an answer that has the field, owned; NULL: the row has none. */
char *scry_remote_path_in(const scry_remote *s, const scry_milvus_rows *rows, size_t i);

/* Of scry_store_kind: the vector of a file, [dim], scaled to unit length. */
int scry_remote_external_vector_of(scry_store *base, const uint8_t *id, float *out, scry_error *err);

/* The column of paths to send, of paths that outlive it; its strings are owned when the field is JSON: free them with
 * scry_remote_path_column_free. */
scry_milvus_column scry_remote_path_column(const scry_remote *s, char *const *paths, size_t n);
void scry_remote_path_column_free(const scry_remote *s, scry_milvus_column *column, size_t n);

/* Say it when scores are not cosines: vectors that are not of unit length, compared by L2 or IP. */
int scry_remote_check_units(scry_remote *s, scry_milvus *m, scry_error *err) SCRY_NODISCARD;

/* For scry_store_info.external: what is known of the collection; borrowed. */
const char *scry_remote_external_summary(scry_remote *s);

#endif
