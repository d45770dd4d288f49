/* What was read in pictures: its packed form against the documented one, and its way through an embedded store of every format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_fixture.h"

#include "base/buf.h"
#include "scry/copy.h"
#include "store/text_lines.h"

#include <sqlite3.h>
#include <unistd.h>
#include <zlib.h>

/* ---- packed lines ---- */

static scry_text_line line_at(float x, float y, float w, float h, const char *text)
{
    return (scry_text_line){ .corner = { x, y, x + w, y, x + w, y + h, x, y + h }, .text = text, .confidence = 0.97f };
}

static void expect_same(const scry_picture_text *t, const scry_text_line *lines, size_t n)
{
    assert_non_null(t);
    assert_int_equal(t->line_count, n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(t->lines[i].text, lines[i].text);
        assert_true(fabsf(t->lines[i].confidence - lines[i].confidence) <= 0.00501f);
        for (int k = 0; k < 8; k++)
            assert_true(fabsf(t->lines[i].corner[k] - lines[i].corner[k]) <= 0.5f / SCRY_TEXT_UNITS + 1e-6f);
    }
}

/* Pack and unpack; the size. */
static size_t round_trip(const scry_text_line *lines, size_t n)
{
    scry_buf b = SCRY_BUF_INIT(SCRY_TEXT_PACKED), words = SCRY_BUF_INIT(1 << 20), expected = SCRY_BUF_INIT(1 << 20);
    scry_text_pack(&b, lines, n);
    assert_false(b.failed);
    scry_picture_text *t = scry_text_unpack(b.data, b.size, "reader 1", "");
    expect_same(t, lines, n);
    assert_string_equal(t->reader, "reader 1");
    assert_string_equal(t->reason, "");
    scry_picture_text_free(t);
    assert_true(scry_text_unpack_words(&words, b.data, b.size));
    for (size_t i = 0; i < n; i++)
        scry_buf_printf(&expected, "%s%s", i ? "\n" : "", lines[i].text);
    assert_string_equal(scry_buf_str(&words), scry_buf_str(&expected));
    size_t size = b.size;
    scry_buf_dispose(&b);
    scry_buf_dispose(&words);
    scry_buf_dispose(&expected);
    return size;
}

static void lines_come_back(void **state)
{
    scry_text_line some[] = {
        line_at(0.1f, 0.2f, 0.3f, 0.04f, "The quick brown fox"),
        { .corner = { 0.5f, 0.25f, 0.75f, 0.5f, 0.7f, 0.6f, 0.45f, 0.35f }, .text = "aslant, Ærøskøbing", .confidence = 0 },
        line_at(0, 0, 1, 1, "Съешь ещё этих мягких булок, 2019"),
        line_at(1, 1, 0, 0, "北京旅行 ガラス 한국어 ελληνικά עברית 😀 \U0010FFFD"),
        line_at(0.9f, 0.01f, 0.05f, 0.005f, "x"),
    };
    assert_int_equal(round_trip(NULL, 0), 0);
    for (size_t n = 1; n <= sizeof some / sizeof *some; n++)
        (void)round_trip(some, n);
}

/* Bytes as docs/store-format.md has them, deflated: false when they are refused. */
static bool unpack_raw(const uint8_t *raw, size_t n, scry_picture_text **out)
{
    uint8_t packed[256] = { 1, (uint8_t)n };
    z_stream z = { .next_in = (uint8_t *)raw, .avail_in = (uInt)n, .next_out = packed + 2, .avail_out = sizeof packed - 2 };
    assert_true(n < 128);
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, -15, 1, Z_FIXED), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    *out = scry_text_unpack(packed, 2 + z.total_out, "", "");
    return *out != NULL;
}

static void documented_bytes(void **state)
{
    static const uint8_t raw[] = {
        2,                                            /* lines */
        (97 << 1 & 127) | 128, 1,                       /* 97 %, upright */
        0x90, 0x03, 0xA0, 0x06,                       /* 200, 400 */
        0xB0, 0x09, 0xA0, 0x01,                       /* + 600, + 80 */
        0xC9, 0x01,                                   /* 100 %, aslant */
        0xC0, 0x0C, 0xC8, 0x01,                       /* + 800, + 100 from the corner of the line before */
        0xE8, 0x07, 0x28, 0x27, 0xC8, 0x01, 0xE7, 0x07, 0x27,   /* + 500, + 20; - 20, + 100; - 500, - 20 */
        'O', 'K', '\n', 1, 8, 0xC4, 'a', '\n',        /* U+0444 is 0x44 in window 8 */
    };
    const scry_text_line expected[] = {
        line_at(0.1f, 0.2f, 0.3f, 0.04f, "OK"),
        { .corner = { 0.5f, 0.25f, 0.75f, 0.26f, 0.74f, 0.31f, 0.49f, 0.3f }, .text = "фa", .confidence = 1 },
    };
    scry_picture_text *t;
    assert_true(unpack_raw(raw, sizeof raw, &t));
    expect_same(t, expected, 2);
    scry_picture_text_free(t);
    for (size_t n = 0; n < sizeof raw; n++)
        assert_false(unpack_raw(raw, n, &t));
    static const uint8_t bad[][12] = {
        { 1, 0, 0, 0, 0, 0, 'a' },                    /* without its end */
        { 1, 0, 0, 0, 0, 0, 'a', '\n', 'b', '\n' },   /* two lines for one */
        { 1, 0, 1, 0, 0, 0, 'a', '\n' },              /* left of the picture */
        { 1, 202, 1, 0, 0, 0, 0, 'a', '\n' },         /* 101 % */
        { 1, 0, 0, 0, 0, 0, 0x85, '\n' },             /* no window */
        { 1, 0, 0, 0, 0, 0, 1, 0xB0, 3, 0x85, '\n' }, /* a surrogate */
        { 0, 'a', '\n' },
    };
    static const size_t sizes[] = { 7, 10, 8, 9, 8, 11, 3 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_false(unpack_raw(bad[i], sizes[i], &t));
    static const uint8_t good[] = { 1, 0, 0, 0, 0, 0, 'a', '\n' };
    assert_true(unpack_raw(good, sizeof good, &t));
    scry_picture_text_free(t);
}

/* What a reader should not give, and more than is kept. */
static void odd_lines(void **state)
{
    static scry_text_line many[SCRY_TEXT_LINES + 100];
    static char long_text[SCRY_TEXT_BYTES + 1000];
    scry_buf b = SCRY_BUF_INIT(SCRY_TEXT_PACKED);
    const scry_text_line odd[] = {
        { .corner = { NAN, -1, 2, INFINITY, -INFINITY, 0.5f, 1e30f, 0 }, .text = "a\nb\tc\x01\x7F\xFF\xED\xA0\x80", .confidence = NAN },
        { .text = "" }, { .text = NULL },
    };
    scry_text_pack(&b, odd, 3);
    scry_picture_text *t = scry_text_unpack(b.data, b.size, "", "");
    assert_int_equal(t->line_count, 1);
    assert_string_equal(t->lines[0].text, "a b c  \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    static const float corners[] = { 0, 0, 1, 1, 0, 0.5f, 1, 0 };
    assert_memory_equal(t->lines[0].corner, corners, sizeof corners);
    scry_picture_text_free(t);
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i] = line_at(0, 0, 1, 1, "x");
    scry_text_pack(&b, many, sizeof many / sizeof *many);
    t = scry_text_unpack(b.data, b.size, "", "");
    assert_int_equal(t->line_count, SCRY_TEXT_LINES);
    scry_picture_text_free(t);
    for (size_t i = 0; i + 3 < sizeof long_text; i += 3)
        memcpy(long_text + i, "\xE5\x8C\x97", 3);
    scry_text_line two[] = { line_at(0, 0, 1, 1, long_text), line_at(0, 0, 1, 1, "later") };
    scry_text_pack(&b, two, 2);
    t = scry_text_unpack(b.data, b.size, "", "");
    assert_int_equal(t->line_count, 2);
    assert_int_equal(strlen(t->lines[0].text), SCRY_TEXT_BYTES / 3 * 3);
    assert_string_equal(t->lines[1].text, "l");   /* the one byte that was left */
    scry_picture_text_free(t);
    scry_buf_dispose(&b);
}

/* Any byte changed: refused, or lines within their limits. */
static void damaged_bytes(void **state)
{
    scry_buf b = SCRY_BUF_INIT(SCRY_TEXT_PACKED), words = SCRY_BUF_INIT(1 << 20);
    const scry_text_line lines[] = { line_at(0.1f, 0.2f, 0.3f, 0.04f, "Пароль: hunter2"), line_at(0.2f, 0.5f, 0.1f, 0.02f, "北京") };
    scry_text_pack(&b, lines, 2);
    for (size_t i = 0; i < b.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            b.data[i] ^= (char)(1 << bit);
            scry_picture_text *t = scry_text_unpack(b.data, b.size, "", "");
            assert_int_equal(scry_text_unpack_words(&words, b.data, b.size), t != NULL);
            scry_picture_text_free(t);
            b.data[i] ^= (char)(1 << bit);
        }
    for (size_t n = 1; n < b.size; n++)
        assert_null(scry_text_unpack(b.data, n, "", ""));
    scry_buf_dispose(&b);
    scry_buf_dispose(&words);
}

static void page_is_small(void **state)
{
    static const char *const words[] = { "the", "of", "and", "a", "to", "in", "is", "you", "that", "it", "he", "was", "for", "on", "are",
        "as", "with", "his", "they", "at", "be", "this", "have", "from", "or", "one", "had", "by", "word", "but", "not", "what", "all",
        "were", "we", "when", "your", "can", "said", "there", "invoice", "total", "amount", "number", "Street", "Monday", "pharmacy" };
    char text[30][64];
    scry_text_line lines[30];
    dice d = { 5 };
    for (int i = 0; i < 30; i++) {
        size_t n = 0;
        while (n < 50)
            n += (size_t)snprintf(text[i] + n, sizeof text[i] - n, "%s%s", n ? " " : "", words[below(&d, sizeof words / sizeof *words)]);
        lines[i] = line_at(0.08f + 0.001f * (float)below(&d, 3), 0.05f + 0.03f * (float)i, 0.8f + 0.01f * (float)below(&d, 8),
                           0.018f + 0.0005f * (float)below(&d, 3), text[i]);
    }
    size_t size = round_trip(lines, 30);
    print_message("30 lines of 50 to 60 letters: %zu bytes\n", size);
    assert_true(size < 1000);
}

/* ---- stores ---- */

static void put_text(scry_store *s, int content, const char *who, const char *text)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_text_line line = line_at(0.25f, 0.5f, 0.5f, 0.125f, text);
    scry_picture_text t = { .reader = who, .lines = &line, .line_count = text[0] != '\0' };
    model_hash(content, t.content);
    must(scry_store_put_texts(s, &t, 1, &err), &err);
}

/* How many files have these words. */
static size_t found(scry_store *s, const char *text)
{
    float v[DIM];
    scry_error err = SCRY_ERROR_INIT;
    scry_filter_pool *pool = scry_filter_pool_new();
    scry_search search = SCRY_SEARCH_INIT;
    scry_results *r;
    search.filter = scry_filter_words(pool, text, SCRY_WORDS_WHOLE);
    search.limit = 1000;
    model_vector(1, v, DIM);
    must(scry_store_search(s, v, &search, &r, &err), &err);
    size_t n = r->count;
    scry_results_free(r);
    scry_filter_pool_free(pool);
    return n;
}

static int count_one(void *arg, const scry_file *files, size_t count)
{
    return ++*(int *)arg == 100000;
}

static int unread(scry_store *s, const char *who, bool retry)
{
    int n = 0;
    scry_error err = SCRY_ERROR_INIT;
    must(scry_store_each_unread(s, &(scry_unread){ who, retry, 0 }, count_one, &n, &err), &err);
    return n;
}

static void complain(void *arg, const char *text)
{
    print_message("%s\n", text);
    snprintf(arg, 256, "%s", text);
}

static uint64_t problems_of(scry_store *s, char text[256])
{
    scry_verify_report report;
    scry_error err = SCRY_ERROR_INIT;
    text[0] = '\0';
    must(scry_store_verify(s, &report, complain, text, &err), &err);
    return report.problems;
}

static void readers_and_retries(void **state)
{
    char where[64], text[256];
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    scry_picture_text *t;
    uint8_t hash[SCRY_HASH_BYTES];
    make_fast_scratch(where);
    make_store(where);
    must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
    assert_int_equal(unread(s, "a", true), FILES);
    put_text(s, 7, "a", "Prescription for Anna");
    put_text(s, 8, "a", "");
    scry_picture_text failed = { .reader = "a", .reason = "took too long" };
    model_hash(9, failed.content);
    must(scry_store_put_texts(s, &failed, 1, &err), &err);
    memset(failed.content, 1, sizeof failed.content);   /* a content that the store does not have */
    must(scry_store_put_texts(s, &failed, 1, &err), &err);
    assert_int_equal(unread(s, "a", false), FILES - 3);
    assert_int_equal(unread(s, "a", true), FILES - 2);
    assert_int_equal(unread(s, "b", false), FILES);
    assert_int_equal(found(s, "anna's prescriptions"), 1);
    put_text(s, 7, "b", "Prescription for Bob");
    assert_int_equal(found(s, "anna"), 0);
    assert_int_equal(found(s, "bob prescription 7"), 1);   /* with the name of the file */
    must(scry_store_close(s, &err), &err);

    must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
    assert_int_equal(found(s, "bob"), 1);
    assert_int_equal(problems_of(s, text), 0);
    model_hash(7, hash);
    must(scry_store_get_text(s, hash, &t, &err), &err);
    assert_string_equal(t->reader, "b");
    assert_memory_equal(t->content, hash, sizeof hash);
    const scry_text_line line = line_at(0.25f, 0.5f, 0.5f, 0.125f, "Prescription for Bob");
    expect_same(t, &line, 1);
    scry_picture_text_free(t);
    model_hash(10, hash);
    must(scry_store_get_text(s, hash, &t, &err), &err);
    assert_null(t);
    assert_int_equal(scry_store_put_texts(s, &failed, 1, &err), SCRY_EINVALID);   /* opened for reading */
    must(scry_store_close(s, &err), &err);
    remove_tree(where);
}

/* Rare and frequent words, in any order, of which the lists of the frequent ones are not read where few files are left. */
static void rare_and_frequent(void **state)
{
    static const struct { const char *query; size_t found; } searches[] = {
        { "common", FILES }, { "common half", FILES / 2 + 1 }, { "rare", 2 }, { "common rare", 2 }, { "half rare common", 1 },
        { "rare half common half", 1 }, { "common half single", 1 }, { "common single", 1 }, { "other common", 1 },
        { "f5 common", 0 }, { "single other", 0 }, { "rare jpg", 0 }, { "common wanting", 0 },
    };
    char where[64];
    scry_store *s;
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_store(where);
    must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
    must(scry_store_add_root(s, "/pictures", &root, &err), &err);
    put_file(s, root.id, FILES);
    for (int i = 0; i <= FILES; i++)
        put_text(s, i, "a", i == 40 ? "half common rare single" : i == 71 ? "rare common other" : i == 5 ? "" : i % 2 ? "common" : "common half");
    for (int columns = 0; columns < 2; columns++) {
        for (size_t i = 0; i < sizeof searches / sizeof *searches; i++)
            if (found(s, searches[i].query) != searches[i].found)
                fail_msg("%s: %zu found", searches[i].query, found(s, searches[i].query));
        scry_columns_update((scry_local *)s, 0);
    }
    must(scry_store_close(s, &err), &err);
    remove_tree(where);
}

/* A content that goes takes its text along; one that comes back is unread. */
static void removed_contents(void **state)
{
    char where[64], text[256];
    scry_store *s;
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    uint8_t id[SCRY_ID_BYTES];
    make_fast_scratch(where);
    make_store(where);
    must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
    must(scry_store_add_root(s, "/pictures", &root, &err), &err);
    for (int i = 0; i < FILES; i++)
        put_text(s, i, "a", i % 2 ? "odd" : "even");
    scry_file_id(root.id, "d3/f7.jpg", id);
    must(scry_store_remove(s, (const uint8_t (*)[SCRY_ID_BYTES])&id, 1, NULL, &err), &err);
    assert_int_equal(found(s, "odd"), FILES / 2 - 1);
    must(scry_store_compact(s, &err), &err);
    assert_int_equal(found(s, "odd"), FILES / 2 - 1);
    assert_int_equal(found(s, "odd 9"), 1);
    assert_int_equal(problems_of(s, text), 0);
    put_file(s, root.id, 7);
    assert_int_equal(unread(s, "a", false), 1);
    must(scry_store_close(s, &err), &err);
    remove_tree(where);
}

static void run_sql(const char *db, const char *sql)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(db, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

/* A store of an earlier scry, with format 1 or 2: opened unchanged, completed by the first writer, also for a reader that has it
 * open. */
static void earlier_formats(void **state)
{
    static const char *const made_old[] = {
        "DROP TABLE texts",
        "DROP TABLE texts; DROP TABLE details; DROP TABLE notes; DROP TABLE seen; PRAGMA user_version = 1",
    };
    for (size_t i = 0; i < 2; i++) {
        char where[64], text[256];
        scry_store *reader, *writer;
        scry_text_counts counts;
        scry_error err = SCRY_ERROR_INIT;
        make_fast_scratch(where);
        make_store(where);
        run_sql(file_in(where, "index.db"), made_old[i]);
        unlink(file_in(where, "sums"));
        must(open_store(&reader, where, SCRY_STORE_READ, &err), &err);
        assert_int_equal(found(reader, "17"), 1);
        assert_int_equal(unread(reader, "a", false), FILES);
        must(scry_store_count_texts(reader, NULL, &counts, &err), &err);
        assert_true(counts.unread == FILES && counts.read == 0);
        must(open_store(&writer, where, SCRY_STORE_WRITE, &err), &err);
        put_text(writer, 17, "a", "Geheimnis");
        must(scry_store_refresh(reader, &err), &err);
        assert_int_equal(found(reader, "geheimnis"), 1);
        assert_int_equal(unread(reader, "a", false), FILES - 1);
        must(scry_store_close(writer, &err), &err);
        assert_int_equal(found(reader, "geheimnis 17"), 1);
        assert_int_equal(problems_of(reader, text), 0);
        must(scry_store_close(reader, &err), &err);
        remove_tree(where);
    }
}

/* A changed row is found by verify, and its words by no search. */
static void damaged_row(void **state)
{
    static const char *const changes[] = {
        "UPDATE texts SET lines = x'0102' WHERE slot = 5", "UPDATE texts SET reader = 'x' WHERE slot = 5",
        "UPDATE texts SET slot = 6 WHERE slot = 5", "UPDATE texts SET slot = 100000 WHERE slot = 5",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char where[64], text[256];
        scry_store *s;
        scry_error err = SCRY_ERROR_INIT;
        make_fast_scratch(where);
        make_store(where);
        must(open_store(&s, where, SCRY_STORE_WRITE, &err), &err);
        put_text(s, 5, "a", "hidden");
        must(scry_store_close(s, &err), &err);
        run_sql(file_in(where, "index.db"), changes[i]);
        must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
        assert_int_equal(found(s, "hidden"), 0);
        assert_true(problems_of(s, text) > 0);
        if (!strstr(text, "index.db"))
            fail_msg("%s", text);
        must(scry_store_close(s, &err), &err);
        remove_tree(where);
    }
}

/* Copies have the texts; a second copy writes nothing. */
static void copies(void **state)
{
    char where[64], other[64], text[256];
    scry_store *from, *to;
    scry_copy_progress progress;
    scry_store_info info, again;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(where);
    make_fast_scratch(other);
    make_store(where);
    must(open_store(&from, where, SCRY_STORE_WRITE, &err), &err);
    for (int i = 0; i < FILES; i++)
        put_text(from, i, "a", i % 3 ? "" : "third");
    must(open_store(&to, other, SCRY_STORE_CREATE, &err), &err);
    must(scry_store_copy(from, to, NULL, &progress, &err), &err);
    assert_int_equal(found(to, "third"), FILES / 3);
    assert_int_equal(unread(to, "a", true), 0);
    must(scry_store_refresh(to, &err), &err);
    scry_store_describe(to, &info);
    must(scry_store_copy(from, to, NULL, &progress, &err), &err);
    must(scry_store_refresh(to, &err), &err);
    scry_store_describe(to, &again);
    assert_true(again.change <= info.change + 1);   /* the remembered bad file, which is put again; texts would take two commits */
    assert_int_equal(problems_of(to, text), 0);
    must(scry_store_close(from, &err), &err);
    must(scry_store_close(to, &err), &err);
    remove_tree(where);
    remove_tree(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_back), cmocka_unit_test(documented_bytes), cmocka_unit_test(odd_lines),
        cmocka_unit_test(damaged_bytes), cmocka_unit_test(page_is_small), cmocka_unit_test(readers_and_retries),
        cmocka_unit_test(rare_and_frequent),
        cmocka_unit_test(removed_contents), cmocka_unit_test(earlier_formats), cmocka_unit_test(damaged_row),
        cmocka_unit_test(copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
