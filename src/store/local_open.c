/* local_open.c - folders, the writer's lock, opening and closing. */
#include "store/local_internal.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char marker_text[] = "scry-store 1\n";

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

static const scry_store_kind local_kind = {
    .close = scry_local_close, .sync = scry_local_sync, .refresh = scry_local_refresh,
    .get_info = scry_local_get_info, .add_root = scry_local_add_root,
    .move_root = scry_local_move_root, .roots = scry_local_roots, .put_root = scry_local_put_root,
    .file_state = scry_local_file_state, .has_content = scry_local_has_content,
    .put = scry_local_put, .put_bad = scry_local_put_bad, .remove = scry_local_remove,
    .get = scry_local_get, .vector = scry_local_vector, .each_file = scry_local_each_file,
    .each_in_range = scry_local_each_in_range, .each_bad = scry_local_each_bad, .search_many = scry_local_search_many,
    .verify = scry_local_verify, .compact = scry_local_compact,
};

/* A dead process's lock is the kernel's to drop, so that the file itself may stay. */
static int take_lock(scry_local *s, scry_error *err)
{
    char *path = scry_path_join(s->folder, "lock");
    char text[32] = "";
    int result = 0;
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0) {
        result = scry_fail_errno(err, errno, "cannot write to the store: cannot open %s", path);
    } else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        ssize_t n = pread(s->lock_fd, text, sizeof text - 1, 0);
        text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
        result = scry_fail(err, SCRY_EIO, "process %s is writing to the collection %s of %s: wait until it "
                           "has ended, or stop it", text[0] ? text : "(unknown)", s->name, s->where);
    } else {
        int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
        if (ftruncate(s->lock_fd, 0) < 0 || pwrite(s->lock_fd, text, (size_t)n, 0) != n)
            result = scry_fail_errno(err, errno, "cannot write %s", path);
    }
    free(path);
    return result;
}

/* Whether the folder lies on another machine, as far as its file system's type tells. */
static bool is_network(const char *folder)
{
    static const unsigned long types[] = { 0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x73757245, 0x5346414f,
                                           0x00c36400, 0x01021997, 0x0bd00bd0, 0x19830326 };
    struct statfs fs;   /* NFS, SMB, CIFS, SMB2, Coda, AFS, Ceph, 9P, Lustre, FhGFS */
    if (statfs(folder, &fs) < 0)
        return false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (((unsigned long)fs.f_type & 0xffffffff) == types[i])
            return true;
    return false;
}

/* Also one with nothing but the beginning of a marker: somebody was stopped right there. */
static bool is_empty_folder(const char *path)
{
    DIR *d = opendir(path);
    bool empty = d != NULL;
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            strncmp(e->d_name, "scry-store.part-", strlen("scry-store.part-")) != 0)
            empty = false;
    if (d)
        closedir(d);
    return empty;
}

/* The store's folder: its marker tells it from other folders and names the format. */
static int check_marker(const char *where, bool create, scry_error *err)
{
    char *path = scry_path_join(where, "scry-store");
    scry_buf text = SCRY_BUF_INIT(256);
    struct stat st;
    int result;
    if (stat(path, &st) < 0 && errno == ENOENT) {
        bool nothing = stat(where, &st) < 0 || is_empty_folder(where);
        if (create && nothing) {
            if ((result = scry_make_dirs(where, err)) == 0)
                result = scry_write_file(path, marker_text, sizeof marker_text - 1, err);
        } else if (nothing) {
            result = scry_fail(err, SCRY_ENOTFOUND, "there is no store at %s yet: `scry index PATH` makes one",
                               where);
        } else {
            result = scry_fail(err, SCRY_EINVALID, "%s is a folder but no scry store: name another", where);
        }
    } else if ((result = scry_read_file(path, &text, err)) == 0 &&
               strcmp(scry_buf_str(&text), marker_text) != 0) {
        result = scry_fail(err, SCRY_EINVALID, "%s is of another version (\"%.*s\", this scry reads \"%.*s\"): "
                           "use the scry that wrote it, or index again into another store", where,
                           (int)strcspn(scry_buf_str(&text), "\n"), scry_buf_str(&text),
                           (int)sizeof marker_text - 2, marker_text);
    }
    scry_buf_dispose(&text);
    free(path);
    return result;
}

static int pragma_int(scry_db *db, const char *sql, int64_t *out, scry_error *err)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) != SQLITE_OK)
        return scry_db_fail(db, err);
    int result = scry_db_step(db, st, err);
    if (result == 1)
        *out = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return result < 0 ? result : 0;
}

/* 1 when the database is of this format, 0 when it is empty. */
static int check_schema(scry_db *db, scry_error *err)
{
    int64_t application = 0, version = 0, tables = 0;
    int result;
    if ((result = pragma_int(db, "PRAGMA application_id", &application, err)) < 0 ||
        (result = pragma_int(db, "PRAGMA user_version", &version, err)) < 0 ||
        (result = pragma_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err)) < 0)
        return result;
    if (tables == 0 && version == 0)
        return 0;
    if (application != SCRY_APPLICATION_ID)
        return scry_fail(err, SCRY_EINVALID, "%s is no database of scry", db->path);
    if (version != SCRY_STORE_FORMAT)
        return scry_fail(err, SCRY_EINVALID, "%s has format %lld, this scry reads format %d: use the scry "
                         "that wrote it, or index again into another store", db->path, (long long)version,
                         SCRY_STORE_FORMAT);
    return 1;
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
    char *pragmas = scry_asprintf("PRAGMA application_id = %d; PRAGMA user_version = %d",
                                  SCRY_APPLICATION_ID, SCRY_STORE_FORMAT);
    int result = scry_segment_create(s, 1, err);
    if (result == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_BEGIN_WRITE, err, "");
    if (result == 0 && (result = scry_db_exec(&s->writer, schema, err)) == 0 &&
        (result = scry_db_exec(&s->writer, pragmas, err)) == 0 &&
        (result = scry_head_save(&s->writer, &h, err)) == 0)
        result = scry_db_run(&s->writer, SCRY_SQL_COMMIT, err, "");
    if (result < 0)
        scry_local_abort(s);
    free(pragmas);
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

/* Files that a crash left: of other generations, or half-written. */
static void remove_orphans(const scry_local *s)
{
    DIR *d = opendir(s->folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        long long n;
        char tail[8] = "";
        const char *name = e->d_name;
        bool orphan = strstr(name, ".part-") != NULL;
        if (sscanf(name, "vectors-%lld.%7s", &n, tail) == 2 && strcmp(tail, "seg") == 0)
            orphan = n != s->head.generation;
        else if (sscanf(name, "codes-%lld.%7s", &n, tail) == 2 && strcmp(tail, "cache") == 0)
            orphan = n != s->head.generation;
        else if (sscanf(name, "columns-%lld.%7s", &n, tail) == 2 && strcmp(tail, "cache") == 0)
            orphan = n != s->head.columns_file;
        if (orphan)
            unlinkat(dirfd(d), name, 0);
    }
    if (d)
        closedir(d);
}

static int note_wal_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
    ((scry_local *)arg)->wal_pages = pages;
    return SQLITE_OK;
}

static int open_writer(scry_local *s, const scry_store_options *o, scry_error *err)
{
    bool create = o->mode == SCRY_STORE_CREATE;
    int result = take_lock(s, err);
    if (result < 0)
        return result;
    int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    /* The log's index is shared memory, which no network has: there a rollback journal. */
    const char *journal = s->network ? "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE;"
                                       "PRAGMA locking_mode = NORMAL; PRAGMA synchronous = FULL"
                                     : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";
    if ((result = scry_db_open(&s->writer, s->db_path, flags, "", err)) < 0 ||
        (result = check_schema(&s->writer, err)) < 0)
        return result;
    bool empty = result == 0;
    if (empty && !create)
        return scry_fail(err, SCRY_ENOTFOUND, "the collection %s of %s is empty: `scry index PATH` fills it",
                         s->name, s->where);
    if ((result = scry_db_exec(&s->writer, journal, err)) < 0 ||
        (empty && (result = create_schema(s, o, err)) < 0))
        return result;
    s->writable = true;
    sqlite3_wal_hook(s->writer.handle, note_wal_pages, s);   /* instead of SQLite's own checkpoints */
    if ((result = scry_head_load(&s->writer, &s->head, err)) < 0 ||
        (result = check_model(s, &s->head, o, err)) < 0)
        return result;
    adopt_head(s, &s->head);
    result = scry_segment_open(s, s->head.generation, s->head.slots, true, &s->segment_fd, err);
    if (result == 0)
        result = pragma_int(&s->writer, "SELECT count(*) FROM gone", &s->gone, err);
    if (result == 0) {
        remove_orphans(s);
        scry_codes_open(s);
    }
    return result;
}

/* Bytes 18 and 19 of a database say whether it keeps a write-ahead log. */
static bool keeps_wal(const char *db_path)
{
    uint8_t head[20] = { 0 };
    int fd = open(db_path, O_RDONLY | O_CLOEXEC);
    bool wal = fd >= 0 && read(fd, head, sizeof head) == sizeof head && head[18] == 2;
    if (fd >= 0)
        close(fd);
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
 * cleanly has no log and is read as it lies. */
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
        s->db_parameter = "immutable=1";   /* nobody writes it */
        return 0;
    }
    if (!s->network && has_bytes(s->db_path, "-shm"))
        return 0;
    return scry_fail(err, SCRY_EIO, "the store %s was not closed cleanly and lies where its log cannot be "
                     "read: open it once (scry status) where it can be written", s->where);
}

/* Where the log's index (the file -shm, 32 KiB and more) finds no room, each reader makes one
 * of its own in memory: SQLite does so for an index that it may not write and nobody has open.
 * An empty file is enough for its locks. */
static void read_without_room(scry_local *s)
{
    char *path = scry_asprintf("%s-shm", s->db_path);
    struct stat st;
    mode_t mode = stat(s->db_path, &st) == 0 ? st.st_mode & 0777 : 0600;
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, mode);
    if (fd >= 0)
        close(fd);
    free(path);
    s->db_flags = SQLITE_OPEN_READONLY;
    s->db_parameter = "readonly_shm=1";
}

/* As choose_reading() said or, where the disk does not let that, without room. The
 * connection's first statement of its own shows it. */
static int take_first_reader(scry_local *s, scry_reader **out, scry_error *err)
{
    scry_error first = SCRY_ERROR_INIT;
    int result = scry_reader_take(s, out, &first);
    if (result == SCRY_EIO && s->db_flags == SQLITE_OPEN_READWRITE) {
        read_without_room(s);
        result = scry_reader_take(s, out, NULL);
    }
    return result < 0 ? scry_fail(err, first.code, "%s", first.message) : 0;
}

static int open_for_reading(scry_local *s, const scry_store_options *o, scry_error *err)
{
    scry_head h = { 0 };
    scry_reader *r = NULL;
    int result = choose_reading(s, err);
    if (result < 0 || (result = take_first_reader(s, &r, err)) < 0)
        return result;
    if ((result = check_schema(&r->db, err)) == 0)
        result = scry_fail(err, SCRY_ENOTFOUND, "the collection %s of %s is empty: `scry index PATH` fills it",
                           s->name, s->where);
    if (result == 1 && (result = scry_head_load(&r->db, &h, err)) == 0 &&
        (result = check_model(s, &h, o, err)) == 0)
        adopt_head(s, &h);
    scry_head_dispose(&h);
    scry_reader_give(s, r);
    return result;
}

/* A name that is a folder's on every system and no path. */
static int check_name(const char *name, scry_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t n = strlen(name);
    if (n == 0 || n > 64 || name[0] == '.' || name[0] == '-' || strspn(name, allowed) != n)
        return scry_fail(err, SCRY_EINVALID, "\"%.80s\" is no name for a collection: up to 64 letters, digits, "
                         "_ - and ., beginning with a letter, a digit or _", name);
    return 0;
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
                      s->precision, s->content_text, s->root_path, (char *)s->pending };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s);
}

int scry_local_open(scry_store **out, const char *where, const scry_store_options *o, scry_error *err)
{
    const char *name = o->collection ? o->collection : "default";
    int result = check_name(name, err);
    if (result < 0 || (result = check_marker(where, o->mode == SCRY_STORE_CREATE, err)) < 0)
        return result;
    scry_local *s = scry_alloc(sizeof *s);
    s->base.kind = &local_kind;
    s->lock_fd = s->segment_fd = s->codes_fd = -1;
    s->db_flags = SQLITE_OPEN_READWRITE;
    s->db_parameter = "";
    s->threads = o->threads;
    s->where = scry_strdup(where);
    s->name = scry_strdup(name);
    s->folder = scry_asprintf("%s/collections/%s", where, name);
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
    s->network = is_network(s->folder);
    if (result == 0)
        result = o->mode == SCRY_STORE_READ ? open_for_reading(s, o, err) : open_writer(s, o, err);
    if (result < 0) {
        scry_db_close(&s->writer, NULL);
        local_free(s);
        return result;
    }
    *out = &s->base;
    return 0;
}

/* Commits are on the disk already (synchronous = FULL): what is left are the codes, a cache. */
int scry_local_sync(scry_store *base, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    if (s->writable)
        scry_codes_tell(s);
    return 0;
}

int scry_local_close(scry_store *base, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_views_close(s);
    scry_readers_close(s);
    scry_columns_keep(s, 1024 + s->head.files / 64);
    int result = scry_local_sync(base, err);
    if (s->writer.handle) {
        int closed = sqlite3_wal_checkpoint_v2(s->writer.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        if (closed != SQLITE_OK && closed != SQLITE_BUSY && result == 0)
            result = scry_db_fail(&s->writer, err);
        closed = scry_db_close(&s->writer, result == 0 ? err : NULL);
        result = result ? result : closed;
    }
    local_free(s);
    return result;
}

static uint64_t bytes_in(const char *folder)
{
    uint64_t sum = 0;
    DIR *d = opendir(folder);
    struct stat st;
    for (struct dirent *e; d && (e = readdir(d));)
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            sum += (uint64_t)st.st_blocks * 512;
    if (d)
        closedir(d);
    return sum;
}

int scry_local_get_info(scry_store *base, scry_store_info *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_head h = { 0 };
    scry_reader *r;
    int result = scry_reader_take(s, &r, err);
    if (result < 0)
        return result;
    result = scry_head_load(&r->db, &h, err);
    scry_reader_give(s, r);
    *out = (scry_store_info){ s->where, s->name, s->model_identity, s->model_name, s->precision,
                              s->base.dim, (uint64_t)h.files, (uint64_t)h.contents, (uint64_t)h.bad, false,
                              bytes_in(s->folder) };
    scry_head_dispose(&h);
    return result;
}
