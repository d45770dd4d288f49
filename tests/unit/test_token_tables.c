/* Cached tables of a tokenizer: the same ids as without, used only for the file they were made of,
 * harmless when damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/cache.h"
#include "base/file.h"
#include "tokenizer/tables.h"
#include "tokenizer/tokenizer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CAPACITY = 77, LINES = 300, JSON_BYTES = (1 << 20) + 4096 };   /* smaller files are not cached */

static const char *const kinds[] = { "sentence_bpe", "unigram_charsmap", "unigram", "clip_json", "nllb" };
static char scratch[64], json_path[128];

static int setup(void **state)
{
    strcpy(scratch, "/tmp/scry-tables-XXXXXX");
    if (!mkdtemp(scratch))
        return -1;
    snprintf(json_path, sizeof json_path, "%s/tokenizer.json", scratch);
    return setenv("XDG_CACHE_HOME", scratch, 1);
}

static int teardown(void **state)
{
    char *command = scry_asprintf("rm -rf '%s'", scratch);
    int r = system(command);
    free(command);
    return r;
}

/* The golden tokenizer.json of a kind, made large by spaces behind it. */
static void put_json(const char *kind)
{
    const char *top = getenv("SCRY_TOP");
    char *from = scry_asprintf("%s/tests/golden/tokenizers/%s/tokenizer.json", top ? top : ".", kind);
    scry_buf text = SCRY_BUF_INIT(JSON_BYTES);
    assert_int_equal(scry_read_file(from, &text, NULL), 0);
    while (text.size < JSON_BYTES)
        scry_buf_putc(&text, ' ');
    assert_int_equal(scry_write_file(json_path, text.data, text.size, NULL), 0);
    scry_buf_dispose(&text);
    free(from);
}

static char *cached_path(void)
{
    char *path = scry_cache_path("tokenizers", json_path, false);
    assert_non_null(path);
    return path;
}

static scry_tokenizer *open_scratch(void)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = NULL;
    if (scry_tokenizer_open(&t, scratch, SCRY_TOKENIZER_HF, &err) < 0)
        fail_msg("%s", err.message);
    return t;
}

/* Ids of the golden lines, zeros behind each: [LINES, CAPACITY], owned. They are in the vocabulary. */
static int32_t *ids_of_lines(const scry_tokenizer *t)
{
    const char *top = getenv("SCRY_TOP");
    char *path = scry_asprintf("%s/tests/golden/tokenizers/lines.txt", top ? top : "."), *line = NULL;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    int32_t *ids = scry_alloc((size_t)LINES * CAPACITY * sizeof *ids);
    size_t room = 0;
    ssize_t n;
    for (int i = 0; i < LINES && (n = getline(&line, &room, f)) > 0; i++) {
        int count = scry_tokenizer_encode(t, line, (size_t)n - 1, ids + i * CAPACITY, CAPACITY, NULL, NULL);
        assert_true(count > 0);
        for (int k = 0; k < count; k++)
            assert_true((size_t)ids[i * CAPACITY + k] < scry_tokenizer_vocab_size(t));
    }
    free(line);
    fclose(f);
    free(path);
    return ids;
}

static void assert_same_ids(const int32_t *want)
{
    scry_tokenizer *t = open_scratch();
    int32_t *got = ids_of_lines(t);
    assert_memory_equal(got, want, (size_t)LINES * CAPACITY * sizeof *got);
    free(got);
    scry_tokenizer_free(t);
}

static int32_t *first_ids(const char *kind)
{
    put_json(kind);
    scry_tokenizer *t = open_scratch();
    int32_t *ids = ids_of_lines(t);
    scry_tokenizer_free(t);
    return ids;
}

/* The file's bytes changed so that whoever reads it fails, its size and times as before. */
static void spoil_json(void)
{
    struct stat st;
    assert_int_equal(stat(json_path, &st), 0);
    FILE *f = fopen(json_path, "r+b");
    assert_non_null(f);
    fputs("####", f);
    fclose(f);
    struct timespec times[2] = { st.st_atim, st.st_mtim };
    assert_int_equal(utimensat(AT_FDCWD, json_path, times, 0), 0);
}

static void tables_are_used_and_give_the_same_ids(void **state)
{
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        int32_t *want = first_ids(kinds[k]);
        spoil_json();   /* so that only the tables can be used */
        assert_same_ids(want);
        free(want);
    }
}

static void other_files_are_read_anew(void **state)
{
    scry_tokenizer *t = NULL;
    int32_t *want = first_ids("sentence_bpe");
    assert_int_equal(utimensat(AT_FDCWD, json_path, NULL, 0), 0);   /* touched: the digest tells */
    assert_same_ids(want);
    spoil_json();
    assert_same_ids(want);   /* and its tables were marked with the new time */
    assert_int_equal(utimensat(AT_FDCWD, json_path, NULL, 0), 0);
    assert_true(scry_tokenizer_open(&t, scratch, SCRY_TOKENIZER_HF, NULL) < 0);
    int32_t *other = first_ids("unigram");
    assert_memory_not_equal(other, want, (size_t)LINES * CAPACITY * sizeof *other);
    spoil_json();
    assert_same_ids(other);
    free(other);
    free(want);
}

static void tables_are_not_needed(void **state)
{
    int32_t *want = first_ids("sentence_bpe");
    setenv("XDG_CACHE_HOME", "/dev/null/none", 1);   /* where nothing can be written */
    assert_same_ids(want);
    setenv("XDG_CACHE_HOME", scratch, 1);
    char *path = cached_path();
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);   /* no file, and none can take its place */
    assert_same_ids(want);
    assert_int_equal(rmdir(path), 0);
    free(path);
    free(want);
}

/* Any damage is noticed, or with a sum that was made to fit, stays within bounds; the file is written again. */
static void damage_does_no_harm(void **state)
{
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        int32_t *want = first_ids(kinds[k]);
        char *path = cached_path();
        scry_buf good = SCRY_BUF_INIT(16 << 20);
        assert_int_equal(scry_read_file(path, &good, NULL), 0);
        char *bad = scry_alloc(good.size);
        for (size_t i = 0; i < 300; i++) {
            size_t size = i % 10 ? good.size : i * 2654435761u % good.size;
            /* every second one in the header and the first tables */
            size_t at = i * 2654435761u % (i & 1 ? good.size : 4096);
            memcpy(bad, good.data, good.size);
            bad[at] = (char)(bad[at] + 1 + (char)(i * 7 % 250));
            if (i % 3)
                scry_tables_seal((uint8_t *)bad, good.size);
            assert_int_equal(scry_write_file(path, bad, size, NULL), 0);
            scry_tokenizer *t = NULL;
            int r = scry_tokenizer_open(&t, scratch, SCRY_TOKENIZER_HF, NULL);
            assert_int_equal(r, 0);   /* the tokenizer.json is there and good */
            int32_t *got = ids_of_lines(t);
            if (i % 3 == 0)
                assert_memory_equal(got, want, (size_t)LINES * CAPACITY * sizeof *got);
            free(got);
            scry_tokenizer_free(t);
        }
        free(bad);
        scry_buf_dispose(&good);
        free(path);
        free(want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_used_and_give_the_same_ids), cmocka_unit_test(other_files_are_read_anew),
        cmocka_unit_test(tables_are_not_needed), cmocka_unit_test(damage_does_no_harm)
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
