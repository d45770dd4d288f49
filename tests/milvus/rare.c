/* Words that rows have together (scry_store_rare_words) on Milvus, against rows that are known. SCRY_TEST_STORE is the server,
 * SCRY_TEST_ROWS how many: more than the server is asked for at once. With arguments, STORE COLLECTION TEXT..., the words of each
 * text on a line, and what the user is told on stderr. Run by rare.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/sha256.h"
#include "store/milvus/remote_internal.h"
#include "store/predicates.h"
#include "store/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 4, TEXT = 128, TRIES = 60 };

static size_t count;
static scry_buf *lists;      /* [count]: the words of each row */
static scry_file *files;     /* [count] */

static void must(int result, const scry_error *err)
{
    if (result < 0)
        fail_msg("%s", err->message);
}

/* Half of the rows say "red", a third "blue", and so on; few have words that are looked for. */
static void make_title(size_t i, char out[TEXT])
{
    static const struct { size_t every, at; const char *words; } says[] = {
        { 2, 0, "red" }, { 3, 0, "blue" }, { 5, 1, "green" }, { 50, 3, "receipt" }, { 40, 6, "dog" }, { 100000, 7, "wifi password" },
        { 100000, 11, "wifi" }, { 100000, 203, "pharmacy" }, { 90, 8, "dog Москва" }, { 70, 9, "北京旅行" },
    };
    out[0] = '\0';
    for (size_t k = 0; k < sizeof says / sizeof *says; k++)
        if (i % says[k].every == says[k].at)
            strcat(strcat(out, " "), says[k].words);
}

static void fill(scry_store *s)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_root root;
    float vector[DIM] = { 1 };
    must(scry_store_add_root(s, "/a", &root, &err), &err);
    scry_put *puts = calloc(count, sizeof *puts);
    char (*names)[TEXT] = calloc(count, sizeof *names), (*titles)[TEXT] = calloc(count, sizeof *titles);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], TEXT, "x%zu.jpg", i);
        make_title(i, titles[i]);
        files[i] = (scry_file){ .relative = names[i], .size = 10, .format = "jpeg", .camera = i == 7 ? "Canon" : "Nikon", .title = titles[i],
                                .key = "", .has_position = i % 60 == 5, .latitude = 48.137, .longitude = 11.575 };
        memcpy(files[i].root, root.id, SCRY_ID_BYTES);
        scry_sha256_of(&i, sizeof i, files[i].content);
        lists[i] = (scry_buf)SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
        scry_words_of_file(&lists[i], &files[i], SCRY_FIELDS_ALL);
        puts[i] = (scry_put){ .file = files[i], .vector = vector };
    }
    must(scry_store_put(s, puts, count, &err), &err);
    must(scry_store_sync(s, &err), &err);
    free(puts);
}

/* How many rows hold all words of a list; of none, all rows. */
static size_t holding(const char *wanted)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += scry_words_hold(scry_buf_str(&lists[i]), wanted, SCRY_WORDS_WHOLE);
    return n;
}

static void expect(scry_store *s, const scry_filter_node *filter, const char *text, const char *expected)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_buf wanted = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), kept = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_buf want = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_words_of_query(&wanted, text, SCRY_WORDS_WHOLE);
    scry_words_of_query(&want, expected, SCRY_WORDS_WHOLE);
    scry_buf_puts(&kept, "what was there");
    must(scry_store_rare_words(s, filter, scry_buf_str(&wanted), &kept, &err), &err);
    assert_string_equal(scry_buf_str(&kept), scry_buf_str(&want));
    scry_buf_dispose(&wanted);
    scry_buf_dispose(&kept);
    scry_buf_dispose(&want);
}

static void known_queries(scry_store *s)
{
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_filter_node *nikon = scry_filter_text(pool, SCRY_FILTER_CAMERA, "nikon"), *near = scry_filter_near(pool, 48.137, 11.575, 5),
        *away = scry_filter_near(pool, -48, 11, 5), *nowhere = scry_filter_text(pool, SCRY_FILTER_IN, "/nowhere");
    expect(s, NULL, "the screenshot with wifi password", "wifi password");
    expect(s, NULL, "password WIFI", "password wifi");
    expect(s, NULL, "receipt pharmacy red absent", "receipt pharmacy");
    expect(s, NULL, "dog munich", "munich");
    expect(s, NULL, "Hund München", "München");
    expect(s, NULL, "собака москва", "москва");
    expect(s, NULL, "旅行 absent", "旅行");
    expect(s, NULL, "red absent green", "red green");
    expect(s, NULL, "blue yellow", "blue");
    expect(s, NULL, "absent nowhere", "");
    expect(s, NULL, "", "");
    expect(s, nikon, "screenshot wifi password", "wifi");
    expect(s, near, "munich wifi", "munich");
    expect(s, away, "munich wifi", "");
    expect(s, nowhere, "wifi", "");
    scry_filter_pool_free(pool);
}

/* Words by chance: those that are kept are in a row; none only where no row has any; and where few rows have any, or the server
 * ranks them, no row has these and one more. */
static void any_queries(scry_store *s, bool ranks)
{
    static const char *const vocabulary[] = { "red", "blue", "green", "receipt", "dog", "wifi", "password", "pharmacy", "munich",
                                              "москва", "旅行", "absent", "x17", "203", "jpg" };
    scry_error err = SCRY_ERROR_INIT;
    unsigned random = 1;
    for (int i = 0; i < TRIES; i++) {
        scry_buf text = SCRY_BUF_INIT(4096), wanted = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), kept = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
        for (int k = 0; k < 2 + i % 4; k++) {
            random = random * 1103515245u + 12345;
            scry_buf_printf(&text, "%s ", vocabulary[(random >> 16) % (sizeof vocabulary / sizeof *vocabulary)]);
        }
        scry_words_of_query(&wanted, scry_buf_str(&text), SCRY_WORDS_WHOLE);
        must(scry_store_rare_words(s, NULL, scry_buf_str(&wanted), &kept, &err), &err);
        assert_true(!kept.size || holding(scry_buf_str(&kept)) > 0);
        size_t any = 0, n;
        const char *at = scry_buf_str(&wanted), *word;
        while ((word = scry_words_next(&at, &n))) {
            scry_buf more = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
            scry_buf_printf(&more, "\n%.*s\n", (int)n, word);
            any += holding(scry_buf_str(&more));
            bool has = kept.size && strstr(scry_buf_str(&kept), scry_buf_str(&more));
            scry_buf_puts(&more, kept.size ? scry_buf_str(&kept) + 1 : "");
            assert_true(has || holding(scry_buf_str(&more)) == 0 || (!ranks && any >= 256));
            scry_buf_dispose(&more);
        }
        assert_int_equal(kept.size > 0, any > 0);
        scry_buf_dispose(&text);
        scry_buf_dispose(&wanted);
        scry_buf_dispose(&kept);
    }
}

static void tell(void *arg, const char *text)
{
    fprintf(stderr, "%s\n", text);
}

static void test_rare_words(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_store *s = *state;
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = "feed";
    o.dim = DIM;
    o.collection = "rare";
    o.milvus.notice = tell;
    count = (size_t)atoi(getenv("SCRY_TEST_ROWS"));
    lists = calloc(count, sizeof *lists);
    files = calloc(count, sizeof *files);
    must(scry_milvus_driver.open(&s, getenv("SCRY_TEST_STORE"), &o, &err), &err);
    bool ranks = ((const scry_remote *)s)->ranks;
    assert_int_equal(ranks, getenv("SCRY_TEST_RANKS") && atoi(getenv("SCRY_TEST_RANKS")));
    fill(s);
    known_queries(s);
    any_queries(s, ranks);
    must(scry_store_close(s, &err), &err);
}

/* The words that are kept of each text, separated by blanks. */
static int show(const char *where, const char *collection, char *const *texts)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_store *s;
    o.collection = collection;
    o.milvus.notice = tell;
    int result = scry_milvus_driver.open(&s, where, &o, &err);
    for (; result == 0 && *texts; texts++) {
        scry_buf wanted = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), kept = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
        scry_words_of_query(&wanted, *texts, SCRY_WORDS_WHOLE);
        result = scry_store_rare_words(s, NULL, scry_buf_str(&wanted), &kept, &err);
        const char *at = scry_buf_str(&kept), *word, *before = "";
        for (size_t n; (word = scry_words_next(&at, &n)); before = " ")
            printf("%s%.*s", before, (int)strcspn(word, " \n"), word);
        printf("\n");
        scry_buf_dispose(&wanted);
        scry_buf_dispose(&kept);
    }
    if (result == 0)
        result = scry_store_close(s, &err);
    if (result < 0)
        fprintf(stderr, "%s\n", err.message);
    return result < 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rare_words) };
    return argc > 3 ? show(argv[1], argv[2], argv + 3) : cmocka_run_group_tests(tests, NULL, NULL);
}
