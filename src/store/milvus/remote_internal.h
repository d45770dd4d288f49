/* remote_internal.h - the store on Milvus: one collection, a row for each file.
 *
 * Fields of a row (all made by scry, see remote_schema.c): id (hex, the key), content (hex
 * hash), root (hex), path (below the root, escaped), size, mtime_ns, time, has_time,
 * camera, has_position, latitude, longitude, format, width, height, key, labels, what else headers say, the words of all that and
 * of the picture, vector.
 * The model's identity and the roots are properties of the collection: "scry.model_identity",
 * "scry.root.HEX" = path. Bad files, for which Milvus has no place, are in the sidecar.
 *
 * remote.c          open, close, info             remote_put.c    rows sent
 * remote_schema.c   the collection made, checked   remote_read.c   rows looked up, walked
 * remote_roots.c    roots                          remote_search.c search
 * remote_row.c      rows to files                  remote_side.c   the sidecar
 * remote_external.c collections of other programs  remote_range.c  rows by ranges of ids
 * remote_external_read.c  their rows as files
 * remote_index.c    its index                      remote_pairs.c   RAWs beside their JPEG
 * remote_replace.c  a collection in place of another   remote_lost.c    roots without a path
 * remote_walk.c     files in order of their paths    remote_names.c   roots with names
 * remote_brief.c    files for lists in another order
 * remote_marks.c    favourites and the like           remote_files.c   rows for a bulk import
 * remote_words.c    words as fields of a row          remote_texts.c   what was read in pictures
 * remote_rare.c     words that rows have together    remote_merge.c   roots within others
 *
 * Thread rule as store.h has it: searches run concurrently, each on a connection of its own from a pool;
 * `lock` guards everything that a writer changes.
 */
#ifndef SCRY_STORE_MILVUS_REMOTE_INTERNAL_H
#define SCRY_STORE_MILVUS_REMOTE_INTERNAL_H

#include "milvus/milvus.h"
#include "store/db.h"
#include "store/milvus/filter_milvus.h"
#include "store/results.h"
#include "store/store_kind.h"

#include <pthread.h>

enum {
    SCRY_REMOTE_IDLE = 64,              /* idle connections kept open */
    SCRY_REMOTE_HEX_ID = 2 * SCRY_ID_BYTES + 1,
    SCRY_REMOTE_HEX_HASH = 2 * SCRY_HASH_BYTES + 1,
    SCRY_REMOTE_PARTITION = SCRY_REMOTE_HEX_ID + 5,
    SCRY_REMOTE_FILTER_BYTES = 1 << 20,
    SCRY_REMOTE_READ_PATIENCE_MS = 15000,
    SCRY_REMOTE_READ_WORK_MS = 120000,       /* a restarted server of 2.3 answers searches after up to 30 s and says "loaded" before */
    SCRY_REMOTE_WRITE_PATIENCE_MS = 180000,  /* a killed server of 2.3 takes up to 55 s to come back */
    SCRY_REMOTE_JOB_MS = 3600000             /* load, index build */
};

/* Roots as an immutable list: a change replaces the list, which is freed when its last reader releases it. */
typedef struct scry_remote_roots {
    size_t count, users;
    char **ids, **paths;                /* hex; where it is on this machine, "NAME:" when that is not known */
    char **names;                       /* NULL: it has none, and is at the same path everywhere */
    char **recorded;                    /* of a collection that scry made: the path that the collection has */
} scry_remote_roots;

typedef struct scry_remote_state scry_remote_state;     /* remote_state.c */
typedef struct scry_remote_external scry_remote_external;   /* remote_external.c */
typedef struct scry_remote_row scry_remote_row;
typedef struct scry_remote_files scry_remote_files;   /* remote_files.h */
typedef struct scry_remote_favourites scry_remote_favourites;   /* remote_marks.h */

/* Two kinds of stores, of which remote_schema.c chooses by the collection's properties: collections that scry made, and
 * external ones, that other programs made. Both are a scry_remote. */
extern const scry_store_kind scry_remote_kind, scry_remote_external_kind;
/* As scry_remote_kind, for collections of an earlier scry: without texts. */
extern const scry_store_kind scry_remote_textless_kind;

typedef struct scry_remote {
    scry_store base;                    /* first */
    char *where;
    char *name;                         /* of the collection */
    char *shown;                        /* as the user calls it: `name`, or an alias of it */
    scry_store_mode mode;
    char *user, *password, *token, *ca_file, *cert_file, *key_file, *resource_group;
    scry_milvus_options options;        /* its strings are those above */
    atomic_bool gave_up;                /* of options */
    atomic_bool contacted;              /* the server has answered this store: the address is right */
    atomic_bool shows_wait;             /* the caller was told of a long call */
    scry_milvus_consistency consistency;    /* of searches */
    char *vector_field;
    bool half;                          /* it is a FLOAT16_VECTOR */
    int ef, nprobe, search_list;        /* of searches */
    int reorder_k;                      /* 0: the server's choice */
    char index_type[32], metric[16], index_params[512];
    char *identity, *model_name, *precision;
    scry_milvus_wait wait;              /* for index, load and flush; reports progress to the caller */
    void (*notice)(void *arg, const char *text);   /* called with wait.arg; may be NULL */
    bool has_details;                   /* the collection has the fields from SCRY_REMOTE_FIRST_DETAIL on */
    bool has_words;                     /* ... and those from SCRY_REMOTE_FIRST_WORDS on */
    bool ranks;                         /* ... and the server makes SCRY_REMOTE_RANKS of SCRY_REMOTE_ALL_WORDS */
    atomic_bool ranks_refused;          /* it was asked to rank by them, and refused */
    atomic_bool words_mixed;            /* some rows may have words by the rules of another scry */
    bool partition_key;                 /* the root is it */
    int shards;
    bool mmap;
    bool partitions;                    /* one for each root, named by scry_remote_partition */
    scry_remote_files *files;           /* rows are written to them; NULL: they are sent */
    bool is_replacement;                /* it is to replace another one, which has the marks */
    const char *const *fields;          /* requested in a search: what read_row needs to make files of the rows */
    size_t field_count;                 /* at most SCRY_REMOTE_FILE_FIELDS */
    int (*read_row)(struct scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, size_t i, scry_error *err);
    scry_remote_external *external;     /* what the external kind adds */

    pthread_mutex_t side_lock;          /* guards the sidecar and its path */
    scry_db side;                       /* closed until it is needed */
    char *side_path;

    pthread_mutex_t lock;               /* guards the rest */
    scry_milvus *idle[SCRY_REMOTE_IDLE];
    size_t idle_count;
    uint64_t last_write;                /* Milvus's timestamp of this store's last write: later reads see it */
    uint64_t seen_write;                /* the one that every reader sees */
    uint64_t unflushed;                 /* rows written since the last flush */
    scry_remote_roots *roots;
    scry_remote_state *state;           /* of the incremental comparison */
    scry_remote_favourites *favourites; /* NULL: to be read */
    unsigned favourites_forgotten;      /* how many times */
    bool has_marks;                     /* there was a collection of marks */
    int64_t raws;                       /* rows of the format "raw" when they were counted; -1: not yet */
    int has_texts;                      /* a row has what was read in a picture; -1: not known yet */
    char *lent, *lent_root;             /* strings that has_content and add_root return */
} scry_remote;

/* ---- connections (remote.c) ---- */

int scry_remote_take(scry_remote *s, scry_milvus **out, scry_error *err) SCRY_NODISCARD;
void scry_remote_give(scry_remote *s, scry_milvus *m);   /* NULL is legal */

/* After a failed call: whether it failed because the collection was not loaded (it was released, or the server restarted), and
 * may be tried again. Waits a moment and loads the collection. `err` says it when this user may not do that. */
bool scry_remote_revived(scry_remote *s, scry_milvus *m, double deadline_ms, scry_error *err);
/* The same for another collection than the store's. */
bool scry_remote_revived_as(scry_remote *s, scry_milvus *m, const char *name, double deadline_ms, scry_error *err);

/* The deadline of repetitions that scry_remote_revived allows, from now. */
double scry_remote_deadline(const scry_remote *s);

int scry_remote_query(scry_remote *s, scry_milvus *m, const scry_milvus_query *q, scry_milvus_rows **out,
                      scry_error *err) SCRY_NODISCARD;

/* Exact number of rows that pass an expression. */
int scry_remote_count(scry_remote *s, scry_milvus *m, const char *filter, scry_milvus_consistency consistency,
                      int64_t *out, scry_error *err) SCRY_NODISCARD;

/* Rows added to a collection, or put in place of those with the same key. */
int scry_remote_upsert(scry_remote *s, scry_milvus *m, const char *name, const scry_milvus_table *table,
                       scry_error *err) SCRY_NODISCARD;

/* A query and a strong count of another collection than the store's. */
int scry_remote_query_as(scry_remote *s, scry_milvus *m, const char *name, const scry_milvus_query *q, scry_milvus_rows **out,
                         scry_error *err) SCRY_NODISCARD;
int scry_remote_count_as(scry_remote *s, scry_milvus *m, const char *name, const char *filter, int64_t *out,
                         scry_error *err) SCRY_NODISCARD;

/* The consistency of lookups: they see what this process wrote; without writes, Bounded. */
scry_milvus_consistency scry_remote_freshness(scry_remote *s);

/* Wait until every reader sees what was written so far. */
int scry_remote_catch_up(scry_remote *s, scry_milvus *m, scry_error *err) SCRY_NODISCARD;

int scry_remote_check_writable(const scry_remote *s, scry_error *err) SCRY_NODISCARD;

/* ---- roots ---- */

int scry_remote_load_roots(scry_remote *s, const scry_milvus_schema *schema, scry_error *err) SCRY_NODISCARD;
scry_remote_roots *scry_remote_roots_hold(scry_remote *s);
void scry_remote_roots_release(scry_remote *s, scry_remote_roots *r);   /* NULL is legal */
scry_remote_roots *scry_remote_roots_new(size_t room);
void scry_remote_roots_replace(scry_remote *s, scry_remote_roots *now);   /* takes ownership */
bool scry_remote_roots_have(const scry_remote_roots *r, const char *id);
const char *scry_remote_roots_path(const scry_remote_roots *r, const char *id);   /* borrowed; "?" when unknown */
/* Write again what the server has forgotten of the roots that this process knows. */
int scry_remote_restore_roots(scry_remote *s, scry_milvus *m, scry_error *err) SCRY_NODISCARD;
/* Fill `out`; its path is kept in the store until the next call. */
void scry_remote_lend_root(scry_remote *s, scry_root *out, const char *id, const char *path);

/* Add a root, or change the path or the name of one, in the collection, and read the roots again. `name`: NULL: none. */
int scry_remote_set_root(scry_remote *s, scry_milvus *m, const char *id, const char *path, const char *name,
                         scry_error *err) SCRY_NODISCARD;
/* A root that was added and gets no rows is none any more. */
void scry_remote_undo_root(scry_remote *s, scry_milvus *m, const char *id);
/* Let the roots below a root be parts of it, and fill `out`. */
int scry_remote_finish_root(scry_remote *s, scry_milvus *m, const char *id, const char *path, scry_root *out,
                            scry_error *err) SCRY_NODISCARD;
/* Read the roots again. */
int scry_remote_reload_roots(scry_remote *s, scry_milvus *m, scry_error *err) SCRY_NODISCARD;
/* A root at `path` is none any more: its rows are those of one around it. */
int scry_remote_retire_root(scry_remote *s, scry_milvus *m, const char *id, const char *path, scry_error *err) SCRY_NODISCARD;
/* After rows of a root were sent: if another program has retired it, move them to the root around it, and read the roots again. */
int scry_remote_settle_rows(scry_remote *s, scry_milvus *m, const char *id, scry_error *err) SCRY_NODISCARD;
bool scry_remote_has_root(scry_store *s, const uint8_t root[SCRY_ID_BYTES]);   /* when the roots were last read */

/* ---- roots within others (remote_merge.c) ---- */

typedef struct scry_remote_move {
    const char *to, *to_path;        /* the outer root */
    const char *from, *from_path;    /* the inner one */
} scry_remote_move;

/* The rows, and the bad files that this machine remembers, of the inner root become those of the outer one. */
int scry_remote_move_rows(scry_remote *s, const scry_remote_move *move, scry_error *err) SCRY_NODISCARD;
/* Let all roots below the root `id` at `path` be parts of it. */
int scry_remote_merge_roots(scry_remote *s, scry_milvus *m, const char *id, const char *path, scry_error *err) SCRY_NODISCARD;

/* ---- roots with names (remote_names.c) ---- */

/* Where roots with names are on this machine: the lines NAME=PATH of the file $SCRY_ROOTS, or `roots` in scry's data folder. */
typedef struct scry_remote_places {
    char **names, **paths;
    size_t count;
} scry_remote_places;

int scry_remote_places_read(scry_remote_places *out, scry_error *err) SCRY_NODISCARD;   /* dispose after failure, too */
void scry_remote_places_dispose(scry_remote_places *p);
const char *scry_remote_place_of(const scry_remote_places *p, const char *name);    /* borrowed; NULL: not known */
const char *scry_remote_name_at(const scry_remote_places *p, const char *path);     /* of the place that contains it; NULL: none */
int scry_remote_place_set(const char *name, const char *path, scry_error *err) SCRY_NODISCARD;

int scry_remote_name_root(scry_store *base, const char *name, const char *path, scry_root *out, scry_error *err);

/* "root_HEX", since names of partitions must not begin with a digit. */
const char *scry_remote_partition(const char *root, char out[SCRY_REMOTE_PARTITION]);

/* ---- schema ---- */

/* Create or check the collection and its index, load it; choose the kind of store, fill identity, dim, roots. */
int scry_remote_prepare(scry_remote *s, scry_milvus *m, const scry_store_options *o, scry_error *err) SCRY_NODISCARD;

/* Whether the words of some rows may have been made by the rules of another scry. */
bool scry_remote_words_are_mixed(const scry_milvus_schema *schema);

/* Show the user a message, if the caller gave `notice`. */
void scry_remote_notice(const scry_remote *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- index (remote_index.c) ---- */

/* "ef=64,nprobe=16,reorder_k=100,search_list=100": parameters of searches. */
int scry_remote_parse_search(scry_remote *s, const char *text, scry_error *err) SCRY_NODISCARD;

/* Create the index where it is absent and load the collection. If opened to CREATE with another index than it has, that
 * is replaced, or refused unless `may_replace`. */
int scry_remote_index_and_load(scry_remote *s, scry_milvus *m, const scry_store_options *o, bool may_replace,
                               scry_error *err) SCRY_NODISCARD;

/* ---- rows ---- */

/* The fields of a collection that scry made, in order: what scry_remote_row_read needs to make a file of a row, then
 * the words, which are searched and not returned, what was read in the picture, and "vector". A collection of scry's format 1
 * lacks what headers say beyond time, camera and place: the fields from SCRY_REMOTE_FIRST_DETAIL to the vector; one of format 2
 * those from SCRY_REMOTE_FIRST_WORDS on. SCRY_REMOTE_ALL_WORDS is there where the server ranks by words (`ranks`): beside it is
 * SCRY_REMOTE_RANKS, which the server makes of it. */
#define SCRY_REMOTE_RANKS "word_ranks"
enum {
    SCRY_REMOTE_ID, SCRY_REMOTE_CONTENT, SCRY_REMOTE_ROOT, SCRY_REMOTE_PATH, SCRY_REMOTE_SIZE, SCRY_REMOTE_MTIME, SCRY_REMOTE_TIME,
    SCRY_REMOTE_HAS_TIME, SCRY_REMOTE_CAMERA, SCRY_REMOTE_HAS_POSITION, SCRY_REMOTE_LATITUDE, SCRY_REMOTE_LONGITUDE,
    SCRY_REMOTE_FORMAT, SCRY_REMOTE_WIDTH, SCRY_REMOTE_HEIGHT, SCRY_REMOTE_KEY, SCRY_REMOTE_LABELS,
    SCRY_REMOTE_FIRST_DETAIL, SCRY_REMOTE_TAKEN_SOURCE = SCRY_REMOTE_FIRST_DETAIL, SCRY_REMOTE_TAKEN_OFFSET, SCRY_REMOTE_RATING,
    SCRY_REMOTE_DAMAGED, SCRY_REMOTE_LENS, SCRY_REMOTE_TITLE, SCRY_REMOTE_DESCRIPTION, SCRY_REMOTE_KEYWORDS,
    SCRY_REMOTE_KEYWORD_TERMS, SCRY_REMOTE_COMPANION, SCRY_REMOTE_CTIME,
    SCRY_REMOTE_FILE_FIELDS,
    SCRY_REMOTE_FIRST_WORDS = SCRY_REMOTE_FILE_FIELDS, SCRY_REMOTE_WORDS = SCRY_REMOTE_FIRST_WORDS, SCRY_REMOTE_WORD_PARTS,
    SCRY_REMOTE_TEXT_READER, SCRY_REMOTE_TEXT_REASON, SCRY_REMOTE_TEXT_LINES, SCRY_REMOTE_ALL_WORDS,
    SCRY_REMOTE_VECTOR, SCRY_REMOTE_FIELDS
};
extern const scry_milvus_field scry_remote_schema[SCRY_REMOTE_FIELDS];   /* without the dimension */

/* Numbers that stand for none. */
enum { SCRY_REMOTE_NO_OFFSET = 32767, SCRY_REMOTE_NO_RATING = -2 };

/* Fields to request, and the most bytes that a row has with them, which bounds the pages of a scan. */
typedef struct scry_remote_fields {
    const char *const *names;
    size_t count, row_bytes;
    scry_milvus_consistency consistency;   /* of a scan; strong when it is 0 */
} scry_remote_fields;

scry_remote_fields scry_remote_row_fields(const scry_remote *s, bool vectors);
/* With what was read in the pictures, which becomes file.text, where the collection has it. */
scry_remote_fields scry_remote_text_fields(const scry_remote *s, bool vectors);
/* Those of the two that this filter has to be compared with. */
scry_remote_fields scry_remote_filter_fields(const scry_remote *s, const scry_filter_node *filter);
/* Whether the collection has a field of that place in scry_remote_schema. */
bool scry_remote_has_field(const scry_remote *s, int field);

/* A file made of a row; its strings are valid until the next row or dispose. */
struct scry_remote_row {
    scry_file file;
    char *text;                         /* its strings, one after the other */
    const char **labels;
    scry_file_notes notes;              /* file.notes points here when it has a companion */
    scry_remote_roots *roots;           /* held */
    scry_remote_favourites *favourites; /* held */
    scry_buf picture_text;              /* what file.text points to */
    uint64_t answer;                    /* the number of that which the columns belong to */
    const scry_milvus_column *lines;    /* SCRY_REMOTE_TEXT_LINES; NULL: it was not asked for */
    const scry_milvus_column *columns[SCRY_REMOTE_FILE_FIELDS];
};

int scry_remote_row_read(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, size_t i,
                         scry_error *err) SCRY_NODISCARD;
void scry_remote_row_dispose(scry_remote *s, scry_remote_row *row);

/* ---- walking ---- */

typedef int scry_remote_page_fn(void *arg, const scry_milvus_rows *page, scry_error *err);

/* Call `each` with pages of all rows that pass `filter` (an expression, "" for all), in no order. With strong
 * consistency: includes every acknowledged write. */
int scry_remote_scan(scry_remote *s, const char *filter, const scry_remote_fields *fields, scry_remote_page_fn *each, void *arg,
                     scry_error *err) SCRY_NODISCARD;

/* The same for the rows of a range of ids, without counting them first: pages are in ascending order of
 * their ids. A positive return of `each` stops, and is returned. */
int scry_remote_scan_range(scry_remote *s, scry_id_range range, const scry_remote_fields *fields, scry_remote_page_fn *each,
                           void *arg, scry_error *err) SCRY_NODISCARD;

/* `id in ["..", ..]` appended to `out`; hex ids. */
void scry_remote_in_list(scry_buf *out, const char *field, const char *const *texts, size_t n);

/* Set may[i] for the roots that can have a file which passes the filter; `may` is [roots->count]. Returns how many. */
size_t scry_remote_filter_roots(const scry_remote_roots *roots, const scry_filter_node *f, bool *may);

/* A filter's expression for the present roots; requests the distinct cameras if the filter needs them. */
int scry_remote_filter(scry_remote *s, scry_milvus *m, const scry_filter_node *f, scry_buf *out,
                       scry_milvus_cover *cover, scry_error *err) SCRY_NODISCARD;

/* ---- words (remote_words.c) ---- */

/* The lists of SCRY_REMOTE_WORDS and SCRY_REMOTE_WORD_PARTS for a file, with what was read in its picture, and the text of
 * SCRY_REMOTE_ALL_WORDS: the items, the arrays and the text are owned by the caller. */
void scry_remote_words_of(const scry_file *file, scry_milvus_strings *words, scry_milvus_strings *parts, char **all);

/* A word as SCRY_REMOTE_ALL_WORDS has it, after a blank where it is not the first; false, and nothing, where it does not fit. */
bool scry_remote_add_word(scry_buf *out, const char *word);

/* What was read in a picture as a cell of SCRY_REMOTE_TEXT_LINES, owned; the last lines of one that is too long are left out. */
char *scry_remote_pack_text(const scry_picture_text *text, scry_error *err);
/* The lines of a cell, separated by '\n'; "" for one that is damaged. `out` is cleared first. */
void scry_remote_unpack_words(scry_buf *out, const char *cell);
/* NULL for a cell that is damaged; scry_picture_text_free frees it. Its content is not set. */
scry_picture_text *scry_remote_unpack_text(const char *cell, const char *reader, const char *reason);

/* ---- the incremental comparison (remote_state.c) ---- */

void scry_remote_state_free(scry_remote_state *st);
/* The collection has no row yet. */
void scry_remote_state_begin(scry_remote *s);
/* A row was written, or removed. */
int scry_remote_state_put(scry_remote *s, scry_milvus *m, const uint8_t *id, const scry_put *put, scry_error *err) SCRY_NODISCARD;
int scry_remote_state_drop(scry_remote *s, scry_milvus *m, const uint8_t *id, scry_error *err) SCRY_NODISCARD;
/* true: it is certain that no file of the collection has this content. */
bool scry_remote_state_lacks(scry_remote *s, const uint8_t *hash);
/* Whether this process wrote or replaced the content, so that reads of bounded staleness may be wrong about it. */
bool scry_remote_state_wrote(scry_remote *s, const uint8_t *hash);
int scry_remote_look_ahead(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_error *err);
/* Whether there is a row of this id. */
int scry_remote_has_row(scry_remote *s, const uint8_t *id, bool *out, scry_error *err) SCRY_NODISCARD;

/* ---- sidecar ---- */

/* Its statements, for scry_db_start on `side`. */
enum {
    SCRY_SIDE_BAD_PUT, SCRY_SIDE_BAD_STATE, SCRY_SIDE_BAD_DROP, SCRY_SIDE_BAD_COUNT, SCRY_SIDE_BAD_NEXT,
    SCRY_SIDE_BAD_NEXT_OF_ROOT, SCRY_SIDE_FILE_STATE, SCRY_SIDE_FILE_PATH, SCRY_SIDE_FILE_NEXT, SCRY_SIDE_FILE_COUNT,
    SCRY_SIDE_FILE_PUT, SCRY_SIDE_FILE_DROP, SCRY_SIDE_SEEN_PUT, SCRY_SIDE_SEEN_DROP, SCRY_SIDE_KEY_PUT, SCRY_SIDE_KEY_FIND
};

/* 1 when the sidecar is open and this thread's until scry_remote_side_end; 0 when there is none and `create` is false. */
int scry_remote_side_begin(scry_remote *s, bool create, scry_error *err) SCRY_NODISCARD;
/* 1 like that with `create`; where the file cannot be made, with a database in memory. For what a later search finds again. */
int scry_remote_side_begin_anywhere(scry_remote *s, scry_error *err) SCRY_NODISCARD;
void scry_remote_side_end(scry_remote *s, sqlite3_stmt *st);   /* ends `st`; NULL is legal */

int scry_remote_side_put(scry_remote *s, const scry_bad_file *b, scry_error *err) SCRY_NODISCARD;
/* Known and bad, or not known. */
int scry_remote_side_state(scry_remote *s, const uint8_t *id, scry_file_state *out, scry_error *err) SCRY_NODISCARD;
/* Forget a bad file: 1 when there was one. */
int scry_remote_side_drop(scry_remote *s, const uint8_t *id, scry_error *err) SCRY_NODISCARD;
/* Bad files of the root `from` (hex) become those of `to`, their paths below `prefix`. */
int scry_remote_side_move(scry_remote *s, const char *from, const uint8_t *to, const char *prefix, scry_error *err) SCRY_NODISCARD;
int scry_remote_side_count(scry_remote *s, uint64_t *out, scry_error *err) SCRY_NODISCARD;
/* Add the bad files of `from` to those of `to` and remove the sidecar of `from`, which no other thread uses. */
int scry_remote_side_move_all(scry_remote *from, scry_remote *to, scry_error *err) SCRY_NODISCARD;

/* ---- operations of store.h that both kinds share ---- */

int scry_remote_close(scry_store *s, scry_error *err);
int scry_remote_sync(scry_store *s, scry_error *err);
void scry_remote_describe(scry_store *s, scry_store_info *out);
/* The contents of the rows that pass an expression, "" for all. Milvus cannot count distinct values: of a collection of more than
 * some 50,000 `files` it is estimated. */
typedef struct scry_remote_contents {
    uint64_t count;
    bool estimated;
} scry_remote_contents;
int scry_remote_count_contents(scry_remote *s, const char *expression, uint64_t files, scry_milvus_consistency consistency,
                               scry_remote_contents *out, scry_error *err) SCRY_NODISCARD;
/* All but `contents`. */
int scry_remote_count_files(scry_store *s, scry_store_info *out, scry_error *err);
int scry_remote_each_bad(scry_store *s, int (*each)(void *, const char *, int64_t, int64_t, const char *), void *arg,
                         scry_error *err);
int scry_remote_search_many(scry_store *s, const float *queries, size_t n, const scry_search *search, scry_results **out,
                            scry_error *err);
int scry_remote_rare_words(scry_store *s, const scry_filter_node *filter, const char *wanted, scry_buf *kept, scry_error *err);
int scry_remote_compact(scry_store *s, const scry_compact_options *options, scry_error *err);

/* ---- operations of collections that scry made ---- */

int scry_remote_add_root(scry_store *s, const char *path, scry_root *out, scry_error *err);
int scry_remote_move_root(scry_store *s, const char *old_path, const char *new_path, scry_error *err);
int scry_remote_each_root(scry_store *s, int (*each)(void *, const scry_root *), void *arg, scry_error *err);
int scry_remote_put_root(scry_store *s, const scry_root *root, scry_error *err);
int scry_remote_lost_roots(scry_store *s, int (*each)(void *, const scry_root *), void *arg, scry_error *err);
int scry_remote_each_in_range(scry_store *s, scry_id_range range, bool vectors,
                              int (*each)(void *, const scry_file *, const float *), void *arg, scry_error *err);
int scry_remote_file_state(scry_store *s, const uint8_t *root, const char *relative, scry_file_state *out,
                           scry_error *err);
int scry_remote_has_content(scry_store *s, const uint8_t *hash, scry_file *out, scry_error *err);
int scry_remote_put(scry_store *s, const scry_put *batch, size_t n, scry_error *err);
int scry_remote_put_bad(scry_store *s, const scry_bad_file *bad, scry_error *err);
/* As scry_remote_put, which keeps what was read in pictures, with it: the cells of each row, as they are stored. At most 2,048. */
typedef struct scry_remote_text_cells {
    const char *reader, *reason, *lines;
} scry_remote_text_cells;
int scry_remote_put_with_texts(scry_remote *s, scry_milvus *m, const scry_put *items, const scry_remote_text_cells *cells, size_t n,
                               scry_error *err) SCRY_NODISCARD;
int scry_remote_put_texts(scry_store *s, const scry_picture_text *texts, size_t n, scry_error *err);
int scry_remote_get_text(scry_store *s, const uint8_t *hash, scry_picture_text **out, scry_error *err);
int scry_remote_get_texts(scry_store *s, const scry_picture_text *texts, size_t n, scry_picture_text **out, bool *has,
                          scry_error *err);
int scry_remote_each_text(scry_store *s, int (*each)(void *, const scry_picture_text *, size_t), void *arg, scry_error *err);
int scry_remote_each_unread(scry_store *s, const scry_unread *which, int (*each)(void *, const scry_file *, size_t), void *arg,
                            scry_error *err);
int scry_remote_count_texts(scry_store *s, const char *reader, scry_text_counts *out, scry_error *err);
int scry_remote_remove(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed, scry_error *err);
int scry_remote_get(scry_store *s, const uint8_t *id, scry_results **out, scry_error *err);
int scry_remote_get_many(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_results **out, scry_error *err);
int scry_remote_vector(scry_store *s, const uint8_t *hash, float *out, scry_error *err);
int scry_remote_vector_of(scry_store *s, const uint8_t *id, float *out, scry_error *err);
int scry_remote_each_file(scry_store *s, const scry_filter_node *filter, const uint8_t *after,
                          int (*each)(void *, const scry_file *), void *arg, scry_error *err);
int scry_remote_each_brief(scry_store *s, const scry_brief_walk *walk, int (*each)(void *, const scry_file *), void *arg,
                           scry_error *err);
int scry_remote_count_below(scry_store *s, const scry_filter_node *filter, uint64_t *out, scry_error *err);
int scry_remote_each_sampled(scry_store *s, uint64_t most, int (*each)(void *, const scry_file *), void *arg, double *share,
                             scry_error *err);
int scry_remote_each_place(scry_store *s, const scry_filter_node *filter, int (*each)(void *, const uint8_t *, const char *),
                           void *arg, scry_error *err);
int scry_remote_verify(scry_store *s, const scry_verify_options *options, scry_verify_report *out, scry_error *err);

#endif
