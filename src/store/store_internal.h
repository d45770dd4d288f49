/* store_internal.h - what the kinds of stores share: the table of operations behind
 * scry_store, and the builder of results.
 *
 * store.c checks arguments and dispatches; local_*.c is the embedded store, remote*.c
 * the Milvus one. A kind embeds `struct scry_store` as its first member.
 */
#ifndef SCRY_STORE_INTERNAL_H
#define SCRY_STORE_INTERNAL_H

#include "scry/store.h"

/* One entry for each function of store.h, with the same contract. */
typedef struct scry_store_kind {
    int (*close)(scry_store *s, scry_error *err);
    int (*sync)(scry_store *s, scry_error *err);
    int (*refresh)(scry_store *s, scry_error *err);
    int (*get_info)(scry_store *s, scry_store_info *out, scry_error *err);
    void (*describe)(scry_store *s, scry_store_info *out);   /* NULL: get_info is as good */
    int (*add_root)(scry_store *s, const char *path, scry_root *out, scry_error *err);
    int (*move_root)(scry_store *s, const char *old_path, const char *new_path, scry_error *err);
    int (*roots)(scry_store *s, int (*each)(void *, const scry_root *), void *arg, scry_error *err);
    int (*put_root)(scry_store *s, const scry_root *root, scry_error *err);
    int (*file_state)(scry_store *s, const uint8_t *root, const char *relative,
                      scry_file_state *out, scry_error *err);
    int (*has_content)(scry_store *s, const uint8_t *hash, scry_file *out, scry_error *err);
    int (*put)(scry_store *s, const scry_put *batch, size_t n, scry_error *err);
    int (*put_bad)(scry_store *s, const uint8_t *root, const char *relative, int64_t size,
                   int64_t mtime_ns, const char *reason, scry_error *err);
    int (*remove)(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed,
                  scry_error *err);
    int (*get)(scry_store *s, const uint8_t *id, scry_results **out, scry_error *err);
    int (*vector)(scry_store *s, const uint8_t *hash, float *out, scry_error *err);
    int (*each_file)(scry_store *s, const scry_filter_node *filter, const uint8_t *after,
                     int (*each)(void *, const scry_file *), void *arg, scry_error *err);
    int (*each_in_range)(scry_store *s, scry_id_range range, bool vectors,
                         int (*each)(void *, const scry_file *, const float *), void *arg, scry_error *err);
    int (*each_bad)(scry_store *s, int (*each)(void *, const char *, int64_t, int64_t, const char *),
                    void *arg, scry_error *err);
    int (*search_many)(scry_store *s, const float *queries, size_t n, const scry_search *search,
                       scry_results **out, scry_error *err);
    int (*verify)(scry_store *s, scry_verify_report *out, void (*problem)(void *, const char *),
                  void *arg, scry_error *err);
    int (*compact)(scry_store *s, scry_error *err);
} scry_store_kind;

struct scry_store {
    const scry_store_kind *kind;
    int dim;
};

/* A folder. */
int scry_local_open(scry_store **out, const char *where, const scry_store_options *options,
                    scry_error *err) SCRY_NODISCARD;
int scry_local_collections(const char *where, int (*each)(void *arg, const char *name), void *arg,
                           scry_error *err) SCRY_NODISCARD;
int scry_local_drop(const char *where, const char *name, scry_error *err) SCRY_NODISCARD;

/* Entry points of the part "milvus" (base/part.h), which store.c opens when it is needed:
 * scry_remote_open, scry_remote_collections, scry_remote_drop. */
typedef int scry_remote_open_fn(scry_store **out, const char *where, const scry_store_options *options,
                                scry_error *err);
typedef int scry_remote_collections_fn(const char *where, int (*each)(void *arg, const char *name),
                                       void *arg, scry_error *err);
typedef int scry_remote_drop_fn(const char *where, const char *name, scry_error *err);

/* The refusal of a model, given in `o`, that is not the collection's. */
int scry_store_other_model(const char *collection, const char *built_name, const char *built_identity,
                           const scry_store_options *o, scry_error *err);

/* ---- results ---- */

/* Results own every string of their hits. */
scry_results *scry_results_new(void);

/* Append a hit; the strings and labels of `file` are copied. */
void scry_results_add(scry_results *r, double score, const scry_file *file, uint64_t copies);

/* Without its hits; `scanned` stays. */
void scry_results_clear(scry_results *r);

/* Note that the content of file `id` is folded into hit `i`. */
void scry_results_fold(scry_results *r, size_t i, const uint8_t id[SCRY_ID_BYTES]);

/* Hits of a ranking to look at first so that `end` are shown after folding and the next
 * SCRY_FOLD_AHEAD are known; deeper looks take four times as many. */
enum { SCRY_FOLD_AHEAD = 256 };
size_t scry_fold_depth(size_t end);

/* `root` + "/" + `relative`, or their obvious form for the root "/". Owned by the caller. */
char *scry_store_join(const char *root, const char *relative);

#endif
