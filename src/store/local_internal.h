/* local_internal.h - the embedded store's parts and how they meet.
 *
 *     STORE/scry-store                 "scry-store 1\n": this folder is a store
 *     STORE/collections/NAME/
 *         lock                         held by the one writer, tells its process id
 *         index.db                     SQLite: roots, files, contents; what is committed
 *         vectors-G.seg                stored vectors of generation G, by slot
 *         codes-G.cache                derived: int8 codes for the scan, by slot
 *         columns-N.cache              derived: what filters look at, by root and path
 *
 * local_open.c    folders, the lock, opening and closing      local_put.c    writing
 * local_head.c    the head row, transactions, readers         local_roots.c  roots
 * local_segment.c stored vectors                              local_files.c  lookups
 * local_codes.c   codes: the cache file and what it lacks     local_search.c search
 * local_view.c    what one search sees                        local_care.c   verify
 * local_columns.c columns: the cache file read                local_compact.c
 * columns_write.c ... and written                             filter_local.c filter to bitmap
 * local_range.c   walking by id
 *
 * docs/store-format.md has the format byte by byte.
 */
#ifndef SCRY_STORE_LOCAL_INTERNAL_H
#define SCRY_STORE_LOCAL_INTERNAL_H

#include "base/file.h"
#include "base/pool.h"
#include "store/db.h"
#include "store/store_internal.h"
#include "vector/codes.h"
#include "vector/vector.h"

#include <pthread.h>
#include <sys/types.h>

enum {
    SCRY_STORE_FORMAT = 1,
    SCRY_APPLICATION_ID = 0x73637279,   /* "scry" */
    SCRY_COLLECTION_BYTES = 16,
    SCRY_DIM_MAX = SCRY_CODE_DIM_MAX,
    SCRY_SEGMENT_HEADER = 4096,         /* bytes before the first slot */
    SCRY_ROW_ALIGN = 64                 /* a slot's bytes are a multiple of this */
};

/* The one row of the table head. */
typedef struct scry_head {
    uint8_t collection[SCRY_COLLECTION_BYTES];   /* random; ties the other files to the database */
    char *model_identity, *model_name, *precision;   /* owned */
    int64_t dim, generation;
    int64_t slots;          /* slots given out in this generation; rows from here on are torn */
    int64_t change;         /* grows with every transaction */
    int64_t files, contents, bad;
    int64_t next_file;      /* number of the next file row, never given twice */
    int64_t columns_file;   /* N of columns-N.cache; 0: none */
    int64_t columns_last;   /* files numbered up to this are in it, unless gone */
} scry_head;

/* A connection for reading, used by one thread at a time. */
typedef struct scry_reader {
    scry_db db;
    struct scry_reader *next;
} scry_reader;

typedef struct scry_view scry_view;

typedef struct scry_local {
    scry_store base;           /* first */
    char *where, *folder, *name, *db_path;
    bool writable, network;
    int db_flags;              /* of readers: SQLITE_OPEN_READWRITE, or READONLY where it cannot be written */
    const char *db_parameter;  /* of readers, for scry_db_open */
    int lock_fd;
    uint8_t collection[SCRY_COLLECTION_BYTES];
    char *model_identity, *model_name, *precision;
    size_t row_bytes;          /* of a slot in the segment */

    /* Readers: idle connections. */
    pthread_mutex_t readers_lock;
    scry_reader *readers;

    /* file_state asks thousands of times between commits: the writer's process keeps one reader
     * in its transaction until the next commit, which saves half of the time. */
    pthread_mutex_t state_lock;
    scry_reader *state_reader;

    /* The newest view; each search takes a reference. */
    pthread_mutex_t view_lock;
    scry_view *view;
    int64_t known_generation, known_rows;   /* of the codes file, as this process wrote it */

    pthread_mutex_t pool_lock; /* whoever gets it scans with the team, others alone */
    scry_pool *pool;           /* made by the first search */
    bool searched;             /* there was one */
    int threads;

    /* Writing, by one thread at a time. */
    scry_db writer;
    scry_head head, work;      /* committed; with the open transaction's changes */
    int wal_pages;             /* in SQLite's log after the last commit */
    int segment_fd;
    int64_t first_free;        /* slots below may have been named by a failed commit */
    int codes_fd;              /* -1 when the cache cannot be kept */
    int64_t codes_rows;        /* rows written to it */
    int64_t codes_told;        /* rows that its header tells readers */
    int64_t codes_generation;
    uint8_t *pending;          /* rows to append, and their room */
    size_t pending_rows, pending_capacity;
    int64_t gone;              /* rows of table gone: changes that the column cache lacks */
    bool columns_failed;       /* writing it failed in this process */
    char *content_text;        /* strings lent by has_content */
    char *root_path;           /* string lent by add_root */
} scry_local;

/* ---- local_head.c ---- */

int scry_head_load(scry_db *db, scry_head *out, scry_error *err) SCRY_NODISCARD;
int scry_head_save(scry_db *db, const scry_head *h, scry_error *err) SCRY_NODISCARD;
void scry_head_dispose(scry_head *h);
void scry_head_copy(scry_head *to, const scry_head *from);

/* A transaction of the writer: begin copies head to work, commit saves work and makes it the
 * head; abort undoes. Between them only the writing thread may use `writer`. */
int scry_local_begin(scry_local *s, scry_error *err) SCRY_NODISCARD;
int scry_local_commit(scry_local *s, scry_error *err) SCRY_NODISCARD;
void scry_local_abort(scry_local *s);

/* Take an idle reader or open one, inside a read transaction; give it back (NULL is legal). */
int scry_reader_take(scry_local *s, scry_reader **out, scry_error *err) SCRY_NODISCARD;
void scry_reader_give(scry_local *s, scry_reader *r);
void scry_readers_close(scry_local *s);

/* End the transaction that file_state has kept open, so that it sees the newest commit. With
 * `checkpoint` also move SQLite's log into the database meanwhile: were that reader always
 * in a transaction, the log could never begin anew. */
void scry_state_reader_release(scry_local *s, bool checkpoint);

/* ---- local_segment.c ---- */

char *scry_segment_path(const scry_local *s, int64_t generation);
size_t scry_row_bytes(int dim);
int scry_segment_create(const scry_local *s, int64_t generation, scry_error *err) SCRY_NODISCARD;

/* Open for appending after checking the header and that `slots` rows are there. */
int scry_segment_open(const scry_local *s, int64_t generation, int64_t slots, bool write, int *out_fd,
                      scry_error *err) SCRY_NODISCARD;

/* Write rows at `slot` and wait until the disk has them. */
int scry_segment_append(scry_local *s, int fd, int64_t generation, int64_t slot, const uint8_t *rows,
                        size_t n, scry_error *err) SCRY_NODISCARD;

/* Write all of it; -1 with errno. */
int scry_pwrite_all(int fd, const void *bytes, size_t n, off_t at);

/* CRC-32C (Castagnoli). Start with 0; feed the result in again to go on. */
uint32_t scry_crc32c(uint32_t crc, const void *bytes, size_t n);
uint32_t scry_crc32c_portable(uint32_t crc, const void *bytes, size_t n);   /* the oracle */

/* ---- rows ---- */

/* A file as read from the database, with what the store knows beside it. Strings are the
 * statement's until its next step; `path` and labels are owned here. */
typedef struct scry_row {
    scry_file file;
    int64_t number, slot, root_number;
    char *path;
    const char **labels;
    size_t label_capacity;
} scry_row;

typedef struct scry_root_entry {
    int64_t number;
    uint8_t id[SCRY_ID_BYTES];
    char *path;
} scry_root_entry;

typedef struct scry_root_list {
    scry_root_entry *items;   /* in order of id */
    size_t count;
} scry_root_list;

int scry_root_list_load(scry_db *db, scry_root_list *out, scry_error *err) SCRY_NODISCARD;
void scry_root_list_dispose(scry_root_list *l);
const scry_root_entry *scry_root_by_number(const scry_root_list *l, int64_t number);   /* or NULL */

/* From a statement over SCRY_SQL_FILE_COLUMNS. Fails on a row that names no root. */
int scry_row_read(scry_row *row, sqlite3_stmt *st, const scry_root_list *roots, const char *db_path,
                  scry_error *err) SCRY_NODISCARD;
void scry_row_dispose(scry_row *row);

/* Checksums of rows, kept in their last column. */
uint32_t scry_file_crc(const scry_file *f, const char *labels, size_t labels_bytes);
uint32_t scry_content_crc(const scry_file *f, uint32_t vector_crc);
uint32_t scry_root_crc(const uint8_t *id, const char *path);
uint32_t scry_bad_crc(const uint8_t *id, int64_t size, int64_t mtime_ns, const char *reason);

/* ---- mappings that views share ---- */

/* A read-only mapping of a file that grows: longer than the file, so that rows appended
 * later are reached without mapping again. Counted under the store's view_lock. */
typedef struct scry_shared_map {
    int refs;
    uint8_t *data;
    size_t size;
    ino_t inode;
} scry_shared_map;

/* `old` when it is of the same file and reaches `need` bytes (one more reference), else a new
 * mapping of `fd`. */
int scry_shared_map_get(scry_shared_map **out, scry_shared_map *old, int fd, size_t need,
                        const char *where, scry_error *err) SCRY_NODISCARD;
void scry_shared_map_put(scry_shared_map *m);   /* NULL is legal */

/* ---- local_codes.c: codes of all slots, from the cache file or made in memory ---- */

typedef struct scry_code_block {
    int refs;                 /* under the store's view_lock */
    int64_t rows;             /* encoded so far */
    void *data;               /* codes.h */
} scry_code_block;

typedef struct scry_codes {
    scry_shared_map *map;     /* of the cache file; NULL without one */
    int64_t map_rows;         /* rows in it */
    void **blocks;            /* for scry_scan */
    scry_code_block **made;   /* the block in memory, NULL where it lies in the map */
    size_t count;
} scry_codes;

/* The writer's part: open or make the cache file, catch up with the segment, append what was
 * committed, tell readers. None fails: without the file codes are made in memory. */
void scry_codes_open(scry_local *s);
void scry_codes_append(scry_local *s, int64_t first, const uint8_t *rows, size_t n);
void scry_codes_tell(scry_local *s);
void scry_codes_close(scry_local *s);
char *scry_codes_path(const scry_local *s, int64_t generation);

/* The reader's part. `old` (may be NULL) is the view before, of any generation. */
int scry_codes_load(scry_local *s, scry_view *v, const scry_view *old, scry_error *err) SCRY_NODISCARD;
void scry_codes_dispose(scry_codes *c);

/* ---- columns: what filters look at, a row a file, by root and relative path ----
 *
 * A cache file of the files numbered up to head.columns_last, as they were then. Table
 * gone lists those of them that are no longer so, files with higher numbers come from the
 * database. Texts (camera, format, key, label) are terms with lists of rows. */

enum { SCRY_TERM_CAMERA = 'c', SCRY_TERM_FORMAT = 'f', SCRY_TERM_KEY = 'k', SCRY_TERM_LABEL = 'l' };

typedef struct scry_column_root {
    int64_t number;
    uint64_t first, end;       /* its rows */
} scry_column_root;

typedef struct scry_columns {
    int refs;                  /* under the store's view_lock */
    int64_t file;              /* N of columns-N.cache */
    scry_map map;
    uint64_t rows, root_count, term_count, names_size, terms_size, list_size;
    const uint32_t *slots;
    const int64_t *times;
    const double *latitudes, *longitudes;   /* NaN where there is none */
    const uint64_t *name_at;   /* [rows + 1] into names */
    const char *names;
    const scry_column_root *roots;
    const uint64_t *term_at;   /* [term_count + 1] into terms; sorted by bytes */
    const char *terms;         /* kind, then the text */
    const uint64_t *list_at;   /* [term_count + 1] into lists */
    const uint32_t *lists;     /* rows, ascending */
} scry_columns;

char *scry_columns_path(const scry_local *s, int64_t file);

/* Map and check columns file `file`; NULL when it is absent, damaged or not this collection's. */
scry_columns *scry_columns_open(const scry_local *s, int64_t file, int64_t generation);
void scry_columns_put(scry_columns *c);   /* drop a reference; NULL is legal */

/* Parse a columns file in memory, checking that nothing in it points outside of it. */
bool scry_columns_parse(scry_columns *c, const uint8_t *data, size_t size);

/* Check the sections' sums; false when one is wrong. */
bool scry_columns_intact(const scry_columns *c);

/* Row `i`'s name, and term `i`: their bytes and sizes, empty ones where a file lies. */
const char *scry_columns_name(const scry_columns *c, uint64_t i, size_t *size);
const char *scry_columns_term(const scry_columns *c, uint64_t i, size_t *size);

/* Rows of term `i`. */
const uint32_t *scry_columns_list(const scry_columns *c, uint64_t i, size_t *count);

/* The first row of [first, end) whose name is not below the `size` bytes of `name`. */
uint64_t scry_columns_find(const scry_columns *c, uint64_t first, uint64_t end, const char *name, size_t size);

/* The writer's part: write a new file when the cache lacks more than `bearable` changes. A
 * failure leaves the old one in use. */
void scry_columns_keep(scry_local *s, int64_t bearable);

/* ---- filter_local.c ---- */

/* What a view needs to answer filters, made by its first filtered search. */
typedef struct scry_filter_state {
    scry_columns *columns;     /* NULL: every file is in `fresh` */
    uint64_t *valid;           /* a bit a row of columns: the file is still so */
    scry_results *fresh;       /* files that the columns lack */
    uint32_t *fresh_slots;
} scry_filter_state;

/* Set the bits of the contents that some file passing the filter shows; `bits` is zeroed, a
 * bit a slot. `r` is in the transaction that `v` was taken in. */
int scry_filter_bits(scry_local *s, scry_reader *r, scry_view *v, const scry_filter_node *filter,
                     uint64_t *bits, scry_error *err) SCRY_NODISCARD;
void scry_filter_state_dispose(scry_filter_state *f);

/* ---- local_view.c: one committed state ---- */

struct scry_view {
    int refs;                 /* under the store's view_lock */
    scry_head head;
    scry_root_list roots;
    scry_shared_map *segment;
    scry_codes codes;
    uint64_t *live;           /* a bit a slot: a content lies there */
    bool filter_ready;        /* under the store's view_lock */
    scry_filter_state filter;
};

/* The error of rows that do not come in order: a walk would turn back, and never end. */
int scry_reader_out_of_order(const scry_reader *r, scry_error *err);

/* The view of the reader's transaction; give it back when done. */
int scry_view_take(scry_local *s, scry_reader *r, scry_view **out, scry_error *err) SCRY_NODISCARD;

/* A reader and its view, to be given back both; neither on failure. A compaction of another
 * process may remove the segment between the two: then what it made is read. */
int scry_reader_view_take(scry_local *s, scry_reader **r, scry_view **v, scry_error *err) SCRY_NODISCARD;
void scry_view_give(scry_local *s, scry_view *v);
void scry_views_close(scry_local *s);

static inline const uint8_t *scry_view_row(const scry_local *s, const scry_view *v, int64_t slot)
{
    return v->segment->data + SCRY_SEGMENT_HEADER + (size_t)slot * s->row_bytes;
}

/* ---- operations ---- */

int scry_local_close(scry_store *base, scry_error *err);
int scry_local_sync(scry_store *base, scry_error *err);
int scry_local_get_info(scry_store *base, scry_store_info *out, scry_error *err);
int scry_local_refresh(scry_store *base, scry_error *err);
int scry_local_add_root(scry_store *base, const char *path, scry_root *out, scry_error *err);
int scry_local_move_root(scry_store *base, const char *old_path, const char *new_path, scry_error *err);
int scry_local_roots(scry_store *base, int (*each)(void *, const scry_root *), void *arg, scry_error *err);
int scry_local_put_root(scry_store *base, const scry_root *root, scry_error *err);
int scry_local_file_state(scry_store *base, const uint8_t *root, const char *relative,
                          scry_file_state *out, scry_error *err);
int scry_local_has_content(scry_store *base, const uint8_t *hash, scry_file *out, scry_error *err);
int scry_local_put(scry_store *base, const scry_put *batch, size_t n, scry_error *err);
int scry_local_put_bad(scry_store *base, const uint8_t *root, const char *relative, int64_t size,
                       int64_t mtime_ns, const char *reason, scry_error *err);
int scry_local_remove(scry_store *base, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n,
                      uint64_t *removed, scry_error *err);
int scry_local_get(scry_store *base, const uint8_t *id, scry_results **out, scry_error *err);
int scry_local_vector(scry_store *base, const uint8_t *hash, float *out, scry_error *err);
int scry_local_each_file(scry_store *base, const scry_filter_node *filter, const uint8_t *after,
                         int (*each)(void *, const scry_file *), void *arg, scry_error *err);
int scry_local_each_in_range(scry_store *base, scry_id_range range, bool vectors,
                             int (*each)(void *, const scry_file *, const float *), void *arg, scry_error *err);
int scry_local_each_bad(scry_store *base,
                        int (*each)(void *, const char *, int64_t, int64_t, const char *), void *arg,
                        scry_error *err);
int scry_local_search_many(scry_store *base, const float *queries, size_t n, const scry_search *search,
                           scry_results **out, scry_error *err);
int scry_local_verify(scry_store *base, scry_verify_report *out, void (*problem)(void *, const char *),
                      void *arg, scry_error *err);
int scry_local_compact(scry_store *base, scry_error *err);

/* Put a file's row out of the way: it is gone for whoever has it in a cache. */
int scry_local_forget_file(scry_local *s, int64_t number, int64_t root, const char *relative,
                           scry_error *err) SCRY_NODISCARD;

/* Drop a content that no file names any more; its slot is dead. */
int scry_local_drop_orphan(scry_local *s, int64_t slot, scry_error *err) SCRY_NODISCARD;

/* SCRY_EINVALID with what to do, unless this store was opened for writing. */
int scry_local_check_writable(const scry_local *s, scry_error *err) SCRY_NODISCARD;

#endif
