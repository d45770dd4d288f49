/* store_kind.h - what a kind of store (embedded, Milvus) provides: the operations behind scry_store.
 *
 * store.c checks arguments and dispatches through its table of kinds. A kind embeds
 * `struct scry_store` as its first member.
 */
#ifndef SCRY_STORE_KIND_H
#define SCRY_STORE_KIND_H

#include "base/buf.h"
#include "scry/marks.h"
#include "scry/store.h"

/* A file that could not be used, and why. */
typedef struct scry_bad_file {
    uint8_t id[SCRY_ID_BYTES], root[SCRY_ID_BYTES];
    const char *relative, *reason;
    int64_t size, mtime_ns, ctime_ns;   /* the last one as in scry_put */
} scry_bad_file;

/* A walk over files of which little is asked. */
typedef struct scry_brief_walk {
    const scry_filter_node *filter;   /* NULL: every file */
    bool unique;         /* no RAW beside a picture that passes and stands for it, then one file of each content: the first */
    unsigned wanted;     /* SCRY_BRIEF_... */
    size_t first;        /* not 0: of files that come after so many others by `order`, any may be left out; not with unique */
    unsigned order;      /* largest first: SCRY_BRIEF_RATING, SCRY_BRIEF_SIZE; 0: the time */
    bool smallest;       /* smallest first */
    uint64_t *total;     /* set to how many files pass where some are left out; not NULL with `first` */
} scry_brief_walk;

enum { SCRY_BRIEF_NAMES = 1, SCRY_BRIEF_RATING = 2, SCRY_BRIEF_SIZE = 4 };

/* One entry for each function of store.h, with the same contract. */
typedef struct scry_store_kind {
    bool put_replaces_vectors;   /* a put with a vector replaces the stored one; else a content keeps the one it has */
    int (*close)(scry_store *s, scry_error *err);
    int (*sync)(scry_store *s, scry_error *err);
    int (*refresh)(scry_store *s, scry_error *err);
    int (*get_info)(scry_store *s, scry_store_info *out, scry_error *err);
    void (*describe)(scry_store *s, scry_store_info *out);
    int (*count_old_headers)(scry_store *s, uint64_t *out, scry_error *err);   /* NULL: there are none */
    int (*add_root)(scry_store *s, const char *path, scry_root *out, scry_error *err);
    /* NULL: roots have no names. */
    int (*name_root)(scry_store *s, const char *name, const char *path, scry_root *out, scry_error *err);
    int (*move_root)(scry_store *s, const char *old_path, const char *new_path, scry_error *err);
    int (*roots)(scry_store *s, int (*each)(void *, const scry_root *), void *arg, scry_error *err);
    int (*put_root)(scry_store *s, const scry_root *root, scry_error *err);
    /* NULL: roots change by this store alone. */
    bool (*has_root)(scry_store *s, const uint8_t *id);
    /* NULL: there are none. */
    int (*lost_roots)(scry_store *s, int (*each)(void *, const scry_root *), void *arg, scry_error *err);
    int (*file_state)(scry_store *s, const uint8_t *root, const char *relative,
                      scry_file_state *out, scry_error *err);
    /* NULL, all four: file_state is fast, and so is walking files. */
    int (*look_ahead)(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_error *err);
    int (*count_below)(scry_store *s, const scry_filter_node *filter, uint64_t *out, scry_error *err);
    int (*each_place)(scry_store *s, const scry_filter_node *filter, int (*each)(void *, const uint8_t *, const char *), void *arg,
                      scry_error *err);
    int (*each_sampled)(scry_store *s, uint64_t most, int (*each)(void *, const scry_file *), void *arg, double *share,
                        scry_error *err);
    int (*has_content)(scry_store *s, const uint8_t *hash, scry_file *out, scry_error *err);
    int (*put)(scry_store *s, const scry_put *batch, size_t n, scry_error *err);
    int (*put_bad)(scry_store *s, const scry_bad_file *bad, scry_error *err);
    int (*remove)(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed,
                  scry_error *err);
    int (*get)(scry_store *s, const uint8_t *id, scry_results **out, scry_error *err);
    /* NULL: get is fast. */
    int (*get_many)(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_results **out, scry_error *err);
    int (*vector)(scry_store *s, const uint8_t *hash, float *out, scry_error *err);
    /* NULL: get and vector are fast. */
    int (*vector_of)(scry_store *s, const uint8_t *id, float *out, scry_error *err);
    int (*each_file)(scry_store *s, const scry_filter_node *filter, const uint8_t *after,
                     int (*each)(void *, const scry_file *), void *arg, scry_error *err);
    /* NULL: files have to be read. */
    int (*each_brief)(scry_store *s, const scry_brief_walk *walk, int (*each)(void *, const scry_file *), void *arg,
                      scry_error *err);
    /* NULL: each_file gives every file. */
    int (*each_stored)(scry_store *s, const scry_filter_node *filter, int (*each)(void *, const scry_file *), void *arg,
                       scry_error *err);
    int (*each_in_range)(scry_store *s, scry_id_range range, bool vectors,
                         int (*each)(void *, const scry_file *, const float *), void *arg, scry_error *err);
    int (*each_bad)(scry_store *s, int (*each)(void *, const char *, int64_t, int64_t, const char *),
                    void *arg, scry_error *err);
    /* NULL, all five: no texts are kept. */
    int (*put_texts)(scry_store *s, const scry_picture_text *texts, size_t n, scry_error *err);
    int (*get_text)(scry_store *s, const uint8_t *hash, scry_picture_text **out, scry_error *err);
    /* NULL: get_text is fast. scry_texts_there (side_by_side.h). */
    int (*get_texts)(scry_store *s, const scry_picture_text *texts, size_t n, scry_picture_text **out, bool *has, scry_error *err);
    int (*each_text)(scry_store *s, int (*each)(void *, const scry_picture_text *, size_t), void *arg, scry_error *err);
    int (*each_unread)(scry_store *s, const scry_unread *which, int (*each)(void *, const scry_file *, size_t), void *arg,
                       scry_error *err);
    int (*count_texts)(scry_store *s, const char *reader, scry_text_counts *out, scry_error *err);
    int (*search_many)(scry_store *s, const float *queries, size_t n, const scry_search *search,
                       scry_results **out, scry_error *err);
    /* NULL: one after the other. */
    int (*search_two)(scry_store *s, const float *query, const scry_search search[2], scry_results *out[2], scry_error *err);
    /* NULL: the words of files are not kept together. */
    int (*each_word)(scry_store *s, int (*each)(void *, const char *, size_t), void *arg, scry_error *err);
    /* The rarest words: scry_store_rare_words. NULL: the words of files are not kept together. */
    int (*rare_words)(scry_store *s, const scry_filter_node *filter, const char *wanted, scry_buf *kept, scry_error *err);
    int (*verify)(scry_store *s, const scry_verify_options *options, scry_verify_report *out, scry_error *err);
    bool samples;   /* verify takes options->sample; without, everything can be checked where it is */
    /* NULL, both: the server keeps its files. */
    int (*check_files)(scry_store *s, scry_verify_report *out, int (*pace)(void *, size_t), void (*problem)(void *, const char *),
                       void *arg, scry_error *err);
    int (*known_damage)(scry_store *s, scry_error *err);
    int (*compact)(scry_store *s, const scry_compact_options *options, scry_error *err);
    /* NULL, all three: marks are not kept. */
    int (*put_marks)(scry_store *s, const scry_mark *marks, size_t n, scry_error *err);
    int (*remove_marks)(scry_store *s, const scry_mark *marks, size_t n, uint64_t *removed, scry_error *err);
    int (*each_mark)(scry_store *s, scry_mark_kind kind, int (*each)(void *, const scry_mark *), void *arg, scry_error *err);
    /* Let what is put from now on be written to files in a new or empty folder, which the server's bulk import takes, instead of
     * to the store, which has to be empty; whole after sync. NULL: there is no bulk import. */
    int (*put_into_files)(scry_store *s, const char *folder, scry_error *err);
    /* NULL, all three: a collection cannot be replaced. */
    int (*begin_replacement)(scry_store **out, scry_store *s, const scry_store_options *model, bool anew, scry_error *err);
    int (*replace)(scry_store *s, scry_store *replacement, scry_error *err);
    int (*drop_replacement)(scry_store *s, scry_error *err);
} scry_store_kind;

struct scry_store {
    const scry_store_kind *kind;
    int dim;
};

/* Two rankings of one query, in one pass over an embedded store's vectors, where a second pass would take as long as the first.
 * Both of out stay NULL where nothing is in the second one. */
int scry_store_search_two(scry_store *s, const float *query, const scry_search search[2], scry_results *out[2],
                          scry_error *err) SCRY_NODISCARD;

/* Each word of the files' names and texts (words.h), some repeatedly; non-zero stops. Of an embedded store, where it takes some
 * milliseconds; of others nothing. */
int scry_store_each_word(scry_store *s, int (*each)(void *, const char *, size_t), void *arg, scry_error *err) SCRY_NODISCARD;

/* Those of a query's words (`wanted`, a list with alternatives: words.h) that a picture which passes the filter has together: the
 * rarest one that any has, and each of the others, from rare to common, that some picture has together with those before. `kept` is
 * cleared first, and is the list of these, in the order of the query, with their alternatives; "" where no picture has any. On Milvus
 * by what the server ranks first: docs/milvus.md. */
int scry_store_rare_words(scry_store *s, const scry_filter_node *filter, const char *wanted, scry_buf *kept,
                          scry_error *err) SCRY_NODISCARD;

/* Whether the root is one still, after a put of files in it: on a server another program may have made it a part of one around it,
 * whose these files are then. scry_store_add_root with its path gives that one. */
bool scry_store_has_root(scry_store *s, const uint8_t id[SCRY_ID_BYTES]);

/* For a server, to which each request takes milliseconds. */

/* Files that will be asked for next, by scry_store_file_state: their ids, some hundred at a time. */
int scry_store_look_ahead(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_error *err) SCRY_NODISCARD;
bool scry_store_looks_ahead(const scry_store *s);

/* How many files pass the filter, exactly; 1 where that is not known without a walk, else 0. */
int scry_store_count_below(scry_store *s, const scry_filter_node *filter, uint64_t *out, scry_error *err) SCRY_NODISCARD;

/* The id and the path of every file that passes the filter, in no order: without the rest of its data, and in bounded memory.
 * Borrowed for the call; non-zero stops. */
int scry_store_each_place(scry_store *s, const scry_filter_node *filter,
                          int (*each)(void *arg, const uint8_t *id, const char *path), void *arg, scry_error *err) SCRY_NODISCARD;

/* As scry_store_each_file, with the files whose rows are not as they were written: for those who remove or make them anew, and
 * show them to nobody. */
int scry_store_each_stored(scry_store *s, const scry_filter_node *filter, int (*each)(void *arg, const scry_file *file), void *arg,
                           scry_error *err) SCRY_NODISCARD;

/* As scry_store_each_file, many times as fast, for files of which only these members are set: root, relative, path, time (of a
 * file without one as its mtime), position, added; and what is wanted: camera, format and labels, the rating, the size. Others
 * are empty or 0; an id of zeros is scry_file_id of root and relative. 1, and nothing was passed on, where files have to be
 * read. */
int scry_store_each_brief(scry_store *s, const scry_brief_walk *walk, int (*each)(void *arg, const scry_file *file), void *arg,
                          scry_error *err) SCRY_NODISCARD;
bool scry_file_is_brief(const scry_file *f);   /* its id is of zeros */

/* The stored vector of the content of a file, by the file's id: `out` is [dim]. */
int scry_store_vector_of(scry_store *s, const uint8_t id[SCRY_ID_BYTES], float *out, scry_error *err) SCRY_NODISCARD;

/* Those of the files that are there and are as they were written, in no order, without the count of their copies. The caller
 * frees *out. */
int scry_store_get_many(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_results **out,
                        scry_error *err) SCRY_NODISCARD;

/* About `most` files, in no order, of a store of more: *share is their part of all. A store that is walked fast gives all,
 * and 1. */
int scry_store_each_sampled(scry_store *s, uint64_t most, int (*each)(void *arg, const scry_file *file), void *arg, double *share,
                            scry_error *err) SCRY_NODISCARD;
bool scry_store_samples(const scry_store *s);   /* it does not give all */

/* What is done by a store's name: opening it, and the collections beside it. With the contracts of
 * scry_store_open, scry_store_collections and scry_store_drop_collection; `options` is never NULL. */
typedef struct scry_store_driver {
    int (*open)(scry_store **out, const char *where, const scry_store_options *options, scry_error *err);
    int (*collections)(const char *where, int (*each)(void *arg, const char *name), void *arg, scry_error *err);
    int (*drop)(const char *where, const char *name, scry_error *err);
} scry_store_driver;

extern const scry_store_driver scry_local_driver;    /* a folder: src/store/local */
extern const scry_store_driver scry_milvus_driver;   /* a server: src/store/milvus, in the plugin "milvus" */

/* The first SCRY_ID_BYTES of the SHA-256 of a text: a root's id is made of its path, or of its name. */
void scry_id_of_text(const char *text, uint8_t out[SCRY_ID_BYTES]);

/* SCRY_EINVALID when the folder `path` contains the root `root` of the store `where`, or is below it. */
int scry_store_check_overlap(const char *where, const char *root, const char *path, scry_error *err) SCRY_NODISCARD;

/* The refusal of a model, given in `o`, that is not the collection's. */
int scry_store_other_model(const char *collection, const char *built_name, const char *built_identity,
                           const scry_store_options *o, scry_error *err);

#endif
