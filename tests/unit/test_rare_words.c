/* scry_store_rare_words: the words of a query that some picture has together, held against a computation over every file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/words.h"
#include "store_fixture.h"

#include <stdlib.h>
#include <unistd.h>

enum { PICTURES = 400, MOST = 8 };

static const char *const vocabulary[] = { "anna", "berlin", "car", "dog", "exit", "fox", "garden", "harbour", "iron", "jam", "kite", "lamp" };
enum { WORDS = sizeof vocabulary / sizeof *vocabulary };

/* The words of a picture: common ones are at the list's begin. */
static unsigned words_of(int i)
{
    unsigned has = 0, state = (unsigned)i * 2654435761u + 12345;
    for (unsigned k = 0; k < WORDS; k++) {
        state = state * 1664525u + 1013904223u;
        has |= (state >> 16) % (2 + k * k) == 0 ? 1u << k : 0;
    }
    return has;
}

static void put_picture(scry_store *s, const uint8_t *root, int i)
{
    scry_error err = SCRY_ERROR_INIT;
    char name[32], title[256] = "";
    float v[DIM];
    scry_put p = { .vector = v };
    snprintf(name, sizeof name, "d%d/%d.jpg", i % 4, 100000 + i);
    for (unsigned k = 0; k < WORDS; k++)
        if (words_of(i) >> k & 1)
            snprintf(title + strlen(title), sizeof title - strlen(title), "%s ", vocabulary[k]);
    p.file = (scry_file){ .relative = name, .size = 1, .mtime_ns = 1, .width = 1, .format = "jpeg", .title = title };
    memcpy(p.file.root, root, SCRY_ID_BYTES);
    model_hash(i, p.file.content);
    model_vector(i, v, DIM);
    must(scry_store_put(s, &p, 1, &err), &err);
}

/* By every file below `folder` (-1: all). */
static unsigned rare_by_all(const unsigned *asked, int n, int folder)
{
    int counts[MOST] = { 0 };
    unsigned kept = 0, tried = 0;
    for (int k = 0; k < n; k++)
        for (int i = 0; i < PICTURES; i++)
            counts[k] += (folder < 0 || i % 4 == folder) && (words_of(i) & asked[k]) != 0;
    for (int round = 0; round < n; round++) {
        int best = -1;
        for (int k = 0; k < n; k++)
            if (!(tried >> k & 1) && counts[k] && (best < 0 || counts[k] < counts[best]))
                best = k;
        if (best < 0)
            break;
        tried |= 1u << best;
        bool together = false;
        for (int i = 0; i < PICTURES && !together; i++) {
            together = (folder < 0 || i % 4 == folder) && (words_of(i) & asked[best]) != 0;
            for (int k = 0; k < n && together; k++)
                together = !(kept >> k & 1) || (words_of(i) & asked[k]) != 0;
        }
        kept |= together ? 1u << best : 0;
    }
    return kept;
}

/* A query of n different words, each with another one as its alternative at times; its words as masks of the vocabulary. */
static void make_query(unsigned seed, int n, unsigned *asked, char lines[MOST][64])
{
    for (int k = 0; k < n; k++) {
        seed = seed * 1664525u + 1013904223u;
        unsigned word = (seed >> 16) % (WORDS + 2), other = (seed >> 20) % WORDS;
        asked[k] = word < WORDS ? 1u << word : 0;
        snprintf(lines[k], 64, "%s", word < WORDS ? vocabulary[word] : "absent");
        if ((seed >> 10) % 4 == 0) {
            asked[k] |= 1u << other;
            snprintf(lines[k] + strlen(lines[k]), 64 - strlen(lines[k]), " %s", vocabulary[other]);
        }
    }
}

static void one_query(scry_store *s, unsigned seed, int n, int folder)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_filter_pool *pool = scry_filter_pool_new();
    scry_buf kept = SCRY_BUF_INIT(4096);
    unsigned asked[MOST];
    char lines[MOST][64], wanted[1024] = "\n", right[1024] = "", path[32];
    make_query(seed, n, asked, lines);
    unsigned all = rare_by_all(asked, n, folder);
    for (int k = 0; k < n; k++) {
        snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s\n", lines[k]);
        if (all >> k & 1)
            snprintf(right + strlen(right), sizeof right - strlen(right), "%s%s\n", right[0] ? "" : "\n", lines[k]);
    }
    snprintf(path, sizeof path, "/pictures/d%d", folder);
    const scry_filter_node *filter = folder < 0 ? NULL : scry_filter_text(pool, SCRY_FILTER_IN, path);
    scry_buf_puts(&kept, "what was there before");
    must(scry_store_rare_words(s, filter, wanted, &kept, &err), &err);
    assert_string_equal(scry_buf_str(&kept), right);
    scry_buf_dispose(&kept);
    scry_filter_pool_free(pool);
}

static void as_by_every_file(void **state)
{
    (void)state;
    char where[64], command[96];
    scry_store *s;
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    snprintf(where, sizeof where, "/tmp/scry-rare-%d", (int)getpid());
    must(open_store(&s, where, SCRY_STORE_CREATE, &err), &err);
    must(scry_store_add_root(s, "/pictures", &root, &err), &err);
    one_query(s, 1, 0, -1);
    for (int i = 0; i < PICTURES; i++) {
        put_picture(s, root.id, i);
        if (i == PICTURES - 50)
            scry_columns_update((scry_local *)s, 0);   /* the last ones are compared one by one */
    }
    for (unsigned i = 0; i < 500; i++)
        one_query(s, i * 7919 + 3, (int)(i % (MOST + 1)), (int)(i / 9 % 5) - 1);
    must(scry_store_close(s, &err), &err);
    must(open_store(&s, where, SCRY_STORE_READ, &err), &err);
    for (unsigned i = 0; i < 100; i++)
        one_query(s, i * 104729 + 1, (int)(i % (MOST + 1)), (int)(i / 9 % 5) - 1);
    must(scry_store_close(s, &err), &err);
    snprintf(command, sizeof command, "rm -rf %s", where);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(as_by_every_file) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
