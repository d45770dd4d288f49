/* store.h - vectors, and what is known about the pictures.
 *
 * Two entities. A *content* is a picture's bytes (their SHA-256) with its unit vector
 * and the fields of its headers. A *file* is one place where these bytes are: root, relative
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

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/filter.h"
#include "scry/metadata.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SCRY_ID_BYTES = 16, SCRY_HASH_BYTES = 32 };

typedef struct scry_store scry_store;

typedef enum { SCRY_STORE_READ, SCRY_STORE_WRITE, SCRY_STORE_CREATE } scry_store_mode;

/* Options of stores on Milvus only. NULL and 0 mean the default. */
typedef struct scry_milvus_choice {
    const char *index;            /* of a new collection: "flat" (exact, the default),
                                     "hnsw:M=16,efConstruction=200", "ivf_flat:nlist=512",
                                     "ivf_sq8:nlist=512", "autoindex", and others: docs/milvus.md */
    const char *search;           /* of its searches: "ef=64", "nprobe=16", "reorder_k=100", "search_list=100" */
    const char *consistency;      /* of searches: "bounded" (the default), "strong", "session", "eventually" */
    bool partitions;              /* of a new collection: each root in a partition of its own */
    /* For a collection that another program made: */
    const char *vector_field;     /* NULL: its only vector field */
    const char *id_field;         /* NULL: its primary key */
    const int64_t *map_ids;       /* [map_count] its keys, and the path of each */
    const char *const *map_paths;
    size_t map_count;
    /* Called while the server builds an index, loads or flushes, which takes seconds to hours, or does not answer; also with each
     * call to it, with a stage of NULL; and with "" when a wait is over. May be NULL. A non-zero return stops waiting with
     * SCRY_ECANCELLED, a call within seconds. `arg` must outlive the store. */
    int (*waiting)(void *arg, const char *stage, int percent);
    void (*notice)(void *arg, const char *text);   /* a message for the user, one line; may be NULL */
    void *waiting_arg;            /* of both */
    const char *path_field;       /* of a collection that another program made: the VARCHAR, dynamic or JSON field with the path of
                                     each picture; NULL: none */
    bool half;                    /* of a new collection: vectors in half precision (FLOAT16_VECTOR), or it is refused: Milvus 2.4
                                     and later have them, and get them unless `single` is set */
    int shards;                   /* of a new collection: over how many its writes are distributed; 0: the server's choice */
    int replicas;                 /* copies in memory of a collection that is loaded: each is searched; 0: one */
    bool alias;                   /* of a new collection: its name is an alias, which a rebuild sets to the new vectors at once */
    bool partition_key;           /* of a new collection: the root is its partition key, instead of `partitions` */
    bool mmap;                    /* of a new collection: its data is mapped from the server's disk, not held in memory */
    const char *resource_group;   /* of a collection that is loaded: the group of query nodes that holds it; NULL: the default */
    bool single;                  /* of a new collection: vectors in single precision (FLOAT_VECTOR), whatever the server has */
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
    { NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, false, 0, 0, false, false, false, NULL, false } }

/* `options` may be NULL: the default collection, for reading. */
int scry_store_open(scry_store **out, const char *where, const scry_store_options *options,
                    scry_error *err) SCRY_NODISCARD;

/* Commit, checkpoint, release. The store is freed whatever is returned. */
int scry_store_close(scry_store *s, scry_error *err);

/* Make everything put so far durable and visible to readers: a flush on Milvus. In an embedded store
 * every put does that already. */
int scry_store_sync(scry_store *s, scry_error *err) SCRY_NODISCARD;

/* Read what writers in other processes have committed since; cheap when nothing changed. SCRY_ENOTFOUND: the collection was
 * dropped, or replaced by another, since it was opened; scry_store_open opens the one that is there now. */
int scry_store_refresh(scry_store *s, scry_error *err) SCRY_NODISCARD;

typedef struct scry_store_info {
    const char *where, *collection;   /* borrowed from the store, as all strings here are */
    const char *model_identity, *model_name, *precision;
    int dim;
    uint64_t files, contents, bad_files;
    bool contents_estimated;          /* `contents` is within about 1 %: a server cannot count them */
    uint64_t bytes;                   /* on disk; 0 when not known */
    bool lacks_details;               /* the collection has no fields for lens, texts, rating and source of the time: on
                                         Milvus, made by scry 0.1.0 */
    uint64_t change;                  /* another number after every commit, as seen by the last search or refresh, and by
                                         scry_store_get_info itself; 0: not known */
    bool finds_words;                 /* the collection has the words of names and texts; on Milvus not where another program or an
                                         earlier scry made it */
    bool keeps_marks;                 /* favourites and the like (marks.h): not in a collection that another program made */
    uint64_t files_change;            /* as `change`, and the same after a commit that changed only marks or paths of roots */
    const char *external;             /* of a collection that another program made: its key, vectors, index, and whether
                                         pictures can be added, in one line; NULL: scry made it */
    bool lacks_words;                 /* it is on Milvus, made by an earlier scry, without words: filters on them compare the files
                                         that a server returns, at most 16,384 of a search */
} scry_store_info;

/* What to do about lacks_words, as SCRY_STORE_DETAILS_ADVICE. */
#define SCRY_STORE_WORDS_ADVICE "copy it into one that has them with `scry store copy --to-collection NEW STORE STORE`"

/* What to do about lacks_details: a part of a sentence, with the commands. */
#define SCRY_STORE_DETAILS_ADVICE \
    "make one that has them with `scry store copy --to-collection NEW STORE STORE`, then `scry index --rebuild-metadata " \
    "--collection NEW PATH` fills them in"

int scry_store_get_info(scry_store *s, scry_store_info *out, scry_error *err) SCRY_NODISCARD;

/* The same without the counts and bytes, which take a server seconds: no request, no query. */
void scry_store_describe(scry_store *s, scry_store_info *out);

/* How many contents have headers that scry 0.1.0 read: times in UTC, no titles, ratings and the like. Reads two whole
 * tables: half a second for a million pictures. 0 of stores that are not embedded. */
int scry_store_count_old_headers(scry_store *s, uint64_t *out, scry_error *err) SCRY_NODISCARD;

/* Whether vectors of that model (its identity, name and dimension) can be compared with those of the collection.
 * SCRY_EINVALID when not, naming both. Of a collection that another program made only the dimension is known. */
int scry_store_check_model(scry_store *s, const char *identity, const char *name, int dim, scry_error *err) SCRY_NODISCARD;

/* Names of the collections at `where`: called back in order; a non-zero return stops. */
int scry_store_collections(const char *where, int (*each)(void *arg, const char *name), void *arg,
                           scry_error *err) SCRY_NODISCARD;
int scry_store_drop_collection(const char *where, const char *name, scry_error *err) SCRY_NODISCARD;

/* ---- replacing ---- */

/* SCRY_EINVALID, saying what to do instead, where this kind of store cannot replace a collection. */
int scry_store_check_replaceable(scry_store *s, scry_error *err) SCRY_NODISCARD;

/* Open a collection that is to replace `s`, for writing, made where it does not exist: `s` is open for writing and can
 * be searched meanwhile; `model` names model, precision and dimension. It is not listed, and a later call continues with
 * what it holds already, unless it was made for another model or `anew`. */
int scry_store_begin_replacement(scry_store **out, scry_store *s, const scry_store_options *model, bool anew,
                                 scry_error *err) SCRY_NODISCARD;

/* Let the replacement take the place of `s`, atomically, and remove what `s` was. Closes both, whatever is returned;
 * after an error `s` is as it was and the replacement can be continued. */
int scry_store_replace(scry_store *s, scry_store *replacement, scry_error *err) SCRY_NODISCARD;

/* Remove an unfinished replacement of `s`, if there is one. */
int scry_store_drop_replacement(scry_store *s, scry_error *err) SCRY_NODISCARD;

/* ---- roots ---- */

typedef struct scry_root {
    uint8_t id[SCRY_ID_BYTES];   /* fixed when made: hash of its canonical path then */
    const char *path;            /* where it is now; "NAME:" of a root with a name that is nowhere on this machine */
    uint64_t files;
    const char *name;            /* of a store on Milvus, as scry_store_roots has it: what machines that mount it in different
                                    places call it; NULL: none */
} scry_root;

/* The root that contains `path` (absolute, canonical), made when there is none. Roots below
 * `path` are merged into it: their files become files of the new root. */
int scry_store_add_root(scry_store *s, const char *path, scry_root *out, scry_error *err) SCRY_NODISCARD;

/* The same for a root that is mounted in different places of several machines, in a store on Milvus, else SCRY_EINVALID: the root
 * called `name`, made when there is none. `path` is that root on this machine, which is remembered here for all collections, or is
 * below it. A root at `path` that has no name gets it. docs/milvus.md, "Many machines". */
int scry_store_name_root(scry_store *s, const char *name, const char *path, scry_root *out, scry_error *err) SCRY_NODISCARD;

/* Change where the root at `old_path`, or of that name, is: of one with a name only for this machine. */
int scry_store_move_root(scry_store *s, const char *old_path, const char *new_path, scry_error *err) SCRY_NODISCARD;
int scry_store_roots(scry_store *s, int (*each)(void *arg, const scry_root *root), void *arg,
                     scry_error *err) SCRY_NODISCARD;

/* Make a root under the id that it has in another store, at root->path. A root of that id that is
 * there already stays where it is; a path that overlaps another root is SCRY_EINVALID. */
int scry_store_put_root(scry_store *s, const scry_root *root, scry_error *err) SCRY_NODISCARD;

/* Roots that files name and whose path is not known any more, for a server of Milvus 2.3 that restarts can lose it: root->path
 * is the relative path of one of their files. scry_store_put_root gives such a root its path again. An embedded store has none. */
int scry_store_lost_roots(scry_store *s, int (*each)(void *arg, const scry_root *root), void *arg, scry_error *err) SCRY_NODISCARD;

/* First 128 bits of SHA-256(root id, relative path): the id of a file in every store. */
void scry_file_id(const uint8_t root[SCRY_ID_BYTES], const char *relative, uint8_t out[SCRY_ID_BYTES]);

/* ---- files ---- */

/* What the name of a file and the files beside it say of the picture. A time and a place count where the picture's
 * headers have none; a rating and texts count before the headers'. */
typedef struct scry_file_notes {
    scry_taken_source taken_source;   /* UNKNOWN: no time */
    int64_t taken_at;
    bool has_taken_offset, has_position, has_rating;
    int taken_offset_min, rating;
    double latitude, longitude;
    const char *title, *description, *keywords;   /* "" or NULL: none */
    const char *companion;       /* name of a file that belongs to this one: the video of a live photo, the JPEG of a RAW */
} scry_file_notes;

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
    int64_t taken_at;            /* what a clock at the place showed, as seconds since 1970 as if that were UTC */
    double latitude, longitude;
    const char *camera;          /* "" when unknown, as the texts below; NULL is legal in what is put */
    scry_taken_source taken_source;   /* where taken_at comes from */
    bool has_taken_offset;
    int taken_offset_min;        /* minutes east of UTC of that clock */
    bool has_rating, damaged;    /* damaged: rows at the end of the picture are missing */
    bool lacks_details;          /* the store does not know taken_source, the offset, rating, damaged, lens and texts of it */
    int rating;                  /* -1 (rejected) to 5 */
    const char *lens, *title, *description;
    const char *keywords;        /* separated by '\n' */
    const scry_file_notes *notes;   /* NULL: none. What is read has them merged into the fields above already. */
    const char *raw;             /* name of the RAW in the store that a camera wrote beside it; "" or NULL: none. Set in results. */
    const char *key;             /* CSV id; "" when none */
    const char *const *labels;   /* CSV labels */
    size_t label_count;
    int64_t added;               /* set by the store on reading: grows with each picture that was embedded; 0: not known */
    bool favourite;              /* set by the store on reading: its content has that mark (marks.h) */
    const char *text;            /* set by scry_store_get, and where a filter asks for words: the lines that were read in the
                                    picture, separated by '\n'; "" or NULL: there are none, or it was not read */
    bool away;                   /* its disk is not there; set by the program and its server in what they show, by no store */
} scry_file;

/* What an index run compares to see which files changed. */
typedef struct scry_file_state {
    bool known;                  /* a file row, or a remembered bad file, exists */
    bool bad;                    /* remembered as unreadable with this size and these times */
    int64_t size, mtime_ns;
    int64_t ctime_ns;            /* as it was put; 0: unknown, as in collections of other programs and of scry 0.1.0 on Milvus */
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
    int64_t ctime_ns;            /* a number that changes when the file or a sidecar of it changes in any way; 0: unknown */
    bool new_headers;            /* without a vector: the fields of the picture were read again and replace the stored ones */
} scry_put;

/* Add or replace files, one transaction: after it returns 0 they survive a crash of the
 * process and, in an embedded store, a power cut. A file that was bad no longer is. A content
 * is dropped with its last file. */
int scry_store_put(scry_store *s, const scry_put *batch, size_t n, scry_error *err) SCRY_NODISCARD;

/* A file that could not be used. */
typedef struct scry_bad {
    uint8_t root[SCRY_ID_BYTES];
    const char *relative;
    int64_t size, mtime_ns;
    int64_t ctime_ns;            /* as in scry_put */
    const char *reason;          /* NULL: none */
} scry_bad;

/* Remember that this file could not be used, until its size or one of its times changes. A row that it has is removed. */
int scry_store_remember_bad(scry_store *s, const scry_bad *bad, scry_error *err) SCRY_NODISCARD;

/* The same, with a ctime_ns that is not known. */
int scry_store_put_bad(scry_store *s, const uint8_t root[SCRY_ID_BYTES], const char *relative,
                       int64_t size, int64_t mtime_ns, const char *reason, scry_error *err) SCRY_NODISCARD;

/* Remove files (and remembered bad ones) by id; unknown ids are not an error. `removed` may be NULL. */
int scry_store_remove(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed,
                      scry_error *err) SCRY_NODISCARD;

/* One file by id: SCRY_ENOTFOUND when there is none. Strings of `out` live in *results, which the
 * caller frees; it holds that one hit. */
typedef struct scry_results scry_results;
int scry_store_get(scry_store *s, const uint8_t id[SCRY_ID_BYTES], scry_results **out, scry_error *err) SCRY_NODISCARD;

/* The name of the place at a position, for people, as results show it: "Munich, Germany". Owned by the caller, to be freed; NULL:
 * none is near. Any thread. docs/words.md says what a place is. */
char *scry_place_text(double latitude, double longitude);

/* The stored vector of a content, widened to float: `out` is [dim]. */
int scry_store_vector(scry_store *s, const uint8_t hash[SCRY_HASH_BYTES], float *out, scry_error *err) SCRY_NODISCARD;

/* All files that pass the filter, in order of root and relative path, starting after `after` (NULL: from the start; a file's id,
 * SCRY_ENOTFOUND when it was removed). The file is borrowed for the call; non-zero stops. As in a search, a file whose row is not
 * as it was written is left out, and scry_store_known_damage says so. */
int scry_store_each_file(scry_store *s, const scry_filter_node *filter, const uint8_t *after,
                         int (*each)(void *arg, const scry_file *file), void *arg, scry_error *err) SCRY_NODISCARD;

/* A part of a collection: the files whose id's first four bytes, read as a big-endian number, are in
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

/* ---- text in pictures ---- */

/* A line of text in a picture. */
typedef struct scry_text_line {
    float corner[8];        /* x, y of its corners, clockwise from the top left of the line as it is read, in 0..1 of the upright
                               picture's width and height */
    const char *text;       /* UTF-8 */
    float confidence;       /* 0..1 */
} scry_text_line;

/* What a reader found in a content. */
typedef struct scry_picture_text {
    uint8_t content[SCRY_HASH_BYTES];
    const char *reader;     /* identity of the reader: what another one has read counts as unread */
    const char *reason;     /* why it could not be read; "" or NULL: it was read */
    const scry_text_line *lines;   /* [line_count] in reading order; none: the picture has no text */
    size_t line_count;
} scry_picture_text;

/* Lines of a picture that are stored, and bytes of their text in UTF-8; what follows is left out. Corners are stored in 2,000ths of
 * the width and height, confidences in percent. */
enum { SCRY_TEXT_LINES = 4000, SCRY_TEXT_BYTES = 1 << 16 };

/* Store what was read, in one transaction, and replace what was read before. Texts of contents that the store does not have are
 * left out. SCRY_EINVALID on Milvus in a collection that has no words (scry_store_info.lacks_words, external). */
int scry_store_put_texts(scry_store *s, const scry_picture_text *texts, size_t n, scry_error *err) SCRY_NODISCARD;

/* What was read in a content: *out is NULL where nothing was stored, else scry_picture_text_free frees it. */
int scry_store_get_text(scry_store *s, const uint8_t hash[SCRY_HASH_BYTES], scry_picture_text **out,
                        scry_error *err) SCRY_NODISCARD;
void scry_picture_text_free(scry_picture_text *text);   /* NULL is legal */

/* All that was stored and is not damaged, some hundred at a time, in the order in which the pictures were embedded, on Milvus in no
 * order; borrowed for
 * the call, which may put texts; non-zero stops. */
int scry_store_each_text(scry_store *s, int (*each)(void *arg, const scry_picture_text *texts, size_t n), void *arg,
                         scry_error *err) SCRY_NODISCARD;

/* Contents that a reader has not read. */
typedef struct scry_unread {
    const char *reader;     /* its identity */
    bool retry;             /* those that it could not read, too */
    int64_t after;          /* only those whose scry_file.added is above; 0: all */
} scry_unread;

/* These contents in the order in which they were embedded: called back with all files of each, borrowed for the call, which may
 * put texts; non-zero stops. */
int scry_store_each_unread(scry_store *s, const scry_unread *which,
                           int (*each)(void *arg, const scry_file *files, size_t count), void *arg, scry_error *err) SCRY_NODISCARD;

typedef struct scry_text_counts {
    uint64_t read;          /* contents that a reader has read; */
    uint64_t with_text;     /* of them, those with text */
    uint64_t failed;        /* contents that could not be read */
    uint64_t unread;        /* all others */
} scry_text_counts;

/* For `reader`, which has not read what another one has; NULL: for any. Reads a whole table. All 0 for stores that keep no
 * texts. */
int scry_store_count_texts(scry_store *s, const char *reader, scry_text_counts *out, scry_error *err) SCRY_NODISCARD;

/* ---- search ---- */

typedef struct scry_search {
    const scry_filter_node *filter;   /* NULL: everything */
    size_t limit, offset;
    double min_score;                 /* cosine; -2 (the default) excludes nothing */
    bool all_copies;                  /* a hit for each file instead of each content; else a RAW is not a hit where the JPEG
                                         or HEIC of the same name beside it passes the filter */
    double fold;                      /* in (0, 1]: a content whose vector has at least this cosine with a better
                                         hit's is folded into that; 0: none is. Not with all_copies. */
    bool approximate;                 /* an embedded store of 65,536 contents or more: score only the best few percent
                                         by one bit per dimension; may miss results */
} scry_search;

#define SCRY_SEARCH_INIT { NULL, 10, 0, -2.0, false, 0.0, false }

/* The default cosine to fold from: with the bundled model 95 of 100 pictures have this cosine with themselves
 * less a margin of 3 %, and no two of the demo's gallery have (0.90 at most). */
#define SCRY_FOLD_AUTO 0.95

/* With fold, the length of a ranking; the number of ids that are returned of the files folded into
 * a hit. */
enum { SCRY_FOLD_RANKED = 20000, SCRY_FOLDED_IDS = 100 };

/* Where a file has words: bits. */
typedef enum {
    SCRY_FIELD_NAME = 1, SCRY_FIELD_FOLDER = 2, SCRY_FIELD_TITLE = 4, SCRY_FIELD_DESCRIPTION = 8, SCRY_FIELD_KEYWORD = 16,
    SCRY_FIELD_LABEL = 32, SCRY_FIELD_KEY = 64, SCRY_FIELD_PLACE = 128, SCRY_FIELD_TEXT = 256, SCRY_FIELDS_ALL = 511
} scry_word_field;

/* Why a picture was found, where a search looked for words, too. */
typedef enum { SCRY_FOUND_UNSAID, SCRY_FOUND_BY_LOOK, SCRY_FOUND_BY_WORDS, SCRY_FOUND_BY_BOTH } scry_found_by;

typedef struct scry_hit {
    double score;          /* cosine of the query and the stored vector */
    scry_file file;        /* the first by path of the content's files that pass the filter */
    uint64_t copies;       /* other files of the same content that pass the filter */
    uint64_t folded;       /* contents that search.fold folded into this one, as far as the ranking was looked at:
                              at least 256 hits past these results */
    const uint8_t (*folded_ids)[SCRY_ID_BYTES];   /* of their files, best first: [min(folded, SCRY_FOLDED_IDS)] */
    scry_found_by found_by;
    unsigned word_fields;  /* bits of scry_word_field: where the words of the query are, if it was found by them */
    const char *matched;   /* with SCRY_FIELD_TEXT: the line of file.text that has most of these words, a part of it; else NULL */
    size_t matched_bytes;
} scry_hit;

struct scry_results {
    size_t count;
    const scry_hit *hits;  /* best first; equal scores by path */
    bool has_more;         /* further hits follow these */
    uint64_t scanned;      /* contents that passed the filter, without RAWs that their JPEG stands for */
    bool has_undated;      /* the filter asks for the time, and `undated` was counted: not on Milvus with a filter on places or
                              on parts of words */
    uint64_t undated;      /* of these contents, on Milvus of the files: those that have only the time of their file */
    double top_score;      /* of a search: the score of the first hit of the ranking, which `offset` may leave out; NAN: none */
    uint8_t top_content[SCRY_HASH_BYTES];   /* of that hit; zeros: none */
};

/* The nearest pictures: exact over the stored vectors (equal to brute force in double precision;
 * scores within 1e-6 count as ties). `query` is [dim], unit; `search` may be NULL: the first ten. */
int scry_store_search(scry_store *s, const float *query, const scry_search *search,
                      scry_results **out, scry_error *err) SCRY_NODISCARD;

/* Many queries in one pass over the vectors: queries [n, dim], out [n]. */
int scry_store_search_many(scry_store *s, const float *queries, size_t n, const scry_search *search,
                           scry_results **out, scry_error *err) SCRY_NODISCARD;
void scry_results_free(scry_results *r);

/* ---- maintenance ---- */

typedef struct scry_verify_report {
    uint64_t files, contents, problems;
    uint64_t cache_problems;   /* of these, in caches that are made again: no search is wrong because of them */
    bool partial;              /* there was nothing to compare unused bytes with: a writer is at work, or ended in a crash */
    const char *advice;        /* static: what mends all of it; NULL without problems */
} scry_verify_report;

/* `progress` (may be NULL) is called a few times a second on the calling thread with how much is `done` of `total`, in no unit. */
typedef struct scry_verify_options {
    void (*problem)(void *arg, const char *text);   /* each problem, in one line; may be NULL */
    void (*progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;                   /* of both */
    const scry_cancel *cancel;   /* non-zero: stop with SCRY_ECANCELLED; what was remembered of damage stays; may be NULL */
    uint64_t sample;             /* look at about so many files, chosen at random each time; of a store on Milvus only; 0: all */
} scry_verify_options;

#define SCRY_VERIFY_OPTIONS_INIT SCRY_ZERO_INIT

/* Check that every file has its content, every content its vector with the right checksum, that
 * derived caches agree, and that no byte of an embedded store's files has changed since they were written. What was found is
 * remembered for scry_store_known_damage. `options` may be NULL; *out (may be NULL) has the counts in any case. */
int scry_verify_run(scry_store *s, const scry_verify_options *options, scry_verify_report *out, scry_error *err) SCRY_NODISCARD;

/* The same without progress and cancellation. */
int scry_store_verify(scry_store *s, scry_verify_report *out, void (*problem)(void *arg, const char *text),
                      void *arg, scry_error *err) SCRY_NODISCARD;
/* The same for about `most` files, chosen at random each time, of a store on Milvus; report.files is how many they were. One in a
 * folder is SCRY_EINVALID. */
int scry_store_verify_sample(scry_store *s, uint64_t most, scry_verify_report *out,
                             void (*problem)(void *arg, const char *text), void *arg, scry_error *err) SCRY_NODISCARD;

/* The last part of it alone: compare the files with their checksums. Reads every byte once; `pace` (may be NULL) is called
 * after so many bytes and may sleep, a non-zero return ends the check with SCRY_ECANCELLED. Nothing is checked of
 * a store on Milvus. */
int scry_store_check_files(scry_store *s, scry_verify_report *out, int (*pace)(void *arg, size_t bytes),
                           void (*problem)(void *arg, const char *text), void *arg, scry_error *err) SCRY_NODISCARD;

/* SCRY_EDAMAGED, with the first problem, when the last check of this collection, in any process, found damage that can make
 * searches wrong. Reads no data: for every search. */
int scry_store_known_damage(scry_store *s, scry_error *err) SCRY_NODISCARD;

typedef struct scry_compact_options {
    void (*progress)(void *arg, uint64_t done, uint64_t total);   /* as of scry_verify_options */
    void *arg;
    const scry_cancel *cancel;   /* non-zero: stop with SCRY_ECANCELLED, and the collection is as it was; may be NULL */
} scry_compact_options;

#define SCRY_COMPACT_OPTIONS_INIT SCRY_ZERO_INIT

/* Rewrite the segments without the slots that no content uses any more (a new generation). `options` may be NULL. On Milvus, whose
 * server does it later, neither is used. */
int scry_compact_run(scry_store *s, const scry_compact_options *options, scry_error *err) SCRY_NODISCARD;

/* The same without progress and cancellation. */
int scry_store_compact(scry_store *s, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
