/* The pass over unread pictures, with a reader that says which pixels it was given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decoder_fixture.h"
#include "store_model.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/sha256.h"
#include "engine/text_pass.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIM = 8, SIDE = 300 };

static const char *const names[] = { "photo.jpg", "rgb.png", "grey.gif", "orientation6.jpg", "damaged-no-end.jpg", "lossless.webp" };
enum { PICTURES = sizeof names / sizeof *names };

/* ---- a reader ---- */

typedef struct {
    pthread_mutex_t lock;
    int opened, closed, calls;
    int code;                /* what every call returns */
    int cancel_at;           /* the call that asks to stop */
    scry_cancel cancel;
} test_reader;

typedef struct {
    test_reader *of;
    char text[64];
    scry_text_line line;
} reader_state;

static int reader_open(void *arg, int threads, void **state, scry_error *err)
{
    assert_int_equal(threads, 1);
    test_reader *r = arg;
    reader_state *s = scry_alloc(sizeof *s);
    s->of = r;
    pthread_mutex_lock(&r->lock);
    r->opened++;
    pthread_mutex_unlock(&r->lock);
    *state = s;
    return 0;
}

static void reader_close(void *state)
{
    reader_state *s = state;
    s->of->closed++;
    free(s);
}

/* Size and mean of the first pixel row's red: a line, but nothing of pictures wider than high. */
static int reader_read(void *state, const scry_rgb *p, const scry_text_line **lines, size_t *count, scry_error *err)
{
    reader_state *s = state;
    pthread_mutex_lock(&s->of->lock);
    int call = ++s->of->calls;
    if (call == s->of->cancel_at)
        atomic_store(&s->of->cancel, 1);
    pthread_mutex_unlock(&s->of->lock);
    if (s->of->code)
        return scry_fail(err, s->of->code, "the reader said so");
    assert_true(p->width >= 1 && p->height >= 1 && p->width <= SIDE && p->height <= SIDE && p->data);
    snprintf(s->text, sizeof s->text, "picture of %d by %d", p->width, p->height);
    s->line = (scry_text_line){ .corner = { 0, 0, 1, 0, 1, 1, 0, 1 }, .text = s->text, .confidence = 1 };
    *lines = &s->line;
    *count = p->width <= p->height;
    return 0;
}

/* ---- a store ---- */

typedef struct {
    char folder[64], pictures[96];
    scry_store *store;
    scry_root root;
    test_reader reader;
} world;

static void must(int result, const scry_error *err)
{
    if (result < 0)
        fail_msg("%s", err->message);
}

static void hash_of(const char *path, uint8_t out[SCRY_HASH_BYTES])
{
    scry_buf b = SCRY_BUF_INIT(1 << 24);
    scry_error err = SCRY_ERROR_INIT;
    must(scry_read_file(path, &b, &err), &err);
    scry_sha256_of(b.data, b.size, out);
    scry_buf_dispose(&b);
}

static void add_file(world *w, const char *from, const char *relative, int n)
{
    char command[512], path[256];
    float v[DIM];
    scry_error err = SCRY_ERROR_INIT;
    scry_put p = { .file = { .relative = relative, .format = "jpeg", .width = 1, .height = 1 }, .vector = v };
    snprintf(path, sizeof path, "%s/%s", w->pictures, relative);
    snprintf(command, sizeof command, "cp '%s' '%s'", from, path);
    assert_int_equal(system(command), 0);
    hash_of(path, p.file.content);
    memcpy(p.file.root, w->root.id, SCRY_ID_BYTES);
    model_vector(n, v, DIM);
    must(scry_store_put(w->store, &p, 1, &err), &err);
}

static int set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(w->folder);
    snprintf(w->pictures, sizeof w->pictures, "%s/pictures", w->folder);
    assert_int_equal(mkdir(w->pictures, 0700), 0);
    char where[96];
    snprintf(where, sizeof where, "%s/store", w->folder);
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = "feed";
    o.dim = DIM;
    must(scry_store_open(&w->store, where, &o, &err), &err);
    must(scry_store_add_root(w->store, w->pictures, &w->root, &err), &err);
    for (int i = 0; i < PICTURES; i++) {
        char relative[128];
        snprintf(relative, sizeof relative, "tests/pictures/%s", names[i]);
        add_file(w, test_path(relative), names[i], i);
    }
    pthread_mutex_init(&w->reader.lock, NULL);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    scry_store_close(w->store, NULL);
    remove_tree(w->folder);
    free(w);
    return 0;
}

static int pass(world *w, const char *identity, bool retry, scry_text_progress *total, scry_error *err)
{
    scry_text_reader reader = { identity, SIDE, &w->reader, reader_open, reader_close, reader_read };
    scry_text_options o = SCRY_TEXT_OPTIONS_INIT;
    o.workers = 2;
    o.retry = retry;
    o.cancel = &w->reader.cancel;
    *err = (scry_error)SCRY_ERROR_INIT;
    w->reader.opened = w->reader.closed = w->reader.calls = 0;
    atomic_store(&w->reader.cancel, 0);
    int r = scry_text_pass_run(w->store, &reader, &o, total, err);
    assert_int_equal(w->reader.opened, w->reader.closed);
    return r;
}

static const scry_picture_text *text_of(world *w, const char *name)
{
    static scry_picture_text *last;
    char relative[128];
    uint8_t hash[SCRY_HASH_BYTES];
    scry_error err = SCRY_ERROR_INIT;
    scry_picture_text_free(last);
    snprintf(relative, sizeof relative, "tests/pictures/%s", name);
    hash_of(test_path(relative), hash);
    must(scry_store_get_text(w->store, hash, &last, &err), &err);
    return last;
}

static void everything_is_read(void **state)
{
    world *w = *state;
    scry_text_progress t;
    scry_error err;
    must(pass(w, "one", false, &t, &err), &err);
    assert_true(t.pictures == PICTURES && t.read == PICTURES && t.failed == 0 && t.missing == 0);
    assert_true(w->reader.opened >= 1 && w->reader.opened <= 2);
    /* orientation6.jpg is upright: higher than wide */
    assert_int_equal(text_of(w, "orientation6.jpg")->line_count, 1);
    assert_string_equal(text_of(w, "orientation6.jpg")->reader, "one");
    must(pass(w, "one", true, &t, &err), &err);   /* nothing is left */
    assert_true(t.pictures == 0 && t.read == 0 && w->reader.calls == 0 && w->reader.opened == 0);
    must(pass(w, "two", false, &t, &err), &err);  /* another reader */
    assert_int_equal(w->reader.calls, PICTURES);
    assert_string_equal(text_of(w, "photo.jpg")->reader, "two");
}

static void failures_are_remembered(void **state)
{
    world *w = *state;
    scry_text_progress t;
    scry_error err;
    w->reader.code = SCRY_ELIMIT;
    must(pass(w, "one", false, &t, &err), &err);
    assert_true(t.failed == PICTURES && t.read == 0);
    assert_string_equal(text_of(w, "rgb.png")->reason, "the reader said so");
    w->reader.code = 0;
    must(pass(w, "one", false, &t, &err), &err);
    assert_int_equal(w->reader.calls, 0);
    must(pass(w, "one", true, &t, &err), &err);
    assert_true(t.pictures == PICTURES && t.read == PICTURES);
    w->reader.code = SCRY_ENOMEM;                 /* no picture's fault */
    assert_int_equal(pass(w, "two", false, &t, &err), SCRY_ENOMEM);
    assert_string_equal(text_of(w, "rgb.png")->reader, "one");
}

static void what_is_not_there(void **state)
{
    world *w = *state;
    char path[256], copy[512];
    scry_text_progress t;
    scry_error err;
    snprintf(path, sizeof path, "%s/photo.jpg", w->pictures);
    add_file(w, path, "also photo.jpg", 0);
    assert_int_equal(unlink(path), 0);            /* its copy is there */
    snprintf(path, sizeof path, "%s/rgb.png", w->pictures);
    snprintf(copy, sizeof copy, "cp '%s/grey.gif' '%s'", w->pictures, path);
    assert_int_equal(system(copy), 0);            /* other bytes than those that were indexed */
    snprintf(path, sizeof path, "%s/lossless.webp", w->pictures);
    assert_int_equal(unlink(path), 0);
    must(pass(w, "one", false, &t, &err), &err);
    assert_true(t.pictures == PICTURES && t.read == PICTURES - 2 && t.missing == 2);
    assert_null(text_of(w, "rgb.png"));
    assert_non_null(text_of(w, "photo.jpg"));
}

static void stopped_and_continued(void **state)
{
    world *w = *state;
    scry_text_progress t;
    scry_error err;
    w->reader.cancel_at = 2;
    assert_int_equal(pass(w, "one", false, &t, &err), SCRY_ECANCELLED);
    int first = w->reader.calls;
    assert_true(first >= 2 && first < PICTURES);
    assert_int_equal(t.read, first);
    w->reader.cancel_at = 0;
    must(pass(w, "one", false, &t, &err), &err);
    assert_int_equal(t.pictures, PICTURES - first);
    assert_int_equal(w->reader.calls, PICTURES - first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_are_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopped_and_continued, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
