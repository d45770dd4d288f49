/* Brief walks of a collection on Milvus, and the first files of an order, against the walk that reads whole rows: RAW pairs,
 * copies, names that are stored escaped, two roots; more rows than an answer has. SCRY_TEST_STORE is the server, SCRY_TEST_ROWS
 * how many; run by brief.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/sha256.h"
#include "store/pairs.h"
#include "store/predicates.h"
#include "store/store_kind.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 4, BATCH = 2000, NAME = 96 };

typedef struct {
    char path[NAME], format[8];
    scry_file file;
    size_t at;               /* place in the walk */
} seen_file;

typedef struct {
    seen_file *items;
    size_t count;
} seen_files;

static size_t rows;
static seen_files all, expected, got;

static void must(int result, const scry_error *err)
{
    if (result < 0)
        fail_msg("%s", err->message);
}

/* As in test_store_brief.c: some of a pair, every fifth content a copy; many files of one time and size. */
static scry_file make_file(size_t i, const scry_root *roots, char name[NAME])
{
    static const char *const extensions[] = { "CR2", "JPG", "heic", "nef", "jpg", "png", "a \"b\" \\ \xff.jpg" };
    bool raw = i % 7 == 0 || i % 7 == 3;
    size_t content = i % 5 == 1 && i > 20 ? i - 20 : i;
    snprintf(name, NAME, "d%zu/IMG_%zu%s%s", i / 7 % 3, i / 7, i % 7 == 6 ? " " : ".", extensions[i % 7]);
    scry_file f = { .relative = name, .size = 1000 + (int64_t)(content % 90), .mtime_ns = -3000000001 + (int64_t)i * 7000000000ll,
                    .format = raw ? "raw" : "jpeg", .camera = i % 3 ? "Canon" : "", .has_time = content % 4 != 0,
                    .taken_at = 1500000000 + (int64_t)(content * 777 % 100000), .has_position = content % 2,
                    .latitude = (double)(content % 80), .longitude = -(double)(content % 170), .has_rating = content % 3 == 0,
                    .rating = (int)(content % 6) - 1 };
    memcpy(f.root, roots[i % 2].id, SCRY_ID_BYTES);
    scry_sha256_of(&content, sizeof content, f.content);
    return f;
}

static void fill(scry_store *s)
{
    static char names[BATCH][NAME];
    static scry_put puts[BATCH];
    scry_error err = SCRY_ERROR_INIT;
    scry_root roots[2];
    float vector[DIM] = { 1 };
    must(scry_store_add_root(s, "/b", &roots[0], &err), &err);
    must(scry_store_add_root(s, "/a", &roots[1], &err), &err);
    for (size_t i = 0; i < rows; i += BATCH) {
        size_t n = rows - i < BATCH ? rows - i : BATCH;
        for (size_t k = 0; k < n; k++)
            puts[k] = (scry_put){ .file = make_file(i + k, roots, names[k]), .vector = vector };
        must(scry_store_put(s, puts, n, &err), &err);
    }
    must(scry_store_sync(s, &err), &err);
}

static int note(void *arg, const scry_file *f)
{
    seen_files *l = arg;
    assert_true(l->count < rows);
    seen_file *to = &l->items[l->count];
    *to = (seen_file){ .file = *f, .at = l->count++ };
    snprintf(to->path, sizeof to->path, "%s", f->path);
    snprintf(to->format, sizeof to->format, "%s", f->format);
    assert_string_equal(f->path + strlen(f->path) - strlen(f->relative), f->relative);
    return 0;
}

static void compare(const seen_file *a, const seen_file *b, unsigned wanted)
{
    assert_string_equal(a->path, b->path);
    assert_true(scry_file_is_brief(&a->file));
    assert_memory_equal(a->file.root, b->file.root, SCRY_ID_BYTES);
    assert_int_equal(a->file.has_time, b->file.has_time);
    assert_int_equal(scry_file_time(&a->file), scry_file_time(&b->file));
    assert_int_equal(a->file.has_position, b->file.has_position);
    assert_true(!a->file.has_position || (a->file.latitude == b->file.latitude && a->file.longitude == b->file.longitude));
    assert_int_equal(a->file.size, wanted & SCRY_BRIEF_SIZE ? b->file.size : 0);
    assert_int_equal(a->file.has_rating, wanted & SCRY_BRIEF_RATING && b->file.has_rating);
    assert_int_equal(a->file.rating, wanted & SCRY_BRIEF_RATING ? b->file.rating : 0);
}

/* Of all files those that pass. */
static void expect(const scry_filter_node *filter)
{
    expected.count = 0;
    for (size_t i = 0; i < all.count; i++) {
        scry_file f = all.items[i].file;
        f.path = all.items[i].path;
        f.format = all.items[i].format;
        f.camera = "";
        if (scry_filter_match(filter, &f))
            expected.items[expected.count++] = all.items[i];
    }
}

/* Whether a file that is expected leads the RAW: they are next to each other, or nearly. */
static bool is_led(size_t raw)
{
    size_t stem, other, n = strlen(expected.items[raw].path);
    const char *path = expected.items[raw].path;
    if (strcmp(expected.items[raw].format, "raw") != 0 || scry_pair_part_of(path, n, &stem) != SCRY_PAIR_RAW)
        return false;
    for (size_t i = raw < 12 ? 0 : raw - 12; i < raw + 12 && i < expected.count; i++) {
        const char *lead = expected.items[i].path;
        bool leads = scry_pair_part_of(lead, strlen(lead), &other) == SCRY_PAIR_LEAD;
        if (leads && other == stem && memcmp(lead, path, stem) == 0)
            return true;
    }
    return false;
}

static void make_unique(void)
{
    size_t kept = 0;
    bool *drop = calloc(expected.count + 1, sizeof *drop);
    for (size_t i = 0; i < expected.count; i++)
        drop[i] = is_led(i);
    for (size_t i = 0; i < expected.count; i++)
        for (size_t k = 0; k < i && !drop[i]; k++)   /* a copy has the same content */
            drop[i] = !drop[k] && memcmp(expected.items[k].file.content, expected.items[i].file.content, 8) == 0;
    for (size_t i = 0; i < expected.count; i++)
        if (!drop[i])
            expected.items[kept++] = expected.items[i];
    expected.count = kept;
    free(drop);
}

static void check_walks(scry_store *s, const scry_filter_node *filter, unsigned wanted, bool unique)
{
    scry_error err = SCRY_ERROR_INIT;
    const scry_brief_walk walk = { .filter = filter, .wanted = wanted, .unique = unique };
    got.count = 0;
    expect(filter);
    if (unique)
        make_unique();
    assert_int_equal(scry_store_each_brief(s, &walk, note, &got, &err), 0);
    assert_int_equal(got.count, expected.count);
    for (size_t i = 0; i < got.count; i++)
        compare(&got.items[i], &expected.items[i], wanted);
}

static int64_t key_of(const seen_file *f, unsigned order)
{
    return order & SCRY_BRIEF_RATING ? (f->file.has_rating ? f->file.rating : INT64_MIN) : order & SCRY_BRIEF_SIZE ? f->file.size
                                     : scry_file_time(&f->file);
}

static unsigned sort_order;
static bool sort_smallest;

static int by_order(const void *a, const void *b)
{
    const seen_file *x = a, *y = b;
    int64_t p = key_of(x, sort_order), q = key_of(y, sort_order);
    int order = sort_smallest ? (p > q) - (p < q) : (p < q) - (p > q);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void check_first(scry_store *s, const scry_filter_node *filter, unsigned order, bool smallest, size_t first)
{
    scry_error err = SCRY_ERROR_INIT;
    uint64_t total = UINT64_MAX;
    const scry_brief_walk walk = { .filter = filter, .wanted = order, .order = order, .smallest = smallest, .first = first,
                                   .total = &total };
    got.count = 0;
    expect(filter);
    size_t passing = expected.count;
    assert_int_equal(scry_store_each_brief(s, &walk, note, &got, &err), 0);
    assert_true(total == UINT64_MAX ? got.count == passing : total == passing);
    if (passing > 16000 && order == 0)
        assert_true(total == passing && got.count < passing / 4);   /* a part was read */
    sort_order = order;
    sort_smallest = smallest;
    qsort(expected.items, expected.count, sizeof *expected.items, by_order);
    qsort(got.items, got.count, sizeof *got.items, by_order);
    for (size_t i = 0; i < first && i < passing; i++)
        compare(&got.items[i], &expected.items[i], order);
}

static void test_walks(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_store *s = *state;
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = "feed";
    o.dim = DIM;
    rows = (size_t)atoi(getenv("SCRY_TEST_ROWS"));
    for (size_t i = 0; i < 3; i++)
        (i == 0 ? &all : i == 1 ? &expected : &got)->items = calloc(rows + 1, sizeof *all.items);
    must(scry_milvus_driver.open(&s, getenv("SCRY_TEST_STORE"), &o, &err), &err);
    fill(s);
    must(scry_store_each_file(s, NULL, NULL, note, &all, &err), &err);
    assert_int_equal(all.count, rows);
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_filter_node *in = scry_filter_text(pool, SCRY_FILTER_IN, "/b/d1"), *raw = scry_filter_text(pool, SCRY_FILTER_FORMAT, "raw"),
        *none = scry_filter_text(pool, SCRY_FILTER_FORMAT, "gif"), *late = scry_filter_time(pool, SCRY_FILTER_AFTER, 1500040000);
    const scry_filter_node *const filters[] = { NULL, in, scry_filter_not(pool, raw), none, late };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        check_walks(s, filters[i], 0, false);
        check_walks(s, filters[i], SCRY_BRIEF_SIZE, true);
        check_walks(s, filters[i], SCRY_BRIEF_RATING, true);
        for (int k = 0; k < 6; k++)
            check_first(s, filters[i], (const unsigned[]){ 0, SCRY_BRIEF_SIZE, SCRY_BRIEF_RATING }[k % 3], k > 2 && k != 5, 50);
        check_first(s, filters[i], 0, false, 1000);
        check_first(s, filters[i], 0, true, 1);
    }
    const scry_brief_walk near = { .filter = scry_filter_near(pool, 1, 1, 100) }, names = { .wanted = SCRY_BRIEF_NAMES };
    assert_int_equal(scry_store_each_brief(s, &near, note, &got, &err), 1);    /* it takes whole rows */
    assert_int_equal(scry_store_each_brief(s, &names, note, &got, &err), 1);
    scry_filter_pool_free(pool);
    must(scry_store_close(s, &err), &err);
    free(all.items);
    free(expected.items);
    free(got.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_walks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
