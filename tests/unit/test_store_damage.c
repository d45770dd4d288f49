/* Damage to a store is reported and not made worse: flipped bytes in every file, files
 * cut or missing, other versions, a second writer, folders that cannot be written, network
 * file systems, and readers beside a writer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_fixture.h"

#include "store/local/columns_format.h"
#include "store/local/segment.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static bool pretend_network;

/* Replaces libc's for the store: the folder appears to be on NFS. */
int statfs(const char *path, struct statfs *out)
{
    memset(out, 0, sizeof *out);
    out->f_type = pretend_network ? 0x6969 : 0xef53;
    return 0;
}

static int ignore_file(void *arg, const scry_file *f)
{
    return 0;
}

/* Use every function of a store; negative when one failed. Must not crash. */
static int use(const char *where, uint64_t *problems)
{
    scry_store *s;
    scry_verify_report report = { 0 };
    scry_filter_pool *pool = scry_filter_pool_new();
    scry_search search = SCRY_SEARCH_INIT;
    scry_results *r;
    float v[DIM];
    scry_error err = SCRY_ERROR_INIT;
    int result = open_store(&s, where, SCRY_STORE_READ, &err);
    search.filter = scry_filter_or(pool, scry_filter_text(pool, SCRY_FILTER_IN, "/pictures/d1"),
                                   scry_filter_and(pool, scry_filter_text(pool, SCRY_FILTER_LABEL, "seen"),
                                                   scry_filter_text(pool, SCRY_FILTER_CAMERA, "x1")));
    model_vector(3, v, DIM);
    *problems = 0;
    if (result == 0) {
        int each = scry_store_each_file(s, NULL, NULL, ignore_file, NULL, &err);
        result = scry_store_search(s, v, &search, &r, &err);
        if (result == 0)
            scry_results_free(r);
        int verified = scry_store_verify(s, &report, NULL, NULL, &err);
        *problems = report.problems;
        result = each < 0 ? each : result < 0 ? result : verified;
        int closed = scry_store_close(s, result < 0 ? NULL : &err);
        result = result < 0 ? result : closed;
    }
    if (result < 0)
        assert_true(strlen(err.message) > 10);
    scry_filter_pool_free(pool);
    return result;
}

static void copy_store(const char *from, char to[64])
{
    char command[256];
    make_fast_scratch(to);
    snprintf(command, sizeof command, "cp -a '%s/.' '%s/'", from, to);
    assert_int_equal(system(command), 0);
}

static void flip(const char *path, off_t at, uint8_t mask)
{
    uint8_t byte = 0;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && pread(fd, &byte, 1, at) == 1);
    byte ^= mask;
    assert_true(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}

static off_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

/* A flipped byte is an error or a problem, whatever function meets it first. */
static void flipped_bytes(void **state)
{
    static const char *const names[] = { "vectors-1.seg", "codes-1.cache", "columns-1.cache", "index.db" };
    char where[64], damaged[64];
    uint64_t problems;
    dice d = { 4711 };
    make_fast_scratch(where);
    make_store(where);
    assert_int_equal(use(where, &problems), 0);
    assert_int_equal(problems, 0);
    for (int f = 0; f < 4; f++) {
        off_t size = size_of(file_in(where, names[f]));
        for (int i = 0; i < 40; i++) {
            copy_store(where, damaged);
            off_t at = (off_t)(roll(&d) % (uint64_t)size);
            if (i < 10 && f < 2)
                at %= SCRY_SEGMENT_HEADER;   /* the header's page */
            flip(file_in(damaged, names[f]), at, (uint8_t)(1u << below(&d, 8)));
            int result = use(damaged, &problems);
            assert_true(result < 0 || problems);
            remove_tree(damaged);
        }
    }
    remove_tree(where);
}

/* Caches are rebuilt: on disk by the next writer, in memory by a reader. */
static void caches_come_back(void **state)
{
    static const char *const names[] = { "codes-1.cache", "columns-1.cache" };
    char where[64];
    uint64_t problems;
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    for (int i = 0; i < 6; i++) {
        make_fast_scratch(where);
        make_store(where);
        const char *path = file_in(where, names[i % 2]);
        if (i / 2 == 0)
            unlink(path);
        else if (i / 2 == 1)
            flip(path, 8, 1);   /* its format */
        else
            assert_int_equal(truncate(path, 100), 0);
        assert_int_equal(use(where, &problems), 0);
        must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
        scry_columns_update((scry_local *)s, -1000000);
        must(scry_store_close(s, &err), &err);
        assert_int_equal(use(where, &problems), 0);
        assert_int_equal(problems, 0);
        remove_tree(where);
    }
}

/* A writer that was killed between making the codes' file and writing its header has damaged nothing. */
static void a_file_of_codes_that_was_only_begun(void **state)
{
    char where[64];
    uint64_t problems;
    make_fast_scratch(where);
    make_store(where);
    unlink(file_in(where, "sums"));
    assert_int_equal(truncate(file_in(where, "codes-1.cache"), 0), 0);
    assert_int_equal(use(where, &problems), 0);
    assert_int_equal(problems, 0);
    remove_tree(where);
}

/* Contents that pass; with a filter on the time those that have only their file's. */
static uint64_t found(const char *where, scry_filter_kind kind, int64_t number)
{
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    scry_filter_pool *pool = scry_filter_pool_new();
    scry_search search = SCRY_SEARCH_INIT;
    scry_results *r;
    float v[DIM];
    bool of_time = kind == SCRY_FILTER_AFTER;
    char word[24];
    model_vector(3, v, DIM);
    snprintf(word, sizeof word, "%lld", (long long)number);
    search.filter = of_time ? scry_filter_time(pool, kind, number) : kind == SCRY_FILTER_WORDS
                  ? scry_filter_words(pool, word, SCRY_WORDS_WHOLE) : scry_filter_number(pool, kind, number);
    must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
    must(scry_store_search(s, v, &search, &r, &err), &err);
    assert_int_equal(r->has_undated, of_time);
    uint64_t n = of_time ? r->undated : r->scanned;
    scry_results_free(r);
    must(scry_store_close(s, &err), &err);
    scry_filter_pool_free(pool);
    return n;
}

/* A columns file that was written before there were terms of widths, of times and of words: the database is read instead. */
static void columns_without_terms(void **state)
{
    char where[64];
    scry_columns_header h;
    enum { MAX_TERMS = 3 * FILES + 64 };
    uint64_t problems, terms[MAX_TERMS];
    make_fast_scratch(where);
    make_store(where);
    assert_int_equal(found(where, SCRY_FILTER_AFTER, 0), FILES - FILES / 3);
    int fd = open(file_in(where, "columns-1.cache"), O_RDWR);
    assert_true(fd >= 0 && pread(fd, &h, sizeof h, 0) == sizeof h && h.terms < MAX_TERMS);
    assert_true(pread(fd, terms, h.terms * 8, (off_t)h.section[SCRY_COLUMNS_TERM_AT].offset) == (ssize_t)h.terms * 8);
    int renamed = 0;
    for (size_t i = 0; i < h.terms; i++) {
        char kind;
        off_t at = (off_t)(h.section[SCRY_COLUMNS_TERMS].offset + terms[i]);
        assert_int_equal(pread(fd, &kind, 1, at), 1);
        if (kind == SCRY_TERM_WIDTH || kind == SCRY_TERM_DATED || kind == SCRY_TERM_WORD)   /* in the same place of their order */
            renamed += pwrite(fd, kind == SCRY_TERM_WIDTH ? "x" : kind == SCRY_TERM_WORD ? "u" : "e", 1, at) == 1;
    }
    close(fd);
    assert_true(renamed > 10);
    assert_int_equal(found(where, SCRY_FILTER_MIN_WIDTH, 110), FILES - 10);
    assert_int_equal(found(where, SCRY_FILTER_MIN_WIDTH, 100 + FILES), 0);
    assert_int_equal(found(where, SCRY_FILTER_AFTER, 0), FILES - FILES / 3);
    assert_int_equal(found(where, SCRY_FILTER_WORDS, 17), 1);
    assert_int_equal(use(where, &problems), 0);
    /* The next writer adds the words; a file that has them stays. */
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    for (int i = 0; i < 2; i++) {
        must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
        must(scry_store_close(s, &err), &err);
        assert_int_not_equal(access(file_in(where, "columns-1.cache"), F_OK), 0);
        assert_int_equal(access(file_in(where, "columns-2.cache"), F_OK), 0);
        assert_int_equal(found(where, SCRY_FILTER_WORDS, 17), 1);
        assert_int_equal(use(where, &problems), 0);
        assert_int_equal(problems, 0);
    }
    remove_tree(where);
}

static void expect(const char *where, scry_store_mode mode, int code, const char *part)
{
    scry_store *s = NULL;
    scry_error err = SCRY_ERROR_INIT;
    int result = open_store(&s, where, mode, &err);
    assert_int_equal(result, code);
    assert_null(s);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void run_sql(const char *db, const char *sql)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(db, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

static void what_cannot_be_opened(void **state)
{
    char where[64], other[64], path[128];
    make_fast_scratch(where);
    expect("/nonexistent/store", SCRY_STORE_READ, SCRY_ENOTFOUND, "there is no store at");
    expect("", SCRY_STORE_READ, SCRY_EINVALID, "store");
    snprintf(path, sizeof path, "%s/notes.txt", where);
    write_text(path, "not yours");
    expect(where, SCRY_STORE_CREATE, SCRY_EINVALID, "not a scry store");
    unlink(path);
    make_store(where);

    copy_store(where, other);
    snprintf(path, sizeof path, "%s/scry-store", other);
    write_text(path, "scry-store 9\n");
    expect(other, SCRY_STORE_READ, SCRY_EINVALID, "another version");
    remove_tree(other);

    copy_store(where, other);
    run_sql(file_in(other, "index.db"), "PRAGMA user_version = 7");
    expect(other, SCRY_STORE_READ, SCRY_EINVALID, "format 7");
    expect(other, SCRY_STORE_WRITE, SCRY_EINVALID, "format 7");
    remove_tree(other);

    copy_store(where, other);
    write_text(file_in(other, "index.db"), "this is no database, however long it may be......................");
    expect(other, SCRY_STORE_READ, SCRY_EDAMAGED, "index.db");
    remove_tree(other);

    copy_store(where, other);
    assert_int_equal(truncate(file_in(other, "vectors-1.seg"), SCRY_SEGMENT_HEADER + 100), 0);
    expect(other, SCRY_STORE_WRITE, SCRY_EDAMAGED, "cut short");
    remove_tree(other);

    copy_store(where, other);
    unlink(file_in(other, "vectors-1.seg"));
    expect(other, SCRY_STORE_WRITE, SCRY_ENOTFOUND, "vectors-1.seg");
    remove_tree(other);

    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    o.model_identity = "another";
    o.model_name = "L/14";
    assert_int_equal(scry_store_open(&s, where, &o, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "L/14"));
    o.model_identity = NULL;
    o.collection = "../up";
    assert_int_equal(scry_store_open(&s, where, &o, &err), SCRY_EINVALID);
    o.collection = "holiday";
    assert_int_equal(scry_store_open(&s, where, &o, &err), SCRY_ENOTFOUND);
    remove_tree(where);
}

/* A process that has the store open for writing until it is killed. */
static pid_t hold(const char *where)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        scry_store *s;
        if (open_store(&s, where, SCRY_STORE_WRITE, NULL) == 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void only_one_writer(void **state)
{
    char where[64], text[32];
    uint64_t problems;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_store(where);
    pid_t child = hold(where);
    snprintf(text, sizeof text, "process %ld is writing", (long)child);
    expect(where, SCRY_STORE_WRITE, SCRY_EBUSY, text);
    assert_int_equal(scry_store_drop_collection(where, "default", &err), SCRY_EBUSY);
    assert_int_equal(use(where, &problems), 0);   /* readers are allowed */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    scry_store *s;
    must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);   /* the lock of a dead process is released */
    must(scry_store_close(s, &err), &err);
    must(scry_store_drop_collection(where, "default", &err), &err);
    expect(where, SCRY_STORE_READ, SCRY_ENOTFOUND, "no collection");
    remove_tree(where);
}

/* Without write permission: a cleanly closed store can be searched, and no file is left behind. */
static void a_store_that_cannot_be_written(void **state)
{
    char where[64], command[160];
    make_fast_scratch(where);
    make_store(where);
    snprintf(command, sizeof command, "chmod -R a+rX,a-w '%s'", where);
    assert_int_equal(system(command), 0);
    pid_t child = fork();
    if (child == 0) {
        uint64_t problems;
        if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
            _exit(77);
        scry_store *s;
        scry_error err = SCRY_ERROR_INIT;
        if (use(where, &problems) < 0 || problems)
            _exit(1);
        if (open_store(&s, where, SCRY_STORE_WRITE, &err) == 0 || !strstr(err.message, "cannot write"))
            _exit(2);
        _exit(access(file_in(where, "index.db-shm"), F_OK) == 0 ? 3 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    remove_tree(where);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        return;   /* prove counts cmocka's skip() as a failure */
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_network_folder(void **state)
{
    char where[64];
    uint64_t problems;
    scry_store *s;
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_store(where);
    pretend_network = true;
    assert_int_equal(use(where, &problems), 0);   /* as it was left by a local writer */
    must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
    must(scry_store_add_root(s, "/pictures", &root, &err), &err);
    put_file(s, root.id, FILES);
    assert_int_equal(access(file_in(where, "index.db-shm"), F_OK), -1);   /* no shared memory */
    assert_int_equal(use(where, &problems), 0);
    assert_int_equal(problems, 0);
    must(scry_store_close(s, &err), &err);
    pretend_network = false;
    assert_int_equal(use(where, &problems), 0);   /* and back on a local disk */
    must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
    put_file(s, root.id, FILES + 1);
    must(scry_store_close(s, &err), &err);
    assert_int_equal(use(where, &problems), 0);
    assert_int_equal(problems, 0);
    remove_tree(where);
}

/* ---- readers beside a writer ---- */

typedef struct {
    scry_store *store;
    volatile bool stop;
    int searches;
    bool failed;
} reader;

/* Every answer must be of one committed state: each hit's score is its own content's. */
static bool search_makes_sense(scry_store *s, int n)
{
    scry_results *r;
    scry_search search = SCRY_SEARCH_INIT;
    scry_filter_pool *pool = scry_filter_pool_new();
    float v[DIM];
    model_vector(n, v, DIM);
    search.filter = n % 3 ? NULL : scry_filter_text(pool, SCRY_FILTER_LABEL, "seen");
    scry_error err = SCRY_ERROR_INIT;
    bool good = scry_store_search(s, v, &search, &r, &err) == 0;
    if (!good)
        print_error("%s\n", err.message);
    for (size_t i = 0; good && i < r->count; i++) {
        uint8_t hash[SCRY_HASH_BYTES];
        int content = (int)r->hits[i].file.size;
        model_hash(content, hash);
        good = memcmp(hash, r->hits[i].file.content, sizeof hash) == 0 &&
               fabs(model_score(v, content, DIM) - r->hits[i].score) < 1e-12;
    }
    if (r)
        scry_results_free(r);
    scry_filter_pool_free(pool);
    return good;
}

static void *search_on(void *arg)
{
    reader *k = arg;
    for (int n = 0; !k->stop && !k->failed; n++, k->searches++)
        k->failed = !search_makes_sense(k->store, n);
    return NULL;
}

static void search_in_process(const char *where)
{
    for (int n = 0;; n++) {
        scry_store *s;
        scry_error err = SCRY_ERROR_INIT;
        if (open_store(&s, where, SCRY_STORE_READ, &err) < 0 || !search_makes_sense(s, n) ||
            scry_store_refresh(s, &err) < 0 || !search_makes_sense(s, n + 1) || scry_store_close(s, &err) < 0) {
            print_error("%s\n", err.message);
            _exit(1);
        }
    }
}

static void remove_file(scry_store *s, const uint8_t *root, int i)
{
    uint8_t id[1][SCRY_ID_BYTES];
    char name[32];
    scry_error err = SCRY_ERROR_INIT;
    snprintf(name, sizeof name, "d%d/f%d.jpg", i % 4, i);
    scry_file_id(root, name, id[0]);
    must(scry_store_remove(s, (const uint8_t (*)[SCRY_ID_BYTES])id, 1, NULL, &err), &err);
}

static void readers_beside_a_writer(void **state)
{
    enum { THREADS = 2, ROUNDS = 120 };
    char where[64];
    scry_store *s;
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_store(where);
    pid_t child = fork();
    if (child == 0)
        search_in_process(where);
    must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
    must(scry_store_add_root(s, "/pictures", &root, &err), &err);
    reader k[THREADS] = { { 0 } };
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
        k[i].store = s;
        assert_int_equal(pthread_create(&thread[i], NULL, search_on, &k[i]), 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        put_file(s, root.id, FILES + i);
        remove_file(s, root.id, i);
        if (i % 40 == 20)
            must(scry_store_compact(s, &err), &err);
        if (i % 25 == 7)
            scry_columns_update((scry_local *)s, 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, WNOHANG), 0);   /* it found nothing wrong */
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    for (int i = 0; i < THREADS; i++) {
        k[i].stop = true;
        pthread_join(thread[i], NULL);
        assert_false(k[i].failed);
        assert_true(k[i].searches > 0);
    }
    must(scry_store_close(s, &err), &err);
    uint64_t problems;
    assert_int_equal(use(where, &problems), 0);
    assert_int_equal(problems, 0);
    remove_tree(where);
}

/* A compaction starts the numbers of the columns anew. What a search still reads is the file that it mapped: not damaged
 * because a shorter one has its name now, and damaged when it is cut itself. */
static void a_file_whose_name_is_used_again(void **state)
{
    char where[64];
    scry_store *s;
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_store(where);
    const char *path = file_in(where, "columns-1.cache");
    must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
    must(scry_store_add_root(s, "/pictures", &root, &err), &err);
    scry_columns *c = scry_columns_open((scry_local *)s, 1, 1);
    assert_non_null(c);
    off_t before = size_of(path);
    for (int i = 0; i < FILES; i += 2) {
        remove_file(s, root.id, i);
    }
    must(scry_store_compact(s, &err), &err);
    scry_columns_update((scry_local *)s, 0);
    assert_true(size_of(path) < before);
    assert_true(scry_columns_whole(c));
    scry_columns_release(c);
    c = scry_columns_open((scry_local *)s, 1, 2);
    assert_non_null(c);
    assert_int_equal(truncate(path, size_of(path) - 1), 0);
    assert_false(scry_columns_whole(c));
    scry_columns_release(c);
    must(scry_store_close(s, &err), &err);
    remove_tree(where);
}

static int list_name(void *arg, const char *name)
{
    strcat(arg, name);
    strcat(arg, " ");
    return 0;
}

static void collections_side_by_side(void **state)
{
    char where[64], names[64] = "";
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    for (int i = 0; i < 2; i++) {
        scry_store_options o = SCRY_STORE_OPTIONS_INIT;
        scry_store *s;
        o.collection = i ? "alps" : "zoo";
        o.mode = SCRY_STORE_CREATE;
        o.model_identity = i ? "one" : "two";
        o.dim = 8 + i;
        must(scry_store_open(&s, where, &o, &err), &err);
        must(scry_store_close(s, &err), &err);
    }
    must(scry_store_collections(where, list_name, names, &err), &err);
    assert_string_equal(names, "alps zoo ");
    remove_tree(where);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flipped_bytes), cmocka_unit_test(caches_come_back),
        cmocka_unit_test(a_file_of_codes_that_was_only_begun), cmocka_unit_test(columns_without_terms),
        cmocka_unit_test(what_cannot_be_opened), cmocka_unit_test(only_one_writer),
        cmocka_unit_test(a_store_that_cannot_be_written), cmocka_unit_test(a_network_folder),
        cmocka_unit_test(readers_beside_a_writer), cmocka_unit_test(a_file_whose_name_is_used_again),
        cmocka_unit_test(collections_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
