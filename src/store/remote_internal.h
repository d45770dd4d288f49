/* remote_internal.h - the store on Milvus: one collection, a row for each file.
 *
 * Fields of a row (all made by scry, see remote_schema.c): id (hex, the key), content (hex
 * hash), root (hex), path (below the root, escaped), size, mtime_ns, time, has_time,
 * camera, has_position, latitude, longitude, format, width, height, key, labels, vector.
 * The model's identity and the roots are properties of the collection: "scry.model_identity",
 * "scry.root.HEX" = path. What Milvus has no place for (bad files) is in the sidecar.
 *
 * remote.c          open, close, info             remote_put.c    rows sent
 * remote_schema.c   the collection made, checked   remote_read.c   rows looked up, walked
 * remote_roots.c    roots                          remote_search.c search
 * remote_row.c      rows to files                  remote_side.c   the sidecar
 * remote_foreign.c  collections of other programs  remote_range.c  rows by ranges of ids
 * remote_index.c    its index
 *
 * Thread rule as store.h has it: searches run at once, each on a connection of its own taken
 * from a pool; everything a writer changes is guarded by `lock`.
 */
#ifndef SCRY_STORE_REMOTE_INTERNAL_H
#define SCRY_STORE_REMOTE_INTERNAL_H

#include "milvus/milvus.h"
#include "store/filter_milvus.h"
#include "store/store_internal.h"

#include <pthread.h>
#include <sqlite3.h>

enum {
    SCRY_REMOTE_IDLE = 64,              /* connections kept for the next call */
    SCRY_REMOTE_HEX_ID = 2 * SCRY_ID_BYTES + 1,
    SCRY_REMOTE_HEX_HASH = 2 * SCRY_HASH_BYTES + 1,
    SCRY_REMOTE_PARTITION = SCRY_REMOTE_HEX_ID + 5,
    SCRY_REMOTE_FILTER_BYTES = 1 << 20,
    SCRY_REMOTE_READ_PATIENCE_MS = 15000,
    SCRY_REMOTE_WRITE_PATIENCE_MS = 180000,  /* a killed server of 2.3 takes up to 55 s to come back */
    SCRY_REMOTE_JOB_MS = 3600000             /* load, index build */
};

/* Roots as an immutable list, replaced as a whole and kept while somebody reads it. */
typedef struct scry_remote_roots {
    size_t count, users;
    char **ids, **paths;                /* hex; as they are (unescaped) */
} scry_remote_roots;

typedef struct scry_remote_state scry_remote_state;     /* remote_state.c */
typedef struct scry_remote_foreign scry_remote_foreign; /* remote_foreign.c */

typedef struct scry_remote {
    scry_store base;                    /* first */
    char *where, *name;
    scry_store_mode mode;
    char *user, *password, *token, *ca_file;
    scry_milvus_options options;        /* its strings are those above */
    scry_milvus_consistency consistency;    /* of searches */
    char *vector_field;
    int ef, nprobe;                     /* of searches */
    char index_type[32], metric[16];
    char *identity, *model_name, *precision;
    scry_milvus_wait wait;              /* for index, load and flush; tells the caller */
    void (*notice)(void *arg, const char *text);   /* with wait.arg; NULL: nobody */
    bool partitions;                    /* one for each root, named by scry_remote_partition */
    scry_remote_foreign *foreign;       /* NULL for a collection of scry's */

    pthread_mutex_t lock;               /* guards the rest */
    scry_milvus *idle[SCRY_REMOTE_IDLE];
    size_t idle_count;
    uint64_t last_write;                /* Milvus's timestamp of our last write: later reads see it */
    uint64_t seen_write;                /* the one that every reader sees */
    uint64_t unflushed;                 /* rows written since the last flush */
    scry_remote_roots *roots;
    scry_remote_state *state;           /* what the incremental comparison knows */
    sqlite3 *side;                      /* NULL until something is in it */
    char *side_path;
    char *lent, *lent_root;             /* strings lent by has_content and add_root */
} scry_remote;

/* ---- connections (remote.c) ---- */

int scry_remote_take(scry_remote *s, scry_milvus **out, scry_error *err) SCRY_NODISCARD;
void scry_remote_give(scry_remote *s, scry_milvus *m);   /* NULL is legal */

/* After a call failed: whether the collection was not loaded (a restarted server) and now is,
 * so that the call is worth another try. */
bool scry_remote_revived(scry_remote *s, scry_milvus *m, double deadline_ms);

int scry_remote_query(scry_remote *s, scry_milvus *m, const scry_milvus_query *q, scry_milvus_rows **out,
                      scry_error *err) SCRY_NODISCARD;

/* Exact number of rows that pass an expression. */
int scry_remote_count(scry_remote *s, scry_milvus *m, const char *filter, scry_milvus_consistency consistency,
                      int64_t *out, scry_error *err) SCRY_NODISCARD;

/* Lookups see what this process wrote; without writes they are as fresh as Bounded. */
scry_milvus_consistency scry_remote_freshness(scry_remote *s);

/* Wait until every reader sees what was written so far. */
int scry_remote_catch_up(scry_remote *s, scry_milvus *m, scry_error *err) SCRY_NODISCARD;

int scry_remote_check_writable(const scry_remote *s, scry_error *err) SCRY_NODISCARD;
int scry_remote_check_native(const scry_remote *s, const char *what, scry_error *err) SCRY_NODISCARD;

/* ---- roots ---- */

int scry_remote_load_roots(scry_remote *s, const scry_milvus_schema *schema, scry_error *err) SCRY_NODISCARD;
scry_remote_roots *scry_remote_roots_hold(scry_remote *s);
void scry_remote_roots_release(scry_remote *s, scry_remote_roots *r);   /* NULL is legal */

/* "root_HEX": names of partitions do not begin with digits. */
const char *scry_remote_partition(const char *root, char out[SCRY_REMOTE_PARTITION]);

/* ---- schema ---- */

/* Make sure of the collection, its index and that it is loaded; fill identity, dim, roots. */
int scry_remote_prepare(scry_remote *s, scry_milvus *m, const scry_store_options *o, scry_error *err) SCRY_NODISCARD;

/* Tell the user, who may not be listening. */
void scry_remote_notice(const scry_remote *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- index (remote_index.c) ---- */

/* "ef=64,nprobe=16": how searches go. */
int scry_remote_parse_search(scry_remote *s, const char *text, scry_error *err) SCRY_NODISCARD;

/* Make the index where it is absent, or another one than was asked for if opened to CREATE; load. */
int scry_remote_index_and_load(scry_remote *s, scry_milvus *m, const scry_store_options *o, scry_error *err) SCRY_NODISCARD;

/* ---- rows ---- */

/* Fields to ask for so that scry_remote_row can make a file of each row. */
extern const char *const scry_remote_file_fields[];
enum { SCRY_REMOTE_FILE_FIELDS = 17 };

/* A file out of an answer's row; its strings are kept until the next row or dispose. */
typedef struct scry_remote_row {
    scry_file file;
    char *text;                         /* its strings, one after the other */
    const char **labels;
    scry_remote_roots *roots;           /* held */
    const scry_milvus_rows *rows;       /* whose columns these are, found once */
    const scry_milvus_column *columns[SCRY_REMOTE_FILE_FIELDS];
} scry_remote_row;

int scry_remote_row_read(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, size_t i,
                         scry_error *err) SCRY_NODISCARD;
void scry_remote_row_dispose(scry_remote *s, scry_remote_row *row);

/* ---- walking ---- */

/* All rows that pass `filter` (an expression, "" for all) in pages, in no order: `each` gets every
 * page. Strong: sees everything acknowledged so far. `row_bytes` bounds the size of a page. */
int scry_remote_scan(scry_remote *s, const char *filter, const char *const *fields, size_t field_count, size_t row_bytes,
                     int (*each)(void *arg, const scry_milvus_rows *page, scry_error *err), void *arg,
                     scry_error *err) SCRY_NODISCARD;

/* The same for the rows of a range of ids, without counting them first: pages come in order of their
 * ranges. A positive return of `each` stops, and is returned. */
int scry_remote_scan_range(scry_remote *s, scry_id_range range, const char *const *fields, size_t field_count,
                           size_t row_bytes, int (*each)(void *arg, const scry_milvus_rows *page, scry_error *err),
                           void *arg, scry_error *err) SCRY_NODISCARD;

/* `id in ["..", ..]` appended to `out`; hex ids. */
void scry_remote_in_list(scry_buf *out, const char *field, const char *const *texts, size_t n);

/* The roots that files which pass the filter can be of: `may` is [roots->count]; how many. */
size_t scry_remote_filter_roots(const scry_remote_roots *roots, const scry_filter_node *f, bool *may);

/* A filter's expression with the roots of now, and its cameras asked for if needed. */
int scry_remote_filter(scry_remote *s, scry_milvus *m, const scry_filter_node *f, scry_buf *out,
                       scry_milvus_cover *cover, scry_error *err) SCRY_NODISCARD;

/* ---- the incremental comparison (remote_state.c) ---- */

void scry_remote_state_free(scry_remote_state *st);
void scry_remote_state_put(scry_remote *s, const uint8_t *id, const scry_file *file);
/* true: certainly no file of the collection has this content. */
bool scry_remote_state_lacks(scry_remote *s, const uint8_t *hash);
void scry_remote_state_drop(scry_remote *s, const uint8_t *id);
/* Whether there is a row of this id: what the comparison knows, else the server is asked. */
int scry_remote_has_row(scry_remote *s, const uint8_t *root, const uint8_t *id, bool *out, scry_error *err) SCRY_NODISCARD;

/* ---- sidecar ---- */

int scry_remote_side_open(scry_remote *s, bool create, scry_error *err) SCRY_NODISCARD;
int scry_remote_side_put(scry_remote *s, const uint8_t *id, const uint8_t *root, const char *relative, int64_t size,
                         int64_t mtime_ns, const char *reason, scry_error *err) SCRY_NODISCARD;
/* 1 when there is one. */
int scry_remote_side_get(scry_remote *s, const uint8_t *id, int64_t *size, int64_t *mtime_ns, scry_error *err) SCRY_NODISCARD;
/* Forget by id: 1 when there was one. */
int scry_remote_side_drop(scry_remote *s, const uint8_t *id, scry_error *err) SCRY_NODISCARD;
/* Bad files of the root `from` (hex) become those of `to`, their paths below `prefix`. */
int scry_remote_side_move(scry_remote *s, const char *from, const uint8_t *to, const char *prefix, scry_error *err) SCRY_NODISCARD;
int scry_remote_side_count(scry_remote *s, uint64_t *out, scry_error *err) SCRY_NODISCARD;

/* ---- operations of store.h, one for each ---- */

int scry_remote_add_root(scry_store *s, const char *path, scry_root *out, scry_error *err);
int scry_remote_move_root(scry_store *s, const char *old_path, const char *new_path, scry_error *err);
int scry_remote_each_root(scry_store *s, int (*each)(void *, const scry_root *), void *arg, scry_error *err);
int scry_remote_put_root(scry_store *s, const scry_root *root, scry_error *err);
int scry_remote_each_in_range(scry_store *s, scry_id_range range, bool vectors,
                              int (*each)(void *, const scry_file *, const float *), void *arg, scry_error *err);
int scry_remote_file_state(scry_store *s, const uint8_t *root, const char *relative, scry_file_state *out,
                           scry_error *err);
int scry_remote_has_content(scry_store *s, const uint8_t *hash, scry_file *out, scry_error *err);
int scry_remote_put(scry_store *s, const scry_put *batch, size_t n, scry_error *err);
int scry_remote_put_bad(scry_store *s, const uint8_t *root, const char *relative, int64_t size, int64_t mtime_ns,
                        const char *reason, scry_error *err);
int scry_remote_remove(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed, scry_error *err);
int scry_remote_get(scry_store *s, const uint8_t *id, scry_results **out, scry_error *err);
int scry_remote_vector(scry_store *s, const uint8_t *hash, float *out, scry_error *err);
int scry_remote_each_file(scry_store *s, const scry_filter_node *filter, const uint8_t *after,
                          int (*each)(void *, const scry_file *), void *arg, scry_error *err);
int scry_remote_each_bad(scry_store *s, int (*each)(void *, const char *, int64_t, int64_t, const char *), void *arg,
                         scry_error *err);
int scry_remote_search_many(scry_store *s, const float *queries, size_t n, const scry_search *search, scry_results **out,
                            scry_error *err);
int scry_remote_verify(scry_store *s, scry_verify_report *out, void (*problem)(void *, const char *), void *arg,
                       scry_error *err);

#endif
