/* What a store shows, copies and searches by is what was written: rows and vectors that have changed since are not used on any way
 * that reads them, and a search says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_fixture.h"

#include "scry/copy.h"
#include "store/local/segment.h"
#include "store/store_kind.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

enum { ROTTEN = 3 };   /* the picture that is damaged; its slot, too */

static void change_vector(const char *where)
{
    uint8_t byte = 0;
    off_t at = SCRY_SEGMENT_HEADER + (off_t)scry_row_bytes(DIM) * ROTTEN + 2;
    int fd = open(file_in(where, "vectors-1.seg"), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && pread(fd, &byte, 1, at) == 1);
    byte ^= 0x10;
    assert_true(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}

static void change_rows(const char *where, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(file_in(where, "index.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_changes(db), 1);
    sqlite3_close(db);
}

static int count_file(void *arg, const scry_file *f)
{
    ++*(int *)arg;
    return 0;
}

static int count_in_range(void *arg, const scry_file *f, const float *vector)
{
    ++*(int *)arg;
    return 0;
}

static int copy_to(scry_store *from, const char *where)
{
    scry_store *to;
    scry_copy_progress done;
    scry_error err = SCRY_ERROR_INIT;
    must(open_store(&to, where, SCRY_STORE_CREATE, &err), &err);
    int result = scry_store_copy(from, to, NULL, &done, &err);
    if (result < 0)
        assert_non_null(strstr(err.message, "is damaged: run scry verify"));
    must(scry_store_close(to, NULL), &err);
    return result;
}

static int walk(scry_store *s, bool vectors)
{
    int n = 0;
    int result = scry_store_each_in_range(s, (scry_id_range){ 0, UINT64_C(1) << 32 }, vectors, count_in_range, &n, NULL);
    return result < 0 ? result : n;
}

static void a_changed_vector(void **state)
{
    char where[64], other[64];
    float v[DIM];
    uint8_t hash[SCRY_HASH_BYTES];
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_fast_scratch(other);
    make_store(where);
    change_vector(where);
    must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
    model_hash(ROTTEN, hash);
    assert_int_equal(scry_store_vector(s, hash, v, &err), SCRY_EDAMAGED);   /* a search by @id: */
    assert_non_null(strstr(err.message, "the vector in slot 3 is damaged"));
    model_hash(ROTTEN + 1, hash);
    must(scry_store_vector(s, hash, v, &err), &err);
    assert_int_equal(walk(s, false), FILES);
    assert_int_equal(walk(s, true), SCRY_EDAMAGED);
    assert_int_equal(copy_to(s, other), SCRY_EDAMAGED);
    must(scry_store_close(s, &err), &err);
    remove_tree(where);
    remove_tree(other);
}

static size_t found(scry_store *s)
{
    scry_search search = SCRY_SEARCH_INIT;
    scry_results *r;
    float v[DIM];
    scry_error err = SCRY_ERROR_INIT;
    model_vector(ROTTEN, v, DIM);
    search.limit = 2 * FILES;
    must(scry_store_search(s, v, &search, &r, &err), &err);
    size_t n = r->count;
    scry_results_free(r);
    return n;
}

static uint64_t problems(const char *where)
{
    scry_store *s;
    scry_verify_report report = { 0 };
    scry_error err = SCRY_ERROR_INIT;
    must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
    must(scry_store_verify(s, &report, NULL, NULL, &err), &err);
    must(scry_store_close(s, &err), &err);
    return report.problems;
}

static int remove_mark(const char *where)
{
    return unlink(file_in(where, "damaged"));
}

static void changed_rows(void **state)
{
    static const char *const changes[] = {
        "UPDATE files SET relative = 'd3/other.jpg' WHERE relative = 'd3/f3.jpg'", "UPDATE files SET mtime_ns = 9 WHERE relative = 'd3/f3.jpg'",
        "UPDATE files SET labels = x'6200' WHERE relative = 'd3/f3.jpg'", "UPDATE contents SET camera = 'X200' WHERE slot = 3",
        "UPDATE contents SET taken_at = 77 WHERE slot = 3", "UPDATE details SET title = 'x' WHERE slot = 3",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char where[64], other[64];
        int n = 0;
        scry_store *s;
        scry_root root;
        scry_error err = SCRY_ERROR_INIT;
        make_fast_scratch(where);
        make_fast_scratch(other);
        make_store(where);
        change_rows(where, changes[i]);
        must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
        assert_int_equal(scry_store_known_damage(s, &err), 0);
        assert_int_equal(found(s), FILES - 1);
        assert_int_equal(scry_store_known_damage(s, &err), SCRY_EDAMAGED);
        must(scry_store_each_file(s, NULL, NULL, count_file, &n, &err), &err);
        assert_int_equal(n, FILES - 1);
        must(scry_store_each_stored(s, NULL, count_file, &n, &err), &err);
        assert_int_equal(n, 2 * FILES - 1);   /* whoever mends it finds it */
        assert_int_equal(walk(s, false), SCRY_EDAMAGED);
        assert_int_equal(copy_to(s, other), SCRY_EDAMAGED);
        must(scry_store_close(s, &err), &err);
        must(remove_mark(where), &err);
        must(open_store(&s, where, SCRY_STORE_READ, &err), &err);   /* a list alone says it, too */
        must(scry_store_known_damage(s, &err), &err);
        must(scry_store_each_file(s, NULL, NULL, count_file, &n, &err), &err);
        assert_int_equal(scry_store_known_damage(s, &err), SCRY_EDAMAGED);
        must(scry_store_close(s, &err), &err);
        assert_true(problems(where) > 0);
        must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);   /* what is read anew is written anew */
        must(scry_store_add_root(s, "/pictures", &root, &err), &err);
        if (i > 0)   /* the row with another path is not found by its path */
            put_file(s, root.id, ROTTEN);
        must(scry_store_close(s, &err), &err);
        assert_int_equal(problems(where) > 0, i == 0);
        remove_tree(where);
        remove_tree(other);
    }
}

static void a_changed_root(void **state)
{
    char where[64];
    scry_store *s;
    scry_search search = SCRY_SEARCH_INIT;
    scry_results *r;
    float v[DIM];
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_store(where);
    change_rows(where, "UPDATE roots SET path = '/Pictures'");
    must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
    model_vector(ROTTEN, v, DIM);
    assert_int_equal(scry_store_search(s, v, &search, &r, &err), SCRY_EDAMAGED);
    assert_non_null(strstr(err.message, "the row of the root /Pictures"));
    must(scry_store_close(s, NULL), &err);
    remove_tree(where);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_vector), cmocka_unit_test(changed_rows), cmocka_unit_test(a_changed_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
