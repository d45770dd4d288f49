/* Brief walks and filtered ones against the walk that reads every row: RAW pairs, copies, labels, two roots; with and without
 * columns, after changes, also by another handle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scry/store.h"
#include "store/local/columns.h"
#include "store/local/local.h"
#include "store/pairs.h"
#include "store/predicates.h"
#include "store_model.h"

#include <stdio.h>
#include <string.h>

enum { DIM = 8, MOST = 600 };

static char folder[64];
static scry_root roots[2];

static void must(int result, const scry_error *err)
{
    if (result < 0)
        fail_msg("%s", err->message);
}

static scry_store *open_store(scry_store_mode mode)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    scry_store *s = NULL;
    o.mode = mode;
    o.model_identity = mode == SCRY_STORE_CREATE ? "feed" : NULL;
    o.dim = mode == SCRY_STORE_CREATE ? DIM : 0;
    must(scry_store_open(&s, folder, &o, &err), &err);
    return s;
}

/* File `i`: every third is one of a pair, or of a stem with two leads, in either case of letters; every fifth content is a copy. */
static void put(scry_store *s, int i)
{
    static const char *const extensions[] = { "CR2", "JPG", "heic", "nef", "jpg", "png", "edit.jpg" };
    static const char *const cameras[] = { "", "Canon EOS 5D", "NIKON D90" };
    static const char *const labels[] = { "beach", "dog" };
    scry_error err = SCRY_ERROR_INIT;
    char name[64];
    float v[DIM];
    bool raw = i % 7 == 0 || i % 7 == 3;
    int content = i % 5 == 1 && i > 20 ? i - 20 : i;
    snprintf(name, sizeof name, "d%d/IMG_%d.%s", i / 7 % 3, i / 7, extensions[i % 7]);
    scry_put p = { .file = { .relative = name, .size = 1000 + content % 90, .mtime_ns = -3000000001 + i * 7000000000ll,
                             .width = content,
                             .format = raw ? "raw" : "jpeg", .camera = cameras[content % 3], .has_time = content % 4 != 0,
                             .taken_at = 1500000000 + content * 777 % 100000, .has_position = content % 2, .latitude = content % 80,
                             .longitude = -content % 170, .has_rating = content % 3 == 0, .rating = content % 6 - 1,
                             .labels = labels + i % 2, .label_count = i % 3 > 0 },
                   .vector = v };
    memcpy(p.file.root, roots[i % 2].id, SCRY_ID_BYTES);
    model_hash(content, p.file.content);
    model_vector(content, v, DIM);
    must(scry_store_put(s, &p, 1, &err), &err);
}

/* ---- what a walk gave ---- */

typedef struct {
    scry_file file;
    char path[128], camera[32], format[8], label[16];
    uint8_t id[SCRY_ID_BYTES];
} seen_file;

typedef struct {
    seen_file items[MOST];
    size_t count, stop_at;
} seen_files;

static int note(void *arg, const scry_file *f)
{
    seen_files *l = arg;
    assert_true(l->count < MOST);
    seen_file *s = &l->items[l->count++];
    memset(s, 0, sizeof *s);
    s->file = *f;
    snprintf(s->path, sizeof s->path, "%s", f->path);
    assert_string_equal(f->path + strlen(f->path) - strlen(f->relative), f->relative);
    snprintf(s->camera, sizeof s->camera, "%s", f->camera);
    snprintf(s->format, sizeof s->format, "%s", f->format);
    snprintf(s->label, sizeof s->label, "%s", f->label_count ? f->labels[0] : "");
    scry_file_id(f->root, f->relative, s->id);
    return l->stop_at && l->count == l->stop_at;
}

static void same_file(const seen_file *a, const seen_file *b)
{
    assert_string_equal(a->path, b->path);
    assert_string_equal(a->camera, b->camera);
    assert_string_equal(a->format, b->format);
    assert_string_equal(a->label, b->label);
    assert_memory_equal(a->file.root, b->file.root, SCRY_ID_BYTES);
    assert_int_equal(a->file.label_count, b->file.label_count);
    assert_int_equal(a->file.has_time, b->file.has_time);
    assert_int_equal(scry_file_time(&a->file), scry_file_time(&b->file));
    assert_int_equal(a->file.has_position, b->file.has_position);
    assert_true(a->file.latitude == b->file.latitude && a->file.longitude == b->file.longitude);
    assert_int_equal(a->file.added, b->file.added);
    assert_int_equal(a->file.size, b->file.size);
    assert_int_equal(a->file.has_rating, b->file.has_rating);
    assert_int_equal(a->file.rating, b->file.rating);
}

/* Whether a file of the list leads the RAW `f`. */
static bool is_led(const seen_files *l, const seen_file *f)
{
    size_t stem, other_stem, n = strlen(f->path);
    if (strcmp(f->format, "raw") != 0 || scry_pair_part_of(f->path, n, &stem) != SCRY_PAIR_RAW)
        return false;
    for (size_t i = 0; i < l->count; i++) {
        const char *path = l->items[i].path;
        bool leads = scry_pair_part_of(path, strlen(path), &other_stem) == SCRY_PAIR_LEAD;
        if (leads && other_stem == stem && memcmp(path, f->path, stem) == 0)
            return true;
    }
    return false;
}

/* The list without led RAWs, then without copies. */
static void make_unique(seen_files *out, const seen_files *l)
{
    out->count = 0;
    for (size_t i = 0; i < l->count; i++) {
        bool copy = false;
        for (size_t k = 0; k < out->count; k++)
            copy |= memcmp(out->items[k].file.content, l->items[i].file.content, SCRY_HASH_BYTES) == 0;
        if (!copy && !is_led(l, &l->items[i]))
            out->items[out->count++] = l->items[i];
    }
}

static void compare(const seen_files *a, const seen_files *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        same_file(&a->items[i], &b->items[i]);
}

static int filter_into(void *arg, const scry_file *f)
{
    const scry_filter_node *filter = ((void **)arg)[0];
    return scry_filter_match(filter, f) ? note(((void **)arg)[1], f) : 0;
}

static size_t check_filter(scry_store *s, const scry_filter_node *filter)
{
    static seen_files expected, got, unique;
    scry_error err = SCRY_ERROR_INIT;
    void *into[] = { (void *)(uintptr_t)filter, &expected };
    expected.count = got.count = got.stop_at = 0;
    must(scry_store_each_file(s, NULL, NULL, filter_into, into, &err), &err);
    must(scry_store_each_file(s, filter, NULL, note, &got, &err), &err);
    compare(&expected, &got);
    for (size_t i = 0; i < expected.count; i += 1 + expected.count / 7) {   /* pages */
        got.count = 0;
        got.stop_at = 3;
        must(scry_store_each_file(s, filter, expected.items[i].id, note, &got, &err), &err);
        size_t left = expected.count - i - 1;
        assert_int_equal(got.count, left < 3 ? left : 3);
        for (size_t k = 0; k < got.count; k++)
            same_file(&got.items[k], &expected.items[i + 1 + k]);
    }
    scry_brief_walk walk = { .filter = filter, .wanted = SCRY_BRIEF_NAMES | SCRY_BRIEF_RATING | SCRY_BRIEF_SIZE };
    got.count = got.stop_at = 0;
    assert_int_equal(scry_store_each_brief(s, &walk, note, &got, &err), 0);
    compare(&expected, &got);
    walk.unique = true;
    got.count = 0;
    make_unique(&unique, &expected);
    assert_int_equal(scry_store_each_brief(s, &walk, note, &got, &err), 0);
    compare(&unique, &got);
    assert_true(!expected.count || unique.count);
    return expected.count;
}

static void check(scry_store *s)
{
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_filter_node *raw = scry_filter_text(pool, SCRY_FILTER_FORMAT, "raw"),
        *canon = scry_filter_text(pool, SCRY_FILTER_CAMERA, "canon"), *beach = scry_filter_text(pool, SCRY_FILTER_LABEL, "beach"),
        *in = scry_filter_text(pool, SCRY_FILTER_IN, "/b/d1"), *words = scry_filter_words(pool, "img", SCRY_WORDS_WHOLE),
        *none = scry_filter_text(pool, SCRY_FILTER_LABEL, "no such"), *late = scry_filter_time(pool, SCRY_FILTER_AFTER, 1500040000);
    const scry_filter_node *const all[] = { NULL, raw, canon, beach, in, words, late, scry_filter_not(pool, raw),
                                            scry_filter_and(pool, canon, scry_filter_or(pool, beach, in)) };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_true(check_filter(s, all[i]) > 0);
    assert_int_equal(check_filter(s, none), 0);
    scry_filter_pool_free(pool);
}

static void test_walks(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    uint8_t id[1][SCRY_ID_BYTES];
    uint64_t removed;
    make_scratch(folder);
    scry_store *s = open_store(SCRY_STORE_CREATE);
    must(scry_store_add_root(s, "/a", &roots[0], &err), &err);
    must(scry_store_add_root(s, "/b", &roots[1], &err), &err);
    for (int i = 0; i < 200; i++)
        put(s, i);
    check(s);                                      /* no columns */
    scry_columns_update((scry_local *)s, 0);
    scry_store *other = open_store(SCRY_STORE_READ);
    check(other);
    for (int i = 100; i < 300; i++)                /* some as they were, some new */
        put(s, i);
    for (int i = 0; i < 60; i += 9) {
        char name[64];
        snprintf(name, sizeof name, "d%d/IMG_%d.%s", i / 7 % 3, i / 7, i % 7 == 0 ? "CR2" : "JPG");
        scry_file_id(roots[i % 2].id, name, id[0]);
        must(scry_store_remove(s, id, 1, &removed, &err), &err);
    }
    check(other);                                  /* right after another handle wrote */
    check(s);
    must(scry_store_compact(s, &err), &err);
    check(other);
    must(scry_store_close(s, &err), &err);
    must(scry_store_close(other, &err), &err);
    s = open_store(SCRY_STORE_READ);
    check(s);
    static seen_files none;
    const scry_brief_walk all = { .unique = true };
    char mark[128];
    snprintf(mark, sizeof mark, "%s/collections/default/damaged", folder);
    FILE *f = fopen(mark, "w");   /* as one who came upon a changed row writes it */
    assert_true(f && fputs("a row", f) >= 0 && fclose(f) == 0);
    assert_int_equal(scry_store_each_brief(s, &all, note, &none, &err), 1);
    assert_int_equal(none.count, 0);
    must(scry_store_close(s, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_walks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
