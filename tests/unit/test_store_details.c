/* What headers, names and sidecars say of pictures, through every way that a row takes in an embedded store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scry/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIM = 8 };

static char folder[] = "/tmp/scry-details.XXXXXX";

static scry_store *open_store(scry_store_mode mode)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    scry_store *s = NULL;
    o.mode = mode;
    o.model_identity = "0123456789abcdef";
    o.model_name = "test";
    o.dim = DIM;
    if (scry_store_open(&s, folder, &o, &err) < 0)
        fail_msg("%s", err.message);
    return s;
}

static void close_store(scry_store *s)
{
    scry_error err = SCRY_ERROR_INIT;
    if (scry_store_close(s, &err) < 0)
        fail_msg("%s", err.message);
}

/* A picture whose headers have everything but a time and a place. */
static scry_file picture(const scry_root *root, const char *relative, int content)
{
    scry_file f = { .relative = relative, .size = 10, .mtime_ns = 1600000000000000000, .width = 4, .height = 3, .format = "jpeg",
                    .camera = "Canon EOS R5", .lens = "RF24-70mm", .title = "Header's title", .description = "two\nlines",
                    .keywords = "beach\nsunset", .has_rating = true, .rating = 2, .damaged = content % 2 };
    memcpy(f.root, root->id, SCRY_ID_BYTES);
    memset(f.content, content, SCRY_HASH_BYTES);
    return f;
}

static const scry_file_notes notes = {
    .taken_source = SCRY_TAKEN_FILE_NAME, .taken_at = 1436000000, .has_taken_offset = true, .taken_offset_min = -210,
    .has_position = true, .latitude = 48.5, .longitude = -11.25, .has_rating = true, .rating = -1, .title = "Sidecar's title",
    .companion = "IMG_1.MOV",
};

static void put(scry_store *s, const scry_file *f, bool vector, bool new_headers)
{
    float v[DIM] = { [0] = 1 };
    scry_error err = SCRY_ERROR_INIT;
    scry_put p = { .file = *f, .vector = vector ? v : NULL, .new_headers = new_headers };
    if (scry_store_put(s, &p, 1, &err) < 0)
        fail_msg("%s", err.message);
}

static scry_results *get(scry_store *s, const scry_root *root, const char *relative)
{
    uint8_t id[SCRY_ID_BYTES];
    scry_results *r = NULL;
    scry_error err = SCRY_ERROR_INIT;
    scry_file_id(root->id, relative, id);
    if (scry_store_get(s, id, &r, &err) < 0)
        fail_msg("%s", err.message);
    return r;
}

static void print_problem(void *arg, const char *text)
{
    print_message("%s\n", text);
}

static void verify(scry_store *s)
{
    scry_verify_report report;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_store_verify(s, &report, print_problem, NULL, &err), 0);
    assert_int_equal(report.problems, 0);
}

static void check_noted(const scry_file *f)
{
    assert_true(f->has_time && f->has_taken_offset && f->has_position && f->has_rating && f->notes);
    assert_int_equal(f->taken_source, SCRY_TAKEN_FILE_NAME);
    assert_int_equal(f->taken_at, 1436000000);
    assert_int_equal(f->taken_offset_min, -210);
    assert_true(f->latitude == 48.5 && f->longitude == -11.25);
    assert_int_equal(f->rating, -1);
    assert_string_equal(f->title, "Sidecar's title");
    assert_string_equal(f->description, "two\nlines");
    assert_string_equal(f->keywords, "beach\nsunset");
    assert_string_equal(f->lens, "RF24-70mm");
    assert_string_equal(f->notes->companion, "IMG_1.MOV");
}

static void test_round_trip(void **state)
{
    scry_store *s = open_store(SCRY_STORE_CREATE);
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_store_add_root(s, "/p/a", &root, &err), 0);
    scry_file plain = picture(&root, "plain.jpg", 1), noted = picture(&root, "noted.jpg", 2);
    noted.notes = &notes;
    put(s, &plain, true, false);
    put(s, &noted, true, false);
    close_store(s);

    s = open_store(SCRY_STORE_WRITE);
    scry_results *r = get(s, &root, "plain.jpg");
    const scry_file *f = &r->hits[0].file;
    assert_true(!f->has_time && !f->has_position && f->has_rating && f->damaged && !f->notes);
    assert_int_equal(f->rating, 2);
    assert_string_equal(f->title, "Header's title");
    scry_results_free(r);
    r = get(s, &root, "noted.jpg");
    check_noted(&r->hits[0].file);
    assert_false(r->hits[0].file.damaged);
    scry_results_free(r);
    verify(s);

    /* A root above: files get other ids, notes go with them; a compaction gives other slots. */
    uint8_t id[SCRY_ID_BYTES];
    scry_file_id(root.id, "plain.jpg", id);
    assert_int_equal(scry_store_remove(s, (const uint8_t (*)[SCRY_ID_BYTES])&id, 1, NULL, &err), 0);
    assert_int_equal(scry_store_add_root(s, "/p", &root, &err), 0);
    assert_int_equal(scry_store_compact(s, &err), 0);
    r = get(s, &root, "a/noted.jpg");
    check_noted(&r->hits[0].file);
    scry_results_free(r);
    verify(s);

    /* Put again without notes: they are gone, what the headers say shows. */
    noted = picture(&root, "a/noted.jpg", 2);
    put(s, &noted, false, false);
    r = get(s, &root, "a/noted.jpg");
    assert_true(!r->hits[0].file.notes && !r->hits[0].file.has_time);
    assert_string_equal(r->hits[0].file.title, "Header's title");
    scry_results_free(r);

    /* Headers read again, without a vector. */
    noted.title = "New title";
    noted.has_time = true;
    noted.taken_source = SCRY_TAKEN_EXIF_ORIGINAL;
    noted.taken_at = 1704069000;
    put(s, &noted, false, false);
    r = get(s, &root, "a/noted.jpg");
    assert_string_equal(r->hits[0].file.title, "Header's title");
    scry_results_free(r);
    put(s, &noted, false, true);
    r = get(s, &root, "a/noted.jpg");
    assert_string_equal(r->hits[0].file.title, "New title");
    assert_int_equal(r->hits[0].file.taken_at, 1704069000);
    scry_results_free(r);
    verify(s);
    close_store(s);
}

static int number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return n;
}

/* Each changed field of the new tables is found by verify, and so are rows without an owner. */
static void test_damage(void **state)
{
    static const char *const changes[] = {
        "UPDATE details SET title = 'x'", "UPDATE details SET rating = 5", "UPDATE details SET damaged = 7 - damaged",
        "UPDATE details SET taken_source = 3", "UPDATE details SET keywords = ''", "UPDATE notes SET companion = ''",
        "UPDATE notes SET latitude = 1", "UPDATE notes SET taken_at = 1", "UPDATE details SET slot = slot + 99",
        "UPDATE notes SET id = x'00112233445566778899aabbccddeeff'",
    };
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    scry_store *s = open_store(SCRY_STORE_WRITE);
    assert_int_equal(scry_store_add_root(s, "/p", &root, &err), 0);
    scry_file noted = picture(&root, "a/noted.jpg", 2);
    noted.notes = &notes;
    put(s, &noted, true, false);
    close_store(s);
    char path[128];
    snprintf(path, sizeof path, "%s/collections/default/sums", folder);
    assert_int_equal(unlink(path), 0);   /* they would find any change: here the rows' own checksums must */
    snprintf(path, sizeof path, "%s/collections/default/index.db", folder);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        sqlite3 *db;
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(number(db, "PRAGMA user_version"), 2);
        sqlite3_exec(db, "CREATE TABLE d AS SELECT * FROM details; CREATE TABLE n AS SELECT * FROM notes", NULL, NULL, NULL);
        assert_int_equal(sqlite3_exec(db, changes[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        s = open_store(SCRY_STORE_READ);
        scry_verify_report report;
        assert_int_equal(scry_store_verify(s, &report, NULL, NULL, &err), 0);
        if (report.problems == 0)
            fail_msg("not found: %s", changes[i]);
        close_store(s);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        sqlite3_exec(db, "DELETE FROM details; INSERT INTO details SELECT * FROM d; DROP TABLE d;"
                     "DELETE FROM notes; INSERT INTO notes SELECT * FROM n; DROP TABLE n", NULL, NULL, NULL);
        sqlite3_close(db);
    }
    s = open_store(SCRY_STORE_READ);
    verify(s);
    close_store(s);
}

static int make_folder(void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip), cmocka_unit_test(test_damage) };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
