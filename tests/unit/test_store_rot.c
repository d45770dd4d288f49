/* One flipped bit anywhere in a store's files is found by verify, whatever the byte is for; in caches it changes no search.
 *
 * The store has what verify alone could not see by reading rows: free pages in the database, vectors of dead slots, unused
 * rows of a block of codes, padding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_fixture.h"

#include "store/local/segment.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIALS = 320, FILES_MAX = 16 };

typedef struct {
    char path[300];
    uint8_t *bytes;
    size_t size;
} stored_file;

static size_t file_size(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (size_t)st.st_size;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void write_bytes(const char *path, const uint8_t *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0 && pwrite(fd, bytes, n, 0) == (ssize_t)n && ftruncate(fd, (off_t)n) == 0);
    close(fd);
}

static stored_file read_stored(const char *folder, const char *name)
{
    stored_file f;
    snprintf(f.path, sizeof f.path, "%s/%s", folder, name);
    f.size = file_size(f.path);
    f.bytes = malloc(f.size);
    int fd = open(f.path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && f.bytes && read(fd, f.bytes, f.size) == (ssize_t)f.size);
    close(fd);
    return f;
}

/* Every file of the store but `lock`, whose text only says who held it. */
static size_t read_all(const char *where, stored_file *out)
{
    char folder[128];
    size_t n = 0;
    snprintf(folder, sizeof folder, "%s/collections/default", where);
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.' && strcmp(e->d_name, "lock") != 0) {
            assert_true(n < FILES_MAX);
            out[n++] = read_stored(folder, e->d_name);
        }
    closedir(d);
    out[n++] = read_stored(where, "scry-store");
    return n;
}

static void remove_files(scry_store *s, const uint8_t *root, int from, int to)
{
    scry_error err = SCRY_ERROR_INIT;
    for (int i = from; i < to; i++) {
        uint8_t id[1][SCRY_ID_BYTES];
        char name[32];
        snprintf(name, sizeof name, "d%d/f%d.jpg", i % 4, i);
        scry_file_id(root, name, id[0]);
        must(scry_store_remove(s, (const uint8_t (*)[SCRY_ID_BYTES])id, 1, NULL, &err), &err);
    }
}

/* Dead slots, rows that are gone from the columns, free pages. */
static void make_used_store(const char *where)
{
    scry_store *s;
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    make_store(where);
    must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
    must(scry_store_add_root(s, "/pictures", &root, &err), &err);
    remove_files(s, root.id, 20, 150);
    must(scry_store_close(s, &err), &err);
}

static int verify(const char *where, scry_verify_report *report)
{
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    int result = open_store(&s, where, SCRY_STORE_READ, &err);
    memset(report, 0, sizeof *report);
    if (result < 0)
        return result;
    result = scry_store_verify(s, report, NULL, NULL, &err);
    assert_true(scry_store_close(s, NULL) <= 0);
    return result;
}

static void expect_sound(const char *where, bool partial)
{
    scry_verify_report report;
    assert_int_equal(verify(where, &report), 0);
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.partial, partial);
}

static void every_flipped_bit_is_found(void **state)
{
    char where[64];
    scry_verify_report report;
    stored_file files[FILES_MAX];
    dice d = { 20261129 };
    make_fast_scratch(where);
    make_used_store(where);
    expect_sound(where, false);
    size_t n = read_all(where, files);
    assert_true(n >= 6);   /* database, vectors, codes, columns, sums, marker */
    for (int i = 0; i < TRIALS; i++) {
        stored_file *f = &files[i % (int)n];
        size_t at = (size_t)(roll(&d) % f->size);
        uint8_t bit = (uint8_t)(1u << below(&d, 8));
        f->bytes[at] ^= bit;
        write_bytes(f->path, f->bytes, f->size);
        f->bytes[at] ^= bit;
        if (verify(where, &report) == 0 && report.problems == 0)
            fail_msg("byte %zu of %zu of %s was changed and not found", at, f->size, f->path);
        write_bytes(f->path, f->bytes, f->size);
    }
    expect_sound(where, false);
    for (size_t i = 0; i < n; i++)
        free(files[i].bytes);
    remove_tree(where);
}

static void flip_in(const char *where, const char *name, size_t at)
{
    const char *path = file_in(where, name);
    uint8_t byte = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && pread(fd, &byte, 1, (off_t)at) == 1);
    byte ^= 16;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

static scry_store *open_writer(const char *where, scry_root *root)
{
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
    must(scry_store_add_root(s, "/pictures", root, &err), &err);
    return s;
}

static void close_store(scry_store *s)
{
    scry_error err = SCRY_ERROR_INIT;
    must(scry_store_close(s, &err), &err);
}

static ino_t inode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_ino;
}

/* The checksums are there whenever no writer has changed anything, and are not made again for nothing. */
static void checksums_come_and_go(void **state)
{
    char where[64], sums[256], old[256];
    scry_root root;
    make_fast_scratch(where);
    make_used_store(where);
    strcpy(sums, file_in(where, "sums"));
    strcpy(old, file_in(where, "sums.old"));
    assert_true(is_there(sums) && !is_there(old));
    ino_t before = inode_of(sums);
    scry_store *s = open_writer(where, &root);
    close_store(s);
    assert_true(inode_of(sums) == before);
    s = open_writer(where, &root);
    put_file(s, root.id, FILES);
    assert_true(!is_there(sums) && is_there(old));
    expect_sound(where, true);
    close_store(s);
    assert_true(is_there(sums) && !is_there(old));
    expect_sound(where, false);
    s = open_writer(where, &root);
    must(scry_store_compact(s, NULL), NULL);
    close_store(s);
    expect_sound(where, false);
    unlink(file_in(where, "codes-2.cache"));   /* always legal */
    expect_sound(where, false);
    remove_tree(where);
}

/* What a close takes over from earlier checksums is what it would compute. */
static void checksums_of_parts_are_those_of_the_whole(void **state)
{
    char where[64];
    scry_root root;
    make_fast_scratch(where);
    make_store(where);
    for (int round = 0; round < 6; round++) {
        scry_store *s = open_writer(where, &root);
        for (int i = 0; i < 500; i++)
            put_file(s, root.id, FILES + 500 * round + i);
        remove_files(s, root.id, 500 * round, 500 * round + 100);
        close_store(s);
        stored_file parts = read_stored(where, "collections/default/sums");
        unlink(parts.path);
        s = open_writer(where, &root);
        ((scry_local *)s)->sums_due = true;
        close_store(s);
        stored_file whole = read_stored(where, "collections/default/sums");
        assert_int_equal(parts.size, whole.size);
        assert_memory_equal(parts.bytes, whole.bytes, whole.size);
        free(parts.bytes);
        free(whole.bytes);
    }
    remove_tree(where);
}

/* A later close does not make damage look right. */
static void damage_stays_visible(void **state)
{
    char where[64];
    scry_root root;
    scry_verify_report report;
    make_fast_scratch(where);
    make_used_store(where);
    flip_in(where, "vectors-1.seg", SCRY_SEGMENT_HEADER + 64 * 30 + 5);   /* a dead slot */
    scry_store *s = open_writer(where, &root);
    put_file(s, root.id, FILES);
    close_store(s);
    assert_int_equal(verify(where, &report), 0);
    assert_true(report.problems > 0 && !report.partial && report.cache_problems == 0);
    scry_error err = SCRY_ERROR_INIT;
    must(open_store(&s, where, SCRY_STORE_READ, NULL), NULL);
    assert_int_equal(scry_store_known_damage(s, &err), SCRY_EDAMAGED);
    assert_non_null(strstr(err.message, "vectors-1.seg"));
    flip_in(where, "vectors-1.seg", SCRY_SEGMENT_HEADER + 64 * 30 + 5);
    assert_int_equal(scry_store_known_damage(s, &err), SCRY_EDAMAGED);   /* until it is checked again */
    close_store(s);
    expect_sound(where, false);
    must(open_store(&s, where, SCRY_STORE_READ, NULL), NULL);
    assert_int_equal(scry_store_known_damage(s, &err), 0);
    close_store(s);
    remove_tree(where);
}

/* After a crash what is only appended to is still compared, and the next writer to close completes the checksums. */
static void after_a_crash(void **state)
{
    char where[64];
    scry_root root;
    scry_verify_report report;
    int status;
    make_fast_scratch(where);
    make_used_store(where);
    pid_t child = fork();
    if (child == 0) {
        scry_store *s = open_writer(where, &root);
        put_file(s, root.id, FILES);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    expect_sound(where, true);
    flip_in(where, "vectors-1.seg", SCRY_SEGMENT_HEADER + 64 * 30 + 5);
    assert_int_equal(verify(where, &report), 0);
    assert_true(report.problems > 0);
    flip_in(where, "vectors-1.seg", SCRY_SEGMENT_HEADER + 64 * 30 + 5);
    scry_store *s = open_writer(where, &root);
    put_file(s, root.id, FILES + 1);
    close_store(s);
    expect_sound(where, false);
    remove_tree(where);
}

typedef struct {
    const char *where;
    int steps, problems;
} interference;

static int write_once(void *arg, size_t bytes)
{
    interference *i = arg;
    scry_root root;
    if (i->steps++ == 0) {
        scry_store *s = open_writer(i->where, &root);
        for (int k = 0; k < 400; k++)
            put_file(s, root.id, FILES + k);
        close_store(s);
    }
    return 0;
}

static int end_at_once(void *arg, size_t bytes)
{
    return 1;
}

static void count_problem(void *arg, const char *text)
{
    ((interference *)arg)->problems++;
}

/* A writer that begins, changes everything and ends while files are compared is not taken for damage. */
static void a_writer_during_the_check(void **state)
{
    char where[64];
    scry_store *s;
    scry_verify_report report;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_used_store(where);
    interference i = { .where = where };
    must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
    must(scry_store_check_files(s, &report, write_once, count_problem, &i, &err), &err);
    assert_true(i.steps > 0 && i.problems == 0 && report.problems == 0 && report.partial);
    must(scry_store_check_files(s, &report, NULL, count_problem, &i, &err), &err);
    assert_true(report.problems == 0 && !report.partial);
    assert_int_equal(scry_store_check_files(s, &report, end_at_once, count_problem, &i, &err), SCRY_ECANCELLED);
    close_store(s);
    remove_tree(where);
}

static uint64_t files_of(scry_store *s)
{
    scry_store_info info;
    scry_error err = SCRY_ERROR_INIT;
    must(scry_store_refresh(s, &err), &err);
    must(scry_store_get_info(s, &info, &err), &err);
    return info.files;
}

/* A process that opens a store twice, as a server does that checks it, keeps the locks of the first when the second is
 * closed: else another process would take itself for the last one and remove SQLite's log, and what is committed later
 * would never be seen. */
static void a_second_handle_leaves_the_locks(void **state)
{
    char where[64], go;
    int channel[2], status;
    scry_root root;
    scry_store *first, *second;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_used_store(where);
    assert_int_equal(pipe(channel), 0);
    pid_t child = fork();
    if (child == 0) {
        bool told = read(channel[0], &go, 1) == 1;
        scry_store *s;
        must(open_store(&s, where, SCRY_STORE_READ, &err), &err);   /* as scry index does: who closes last removes the log */
        close_store(s);
        s = open_writer(where, &root);
        put_file(s, root.id, FILES);
        close_store(s);
        _exit(!told);
    }
    must(open_store(&first, where, SCRY_STORE_READ, &err), &err);
    uint64_t before = files_of(first);
    must(open_store(&second, where, SCRY_STORE_READ, &err), &err);
    assert_int_equal(files_of(second), before);
    close_store(second);
    assert_int_equal(write(channel[1], "x", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(files_of(first), before + 1);
    close_store(first);
    close(channel[0]);
    close(channel[1]);
    remove_tree(where);
}

/* ---- caches are checked before they are used ---- */

enum { SEARCHES = 12 };

/* What the search finds, as text: a hash of each file's id and score, in order. */
static void append_results(char *out, size_t size, scry_store *s, const scry_search *search, int query)
{
    float q[DIM];
    scry_results *r = NULL;
    scry_error err = SCRY_ERROR_INIT;
    model_vector(query, q, DIM);
    must(scry_store_search(s, q, search, &r, &err), &err);
    uint64_t hash = r->scanned;
    for (size_t i = 0; i < r->count; i++) {
        uint64_t words[3];
        memcpy(words, r->hits[i].file.id, 16);
        memcpy(&words[2], &r->hits[i].score, 8);
        for (int k = 0; k < 3; k++)
            hash = (hash ^ words[k]) * 0x9e3779b97f4a7c15u;
    }
    size_t n = strlen(out);
    snprintf(out + n, size - n, "%zu:%llx ", r->count, (unsigned long long)hash);
    scry_results_free(r);
}

/* Every kind of filter, few results and all, in a process that knows nothing of the store. */
static void search_all(const char *where, char *out, size_t size)
{
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_filter_node *const filters[SEARCHES] = {
        NULL, NULL, scry_filter_text(pool, SCRY_FILTER_IN, "/pictures/d1"), scry_filter_time(pool, SCRY_FILTER_AFTER, 180),
        scry_filter_time(pool, SCRY_FILTER_BEFORE, 200), scry_filter_text(pool, SCRY_FILTER_CAMERA, "x1"),
        scry_filter_text(pool, SCRY_FILTER_FORMAT, "jpeg"), scry_filter_text(pool, SCRY_FILTER_LABEL, "seen"),
        scry_filter_number(pool, SCRY_FILTER_MIN_WIDTH, 300), scry_filter_not(pool, scry_filter_text(pool, SCRY_FILTER_LABEL, "seen")),
        scry_filter_near(pool, 10, 20, 5000), scry_filter_and(pool, scry_filter_number(pool, SCRY_FILTER_MIN_WIDTH, 390),
                                                              scry_filter_text(pool, SCRY_FILTER_IN, "/pictures/d2")),
    };
    out[0] = '\0';
    for (int i = 0; i < SEARCHES; i++) {
        must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
        for (int query = 0; query < 3; query++) {
            scry_search search = SCRY_SEARCH_INIT;
            search.filter = filters[i];
            search.limit = i % 2 ? 3 : 1000;
            search.all_copies = query == 2;
            append_results(out, size, s, &search, 7 * i + query);
        }
        close_store(s);
    }
    scry_filter_pool_free(pool);
}

static void expect_same_results(const char *where, const char *expected, const stored_file *f, size_t at)
{
    static char now[8192];
    search_all(where, now, sizeof now);
    if (strcmp(now, expected) != 0)
        fail_msg("byte %zu of %s was changed, and searches found something else:\n%s\n%s", at, f->path, expected, now);
}

static bool is_cache(const stored_file *f)
{
    size_t n = strlen(f->path);
    return n > 6 && strcmp(f->path + n - 6, ".cache") == 0;
}

/* All scales of codes are 0: without a check no row but the first few would be found. */
static void zero_scales(const char *where, const char *expected, stored_file *f)
{
    if (!strstr(f->path, "codes-"))
        return;
    uint8_t *copy = malloc(f->size);
    memcpy(copy, f->bytes, f->size);
    memset(copy + 4096, 0, 4096);
    write_bytes(f->path, copy, f->size);
    expect_same_results(where, expected, f, 4096);
    free(copy);
    write_bytes(f->path, f->bytes, f->size);
}

static void caches_change_no_search(void **state)
{
    enum { FLIPS = 150 };
    char where[64];
    static char expected[8192];
    stored_file files[FILES_MAX];
    dice d = { 20261130 };
    make_fast_scratch(where);
    make_used_store(where);
    size_t n = read_all(where, files), caches = 0;
    search_all(where, expected, sizeof expected);
    for (size_t k = 0; k < n; k++) {
        stored_file *f = &files[k];
        caches += is_cache(f);
        for (int i = 0; is_cache(f) && i < FLIPS; i++) {
            size_t at = (size_t)(roll(&d) % f->size);
            uint8_t bit = (uint8_t)(1u << below(&d, 8));
            f->bytes[at] ^= bit;
            write_bytes(f->path, f->bytes, f->size);
            f->bytes[at] ^= bit;
            expect_same_results(where, expected, f, at);
            write_bytes(f->path, f->bytes, f->size);
        }
        zero_scales(where, expected, f);
    }
    assert_int_equal(caches, 2);
    for (size_t i = 0; i < n; i++)
        free(files[i].bytes);
    remove_tree(where);
}

/* A block that a view did not compare is compared by the next, while a writer is at work, too. */
static void blocks_are_compared_in_later_views(void **state)
{
    enum { MORE = 1200 };
    static const uint8_t zeros[4096];
    char where[64], before[256] = "", after[256] = "", path[300];
    scry_root root;
    scry_store *reader;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_used_store(where);
    scry_store *writer = open_writer(where, &root);
    for (int i = 0; i < MORE; i++)
        put_file(writer, root.id, FILES + i);
    close_store(writer);
    must(open_store(&reader, where, SCRY_STORE_READ, &err), &err);
    scry_search all = SCRY_SEARCH_INIT, few = SCRY_SEARCH_INIT;
    all.limit = 1000;
    append_results(before, sizeof before, reader, &all, 1);
    close_store(reader);
    must(open_store(&reader, where, SCRY_STORE_READ, &err), &err);
    scry_filter_pool *pool = scry_filter_pool_new();
    few.filter = scry_filter_and(pool, scry_filter_text(pool, SCRY_FILTER_IN, "/pictures/d1"),
                                 scry_filter_not(pool, scry_filter_number(pool, SCRY_FILTER_MIN_WIDTH, 120)));
    append_results(after, sizeof after, reader, &few, 1);
    assert_true(strncmp(after, "5:", 2) == 0);
    snprintf(path, sizeof path, "%s", file_in(where, "codes-1.cache"));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0 && pwrite(fd, zeros, sizeof zeros, 4096) == sizeof zeros);
    close(fd);
    writer = open_writer(where, &root);
    must(scry_store_put_bad(writer, root.id, "worse.jpg", 1, 2, "torn", &err), &err);   /* a commit that changes no result */
    must(scry_store_refresh(reader, &err), &err);
    after[0] = '\0';
    append_results(after, sizeof after, reader, &all, 1);
    assert_string_equal(before, after);
    scry_filter_pool_free(pool);
    close_store(writer);
    close_store(reader);
    remove_tree(where);
}

/* A result with a damaged vector: the collection is known to be damaged after the first search that shows it. */
static void a_shown_vector_is_checked(void **state)
{
    char where[64], text[256] = "";
    scry_store *s;
    scry_search search = SCRY_SEARCH_INIT;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_used_store(where);
    must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
    append_results(text, sizeof text, s, &search, 3);
    assert_int_equal(scry_store_known_damage(s, &err), 0);
    flip_in(where, "vectors-1.seg", SCRY_SEGMENT_HEADER + 64 * 3 + 2);   /* slot 3, whose picture the query is */
    search.limit = 1000;
    append_results(text, sizeof text, s, &search, 3);
    assert_int_equal(scry_store_known_damage(s, &err), SCRY_EDAMAGED);
    assert_non_null(strstr(err.message, "the vector in slot 3 is damaged"));
    close_store(s);
    must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
    assert_int_equal(scry_store_known_damage(s, &err), SCRY_EDAMAGED);
    close_store(s);
    remove_tree(where);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit_is_found), cmocka_unit_test(checksums_come_and_go),
        cmocka_unit_test(checksums_of_parts_are_those_of_the_whole), cmocka_unit_test(damage_stays_visible),
        cmocka_unit_test(after_a_crash), cmocka_unit_test(a_writer_during_the_check),
        cmocka_unit_test(a_second_handle_leaves_the_locks), cmocka_unit_test(caches_change_no_search),
        cmocka_unit_test(blocks_are_compared_in_later_views),
        cmocka_unit_test(a_shown_vector_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
