/* words.c - searches by look and words together against searches by look alone, in a store of many pictures.
 *
 *     build/release/bench/words read STORE
 *     build/release/bench/words search STORE CLUSTERS [QUERY...]
 *
 * STORE is one that bench/store made. `read` stores a text in each picture, as if it had been read there: "common", in every
 * second one also "half", and in every twentieth one twelve words drawn from 5,000, the first ones much more often than the
 * last. `search` prints tab-separated values: what, median and best milliseconds by look, then by look and words, and the
 * pictures that have the words.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "engine/fusion.h"
#include "synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY = 20, WORDS = 5000, LENGTH = 12, BATCH = 2048, RUNS = 21, TEXT_BYTES = LENGTH * 5 + 16 };

static void check(int result, const scry_error *err)
{
    if (result >= 0)
        return;
    fprintf(stderr, "bench: %s\n", err->message);
    exit(2);
}

/* ---- read ---- */

typedef struct {
    scry_store *store;
    uint64_t seed;
    size_t seen, count, put;
    scry_picture_text texts[BATCH];
    scry_text_line lines[BATCH];
    char words[BATCH][TEXT_BYTES];
} texts;

static void put(texts *t)
{
    scry_error err = SCRY_ERROR_INIT;
    check(scry_store_put_texts(t->store, t->texts, t->count, &err), &err);
    t->put += t->count;
    t->count = 0;
}

/* "waar wfza ...": numbers as letters, since "w17" would be two words. */
static void draw_words(texts *t, char *out)
{
    for (int i = 0; i < LENGTH; i++) {
        double share = (double)(synthetic_next(&t->seed) >> 11) * 0x1p-53;
        unsigned n = (unsigned)(share * share * share * WORDS);
        char word[8] = { 'w', (char)('a' + n / 676 % 26), (char)('a' + n / 26 % 26), (char)('a' + n % 26), ' ' };
        memcpy(out + i * 5, word, 6);
    }
}

static int add_text(void *arg, const scry_file *files, size_t count)
{
    texts *t = arg;
    size_t i = t->count++, n = (size_t)snprintf(t->words[i], TEXT_BYTES, t->seen % 2 ? "common " : "common half ");
    if (t->seen++ % EVERY == 0)
        draw_words(t, t->words[i] + n);
    t->lines[i] = (scry_text_line){ .corner = { 0.1f, 0.1f, 0.9f, 0.1f, 0.9f, 0.2f, 0.1f, 0.2f }, .text = t->words[i],
                                    .confidence = 1 };
    t->texts[i] = (scry_picture_text){ .reader = "bench", .lines = &t->lines[i], .line_count = 1 };
    memcpy(t->texts[i].content, files[0].content, SCRY_HASH_BYTES);
    if (t->count == BATCH)
        put(t);
    return 0;
}

static int store_texts(const char *where)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    texts *t = scry_alloc(sizeof *t);
    double start = scry_now_ms();
    o.mode = SCRY_STORE_WRITE;
    check(scry_store_open(&t->store, where, &o, &err), &err);
    check(scry_store_each_unread(t->store, &(scry_unread){ "bench", false, 0 }, add_text, t, &err), &err);
    put(t);
    check(scry_store_close(t->store, &err), &err);
    printf("%zu texts put in %.1f s\n", t->put, (scry_now_ms() - start) / 1e3);
    free(t);
    return 0;
}

/* ---- search ---- */

static int compare(const void *x, const void *y)
{
    const double *a = x, *b = y;
    return *a < *b ? -1 : *a > *b;
}

typedef struct {
    scry_search_request q;
    double ms[RUNS];
    size_t found;        /* of the last results, those that have the words */
} timed;

static void prepare(timed *t, const char *text, const char *by)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_request_init(&t->q, SCRY_VIA_URL);
    check(scry_request_set(&t->q, "q", scry_text(text), &err), &err);
    check(scry_request_set(&t->q, "by", scry_text(by), &err), &err);
    check(scry_request_finish(&t->q, &err), &err);
}

static void time_search(scry_store *s, const float *query, timed *t, size_t run)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_results *results;
    scry_search_plan plan = scry_plan_of(&t->q, (scry_groups)SCRY_GROUPS_INIT, NULL);
    double start = scry_now_ms();
    check(scry_search_by(s, query, &plan, &results, &err), &err);
    t->ms[run] = scry_now_ms() - start;
    t->found = 0;
    for (size_t i = 0; i < results->count; i++)
        t->found += results->hits[i].word_fields != 0;
    scry_results_free(results);
}

/* The same queries in turn, so that whatever else the machine does slows both. */
static void compare_searches(scry_store *s, const float *queries, size_t dim, const char *text)
{
    timed look, both;
    prepare(&look, text, "look");
    prepare(&both, text, "auto");
    time_search(s, queries, &look, 0);   /* maps and checks the files */
    time_search(s, queries, &both, 0);
    for (size_t r = 0; r < RUNS; r++) {
        time_search(s, queries + r * dim, &look, r);
        time_search(s, queries + r * dim, &both, r);
    }
    qsort(look.ms, RUNS, sizeof *look.ms, compare);
    qsort(both.ms, RUNS, sizeof *both.ms, compare);
    printf("%s\t%.2f\t%.2f\t%.2f\t%.2f\t%zu\n", text, look.ms[RUNS / 2], look.ms[0], both.ms[RUNS / 2], both.ms[0], both.found);
    fflush(stdout);
    scry_request_dispose(&look.q);
    scry_request_dispose(&both.q);
}

static int search(const char *where, size_t clusters, char *const *queries, size_t count)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *s;
    scry_store_info info;
    check(scry_store_open(&s, where, NULL, &err), &err);
    scry_store_describe(s, &info);
    size_t dim = (size_t)info.dim;
    float *vectors = scry_alloc(RUNS * dim * sizeof *vectors);
    for (size_t i = 0; i < RUNS; i++)
        synthetic_query(vectors + i * dim, dim, clusters, i);
    printf("what\tmedian ms by look\tbest\tmedian ms by look and words\tbest\tof the results have the words\n");
    for (size_t i = 0; i < count; i++)
        compare_searches(s, vectors, dim, queries[i]);
    free(vectors);
    check(scry_store_close(s, &err), &err);
    return 0;
}

int main(int argc, char **argv)
{
    static char *const standard[] = { "waaa", "wbcd", "wgzz", "waaa waab", "waac wbcd", "nothing of them", "common", "half",
                                      "common half waaa", "common half nothing", "half of nothing at all",
                                      "wzzzz waaa waab waac waad waae waaf waag waah waai waaj waak waal waam waan" };
    if (argc == 3 && strcmp(argv[1], "read") == 0)
        return store_texts(argv[2]);
    if (argc == 4 && strcmp(argv[1], "search") == 0)
        return search(argv[2], strtoul(argv[3], NULL, 10), standard, sizeof standard / sizeof *standard);
    if (argc > 4 && strcmp(argv[1], "search") == 0)
        return search(argv[2], strtoul(argv[3], NULL, 10), argv + 4, (size_t)argc - 4);
    fprintf(stderr, "usage: words read STORE\n       words search STORE CLUSTERS [QUERY...]\n");
    return 2;
}
