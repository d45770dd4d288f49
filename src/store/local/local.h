/* local.h - the embedded store: its state, and the operations of its kind.
 *
 *     STORE/scry-store                 "scry-store 1\n": this folder is a store
 *     STORE/collections/NAME/
 *         lock                         tells a second writer who writes; SQLite's lock decides
 *         index.db                     SQLite: roots, files, contents; what is committed
 *         vectors-G.seg                stored vectors of generation G, by slot
 *         codes-G.cache                derived: int8 codes for the scan, by slot
 *         columns-N.cache              derived: what filters read, by root and path
 *         sums, sums.old               checksums of these files, by the writer that closed last
 *         damaged                      what scry verify found, if anything
 *     STORE/collections/.NAME.rebuild/ an unfinished collection that is to replace NAME
 *
 * local_open.c     opening and closing                 writer.c         adding and removing files
 * store_folder.c   folders, names, the writer's lock   root_table.c     adding and moving roots
 * head_row.c       the head row                        lookup.c         files and contents by key
 * transaction.c    the writer's transactions           list_files.c     walking files
 * file_order.c     files that pass, in order           range_walk.c     walking by id
 * brief.c          what lists are made of              local_search.c   search
 * db_reader.c      connections for reading             filter_bitmap.c  what passes a filter
 * segment.c        the file of stored vectors          filter_rows.c    filters over the columns
 * codes_file.c     the file of codes                   texts.c          what was read in pictures
 * columns_read.c, columns_write.c  the columns file    verify.c         checking everything
 * view.c           one committed state                 compact.c        a new generation
 * sums.c           checksums of the files              damage_mark.c    what verify found last
 * collections.c    listing and dropping collections    replace.c        a collection that replaces another
 * mark_table.c     favourites and other marks          rare_words.c     words of a query that pictures have together
 *
 * docs/store-format.md has the format byte by byte.
 */
#ifndef SCRY_STORE_LOCAL_LOCAL_H
#define SCRY_STORE_LOCAL_LOCAL_H

#include "base/pool.h"
#include "store/local/head_row.h"
#include "store/store_kind.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

enum {
    SCRY_STORE_FORMAT = 1,              /* of the folder and the segments */
    SCRY_DATABASE_FORMAT = 2,           /* of index.db; 1 has no tables details, notes and seen */
    SCRY_APPLICATION_ID = 0x73637279   /* "scry" */
};

typedef struct scry_reader scry_reader;   /* db_reader.h */
typedef struct scry_view scry_view;       /* view.h */

typedef struct scry_local {
    scry_store base;           /* first */
    char *where, *folder, *name, *db_path;
    bool writable, network;
    int db_flags;              /* of readers: SQLITE_OPEN_READWRITE, or READONLY where it cannot be written */
    const char *db_parameter;  /* of readers, for scry_db_open */
    dev_t db_device;           /* of the database file when the collection was opened: another one has replaced it */
    ino_t db_inode;
    int lock_fd;
    uint8_t collection[SCRY_COLLECTION_BYTES];
    char *model_identity, *model_name, *precision;
    size_t row_bytes;          /* of a slot in the segment */

    /* Readers: idle connections. */
    pthread_mutex_t readers_lock;
    scry_reader *readers;

    /* file_state is called thousands of times between commits: the writer's process keeps one reader
     * in its transaction until the next commit, which halves the time. */
    pthread_mutex_t state_lock;
    scry_reader *state_reader;

    /* The newest view; each search holds a reference. */
    pthread_mutex_t view_lock;
    scry_view *view;
    int64_t known_generation, known_rows;   /* of the codes file, as this process wrote it, */
    ino_t known_inode;                      /* which has this inode */

    char *damage;              /* under the view_lock: what a search came upon first; NULL: nothing */
    bool damage_marked;        /* in the file `damaged` */

    pthread_mutex_t pool_lock; /* the search that holds it scans with the pool's threads, others with their own */
    scry_pool *pool;           /* made by the first search */
    bool searched;             /* there was one */
    atomic_bool said_damaged;  /* a message about damaged codes was written */
    int threads;

    /* Writing, by one thread at a time. */
    scry_db writer;
    scry_head head, work;      /* committed; with the open transaction's changes */
    int wal_pages;             /* in SQLite's log after the last commit */
    int segment_fd;
    int64_t first_free;        /* slots below may have been named by a failed commit */
    int codes_fd;              /* -1 when the cache cannot be written */
    int64_t codes_rows;        /* rows written to it */
    int64_t codes_published;   /* rows that its header counts */
    int64_t codes_generation;
    uint8_t *pending;          /* rows to append */
    size_t pending_rows, pending_capacity;
    int64_t gone;              /* rows of table gone: changes that the column cache lacks */
    bool sums_due;             /* this writer has changed files: `sums` is to be written when it closes */
    bool columns_failed;       /* writing it failed in this process */
    char *content_text;        /* strings that has_content returned */
    char *root_path;           /* string that add_root returned */
} scry_local;

/* ---- operations: one for each of scry_store_kind, with its contract ---- */

int scry_local_close(scry_store *base, scry_error *err);
int scry_local_sync(scry_store *base, scry_error *err);
int scry_local_get_info(scry_store *base, scry_store_info *out, scry_error *err);
void scry_local_describe(scry_store *base, scry_store_info *out);
int scry_local_count_old_headers(scry_store *base, uint64_t *out, scry_error *err);
int scry_local_refresh(scry_store *base, scry_error *err);
int scry_local_add_root(scry_store *base, const char *path, scry_root *out, scry_error *err);
int scry_local_move_root(scry_store *base, const char *old_path, const char *new_path, scry_error *err);
int scry_local_roots(scry_store *base, int (*each)(void *, const scry_root *), void *arg, scry_error *err);
int scry_local_put_root(scry_store *base, const scry_root *root, scry_error *err);
int scry_local_file_state(scry_store *base, const uint8_t *root, const char *relative,
                          scry_file_state *out, scry_error *err);
int scry_local_has_content(scry_store *base, const uint8_t *hash, scry_file *out, scry_error *err);
int scry_local_put(scry_store *base, const scry_put *batch, size_t n, scry_error *err);
int scry_local_put_bad(scry_store *base, const scry_bad_file *bad, scry_error *err);
int scry_local_remove(scry_store *base, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n,
                      uint64_t *removed, scry_error *err);
int scry_local_get(scry_store *base, const uint8_t *id, scry_results **out, scry_error *err);
int scry_local_vector(scry_store *base, const uint8_t *hash, float *out, scry_error *err);
int scry_local_each_file(scry_store *base, const scry_filter_node *filter, const uint8_t *after,
                         int (*each)(void *, const scry_file *), void *arg, scry_error *err);
int scry_local_each_brief(scry_store *base, const scry_brief_walk *walk, int (*each)(void *, const scry_file *), void *arg,
                          scry_error *err);
int scry_local_each_stored(scry_store *base, const scry_filter_node *filter, int (*each)(void *, const scry_file *), void *arg,
                           scry_error *err);
int scry_local_each_in_range(scry_store *base, scry_id_range range, bool vectors,
                             int (*each)(void *, const scry_file *, const float *), void *arg, scry_error *err);
int scry_local_each_bad(scry_store *base,
                        int (*each)(void *, const char *, int64_t, int64_t, const char *), void *arg,
                        scry_error *err);
int scry_local_search_many(scry_store *base, const float *queries, size_t n, const scry_search *search,
                           scry_results **out, scry_error *err);
int scry_local_search_two(scry_store *s, const float *query, const scry_search search[2], scry_results *out[2],
                          scry_error *err) SCRY_NODISCARD;
int scry_local_each_word(scry_store *base, int (*each)(void *, const char *, size_t), void *arg, scry_error *err);
int scry_local_rare_words(scry_store *base, const scry_filter_node *filter, const char *wanted, scry_buf *kept, scry_error *err);
int scry_local_put_texts(scry_store *base, const scry_picture_text *texts, size_t n, scry_error *err);
int scry_local_get_text(scry_store *base, const uint8_t *hash, scry_picture_text **out, scry_error *err);
int scry_local_each_text(scry_store *base, int (*each)(void *, const scry_picture_text *, size_t), void *arg, scry_error *err);
int scry_local_each_unread(scry_store *base, const scry_unread *which, int (*each)(void *, const scry_file *, size_t), void *arg,
                           scry_error *err);
int scry_local_count_texts(scry_store *base, const char *reader, scry_text_counts *out, scry_error *err);
int scry_local_verify(scry_store *base, const scry_verify_options *options, scry_verify_report *out, scry_error *err);
int scry_local_check_files(scry_store *base, scry_verify_report *out, int (*pace)(void *, size_t),
                           void (*problem)(void *, const char *), void *arg, scry_error *err);
int scry_local_known_damage(scry_store *base, scry_error *err);
int scry_local_compact(scry_store *base, const scry_compact_options *options, scry_error *err);
int scry_local_put_marks(scry_store *base, const scry_mark *marks, size_t n, scry_error *err);
int scry_local_remove_marks(scry_store *base, const scry_mark *marks, size_t n, uint64_t *removed, scry_error *err);
int scry_local_each_mark(scry_store *base, scry_mark_kind kind, int (*each)(void *, const scry_mark *), void *arg,
                         scry_error *err);
int scry_local_begin_replacement(scry_store **out, scry_store *base, const scry_store_options *model, bool anew,
                                 scry_error *err);
int scry_local_replace(scry_store *base, scry_store *replacement, scry_error *err);
int scry_local_drop_replacement(scry_store *base, scry_error *err);

/* Open the collection in `folder`, whatever its name; local_open.c. */
int scry_local_open_folder(scry_store **out, const char *where, const char *name, const char *folder,
                           const scry_store_options *o, scry_error *err) SCRY_NODISCARD;

/* Where the replacement of a collection is made, owned; replace.c. */
char *scry_replacement_folder(const char *where, const char *name);

/* Put a collection back that a crash left aside where two folders cannot be exchanged atomically; replace.c. */
void scry_replacement_recover(const char *where, const char *name);

/* Remove a folder with the files of a collection; collections.c. */
int scry_local_remove_folder(const char *folder, scry_error *err) SCRY_NODISCARD;

/* Of scry_local_driver: collections.c. */
int scry_local_collections(const char *where, int (*each)(void *arg, const char *name), void *arg,
                           scry_error *err) SCRY_NODISCARD;
int scry_local_drop(const char *where, const char *name, scry_error *err) SCRY_NODISCARD;

#endif
