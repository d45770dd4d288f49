/* What a handle that stays open reads of files that the columns lack, against handles that are opened for each question: after
 * changes with and without new numbers, other columns, a new generation, moved roots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "scry/marks.h"
#include "store/predicates.h"
#include "store_fixture.h"

#include <stdlib.h>
#include <unistd.h>

enum { STEPS = 400, CONTENTS = 250, MOST_FOUND = FILES + 200 };

typedef struct {
    char where[64];
    scry_store *writer, *reader;
    scry_root root;
    dice d;
    int moves;
} world;

/* ---- answers ---- */

typedef struct {
    char *text[MOST_FOUND];   /* owned: path, favourite and labels of the files, in the order of their walk */
    size_t count;
} answer;

static int note(void *arg, const scry_file *f)
{
    answer *a = arg;
    char line[256];
    assert_true(a->count < MOST_FOUND);
    snprintf(line, sizeof line, "%s %d %zu", f->path, f->favourite, f->label_count);
    a->text[a->count++] = strdup(line);
    return 0;
}

static int order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files that pass, by a walk and by a search. */
static void ask(scry_store *s, const scry_filter_node *filter, answer *walked, answer *found)
{
    scry_error err = SCRY_ERROR_INIT;
    float v[DIM];
    scry_results *r;
    scry_search q = SCRY_SEARCH_INIT;
    walked->count = found->count = 0;
    must(scry_store_each_file(s, filter, NULL, note, walked, &err), &err);
    qsort(walked->text, walked->count, sizeof *walked->text, order);
    model_vector(7, v, DIM);
    q.filter = filter;
    q.limit = MOST_FOUND;
    must(scry_store_search(s, v, &q, &r, &err), &err);
    for (size_t i = 0; i < r->count; i++)
        note(found, &r->hits[i].file);
    scry_results_free(r);
}

static void same(answer *a, answer *b, int step, int which)
{
    if (a->count != b->count)
        fail_msg("step %d, filter %d: %zu of %zu files", step, which, a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->text[i], b->text[i]) != 0)
            fail_msg("step %d, filter %d: %s instead of %s", step, which, a->text[i], b->text[i]);
        free(a->text[i]);
        free(b->text[i]);
    }
}

static const scry_filter_node *filter_of(world *w, scry_filter_pool *p, int which)
{
    char path[80];
    snprintf(path, sizeof path, "/pictures%d/d1", w->moves);
    switch (which) {
    case 0: return scry_filter_text(p, SCRY_FILTER_IN, path);
    case 1: return scry_filter_number(p, SCRY_FILTER_FAVOURITE, 0);
    case 2: return scry_filter_text(p, SCRY_FILTER_LABEL, "seen");
    case 3: return scry_filter_words(p, "d2", SCRY_WORDS_WHOLE);
    case 4: return scry_filter_number(p, SCRY_FILTER_MIN_WIDTH, 100 + below(&w->d, 300));
    default: return scry_filter_not(p, scry_filter_time(p, SCRY_FILTER_AFTER, below(&w->d, 400)));
    }
}

static void compare(world *w, int step)
{
    static answer kept[2], new[2];
    scry_error err = SCRY_ERROR_INIT;
    scry_filter_pool *pool = scry_filter_pool_new();
    for (int which = 0; which < 6; which++) {
        scry_store *s;
        const scry_filter_node *filter = filter_of(w, pool, which);
        must(open_store(&s, w->where, SCRY_STORE_READ, &err), &err);
        ask(w->reader, filter, &kept[0], &kept[1]);
        ask(s, filter, &new[0], &new[1]);
        must(scry_store_close(s, &err), &err);
        same(&kept[0], &new[0], step, which);
        same(&kept[1], &new[1], step, which);
    }
    scry_filter_pool_free(pool);
}

/* ---- changes ---- */

/* A file with a content that others have, too, and labels that differ from time to time. */
static void put(world *w, int i)
{
    static const char *const labels[] = { "seen" };
    scry_error err = SCRY_ERROR_INIT;
    char name[32];
    float v[DIM];
    int content = below(&w->d, CONTENTS);
    snprintf(name, sizeof name, "d%d/f%d.jpg", i % 4, i);
    scry_put p = { .file = { .relative = name, .size = i, .mtime_ns = i, .width = 100 + content, .format = "jpeg", .camera = "X100",
                             .has_time = content % 3 == 0, .taken_at = content, .labels = labels,
                             .label_count = (size_t)below(&w->d, 2) },
                   .vector = v };
    memcpy(p.file.root, w->root.id, SCRY_ID_BYTES);
    model_hash(content, p.file.content);
    model_vector(content, v, DIM);
    must(scry_store_put(w->writer, &p, 1, &err), &err);
}

static void mark(world *w, int content, bool on)
{
    uint8_t hash[SCRY_HASH_BYTES];
    scry_error err = SCRY_ERROR_INIT;
    model_hash(content, hash);
    scry_mark m = { .kind = SCRY_MARK_FAVOURITE, .key = hash, .key_size = sizeof hash };
    must(on ? scry_store_put_marks(w->writer, &m, 1, &err) : scry_store_remove_marks(w->writer, &m, 1, NULL, &err), &err);
}

static void forget(world *w, int i)
{
    char name[32];
    uint8_t id[1][SCRY_ID_BYTES];
    scry_error err = SCRY_ERROR_INIT;
    snprintf(name, sizeof name, "d%d/f%d.jpg", i % 4, i);
    scry_file_id(w->root.id, name, id[0]);
    must(scry_store_remove(w->writer, (const uint8_t (*)[SCRY_ID_BYTES])id, 1, NULL, &err), &err);
}

static void move(world *w)
{
    char from[32], to[32];
    scry_error err = SCRY_ERROR_INIT;
    snprintf(from, sizeof from, "/pictures%d", w->moves);
    snprintf(to, sizeof to, "/pictures%d", ++w->moves);
    must(scry_store_move_root(w->writer, from, to, &err), &err);
}

/* The newest columns are of no use any more: everything is read from the database. */
static void spoil_columns(world *w)
{
    const scry_local *s = (const scry_local *)w->writer;
    char *path = scry_columns_path(s, s->head.columns_file);
    if (s->head.columns_file && truncate(path, 100) < 0)
        fail_msg("%s cannot be cut", path);
    free(path);
}

static void change(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    int file = below(&w->d, FILES + 100);
    switch (below(&w->d, 40)) {
    case 0:
        scry_columns_update((scry_local *)w->writer, 0);
        break;
    case 1:
        must(scry_store_compact(w->writer, &err), &err);
        break;
    case 2:
        move(w);
        break;
    case 3:
        scry_columns_update((scry_local *)w->writer, 0);
        spoil_columns(w);
        break;
    case 4: case 5: case 6: case 7: case 8: case 9:
        mark(w, below(&w->d, CONTENTS), true);
        break;
    case 10: case 11: case 12: case 13:
        mark(w, below(&w->d, CONTENTS), false);
        break;
    case 14: case 15: case 16: case 17: case 18: case 19: case 20: case 21:
        forget(w, file);
        break;
    default:
        put(w, file);
    }
}

static void kept_open(void **state)
{
    world w = { .where = "/tmp/scry-fresh-XXXXXX", .d = { 5 } };
    scry_error err = SCRY_ERROR_INIT;
    char command[96];
    assert_non_null(mkdtemp(w.where));
    must(open_store(&w.writer, w.where, SCRY_STORE_CREATE, &err), &err);
    must(scry_store_add_root(w.writer, "/pictures0", &w.root, &err), &err);
    for (int i = 0; i < FILES; i += 2)
        put(&w, i);
    must(open_store(&w.reader, w.where, SCRY_STORE_READ, &err), &err);
    compare(&w, -1);
    for (int step = 0; step < STEPS; step++) {
        change(&w);
        if (below(&w.d, 4))
            compare(&w, step);
    }
    must(scry_store_close(w.reader, &err), &err);
    must(scry_store_close(w.writer, &err), &err);
    snprintf(command, sizeof command, "rm -rf %s", w.where);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(kept_open) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
