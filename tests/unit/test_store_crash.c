/* After a kill at any moment, a store has everything that was committed and nothing else.
 *
 * A child process works through an endless list of operations, each a function of its
 * number, and counts those that returned. The parent kills it at a random moment, opens
 * the store and finds the state after that many operations, or one more: the one in
 * progress. SCRY_TEST_KILLS says how often (tests/check/store_kills.sh: 150 times).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_model.h"

#include "store/local/columns.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES = 120, CONTENTS = 5000, DIM = 48, NONE = -1, BAD = -2 };

typedef struct {
    int content[FILES];   /* or NONE, BAD */
} tree;

typedef struct {
    int file, content;    /* NONE: remove, BAD: record as bad */
} change;

/* The n-th operation: what it does to which files. */
static size_t operation(uint64_t n, change out[8])
{
    dice d = { n * 7919 + 13 };
    int kind = below(&d, 10);
    size_t count = kind < 7 ? (size_t)(1 + below(&d, 8)) : 1;
    for (size_t i = 0; i < count; i++)
        out[i] = (change){ below(&d, FILES), kind < 7 ? below(&d, CONTENTS) : kind == 7 ? BAD : NONE };
    return count;
}

static void apply_to_tree(tree *t, uint64_t n)
{
    change c[8];
    for (size_t i = 0, count = operation(n, c); i < count; i++)
        t->content[c[i].file] = c[i].content;
}

static void name_of(int file, char out[32])
{
    snprintf(out, 32, "d%d/picture %d.jpg", file % 3, file);
}

static int apply_to_store(scry_store *s, const uint8_t *root, uint64_t n)
{
    change c[8];
    size_t count = operation(n, c);
    char name[8][32];
    scry_put batch[8];
    static float vectors[8][DIM];
    memset(batch, 0, sizeof batch);
    for (size_t i = 0; i < count; i++) {
        name_of(c[i].file, name[i]);
        batch[i].file = (scry_file){ .relative = name[i], .size = c[i].content, .mtime_ns = c[i].file,
                                     .format = "jpeg", .camera = "", .key = "" };
        memcpy(batch[i].file.root, root, SCRY_ID_BYTES);
        if (c[i].content >= 0) {
            model_hash(c[i].content, batch[i].file.content);
            model_vector(c[i].content, vectors[i], DIM);
            batch[i].vector = vectors[i];
        }
    }
    if (n % 97 == 0 && scry_store_compact(s, NULL) < 0)
        return -1;
    if (n % 31 == 0)
        scry_columns_update((scry_local *)s, 0);
    if (c[0].content == BAD)
        return scry_store_put_bad(s, root, name[0], 1, 2, "torn", NULL);
    if (c[0].content == NONE) {
        uint8_t id[1][SCRY_ID_BYTES];
        scry_file_id(root, name[0], id[0]);
        return scry_store_remove(s, (const uint8_t (*)[SCRY_ID_BYTES])id, 1, NULL, NULL);
    }
    return scry_store_put(s, batch, count, NULL);
}

static scry_store *open_store(const char *where, scry_store_mode mode)
{
    scry_store *s = NULL;
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = mode;
    o.model_identity = "abcdef";
    o.dim = DIM;
    o.threads = 1;
    if (scry_store_open(&s, where, &o, &err) < 0)
        print_error("%s\n", err.message);
    return s;
}

static void work(const char *where, volatile uint64_t *done)
{
    scry_store *s = open_store(where, SCRY_STORE_CREATE);
    scry_root root;
    if (!s || scry_store_add_root(s, "/pictures", &root, NULL) < 0)
        _exit(3);
    for (;;) {
        if (apply_to_store(s, root.id, *done) < 0)
            _exit(4);
        ++*done;
        if (*done % 53 == 0) {
            if (scry_store_close(s, NULL) < 0 || !(s = open_store(where, SCRY_STORE_WRITE)))
                _exit(5);
        }
    }
}

typedef struct {
    const tree *t;
    int files, bad;
    bool same;
} comparison;

static int see_file(void *arg, const scry_file *file)
{
    comparison *c = arg;
    int n = (int)file->mtime_ns;
    uint8_t hash[SCRY_HASH_BYTES];
    c->files++;
    if (n < 0 || n >= FILES || c->t->content[n] < 0 || file->size != c->t->content[n]) {
        c->same = false;
        return 0;
    }
    model_hash(c->t->content[n], hash);
    c->same &= memcmp(hash, file->content, SCRY_HASH_BYTES) == 0;
    return 0;
}

static int see_bad(void *arg, const char *path, int64_t size, int64_t mtime_ns, const char *reason)
{
    ((comparison *)arg)->bad++;
    return 0;
}

static bool store_is(scry_store *s, const tree *t)
{
    comparison c = { .t = t, .same = true };
    int files = 0, bad = 0;
    for (int i = 0; i < FILES; i++) {
        files += t->content[i] >= 0;
        bad += t->content[i] == BAD;
    }
    assert_true(scry_store_each_file(s, NULL, NULL, see_file, &c, NULL) >= 0);
    assert_true(scry_store_each_bad(s, see_bad, &c, NULL) >= 0);
    return c.same && c.files == files && c.bad == bad;
}

static void complain(void *arg, const char *text)
{
    print_error("verify: %s\n", text);
}

/* Everything is found by its own vector. */
static void search_finds(scry_store *s, const tree *t)
{
    for (int i = 0; i < FILES; i += 7) {
        float v[DIM];
        scry_results *r;
        uint8_t hash[SCRY_HASH_BYTES];
        if (t->content[i] < 0)
            continue;
        model_vector(t->content[i], v, DIM);
        model_hash(t->content[i], hash);
        assert_true(scry_store_search(s, v, NULL, &r, NULL) >= 0);
        assert_true(r->count > 0 && fabs(r->hits[0].score - model_score(v, t->content[i], DIM)) < 1e-12);
        scry_results_free(r);
    }
}

static void check(const char *where, tree *t, uint64_t *applied, uint64_t done)
{
    scry_store *s = open_store(where, SCRY_STORE_READ);
    scry_verify_report report;
    if (!s && done == 0)
        return;   /* killed before there was a store */
    assert_non_null(s);
    while (*applied < done)
        apply_to_tree(t, (*applied)++);
    if (!store_is(s, t)) {   /* the operation in progress was committed */
        apply_to_tree(t, *applied);
        assert_true(store_is(s, t));
        /* the child will do it again, with the same result */
        tree again = *t;
        apply_to_tree(&again, *applied);
        *t = again;
    }
    search_finds(s, t);
    assert_true(scry_store_verify(s, &report, complain, NULL, NULL) >= 0);
    assert_int_equal(report.problems, 0);
    assert_true(scry_store_close(s, NULL) >= 0);
}

/* After the last kill, by the next writer that changes something. */
static void checksums_are_completed(const char *where)
{
    scry_verify_report report;
    scry_root root;
    scry_store *s = open_store(where, SCRY_STORE_WRITE);
    assert_true(s && scry_store_add_root(s, "/other", &root, NULL) >= 0 && scry_store_close(s, NULL) >= 0);
    s = open_store(where, SCRY_STORE_READ);
    assert_true(s && scry_store_verify(s, &report, complain, NULL, NULL) >= 0);
    assert_true(report.problems == 0 && !report.partial);
    assert_true(scry_store_close(s, NULL) >= 0);
}

static void killed_at_random(void **state)
{
    const char *kills = getenv("SCRY_TEST_KILLS"), *seed = getenv("SCRY_TEST_SEED");
    int rounds = kills ? atoi(kills) : 25;
    dice d = { seed ? strtoull(seed, NULL, 10) : (uint64_t)getpid() };
    print_message("seed %llu\n", (unsigned long long)d.state);
    char where[64];
    make_fast_scratch(where);
    uint64_t applied = 0;
    tree t;
    for (int i = 0; i < FILES; i++)
        t.content[i] = NONE;
    volatile uint64_t *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(done != MAP_FAILED);
    for (int i = 0; i < rounds; i++) {
        pid_t child = fork();
        if (child == 0)
            work(where, done);
        usleep((useconds_t)below(&d, 40000));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));   /* it did not stop by itself */
        check(where, &t, &applied, *done);
    }
    print_message("%d kills, %llu operations\n", rounds, (unsigned long long)*done);
    checksums_are_completed(where);
    munmap((void *)done, 4096);
    remove_tree(where);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(killed_at_random) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
