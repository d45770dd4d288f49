/* local_open.c - opening and closing a collection: its database, its model, how it can be read. */
#include "store/local/local.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/table.h"
#include "store/local/codes_file.h"
#include "store/local/columns.h"
#include "store/local/db_reader.h"
#include "store/local/mark_table.h"
#include "store/local/segment.h"
#include "store/local/store_folder.h"
#include "store/local/sums.h"
#include "store/local/transaction.h"
#include "store/local/view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const schema =
    "CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one = 1), collection BLOB NOT NULL,"
    " model_identity TEXT NOT NULL, model_name TEXT NOT NULL, precision TEXT NOT NULL,"
    " dim INTEGER NOT NULL, generation INTEGER NOT NULL, slots INTEGER NOT NULL,"
    " change INTEGER NOT NULL, files INTEGER NOT NULL, contents INTEGER NOT NULL,"
    " bad INTEGER NOT NULL, next_file INTEGER NOT NULL, columns_file INTEGER NOT NULL,"
    " columns_last INTEGER NOT NULL, row_crc INTEGER NOT NULL) STRICT;"
    "CREATE TABLE roots(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " path TEXT NOT NULL UNIQUE, row_crc INTEGER NOT NULL) STRICT;"
    "CREATE TABLE contents(slot INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,"
    " vector_crc INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,"
    " format TEXT NOT NULL, taken_at INTEGER, latitude REAL, longitude REAL,"
    " camera TEXT NOT NULL, row_crc INTEGER NOT NULL) STRICT;"
    "CREATE TABLE files(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " root INTEGER NOT NULL, relative TEXT NOT NULL, size INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL, slot INTEGER NOT NULL, key TEXT NOT NULL,"
    " labels BLOB NOT NULL, row_crc INTEGER NOT NULL, UNIQUE(root, relative)) STRICT;"
    "CREATE INDEX files_by_slot ON files(slot);"
    "CREATE TABLE bad(id BLOB PRIMARY KEY, root INTEGER NOT NULL, relative TEXT NOT NULL,"
    " size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, reason TEXT NOT NULL,"
    " row_crc INTEGER NOT NULL, UNIQUE(root, relative)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE dead(number INTEGER PRIMARY KEY, slot INTEGER NOT NULL) STRICT;"
    "CREATE TABLE gone(number INTEGER PRIMARY KEY, file INTEGER NOT NULL,"
    " root INTEGER NOT NULL, relative TEXT NOT NULL) STRICT;";

/* What format 2 added. */
static const char *const detail_tables =
    "CREATE TABLE details(slot INTEGER PRIMARY KEY, taken_source INTEGER NOT NULL, taken_offset INTEGER,"
    " rating INTEGER, damaged INTEGER NOT NULL, lens TEXT NOT NULL, title TEXT NOT NULL,"
    " description TEXT NOT NULL, keywords TEXT NOT NULL, row_crc INTEGER NOT NULL) STRICT;"
    "CREATE TABLE notes(id BLOB PRIMARY KEY, taken_source INTEGER NOT NULL, taken_at INTEGER,"
    " taken_offset INTEGER, latitude REAL, longitude REAL, rating INTEGER, title TEXT NOT NULL,"
    " description TEXT NOT NULL, keywords TEXT NOT NULL, companion TEXT NOT NULL,"
    " row_crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE seen(id BLOB PRIMARY KEY, ctime_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* What a database of format 2 may lack: an earlier scry does not use it. */
static const char *const text_table =
    "CREATE TABLE IF NOT EXISTS texts(slot INTEGER PRIMARY KEY, reader TEXT NOT NULL, reason TEXT NOT NULL,"
    " lines BLOB NOT NULL, row_crc INTEGER NOT NULL) STRICT;";

static const scry_store_kind local_kind = {
    .close = scry_local_close, .sync = scry_local_sync, .refresh = scry_local_refresh,
    .get_info = scry_local_get_info, .describe = scry_local_describe,
    .count_old_headers = scry_local_count_old_headers, .add_root = scry_local_add_root,
    .move_root = scry_local_move_root, .roots = scry_local_roots, .put_root = scry_local_put_root,
    .file_state = scry_local_file_state, .has_content = scry_local_has_content,
    .put = scry_local_put, .put_bad = scry_local_put_bad, .remove = scry_local_remove,
    .get = scry_local_get, .vector = scry_local_vector, .each_file = scry_local_each_file,
    .each_brief = scry_local_each_brief, .each_stored = scry_local_each_stored,
    .each_in_range = scry_local_each_in_range, .each_bad = scry_local_each_bad, .put_texts = scry_local_put_texts,
    .get_text = scry_local_get_text, .each_text = scry_local_each_text, .each_unread = scry_local_each_unread,
    .count_texts = scry_local_count_texts,
    .search_many = scry_local_search_many, .search_two = scry_local_search_two,
    .each_word = scry_local_each_word, .rare_words = scry_local_rare_words,
    .verify = scry_local_verify, .check_files = scry_local_check_files, .known_damage = scry_local_known_damage,
    .compact = scry_local_compact,
    .put_marks = scry_local_put_marks, .remove_marks = scry_local_remove_marks, .each_mark = scry_local_each_mark,
    .begin_replacement = scry_local_begin_replacement, .replace = scry_local_replace,
    .drop_replacement = scry_local_drop_replacement,
};

/* The format of the database when this scry reads it, 0 when it is empty. */
static int check_schema(scry_db *db, scry_error *err)
{
    int64_t application = 0, version = 0, tables = 0;
    int result;
    if ((result = scry_db_number(db, "PRAGMA application_id", &application, err)) < 0 ||
        (result = scry_db_number(db, "PRAGMA user_version", &version, err)) < 0 ||
        (result = scry_db_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err)) < 0)
        return result;
    if (tables == 0 && version == 0)
        return 0;
    if (application != SCRY_APPLICATION_ID)
        return scry_fail(err, SCRY_EINVALID, "%s is not a scry database", db->path);
    if (version < 1 || version > SCRY_DATABASE_FORMAT)
        return scry_fail(err, SCRY_EINVALID, "%s has format %lld, this scry reads formats 1 to %d: use the scry "
                         "that wrote it, or index again into another store", db->path, (long long)version,
                         SCRY_DATABASE_FORMAT);
    return (int)version;
}

static void roll_back(scry_local *s)
{
    if (!sqlite3_get_autocommit(s->writer.handle))
        (void)!scry_db_run(&s->writer, SCRY_SQL_ROLLBACK, NULL, "");
}

/* Add the tables that the database of an earlier scry lacks, in one transaction. Contents get their rows of table details when
 * their headers are read again. */
static int migrate(scry_local *s, scry_error *err)
{
    int64_t version = 0;
    char *set = scry_asprintf("PRAGMA user_version = %d", SCRY_DATABASE_FORMAT);
    int result = scry_db_run(&s->writer, SCRY_SQL_BEGIN_WRITE, err, "");
    if (result == 0)
        result = scry_db_number(&s->writer, "PRAGMA user_version", &version, err);
    if (result == 0)
        result = scry_sums_discard(s, err);
    if (result == 0 && version == 1 && (result = scry_db_exec(&s->writer, detail_tables, err)) == 0)
        result = scry_db_exec(&s->writer, set, err);
    if (result == 0)
        result = scry_db_exec(&s->writer, scry_mark_schema, err);
    if (result == 0)
        result = scry_db_exec(&s->writer, text_table, err);
    if (result == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_COMMIT, err, "");
    if (result < 0)
        roll_back(s);
    free(set);
    return result;
}

/* In one transaction, unless another process has made the collection meanwhile. */
static int write_schema(scry_local *s, const scry_head *h, scry_error *err)
{
    char *pragmas = scry_asprintf("PRAGMA application_id = %d; PRAGMA user_version = %d",
                                  SCRY_APPLICATION_ID, SCRY_DATABASE_FORMAT);
    int result = scry_db_run(&s->writer, SCRY_SQL_BEGIN_WRITE, err, "");
    if (result == 0)
        result = check_schema(&s->writer, err);
    if (result == 0 && (result = scry_segment_create(s, 1, err)) == 0 &&
        (result = scry_db_exec(&s->writer, schema, err)) == 0 &&
        (result = scry_db_exec(&s->writer, detail_tables, err)) == 0 &&
        (result = scry_db_exec(&s->writer, scry_mark_schema, err)) == 0 &&
        (result = scry_db_exec(&s->writer, text_table, err)) == 0 &&
        (result = scry_db_exec(&s->writer, pragmas, err)) == 0 &&
        (result = scry_head_save(&s->writer, h, err)) == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_COMMIT, err, "");
    if (result != 0)
        roll_back(s);
    free(pragmas);
    return result < 0 ? result : 0;
}

static int create_schema(scry_local *s, const scry_store_options *o, scry_error *err)
{
    if (!o->model_identity || !o->model_identity[0] || o->dim < 1 || o->dim > SCRY_DIM_MAX)
        return scry_fail(err, SCRY_EINVALID, "a new collection needs a model and a dimension of 1 to %d",
                         SCRY_DIM_MAX);
    scry_head h = { .dim = o->dim, .generation = 1, .next_file = 1 };
    if (getrandom(h.collection, sizeof h.collection, 0) != sizeof h.collection)
        return scry_fail_errno(err, errno, "no random numbers to name a collection with");
    h.model_identity = scry_strdup(o->model_identity);
    h.model_name = scry_strdup(o->model_name ? o->model_name : "");
    h.precision = scry_strdup(o->precision ? o->precision : "");
    memcpy(s->collection, h.collection, sizeof h.collection);
    s->base.dim = o->dim;
    s->row_bytes = scry_row_bytes(o->dim);
    int result = write_schema(s, &h, err);
    scry_head_dispose(&h);
    return result;
}

static int check_model(const scry_local *s, const scry_head *h, const scry_store_options *o, scry_error *err)
{
    if (o->model_identity && o->model_identity[0] && strcmp(o->model_identity, h->model_identity) != 0)
        return scry_store_other_model(s->name, h->model_name, h->model_identity, o, err);
    if (o->dim && o->dim != h->dim)
        return scry_fail(err, SCRY_EINVALID, "the collection %s of %s holds vectors of %lld numbers, not %d",
                         s->name, s->where, (long long)h->dim, o->dim);
    return 0;
}

static void adopt_head(scry_local *s, const scry_head *h)
{
    memcpy(s->collection, h->collection, sizeof s->collection);
    s->base.dim = (int)h->dim;
    s->row_bytes = scry_row_bytes((int)h->dim);
    s->model_identity = scry_strdup(h->model_identity);
    s->model_name = scry_strdup(h->model_name);
    s->precision = scry_strdup(h->precision);
}

static int note_wal_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
    ((scry_local *)arg)->wal_pages = pages;
    return SQLITE_OK;
}

/* Under the database's write lock: read its state, open and complete the files that belong to it and remove
 * others. So no other writer's unfinished file is taken for an orphan. */
static int adopt_files(scry_local *s, const scry_store_options *o, scry_error *err)
{
    int result = scry_head_load(&s->writer, &s->head, err);
    if (result < 0 || (result = check_model(s, &s->head, o, err)) < 0)
        return result;
    adopt_head(s, &s->head);
    result = scry_segment_open(s, s->head.generation, s->head.slots, true, &s->segment_fd, err);
    if (result == 0)
        result = scry_db_number(&s->writer, "SELECT count(*) FROM gone", &s->gone, err);
    if (result == 0) {
        scry_folder_remove_orphans(s);
        scry_codes_open(s);
    }
    return result;
}

/* Bytes 18 and 19 of a database are 2 if it has a write-ahead log. */
static bool logs_ahead(scry_db *db)
{
    uint8_t versions[2];
    return scry_db_read_file(db, versions, sizeof versions, 18) && versions[0] == 2;
}

/* Open the database for writing, in today's format. */
static int open_database(scry_local *s, const scry_store_options *o, scry_error *err)
{
    bool create = o->mode == SCRY_STORE_CREATE;
    int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    /* The log's index is shared memory, which no network has: there a rollback journal. */
    const char *journal = s->network ? "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE;"
                                       "PRAGMA locking_mode = NORMAL; PRAGMA synchronous = FULL"
                                     : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";
    int format = scry_db_open(&s->writer, &scry_local_statements, s->db_path, flags, "", err);
    if (format == 0)
        format = check_schema(&s->writer, err);
    if (format == 0 && !create)
        return scry_fail(err, SCRY_ENOTFOUND, "the collection %s of %s is empty: `scry index PATH` fills it",
                         s->name, s->where);
    int result = format < 0 ? format : 0;
    if (result == 0 && format && (logs_ahead(&s->writer) == s->network))
        result = scry_sums_discard(s, err);   /* the journal's kind is in the file */
    if (result == 0)
        result = scry_db_exec(&s->writer, journal, err);
    if (result == 0 && format == 0)
        result = create_schema(s, o, err);
    else if (result == 0 && (result = scry_reader_lacks_tables(&s->writer, err)) == 1)
        result = migrate(s, err);
    return result;
}

static int open_writer(scry_local *s, const scry_store_options *o, scry_error *err)
{
    int result = scry_folder_lock(s, err);
    if (result < 0 || (result = open_database(s, o, err)) < 0)
        return result;
    s->writable = true;
    sqlite3_wal_hook(s->writer.handle, note_wal_pages, s);   /* instead of SQLite's own checkpoints */
    if ((result = scry_db_run(&s->writer, SCRY_SQL_BEGIN_WRITE, err, "")) < 0)
        return result;
    result = adopt_files(s, o, err);
    (void)!scry_db_run(&s->writer, SCRY_SQL_ROLLBACK, NULL, "");
    return result;
}

/* The same before it is opened. Through SQLite, which knows whether this process has the file open elsewhere: closing a
 * descriptor of it would drop the locks that its other connections hold, and their readers would miss all later commits. */
static bool keeps_wal(const char *db_path)
{
    scry_db db;
    if (scry_db_open(&db, &scry_local_statements, db_path, SQLITE_OPEN_READONLY, "immutable=1", NULL) < 0)
        return false;
    bool wal = logs_ahead(&db);
    scry_db_close(&db, NULL);
    return wal;
}

static bool has_bytes(const char *path, const char *suffix)
{
    struct stat st;
    char *full = scry_asprintf("%s%s", path, suffix);
    bool found = stat(full, &st) == 0 && st.st_size > 0;
    free(full);
    return found;
}

/* How a reader may open the database. Where SQLite can share memory for its log (a local
 * folder that can be written) there is nothing to choose. Elsewhere a store that was closed
 * cleanly has no log, and its database file alone is read. */
static int choose_reading(scry_local *s, scry_error *err)
{
    if (access(s->db_path, F_OK) < 0)
        return scry_fail(err, SCRY_ENOTFOUND, "there is no collection %s in %s: `scry index PATH` makes one",
                         s->name, s->where);
    bool may_write = access(s->folder, W_OK) == 0 && access(s->db_path, W_OK) == 0;
    s->db_flags = may_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    if (!keeps_wal(s->db_path) || (may_write && !s->network))
        return 0;
    if (!has_bytes(s->db_path, "-wal")) {
        s->db_parameter = "immutable=1";   /* no process writes it */
        return 0;
    }
    if (!s->network && has_bytes(s->db_path, "-shm"))
        return 0;
    return scry_fail(err, SCRY_EIO, "the store %s was not closed cleanly and is where its log cannot be "
                     "read: open it once (scry status) where it can be written", s->where);
}

/* Where the disk has no room for the log's index (the file -shm, 32 KiB and more), each reader makes
 * one of its own in memory: SQLite does so for an index that it may not write and no process has open.
 * An empty file is enough for its locks. */
static void use_private_log_index(scry_local *s)
{
    char *path = scry_asprintf("%s-shm", s->db_path);
    struct stat st;
    mode_t mode = stat(s->db_path, &st) == 0 ? st.st_mode & 0777 : 0600;
    int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);   /* one that is there may have locks of this process */
    if (fd >= 0)
        close(fd);
    free(path);
    s->db_flags = SQLITE_OPEN_READONLY;
    s->db_parameter = "readonly_shm=1";
}

/* As choose_reading() decided or, on a full disk, with a private log index. Whether the disk is full
 * shows in the connection's first statement. */
static int acquire_first_reader(scry_local *s, scry_reader **out, scry_error *err)
{
    scry_error first = SCRY_ERROR_INIT;
    int result = scry_reader_acquire(s, out, &first);
    if (result == SCRY_EIO && s->db_flags == SQLITE_OPEN_READWRITE) {
        use_private_log_index(s);
        result = scry_reader_acquire(s, out, NULL);
    }
    return result < 0 ? scry_fail(err, first.code, "%s", first.message) : 0;
}

static int open_for_reading(scry_local *s, const scry_store_options *o, scry_error *err)
{
    scry_head h = { 0 };
    scry_reader *r = NULL;
    int result = choose_reading(s, err);
    if (result < 0 || (result = acquire_first_reader(s, &r, err)) < 0)
        return result;
    if ((result = check_schema(&r->db, err)) == 0)
        result = scry_fail(err, SCRY_ENOTFOUND, "the collection %s of %s is empty: `scry index PATH` fills it",
                           s->name, s->where);
    if (result > 0 && (result = scry_head_load(&r->db, &h, err)) == 0 &&
        (result = check_model(s, &h, o, err)) == 0)
        adopt_head(s, &h);
    scry_head_dispose(&h);
    scry_reader_release(s, r);
    return result;
}

static void local_free(scry_local *s)
{
    scry_views_close(s);
    scry_readers_close(s);
    scry_pool_free(s->pool);
    scry_codes_close(s);
    if (s->segment_fd >= 0)
        close(s->segment_fd);
    scry_head_dispose(&s->head);
    scry_head_dispose(&s->work);
    pthread_mutex_destroy(&s->readers_lock);
    pthread_mutex_destroy(&s->state_lock);
    pthread_mutex_destroy(&s->view_lock);
    pthread_mutex_destroy(&s->pool_lock);
    char *owned[] = { s->where, s->folder, s->name, s->db_path, s->model_identity, s->model_name,
                      s->precision, s->content_text, s->root_path, s->damage, (char *)s->pending };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    scry_folder_unlock(s->lock_fd);
    free(s);
}

int scry_local_open_folder(scry_store **out, const char *where, const char *name, const char *folder,
                           const scry_store_options *o, scry_error *err)
{
    int result = 0;
    scry_local *s = scry_alloc(sizeof *s);
    s->base.kind = &local_kind;
    s->lock_fd = s->segment_fd = s->codes_fd = -1;
    s->db_flags = SQLITE_OPEN_READWRITE;
    s->db_parameter = "";
    s->threads = o->threads;
    s->where = scry_strdup(where);
    s->name = scry_strdup(name);
    s->folder = scry_strdup(folder);
    s->db_path = scry_path_join(s->folder, "index.db");
    pthread_mutex_init(&s->readers_lock, NULL);
    pthread_mutex_init(&s->state_lock, NULL);
    pthread_mutex_init(&s->view_lock, NULL);
    pthread_mutex_init(&s->pool_lock, NULL);
    struct stat st;
    if (o->mode == SCRY_STORE_CREATE)
        result = scry_make_dirs(s->folder, err);
    else if (stat(s->folder, &st) < 0)
        result = scry_fail(err, SCRY_ENOTFOUND, "there is no collection %s in %s: `scry index PATH` makes one",
                           name, where);
    s->network = scry_folder_is_network(s->folder);
    if (result == 0)
        result = scry_folder_check_database(s->db_path, err);
    if (result == 0)
        result = o->mode == SCRY_STORE_READ ? open_for_reading(s, o, err) : open_writer(s, o, err);
    if (result == 0 && stat(s->db_path, &st) == 0) {
        s->db_device = st.st_dev;
        s->db_inode = st.st_ino;
    }
    if (result < 0) {
        scry_db_close(&s->writer, NULL);
        local_free(s);
        return result;
    }
    *out = &s->base;
    return 0;
}

static int local_open(scry_store **out, const char *where, const scry_store_options *o, scry_error *err)
{
    const char *name = o->collection ? o->collection : "default";
    int result = scry_folder_check_name(name, err);
    if (result < 0 || (result = scry_folder_check_marker(where, o->mode == SCRY_STORE_CREATE, err)) < 0)
        return result;
    scry_replacement_recover(where, name);
    char *folder = scry_asprintf("%s/collections/%s", where, name);
    result = scry_local_open_folder(out, where, name, folder, o, err);
    free(folder);
    return result;
}

const scry_store_driver scry_local_driver = { local_open, scry_local_collections, scry_local_drop };

/* Commits are on the disk already (synchronous = FULL): only the codes, a cache, are left to publish. */
int scry_local_sync(scry_store *base, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    if (!s->writable)
        return 0;
    scry_codes_publish(s);
    return scry_local_check_place(s, err);
}

int scry_local_close(scry_store *base, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_views_close(s);
    scry_readers_close(s);
    scry_columns_complete(s, 1024 + s->head.files / 256);   /* every filter looks at what is lacking one by one */
    int result = scry_local_sync(base, err);
    if (s->writer.handle) {
        int closed = sqlite3_wal_checkpoint_v2(s->writer.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        if (closed != SQLITE_OK && closed != SQLITE_BUSY && result == 0)
            result = scry_db_fail(&s->writer, err);
        if (result == 0)
            scry_sums_seal(s);
        closed = scry_db_close(&s->writer, result == 0 ? err : NULL);
        result = result ? result : closed;
    }
    local_free(s);
    return result;
}

/* Whatever changes files gives one a new number, or removes one. */
static void put_changes(scry_store_info *out, const scry_head *h)
{
    const int64_t numbers[] = { h->generation, h->next_file, h->files, h->contents };
    out->change = (uint64_t)h->change;
    out->files_change = scry_hash_bytes(numbers, sizeof numbers) | 1;
}

void scry_local_describe(scry_store *base, scry_store_info *out)
{
    scry_local *s = (scry_local *)base;
    *out = (scry_store_info){ .where = s->where, .collection = s->name, .model_identity = s->model_identity,
                              .model_name = s->model_name, .precision = s->precision, .dim = base->dim, .finds_words = true,
                              .keeps_marks = true };
    pthread_mutex_lock(&s->view_lock);
    const scry_head *h = s->view ? &s->view->head : NULL;
    if (h)
        put_changes(out, h);
    pthread_mutex_unlock(&s->view_lock);
}

int scry_local_count_old_headers(scry_store *base, uint64_t *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    int64_t n = 0;
    int result = scry_reader_acquire(s, &r, err);
    if (result < 0)
        return result;
    result = scry_db_number(&r->db, "SELECT (SELECT count(*) FROM contents) - (SELECT count(*) FROM details)", &n, err);
    scry_reader_release(s, r);
    *out = (uint64_t)n;
    return result;
}

int scry_local_get_info(scry_store *base, scry_store_info *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_head h = { 0 };
    scry_reader *r;
    int result = scry_reader_acquire(s, &r, err);
    if (result < 0)
        return result;
    result = scry_head_load(&r->db, &h, err);
    scry_reader_release(s, r);
    scry_local_describe(base, out);
    if (result == 0)
        put_changes(out, &h);
    out->files = (uint64_t)h.files;
    out->contents = (uint64_t)h.contents;
    out->bad_files = (uint64_t)h.bad;
    out->bytes = scry_folder_bytes(s->folder);
    scry_head_dispose(&h);
    return result;
}
