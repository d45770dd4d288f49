/* store_session.h - a fixed session of changes to a store, and what it holds after each: for tests that let the disk fail or
 * the power go within it. */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include "store_model.h"

#include "base/alloc.h"
#include "store/local/columns.h"

#include <cmocka.h>

enum { DIM = 32, FILES = 40, STEPS = 24 };

typedef struct {
    int content[FILES];   /* -1: none */
} tree;

static inline int open_store(scry_store **s, const char *where, scry_store_mode mode, scry_error *err)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = mode;
    o.model_identity = "feed";
    o.dim = DIM;
    o.threads = 1;
    return scry_store_open(s, where, &o, err);
}

static inline int put_files(scry_store *s, const uint8_t *root, int step, tree *t, scry_error *err)
{
    enum { N = 5 };
    scry_put batch[N];
    static float vectors[N][DIM];
    char name[N][32];
    memset(batch, 0, sizeof batch);
    for (int i = 0; i < N; i++) {
        int file = (step * 3 + i) % FILES, content = step * 11 + i;
        snprintf(name[i], sizeof name[i], "f%d.jpg", file);
        batch[i].file = (scry_file){ .relative = name[i], .size = content, .mtime_ns = file, .format = "png" };
        memcpy(batch[i].file.root, root, SCRY_ID_BYTES);
        model_hash(content, batch[i].file.content);
        model_vector(content, vectors[i], DIM);
        batch[i].vector = vectors[i];
        t->content[file] = content;
    }
    return scry_store_put(s, batch, N, err);
}

/* What take_step does to the tree. */
static inline void after_step(int step, tree *t)
{
    for (int i = 0; i < 5 && step % 8 < 5 && step % 8 != 3; i++)
        t->content[(step * 3 + i) % FILES] = step * 11 + i;
    if (step % 8 == 5)
        t->content[step % FILES] = -1;
}

static inline int take_step(scry_store *s, const uint8_t *root, int step, tree *t, scry_error *err)
{
    int file = step % FILES;
    char name[32];
    uint8_t id[1][SCRY_ID_BYTES];
    switch (step % 8) {
    case 3:
        return scry_store_sync(s, err);
    case 5:
        snprintf(name, sizeof name, "f%d.jpg", file);
        scry_file_id(root, name, id[0]);
        t->content[file] = -1;
        return scry_store_remove(s, (const uint8_t (*)[SCRY_ID_BYTES])id, 1, NULL, err);
    case 6:
        scry_columns_update((scry_local *)s, 0);
        return 0;
    case 7:
        return scry_store_compact(s, err);
    default:
        return put_files(s, root, step, t, err);
    }
}

static inline int see_file(void *arg, const scry_file *file)
{
    tree *t = arg;
    int n = (int)file->mtime_ns;
    assert_true(n >= 0 && n < FILES);
    t->content[n] = (int)file->size;
    return 0;
}

static inline void complain(void *arg, const char *text)
{
    print_error("verify: %s\n", text);
}

static inline bool same_tree(const tree *a, const tree *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline tree read_tree(scry_store *s)
{
    tree t;
    memset(&t, 0xff, sizeof t);
    assert_true(scry_store_each_file(s, NULL, NULL, see_file, &t, NULL) >= 0);
    return t;
}

static inline void verify(scry_store *s)
{
    scry_verify_report report;
    scry_error err = SCRY_ERROR_INIT;
    if (scry_store_verify(s, &report, complain, NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(report.problems, 0);
}

#endif
