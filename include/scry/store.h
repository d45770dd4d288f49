/* store.h - where vectors and what is known of the pictures are kept.
 *
 * Two entities. A *content* is a picture's bytes (their SHA-256) with its unit vector
 * and what its headers tell. A *file* is a place where such bytes lie: root, relative
 * path, size, mtime, labels. A file moved or copied is a new file, not a new content.
 *
 *     scry_store *s;
 *     scry_store_open(&s, "~/.local/share/scry", &options, &err);
 *     scry_store_search(s, query, &search, &results, &err);
 *     for (size_t i = 0; i < results->count; i++)
 *         printf("%.3f %s\n", results->hits[i].score, results->hits[i].file.path);
 *     scry_results_free(results);
 *     scry_store_close(s, &err);
 *
 * The same interface for an embedded store (a folder) and a Milvus server
 * ("milvus://host:19530/database").
 *
 * Thread rule: any number of threads may search and read one open store at once; writes
 * (put, remove, roots) come from one thread at a time. One writing process at a time;
 * readers in other processes see everything committed when they opened or last refreshed.
 */
#ifndef SCRY_STORE_H
#define SCRY_STORE_H

#include "scry/error.h"
#include "scry/filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SCRY_ID_BYTES = 16, SCRY_HASH_BYTES = 32 };

typedef struct scry_store scry_store;

typedef enum { SCRY_STORE_READ, SCRY_STORE_WRITE, SCRY_STORE_CREATE } scry_store_mode;

/* What only a store on Milvus takes. NULL and 0 mean the default. */
typedef struct scry_milvus_choice {
    const char *index;            /* of a collection that is made: "flat" (exact, the default),
                                     "hnsw:M=16,efConstruction=200", "ivf_flat:nlist=512",
                                     "ivf_sq8:nlist=512", "autoindex" */
    const char *search;           /* of its searches: "ef=64", "nprobe=16" */
    const char *consistency;      /* of searches: "bounded" (the default), "strong", "session", "eventually" */
    bool partitions;              /* of a collection that is made: each root in a partition of its own */
    /* For a collection that another program made: */
    const char *vector_field;     /* NULL: its only vector field */
    const char *id_field;         /* NULL: its primary key */
    const int64_t *map_ids;       /* what its keys stand for: [map_count] */
    const char *const *map_paths;
    size_t map_count;
    /* Told while the server builds an index, loads or flushes, which takes it seconds to hours; NULL:
     * nobody. A non-zero return stops waiting with SCRY_ECANCELLED. `arg` lives as long as the store. */
    int (*waiting)(void *arg, const char *stage, int percent);
    void (*notice)(void *arg, const char *text);   /* something to be told, in one line; NULL: nobody */
    void *waiting_arg;            /* of both */
} scry_milvus_choice;

typedef struct scry_store_options {
    const char *collection;       /* NULL: "default" */
    scry_store_mode mode;         /* CREATE: make store and collection where absent, then write */
    const char *model_identity;   /* hex; needed to CREATE; checked where given and stored: another
                                     one is SCRY_EINVALID naming both and how to re-index */
    const char *model_name;       /* recorded beside it */
    const char *precision;        /* recorded: "bf16" */
    int dim;
    int threads;                  /* of the scan; 0 = all processors */
    scry_milvus_choice milvus;
} scry_store_options;

#define SCRY_STORE_OPTIONS_INIT { NULL, SCRY_STORE_READ, NULL, NULL, NULL, 0, 0, \
    { NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL } }

int scry_store_open(scry_store **out, const char *where, const scry_store_options *options,
                    scry_error *err) SCRY_NODISCARD;

/* Commit, checkpoint, release. The store is gone afterwards whatever is returned. */
int scry_store_close(scry_store *s, scry_error *err);

/* Make everything put so far durable and visible to readers: a flush on Milvus. An embedded store
 * is so after every put. */
int scry_store_sync(scry_store *s, scry_error *err) SCRY_NODISCARD;

/* See what writers in other processes committed since; cheap when nothing changed. */
int scry_store_refresh(scry_store *s, scry_error *err) SCRY_NODISCARD;

typedef struct scry_store_info {
    const char *where, *collection;   /* borrowed from the store, like all strings here */
    const char *model_identity, *model_name, *precision;
    int dim;
    uint64_t files, contents, bad_files;
    bool contents_estimated;          /* `contents` is right to about a percent: a server cannot count them */
    uint64_t bytes;                   /* on disk; 0 when not known */
} scry_store_info;

int scry_store_get_info(scry_store *s, scry_store_info *out, scry_error *err) SCRY_NODISCARD;

/* The same without the counts and bytes, which a server takes seconds for: never asks anybody. */
void scry_store_describe(scry_store *s, scry_store_info *out);

/* Names of the collections at `where`: called back in order; a non-zero return stops. */
int scry_store_collections(const char *where, int (*each)(void *arg, const char *name), void *arg,
                           scry_error *err) SCRY_NODISCARD;
int scry_store_drop_collection(const char *where, const char *name, scry_error *err) SCRY_NODISCARD;

/* ---- roots ---- */

typedef struct scry_root {
    uint8_t id[SCRY_ID_BYTES];   /* fixed when made: hash of its canonical path then */
    const char *path;            /* where it is now */
    uint64_t files;
} scry_root;

/* The root that `path` (absolute, canonical) lies in, made when there is none. Roots below
 * `path` are taken in: their files become files of the new root. */
int scry_store_add_root(scry_store *s, const char *path, scry_root *out, scry_error *err) SCRY_NODISCARD;
int scry_store_move_root(scry_store *s, const char *old_path, const char *new_path, scry_error *err) SCRY_NODISCARD;
int scry_store_roots(scry_store *s, int (*each)(void *arg, const scry_root *root), void *arg,
                     scry_error *err) SCRY_NODISCARD;

/* Make a root under the id that it has in another store, at root->path. A root of that id that is
 * there already stays where it is; a path that overlaps another root is SCRY_EINVALID. */
int scry_store_put_root(scry_store *s, const scry_root *root, scry_error *err) SCRY_NODISCARD;

/* First 128 bits of SHA-256(root id, relative path): the id of a file in every store. */
void scry_file_id(const uint8_t root[SCRY_ID_BYTES], const char *relative, uint8_t out[SCRY_ID_BYTES]);

/* ---- files ---- */

typedef struct scry_file {
    uint8_t id[SCRY_ID_BYTES];
    uint8_t root[SCRY_ID_BYTES];
    const char *relative;        /* path below the root: bytes without zero, not always UTF-8 */
    const char *path;            /* root's present path + "/" + relative; set by the store on reading */
    int64_t size;
    int64_t mtime_ns;
    uint8_t content[SCRY_HASH_BYTES];
    int width, height;
    const char *format;          /* "jpeg" */
    bool has_time, has_position;
    int64_t taken_at;            /* EXIF, seconds since 1970 */
    double latitude, longitude;
    const char *camera;          /* "" when unknown */
    const char *key;             /* CSV id; "" when none */
    const char *const *labels;   /* CSV labels */
    size_t label_count;
} scry_file;

/* What a run compares to tell changed files from unchanged ones. */
typedef struct scry_file_state {
    bool known;                  /* a file row, or a remembered bad file, exists */
    bool bad;                    /* remembered as unreadable with this size and mtime */
    int64_t size, mtime_ns;
    uint8_t content[SCRY_HASH_BYTES];
} scry_file_state;

int scry_store_file_state(scry_store *s, const uint8_t root[SCRY_ID_BYTES], const char *relative,
                          scry_file_state *out, scry_error *err) SCRY_NODISCARD;

/* 1 when the content has a vector, 0 when not; then `out` (may be NULL) gets the fields of the
 * picture (width ... camera), strings borrowed until the next call on this store. */
int scry_store_has_content(scry_store *s, const uint8_t hash[SCRY_HASH_BYTES], scry_file *out,
                           scry_error *err) SCRY_NODISCARD;

typedef struct scry_put {
    scry_file file;              /* id and path are ignored: the store makes them */
    const float *vector;         /* [dim] unit; NULL: the content is known already */
} scry_put;

/* Add or replace files, one transaction: after it returns 0 they survive a crash of the
 * process and, in an embedded store, a power cut. A file that was bad is bad no more. A file
 * whose content changes leaves its old content, which is dropped with its last file. */
int scry_store_put(scry_store *s, const scry_put *batch, size_t n, scry_error *err) SCRY_NODISCARD;

/* Remember that this file could not be used, until its size or mtime changes. A row it had goes. */
int scry_store_put_bad(scry_store *s, const uint8_t root[SCRY_ID_BYTES], const char *relative,
                       int64_t size, int64_t mtime_ns, const char *reason, scry_error *err) SCRY_NODISCARD;

/* Forget files (and remembered bad ones) by id; unknown ids are no error. `removed` may be NULL. */
int scry_store_remove(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed,
                      scry_error *err) SCRY_NODISCARD;

/* One file by id: SCRY_ENOTFOUND when there is none. Strings of `out` live in *results, which the
 * caller frees; it holds that one hit. */
typedef struct scry_results scry_results;
int scry_store_get(scry_store *s, const uint8_t id[SCRY_ID_BYTES], scry_results **out, scry_error *err) SCRY_NODISCARD;

/* The stored vector of a content, widened to float: `out` is [dim]. */
int scry_store_vector(scry_store *s, const uint8_t hash[SCRY_HASH_BYTES], float *out, scry_error *err) SCRY_NODISCARD;

/* All files that pass the filter, in order of root and relative path, starting after `after`
 * (NULL: from the start; a file's id). The file is borrowed for the call; non-zero stops. */
int scry_store_each_file(scry_store *s, const scry_filter_node *filter, const uint8_t *after,
                         int (*each)(void *arg, const scry_file *file), void *arg, scry_error *err) SCRY_NODISCARD;

/* A part of a collection: the files whose id's first four bytes, read as a big-endian number, lie in
 * [first, end); end is at most 2^32. Ids are hashes: equal ranges hold about equally many files. */
typedef struct scry_id_range {
    uint64_t first, end;
} scry_id_range;

/* All files of a range in order of id, each with the stored vector of its content, [dim], or NULL
 * unless `vectors`. Borrowed for the call, which may write to another store; non-zero stops. */
int scry_store_each_in_range(scry_store *s, scry_id_range range, bool vectors,
                             int (*each)(void *arg, const scry_file *file, const float *vector), void *arg,
                             scry_error *err) SCRY_NODISCARD;

int scry_store_each_bad(scry_store *s, int (*each)(void *arg, const char *path, int64_t size,
                        int64_t mtime_ns, const char *reason), void *arg, scry_error *err) SCRY_NODISCARD;

/* ---- search ---- */

typedef struct scry_search {
    const scry_filter_node *filter;   /* NULL: everything */
    size_t limit, offset;
    double min_score;                 /* cosine; -2 (the default) cuts nothing */
    bool all_copies;                  /* a hit for each file instead of each content */
    double fold;                      /* in (0, 1]: a content whose vector has at least this cosine with a better
                                         hit's is folded into that; 0: none is. Not with all_copies. */
    bool approximate;                 /* an embedded store of 65,536 contents or more: look closely only at the few
                                         per cent that one bit a dimension promises most of */
} scry_search;

#define SCRY_SEARCH_INIT { NULL, 10, 0, -2.0, false, 0.0, false }

/* What to fold from when nothing else is known: with the bundled model 95 of 100 pictures are this near to
 * themselves less a margin of 3 %, and no two of the demo's gallery are (0.90 at most). */
#define SCRY_FOLD_AUTO 0.95

/* With fold, this many of the ranking are looked at; there it ends. Of the folded, so many ids are told. */
enum { SCRY_FOLD_RANKED = 20000, SCRY_FOLDED_IDS = 100 };

typedef struct scry_hit {
    double score;          /* cosine of the query and the stored vector */
    scry_file file;        /* the first by path of the content's files that pass the filter */
    uint64_t copies;       /* other files of the same content that pass the filter */
    uint64_t folded;       /* contents that search.fold folded into this one, as far as the ranking was looked at:
                              at least 256 hits past these results */
    const uint8_t (*folded_ids)[SCRY_ID_BYTES];   /* of their files, best first: [min(folded, SCRY_FOLDED_IDS)] */
} scry_hit;

struct scry_results {
    size_t count;
    const scry_hit *hits;  /* best first; equal scores by path */
    bool has_more;         /* further hits follow these */
    uint64_t scanned;      /* contents that passed the filter */
};

/* The nearest pictures: exact over the stored vectors (equal to brute force in double precision;
 * scores within 1e-6 count as ties). `query` is [dim], unit. */
int scry_store_search(scry_store *s, const float *query, const scry_search *search,
                      scry_results **out, scry_error *err) SCRY_NODISCARD;

/* Many queries in one pass over the vectors: queries [n, dim], out [n]. */
int scry_store_search_many(scry_store *s, const float *queries, size_t n, const scry_search *search,
                           scry_results **out, scry_error *err) SCRY_NODISCARD;
void scry_results_free(scry_results *r);

/* ---- care ---- */

typedef struct scry_verify_report {
    uint64_t files, contents, problems;
} scry_verify_report;

/* Check that every file has its content, every content its vector with the right checksum, and
 * that derived caches agree. Each problem is told to `problem` (one line). */
int scry_store_verify(scry_store *s, scry_verify_report *out, void (*problem)(void *arg, const char *text),
                      void *arg, scry_error *err) SCRY_NODISCARD;

/* Rewrite the segments without the slots that no content uses any more (a new generation). */
int scry_store_compact(scry_store *s, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
